"""A peer of ``features.py``: bare Polars queries for the same columns, for each as-of date.

Two ways, since which is cheaper depends on the data: ``conditional``, one lazy group_by whose aggregates each look at
their own window; and ``windows``, a lazy group_by for each window on the rows inside it, joined.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

DAYS_IN_A_YEAR = 365.2425
Starts = dict[str, dt.date]


def features_alone(asked: dict[str, Any], data: str, how: str, out: str | None = None) -> dict[str, Any]:
    """Reading, cohort and features as a frame."""
    kept = ["entity_id", "event_date", "event_type", "severity", "location", "duration_days"]
    events = pl.read_parquet(Path(data) / "events.parquet", columns=kept)
    people = pl.read_parquet(Path(data) / "people.parquet", columns=["entity_id", "dob", "imd_decile", "sex"])
    frame = pl.concat([one_date(asked, date, people, events, how).collect() for date in asked["dates"]])
    if out:
        frame.write_parquet(out)
    return {"rows": frame.height, "columns": frame.width - 2}


def one_date(
    asked: dict[str, Any], date: dict[str, Any], people: pl.DataFrame, events: pl.DataFrame, how: str
) -> pl.LazyFrame:
    """The query of one date: entity_id, as_of_date and a column for each measure."""
    as_of = dt.date.fromisoformat(date["as_of"])
    starts = {window: dt.date.fromisoformat(start) for window, start in date["starts"].items()}
    cohort_from = dt.date.fromisoformat(date["cohort_from"])
    of_events = [m for m in asked["measures"] if m["window"]]
    past = events.lazy().filter(pl.col("event_date") < as_of)
    found = HOW[how](past, of_events, starts, cohort_from)
    age = (pl.lit(as_of) - pl.col("dob")).dt.total_days() / DAYS_IN_A_YEAR
    return found.join(people.lazy(), on="entity_id").select(
        "entity_id", pl.lit(as_of).alias("as_of_date"), *(m["name"] for m in of_events), age.alias("age"),
        pl.col("imd_decile").cast(pl.Float64), "sex",
    )  # fmt: skip


def _conditional(
    past: pl.LazyFrame, of_events: list[dict[str, Any]], starts: Starts, cohort_from: dt.date
) -> pl.LazyFrame:
    def expression(measure: dict[str, Any]) -> pl.Expr:
        ever = measure["window"] == "ever"
        inside = pl.col("event_date") >= starts[measure["window"]]
        if measure["where"]:
            same = pl.col(measure["where"]) == measure["value"]
            return (same if ever else same & inside).sum()
        if measure["take"] == "count":
            return pl.len() if ever else inside.sum()
        value = pl.col(measure["column"])
        return getattr(value if ever else pl.when(inside).then(value), measure["take"])()

    recent = (pl.col("event_date").max() >= cohort_from).alias("__recent")
    columns = [expression(measure).cast(pl.Float64).alias(measure["name"]) for measure in of_events]
    return past.group_by("entity_id").agg(recent, *columns).filter("__recent")


def _windows(past: pl.LazyFrame, of_events: list[dict[str, Any]], starts: Starts, cohort_from: dt.date) -> pl.LazyFrame:
    def expression(measure: dict[str, Any]) -> pl.Expr:
        if measure["where"]:
            return (pl.col(measure["where"]) == measure["value"]).sum()
        return pl.len() if measure["take"] == "count" else getattr(pl.col(measure["column"]), measure["take"])()

    found = past.filter(pl.col("event_date") >= cohort_from).select("entity_id").unique()
    for window, start in starts.items():
        inside = [measure for measure in of_events if measure["window"] == window]
        some = past.filter(pl.col("event_date") >= start) if window != "ever" else past
        columns = [expression(measure).cast(pl.Float64).alias(measure["name"]) for measure in inside]
        found = found.join(some.group_by("entity_id").agg(*columns), on="entity_id", how="left")
    nought = [measure["name"] for measure in of_events if measure["take"] in ("count", "sum")]
    return found.with_columns(pl.col(nought).fill_null(0.0))


HOW: dict[str, Callable[..., pl.LazyFrame]] = {"conditional": _conditional, "windows": _windows}
