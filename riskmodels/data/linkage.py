"""Of whom each source that is linked, or needs consent, can speak. Not linked is never the same as "no events"."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from riskmodels.data.cohort import Cohort
from riskmodels.data.one_each import count_groups, latest_rows
from riskmodels.data.spans import covered_on
from riskmodels.data.tables import Tables
from riskmodels.study import Source, StudyFile

Row = dict[str, Any]


def linkage(tables: Tables, cohort: Cohort, named: pl.DataFrame, study: StudyFile) -> Iterator[Row]:
    """Of whom each linked or consented source can speak, of people as they last stood in the cohort."""
    for table in (table for table in tables.tables.values() if table.covered is not None):
        rows = latest_rows(
            named.with_columns(
                covered_on(table.covered, cohort.rows["entity_id"], cohort.rows["as_of_date"]).alias("is covered")
            )
        )
        line = {"source": table.name, "how": how_linked(table.source)}
        everybody = {"n": rows.height, "covered": int(rows["is covered"].sum())}
        yield {**line, "attribute": None, "group": None, "reference": False, **everybody}
        for who, counts in count_groups(rows, ["is covered"], study):
            yield {**line, **who, "n": counts["n"], "covered": counts["is covered"]}


def linkage_by_date(tables: Tables, cohort: Cohort) -> Iterator[Row]:
    """Of how many of the cohort each linked or consented source could speak, on each as-of date."""
    for table in (table for table in tables.tables.values() if table.covered is not None):
        rows = cohort.rows.select(
            "as_of_date",
            covered_on(table.covered, cohort.rows["entity_id"], cohort.rows["as_of_date"]).alias("covered"),
        )
        counts = rows.group_by("as_of_date").agg(pl.len().alias("n"), pl.col("covered").sum()).sort("as_of_date")
        yield from ({"source": table.name, **row} for row in counts.to_dicts())


def how_linked(source: Source) -> str:
    """In words, by what a source's people were matched to ours."""
    said = []
    if source.link is not None and source.link.flag is not None:
        said.append(f"matched where {source.link.flag} says so")
    elif source.link is not None:
        accepted = [f"{source.link.status}: {' or '.join(source.link.accept)}"] if source.link.status else []
        if source.link.confidence:
            accepted.append(f"{source.link.confidence}: {source.link.at_least:g} or more")
        said.append(f"matched through {source.link.through}" + (f" ({'; '.join(accepted)})" if accepted else ""))
    if source.consented:
        said.append("with consent")
    return ", ".join(said) or "not linked"
