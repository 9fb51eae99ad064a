"""What is named as MODEL and is none: files and folders that do something when they are loaded, archives, odd paths."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from riskmodels.errors import ExitCode, ModelFileError
from riskmodels.models.risk_model import read_model_folder
from riskmodels.workspace import Workspace
from tests.end_to_end.served import refused
from tests.hostile.conftest import STUDY
from tests.hostile.doors import COMMANDS, VERBS
from tests.hostile.kinds import ARCHIVES, Tools
from tests.hostile.payloads import PAYLOADS, write_mlflow_model
from tests.hostile.watching import Watch

pytestmark = pytest.mark.skipif(os.name != "posix", reason="pipes and devices are named here")


@pytest.fixture
def refuse(shelf: Workspace, watch: Watch, tmp_path: Path) -> Callable[[str], None]:
    """Every command refuses it, as no model at all, and does nothing with it."""

    def refuse_(model: str) -> None:
        for command in VERBS.values():
            with watch():
                refused(command(shelf, model, tmp_path), ExitCode.USAGE)
        assert watch.broken == []
        assert not [path for path in watch.opened if os.path.realpath(path) == os.path.realpath(model)]
        with watch(), pytest.raises(ModelFileError, match=r"is not a folder|cannot be read|does not belong|is missing"):
            read_model_folder(model)

    return refuse_


@pytest.mark.parametrize("name", PAYLOADS)
def test_a_file_that_runs(name: str, refuse: Callable[[str], None], marks: Callable[[], Path], tmp_path: Path) -> None:
    mark, path = marks(), tmp_path / PAYLOADS[name].name
    path.write_bytes(PAYLOADS[name].make(mark))
    refuse(str(path))
    assert not mark.exists()
    PAYLOADS[name].load(path.read_bytes())
    assert mark.exists()


@pytest.mark.parametrize("name", ARCHIVES)
def test_an_archive(
    name: str, refuse: Callable[[str], None], other: dict[str, bytes], marks: Callable[[], Path], tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(ARCHIVES[name](Tools(marks(), tmp_path, other)))
    refuse(str(tmp_path / name))
    assert not list(tmp_path.rglob("climbed"))


def test_a_model_of_mlflow_with_its_own_loader(
    refuse: Callable[[str], None], marks: Callable[[], Path], tmp_path: Path
) -> None:
    """A proof that it runs where MLflow loads it: `test_payloads`."""
    mark = marks()
    write_mlflow_model(tmp_path / "model", mark)
    refuse(str(tmp_path / "model"))
    assert not mark.exists()


def test_a_pipe_a_device_and_a_link_to_one(refuse: Callable[[str], None], tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/dev/zero")
    for model in (tmp_path / "pipe", Path("/dev/zero"), tmp_path / "link"):
        refuse(str(model))


@pytest.mark.parametrize(
    "model",
    [
        "../../../etc/passwd", "/etc/passwd", "file:///etc/passwd", "http://127.0.0.1:9/model", "runs:/0123/model",
        "models:/../../etc", "models:/m-0123456789abcdef0123456789abcdef", f"{STUDY}/../{STUDY}", f"{STUDY}@",
        f"{STUDY}/0", f"{STUDY}@../x", "x" * 5_000, "a\nb", "\u202e", "-", "", "~", "*",
    ],
)  # fmt: skip
def test_a_name_that_is_none(shelf: Workspace, watch: Watch, tmp_path: Path, model: str) -> None:
    for how in ("score", "review show"):
        with watch():
            called = COMMANDS[how](shelf, model, tmp_path)
        assert called.code == ExitCode.USAGE, called
        assert len(called.err.splitlines()) <= 2, called
    assert watch.broken == []
    assert not [path for path in watch.opened if path.startswith("/etc/passwd")]
