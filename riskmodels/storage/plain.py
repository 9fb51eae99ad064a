"""Read files and folders that somebody else may have made: no links, devices or pipes, and no more than one wants."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from riskmodels.errors import OutsideError

TRIES = 20  # a writer who replaces a file between two looks at it does so once, not again and again


class NotPlainError(OSError):
    """A link, folder, device, pipe or socket where a plain file should be."""


class ReplacedError(NotPlainError):
    """What was replaced while it was opened, as when its writer lets a new one take its place."""


class TooLargeError(OSError):
    """A file of more bytes than it may have."""


@dataclass(frozen=True)
class PlainFolder:
    """A folder that is open, so that its names and its files are those of one folder, whatever is put in its place.

    ``handle`` is None where the platform opens no folders (Windows): each file is then found by its path.
    """

    path: Path
    handle: int | None

    def names(self, most: int) -> list[str]:
        """The names in it, in order: all of them, or the first ``most`` + 1 that there are, so that a folder of a
        million names is not read to its end."""
        with os.scandir(self.path if self.handle is None else self.handle) as entries:
            return sorted(entry.name for entry in islice(entries, most + 1))

    def read(self, name: str, most: int) -> bytes:
        """The bytes of a file in it. Raises as `read_plain_file`."""
        with open_plain_file(self.path / name, self.handle) as file:
            return _read_at_most(file, most)


@contextmanager
def open_plain_folder(path: Path) -> Iterator[PlainFolder]:
    """Open a folder that is no link. Raises NotPlainError if it is something else, or OSError."""
    if not stat.S_ISDIR(os.lstat(path).st_mode):
        raise NotPlainError(errno.ENOTDIR, "is not a folder")
    if os.open not in os.supports_dir_fd or os.scandir not in os.supports_fd:
        yield PlainFolder(path, None)
        return
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        yield PlainFolder(path, handle)
    finally:
        os.close(handle)


@contextmanager
def open_plain_file(path: Path, folder: int | None = None) -> Iterator[BinaryIO]:
    """Open a file that is no link, without waiting for a pipe's other end, and without touching a device.

    It is looked at before it is opened and again once it is open: what was looked at is what is read. That also stands
    in for what Windows lacks (a way to open that follows no link). Windows' junctions, which are folders that lead
    elsewhere, are not looked for: the digests of what lies there are.

    Parameters
    ----------
    folder : the open folder that the last part of ``path`` is a name in

    Raises
    ------
    NotPlainError
        if it is a link, folder, device, pipe or socket, or was replaced meanwhile.
    OSError
        if it is not there or may not be read.
    """
    name: Path | str = path if folder is None else path.name
    before = os.stat(name, dir_fd=folder, follow_symlinks=False)
    if not stat.S_ISREG(before.st_mode):
        raise NotPlainError(errno.EINVAL, "is not a plain file")
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(name, flags, dir_fd=folder), "rb") as file:
        if not os.path.samestat(before, os.fstat(file.fileno())):
            raise ReplacedError(errno.EINVAL, "was replaced while it was read")
        yield file


def read_plain_file(path: Path, most: int, error: type[Exception] = OutsideError) -> bytes:
    """The bytes of a file that somebody else may have made: it is plain, and of at most ``most`` bytes.

    Raises
    ------
    error
        in one line, if it is not there, cannot be read, is a link, folder, device, pipe or socket, or is larger.
    """
    try:
        for _ in range(TRIES):
            with suppress(ReplacedError), open_plain_file(Path(path)) as file:
                return _read_at_most(file, most)
        raise ReplacedError(errno.EINVAL, "was replaced each time that it was read")
    except FileNotFoundError:
        raise error(f"{path}: no such file") from None
    except NotPlainError as reason:
        raise error(f"{path}: {reason.strerror}; put the file itself there") from None
    except TooLargeError:
        raise error(f"{path}: is larger than {most:,} bytes; restore it from where it came") from None
    except OSError as reason:
        raise error(f"{path}: cannot be read ({reason.strerror})") from None


def refuse_links(root: Path, name: str, error: type[Exception] = OutsideError) -> None:
    """Raises ``error`` if a link stands on the way from a folder to what lies in it, or is it: it leads elsewhere."""
    path = root
    for part in PurePosixPath(name).parts:
        path = path / part
        if path.is_symlink():
            raise error(f"{path}: is a link; put the folder itself there")


def _read_at_most(file: BinaryIO, most: int) -> bytes:
    """By what is read, not by what the file was said to hold: it may grow meanwhile."""
    content = file.read(most + 1) if os.fstat(file.fileno()).st_size <= most else None
    if content is None or len(content) > most:
        raise TooLargeError(errno.EFBIG, "is too large")
    return content
