"""Normalised rows that stay in a Parquet file, because the engine holds them there: written once, whole or not at all.

In the cache the file stands beside the other results, under the digest of what it was made from and that of its own
bytes; without a cache it stands in a temporary folder.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from riskmodels import storage
from riskmodels.caching import KEY, Steps, key_within
from riskmodels.errors import OutsideError


class TemporaryFolder:
    """Owner-only, and gone when nothing refers to it any more, or at the end of the process."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="riskmodels-rows-"))
        weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)


@dataclass(frozen=True)
class RowsFile:
    """``folder`` is to be held on to as long as the file is wanted, where the file is a temporary one."""

    path: Path
    folder: TemporaryFolder | None = None


def find_rows(steps: Steps, key: str) -> RowsFile | None:
    """The file that was made from just this, if it is there and whole."""
    if steps.folder is None:
        return None
    for path in sorted(_shard(steps.folder, key).glob(f"{key}.*.parquet")):
        if _sha256(path) == path.name.split(".")[1] and key_within(path) == key:
            with suppress(OSError):
                path.touch()
            steps.own(key)
            return RowsFile(path)
    return None


def write_rows(steps: Steps, key: str, batches: Callable[[], Iterable[pl.DataFrame]]) -> RowsFile:
    """Put batches of rows into one file, a batch at a time; into a temporary folder where nothing can be kept.

    Raises
    ------
    OutsideError
        if the disk refuses that, too. What the rows' own reader raises is raised.
    """
    try:
        # One writer at a time; and what another process prunes is not what is being written.
        with steps.writing(key) as allowed:
            if allowed and steps.folder is not None:
                return _kept(_shard(steps.folder, key), key, lambda: _read(batches))
        folder = TemporaryFolder()
        path = folder.path / "rows.parquet"
        storage.write_whole_with(path, lambda part: _write(part, key, _read(batches)))
        return RowsFile(path, folder)
    except _UnreadError as past:
        raise past.reason from None


class _UnreadError(Exception):
    """What a reader raised, on its way past those who take it for a refusal of the disk that is written to."""

    def __init__(self, reason: Exception) -> None:
        super().__init__()
        self.reason = reason


def _read(batches: Callable[[], Iterable[pl.DataFrame]]) -> Iterator[pl.DataFrame]:
    try:
        yield from batches()
    except Exception as reason:
        raise _UnreadError(reason) from reason


def _kept(shard: Path, key: str, batches: Callable[[], Iterable[pl.DataFrame]]) -> RowsFile:
    first = shard / f"{key}.parquet"
    storage.write_whole_with(first, lambda part: _write(part, key, batches()))
    path = shard / f"{key}.{_sha256(first)}.parquet"
    first.replace(path)
    for damaged in shard.glob(f"{key}.*.parquet"):
        if damaged != path:
            damaged.unlink()
    return RowsFile(path)


def _shard(folder: Path, key: str) -> Path:
    return folder / "results" / key[:2]


def _write(path: Path, key: str, batches: Iterable[pl.DataFrame]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    writer = None
    try:
        for batch in batches:
            table = batch.to_arrow(compat_level=pl.CompatLevel.oldest())
            # Plain strings: every engine reads them.
            table = table.cast(pa.schema([_plain(one) for one in table.schema], metadata={KEY: key}))
            writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd", compression_level=1)
            if batch.height:
                writer.write_table(table, row_group_size=storage.ROWS_IN_A_GROUP)
    finally:
        if writer is not None:
            writer.close()


def _plain(one: Any) -> Any:
    import pyarrow as pa

    return one.with_type(pa.string()) if pa.types.is_large_string(one.type) else one


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as reason:
        raise OutsideError(f"{path}: cannot be read ({reason.strerror})") from None
