"""The little mathematics that the families and the calibrators share: log-odds, and logistic regression by Newton."""

from __future__ import annotations

import math

import numpy as np

ITERATIONS = 50
PRIOR_ROWS = 20.0


def logistic(log_odds: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-x)), safe for any finite x. Array of any shape."""
    result: np.ndarray = 1.0 / (1.0 + np.exp(-np.clip(log_odds, -700.0, 700.0)))
    return result


def log_odds(rate: float) -> float:
    """ln(p / (1 - p)) of a rate strictly between 0 and 1."""
    return math.log(rate / (1.0 - rate))


def significant(value: float, digits: int = 8) -> float:
    """Rounded to significant digits: what a fit is worth, so that the last bits of another processor do not show."""
    return float(f"{value:.{digits}g}")


def smoothed_log_odds(events: np.ndarray | float, rows: np.ndarray | float, rate: float) -> np.ndarray:
    """Log-odds of the rate of each value, drawn towards the mean as if 20 more rows had the mean rate.

    Parameters
    ----------
    events, rows : arrays of shape [values], or one number each
    rate : the rate over all rows, strictly between 0 and 1
    """
    smoothed = (events + PRIOR_ROWS * rate) / (rows + PRIOR_ROWS)
    result: np.ndarray = np.log(smoothed / (1.0 - smoothed))
    return result


def auc(score: np.ndarray, outcome: np.ndarray) -> float:
    """Area under the ROC curve: the chance that an event outranks a non-event, ties counting half (Mann-Whitney)."""
    _, level = np.unique(score, return_inverse=True)
    rows = np.bincount(level)
    events = np.bincount(level, weights=outcome)
    others = rows - events
    below = np.cumsum(others) - others
    return float(np.sum(events * (below + others / 2.0)) / (events.sum() * others.sum()))


def fit_logistic(design: np.ndarray, events: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, float, bool]:
    """Unpenalised logistic regression of grouped data by Newton's method with step halving.

    Parameters
    ----------
    design : float array [groups, coefficients]; the first column is the constant 1
    events, rows : arrays [groups]; with one row to a group, ``rows`` is all ones

    Returns
    -------
    coefficients, log-likelihood, and whether a maximum was reached (not so where the outcome is separable)
    """
    # einsum without BLAS adds in one fixed order, whatever the number of threads.
    beta = np.zeros(design.shape[1])
    beta[0] = log_odds((events.sum() + 0.5) / (rows.sum() + 1.0))
    likelihood = _log_likelihood(design, beta, events, rows)
    for _ in range(ITERATIONS):
        risk = logistic(np.einsum("ij,j->i", design, beta))
        gradient = np.einsum("ij,i->j", design, events - rows * risk)
        weight = rows * risk * (1.0 - risk)
        information = np.einsum("ij,ik->jk", design, design * weight[:, None])
        try:
            step = np.linalg.solve(information, gradient)
        except np.linalg.LinAlgError:
            return beta, likelihood, False
        if not np.isfinite(step).all():
            return beta, likelihood, False
        for _ in range(20):
            tried = _log_likelihood(design, beta + step, events, rows)
            if tried >= likelihood - 1e-12 * abs(likelihood):
                break
            step = step / 2.0
        beta, likelihood = beta + step, tried
        if np.abs(step).max() < 1e-10 * (1.0 + np.abs(beta).max()):
            return beta, likelihood, bool(np.abs(beta).max() < 100.0)
    return beta, likelihood, False


def _log_likelihood(design: np.ndarray, beta: np.ndarray, events: np.ndarray, rows: np.ndarray) -> float:
    eta = np.einsum("ij,j->i", design, beta)
    return float(np.sum(events * eta - rows * np.logaddexp(0.0, eta)))
