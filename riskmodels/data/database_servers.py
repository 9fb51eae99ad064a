"""Tables of database servers: PostgreSQL through Arrow (ADBC), SQL Server and others through ODBC.

Both are an extra: ``pip install riskmodels[databases]``. What a driver says is never passed on: it may quote the
connection, with its password, or a value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl

from riskmodels.data.database_files import ROWS_AT_A_TIME, frames, quoted, quoted_table, select
from riskmodels.errors import DataError, OutsideError

EXTRA = "pip install riskmodels[databases]"
# Text of unlimited length is fetched through buffers of a stated size; a longer one is refused, not cut.
LONGEST_TEXT = 4096
MOST_BYTES_FETCHED = 64 * 2**20


@dataclass(frozen=True)
class _Server:
    variable: str
    table: str
    connection: str

    @property
    def name(self) -> str:
        return f"${self.variable}, table {self.table}"

    @property
    def sha256(self) -> None:
        return

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name})"

    def _refused(self, code: str | None) -> OutsideError:
        """What an SQLSTATE means, in one line that holds nothing of the connection."""
        code = code or ""
        said = next((words for start, words in _SQLSTATES.items() if start and code.startswith(start)), None)
        known = f" (SQLSTATE {code})" if code else ""
        return OutsideError(f"{self.name}: {said or _SQLSTATES['']}{known}")


_SQLSTATES = {
    "08": "the server cannot be reached, or went away; check that it runs, and the connection",
    "28": "the server refused the login; check user and password in the connection",
    "3D": "there is no such database; check the connection",
    "42P01": "there is no such table; check 'table' in study.yaml",
    "42S02": "there is no such table; check 'table' in study.yaml",
    "42703": "there is no such column; check the study",
    "42S22": "there is no such column; check the study",
    "42501": "the user may not read the table; ask its owner",
    "57P": "the server went away while it was read; try again when it is back",
    "IM00": "the ODBC driver of the connection is not installed; check Driver=",
    "01000": "the ODBC driver of the connection is not installed; check Driver=",
    "": "the server cannot be reached, or went away while it was read; check that it runs, and the connection",
}


class PostgresTable(_Server):
    """A table or view of a PostgreSQL server, through Arrow (ADBC), in a transaction that may only read."""

    @cached_property
    def _types(self) -> dict[str, Any]:
        with self._open() as cursor:
            cursor.execute(f"SELECT * FROM {quoted_table(self.table)} WHERE 1 = 0")  # noqa: S608 - quoted
            return {field.name: field.type for field in cursor.fetch_record_batch().schema}

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(self._types)

    def batches(self, columns: Sequence[str], rows: int | None) -> Iterator[pl.DataFrame]:
        import pyarrow as pa

        # What Arrow has no type for, such as numeric and uuid, comes as its text.
        strange = {name for name in columns if isinstance(self._types[name], pa.BaseExtensionType)}
        fields = [
            f"CAST({quoted(name)} AS text) AS {quoted(name)}" if name in strange else quoted(name) for name in columns
        ]
        with self._open() as cursor:
            cursor.execute(f"SELECT {', '.join(fields)} FROM {quoted_table(self.table)}")  # noqa: S608 - quoted
            yield from frames(cursor.fetch_record_batch(), rows)

    @contextmanager
    def _open(self) -> Iterator[Any]:
        try:
            import adbc_driver_manager
            import adbc_driver_postgresql.dbapi as driver
        except ImportError:
            raise OutsideError(f"{self.name}: reading PostgreSQL needs {EXTRA}") from None
        try:
            with closing(driver.connect(self.connection)) as connection, closing(connection.cursor()) as cursor:
                cursor.execute("SET TRANSACTION READ ONLY")
                yield cursor
        except adbc_driver_manager.Error as reason:
            raise self._refused(reason.sqlstate or _login_refused(str(reason))) from None
        except OSError:
            raise self._refused(None) from None


def _login_refused(said: str) -> str | None:
    """The driver gives no SQLSTATE for a connection that fails."""
    if "authentication failed" in said or re.search(r"role .* does not exist", said):
        return "28000"
    return "3D000" if re.search(r"database .* does not exist", said) else None


class OdbcTable(_Server):
    """A table or view of any server that has an ODBC driver, such as SQL Server."""

    @cached_property
    def columns(self) -> tuple[str, ...]:
        reader = self._query(f"SELECT * FROM {quoted_table(self.table)} WHERE 1 = 0", 1)  # noqa: S608 - quoted
        return tuple(reader.schema.names)

    def batches(self, columns: Sequence[str], rows: int | None) -> Iterator[pl.DataFrame]:
        reader = self._query(select(columns, self.table), rows or ROWS_AT_A_TIME)
        with self._said_in_one_line():
            yield from frames(reader, rows)

    def _query(self, sql: str, rows: int) -> Any:
        with self._said_in_one_line():
            import arrow_odbc

            return arrow_odbc.read_arrow_batches_from_odbc(
                sql, self.connection, batch_size=rows, max_bytes_per_batch=MOST_BYTES_FETCHED,
                max_text_size=LONGEST_TEXT, fetch_concurrently=False,
            )  # fmt: skip

    @contextmanager
    def _said_in_one_line(self) -> Iterator[None]:
        try:
            import arrow_odbc
        except (ImportError, OSError):
            # It needs a driver manager of the system (unixODBC) as well.
            raise OutsideError(f"{self.name}: reading through ODBC needs {EXTRA}, and unixODBC") from None
        try:
            yield
        except arrow_odbc.Error as reason:
            if "too large" in str(reason):
                said = f"{self.name}: holds texts of more than {LONGEST_TEXT} bytes; leave that column out"
                raise DataError(said) from None
            state = re.search(r"State: (\w+)", str(reason))
            raise self._refused(state[1] if state else None) from None
