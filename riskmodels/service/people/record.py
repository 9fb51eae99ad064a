"""The record of a batch: what each person was given, and why, as long as the service keeps it.

``people.parquet`` has a row for each person, best first, with reasons as codes, so that their words can be made later
for another reader. ``batch.json`` says what the batch was and names nobody. Both are owner-only.
"""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import polars as pl
from pydantic import Field, ValidationError, field_validator

from riskmodels import storage
from riskmodels.errors import DataError, OutsideError
from riskmodels.service.shapes import SCORED_SCHEMA, Slice
from riskmodels.study import Section, Slug

if TYPE_CHECKING:
    import pyarrow as pa

PEOPLE, BATCH = "people.parquet", "batch.json"
COLUMNS = (
    "entity_id", "as_of_date", "risk", "band", "rank", "selected", "listed", "not_listed_because", "team",
)  # fmt: skip
# The few values of these come again and again; an id never does.
REPEATED = ("as_of_date", "band", "not_listed_because", "team")
CODE = "code."  # what the columns of the reasons' codes begin with
CODE_TYPE = b"riskmodels.reason_type"


class BatchNote(Section):
    """``batch.json``: what a batch was. ``output`` is the list's file name, without its folder; ``who`` is a role.

    ``record_sha256``: the newest seal of the study's record when it was scored; a record without it was put back.
    """

    batch_id: str = Field(pattern=r"^[0-9a-f]{8,64}$")
    study: Slug
    version: int | None
    model_sha256: str
    card_sha256: str
    as_of: dt.date
    scored_on: dt.date
    counts: dict[str, int]
    options: dict[str, Any]
    output: str
    who: str | None
    stage: str
    example: bool
    record_sha256: str = ""

    @field_validator("output")
    @classmethod
    def _name_only(cls, value: str) -> str:
        return value.replace("\\", "/").rpartition("/")[2]


@dataclass(frozen=True)
class PersonRecord:
    """What one batch gave one person. ``codes``: their reasons, [1]; None for whoever has no reasons."""

    risk: float
    band: str
    rank: int
    selected: bool
    listed: bool
    not_listed_because: str | None
    team: str | None
    codes: np.ndarray | None


# ---------------------------------------------------------------- writing


def open_record(folder: Path) -> RecordWriter:
    """Begin the record of a batch in ``folder``, which takes its place when the list does.

    Raises
    ------
    OutsideError
        if the disk or its permissions refuse.
    """
    with storage.outside_world(folder):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(folder / PEOPLE, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, storage.OWNER_ONLY)
    return RecordWriter(folder, os.fdopen(handle, "wb"))


class RecordWriter:
    """Writes slices in row groups of a stated size: the same rows give the same bytes, however they are sliced."""

    def __init__(self, folder: Path, file: BinaryIO) -> None:
        self._folder, self._file = folder, file
        self._frames: list[pl.DataFrame] = []
        self._codes: list[np.ndarray] = []
        self._waiting = 0
        self._writer: Any = None

    def __enter__(self) -> RecordWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        # After `close` there is nothing left to do; without it, what is written is no record, and a disk that is full
        # has been told of already.
        with suppress(OSError, ValueError):
            if self._writer is not None:
                self._writer.close()
        if self._writer is not None:
            self._writer.is_open = False
        with suppress(OSError):
            self._file.close()

    def write(self, part: Slice) -> None:
        """The next run of the ranked list. Raises OutsideError if the disk refuses."""
        # A slice in which nobody has a team, or everybody is listed, knows no better than that a column is empty.
        frame = part.frame.select(pl.col(name).cast(SCORED_SCHEMA[name]) for name in COLUMNS)
        self._frames.append(frame.with_columns(pl.Series(CODE, part.explained)))
        self._codes.append(part.codes)
        self._waiting += part.frame.height
        while self._waiting >= storage.ROWS_IN_A_GROUP:
            self._write_group(storage.ROWS_IN_A_GROUP)

    def close(self, note: BatchNote) -> None:
        """Finish the record; without its ``batch.json`` a folder is no record. Raises OutsideError."""
        if self._waiting or self._writer is None:
            self._write_group(self._waiting)
        with storage.outside_world(self._folder / PEOPLE):
            self._writer.close()
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
        storage.write_whole(self._folder / BATCH, storage.canonical_json(note.model_dump(mode="json")))

    def _write_group(self, rows: int) -> None:
        import pyarrow.parquet as pq

        schema = {name: SCORED_SCHEMA[name] for name in COLUMNS} | {CODE: pl.Boolean}
        frame = pl.concat(self._frames) if self._frames else pl.DataFrame(schema=schema)
        codes = np.concatenate(self._codes) if self._codes else np.empty(0, dtype=[])
        explained = frame[CODE].head(rows).to_numpy()
        used = int(explained.sum())
        table = _arrow(frame.head(rows), explained, codes[:used])
        self._frames, self._codes = [frame.slice(rows)], [codes[used:]]
        self._waiting -= rows
        with storage.outside_world(self._folder / PEOPLE):
            if self._writer is None:
                repeated = [*REPEATED, *(name for name in table.column_names if name.startswith(CODE))]
                self._writer = pq.ParquetWriter(
                    self._file, table.schema, compression="zstd", compression_level=1, use_dictionary=repeated
                )
            self._writer.write_table(table, row_group_size=storage.ROWS_IN_A_GROUP)


