"""Whom the service itself would not contact: the study's ``service_rules``, held against what was known on a day."""

from __future__ import annotations

import datetime as dt

import polars as pl

from riskmodels.data.predicates import Window, holds
from riskmodels.data.tables import Tables
from riskmodels.study import StudyFile


def excluded_because(rows: pl.DataFrame, tables: Tables, study: StudyFile, as_of: dt.date) -> pl.Series:
    """Why each person of the cohort is left off the list, by the first rule that holds; null where none does.

    Parameters
    ----------
    rows : the cohort on ``as_of``, with ``entity_id``
    """
    because = pl.Series("excluded", [None] * rows.height, dtype=pl.String)
    for rule in reversed(study.service_rules):
        true = holds(rule.exclude, rows, tables, study, Window.before(as_of))
        because = pl.select(pl.when(true).then(pl.lit(rule.because)).otherwise(because).alias("excluded")).to_series()
    return because
