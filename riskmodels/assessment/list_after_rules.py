"""How good the list is that the service would use: after its rules, with its teams, one place for each household.

Judged on the same test dates and the same outcomes as the model's own list, beside it. What a list is worth is also
told of people who are not already known to the service: those are the ones for whom a model can find anything new.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import polars as pl

from riskmodels.assessment.decisions import at_capacity, precision_bounds
from riskmodels.assessment.estimate import not_computed
from riskmodels.assessment.intervals import of_rows, proportion
from riskmodels.assessment.plain_values import plain
from riskmodels.assessment.ranked_rows import Mask, RankedRows
from riskmodels.data.service_rules import CLOSE_THE_HOUSEHOLD
from riskmodels.errors import DataError
from riskmodels.models.places import (
    EXCLUDED,
    HOUSEHOLD,
    HOUSEHOLD_CLOSED,
    LISTED,
    NO_TEAM,
    NOT_REACHED,
    places_of,
)
from riskmodels.study import StudyFile

FATES = {
    "listed": LISTED, "excluded": EXCLUDED, "household_closed": HOUSEHOLD_CLOSED, "no_team": NO_TEAM,
    "household": HOUSEHOLD, "not_reached": NOT_REACHED,
}  # fmt: skip
NOBODY_KNOWN = "no rule of the study says who is already known to the service (service_rules: kind: already_known)"
NOBODY_LISTED = "nobody who is listed has a known outcome"
Row = dict[str, Any]


@dataclass(frozen=True)
class ListAfterRules:
    """All test dates together.

    ``unit``: person or household. ``places``: on all dates. ``fates``: what became of everybody ranked, rows {fate, n,
    rule}, which add up to ``ranked``; each rule of the study has a row. ``model_list`` and ``service_list``: as
    `riskmodels.assessment.decisions.at_capacity` gives them. ``apart``: {n, known, unknown, hits} of those who are on
    one of the two lists only. ``already_known``: the same of those on the model's list who are already known, or the
    ``reason`` why nobody can say. ``new``: {ranked, apart, model_list, service_list}, all among those who are not
    already known (`among_new`); None where nobody can say. ``teams``: rows {team, places, selected, known, unknown,
    hits, precision, precision_bounds}, in the order of the study; none without teams.
    """

    unit: str
    ranked: int
    places: int
    fates: tuple[Row, ...]
    model_list: Row
    service_list: Row
    apart: Row
    already_known: Row
    new: Row | None
    teams: tuple[Row, ...]

    def to_dict(self) -> dict[str, Any]:
        return {field.name: plain(getattr(self, field.name)) for field in fields(self)}


def assess_after_rules(rows: RankedRows, served: pl.DataFrame, study: StudyFile) -> ListAfterRules:
    """Judge the list that the service would use.

    Parameters
    ----------
    rows : the ranking as arrays
    served : what the service makes of each of them, in the same order (`riskmodels.models.ranking.after_rules`)

    Raises
    ------
    DataError
        if the rows do not match.
    """
    if served.height != rows.n:
        raise DataError(f"served: {served.height} rows for {rows.n} that were ranked; give one for each")
    fate = served["fate"].to_numpy()
    listed, already = fate == LISTED, served["already_known"].to_numpy()
    days = len(rows.days)
    each = places_of(study.capacity, int(rows.ranked.min())) if study.capacity.by else {}
    teams = [(team, listed & _is(served["team"], team), count * days) for team, count in each.items()]
    no_one_is = all(rule.kind != "already_known" for rule in study.service_rules)
    return ListAfterRules(
        unit=study.list_unit,
        ranked=rows.n,
        places=sum(study.capacity.of(int((rows.dates == day).sum())) for day in rows.days),
        fates=tuple(_fates(fate, served["excluded"], study)),
        model_list=at_capacity(rows.outcome, rows.known, rows.selected, rows.units),
        service_list=at_capacity(rows.outcome, rows.known, listed, rows.units),
        apart=_counts(rows, rows.selected != listed),
        already_known={"reason": NOBODY_KNOWN} if no_one_is else _counts(rows, rows.selected & already),
        new=None if no_one_is else {
            "ranked": _counts(rows, ~already),
            "apart": _counts(rows, (rows.selected != listed) & ~already),
            "model_list": among_new(rows, rows.selected, already),
            "service_list": among_new(rows, listed, already),
        },
        teams=tuple(_team(rows, *team) for team in teams),
    )  # fmt: skip


def among_new(rows: RankedRows, listed: Mask, already: Mask) -> Row:
    """A list's worth among people who are not already known.

    Precision: of the listed who are not already known, the share with the event. Recall: of the people with the event
    who are not already known, the share that is listed. Yield: of everybody listed, the share who have the event and
    are not already known; a place that goes to somebody known finds nobody new. Each of the rows whose outcome is
    known, with its bounds whatever became of the others.

    Returns
    -------
    {selected, known, unknown, hits, precision, recall, precision_bounds, recall_bounds, yield, yield_bounds}; the
    counts are of the listed who are not already known.
    """
    new = rows.of(~already)
    found = at_capacity(new.outcome, new.known, listed[~already], new.units)
    counted = listed & rows.known
    share = not_computed(NOBODY_LISTED, 0)
    if counted.any():
        share = proportion((rows.outcome * ~already)[counted], of_rows(rows.units, counted))
    names = ("selected", "known", "unknown", "hits", "precision", "recall", "precision_bounds", "recall_bounds")
    return {
        **{name: found[name] for name in names},
        "yield": share,
        "yield_bounds": precision_bounds(found["hits"], found["unknown"], int(listed.sum())),
    }


def _fates(fate: np.ndarray, excluded: pl.Series, study: StudyFile) -> list[Row]:
    """What became of everybody, in the order in which it is decided; only what can happen in this study."""
    homes = study.list_unit == "household"
    happens = {
        "listed": True, "excluded": False,
        "household_closed": homes and any(rule.kind in CLOSE_THE_HOUSEHOLD for rule in study.service_rules),
        "no_team": study.capacity.by is not None, "household": homes, "not_reached": True,
    }  # fmt: skip
    out = excluded.filter(pl.Series(fate == EXCLUDED))
    by_rule = [
        {
            "fate": "excluded",
            "n": int((out == place).sum()),
            "rule": rule.because,
            "kind": rule.kind,
            "owner": rule.owner,
        }
        for place, rule in enumerate(study.service_rules)
    ]
    others = [{"fate": name, "n": int((fate == code).sum())} for name, code in FATES.items() if happens[name]]
    return [others[0], *by_rule, *others[1:]]


def _team(rows: RankedRows, team: str | None, listed: Mask, places: int) -> Row:
    found = at_capacity(rows.outcome, rows.known, listed, rows.units)
    names = ("selected", "known", "unknown", "hits", "precision", "precision_bounds")
    return {"team": team, "places": places, **{name: found[name] for name in names}}


def _counts(rows: RankedRows, some: Mask) -> Row:
    known = some & rows.known
    return {
        "n": int(some.sum()),
        "known": int(known.sum()),
        "unknown": int((some & ~rows.known).sum()),
        "hits": int(rows.outcome[known].sum()),
    }


def _is(team: pl.Series, name: str | None) -> Mask:
    return (team == name).fill_null(False).to_numpy()
