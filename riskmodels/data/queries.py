"""What is asked of the engine that holds the facts: each query tallies them in one way.

Written once, in Narwhals, for every engine. What leaves the engine has a row for each person, segment and first as-of
date at most, but for what is told apart by value or by day; memory holds no more of an engine's rows than that.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl

from riskmodels.data.engines import Engine
from riskmodels.data.members import Population
from riskmodels.data.tallies import KEY, Calendar, Cells, Layout, Tally

CELL, VALUE = "__cell", "__value"
LAST_DAY = dt.date.max.toordinal()


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
    ours = _numbered(facts.join(engine.scan(population.frame), on="entity_id", how="inner"), cells, engine)
    event, known = nw.col("event_date"), nw.col("known_date")
    key = layout.key(nw.col(CELL), calendar.seen_from(event, known), calendar.segment(event))
    others = [name for name in columns if name not in ("event_date", "known_date")]
    return Keyed(ours.select(key.alias(KEY), "event_date", "known_date", *others), layout, engine)


def _numbered(frame: nw.LazyFrame[Any], cells: Cells, engine: Engine) -> nw.LazyFrame[Any]:
    if not cells.values or cells.column is None:
        return frame.with_columns(nw.lit(0, nw.Int64).alias(CELL))
    numbers = pl.DataFrame(
        {cells.column: cells.values, CELL: range(len(cells.values))}, schema_overrides={CELL: pl.Int64}
    )
    places = engine.scan(numbers)
    if not cells.rest:
        return frame.join(places, on=cells.column, how="inner")
    joined = frame.join(places, on=cells.column, how="left")
    return joined.with_columns(nw.col(CELL).fill_null(len(cells.values)))


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


# ---------------------------------------------------------------- days and values as numbers


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
