"""What the card says of one source: how much, from when to when, how late, how whole. Aggregates only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl

from riskmodels.data.columns import KEYS
from riskmodels.data.recording import nearest_rank
from riskmodels.data.tables import Table


def quality_of(table: Table, count: Callable[[str], int]) -> dict[str, object]:
    """One row, worked out where the rows are held.

    Parameters
    ----------
    count : how many ids of the source were unmatched, withheld and so on
    """
    rows, others = table.lazy(), [name for name in table.schema if name not in KEYS]
    asked = [pl.len().alias("rows"), pl.col("entity_id").n_unique().alias("entities")]
    asked += [pl.col(name).null_count().alias(f"missing {name}") for name in others]
    if table.is_facts:
        asked += [pl.col("event_date").min().alias("first_date"), pl.col("event_date").max().alias("last_date")]
    found: dict[str, Any] = rows.select(asked).collect(engine="streaming").row(0, named=True)
    row: dict[str, object] = {"source": table.name, "rows": found["rows"], "entities": found["entities"]}
    row["undated"] = 0 if table.undated is None else table.undated.height
    if table.is_facts:
        row["first_date"], row["last_date"] = str(found["first_date"]), str(found["last_date"])
        row["recording_lag_days_95"] = _lag(rows)
        row["known_date_recorded"] = table.source.known_date is not None
    row["missing"] = {name: round(found[f"missing {name}"] / max(found["rows"], 1), 3) for name in others}
    if table.source.link is not None and table.source.link.through is not None:
        row["ids_not_matched"] = count("unmatched")
        row["matches_without_rows"] = count("matches_without_rows")
        row["ambiguous_rows"] = count("ambiguous_rows")
    if table.covered is not None:
        row["people_not_covered"] = count("withheld")
    return row


def _lag(rows: pl.LazyFrame) -> int | None:
    """Within how many days of the event 95 of 100 facts were recorded."""
    days = (pl.col("known_date") - pl.col("event_date")).dt.total_days()
    counts = rows.group_by(days.alias("days")).agg(pl.len().alias("n"))
    return nearest_rank(counts.collect(engine="streaming"))
