"""Of whom a safeguarding route is true: they are named to one role, listed or not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

import polars as pl

from riskmodels.data.predicates import holds
from riskmodels.data.service_rules import any_rule_holds, windows_of
from riskmodels.data.tables import Tables
from riskmodels.study import StudyFile

# Nobody is to be called about the dead, and whoever objected is in no output.
NOT_ROUTED = ("died", "objected")


def routed(
    rows: pl.DataFrame,
    tables: Tables,
    study: StudyFile,
    as_of: dt.date,
    objectors: Collection[str],
    today: dt.date | None = None,
) -> dict[int, tuple[str, ...]]:
    """The place of each of the study's routes -> the ids of those it is true of, in the order of ``rows``.

    Left out are those who objected, and whoever a service rule of the kinds `NOT_ROUTED` may be true of: any such rule,
    not only the first that holds. Every other rule leaves a person off the list, but not out of safeguarding. Both are
    asked before ``as_of`` and, where ``today`` is given, of what is known by then too: either day will do. A route is
    true only if the records say so: a row without its dates flags nobody.

    Parameters
    ----------
    rows : the cohort on ``as_of``, with ``entity_id``
    """
    if not study.routes:
        return {}
    windows = windows_of(study, as_of, today)
    out = rows["entity_id"].is_in(list(objectors)) | any_rule_holds(NOT_ROUTED, rows, tables, study, windows)
    found = {}
    for place, route in enumerate(study.routes):
        flagged, *others = (holds(route.when, rows, tables, study, window) for window in windows)
        for other in others:
            flagged = flagged | other
        found[place] = tuple(rows["entity_id"].filter(flagged & ~out).to_list())
    return found
