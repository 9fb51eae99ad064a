"""Rows as numbers: their groups, and which of them belong together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from riskmodels.assessment.audit.counting.counts import CELLS


@dataclass(frozen=True)
class Codes:
    """Groups as numbers: for each attribute of_row (n,), how many there are, and the number of its first stratum."""

    of_row: tuple[np.ndarray, ...]
    sizes: tuple[int, ...]

    @property
    def offsets(self) -> list[int]:
        return [sum(self.sizes[:index]) for index in range(len(self.sizes))]

    def columns(self, cells: np.ndarray, rows: np.ndarray | slice = slice(None)) -> Iterator[np.ndarray]:
        """For each attribute (m,) the numbers of the rows' strata and cells together."""
        for part, offset in zip(self.of_row, self.offsets, strict=True):
            yield (part[rows] + offset) * CELLS + cells[rows]


@dataclass(frozen=True)
class Sorted:
    """Rows in order of their clusters: order (n,), where each of the C clusters starts, and its number for each row."""

    order: np.ndarray
    start: np.ndarray
    of_row: np.ndarray


def in_order_of(clusters: np.ndarray) -> Sorted:
    """Rows in order of their clusters; clusters (n,) whole numbers."""
    order = np.argsort(clusters, kind="stable")
    inside = clusters[order]
    start = np.flatnonzero(np.concatenate(([True], inside[1:] != inside[:-1])))
    return Sorted(order, start, np.repeat(np.arange(len(start)), np.diff(start, append=len(order))))


def runs_of(code: np.ndarray, clusters: Sorted, size: int) -> tuple[np.ndarray, int]:
    """The number of each row's cluster and group together, and how many there are; rows in order of clusters."""
    if (code == code[clusters.start][clusters.of_row]).all():
        return clusters.of_row, len(clusters.start)
    key = clusters.of_row * size + code
    order = np.argsort(key)
    inside = key[order]
    number = np.empty(len(key), dtype=np.int64)
    number[order] = np.cumsum(np.concatenate(([False], inside[1:] != inside[:-1])))
    return number, int(number.max()) + 1
