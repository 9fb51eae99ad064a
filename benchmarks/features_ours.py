"""Our side of ``features.py``: what a study does between the extract and the matrix. Runs in a process of its own."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from benchmarks.measure import Steps
from riskmodels.data.cohort import build_cohort
from riskmodels.data.engines import Engine
from riskmodels.data.features import build_features
from riskmodels.data.outcomes import build_outcomes
from riskmodels.data.tables import read_tables
from riskmodels.models.matrix import fit_encoder
from riskmodels.study import load_study


def whole(study: str, data: str, out: str | None = None) -> dict[str, Any]:
    """Reading, cohort, outcomes, features and matrix."""
    ended = Steps()
    asked = load_study(study)
    tables = read_tables(Path(data), asked)
    ended("reading")
    cohort = build_cohort(tables, asked.file)
    ended("cohort")
    outcomes = build_outcomes(cohort, tables, asked.file, asked.extracted_on + dt.timedelta(days=1))
    ended("outcomes")
    features = build_features(cohort, tables, asked.file)
    ended("features")
    matrix = fit_encoder(features).encode(features.frame)
    ended("matrix")
    if out:
        _write(Path(out), features.frame, outcomes.frame, matrix)
    return {"rows": len(matrix), "columns": len(matrix.columns), "steps": ended.spent}


def features_alone(study: str, data: str, out: str | None = None) -> dict[str, Any]:
    """Reading, cohort and features as a frame, in memory with Polars."""
    asked = load_study(study)
    tables = read_tables(Path(data), asked)
    cohort = build_cohort(tables, asked.file)
    frame = build_features(cohort, tables, asked.file).frame
    if out:
        frame.write_parquet(out)
    return {"rows": frame.height, "columns": frame.width - 2}


def with_duckdb(study: str, data: str, memory_limit: str, folder: str) -> dict[str, Any]:
    """Reading, cohort, outcomes and features with the facts in DuckDB, under a memory limit."""
    asked = load_study(study)
    engine = Engine("duckdb", memory_limit, Path(folder))
    tables = read_tables(Path(data), asked, engine=engine)
    cohort = build_cohort(tables, asked.file)
    build_outcomes(cohort, tables, asked.file, asked.extracted_on + dt.timedelta(days=1))
    frame = build_features(cohort, tables, asked.file).frame
    # One column that must add up to the events before each date tells that none was lost.
    return {"rows": frame.height, "columns": frame.width - 2, "counted": float(frame["all_events_ever"].sum())}


def _write(out: Path, frame: Any, outcomes: Any, matrix: Any) -> None:
    import polars as pl

    keys = frame.select(pl.col("entity_id").cast(pl.Int64), "as_of_date")
    values = pl.DataFrame(matrix.values, schema=list(matrix.names))
    keys.with_columns(outcomes["outcome"], *values.get_columns()).write_parquet(out)
