"""A CSV file as a Parquet file of texts, row for row: so that any part of it can be read again."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from riskmodels import storage
from riskmodels.errors import DataError, OutsideError
from riskmodels.service.cohort.parquet import ROWS_AT_MOST, in_turn

if TYPE_CHECKING:
    import pyarrow as pa

BLOCK = 1 << 20  # a row is shorter than this
BOM = b"\xef\xbb\xbf"
QUOTE, BREAKS = ord('"'), np.frombuffer(b',\r\n"', dtype=np.uint8)
SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}


def spool(path: Path, digest: str, wanted: Callable[[pa.Schema], list[str]], work: Path) -> Path:
    """The file's rows as text in ``work``, under its digest and columns: made once, and there whole or not at all.

    Parameters
    ----------
    wanted : the columns to keep, of the schema that the header makes; it refuses a header that will not do

    Raises
    ------
    DataError
        if it is not a CSV in UTF-8 with commas, a row has more or fewer fields than the header, or a quote is open.
    OutsideError
        if the work folder cannot be written to.
    """
    import pyarrow as pa

    storage.refuse_unreadable(path)
    names = _header(path)
    columns = wanted(pa.schema([(name, pa.string()) for name in names]))
    target = work / f"{storage.sha256(storage.canonical_json([digest, columns]))[:32]}.parquet"
    if not target.exists():
        _refuse_open_quotes(path)
        storage.write_whole_with(target, lambda part: _write(path, columns, part))
    return target


def _header(path: Path) -> list[str]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            names = next(csv.reader(file, strict=True), [])
    except UnicodeDecodeError:
        raise _not_utf8(path) from None
    except csv.Error:
        raise DataError(f"{path.name}: its header cannot be read; put the names of its columns there") from None
    except OSError as reason:
        raise OutsideError(f"{path.name}: cannot be read ({reason.strerror})") from None
    if len(names) == 1:
        for mark, word in SEPARATORS.items():
            if mark in names[0]:
                raise DataError(f"{path.name}: {word} stand between its columns; save it with commas")
    return names


def _write(path: Path, columns: list[str], target: Path) -> None:
    import pyarrow as pa
    import pyarrow.csv as pa_csv
    import pyarrow.parquet as pq

    try:
        reader = pa_csv.open_csv(
            path,
            pa_csv.ReadOptions(use_threads=False, block_size=BLOCK),
            pa_csv.ParseOptions(newlines_in_values=True),
            pa_csv.ConvertOptions(
                include_columns=columns,
                column_types=dict.fromkeys(columns, pa.string()),
                strings_can_be_null=True,
                null_values=[""],
            ),
        )
        with pq.ParquetWriter(target, reader.schema, compression="lz4") as writer:
            for table in in_turn(reader):
                writer.write_table(table, row_group_size=ROWS_AT_MOST)
    except (pa.ArrowException, LookupError) as reason:
        raise _in_our_words(path, str(reason)) from None


def _in_our_words(path: Path, said: str) -> DataError:
    """What stopped the parser. Its own words quote the row."""
    uneven = re.search(r"Row #([0-9]+): Expected ([0-9]+) columns, got ([0-9]+)", said)
    if uneven:
        row, expected, got = (int(number) for number in uneven.groups())
        return DataError(
            f"{path.name}, row {row - 1}: has {got} fields where the header has {expected}; put quotes around texts "
            "with commas, or export it again"
        )
    if "UTF8" in said:
        return _not_utf8(path)
    if "straddling" in said:
        return DataError(f"{path.name}: a row is longer than 1 MB; look for a quote that is never closed")
    return DataError(f"{path.name}: cannot be read as CSV; it may be damaged or cut short; export it again")


def _not_utf8(path: Path) -> DataError:
    return DataError(f"{path.name}: is not UTF-8 text; save it as UTF-8")


def _refuse_open_quotes(path: Path) -> None:
    """A quote that is never closed makes one row of all that follow, and no parser minds.

    Every second quote closes: it stands before a comma, a line end or a quote that it doubles, and every other one
    stands behind one of them (RFC 4180).
    """
    marks, rest = 0, b"\n"
    with path.open("rb") as file:
        start = file.read(len(BOM))
        file.seek(len(BOM) if start == BOM else 0)
        while True:
            block = file.read(BLOCK)
            # The last byte waits for what follows it.
            held = np.frombuffer(rest + (block or b"\n"), dtype=np.uint8)
            places = np.flatnonzero(held[1:-1] == QUOTE) + 1
            closing = (marks + np.arange(len(places))) % 2 == 1
            beside = held[np.where(closing, places + 1, places - 1)]
            if not np.isin(beside, BREAKS).all():
                break
            marks += len(places)
            if not block:
                if marks % 2 == 0:
                    return
                break
            rest = held[-2:].tobytes()
    raise DataError(
        f"{path.name}: its quotes do not pair up; put quotes around texts that hold quotes, commas or line ends, and "
        "double the quotes inside"
    )
