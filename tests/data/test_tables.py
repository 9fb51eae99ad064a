"""Reading the sources: what is refused, in which words, and what the tables hold."""

from __future__ import annotations

import datetime as dt
import gc
import math
import zoneinfo
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from riskmodels.caching import NO_CACHE, Steps
from riskmodels.data.columns import as_dates
from riskmodels.data.engines import POLARS, Engine
from riskmodels.data.faults import Faults
from riskmodels.data.features import build_features
from riskmodels.data.normalised import RowsFile, find_rows, write_rows
from riskmodels.data.outcomes import with_lag
from riskmodels.data.preparing import cached_cohort
from riskmodels.data.recording import facts_by_month, recording_lag
from riskmodels.data.tables import Table, Tables, check_kinds, columns_used, read_tables
from riskmodels.errors import DataError, OutsideError, RiskModelsError, StudyError
from riskmodels.study import Period, Source, StudyFile
from tests.data.small_study import EXTRACTED_ON, cohort_of, in_folder, study_file, table, tables_of

PEOPLE = """
id     born        ward  household  score
secret1 2001-02-03 north 007        1.5
secret2 2002-02-03 south 007        -
secret3 2003-02-03 north 0123456789012345678 3
"""
RECORDS = """
id      happened   known      kind  value grade
secret1 2020-01-05 2020-01-06 visit 10    a
secret2 2020-02-05 2020-02-06 test  20    b
secret1 2020-03-05 2020-03-05 test  -     c
"""
EQUALITY = """
id      known      sex  code
secret1 2019-01-01 f    01
secret2 2019-01-01 m    02
"""
USED = study_file(
    sources={
        "people": {"file": "people.csv", "entity": "id"},
        "records": {
            "file": "records.csv", "entity": "id", "event_date": "happened", "known_date": "known", "kind": "kind",
        },
        "equality": {"file": "equality.csv", "entity": "id", "known_date": "known", "use": "audit"},
    },
    cohort={"as_of_dates": ["2020-07-01"], "cluster": "people.household"},
    facts={
        "visit": {"in": "records", "kind": "visit"},
        "anything": {"in": "records"},
        "high": {"in": "records", "where": {"value": {"at_least": 15}}},
    },
    features=[
        {"name": "mean", "take": "mean", "of": "high.value", "words": "mean"},
        {"name": "grade", "take": "latest", "of": "anything.grade", "missing": "category", "words": "grade"},
        {"name": "score", "take": "attribute", "of": "people.score", "words": "score"},
        {"name": "ward", "take": "attribute", "of": "people.ward", "missing": "category", "words": "ward"},
        {"name": "age", "take": "age", "of": "people.born", "words": "age"},
    ],
    protected={"sex": {"column": "equality.sex", "law": "sex"}, "code": {"column": "equality.code", "law": "none"}},
)  # fmt: skip
SOURCES = {"people": table(PEOPLE), "records": table(RECORDS), "equality": table(EQUALITY)}


def read(
    folder: Path,
    study: StudyFile = USED,
    register: dict[str, list[str]] | None = None,
    engine: Engine = POLARS,
    cache: Steps = NO_CACHE,
    **changed: Any,
) -> Tables:
    """Read the three sources, with some changed: a frame, or raw bytes."""
    frames = {**SOURCES, **changed}
    for name, frame in frames.items():
        path = folder / study.sources[name].file
        if isinstance(frame, bytes):
            path.write_bytes(frame)
        elif path.suffix == ".csv":
            frame.write_csv(path)
        else:
            frame.write_parquet(path)
    columns = {name: frame.columns for name, frame in SOURCES.items()}
    return read_tables(folder, in_folder(folder, study, register or columns), engine=engine, cache=cache)


def refusal(folder: Path, error: type[RiskModelsError] = DataError, **arguments: Any) -> str:
    """The one line that a reader refuses with. It quotes no value and no id."""
    with pytest.raises(error) as caught:
        read(folder, **arguments)
    said = str(caught.value)
    assert "\n" not in said
    assert "secret" not in said
    return said


def with_value(source: str, column: str, row: int, value: str | None) -> pl.DataFrame:
    frame = SOURCES[source]
    values = frame[column].to_list()
    values[row - 1] = value
    return frame.with_columns(pl.Series(column, values, dtype=pl.String))


# ---------------------------------------------------------------- what is read


def test_keys_have_our_names_and_columns_their_types(tmp_path: Path) -> None:
    tables = read(tmp_path)
    assert tables["records"].frame.schema == {
        "entity_id": pl.String, "event_date": pl.Date, "known_date": pl.Date, "kind": pl.String,
        "value": pl.Float64, "grade": pl.String,
    }  # fmt: skip
    assert tables["people"].frame.schema == {
        "entity_id": pl.String, "score": pl.Float64, "ward": pl.String, "born": pl.Date, "household": pl.String,
    }  # fmt: skip
    assert tables["records"].frame["value"].to_list() == [10.0, 20.0, None]


def test_codes_keep_their_noughts_and_long_ids_their_digits(tmp_path: Path) -> None:
    tables = read(tmp_path)
    assert tables["people"].frame["household"].to_list() == ["007", "007", "0123456789012345678"]
    assert tables["equality"].frame["code"].to_list() == ["01", "02"]


