"""What was known of each person before each as-of date, as columns.

Each feature is defined once, in Narwhals, from facts that passed the same window as the cohort did. `AGGREGATIONS` is
the table of what a line may ``take``: to add one, write its function, add its row, and add its name to
`riskmodels.study.AGGREGATIONS`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import polars as pl

from riskmodels.data.cohort import Cohort
from riskmodels.data.predicates import Window, attribute_rows, facts_in
from riskmodels.data.tables import Tables
from riskmodels.errors import StudyError
from riskmodels.study import OF_A_SOURCE, FeatureLine, Period, StudyFile

DAYS_IN_A_YEAR = 365.2425
# Sums are made in whole multiples of 2**-40: an engine adds numbers in no fixed order, and decimals added in another
# order differ in the last bit, which trees and tallies turn into another model. Integers do not.
FIXED_POINT = 2.0**40
SEEN_ON = "__seen_on"
VALUE = "__value"


@dataclass(frozen=True)
class FeatureSpec:
    """One column: what it is made of, and how to say it."""

    name: str
    take: str
    of: str
    last: str
    source: str
    kind: str  # "number" or "category"
    missing: str
    words: str
    high: str | None = None
    low: str | None = None
    value: str | None = None


@dataclass(frozen=True)
class Features:
    """``frame``: entity_id, as_of_date, then a column for each spec: Float64 (numbers) or String (categories)."""

    frame: pl.DataFrame
    specs: tuple[FeatureSpec, ...]

    @property
    def names(self) -> list[str]:
        return [spec.name for spec in self.specs]


# ---------------------------------------------------------------- the aggregations
# Each takes facts of one window with entity_id, event_date, known_date and VALUE, and gives entity_id and VALUE.

Facts = nw.LazyFrame[Any]


def _grouped(expression: Callable[[nw.Expr], nw.Expr]) -> Callable[[Facts, dt.date], Facts]:
    def take(facts: Facts, as_of: dt.date) -> Facts:
        return facts.group_by("entity_id").agg(expression(nw.col(VALUE)).alias(VALUE))

    return take


def _exact(value: nw.Expr) -> nw.Expr:
    return (value * FIXED_POINT).round(0).cast(nw.Int128)


def _back(total: nw.Expr) -> nw.Expr:
    return total.cast(nw.Float64) * (1 / FIXED_POINT)


def _sum(facts: Facts, as_of: dt.date) -> Facts:
    sums = facts.with_columns(_exact(nw.col(VALUE)).alias(VALUE)).group_by("entity_id").agg(nw.col(VALUE).sum())
    return sums.select("entity_id", _back(nw.col(VALUE)).alias(VALUE))


def _mean(facts: Facts, as_of: dt.date) -> Facts:
    rows = facts.filter(~nw.col(VALUE).is_null()).with_columns(_exact(nw.col(VALUE)).alias(VALUE))
    sums = rows.group_by("entity_id").agg(nw.col(VALUE).sum(), nw.len().cast(nw.Float64).alias("__n"))
    return sums.select("entity_id", (_back(nw.col(VALUE)) / nw.col("__n")).alias(VALUE))


def _count(facts: Facts, as_of: dt.date) -> Facts:
    return facts.group_by("entity_id").agg(nw.len().cast(nw.Float64).alias(VALUE))


def _any(facts: Facts, as_of: dt.date) -> Facts:
    return facts.select("entity_id").unique().with_columns(nw.lit(1.0).alias(VALUE))


def _days_before(as_of: dt.date, day: nw.Expr) -> nw.Expr:
    """Whole days, divided as integers: the engine's division of floats by a constant may differ in its last bit."""
    return (nw.lit(as_of) - day).dt.total_minutes() // (24 * 60)


def _days_since(facts: Facts, as_of: dt.date, *, first: bool) -> Facts:
    day = nw.col("event_date").min() if first else nw.col("event_date").max()
    seen = facts.group_by("entity_id").agg(day.alias(SEEN_ON))
    return seen.select("entity_id", _days_before(as_of, nw.col(SEEN_ON)).cast(nw.Float64).alias(VALUE))


def _one_end(facts: Facts, *, latest: bool) -> Facts:
    """The value on the first or latest day; two on one day are settled by when they became known, then by value."""
    rows = facts.filter(~nw.col(VALUE).is_null())
    return rows.unique(
        subset=["entity_id"], keep="last" if latest else "first", order_by=["event_date", "known_date", VALUE]
    )


def _latest(facts: Facts, as_of: dt.date) -> Facts:
    return _one_end(facts, latest=True).select("entity_id", VALUE)


def _first(facts: Facts, as_of: dt.date) -> Facts:
    return _one_end(facts, latest=False).select("entity_id", VALUE)


def _change(facts: Facts, as_of: dt.date) -> Facts:
    """Latest minus first in the window; missing unless they fall on different days."""
    first = _one_end(facts, latest=False).select(
        "entity_id", nw.col("event_date").alias("__day"), nw.col(VALUE).alias("__first")
    )
    both = (
        _one_end(facts, latest=True)
        .join(first, on="entity_id", how="inner")
        .filter(nw.col("event_date") > nw.col("__day"))
    )
    return both.select("entity_id", (nw.col(VALUE) - nw.col("__first")).alias(VALUE))


