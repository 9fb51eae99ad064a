"""Read tables and files; write whole or not at all.

Everything that touches a disk and is not MLflow goes through here, so that the promises hold in one place: a file
appears complete or does not appear, files that can hold people are owner-only, and a failing disk is one line.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import yaml

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows has no such lock
    fcntl = None  # type: ignore[assignment]

from riskmodels.errors import DataError, OutsideError, StudyError

if TYPE_CHECKING:
    import polars as pl

OWNER_ONLY = 0o600
OWNER_ONLY_FOLDER = 0o700
ROWS_IN_A_GROUP = 100_000
CSV_BLOCK = 1 << 20
WAIT = 0.05  # seconds, where a lock can only be asked for and not waited for
windows_locks: Any = import_module("msvcrt") if os.name == "nt" else None
MOST_YAML = 4_000_000  # bytes
MOST_NODES = 1_000_000  # of a YAML file, each alias counted with all that it stands for


# ---------------------------------------------------------------- bytes


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def digest_of_files(files: Mapping[str, bytes]) -> str:
    """One digest for a set of named files, whatever the order they were made in."""
    return sha256(canonical_json({name: sha256(files[name]) for name in sorted(files)}))


def canonical_json(value: Any) -> bytes:
    """The one way we write JSON: the same value with its keys in the same order gives the same bytes.

    Raises ValueError for NaN and infinity: they are not JSON.
    """
    return (json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def read_json(path: Path, error: type[Exception] = DataError) -> Any:
    def refuse(word: str) -> None:
        raise ValueError(f"{word} is not JSON")

    try:
        return json.loads(read_bytes(path, error), parse_constant=refuse)
    except (ValueError, RecursionError) as reason:
        raise error(f"{path}: not readable as JSON ({type(reason).__name__}); restore it from where it came") from None


def read_bytes(path: Path, error: type[Exception] = OutsideError, most: int = -1) -> bytes:
    """A file's bytes, or the first ``most`` of them."""
    try:
        with Path(path).open("rb") as file:
            return file.read(most)
    except FileNotFoundError:
        raise error(f"{path}: no such file") from None
    except OSError as reason:
        raise error(f"{path}: cannot be read ({reason.strerror})") from None


# ---------------------------------------------------------------- reading what others may have made


class NotPlainError(OSError):
    """A link, folder, device, pipe or socket where a plain file should be, or what was replaced while it was opened."""


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
            raise NotPlainError(errno.EINVAL, "was replaced while it was read")
        yield file


def read_plain_file(path: Path, most: int, error: type[Exception] = OutsideError) -> bytes:
    """The bytes of a file that somebody else may have made: it is plain, and of at most ``most`` bytes.

    Raises
    ------
    error
        in one line, if it is not there, cannot be read, is a link, folder, device, pipe or socket, or is larger.
    """
    try:
        with open_plain_file(Path(path)) as file:
            return _read_at_most(file, most)
    except FileNotFoundError:
        raise error(f"{path}: no such file") from None
    except NotPlainError as reason:
        raise error(f"{path}: {reason.strerror}; put the file itself there") from None
    except TooLargeError:
        raise error(f"{path}: is larger than {most:,} bytes; restore it from where it came") from None
    except OSError as reason:
        raise error(f"{path}: cannot be read ({reason.strerror})") from None


def _read_at_most(file: BinaryIO, most: int) -> bytes:
    """By what is read, not by what the file was said to hold: it may grow meanwhile."""
    content = file.read(most + 1) if os.fstat(file.fileno()).st_size <= most else None
    if content is None or len(content) > most:
        raise TooLargeError(errno.EFBIG, "is too large")
    return content


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


# ---------------------------------------------------------------- writing


@contextmanager
def outside_world(path: Path) -> Iterator[None]:
    """Turn the operating system's refusals into one line."""
    try:
        yield
    except OSError as reason:
        what = reason.strerror or type(reason).__name__
        raise OutsideError(f"{path}: cannot be written ({what}); nothing was changed") from None


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
    path.parent.mkdir(parents=True, exist_ok=True)
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


def write_folder(folder: Path, files: Mapping[str, bytes], mode: int = OWNER_ONLY) -> None:
    """Write a set of named files as one folder that appears whole. An existing folder is replaced.

    Raises
    ------
    OutsideError
        if the disk or its permissions refuse; the earlier folder, if any, is as it was.
    """
    with outside_world(folder), folder_made_whole(folder) as new:
        for name, content in files.items():
            target = new / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
            target.chmod(mode)


