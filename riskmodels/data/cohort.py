"""Who is in the cohort on each as-of date, and whom each step dropped."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import polars as pl

from riskmodels.data.predicates import Window, attribute_rows, holds
from riskmodels.data.tables import Tables
from riskmodels.errors import DataError, StudyError
from riskmodels.study import StudyFile


@dataclass(frozen=True)
class Cohort:
    """``rows``: entity_id, as_of_date, cluster_id. ``attrition``: as_of_date, step, dropped, remaining.

    Both depend only on what was known before each as-of date.
    """

    rows: pl.DataFrame
    attrition: pl.DataFrame


def build_cohort(tables: Tables, study: StudyFile, dates: Iterable[dt.date] | None = None) -> Cohort:
    """The cohort on each as-of date (the study's, unless ``dates`` are given).

    Raises
    ------
    DataError
        if nobody is left on a date, naming the date and the step that dropped the last.
    """
    everybody = _everybody_undated(tables)
    frames, attrition = [], []
    for as_of in dates if dates is not None else study.cohort.dates:
        rows = _universe(tables, everybody, as_of)
        steps: list[dict[str, Any]] = [{"step": "in the extract", "dropped": 0, "remaining": rows.height}]
        for step in study.cohort.steps:
            predicate = step.keep if step.keep is not None else step.drop
            true = holds(predicate, rows, tables, study, Window.before(as_of))
            rows = rows.filter(true if step.keep is not None else ~true)
            steps.append(
                {"step": step.step, "dropped": int(steps[-1]["remaining"]) - rows.height, "remaining": rows.height}
            )
            if rows.height == 0:
                raise DataError(
                    f"cohort: nobody is left on {as_of} after the step {step.step!r}; check its facts and dates"
                )
        frames.append(_with_cluster(rows, tables, study, as_of))
        attrition += [{"as_of_date": as_of, **line} for line in steps]
    return Cohort(pl.concat(frames), pl.DataFrame(attrition))


def check_capacity(cohort: Cohort, study: StudyFile) -> None:
    """There must be fewer places than people on every date. Raises StudyError."""
    for day, size in cohort.rows["as_of_date"].value_counts().sort("as_of_date").iter_rows():
        try:
            study.capacity.of(size)
        except StudyError as error:
            raise StudyError(f"{error} (cohort of {day})") from None


def _everybody_undated(tables: Tables) -> pl.DataFrame | None:
    """Everybody in the tables that hold one row for each, which have no dates to go by."""
    lists = [
        table.frame.select("entity_id")
        for table in tables.tables.values()
        if table.source.use == "model" and "known_date" not in table.frame.columns
    ]
    return pl.concat(lists).unique().sort("entity_id") if lists else None


def _universe(tables: Tables, everybody: pl.DataFrame | None, as_of: dt.date) -> pl.DataFrame:
    if everybody is not None:
        return everybody
    known = [
        table.frame.filter(pl.col("known_date") < as_of).select("entity_id")
        for table in tables.tables.values()
        if table.source.use == "model"
    ]
    rows = pl.concat(known).unique().sort("entity_id")
    if rows.height == 0:
        raise DataError(f"cohort: no fact is known before {as_of}; check as_of_dates and the sources' dates")
    return rows


def _with_cluster(rows: pl.DataFrame, tables: Tables, study: StudyFile, as_of: dt.date) -> pl.DataFrame:
    cluster = pl.col("entity_id")
    if study.cohort.cluster:
        found = attribute_rows(tables, study.cohort.cluster, as_of).collect().to_polars()
        rows = rows.join(found, on="entity_id", how="left", maintain_order="left")
        # Somebody without a cluster is a cluster of one.
        cluster = pl.coalesce(pl.col("value").cast(pl.String), pl.col("entity_id"))
    return rows.select("entity_id", pl.lit(as_of).alias("as_of_date"), cluster.alias("cluster_id"))
