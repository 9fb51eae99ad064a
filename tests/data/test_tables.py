"""Reading the sources: what is refused, in which words, and what the tables hold."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from riskmodels.data.tables import Tables, check_kinds, columns_used, read_tables
from riskmodels.errors import DataError, RiskModelsError, StudyError
from riskmodels.study import StudyFile
from tests.data.small_study import EXTRACTED_ON, in_folder, study_file, table, tables_of

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


def read(folder: Path, study: StudyFile = USED, register: dict[str, list[str]] | None = None, **changed: Any) -> Tables:
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
    return read_tables(folder, in_folder(folder, study, register or columns))


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
        sources={**USED.model_dump()["sources"], "people": {"file": "people.parquet", "entity": "id"}},
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
    assert "damaged" in said or "has no rows" in said


def test_file_that_is_no_table(tmp_path: Path) -> None:
    assert "cannot be read as csv" in refusal(tmp_path, people=b"id,born\n1,2,3,4\n")
    assert "cannot be read as csv" in refusal(tmp_path, people=b"id,born\n\xff\xfe\xfa,2\n")


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
    assert str(caught.value) == "facts.visit.kind: 'vist' does not occur in records (there: test, visit)"
