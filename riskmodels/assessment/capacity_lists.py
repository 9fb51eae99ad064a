"""A number of places given to the highest risks of each list, and what became of those who got one.

Where equal risks meet at the last place somebody must decide. With ids that is the canonical order
(`riskmodels.models.ranking.order`), the one that a service's list has. Without ids no order of the rows is better than
another: each of the tied rows then has the same *chance* of a place, and hits are what a draw is expected to give.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from riskmodels.assessment.decisions import (
    LEAD_WITH_BOUNDS_ABOVE,
    Mask,
    at_capacity,
    precision_bounds,
    recall_bounds,
    select,
)
from riskmodels.assessment.estimate import Estimate, not_computed
from riskmodels.assessment.intervals import (
    ONE_CLUSTER,
    Floats,
    Units,
    cluster_sums,
    critical_value,
    design_effect,
    of_rows,
    wilson,
)

NOBODY_KNOWN = "nobody selected has a known outcome"


def chances_of_a_place(
    risk: Floats, lists: npt.NDArray[np.int64], entity_ids: pl.Series | None, places: int, seed: int
) -> tuple[Floats, int]:
    """Each row's chance of one of the ``places`` on its list, and how many lists have too few rows to fill them.

    1 above the risk at the last place and 0 below; at that risk 1 or 0 by the canonical order, or without ids the
    places that are left over the rows that tie for them.

    Parameters
    ----------
    risk : shape (n,)
    lists : shape (n,), which list a row stands on, numbered from 0
    entity_ids : of the rows, each at most once on a list; or None
    """
    chance = np.zeros(risk.size)
    short = 0
    for rows in _rows_of_lists(lists):
        here = risk[rows]
        short += rows.size < places
        if entity_ids is not None:
            chance[rows] = select(entity_ids if rows.size == risk.size else entity_ids[rows], here, here, places, seed)
        elif places >= rows.size:
            chance[rows] = 1.0
        else:
            last = np.partition(here, rows.size - places)[rows.size - places]
            above, tied = here > last, here == last
            chance[rows] = np.where(tied, (places - above.sum()) / tied.sum(), above)
    return chance, short


def _rows_of_lists(lists: npt.NDArray[np.int64]) -> list[npt.NDArray[np.int64]]:
    order = np.argsort(lists, kind="stable")
    starts = np.flatnonzero(np.diff(lists[order])) + 1
    return [rows for rows in np.split(order, starts) if rows.size]


def at_capacity_by_chance(outcome: Floats, known: Mask, chance: Floats, units: Units) -> dict[str, Any]:
    """What `riskmodels.assessment.decisions.at_capacity` says of a selection, where rows may be selected by chance.

    Each row then counts by its chance: hits are the sum of chance x outcome over the known rows, and precision is hits
    over the sum of their chances, with Wilson's interval on that (effective) number.

    Parameters
    ----------
    outcome : shape (n,), 0 where it is not known
    known : shape (n,)
    chance : shape (n,), from `chances_of_a_place`

    Returns
    -------
    {hits, selected, known, unknown, precision: Estimate, recall: Estimate, precision_bounds, recall_bounds,
    leads_with_bounds}. ``hits`` is None where nobody selected has a known outcome.
    """
    if not np.isin(chance, (0.0, 1.0)).all():
        return _expected(outcome, known, chance, units)
    found = at_capacity(outcome, known, chance == 1, units)
    found["hits"] = found["hits"] if found["known"] else None
    return {name: value for name, value in found.items() if name != "selection_rate"}


def _expected(outcome: Floats, known: Mask, chance: Floats, units: Units) -> dict[str, Any]:
    selected, drawn = float(chance.sum()), known & (chance > 0)
    known_selected, unknown_others = float(chance[known].sum()), float((1 - chance)[~known].sum())
    hits, events = float((chance * outcome).sum()), float(outcome.sum())
    recall = Estimate(hits / events, n=round(events)) if events else not_computed("no known row has an event", 0)
    # Differences of sums of fractions: what is whole on paper should be whole here.
    unknown = _whole(selected - known_selected)
    return {
        "hits": _whole(hits) if known_selected else None,
        "selected": _whole(selected),
        "known": _whole(known_selected),
        "unknown": unknown,
        "precision": _precision(outcome[drawn], chance[drawn], of_rows(units, drawn)),
        "recall": recall,
        "precision_bounds": precision_bounds(hits, unknown, selected),
        "recall_bounds": recall_bounds(hits, events - hits, unknown, unknown_others),
        "leads_with_bounds": bool(
            unknown > LEAD_WITH_BOUNDS_ABOVE * selected or (~known).sum() > LEAD_WITH_BOUNDS_ABOVE * known.size
        ),
    }


def _precision(outcome: Floats, chance: Floats, units: Units) -> Estimate:
    """The share of events, each row counting by its chance; the effective number as in `intervals.proportion`.

    All rows have a chance, and a known outcome.
    """
    rows = float(chance.sum())
    if rows == 0:
        return not_computed(NOBODY_KNOWN, 0)
    share = float((chance * outcome).sum()) / rows
    if units is not None and units.count < 2:
        return Estimate(share, n=round(rows), reason=ONE_CLUSTER)
    residuals = chance * (outcome - share)
    effect = design_effect(residuals, units)
    effective = _one_of_each(chance, units) if effect is None else rows / max(effect, 1.0)
    low, high = wilson(share, effective, critical_value(units))
    return Estimate(share, low, high, round(rows))


def _one_of_each(chance: Floats, units: Units) -> float:
    """Clusters, each counting by its chance of a place up to once: as if all rows of a cluster were one."""
    return float(np.minimum(cluster_sums(chance, units), 1.0).sum())


def _whole(count: float) -> float | int:
    """A count that is whole but for round-off, as a whole number."""
    return round(count) if abs(count - round(count)) < 1e-9 * max(1.0, abs(count)) else count
