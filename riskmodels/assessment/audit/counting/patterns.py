"""Which units are drawn one by one when counts are resampled, and their patterns."""

from __future__ import annotations

from functools import reduce

import numpy as np

from riskmodels.assessment.audit.counting.coded_rows import Codes, Sorted
from riskmodels.assessment.audit.counting.counts import CELLS, Patterns

MOST_PATTERNS = 4096
_TABLE_LIMIT = 4_000_000
_ZOBRIST = 20_160_613


def patterns_of(codes: Codes, cells: np.ndarray, counts: np.ndarray, clusters: Sorted | None) -> Patterns:
    """The patterns that are drawn one by one: all of them, or those of the units that touch the smallest counts.

    Parameters
    ----------
    cells : (n,) cell of each row
    counts : (S, 6) people by stratum and cell
    """
    smallest = counts.ravel().astype(np.int32)
    if clusters is not None:
        return _of_clusters(codes, cells, smallest, clusters)
    every = _all_of_rows(codes, cells)
    if every is None:
        rare = _rarest(reduce(np.minimum, (smallest[column] for column in codes.columns(cells))))
        every = np.unique(np.stack(list(codes.columns(cells, rare)), axis=1), axis=0, return_counts=True)
    columns, often = every
    return _table(columns.ravel(), np.full(len(columns), columns.shape[1]), often)


def _all_of_rows(codes: Codes, cells: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """All patterns (P, A) that rows have, and how often (P,); None where they are too many to be drawn one by one."""
    length = int(np.prod([*codes.sizes, CELLS], dtype=np.float64))
    if length > _TABLE_LIMIT:
        return None
    place = np.zeros(len(cells), dtype=np.int32)
    for part, size in zip(codes.of_row, codes.sizes, strict=True):
        place = place * size + part
    often = np.bincount(place * CELLS + cells, minlength=length)
    occupied = np.flatnonzero(often)
    if len(occupied) > MOST_PATTERNS:
        return None
    *groups, cell = np.unravel_index(occupied, (*codes.sizes, CELLS))
    return np.stack(list(Codes(tuple(groups), codes.sizes).columns(cell)), axis=1), often[occupied]


def _of_clusters(codes: Codes, cells: np.ndarray, smallest: np.ndarray, clusters: Sorted) -> Patterns:
    # Zobrist hashing: clusters with the same counts, in whatever order, have the same sum of random numbers.
    mark = np.random.default_rng(_ZOBRIST).integers(0, 2**64, size=len(smallest), dtype=np.uint64)
    marks = reduce(np.add, (mark[column] for column in codes.columns(cells, clusters.order)))
    keys = np.add.reduceat(marks, clusters.start)
    _, shows, often = np.unique(keys, return_index=True, return_counts=True)
    if len(shows) > MOST_PATTERNS:
        touched = reduce(np.minimum, (smallest[column] for column in codes.columns(cells, clusters.order)))
        rare = _rarest(np.minimum.reduceat(touched, clusters.start))
        _, shows, often = np.unique(keys[rare], return_index=True, return_counts=True)
        shows = rare[shows]
    lengths = np.diff(np.append(clusters.start, len(cells)))[shows]
    firsts = np.cumsum(lengths) - lengths
    rows = np.repeat(clusters.start[shows] - firsts, lengths) + np.arange(lengths.sum())
    columns = np.stack(list(codes.columns(cells, clusters.order[rows])), axis=1)
    return _table(columns.ravel(), lengths * columns.shape[1], often)


def _rarest(touched: np.ndarray) -> np.ndarray:
    """Positions of the units that touch the smallest counts: as many whole counts as there is room for."""
    if len(touched) <= MOST_PATTERNS:
        return np.arange(len(touched))
    limit = np.partition(touched, MOST_PATTERNS)[MOST_PATTERNS]
    return np.flatnonzero(touched < limit)


def _table(columns: np.ndarray, lengths: np.ndarray, often: np.ndarray) -> Patterns:
    """Patterns from the columns of each, one after the other, and how many each has."""
    from scipy.sparse import csr_array

    start = np.concatenate([[0], np.cumsum(lengths)])
    table = csr_array(
        (np.ones(len(columns), dtype=np.int64), columns, start), shape=(len(often), columns.max(initial=0) + 1)
    )
    table.sum_duplicates()
    return Patterns(often, table.indptr.astype(np.int64), table.indices.astype(np.int64), table.data)
