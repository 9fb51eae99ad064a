from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from riskmodels import storage
from riskmodels.errors import DataError, OutsideError, UsageError
from riskmodels.service.batch import folder_beside, publish, working_beside
from riskmodels.service.batch import work as module
from riskmodels.service.batch.work import prepare
from tests.service.batch.cohorts import Parts, all_of, cohort, score


def silent(said: str) -> None:
    pass


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """A list of last month, with its rejects."""
    (tmp_path / "list").write_text("earlier list")
    (tmp_path / "rejects").write_text("earlier rejects")
    return tmp_path / "list"


def put(work: Path) -> dict[str, Path]:
    """The finished files of a new list."""
    (work / "new rejects").write_text("new rejects")
    (work / "new list").write_text("new list")
    (work / "sheets").mkdir()
    (work / "sheets" / "north").write_text("new sheet")
    beside = work.parent
    return {"new rejects": beside / "rejects", "sheets": beside / "sheets", "new list": beside / "list"}


def texts(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*")) if path.is_file()}


NEW = {"list": "new list", "rejects": "new rejects", "sheets/north": "new sheet"}


def test_files_take_their_places_together_and_the_folder_goes(output: Path) -> None:
    with working_beside(output, False, silent) as work:
        assert stat.S_IMODE(work.stat().st_mode) == 0o700
        assert work.parent == output.parent
        publish(work, put(work))
    assert texts(output.parent) == NEW
    assert {stat.S_IMODE((output.parent / name).stat().st_mode) for name in NEW} == {0o600}


def test_a_folder_takes_the_place_of_another(output: Path) -> None:
    for _ in range(2):
        (output.parent / "sheets").mkdir(exist_ok=True)
        (output.parent / "sheets" / "south").write_text("closed since")
        with working_beside(output, False, silent) as work:
            publish(work, put(work))
        assert texts(output.parent) == NEW


class Killed(BaseException):
    pass


@pytest.mark.parametrize("resume", [True, False])
@pytest.mark.parametrize("moment", range(4))
def test_what_was_stopped_while_publishing_is_finished(
    output: Path, monkeypatch: pytest.MonkeyPatch, moment: int, resume: bool
) -> None:
    """A process that is killed does nothing more: the folder stays as it was at that moment."""
    work = folder_beside(output)
    work.mkdir()
    renamed: list[Any] = []
    real = os.replace

    def stopping(old: Any, new: Any) -> None:
        if Path(old).parent == work and Path(old).name.startswith(("new", "sheets")):
            if len(renamed) == moment:
                raise Killed
            renamed.append(old)
        real(old, new)

    monkeypatch.setattr(os, "replace", stopping)
    try:
        publish(work, put(work))
        assert moment == 3
    except Killed:
        assert texts(output.parent)["list"] == "earlier list"
    monkeypatch.undo()
    said: list[str] = []
    with working_beside(output, resume, said.append):
        assert {name: (output.parent / name).read_text() for name in NEW} == NEW
    assert texts(output.parent) == NEW
    assert bool(said) == (moment < 3)


def test_from_another_disk_files_are_brought_near_first(output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = module._is_elsewhere
    monkeypatch.setattr(module, "_is_elsewhere", lambda part, final: real(part, final) or part.name != "new list")
    with working_beside(output, False, silent) as work:
        publish(work, put(work))
    assert texts(output.parent) == NEW


def test_only_what_stands_beside_the_work_folder_is_renamed_straight(tmp_path: Path) -> None:
    """Another folder may be another mount of the same disk, which cannot be told beforehand."""
    part = tmp_path / ".list.csv.work" / "list"
    assert not module._is_elsewhere(part, tmp_path / "list.csv")
    assert module._is_elsewhere(part, tmp_path / "batches" / "list.csv")


# ---------------------------------------------------------------- what goes wrong


def full(*_: Any, **__: Any) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def refused(*_: Any, **__: Any) -> None:
    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def on_a_disk_that(refuses: Callable[..., None], after: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the so-manieth file on, nothing is written any more."""
    real, written = storage.write_whole_with, list[Path]()

    def write(path: Path, fill: Callable[[Path], None], mode: int = 0o600) -> None:
        written.append(path)
        real(path, refuses if len(written) > after else fill, mode)

    monkeypatch.setattr(storage, "write_whole_with", write)


@pytest.mark.parametrize("after", [0, 1, 4, 9])
def test_a_full_disk_is_one_line_and_what_is_done_is_kept(
    output: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    read: list[int] = []
    parts = Parts(cohort(60), tuple(range(10, 60, 10)), hook=read.append)
    on_a_disk_that(full, after, monkeypatch)
    with (
        pytest.raises(OutsideError, match=r"list: the disk is full; make room, .* with --resume") as found,
        working_beside(output, False, silent) as work,
    ):
        score(parts, work, places={None: 60})
    assert str(found.value).count("\n") == 0
    assert output.read_text() == "earlier list"
    assert folder_beside(output).exists()
    monkeypatch.undo()
    read.clear()
    with working_beside(output, True, silent) as work:
        again = all_of(score(parts, work, resume=True, places={None: 60})).frame
        # One file is the plan, one the note that a sample was verified.
        assert len(read) == {0: 12, 1: 12, 4: 10, 9: 5}[after]
    other = all_of(score(Parts(parts.rows, parts.cuts), output.parent / "other", places={None: 60})).frame
    assert again.equals(other)
    assert not folder_beside(output).exists()


@pytest.mark.parametrize("after", [0, 3])
def test_a_disk_that_refuses_is_one_line_and_nothing_stays(
    output: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    on_a_disk_that(refused, after, monkeypatch)
    with (
        pytest.raises(OutsideError, match="cannot be written"),
        working_beside(output, False, silent) as work,
    ):
        score(Parts(cohort(60), (20, 40)), work)
    assert texts(output.parent) == {"list": "earlier list", "rejects": "earlier rejects"}


def test_a_full_disk_while_the_places_are_filled(output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from riskmodels.service.batch import listing

    monkeypatch.setattr(listing, "_write", full)
    with (
        pytest.raises(OutsideError, match="the disk is full"),
        working_beside(output, False, silent) as work,
    ):
        score(Parts(cohort(60)), work)
    assert output.read_text() == "earlier list"


@pytest.mark.parametrize(
    ("error", "stays"), [(DataError("a row"), False), (UsageError("a word"), False), (KeyboardInterrupt(), True)]
)
def test_what_resuming_cannot_mend_leaves_nothing(output: Path, error: BaseException, stays: bool) -> None:
    with pytest.raises(type(error)), working_beside(output, False, silent):
        raise error
    assert folder_beside(output).exists() == stays


def test_another_plan_keeps_what_is_there(output: Path) -> None:
    folder = folder_beside(output)
    folder.mkdir()
    prepare(folder, {"batch_id": "1", "explain": "all"}, False, silent)
    with pytest.raises(UsageError), working_beside(output, True, silent) as work:
        prepare(work, {"batch_id": "2", "explain": "none"}, True, silent)
    assert (folder / "plan.json").exists()


def test_an_abandoned_folder_is_cleared_and_said(output: Path) -> None:
    folder = folder_beside(output)
    (folder / "shards").mkdir(parents=True)
    said: list[str] = []
    with working_beside(output, False, said.append) as work:
        assert list(work.iterdir()) == []
    assert said == ["clearing what an earlier run left unfinished (--resume would have gone on with it)"]


def test_a_link_in_place_of_the_folder_is_not_followed(output: Path) -> None:
    elsewhere = output.parent / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "file").write_text("kept")
    folder_beside(output).symlink_to(elsewhere)
    with pytest.raises(OutsideError, match="is a link"), working_beside(output, False, silent):
        pass
    assert (elsewhere / "file").read_text() == "kept"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_to(output: Path) -> None:
    output.parent.chmod(0o500)
    try:
        with pytest.raises(OutsideError, match="no permission"), working_beside(output, False, silent):
            pass
    finally:
        output.parent.chmod(0o700)
