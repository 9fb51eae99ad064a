"""A small study and its tables, written as text, for tests whose arithmetic can be done by hand."""

from __future__ import annotations

import datetime as dt
import tempfile
from pathlib import Path
from typing import Any, cast

import polars as pl

from riskmodels.data.cohort import Cohort
from riskmodels.data.tables import Tables, read_tables
from riskmodels.study import Answers, Register, Study, StudyFile, parse_study_file

AS_OF = dt.date(2020, 7, 1)
EXTRACTED_ON = dt.date(2021, 12, 31)

BASE: dict[str, Any] = {
    "schema": 1,
    "study": "small",
    "title": "Small",
    "question": "Who?",
    "seed": 7,
    "purpose": "assistive",
    "level": "person",
    "clock": "calendar",
    "sources": {
        "people": {"file": "people.csv", "entity": "id"},
        "records": {
            "file": "records.csv", "entity": "id", "event_date": "happened", "known_date": "known", "kind": "kind",
        },
    },
    "facts": {
        "visit": {"in": "records", "kind": "visit"},
        "test": {"in": "records", "kind": "test"},
        "anything": {"in": "records"},
    },
    "cohort": {"as_of_dates": [AS_OF], "steps": []},
    "outcome": {
        "name": "visited",
        "words": "is visited",
        "measures": "need",
        "happens": {"any": "visit"},
        "known": {"any": "anything"},
        "horizon": "3 months",
        "lag": "1 month",
    },
    "features": [{"name": "visits", "take": "count", "of": "visit", "words": "visits"}],
    "split": {"test": {"dates": [AS_OF]}, "calibrate": "grouped", "why_grouped": "small"},
    "capacity": {"places": 1},
}  # fmt: skip


def study_file(**sections: Any) -> StudyFile:
    """The base study with some sections put in place of its own."""
    return parse_study_file({**BASE, **sections})


def on_dates(*dates: dt.date, **rest: Any) -> dict[str, Any]:
    """Sections for a study that stands on these as-of dates and is tested on the last."""
    split = {"test": {"dates": [dates[-1]]}, "calibrate": "grouped", "why_grouped": "small"}
    return {"cohort": {"as_of_dates": list(dates), "steps": [], **rest}, "split": split}


def table(text: str) -> pl.DataFrame:
    """A table of text from lines of words; the first line names the columns and - is no value."""
    names, *rows = [line.split() for line in text.strip().splitlines()]
    columns = {name: [None if row[i] == "-" else row[i] for row in rows] for i, name in enumerate(names)}
    return pl.DataFrame(columns, schema=dict.fromkeys(names, pl.String))


def in_folder(folder: Path, file: StudyFile, columns: dict[str, list[str]]) -> Study:
    """A study folder in which every one of these columns is registered."""
    entry = {
        "words": "w", "owner": "o", "collected_for": "c", "how": "h", "about": "person", "lawful_basis": "l",
        "permitted_purposes": ["p"], "retention": "r", "extracted_on": EXTRACTED_ON,
    }  # fmt: skip
    sources = {name: {**entry, "columns": dict.fromkeys(columns[name], "a column")} for name in columns}
    register = Register.model_validate({"purpose": "p", "sources": sources})
    return Study(folder, file, register, cast("Answers", None), ())


def tables_of(file: StudyFile, **frames: str | pl.DataFrame) -> Tables:
    """Write the sources of a study and read them as the package does."""
    made = {name: table(frame) if isinstance(frame, str) else frame for name, frame in frames.items()}
    with tempfile.TemporaryDirectory() as folder:
        for name, frame in made.items():
            path = Path(folder) / file.sources[name].file
            frame.write_csv(path) if path.suffix == ".csv" else frame.write_parquet(path)
        study = in_folder(Path(folder), file, {name: frame.columns for name, frame in made.items()})
        return read_tables(Path(folder), study)


def cohort_of(*ids: str, dates: tuple[dt.date, ...] = (AS_OF,)) -> Cohort:
    """Everybody named, on every date, each a cluster of one."""
    rows = [{"entity_id": i, "as_of_date": day, "cluster_id": i} for day in dates for i in ids]
    return Cohort(pl.DataFrame(rows), pl.DataFrame())
