"""What has been seen so far of one block of people, folded into the windows of an as-of date.

Plain numpy: no engine, no file, no order of rows. As-of dates come one after another; on each, the rows that are seen
from then on are taken in (`State.see`), and windows are made of what is held (`State.fold`, `State.over`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from riskmodels.data.tallies import Rows
from riskmodels.study import Period

DAYS_IN_A_YEAR = 365.2425
LATE = np.iinfo(np.int64).max

Array = np.ndarray


@dataclass(frozen=True)
class Span:
    """A window: its first day, the first segment that lies in it, and the day before which it ends."""

    start: dt.date
    first: int
    end: dt.date

    @property
    def years(self) -> float:
        return (self.end - self.start).days / DAYS_IN_A_YEAR


class State(Protocol):
    """One statistic, up to an as-of date."""

    def see(self, date: int) -> None:
        """Take in the rows that are seen from this as-of date on; dates are counted from 0, and come in order."""

    def fold(self, firsts: Sequence[int], top: int) -> None:
        """Make ready windows that begin with each of the segments ``firsts``, latest first, and end below ``top``."""

    def over(self, window: Span) -> Array:
        """The statistic of each place over a window that was made ready."""


class Grid:
    """A number for each segment and place, folded over segments."""

    def __init__(self, rows: Rows, name: str, fold: np.ufunc, empty: float) -> None:
        layout, columns = rows.tally.layout, rows.tally.columns
        self._spans, self._slots, self._values = rows.spans, columns["slot"], columns[name]
        self._fold, self._empty = fold, empty
        self._held = np.full((layout.segments, layout.block), empty, dtype=self._values.dtype)
        self._windows: dict[int, Array] = {}

    def see(self, date: int) -> None:
        for span in self._spans[date]:
            self._fold.at(self._held.reshape(-1), self._slots[span], self._values[span])

    def fold(self, firsts: Sequence[int], top: int) -> None:
        self._windows, end = {}, top
        total = np.full(self._held.shape[1], self._empty, dtype=self._held.dtype)
        for first in firsts:
            if first < end:
                total = self._fold(total, self._fold.reduce(self._held[first:end], axis=0))
                end = first
            self._windows[first] = total

    def over(self, window: Span) -> Array:
        return self._windows[window.first]


class Ends(Grid):
    """The first or last row of each place: rows are numbered in the order of their days, so an end is an extreme."""

    def __init__(self, rows: Rows, name: str, *, latest: bool) -> None:
        super().__init__(rows, "rank", np.maximum if latest else np.minimum, -1 if latest else LATE)
        self._ranked = rows.tally.ranked

    def over(self, window: Span) -> Array:
        """Structured: ``value`` (NaN where there is none) and ``day`` (0 where there is none)."""
        rank = super().over(window)
        found = np.zeros(len(rank), dtype=[("value", np.float64), ("day", np.int64)])
        found["value"] = np.nan
        there = (rank >= 0) & (rank < LATE)
        for name in ("value", "day"):
            found[name][there] = self._ranked[name][rank[there]]
        return found


class _Pairs:
    """Places with each of their values, in order; what distinct and mode have in common."""

    def __init__(self, rows: Rows) -> None:
        layout = rows.tally.layout
        self.block, self.values = layout.block, rows.tally.ranked["value"]
        self.upto = rows.upto
        self.segment, place = np.divmod(rows["slot"], layout.block)
        kinds = max(1, len(self.values))
        pairs, self.pair = np.unique(place * kinds + rows["value"], return_inverse=True)
        self.owner, self.value = np.divmod(pairs, kinds)

    def fold(self, firsts: Sequence[int], top: int) -> None:
        pass


class Different(_Pairs):
    """How many different values: those that were last seen within the window."""

    def __init__(self, rows: Rows, name: str) -> None:
        super().__init__(rows)
        self._last = np.full(len(self.owner), -1, dtype=np.int64)

    def see(self, date: int) -> None:
        new = slice(self.upto[date], self.upto[date + 1])
        np.maximum.at(self._last, self.pair[new], self.segment[new])

    def over(self, window: Span) -> Array:
        return np.bincount(self.owner[self._last >= window.first], minlength=self.block)


class Commonest(_Pairs):
    """The most frequent value; of several the one that happened last, then the larger or alphabetically later."""

    def __init__(self, rows: Rows, name: str) -> None:
        super().__init__(rows)
        self._count, self._day = rows["rows"], rows["day"]
        self._last, self._seen = np.zeros(len(self.owner), dtype=np.int64), 0

    def see(self, date: int) -> None:
        new = slice(self.upto[date], self.upto[date + 1])
        np.maximum.at(self._last, self.pair[new], self._day[new])
        self._seen = new.stop

    def over(self, window: Span) -> Array:
        found = np.full(self.block, np.nan)
        inside = np.flatnonzero(self.segment[: self._seen] >= window.first)
        if not len(inside):
            return found
        counts = np.zeros(len(self.owner), dtype=np.int64)
        np.add.at(counts, self.pair[inside], self._count[inside])
        starts = np.flatnonzero(np.diff(self.owner, prepend=-1))
        group = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(self.owner)))
        best = counts > 0
        for measure in (counts, self._last, self.value):
            measured = np.where(best, measure, -1)
            best &= measured == np.maximum.reduceat(measured, starts)[group]
        found[self.owner[best]] = self.values[self.value[best]]
        return found


class Episodes:
    """How many runs of days in which neighbours are at most ``gap`` apart."""

    def __init__(self, rows: Rows, name: str, *, gap: Period) -> None:
        place, day = rows["slot"] % rows.tally.layout.block, rows["day"]
        self._block, self._order = rows.tally.layout.block, np.lexsort((day, place))
        self._upto, self._seen = rows.upto, 0
        self._place, self._day = place[self._order], day[self._order]
        different, each = np.unique(self._day, return_inverse=True)
        ends = [gap.after(dt.date.fromordinal(int(one))).toordinal() for one in different]
        self._lasts_until = np.array(ends, dtype=np.int64)[each]

    def see(self, date: int) -> None:
        self._seen = self._upto[date + 1]

    def fold(self, firsts: Sequence[int], top: int) -> None:
        pass

    def over(self, window: Span) -> Array:
        inside = (self._order < self._seen) & (self._day >= window.start.toordinal())
        place, day, until = self._place[inside], self._day[inside], self._lasts_until[inside]
        begins = np.ones(len(place), dtype=bool)
        begins[1:] = (place[1:] != place[:-1]) | (day[1:] > until[:-1])
        return np.bincount(place[begins], minlength=self._block)
