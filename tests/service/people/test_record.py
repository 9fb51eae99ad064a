"""The record of a batch: what is written is found again, whatever the slices, and only its owner may read it."""

from __future__ import annotations

import errno
import gc
import io
import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodels import storage
from riskmodels.errors import DataError, OutsideError
from riskmodels.models.reasons import REASON_TYPE
from riskmodels.service.people import record
from riskmodels.service.people.record import BATCH, PEOPLE, RecordWriter, find_people, open_record, read_batch
from riskmodels.service.shapes import Slice
from tests.service.people.made_batch import facts_of, ranked, slices, write


def test_everybody_is_found_as_they_were_written(tmp_path: Path) -> None:
    frame, on, codes = ranked(300, 40)
    with open_record(tmp_path) as writer:
        for part in slices(frame, on, codes, 7):
            writer.write(part)
        writer.close(facts_of(300, 40))
    found = find_people(tmp_path, frame["entity_id"].to_list())
    assert len(found) == 300
    for place, row in enumerate(frame.iter_rows(named=True)):
        person = found[row["entity_id"]]
        for name in ("risk", "band", "rank", "selected", "listed", "not_listed_because", "team"):
            assert getattr(person, name) == row[name]
        if place < 40:
            assert person.codes is not None
            assert person.codes.dtype == REASON_TYPE
            # By bytes: NaN, the sign bit of 64-bit masks and all.
            assert person.codes.tobytes() == codes[place : place + 1].tobytes()
        else:
            assert person.codes is None


@pytest.mark.parametrize("explain", ["all", "none"])
def test_everybody_or_nobody_explained(tmp_path: Path, explain: str) -> None:
    frame, _, codes = ranked(50, 50)
    explained = np.full(50, explain == "all")
    with open_record(tmp_path) as writer:
        writer.write(Slice(frame, explained, codes[: explained.sum()]))
        writer.close(facts_of(50, 50))
    found = find_people(tmp_path, frame["entity_id"].to_list())
    assert sum(person.codes is not None for person in found.values()) == (50 if explain == "all" else 0)


def test_a_cohort_of_nobody(tmp_path: Path) -> None:
    with open_record(tmp_path) as writer:
        writer.close(facts_of(0, 0))
    assert find_people(tmp_path, ["P1"]) == {}


@pytest.mark.parametrize("kind", [[("one", "<i2"), ("deep", [("two", "<f4", (2,)), ("flag", "?")])], [("x", "<u8")]])
def test_any_codes_of_numbers(tmp_path: Path, kind: list[object]) -> None:
    """What a reason is made of may change: the record asks its dtype."""
    frame, _, _ = ranked(5, 5)
    codes = np.frombuffer(np.random.default_rng(1).bytes(5 * np.dtype(kind).itemsize), dtype=kind).copy()
    if "deep" in codes.dtype.names:  # type: ignore[operator]
        codes["deep"]["two"], codes["deep"]["flag"] = 0.5, True
    with open_record(tmp_path) as writer:
        writer.write(Slice(frame, np.ones(5, dtype=bool), codes))
        writer.close(facts_of(5, 5))
    found = find_people(tmp_path, frame["entity_id"].to_list())
    kept = np.concatenate([found[one].codes for one in frame["entity_id"]])
    assert kept.dtype == codes.dtype
    assert kept.tobytes() == codes.tobytes()


@settings(max_examples=8, deadline=None)
@given(size=st.integers(1, 260), rows=st.integers(1, 90))
def test_same_bytes_however_it_is_sliced(tmp_path_factory: pytest.TempPathFactory, size: int, rows: int) -> None:
    folder = tmp_path_factory.mktemp("record")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(storage, "ROWS_IN_A_GROUP", rows)
        write(folder / "whole", 250, 33, size=250)
        write(folder / "sliced", 250, 33, size=size)
    for name in (PEOPLE, BATCH):
        assert (folder / "whole" / name).read_bytes() == (folder / "sliced" / name).read_bytes()


def test_a_slice_with_an_empty_column(tmp_path: Path) -> None:
    """Where everybody is listed nothing says why not, and a frame does not know that it would be text."""
    frame, on, codes = ranked(30, 10)
    with open_record(tmp_path) as writer:
        for part in slices(frame, on, codes, 10):
            empty = [name for name in ("not_listed_because", "team") if part.frame[name].null_count() == 10]
            writer.write(Slice(part.frame.with_columns(pl.col(empty).cast(pl.Null)), part.explained, part.codes))
        writer.close(facts_of(30, 10))
    assert pl.read_parquet(tmp_path / PEOPLE)["not_listed_because"].to_list() == frame["not_listed_because"].to_list()