def test_parquet_and_csv_give_the_same_tables(tmp_path: Path) -> None:
    raw = {
        "people": pl.DataFrame(
            {
                "id": [9_007_199_254_740_993, 2, 3],
                "born": [dt.date(2001, 2, 3), dt.date(2002, 2, 3), None],
                "ward": ["north", "south", " "],
                "household": [7, None, 8],
                "score": [1.5, None, 3.0],
                "flag": [True, False, None],
                "seen": [dt.datetime(2020, 1, 1, 9, 30), None, dt.datetime(2020, 1, 2)],
            }
        ),
        "records": pl.DataFrame(
            {
                "id": [2, 2, 3],
                "happened": [dt.date(2020, 1, 1)] * 3,
                "known": [dt.datetime(2020, 1, 2, 23, 59)] * 3,
                "kind": ["visit", "test", None],
                "value": [1, 2, None],
            }
        ),
    }
    frames = {}
    for suffix in ("csv", "parquet"):
        study = study_file(
            sources={
                "people": {"file": f"people.{suffix}", "entity": "id"},
                "records": {
                    "file": f"records.{suffix}", "entity": "id", "event_date": "happened", "known_date": "known",
                    "kind": "kind",
                },
            },
            cohort={"as_of_dates": ["2020-07-01"], "cluster": "people.household"},
            features=[
                {"name": "ward", "take": "attribute", "of": "people.ward", "missing": "category", "words": "w"},
                {"name": "flag", "take": "attribute", "of": "people.flag", "words": "w"},
                {"name": "score", "take": "attribute", "of": "people.score", "words": "w"},
                {"name": "age", "take": "age", "of": "people.born", "words": "w"},
                {"name": "mean", "take": "mean", "of": "visit.value", "words": "w"},
            ],
            service_rules=[
                {"exclude": {"attribute": "people.seen", "at_least": "as_of"}, "because": "b", "owner": "o"}
            ],
        )  # fmt: skip
        frames[suffix] = tables_of(study, **raw)
    for name in raw:
        assert_frame_equal(frames["csv"][name].frame, frames["parquet"][name].frame)
    people = frames["csv"]["people"].frame
    assert people["entity_id"].to_list() == ["9007199254740993", "2", "3"]
    assert people["household"].to_list() == ["7", None, "8"]
    assert people["flag"].to_list() == [1.0, 0.0, None]
    assert people["seen"].to_list() == [dt.date(2020, 1, 1), None, dt.date(2020, 1, 2)]
    assert frames["csv"]["records"].frame["known_date"].to_list() == [dt.date(2020, 1, 2)] * 3


def test_a_fact_without_a_knowledge_date_was_known_when_it_happened() -> None:
    study = study_file(
        sources={"records": {"file": "r.csv", "entity": "id", "event_date": "happened", "kind": "kind"}},
    )
    tables = tables_of(study, records="id happened kind\na 2020-01-05 visit\nb - visit")
    assert tables["records"].frame["known_date"].to_list() == [dt.date(2020, 1, 5)]
    assert len(tables["records"].undated) == 1
    assert tables.quality[0]["known_date_recorded"] is False


def test_rows_without_a_knowledge_date_are_left_out_and_counted(tmp_path: Path) -> None:
    tables = read(tmp_path, records=with_value("records", "known", 2, None))
    assert tables["records"].frame.height == 2
    assert len(tables["records"].undated) == 1
    quality = {row["source"]: row for row in tables.quality}["records"]
    assert (quality["rows"], quality["undated"], quality["entities"]) == (2, 1, 1)
    # Of the two rows left, one became known the day after and one on the day; half of the values are missing.
    assert quality["recording_lag_days_95"] == 1
    assert quality["missing"] == {"value": 0.5, "grade": 0.0}


def test_scoring_reads_no_audit_source_and_may_hold_newer_facts(tmp_path: Path) -> None:
    read(tmp_path)
    study = in_folder(tmp_path, USED, {name: frame.columns for name, frame in SOURCES.items()})
    newer = with_value("records", "known", 3, "2023-01-01")
    newer.write_csv(tmp_path / "records.csv")
    with pytest.raises(DataError, match="dated after 2021-12-31"):
        read_tables(tmp_path, study)
    tables = read_tables(tmp_path, study, uses=("model",), extracted_on=dt.date.max)
    assert set(tables.tables) == {"people", "records"}


def test_the_digest_follows_the_files(tmp_path: Path) -> None:
    first = read(tmp_path).sha256
    assert read(tmp_path).sha256 == first
    assert read(tmp_path, records=with_value("records", "value", 1, "11")).sha256 != first


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path: Path) -> None:
    tables = read(tmp_path, equality=b"\xef\xbb\xbf" + SOURCES["equality"].write_csv().encode())
    assert tables["equality"].frame.height == 2


def test_a_label_that_is_a_number_reads_as_it_was_written() -> None:
    """A column of whole numbers with gaps arrives as decimals; a number too large for one stays as it is."""
    study = study_file(
        sources={
            **{name: source.model_dump() for name, source in USED.sources.items()},
            "people": {"file": "people.parquet", "entity": "id"},
        },
        cohort={"as_of_dates": ["2020-07-01"], "cluster": "people.household"},
    )
    homes = [[1.0, None, 3.0], [1.0, None, 3.5], [1.0, None, 1e300]]
    for home, last in zip(homes, ("3", "3.5", "1e+300"), strict=True):
        people = pl.DataFrame({"id": ["a", "b", "c"], "household": home})
        tables = tables_of(study, people=people, records=SOURCES["records"], equality=SOURCES["equality"])
        assert tables["people"].frame["household"].to_list()[1:] == [None, last]


# ---------------------------------------------------------------- what is refused


def test_missing_column(tmp_path: Path) -> None:
    said = refusal(tmp_path, records=SOURCES["records"].drop("value"))
    there = "columns: id, happened, known, kind, grade"
    assert said == f"records.csv: has no column 'value' ({there}); check its header and the study"


def test_missing_file(tmp_path: Path) -> None:
    study = in_folder(tmp_path, USED, {name: frame.columns for name, frame in SOURCES.items()})
    with pytest.raises(DataError, match=r"people\.csv: no such file; prepare the data"):
        read_tables(tmp_path, study)


@pytest.mark.parametrize("content", [b"", b"id,born,ward,household,score\n"])
def test_empty_file(tmp_path: Path, content: bytes) -> None:
    said = refusal(tmp_path, people=content)
    assert "people.csv: " in said
    assert ("has no rows" if content else "is empty, without even a header") in said


