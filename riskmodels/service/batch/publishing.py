"""How finished files take their places: all of them, in order, even if the process is killed between two."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from riskmodels import storage
from riskmodels.errors import OutsideError

# Stands while files take their places, and says what is still to be done.
PUBLISHING = "publishing.json"
# The folders in which files wait beside their places, where these are elsewhere; written before any is made.
NEAR = "near.json"


class StoppedError(OutsideError):
    """The work was stopped from outside, and can go on: what is done is kept."""


class _Move(NamedTuple):
    """A finished file or folder, where it belongs, and where it can make room for what stands there.

    In the note what is in or beside the work folder stands by its name: it may be seen under another path later.
    """

    part: Path
    final: Path
    aside: Path

    def at(self, work: Path) -> _Move:
        return _Move(work / self.part, work.parent / self.final, work / self.aside)


def publish(work: Path, files: Mapping[str, Path]) -> None:
    """Let finished files or folders of the work folder take their places, in the order given: the list itself last.

    All are on the disk before the first takes its place. A process that is killed between two of them leaves a note
    from which the next run on this output finishes (`finish`). What belongs elsewhere than beside the work folder is
    first brought near: into a new folder of a random name beside its place, which nobody else may enter.

    Parameters
    ----------
    files : name in ``work`` -> where it belongs

    Raises
    ------
    StoppedError
        if the disk refuses once some may have taken their places.
    OutsideError
        if it refuses before; nothing was changed then.
    """
    near = {name: _near(final) for name, final in files.items() if _is_elsewhere(work / name, final)}
    try:
        if near:
            storage.write_whole(work / NEAR, storage.canonical_json([str(folder) for folder in near.values()]))
        moves = []
        for name, final in files.items():
            with storage.outside_world(final):
                storage.make_private(final.parent)
                move = _Move(Path(name), Path(final.name), Path(f"earlier {name}"))
                if name in near:
                    shutil.move(work / name, _made(near[name]) / "new")
                    move = _Move(near[name] / "new", _anywhere(final), near[name] / "earlier")
                _have_on_disk(work / move.part)
            moves.append(move)
        note = [[str(path) for path in move] for move in moves]
        storage.write_whole(work / PUBLISHING, storage.canonical_json(note))
    except BaseException:
        if not is_publishing(work):
            sweep(work)
        raise
    finish(work)


def is_publishing(work: Path) -> bool:
    """Whether files of this work folder were stopped while they took their places."""
    return os.path.lexists(work / PUBLISHING)


def finish(work: Path) -> None:
    """Do what the note says and is not done yet, then take it away. The folder is ours: see `storage.refuse_foreign`.

    Raises
    ------
    StoppedError
        if the disk refuses; the note stays.
    """
    where = note = work / PUBLISHING
    moves = [move.at(work) for move in _noted(note)]
    try:
        for move in moves:
            where = move.final
            if move.part.exists():
                _take_place(move)
        where = note
        note.unlink()
    except OSError as reason:
        raise StoppedError(
            f"{where}: cannot be written ({reason.strerror or type(reason).__name__}); part of it took its place; mend "
            "that, then run the same command again (or with --resume) to finish"
        ) from None
    sweep(work)


def sweep(work: Path) -> None:
    """Take away what a run left beside the places of its files: the folders that it wrote down, and no others."""
    note = work / NEAR
    if not os.path.lexists(note):
        return
    storage.refuse_foreign(note)
    for folder in storage.read_json(note, OutsideError):
        shutil.rmtree(folder, ignore_errors=True)
    with suppress(OSError):
        note.unlink()


def _noted(note: Path) -> list[_Move]:
    storage.refuse_foreign(note)
    try:
        return [_Move(*map(Path, move)) for move in storage.read_json(note, OutsideError)]
    except TypeError:
        raise OutsideError(f"{note}: is not the note of this version; take its folder away") from None


def _take_place(move: _Move) -> None:
    if move.part.is_dir() and move.final.is_dir():
        # A folder cannot take the place of another that holds something.
        shutil.rmtree(move.aside, ignore_errors=True)
        os.replace(move.final, move.aside)
    os.replace(move.part, move.final)


def _anywhere(final: Path) -> Path:
    """The same place from whichever folder it is seen."""
    return final.parent.resolve() / final.name


def _near(final: Path) -> Path:
    return _anywhere(final).with_name(f".riskmodels-{secrets.token_hex(16)}.part")


def _is_elsewhere(part: Path, final: Path) -> bool:
    """Whether a rename might not do, for two mounts of one disk refuse it too: anywhere but beside the work folder."""
    return part.parent.parent.resolve() != final.parent.resolve()


def _made(folder: Path) -> Path:
    folder.mkdir(mode=storage.OWNER_ONLY_FOLDER)
    return folder


def _have_on_disk(part: Path) -> None:
    files = sorted(item for item in part.rglob("*") if item.is_file()) if part.is_dir() else [part]
    for file in files:
        with file.open("rb") as written:
            os.fsync(written.fileno())
        file.chmod(storage.OWNER_ONLY)
