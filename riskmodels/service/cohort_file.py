"""The cohort to score: from the study's own sources at a new date, or from a matrix file; every row accounted for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from riskmodels import storage
from riskmodels.data.cohort import build_cohort
from riskmodels.data.coverage import near_misses, refuse_near_misses
from riskmodels.data.engines import POLARS, Engine
from riskmodels.data.features import FeatureSpec, build_features
from riskmodels.data.service_rules import excluded_because
from riskmodels.data.tables import read_tables
from riskmodels.errors import DataError, UsageError
from riskmodels.study import Study, StudyFile

REASONS = {
    "missing_id": "the row has no id",
    "duplicate_id": "the id stands more than once, so it is not clear which row is right",
    "not_a_number": "a column that must be a number holds something else",
    "not_finite": "a number is infinite",
    "objected": "the person objected to being scored",
}
REJECT_SCHEMA = {"row_number": pl.Int64, "entity_id": pl.String, "code": pl.String, "reason": pl.String}


@dataclass(frozen=True)
class CohortToScore:
    """``frame``: entity_id, as_of_date, the model's features, ``excluded`` (a service rule's reason, or null).

    ``rejects``: row_number, entity_id, code, reason. Rows in = frame.height + rejects.height.
    """

    frame: pl.DataFrame
    rejects: pl.DataFrame
    rows_in: int
    sha256: str


def cohort_from_sources(
    folder: Path,
    study: Study,
    as_of: dt.date | None,
    objectors: frozenset[str],
    today: dt.date,
    engine: Engine = POLARS,
) -> CohortToScore:
    """Build the cohort and its features on ``as_of``, by the definitions the model was trained with.

    Only sources that the model uses are read: equality data never comes near a score.

    Raises
    ------
    UsageError
        without a date.
    DataError
        if the sources do not fit the study.
    """
    if as_of is None:
        raise UsageError("a folder of sources is scored on a day; name it with --as-of YYYY-MM-DD")
    # Those who objected to scoring stay in the tables, so that each can be rejected by name of reason.
    tables = read_tables(folder, study, uses=("model",), extracted_on=today, engine=engine, objections_for=())
    cohort = build_cohort(tables, study.file, [as_of])
    frame = build_features(cohort, tables, study.file).frame
    frame = frame.with_columns(excluded_because(cohort.rows, tables, study.file, as_of))
    refuse_near_misses(near_misses(objectors, frame["entity_id"]), of="the cohort")
    objected = frame["entity_id"].is_in(list(objectors))
    numbered = frame.with_row_index("row_number", offset=1)
    rejects = _rejects(numbered.filter(objected), "objected")
    return CohortToScore(frame.filter(~objected), rejects, frame.height, tables.sha256)


def cohort_from_matrix(
    path: Path, specs: Iterable[FeatureSpec], study: StudyFile, as_of: dt.date | None, objectors: frozenset[str]
) -> CohortToScore:
    """Read a file with entity_id and one column for each feature; reject rows that cannot be scored, with the reason.

    Raises
    ------
    DataError
        if a column is missing, protected, or the file has no rows.
    """
    specs = tuple(specs)
    raw = storage.read_table(path)
    _check_columns(path.name, raw, specs, study)
    if study.service_rules:
        raise DataError(
            f"{path.name}: the study has service rules, which need its sources; give their folder and --as-of"
        )
    day = _the_day(path.name, raw, as_of)
    ids = pl.col("entity_id").cast(pl.String).str.strip_chars()
    refuse_near_misses(near_misses(objectors, raw.select(ids)["entity_id"].drop_nulls()), of="the cohort")
    frame = raw.select(ids, *(spec.name for spec in specs)).with_row_index("row_number", offset=1)
    reasons: Any = pl.when(pl.col("entity_id").is_null() | (pl.col("entity_id").str.strip_chars() == "")).then(
        pl.lit("missing_id")
    )
    reasons = reasons.when(pl.col("entity_id").is_in(list(objectors))).then(pl.lit("objected"))
    reasons = reasons.when(pl.col("entity_id").is_duplicated()).then(pl.lit("duplicate_id"))
    columns = []
    for spec in specs:
        if spec.kind == "number":
            text = pl.col(spec.name).cast(pl.String)
            value = (
                pl.when(text.str.strip_chars() == "")
                .then(None)
                .otherwise(text.str.strip_chars())
                .cast(pl.Float64, strict=False)
            )
            wrong = value.is_null() & text.is_not_null() & (text.str.strip_chars() != "")
            reasons = (
                reasons.when(wrong).then(pl.lit("not_a_number")).when(value.is_infinite()).then(pl.lit("not_finite"))
            )
            columns.append(value.fill_nan(None).alias(spec.name))
        else:
            columns.append(pl.col(spec.name).cast(pl.String).replace("", None))
    checked = frame.with_columns(reasons.otherwise(pl.lit(None, dtype=pl.String)).alias("code"), *columns)
    rejects = pl.concat(
        [_rejects(part, str(code)) for (code,), part in checked.drop_nulls("code").group_by(["code"])]
        or [pl.DataFrame(schema=REJECT_SCHEMA)]
    ).sort("row_number")
    good = checked.filter(pl.col("code").is_null())
    good = good.select("entity_id", pl.lit(day).alias("as_of_date"), *(spec.name for spec in specs))
    good = good.with_columns(pl.lit(None, dtype=pl.String).alias("excluded"))
    return CohortToScore(good, rejects, raw.height, storage.sha256(path.read_bytes()))


def read_objectors(path: Path | None) -> frozenset[str]:
    """The ids of people who objected: a CSV or Parquet file with a column entity_id. Raises DataError."""
    if path is None:
        return frozenset()
    frame = storage.read_table(path)
    if "entity_id" not in frame.columns:
        raise DataError(f"{path.name}: a list of objections has a column entity_id")
    _refuse_decimal_ids(path.name, frame)
    return frozenset(frame["entity_id"].cast(pl.String).drop_nulls().str.strip_chars().to_list())


def _refuse_decimal_ids(file: str, frame: pl.DataFrame) -> None:
    column = frame["entity_id"]
    if column.dtype.is_float() or column.cast(pl.String).str.contains(r"^\d+\.0*$").any():
        raise DataError(
            f"{file}, column 'entity_id': ids were read as decimals, which loses digits; store them as text"
        )


def _check_columns(file: str, raw: pl.DataFrame, specs: tuple[FeatureSpec, ...], study: StudyFile) -> None:
    names = {spec.name for spec in specs}
    if raw.height == 0:
        raise DataError(f"{file}: has no rows to score")
    for column in ("entity_id", *(spec.name for spec in specs)):
        if column not in raw.columns:
            raise DataError(f"{file}: has no column {column!r}, which the model needs")
    protected = {spec.column.split(".")[1].lower() for spec in study.protected.values()} | {
        name.lower() for name in study.protected
    }
    for column in raw.columns:
        if column.lower() in protected and column not in names:
            raise DataError(
                f"{file}: holds the protected column {column!r}, which the model does not use; take it out first"
            )
    _refuse_decimal_ids(file, raw)


def _the_day(file: str, raw: pl.DataFrame, as_of: dt.date | None) -> dt.date:
    if "as_of_date" not in raw.columns:
        if as_of is None:
            raise UsageError(f"{file}: has no column as_of_date; name the day with --as-of YYYY-MM-DD")
        return as_of
    days = raw["as_of_date"].cast(pl.String).str.slice(0, 10).unique().drop_nulls()
    if len(days) != 1 or raw["as_of_date"].null_count():
        raise DataError(f"{file}: column as_of_date must hold one day; score one date at a time")
    try:
        found = dt.date.fromisoformat(str(days[0]))
    except ValueError:
        raise DataError(f"{file}: column as_of_date must hold dates such as 2024-06-30") from None
    if as_of is not None and as_of != found:
        raise UsageError(f"--as-of says {as_of}, but the file is of {found}")
    return found


def _rejects(rows: pl.DataFrame, code: str) -> pl.DataFrame:
    return rows.select(
        pl.col("row_number").cast(pl.Int64),
        "entity_id",
        pl.lit(code).alias("code"),
        pl.lit(REASONS[code]).alias("reason"),
    )
