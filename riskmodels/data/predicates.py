"""True or false of a person on a day: the small grammar that cohort and outcome are written in.

Written once in Narwhals, so that any engine it speaks to can run it. `Window` is what makes it time-correct: every fact
that a predicate sees has passed through `facts_in`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import polars as pl

from riskmodels.data.tables import Tables
from riskmodels.study import (
    Age,
    AllOf,
    AnyFact,
    AnyOf,
    Attribute,
    Condition,
    CountFact,
    Fact,
    FollowedUntil,
    NoFact,
    Not,
    Period,
    StudyFile,
    fact_word,
)


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
    frame = nw.from_native(tables[fact.source].frame.lazy())
    seen = (
        (nw.col("event_date") >= window.start)
        & (nw.col("event_date") < window.end)
        & (nw.col("known_date") < window.known_by)
    )
    if fact.kind:
        seen = seen & nw.col("kind").is_in(list(fact.kind))
    for column, condition in fact.where.items():
        seen = seen & compare(nw.col(column), condition, window.as_of)
    return frame.filter(seen)


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
    """entity_id and ``value``: a person's attribute as it was known just before ``known_by``."""
    source, _, name = column.partition(".")
    table = tables[source]
    frame = nw.from_native(table.frame.lazy())
    if "known_date" in table.frame.columns:
        frame = frame.filter(nw.col("known_date") < known_by)
        order = ["event_date", "known_date", name] if table.is_facts else ["known_date", name]
        frame = frame.unique(subset=["entity_id"], keep="last", order_by=order)
    return frame.select("entity_id", nw.col(name).alias("value"))


def holds(predicate: Any, rows: pl.DataFrame, tables: Tables, study: StudyFile, window: Window) -> pl.Series:
    """Whether ``predicate`` is true of each row (all of one as-of date). Boolean, never null.

    Parameters
    ----------
    rows : frame with entity_id, one row each
    window : the facts that may be seen; a predicate's own ``last`` narrows it from the end
    """
    if isinstance(predicate, (AllOf, AnyOf)):
        inner = predicate.all_of if isinstance(predicate, AllOf) else predicate.any_of
        parts = [holds(part, rows, tables, study, window) for part in inner]
        result = parts[0]
        for part in parts[1:]:
            result = result & part if isinstance(predicate, AllOf) else result | part
        return result
    if isinstance(predicate, Not):
        return ~holds(predicate.not_, rows, tables, study, window)
    if isinstance(predicate, (AnyFact, NoFact, CountFact)):
        counts = _counts(predicate, rows, tables, study, window)
        if isinstance(predicate, AnyFact):
            return counts > 0
        if isinstance(predicate, NoFact):
            return counts == 0
        return _where(pl.DataFrame({"value": counts}), predicate, window.as_of)
    if isinstance(predicate, Attribute):
        return _where(_attribute(rows, tables, predicate.attribute, window.as_of), predicate, window.as_of)
    if isinstance(predicate, Age):
        return _aged(_attribute(rows, tables, predicate.age, window.as_of), predicate, window.as_of)
    if isinstance(predicate, FollowedUntil):
        # Follow-up is a fact about the extract, not about the past: it only ever says whether an outcome was seen.
        until = _attribute(rows, tables, predicate.followed_until, window.known_by)["value"]
        return (until >= window.end).fill_null(False)
    raise TypeError(f"no rule for {type(predicate).__name__}")


def _counts(
    predicate: AnyFact | NoFact | CountFact, rows: pl.DataFrame, tables: Tables, study: StudyFile, window: Window
) -> pl.Series:
    word = fact_word(predicate)
    if predicate.last is not None:
        start = max(window.start, predicate.last.before(window.end))
        window = Window(window.as_of, start, window.end, window.known_by)
    facts = facts_in(tables, study.facts[str(word)], window)
    counts = facts.group_by("entity_id").agg(nw.len().alias("value"))
    return _beside(rows, counts)["value"].fill_null(0)


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
