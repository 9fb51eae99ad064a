"""A purge that is stopped, killed, refused or in somebody's way: nothing goes that is not on record."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from riskmodels import commands, storage
from riskmodels.commands import purge_deletion
from riskmodels.commands.in_use import in_use, purging
from riskmodels.errors import OutsideError
from riskmodels.governance.acts import Purge
from riskmodels.governance.chain import read_chain
from riskmodels.study import load_study
from riskmodels.workspace import Workspace
from tests.conftest import ROOT
from tests.end_to_end.purged import (
    BY,
    FAR,
    STUDY,
    files_in,
    on_record,
    run_of,
)
from tests.end_to_end.served import call, refused

# ---------------------------------------------------------------- stopped in between


def undisturbed(workspace: Workspace, folder: Path) -> set[str]:
    """What an undisturbed purge leaves, by name."""
    other = Workspace(Path(shutil.copytree(workspace.root, folder / "undisturbed")))
    call(other, "purge", *BY, today=FAR)
    return set(files_in(other))


def holds(workspace: Workspace, before: dict[str, bytes]) -> None:
    """Whatever is gone is on record, and what stands there is whole."""
    after = files_in(workspace)
    assert before.keys() - after.keys() <= on_record(workspace).keys()
    assert call(workspace, "models", today=FAR).code == 0


@pytest.mark.parametrize("after", [0, 1, 3, 13, 25])
def test_a_purge_that_was_stopped_goes_on(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    expected = undisturbed(workspace, tmp_path)
    before = files_in(workspace)
    left = [after]

    class Stopped(BaseException):
        pass

    def unlink(path: Path) -> None:
        if left[0] == 0:
            raise Stopped
        left[0] -= 1
        os.unlink(path)

    with monkeypatch.context() as patched:
        patched.setattr(purge_deletion, "_unlink", unlink)
        with pytest.raises(Stopped):
            commands.purge(None, workspace, FAR, due=True, by="officer")
    holds(workspace, before)
    assert len(before.keys() - files_in(workspace).keys()) == after
    told = call(workspace, "purge", today=FAR)
    assert "A purge was stopped" in told.out
    going_on = call(workspace, "purge", *BY, today=FAR)
    assert "of them on record since a purge that was stopped" in going_on.out
    assert set(files_in(workspace)) == expected
    assert on_record(workspace).keys() == before.keys() - expected
    # Nothing is twice on record.
    acts = (line.act for line in read_chain(workspace.reviews(STUDY)))
    paths = [file.path for act in acts if isinstance(act, Purge) for file in act.files]
    assert len(paths) == len(set(paths))


def test_a_purge_that_fails_to_be_recorded_deletes_nothing(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = files_in(workspace)

    def full(path: Path, line: str) -> None:
        raise OutsideError(f"{path}: cannot be written (No space left on device); nothing was changed")

    monkeypatch.setattr(storage, "append_line", full)
    refused(call(workspace, "purge", *BY, today=FAR), 7, "No space left on device")
    assert files_in(workspace) == before


KILLED = """
import datetime, os, signal, sys
from pathlib import Path
from riskmodels import commands
from riskmodels.commands import purge_deletion
from riskmodels.workspace import Workspace
left = [int(sys.argv[2])]
def unlink(path):
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    left[0] -= 1
    os.unlink(path)
purge_deletion._unlink = unlink
commands.purge(None, Workspace(Path(sys.argv[1])), datetime.date(2099, 1, 1), due=True, by="officer")
"""


@pytest.mark.slow
@pytest.mark.parametrize("after", [0, 4, 11])
def test_a_purge_that_was_killed_goes_on(workspace: Workspace, tmp_path: Path, after: int) -> None:
    expected, before = undisturbed(workspace, tmp_path), files_in(workspace)
    command = [sys.executable, "-c", KILLED, str(workspace.root), str(after)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr[-2000:]
    holds(workspace, before)
    assert call(workspace, "purge", *BY, today=FAR).code == 0
    assert set(files_in(workspace)) == expected


def test_tables_that_were_made_anew_are_not_taken_for_those_that_went(workspace: Workspace) -> None:
    call(workspace, "purge", *BY, today=FAR)
    went = {path for path in on_record(workspace) if path.startswith("data/")}
    commands.data_folder(load_study(ROOT / "experiments" / STUDY), workspace, None)
    stamp = workspace.data(STUDY) / ".prepared"
    moment = dt.datetime(2098, 12, 31, tzinfo=dt.UTC).timestamp()
    os.utime(stamp, (moment, moment))
    assert went == {path for path in files_in(workspace) if path.startswith("data/")}
    call(workspace, "purge", *BY, today=FAR)
    assert went == {path for path in files_in(workspace) if path.startswith("data/")}


# ---------------------------------------------------------------- who works there


def test_nothing_is_deleted_from_under_a_command(workspace: Workspace, tmp_path: Path) -> None:
    before = files_in(workspace)
    with in_use(workspace), in_use(workspace):
        refused(call(workspace, "purge", *BY, today=FAR), 7, "is in use by another command; nothing was deleted")
        assert call(workspace, "purge", today=FAR).code == 0  # to tell is no harm
    assert files_in(workspace) == before
    words = ("score", STUDY, workspace.data(STUDY), "--as-of", "1989-06-30", "--output", tmp_path / "list.csv")
    with purging(workspace):
        refused(call(workspace, *words), 7, "`riskmodels purge` is deleting what is due there")
        refused(call(workspace, "purge", *BY, today=FAR), 7, "is in use by another command")
        with pytest.raises(OutsideError, match="is deleting what is due there"):
            commands.run(ROOT / "experiments" / STUDY, workspace)
    assert not (tmp_path / "list.csv").exists()
    assert call(workspace, "purge", *BY, today=FAR).code == 0


def test_a_folder_without_permission_stops_it_before_anything_goes(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, access = files_in(workspace), os.access
    closed = run_of(workspace).resolve()
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != closed and access(path, mode))
    refused(call(workspace, "purge", *BY, today=FAR), 7, "cannot be deleted from (no permission); nothing was deleted")
    assert files_in(workspace) == before


def test_a_file_that_will_not_go_is_named_and_goes_later(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def unlink(path: Path) -> None:
        if path.name == "pupils.parquet":
            raise PermissionError(13, "Permission denied")
        os.unlink(path)

    with monkeypatch.context() as patched:
        patched.setattr(purge_deletion, "_unlink", unlink)
        called = call(workspace, "purge", *BY, today=FAR)
    assert called.code == 7
    assert "pupils.parquet: could not be deleted (Permission denied); it is on record" in called.err
    assert [path for path in files_in(workspace) if path.startswith("data/")] == [f"data/{STUDY}/pupils.parquet"]
    assert "Deleted: 1 file," in call(workspace, "purge", *BY, today=FAR).out
    assert not workspace.data(STUDY).exists()
