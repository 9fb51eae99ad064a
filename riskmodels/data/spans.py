"""Spans of days: from when until when something held, by what was known on each day.

A span holds on an as-of date if it began before that date and has not ended before it: from_date < date <= until_date,
where no until_date means that it still holds. Somebody may have several spans, which do not touch. What becomes known
on a day only ever ends or begins spans on that day, so that it changes nothing on that date or on earlier ones.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable

import numpy as np
import polars as pl

Span = tuple[str, dt.date, dt.date | None]


def covered_on(
    covered: pl.DataFrame | None, ids: pl.Series, dates: pl.Series | dt.date, through: dt.date | None = None
) -> pl.Series:
    """Whether a source can speak of each person on their date. Boolean, never null.

    Parameters
    ----------
    covered : entity_id, from_date and, where links may end, until_date; None is everybody
    ids, dates : an id and an as-of date for each row, or one date for all
    through : a later day on which the same span must still hold, where what happened until then is asked
    """
    if covered is None:
        return pl.Series([True], dtype=pl.Boolean).new_from_index(0, len(ids))
    rows = pl.DataFrame({"entity_id": ids}).with_row_index("row").with_columns(pl.lit(dates).alias("as_of"))
    last = pl.col("as_of") if through is None else pl.lit(through)
    ended = (pl.col("until_date") < last).fill_null(False)
    found = rows.join(with_ends(covered), on="entity_id", how="inner")
    result = np.zeros(rows.height, dtype=bool)
    result[found.filter((pl.col("from_date") < pl.col("as_of")) & ~ended)["row"].to_numpy()] = True
    return pl.Series(result)


def with_ends(covered: pl.DataFrame) -> pl.DataFrame:
    """entity_id, from_date, until_date: a frame without ends is of spans that still hold."""
    if "until_date" in covered.columns:
        return covered.select("entity_id", "from_date", "until_date")
    return covered.select("entity_id", "from_date", pl.lit(None, dtype=pl.Date).alias("until_date"))


def both(first: pl.DataFrame | None, second: pl.DataFrame | None) -> pl.DataFrame | None:
    """Who is covered by both, and while both hold. None covers everybody."""
    if first is None or second is None:
        return second if first is None else first
    joined = with_ends(first).join(with_ends(second), on="entity_id", how="inner")
    joined = joined.select(
        "entity_id",
        pl.max_horizontal("from_date", "from_date_right").alias("from_date"),
        pl.min_horizontal("until_date", "until_date_right").alias("until_date"),
    )
    lasting = (pl.col("from_date") < pl.col("until_date")).fill_null(True)
    return joined.filter(lasting).sort("entity_id", "from_date")


def spans_of(said: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    """What was said on which days, as spans: from each day on, the latest counts.

    Parameters
    ----------
    said : ``by``, ``on`` (Date) and ``holds`` (Boolean); of a day that says both, what does not hold counts

    Returns
    -------
    ``by``, from_date, until_date (null where it still holds), sorted.
    """
    days = said.group_by(*by, "on").agg(pl.col("holds").all()).sort(*by, "on")
    turns = days.filter(pl.col("holds") != pl.col("holds").shift(1).over(by).fill_null(False))
    ended = turns.with_columns(pl.col("on").shift(-1).over(by).alias("until_date"))
    return ended.filter("holds").select(*by, pl.col("on").alias("from_date"), "until_date")


def stretches(spans: Iterable[Span], say: Callable[[set[str], set[str]], str | None]) -> list[Span]:
    """The spans over which ``say`` gives one answer; None is no answer.

    It is asked on each day on which anything began or ended: of the names that have begun by then, and of those that
    hold.
    """
    spans = list(spans)
    turns = sorted({day for _, first, end in spans for day in (first, end) if day is not None})
    result: list[Span] = []
    now: str | None = None
    for day in turns:
        begun = {name for name, first, _ in spans if first <= day}
        holding = {name for name, first, end in spans if first <= day and (end is None or day < end)}
        then = say(begun, holding)
        if then == now:
            continue
        if now is not None:
            result[-1] = (*result[-1][:2], day)
        if then is not None:
            result.append((then, day, None))
        now = then
    return result
