"""How well a ranking did: everything that evaluate, card and gate say about performance comes from here.

Everybody in the cohort was ranked; the figures use the rows whose outcome is known and say how many are not. Test dates
are pooled with the cluster (the person, or the household) as the unit of sampling, and shown one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import polars as pl

from riskmodels.assessment.calibration_curve import calibration_bins, spline_curve
from riskmodels.assessment.calibration_statistics import (
    brier_score,
    calibration_in_the_large,
    calibration_slope,
    log_loss,
    lowess_errors,
    oe_ratio,
    scaled_brier,
    spiegelhalter,
)
from riskmodels.assessment.decisions import at_capacity, decision_row, unknown_by_fifth
from riskmodels.assessment.discrimination import auc, average_precision
from riskmodels.assessment.estimate import Estimate, not_computed
from riskmodels.assessment.family_comparison import Contest, compare_families
from riskmodels.assessment.intervals import proportion
from riskmodels.assessment.ranked_rows import RankedRows, rows_of
from riskmodels.models.ranking import Ranking

METRICS: dict[str, Callable[..., Estimate]] = {
    "auc": auc,
    "average_precision": average_precision,
    "brier_score": brier_score,
    "log_loss": log_loss,
    "scaled_brier": scaled_brier,
    "calibration_in_the_large": calibration_in_the_large,
    "calibration_slope": calibration_slope,
    "oe_ratio": oe_ratio,
}
"""Statistics of (outcome, risk, clusters). To add one: a function, a row here, a test."""

NEED_NO_EVENTS = ("brier_score", "log_loss")
"""Means over rows; every other metric compares events with non-events and needs a handful of each."""

EACH_DATE = ("auc", "brier_score", "oe_ratio", "calibration_slope")


@dataclass(frozen=True)
class Performance:
    """Performance of one model's ranking over the test dates, beside every other family on the same rows.

    ``n`` rows were ranked; ``known`` and ``unknown`` count their outcomes and ``events`` those known to have happened.
    ``not_computed`` names every figure that has no value, with the reason.
    """

    model: str
    n: int
    known: int
    unknown: int
    events: int
    overall: dict[str, Estimate]
    per_date: tuple[dict[str, Any], ...]
    at_capacity: dict[str, Any]
    net_benefit: tuple[dict[str, Any], ...]
    calibration_curve: dict[str, Any]
    unknown_by_fifth: tuple[dict[str, Any], ...]
    families: tuple[dict[str, Any], ...]
    comparison: dict[str, Any]
    not_computed: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        return {field.name: _plain(getattr(self, field.name)) for field in fields(self)}


def assess_performance(
    ranking: Ranking,
    predictions: pl.DataFrame,
    *,
    places: Mapping[str, int],
    thresholds: Sequence[float],
    criterion: str,
    baselines: Sequence[str],
    best_baseline: str,
    seed: int,
) -> Performance:
    """Assess the chosen model's ranking, and every family in the predictions on the same rows.

    Parameters
    ----------
    ranking : the canonical ranking of the chosen model over its test dates, the whole cohort
    predictions : the predictions table; rows of stage ``test`` are used
    places : ISO as-of date -> places
    thresholds : risks in (0, 1) at which net benefit is read
    criterion : ``brier_score`` or ``log_loss``, for differences between families
    baselines : families that are simple rules; ``best_baseline`` is the one to beat
    seed : the study's, for ties at the last place

    Raises
    ------
    DataError
        if outcomes and their status contradict each other, a risk is missing, or the ranking, its places and the
        predictions disagree.
    StudyError
        for a threshold outside (0, 1).
    """
    rows = rows_of(ranking, places)
    known = rows.known_only()
    families, comparison = compare_families(
        ranking, predictions, rows, Contest(criterion, baselines, best_baseline, places, seed)
    )
    spline, no_spline = ((), known.too_few) if known.too_few else spline_curve(known.outcome, known.risk, known.units)
    bins = calibration_bins(known.outcome, known.risk, known.units)
    listed = at_capacity(rows.outcome, rows.known, rows.selected, rows.units)
    performance = Performance(
        model=ranking.model,
        n=rows.n,
        known=known.n,
        unknown=rows.n - known.n,
        events=known.events,
        overall=_overall(known),
        per_date=tuple(_one_date(rows.of(rows.dates == day), day.isoformat()) for day in rows.days),
        at_capacity={"places": sum(places[day.isoformat()] for day in rows.days)} | listed,
        net_benefit=tuple(decision_row(known.outcome, known.risk, each, known.units) for each in thresholds),
        calibration_curve={"spline": list(spline), "bins": list(bins)},
        unknown_by_fifth=unknown_by_fifth(rows.rank, rows.ranked, rows.known),
        families=families,
        comparison=comparison,
        not_computed={"calibration_curve.spline": no_spline} if no_spline else {},
    )
    return replace(performance, not_computed=dict(_reasons(performance.to_dict())) | performance.not_computed)


def _overall(known: RankedRows) -> dict[str, Estimate]:
    """All statistics on the rows with a known outcome, test dates pooled."""
    z, p_value = spiegelhalter(known.outcome, known.risk, known.units)
    errors = lowess_errors(known.outcome, known.risk)
    if known.too_few:
        errors = {name: not_computed(known.too_few, known.n) for name in errors}
    return {
        **{name: _metric(name, known) for name in METRICS},
        "base_rate": proportion(known.outcome, known.units),
        "spiegelhalter_z": z,
        "spiegelhalter_p": p_value,
        **errors,
    }


def _one_date(rows: RankedRows, day: str) -> dict[str, Any]:
    known = rows.known_only()
    listed = at_capacity(rows.outcome, rows.known, rows.selected, rows.units)
    estimates = {
        "base_rate": proportion(known.outcome, known.units),
        **{name: _metric(name, known) for name in EACH_DATE},
        "precision_at_k": listed["precision"],
        "recall_at_k": listed["recall"],
    }
    return {
        "as_of_date": day,
        "n": rows.n,
        "known": known.n,
        "unknown": rows.n - known.n,
        "events": known.events,
        "selected": listed["selected"],
        **{name: estimate.to_dict() for name, estimate in estimates.items()},
        "precision_bounds": listed["precision_bounds"],
        "recall_bounds": listed["recall_bounds"],
    }


def _metric(name: str, known: RankedRows) -> Estimate:
    if known.too_few and name not in NEED_NO_EVENTS:
        return not_computed(known.too_few, known.n)
    return METRICS[name](known.outcome, known.risk, known.units)


# ---------------------------------------------------------------- plain values


def _plain(value: Any) -> Any:
    """Estimates, tuples and dicts as what JSON holds."""
    if isinstance(value, Estimate):
        return value.to_dict()
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, (list, tuple)) else value


def _reasons(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Path and reason of every estimate without a value, in the plain form of a Performance.

    Paths read ``auc`` (overall), ``at_capacity.recall``, ``per_date.2020-01-01.auc``, ``families.points.auc``.
    """
    if isinstance(value, dict):
        if "value" in value and value["value"] is None:
            yield path, value["reason"]
        for key, each in value.items():
            yield from _reasons(each, key if path in ("", "overall") else f"{path}.{key}")
    elif isinstance(value, list):
        for position, each in enumerate(value):
            yield from _reasons(each, f"{path}.{_name(each, position)}")


def _name(row: Any, position: int) -> str:
    """What a row of a table is called in `not_computed`: its key where it has one."""
    found = [row[key] for key in ("as_of_date", "threshold", "model") if key in row] if isinstance(row, dict) else []
    return str(found[0] if found and not isinstance(found[0], dict) else position)
