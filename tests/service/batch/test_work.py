from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from riskmodels import storage
from riskmodels.errors import DataError, ModelFileError, OutsideError, UsageError
from riskmodels.service.batch import folder_beside, publish, working_beside
from riskmodels.service.batch import publishing as module
from riskmodels.service.batch.publishing import StoppedError
from riskmodels.service.batch.work import prepare
from riskmodels.storage import whole
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
    work.mkdir(mode=0o700)
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
    assert sorted(path.name for path in output.parent.iterdir()) == ["list", "rejects", "sheets"]


def test_what_was_stopped_is_finished_from_wherever_it_is_seen(output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The workspace was named from one folder; the next run stands in another, and the output's folder was moved."""
    (output.parent / "here").mkdir()
    monkeypatch.chdir(output.parent / "here")
    listed = output.parent / "here" / "list"
    work = folder_beside(listed)
    work.mkdir(mode=0o700)
    (work / "list").write_text("new list")
    (work / "record").mkdir()
    (work / "record" / "people").write_text("a person")
    with monkeypatch.context() as patch:
        patch.setattr(module, "finish", lambda work: None)
        publish(work, {"record": Path("../records/id"), "list": listed})
    monkeypatch.chdir("/")
    (output.parent / "here").rename(output.parent / "there")
    with working_beside(output.parent / "there" / "list", False, silent):
        pass
    assert texts(output.parent / "there") == {"list": "new list"}
    assert texts(output.parent / "records") == {"id/people": "a person"}


@pytest.fixture
def two_disks(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Between "far" and everywhere else nothing can be renamed. Gives the mode of the folder in which a copy is made,
    and how many such folders there are."""
    real, copied, seen = os.rename, shutil.copyfile, list[tuple[int, int]]()

    def rename(old: Any, new: Any, **how: Any) -> None:
        if ("far" in str(old)) != ("far" in str(new)):
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        real(old, new, **how)

    def copyfile(old: Any, new: Any, **how: Any) -> Any:
        done = copied(old, new, **how)
        above = [path for path in Path(new).parents if path.name.startswith(".riskmodels-")]
        seen.append((stat.S_IMODE(above[0].stat().st_mode), len(above)))
        return done

    monkeypatch.setattr(os, "rename", rename)
    monkeypatch.setattr(shutil, "copyfile", copyfile)
    return seen


def test_on_its_way_to_another_disk_nobody_else_sees_it(output: Path, two_disks: list[tuple[int, int]]) -> None:
    (output.parent / "far").mkdir()
    record = output.parent / "far" / "batches" / "study" / "id"
    for text in ("first", "second"):
        with working_beside(output, False, silent) as work:
            (work / "record").mkdir(mode=0o700)
            (work / "record" / "people").write_text(text)
            (work / "list").write_text("new list")
            publish(work, {"record": record, "list": output})
    assert two_disks == [(0o700, 1)] * 2
    assert texts(output.parent / "far") == {"batches/study/id/people": "second"}
    folders = [record, *record.parents][:3]
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in folders} == {0o700}
    assert stat.S_IMODE((record / "people").stat().st_mode) == 0o600
    assert [path.name for path in record.parent.iterdir()] == ["id"]


@pytest.mark.parametrize("note", [False, True])
def test_killed_after_files_were_brought_near(output: Path, monkeypatch: pytest.MonkeyPatch, note: bool) -> None:
    """Before the note stands, the next run sweeps them; after, it finishes."""
    far = output.parent / "elsewhere" / "list"

    def die(*_: Any) -> None:
        raise Killed

    work = folder_beside(output)
    work.mkdir(mode=0o700)
    (work / "list").write_text("new list")
    # A process that is killed sweeps nothing itself.
    monkeypatch.setattr(module, "finish" if note else "_have_on_disk", die)
    monkeypatch.setattr(module, "sweep", lambda work: None)
    with pytest.raises(Killed):
        publish(work, {"list": far})
    assert list(far.parent.glob(".riskmodels-*"))
    monkeypatch.undo()
    with working_beside(output, False, silent):
        pass
    assert texts(far.parent) == ({"list": "new list"} if note else {})
    assert not list(far.parent.glob(".riskmodels-*"))


def test_what_was_brought_near_goes_if_the_rest_cannot_come(output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_have_on_disk", refused)
    with (
        pytest.raises(OutsideError, match="nothing was changed"),
        working_beside(output, False, silent) as work,
    ):
        publish(work, {"sheets": output.parent / "far" / "sheets", "new list": put(work)["new list"]})
    assert texts(output.parent) == {"list": "earlier list", "rejects": "earlier rejects"}


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
    real, written = whole.write_whole_with, list[Path]()

    def write(path: Path, fill: Callable[[Path], None], mode: int = 0o600) -> None:
        written.append(path)
        real(path, refuses if len(written) > after else fill, mode)

    monkeypatch.setattr(whole, "write_whole_with", write)


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


def test_a_disk_that_refuses_from_the_start_is_one_line_and_nothing_stays(
    output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_a_disk_that(refused, 0, monkeypatch)
    with (
        pytest.raises(OutsideError, match="cannot be written"),
        working_beside(output, False, silent) as work,
    ):
        score(Parts(cohort(60), (20, 40)), work)
    assert texts(output.parent) == {"list": "earlier list", "rejects": "earlier rejects"}
    assert not folder_beside(output).exists()


@pytest.mark.parametrize("number", [errno.EFBIG, errno.EIO, errno.ESTALE, errno.EACCES])
def test_whatever_the_disk_refuses_what_is_done_is_kept(
    output: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def fails(*_: Any) -> None:
        raise OSError(number, os.strerror(number))

    on_a_disk_that(fails, 3, monkeypatch)
    read: list[int] = []
    parts = Parts(cohort(60), (20, 40), hook=read.append)
    with (
        pytest.raises(OutsideError, match=r"cannot be written .* kept in \.list\.work.*--resume") as found,
        working_beside(output, False, silent) as work,
    ):
        score(parts, work, explain="none")
    assert str(found.value).count("\n") == 0
    assert output.read_text() == "earlier list"
    monkeypatch.undo()
    read.clear()
    with working_beside(output, True, silent) as work:
        score(parts, work, explain="none", resume=True)
        assert 0 < len(read) < 3
    assert not folder_beside(output).exists()


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
    ("error", "stays"),
    [
        (DataError("a row"), (False, False)),
        (ModelFileError("a score"), (False, False)),
        (UsageError("a word"), (False, False)),
        (OutsideError("a disk"), (False, True)),
        (ZeroDivisionError(), (False, True)),
        (MemoryError(), (False, True)),
        (StoppedError("Spark"), (True, True)),
        (KeyboardInterrupt(), (True, True)),
    ],
)
@pytest.mark.parametrize("scored", [False, True])
def test_what_resuming_cannot_mend_leaves_nothing(
    output: Path, error: BaseException, stays: tuple[bool, bool], scored: bool
) -> None:
    def fail(work: Path) -> None:
        if scored:
            (work / "shards").mkdir()
            (work / "shards" / "00000.shard").touch()
        raise error

    with pytest.raises(type(error)), working_beside(output, False, silent) as work:
        fail(work)
    assert folder_beside(output).exists() == stays[scored]


# ---------------------------------------------------------------- publishing that fails half way


def test_publishing_that_fails_half_way_is_said_and_finished_later(output: Path) -> None:
    """A file stands where the folder of the sheets is to go: the rejects are there by then, the list is not."""
    (output.parent / "sheets").write_text("in the way")
    for _ in range(2):
        with (
            pytest.raises(StoppedError, match=r"sheets: .* part of it took its place; .* to finish") as found,
            working_beside(output, False, silent) as work,
        ):
            publish(work, put(work))
        assert "nothing was changed" not in str(found.value)
        assert (output.read_text(), (output.parent / "rejects").read_text()) == ("earlier list", "new rejects")
    (output.parent / "sheets").unlink()
    with working_beside(output, False, silent):
        assert {name: (output.parent / name).read_text() for name in NEW} == NEW
    assert texts(output.parent) == NEW


def test_a_file_does_not_take_the_place_of_somebodys_folder(output: Path) -> None:
    (output.parent / "rejects").unlink()
    (output.parent / "rejects").mkdir()
    (output.parent / "rejects" / "mine").write_text("kept")
    with (
        pytest.raises(StoppedError, match="rejects: cannot be written"),
        working_beside(output, False, silent) as work,
    ):
        publish(work, put(work))
    assert (output.parent / "rejects" / "mine").read_text() == "kept"
    assert output.read_text() == "earlier list"


# ---------------------------------------------------------------- what others have laid


def plant(work: Path, victim: Path) -> None:
    """A work folder as it would be if a run had been stopped while it wrote over the victim's file."""
    work.mkdir(mode=0o700)
    (work / "a").write_text("the attacker's")
    note = work / "publishing.json"
    note.write_bytes(storage.canonical_json([["a", str(victim), "earlier a"]]))
    note.chmod(0o600)


def to_another(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: work.lstat().st_uid + 1)


def to_a_link(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work.rename(work.with_name("real"))
    work.symlink_to("real")


def to_everybody(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work.chmod(0o770)


def to_a_linked_note(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (work / "publishing.json").rename(work.with_name("note"))
    (work / "publishing.json").symlink_to("../note")


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="the platform knows no owners")
@pytest.mark.parametrize("resume", [False, True])
@pytest.mark.parametrize(
    ("given", "words"),
    [
        (to_another, "work: belongs to another user"),
        (to_a_link, "work: is a link"),
        (to_everybody, "work: is open to other users"),
        (to_a_linked_note, r"publishing\.json: is a link"),
        (None, None),
    ],
)
def test_a_work_folder_that_may_be_anothers_is_not_obeyed(
    output: Path, monkeypatch: pytest.MonkeyPatch, given: Callable[..., None] | None, words: str | None, resume: bool
) -> None:
    victim = output.parent / "victim"
    victim.write_text("kept")
    plant(folder_beside(output), victim)
    if given is None:
        # The same folder, were it surely ours, is obeyed: it is the owner that decides.
        with working_beside(output, resume, silent):
            assert victim.read_text() == "the attacker's"
        return
    given(folder_beside(output), monkeypatch)
    with pytest.raises(OutsideError, match=words) as found, working_beside(output, resume, silent):
        pass
    assert str(found.value).count("\n") == 0
    assert victim.read_text() == "kept"
    assert folder_beside(output).exists()


def test_nothing_that_merely_lies_beside_the_list_is_taken(output: Path) -> None:
    """Under the names that a run uses, or used, for what waits beside its place."""
    planted = {f".{name}.list.work.part": "my enemy" for name in ("list", "rejects")}
    planted[f".riskmodels-{'0' * 32}.part"] = "my enemy"
    for name, text in planted.items():
        (output.parent / name).write_text(text)
    for _ in range(2):
        with working_beside(output, False, silent) as work:
            publish(work, put(work))
        assert texts(output.parent) == NEW | planted


def test_two_lists_that_share_their_rejects_are_not_written_at_once(tmp_path: Path) -> None:
    with working_beside(tmp_path / "a.csv", False, silent):
        for name in ("a.parquet", "a"):
            with (
                pytest.raises(OutsideError, match="shares files with it"),
                working_beside(tmp_path / name, False, silent),
            ):
                pass
        with working_beside(tmp_path / "b.csv", False, silent):
            pass
    assert list(tmp_path.iterdir()) == []


def test_another_plan_keeps_what_is_there(output: Path) -> None:
    folder = folder_beside(output)
    folder.mkdir(mode=0o700)
    prepare(folder, {"batch_id": "1", "explain": "all"}, False, silent)
    with pytest.raises(UsageError), working_beside(output, True, silent) as work:
        prepare(work, {"batch_id": "2", "explain": "none"}, True, silent)
    assert (folder / "plan.json").exists()


def test_an_abandoned_folder_is_cleared_and_said(output: Path) -> None:
    folder = folder_beside(output)
    folder.mkdir(mode=0o700)
    (folder / "shards").mkdir()
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
