"""Tables of database files: DuckDB and SQLite, opened to read only."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

import polars as pl

from riskmodels.errors import DataError, OutsideError

ROWS_AT_A_TIME = 100_000

# ---------------------------------------------------------------- SQL and Arrow


def quoted(name: str) -> str:
    """An identifier as SQL has it, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'


def quoted_table(name: str) -> str:
    """A table's name; dots part it from its schema, as in dbo.cases."""
    return ".".join(quoted(part) for part in name.split("."))


def select(columns: Sequence[str], table: str) -> str:
    return f"SELECT {', '.join(map(quoted, columns))} FROM {quoted_table(table)}"  # noqa: S608 - all of it is quoted


def frames(batches: Any, rows: int | None) -> Iterator[pl.DataFrame]:
    """Arrow batches as frames: each as it comes, or all in one; an empty one where there is none."""
    import pyarrow as pa

    met = False
    if rows is None:
        yield pl.DataFrame(pl.from_arrow(pa.Table.from_batches(list(batches), batches.schema)))
        return
    for batch in batches:
        met = True
        yield pl.DataFrame(pl.from_arrow(batch))
    if not met:
        yield pl.DataFrame(pl.from_arrow(batches.schema.empty_table()))


# ---------------------------------------------------------------- tables


def _no_table(name: str) -> DataError:
    return DataError(f"{name}: there is no such table, or it may not be read; check 'table' in study.yaml")


@dataclass(frozen=True)
class _DatabaseFile:
    path: Path
    file: str
    table: str

    @property
    def name(self) -> str:
        return f"{self.file}, table {self.table}"

    @property
    def sha256(self) -> None:
        """Not of the file: other tables stand in it too, and its last rows may stand in a log beside it."""
        return

    def _refuse_absent(self) -> None:
        if self.path.is_dir():
            raise DataError(f"{self.path}: no such file, but a folder; name a file in it")
        if not self.path.is_file():
            raise DataError(f"{self.path}: no such file; prepare the data, or name its folder with --data")


class DuckdbTable(_DatabaseFile):
    """A table or view of a .duckdb file."""

    @cached_property
    def columns(self) -> tuple[str, ...]:
        with self._open() as connection:
            return tuple(self._query(connection, f"SELECT * FROM {quoted_table(self.table)}").columns)  # noqa: S608 - quoted

    def batches(self, columns: Sequence[str], rows: int | None) -> Iterator[pl.DataFrame]:
        with self._open() as connection:
            relation = self._query(connection, select(columns, self.table))
            yield from frames(relation.to_arrow_reader(rows or ROWS_AT_A_TIME), rows)

    def _query(self, connection: Any, sql: str) -> Any:
        import duckdb

        try:
            return connection.sql(sql)
        except duckdb.CatalogException:
            raise _no_table(self.name) from None

    @contextmanager
    def _open(self) -> Iterator[Any]:
        import duckdb

        self._refuse_absent()
        try:
            with closing(duckdb.connect(str(self.path), read_only=True)) as connection:
                yield connection
        except (duckdb.IOException, duckdb.ConnectionException) as reason:
            said = str(reason).lower()
            if "lock" in said or "different configuration" in said:
                raise OutsideError(
                    f"{self.path}: another program is writing to it; close that, or read a copy"
                ) from None
            raise DataError(f"{self.path}: cannot be read as duckdb; it may be damaged or cut short") from None
        except duckdb.Error:
            raise DataError(f"{self.path}: cannot be read as duckdb; it may be damaged or cut short") from None


class SqliteTable(_DatabaseFile):
    """A table or view of a .sqlite or .db file. A column's type is that of its values, as SQLite has it."""

    @cached_property
    def columns(self) -> tuple[str, ...]:
        with self._open() as connection:
            parts = self.table.split(".")
            schema = f"{quoted(parts[0])}." if len(parts) > 1 else ""
            rows = connection.execute(f"PRAGMA {schema}table_xinfo({quoted(parts[-1])})").fetchall()
        if not rows:
            raise _no_table(self.name)
        return tuple(str(row[1]) for row in rows)

    def batches(self, columns: Sequence[str], rows: int | None) -> Iterator[pl.DataFrame]:
        with self._open() as connection:
            # In one transaction, so that types and rows are of the same moment.
            connection.execute("BEGIN")
            schema = {name: self._dtype(connection, name) for name in columns}
            cursor = connection.execute(select(columns, self.table))
            met, kept = False, []
            while (some := cursor.fetchmany(ROWS_AT_A_TIME)) or not met:
                met = True
                frame = pl.DataFrame(
                    [
                        pl.Series(name, map(_AS[dtype], (row[place] for row in some)), dtype=dtype, strict=False)
                        for place, (name, dtype) in enumerate(schema.items())
                    ]
                )
                if rows is None:
                    kept.append(frame)
                else:
                    yield frame
            if rows is None:
                yield pl.concat(kept)

    def _dtype(self, connection: sqlite3.Connection, column: str) -> Any:
        sql = f"SELECT DISTINCT typeof({quoted(column)}) FROM {quoted_table(self.table)}"  # noqa: S608 - quoted
        found = {str(row[0]) for row in connection.execute(sql)}
        if "blob" in found:
            raise DataError(f"{self.name}, column {column!r}: holds binary values; store it as text or numbers")
        return next((dtype for kind, dtype in _SQLITE_TYPES.items() if kind in found), pl.String)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        self._refuse_absent()
        try:
            with closing(sqlite3.connect(f"file:{quote(str(self.path.resolve()))}?mode=ro", uri=True)) as connection:
                yield connection
        except sqlite3.DatabaseError as reason:
            said = str(reason)
            if "locked" in said or "busy" in said:
                raise OutsideError(
                    f"{self.path}: another program is writing to it; close that, or read a copy"
                ) from None
            if "unable to open" in said:
                raise OutsideError(f"{self.path}: cannot be opened; check its permissions, or read a copy") from None
            if "decode" in said:
                raise DataError(f"{self.name}: holds text that is not UTF-8; store it as UTF-8") from None
            raise DataError(f"{self.path}: cannot be read as sqlite; it may be damaged or cut short") from None


# The first that occurs in a column is the type of all of it: numbers beside text are text.
_SQLITE_TYPES: dict[str, Any] = {"text": pl.String, "real": pl.Float64, "integer": pl.Int64}


def _or_none(kind: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else kind(value)


_AS: dict[Any, Callable[[Any], Any]] = {
    pl.String: _or_none(str), pl.Float64: _or_none(float), pl.Int64: _or_none(int),
}  # fmt: skip