def test_an_id_in_another_row_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "ROWS_IN_A_GROUP", 10)
    frame = write(tmp_path, 95, 12, size=4)
    last = frame["entity_id"][94]
    assert find_people(tmp_path, [last, "nobody"])[last].rank == 95


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    write(tmp_path / "batch", 20, 5)
    assert stat.S_IMODE((tmp_path / "batch").stat().st_mode) == 0o700
    for name in (PEOPLE, BATCH):
        assert stat.S_IMODE((tmp_path / "batch" / name).stat().st_mode) == 0o600


def test_batch_json_names_nobody_and_no_folder(tmp_path: Path) -> None:
    frame = write(tmp_path, 20, 5, output="/home/somebody/list.csv")
    text = (tmp_path / BATCH).read_text()
    assert json.loads(text)["output"] == "list.csv"
    assert not any(one in text for one in frame["entity_id"])
    assert read_batch(tmp_path) == facts_of(20, 5)


@pytest.mark.parametrize("rows", [7, 1000])
def test_without_its_end_it_is_no_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    monkeypatch.setattr(storage, "ROWS_IN_A_GROUP", rows)
    frame, on, codes = ranked(20, 5)
    with open_record(tmp_path) as writer:
        writer.write(Slice(frame, on, codes))
    assert not (tmp_path / BATCH).exists()


@pytest.mark.parametrize("holds", [0, 4, 300, 3000])
def test_a_full_disk_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, holds: int) -> None:
    """The disk takes so many bytes and no more, wherever in the file that is: nothing else is raised, then or later."""

    class Full(io.RawIOBase):
        left = holds

        def writable(self) -> bool:
            return True

        def write(self, data: Any) -> int:
            if len(data) > self.left:
                raise OSError(errno.ENOSPC, "No space left on device")
            self.left -= len(data)
            return len(data)

    monkeypatch.setattr(storage, "ROWS_IN_A_GROUP", 100)
    frame, on, codes = ranked(250, 50)
    with pytest.raises(OutsideError, match="No space left"):
        _write_all(RecordWriter(tmp_path, io.BufferedWriter(Full())), slices(frame, on, codes, 60))
    gc.collect()
    assert not (tmp_path / BATCH).exists()


def _write_all(record: RecordWriter, parts: Iterator[Slice]) -> None:
    with record as writer:
        for part in parts:
            writer.write(part)
        writer.close(facts_of(250, 50))


@pytest.mark.parametrize("cut", [0, 5, 100, -20])
def test_a_damaged_record_is_one_line_that_names_nobody(tmp_path: Path, cut: int) -> None:
    frame = write(tmp_path, 200, 20)
    whole = (tmp_path / PEOPLE).read_bytes()
    (tmp_path / PEOPLE).write_bytes(whole[:cut])
    one = frame["entity_id"][3]
    with pytest.raises(DataError, match="cannot be read") as error:
        find_people(tmp_path, [one])
    assert one not in str(error.value)


@pytest.mark.parametrize("text", ["", "{}", '{"batch_id": "x"}', "[1]"])
def test_a_damaged_batch_json(tmp_path: Path, text: str) -> None:
    (tmp_path / BATCH).write_text(text)
    with pytest.raises(DataError, match=BATCH):
        read_batch(tmp_path)


def test_the_record_keeps_what_it_says_and_no_more(tmp_path: Path) -> None:
    write(tmp_path, 20, 5)
    names = [name for name in pl.read_parquet_schema(tmp_path / PEOPLE) if not name.startswith(record.CODE)]
    assert tuple(names) == record.COLUMNS


@pytest.mark.slow
def test_one_among_a_million(tmp_path: Path) -> None:
    frame, on, codes = ranked(1_000_000, 100_000)
    with open_record(tmp_path) as writer:
        for part in slices(frame, on, codes, 65_536):
            writer.write(part)
        writer.close(facts_of(1_000_000, 100_000))
    found = find_people(tmp_path, [frame["entity_id"][999_999], frame["entity_id"][0], "nobody"])
    assert sorted(person.rank for person in found.values()) == [1, 1_000_000]