def _arrow(frame: pl.DataFrame, explained: np.ndarray, codes: np.ndarray) -> pa.Table:
    import pyarrow as pa

    kinds = {
        pl.String: pa.large_string(), pl.Date: pa.date32(), pl.Float64: pa.float64(), pl.Int32: pa.int32(),
        pl.Boolean: pa.bool_(),
    }  # fmt: skip
    frame = frame.rechunk()
    columns = {name: frame[name].to_arrow().cast(kinds[SCORED_SCHEMA[name]]) for name in COLUMNS}
    for name, values in _flat(CODE, codes):
        spread = np.zeros(len(explained), dtype=values.dtype)
        spread[explained] = values
        columns[name] = pa.array(spread, mask=~explained)
    kind = json.dumps(np.lib.format.dtype_to_descr(codes.dtype))
    return pa.table(columns).replace_schema_metadata({CODE_TYPE: kind.encode()})


def _flat(name: str, values: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Views of a structured array: each number as a column of its own, under a name that says where it stands."""
    if values.dtype.names is not None:
        for field in values.dtype.names:
            yield from _flat(f"{name}{field}" if name == CODE else f"{name}.{field}", values[field])
    elif values.ndim > 1:
        for place in range(values.shape[1]):
            yield from _flat(f"{name}.{place + 1}", values[:, place])
    else:
        yield name, values


# ---------------------------------------------------------------- reading


def read_batch(folder: Path) -> BatchNote:
    """What a batch was. Raises DataError if its ``batch.json`` is missing or damaged."""
    try:
        return BatchNote.model_validate(storage.read_json(folder / BATCH))
    except ValidationError:
        raise DataError(f"{folder / BATCH}: is not the record of a batch; restore it from where it came") from None


def find_people(folder: Path, ids: Collection[str]) -> dict[str, PersonRecord]:
    """What the batch gave those of ``ids`` who were in it. Reads one column, and the rest only where somebody stands.

    Raises
    ------
    DataError
        if the record is missing or damaged.
    OutsideError
        if it may not be read.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    found: dict[str, PersonRecord] = {}
    wanted = pa.array(sorted(set(ids)), type=pa.large_string())
    with _read_as_record(folder / PEOPLE), pq.ParquetFile(folder / PEOPLE) as file:
        for group in range(file.num_row_groups):
            if len(found) == len(wanted):
                break
            column = file.read_row_group(group, columns=["entity_id"], use_threads=False).column(0)
            rows = np.flatnonzero(pc.is_in(column, value_set=wanted).to_numpy())
            if len(rows):
                table = file.read_row_group(group, use_threads=False).take(pa.array(rows))
                found |= _people(table)
    return found


@contextmanager
def _read_as_record(path: Path) -> Iterator[None]:
    import pyarrow as pa

    try:
        yield
    except PermissionError:
        raise OutsideError(f"{path}: cannot be read (no permission)") from None
    except (OSError, pa.ArrowException, KeyError, ValueError):
        raise DataError(f"{path}: the record of the batch cannot be read; it may be damaged or cut short") from None


def _people(table: pa.Table) -> dict[str, PersonRecord]:
    metadata: Mapping[bytes, bytes] = table.schema.metadata or {}
    kind = np.lib.format.descr_to_dtype(_descr(json.loads(metadata.get(CODE_TYPE, b"[]"))))
    has_codes = [name for name in table.column_names if name.startswith(CODE)]
    found = {}
    for place, row in enumerate(table.select([*COLUMNS, *has_codes]).to_pylist()):
        codes = None
        if has_codes and row[has_codes[0]] is not None:
            codes = np.zeros(1, dtype=kind)
            for name, slot in _flat(CODE, codes):
                slot[...] = table.column(name)[place].as_py()
        given = {name: row[name] for name in COLUMNS if name not in ("entity_id", "as_of_date")}
        found[row["entity_id"]] = PersonRecord(**given, codes=codes)
    return found


def _descr(value: Any) -> Any:
    """A dtype's description as numpy wants it: JSON has made lists of its tuples."""
    if isinstance(value, str):
        return value
    return [tuple(tuple(part) if place == 2 else _descr(part) for place, part in enumerate(field)) for field in value]
