"""Files and folders that are their owner's alone, and whether what is found is ours."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from riskmodels.errors import OutsideError

OWNER_ONLY = 0o600
OWNER_ONLY_FOLDER = 0o700
NO_LINK = getattr(os, "O_NOFOLLOW", 0)  # a link that somebody laid would have us write wherever it points to


def make_private(folder: Path) -> None:
    """Make a folder, and those above it that are missing, for their owner alone. Raises OSError."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    for one in reversed(missing):
        one.mkdir(mode=OWNER_ONLY_FOLDER, exist_ok=True)


def make_room(path: Path, mode: int) -> None:
    """Make the folder in which a file or folder is to be written: for its owner alone, unless ``mode`` opens what is
    written to others, who could then not reach it. A folder that is there stays as it is. Raises OSError."""
    if mode & 0o077:
        path.parent.mkdir(parents=True, exist_ok=True)
    else:
        make_private(path.parent)


def refuse_foreign(path: Path) -> None:
    """Refuse a file or folder in which another user may have put something: what it says would be obeyed.

    Where the platform knows of owners, it is ours, and nobody else may as much as look into it.

    Raises
    ------
    FileNotFoundError
        if there is nothing.
    OutsideError
        if it is a link, or neither file nor folder, or of another owner, or open to others.
    """
    found = os.lstat(path)
    if stat.S_ISLNK(found.st_mode):
        why = "is a link"
    elif not (stat.S_ISDIR(found.st_mode) or stat.S_ISREG(found.st_mode)):
        why = "is neither a file nor a folder"
    elif hasattr(os, "geteuid") and found.st_uid != os.geteuid():
        why = "belongs to another user"
    elif hasattr(os, "geteuid") and stat.S_IMODE(found.st_mode) & 0o077:
        why = "is open to other users"
    else:
        return
    raise OutsideError(f"{path}: {why}, so what it holds may not be ours; take it away, or write to another folder")


def only_ours(folder: Path) -> bool:
    """Whether a folder of code, the folder that it stands in, and all that is kept in it (``*.nb?``) belong to this
    user or to root, and nobody else may write them. Windows, which has no such bits, is trusted with it."""
    if os.name != "posix":
        return True
    parent = folder.parent.stat()
    # In a folder like /tmp others may add what is theirs, and not move what is ours.
    moved_by_nobody = _is_ours(parent) or (_is_owned(parent) and bool(parent.st_mode & stat.S_ISVTX))
    return moved_by_nobody and all(_is_ours(path.stat()) for path in (folder, *folder.glob("*.nb?")))


def _is_owned(found: os.stat_result) -> bool:
    return found.st_uid in (0, os.geteuid())


def _is_ours(found: os.stat_result) -> bool:
    return _is_owned(found) and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
