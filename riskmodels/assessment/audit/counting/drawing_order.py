"""In which order the counts are drawn: one that what groups are called, and how they are listed, cannot change.

A bootstrap with a fixed seed gives every count its own random numbers, in the order of the counts. Were that the order
of names, a group that is called otherwise would be drawn otherwise, and a verdict at the edge could turn.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from riskmodels.assessment.audit.counting.counts import Counted, Patterns

Key = tuple[tuple[int, ...], float, bytes]


def in_drawing_order(counted: Counted) -> tuple[Counted, np.ndarray]:
    """The same counts with attributes, groups and patterns ordered by what was counted; and where each stratum stands
    in that order (S,).

    Groups with equal counts are told apart by whom else they hold; those that cannot be told apart stay as they are.
    """
    attributes = np.split(np.arange(len(counted.counts)), np.cumsum(counted.sizes)[:-1])
    keys = _keys(counted)
    attributes = [np.array(sorted(own.tolist(), key=keys.__getitem__), dtype=np.int64) for own in attributes]
    attributes.sort(key=lambda own: (len(own), [keys[stratum] for stratum in own.tolist()]))
    order = np.concatenate(attributes)
    strata, cells = counted.counts.shape
    columns = (order[:, None] * cells + np.arange(cells)).ravel()
    sums = np.concatenate([order, order + strata])
    every = np.concatenate([columns, sums + strata * cells])
    ordered = replace(
        counted,
        sizes=tuple(len(own) for own in attributes),
        counts=counted.counts[order],
        expected=counted.expected[order],
        slopes=counted.slopes[order],
        moments=counted.moments[np.ix_(every, every)],
        sums=counted.sums[sums],
        patterns=_patterns(counted.patterns, np.argsort(columns)),
    )
    return ordered, np.argsort(order)


def _keys(counted: Counted) -> list[Key]:
    """What each stratum is ordered by: its counts, its expected events, and, where those are another's too, the counts
    that it shares with strata of which kind.
    """
    strata, cells = counted.counts.shape
    _, kind, often = np.unique(counted.counts, axis=0, return_inverse=True, return_counts=True)
    kind = kind.ravel()
    shared = counted.moments[: strata * cells, : strata * cells].reshape(strata, cells, strata, cells)

    def of_kinds(stratum: int) -> bytes:
        with_each = np.column_stack([kind, shared[stratum].swapaxes(0, 1).reshape(strata, -1)])
        return with_each[np.lexsort(with_each.T[::-1])].astype(">f8").tobytes()

    return [
        (tuple(row), float(expected), of_kinds(stratum) if often[kind[stratum]] > 1 else b"")
        for stratum, (row, expected) in enumerate(zip(counted.counts.tolist(), counted.expected, strict=True))
    ]


def _patterns(patterns: Patterns, place: np.ndarray) -> Patterns:
    """Patterns with their columns renumbered, place (6 S,), and sorted by them."""
    lengths = np.diff(patterns.start)
    column, owner = place[patterns.column], np.repeat(np.arange(len(lengths)), lengths)
    inside = np.lexsort((column, owner))
    column, value = column[inside], patterns.value[inside]
    entries = np.stack([column, value], axis=1).astype(">i8")
    keys = [entries[start:end].tobytes() for start, end in pairwise(patterns.start.tolist())]
    order = np.array(sorted(range(len(keys)), key=keys.__getitem__), dtype=np.int64)
    starts = np.concatenate([[0], np.cumsum(lengths[order])])
    rows = np.repeat(patterns.start[:-1][order] - starts[:-1], lengths[order]) + np.arange(starts[-1])
    return replace(
        patterns, multiplicity=patterns.multiplicity[order], start=starts, column=column[rows], value=value[rows]
    )
