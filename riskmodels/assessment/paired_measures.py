"""By how much one run is better than another on the same people, measure by measure, each with a paired interval.

Every difference is positive where the second run is the better one, whichever way the measure itself points. AUC has
DeLong's paired interval; every other measure is made of weighted sums and has the paired cluster bootstrap's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from riskmodels.assessment.calibration_statistics import (
    brier_score,
    calibration_slope,
    log_loss,
    logarithmic_loss,
    oe_ratio,
    squared_error,
)
from riskmodels.assessment.decisions import net_benefit, precision_at_k
from riskmodels.assessment.discrimination import auc, auc_difference, average_precision, precision_influence
from riskmodels.assessment.estimate import Estimate, not_computed
from riskmodels.assessment.intervals import NO_ROWS, NO_SPREAD, Floats, Units, proportion
from riskmodels.assessment.logistic import expit, fit_logistic, logit
from riskmodels.assessment.paired_bootstrap import Groups, groups_of, percentile_interval, resample
from riskmodels.assessment.paired_rows import Judged, Mask
from riskmodels.assessment.ranked_rows import FEWEST_EVENTS

DELONG, BOOTSTRAP = "paired DeLong", "paired cluster bootstrap"
Sums = Mapping[str, Any]

# How much better a second value is than a first, by what is good.
GAINS: dict[str, Callable[[Any, Any], Any]] = {
    "higher": lambda first, second: second - first,
    "lower": lambda first, second: first - second,
    "nearer 1": lambda first, second: np.abs(first - 1) - np.abs(second - 1),
    "nearer 1 as a ratio": lambda first, second: np.abs(np.log(first)) - np.abs(np.log(second)),
}


@dataclass(frozen=True)
class Difference:
    """One measure of both runs on the same rows, and by how much the second is better.

    ``better`` is a key of `GAINS`. ``moved`` counts the rows that the runs treat differently as this measure sees them:
    nought means that the difference is exactly nought.
    """

    measure: str
    better: str
    first: Estimate
    second: Estimate
    difference: Estimate
    method: str
    moved: int
    threshold: float | None = None

    @property
    def verdict(self) -> str:
        """better, worse, no clear change, the same, cannot tell (no interval), or not computed; of the second run."""
        gain = self.difference
        if gain.value is None:
            return "not computed"
        if self.moved == 0 or (gain.value == 0 and gain.reason == NO_SPREAD):
            return "the same"
        if gain.low is None or gain.high is None:
            return "cannot tell"
        if gain.low <= 0 <= gain.high:
            return "no clear change"
        return "better" if gain.low > 0 else "worse"

    def to_dict(self) -> dict[str, Any]:
        estimates = {name: getattr(self, name).to_dict() for name in ("first", "second", "difference")}
        plain = {"measure": self.measure, "better": self.better, **estimates, "verdict": self.verdict}
        return plain | {"method": self.method, "moved": self.moved, "threshold": self.threshold}


@dataclass(frozen=True)
class Part:
    """One measure of one run: its value, the rows' contributions, and how the measure is made of their weighted sums.

    The sums also hold ``rows`` and ``events``.
    """

    estimate: Estimate
    contributions: Mapping[str, Floats]
    of_sums: Callable[[Sums], Any]


@dataclass(frozen=True)
class Measure:
    """``part`` takes one run's rows; ``treats`` says how a run treats each row, so that what moved can be counted."""

    better: str
    part: Callable[[Judged], Part]
    treats: Callable[[Judged], Any]
    threshold: float | None = None


# ---------------------------------------------------------------- the parts


def _mean_of(estimate: Estimate, loss: Floats) -> Part:
    return Part(estimate, {"loss": loss}, lambda sums: sums["loss"] / sums["rows"])


def _brier(rows: Judged) -> Part:
    return _mean_of(brier_score(rows.outcome, rows.risk), squared_error(rows.outcome, rows.risk))


def _log_loss(rows: Judged) -> Part:
    return _mean_of(log_loss(rows.outcome, rows.risk), logarithmic_loss(rows.outcome, rows.risk))


def _oe_ratio(rows: Judged) -> Part:
    return Part(
        oe_ratio(rows.outcome, rows.risk), {"expected": rows.risk}, lambda sums: sums["events"] / sums["expected"]
    )


