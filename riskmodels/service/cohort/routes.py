"""Of whom a safeguarding route is true: they are named to one role, listed or not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

import polars as pl

from riskmodels.data.predicates import Window, holds
from riskmodels.data.tables import Tables
from riskmodels.study import StudyFile

# Nobody is to be called about the dead, and whoever objected is in no output.
NOT_ROUTED = ("died", "objected")


def routed(
    rows: pl.DataFrame, tables: Tables, study: StudyFile, as_of: dt.date, objectors: Collection[str]
) -> dict[int, tuple[str, ...]]:
    """The place of each of the study's routes -> the ids of those it is true of, in the order of ``rows``.

    Left out are those who objected, and whoever a service rule of the kinds `NOT_ROUTED` is true of: any such rule, not
    only the first that holds. Every other rule leaves a person off the list, but not out of safeguarding.

    Parameters
    ----------
    rows : the cohort on ``as_of``, with ``entity_id``
    """
    if not study.routes:
        return {}
    before = Window.before(as_of)
    out = rows["entity_id"].is_in(list(objectors))
    for rule in study.service_rules:
        if rule.kind in NOT_ROUTED:
            out |= holds(rule.exclude, rows, tables, study, before)
    found = {}
    for place, route in enumerate(study.routes):
        true = holds(route.when, rows, tables, study, before) & ~out
        found[place] = tuple(rows["entity_id"].filter(true).to_list())
    return found
