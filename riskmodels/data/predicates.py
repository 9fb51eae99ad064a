"""True or false of a person on a day: the small grammar that cohort and outcome are written in.

Written once in Narwhals, so that any engine it speaks to can run it. `Window` is what makes it time-correct: every fact
that a predicate sees has passed through `facts_in`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl

from riskmodels.data.spans import covered_on
from riskmodels.data.tables import Table, Tables
from riskmodels.study import (
    Age,
    AllOf,
    AnyFact,
    AnyOf,
    Attribute,
    Condition,
    Fact,
    FirstEver,
    FollowedUntil,
    NoFact,
    Not,
    Period,
    StudyFile,
    fact_word,
)

EPOCH = dt.date(1970, 1, 1).toordinal()


@dataclass(frozen=True)
class Window:
    """Which facts may be seen: event_date in [start, end) and known_date < known_by."""

    as_of: dt.date
    start: dt.date
    end: dt.date
    known_by: dt.date

    @classmethod
    def before(cls, as_of: dt.date, last: Period | None = None) -> Window:
        """The look-back window of an as-of date: nothing in it happened, or became known, on the day or later."""
        return cls(as_of, last.before(as_of) if last else dt.date(1, 1, 1), as_of, as_of)

    @classmethod
    def horizon(cls, as_of: dt.date, horizon: Period, known_by: dt.date) -> Window:
        return cls(as_of, as_of, horizon.after(as_of), known_by)


QUESTIONS: dict[str, Callable[[nw.Expr, Any], nw.Expr]] = {
    "at_most": lambda column, value: column <= value,
    "at_least": lambda column, value: column >= value,
    "below": lambda column, value: column < value,
    "above": lambda column, value: column > value,
    "equals": lambda column, value: column == value,
    "one_of": lambda column, value: column.is_in(list(value)),
    "none_of": lambda column, value: ~column.is_in(list(value)),
}


def compare(column: nw.Expr, condition: Condition, as_of: dt.date) -> nw.Expr:
    """All that a condition asks of a column. Null never satisfies it."""
    result = ~column.is_null()
    for word, asked in condition.asked.items():
        # True and false stand as 1 and 0 in a table.
        value = as_of if asked == "as_of" else float(asked) if isinstance(asked, bool) else asked
        result = result & QUESTIONS[word](column, value)
    return result.fill_null(False)


def facts_in(tables: Tables, fact: Fact, window: Window) -> nw.LazyFrame[Any]:
    """The rows of a fact that a window lets through."""
    seen = (nw.col("event_date") < window.end) & (nw.col("known_date") < window.known_by)
    if window.start > dt.date.min:  # which is not a date on every engine
        seen = seen & (nw.col("event_date") >= window.start)
    if fact.kind:
        seen = seen & nw.col("kind").is_in(list(fact.kind))
    for column, condition in fact.where.items():
        seen = seen & compare(nw.col(column), condition, window.as_of)
    return tables[fact.source].scan().filter(seen)


def undated_in(tables: Tables, fact: Fact, window: Window) -> pl.Series:
    """Ids of people with a row of this fact that may fall in the window, but lacks a date that would tell."""
    undated = tables[fact.source].undated
    if undated is None:
        return pl.Series("entity_id", [], dtype=pl.String)
    seen = pl.col("event_date").is_null() | pl.col("event_date").is_between(window.start, window.end, closed="left")
    rows = undated.filter(seen & (pl.col("kind").is_in(list(fact.kind)) if fact.kind else pl.lit(True)))
    for column, condition in fact.where.items():
        rows = nw.from_native(rows).filter(compare(nw.col(column), condition, window.as_of)).to_native()
    return rows["entity_id"].unique()


def attribute_rows(tables: Tables, column: str, known_by: dt.date) -> nw.LazyFrame[Any]:
    """entity_id and ``value``: a person's attribute as it was known just before ``known_by``.

    Nobody stands there of whom the source could not speak by then.
    """
    source, _, name = column.partition(".")
    table = tables[source]
    frame = table.scan()
    if table.is_dated:
        frame = frame.filter(nw.col("known_date") < known_by)
        order = ["event_date", "known_date", name] if table.is_facts else ["known_date", name]
        frame = frame.unique(subset=["entity_id"], keep="last", order_by=order)
    found = frame.select("entity_id", nw.col(name).alias("value"))
    if table.covered is None:
        return found
    rows = found.collect().to_polars()
    return nw.from_native(rows.filter(covered_on(table.covered, rows["entity_id"], known_by)).lazy())


# ---------------------------------------------------------------- predicates


def holds(predicate: Any, rows: pl.DataFrame, tables: Tables, study: StudyFile, window: Window) -> pl.Series:
    """Whether ``predicate`` is true of each row (all of one as-of date). Boolean, never null.

    It is true only if the records say so. Of somebody whom a source does not cover they say nothing: neither that a
    fact of it happened nor that none did, and so not the contrary of either.

    Parameters
    ----------
    rows : frame with entity_id, one row each
    window : the facts that may be seen; a predicate's own ``last`` narrows it from the end
    """
    return _truth(predicate, rows, tables, study, window).fill_null(False)


def _truth(predicate: Any, rows: pl.DataFrame, tables: Tables, study: StudyFile, window: Window) -> pl.Series:
    """True, false, or null where a source that does not cover somebody would have to say."""
    if isinstance(predicate, (AllOf, AnyOf)):
        inner = predicate.all_of if isinstance(predicate, AllOf) else predicate.any_of
        parts = [_truth(part, rows, tables, study, window) for part in inner]
        result = parts[0]
        for part in parts[1:]:
            result = result & part if isinstance(predicate, AllOf) else result | part
        return result
    if isinstance(predicate, Not):
        return ~_truth(predicate.not_, rows, tables, study, window)
    word = fact_word(predicate)
    if word is not None:
        fact = study.facts[word]
        if getattr(predicate, "last", None) is not None:
            window = replace(window, start=max(window.start, predicate.last.before(window.end)))
        counts = _counts(fact, rows, tables, window)
        if isinstance(predicate, AnyFact):
            result = counts > 0
        elif isinstance(predicate, NoFact):
            result = counts == 0
        elif isinstance(predicate, FirstEver):
            before = replace(window, start=dt.date.min, end=window.start)
            result = (counts > 0) & (_counts(fact, rows, tables, before) == 0)
        else:
            result = _where(pl.DataFrame({"value": counts}), predicate, window.as_of)
        return _if_covered(result, rows, tables[fact.source], window.as_of)
    if isinstance(predicate, Attribute):
        result = _where(_attribute(rows, tables, predicate.attribute, window.as_of), predicate, window.as_of)
        return _if_covered(result, rows, tables[predicate.attribute.partition(".")[0]], window.as_of)
    if isinstance(predicate, Age):
        result = _aged(_attribute(rows, tables, predicate.age, window.as_of), predicate, window.as_of)
        return _if_covered(result, rows, tables[predicate.age.partition(".")[0]], window.as_of)
    if isinstance(predicate, FollowedUntil):
        # Follow-up is a fact about the extract, not about the past: it only ever says whether an outcome was seen.
        until = _attribute(rows, tables, predicate.followed_until, window.known_by)["value"]
        return (until >= window.end).fill_null(False)
    raise TypeError(f"no rule for {type(predicate).__name__}")


def _if_covered(result: pl.Series, rows: pl.DataFrame, table: Table, as_of: dt.date) -> pl.Series:
    if table.covered is None:
        return result
    return result.zip_with(covered_on(table.covered, rows["entity_id"], as_of), pl.Series([None], dtype=pl.Boolean))


def _counts(fact: Fact, rows: pl.DataFrame, tables: Tables, window: Window) -> pl.Series:
    """How many rows of a fact a window lets through, for each person."""
    if window.start >= window.end:
        return pl.repeat(0, rows.height, dtype=pl.Int64, eager=True)
    bound = any("as_of" in condition.asked.values() for condition in fact.where.values())
    if tables[fact.source].engine.in_memory and not bound:
        return _Days.of(tables, fact).counts(rows["entity_id"], window)
    found = facts_in(tables, fact, window).group_by("entity_id").agg(nw.len().cast(nw.Int64).alias("value"))
    return _beside(rows, found)["value"].fill_null(0)


@dataclass(frozen=True)
class _Days:
    """When a fact happened to whom, in the order of its days: made once for each table held in memory.

    The cohort and the outcomes ask the same facts again on each date; a window is then a stretch of them.
    """

    people: pl.DataFrame  # entity_id, and its number
    who: np.ndarray
    event: np.ndarray
    known: np.ndarray

    @classmethod
    def of(cls, tables: Tables, fact: Fact) -> _Days:
        made: dict[str, _Days] = vars(tables[fact.source]).setdefault("_days", {})
        name = fact.model_dump_json()
        if name not in made:
            ever = Window(dt.date.max, dt.date.min, dt.date.max, dt.date.max)
            seen = facts_in(tables, fact, ever).select("entity_id", "event_date", "known_date").collect().to_polars()
            people = seen.select(pl.col("entity_id").unique()).with_row_index("number")
            seen = seen.join(people, on="entity_id", how="left").sort("event_date")
            days = (seen[name].to_physical().to_numpy() for name in ("event_date", "known_date"))
            made[name] = cls(people, seen["number"].to_numpy(), *days)
        return made[name]

    def counts(self, ids: pl.Series, window: Window) -> pl.Series:
        start, end, known_by = (day.toordinal() - EPOCH for day in (window.start, window.end, window.known_by))
        stretch = slice(*np.searchsorted(self.event, [start, end]))
        seen = self.who[stretch][self.known[stretch] < known_by]
        counted = self.people.with_columns(pl.Series("value", np.bincount(seen, minlength=self.people.height)))
        found = pl.DataFrame({"entity_id": ids}).join(counted, on="entity_id", how="left", maintain_order="left")
        return found["value"].fill_null(0)


def _attribute(rows: pl.DataFrame, tables: Tables, column: str, known_by: dt.date) -> pl.DataFrame:
    return _beside(rows, attribute_rows(tables, column, known_by))


def _beside(rows: pl.DataFrame, found: nw.LazyFrame[Any]) -> pl.DataFrame:
    """``value`` for each row, in the order of the rows."""
    found_frame = found.collect().to_polars()
    return rows.select("entity_id").join(found_frame, on="entity_id", how="left", maintain_order="left")


def _where(frame: pl.DataFrame, condition: Condition, as_of: dt.date) -> pl.Series:
    return nw.from_native(frame).select(compare(nw.col("value"), condition, as_of)).to_native()["value"]


def _aged(born: pl.DataFrame, condition: Age, as_of: dt.date) -> pl.Series:
    """Age conditions by birthdays: somebody is at least 30 if born on or before this day 30 years ago."""
    result = born["value"].is_not_null()
    for word, years in condition.asked.items():
        day = Period(int(years), "year").before(as_of)
        test = {
            "at_least": born["value"] <= day,
            "below": born["value"] > day,
            "at_most": born["value"] > Period(int(years) + 1, "year").before(as_of),
            "above": born["value"] <= Period(int(years) + 1, "year").before(as_of),
        }[word]
        result = result & test.fill_null(False)
    return result
