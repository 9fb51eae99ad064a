"""True or false of a person on a day: the small grammar that cohort and outcome are written in.

Every fact that a predicate sees has passed through a window (`riskmodels.data.facts_seen`), so it is time-correct.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

import narwhals as nw
import numpy as np
import polars as pl

from riskmodels.data.facts_seen import Window, attribute_rows, compare, facts_in, undated_in, undated_rows
from riskmodels.data.spans import covered_on
from riskmodels.data.tables import Table, Tables
from riskmodels.study import (
    Age,
    AllOf,
    AnyOf,
    Attribute,
    Condition,
    CountFact,
    Fact,
    FirstEver,
    FollowedUntil,
    NoFact,
    Not,
    Period,
    StudyFile,
    fact_word,
)

__all__ = ["Undated", "Window", "attribute_rows", "compare", "facts_in", "holds", "undated_in"]

EPOCH = dt.date(1970, 1, 1).toordinal()
# What a row without its dates is taken for: not there; whatever makes a predicate true; whatever makes it false.
Undated = Literal["aside", "may", "sure"]
OTHERWISE: dict[Undated, Undated] = {"aside": "aside", "may": "sure", "sure": "may"}


def holds(
    predicate: Any, rows: pl.DataFrame, tables: Tables, study: StudyFile, window: Window, undated: Undated = "aside"
) -> pl.Series:
    """Whether ``predicate`` is true of each row (all of one as-of date). Boolean, never null.

    It is true only if the records say so. Of somebody whom a source does not cover they say nothing: neither that a
    fact of it happened nor that none did, and so not the contrary of either.

    Parameters
    ----------
    rows : frame with entity_id, one row each
    window : the facts that may be seen; a predicate's own ``last`` narrows it
    undated : what rows without one of their dates are taken for: ``aside`` (not there), ``may`` (it is true if any days
        they may be of would make it so) or ``sure`` (it is true whatever their days)
    """
    return _truth(predicate, rows, tables, study, window, undated).fill_null(False)


def _truth(
    predicate: Any, rows: pl.DataFrame, tables: Tables, study: StudyFile, window: Window, undated: Undated
) -> pl.Series:
    """True, false, or null where a source that does not cover somebody would have to say."""
    if isinstance(predicate, (AllOf, AnyOf)):
        inner = predicate.all_of if isinstance(predicate, AllOf) else predicate.any_of
        parts = [_truth(part, rows, tables, study, window, undated) for part in inner]
        result = parts[0]
        for part in parts[1:]:
            result = result & part if isinstance(predicate, AllOf) else result | part
        return result
    if isinstance(predicate, Not):
        return ~_truth(predicate.not_, rows, tables, study, window, OTHERWISE[undated])
    word = fact_word(predicate)
    if word is not None:
        fact = study.facts[word]
        result = _of_facts(predicate, fact, rows, tables, window.narrowed(getattr(predicate, "last", None)), undated)
        return _if_covered(result, rows, tables[fact.source], window.attributes_by)
    if isinstance(predicate, Attribute):
        return _of_value(
            predicate.attribute, lambda frame: _where(frame, predicate, window.as_of), rows, tables, window, undated
        )
    if isinstance(predicate, Age):
        return _of_value(
            predicate.age, lambda frame: _aged(frame, predicate, window.as_of), rows, tables, window, undated
        )
    if isinstance(predicate, FollowedUntil):
        # Follow-up is a fact about the extract, not about the past: it only ever says whether an outcome was seen.
        until = _attribute(rows, tables, predicate.followed_until, window.known_by)["value"]
        return (until >= window.end).fill_null(False)
    raise TypeError(f"no rule for {type(predicate).__name__}")


def _of_facts(
    predicate: Any, fact: Fact, rows: pl.DataFrame, tables: Tables, window: Window, undated: Undated
) -> pl.Series:
    counts, more = _counted(fact, rows, tables, window, undated)
    if isinstance(predicate, NoFact):
        return _of_counts(lambda count: count == 0, counts, more, (), undated)
    if isinstance(predicate, CountFact):
        turns = [whole(number) for number in predicate.asked.values() for whole in (math.floor, math.ceil)]
        near = {turn + step for turn in turns for step in (-1, 0, 1)}
        return _of_counts(
            lambda count: _where(pl.DataFrame({"value": count}), predicate, window.as_of), counts, more, near, undated
        )
    result = _of_counts(lambda count: count > 0, counts, more, (), undated)
    if isinstance(predicate, FirstEver):
        before = replace(window, start=dt.date.min, end=window.start)
        earlier, more = _counted(fact, rows, tables, before, undated)
        result = result & _of_counts(lambda count: count == 0, earlier, more, (), undated)
    return result


def _of_counts(
    asked: Callable[[pl.Series], pl.Series],
    counts: pl.Series,
    more: pl.Series | None,
    near: Iterable[int],
    undated: Undated,
) -> pl.Series:
    """Whether a count answers: any, or every, number from ``counts`` to ``counts + more`` does.

    ``near``: numbers at which the answer may turn; it is asked there, as far as they lie between, and at both ends.
    """
    result = asked(counts)
    if more is None:
        return result
    least, most = counts.to_numpy(), (counts + more).to_numpy()
    for number in (most, *(np.clip(np.full(len(least), one), least, most) for one in near)):
        there = asked(pl.Series("value", number, dtype=pl.Int64))
        result = result | there if undated == "may" else result & there
    return result


def _counted(
    fact: Fact, rows: pl.DataFrame, tables: Tables, window: Window, undated: Undated
) -> tuple[pl.Series, pl.Series | None]:
    """How many rows of a fact a window lets through for each person, and how many more it may; None where no more.

    Of a row without its event_date that was known in time, a window from the beginning of time says: let through.
    """
    counts, aside = _counts(fact, rows, tables, window), tables[fact.source].undated
    if undated == "aside" or aside is None or not aside.height or window.start >= window.end:
        return counts, None
    known = pl.col("known_date") < window.known_by
    found = undated_rows(aside.filter(pl.col("known_date").is_null() | known), fact, window)
    if not found.height:
        return counts, None
    ever = window.start == dt.date(1, 1, 1) and window.known_by <= window.end
    certain = known.fill_null(False) & pl.lit(ever)
    sums = found.group_by("entity_id").agg(certain.sum().alias("value"), (~certain).sum().alias("more"))
    beside = rows.select("entity_id").join(sums, on="entity_id", how="left", maintain_order="left")
    beside = beside.select(pl.col("value", "more").fill_null(0).cast(pl.Int64))
    return counts + beside["value"], beside["more"]


def _of_value(
    column: str,
    told: Callable[[pl.DataFrame], pl.Series],
    rows: pl.DataFrame,
    tables: Tables,
    window: Window,
    undated: Undated,
) -> pl.Series:
    """Whether an attribute answers; where a row of it has no date, that row may be the one that counts."""
    table, by = tables[column.partition(".")[0]], window.attributes_by
    result = told(_attribute(rows, tables, column, by))
    if undated != "aside" and table.undated is not None and table.undated.height:
        known = pl.col("known_date").is_null() | (pl.col("known_date") < by)
        aside = table.undated.filter(known).select("entity_id", pl.col(column.partition(".")[2]).alias("value"))
        answers = told(aside)
        if undated == "may":
            result = result | rows["entity_id"].is_in(aside["entity_id"].filter(answers).unique().to_list())
        else:
            result = result & ~rows["entity_id"].is_in(aside["entity_id"].filter(~answers).unique().to_list())
    return _if_covered(result, rows, table, by)


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
