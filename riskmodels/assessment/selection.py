"""Which family would have served over time? Regret, calibration, fairness and simplicity at every origin.

A run chooses its family before it looks at a test date (`riskmodels.models.choosing`). This looks back: what each
family would have cost at each test date against the one that turned out best there, and what the rule itself would have
picked on each of those days. It describes the choice; it does not make it, since that would be choosing on the test.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import polars as pl

from riskmodels.assessment.calibration_statistics import oe_ratio
from riskmodels.assessment.estimate import Estimate, not_computed
from riskmodels.assessment.intervals import (
    NO_ROWS,
    Floats,
    Units,
    checked_risk,
    clusters_of,
    mean,
    of_rows,
    variance_of_sum,
    wald,
)
from riskmodels.assessment.plain_values import plain
from riskmodels.assessment.ranked_rows import FEWEST_EVENTS
from riskmodels.errors import DataError
from riskmodels.models.choosing import choose_model, row_losses
from riskmodels.models.training import Predictions
from riskmodels.study import StudyFile

KEYS = ["entity_id", "as_of_date"]
BEST = "it was the best of all"


@dataclass(frozen=True)
class SelectionOverTime:
    """Every family at every origin.

    Attributes
    ----------
    criterion : the loss that regret is measured in, ``models.choose_by``
    origins : one row a test date: {origin, as_of_date, n, best, picked, regret, families}; ``picked`` is what the rule
        would have picked on that day and ``regret`` its regret; ``families`` has {model, loss, regret, oe_ratio,
        inside_floors} for each
    families : one row a family, simplest first: {model, simplicity, loss, difference, mean_regret, worst_regret,
        best_at, picked_at, inside_floors, of_origins, verdict, beaten_by, meets}; see `select_over_time`
    rule : {origins, mean_regret, worst_regret}, of what the rule picked; ``origins`` counts where it could pick
    simplest : the simplest family that meets every criterion that could be judged, or None
    """

    criterion: str
    origins: tuple[dict[str, Any], ...]
    families: tuple[dict[str, Any], ...]
    rule: dict[str, Any]
    simplest: str | None

    def to_dict(self) -> dict[str, Any]:
        return {field.name: plain(getattr(self, field.name)) for field in fields(self)}


@dataclass(frozen=True)
class _Origin:
    """The known test rows of one origin; ``risks`` and ``losses`` by family, each of shape (n,)."""

    number: int
    day: dt.date
    outcome: Floats
    units: Units
    risks: dict[str, Floats]
    losses: dict[str, Floats]

    @property
    def best(self) -> str:
        """The family of least mean loss; of equals the simpler one."""
        return min(self.losses, key=lambda name: float(self.losses[name].mean()))

    def excess(self, family: str) -> Floats:
        """Loss of each row under this family less that under the best one."""
        return self.losses[family] - self.losses[self.best]

    def regret(self, family: str) -> Estimate:
        if family == self.best:
            return Estimate(0.0, n=self.outcome.size, reason=BEST)
        return mean(self.excess(family), self.units)


def select_over_time(
    predictions: Predictions, study: StudyFile, verdicts: Mapping[str, str | None] | None = None
) -> SelectionOverTime:
    """Each family by the stated criteria, and the rule that chose.

    *Regret* at an origin is the family's mean loss less that of the family with the least, on the same rows, with the
    interval of the paired difference. The best is found on those very rows, so regret is a little too large where
    families are close. *Calibration*: O/E inside ``floors.oe_ratio``. *Fairness*: the verdict of an audit, where one
    was made. *Simplicity*: the order of ``models.families``.

    A family meets ``regret`` if its loss over all origins is not above that of the family best on the whole
    (``difference``) by more than ``floors.gain_over_baselines`` beyond chance: one rival for all origins, since to win
    against the luckiest at each is asked of nobody. It meets ``calibration`` if O/E was inside the floors at every
    origin where it could be computed, and ``fairness`` if its audit did not FAIL (None where there is none).
    ``beaten_by`` names a simpler family whose loss was no greater at any origin.

    The rule's pick at an origin is `choose_model` on the calibration rows of that origin and those before it, all of
    them dated before its test date: later origins know outcomes that nobody knew on that day.

    Parameters
    ----------
    predictions : of all families, as `backtest` makes them
    verdicts : family -> audit verdict; None or left out where it was not audited

    Raises
    ------
    DataError
        if the families were not tested on the same rows, or a risk is missing.
    """
    families = list(study.models.families)
    origins, units = _origins(predictions.frame, families, study.models.choose_by)
    picks = _picks(predictions.frame, origins, study)
    told = tuple(_origin_row(origin, pick, study) for origin, pick in zip(origins, picks, strict=True))
    overall = min(families, key=lambda name: float(np.mean([origin.losses[name].mean() for origin in origins] or [0])))
    table: list[dict[str, Any]] = []
    for place, name in enumerate(families):
        here = [row for origin in told for row in origin["families"] if row["model"] == name]
        inside = [row["inside_floors"] for row in here if row["inside_floors"] is not None]
        row = {
            "model": name,
            "simplicity": place + 1,
            "loss": _mean_of_means([origin.losses[name] for origin in origins], units),
            "difference": _mean_of_means([origin.losses[name] - origin.losses[overall] for origin in origins], units),
            "mean_regret": _mean_of_means([origin.excess(name) for origin in origins], units),
            "worst_regret": _worst([row["regret"] for row in here]),
            "best_at": sum(origin["best"] == name for origin in told),
            "picked_at": sum(origin["picked"] == name for origin in told),
            "inside_floors": sum(inside),
            "of_origins": len(inside),
            "verdict": (verdicts or {}).get(name),
            "beaten_by": _beaten_by(name, families[:place], origins),
        }
        table.append(row | {"meets": _meets(row, study.floors.gain_over_baselines)})
    chosen = [(origin, pick) for origin, pick in zip(origins, picks, strict=True) if pick is not None]
    return SelectionOverTime(
        criterion=study.models.choose_by,
        origins=told,
        families=tuple(table),
        rule={
            "origins": len(chosen),
            "mean_regret": _rules_mean(origins, picks, units),
            "worst_regret": _worst([origin.regret(pick) for origin, pick in chosen]),
        },
        simplest=next((row["model"] for row in table if _meets_all(row["meets"])), None),
    )


# ---------------------------------------------------------------- the rows


def _origins(frame: pl.DataFrame, families: Sequence[str], criterion: str) -> tuple[list[_Origin], Units]:
    """The origins in order of their dates, and the clusters of all their rows, one origin after the other."""
    tested = frame.lazy().filter(pl.col("stage") == "test")
    first = (
        tested.filter(pl.col("model") == families[0])
        .select(*KEYS, "origin", "cluster_id", "outcome", "risk")
        .sort("as_of_date", maintain_order=True)
        .collect()
    )
    known = first["outcome"].is_not_null().to_numpy()
    risks = {}
    for name in families:
        part = tested.filter(pl.col("model") == name).select(*KEYS, "risk").sort("as_of_date", maintain_order=True)
        risks[name] = checked_risk(_aligned(first, part.collect(), name).to_numpy()[known], int(known.sum()))
    rows = first.filter(known)
    outcome = rows["outcome"].cast(pl.Float64).to_numpy()
    units = clusters_of(rows["cluster_id"], rows.height)
    losses = {name: row_losses(criterion, risk, outcome) for name, risk in risks.items()}
    origins = []
    ends = rows.group_by("as_of_date", maintain_order=True).agg(pl.col("origin").first(), pl.len())
    start = 0
    for day, number, count in ends.iter_rows():
        here = slice(start, start + count)
        within = of_rows(units, np.arange(start, start + count))
        cut = [{name: values[here] for name, values in given.items()} for given in (risks, losses)]
        origins.append(_Origin(number, day, outcome[here], within, *cut))
        start += count
    return origins, units


def _aligned(first: pl.DataFrame, family: pl.DataFrame, name: str) -> pl.Series:
    """The family's risks in the order of the first one's rows."""
    if all(first[key].equals(family[key]) for key in KEYS):
        return family["risk"]
    joined = first.select(KEYS).join(family, on=KEYS, how="left", maintain_order="left")
    if family.height != first.height or joined.height != first.height or joined["risk"].null_count():
        raise DataError(f"predictions: {name} was not tested on the same rows as the others; predict every family anew")
    return joined["risk"]


# ---------------------------------------------------------------- the rule


def _picks(frame: pl.DataFrame, origins: Sequence[_Origin], study: StudyFile) -> list[str | None]:
    """What `choose_model` would have picked on each test date; None where nothing was calibrated by then."""
    calibrated = frame.lazy().filter(pl.col("stage") == "calibrate").collect()
    # Numbers instead of texts: the rule groups by cluster for every family at every origin.
    calibrated = calibrated.with_columns(pl.col("cluster_id").cast(pl.Categorical).to_physical())
    picks: list[str | None] = []
    for origin in origins:
        by_then = calibrated.filter((pl.col("origin") <= origin.number) & (pl.col("as_of_date") < origin.day))
        dates = frozenset(by_then["as_of_date"].unique().to_list())
        picks.append(choose_model(Predictions(by_then), study, dates).model if dates else None)
    return picks


def _rules_mean(origins: Sequence[_Origin], picks: Sequence[str | None], units: Units) -> Estimate:
    if None in picks:
        return not_computed("on some test date there was nothing to choose on")
    return _mean_of_means([origin.excess(str(pick)) for origin, pick in zip(origins, picks, strict=True)], units)


# ---------------------------------------------------------------- figures


def _origin_row(origin: _Origin, pick: str | None, study: StudyFile) -> dict[str, Any]:
    return {
        "origin": origin.number,
        "as_of_date": origin.day,
        "n": origin.outcome.size,
        "best": origin.best,
        "picked": pick,
        "regret": not_computed("nothing to choose on yet") if pick is None else origin.regret(pick),
        "families": tuple(_at_origin(origin, name, study.floors.oe_ratio) for name in origin.losses),
    }


def _at_origin(origin: _Origin, name: str, floors: tuple[float, float]) -> dict[str, Any]:
    n, events = origin.outcome.size, int(origin.outcome.sum())
    if min(events, n - events) < FEWEST_EVENTS:
        oe = not_computed(f"fewer than {FEWEST_EVENTS} events or non-events are known", n)
    else:
        oe = oe_ratio(origin.outcome, origin.risks[name], origin.units)
    return {
        "model": name,
        "loss": mean(origin.losses[name], origin.units),
        "regret": origin.regret(name),
        "oe_ratio": oe,
        "inside_floors": None if oe.value is None else floors[0] <= oe.value <= floors[1],
    }


def _mean_of_means(values: Sequence[Floats], units: Units) -> Estimate:
    """The mean over origins of their means, each origin counting the same; people who stand at several are clusters."""
    if not values:
        return not_computed(NO_ROWS, 0)
    every = np.concatenate(values)
    average = float(np.mean([part.mean() for part in values]))
    if not every.any():
        return Estimate(0.0, n=every.size, reason=BEST)
    influence = np.concatenate([(part - part.mean()) / (part.size * len(values)) for part in values])
    return wald(average, variance_of_sum(influence, units), every.size, units)


def _worst(regrets: Sequence[Estimate]) -> Estimate:
    if not regrets:
        return not_computed(NO_ROWS, 0)
    return max(regrets, key=lambda one: one.value or 0.0)


def _beaten_by(name: str, simpler: Sequence[str], origins: Sequence[_Origin]) -> str | None:
    """The simplest family whose mean loss was no greater at any origin."""
    for other in simpler:
        if origins and all(origin.losses[other].mean() <= origin.losses[name].mean() for origin in origins):
            return other
    return None


def _meets(row: Mapping[str, Any], floor: float) -> dict[str, bool | None]:
    """Criterion -> whether it is met; None where it cannot be told."""
    behind: Estimate = row["difference"]
    least = behind.value if behind.low is None else behind.low
    return {
        "regret": None if least is None else least <= floor,
        "calibration": row["inside_floors"] == row["of_origins"] if row["of_origins"] else None,
        "fairness": None if row["verdict"] is None else row["verdict"] != "FAIL",
    }


def _meets_all(meets: Mapping[str, bool | None]) -> bool:
    """No criterion is failed, and regret and calibration could be told; an audit of every family is not asked for."""
    return bool(meets["regret"]) and bool(meets["calibration"]) and meets["fairness"] is not False
