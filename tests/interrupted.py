"""Something happens at the n-th step that code takes on the disk: the process is killed there, or the disk is full.

A step is a file opened to be written, a name that is given, changed or taken away, bytes that are written or made to
last, below one folder. SQLite's own steps are not seen.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NAMED = {"os.rename", "os.remove", "os.truncate", "os.mkdir", "os.rmdir", "os.chmod", "os.link", "os.symlink"}
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
Deed = Callable[[], None]

_root, _left, _deed, _lasts = "", -1, None, False  # what is watched; a hook cannot be taken off again
_hooked = False


def kill() -> None:
    """As the system would: nothing is tidied up."""
    os.kill(os.getpid(), signal.SIGKILL)


def fill() -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def forbid() -> None:
    raise OSError(errno.EROFS, "Read-only file system")


@contextmanager
def at_step(number: int, root: Path, deed: Deed, *, lasts: bool = False) -> Iterator[None]:
    """Do the deed instead of the step of this number, from 0, and, where it ``lasts``, of all that follow. A write is
    half done before."""
    global _root, _left, _deed, _lasts, _hooked
    write, fsync = os.write, os.fsync

    def half(handle: int, content: bytes) -> int:
        if _counts(_path_of(handle)):
            write(handle, content[: len(content) // 2])
            deed()
        return write(handle, content)

    def last(handle: int) -> None:
        if _counts(_path_of(handle)):
            deed()
        fsync(handle)

    if not _hooked:
        sys.addaudithook(_hook)
        _hooked = True
    _root, _left, _deed, _lasts = str(root), number, deed, lasts
    os.write, os.fsync = half, last  # type: ignore[assignment]
    try:
        yield
    finally:
        os.write, os.fsync = write, fsync
        _root, _left, _deed, _lasts = "", -1, None, False


def steps_left() -> int:
    """How many steps were still to come before the deed; below 0 once it was done."""
    return _left


def dies_at(number: int, root: Path, act: Callable[[], object]) -> bool:
    """Act in a process of its own that is killed at this step; False if the act took fewer steps and was done."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            with at_step(number, root, kill):
                act()
            status = 0
        finally:
            os._exit(status)
    _, ended = os.waitpid(child, 0)
    if os.WIFSIGNALED(ended):
        assert os.WTERMSIG(ended) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(ended) == 0, "the act failed in a way of its own"
    return False


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _deed is None or not (event in NAMED or (event == "open" and arguments[2] & WRITES)):
        return
    if _counts(arguments[0]):
        _deed()


def _counts(path: Any) -> bool:
    """Whether it is this step's turn."""
    global _left
    if _left < 0 and not _lasts:
        return False
    if not isinstance(path, (str, bytes, os.PathLike)) or not os.fsdecode(path).startswith(_root):
        return False
    _left -= 1
    return _left < 0


def _path_of(handle: int) -> str:
    try:
        return os.readlink(f"/proc/self/fd/{handle}")
    except OSError:
        return ""
