"""The little mathematics that the families and the calibrators share: log-odds, and logistic regression by Newton."""

from __future__ import annotations

import math
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np

ITERATIONS = 50
PRIOR_ROWS = 20.0
# Up to so many columns sums are added without BLAS; a wider design would take it minutes instead of seconds.
NARROW = 32


def logistic(log_odds: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-x)), safe for any finite x. Array of any shape."""
    result: np.ndarray = 1.0 / (1.0 + np.exp(-np.clip(log_odds, -700.0, 700.0)))
    return result


def softplus(log_odds: np.ndarray) -> np.ndarray:
    """-ln(1 - p) of a risk p by its log-odds; of the log-odds turned round it is -ln p. Array of any shape, rising."""
    result: np.ndarray = np.log1p(np.exp(np.clip(log_odds, -700.0, 700.0)))
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


def fit_logistic(
    design: np.ndarray, events: np.ndarray, rows: np.ndarray, offset: np.ndarray | None = None
) -> tuple[np.ndarray, float, bool]:
    """Unpenalised logistic regression of grouped data by Newton's method with step halving.

    Parameters
    ----------
    design : float array [groups, coefficients]; the first column is the constant 1
    events, rows : arrays [groups]; with one row to a group, ``rows`` is all ones
    offset : array [groups], added to the log-odds with coefficient 1

    Returns
    -------
    coefficients, log-likelihood, and whether a maximum was reached (not so where the outcome is separable)
    """
    with one_thread(design.shape[1]):
        return _newton(design, events, rows, offset)


def one_thread(columns: int) -> AbstractContextManager[Any]:
    """Where `gram` and its like may use BLAS: on one thread, as more add in another order and the last bits differ."""
    if columns <= NARROW:
        return nullcontext()
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    limits: AbstractContextManager[Any] = threadpool_limits(limits=1)
    return limits


def gram(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """left' right, [i, k] from [n, i] and [n, k]: without BLAS where narrow, in one fixed order of adding."""
    product: np.ndarray = np.einsum("ij,ik->jk", left, right, optimize=max(left.shape[1], right.shape[1]) > NARROW)
    return product


def _newton(
    design: np.ndarray, events: np.ndarray, rows: np.ndarray, offset: np.ndarray | None
) -> tuple[np.ndarray, float, bool]:
    # einsum without BLAS adds in one fixed order, whatever the number of threads.
    blas = design.shape[1] > NARROW
    known = 0.0 if offset is None else offset
    beta = np.zeros(design.shape[1])
    if offset is None:
        beta[0] = log_odds((events.sum() + 0.5) / (rows.sum() + 1.0))
    likelihood = _log_likelihood(np.einsum("ij,j->i", design, beta, optimize=blas) + known, events, rows)
    for _ in range(ITERATIONS):
        risk = logistic(np.einsum("ij,j->i", design, beta, optimize=blas) + known)
        gradient = np.einsum("ij,i->j", design, events - rows * risk, optimize=blas)
        weight = rows * risk * (1.0 - risk)
        information = gram(design, design * weight[:, None])
        try:
            step = np.linalg.solve(information, gradient)
        except np.linalg.LinAlgError:
            return beta, likelihood, False
        if not np.isfinite(step).all():
            return beta, likelihood, False
        for _ in range(20):
            tried = _log_likelihood(np.einsum("ij,j->i", design, beta + step, optimize=blas) + known, events, rows)
            if tried >= likelihood - 1e-12 * abs(likelihood):
                break
            step = step / 2.0
        beta, likelihood = beta + step, tried
        if np.abs(step).max() < 1e-10 * (1.0 + np.abs(beta).max()):
            return beta, likelihood, bool(np.abs(beta).max() < 100.0)
    return beta, likelihood, False


def _log_likelihood(eta: np.ndarray, events: np.ndarray, rows: np.ndarray) -> float:
    return float(np.sum(events * eta - rows * np.logaddexp(0.0, eta)))


# ---------------------------------------------------------------- a curve of the log-odds


@dataclass(frozen=True)
class Bent:
    """log-odds = intercept + a ln p - b ln(1 - p) of a risk p, with its log-likelihood on the rows it was fitted to."""

    intercept: float
    a: float
    b: float
    likelihood: float


def fit_bent(scores: np.ndarray, outcome: np.ndarray) -> Bent | None:
    """The most likely of the curves of beta calibration, which never fall (Kull, Silva Filho and Flach 2017).

    A negative a or b is set to nought and the rest fitted again; since the likelihood has one maximum, the better of
    the two borders is the best that does not fall.

    Parameters
    ----------
    scores : log-odds [n], finite
    outcome : 0 or 1 [n]

    Returns
    -------
    None where there is no such curve: fewer than three different scores, outcomes that they separate, or a risk that
    only falls
    """
    if len(np.unique(scores)) < 3:
        return None
    columns = np.column_stack([-softplus(-scores), softplus(scores)])
    centres, scales = columns.mean(axis=0), columns.std(axis=0)
    if not (scales > 0).all():
        return None
    design = np.column_stack([np.ones(len(scores)), (columns - centres) / scales])
    for borders in (((0, 1),), ((1,), (0,))):
        found = [fit for free in borders if (fit := _rising_curve(design, outcome, free, centres, scales)) is not None]
        if found:
            return max(found, key=lambda fit: fit.likelihood)
    return None


def _rising_curve(
    design: np.ndarray, outcome: np.ndarray, free: tuple[int, ...], centres: np.ndarray, scales: np.ndarray
) -> Bent | None:
    """The curve with these of (a, b) free and the other nought; None if it is not finite, or falls."""
    chosen = [0, *(1 + place for place in free)]
    coefficients, likelihood, reached = fit_logistic(design[:, chosen], outcome, np.ones(len(outcome)))
    if not reached or (coefficients[1:] < 0).any() or not (coefficients[1:] > 0).any():
        return None
    bent = np.zeros(2)
    bent[list(free)] = coefficients[1:] / scales[list(free)]
    intercept = float(coefficients[0]) - float(bent[0] * centres[0] + bent[1] * centres[1])
    return Bent(intercept, float(bent[0]), float(bent[1]), likelihood)
