"""The list as a file: written as it comes, best first, with the same bytes whatever the size of the pieces.

``LISTS`` is the formats. To add one: a class with ``put`` and ``finish``, one row, one test.
"""

from __future__ import annotations

import io
import os
import shutil
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, Self

import polars as pl

from riskmodels import storage
from riskmodels.errors import RiskModelsError, UsageError
from riskmodels.service.outputs.formulas import is_risky, neutralise
from riskmodels.service.outputs.workbooks import close_workbook, refuse_long_texts, workbook
from riskmodels.service.shapes import SCORED_SCHEMA

if TYPE_CHECKING:
    import pyarrow as pa

Format = Literal["parquet", "csv", "xlsx"]
MOST_SHEET_ROWS = 1_048_575  # a sheet of Excel, less its header
# Hardly any two rows are alike in these: a dictionary of their values would be built for nothing.
ALL_DIFFERENT = ("entity_id", "risk", "risk_low", "risk_high", "rank")
ZSTD_LEVEL = 3
WIDTHS = {
    "entity_id": 16, "not_listed_because": 30, "team": 18, "reason_1": 44, "reason_2": 44, "reason_3": 44,
    "lowers_1": 40, "caveats": 40, "model_sha256": 20, "batch_id": 18,
}  # fmt: skip
WIDTH = 12  # of the other columns of a sheet, in letters


def open_list(path: Path, format: Format) -> ListWriter:
    """Begin a list at ``path``, which only its owner may read.

    The writer is fed with `ListWriter.write` and ended with `ListWriter.close` or `ListWriter.abort`; as a context it
    ends itself.

    Raises
    ------
    UsageError
        if the format is none of ours.
    OutsideError
        if the file cannot be made.
    """
    if format not in LISTS:
        raise UsageError(f"--format {format}: write the list as one of {', '.join(LISTS)}")
    return LISTS[format](Path(path))


class ListWriter(ABC):
    """Rows in rank order, with the columns of `SCORED_SCHEMA`, into one file.

    Rows are gathered to groups of `storage.ROWS_IN_A_GROUP`, so that the bytes depend on the rows alone and no more
    than one group (and the piece that completes it) is held.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows = 0
        self._held: list[pl.DataFrame] = []
        with storage.outside_world(path):
            # Before any library opens it: theirs would be readable by others.
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, storage.OWNER_ONLY))
            path.chmod(storage.OWNER_ONLY)
            self.begin()

    def write(self, frame: pl.DataFrame) -> None:
        """Take the next rows.

        Raises
        ------
        UsageError
            if the format cannot hold so many rows.
        OutsideError
            if the disk refuses.
        """
        if dict(frame.schema) != SCORED_SCHEMA or frame.columns != list(SCORED_SCHEMA):
            raise RiskModelsError("the rows of a list have not the columns of the scored file; this is our bug")
        self.rows += frame.height
        self.refuse_too_many()
        self._held.append(frame)
        if sum(part.height for part in self._held) >= storage.ROWS_IN_A_GROUP:
            self._put_groups()

    def close(self) -> None:
        """Write what is left, and have all of it on the disk; or raise as `write` does, and leave no file behind."""
        try:
            with storage.outside_world(self.path):
                rest = self._gathered()
                if rest.height:
                    self.put(rest)
                self.finish()
                with self.path.open("rb") as written:
                    os.fsync(written.fileno())
        except BaseException:
            self.abort()
            raise

    def abort(self) -> None:
        """Leave no file behind. Says nothing if the disk refuses: there is an error already that says more."""
        self._held = []
        with suppress(Exception):
            self.drop()
        with suppress(OSError):
            self.path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.abort()

    def _put_groups(self) -> None:
        rows = self._gathered()
        whole = rows.height // storage.ROWS_IN_A_GROUP * storage.ROWS_IN_A_GROUP
        with storage.outside_world(self.path):
            for start in range(0, whole, storage.ROWS_IN_A_GROUP):
                self.put(rows[start : start + storage.ROWS_IN_A_GROUP])
        self._held = [rows[whole:]]

    def _gathered(self) -> pl.DataFrame:
        held, self._held = self._held, []
        return pl.concat(held, rechunk=True) if held else pl.DataFrame(schema=SCORED_SCHEMA)

    def refuse_too_many(self) -> None:  # noqa: B027 - most formats hold any number
        """Raise UsageError if the format cannot hold ``self.rows``."""

    @abstractmethod
    def begin(self) -> None: ...

    @abstractmethod
    def put(self, group: pl.DataFrame) -> None:
        """Write one group of rows."""

    @abstractmethod
    def finish(self) -> None:
        """Write what stands at the end of the file, and let go of it."""

    @abstractmethod
    def drop(self) -> None:
        """Let go of the file, whatever state it is in."""


class ParquetList(ListWriter):
    """zstd, groups of `storage.ROWS_IN_A_GROUP` rows, plain types: text is a UTF-8 string for every reader, never a
    category; a date is a date without a time; a dictionary is a way to store repeated text, not a type."""

    def begin(self) -> None:
        import pyarrow.parquet as pq

        self._writer = pq.ParquetWriter(
            self.path,
            arrow_schema(),
            compression="zstd",
            compression_level=ZSTD_LEVEL,
            use_dictionary=[name for name in SCORED_SCHEMA if name not in ALL_DIFFERENT],
            # Arrow's own note of the types says "large string", which other readers then make of it.
            store_schema=False,
        )

    def put(self, group: pl.DataFrame) -> None:
        self._writer.write_table(group.to_arrow().cast(arrow_schema()), row_group_size=storage.ROWS_IN_A_GROUP)

    def finish(self) -> None:
        self._writer.close()

    def drop(self) -> None:
        self._writer.close()


def arrow_schema() -> pa.Schema:
    """`SCORED_SCHEMA` in Arrow's types, as Parquet has them."""
    import pyarrow as pa

    kinds = {
        pl.String: pa.string(), pl.Date: pa.date32(), pl.Float64: pa.float64(), pl.Int32: pa.int32(),
        pl.Boolean: pa.bool_(),
    }  # fmt: skip
    return pa.schema([(name, kinds[kind]) for name, kind in SCORED_SCHEMA.items()])


