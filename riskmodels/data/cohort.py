"""Who is in the cohort on each as-of date, and whom each step dropped."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import narwhals as nw
import polars as pl

from riskmodels.data.predicates import Window, attribute_rows, holds
from riskmodels.data.tables import Table, Tables
from riskmodels.errors import DataError, StudyError
from riskmodels.study import StudyFile

ALONE = "alone: "  # before the id of somebody without a cluster: the id may be that of somebody else's
DROPPED = {"entity_id": pl.String, "as_of_date": pl.Date, "step": pl.Int16}


@dataclass(frozen=True)
class Cohort:
    """``rows``: entity_id, as_of_date, cluster_id. ``attrition``: as_of_date, step, dropped, remaining.

    ``dropped``: entity_id, as_of_date and step, the place (from 1) of the step that dropped them. All three depend only
    on what was known before each as-of date.
    """

    rows: pl.DataFrame
    attrition: pl.DataFrame
    dropped: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=DROPPED))


def build_cohort(
    tables: Tables, study: StudyFile, dates: Iterable[dt.date] | None = None, *, allow_empty: bool = False
) -> Cohort:
    """The cohort on each as-of date (the study's, unless ``dates`` are given).

    Raises
    ------
    DataError
        if nobody is left on a date, naming the date and the step that dropped the last, unless ``allow_empty``.
    """
    everybody = _first_known(tables, study)
    frames, attrition, gone = [], [], []
    for as_of in dates if dates is not None else study.cohort.dates:
        rows = everybody.filter(pl.col("since") < as_of).select("entity_id")
        steps: list[dict[str, Any]] = [{"step": "in the extract", "dropped": 0, "remaining": rows.height}]
        if rows.height == 0 and not allow_empty:
            raise DataError(f"cohort: no fact is known before {as_of}; check as_of_dates and the sources' dates")
        for place, step in enumerate(study.cohort.steps, start=1):
            predicate = step.keep if step.keep is not None else step.drop
            true = holds(predicate, rows, tables, study, Window.before(as_of))
            kept = true if step.keep is not None else ~true
            leaving = rows.filter(~kept).select("entity_id", pl.lit(as_of).alias("as_of_date"))
            gone.append(leaving.with_columns(pl.lit(place, dtype=pl.Int16).alias("step")))
            rows = rows.filter(kept)
            steps.append({"step": step.step, "dropped": leaving.height, "remaining": rows.height})
            if rows.height == 0 and not allow_empty:
                raise DataError(
                    f"cohort: nobody is left on {as_of} after the step {step.step!r}; check its facts and dates"
                )
        frames.append(_with_cluster(rows, tables, study, as_of))
        attrition += [{"as_of_date": as_of, **line} for line in steps]
    return Cohort(pl.concat(frames), pl.DataFrame(attrition), pl.concat([pl.DataFrame(schema=DROPPED), *gone]))


def check_capacity(cohort: Cohort, study: StudyFile) -> None:
    """There must be fewer places than people on every date. Raises StudyError."""
    for day, size in cohort.rows["as_of_date"].value_counts().sort("as_of_date").iter_rows():
        try:
            study.capacity.of(size)
        except StudyError as error:
            raise StudyError(f"{error} (cohort of {day})") from None


def who_there_is(tables: Tables, study: StudyFile) -> list[Table]:
    """The tables that say who there is: of the study's own level, for the model, and not mere lists of matches.

    Where some of them hold one row for each and no dates, those alone.
    """
    matches = {source.link.through for source in study.sources.values() if source.link}
    ours = [
        table
        for name, table in tables.tables.items()
        if table.source.use == "model" and study.level_of(name) == study.level and name not in matches
    ]
    return [table for table in ours if not table.is_dated] or ours


def _first_known(tables: Tables, study: StudyFile) -> pl.DataFrame:
    """Everybody there is, sorted: entity_id and since, the first day on which any table had told us of them.

    A table without dates told us of everybody at once, or when they consented to it.
    """
    frames = []
    for table in who_there_is(tables, study):
        if table.is_dated:
            first = table.scan().group_by("entity_id").agg(nw.col("known_date").min().alias("since")).collect()
            frames.append(first.to_polars())
        elif table.covered is not None:
            ids = table.frame.select("entity_id").join(table.covered, on="entity_id")
            frames.append(ids.rename({"from_date": "since"}))
        else:
            frames.append(table.frame.select("entity_id", pl.lit(dt.date.min).alias("since")))
    rows = pl.concat([frame.select("entity_id", pl.col("since").cast(pl.Date)) for frame in frames])
    return rows.group_by("entity_id").agg(pl.col("since").min()).sort("entity_id")


def _with_cluster(rows: pl.DataFrame, tables: Tables, study: StudyFile, as_of: dt.date) -> pl.DataFrame:
    cluster = pl.col("entity_id")
    if study.cohort.cluster:
        found = attribute_rows(tables, study.cohort.cluster, as_of).collect().to_polars()
        rows = rows.join(found, on="entity_id", how="left", maintain_order="left")
        # Somebody without a cluster is a cluster of one.
        cluster = pl.coalesce(pl.col("value").cast(pl.String), pl.concat_str(pl.lit(ALONE), "entity_id"))
    return rows.select("entity_id", pl.lit(as_of).alias("as_of_date"), cluster.alias("cluster_id"))