@contextmanager
def folder_made_whole(folder: Path) -> Iterator[Path]:
    """A new folder to fill, which takes the place of ``folder`` at the end, or vanishes if filling it failed."""
    folder = Path(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary, handle = _begun(folder)
    new, earlier = temporary / "new", temporary / "earlier"
    try:
        new.mkdir()
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
                path.parent.mkdir(parents=True, exist_ok=True)
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
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, OWNER_ONLY)
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


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the write lock that belongs to ``path``: one writer at a time, across threads and processes."""
    path = Path(path)
    with outside_world(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT, OWNER_ONLY)
    try:
        if fcntl is not None:
            fcntl.flock(handle, fcntl.LOCK_EX)
        while windows_locks is not None and not _locked_on_windows(handle):
            time.sleep(WAIT)
        yield
    finally:
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
        handle = os.open(lock, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), OWNER_ONLY)
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
            # A link that somebody laid here would have us make a file wherever it points to.
            handle = os.open(lock, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), OWNER_ONLY)
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


def make_private(folder: Path) -> None:
    """Make a folder, and those above it that are missing, for their owner alone. Raises OSError."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    for one in reversed(missing):
        one.mkdir(mode=OWNER_ONLY_FOLDER, exist_ok=True)


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


# ---------------------------------------------------------------- YAML


