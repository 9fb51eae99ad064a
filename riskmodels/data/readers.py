"""Where rows stand: files, tables in database files, and database servers. Read as they are, a batch at a time.

Each kind is one `Reader`; `open_reader` picks it. To add one, write the class and its row in `BY_SUFFIX` (files) or
`BY_SCHEME` (servers).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

import polars as pl

from riskmodels import storage
from riskmodels.data.database_files import DuckdbTable, SqliteTable
from riskmodels.data.database_servers import OdbcTable, PostgresTable
from riskmodels.errors import OutsideError


class Reader(Protocol):
    """One table. ``name`` is what messages call it; ``sha256`` is the digest of its file, or None for a database."""

    @property
    def name(self) -> str: ...

    @property
    def columns(self) -> tuple[str, ...]: ...

    @property
    def sha256(self) -> str | None: ...

    def batches(self, columns: Sequence[str], rows: int | None) -> Iterator[pl.DataFrame]:
        """Some of its columns, in its order: about so many ``rows`` at a time, or all at once. At least one batch."""
        ...


def open_reader(folder: Path, file: str | None, table: str | None = None, database: str | None = None) -> Reader:
    """The reader of a source's table. Nothing is read yet.

    Parameters
    ----------
    folder : where ``file`` stands
    database : the environment variable that holds the connection, instead of a file

    Raises
    ------
    OutsideError
        if the variable is not set.
    """
    if file is None:
        variable = str(database)
        connection = os.environ.get(variable, "").strip()
        if not connection:
            raise OutsideError(
                f"the environment variable {variable} is not set; put the connection into it, such as postgresql://... "
                "or Driver=...;Server=..."
            )
        scheme = connection.partition("://")[0].lower()
        return BY_SCHEME.get(scheme, OdbcTable)(variable, str(table), connection)
    path = folder / file
    kind = BY_SUFFIX.get(path.suffix)
    return kind(path, file, str(table)) if kind else File(path, file)


# ---------------------------------------------------------------- files


@dataclass(frozen=True)
class File:
    """A Parquet or CSV file. CSV columns arrive as text."""

    path: Path
    name: str

    @cached_property
    def _even(self) -> bool:
        return storage.refuse_unreadable(self.path)

    @cached_property
    def columns(self) -> tuple[str, ...]:
        _ = self._even  # what is no table is refused in clearer words than a parser has
        with storage.read_as_table(self.path):
            if self.path.suffix == ".parquet":
                return tuple(pl.read_parquet_schema(self.path))
            names = pl.read_csv(self.path, n_rows=0, infer_schema_length=0, glob=False).columns
        return tuple(names)

    @property
    def sha256(self) -> str:
        return self._hashed[0]

    @cached_property
    def _hashed(self) -> tuple[str, tuple[int, ...] | None]:
        """The digest, and how the file stood when it was taken."""
        before, _ = self._state(), self._even
        try:
            with self.path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as reason:
            raise OutsideError(f"{self.path}: cannot be read ({reason.strerror})") from None
        self._refuse_changed(before)
        return digest, before

    def batches(self, columns: Sequence[str], rows: int | None) -> Iterator[pl.DataFrame]:
        # Rows that are kept under a digest are those of the file that it was taken of.
        before = self._hashed[1] if "_hashed" in self.__dict__ else self._state()
        _ = self._even
        if rows is None:
            yield storage.read_table(self.path, columns, self._even)
        else:
            yield from (self._parquet if self.path.suffix == ".parquet" else self._csv)(columns, rows)
        self._refuse_changed(before)

    def _refuse_changed(self, before: tuple[int, ...] | None) -> None:
        if self._state() != before:
            raise OutsideError(f"{self.path}: was changed while it was read; try again")

    def _state(self) -> tuple[int, ...] | None:
        try:
            status = self.path.stat()
        except OSError:
            return None
        return status.st_size, status.st_mtime_ns, status.st_ino

    def _csv(self, columns: Sequence[str], rows: int) -> Iterator[pl.DataFrame]:
        even = self._even
        nothing = pl.DataFrame(schema=dict.fromkeys(columns, pl.String))
        with storage.read_as_table(self.path):
            whole = pl.scan_csv(self.path, infer_schema=False, glob=False)
            batches = (whole.select(columns) if even else whole).collect_batches(chunk_size=rows, maintain_order=True)
            met = False
            for batch in batches:
                met = True
                yield batch.select(columns)
            if not met:
                yield nothing

    def _parquet(self, columns: Sequence[str], rows: int) -> Iterator[pl.DataFrame]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        with storage.read_as_table(self.path):
            try:
                with pq.ParquetFile(self.path, pre_buffer=False) as file:
                    met = False
                    # Group by group: to iterate over the whole file holds ever more of it.
                    for group in range(file.num_row_groups):
                        for batch in file.iter_batches(rows, row_groups=[group], columns=list(columns)):
                            met = True
                            yield pl.DataFrame(pl.from_arrow(batch)).select(columns)
                    if not met:
                        yield pl.DataFrame(pl.from_arrow(file.schema_arrow.empty_table())).select(columns)
            except pa.ArrowException as reason:
                raise ValueError from reason


# ---------------------------------------------------------------- which is which

BY_SUFFIX: dict[str, Callable[[Path, str, str], Reader]] = {
    ".duckdb": DuckdbTable,
    ".sqlite": SqliteTable,
    ".db": SqliteTable,
}
BY_SCHEME: dict[str, Callable[[str, str, str], Reader]] = {"postgresql": PostgresTable, "postgres": PostgresTable}
