"""A Parquet file, read a stretch of rows at a time: memory never holds more than one stretch of each row group."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from riskmodels.errors import DataError, OutsideError

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

ROWS_AT_MOST = 65_536
MAGIC, ENCRYPTED = b"PAR1", b"PARE"
READ_AT_A_TIME = 1 << 18
# Threads that take the pieces of a row group in turn are about so many pieces apart; what is older is decoded again.
PIECES_KEPT = max(2, os.cpu_count() or 2)
GROUPS_OPEN = 2


@contextmanager
def one_line(name: str) -> Iterator[None]:
    """Turn what a reader of Parquet stumbles over into one line that holds nothing of the file."""
    import pyarrow as pa

    try:
        yield
    except PermissionError:
        raise OutsideError(f"{name}: cannot be read (no permission)") from None
    except (pa.ArrowException, OSError, ValueError, LookupError, TypeError, OverflowError, MemoryError):
        raise DataError(f"{name}: cannot be read as Parquet; it may be damaged or cut short; write it again") from None


@dataclass(frozen=True)
class Stretch:
    """Rows of one file: whole row ``groups`` that follow each other, or the ``piece``-th of one that is cut."""

    groups: tuple[int, ...]
    rows: int
    piece: int | None = None


@dataclass(frozen=True)
class ParquetRows:
    """A Parquet file that can be read from several threads. ``name`` is what messages call it."""

    path: Path
    name: str
    metadata: pq.FileMetaData
    schema: pa.Schema
    state: tuple[int, ...]
    _cut: dict[int, _CutGroup] = field(default_factory=dict, repr=False, compare=False)
    _lock: Any = field(default_factory=Lock, repr=False, compare=False)

    @classmethod
    def of(cls, path: Path, name: str) -> ParquetRows:
        """Its footer. Raises DataError if it is no Parquet file, encrypted or cut short."""
        import pyarrow.parquet as pq

        state = file_state(path, name)
        with one_line(name):
            with path.open("rb") as file:
                start = file.read(4)
                file.seek(-min(4, state[0]), 2)
                end = file.read(4)
            if not state[0]:
                raise DataError(f"{name}: is empty; write it again")
            if ENCRYPTED in (start, end):
                raise DataError(f"{name}: is encrypted; decrypt it before it is scored")
            if start != MAGIC:
                raise DataError(f"{name}: is not a Parquet file, whatever its name says; convert it")
            if end != MAGIC:
                raise DataError(f"{name}: cannot be read as Parquet; it is cut short; write it again")
            with pq.ParquetFile(path) as opened:
                return cls(path, name, opened.metadata, opened.schema_arrow, state)

    def __reduce__(self) -> tuple[Any, ...]:
        """Another process opens the file itself: what is held open here is of no use to it."""
        return ParquetRows, (self.path.absolute(), self.name, self.metadata, self.schema, self.state)

    @property
    def rows(self) -> int:
        return int(self.metadata.num_rows)

    def stretches(self) -> Iterator[Stretch]:
        """All rows in order, at most `ROWS_AT_MOST` at a time: small row groups together, a large one in pieces."""
        together: list[int] = []
        held = 0
        for group in range(self.metadata.num_row_groups):
            rows = int(self.metadata.row_group(group).num_rows)
            if together and held + rows > ROWS_AT_MOST:
                yield Stretch(tuple(together), held)
                together, held = [], 0
            if rows > ROWS_AT_MOST:
                for piece, start in enumerate(range(0, rows, ROWS_AT_MOST)):
                    yield Stretch((group,), min(ROWS_AT_MOST, rows - start), piece)
            elif rows:
                together.append(group)
                held += rows
        if together:
            yield Stretch(tuple(together), held)

    def read(self, stretch: Stretch, columns: list[str], as_dictionary: list[str]) -> pa.Table:
        """Some columns of a stretch, in its order, known to be sound.

        Raises
        ------
        DataError
            if the bytes are damaged: lengths, checksums and UTF-8 are looked at.
        OutsideError
            if the file is no longer the one that was opened.
        """
        self._refuse_changed()
        with one_line(self.name):
            if stretch.piece is None:
                with self._open(as_dictionary) as file:
                    table = file.read_row_groups(list(stretch.groups), columns, use_threads=False)
            else:
                table = self._group(stretch.groups[0], columns, as_dictionary).piece(stretch.piece)
            table.validate(full=True)
            if table.num_rows != stretch.rows:
                raise ValueError
        self._refuse_changed()
        return table

    def batches(self, columns: list[str]) -> Iterator[pa.Table]:
        """A few columns of all rows, from the first to the last."""
        with one_line(self.name), self._open(()) as file:
            for group in range(self.metadata.num_row_groups):
                for table in in_turn(file.iter_batches(ROWS_AT_MOST, [group], columns, use_threads=False)):
                    table.validate(full=True)
                    yield table

    def _open(self, as_dictionary: Sequence[str]) -> pq.ParquetFile:
        import pyarrow.parquet as pq

        return pq.ParquetFile(
            self.path,
            metadata=self.metadata,
            read_dictionary=list(as_dictionary) or None,
            buffer_size=READ_AT_A_TIME,
            pre_buffer=False,
            page_checksum_verification=True,
        )

    def _group(self, number: int, columns: list[str], as_dictionary: list[str]) -> _CutGroup:
        with self._lock:
            if number not in self._cut:
                while len(self._cut) >= GROUPS_OPEN:
                    self._cut.pop(next(iter(self._cut))).close()
                self._cut[number] = _CutGroup(self, number, columns, as_dictionary)
            return self._cut[number]

    def _refuse_changed(self) -> None:
        refuse_changed(self.path, self.name, self.state)


class _CutGroup:
    """A row group too large for one part. It is decoded once, from its first row to its last, as long as its pieces are
    asked for about in turn; whoever asks for an earlier one has it decoded again."""

    def __init__(self, file: ParquetRows, number: int, columns: list[str], as_dictionary: list[str]) -> None:
        self._file, self._number, self._columns, self._as_dictionary = file, number, columns, as_dictionary
        self._lock = Lock()
        self._last = (int(file.metadata.row_group(number).num_rows) - 1) // ROWS_AT_MOST
        self._pieces: Iterator[pa.Table] | None = None
        self._next = 0
        self._kept: dict[int, pa.Table] = {}

    def piece(self, number: int) -> pa.Table:
        with self._lock:
            if number in self._kept:
                return self._kept.pop(number)
            if self._pieces is None or number < self._next:
                self._close()
                self._pieces = self._decoded()
            for piece in self._pieces:
                place, self._next = self._next, self._next + 1
                if place == self._last:
                    # A decoder holds on to the pages of every column.
                    self._pieces, self._next = None, 0
                if place == number:
                    return piece
                self._kept[place] = piece
                if len(self._kept) > PIECES_KEPT:
                    self._kept.pop(next(iter(self._kept)))
            raise ValueError

    def close(self) -> None:
        with self._lock:
            self._close()

    def _close(self) -> None:
        self._pieces, self._next, self._kept = None, 0, {}

    def _decoded(self) -> Iterator[pa.Table]:
        with self._file._open(self._as_dictionary) as file:
            yield from in_turn(file.iter_batches(ROWS_AT_MOST, [self._number], self._columns, use_threads=False))


def in_turn(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    """The same rows, `ROWS_AT_MOST` at a time but for the last: a reader may give fewer than it was asked for."""
    import pyarrow as pa

    held: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        held.append(batch)
        rows += batch.num_rows
        while rows >= ROWS_AT_MOST:
            table = pa.Table.from_batches(held)
            yield table.slice(0, ROWS_AT_MOST)
            held, rows = table.slice(ROWS_AT_MOST).to_batches(), rows - ROWS_AT_MOST
    if rows:
        yield pa.Table.from_batches(held)


def file_state(path: Path, name: str) -> tuple[int, ...]:
    """What changes when a file is changed. Raises OutsideError."""
    try:
        status = path.stat()
    except OSError as reason:
        raise OutsideError(f"{name}: cannot be read ({reason.strerror})") from None
    return status.st_size, status.st_mtime_ns, status.st_ino


def refuse_changed(path: Path, name: str, state: tuple[int, ...]) -> None:
    """Raises OutsideError if a file is no longer as it was."""
    if file_state(path, name) != state:
        raise OutsideError(f"{name}: was changed while it was read; try again")


def sha256(path: Path, name: str) -> str:
    """Digest of a file's bytes. Raises OutsideError."""
    import hashlib

    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as reason:
        raise OutsideError(f"{name}: cannot be read ({reason.strerror})") from None
