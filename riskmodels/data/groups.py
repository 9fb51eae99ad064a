"""Protected characteristics of the cohort, for the audit only: a table apart, never joined to features."""

from __future__ import annotations

import datetime as dt

import polars as pl

from riskmodels.data.predicates import attribute_rows
from riskmodels.data.tables import Tables
from riskmodels.errors import DataError
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
        assert isinstance(as_of, dt.date)
        for name, spec in study.protected.items():
            found = attribute_rows(tables, spec.column, as_of).collect().to_polars()
            if spec.by:
                # Our own column holds the id of the household or place whose attribute it is.
                code = attribute_rows(tables, spec.by, as_of).collect().to_polars()
                code = code.select("entity_id", pl.col("value").cast(pl.String).alias("code"))
                found = code.join(found.rename({"entity_id": "code"}), on="code", how="left").drop("code")
            value = pl.col("value")
            if found.schema["value"] == pl.Date:
                value = _birthdays(value, as_of)
            elif spec.bands and found.schema["value"] == pl.String:
                raise DataError(
                    f"protected.{name}: {spec.column} holds text, which has no bands; take the bands out, or name a "
                    "column of numbers or dates"
                )
            part = part.join(found, on="entity_id", how="left", maintain_order="left")
            part = part.with_columns((value.cast(pl.Float64) if spec.bands else _label(value, found)).alias(name))
            part = part.drop("value")
        frames.append(part)
    groups = pl.concat(frames)
    # Whoever objected to the audit is of no group, whichever table it stands in.
    asked = ~pl.col("entity_id").is_in(list(tables.not_audited))
    return groups.with_columns(pl.when(asked).then(pl.col(name)).alias(name) for name in study.protected)


def _birthdays(born: pl.Expr, as_of: dt.date) -> pl.Expr:
    """Whole years of age, by birthdays, as the cohort counts them."""
    still_to_come = 100 * born.dt.month().cast(pl.Int32) + born.dt.day() > 100 * as_of.month + as_of.day
    return as_of.year - born.dt.year() - still_to_come.cast(pl.Int32)


def _label(value: pl.Expr, found: pl.DataFrame) -> pl.Expr:
    if found.schema["value"].is_float():
        whole = value.cast(pl.Int64, strict=False)
        return pl.when(whole == value).then(whole.cast(pl.String)).otherwise(value.cast(pl.String))
    return value.cast(pl.String)
