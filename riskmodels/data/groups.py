"""Protected characteristics of the cohort, for the audit only: a table apart, never joined to features."""

from __future__ import annotations

import datetime as dt

import polars as pl

from riskmodels.data.features import DAYS_IN_A_YEAR
from riskmodels.data.predicates import attribute_rows
from riskmodels.data.tables import Tables
from riskmodels.study import StudyFile


def build_groups(rows: pl.DataFrame, tables: Tables, study: StudyFile) -> pl.DataFrame:
    """Each protected characteristic as it was known before the as-of date.

    Parameters
    ----------
    rows : frame with entity_id and as_of_date, one row each

    Returns
    -------
    entity_id, as_of_date and one column for each of ``study.protected``: text, or a number where the study names bands.
    Null means not recorded.
    """
    frames = []
    for (as_of,), part in rows.select("entity_id", "as_of_date").group_by(["as_of_date"], maintain_order=True):
        assert isinstance(as_of, dt.date)  # noqa: S101 - the column's type
        for name, spec in study.protected.items():
            found = attribute_rows(tables, spec.column, as_of).collect().to_polars()
            if found.schema["value"] == pl.Date:
                years = (pl.lit(as_of) - pl.col("value")).dt.total_days() / DAYS_IN_A_YEAR
                found = found.with_columns(years.alias("value"))
            kind = pl.Float64 if spec.bands else pl.String
            value = pl.col("value").cast(kind)
            if not spec.bands and found.schema["value"].is_float():
                value = pl.col("value").cast(pl.Int64, strict=False).cast(pl.String)
            part = part.join(found, on="entity_id", how="left", maintain_order="left")
            part = part.with_columns(value.alias(name)).drop("value")
        frames.append(part)
    return pl.concat(frames)