def _trend(facts: Facts, as_of: dt.date) -> Facts:
    """Least-squares slope a year; missing unless there are two different days."""
    day = (-_days_before(as_of, nw.col("event_date"))).cast(nw.Int128)
    rows = facts.filter(~nw.col(VALUE).is_null()).with_columns(day.alias("__t"), _exact(nw.col(VALUE)).alias(VALUE))
    sums = (
        rows.with_columns((nw.col("__t") * nw.col(VALUE)).alias("__tx"), (nw.col("__t") * nw.col("__t")).alias("__tt"))
        .group_by("entity_id")
        .agg(
            nw.len().cast(nw.Int128).alias("__n"),
            nw.col("__t").sum(),
            nw.col(VALUE).sum(),
            nw.col("__tx").sum(),
            nw.col("__tt").sum(),
            (nw.col("__t").max() - nw.col("__t").min()).alias("__spread"),
        )
        .filter(nw.col("__spread") > 0)
    )
    shared = nw.col("__n") * nw.col("__tx") - nw.col("__t") * nw.col(VALUE)
    spread = nw.col("__n") * nw.col("__tt") - nw.col("__t") * nw.col("__t")
    slope = _back(shared) / spread.cast(nw.Float64)
    return sums.select("entity_id", (slope * DAYS_IN_A_YEAR).alias(VALUE))


AGGREGATIONS: dict[str, Callable[[Facts, dt.date], Facts]] = {
    "count": _count,
    "any": _any,
    "sum": _sum,
    "mean": _mean,
    "min": _grouped(lambda value: value.min()),
    "max": _grouped(lambda value: value.max()),
    "latest": _latest,
    "first": _first,
    "change": _change,
    "trend": _trend,
    "days_since_first": lambda facts, as_of: _days_since(facts, as_of, first=True),
    "days_since_last": lambda facts, as_of: _days_since(facts, as_of, first=False),
}
# Where there is no fact, there is no missing value but a plain nought.
NOUGHT_WHEN_NOTHING = ("count", "any", "sum")


# ---------------------------------------------------------------- the matrix


def plan_features(tables: Tables, study: StudyFile) -> tuple[FeatureSpec, ...]:
    """The columns that the study's feature lines make, in their order."""
    return tuple(
        _spec(column.name, column.take, str(column.last), line, tables, study)
        for line in study.features
        for column in line.columns
    )


def _spec(name: str, take: str, last: str, line: FeatureLine, tables: Tables, study: StudyFile) -> FeatureSpec:
    source = study.source_of(take, line.of)
    column = line.of.partition(".")[2]
    kind = "number"
    if take in ("latest", "first", "attribute"):
        held = tables[source].frame.schema[column]
        if held == pl.Date:
            raise StudyError(f"features ({line.name}).of: {line.of} holds dates; take age, or days since a fact")
        kind = "category" if held == pl.String else "number"
    words = line.words
    if len(line.take) > 1:
        words += f" ({take.replace('_', ' ')})"
    if len(line.last) > 1 and take not in OF_A_SOURCE:
        words += f", {'at any time' if last == 'ever' else f'last {last}'}"
    return FeatureSpec(name, take, line.of, last, source, kind, line.missing, words, line.high, line.low, line.value)


def build_features(cohort: Cohort, tables: Tables, study: StudyFile) -> Features:
    """Every feature of every cohort row, from facts with event_date and known_date before its as-of date.

    Returns
    -------
    Features
        ``frame`` has the cohort's rows in the cohort's order.
    """
    specs = plan_features(tables, study)
    frames = []
    for (as_of,), rows in cohort.rows.group_by(["as_of_date"], maintain_order=True):
        assert isinstance(as_of, dt.date)
        frames.append(_one_date(rows.select("entity_id", "as_of_date"), as_of, specs, tables, study))
    return Features(pl.concat(frames), specs)


def _one_date(
    rows: pl.DataFrame, as_of: dt.date, specs: tuple[FeatureSpec, ...], tables: Tables, study: StudyFile
) -> pl.DataFrame:
    plans = [_column(spec, Window.before(as_of, Period.parse(spec.last)), tables, study) for spec in specs]
    # Collected together, so that the engine shares the scans.
    found = pl.collect_all([plan.to_native() for plan in plans])
    for spec, values in zip(specs, found, strict=True):
        column = pl.col(VALUE).cast(pl.String if spec.kind == "category" else pl.Float64)
        if spec.kind == "number" and (spec.take in NOUGHT_WHEN_NOTHING or spec.missing == "zero"):
            column = column.fill_null(0.0)
        rows = rows.join(values, on="entity_id", how="left", maintain_order="left")
        rows = rows.with_columns(column.alias(spec.name)).drop(VALUE)
    return rows


def _column(spec: FeatureSpec, window: Window, tables: Tables, study: StudyFile) -> nw.LazyFrame[Any]:
    head, _, column = spec.of.partition(".")
    if spec.take in OF_A_SOURCE:
        found = attribute_rows(tables, spec.of, window.as_of)
        if spec.take == "age":
            years = _days_before(window.as_of, nw.col("value")) * (1 / DAYS_IN_A_YEAR)
            return found.select("entity_id", years.alias(VALUE))
        return found.select("entity_id", nw.col("value").alias(VALUE))
    facts = facts_in(tables, study.facts[head], window)
    value = nw.col(column) if column else nw.lit(1.0)
    facts = facts.select("entity_id", "event_date", "known_date", value.alias(VALUE))
    return AGGREGATIONS[spec.take](facts, window.as_of)
