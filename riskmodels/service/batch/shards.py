"""One part of the cohort, scored, as one file: what makes any run of its rows cheap to read without the rest.

A shard is a header in JSON and then its sections, one after the other: records of fixed width, best first; the ids and
the households of those rows as bytes, in the same order; every id's hash, sorted, for finding duplicates; the reasons,
where everybody is explained; the rejects, and the households that these close. It is written whole, so a shard that is
there is done.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from riskmodels import storage
from riskmodels.errors import OutsideError

# ``low`` and ``high`` are NaN without an interval, ``team`` and ``excluded`` -1 where there is none, and a household
# of no bytes is nobody's.
RECORD = np.dtype(
    [
        ("row_number", "<i8"),
        ("score", "<f8"),
        ("risk", "<f8"),
        ("low", "<f8"),
        ("high", "<f8"),
        ("hash", "<u8"),
        ("id_at", "<i8"),
        ("household_at", "<i8"),
        ("id_bytes", "<u4"),
        ("household_bytes", "<u4"),
        ("team", "<i4"),
        ("excluded", "<i2"),
    ]
)
LENGTH = 8  # bytes that say how long the header is


@dataclass(frozen=True)
class Shard:
    """``sections``: name -> (first byte, bytes). ``teams``: what the numbers in ``team`` stand for."""

    path: Path
    rows: int
    rows_in: int
    teams: tuple[str, ...]
    sections: Mapping[str, tuple[int, int]]

    def records(self, start: int = 0, stop: int | None = None) -> np.ndarray:
        """`RECORD` [stop - start], best first."""
        return self._array("records", RECORD, start, stop)

    def hashes(self, start: int = 0, stop: int | None = None) -> np.ndarray:
        """uint64, ascending: the hash of every id of the part, those of rejected rows included."""
        return self._array("hashes", np.dtype("<u8"), start, stop)

    def reject_hashes(self) -> np.ndarray:
        """uint64 [rejects]; 0 where there is no id."""
        return self._array("reject_hashes", np.dtype("<u8"), 0, None)

    def codes(self, kind: np.dtype, start: int = 0, stop: int | None = None) -> np.ndarray:
        """The reasons of everybody, in the order of the records."""
        return self._array("codes", kind, start, stop)

    def text(self, name: str, run: np.ndarray) -> bytes:
        """The bytes of the ``id`` or ``household`` of a run of records, one after the other."""
        if not len(run):
            return b""
        at, last = int(run[f"{name}_at"][0]), run[-1]
        return self._read(f"{name}s", at, int(last[f"{name}_at"] + last[f"{name}_bytes"]) - at)

    def closed(self) -> list[str]:
        """The households that are left alone because of a rejected row; none where no households are listed."""
        content = self._read("closed", 0, self.sections["closed"][1])
        return json.loads(content) if content else []

    def rejects(self) -> pl.DataFrame:
        return pl.read_ipc(io.BytesIO(self._read("rejects", 0, self.sections["rejects"][1])))

    def _array(self, name: str, kind: np.dtype, start: int, stop: int | None) -> np.ndarray:
        held = self.sections[name][1] // kind.itemsize
        stop = held if stop is None else stop
        return np.frombuffer(self._read(name, start * kind.itemsize, (stop - start) * kind.itemsize), dtype=kind)

    def _read(self, name: str, first: int, length: int) -> bytes:
        if not length:
            return b""
        return read_at(self.path, self.sections[name][0] + first, length)


def read_at(path: Path, first: int, length: int) -> bytes:
    """Some bytes of a file of ours. Raises OutsideError if they are not there: somebody else changed it."""
    try:
        # Opened for each read: there may be more shards than a process may hold files open.
        with path.open("rb", buffering=0) as file:
            file.seek(first)
            content = file.read(length)
    except OSError as reason:
        raise OutsideError(f"{path}: cannot be read ({reason.strerror}); run again with --resume") from None
    if len(content) != length:
        raise OutsideError(f"{path}: was cut short while it was in use; run again without --resume")
    return content


def texts_of(content: bytes, lengths: np.ndarray) -> pl.Series:
    """Texts that lie one after the other, as a String series."""
    import pyarrow as pa

    ends = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=ends[1:])
    made = pa.LargeStringArray.from_buffers(len(lengths), pa.py_buffer(ends), pa.py_buffer(content))
    series = pl.from_arrow(made)
    assert isinstance(series, pl.Series)
    return series


def bytes_of(series: pl.Series) -> tuple[bytes, np.ndarray]:
    """The texts of a String series one after the other, and the bytes of each; a null has none."""
    lengths = series.str.len_bytes().fill_null(0).to_numpy()
    return "".join(series.drop_nulls().to_list()).encode(), lengths


def shard_bytes(records: np.ndarray, teams: tuple[str, ...], rejects: pl.DataFrame, sections: dict[str, Any]) -> bytes:
    """A shard as its file holds it. ``sections``: further arrays and bytes, by name."""
    buffer = io.BytesIO()
    rejects.write_ipc(buffer)
    content = {"records": records.tobytes(), "rejects": buffer.getvalue()}
    content |= {name: part if isinstance(part, bytes) else part.tobytes() for name, part in sections.items()}
    spans, first = {}, 0
    for name, part in content.items():
        spans[name] = (first, len(part))
        first += len(part)
    header = json.dumps(
        {"rows": len(records), "rows_in": len(records) + rejects.height, "teams": teams, "sections": spans}
    ).encode()
    return b"".join([len(header).to_bytes(LENGTH, "little"), header, *content.values()])


def write_shard(path: Path, content: bytes) -> Shard:
    """Write a shard whole.

    Raises
    ------
    OutsideError
        if the disk refuses; the shard is then not there.
    """
    storage.write_whole(path, content)
    return _shard(path, content[LENGTH : LENGTH + int.from_bytes(content[:LENGTH], "little")])


def open_shard(path: Path) -> Shard | None:
    """A shard that is done; None if it is not there, or is not whole."""
    try:
        with path.open("rb") as file:
            header = file.read(int.from_bytes(file.read(LENGTH), "little"))
        shard = _shard(path, header)
        whole = LENGTH + len(header) + sum(length for _, length in shard.sections.values())
        return shard if path.stat().st_size == whole else None
    except (OSError, ValueError, KeyError, TypeError, MemoryError, OverflowError):
        return None


def _shard(path: Path, header: bytes) -> Shard:
    said = json.loads(header)
    spans = {name: (LENGTH + len(header) + first, length) for name, (first, length) in said["sections"].items()}
    return Shard(path, said["rows"], said["rows_in"], tuple(said["teams"]), spans)
