"""What is checked is what is used: a folder that somebody changes between the look and the reading, and a platform
that cannot open a folder, or a file without following links."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from riskmodels import storage
from riskmodels.errors import ModelFileError
from riskmodels.models import risk_model
from riskmodels.models.risk_model import LARGEST, RiskModel, read_model_folder
from tests.hostile.kinds import LINKS, NO_FILES, Kind, Tools

pytestmark = pytest.mark.skipif(os.name != "posix", reason="links and pipes are made here")


@pytest.fixture
def folder(saved: dict[str, bytes], tmp_path: Path) -> Path:
    storage.write_folder(tmp_path / "brought" / "run" / "riskmodel", saved)
    return tmp_path / "brought" / "run" / "riskmodel"


def before_opening(monkeypatch: pytest.MonkeyPatch, name: str, act: Callable[[], object]) -> None:
    """Do something at the last moment before a file of this name is opened."""
    opened = os.open

    def open_(path: Any, *given: Any, **named: Any) -> int:
        if Path(path).name == name:
            monkeypatch.setattr(os, "open", opened)
            act()
        return opened(path, *given, **named)

    if opened in os.supports_dir_fd:
        monkeypatch.setattr(os, "supports_dir_fd", {*os.supports_dir_fd, open_})
    monkeypatch.setattr(os, "open", open_)


@pytest.mark.parametrize("make", [
    lambda path, target: path.symlink_to(target), lambda path, target: os.link(target, path),
    lambda path, target: os.mkfifo(path), lambda path, target: path.write_bytes(b"{}"),
], ids=["by a link", "by another file", "by a pipe", "by a new file"])  # fmt: skip
def test_a_file_that_is_exchanged_before_it_is_opened_is_refused(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path, Path], object]
) -> None:
    target, path = tmp_path / "target", folder / "model.json"
    target.write_bytes(b"{}")

    def exchange() -> None:
        path.rename(tmp_path / "kept")  # not deleted: its number in the file system must not be given out again
        make(path, target)

    before_opening(monkeypatch, "model.json", exchange)
    with pytest.raises(ModelFileError, match=r"was replaced while it was read|cannot be read \(Too many levels"):
        read_model_folder(folder)


def test_a_file_that_grows_while_it_is_read_is_read_to_its_largest_size_and_no_further(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its size was right when it was looked at."""
    monkeypatch.setitem(LARGEST, "model.json", 10_000)
    looked = os.fstat

    def then_grows(handle: int) -> os.stat_result:
        found = looked(handle)
        if os.path.samestat(found, (folder / "model.json").stat()):
            with (folder / "model.json").open("ab") as file:
                file.write(b" " * 100_000)
        return found

    monkeypatch.setattr(os, "fstat", then_grows)
    with pytest.raises(ModelFileError, match=r"model\.json: is larger than"):
        read_model_folder(folder)


def test_a_folder_that_is_exchanged_while_it_is_read_stays_the_one_that_was_opened(
    folder: Path, saved: dict[str, bytes], other: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage.write_folder(tmp_path / "other", other)

    def exchange() -> None:
        folder.rename(tmp_path / "kept")
        folder.symlink_to(tmp_path / "other")

    before_opening(monkeypatch, "manifest.json", exchange)
    assert read_model_folder(folder) == saved
    assert folder.is_symlink()


def test_what_was_read_is_what_is_loaded(folder: Path, saved: dict[str, bytes], other: dict[str, bytes]) -> None:
    """Nothing is read again: once the files are in hand, their folder may go."""
    files = read_model_folder(folder)
    shutil.rmtree(folder)
    assert RiskModel.from_files(files).to_files() == saved


def test_of_very_many_names_few_are_looked_at(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = []
    looking = os.scandir

    class Counted:
        def __init__(self, where: Any) -> None:
            self.entries = looking(where)

        def __enter__(self) -> Counted:
            return self

        def __exit__(self, *_: object) -> None:
            self.entries.close()

        def __iter__(self) -> Any:
            for entry in self.entries:
                taken.append(entry.name)
                yield entry

    for number in range(500):
        (folder / f"more-{number}").touch()
    monkeypatch.setattr(os, "scandir", Counted)
    monkeypatch.setattr(os, "supports_fd", {*os.supports_fd, Counted})
    with pytest.raises(ModelFileError, match="does not belong in a saved model"):
        read_model_folder(folder)
    assert len(taken) == len(LARGEST) + 1


def test_no_file_is_opened_before_all_names_belong(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "zzz.pkl").write_bytes(b"")
    monkeypatch.setattr(risk_model, "_read", None)
    with pytest.raises(ModelFileError, match=r"zzz\.pkl: does not belong in a saved model"):
        read_model_folder(folder)


# ---------------------------------------------------------------- a platform that lacks something


@pytest.fixture
def as_on_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """No folder can be opened, and no file without following links or waiting."""
    monkeypatch.setattr(os, "supports_dir_fd", set())
    monkeypatch.setattr(os, "supports_fd", set())
    for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_DIRECTORY"):
        monkeypatch.delattr(os, name)


@pytest.mark.usefixtures("as_on_windows")
def test_there_too_a_model_is_read(folder: Path, saved: dict[str, bytes]) -> None:
    assert read_model_folder(folder) == saved


@pytest.mark.usefixtures("as_on_windows")
@pytest.mark.parametrize("name", [*NO_FILES, *(name for name in LINKS if "link" in name)])
def test_there_too_what_is_no_plain_file_is_refused(
    name: str, folder: Path, other: dict[str, bytes], tmp_path: Path
) -> None:
    (tmp_path / "outside").mkdir()
    kind: Kind = {**NO_FILES, **LINKS}[name]
    kind.spoil(folder, Tools(tmp_path / "mark", tmp_path / "outside", other))
    with pytest.raises(ModelFileError, match=kind.says):
        read_model_folder(folder)


@pytest.mark.usefixtures("as_on_windows")
def test_there_too_a_file_that_becomes_a_link_is_refused(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "target").write_bytes(b"{}")

    def exchange() -> None:
        (folder / "model.json").rename(tmp_path / "kept")
        (folder / "model.json").symlink_to(tmp_path / "target")

    before_opening(monkeypatch, "model.json", exchange)
    with pytest.raises(ModelFileError, match="was replaced while it was read"):
        read_model_folder(folder)
