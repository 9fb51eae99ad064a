"""How far risks can be taken at their word: Brier and log loss, calibration in the large, slope, O/E, lowess errors."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from riskmodels.assessment.discrimination import one_class
from riskmodels.assessment.estimate import Estimate, not_computed
from riskmodels.assessment.intervals import (
    NO_ROWS,
    ONE_CLUSTER,
    Floats,
    Units,
    checked_outcome,
    checked_risk,
    clusters_of,
    critical_value,
    design_effect,
    mean,
    no_effect,
    variance_of_sum,
    wald,
)
from riskmodels.assessment.logistic import fit_logistic, logit
from riskmodels.errors import DataError

CONSTANT = "the risk is the same for everybody"
NO_SPREAD = "no interval: the clusters are too few, or too alike, to say how sure this is"
SMALLEST_VARIANCE = 1e-12  # below it a sum over a few clusters that cancel is only round-off, of either sign
SEPARATED = "the logistic fit has no finite answer: the risk separates events from non-events"


# ---------------------------------------------------------------- proper scores


def squared_error(outcome: Floats, risk: Floats) -> Floats:
    """(risk - outcome)^2 per row."""
    squared: Floats = (risk - outcome) ** 2
    return squared


def logarithmic_loss(outcome: Floats, risk: Floats) -> Floats:
    """-log of the risk given to what happened, per row; infinite where that was held impossible."""
    with np.errstate(divide="ignore"):
        loss: Floats = -np.log(np.where(outcome == 1, risk, 1 - risk))
    return loss


CRITERIA: dict[str, Callable[[Floats, Floats], Floats]] = {"brier_score": squared_error, "log_loss": logarithmic_loss}
"""Loss per row by the name of its mean; lower is better."""


def loss_per_row(criterion: str, outcome: Floats, risk: Floats) -> Floats:
    """Raises DataError for a criterion that is not in `CRITERIA`."""
    if criterion not in CRITERIA:
        raise DataError(f"criterion: {criterion!r} is not known; use one of {', '.join(CRITERIA)}")
    return CRITERIA[criterion](outcome, risk)


def mean_loss(outcome: Any, risk: Any, criterion: str, clusters: Any = None) -> Estimate:
    """The mean of a row loss with its interval, from the variance of the losses summed per cluster.

    Parameters
    ----------
    outcome : shape (n,), 0/1 or boolean
    risk : shape (n,), probabilities
    criterion : a name in `CRITERIA`
    clusters : shape (n,), ids of rows that belong together

    Raises
    ------
    DataError
        if the arrays do not match, hold gaps, or a risk is no probability.
    """
    y = checked_outcome(outcome)
    loss = loss_per_row(criterion, y, checked_risk(risk, y.size))
    if not np.isfinite(loss).all():
        return not_computed(_impossible(loss), y.size)
    return mean(loss, clusters_of(clusters, y.size))


def brier_score(outcome: Any, risk: Any, clusters: Any = None) -> Estimate:
    """mean((risk - outcome)^2). Source: Brier 1950. See `mean_loss`."""
    return mean_loss(outcome, risk, "brier_score", clusters)


def log_loss(outcome: Any, risk: Any, clusters: Any = None) -> Estimate:
    """-mean(y log p + (1 - y) log(1 - p)), in nats. Source: Good 1952. Not computed where it is infinite."""
    return mean_loss(outcome, risk, "log_loss", clusters)


def scaled_brier(outcome: Any, risk: Any, clusters: Any = None) -> Estimate:
    """1 - Brier / (q (1 - q)), with q the base rate: 0 for a constant at the base rate, 1 for perfect risks.

    Interval by the delta method on (Brier, q). Source: Steyerberg et al. 2010.
    """
    y = checked_outcome(outcome)
    loss = squared_error(y, checked_risk(risk, y.size))
    if reason := one_class(y):
        return not_computed(reason, y.size)
    base, brier = float(y.mean()), float(loss.mean())
    worst = base * (1 - base)
    influence = brier / worst**2 * (1 - 2 * base) * (y - base) - (loss - brier) / worst
    units = clusters_of(clusters, y.size)
    variance = variance_of_sum(influence, units)
    return wald(1 - brier / worst, None if variance is None else variance / y.size**2, y.size, units)


def loss_difference(outcome: Any, risk: Any, other: Any, criterion: str, clusters: Any = None) -> Estimate:
    """Mean loss of ``other`` less that of ``risk`` on the same rows: positive where ``risk`` is the better one.

    Paired: the difference is taken row by row, then summed per cluster.
    """
    y = checked_outcome(outcome)
    difference = [loss_per_row(criterion, y, checked_risk(each, y.size)) for each in (other, risk)]
    if not all(np.isfinite(loss).all() for loss in difference):
        return not_computed(_impossible(np.maximum(*difference)), y.size)
    return mean(difference[0] - difference[1], clusters_of(clusters, y.size))


def _impossible(loss: Floats) -> str:
    return f"infinite: {int(np.isinf(loss).sum())} rows had the outcome that their risk of exactly 0 or 1 ruled out"


# ---------------------------------------------------------------- logistic recalibration


def no_logit(risk: Floats) -> str | None:
    """Why the logit of these risks cannot be used, or None. Clipping would let the clip decide the slope."""
    extreme = int(np.count_nonzero((risk <= 0) | (risk >= 1)))
    return f"{extreme} rows have a risk of exactly 0 or 1, whose logit is infinite" if extreme else None


def separates(outcome: Floats, risk: Floats) -> bool:
    """Whether one cut of the risk parts all events from all non-events (equal risks at the cut included)."""
    events, others = risk[outcome == 1], risk[outcome == 0]
    return bool(events.min() >= others.max() or events.max() <= others.min())


def calibration_in_the_large(outcome: Any, risk: Any, clusters: Any = None) -> Estimate:
    """Intercept a of logit P(y = 1) = a + logit(risk), the logit entering as an offset; 0 is right, above 0 means that
    risks are too low.

    Wald interval. Sources: Cox 1958; Steyerberg et al. 2010. Parameters, errors: see `mean_loss`.
    """
    y = checked_outcome(outcome)
    p = checked_risk(risk, y.size)
    if reason := one_class(y) or no_logit(p):
        return not_computed(reason, y.size)
    units = clusters_of(clusters, y.size)
    fit = fit_logistic(np.ones((y.size, 1)), y, units, offset=logit(p))
    if fit is None:
        return not_computed("the logistic fit did not settle", y.size)
    return _coefficient(fit, 0, y.size, units)


def calibration_slope(outcome: Any, risk: Any, clusters: Any = None) -> Estimate:
    """Slope b of logit P(y = 1) = a + b logit(risk); 1 is right, below 1 means risks are too extreme.

    Wald interval. Sources: Cox 1958; Steyerberg et al. 2010. Not computed for a constant risk, for risks of exactly 0
    or 1, or where the risk separates the classes. Parameters, errors: see `mean_loss`.
    """
    y = checked_outcome(outcome)
    p = checked_risk(risk, y.size)
    if reason := one_class(y) or no_logit(p):
        return not_computed(reason, y.size)
    if p.min() == p.max():
        return not_computed(CONSTANT, y.size)
    if separates(y, p):
        return not_computed(SEPARATED, y.size)
    units = clusters_of(clusters, y.size)
    fit = fit_logistic(np.column_stack([np.ones(y.size), logit(p)]), y, units)
    if fit is None:
        return not_computed("the logistic fit did not settle", y.size)
    return _coefficient(fit, 1, y.size, units)


def _coefficient(fit: tuple[Floats, Floats], index: int, n: int, units: Units) -> Estimate:
    if units is not None and units.count < 2:
        return Estimate(float(fit[0][index]), n=n, reason=ONE_CLUSTER)
    value, variance = float(fit[0][index]), float(fit[1][index, index])
    if variance < SMALLEST_VARIANCE:
        return Estimate(value, n=n, reason=NO_SPREAD)
    half = critical_value(units) * math.sqrt(variance)
    return Estimate(value, value - half, value + half, n)


# ---------------------------------------------------------------- observed against expected


def oe_ratio(outcome: Any, risk: Any, clusters: Any = None) -> Estimate:
    """Events observed over events expected (the sum of risks); above 1 means that risks are too low.

    exp(log(O/E) -+ 1.96 sqrt(V) / O), with V the variance of the sum of y - p O/E: that of a ratio of two sums
    (Cochran 1977). With the same risk for everybody it is the formula for a published O and E, sqrt((1 - O/n) / O)
    (Debray et al. 2017); the better the risks, the more that formula overstates, as it does not know that events and
    risks rise together. Parameters, errors: see `mean_loss`.
    """
    y = checked_outcome(outcome)
    p = checked_risk(risk, y.size)
    if reason := one_class(y):
        return not_computed(reason, y.size)
    observed, expected = float(y.sum()), float(p.sum())
    if expected == 0:
        return not_computed("every risk is 0: nothing was expected", y.size)
    ratio = observed / expected
    units = clusters_of(clusters, y.size)
    variance = variance_of_sum(y - ratio * p, units)
    if variance is None:
        return Estimate(ratio, n=y.size, reason=ONE_CLUSTER)
    if variance < SMALLEST_VARIANCE * observed**2:
        return Estimate(ratio, n=y.size, reason=NO_SPREAD)
    factor = math.exp(critical_value(units) * math.sqrt(variance) / observed)
    return Estimate(ratio, ratio / factor, ratio * factor, y.size)


def spiegelhalter(outcome: Any, risk: Any, clusters: Any = None) -> tuple[Estimate, Estimate]:
    """Spiegelhalter's z for calibration, and its two-sided p-value. No intervals: it is a test.

    z = sum((y - p)(1 - 2p)) / sqrt(sum((1 - 2p)^2 p (1 - p))), the variance times the design effect of the summands
    where clusters repeat. Source: Spiegelhalter 1986.
    """
    y = checked_outcome(outcome)
    p = checked_risk(risk, y.size)
    terms = (y - p) * (1 - 2 * p)
    variance = float(np.sum((1 - 2 * p) ** 2 * p * (1 - p)))
    units = clusters_of(clusters, y.size)
    if y.size == 0 or variance == 0:
        nothing = not_computed("every risk is 0, 0.5 or 1: the test has no variance" if y.size else NO_ROWS, y.size)
        return nothing, nothing
    effect = design_effect(terms - terms.mean(), units)
    if effect is None:
        nothing = not_computed(no_effect(units), y.size)
        return nothing, nothing
    z = float(terms.sum() / math.sqrt(variance * effect))
    return Estimate(z, n=y.size), Estimate(math.erfc(abs(z) / math.sqrt(2)), n=y.size)


def lowess_errors(outcome: Any, risk: Any) -> dict[str, Estimate]:
    """Distance between risk and a smoothed observed rate: its mean (eavg), 90th percentile (e90) and maximum (emax).

    Lowess with span 2/3, no robustness steps and delta of 1% of the range, the setting of R's rms::val.prob. Sources:
    Cleveland 1979; Harrell 2015. No interval: smoothing leaves these above 0 even for perfect risks.
    """
    y = checked_outcome(outcome)
    p = checked_risk(risk, y.size)
    names = ("eavg", "e90", "emax")
    reason = one_class(y) or (CONSTANT if p.min() == p.max() else None)
    # Where a whole neighbourhood shares one risk it has no width, and statsmodels silently answers 0.
    if reason is None and np.unique(p, return_counts=True)[1].max() >= math.floor(2 / 3 * y.size):
        reason = "two thirds of the rows share one risk: there is nothing to smooth over"
    if reason:
        return {name: not_computed(reason, y.size) for name in names}
    from statsmodels.nonparametric.smoothers_lowess import lowess

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        smooth = lowess(y, p, frac=2 / 3, it=0, delta=0.01 * float(np.ptp(p)), return_sorted=False)
    error = np.abs(p - smooth)
    if not np.isfinite(error).all():
        return {name: not_computed("the smoother found no answer", y.size) for name in names}
    values = (error.mean(), np.quantile(error, 0.9), error.max())
    return {name: Estimate(float(value), n=y.size) for name, value in zip(names, values, strict=True)}