def test_file_that_is_no_table(tmp_path: Path) -> None:
    header = SOURCES["people"].clear().write_csv().encode()
    said = refusal(tmp_path, people=header + b"1,2001-01-01,north,1,2,3\n")
    assert "cannot be read as csv; a row has more fields than the header" in said
    said = refusal(tmp_path, people=header + b"\xff\xfe\xfa,2001-01-01,north,1,2\n")
    assert "cannot be read as csv; it is not UTF-8 text" in said


def test_ids_that_are_decimals(tmp_path: Path) -> None:
    floats = pl.DataFrame({"id": [1.0, 2.0], "born": ["2001-01-01"] * 2})
    study = study_file(
        sources={"people": {"file": "p.parquet", "entity": "id"}, "records": {"file": "r.csv", "entity": "id",
                 "event_date": "happened", "kind": "kind"}},
    )  # fmt: skip
    with pytest.raises(DataError) as caught:
        tables_of(study, people=floats, records="id happened kind\na 2020-01-05 visit")
    assert str(caught.value) == (
        "p.parquet, column 'id': ids were read as Float64; that loses digits: store ids as text"
    )
    for lossy in ("12.0", "1.2345E+11", "3e9"):
        said = refusal(tmp_path, people=with_value("people", "id", 2, lossy))
        assert said.startswith("people.csv, column 'id': 1 row has an id that was written as a decimal (first: row 2)")


@pytest.mark.parametrize("nothing", [None, "", "  "])
def test_missing_ids(tmp_path: Path, nothing: str | None) -> None:
    said = refusal(tmp_path, records=with_value("records", "id", 3, nothing))
    assert said.startswith("records.csv, column 'id': 1 row has no id (first: row 3)")


def test_ids_are_compared_without_blanks_around_them(tmp_path: Path) -> None:
    tables = read(tmp_path, records=with_value("records", "id", 1, " secret1 "))
    assert tables["records"].frame["entity_id"].to_list() == ["secret1", "secret2", "secret1"]


def test_duplicate_ids_in_a_table_without_dates(tmp_path: Path) -> None:
    said = refusal(tmp_path, people=with_value("people", "id", 3, "secret1"))
    assert said.startswith("people.csv, column 'id': 1 id stands more than once (first repeated: row 3)")
    # A dated table may say the same person twice.
    read(tmp_path, equality=with_value("equality", "id", 2, "secret1"))


@pytest.mark.parametrize(
    "text", ["31/12/2020", "12/31/2020", "soon", "2020-13-01", "2020-02-30", "20-01-05", "2020-01-051", "44197", "2020"]
)
def test_text_that_is_no_date(tmp_path: Path, text: str) -> None:
    said = refusal(tmp_path, records=with_value("records", "happened", 2, text))
    assert said.startswith("records.csv, column 'happened': 1 row is not a date such as 2024-06-30 (first: row 2)")
    assert text not in said.replace("row 2", "")


def test_numbers_that_are_no_dates(tmp_path: Path) -> None:
    study = study_file(
        sources={"records": {"file": "r.parquet", "entity": "id", "event_date": "happened", "kind": "kind"}}
    )
    frame = pl.DataFrame({"id": ["a"], "happened": [44197], "kind": ["visit"]})
    with pytest.raises(DataError, match=r"r\.parquet, column 'happened': holds Int64, not dates such as 2024-06-30"):
        tables_of(study, records=frame)


def test_text_in_a_column_of_numbers(tmp_path: Path) -> None:
    said = refusal(tmp_path, records=with_value("records", "value", 2, "secret"))
    assert said.startswith("records.csv, column 'value': 1 row is not a number (first: row 2)")


def test_dates_in_a_column_of_numbers() -> None:
    study = study_file(features=[{"name": "m", "take": "mean", "of": "visit.value", "words": "m"}])
    people = "id\na"
    records = pl.DataFrame(
        {"id": ["a"], "happened": ["2020-01-05"], "known": ["2020-01-05"], "kind": ["visit"], "value": ["2020-01-05"]}
    )
    with pytest.raises(DataError, match=r"records.csv, column 'value': 1 row is not a number \(first: row 1\)"):
        tables_of(study, people=people, records=records)


def test_an_infinite_number_is_refused_and_nan_is_missing(tmp_path: Path) -> None:
    assert "infinite (first: row 1)" in refusal(tmp_path, records=with_value("records", "value", 1, "inf"))
    tables = read(tmp_path, records=with_value("records", "value", 1, "NaN"))
    assert tables["records"].frame["value"].to_list() == [None, 20.0, None]


@pytest.mark.parametrize("nothing", [None, "", " ", "NaN"])
def test_column_that_is_empty_in_every_row(tmp_path: Path, nothing: str | None) -> None:
    empty = SOURCES["records"].with_columns(pl.lit(nothing, dtype=pl.String).alias("value"))
    said = refusal(tmp_path, records=empty)
    assert said.startswith("records.csv, column 'value': is empty in every row; take it out of the study")


def test_all_rows_without_a_date(tmp_path: Path) -> None:
    empty = SOURCES["records"].with_columns(pl.lit(None, dtype=pl.String).alias("known"))
    assert "records.csv: no row has all its dates (event_date, known_date)" in refusal(tmp_path, records=empty)


@pytest.mark.parametrize("column", ["happened", "known"])
def test_facts_dated_after_the_extract(tmp_path: Path, column: str) -> None:
    said = refusal(tmp_path, records=with_value("records", column, 3, "2022-01-01"))
    assert said.startswith(
        f"records.csv, column {column!r}: 1 row is dated after {EXTRACTED_ON}, the day of the extract (first: row 3)"
    )
    # The day of the extract itself is not too late.
    read(tmp_path, records=with_value("records", "known", 3, "2021-12-31"))


def test_facts_known_before_they_happened(tmp_path: Path) -> None:
    said = refusal(tmp_path, records=with_value("records", "known", 1, "2020-01-04"))
    assert said.startswith("records.csv, column 'known': 1 row is known before the event (first: row 1)")