def _slope(rows: Judged) -> Part:
    """In a replicate one Newton step from the whole sample's fit, with the replicate's own score and information.

    The error of the step is of a smaller order than the slope's. Source: Davison & Hinkley 1997, section 2.7.
    """
    estimate = calibration_slope(rows.outcome, rows.risk)
    if estimate.value is None:
        return Part(estimate, {}, lambda sums: None)
    x = logit(rows.risk)
    fit = fit_logistic(np.column_stack([np.ones(x.size), x]), rows.outcome, None)
    assert fit is not None, "the slope was fitted a moment ago"
    rate = expit(fit[0][0] + fit[0][1] * x)
    weight, residual = rate * (1 - rate), rows.outcome - rate
    contributions = {"w": weight, "wx": weight * x, "wxx": weight * x * x, "u": residual, "ux": residual * x}

    def step(sums: Sums) -> Any:
        determinant = sums["w"] * sums["wxx"] - sums["wx"] ** 2
        with np.errstate(divide="ignore", invalid="ignore"):
            return estimate.value + (sums["w"] * sums["ux"] - sums["wx"] * sums["u"]) / determinant

    return Part(estimate, contributions, step)


def _average_precision(rows: Judged) -> Part:
    """In a replicate to first order: the value plus the rows' influences. Drawn rows tie with their own copies, so the
    measure itself would be off in a resample. Source: as `_slope`; `discrimination.precision_influence`.
    """
    estimate = average_precision(rows.outcome, rows.risk)
    if estimate.value is None:
        return Part(estimate, {}, lambda sums: None)
    value, influence = precision_influence(rows.outcome, rows.risk)
    return Part(estimate, {"influence": influence}, lambda sums: value + sums["influence"])


def _precision_at_k(rows: Judged) -> Part:
    listed = rows.selected.astype(np.float64)
    estimate = precision_at_k(rows.outcome, np.ones(listed.size, dtype=bool), rows.selected, None)
    contributions = {"listed": listed, "hits": listed * rows.outcome}
    return Part(estimate, contributions, lambda sums: _ratio(sums["hits"], sums["listed"]))


def _recall_at_k(rows: Judged) -> Part:
    estimate = proportion(rows.selected[rows.outcome == 1].astype(np.float64), None, "no known row has an event")
    return Part(estimate, {"hits": rows.selected * rows.outcome}, lambda sums: _ratio(sums["hits"], sums["events"]))


def _net_benefit_at(threshold: float) -> Measure:
    def part(rows: Judged) -> Part:
        estimate = net_benefit(rows.outcome, rows.risk, threshold)
        odds = threshold / (1 - threshold)
        return _mean_of(estimate, np.where(rows.risk >= threshold, rows.outcome - odds * (1 - rows.outcome), 0.0))

    return Measure("higher", part, lambda rows: rows.risk >= threshold, threshold)


def _ratio(top: Any, bottom: Any) -> Any:
    with np.errstate(divide="ignore", invalid="ignore"):
        return top / bottom


def _risk(rows: Judged) -> Floats:
    return rows.risk


def _selected(rows: Judged) -> Mask:
    return rows.selected


MEASURES: dict[str, Measure] = {
    "brier_score": Measure("lower", _brier, _risk),
    "log_loss": Measure("lower", _log_loss, _risk),
    "oe_ratio": Measure("nearer 1 as a ratio", _oe_ratio, _risk),
    "calibration_slope": Measure("nearer 1", _slope, _risk),
    "average_precision": Measure("higher", _average_precision, _risk),
    "precision_at_k": Measure("higher", _precision_at_k, _selected),
    "recall_at_k": Measure("higher", _recall_at_k, _selected),
}
"""Measures of one run that are made of weighted sums. To add one: a function, a row here, a test."""

NEED_NO_EVENTS = ("brier_score", "log_loss", "precision_at_k", "net_benefit")


# ---------------------------------------------------------------- all of them


