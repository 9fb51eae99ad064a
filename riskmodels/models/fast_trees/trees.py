"""The trees of a booster, ready to answer."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from riskmodels.models.fast_trees.building import Program, build
from riskmodels.models.fast_trees.parsing import NotCovered, read_booster

# Rows that a thread takes at a time: enough that taking them costs nothing, few enough that threads end together.
SHARE = 4_096


@dataclass(frozen=True, eq=False)
class FastTrees:
    """Exact scores and contributions, the same for every number of threads. Read-only, so that threads may share it.

    ``values`` is float64 [n, columns] as `Matrix.values` is, by rows or by columns: categories as codes, NaN for
    missing; -1 and every other value that no set names is outside every set. Other types of numbers are converted.

    Attributes
    ----------
    columns : how many columns a row has
    base : the mean score of the rows of the fit; with a row's contributions it adds up to its score
    """

    columns: int
    base: float
    program: Program

    @classmethod
    def of(cls, booster_text: str, columns: int) -> FastTrees:
        """The trees of a booster's text.

        Raises
        ------
        NotCovered
            in words, for what the kernel leaves to LightGBM: more than 64 leaves, more than 24 features on a path,
            linear leaves, zero as missing, more than one score a row, a forest that averages, and a text that does not
            hold together.
        """
        forest = read_booster(booster_text, columns)
        try:
            return cls(columns, forest.expected(), build(forest))
        except ImportError:
            raise NotCovered("numba is not installed, or does not know this numpy") from None

    def score(self, values: np.ndarray, threads: int = 1) -> np.ndarray:
        """Raw scores, float64 [n]: to the bit what LightGBM's ``predict(raw_score=True)`` gives."""
        from riskmodels.models.fast_trees.kernels import score_rows

        rows = self._checked(values)
        scores = np.empty(len(rows))
        program = (*self.program.taking, *self.program.scoring)
        _share(lambda begin, end: score_rows(rows, begin, end, *program, scores), len(rows), threads)
        return scores

    def contributions(self, values: np.ndarray, threads: int = 1) -> np.ndarray:
        """Path-dependent TreeSHAP values (Lundberg et al. 2020), float64 [n, columns], by columns."""
        return self.score_and_contributions(values, threads)[1]

    def score_and_contributions(self, values: np.ndarray, threads: int = 1) -> tuple[np.ndarray, np.ndarray]:
        """Both, in one pass over the rows: `score` and `contributions`."""
        from riskmodels.models.fast_trees.kernels import explain_rows

        rows = self._checked(values)
        scores, contributions = np.empty(len(rows)), np.zeros((self.columns, len(rows)))
        program = (*self.program.taking, *self.program.explaining)
        _share(lambda begin, end: explain_rows(rows, begin, end, *program, scores, contributions), len(rows), threads)
        return scores, contributions.T

    def _checked(self, values: np.ndarray) -> np.ndarray:
        if values.ndim != 2 or values.shape[1] != self.columns:
            raise ValueError(f"values: must be [rows, {self.columns}], and is {list(values.shape)}")
        return np.require(values, np.float64, "A")


def warm() -> None:
    """Compile every loop, or read it from the cache that an earlier process left: about 8 s, or a third of one."""
    from riskmodels.models.fast_trees import grouping, kernels, masks, tables  # noqa: F401


def _share(work: Callable[[int, int], None], rows: int, threads: int) -> None:
    """Call ``work(begin, end)`` for all rows, in parts, on so many threads. A row's answer depends on no other row."""
    if threads <= 1 or rows <= SHARE:
        work(0, rows)
        return
    begins = range(0, rows, SHARE)
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(work, begins, [min(begin + SHARE, rows) for begin in begins]):
            pass