def test_unregistered_column(tmp_path: Path) -> None:
    columns = {name: [c for c in frame.columns if c != "value"] for name, frame in SOURCES.items()}
    said = refusal(tmp_path, StudyError, register=columns)
    assert "register.yaml: sources.records.columns lacks 'value', which the study uses; register it" in said


def test_a_reserved_name_is_refused_unless_it_is_the_key_itself() -> None:
    def study(kind: str) -> StudyFile:
        source = {"file": "r.csv", "entity": "id", "event_date": "happened", "kind": kind}
        feature = {"name": "k", "take": "latest", "of": "anything.kind", "missing": "category", "words": "k"}
        return study_file(sources={"records": source}, features=[feature])

    records = "id happened kind sort\na 2020-01-05 visit visit"
    assert tables_of(study("kind"), records=records)["records"].frame["kind"].to_list() == ["visit"]
    with pytest.raises(DataError, match=r"r\.csv: the column name 'kind' is reserved"):
        tables_of(study("sort"), records=records)


def test_a_column_cannot_be_two_things() -> None:
    study = study_file(
        facts={
            "visit": {"in": "records", "kind": "visit"},
            "anything": {"in": "records"},
            "coded": {"in": "records", "where": {"value": {"one_of": ["a", "b"]}}},
        },
        features=[{"name": "m", "take": "mean", "of": "visit.value", "words": "m"}],
    )
    with pytest.raises(StudyError, match=r"visit\.value is used as text and as number; use it one way"):
        columns_used(study)


def test_what_a_column_must_hold_follows_from_its_use() -> None:
    used = columns_used(USED)
    assert used["records"] == {"value": "number", "grade": "text"}
    assert used["people"] == {
        "score": "anything", "ward": "text", "born": "date", "household": "text",
    }  # fmt: skip
    assert used["equality"] == {"sex": "text", "code": "text"}


def test_every_kind_that_the_study_names_must_occur(tmp_path: Path) -> None:
    tables = read(tmp_path)
    check_kinds(tables, USED)
    misspelt = study_file(
        facts={"visit": {"in": "records", "kind": ["visit", "vist"]}, "anything": {"in": "records"}},
    )
    with pytest.raises(DataError) as caught:
        check_kinds(tables, misspelt)
    assert str(caught.value) == "facts.visit.kind: 'vist' does not occur in records (there: visit, 1 other)"
    both = study_file(
        facts={"visit": {"in": "records", "kind": ["visit", "test", "vist"]}, "anything": {"in": "records"}}
    )
    with pytest.raises(DataError, match=r"'vist' does not occur in records \(there: test, visit\)"):
        check_kinds(tables, both)


def test_a_column_that_is_no_kind_is_not_quoted() -> None:
    """A column named by mistake may hold names: only what the study itself names is shown."""
    study = study_file()
    tables = tables_of(study, people="id\na", records="id happened known kind\na 2020-01-01 2020-01-02 CANARY-943")
    with pytest.raises(DataError) as caught:
        check_kinds(tables, study)
    assert str(caught.value) == "facts.visit.kind: 'visit' does not occur in records (there: 1 other)"


def test_every_kind_that_a_feature_line_names_must_occur(tmp_path: Path) -> None:
    tables = read(tmp_path)

    def each(*kinds: str) -> StudyFile:
        line = {"name": "n", "take": "count", "of": "anything", "each": {"kind": list(kinds)}, "words": "w"}
        return study_file(features=[line])

    check_kinds(tables, each("visit", "test"))
    with pytest.raises(DataError, match=r"features\[0\] \(n\)\.each\.kind: 'vist' does not occur in records"):
        check_kinds(tables, each("visit", "vist"))


def test_a_table_may_stand_in_a_file(tmp_path: Path) -> None:
    """Its frame is loaded when somebody asks for it, and only then."""
    whole = read(tmp_path)["records"]
    path = tmp_path / "rows.parquet"
    whole.frame.write_parquet(path)
    held = Table("records", whole.source, None, path=path, engine=Engine("duckdb"))
    assert held.scan().collect().to_polars().sort("event_date").equals(whole.frame.sort("event_date"))
    assert held.schema == whole.frame.schema
    assert "_loaded" not in vars(held)
    assert held.frame.equals(whole.frame)
    path.unlink()
    assert held.frame.equals(whole.frame)
    changed = replace(whole, frame=whole.frame.head(1))
    assert changed.frame.height == 1
    assert changed.scan().collect().to_polars().height == 1
    assert Table("records", whole.source, whole.frame).frame is whole.frame


# ---------------------------------------------------------------- dates, times and their zones


def days_of(texts: list[Any], zone: str | None = None, dtype: pl.DataType | None = None) -> list[str | None]:
    """The days that a column of dates is read as, or the refusal."""
    study = study_file(
        sources={
            "records": {
                "file": "r.parquet",
                "entity": "id",
                "event_date": "happened",
                "kind": "kind",
                "time_zone": zone,
            }
        }
    )
    frame = pl.DataFrame({"id": [str(n) for n in range(len(texts))], "kind": ["visit"] * len(texts)})
    tables = tables_of(study, records=frame.with_columns(pl.Series("happened", texts, dtype=dtype)))
    return [str(day) for day in tables["records"].frame.sort("entity_id")["event_date"]]


LONDON = "Europe/London"


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2020-06-30T22:59:59Z", "2020-06-30"),  # summer time is an hour ahead
        ("2020-06-30T23:00:00Z", "2020-07-01"),
        ("2020-12-31T23:59:59Z", "2020-12-31"),  # winter time is not
        ("2021-01-01T00:00:00.000Z", "2021-01-01"),
        ("2020-06-30 23:30:00+01:00", "2020-06-30"),
        ("2020-06-30 23:30+0000", "2020-07-01"),
        ("2020-07-01T00:30:00+02", "2020-06-30"),
        ("2020-06-30T18:30:00-05:30", "2020-07-01"),
        ("2020-03-29T00:59:59Z", "2020-03-29"),  # the clocks go forward at one
        ("2020-03-28T23:59:59Z", "2020-03-28"),
        ("2020-10-24T23:30:00Z", "2020-10-25"),  # and back the night after
        ("2020-10-25T23:30:00Z", "2020-10-25"),
        ("2020-10-25T23:30:00 UTC", "2020-10-25"),
        ("2020-06-30T23:30:00", "2020-06-30"),  # a time without an offset is local
        ("2020-06-30", "2020-06-30"),
    ],
)
def test_a_time_with_an_offset_is_the_day_that_it_was_there(text: str, day: str) -> None:
    assert days_of([text], LONDON) == [day]


