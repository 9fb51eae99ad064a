"""Which facts may be seen on a day, and which attributes: what makes every predicate time-correct.

Written once in Narwhals, so that any engine it speaks to can run it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import narwhals as nw
import polars as pl

from riskmodels.data.spans import covered_on
from riskmodels.data.tables import Tables
from riskmodels.study import Condition, Fact, Period


@dataclass(frozen=True)
class Window:
    """Which facts may be seen: event_date in [start, end) and known_date < known_by.

    ``through``: the as-of date itself, and whatever is known by then, is seen too; a ``last`` counts back from it, and
    attributes are those of ``known_by``. Otherwise it counts back from ``end``, and attributes are those of ``as_of``.
    """

    as_of: dt.date
    start: dt.date
    end: dt.date
    known_by: dt.date
    through: bool = False

    @classmethod
    def before(cls, as_of: dt.date, last: Period | None = None) -> Window:
        """The look-back window of an as-of date: nothing in it happened, or became known, on the day or later."""
        return cls(as_of, last.before(as_of) if last else dt.date(1, 1, 1), as_of, as_of)

    @classmethod
    def up_to(cls, day: dt.date) -> Window:
        """All that happened and is known up to a day, the day itself included."""
        after = day + dt.timedelta(days=1)
        return cls(day, dt.date(1, 1, 1), after, after, through=True)

    @classmethod
    def everything(cls, as_of: dt.date) -> Window:
        """All that is recorded, on whatever day; a ``last`` counts back from the as-of date."""
        return cls(as_of, dt.date(1, 1, 1), dt.date.max, dt.date.max, through=True)

    @classmethod
    def horizon(cls, as_of: dt.date, horizon: Period, known_by: dt.date) -> Window:
        return cls(as_of, as_of, horizon.after(as_of), known_by)

    def narrowed(self, last: Period | None) -> Window:
        """What a predicate's own ``last`` leaves of it."""
        if last is None:
            return self
        return replace(self, start=max(self.start, last.before(self.as_of if self.through else self.end)))

    @property
    def attributes_by(self) -> dt.date:
        """The day just before which attributes are asked."""
        return self.known_by if self.through else self.as_of


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
    return undated_rows(undated, fact, window)["entity_id"].unique()


def undated_rows(undated: pl.DataFrame, fact: Fact, window: Window) -> pl.DataFrame:
    """The rows of a fact, of those without one of their dates, that may fall in the window."""
    seen = pl.col("event_date").is_null() | pl.col("event_date").is_between(window.start, window.end, closed="left")
    rows = undated.filter(seen & (pl.col("kind").is_in(list(fact.kind)) if fact.kind else pl.lit(True)))
    for column, condition in fact.where.items():
        rows = nw.from_native(rows).filter(compare(nw.col(column), condition, window.as_of)).to_native()
    return rows


def attribute_rows(tables: Tables, column: str, known_by: dt.date, *, filled: bool = False) -> nw.LazyFrame[Any]:
    """entity_id and ``value``: a person's attribute as it was known just before ``known_by``.

    Nobody stands there of whom the source could not speak by then. ``filled``: rows without a value are passed over,
    so that it is the last one that was recorded.
    """
    source, _, name = column.partition(".")
    table = tables[source]
    frame = table.scan().filter(~nw.col(name).is_null()) if filled else table.scan()
    if table.is_dated:
        frame = frame.filter(nw.col("known_date") < known_by)
        order = ["event_date", "known_date", name] if table.is_facts else ["known_date", name]
        frame = frame.unique(subset=["entity_id"], keep="last", order_by=order)
    found = frame.select("entity_id", nw.col(name).alias("value"))
    if table.covered is None:
        return found
    rows = found.collect().to_polars()
    return nw.from_native(rows.filter(covered_on(table.covered, rows["entity_id"], known_by)).lazy())
