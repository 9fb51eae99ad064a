"""What may be taken of the facts in a window.

An aggregation is a row of `AGGREGATIONS`: which statistics it needs, and how it is made of them. A statistic is a row
of `STATISTICS`: what is tallied, and what folds it into windows. To add an aggregation, write its function, add its
row, and add its name to `riskmodels.study.AGGREGATIONS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import narwhals as nw
import numpy as np
import polars as pl

from riskmodels.data.queries import day_number
from riskmodels.data.windows import DAYS_IN_A_YEAR, LATE, Array, Commonest, Different, Ends, Episodes, Grid, Span, State

# Sums are made of whole numbers: the whole part, and the rest in multiples of 2**-40. An engine adds in no fixed order,
# and decimals added in another order differ in the last bit, which trees and tallies turn into another model.
BITS = 40
HALF = 2.0 ** (BITS // 2)

# ---------------------------------------------------------------- statistics


@dataclass(frozen=True)
class Statistic:
    """What is tallied by one of the queries of `riskmodels.data.queries`, and the state that folds it into windows.

    For the query ``sums``, ``of_row`` makes a number of each row's value and event date, and ``fold`` says how those of
    one segment go together. ``of_fractions``: nought, and not tallied, where every number is whole.
    """

    query: str
    state: Callable[..., State]
    of_row: Callable[[nw.Expr, nw.Expr], nw.Expr] | None = None
    fold: str = "sum"
    of_column: bool = True
    of_fractions: bool = False


def _rest(value: nw.Expr) -> nw.Expr:
    """What is left of the whole part, in multiples of 2**-40."""
    return ((value - value.floor()) * 2.0**BITS + 0.5).floor()


def _upper(value: nw.Expr) -> nw.Expr:
    return (_rest(value) / HALF).floor()


def _lower(value: nw.Expr) -> nw.Expr:
    return _rest(value) - _upper(value) * HALF


def _sum(of_row: Callable[[nw.Expr, nw.Expr], nw.Expr], *, of_fractions: bool = False) -> Statistic:
    state = partial(Grid, fold=np.add, empty=0)
    return Statistic("sums", state, of_row, of_fractions=of_fractions)


def _extreme(of_row: Callable[[nw.Expr, nw.Expr], nw.Expr], fold: str, empty: float, *, of_column: bool) -> Statistic:
    ufunc = np.minimum if fold == "min" else np.maximum
    return Statistic("sums", partial(Grid, fold=ufunc, empty=empty), of_row, fold, of_column)


def _int(value: nw.Expr) -> nw.Expr:
    return value.cast(nw.Int64)


STATISTICS: dict[str, Statistic] = {
    "rows": Statistic("sums", partial(Grid, fold=np.add, empty=0), fold="rows", of_column=False),
    "first_day": _extreme(lambda value, day: day, "min", LATE, of_column=False),
    "last_day": _extreme(lambda value, day: day, "max", -1, of_column=False),
    "recorded": _sum(lambda value, day: _int(~value.is_null())),
    "whole": _sum(lambda value, day: _int(value.floor())),
    "rest": _sum(lambda value, day: _int(_rest(value)), of_fractions=True),
    "least": _extreme(lambda value, day: value, "min", np.inf, of_column=True),
    "most": _extreme(lambda value, day: value, "max", -np.inf, of_column=True),
    # Of days and values together; in halves, so that no product leaves 64 bits.
    "day": _sum(lambda value, day: nw.when(~value.is_null()).then(day_number(day))),
    "day_day": _sum(lambda value, day: nw.when(~value.is_null()).then(day_number(day) * day_number(day))),
    "day_whole": _sum(lambda value, day: day_number(day) * _int(value.floor())),
    "day_upper": _sum(lambda value, day: day_number(day) * _int(_upper(value)), of_fractions=True),
    "day_lower": _sum(lambda value, day: day_number(day) * _int(_lower(value)), of_fractions=True),
    "first": Statistic("firsts", partial(Ends, latest=False)),
    "last": Statistic("lasts", partial(Ends, latest=True)),
    "different": Statistic("values", Different),
    "commonest": Statistic("values", Commonest),
    "episodes": Statistic("days", Episodes, of_column=False),
}

# ---------------------------------------------------------------- aggregations


@dataclass(frozen=True)
class Seen:
    """What one feature may see on one as-of date: its statistics over its window, by place.

    ``earlier``: the window that a change of rates compares with, together with the window itself.
    """

    states: Mapping[str, State]
    window: Span
    earlier: Span | None = None

    def __call__(self, statistic: str) -> Array:
        return self.states[statistic].over(self.window)

    @property
    def total(self) -> Array:
        """The exact sum, rounded once."""
        whole = self("whole")
        if "rest" not in self.states:
            return whole.astype(np.float64)
        rest = self("rest")
        return (whole + (rest >> BITS)).astype(np.float64) + (rest & (2**BITS - 1)) * 2.0**-BITS

    def days_before(self, day: Array) -> Array:
        """How many days before the as-of date; NaN where there is no such day."""
        there = (day > 0) & (day < LATE)
        return np.where(there, self.window.end.toordinal() - np.where(there, day, 0), np.nan)


@dataclass(frozen=True)
class Aggregation:
    """How statistics become a feature.

    ``finish`` gives a Float64 for each place, NaN for missing. ``nought``: it is 0, and not missing, where there is no
    fact. ``gives_a_value``: one of those that were recorded, which may be text. ``with_over``: the same is made of what
    stands under ``over``, and this puts the two together.
    """

    needs: tuple[str, ...]
    finish: Callable[[Seen], Array]
    nought: bool = False
    gives_a_value: bool = False
    with_over: Callable[[Array, Array], Array] | None = None


def _rate(count: Array, years: float) -> Array:
    # A window that ends where the calendar does has no length, and nothing lies in it.
    return count / years if years > 0 else np.zeros(len(count))


def _rate_change(seen: Seen) -> Array:
    assert seen.earlier is not None
    now = seen("rows")
    before = seen.states["rows"].over(seen.earlier) - now
    return _rate(now, seen.window.years) - _rate(before, seen.earlier.years - seen.window.years)


def _divided(upper: Array, lower: Array) -> Array:
    """NaN where there is nothing to divide by."""
    return np.divide(upper, lower, out=np.full(len(lower), np.nan), where=np.nan_to_num(lower) != 0)


def _sum_or_count(seen: Seen) -> Array:
    return seen.total if "whole" in seen.states else seen("rows").astype(np.float64)


def _extreme_value(seen: Seen, statistic: str) -> Array:
    value = seen(statistic)
    return np.where(np.isinf(value), np.nan, value)


def _change(seen: Seen) -> Array:
    """Latest minus first in the window; missing unless they fall on different days."""
    last, first = seen("last"), seen("first")
    return np.where(last["day"] > first["day"], last["value"] - first["value"], np.nan)


def _trend(seen: Seen) -> Array:
    """Least-squares slope a year; missing unless there are two different days.

    With n rows of day t and value x: (n sum(tx) - sum(t) sum(x)) / (n sum(tt) - sum(t)^2), in whole numbers.
    """
    names = ("recorded", "whole", "rest", "day", "day_day", "day_whole", "day_upper", "day_lower")
    parts = pl.DataFrame({name: seen(name) for name in names if name in seen.states}).cast(pl.Int128)
    n, t, tt, x, tx = (pl.col(name) for name in ("recorded", "day", "day_day", "whole", "day_whole"))
    one = pl.lit(2**BITS, pl.Int128)
    x, tx = x * one, tx * one
    if "rest" in parts.columns:
        x, tx = x + pl.col("rest"), tx + pl.col("day_upper") * pl.lit(int(HALF), pl.Int128) + pl.col("day_lower")
    exact = parts.select(shared=n * tx - t * x, spread=n * tt - t * t).cast(pl.Float64)
    shared, spread = exact["shared"].to_numpy() * 2.0**-BITS, exact["spread"].to_numpy()
    return _divided(shared, spread) * DAYS_IN_A_YEAR


AGGREGATIONS: dict[str, Aggregation] = {
    "count": Aggregation(("rows",), lambda seen: seen("rows").astype(np.float64), nought=True),
    "any": Aggregation(("rows",), lambda seen: (seen("rows") > 0).astype(np.float64), nought=True),
    "rate": Aggregation(("rows",), lambda seen: _rate(seen("rows"), seen.window.years), nought=True),
    "sum": Aggregation(("whole", "rest"), lambda seen: seen.total, nought=True),
    "mean": Aggregation(("recorded", "whole", "rest"), lambda seen: _divided(seen.total, seen("recorded"))),
    "min": Aggregation(("least",), lambda seen: _extreme_value(seen, "least")),
    "max": Aggregation(("most",), lambda seen: _extreme_value(seen, "most")),
    "distinct": Aggregation(("different",), lambda seen: seen("different").astype(np.float64), nought=True),
    "latest": Aggregation(("last",), lambda seen: seen("last")["value"], gives_a_value=True),
    "first": Aggregation(("first",), lambda seen: seen("first")["value"], gives_a_value=True),
    "mode": Aggregation(("commonest",), lambda seen: seen("commonest"), gives_a_value=True),
    "change": Aggregation(("first", "last"), _change),
    "trend": Aggregation(
        ("recorded", "whole", "rest", "day", "day_day", "day_whole", "day_upper", "day_lower"), _trend
    ),
    "rate_change": Aggregation(("rows",), _rate_change, nought=True),
    "ratio": Aggregation(("rows", "whole", "rest"), _sum_or_count, with_over=_divided),
    "episodes": Aggregation(("episodes",), lambda seen: seen("episodes").astype(np.float64), nought=True),
    "days_since_first": Aggregation(("first_day",), lambda seen: seen.days_before(seen("first_day"))),
    "days_since_last": Aggregation(("last_day",), lambda seen: seen.days_before(seen("last_day"))),
}
# How many days before the as-of date the fact happened whose value is taken. No study asks for it: it is told besides.
DAY_OF_VALUE: dict[str, Aggregation] = {
    "latest": Aggregation(("last",), lambda seen: seen.days_before(seen("last")["day"])),
    "first": Aggregation(("first",), lambda seen: seen.days_before(seen("first")["day"])),
}
# Where there is no fact, there is no missing value but a plain nought.
NOUGHT_WHEN_NOTHING = tuple(take for take, aggregation in AGGREGATIONS.items() if aggregation.nought)
