"""How well risk orders people: AUC with DeLong's interval, paired differences, average precision."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from riskmodels.assessment.estimate import Estimate, not_computed
from riskmodels.assessment.intervals import (
    NO_ROWS,
    ONE_CLUSTER,
    Floats,
    Units,
    checked_outcome,
    checked_risk,
    cluster_sums,
    clusters_of,
    critical_value,
    of_rows,
    variance_of_sum,
    wald,
)

CONSTANT = "the risk is the same for everybody, so it orders nobody"


def one_class(outcome: Floats) -> str | None:
    """Why a statistic that compares events with non-events cannot be had, or None if it can."""
    if outcome.size == 0:
        return NO_ROWS
    events = int(outcome.sum())
    if events == 0:
        return "no known row has an event"
    return "every known row has an event" if events == outcome.size else None


def placements(outcome: Floats, risk: Floats) -> Floats:
    """Each row's share of the other class that it is ordered rightly against, ties counting one half.

    For an event: the share of non-events with a lower risk; for a non-event: the share of events with a higher one.
    Their mean in either class is the AUC. One sort, O(n log n) (midranks: Sun & Xu 2014).

    Parameters
    ----------
    outcome, risk : shape (n,), both classes present
    """
    order = np.argsort(risk, kind="stable")
    ordered = risk[order]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    sizes = np.diff(starts, append=risk.size)
    events = np.add.reduceat(outcome[order], starts)
    others = sizes - events
    below = np.cumsum(others) - others
    above = events.sum() - np.cumsum(events)
    of_event = np.repeat((below + others / 2) / others.sum(), sizes)
    of_other = np.repeat((above + events / 2) / events.sum(), sizes)
    placed = np.empty(risk.size)
    placed[order] = np.where(outcome[order] == 1, of_event, of_other)
    return placed


def placement_variance(residuals: Floats, outcome: Floats, units: Units) -> float | None:
    """Variance of an AUC (or a difference of two) from placements less their mean.

    With m events and n non-events: S10/m + S01/n, the sample variances of the two kinds of placement (DeLong, DeLong &
    Clarke-Pearson 1988). With clusters the placements are first summed within each, and a term 2 S11/(mn) joins the
    events and non-events of the same cluster (Obuchowski 1997). None if either class has fewer than two clusters.
    """
    is_event = outcome == 1
    m, n = int(is_event.sum()), int((~is_event).sum())
    of_event = variance_of_sum(residuals[is_event], of_rows(units, is_event))
    of_other = variance_of_sum(residuals[~is_event], of_rows(units, ~is_event))
    if of_event is None or of_other is None:
        return None
    apart = of_event / m**2 + of_other / n**2
    if units is None:
        return apart
    event_sums = cluster_sums(np.where(is_event, residuals, 0.0), units)
    other_sums = cluster_sums(np.where(is_event, 0.0, residuals), units)
    joint = units.count / (units.count - 1) * float((event_sums * other_sums).sum())
    return max(apart + 2 * joint / (m * n), 0.0)


def delong(outcome: Floats, risk: Floats, units: Units = None) -> tuple[float, float | None]:
    """AUC and its variance; both classes must be present. See `placement_variance`."""
    placed = placements(outcome, risk)
    value = float(placed[outcome == 1].mean())
    return value, placement_variance(placed - value, outcome, units)


def delong_difference(outcome: Floats, risk: Floats, other: Floats, units: Units = None) -> tuple[float, float | None]:
    """AUC of ``risk`` less that of ``other`` on the same rows, and the variance of the difference.

    The placements are subtracted row by row, which is DeLong's covariance matrix contracted with (1, -1).
    """
    placed = placements(outcome, risk) - placements(outcome, other)
    value = float(placed[outcome == 1].mean())
    return value, placement_variance(placed - value, outcome, units)


def auc(outcome: Any, risk: Any, clusters: Any = None) -> Estimate:
    """Probability that a random event has a higher risk than a random non-event, ties counting one half.

    Parameters
    ----------
    outcome : shape (n,), 0/1 or boolean
    risk : shape (n,), any number: only the order counts
    clusters : shape (n,), ids of rows that belong together

    Returns
    -------
    Estimate with DeLong's 95% interval, cut at 0 and 1. Not computed with one class only; a constant risk gives 0.5
    with a note and no interval.

    Raises
    ------
    DataError
        if the arrays do not match or hold gaps.

    Sources: DeLong et al. 1988; Sun & Xu 2014; with clusters Obuchowski 1997.
    """
    y = checked_outcome(outcome)
    x = checked_risk(risk, y.size, probability=False)
    if reason := one_class(y):
        return not_computed(reason, y.size)
    if x.min() == x.max():
        return Estimate(0.5, n=y.size, reason=CONSTANT)
    units = clusters_of(clusters, y.size)
    value, variance = delong(y, x, units)
    return _estimate(value, variance, y, units, within=(0.0, 1.0))


def auc_difference(outcome: Any, risk: Any, other: Any, clusters: Any = None) -> Estimate:
    """AUC of ``risk`` less the AUC of ``other``, on the same rows, with the paired interval of DeLong et al. 1988."""
    y = checked_outcome(outcome)
    x, x_other = (checked_risk(each, y.size, probability=False) for each in (risk, other))
    if reason := one_class(y):
        return not_computed(reason, y.size)
    units = clusters_of(clusters, y.size)
    value, variance = delong_difference(y, x, x_other, units)
    return _estimate(value, variance, y, units, within=(-1.0, 1.0))


def _estimate(value: float, variance: float | None, y: Floats, units: Units, within: tuple[float, float]) -> Estimate:
    if variance is None and min(y.sum(), y.size - y.sum()) < 2:
        return Estimate(value, n=y.size, reason="no interval: fewer than two events or non-events")
    if variance is None:
        return Estimate(value, n=y.size, reason=f"{ONE_CLUSTER} in one of the classes")
    return wald(value, variance, y.size, units, within)


def average_precision(outcome: Any, risk: Any, clusters: Any = None) -> Estimate:
    """Mean, over events, of the precision among all rows with at least that event's risk.

    The variance sums, per cluster, each row's first-order influence: its own precision less the mean if it is an event,
    and what it does to the precision at every event that stands no higher. The interval is symmetric on the logit scale
    (Boyd, Eng & Page 2013), which keeps it inside (0, 1). A random order gives about the base rate, not 0.5.

    Parameters, errors: see `auc`.
    """
    y = checked_outcome(outcome)
    x = checked_risk(risk, y.size, probability=False)
    if reason := one_class(y):
        return not_computed(reason, y.size)
    units = clusters_of(clusters, y.size)
    value, influence = precision_influence(y, x)
    variance = variance_of_sum(influence, units)
    if value >= 1.0 or variance is None or variance == 0.0:
        return wald(value, variance if value < 1.0 else 0.0, y.size, units)
    half = critical_value(units) * math.sqrt(variance) / (value * (1 - value))
    middle = math.log(value / (1 - value))
    low, high = (1 / (1 + math.exp(-min(max(end, -700.0), 700.0))) for end in (middle - half, middle + half))
    return Estimate(value, low, high, y.size)


def precision_influence(outcome: Floats, risk: Floats) -> tuple[float, Floats]:
    """Average precision, and each row's first-order influence on it (they add to zero)."""
    order = np.argsort(-risk, kind="stable")
    ordered = risk[order]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    sizes = np.diff(starts, append=risk.size)
    events = np.add.reduceat(outcome[order], starts)
    reached = np.cumsum(sizes)
    precision = np.cumsum(events) / reached
    total = float(events.sum())
    value = float((events * precision).sum() / total)
    # A row among the first R rows moves their precision by (outcome - precision) / R; it is among them for its own
    # group of equal risks and for every lower one: sums from the lowest group upwards.
    gain = np.cumsum((events / reached)[::-1])[::-1]
    loss = np.cumsum((events * precision / reached)[::-1])[::-1]
    influence = np.empty(risk.size)
    own = outcome[order]
    influence[order] = own * np.repeat(precision - value + gain, sizes) - np.repeat(loss, sizes)
    return value, influence / total
