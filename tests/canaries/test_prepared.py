"""What a study's own script writes, with whatever permissions, ends for its owner alone, and so does the workspace."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from riskmodels.commands.sources import data_folder, steps_of
from riskmodels.study import Study
from riskmodels.workspace import Workspace
from tests.canaries.county import NAME
from tests.situations.county import write_study

SCRIPT = """
from pathlib import Path


def prepare(folder: Path) -> None:
    (folder / "people.csv").write_text("id\\\\n1\\\\n")
    (folder / "parts").mkdir()
    (folder / "parts" / "events.csv").write_text("id\\\\n1\\\\n")
    for path in folder.rglob("*"):
        path.chmod(0o777 if path.is_dir() else 0o666)
""".replace("\\\\", "\\")


@pytest.fixture(params=[0o000, 0o022], ids=["umask 000", "umask 022"])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


@pytest.fixture
def study(tmp_path: Path) -> Study:
    found = write_study(tmp_path / "study", study=NAME)
    (tmp_path / "study" / "prepare.py").write_text(SCRIPT)
    return found


def modes(folder: Path) -> dict[str, int]:
    return {
        path.relative_to(folder).as_posix(): stat.S_IMODE(path.stat().st_mode) for path in [folder, *folder.rglob("*")]
    }


@pytest.mark.usefixtures("umask")
def test_what_a_script_wrote_is_for_its_owner_alone(study: Study, tmp_path: Path) -> None:
    found = data_folder(study, Workspace(tmp_path / "work"), None)
    made = modes(found)
    made.pop(".prepared")  # it names nobody
    assert made == {".": 0o700, "people.csv": 0o600, "parts": 0o700, "parts/events.csv": 0o600}


@pytest.mark.usefixtures("umask")
@pytest.mark.parametrize("keep", [True, False])
def test_a_new_workspace_is_closed_to_others(study: Study, tmp_path: Path, keep: bool) -> None:
    steps_of(study, Workspace(tmp_path / "team" / "work"), keep)
    assert modes(tmp_path / "team") == {".": 0o700, "work": 0o700}


@pytest.mark.usefixtures("umask")
def test_a_folder_that_is_there_keeps_its_permissions(study: Study, tmp_path: Path) -> None:
    """Whoever made it for a team meant it."""
    (tmp_path / "work").mkdir(mode=0o750)
    before = modes(tmp_path / "work")
    steps_of(study, Workspace(tmp_path / "work"), True)
    assert modes(tmp_path / "work") == before
