"""The list as a file: the same rows give the same bytes, and every reader finds the types that it should."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import math
import os
import stat
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl.utils.escape import unescape

from riskmodels import storage
from riskmodels.errors import OutsideError, RiskModelsError, UsageError
from riskmodels.service.outputs import lists
from riskmodels.service.outputs.formulas import restore
from riskmodels.service.outputs.lists import LISTS, open_list
from riskmodels.service.shapes import SCORED_SCHEMA
from tests.service.outputs.example_batch import scored
from tests.service.outputs.test_formulas import ATTACKS

ODD = (
    "0007", "9007199254740993", "1e5", "TRUE", "2026-01-31", 'says "so", and more', "two\nlines", "a\rb", " blanks ",
    "_x0041_", "\u00e9\u4e2d\U0001f600", "http://example.org", "NA", "null", "a\tb",
)  # fmt: skip


def write(path: Path, frame: pl.DataFrame, cuts: tuple[int, ...] = ()) -> bytes:
    with open_list(path, path.suffix[1:]) as writer:  # type: ignore[arg-type]
        for start, end in zip((0, *cuts), (*cuts, frame.height), strict=True):
            writer.write(frame[start:end])
    return path.read_bytes()


@pytest.fixture
def small_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "ROWS_IN_A_GROUP", 7)


@pytest.fixture(params=LISTS)
def suffix(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.usefixtures("small_groups")
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.integers(0, 40), max_size=6).map(sorted).map(tuple))
def test_the_pieces_do_not_change_the_bytes(tmp_path: Path, suffix: str, cuts: tuple[int, ...]) -> None:
    frame = scored(40)
    assert write(tmp_path / f"a.{suffix}", frame, cuts) == write(tmp_path / f"b.{suffix}", frame)


def test_the_day_the_place_and_the_permissions_do_not_change_the_bytes(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = write(tmp_path / f"a.{suffix}", scored(30))
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    before = os.umask(0)
    try:
        (tmp_path / "deep").mkdir()
        assert write(tmp_path / "deep" / f"b.{suffix}", scored(30)) == first
    finally:
        os.umask(before)
        monkeypatch.undo()
        time.tzset()


def test_bytes_are_those_of_the_rows_and_not_of_the_frame(tmp_path: Path, suffix: str) -> None:
    pieces = pl.concat([scored(30)[:11], scored(30)[11:]], rechunk=False)
    assert pieces.n_chunks() > 1
    assert write(tmp_path / f"a.{suffix}", pieces) == write(tmp_path / f"b.{suffix}", scored(30))


def test_only_the_owner_may_read_it(tmp_path: Path, suffix: str) -> None:
    before = os.umask(0)
    try:
        write(tmp_path / f"a.{suffix}", scored(3))
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / f"a.{suffix}").stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == [f"a.{suffix}"]


def test_aborted_it_leaves_nothing(tmp_path: Path, suffix: str) -> None:
    writer = open_list(tmp_path / f"a.{suffix}", suffix)  # type: ignore[arg-type]
    writer.write(scored(20))
    writer.abort()
    assert os.listdir(tmp_path) == []
    with pytest.raises(RiskModelsError), open_list(tmp_path / f"a.{suffix}", suffix) as writer:  # type: ignore[arg-type]
        writer.write(scored(20).drop("team"))
    assert os.listdir(tmp_path) == []


def test_left_over_by_a_killed_run_it_is_written_anew(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    killed = open_list(path, suffix)  # type: ignore[arg-type]
    killed.write(scored(20))
    again = write(path, scored(5))
    killed.abort()
    assert again == write(tmp_path / f"b.{suffix}", scored(5))


def test_a_failing_disk_is_one_line(tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Any, group: pl.DataFrame) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(LISTS[suffix], "put", refuse)
    with pytest.raises(OutsideError, match="No space left"):
        write(tmp_path / f"a.{suffix}", scored(3))
    assert os.listdir(tmp_path) == []
    with pytest.raises(OutsideError, match="cannot be written"):
        open_list(tmp_path / "nowhere" / f"a.{suffix}", suffix)  # type: ignore[arg-type]


FULL = """
import os, resource, signal, sys
from pathlib import Path
import polars as pl
from riskmodels.errors import OutsideError
from riskmodels.service.outputs.lists import LISTS, open_list
from riskmodels import storage
storage.ROWS_IN_A_GROUP = 1000
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
frame = pl.read_parquet(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000))
for suffix in LISTS:
    try:
        with open_list(Path(sys.argv[2], f"a.{suffix}"), suffix) as writer:
            for start in range(0, frame.height, 700):
                writer.write(frame[start:start + 700])
        print("written whole")
    except OutsideError as refusal:
        print("refused" if "File too large" in str(refusal) and os.listdir(sys.argv[2]) == [] else refusal)
