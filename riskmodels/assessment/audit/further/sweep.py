"""More places and fewer: how many of those with the outcome each group would have on a list of another length."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from riskmodels.assessment.audit.coding import Attribute, as_series
from riskmodels.assessment.audit.further.nested_lists import Nested, count_nested, nested_estimate
from riskmodels.assessment.audit.metrics import PROPORTIONS, counted_as, too_few
from riskmodels.assessment.audit.policy import Policy
from riskmodels.errors import DataError

Row = dict[str, Any]

SHARES = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0)  # of today's places
TODAY = 1.0


def checked_depth(depth: Any, selected: np.ndarray) -> np.ndarray | None:
    """(n,) rank over places as floats, nan for those who are never listed; None where it was not given.

    Raises
    ------
    DataError
        if there is not one for each row, or it is not at most 1 for those on the list and for them alone.
    """
    if depth is None:
        return None
    try:
        values = as_series(depth, "depth").cast(pl.Float64).fill_null(np.nan).to_numpy()
    except pl.exceptions.PolarsError:
        raise DataError("depth: holds something that is not a number; it is the rank divided by the places") from None
    if values.shape != selected.shape:
        raise DataError(f"depth: {values.size} values for {selected.size} outcomes; there must be one for each")
    wrong = int(np.count_nonzero(((values <= TODAY) != selected) | (values <= 0)))
    if wrong:
        raise DataError(
            f"depth: {wrong} rows do not fit the list; the rank divided by the places is above 0, and at most 1 for "
            "those on the list and for them alone"
        )
    return values


def sweep_rows(
    attributes: Sequence[Attribute],
    status: np.ndarray,
    depth: np.ndarray,
    clusters: np.ndarray | None,
    policy: Policy,
    noun: str,
) -> tuple[Row, ...]:
    """Recall and selection rate of each group on lists of other lengths, up to a list of everybody.

    A list of the share s holds those whose ``depth`` is at most s. Counted in one pass over the rows for each attribute
    (`nested_lists`).

    Parameters
    ----------
    status : (n,) 0, 1, or 2 where the outcome is not known
    depth : (n,) rank over places; nan for those who are never listed

    Returns
    -------
    rows {attribute, group, label, share, tp, fp, selected, recall, selection_rate}; the counts are the owner's alone.
    """
    deepest = depth[~np.isnan(depth)].max(initial=0.0)
    shares = [share for share in SHARES if share == TODAY or share <= deepest]
    level = np.searchsorted(np.array(shares), depth).astype(np.int64)
    events, others = np.flatnonzero(status == 1), np.flatnonzero(status == 0)
    level_of_events, level_of_others = level[events], level[others]
    clusters_of_events = None if clusters is None else clusters[events]
    rows: list[Row] = []
    for attribute in attributes:
        codes, size = attribute.codes, len(attribute.groups)
        found = count_nested(codes[events], size, level_of_events, len(shares), clusters_of_events)
        alarms = count_nested(codes[others], size, level_of_others, len(shares), None)
        everybody = count_nested(codes, size, level, len(shares), clusters)
        for group, (name, label) in enumerate(zip(attribute.groups, attribute.labels, strict=True)):
            for place, share in enumerate(shares):
                rows.append(
                    {
                        "attribute": attribute.name, "group": name, "label": label, "share": share,
                        "tp": int(found.hits[group, place]), "fp": int(alarms.hits[group, place]),
                        "selected": int(everybody.hits[group, place]),
                        "recall": _point(found, group, place, "recall", policy, noun),
                        "selection_rate": _point(everybody, group, place, "selection_rate", policy, noun),
                    }
                )  # fmt: skip
    return tuple(rows)


def _point(counted: Nested, group: int, place: int, metric: str, policy: Policy, noun: str) -> Row:
    n, of = int(counted.n[group]), PROPORTIONS[metric].of
    if n == 0:
        return {"value": None, "reason": f"nobody {of}" if noun == "people" else f"no {counted_as(noun, of)}"}
    if n < policy.floors.show:
        return {"value": None, "reason": f"not shown ({too_few(policy.floors.show, of, noun)})"}
    return nested_estimate(counted, group, place, policy.level)
