"""Features of one source worked out together, in as few passes over its facts as their definitions allow."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl

from riskmodels.data import members as membership
from riskmodels.data import queries
from riskmodels.data.aggregations import AGGREGATIONS, BITS, DAY_OF_VALUE, STATISTICS, Aggregation, Seen
from riskmodels.data.members import Members
from riskmodels.data.predicates import Window, facts_in
from riskmodels.data.queries import Keyed
from riskmodels.data.tables import Table, Tables
from riskmodels.data.tallies import KEY, Calendar, Cells, Layout, Tally
from riskmodels.data.windows import Array, Span, State
from riskmodels.errors import DataError
from riskmodels.study import Fact, Period

# What is summed of one person stays below this, so that it does not leave 64 bits.
LARGEST = 2.0**62
DAYS_OF_THE_CALENDAR = 2.0**22


@dataclass(frozen=True)
class Need:
    """A statistic of a column, or of the rows themselves; ``gap`` for episodes."""

    statistic: str
    column: str | None = None
    gap: Period | None = None

    @property
    def label(self) -> str:
        return f"{self.statistic}({self.column or ''})"

    @property
    def query(self) -> tuple[str, str | None]:
        """Which query answers it. The sums of all columns are one query."""
        name = STATISTICS[self.statistic].query
        return name, None if name == "sums" else self.column


@dataclass(frozen=True)
class Asked:
    """One thing to be taken of a fact over a window.

    ``each``: only of rows with this value of this column. ``day``: not the value itself, but how many days before the
    as-of date the fact with that value happened.
    """

    name: str
    take: str
    fact: Fact
    column: str | None
    last: Period
    gap: Period | None = None
    than: Period | None = None
    each: tuple[str, str] | None = None
    day: bool = False

    @property
    def how(self) -> Aggregation:
        return (DAY_OF_VALUE if self.day else AGGREGATIONS)[self.take]

    @property
    def apart(self) -> str | None:
        """The column by which its rows are told from those of its neighbours."""
        return self.each[0] if self.each else "kind" if self.fact.kind else None

    @property
    def among(self) -> tuple[str, ...] | None:
        """The values of that column that it is taken of; None for every row."""
        if self.each is None:
            return self.fact.kind
        column, value = self.each
        return (value,) if column != "kind" or self.fact.kind is None or value in self.fact.kind else ()

    @property
    def rows(self) -> Fact:
        """The fact, but for what ``among`` says of it."""
        return self.fact if self.apart not in (None, "kind") else self.fact.model_copy(update={"kind": None})

    @property
    def needs(self) -> list[Need]:
        made = []
        for name in self.how.needs:
            if not STATISTICS[name].of_column:
                made.append(Need(name, None, self.gap if name == "episodes" else None))
            elif self.column is not None:
                made.append(Need(name, self.column))
        return made

    @property
    def tallied_by(self) -> tuple[str, str | None]:
        """What one query, or those of either end, can answer together."""
        query, column = self.needs[0].query
        return "ends" if query in ("firsts", "lasts") else query, column

    def starts(self, as_of: dt.date) -> tuple[dt.date, ...]:
        """The first day of its window and, if that is compared with an earlier one, of both together."""
        start = self.last.before(as_of)
        return (start,) if self.than is None else (start, self.than.before(start))


# ---------------------------------------------------------------- facts

QUERIES: dict[str, Callable[[Keyed, str], Tally]] = {
    "firsts": partial(queries.ends, latest=False),
    "lasts": partial(queries.ends, latest=True),
    "values": queries.values,
    "days": lambda rows, column: queries.event_days(rows),
}
Answers = dict[tuple[str, str | None], Tally]


def taken_of_facts(asked: Sequence[Asked], tables: Tables, members: Members) -> dict[str, pl.Series]:
    """Each thing asked for, by name, in the order of the cohort's rows: Float64, or String if it was taken of text.

    Whoever the source does not cover looks as if nothing had happened to them.

    Raises
    ------
    DataError
        if numbers are too large to be summed exactly.
    """
    taken: dict[str, pl.Series] = {}
    for batch in _batches(asked):
        parts = [members]
        if not tables[batch[0].fact.source].engine.in_memory:
            # Where facts do not fit into memory, what they are tallied to may not either.
            parts = members.by_people(membership.BLOCK)
        # A condition that compares with the as-of date picks other rows on each date.
        if any("as_of" in condition.asked.values() for condition in batch[0].rows.where.values()):
            parts = [on_date for part in parts for on_date in part.by_date()]
        pieces: dict[str, list[pl.Series]] = {one.name: [] for one in batch}
        for part in parts:
            for series in _Pass.over(batch, tables, part).finished():
                pieces[series.name].append(series)
        order = np.argsort(np.concatenate([part.rows for part in parts]))
        for name, several in pieces.items():
            taken[name] = several[0] if len(several) == 1 else pl.concat(several, rechunk=True).gather(order)
            several.clear()
    return taken


def _batches(asked: Sequence[Asked]) -> list[list[Asked]]:
    """Those together that one query can answer: of the same rows, told apart by the same column."""
    batches: dict[tuple[Any, ...], list[Asked]] = {}
    for one in sorted(asked, key=lambda one: one.apart is None):
        rows = one.rows.model_dump_json(), one.tallied_by
        # Whoever asks for all rows may join those who tell kinds apart.
        joins = one.apart is None and (*rows, "kind") in batches
        batches.setdefault((*rows, "kind" if joins else one.apart), []).append(one)
    return list(batches.values())


@dataclass(frozen=True)
class _Pass:
    """A batch for some cohort rows: what its facts were tallied to."""

    batch: list[Asked]
    members: Members
    calendar: Calendar
    cells: Cells
    answers: Answers

    @classmethod
    def over(cls, batch: list[Asked], tables: Tables, members: Members) -> _Pass:
        dates = members.dates
        starts = {start for one in batch for day in dates for start in one.starts(day)}
        values = tuple(dict.fromkeys(value for one in batch for value in one.among or ()))
        rest = not values or any(one.among is None for one in batch)
        cells, calendar = Cells(batch[0].apart, values, rest), Calendar.of(dates, starts)
        needs = list(dict.fromkeys(need for one in batch for need in one.needs))
        table = tables[batch[0].fact.source]
        facts = facts_in(tables, batch[0].rows, Window(dates[-1], min(starts), dates[-1], dates[-1]))
        columns = sorted({need.column for need in needs if need.column})
        rows = queries.keyed(facts, columns, members.population, cells, calendar, table.engine)
        if batch[0].tallied_by[0] == "sums":
            answers: Answers = {("sums", None): _summed(facts, rows, needs, table.name)}
        else:
            answers = {query: QUERIES[query[0]](rows, str(query[1])) for query in {need.query for need in needs}}
        return cls(batch, members, calendar, cells, answers)

    def finished(self) -> Iterator[pl.Series]:
        alike: dict[tuple[int, ...], list[Asked]] = {}
        for one in self.batch:
            alike.setdefault(self.cells.of(one.among), []).append(one)
        for cells, asked in alike.items():
            numbers = [np.full(len(self.members.codes), np.nan) for _ in asked]
            for block in range(self.members.population.blocks):
                self._fill(numbers, asked, cells, block)
            for one in asked:
                # Of text only which value it is can be told as text; how many there were is a number.
                yield as_series(one.name, numbers.pop(0), self._words(one) if one.how.gives_a_value else None)

    def _words(self, one: Asked) -> pl.Series | None:
        """The words whose positions its numbers are. Each query has its own: an engine may let only some rows out."""
        held = (self.answers[need.query].words for need in one.needs)
        return next((words for words in held if words is not None), None)

    def _fill(self, numbers: list[Array], asked: list[Asked], cells: tuple[int, ...], block: int) -> None:
        """Everything that is asked of the same cells, of one block: the dates come by one after another."""
        rows = {query: tally.rows(cells, block) for query, tally in self.answers.items()}
        states: dict[Need, State] = {}
        for need in dict.fromkeys(need for one in asked for need in one.needs):
            # Where every number is whole, there is no rest: it was not tallied.
            if need.query[0] != "sums" or need.label in self.answers[need.query].columns:
                more = {"gap": need.gap} if need.gap else {}
                states[need] = STATISTICS[need.statistic].state(rows[need.query], need.label, **more)
        of_each = [{need.statistic: states[need] for need in one.needs if need in states} for one in asked]
        for place, as_of in enumerate(self.calendar.dates):
            for state in states.values():
                state.see(place)
            where, places = self.members.on(as_of, block)
            spans = [[Span(day, self.calendar.first_of(day), as_of) for day in one.starts(as_of)] for one in asked]
            firsts = sorted({span.first for several in spans for span in several}, reverse=True)
            for state in states.values():
                state.fold(firsts, self.calendar.top_of(as_of))
            for one, column, theirs, (window, *earlier) in zip(asked, numbers, of_each, spans, strict=True):
                seen = Seen(theirs, window, *earlier)
                column[where] = one.how.finish(seen)[places]


def _summed(facts: nw.LazyFrame[Any], rows: Keyed, needs: list[Need], source: str) -> Tally:
    summed = {need.column: False for need in needs if need.statistic == "whole" and need.column}
    summed |= {need.column: True for need in needs if need.statistic == "day_whole" and need.column}
    whole, check = _exactly(facts, summed, source)
    made: dict[str, tuple[nw.Expr | None, str]] = {}
    for need in needs + [Need("recorded", column) for column in check]:
        statistic, value = STATISTICS[need.statistic], nw.col(need.column or "event_date")
        if not (statistic.of_fractions and need.column in whole):
            of_row = statistic.of_row(value, nw.col("event_date")) if statistic.of_row else None
            made[need.label] = of_row, statistic.fold
    tally = queries.sums(rows, made)
    for column, most in check.items():
        if most * tally.most_of_one(Need("recorded", column).label) >= LARGEST:
            raise _too_large(source, column)
    return tally


def _exactly(facts: nw.LazyFrame[Any], summed: dict[str, bool], source: str) -> tuple[set[str], dict[str, float]]:
    """Which of these columns hold whole numbers only; and whose sums might leave 64 bits, with their largest step.

    ``summed``: whether a column is also multiplied by days.
    """
    if not summed:
        return set(), {}
    asked = [nw.len().alias("rows")]
    for place, column in enumerate(summed):
        value = nw.col(column)
        asked += [value.abs().max().alias(f"most_{place}"), (value - value.floor()).max().alias(f"rest_{place}")]
    found = facts.select(*asked).collect().to_polars().row(0, named=True)
    whole, check = set(), {}
    for place, (column, by_days) in enumerate(summed.items()):
        most = float(found[f"most_{place}"] or 0.0) * (DAYS_OF_THE_CALENDAR if by_days else 1.0)
        if not found[f"rest_{place}"]:
            whole.add(column)
        else:
            most = max(most, 2.0**BITS)
        if most >= LARGEST:
            raise _too_large(source, column)
        if most * found["rows"] >= LARGEST:
            check[column] = most
    return whole, check


def _too_large(source: str, column: str) -> DataError:
    return DataError(
        f"{source}, column {column!r}: its numbers are too large to be summed exactly; store them in larger units, "
        "such as thousands"
    )


# ---------------------------------------------------------------- attributes


def known_then(table: Table, column: str, members: Members) -> pl.Series:
    """An attribute of each cohort row, as known just before its as-of date: Float64 (dates as days) or String."""
    population, dated = members.population, table.is_dated
    rows = table.scan().join(table.engine.scan(population.frame), on="entity_id", how="inner")
    calendar = Calendar(members.dates)
    layout = Layout(1, population.blocks, len(members.dates), 1, population.block)
    seen_from = nw.lit(0, nw.Int64)
    if dated:
        rows = rows.filter(nw.col("known_date") < members.dates[-1])
        seen_from = calendar.seen_from(nw.col("known_date"))
    key = layout.key(nw.lit(0, nw.Int64), seen_from, nw.lit(0, nw.Int64))
    days: list[str] = [name for name in ("event_date", "known_date") if name in rows.collect_schema().names()]
    tally = queries.attributes(Keyed(rows.with_columns(key.alias(KEY)), layout, table.engine), column, days)
    numbers = np.full(len(members.codes), np.nan)
    for block in range(population.blocks):
        held, here = np.full(population.block, -1), tally.rows((0,), block)
        for place, as_of in enumerate(members.dates):
            for span in here.spans[place]:
                np.maximum.at(held, tally.columns["slot"][span], tally.columns["rank"][span])
            where, places = members.on(as_of, block)
            rank = held[places]
            numbers[where[rank >= 0]] = tally.ranked["value"][rank[rank >= 0]]
    return as_series(column, numbers, tally.words)


def as_series(name: str, numbers: Array, words: pl.Series | None) -> pl.Series:
    """NaN becomes null; positions become words."""
    series = pl.Series(name, numbers, dtype=pl.Float64, nan_to_null=True)
    return series if words is None else words.gather(series.cast(pl.UInt32)).alias(name)