@settings(max_examples=200, deadline=None)
@given(
    st.datetimes(dt.datetime(1995, 1, 1), dt.datetime(2021, 12, 30)),
    st.integers(-12 * 4, 14 * 4),
    st.sampled_from([LONDON, "Pacific/Auckland", "America/St_Johns", "UTC"]),
)
def test_local_days_are_those_of_the_standard_library(moment: dt.datetime, quarters: int, zone: str) -> None:
    aware = moment.replace(microsecond=0, tzinfo=dt.timezone(dt.timedelta(minutes=15 * quarters)))
    faults = Faults("f")
    there = as_dates(pl.Series("d", [aware.isoformat(), None, str(aware)]), zone, faults)
    assert there.to_list() == [aware.astimezone(zoneinfo.ZoneInfo(zone)).date(), None, there[0]]
    typed = as_dates(pl.Series("d", [aware.astimezone(dt.UTC)], dtype=pl.Datetime("us", "UTC")), zone, faults)
    assert typed[0] == there[0]
    faults.refuse(zone)


def test_typed_times_are_read_as_their_text_is() -> None:
    moments = [dt.datetime(2020, 6, 30, 23, 30), dt.datetime(2020, 12, 31, 23, 30)]
    assert days_of(moments, LONDON, pl.Datetime("us", "UTC")) == ["2020-07-01", "2020-12-31"]
    assert days_of(moments, LONDON, pl.Datetime("ns")) == ["2020-06-30", "2020-12-31"]
    assert days_of(moments, None, pl.Datetime("ms")) == ["2020-06-30", "2020-12-31"]


@pytest.mark.parametrize(
    ("texts", "zone", "words"),
    [
        (["2020-06-30", "2020-06-30T23:30:00Z"], None, "have an offset from UTC (first: row 2); say in study.yaml"),
        (["2020-06-30T23:30:00+01:00", "2020-01-30T23:30:00+00:00"], None, "time_zone: Europe/London"),
        (
            ["2020-06-30T23:30:00", "2020-06-30T23:30:00Z"], LONDON,
            "some times have an offset from UTC (first: row 2) and some have none (first: row 1); give every one",
        ),
        (["2020-06-30T23:30:00", "2020-06-30T23:30:00+01:00"], None, "some times have an offset from UTC"),
        (["2020-06-30T24:30:00"], LONDON, "1 row is not a date"),
        (["2020-06-30T23:30:00+25:00"], LONDON, "1 row is not a date"),
    ],
)  # fmt: skip
def test_mixed_or_undeclared_time_zones(texts: list[str], zone: str | None, words: str) -> None:
    with pytest.raises(DataError) as caught:
        days_of(texts, zone)
    assert str(caught.value).startswith("r.parquet, column 'happened': ")
    assert words in str(caught.value)


def test_a_typed_time_with_a_zone_needs_ours(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="times have an offset from UTC"):
        days_of([dt.datetime(2020, 6, 30, 23, 30)], None, pl.Datetime("us", "UTC"))


@pytest.mark.parametrize(
    ("texts", "looks"),
    [
        (["31/12/2020", "05/04/2020"], "they look day-first, as in 31/12/2024"),
        (["12-31-2020"], "it looks month-first, as in 12/31/2024"),
        (["5/4/20"], "it looks day-first or month-first, as in 05/04/2024"),
        (["31.12.2020 10:00", "12.31.2020"], "they look day-first, as in 31/12/2024 and month-first, as in 12/31/2024"),
    ],
)
def test_no_order_of_day_and_month_is_guessed(tmp_path: Path, texts: list[str], looks: str) -> None:
    records = pl.concat([SOURCES["records"]] * 2).with_row_index()
    changed = pl.col("index").replace_strict(
        dict(zip((1, 4), texts, strict=False)), default=None, return_dtype=pl.String
    )
    records = records.with_columns(pl.coalesce(changed, "happened").alias("happened")).drop("index")
    said = refusal(tmp_path, records=records)
    rows = "1 row is not a date" if len(texts) == 1 else "2 rows are not dates"
    advice = "write the year first, for the order is not guessed"
    assert said == f"records.csv, column 'happened': {rows} such as 2024-06-30 (first: row 2); {looks}: {advice}"


# ---------------------------------------------------------------- ids


@pytest.mark.parametrize(
    ("dtype", "largest"),
    [
        (pl.Int64, 2**63 - 1),
        (pl.UInt64, 2**64 - 1),
        (pl.Int128, 2**100),
        (pl.Decimal(38, 0), 10**37 + 1),
        (pl.UInt8, 255),
    ],
)
def test_whole_numbers_stay_exact_as_ids(dtype: Any, largest: int) -> None:
    study = study_file(
        sources={"records": {"file": "r.parquet", "entity": "id", "event_date": "happened", "kind": "kind"}}
    )
    frame = pl.DataFrame({"happened": ["2020-01-01"] * 2, "kind": ["visit"] * 2})
    ids = pl.Series("id", [largest, largest - 1], dtype=dtype)
    tables = tables_of(study, records=frame.with_columns(ids))
    assert tables["records"].frame["entity_id"].to_list() == [str(largest), str(largest - 1)]


