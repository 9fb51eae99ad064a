"""What an evaluation found, and its JSON.

Every null in that JSON has its reason in ``not_computed``, under its own path or that of what it is part of: ``auc``
(no value), ``auc.low`` (a value without an interval), ``net_benefit.0.2``, ``per_date.2024-06-30.auc``. An item of a
list goes by its risk, threshold, k, date, or number from 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from riskmodels.assessment.estimate import Estimate

ORDERED, EXPECTED = "ordered", "expected"
Row = dict[str, Any]
Reasons = Iterator[tuple[str, str]]

WHOLE = ("value", "low", "high", "se")
SHAPES: dict[str, tuple[str, ...] | None] = {
    "auc": WHOLE,
    "average_precision": None,
    "brier": None,
    "scaled_brier": None,
    "calibration_in_the_large": ("value", "se", "low", "high"),
    "calibration_slope": ("value", "se", "low", "high"),
    "oe_ratio": ("value", "low", "high"),
}
"""The parts of each measure in the JSON; None for a bare number, whose interval stands under ``intervals``."""

SMOOTHED = ("ici", "e50", "e90", "emax", "eavg_lowess", "e90_lowess", "emax_lowess")


@dataclass(frozen=True)
class DatedEvaluation:
    """The figures of one as-of date."""

    as_of_date: str
    n: int
    events: int
    unknown: int
    measures: dict[str, Estimate]
    standard_errors: dict[str, float | None]
    at_capacity: tuple[Row, ...]


@dataclass(frozen=True)
class Evaluation:
    """What `riskmodels.assessment.evaluation.evaluate` found.

    Attributes
    ----------
    n, events, unknown : rows, known events, rows without a known outcome
    entities : how many, where ids were given
    measures : by their name in the JSON, with ``spiegelhalter_z`` and ``spiegelhalter_p``
    standard_errors : of the AUC, calibration in the large and calibration slope
    spline_curve : rows {risk, observed, low, high, extrapolated} at the risks asked for
    no_curve : why they hold nothing, if they do
    calibration_curve : rows {risk, observed, low, high} from the 1st to the 99th percentile of risk
    calibration_bins : as `riskmodels.assessment.calibration_curve.calibration_bins`
    net_benefit : as `riskmodels.assessment.decisions.decision_row`, at the thresholds asked for
    decision_curve : the same at round thresholds as far as there are risks
    at_capacity : ``k``, and as `riskmodels.assessment.capacity_lists.at_capacity_by_chance`; of all lists together
    per_date : None without dates
    ties : how equal risks at the last place are dealt with: ``ordered`` by id and seed, or ``expected`` of a draw
    notes : what a reader must know of these figures
    """

    n: int
    events: int
    unknown: int
    entities: int | None
    measures: dict[str, Estimate]
    standard_errors: dict[str, float | None]
    spline_curve: tuple[Row, ...]
    no_curve: str | None
    calibration_curve: tuple[Row, ...]
    calibration_bins: tuple[Row, ...]
    net_benefit: tuple[Row, ...]
    decision_curve: tuple[Row, ...]
    at_capacity: tuple[Row, ...]
    per_date: tuple[DatedEvaluation, ...] | None
    ties: str
    seed: int
    notes: tuple[str, ...]

    @property
    def not_computed(self) -> dict[str, str]:
        """Why each figure that has no value, or no interval, has none."""
        return dict(_reasons(self))

    def to_dict(self) -> dict[str, Any]:
        """The evaluation as what JSON holds."""
        z, p = (self.measures[f"spiegelhalter_{part}"].value for part in ("z", "p"))
        more: Row = {} if self.entities is None else {"entities": self.entities}
        if self.per_date is not None:
            more["per_date"] = [_dated(each) for each in self.per_date]
        return {
            "n": self.n,
            "events": self.events,
            "unknown": self.unknown,
            **_measures(self.measures, self.standard_errors),
            **{name: self.measures[name].value for name in SMOOTHED},
            "spiegelhalter": {"z": z, "p": p},
            "spline_curve": list(self.spline_curve),
            "net_benefit": [_net_benefit(row) for row in self.net_benefit],
            "at_capacity": [_places(row) for row in self.at_capacity],
            "not_computed": self.not_computed,
            "notes": list(self.notes),
            "ties": self.ties,
            "seed": self.seed,
            "intervals": _intervals(self.measures),
            "calibration_curve": list(self.calibration_curve),
            "calibration_bins": [{**row, "observed": _parts(row["observed"])} for row in self.calibration_bins],
            "decision_curve": [_net_benefit(row) for row in self.decision_curve],
            **more,
        }


# ---------------------------------------------------------------- shapes


def _parts(estimate: Estimate, names: Iterable[str] = ("value", "low", "high"), se: float | None = None) -> Row:
    everything = {"value": estimate.value, "low": estimate.low, "high": estimate.high, "se": se}
    return {name: everything[name] for name in names}


def _measures(measures: Mapping[str, Estimate], errors: Mapping[str, float | None]) -> Row:
    return {
        name: measures[name].value if parts is None else _parts(measures[name], parts, errors.get(name))
        for name, parts in SHAPES.items()
    }


def _intervals(measures: Mapping[str, Estimate]) -> Row:
    return {name: _parts(measures[name], ("low", "high")) for name, parts in SHAPES.items() if parts is None}


def _net_benefit(row: Row) -> Row:
    model = row["model"]
    ends = {"model": model.value, "low": model.low, "high": model.high}
    return {
        "threshold": row["threshold"],
        **ends,
        **{key: row[key] for key in ("all", "none", "interventions_avoided")},
    }


def _places(row: Row) -> Row:
    bounds = {
        name: dict(zip(("low", "high"), row[name], strict=True)) for name in ("precision_bounds", "recall_bounds")
    }
    first = {"k": row["k"], "hits": row["hits"], "precision": _parts(row["precision"]), "recall": row["recall"].value}
    return {**first, **{name: row[name] for name in ("selected", "known", "unknown")}, **bounds}


def _dated(one: DatedEvaluation) -> Row:
    return {
        "as_of_date": one.as_of_date,
        "n": one.n,
        "events": one.events,
        "unknown": one.unknown,
        **_measures(one.measures, one.standard_errors),
        "intervals": _intervals(one.measures),
        "at_capacity": [_places(row) for row in one.at_capacity],
    }


# ---------------------------------------------------------------- reasons


def _reasons(found: Evaluation) -> Reasons:
    yield from _of_measures("", found.measures)
    if found.measures["spiegelhalter_z"].value is None:
        yield "spiegelhalter", str(found.measures["spiegelhalter_z"].reason)
    if found.no_curve is not None:
        yield "spline_curve", found.no_curve
    for name, rows in (("net_benefit", found.net_benefit), ("decision_curve", found.decision_curve)):
        for row in rows:
            path = f"{name}.{row['threshold']:g}"
            if row["model"].value is None:
                yield path, str(row["model"].reason)
            else:
                yield from _of_ends(path, row["model"])
    for number, row in enumerate(found.calibration_bins):
        yield from _of_ends(f"calibration_bins.{number}.observed", row["observed"])
    yield from _of_places("", found.at_capacity)
    for one in found.per_date or ():
        yield from _of_measures(f"per_date.{one.as_of_date}.", one.measures)
        yield from _of_places(f"per_date.{one.as_of_date}.", one.at_capacity)


def _of_measures(before: str, measures: Mapping[str, Estimate]) -> Reasons:
    for name in (name for name in (*SHAPES, *SMOOTHED) if name in measures):
        estimate, bare = measures[name], SHAPES.get(name, ()) is None
        if estimate.value is None:
            yield f"{before}{name}", str(estimate.reason)
        if name in SHAPES and (estimate.value is not None or bare):
            yield from _of_ends(f"{before}intervals.{name}" if bare else f"{before}{name}", estimate, SHAPES[name])


def _of_ends(path: str, estimate: Estimate, parts: Iterable[str] | None = None) -> Reasons:
    """Of a value without an interval, each part that it lacks."""
    if estimate.low is None:
        for part in ("low", "high", *(["se"] if "se" in (parts or ()) else [])):
            yield f"{path}.{part}", str(estimate.reason)


def _of_places(before: str, rows: Iterable[Row]) -> Reasons:
    for row in rows:
        path, precision, recall = f"{before}at_capacity.{row['k']}", row["precision"], row["recall"]
        if precision.value is None:
            yield from ((f"{path}.{part}", str(precision.reason)) for part in ("hits", "precision"))
        else:
            yield from _of_ends(f"{path}.precision", precision)
        if recall.value is None:
            yield f"{path}.recall", str(recall.reason)
        for bounds in ("precision_bounds", "recall_bounds"):
            if None in row[bounds]:
                yield f"{path}.{bounds}", "nobody was selected" if bounds == "precision_bounds" else str(recall.reason)
