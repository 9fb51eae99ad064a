"""Facts of one source, tallied once for all as-of dates: long and sparse, and only as large as it must be.

All windows of one as-of date end where it begins, so a fact is in a window or not by two things alone: between which
*borders* (the first days of all windows of all dates) it happened, which is its **segment**, and from which as-of date
on it is seen at all, because it had happened and was known by then. Facts of one person that agree in both may be
tallied together. The definitions are in Narwhals and run on any engine; what comes back is laid out for
`riskmodels.data.aggregations`, which knows no engine.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl

from riskmodels.data.engines import Engine

# So many people are worked on at a time: their grids fit a processor's cache, and memory does not grow with them.
BLOCK = 2**15
LAST_DAY = dt.date.max.toordinal()
KEY, CELL, PLACE, BLOCK_OF, VALUE = "__key", "__cell", "__place", "__block", "__value"


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
class Cells:
    """Rows kept apart by the values of a column; ``rest``: rows with none of these values are a cell of their own."""

    column: str | None = None
    values: tuple[str, ...] = ()
    rest: bool = True

    @property
    def count(self) -> int:
        return len(self.values) + self.rest

    def of(self, values: Sequence[str] | None) -> tuple[int, ...]:
        """The cells that hold these values; None asks for every row."""
        return tuple(range(self.count)) if values is None else tuple(sorted({self.values.index(v) for v in values}))

    def numbered(self, frame: nw.LazyFrame[Any], engine: Engine) -> nw.LazyFrame[Any]:
        if not self.values or self.column is None:
            return frame.with_columns(nw.lit(0, nw.Int64).alias(CELL))
        numbers = pl.DataFrame(
            {self.column: self.values, CELL: range(len(self.values))}, schema_overrides={CELL: pl.Int64}
        )
        cells = engine.scan(numbers)
        if not self.rest:
            return frame.join(cells, on=self.column, how="inner")
        joined = frame.join(cells, on=self.column, how="left")
        return joined.with_columns(nw.col(CELL).fill_null(len(self.values)))


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


def values_as_numbers(values: pl.Series) -> tuple[np.ndarray, pl.Series | None]:
    """Numbers as they are, dates as days, text as its position among the sorted different words; NaN for null."""
    if values.dtype == pl.String:
        words = values.unique().drop_nulls().sort()
        positions = pl.DataFrame({"word": words}).with_row_index("position")
        found = pl.DataFrame({"word": values}).join(positions, on="word", how="left", maintain_order="left")
        return found["position"].cast(pl.Float64).fill_null(np.nan).to_numpy(), words
    numbers = days(values) if values.dtype == pl.Date else values
    # Nought may carry a sign, which depends on the order of the rows and means nothing.
    return numbers.cast(pl.Float64).fill_null(np.nan).to_numpy() + 0.0, None


def days(dates: pl.Series) -> pl.Series:
    """Dates as whole days since the first of January of year 1, which is 1 (as in `datetime.date.toordinal`)."""
    return dates.cast(pl.Date).to_physical().cast(pl.Int64) + dt.date(1970, 1, 1).toordinal()


def day_number(day: nw.Expr) -> nw.Expr:
    """The same in Narwhals: dates cannot be taken for numbers on every engine."""
    years = day.dt.year().cast(nw.Int64) - 1
    return years * 365 + years // 4 - years // 100 + years // 400 + day.dt.ordinal_day().cast(nw.Int64)


# ---------------------------------------------------------------- the queries


@dataclass(frozen=True)
class Keyed:
    """Rows with their ``KEY``, ready to be tallied by the engine that holds them."""

    frame: nw.LazyFrame[Any]
    layout: Layout
    engine: Engine


def keyed(
    facts: nw.LazyFrame[Any],
    columns: Sequence[str],
    population: Population,
    cells: Cells,
    calendar: Calendar,
    engine: Engine,
) -> Keyed:
    """Facts of these people alone: the key, the dates and these columns."""
    layout = Layout(cells.count, population.blocks, len(calendar.dates), len(calendar.borders) + 1, population.block)
    ours = cells.numbered(facts.join(engine.scan(population.frame), on="entity_id", how="inner"), engine)
    event, known = nw.col("event_date"), nw.col("known_date")
    key = layout.key(nw.col(CELL), calendar.seen_from(event, known), calendar.segment(event))
    others = [name for name in columns if name not in ("event_date", "known_date")]
    return Keyed(ours.select(key.alias(KEY), "event_date", "known_date", *others), layout, engine)


def sums(rows: Keyed, made: Mapping[str, tuple[nw.Expr | None, str]]) -> Tally:
    """Numbers that are added up, or of which an extreme is kept. ``made``: name -> (of each row, sum, min or max)."""
    each_row = [expression.alias(name) for name, (expression, _) in made.items() if expression is not None]
    folded = []
    for name, (expression, fold) in made.items():
        column = nw.col(name)
        if expression is None:
            folded.append(nw.len().cast(nw.Int64).alias(name))
        elif fold == "sum":
            # DuckDB adds 64 bits into 128, which nothing else here would know what to do with.
            folded.append(column.sum().cast(nw.Int64).alias(name))
        else:
            folded.append(column.min() if fold == "min" else column.max())
    found = _collected(rows.frame.select(KEY, *each_row).group_by(KEY).agg(*folded))
    columns = {}
    for name, (_, fold) in made.items():
        series = found[name]
        if series.dtype == pl.Date:
            columns[name] = days(series).to_numpy()
        elif fold in ("min", "max"):
            empty = np.inf if fold == "min" else -np.inf
            columns[name] = series.cast(pl.Float64).fill_null(empty).to_numpy() + 0.0
        else:
            # A sum of nothing is nought on one engine and null on another.
            columns[name] = series.fill_null(0).to_numpy()
        found = found.drop(name)
    columns[KEY] = found[KEY].to_numpy()
    return Tally.of(rows.layout, columns)


def ends(rows: Keyed, column: str, *, latest: bool) -> Tally:
    """The first or last recorded value; two of one day are settled by when they became known, then by value."""
    dates = ["event_date", "known_date"]
    frame = rows.frame.select(KEY, *dates, nw.col(column).alias(VALUE)).filter(~nw.col(VALUE).is_null())
    return _ends(replace(rows, frame=frame), dates, latest=latest)


def attributes(rows: Keyed, column: str, dates: list[str]) -> Tally:
    """The last row, whether it records a value or not; of a table without dates the only one."""
    return _ends(replace(rows, frame=rows.frame.select(KEY, *dates, nw.col(column).alias(VALUE))), dates, latest=True)


def _ends(rows: Keyed, dates: list[str], *, latest: bool) -> Tally:
    """Rows numbered in the order of their days, of when they became known and of their values; null is the least."""
    frame = rows.frame
    if dates and not rows.engine.in_memory:
        # No more than one row of each key has to leave the engine. In memory it is cheaper to look at them all.
        frame = frame.unique(subset=[KEY], keep="last" if latest else "first", order_by=[*dates, VALUE])
    found = _collected(frame)
    numbers, words = values_as_numbers(found[VALUE])
    in_days = [days(found[name]).to_numpy() for name in dates]
    order = _in_order(*in_days, np.where(np.isnan(numbers), -np.inf, numbers))
    day = in_days[0] if in_days else np.zeros(found.height, dtype=np.int64)
    columns = {KEY: found[KEY].to_numpy()[order], "rank": np.arange(found.height)}
    return Tally.of(rows.layout, columns, {"value": numbers[order], "day": day[order]}, words)


def _in_order(*keys: np.ndarray) -> np.ndarray:
    """What puts rows in order, by the first key before the second. Days sort several times faster as 16-bit numbers."""
    order = np.argsort(keys[-1])
    for key in reversed(keys[:-1]):
        least, most = key.min(initial=LAST_DAY), key.max(initial=0)
        small = (key - least).astype(np.uint16) if most - least < 2**16 else key
        order = order[np.argsort(small[order], kind="stable")]
    return order


def values(rows: Keyed, column: str) -> Tally:
    """How often each value was recorded, and when last."""
    recorded = rows.frame.select(KEY, "event_date", nw.col(column).alias(VALUE)).filter(~nw.col(VALUE).is_null())
    counted = nw.len().cast(nw.Int64).alias("rows"), nw.col("event_date").max().alias("day")
    found = _collected(recorded.group_by(KEY, VALUE).agg(*counted))
    numbers, words = values_as_numbers(found[VALUE])
    different, number = np.unique(numbers, return_inverse=True)
    columns = {KEY: found[KEY].to_numpy(), "rows": found["rows"].to_numpy(), "day": days(found["day"]).to_numpy()}
    return Tally.of(rows.layout, {**columns, "value": number}, {"value": different}, words)


def event_days(rows: Keyed) -> Tally:
    """The days on which anything happened."""
    found = _collected(rows.frame.select(KEY, "event_date").unique())
    return Tally.of(rows.layout, {KEY: found[KEY].to_numpy(), "day": days(found["event_date"]).to_numpy()})


def _collected(frame: nw.LazyFrame[Any]) -> pl.DataFrame:
    return frame.collect().to_polars()