class _Loader(yaml.SafeLoader):
    """YAML 1.2 as people expect it: only true and false are booleans, and a key said twice is an error."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)


def _mapping_without_duplicates(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key_node, _ in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            said = "a key must be one word; put quotes around a text that starts with { or ["
            raise yaml.constructor.ConstructorError(None, None, said, key_node.start_mark)
        key = loader.construct_object(key_node, deep=True)
        if key in seen:
            raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} stands twice", key_node.start_mark)
        seen.add(key)
    return loader.construct_mapping(node, deep=True)


def _date_of_the_calendar(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> Any:
    try:
        return loader.construct_yaml_timestamp(node)
    except ValueError:
        said = f"the calendar has no day {node.value}"
        raise yaml.constructor.ConstructorError(None, None, said, node.start_mark) from None


_Loader.add_constructor("tag:yaml.org,2002:timestamp", _date_of_the_calendar)
_Loader.add_constructor("tag:yaml.org,2002:map", _mapping_without_duplicates)


def read_yaml(path: Path) -> Any:
    """Read a YAML 1.2 file.

    Raises
    ------
    StudyError
        if it is missing or not YAML; the line and column are named.
    """
    return parse_yaml(read_bytes(path, StudyError), path)


def parse_yaml(text: bytes, path: Path) -> Any:
    """As `read_yaml`, of bytes already read; ``path`` is for the message."""
    if len(text) > MOST_YAML:
        raise StudyError(f"{path}: is larger than {MOST_YAML:,} bytes, so nobody wrote it; restore it")
    try:
        loader = _Loader(text.decode("utf-8"))
        try:
            node = loader.get_single_node()
            if node is None:
                return None
            if _nodes_in(node, {}) > MOST_NODES:
                raise StudyError(f"{path}: its aliases (*) stand for more than anybody reads; write out what is meant")
            return loader.construct_document(node)
        finally:
            loader.dispose()
    except UnicodeDecodeError:
        raise StudyError(f"{path}: is not UTF-8 text; save it as UTF-8") from None
    except yaml.MarkedYAMLError as reason:
        mark = reason.problem_mark
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise StudyError(f"{path}{where}: {reason.problem}") from None
    except (yaml.YAMLError, RecursionError, ValueError):  # ValueError: a number of ten thousand digits
        raise StudyError(f"{path}: is not YAML") from None


def _nodes_in(node: yaml.Node, known: dict[int, int]) -> int:
    """How many values a node stands for once every alias in it is written out; one that holds itself has no end."""
    if isinstance(node, yaml.ScalarNode):
        return 1
    if id(node) not in known:
        known[id(node)] = MOST_NODES + 1  # what a node that holds itself finds
        inner = node.value if isinstance(node, yaml.SequenceNode) else [one for pair in node.value for one in pair]
        known[id(node)] = 1 + sum(_nodes_in(one, known) for one in inner)
    return known[id(node)]


def write_yaml(value: Any) -> bytes:
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=110).encode()


# ---------------------------------------------------------------- tables


def read_table(path: Path, columns: Sequence[str] | None = None, even: bool | None = None) -> pl.DataFrame:
    """Read a Parquet or CSV file. CSV columns arrive as text: the reader of a study gives them their types.

    Parameters
    ----------
    columns : those that are wanted; all unless given
    even : what `refuse_unreadable` said of the file, if it was asked before

    Raises
    ------
    DataError
        if it is missing, of another format, or damaged.
    OutsideError
        if it may not be read.
    """
    import polars as pl

    path = Path(path)
    even = refuse_unreadable(path) if even is None else even
    with read_as_table(path):
        if path.suffix == ".parquet":
            return pl.read_parquet(path, columns=None if columns is None else list(columns), glob=False)
        frame = pl.read_csv(
            path, columns=list(columns) if columns and even else None, infer_schema_length=0, glob=False
        )
        return frame if columns is None else frame.select(columns)


@contextmanager
def read_as_table(path: Path) -> Iterator[None]:
    """Turn what a reader of Parquet or CSV stumbles over into one line."""
    import polars as pl

    try:
        yield
    except PermissionError:
        raise OutsideError(f"{path}: cannot be read (no permission)") from None
    except (pl.exceptions.PolarsError, OSError, ValueError) as reason:
        why = "it may be damaged or cut short"
        if path.suffix == ".csv" and "utf-8" in str(reason).lower():
            why = "it is not UTF-8 text; save it as UTF-8"
        elif "more fields" in str(reason):
            why = "a row has more fields than the header; put quotes around texts with commas"
        raise DataError(f"{path}: cannot be read as {path.suffix[1:]}; {why}") from None


def refuse_unreadable(path: Path) -> bool:
    """Say what is wrong with a file before a parser passes over it, or says it in words of its own.

    Returns
    -------
    bool
        whether each row surely has as many fields as the header. Where it may not, all columns must be parsed: a parser
        that is asked for some of them does not notice a row with too many.
    """
    if path.is_dir():
        raise DataError(f"{path}: no such file, but a folder; name a file in it")
    if not path.is_file():
        raise DataError(f"{path}: no such file; prepare the data, or name its folder with --data")
    if path.suffix not in (".parquet", ".csv"):
        raise DataError(f"{path}: only .parquet and .csv tables are read; convert it")
    if path.suffix == ".parquet":
        return True
    try:
        with path.open("rb") as file:
            return _is_even(path, file)
    except OSError as reason:
        raise OutsideError(f"{path}: cannot be read ({reason.strerror})") from None


def _is_even(path: Path, file: BinaryIO) -> bool:
    """Raises DataError for what is no CSV: nothing at all, UTF-16, NUL bytes, a last row that was cut short."""
    header = file.readline()
    if not header:
        raise DataError(f"{path}: is empty, without even a header; export it again")
    if header.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DataError(f"{path}: cannot be read as csv; it is UTF-16, not UTF-8 text; save it as UTF-8")
    commas, lines, quoted, end = 0, 0, b'"' in header, b"\n"
    nul = b"\0" in header
    for block in iter(lambda: file.read(CSV_BLOCK), b""):
        nul = nul or b"\0" in block
        commas += block.count(b",")
        lines += block.count(b"\n")
        quoted = quoted or b'"' in block
        end = (end + block)[-CSV_BLOCK:]
    if nul:
        raise DataError(f"{path}: holds NUL bytes; it is damaged, or not UTF-8 text; export it again")
    last = end.rpartition(b"\n")[2]
    if last and not quoted and last.count(b",") < header.count(b","):
        raise DataError(f"{path}: its last row is cut short; export it again")
    return not quoted and commas == (lines + bool(last)) * header.count(b",")


def table_bytes(frame: pl.DataFrame, suffix: str) -> bytes:
    """A frame as the bytes of a Parquet or CSV file."""
    import io

    buffer = io.BytesIO()
    if suffix == ".parquet":
        # In one chunk and row groups of a stated size: else the bytes depend on how many threads there are.
        frame.rechunk().write_parquet(buffer, compression="zstd", row_group_size=ROWS_IN_A_GROUP)
    else:
        frame.write_csv(buffer)
    return buffer.getvalue()