class CsvList(ListWriter):
    """UTF-8 with a header, lines that end in LF, dates as 2026-01-31, true and false, every digit of a number, nothing
    where there is no value; what looks like a formula is neutralised (`riskmodels.service.outputs.formulas`)."""

    def begin(self) -> None:
        self._file: BinaryIO = self.path.open("wb")
        self._put(pl.DataFrame(schema=SCORED_SCHEMA), header=True)

    def put(self, group: pl.DataFrame) -> None:
        self._put(group, header=False)

    def _put(self, group: pl.DataFrame, header: bool) -> None:
        buffer = io.BytesIO()
        neutralise(group).write_csv(buffer, include_header=header)
        self._file.write(buffer.getbuffer())

    def finish(self) -> None:
        self._file.close()

    def drop(self) -> None:
        self._file.close()


class ExcelList(ListWriter):
    """One sheet: ids are text, days are dates, true and false are that, and risks are numbers that are shown as
    percentages, with the 15 digits that Excel has.

    Nothing is a formula or a link. A text that begins like a formula is marked as text, as if somebody had typed an
    apostrophe before it: its value is as it was, and it stays text when it is edited.
    """

    def begin(self) -> None:
        # Rows wait in a file until the end: beside the list, for the folder of temporary files is for everybody.
        self._aside = self.path.with_name(f".{self.path.name}.rows")
        shutil.rmtree(self._aside, ignore_errors=True)  # of a run that was killed
        self._aside.mkdir(mode=0o700)
        self._book = workbook(self.path, tmpdir=str(self._aside), constant_memory=True, use_zip64=True)
        self._sheet = self._book.add_worksheet("List")
        head = self._book.add_format({"bold": True, "bottom": 2})
        self._quoted = self._book.add_format({"quote_prefix": True})
        self._formats = {
            pl.Float64: self._book.add_format({"num_format": "0.0%"}),
            pl.Date: self._book.add_format({"num_format": "yyyy-mm-dd"}),
            pl.Int32: self._book.add_format({"num_format": "0"}),
        }
        for place, name in enumerate(SCORED_SCHEMA):
            self._sheet.set_column(place, place, WIDTHS.get(name, WIDTH))
        self._sheet.freeze_panes(1, 1)
        for place, name in enumerate(SCORED_SCHEMA):
            self._sheet.write_string(0, place, name, head)
        self._next = 1

    def refuse_too_many(self) -> None:
        if self.rows > MOST_SHEET_ROWS:
            raise UsageError(
                f"{self.path.name}: the list has more than {MOST_SHEET_ROWS:,} rows, all that a sheet of Excel holds; "
                "use --format parquet or csv"
            )

    def put(self, group: pl.DataFrame) -> None:
        refuse_long_texts(self.path.name, group, "use --format parquet or csv")
        sheet, start = self._sheet, self._next
        write: dict[Any, Callable[..., Any]] = {
            pl.Float64: sheet.write_number, pl.Int32: sheet.write_number, pl.Date: sheet.write_datetime,
            pl.Boolean: sheet.write_boolean,
        }  # fmt: skip
        kinds = list(SCORED_SCHEMA.values())
        columns = [(place, write.get(kind), self._formats.get(kind)) for place, kind in enumerate(kinds)]
        for row, values in enumerate(group.iter_rows(), start):
            for (place, put, look), value in zip(columns, values, strict=True):
                if value is None:
                    continue
                if put is None:
                    sheet.write_string(row, place, value, self._quoted if is_risky(value) else None)
                else:
                    put(row, place, value, look)
        self._next = start + group.height

    def finish(self) -> None:
        self._sheet.autofilter(0, 0, max(self._next - 1, 1), len(SCORED_SCHEMA) - 1)
        close_workbook(self._book)
        shutil.rmtree(self._aside, ignore_errors=True)

    def drop(self) -> None:
        rows = getattr(self._sheet, "row_data_fh", None)  # the library closes it when it closes the book, not before
        with suppress(OSError):
            if rows is not None:
                rows.close()
        shutil.rmtree(self._aside, ignore_errors=True)


LISTS: dict[str, type[ListWriter]] = {"parquet": ParquetList, "csv": CsvList, "xlsx": ExcelList}
