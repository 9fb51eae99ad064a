"""Writers that are killed, that find the disk full, and that are not alone."""

from __future__ import annotations

import fcntl
import os
import threading
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from riskmodels import storage
from riskmodels.errors import OutsideError
from riskmodels.storage import locks
from tests.interrupted import at_step, dies_at, fill

FILES = {"a.txt": b"one", "deep/b.txt": b"two"}


def parts(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.endswith(".part")]


# ---------------------------------------------------------------- a full disk


def test_a_full_disk_leaves_a_log_as_it_was(tmp_path: Path) -> None:
    log = tmp_path / "log"
    storage.append_line(log, "first")
    for step in range(1, 3):  # the write, of which a half arrives, and making it last
        with pytest.raises(OutsideError, match="No space left on device"), at_step(step, tmp_path, fill):
            storage.append_line(log, "second")
        assert log.read_bytes() == b"first\n"
    storage.append_line(log, "second")
    assert log.read_bytes() == b"first\nsecond\n"


def test_what_is_laid_beside_a_file_takes_its_place_when_it_is_told_to(tmp_path: Path) -> None:
    path = tmp_path / "head"
    path.write_bytes(b"before")
    with storage.laid_beside(path, b"after") as take_place:
        assert path.read_bytes() == b"before"
        take_place()
    assert path.read_bytes() == b"after"
    with storage.laid_beside(path, b"never"):
        pass
    assert (path.read_bytes(), parts(tmp_path)) == (b"after", [])
    for step in range(1, 4):
        with (
            pytest.raises(OutsideError, match="nothing was changed"), at_step(step, tmp_path, fill),
            storage.laid_beside(path, b"too much"),
        ):  # fmt: skip
            pytest.fail("the work began")
    assert path.read_bytes() == b"after"


# ---------------------------------------------------------------- killed


def test_a_folder_whose_writer_was_killed_at_any_step_is_there_whole_or_not_and_leftovers_are_swept(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "runs" / "one"
    met, step = set(), 0
    while dies_at(step, tmp_path, partial(storage.write_folder, folder, FILES)):
        found = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        assert found in ({}, FILES)
        if folder.parent.exists():
            met.add(bool(parts(folder.parent)))
            storage.sweep_folders(folder.parent)
            assert parts(folder.parent) == []
        step += 1
        if found:
            folder = folder.with_name(f"{step}")
    assert met >= {True}


def test_a_folder_that_is_being_filled_is_not_swept(tmp_path: Path) -> None:
    with storage.folder_made_whole(tmp_path / "one") as new:
        (new / "a.txt").write_bytes(b"one")
        storage.sweep_folders(tmp_path)
    assert (tmp_path / "one" / "a.txt").read_bytes() == b"one"


def test_the_only_copy_of_a_folder_is_not_swept(tmp_path: Path) -> None:
    """Whoever put a folder aside and was killed before the new one stood in its place."""
    left = tmp_path / ".one.abc_1234.part"
    (left / "earlier").mkdir(parents=True)
    storage.sweep_folders(tmp_path)
    assert left.exists()
    (tmp_path / "one").mkdir()
    storage.sweep_folders(tmp_path)
    assert not left.exists()


def test_sweeping_follows_no_link_and_leaves_files(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "kept").touch()
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / ".one.x.part").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "here" / ".two.x.part").touch()
    storage.sweep_folders(tmp_path / "here")
    storage.sweep_folders(tmp_path / "nowhere")
    assert (tmp_path / "elsewhere" / "kept").exists()
    assert len(parts(tmp_path / "here")) == 2


# ---------------------------------------------------------------- one at a time


def counted(path: Path, threads: int = 6, times: int = 20) -> int:
    """What is left of a count that each of them reads, adds one to and writes, under the lock."""
    path.write_text("0")

    def count() -> None:
        for _ in range(times):
            with storage.locked(path):
                path.write_text(str(int(path.read_text()) + 1))

    working = [threading.Thread(target=count) for _ in range(threads)]
    for thread in working:
        thread.start()
    for thread in working:
        thread.join()
    return int(path.read_text())


def test_a_lock_lets_one_in_at_a_time(tmp_path: Path) -> None:
    assert counted(tmp_path / "count") == 120


def test_so_does_the_lock_of_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`msvcrt.locking`, which does not wait and says EACCES, stood in for by a lock that behaves so."""
    asked = []

    def locking(handle: int, mode: int, size: int) -> None:
        asked.append((mode, size))
        try:
            real.flock(handle, real.LOCK_EX | real.LOCK_NB)
        except BlockingIOError:
            raise PermissionError(13, "Permission denied") from None

    real: Any = fcntl
    monkeypatch.setattr(locks, "fcntl", None)
    monkeypatch.setattr(locks, "WAIT", 0.0005)
    monkeypatch.setattr(locks, "windows_locks", SimpleNamespace(locking=locking, LK_NBLCK=2))
    assert counted(tmp_path / "count") == 120
    assert len(asked) > 120, "nobody ever had to wait"
    assert set(asked) == {(2, 1)}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_lock_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(OutsideError, match="cannot be written"), storage.locked(tmp_path / "count"):
        pytest.fail("the lock was given")
