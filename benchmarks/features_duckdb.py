"""A peer of ``features.py``: one wide query of conditional aggregates for each as-of date, in DuckDB."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from benchmarks.measure import THREADS, Steps

DAYS_IN_A_YEAR = 365.2425


def whole(asked: dict[str, Any], data: str, out: str | None = None) -> dict[str, Any]:
    """Reading, cohort, outcomes, features and matrix."""
    ended = Steps()
    database = duckdb.connect(config={"threads": os.environ[THREADS]} if THREADS in os.environ else {})
    _read(database, Path(data))
    ended("reading")
    parts = [database.execute(query(asked, date)).fetchnumpy() for date in asked["dates"]]
    ended("features")
    names = [measure["name"] for measure in asked["measures"]]
    matrix = np.empty((sum(len(part["entity_id"]) for part in parts), len(names)))
    for place, name in enumerate(names):
        np.concatenate([np.ma.filled(part[name].astype(np.float64), np.nan) for part in parts], out=matrix[:, place])
    ended("matrix")
    if out:
        write(Path(out), parts, names, matrix)
    return {"rows": len(matrix), "columns": len(names), "steps": ended.spent}


def _read(database: duckdb.DuckDBPyConnection, data: Path) -> None:
    held = "'entity_id': 'BIGINT', 'event_date': 'DATE', 'severity': 'DOUBLE', 'duration_days': 'BIGINT'"
    database.execute(
        f"create table events as select entity_id, event_date, event_type, location, severity, duration_days "
        f"from read_csv('{data / 'events.csv'}', types = {{{held}}})"
    )
    database.execute(f"create table people as from read_csv('{data / 'people.csv'}', types = {{'known_from': 'DATE'}})")


def query(asked: dict[str, Any], date: dict[str, Any]) -> str:
    """The query of one date: an entity a row, a column for each measure."""
    columns = ",\n  ".join(f"{_expression(m, date)} as {m['name']}" for m in asked["measures"])
    return f"""
with cohort as (
  select distinct entity_id from events
  where event_date >= date '{date["cohort_from"]}' and event_date < date '{date["as_of"]}'
), happened as (
  select distinct entity_id from events
  where event_type = 'csc_referral'
    and event_date >= date '{date["as_of"]}' and event_date < date '{date["horizon_ends"]}'
)
select c.entity_id, date '{date["as_of"]}' as as_of_date,
  case when any_value(h.entity_id) is null then 0 else 1 end as outcome,
  {columns}
from cohort c
join people p on p.entity_id = c.entity_id
left join happened h on h.entity_id = c.entity_id
join events e on e.entity_id = c.entity_id and e.event_date < date '{date["as_of"]}'
group by c.entity_id"""


def _expression(measure: dict[str, Any], date: dict[str, Any]) -> str:
    if measure["take"] == "age":
        return f"date_diff('day', any_value(p.dob), date '{date['as_of']}') / {DAYS_IN_A_YEAR}"
    if measure["name"] == "sex":
        return "case any_value(p.sex) when 'F' then 0 when 'M' then 1 end"
    if measure["take"] == "attribute":
        return f"any_value(p.{measure['name']})"
    when = f"e.event_date >= date '{date['starts'][measure['window']]}'" if measure["window"] != "ever" else "true"
    if measure["where"]:
        when += f" and e.{measure['where']} = '{measure['value']}'"
    if measure["take"] == "count":
        return f"sum(case when {when} then 1 else 0 end)"
    value = f"{measure['take'].replace('mean', 'avg')}(case when {when} then e.{measure['column']} end)"
    return f"coalesce({value}, 0)" if measure["take"] == "sum" else value


def write(out: Path, parts: list[dict[str, Any]], names: list[str], matrix: np.ndarray) -> None:
    import polars as pl

    keys = {
        name: np.concatenate([np.asarray(part[name]) for part in parts])
        for name in ("entity_id", "as_of_date", "outcome")
    }
    values = pl.DataFrame(matrix, schema=names)
    frame = pl.DataFrame({**keys, **values.to_dict()})
    frame.with_columns(pl.col("as_of_date").cast(pl.Date)).write_parquet(out)
