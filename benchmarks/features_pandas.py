"""A peer of ``features.py``: careful pandas. Categories for the kinds, events in order of date, so that every window is
a slice and not a mask, and one groupby for each date and window."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.measure import Steps

DAYS_IN_A_YEAR = 365.2425


def whole(asked: dict[str, Any], data: str, out: str | None = None) -> dict[str, Any]:
    """Reading, cohort, outcomes, features and matrix."""
    ended = Steps()
    people, events = _read(Path(data))
    ended("reading")
    names = [measure["name"] for measure in asked["measures"]]
    parts = [one_date(asked, date, people, events) for date in asked["dates"]]
    ended("features")
    matrix = np.concatenate([part[names].to_numpy(dtype=np.float64) for part in parts])
    ended("matrix")
    if out:
        keys = pd.concat([part[["as_of_date", "outcome"]] for part in parts]).reset_index()
        frame = pd.concat([keys, pd.DataFrame(matrix, columns=names)], axis=1)
        _write(Path(out), frame)
    return {"rows": len(matrix), "columns": len(names), "steps": ended.spent}


def _read(data: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    kept = ["entity_id", "event_date", "event_type", "severity", "location", "duration_days"]
    events = pd.read_csv(
        data / "events.csv",
        usecols=kept,
        dtype={"event_type": "category", "location": "category"},
        parse_dates=["event_date"],
        engine="pyarrow",
    )
    people = pd.read_csv(data / "people.csv", parse_dates=["dob"], index_col="entity_id", engine="pyarrow")
    return people, events.sort_values("event_date", kind="stable", ignore_index=True)


def one_date(asked: dict[str, Any], date: dict[str, Any], people: pd.DataFrame, events: pd.DataFrame) -> pd.DataFrame:
    """entity_id as index, as_of_date, outcome and a column for each measure."""
    as_of = pd.Timestamp(date["as_of"])

    def between(start: str | pd.Timestamp, end: str | pd.Timestamp) -> pd.DataFrame:
        first, last = events["event_date"].searchsorted([pd.Timestamp(start), pd.Timestamp(end)])
        return events.iloc[first:last]

    cohort = pd.Index(np.sort(between(date["cohort_from"], as_of)["entity_id"].unique()), name="entity_id")
    ahead = between(as_of, date["horizon_ends"])
    referred = ahead.loc[ahead["event_type"] == "csc_referral", "entity_id"]
    columns: dict[str, Any] = {"as_of_date": as_of, "outcome": cohort.isin(referred).astype(np.int64)}
    for window in asked["windows"]:
        some = events.iloc[: events["event_date"].searchsorted(as_of)]
        some = some if window == "ever" else between(date["starts"][window], as_of)
        columns |= _of_window([m for m in asked["measures"] if m["window"] == window], some, cohort)
    of_people = people.loc[cohort]
    columns["age"] = ((as_of - of_people["dob"]).dt.days / DAYS_IN_A_YEAR).to_numpy()
    columns["imd_decile"] = of_people["imd_decile"].to_numpy()
    columns["sex"] = of_people["sex"].map({"F": 0, "M": 1}).to_numpy()
    return pd.DataFrame(columns, index=cohort)


def _of_window(measures: list[dict[str, Any]], some: pd.DataFrame, cohort: pd.Index[Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    of_values = sorted({m["column"] for m in measures if m["column"]})
    grouped = some.groupby("entity_id", sort=False)
    totals = grouped[of_values].agg(["sum", "mean", "max"]).reindex(cohort)
    sizes = grouped.size().reindex(cohort, fill_value=0).to_numpy()
    counts = {
        column: some.groupby(["entity_id", column], observed=False, sort=False).size().unstack(fill_value=0).reindex(
            cohort, fill_value=0
        )
        for column in ("event_type", "location")
    }  # fmt: skip
    for m in measures:
        if m["where"]:
            found = counts[m["where"]]
            made[m["name"]] = found[m["value"]].to_numpy() if m["value"] in found else 0
        elif m["take"] == "count":
            made[m["name"]] = sizes
        else:
            values = totals[(m["column"], m["take"])]
            made[m["name"]] = (values.fillna(0) if m["take"] == "sum" else values).to_numpy()
    return made


def _write(out: Path, frame: pd.DataFrame) -> None:
    import polars as pl

    columns = {name: frame[name].to_numpy() for name in frame.columns}
    pl.DataFrame(columns).with_columns(pl.col("as_of_date").cast(pl.Date)).write_parquet(out)
