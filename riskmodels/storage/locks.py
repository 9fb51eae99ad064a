"""One at a time: locks that are held across threads and processes, and let go of when a process ends."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows has no such lock
    fcntl = None  # type: ignore[assignment]

from riskmodels.errors import OutsideError
from riskmodels.storage.private import NO_LINK, OWNER_ONLY
from riskmodels.storage.refusals import outside_world

WAIT = 0.05  # seconds, where a lock can only be asked for and not waited for
windows_locks: Any = import_module("msvcrt") if os.name == "nt" else None


@contextmanager
def locked(path: Path, shared: bool = False) -> Iterator[None]:
    """Hold the write lock that belongs to ``path``: one writer at a time, across threads and processes.

    With ``shared``, hold it with other readers, so that nothing is written meanwhile. Where the lock's file can be
    neither made nor opened, nobody of this user writes there either, and a reader goes on without it.
    """
    path = Path(path)
    lock = path.with_name(f".{path.name}.lock")
    handle = None
    with outside_world(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(lock, os.O_RDWR | os.O_CREAT | NO_LINK, OWNER_ONLY)
        except OSError as reason:
            if not shared or reason.errno not in (errno.EROFS, errno.EACCES, errno.EPERM):
                raise
            with suppress(FileNotFoundError, PermissionError):
                handle = os.open(lock, os.O_RDONLY | NO_LINK)
    try:
        if fcntl is not None and handle is not None:
            fcntl.flock(handle, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        while windows_locks is not None and handle is not None and not _locked_on_windows(handle):
            time.sleep(WAIT)
        yield
    finally:
        if handle is not None:
            os.close(handle)


def _locked_on_windows(handle: int) -> bool:
    try:
        windows_locks.locking(handle, windows_locks.LK_NBLCK, 1)  # closing the file lets go of it
    except PermissionError:
        return False
    return True


@contextmanager
def together(path: Path, busy: str, alone: bool = False) -> Iterator[None]:
    """Hold the lock that belongs to ``path`` with others or, ``alone``, against them (not on Windows).

    Whoever cannot make the lock's file, as on a disk that is read-only, goes on with the others without it.

    Raises
    ------
    OutsideError
        at once, saying ``busy``, if somebody holds it otherwise; or if it is wanted alone and the disk refuses.
    """
    path = Path(path)
    lock = path.with_name(f".{path.name}.lock")
    handle = None
    try:
        handle = os.open(lock, os.O_RDWR | os.O_CREAT | NO_LINK, OWNER_ONLY)
    except OSError as reason:
        if alone:
            raise OutsideError(f"{lock}: cannot be written ({reason.strerror}); nothing was changed") from None
    try:
        if fcntl is not None and handle is not None:
            try:
                fcntl.flock(handle, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
            except BlockingIOError:
                raise OutsideError(busy) from None
        yield
    finally:
        if handle is not None:
            os.close(handle)


@contextmanager
def held(path: Path, shared: str | None = None) -> Iterator[None]:
    """Be the only one who is writing ``path``, across processes, or be told at once (not on Windows).

    Nothing is left behind: the lock's file goes when the work is over, and a file left by a process that was killed
    holds nobody up.

    Parameters
    ----------
    shared : the name that is locked, where several outputs share files; the output's own unless given

    Raises
    ------
    OutsideError
        if another run is writing it, or the disk refuses.
    """
    path = Path(path)
    lock = path.with_name(f".{shared or path.name}.lock")
    with outside_world(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    handle = _take(lock, path)
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)
        os.close(handle)


def _take(lock: Path, path: Path) -> int:
    while True:
        with outside_world(path):
            handle = os.open(lock, os.O_RDWR | os.O_CREAT | NO_LINK, OWNER_ONLY)
        try:
            if fcntl is not None:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Whoever held it before may have taken the file away between our opening it and our locking it.
            if lock.exists() and os.path.samestat(os.fstat(handle), os.stat(lock)):
                return handle
        except BlockingIOError:
            os.close(handle)
            raise OutsideError(
                f"{path}: another run is writing this output, or one that shares files with it; wait for its end, or "
                "write to another name"
            ) from None
        except FileNotFoundError:
            pass
        os.close(handle)
