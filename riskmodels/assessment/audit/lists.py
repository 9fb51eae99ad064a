"""Who is on the list of a file of predictions, and which of its rows belong together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from riskmodels.errors import DataError
from riskmodels.models.ranking import order

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class TakenList:
    """``selected`` (n,): who has a place. ``depth`` (n,): rank divided by places, on the row's own list, nan for those
    who were left out; None where ties keep the ranks from being known."""

    selected: Flags
    depth: npt.NDArray[np.float64] | None


def take_list(
    risk: npt.NDArray[np.float64],
    places: int,
    *,
    seed: int,
    dates: Any = None,
    entity_ids: pl.Series | None = None,
    left_out: Flags | None = None,
) -> TakenList:
    """Give the places of each list to its highest risks; equal risks by the seeded hash of the id, never by row.

    Parameters
    ----------
    risk : (n,)
    places : on each list
    dates : (n,) as-of dates, a list for each; None for one list
    entity_ids : (n,) text
    left_out : (n,) those who get no place; others take theirs

    Raises
    ------
    DataError
        if a list has no more rows than places, or equal risks meet at the last place and no ids decide between them.
    """
    n = risk.size
    lists = np.zeros(n, dtype=np.int64) if dates is None else np.unique(np.asarray(dates), return_inverse=True)[1]
    smallest = int(np.bincount(lists).min())
    if places >= smallest:
        raise DataError(
            f"capacity: {places:,} places, and {'the' if dates is None else 'the shortest'} list has {smallest:,} rows:"
            " everybody is on it and nobody is treated differently; give fewer places"
        )
    stays = np.ones(n, dtype=bool) if left_out is None else ~left_out
    selected, depth, all_ranked = np.zeros(n, dtype=bool), np.full(n, np.nan), True
    for number in range(int(lists.max()) + 1):
        rows = np.flatnonzero((lists == number) & stays)
        ids = None if entity_ids is None else entity_ids[rows]
        position = _best_first(risk[rows], ids, seed)
        tied = _undecided(risk[rows], ids, position)
        all_ranked &= not tied.any()
        if places <= tied.size and tied[places - 1]:
            raise DataError(
                "capacity: equal risks meet at the last place, and no id decides between them; name the column of ids "
                "with --entity (and that of dates with --as-of), so that each stands once on a list"
            )
        ranked = rows[position]
        selected[ranked[:places]] = True
        depth[ranked] = np.arange(1, ranked.size + 1) / places
    return TakenList(selected, depth if all_ranked else None)


def _best_first(risk: npt.NDArray[np.float64], ids: pl.Series | None, seed: int) -> npt.NDArray[np.int64]:
    return np.argsort(-risk, kind="stable") if ids is None else order(ids.to_list(), risk, risk, seed)


def _undecided(
    risk: npt.NDArray[np.float64], ids: pl.Series | None, position: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """(rows - 1,): whether nothing but the order of rows sets apart a place from the next."""
    first, second = position[:-1], position[1:]
    equal = risk[first] == risk[second]
    if ids is not None and equal.any():
        equal &= (ids[first] == ids[second]).to_numpy()
    return equal


def belonging_together(entity_ids: pl.Series | None, households: pl.Series | None) -> npt.NDArray[np.int64] | None:
    """(n,) a number for each row, equal where rows share an id or a household, directly or through others.

    Somebody who moves joins both households. A row without a household (null) stands with its id, or alone. None where
    no column is given.
    """
    if entity_ids is None and households is None:
        return None
    if households is None:
        return _numbered(entity_ids)
    alone = households.is_null().to_numpy()
    home = _numbered(households)
    if entity_ids is None:
        return np.where(alone, home.max() + 1 + np.arange(home.size), home)

    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    person = _numbered(entity_ids)
    people, shared = int(person.max()) + 1, ~alone
    size = people + int(home.max()) + 1
    links = (np.ones(int(shared.sum()), dtype=np.int8), (person[shared], people + home[shared]))
    component = connected_components(coo_array(links, shape=(size, size)), directed=False)[1]
    return np.asarray(component[person], dtype=np.int64)


def _numbered(values: pl.Series | None) -> npt.NDArray[np.int64]:
    assert values is not None
    return (values.rank("dense").fill_null(0).cast(pl.Int64)).to_numpy()
