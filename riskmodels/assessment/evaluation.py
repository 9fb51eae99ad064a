"""Everything that can be said of a file of predictions, whoever made them, without a study: what ``evaluate`` reports.

Rows with an unknown outcome take their place on the list, for a service would have ranked them too; every other figure
is of the rows whose outcome is known. Rows of one entity are a cluster.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from riskmodels.assessment.calibration_curve import POINTS, calibration_bins, spline_curve
from riskmodels.assessment.calibration_statistics import (
    brier_score,
    calibration_in_the_large,
    calibration_slope,
    lowess_errors,
    oe_ratio,
    scaled_brier,
    spiegelhalter,
)
from riskmodels.assessment.capacity_lists import at_capacity_by_chance, chances_of_a_place
from riskmodels.assessment.decisions import Mask, decision_row
from riskmodels.assessment.discrimination import auc, average_precision, delong
from riskmodels.assessment.estimate import Estimate, not_computed
from riskmodels.assessment.evaluation_result import EXPECTED, ORDERED, DatedEvaluation, Evaluation, Row
from riskmodels.assessment.intervals import (
    Floats,
    Units,
    checked_outcome,
    checked_risk,
    clusters_of,
    critical_value,
    of_rows,
)
from riskmodels.assessment.loess import loess_errors
from riskmodels.assessment.logistic import expit, logit
from riskmodels.assessment.ranked_rows import FEWEST_EVENTS
from riskmodels.errors import DataError, StudyError

ALWAYS_AT = (0.05, 0.10, 0.25, 0.50, 0.75)
"""Risks at which the spline is always read."""

MEASURES: dict[str, Callable[..., Estimate]] = {
    "auc": auc,
    "average_precision": average_precision,
    "brier": brier_score,
    "scaled_brier": scaled_brier,
    "calibration_in_the_large": calibration_in_the_large,
    "calibration_slope": calibration_slope,
    "oe_ratio": oe_ratio,
}
"""Statistics of (outcome, risk, clusters), of all rows and of each date. To add one: a row here and in `SHAPES`."""

WITH_ERROR = ("auc", "calibration_in_the_large", "calibration_slope")
OVERFLOW = "the arithmetic overflows: some risks lie too near to 0 or 1"
STEPS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1)
MOST_STEPS = 10


@dataclass(frozen=True)
class _Rows:
    """``outcome`` is 0 where it is not known; ``lists`` numbers the list, one for each date, that a row stands on."""

    outcome: Floats
    known: Mask
    risk: Floats
    lists: npt.NDArray[np.int64]
    days: tuple[str, ...]
    ids: pl.Series | None
    units: Units

    @property
    def n(self) -> int:
        return self.risk.size

    def known_only(self) -> tuple[Floats, Floats, Units]:
        return self.outcome[self.known], self.risk[self.known], of_rows(self.units, self.known)

    def on_list(self, number: int) -> _Rows:
        rows = np.flatnonzero(self.lists == number)
        columns = (self.outcome[rows], self.known[rows], self.risk[rows], np.zeros(rows.size, dtype=np.int64))
        ids = None if self.ids is None else self.ids[rows]
        return _Rows(*columns, (self.days[number],), ids, of_rows(self.units, rows))


def evaluate(
    outcome: Any,
    risk: Any,
    *,
    known: Any,
    entity_ids: Any = None,
    dates: Any = None,
    capacities: Sequence[int] = (),
    thresholds: Sequence[float] = (),
    at: Sequence[float] = (),
    seed: int = 0,
    notes: Sequence[str] = (),
) -> Evaluation:
    """Every figure of a set of predictions, each with its interval or the reason why there is none.

    Where fewer than five events, or non-events, are known, figures that rest on them keep their value but have no
    interval: the formulas need more. The spline then is not fitted.

    Parameters
    ----------
    outcome : shape (n,), 0/1 or boolean where known; anything elsewhere
    risk : shape (n,), probabilities, of every row
    known : shape (n,), boolean
    entity_ids : shape (n,), whom a row is of: rows of one entity are a cluster, and ids decide between equal risks
    dates : shape (n,), as-of dates; each has a list of its own, with as many places
    capacities : numbers of places on each list
    thresholds : risks above 0 and below 1 at which net benefit is read
    at : risks above 0 and below 1 at which the calibration spline is read, after `ALWAYS_AT`
    seed : for equal risks at the last place
    notes : what the reader of the file has to say, to be put first

    Raises
    ------
    DataError
        if the arrays do not match, hold gaps, or a risk is no probability.
    StudyError
        for a threshold, or a risk to read the spline at, outside (0, 1).
    """
    rows = _checked(outcome, risk, known, entity_ids, dates)
    with np.errstate(over="ignore", invalid="ignore"):  # `_finite` says what could not be held
        return _evaluated(rows, tuple(dict.fromkeys(capacities)), thresholds, at, seed, notes)


def _evaluated(
    rows: _Rows, capacities: Sequence[int], thresholds: Sequence[float], at: Sequence[float], seed: int,
    notes: Sequence[str],
) -> Evaluation:  # fmt: skip
    y, p, units = rows.known_only()
    measures, errors = _measures(y, p, units)
    z, p_value = spiegelhalter(y, p, units)
    lowess = {f"{name}_lowess": estimate for name, estimate in lowess_errors(y, p).items()}
    more = {**loess_errors(y, p), **lowess, "spiegelhalter_z": z, "spiegelhalter_p": p_value}
    read, curve, no_curve = _spline(y, p, units, at)
    rankable = _each_once_on_a_list(rows)
    listed, short = _at_capacity(rows, rankable, capacities, seed)
    by_day = (rows.on_list(number) for number in range(len(rows.days)))
    dated = tuple(_one_date(one, rankable, capacities, seed) for one in by_day)
    return Evaluation(
        n=rows.n,
        events=int(y.sum()),
        unknown=rows.n - y.size,
        entities=None if rows.ids is None else rows.units.count if rows.units else rows.n,
        measures={**measures, **{name: _finite(estimate) for name, estimate in more.items()}},
        standard_errors=errors,
        spline_curve=read,
        no_curve=no_curve,
        calibration_curve=curve,
        calibration_bins=calibration_bins(y, p, units),
        net_benefit=_decisions(y, p, units, thresholds),
        decision_curve=_decisions(y, p, units, _round_thresholds(p)),
        at_capacity=listed,
        per_date=dated if rows.days else None,
        ties=ORDERED if rankable else EXPECTED,
        seed=seed,
        notes=(*notes, *_notes(rows, rankable, read), *short),
    )


def _checked(outcome: Any, risk: Any, known: Any, entity_ids: Any, dates: Any) -> _Rows:
    is_known, everything = np.asarray(known, dtype=bool), np.asarray(outcome)
    n = is_known.size
    if is_known.ndim != 1 or everything.shape != (n,):
        raise DataError(f"outcome: {everything.size} values, and {n} that say whether they are known; they must match")
    y = np.zeros(n)
    y[is_known] = checked_outcome(everything[is_known])
    p = checked_risk(risk, n)
    ids = None if entity_ids is None else pl.Series("entity_id", entity_ids).cast(pl.String)
    lists, days = np.zeros(n, dtype=np.int64), np.empty(0, dtype="datetime64[D]")
    if dates is not None:
        days, lists = np.unique(np.asarray(dates, dtype="datetime64[D]"), return_inverse=True)
        if lists.shape != (n,) or np.isnat(days).any():
            raise DataError(f"dates: {lists.size} values for {n} outcomes, or gaps; there must be one for each")
    return _Rows(y, is_known, p, lists, tuple(str(day) for day in days), ids, clusters_of(ids, n))


def _each_once_on_a_list(rows: _Rows) -> bool:
    """Whether ids can put the rows of a list in order: each then stands on it once."""
    if rows.ids is None:
        return False
    return rows.units is None or not pl.DataFrame({"id": rows.ids, "list": rows.lists}).is_duplicated().any()


# ---------------------------------------------------------------- figures


def _measures(y: Floats, p: Floats, units: Units) -> tuple[dict[str, Estimate], dict[str, float | None]]:
    """Every one of `MEASURES`, and the standard errors of those that have one."""
    found = {name: _finite(measure(y, p, units)) for name, measure in MEASURES.items()}
    if _too_few(y):
        found = {name: _without_interval(estimate, y) for name, estimate in found.items()}
    return found, {name: _standard_error(name, found[name], y, p, units) for name in WITH_ERROR}


def _too_few(y: Floats) -> bool:
    return bool(min(y.sum(), y.size - y.sum()) < FEWEST_EVENTS)


def _without_interval(estimate: Estimate, y: Floats) -> Estimate:
    if estimate.low is None:
        return estimate
    counts = f"events {int(y.sum())}, non-events {int(y.size - y.sum())}"
    few = f"no interval: too few are known ({counts}); it needs {FEWEST_EVENTS} of each"
    return replace(estimate, low=None, high=None, reason=few)


def _decisions(y: Floats, p: Floats, units: Units, thresholds: Sequence[float]) -> tuple[Row, ...]:
    """Rows of net benefit; without intervals where too few are known."""
    rows = [decision_row(y, p, each, units) for each in dict.fromkeys(map(float, thresholds))]
    return tuple(row | {"model": _without_interval(row["model"], y)} if _too_few(y) else row for row in rows)


def _finite(estimate: Estimate) -> Estimate:
    """The estimate, without what the arithmetic could not hold: risks within 1e-100 of 0 or 1 can make that."""
    numbers = [each for each in (estimate.value, estimate.low, estimate.high) if each is not None]
    if all(map(math.isfinite, numbers)):
        return estimate
    if estimate.value is None or not math.isfinite(estimate.value):
        return not_computed(OVERFLOW, estimate.n)
    return replace(estimate, low=None, high=None, reason=f"no interval: {OVERFLOW}")


def _standard_error(name: str, estimate: Estimate, y: Floats, p: Floats, units: Units) -> float | None:
    if estimate.value is None or estimate.high is None:
        return None
    if name == "auc":  # its interval may be cut at 0 and 1
        return math.sqrt(delong(y, p, units)[1] or 0.0)
    return (estimate.high - estimate.value) / critical_value(units)


def _spline(
    y: Floats, p: Floats, units: Units, at: Sequence[float]
) -> tuple[tuple[Row, ...], tuple[Row, ...], str | None]:
    """The spline at the risks asked for, and at those between which most people lie; or why there is none."""
    asked = tuple(dict.fromkeys(float(each) for each in (*ALWAYS_AT, *at)))
    for each in asked:
        if not 0 < each < 1:
            raise StudyError(f"at: {each} is not above 0 and below 1; give risks such as 0.2")
    few = _too_few(y)
    points, reason = np.empty(0), f"fewer than {FEWEST_EVENTS} events, or non-events, are known" if few else None
    found: tuple[Row, ...] = ()
    if reason is None:
        first, last = logit(np.clip(np.quantile(p, (0.01, 0.99)), 1e-9, 1 - 1e-9))
        points = expit(np.linspace(first, last, POINTS))
        found, reason = spline_curve(y, p, units, at=[*asked, *points])
        if not all(math.isfinite(number) for row in found for number in row.values()):
            reason = OVERFLOW
    if reason is not None:
        nothing = dict.fromkeys(("observed", "low", "high", "extrapolated"))
        return tuple({"risk": each, **nothing} for each in asked), (), reason
    beyond = [bool(each < p.min() or each > p.max()) for each in asked]
    read = (
        {**row, "risk": each, "extrapolated": outside}
        for each, outside, row in zip(asked, beyond, found[: len(asked)], strict=True)
    )
    return tuple(read), found[len(asked) :], None


def _round_thresholds(p: Floats) -> tuple[float, ...]:
    """Round risks in even steps, at most ten, as far as one in a hundred has such a risk."""
    top = float(np.quantile(p, 0.99)) if p.size else 0.0
    step = next((step for step in STEPS if top / step <= MOST_STEPS), STEPS[-1])
    every = (round(step * number, 3) for number in range(1, math.floor(top / step + 1e-9) + 1))
    return tuple(threshold for threshold in every if threshold < 1)


def _at_capacity(
    rows: _Rows, rankable: bool, capacities: Sequence[int], seed: int
) -> tuple[tuple[Row, ...], list[str]]:
    """A row for each number of places, and what is to be said of lists that are too short for them."""
    found, said = [], []
    for places in capacities:
        chance, short = chances_of_a_place(rows.risk, rows.lists, rows.ids if rankable else None, places, seed)
        found.append({"k": places} | at_capacity_by_chance(rows.outcome, rows.known, chance, rows.units))
        if short:
            many = "The list has" if len(rows.days) < 2 else f"{short} of the {len(rows.days)} lists have"
            said.append(f"{many} fewer rows than {places} places: everybody on such a list has one.")
    return tuple(found), said


def _one_date(rows: _Rows, rankable: bool, capacities: Sequence[int], seed: int) -> DatedEvaluation:
    y, p, units = rows.known_only()
    measures, errors = _measures(y, p, units)
    listed, _ = _at_capacity(rows, rankable, capacities, seed)
    return DatedEvaluation(rows.days[0], rows.n, int(y.sum()), rows.n - y.size, measures, errors, listed)


def _notes(rows: _Rows, rankable: bool, read: Sequence[Row]) -> list[str]:
    said = []
    if rows.ids is None and len(rows.days) > 1:
        said.append(
            "There are several dates and no entity column: rows of one person count as different people, and "
            "intervals may be too narrow."
        )
    if rows.ids is not None and not rankable:
        said.append(
            "Entities stand on several rows of one list: intervals allow for it, but a list made of them may name "
            "somebody twice. If the rows are of several dates, name their column."
        )
    beyond = [f"{row['risk']:g}" for row in read if row.get("extrapolated")]
    if beyond:
        said.append(f"No risk in the file is as far out as {', '.join(beyond)}: the spline is extrapolated there.")
    return said
