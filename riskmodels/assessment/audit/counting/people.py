"""How many people stand behind a count of rows: the clusters that have a row in any of its cells.

For each stratum the clusters are counted by the *set* of cells in which they have rows, one of 64. From that table the
people behind any sum of cells can be told, and no cluster is counted twice.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from riskmodels.assessment.audit.counting.coded_rows import Sorted, runs_of
from riskmodels.assessment.audit.counting.counts import CELLS

SETS = 1 << CELLS
_BITS = 1 << np.arange(CELLS)


def people_in(presence: np.ndarray, cells: Sequence[int]) -> np.ndarray:
    """(...) clusters with a row in any of the cells, from a table (..., 64)."""
    asked = int(_BITS[list(cells)].sum())
    return np.asarray(presence[..., (np.arange(SETS) & asked) > 0].sum(axis=-1))


def presence_of_rows(counts: np.ndarray) -> np.ndarray:
    """(G, 64) where every row stands alone: it is in one cell."""
    presence = np.zeros((len(counts), SETS), dtype=np.int64)
    presence[:, _BITS] = counts
    return presence


def presence_of_clusters(code: np.ndarray, cell: np.ndarray, clusters: Sorted, size: int) -> np.ndarray:
    """(size, 64) clusters of each group by the set of cells in which they have rows of it.

    Parameters
    ----------
    code, cell : (n,) group and cell of each row, in order of clusters
    """
    run, runs = runs_of(code, clusters, size)
    held = np.zeros(runs, dtype=np.int64)
    for place, bit in enumerate(_BITS):
        held[run[cell == place]] |= bit
    group = np.empty(runs, dtype=np.int64)
    group[run] = code
    return np.bincount(group * SETS + held, minlength=size * SETS).reshape(size, SETS)
