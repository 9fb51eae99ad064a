"""Files appear whole or not at all, hold what they should, and fail in one line."""

from __future__ import annotations

import errno
import json
import math
import os
import threading
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from riskmodels import storage
from riskmodels.errors import DataError, ModelFileError, OutsideError, StudyError


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


# ---------------------------------------------------------------- writing


def test_a_file_is_written_whole_and_for_the_owner_alone(tmp_path: Path) -> None:
    target = tmp_path / "new" / "list.csv"
    storage.write_whole(target, b"1")
    assert target.read_bytes() == b"1"
    assert mode(target) == 0o600
    storage.write_whole(target, b"22", mode=0o644)
    assert target.read_bytes() == b"22"
    assert mode(target) == 0o644
    assert names(target.parent) == {"list.csv"}


@pytest.mark.parametrize("error", [RuntimeError, OSError, KeyboardInterrupt])
def test_a_writer_that_fails_leaves_the_earlier_file(tmp_path: Path, error: type[BaseException]) -> None:
    target = tmp_path / "list.csv"
    storage.write_whole(target, b"earlier")

    def put(path: Path) -> None:
        path.write_bytes(b"half")
        raise error

    with pytest.raises(OutsideError if error is OSError else error):
        storage.write_whole_with(target, put)
    assert target.read_bytes() == b"earlier"
    assert names(tmp_path) == {"list.csv"}


def test_a_disk_that_refuses_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "list.csv"
    storage.write_whole(target, b"earlier")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutsideError) as caught:
        storage.write_whole(target, b"later")
    assert str(caught.value) == f"{target}: cannot be written (No space left on device); nothing was changed"
    assert target.read_bytes() == b"earlier"
    assert names(tmp_path) == {"list.csv"}


def test_a_folder_in_the_place_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "list.csv").mkdir()
    with pytest.raises(OutsideError, match="cannot be written"):
        storage.write_whole(tmp_path / "list.csv", b"1")
    assert names(tmp_path) == {"list.csv"}


def test_a_folder_appears_whole_and_replaces_the_earlier(tmp_path: Path) -> None:
    target = tmp_path / "runs" / "first"
    storage.write_folder(target, {"card/card.json": b"1", "run.json": b"2"})
    assert (target / "card" / "card.json").read_bytes() == b"1"
    assert mode(target / "run.json") == 0o600
    storage.write_folder(target, {"other.json": b"3"})
    assert names(target) == {"other.json"}
    assert names(target.parent) == {"first"}
    storage.write_folder(target, {})
    assert names(target) == set()


def test_a_folder_that_cannot_be_written_leaves_the_earlier(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "run"
    storage.write_folder(target, {"run.json": b"earlier"})
    with pytest.raises(OutsideError):
        # A name cannot be a file and a folder at once, so the second write fails half way.
        storage.write_folder(target, {"a": b"1", "a/b": b"2"})
    assert (target / "run.json").read_bytes() == b"earlier"

    replace = os.replace

    def refuse_the_new(source: Path, to: Path) -> None:
        if Path(source).name == "new":
            raise OSError(13, "Permission denied")
        replace(source, to)

    monkeypatch.setattr(os, "replace", refuse_the_new)
    with pytest.raises(OutsideError, match="nothing was changed"):
        storage.write_folder(target, {"run.json": b"later"})
    assert (target / "run.json").read_bytes() == b"earlier"
    assert names(tmp_path) == {"run"}


def test_lines_are_appended_for_the_owner_alone(tmp_path: Path) -> None:
    ledger = tmp_path / "batches" / "ledger.jsonl"
    storage.append_line(ledger, "one")
    storage.append_line(ledger, "zwölf")
    assert ledger.read_text(encoding="utf-8") == "one\nzwölf\n"
    assert mode(ledger) == 0o600


def test_an_output_that_cannot_be_written_is_refused_before_the_work(tmp_path: Path) -> None:
    storage.refuse_unwritable(tmp_path / "not" / "yet" / "there.csv")
    assert names(tmp_path) == set()
    with pytest.raises(OutsideError, match="is a folder; name a file to write to"):
        storage.refuse_unwritable(tmp_path)
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutsideError, match="cannot be written"):
        storage.refuse_unwritable(tmp_path / "file" / "list.csv")