"""


def test_a_file_that_may_not_grow_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    people = scored(5000, entity_id=[f"{number * 7919 % 1_000_003:09d}" for number in range(5000)])
    people.write_parquet(tmp_path / "people.parquet")
    (tmp_path / "out").mkdir()
    asked = [sys.executable, "-c", FULL, str(tmp_path / "people.parquet"), str(tmp_path / "out")]
    done = subprocess.run(asked, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3])
    assert done.stdout.split("\n") == ["refused"] * len(LISTS) + [""]


def test_a_disk_that_fills_while_a_workbook_is_put_together_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "write", full)
    with pytest.raises(OutsideError, match="No space left"):
        write(tmp_path / "a.xlsx", scored(3))


def test_other_columns_are_our_bug_and_other_formats_the_users(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    for wrong in (scored(2).drop("team"), scored(2).with_columns(rank=pl.col("rank").cast(pl.Int64)),
                  scored(2).select(reversed(list(SCORED_SCHEMA)))):  # fmt: skip
        with pytest.raises(RiskModelsError, match="our bug"):
            write(path, wrong)
    with pytest.raises(UsageError, match="parquet, csv, xlsx"):
        open_list(path, "ods")  # type: ignore[arg-type]


def test_nobody_at_all_still_has_columns(tmp_path: Path) -> None:
    for suffix in LISTS:
        with open_list(tmp_path / f"a.{suffix}", suffix):  # type: ignore[arg-type]
            pass
    assert dict(pl.read_parquet(tmp_path / "a.parquet").schema) == SCORED_SCHEMA
    assert (tmp_path / "a.csv").read_text() == ",".join(SCORED_SCHEMA) + "\n"
    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx")["List"]
    assert [cell.value for cell in sheet[1]] == list(SCORED_SCHEMA)
    assert sheet.max_row == 1


def odd() -> pl.DataFrame:
    """Ids and reasons that programs like to take for something else, and risks with every digit."""
    rng = np.random.default_rng(0)
    texts = [*ODD, *ATTACKS]
    risks = np.sort(rng.random(len(texts)))[::-1] * 1e-3
    return scored(len(texts), entity_id=texts, reason_1=texts, team=[None, *texts[1:]], risk=risks, risk_low=risks / 3)


def test_parquet_as_read_by_polars_pandas_and_by_its_own_schema(tmp_path: Path) -> None:
    write(tmp_path / "a.parquet", odd())
    assert pl.read_parquet(tmp_path / "a.parquet").equals(odd())
    assert dict(pl.read_parquet(tmp_path / "a.parquet").schema) == SCORED_SCHEMA
    frame = pd.read_parquet(tmp_path / "a.parquet")
    assert frame["entity_id"].tolist() == odd()["entity_id"].to_list()
    assert frame["risk"].tolist() == odd()["risk"].to_list()
    file = pq.ParquetFile(tmp_path / "a.parquet")
    kinds = {column.name: (column.physical_type, str(column.logical_type)) for column in file.schema}
    assert kinds["entity_id"] == ("BYTE_ARRAY", "String")
    assert kinds["as_of_date"] == ("INT32", "Date")
    assert kinds["risk"] == ("DOUBLE", "None")
    assert kinds["rank"][0] == "INT32"
    assert kinds["listed"] == ("BOOLEAN", "None")
    assert file.metadata.metadata is None  # no note of Arrow's types
    assert {file.metadata.row_group(0).column(place).compression for place in range(len(SCORED_SCHEMA))} == {"ZSTD"}


@pytest.mark.usefixtures("small_groups")
def test_parquet_has_groups_of_the_stated_size(tmp_path: Path) -> None:
    write(tmp_path / "a.parquet", scored(40), (3, 20))
    metadata = pq.ParquetFile(tmp_path / "a.parquet").metadata
    assert [metadata.row_group(place).num_rows for place in range(metadata.num_row_groups)] == [7, 7, 7, 7, 7, 5]


def test_csv_as_read_by_polars_and_by_the_standard_library(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", odd())
    read = pl.read_csv(tmp_path / "a.csv", schema=SCORED_SCHEMA)
    assert restore(read).equals(odd())
    with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == odd().height
    assert {row["as_of_date"] for row in rows} == {"2026-09-01"}
    assert {row["listed"] for row in rows} == {"true"}
    assert [float(row["risk"]) for row in rows] == odd()["risk"].to_list()
    assert {row["risk_high"] for row in rows} == {""}
    for row, text in zip(rows, odd()["entity_id"], strict=True):
        assert row["entity_id"] == (f"'{text}" if text in ATTACKS else text)
        assert row["reason_1"][:1] not in tuple("=+-@\t\r\n")


def test_excel_as_read_by_openpyxl(tmp_path: Path) -> None:
    write(tmp_path / "a.xlsx", odd())
    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx")["List"]
    place = {name: number for number, name in enumerate(SCORED_SCHEMA)}
    texts = [*ODD, *ATTACKS]
    for row, person in zip(sheet.iter_rows(min_row=2), odd().iter_rows(named=True), strict=True):
        for name in ("entity_id", "reason_1"):
            cell = row[place[name]]
            assert cell.data_type in ("s", "inlineStr"), cell.value
            assert unescape(str(cell.value)) == person[name]  # Excel unescapes, the library does not
            assert bool(cell.quotePrefix) == (person[name] in ATTACKS)
            assert cell.hyperlink is None
        assert row[place["as_of_date"]].value == dt.datetime(2026, 9, 1)
        assert row[place["risk"]].value == pytest.approx(person["risk"], rel=1e-15)
        assert row[place["risk"]].number_format == "0.0%"
        assert row[place["risk_high"]].value is None
        assert row[place["rank"]].data_type == "n"
        assert row[place["listed"]].value is True
    assert sheet.max_row == len(texts) + 1
    assert sheet.freeze_panes == "B2"
    assert sheet.auto_filter.ref == f"A1:S{len(texts) + 1}"
    assert all(sheet.column_dimensions[letter].width > 8 for letter in "ABC")


def test_excel_as_read_by_pandas(tmp_path: Path) -> None:
    write(tmp_path / "a.xlsx", scored(60))
    frame = pd.read_excel(tmp_path / "a.xlsx", dtype={"entity_id": object})
    assert frame["entity_id"].tolist() == scored(60)["entity_id"].to_list()  # "000001" is no number
    assert frame["risk"].tolist() == pytest.approx(scored(60)["risk"].to_list(), rel=1e-15)
    assert frame["listed"].tolist() == scored(60)["listed"].to_list()
    assert str(frame["as_of_date"].dtype).startswith("datetime64")
    assert frame["rank"].dtype == np.int64
    assert math.isnan(frame["risk_low"][0])


def test_a_workbook_holds_no_formula_and_no_clock(tmp_path: Path) -> None:
    write(tmp_path / "a.xlsx", odd())
    with zipfile.ZipFile(tmp_path / "a.xlsx") as book:
        assert "<f>" not in book.read("xl/worksheets/sheet1.xml").decode()
        assert "2000-01-01" in book.read("docProps/core.xml").decode()
        assert not any("externalLinks" in name or "vba" in name.lower() for name in book.namelist())
        assert {one.date_time[0] for one in book.infolist()} == {1980}


def test_a_sheet_that_is_too_long_or_a_text_that_is_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="longer than a cell of Excel"):
        write(tmp_path / "a.xlsx", scored(2, reason_2="x" * 32_768))
    monkeypatch.setattr(lists, "MOST_SHEET_ROWS", 10)
    write(tmp_path / "b.xlsx", scored(10), (4,))
    with pytest.raises(UsageError, match=r"more than 10 rows.*parquet or csv"):
        write(tmp_path / "c.xlsx", scored(11), (4,))
    assert os.listdir(tmp_path) == ["b.xlsx"]
    assert hashlib.sha256(write(tmp_path / "c.csv", scored(11))).hexdigest()


def test_the_longest_list_that_excel_holds() -> None:
    # 2 to the 20 rows, one of which is the header.
    assert lists.MOST_SHEET_ROWS == 2**20 - 1