def paired_differences(
    first: Judged, second: Judged, units: Units, *, thresholds: Sequence[float], seed: int
) -> tuple[Difference, ...]:
    """Every measure of both runs, and the paired difference with its interval.

    Parameters
    ----------
    first, second : the same rows in the same order, with the same outcomes
    units : the clusters of the rows
    thresholds : risks in (0, 1) at which net benefit is compared
    seed : of the resamples; the same seed gives the same intervals

    Raises
    ------
    DataError, StudyError
        if a risk is no probability, or a threshold is not above 0 and below 1.
    """
    rng = np.random.default_rng([seed, *b"compare"])
    groups = groups_of(units, first.outcome.size, rng)
    measures = MEASURES | {f"net_benefit_at_{each:g}": _net_benefit_at(each) for each in thresholds}
    parts = {
        name: (measure.part(first), measure.part(second))
        for name, measure in measures.items()
        if not _too_few(name, first.outcome)
    }
    drawn = {} if groups.limit else resample(_sums_per_group(parts, first.outcome, groups), rng)
    found = [_auc(first, second, units)]
    for name, measure in measures.items():
        moved = int(np.count_nonzero(measure.treats(first) != measure.treats(second)))
        if reason := _too_few(name, first.outcome):
            estimates = _nothing(reason, first)
        else:
            estimates = _difference(name, measure, parts[name], drawn, groups)
        found.append(Difference(name, measure.better, *estimates, BOOTSTRAP, moved, measure.threshold))
    return tuple(found)


def _too_few(name: str, outcome: Floats) -> str | None:
    """Why a measure is not worth computing, or None."""
    if outcome.size == 0:
        return NO_ROWS
    events = int(outcome.sum())
    if name.startswith(NEED_NO_EVENTS) or min(events, outcome.size - events) >= FEWEST_EVENTS:
        return None
    others = outcome.size - events
    return f"{events} events and {others} non-events are known in both; {FEWEST_EVENTS} of each are needed"


def _nothing(reason: str, rows: Judged) -> tuple[Estimate, Estimate, Estimate]:
    nothing = not_computed(reason, rows.outcome.size)
    return nothing, nothing, nothing


def _auc(first: Judged, second: Judged, units: Units) -> Difference:
    if reason := _too_few("auc", first.outcome):
        estimates = _nothing(reason, first)
    else:
        before, after = (_value_only(auc(rows.outcome, rows.risk)) for rows in (first, second))
        estimates = before, after, auc_difference(first.outcome, second.risk, first.risk, units)
    moved = int(np.count_nonzero(first.risk != second.risk))
    return Difference("auc", "higher", *estimates, DELONG, moved)


def _value_only(estimate: Estimate) -> Estimate:
    """Without an interval of its own: two intervals that overlap say nothing about a paired difference."""
    return Estimate(estimate.value, n=estimate.n, reason=estimate.reason if estimate.value is None else None)


def _sums_per_group(parts: Mapping[str, tuple[Part, Part]], outcome: Floats, groups: Groups) -> dict[str, Floats]:
    sums = {"rows": groups.sums(np.ones(outcome.size)), "events": groups.sums(outcome)}
    for name, both in parts.items():
        if all(part.estimate.value is not None for part in both):
            for side, part in enumerate(both):
                sums |= {f"{name}.{side}.{key}": groups.sums(each) for key, each in part.contributions.items()}
    return sums


def _difference(
    name: str, measure: Measure, both: tuple[Part, Part], drawn: Mapping[str, Floats], groups: Groups
) -> tuple[Estimate, Estimate, Estimate]:
    first, second = (_value_only(part.estimate) for part in both)
    n, gain = groups.of_row.size, GAINS[measure.better]
    if first.value is None or second.value is None:
        return first, second, not_computed(str(first.reason or second.reason), n)
    value = float(gain(first.value, second.value)) + 0.0  # no minus nought
    if groups.limit:
        return first, second, Estimate(value, n=n, reason=groups.limit)
    replicates = []
    for side, part in enumerate(both):
        own = {key: drawn[f"{name}.{side}.{key}"] for key in part.contributions}
        replicates.append(part.of_sums({"rows": drawn["rows"], "events": drawn["events"], **own}))
    with np.errstate(divide="ignore", invalid="ignore"):
        differences = gain(*replicates)
    return first, second, percentile_interval(value, differences, groups, n)
