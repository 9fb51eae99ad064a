"""Maximum-likelihood logistic regression for calibration: a few columns, many rows, clusters, an offset.

Written out because a fit of a million rows takes a tenth of what a general GLM takes, and because two R functions set
the published values, which stop at different moments: the sixth digit of a standard error depends on it.

Sums over rows are added in one fixed order; BLAS adds in another on each number of threads.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from riskmodels.assessment.intervals import Floats, Units, cluster_sums
from riskmodels.models.logit import gram, one_thread

MOST_STEPS = 50
SEPARATED_BELOW = 0.01


def logit(risk: Floats) -> Floats:
    """log(p / (1 - p)); every risk must be above 0 and below 1."""
    odds: Floats = np.log(risk) - np.log1p(-risk)
    return odds


def expit(linear: Floats) -> Floats:
    """1 / (1 + exp(-x)), the inverse of the logit."""
    rate: Floats = 1 / (1 + np.exp(-np.clip(linear, -700, 700)))
    return rate


def linear_predictor(design: Floats, beta: Floats) -> Floats:
    """design (n, k) times beta (k,), the same bits on any number of threads."""
    linear: Floats = np.einsum("ij,j->i", design, beta)
    return linear


def fit_logistic(
    design: Floats, outcome: Floats, units: Units, offset: Floats | None = None, *, stop: Literal["glm", "lrm"] = "glm"
) -> tuple[Floats, Floats] | None:
    """Coefficients (k,) and their covariance (k, k), or None if there is no finite answer.

    Iteratively reweighted least squares, the steps halved when they overshoot. The covariance is the inverse
    information, or the sandwich of score sums per cluster where clusters repeat, times G / (G - 1).
    Sources: McCullagh & Nelder 1989; Liang & Zeger 1986.

    Parameters
    ----------
    design : shape (n, k); the first column is ones
    outcome : shape (n,), both classes present
    units : the clusters of the rows
    offset : shape (n,), added to the linear predictor with coefficient 1
    stop : ``glm`` starts, stops and takes its information as R's glm does (relative change of the deviance below 1e-8,
        weights of the last step); ``lrm`` as R's rms::lrm (from the base rate, change below 0.00025, final weights)
    """
    with one_thread(design.shape[1]):
        return _fitted(design, outcome, units, offset, stop)


def _fitted(
    design: Floats, outcome: Floats, units: Units, offset: Floats | None, stop: Literal["glm", "lrm"]
) -> tuple[Floats, Floats] | None:
    known = np.zeros(outcome.size) if offset is None else offset
    start = (outcome + 0.5) / 2 if stop == "glm" else np.full(outcome.size, outcome.mean())
    linear = logit(start)
    beta: Floats | None = None
    deviance = _deviance(linear, outcome)
    for _ in range(MOST_STEPS):
        rate, information = _information(design, linear)
        score = np.einsum("ij,i->j", design, rate * (1 - rate) * (linear - known) + outcome - rate)
        try:
            before, last = beta, deviance
            beta = np.asarray(np.linalg.solve(information, score), dtype=np.float64)
        except np.linalg.LinAlgError:
            return None
        linear = linear_predictor(design, beta) + known
        deviance = _deviance(linear, outcome)
        while before is not None and deviance > last * (1 + 1e-9) and np.abs(beta - before).max() > 1e-9:
            beta = (beta + before) / 2
            linear = linear_predictor(design, beta) + known
            deviance = _deviance(linear, outcome)
        if not np.isfinite(deviance):
            return None
        if abs(last - deviance) < ((abs(deviance) + 0.1) * 1e-8 if stop == "glm" else 0.00025):
            break
    else:
        return None
    if stop == "lrm":
        information = _information(design, linear)[1]
    covariance = _inverse(information)
    # A deviance of next to nothing: the classes are separated and the coefficients are on their way to infinity.
    if beta is None or covariance is None or deviance < SEPARATED_BELOW:
        return None
    if units is not None and units.count > 1:
        scores = design * (outcome - expit(linear))[:, None]
        sums = np.column_stack([cluster_sums(column, units) for column in scores.T])
        covariance = covariance @ gram(sums, sums) @ covariance * (units.count / (units.count - 1))
    return beta, np.asarray(covariance, dtype=np.float64)


def _information(design: Floats, linear: Floats) -> tuple[Floats, Floats]:
    """Fitted rates (n,) and the information matrix X' diag(p (1 - p)) X."""
    rate = expit(linear)
    return rate, gram(design, design * (rate * (1 - rate))[:, None])


def _inverse(information: Floats) -> Floats | None:
    """The inverse, or None where columns are so alike that its digits would be noise."""
    scale = np.sqrt(np.diag(information))
    if not (np.isfinite(scale).all() and (scale > 0).all()):
        return None
    if np.linalg.cond(information / np.outer(scale, scale)) > 1e12:
        return None
    return np.asarray(np.linalg.inv(information), dtype=np.float64)


def _deviance(linear: Floats, outcome: Floats) -> float:
    """-2 log likelihood."""
    return float(2 * np.sum(np.logaddexp(0.0, np.where(outcome == 1, -linear, linear))))
