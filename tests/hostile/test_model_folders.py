"""Every kind of hostile model, at every door: refused in one line, before anything in it runs or is unpacked."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from riskmodels.errors import ExitCode, ModelFileError
from riskmodels.models.risk_model import RiskModel, read_model_folder, verify_manifest
from riskmodels.workspace import Workspace
from tests.end_to_end.served import refused
from tests.hostile.conftest import STUDY, Spoilt
from tests.hostile.doors import COMMANDS, VERBS, as_a_mapping, read_and_load
from tests.hostile.kinds import KINDS, RESEALED, Tools
from tests.hostile.watching import Watch

pytestmark = pytest.mark.skipif(os.name != "posix", reason="links, pipes and devices are made here")


@pytest.fixture(scope="session", autouse=True)
def _everything_imported(shelf: Workspace, tmp_path_factory: pytest.TempPathFactory) -> None:
    """What the commands import, they import now, and not while they are watched."""
    for command in (*VERBS.values(), *COMMANDS.values()):
        command(shelf, f"{STUDY}/1", tmp_path_factory.mktemp("first"))
    read_and_load(shelf.runs(STUDY) / "one" / "riskmodel")


@pytest.fixture
def tools(marks: Callable[[], Path], spoilt: Spoilt, other: dict[str, bytes]) -> Tools:
    return Tools(marks(), spoilt.outside, other)


def nothing_happened(watch: Watch, tools: Tools) -> None:
    assert watch.broken == []
    assert not tools.mark.exists()
    # Neither what was pointed at, nor what a name would climb to.
    elsewhere = [path for path in watch.opened if str(tools.outside) in os.path.realpath(path)]
    assert elsewhere == []
    assert not [path for path in watch.opened if path.startswith(("/etc/passwd", "/dev/zero"))]
    assert not (tools.outside / "climbed").exists()


# ---------------------------------------------------------------- what is whole


def test_a_whole_model_passes_every_door(spoilt: Spoilt, tools: Tools, watch: Watch, tmp_path: Path) -> None:
    for run in spoilt.runs:
        with watch():
            assert read_and_load(run / "riskmodel").study_id == STUDY
    for model in (f"{STUDY}/1", str(spoilt.folder)):
        with watch():
            assert COMMANDS["card"](spoilt.workspace, model, tmp_path).code == ExitCode.DONE
            assert COMMANDS["review show"](spoilt.workspace, model, tmp_path).code == ExitCode.DONE
            # Nobody has decided on it yet, which is all that is wrong with it.
            refused(COMMANDS["score"](spoilt.workspace, model, tmp_path), ExitCode.GATE, "no review decides")
    nothing_happened(watch, tools)


def test_hard_links_are_files_like_any_other(spoilt: Spoilt, tools: Tools) -> None:
    """There is no first and second name of a file; what it holds is held to its digest."""
    folder = spoilt.folder / "riskmodel"
    os.link(folder / "model.json", tools.outside / "model.json")
    assert read_and_load(folder).study_id == STUDY


# ---------------------------------------------------------------- what is not


@pytest.mark.parametrize("name", KINDS)
def test_is_refused_at_every_door(
    name: str, spoilt: Spoilt, tools: Tools, watch: Watch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    kind = KINDS[name]
    registered, folder = spoilt.runs
    for run in (registered, folder):
        kind.spoil(run / "riskmodel", tools)
    refusals = []
    with watch(), pytest.raises(ModelFileError, match=kind.says) as refusal:
        read_and_load(folder / "riskmodel")
    refusals.append(str(refusal.value))
    if _can_be_read(folder / "riskmodel"):
        files = as_a_mapping(folder / "riskmodel")
        with watch(), pytest.raises(ModelFileError) as refusal:
            RiskModel.from_files(files)
        refusals.append(str(refusal.value))
    for how, command in VERBS.items():
        for model, run in ((f"{STUDY}/1", registered), (str(folder), folder)):
            with watch():
                called = command(spoilt.workspace, model, tmp_path)
            if how == "review show" and called.code == ExitCode.DONE:
                # It explains, and says which rule does not hold.
                assert re.search(r"^NO the model('s files are whole| is registered)", called.out, re.MULTILINE)
            elif called.code == ExitCode.USAGE:
                # A folder in which no model can be seen is no model at all.
                refused(called, ExitCode.USAGE, "no model lies there")
                assert run == folder
                assert not (folder / "riskmodel" / "manifest.json").is_file()
            elif is_sealed(run / "riskmodel"):
                # Whole as far as its own manifest goes, which is not the one that was registered: nobody reads on.
                code, words = (ExitCode.GATE, "not the registered") if how == "score" else (ExitCode.FILE, "another")
                refused(called, code, words)
            else:
                refused(called, ExitCode.FILE)
                assert re.search(kind.says, called.err), (how, called)
            refusals += called.err.splitlines()[-1:]
    for line in refusals:
        assert line.isprintable()
        assert len(line) < 500
    nothing_happened(watch, tools)
    assert not (tmp_path / "list.csv").exists()
    assert not (tmp_path / "card").exists()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", RESEALED)
def test_another_model_under_its_own_manifest_is_not_the_registered_one(
    name: str, spoilt: Spoilt, tools: Tools, watch: Watch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is whole, so that it can be read; it is neither carded nor scored with, and no command loads it."""
    registered, folder = spoilt.runs
    for run in (registered, folder):
        RESEALED[name](run / "riskmodel", tools)
    assert read_and_load(folder / "riskmodel").study_id == STUDY
    monkeypatch.setattr(RiskModel, "from_files", None)
    for model in (str(folder), f"{STUDY}/1"):
        with watch():
            refused(VERBS["card"](spoilt.workspace, model, tmp_path), ExitCode.FILE, "is the card of another model")
            score = VERBS["score"](spoilt.workspace, model, tmp_path)
            refused(score, ExitCode.GATE, "this model is not the registered one")
            shown = VERBS["review show"](spoilt.workspace, model, tmp_path)
        assert "NO the model is registered: this model is not the registered one" in shown.out, shown
    nothing_happened(watch, tools)


