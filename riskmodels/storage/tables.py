"""Parquet and CSV tables: what is wrong with one is one line, and the same rows are the same bytes."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from riskmodels.errors import DataError, OutsideError

if TYPE_CHECKING:
    import polars as pl

ROWS_IN_A_GROUP = 100_000
CSV_BLOCK = 1 << 20


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
    buffer = io.BytesIO()
    if suffix == ".parquet":
        # In one chunk and row groups of a stated size: else the bytes depend on how many threads there are.
        frame.rechunk().write_parquet(buffer, compression="zstd", row_group_size=ROWS_IN_A_GROUP)
    else:
        frame.write_csv(buffer)
    return buffer.getvalue()
