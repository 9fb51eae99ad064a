"""Write a file so that it is there complete, or as it was before: one, several together, or one line more."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from riskmodels.storage.private import NO_LINK, OWNER_ONLY, make_room
from riskmodels.storage.refusals import outside_world


def write_whole(path: Path, content: bytes, mode: int = OWNER_ONLY) -> None:
    """Write a file so that it is there complete, or as it was before.

    Raises
    ------
    OutsideError
        if the disk or its permissions refuse; the earlier file, if any, is untouched.
    """

    def put(temporary: Path) -> None:
        temporary.write_bytes(content)

    write_whole_with(path, put, mode)


def write_whole_with(path: Path, put: Callable[[Path], None], mode: int = OWNER_ONLY) -> None:
    """As `write_whole`, for writers that want a path: ``put`` fills a temporary file beside the target."""
    path = Path(path)
    with outside_world(path), _laid_beside(path, put, mode) as take_place:
        take_place()


@contextmanager
def laid_beside(path: Path, content: bytes, mode: int = OWNER_ONLY) -> Iterator[Callable[[], None]]:
    """Have a file's new content on the disk before something else is done that it belongs to.

    What is yielded lets it take its place; that needs no room on the disk, and raises OSError if it fails all the same.
    Unless it is called, the file stays as it was.

    Raises
    ------
    OutsideError
        if the disk or its permissions refuse the content.
    """

    def put(temporary: Path) -> None:
        temporary.write_bytes(content)

    path = Path(path)
    with ExitStack() as held:
        with outside_world(path):
            take_place = held.enter_context(_laid_beside(path, put, mode))
        yield take_place


@contextmanager
def _laid_beside(path: Path, put: Callable[[Path], None], mode: int) -> Iterator[Callable[[], None]]:
    make_room(path, mode)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    os.close(handle)
    temporary = Path(name)
    try:
        put(temporary)
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.chmod(mode)
        yield lambda: os.replace(temporary, path)
    finally:
        with suppress(OSError):  # gone to its place; or swept later, so that it does not hide what went wrong
            temporary.unlink()


def sweep_beside(path: Path) -> None:
    """Delete what writers of a file left beside it when they were killed. The caller holds the file's lock."""
    for left in Path(path).parent.glob(f".{Path(path).name}.*.part*"):
        with suppress(OSError):
            left.unlink()


def write_together(files: Mapping[Path, bytes], mode: int = OWNER_ONLY) -> None:
    """Write several files; all are on the disk beside their places before the first takes its place.

    Raises
    ------
    OutsideError
        if the disk or its permissions refuse while they are written; nothing was then changed.
    """
    first = next(iter(files))
    with outside_world(first):
        for path in files:
            if path.is_dir():  # only the last step would find out, with others in their places by then
                raise IsADirectoryError(errno.EISDIR, f"{path.name} is a folder")
        parts: list[tuple[Path, Path]] = []
        try:
            for path, content in files.items():
                make_room(path, mode)
                handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
                parts.append((Path(name), path))
                with os.fdopen(handle, "wb") as part:
                    part.write(content)
                    part.flush()
                    os.fsync(part.fileno())
                Path(name).chmod(mode)
            for part_path, path in parts:
                os.replace(part_path, path)
        finally:
            for part_path, _ in parts:
                part_path.unlink(missing_ok=True)


def append_line(path: Path, line: str) -> None:
    """Append one line and have it on the disk before returning. The caller holds the file's lock.

    Raises
    ------
    OutsideError
        if the disk or its permissions refuse; the file is then as it was.
    """
    path = Path(path)
    with outside_world(path):
        make_room(path, OWNER_ONLY)
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | NO_LINK, OWNER_ONLY)
        try:
            before = os.fstat(handle).st_size
            try:
                rest = (line + "\n").encode()
                while rest:
                    rest = rest[os.write(handle, rest) :]
                os.fsync(handle)
            except OSError:
                with suppress(OSError):  # a full disk takes a part of a line
                    os.ftruncate(handle, before)
                raise
        finally:
            os.close(handle)


def cut_to(path: Path, size: int) -> None:
    """Cut a file to its first ``size`` bytes, on the disk before returning. Raises OutsideError."""
    with outside_world(path), Path(path).open("rb+") as file:
        file.truncate(size)
        os.fsync(file.fileno())
