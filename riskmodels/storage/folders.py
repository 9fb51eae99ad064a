"""Write a folder so that it appears whole, and sweep away what was begun by writers that were killed."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows has no such lock
    fcntl = None  # type: ignore[assignment]

from riskmodels.storage.private import OWNER_ONLY, make_room
from riskmodels.storage.refusals import outside_world


def write_folder(folder: Path, files: Mapping[str, bytes], mode: int = OWNER_ONLY) -> None:
    """Write a set of named files as one folder that appears whole. An existing folder is replaced.

    Raises
    ------
    OutsideError
        if the disk or its permissions refuse; the earlier folder, if any, is as it was.
    """
    with outside_world(folder), folder_made_whole(folder, mode) as new:
        for name, content in files.items():
            target = new / name
            make_room(target, mode)
            target.write_bytes(content)
            target.chmod(mode)


@contextmanager
def folder_made_whole(folder: Path, mode: int = OWNER_ONLY) -> Iterator[Path]:
    """A new folder to fill, which takes the place of ``folder`` at the end, or vanishes if filling it failed.

    ``mode``: of the files that will be in it; the folder is for its owner alone unless they are open to others.
    """
    folder = Path(folder)
    make_room(folder, mode)
    temporary, handle = _begun(folder)
    new, earlier = temporary / "new", temporary / "earlier"
    try:
        make_room(new / "any", mode)
        yield new
        if folder.exists():
            # Moved aside, not deleted, so that a refusal can put it back.
            os.replace(folder, earlier)
        try:
            os.replace(new, folder)
        except BaseException:
            if earlier.exists() and not folder.exists():
                os.replace(earlier, folder)
            raise
    finally:
        # If even putting it back failed, the earlier folder stays where it is.
        if folder.exists() or not earlier.exists():
            shutil.rmtree(temporary, ignore_errors=True)
        if handle is not None:
            os.close(handle)


def _begun(folder: Path) -> tuple[Path, int | None]:
    """A temporary folder beside this one, locked as long as it is being filled: `sweep_folders` leaves it alone."""
    while True:
        temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}.", suffix=".part"))
        handle = None
        if fcntl is not None:
            with suppress(OSError):  # swept already, or on a disk that knows no such lock, where nothing is swept
                handle = os.open(temporary, os.O_RDONLY)
                fcntl.flock(handle, fcntl.LOCK_SH)
        if temporary.exists():
            return temporary, handle
        if handle is not None:
            os.close(handle)


def sweep_folders(parent: Path) -> None:
    """Delete the folders that were being filled in here when their writers were killed.

    One that is being filled now stays, and so does one that holds the only copy of what it was to take the place of.
    Where the platform cannot tell (Windows) all of them stay.
    """
    for left in Path(parent).glob(".*.part") if fcntl is not None else ():
        with suppress(OSError):
            handle = os.open(left, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                place = left.with_name(left.name[1:].rsplit(".", 2)[0])
                if place.exists() or not (left / "earlier").exists():
                    shutil.rmtree(left)
            finally:
                os.close(handle)
