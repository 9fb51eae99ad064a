"""What the operating system refuses, in one line: when it happens, or before hours of work."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from riskmodels.errors import OutsideError


@contextmanager
def outside_world(path: Path) -> Iterator[None]:
    """Turn the operating system's refusals into one line."""
    try:
        yield
    except OSError as reason:
        what = reason.strerror or type(reason).__name__
        if reason.errno == errno.ELOOP:  # how what is opened without following links is refused
            what = "it, or what locks it, is a link; put the file itself there"
        raise OutsideError(f"{path}: cannot be written ({what}); nothing was changed") from None


def refuse_unwritable(path: Path, folder: bool = False) -> None:
    """Say before hours of work, not after, that a file (or, with ``folder``, a folder) cannot take its place there."""
    path = Path(path)
    if path.is_dir() and not folder:
        raise OutsideError(f"{path}: is a folder; name a file to write to")
    if folder and path.exists() and not path.is_dir():
        raise OutsideError(f"{path}: is a file where a folder is to be written; move it away")
    if path.exists() and not path.is_file() and not folder:
        # A file is written beside it and takes its place: that would be the end of a device or a pipe.
        raise OutsideError(f"{path}: is a device or a pipe; name a file to write to")
    parent = path.parent
    while not parent.exists():
        parent = parent.parent
    if not parent.is_dir() or not os.access(parent, os.W_OK):
        raise OutsideError(f"{path}: cannot be written (no permission in {parent}); nothing was changed")