# One of each sort, through the command line itself.
ON_THE_COMMAND_LINE = [
    "pickle, beside the model", "joblib, as manifest.json", "an MLmodel with its own loader and code",
    "a link to the passwords of the system", "a pipe as the manifest", "bomb.zip, beside the model",
    "the knots of the calibrator, edited", "nested 200,000 deep as calibrator.json", "a model.json that is too large",
    "a name of two lines and a colour", "very many files",
]  # fmt: skip


@pytest.mark.parametrize("name", ON_THE_COMMAND_LINE)
def test_on_the_command_line_too_it_is_one_line_and_nothing_is_written(
    name: str, spoilt: Spoilt, tools: Tools, watch: Watch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    registered, folder = spoilt.runs
    for run in (registered, folder):
        KINDS[name].spoil(run / "riskmodel", tools)
    for how in ("score", "card"):
        for model in (f"{STUDY}/1", str(folder)):
            with watch():
                called = COMMANDS[how](spoilt.workspace, model, tmp_path)
            refused(called, called.code)
            assert called.code in (ExitCode.FILE, ExitCode.GATE, ExitCode.USAGE), called
            line = called.err.splitlines()[-1]
            assert line.isprintable()
            assert len(line) < 500
    for how in ("review show", "gate"):
        with watch():
            called = COMMANDS[how](spoilt.workspace, f"{STUDY}/1", tmp_path)
        assert called.code in (ExitCode.FILE, ExitCode.GATE, ExitCode.DONE), called
        assert "Traceback" not in called.said
        assert called.said.replace("\n", "").isprintable()
    nothing_happened(watch, tools)
    assert not (tmp_path / "list.csv").exists()
    assert not (tmp_path / "card").exists()
    assert capfd.readouterr() == ("", "")


def _can_be_read(folder: Path) -> bool:
    """Whether all that it holds is files, none of them larger than a test should read."""
    return not folder.is_symlink() and all(
        path.is_file() and not path.is_symlink() and path.stat().st_size < 10**8 for path in folder.iterdir()
    )


def is_sealed(folder: Path) -> bool:
    """Whether the files are those that the manifest names, whatever they hold."""
    try:
        verify_manifest(read_model_folder(folder))
    except ModelFileError:
        return False
    return True


CLIMBING = [
    "../model.json",
    "/etc/passwd",
    "..",
    ".",
    "",
    "a/../model.json",
    "C:\\model.json",
    "model.json\0",
    "code/x.py",
]


@pytest.mark.parametrize("name", CLIMBING)
def test_a_name_that_leads_elsewhere_is_refused(name: str, saved: dict[str, bytes]) -> None:
    with pytest.raises(ModelFileError, match="does not belong in a saved model"):
        RiskModel.from_files(saved | {name: saved["model.json"]})


def test_there_are_many_kinds() -> None:
    assert len(KINDS) + len(RESEALED) > 150