def test_a_pipe_or_a_device_is_never_replaced_by_a_file(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OutsideError, match="is a device or a pipe; name a file"):
        storage.refuse_unwritable(pipe)


# ---------------------------------------------------------------- JSON


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_no_json(value: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        storage.canonical_json({"deep": [{"down": value}]})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@settings(max_examples=50)
@given(JSON)
def test_json_reads_back_and_is_the_same_each_time(value: object) -> None:
    written = storage.canonical_json(value)
    assert json.loads(written) == value
    assert storage.canonical_json(json.loads(written)) == written
    assert written.endswith(b"\n")


@pytest.mark.parametrize("content", [b"{", b"", b"\xff", b'{"a": NaN}', b"[Infinity]", b"[" * 100_000])
def test_json_that_cannot_be_read_is_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model.json").write_bytes(content)
    with pytest.raises(ModelFileError, match=r"model\.json: not readable as JSON \(\w+\); restore it"):
        storage.read_json(tmp_path / "model.json", ModelFileError)


def test_the_digest_of_files_knows_names_and_contents_but_no_order() -> None:
    first = storage.digest_of_files({"a": b"1", "b": b"2"})
    assert storage.digest_of_files({"b": b"2", "a": b"1"}) == first
    assert storage.digest_of_files({"a": b"2", "b": b"1"}) != first
    assert storage.digest_of_files({"a": b"12", "b": b""}) != first
    # SHA-256 of the empty string, as published in FIPS 180-4 test vectors.
    assert storage.sha256(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


# ---------------------------------------------------------------- YAML


def yaml_of(tmp_path: Path, text: str) -> object:
    (tmp_path / "a.yaml").write_text(text, encoding="utf-8")
    return storage.read_yaml(tmp_path / "a.yaml")


def test_only_true_and_false_are_booleans(tmp_path: Path) -> None:
    read = yaml_of(tmp_path, "[YES, NO, yes, no, on, off, y, n, true, False, TRUE]")
    assert read == ["YES", "NO", "yes", "no", "on", "off", "y", "n", True, False, True]
    # And what we write comes back as it was.
    assert yaml_of(tmp_path, storage.write_yaml({"NO": "on", "a": [True, "1"]}).decode()) == {
        "NO": "on",
        "a": [True, "1"],
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\nb: {c: 1, c: 2}", "line 2, column 11: the key 'c' stands twice"),
        ("a: 1\n'a': 2", "line 2, column 1: the key 'a' stands twice"),
        ("day: 1988-02-30", "line 1, column 6: the calendar has no day 1988-02-30"),
        ("value: {{name}}", "line 1, column 9: a key must be one word; put quotes"),
        ("a:\n\t- b", "line 2, column 1: found character '\\t' that cannot start any token"),
        ("a: !!python/object:os.system {}", "line 1, column 4: could not determine a constructor"),
        ("a: [", "line 1, column 5: "),
    ],
)
def test_yaml_that_cannot_be_read_is_one_line_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(StudyError) as caught:
        yaml_of(tmp_path, text)
    assert f"a.yaml, {said}" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_no_yaml_at_all(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(StudyError, match="is not UTF-8 text; save it as UTF-8"):
        storage.read_yaml(path)
    path.write_bytes(b"\x00")
    with pytest.raises(StudyError, match="is not YAML"):
        storage.read_yaml(path)
    path.write_bytes(b"[" * 3000)
    with pytest.raises(StudyError, match=r"a\.yaml"):
        storage.read_yaml(path)
    with pytest.raises(StudyError, match=r"b\.yaml: no such file"):
        storage.read_yaml(tmp_path / "b.yaml")


# ---------------------------------------------------------------- tables

TABLE = pl.DataFrame({"id": [f"p{i}" for i in range(500)], "value": [i / 7 for i in range(500)]})


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_table_reads_back(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"table[1]{suffix}"  # no pattern: the name as it stands
    storage.write_whole(path, storage.table_bytes(TABLE, suffix))
    read = storage.read_table(path)
    assert_frame_equal(read.cast({"value": pl.Float64}), TABLE)
    assert storage.table_bytes(TABLE, suffix) == storage.table_bytes(TABLE, suffix)


def test_a_table_cut_short_is_refused(tmp_path: Path) -> None:
    whole = storage.table_bytes(TABLE, ".parquet")
    path = tmp_path / "table.parquet"
    for length in [0, 3, 4, 8, *range(12, len(whole), max(1, len(whole) // 60)), len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(DataError) as caught:
            storage.read_table(path)
        assert str(caught.value) == f"{path}: cannot be read as parquet; it may be damaged or cut short"


def test_a_table_of_another_kind_or_nowhere(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"table\.csv: no such file; prepare the data, or name its folder with --data"):
        storage.read_table(tmp_path / "table.csv")
    (tmp_path / "table.xlsx").write_bytes(b"PK")
    with pytest.raises(DataError, match=r"table\.xlsx: only \.parquet and \.csv tables are read; convert it"):
        storage.read_table(tmp_path / "table.xlsx")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(DataError, match=r"folder\.csv: no such file"):
        storage.read_table(tmp_path / "folder.csv")


def test_a_folder_survives_an_interruption_between_its_two_moves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "run"
    storage.write_folder(folder, {"a.txt": b"earlier"})
    moves, move = [], os.replace

    def interrupted(source: Path, target: Path) -> None:
        moves.append(target)
        if len(moves) == 2:
            raise KeyboardInterrupt
        move(source, target)

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        storage.write_folder(folder, {"a.txt": b"later"})
    assert (folder / "a.txt").read_bytes() == b"earlier"
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_files_written_together_change_together(tmp_path: Path) -> None:
    storage.write_together({tmp_path / "a": b"1", tmp_path / "b": b"2"})
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutsideError):
        storage.write_together({tmp_path / "a": b"3", tmp_path / "file" / "b": b"4"})
    assert (tmp_path / "a").read_bytes() == b"1"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "file"]


def test_whoever_comes_second_is_told_at_once(tmp_path: Path) -> None:
    output = tmp_path / "folder" / "list.csv"
    with storage.held(output):
        with (
            pytest.raises(OutsideError, match=r"list\.csv: another run is writing this output"),
            storage.held(output),
        ):
            pass
        with storage.held(output.with_name("other.csv")):
            pass
    assert list(output.parent.iterdir()) == []
    with storage.held(output):
        pass


def test_a_lock_left_by_a_process_that_was_killed_holds_nobody_up(tmp_path: Path) -> None:
    (tmp_path / ".list.csv.lock").touch()
    with storage.held(tmp_path / "list.csv"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_lock_whose_file_is_gone_is_not_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The holder before takes the file away between our opening it and our locking it: another could make it anew."""
    lock, opened, real = tmp_path / ".list.csv.lock", list[int](), os.open

    def open_then_lose(path: Path, flags: int, mode: int = 0o777) -> int:
        handle = real(path, flags, mode)
        opened.append(handle)
        if len(opened) <= 2:
            lock.unlink()
        if len(opened) == 2:
            lock.write_bytes(b"another's")
        return handle

    monkeypatch.setattr(os, "open", open_then_lose)
    with storage.held(tmp_path / "list.csv"):
        monkeypatch.undo()
        assert len(opened) == 3
        with pytest.raises(OutsideError), storage.held(tmp_path / "list.csv"):
            pass


def test_a_lock_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / ".list.csv.lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OutsideError, match="cannot be written"), storage.held(tmp_path / "list.csv"):
        pass
    assert not (tmp_path / "elsewhere").exists()


def test_outputs_that_share_a_name_are_held_together(tmp_path: Path) -> None:
    with (
        storage.held(tmp_path / "list.csv", shared="list"),
        pytest.raises(OutsideError, match=r"list\.parquet: another run is writing this output, or one that shares"),
        storage.held(tmp_path / "list.parquet", shared="list"),
    ):
        pass


def test_what_may_be_anothers_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "folder"
    with pytest.raises(FileNotFoundError):
        storage.refuse_foreign(folder)
    folder.mkdir(mode=0o700)
    storage.refuse_foreign(folder)
    (tmp_path / "link").symlink_to(folder)
    os.mkfifo(tmp_path / "pipe", 0o600)
    for name, words in {"link": "is a link", "pipe": "is neither a file nor a folder"}.items():
        with pytest.raises(OutsideError, match=words):
            storage.refuse_foreign(tmp_path / name)
    for mode in (0o710, 0o720, 0o740, 0o701, 0o702, 0o704):
        folder.chmod(mode)
        with pytest.raises(OutsideError, match="is open to other users"):
            storage.refuse_foreign(folder)
    folder.chmod(0o700)
    monkeypatch.setattr(os, "geteuid", lambda: folder.stat().st_uid + 1)
    with pytest.raises(OutsideError, match="belongs to another user"):
        storage.refuse_foreign(folder)
    # Where the platform knows no owners, it is not known.
    monkeypatch.delattr(os, "geteuid")
    storage.refuse_foreign(folder)


def test_private_folders_are_private_all_the_way(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir(mode=0o755)
    storage.make_private(tmp_path / "there" / "a" / "b")
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.rglob("*")}
    assert modes == {"there": 0o755, "a": 0o700, "b": 0o700}


def test_what_is_made_on_the_way_is_its_owners_unless_what_is_written_is_for_others(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir(mode=0o755)
    (tmp_path / "work").chmod(0o755)
    ours, others = tmp_path / "work" / "ours", tmp_path / "work" / "others"
    storage.write_whole(ours / "a" / "file", b"1")
    storage.write_together({ours / "b" / "file": b"1"})
    storage.append_line(ours / "c" / "file", "1")
    storage.write_folder(ours / "d" / "folder", {"below/file": b"1"})
    with storage.laid_beside(ours / "e" / "file", b"1") as take_place:
        take_place()
    assert {mode(path) for path in ours.rglob("*") if path.is_dir()} | {mode(ours)} == {0o700}
    before = os.umask(0o022)
    try:
        storage.write_whole(others / "a" / "file", b"1", mode=0o644)
        storage.write_folder(others / "b" / "folder", {"below/file": b"1"}, mode=0o644)
    finally:
        os.umask(before)
    assert {mode(path) for path in others.rglob("*") if path.is_dir()} | {mode(others)} == {0o755}
    assert mode(tmp_path / "work") == 0o755


def test_readers_share_a_lock_and_writers_wait_for_them(tmp_path: Path) -> None:
    path, wrote = tmp_path / "record", threading.Event()

    def write() -> None:
        with storage.locked(path):
            wrote.set()

    writer = threading.Thread(target=write)
    with storage.locked(path, shared=True), storage.locked(path, shared=True):
        writer.start()
        assert not wrote.wait(0.2)
    writer.join()
    assert wrote.is_set()


def test_a_reader_goes_on_where_no_lock_can_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read_only(*given: object, **named: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "open", read_only)
    with storage.locked(tmp_path / "record", shared=True):
        pass
    with pytest.raises(OutsideError, match="Permission denied"), storage.locked(tmp_path / "record"):
        pass


def test_a_file_where_a_folder_is_to_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutsideError, match="is a file where a folder is to be written"):
        storage.refuse_unwritable(tmp_path / "file", folder=True)
    with pytest.raises(OutsideError, match="no permission"):
        storage.refuse_unwritable(tmp_path / "file" / "below", folder=True)
    storage.refuse_unwritable(tmp_path / "folder", folder=True)
    storage.refuse_unwritable(tmp_path / "new", folder=True)
