"""For whom facts are tallied, and which rows of the cohort they are then for."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

# So many people are worked on at a time: their grids fit a processor's cache, and memory does not grow with them.
BLOCK = 2**15
PLACE, BLOCK_OF = "__place", "__block"


@dataclass(frozen=True)
class Population:
    """The ids that facts are tallied for, each at a place of a block. Facts of others are not looked at."""

    ids: pl.Series

    @property
    def block(self) -> int:
        return max(1, min(BLOCK, len(self.ids)))

    @property
    def blocks(self) -> int:
        return max(1, -(-len(self.ids) // self.block))

    @cached_property
    def frame(self) -> pl.DataFrame:
        code = pl.int_range(len(self.ids), dtype=pl.Int64)
        places = pl.DataFrame({"entity_id": self.ids})
        return places.with_columns((code % self.block).alias(PLACE), (code // self.block).alias(BLOCK_OF))

    def codes(self, ids: pl.Series) -> np.ndarray:
        """The number of each id, -1 where it is null or not among us."""
        codes = pl.DataFrame({"entity_id": self.ids}).with_row_index("code")
        found = pl.DataFrame({"entity_id": ids}).join(codes, on="entity_id", how="left", maintain_order="left")
        return found["code"].cast(pl.Int64).fill_null(-1).to_numpy()


@dataclass(frozen=True)
class Members:
    """Which of a population some cohort rows stand for.

    ``rows``: their positions in the cohort; ``codes``: whom each stands for, a number or -1 for nobody; ``days``: its
    as-of date.
    """

    population: Population
    rows: np.ndarray
    codes: np.ndarray
    days: pl.Series

    @classmethod
    def of(cls, ids: pl.Series, days: pl.Series) -> Members:
        """``ids``: for each cohort row, who it is or, where facts are those of a place, which place; may be null."""
        population = Population(ids.unique().drop_nulls().sort())
        return cls(population, np.arange(len(ids)), population.codes(ids), days)

    @cached_property
    def rows_on(self) -> dict[dt.date, np.ndarray]:
        """As-of date -> places among these rows, in the order of the dates."""
        places = pl.DataFrame({"day": self.days}).with_row_index("place").group_by("day").agg("place").sort("day")
        return {day: these.to_numpy().astype(np.int64) for day, these in zip(*places.get_columns(), strict=True)}

    @property
    def dates(self) -> tuple[dt.date, ...]:
        return tuple(self.rows_on)

    def on(self, as_of: dt.date, block: int) -> tuple[np.ndarray, np.ndarray]:
        """The rows of a date that stand for somebody in a block, and their places in the block."""
        rows = self.rows_on[as_of]
        blocks, places = np.divmod(self.codes[rows], self.population.block)
        here = blocks == block
        return rows[here], places[here]

    def by_date(self) -> list[Members]:
        return [
            Members(self.population, self.rows[these], self.codes[these], self.days.gather(these))
            for these in self.rows_on.values()
        ]

    def by_people(self, most: int) -> list[Members]:
        """So many of the population at a time; rows that stand for nobody are with the first."""
        ids = self.population.ids
        part = np.maximum(self.codes, 0) // most
        found = []
        for first in range(0, len(ids), most):
            these = np.flatnonzero(part == first // most)
            codes = np.where(self.codes[these] < 0, -1, self.codes[these] - first)
            found.append(Members(Population(ids.slice(first, most)), self.rows[these], codes, self.days.gather(these)))
        return found or [self]
