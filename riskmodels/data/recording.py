"""When facts happened and how long it took until they were known, as counts of one source."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import narwhals as nw
import polars as pl

from riskmodels.data.tables import MOST_KINDS_SHOWN, Table

MOST_KINDS = 8
OTHER_KINDS = "other kinds"
NO_KIND = "no kind"
MIDDLE, NEARLY_ALL = 0.5, 0.95
Row = dict[str, Any]


def facts_by_month(table: Table) -> Iterator[Row]:
    """Facts of each kind and month of their event, and how many people they are of."""
    day = nw.col("event_date")
    keys = ["kind"] if table.source.kind else []
    rows = table.scan().with_columns(day.dt.year().alias("year"), day.dt.month().alias("month"))
    months = rows.select(*keys, "year", "month", "entity_id").group_by(*keys, "year", "month")
    counts = months.agg(nw.len().alias("facts"), nw.col("entity_id").n_unique().alias("people"))
    found = counts.collect().to_polars()
    month = pl.col("year").cast(pl.String).str.zfill(4) + "-" + pl.col("month").cast(pl.String).str.zfill(2)
    found = found.with_columns(month.alias("month")).drop("year")
    if keys:
        found = _few_kinds(found.with_columns(pl.col("kind").fill_null(NO_KIND)))
    for row in found.sort(*keys, "month").to_dicts():
        yield {
            "source": table.name, "kind": row.get("kind"), "month": row["month"], "facts": int(row["facts"]),
            "people": int(row["people"]),
        }  # fmt: skip


def _few_kinds(found: pl.DataFrame) -> pl.DataFrame:
    """The most frequent kinds by name and the others as one; where there are very many, the column may hold ids."""
    total = pl.col("facts").sum().over("kind")
    often = found.select("kind", total).unique().sort(["facts", "kind"], descending=[True, False])["kind"]
    named = often.head(MOST_KINDS) if often.len() <= MOST_KINDS_SHOWN else often.head(0)
    kind = pl.when(pl.col("kind").is_in(named.implode())).then(pl.col("kind")).otherwise(pl.lit(OTHER_KINDS))
    merged = found.with_columns(kind.alias("kind")).group_by("kind", "month")
    # Somebody may have facts of two rare kinds: there are at least as many people as the fullest has.
    return merged.agg(pl.col("facts").sum(), pl.col("people").max())


def recording_lag(table: Table, months: Sequence[Row]) -> Iterator[Row]:
    """How many days after the event a fact became known, in all and by the quarter of the event."""
    undated = 0 if table.undated is None else table.undated.height
    recorded = table.source.known_date is not None
    pairs = table.scan().group_by("event_date", "known_date").agg(nw.len().alias("n")).collect().to_polars()
    day = pl.col("event_date").dt
    counts = pairs.select(
        (day.year().cast(pl.String).str.zfill(4) + " Q" + day.quarter().cast(pl.String)).alias("quarter"),
        (pl.col("known_date") - pl.col("event_date")).dt.total_days().alias("days"),
        "n",
    )
    people = _people_at_least(table.name, months)
    line = {"source": table.name, "known_date_recorded": recorded}
    everything = _lag_of(counts) if recorded else {"n": int(counts["n"].sum()), "median": None, "most": None}
    most_people = max(people.values(), default=0)
    yield {**line, "quarter": None, **everything, "people": most_people, "undated": undated}
    for quarter in counts["quarter"].unique().sort().to_list() if recorded else ():
        of_quarter = counts.filter(pl.col("quarter") == quarter)
        yield {**line, "quarter": quarter, **_lag_of(of_quarter), "people": people[quarter], "undated": None}


def _people_at_least(source: str, months: Sequence[Row]) -> dict[str, int]:
    """As many different people as each quarter's facts are of at the least: its fullest month's."""
    found: dict[str, int] = {}
    for row in months:
        if row["source"] == source:
            year, month = row["month"].split("-")
            quarter = f"{year} Q{(int(month) + 2) // 3}"
            found[quarter] = max(found.get(quarter, 0), row["people"])
    return found


def _lag_of(counts: pl.DataFrame) -> Row:
    days = counts.group_by("days").agg(pl.col("n").sum()).sort("days")
    n = int(days["n"].sum())
    return {"n": n, "median": nearest_rank(days, MIDDLE), "most": nearest_rank(days)}


def nearest_rank(lags: pl.DataFrame, share: float = NEARLY_ALL) -> int | None:
    """The first of the sorted lags that this share of them does not exceed; None if there are none.

    Parameters
    ----------
    lags : days, and n: how many there are of each
    """
    n = int(lags["n"].sum())
    if not n:
        return None
    place = math.ceil(share * n)
    return int(lags.sort("days").filter(pl.col("n").cum_sum() >= place)["days"][0])