def test_an_id_with_and_without_a_blank_inside(tmp_path: Path) -> None:
    read(tmp_path, equality=SOURCES["equality"].with_columns(pl.Series("id", ["943 476 5919", "943 476 5920"])))
    twins = SOURCES["equality"].with_columns(pl.Series("id", ["9434765919", "943 476 5919"]))
    said = refusal(tmp_path, equality=twins)
    fault = "1 row has an id that is also written without the blank inside it (first: row 2)"
    assert said == f"equality.csv, column 'id': {fault}; write them one way, or they are taken for different people"


# ---------------------------------------------------------------- a batch at a time

FAULTS = [
    ("happened", "31/12/2020"), ("known", "2019-01-01"), ("known", "2022-01-01"), ("id", None), ("id", "12.0"),
    ("value", "much"), ("value", "inf"), ("kind", "vi\0sit"),
]  # fmt: skip


@pytest.mark.parametrize(("column", "value"), FAULTS)
def test_batches_are_refused_as_the_whole_is(
    tmp_path: Path, column: str, value: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("riskmodels.data.one_source.ROWS_AT_A_TIME", 7)
    records = pl.concat([SOURCES["records"]] * 20).with_row_index()
    bad = pl.col("index").is_in([17, 41])
    records = records.with_columns(pl.when(bad).then(pl.lit(value)).otherwise(column).alias(column)).drop("index")
    sources = {**USED.model_dump(include={"sources"})["sources"]}
    sources["records"] |= {"file": "records.parquet"}
    study = USED.model_copy(update={"sources": {name: Source(**source) for name, source in sources.items()}})
    said = refusal(tmp_path, study=study, records=records)
    assert "first: row 18" in said
    assert "2 rows" in said
    assert refusal(tmp_path, study=study, records=records, engine=Engine("duckdb")) == said


def test_the_type_of_a_column_follows_from_all_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers in the first batch, a word in the last: text everywhere; and 1.0 is 1 only if all are whole."""
    monkeypatch.setattr("riskmodels.data.one_source.ROWS_AT_A_TIME", 3)
    source = {"file": "r.parquet", "entity": "id", "event_date": "happened", "kind": "kind"}
    study = study_file(
        sources={"records": source},
        features=[
            {"name": name, "take": "latest", "of": f"anything.{name}", "missing": missing, "words": "w"}
            for name, missing in [("mixed", "keep"), ("numbers", "keep"), ("days", "keep"), ("whole", "category"),
                                  ("halves", "category")]
        ],
    )  # fmt: skip
    rows = 10
    frame = pl.DataFrame(
        {
            "id": [str(n) for n in range(rows)],
            "happened": ["2020-01-01"] * rows,
            "kind": ["visit"] * rows,
            "mixed": [*(str(n) for n in range(rows - 1)), "x"],
            "numbers": [str(n) for n in range(rows)],
            "days": [None, *("2020-01-02",) * (rows - 1)],
            "whole": [float(n) for n in range(rows)],
            "halves": [*(float(n) for n in range(rows - 1)), 0.5],
        }
    )
    frame.write_parquet(tmp_path / "r.parquet")
    entry = in_folder(tmp_path, study, {"records": frame.columns})
    whole = read_tables(tmp_path, entry)["records"]
    batches = read_tables(tmp_path, entry, engine=Engine("duckdb"))["records"]
    assert batches.path is not None
    assert_frame_equal(batches.frame, whole.frame)
    assert whole.schema == {
        "entity_id": pl.String, "event_date": pl.Date, "kind": pl.String, "mixed": pl.String, "numbers": pl.Float64,
        "days": pl.Date, "whole": pl.String, "halves": pl.String, "known_date": pl.Date,
    }  # fmt: skip
    assert whole.frame["whole"][3] == "3"
    assert whole.frame["halves"][3] == "3.0"


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_both_ways_of_holding_rows_give_the_same(tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("riskmodels.data.one_source.ROWS_AT_A_TIME", 4)
    sources = {**USED.model_dump(include={"sources"})["sources"]}
    sources["records"] |= {"file": f"records.{suffix}"}
    study = USED.model_copy(update={"sources": {name: Source(**source) for name, source in sources.items()}})
    records = pl.concat([SOURCES["records"], with_value("records", "known", 2, None)] * 5)
    whole = read(tmp_path, study=study, records=records)
    held = read(tmp_path, study=study, records=records, engine=Engine("duckdb"))
    assert held.quality == whole.quality
    assert held.sha256 == whole.sha256
    assert held.digests(held.tables) == whole.digests(whole.tables)
    assert_frame_equal(held["records"].frame, whole["records"].frame)
    assert str(held["records"].undated) == str(whole["records"].undated)
    assert held["records"].path is not None
    assert held["people"].path is None
    check_kinds(held, USED)
    folder = held["records"].path.parent
    assert folder.stat().st_mode & 0o077 == 0
    del held
    gc.collect()
    assert not folder.exists()


def test_a_damaged_file_of_rows_is_made_again(tmp_path: Path) -> None:
    cache = Steps(tmp_path / "cache", "small")
    first = read(tmp_path, engine=Engine("duckdb"), cache=cache)["records"]
    again = read(tmp_path, engine=Engine("duckdb"), cache=cache)["records"]
    assert first.path is not None
    assert again.path == first.path
    content = first.path.read_bytes()
    first.path.write_bytes(content[:-9] + b"\0" * 9)
    mended = read(tmp_path, engine=Engine("duckdb"), cache=cache)["records"]
    assert mended.path is not None
    assert mended.path.read_bytes() == content
    assert first.path.stat().st_mode & 0o077 == 0


# ---------------------------------------------------------------- what is used


def test_everything_that_a_study_looks_at_is_read() -> None:
    study = study_file(
        sources={
            "people": {"file": "people.csv", "entity": "id"},
            "records": {
                "file": "records.csv", "entity": "id", "event_date": "happened", "known_date": "known", "kind": "kind",
                "link": {"through": "matches", "id": "theirs", "status": "status", "accept": "sure",
                         "confidence": "p", "at_least": 0.9},
            },
            "health": {"file": "h.csv", "entity": "id", "link": {"flag": "people.matched"}},
            "matches": {"file": "m.csv", "entity": "id"},
            "areas": {"file": "a.csv", "entity": "code", "level": "place"},
        },
        outcome={
            "name": "o", "words": "w", "measures": "need", "happens": {"any": "visit"}, "known": {"any": "anything"},
            "exits": {"moved": {"attribute": "people.moved_on", "below": "as_of"}}, "horizon": "3 months",
            "lag": "1 month",
        },
        features=[
            {"name": "share", "take": "ratio", "of": "visit.cost", "over": "anything.budget", "words": "w"},
            {"name": "kinds", "take": "count", "of": "visit", "each": {"grade": ["a", "b"]}, "words": "w"},
            {"name": "decile", "take": "attribute", "of": "areas.decile", "by": "people.area", "words": "w"},
            {"name": "many", "take": "distinct", "of": "visit.place", "words": "w"},
        ],
        protected={"d": {"column": "areas.group", "law": "none", "by": "people.home"}},
    )  # fmt: skip
    assert columns_used(study) == {
        "people": {"area": "text", "moved_on": "date", "home": "text", "matched": "number"},
        "records": {"cost": "number", "budget": "number", "grade": "text", "place": "anything"},
        "health": {},
        "matches": {"theirs": "text", "status": "text", "p": "number"},
        "areas": {"decile": "anything", "group": "text"},
    }


# ---------------------------------------------------------------- kept between runs


def test_engines_that_hold_rows_otherwise_do_not_share_what_is_kept(tmp_path: Path) -> None:
    """In memory the rows without a date stand among the others; in a file of rows they do not."""
    records = with_value("records", "known", 2, None)
    paths = []
    for engine in ("polars", "duckdb", "polars", "duckdb"):
        cache = Steps(tmp_path / "cache", "small")
        found = read(tmp_path, engine=Engine(engine), cache=cache, records=records)["records"]
        assert (found.frame.height, found.undated.height) == (2, 1), engine
        paths.append(found.path)
    assert paths[1] == paths[3]
    assert all(step.reused for step in cache.log)


def coded(*features: dict[str, Any]) -> StudyFile:
    return study_file(features=list(features))


LATEST = {"name": "code", "take": "latest", "of": "visit.code", "words": "c"}
MODE = {"name": "usual", "take": "mode", "of": "visit.code", "missing": "category", "words": "m"}
OTHER = {"name": "other", "take": "mode", "of": "visit.other", "missing": "category", "words": "m"}
CODED = {
    "people": "id\na\nb",
    "records": """id happened known kind code other
        a 2020-01-01 2020-01-02 visit 007 1
        b 2020-01-05 2020-01-06 visit 7   1""",
}


def read_coded(folder: Path, file: StudyFile, cache: Steps = NO_CACHE, engine: Engine = POLARS) -> Tables:
    for name, text in CODED.items():
        table(text).write_csv(folder / f"{name}.csv")
    columns = {name: table(text).columns for name, text in CODED.items()}
    return read_tables(folder, in_folder(folder, file, columns), cache=cache, engine=engine)


def test_what_a_column_holds_is_in_the_digest_where_another_line_decides_it(tmp_path: Path) -> None:
    alone, both, beside = (
        read_coded(tmp_path, coded(*lines))["records"] for lines in ([LATEST], [LATEST, MODE], [LATEST, OTHER])
    )
    assert (alone.schema["code"], both.schema["code"]) == (pl.Float64, pl.String)
    assert alone.digest != both.digest
    # A line with a column of its own changes nothing for the others: they are not made again.
    assert beside.digest == alone.digest
    frames = []
    for file in (coded(LATEST), coded(LATEST, MODE)):
        steps = Steps(tmp_path / "cache", "small")
        tables = read_coded(tmp_path, file, steps)
        frames.append(build_features(cohort_of("a", "b"), tables, file, steps).frame["code"].to_list())
    assert frames == [[7.0, 7.0], ["007", "7"]]


def holding(folder: Path, value: bytes) -> list[str]:
    """The files below a folder that hold a text, in their bytes or in a column."""
    found = []
    for path in (path for path in sorted(folder.rglob("*")) if path.is_file()):
        frame = pl.read_parquet(path) if path.suffix == ".parquet" else pl.DataFrame()
        if value in path.read_bytes() or value.decode() in str(frame.to_dict(as_series=False)):
            found.append(path.name)
    return found


@pytest.mark.parametrize("engine", ["polars", "duckdb"])
@pytest.mark.parametrize("why", ["objected", "withdrew"])
def test_whoever_objects_or_withdraws_is_gone_from_what_is_kept(tmp_path: Path, engine: str, why: str) -> None:
    source = {**study_file().sources["records"].model_dump(exclude_none=True), "consented": True}
    file = study_file(
        sources={"people": {"file": "people.csv", "entity": "id"}, "records": source},
        objections={"file": "objections.csv", "entity": "id", "scope": "scope"},
        consents={"file": "consents.csv", "entity": "id", "source": "source", "given_on": "given",
                  "withdrawn_on": "withdrawn"},
    )  # fmt: skip
    # Of whoever withdraws, records alone are to go.
    put = {
        "people": "id\na\nCANARY" if why == "objected" else "id\na\nb",
        "records": "id happened known kind\na 2020-01-01 2020-01-02 visit\nCANARY 2020-01-05 2020-01-06 visit",
        "objections": "id scope\nzz training",
        "consents": "id source given withdrawn\na records 2019-01-01 -\nCANARY records 2019-01-01 -",
    }

    def prepare() -> list[str]:
        for name, text in put.items():
            table(text).write_csv(tmp_path / f"{name}.csv")
        study = in_folder(tmp_path, file, {name: table(put[name]).columns for name in ("people", "records")})
        steps = Steps(tmp_path / "cache", "small")
        tables = read_tables(tmp_path, study, engine=Engine(engine), cache=steps)
        build_features(cached_cohort(tables, file, steps), tables, file, steps)
        return holding(tmp_path / "cache", b"CANARY")

    assert prepare()
    kept = holding(tmp_path / "cache", b"CANARY")
    assert prepare() == kept  # nobody else objected, and everything is still there
    if why == "objected":
        put["objections"] = "id scope\nzz training\nCANARY all"
    else:
        put["consents"] = "id source given withdrawn\na records 2019-01-01 -\nCANARY records 2019-01-01 2020-06-01"
    assert prepare() == []
    assert holding(tmp_path / "cache", b"a 2020") == []


def test_rows_put_under_another_key_are_not_trusted(tmp_path: Path) -> None:
    cache = Steps(tmp_path, "small")
    files = {
        key: write_rows(cache, key, lambda key=key: iter([pl.DataFrame({"of": [key]})])).path for key in ("aa", "ab")
    }
    assert find_rows(cache, "aa") == RowsFile(files["aa"])
    files["ab"].unlink()
    shard = tmp_path / "results" / "ab"
    files["aa"].rename(shard / files["aa"].name.replace("aa.", "ab.", 1))
    assert find_rows(cache, "ab") is None


@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize(
    "error", [OutsideError("the server went away"), DataError("row 3"), OSError(5, "Input/output")]
)
def test_what_a_reader_raises_is_no_refusal_of_the_cache(tmp_path: Path, kept: bool, error: Exception) -> None:
    passes = []

    def batches() -> Iterator[pl.DataFrame]:
        passes.append(1)
        yield pl.DataFrame({"a": [1]})
        raise error

    cache = Steps(tmp_path if kept else None, "small")
    with pytest.raises(type(error)) as caught:
        write_rows(cache, "aa", batches)
    assert caught.value is error
    assert len(passes) == 1  # it is not asked again for what it does not have
    assert [path for path in tmp_path.rglob("*") if path.suffix in (".parquet", ".part")] == []
    assert cache.log == []


def test_where_the_cache_refuses_rows_stand_in_a_temporary_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    cache = Steps(tmp_path / "file" / "cache", "small")
    file = write_rows(cache, "aa", lambda: iter([pl.DataFrame({"a": [1]})]))
    assert pl.read_parquet(file.path)["a"].to_list() == [1]
    assert file.folder is not None
    assert cache.log[0].why.startswith("results are not kept: ")


# ---------------------------------------------------------------- later rows


@pytest.mark.parametrize("engine", ["polars", "duckdb"])
@pytest.mark.parametrize(
    ("early", "late", "refused"),
    [
        ("07", "x", "column 'code': 1 row is not a number (first: row 2); correct them"),
        ("2020-01-01", "x", "column 'code': 1 row is not a date such as 2024-06-30 (first: row 2)"),
        ("x", "07", None),
        ("07", "8", None),
        ("-", "x", None),
    ],
)
def test_a_later_row_does_not_change_what_a_column_holds(
    tmp_path: Path, engine: str, early: str, late: str, refused: str | None
) -> None:
    """The study stands on 2020-07-01: what is recorded in 2021 says nothing of what the column was then."""
    known = "id happened known kind code\na 2020-01-01 2020-01-02 visit "
    records = f"{known}{early}"
    if early == "-":  # nothing to go by: all rows decide
        records += "\na 2020-03-01 2020-08-02 visit x"
    study, people = coded({**LATEST, "take": "distinct"}), table("id\na")

    def held(text: str) -> Any:
        people.write_csv(tmp_path / "people.csv")
        table(text).write_csv(tmp_path / "records.csv")
        entry = in_folder(tmp_path, study, {"people": people.columns, "records": table(text).columns})
        return read_tables(tmp_path, entry, engine=Engine(engine))["records"].schema["code"]

    before = held(records)
    more = f"{records}\na 2021-06-01 2021-06-02 visit {late}"
    if refused is None:
        assert held(more) == before
    else:
        with pytest.raises(DataError, match="column 'code'") as caught:
            held(more)
        assert refused in str(caught.value)
    # Known later, of something earlier: just as late.
    assert held(f"{known}07\na 2020-01-03 2020-05-02 visit x") == pl.String


def test_a_later_number_does_not_change_how_a_code_is_written(tmp_path: Path) -> None:
    study = study_file(
        sources={"records": {"file": "r.parquet", "entity": "id", "event_date": "happened", "kind": "kind"}},
        features=[{**MODE, "of": "visit.code"}],
    )
    happened = [dt.date(2020, 1, 1), dt.date(2020, 1, 2), dt.date(2021, 1, 1), dt.date(2021, 1, 2)]
    frame = pl.DataFrame(
        {"id": list("abab"), "happened": happened, "kind": ["visit"] * 4, "code": [1.0, 2.0, 0.5, 3.0]}
    )
    written = [tables_of(study, records=rows)["records"].frame["code"].to_list() for rows in (frame.head(2), frame)]
    assert written == [["1", "2"], ["1", "2", "0.5", "3"]]


# ---------------------------------------------------------------- how late


@pytest.mark.parametrize("facts", [1, 19, 20, 21, 40])
def test_one_rule_says_how_late_95_of_100_facts_were_recorded(facts: int) -> None:
    days = [EXTRACTED_ON - dt.timedelta(days=100 - lag) for lag in range(facts)]
    rows = {"id": ["a"] * facts, "happened": [days[0]] * facts, "known": days, "kind": ["visit"] * facts}
    file = study_file(outcome={**study_file().outcome.model_dump(mode="json"), "lag": "estimate"})
    tables = tables_of(file, people="id\na", records=pl.DataFrame(rows))
    expected = math.ceil(facts * 95 / 100) - 1
    assert {row["source"]: row for row in tables.quality}["records"]["recording_lag_days_95"] == expected
    assert next(iter(recording_lag(tables["records"], list(facts_by_month(tables["records"])))))["most"] == expected
    assert with_lag(file, tables).outcome.lag == Period(expected, "day")
