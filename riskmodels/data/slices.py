"""By what the figures are told apart besides time: the study's columns, and of whom each linked source can speak."""

from __future__ import annotations

import datetime as dt

import polars as pl

from riskmodels.data.predicates import attribute_rows
from riskmodels.data.spans import covered_on
from riskmodels.data.tables import Tables
from riskmodels.errors import StudyError
from riskmodels.study import StudyFile

MOST_VALUES = 100
NOT_RECORDED = "not recorded"


def build_slices(rows: pl.DataFrame, tables: Tables, study: StudyFile) -> pl.DataFrame:
    """Labels of cohort rows, as they were known before the as-of date.

    Parameters
    ----------
    rows : frame with entity_id and as_of_date, one row each

    Returns
    -------
    entity_id, as_of_date (in the order of ``rows``), a text column for each of ``study.slices``, and ``source NAME``
    for each source that is linked or needs consent: matched, or not matched.

    Raises
    ------
    StudyError
        if a column holds more than 100 different values.
    """
    keys = rows.select("entity_id", "as_of_date")
    found = keys
    for column in study.slices:
        found = found.with_columns(_labels(keys, column, tables).alias(column))
        values = found[column].n_unique()
        if values > MOST_VALUES:
            raise StudyError(
                f"slices: {column} holds {values} different values, more than {MOST_VALUES} parts tell apart; name a "
                "coarser column"
            )
    for table in tables.tables.values():
        if table.covered is not None:
            covered = covered_on(table.covered, keys["entity_id"], keys["as_of_date"])
            label = pl.when(covered).then(pl.lit("matched")).otherwise(pl.lit("not matched"))
            found = found.with_columns(label.alias(f"source {table.name}"))
    return found


def _labels(keys: pl.DataFrame, column: str, tables: Tables) -> pl.Series:
    parts = []
    numbered = keys.with_row_index("row")
    for (as_of,), part in numbered.group_by(["as_of_date"], maintain_order=True):
        assert isinstance(as_of, dt.date)
        values = attribute_rows(tables, column, as_of).collect().to_polars()
        label = pl.col("value").cast(pl.String).fill_null(NOT_RECORDED)
        parts.append(part.join(values, on="entity_id", how="left", maintain_order="left").select("row", label))
    return pl.concat(parts).sort("row")["value"]
