"""A study of the made-up county, from its tables to the evidence of the detectors; leaks are planted in the tables."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import numpy as np
import polars as pl

from riskmodels.data.cohort import build_cohort
from riskmodels.data.features import build_features
from riskmodels.data.groups import build_groups
from riskmodels.data.leakage import Evidence
from riskmodels.data.outcomes import build_outcomes
from riskmodels.data.splits import plan_splits
from riskmodels.data.synthetic import EXTRACTED_ON, make_county
from riskmodels.data.tables import Tables, read_tables
from riskmodels.study import Answers, Register, Study, parse_study_file

PEOPLE = 5000
Raw = dict[str, pl.DataFrame]

BASE: dict[str, Any] = {
    "schema": 1,
    "study": "made_county",
    "title": "A made-up county",
    "question": "Who?",
    "seed": 11,
    "purpose": "assistive",
    "level": "person",
    "clock": "calendar",
    "sources": {
        "people": {"file": "people.parquet", "entity": "entity_id"},
        "events": {
            "file": "events.parquet", "entity": "entity_id", "event_date": "happened_on", "known_date": "known_on",
            "kind": "kind",
        },
        "equality": {"file": "equality.parquet", "entity": "entity_id", "known_date": "known_on", "use": "audit"},
    },
    "facts": {
        "absence": {"in": "events", "kind": "school_absence"},
        "police": {"in": "events", "kind": "police_contact"},
        "arrears": {"in": "events", "kind": "housing_arrears"},
        "visit": {"in": "events", "kind": "ae_attendance"},
        "review": {"in": "events", "kind": "review"},
        "start": {"in": "events", "kind": "social_care_start"},
        "moved": {"in": "events", "kind": "moved_away"},
    },
    "cohort": {
        "as_of_dates": {"first": "2021-04-01", "last": "2025-10-01", "every": "6 months"},
        "steps": [
            {"step": "aged 5 to 16", "keep": {"age": "people.born_on", "at_least": 5, "below": 17}},
            {"step": "here", "drop": {"any": "moved"}},
            {"step": "no recent start", "drop": {"any": "start", "last": "12 months"}},
        ],
        "cluster": "people.household_id",
    },
    "outcome": {
        "name": "start",
        "words": "starts with a social worker",
        "measures": "service",
        "happens": {"any": "start"},
        "known": {"followed_until": "people.followed_until"},
        "horizon": "6 months",
        "lag": "2 months",
    },
    "features": [
        {
            "name": "review", "take": ["latest", "mean"], "of": "review.value", "last": "24 months",
            "words": "concern at reviews",
        },
        {"name": "days_absent", "take": "sum", "of": "absence.value", "last": "12 months", "words": "days absent"},
        {"name": "police", "take": "count", "of": "police", "last": "24 months", "words": "police contacts"},
        {
            "name": "arrears", "take": "max", "of": "arrears.value", "last": "12 months", "missing": "zero",
            "words": "weeks owed",
        },
        {"name": "visits", "take": "count", "of": "visit", "last": "24 months", "words": "emergency visits"},
        {"name": "starts", "take": "count", "of": "start", "words": "earlier starts"},
        {"name": "age", "take": "age", "of": "people.born_on", "words": "age"},
    ],
    "split": {"test": {"last": 1}, "calibrate": "later"},
    "capacity": {"places": 50},
    "protected": {
        "sex": {"column": "equality.sex", "law": "sex"},
        "ethnicity": {"column": "equality.ethnicity", "law": "race", "reference": "White British"},
        "disability": {"column": "equality.disability", "law": "disability", "reference": "not disabled"},
        "age": {"column": "people.born_on", "law": "age", "bands": [11, 16], "also_feature": "a test"},
    },
}  # fmt: skip


def a_study(**sections: Any) -> Study:
    """The study with some sections put in place of its own; every column of the tables is registered."""
    file = parse_study_file({**BASE, **sections})
    entry = {
        "words": "w", "owner": "o", "collected_for": "c", "how": "h", "about": "person", "lawful_basis": "l",
        "permitted_purposes": ["p"], "retention": "r", "extracted_on": EXTRACTED_ON,
    }  # fmt: skip
    names = [
        "born_on", "household_id", "ward", "followed_until", "police_linked", "case_number", "score", "result",
        "happened_on", "known_on", "kind", "value", "sex", "ethnicity", "disability", "deprivation", "entity_id",
    ]  # fmt: skip
    columns = dict.fromkeys(names, "a column")
    register = Register.model_validate(
        {"purpose": "p", "sources": {name: {**entry, "columns": columns} for name in file.sources}}
    )
    return Study(Path(), file, register, cast("Answers", None), ())


def with_features(*lines: dict[str, Any], **facts: Any) -> dict[str, Any]:
    """Sections for a study with these lines, and the facts they need, besides its own."""
    return {"features": [*BASE["features"], *lines], "facts": {**BASE["facts"], **facts}}


@lru_cache(maxsize=8)
def county(seed: int = 1, people: int = PEOPLE, **knobs: Any) -> Raw:
    made = make_county(people, seed, **{name: dict(v) if isinstance(v, tuple) else v for name, v in knobs.items()})
    return {name: getattr(made, name) for name in ("people", "events", "equality")}


def read(raw: Raw, study: Study) -> Tables:
    """Write the tables and read them as the package does."""
    with tempfile.TemporaryDirectory() as folder:
        for name, frame in raw.items():
            if name == "objections":
                frame.write_csv(Path(folder) / "objections.csv")
            else:
                frame.write_parquet(Path(folder) / f"{name}.parquet")
        return read_tables(Path(folder), study)


def evidence(
    raw: Raw, study: Study | None = None, *, seen_as: Callable[[Tables], Tables] = lambda tables: tables, **more: Any
) -> Evidence:
    """All that the detectors look at. ``seen_as``: what a careless engine takes the tables to be."""
    study = study or a_study()
    tables = read(raw, study)
    file = study.file
    cohort = build_cohort(tables, file)
    return Evidence(
        cohort,
        build_features(cohort, seen_as(tables), file),
        build_outcomes(cohort, tables, file, EXTRACTED_ON + dt.timedelta(days=1)),
        plan_splits(file, EXTRACTED_ON),
        file,
        tables=tables,
        groups=build_groups(cohort.rows, tables, file),
        register=study.register,
        **more,
    )


@lru_cache(maxsize=4)
def clean(seed: int = 1, people: int = PEOPLE) -> Evidence:
    """A county without a fault."""
    return evidence(county(seed, people))


COUNT = {"take": "count", "last": "12 months"}


def changed(raw: Raw, **frames: pl.DataFrame) -> Raw:
    return {**raw, **frames}


def starts(raw: Raw) -> pl.DataFrame:
    return raw["events"].filter(pl.col("kind") == "social_care_start")


def with_events(raw: Raw, kind: str, who: pl.DataFrame, days: np.ndarray | int, known_after: int = 0) -> Raw:
    """More events: of these starts, so many days before each, known so many days after they are said to be."""
    shift = pl.duration(days=pl.Series(days) if isinstance(days, np.ndarray) else pl.lit(days))
    more = who.with_columns(
        (pl.col("happened_on") - shift).alias("happened_on"), pl.lit(kind).alias("kind"), pl.lit(1.0).alias("value")
    ).with_columns((pl.col("happened_on") + dt.timedelta(known_after)).alias("known_on"))
    events = pl.concat([raw["events"], more.filter(pl.col("known_on") <= EXTRACTED_ON)])
    return changed(raw, events=events.sort("happened_on", "entity_id", "kind"))
