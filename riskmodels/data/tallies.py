"""How facts are laid out once they are tallied: long and sparse, and only as large as it must be.

All windows of one as-of date end where it begins, so a fact is in a window or not by two things alone: between which
*borders* (the first days of all windows of all dates) it happened, which is its **segment**, and from which as-of date
on it is seen at all, because it had happened and was known by then. Facts of one person that agree in both are tallied
together, once for all as-of dates. `riskmodels.data.queries` does so, on any engine; `riskmodels.data.windows` folds
what comes back, and knows no engine.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import narwhals as nw
import numpy as np
import polars as pl

from riskmodels.data.members import BLOCK_OF, PLACE

KEY = "__key"


@dataclass(frozen=True)
class Calendar:
    """As-of dates, and the borders between which one day is like another. Both in order, each day once."""

    dates: tuple[dt.date, ...]
    borders: tuple[dt.date, ...] = ()

    @classmethod
    def of(cls, dates: Iterable[dt.date], starts: Iterable[dt.date] = ()) -> Calendar:
        return cls(tuple(sorted(set(dates))), tuple(sorted({day for day in starts if day > dt.date.min})))

    def segment(self, day: nw.Expr) -> nw.Expr:
        """How many borders lie on or before a day."""
        return _how_many([day >= border for border in self.borders])

    def seen_from(self, *days: nw.Expr) -> nw.Expr:
        """The position of the first as-of date that lies after all of these days."""
        late = []
        for date in self.dates:
            condition = days[0] >= date
            for day in days[1:]:
                condition = condition | (day >= date)
            late.append(condition)
        return _how_many(late)

    def first_of(self, start: dt.date) -> int:
        """The first segment of a window that starts on this day, which is a border."""
        return bisect_right(self.borders, start)

    def top_of(self, as_of: dt.date) -> int:
        """One more than the last segment that lies before an as-of date."""
        return bisect_left(self.borders, as_of) + 1


def _how_many(conditions: Sequence[nw.Expr]) -> nw.Expr:
    """How many are true. Added in runs, so that no engine meets a sum nested hundreds deep."""
    total: nw.Expr | None = None
    for place in range(0, len(conditions), 32):
        part = conditions[place].cast(nw.Int32)
        for condition in conditions[place + 1 : place + 32]:
            part = part + condition.cast(nw.Int32)
        total = part if total is None else total + part
    return nw.lit(0, nw.Int64) if total is None else total.cast(nw.Int64)


@dataclass(frozen=True)
class Cells:
    """Rows kept apart by the values of a column; ``rest``: those with none of these values are a cell of their own."""

    column: str | None = None
    values: tuple[str, ...] = ()
    rest: bool = True

    @property
    def count(self) -> int:
        return len(self.values) + self.rest

    def of(self, values: Sequence[str] | None) -> tuple[int, ...]:
        """The cells that hold these values; None asks for every row."""
        return tuple(range(self.count)) if values is None else tuple(sorted({self.values.index(v) for v in values}))


@dataclass(frozen=True)
class Layout:
    """How cell, block, first as-of date, segment and place are packed into one whole number."""

    cells: int
    blocks: int
    dates: int
    segments: int
    block: int

    @property
    def slots(self) -> int:
        """Places of one block in all segments."""
        return self.segments * self.block

    def key(self, cell: nw.Expr, seen_from: nw.Expr, segment: nw.Expr) -> nw.Expr:
        group = (cell * self.blocks + nw.col(BLOCK_OF)) * self.dates + seen_from
        return group * self.slots + segment * self.block + nw.col(PLACE)


@dataclass(frozen=True)
class Rows:
    """What one tally holds of some cells and one block, in the order in which it comes to be seen.

    ``spans[k]``: where, in the tally's columns, the rows stand that are seen from the k-th as-of date on.
    """

    tally: Tally
    spans: tuple[tuple[slice, ...], ...]

    @cached_property
    def upto(self) -> np.ndarray:
        """So many rows are seen before the k-th as-of date is reached, and ``upto[k + 1]`` on it."""
        sizes = [sum(span.stop - span.start for span in spans) for spans in self.spans]
        return np.cumsum([0, *sizes])

    @cached_property
    def _index(self) -> np.ndarray:
        spans = [np.arange(span.start, span.stop) for spans in self.spans for span in spans]
        return np.concatenate([np.zeros(0, dtype=np.int64), *spans])

    def __getitem__(self, name: str) -> np.ndarray:
        """A column, one row after another."""
        return self.tally.columns[name][self._index]


@dataclass(frozen=True)
class Tally:
    """The answer to one query, sorted by cell, block and first as-of date; ``slot`` is segment and place.

    ``ranked``: what a column of numbers points to, in an order that does not depend on that of the rows. ``words``: the
    values of a column of text, in order; their positions then stand for them.
    """

    layout: Layout
    columns: Mapping[str, np.ndarray]
    starts: np.ndarray
    ranked: Mapping[str, np.ndarray] = field(default_factory=dict)
    words: pl.Series | None = None

    @classmethod
    def of(
        cls,
        layout: Layout,
        columns: dict[str, np.ndarray],
        ranked: Mapping[str, np.ndarray] | None = None,
        words: pl.Series | None = None,
    ) -> Tally:
        """Lay out columns of one length, among them ``KEY``."""
        key = columns.pop(KEY)
        groups = layout.cells * layout.blocks * layout.dates
        # Sorting 16-bit numbers is several times cheaper, and there are seldom more groups than these can tell apart.
        group = (key // layout.slots).astype(np.uint16 if groups < 2**16 else np.int64)
        order = np.argsort(group, kind="stable")
        starts = np.zeros(groups + 1, dtype=np.int64)
        np.cumsum(np.bincount(group, minlength=groups), out=starts[1:])
        ordered = {"slot": (key % layout.slots)[order]}
        for name in list(columns):
            ordered[name] = columns.pop(name)[order]
        return cls(layout, ordered, starts, ranked or {}, words)

    def rows(self, cells: tuple[int, ...], block: int) -> Rows:
        layout, starts = self.layout, self.starts
        groups = [(cell * layout.blocks + block) * layout.dates for cell in cells]
        spans = (
            tuple(slice(int(starts[first + date]), int(starts[first + date + 1])) for first in groups)
            for date in range(layout.dates)
        )
        return Rows(self, tuple(spans))

    def most_of_one(self, name: str) -> int:
        """The most that a column of numbers comes to for one of the population."""
        block = np.repeat(
            np.arange(len(self.starts) - 1) // self.layout.dates % self.layout.blocks, np.diff(self.starts)
        )
        place = self.columns["slot"] % self.layout.block
        totals = np.bincount(block * self.layout.block + place, weights=self.columns[name])
        return int(totals.max(initial=0))
