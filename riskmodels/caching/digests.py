"""The digest of a frame's content."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from riskmodels import storage

if TYPE_CHECKING:
    import polars as pl

ROWS_AT_A_TIME = 100_000


def digest_of_frame(frame: pl.DataFrame) -> str:
    """SHA-256 of a frame's names, types, order and values; the same however it is chunked, sliced or was made.

    Raises
    ------
    TypeError
        for columns of lists, structs or Python objects, which have no digest.
    """
    digest = hashlib.sha256()
    for column in frame.get_columns():
        header = [column.name, str(column.dtype), len(column), column.null_count()]
        digest.update(storage.canonical_json(header))
        for part in _content(column):
            digest.update(part)
    return digest.hexdigest()


def _content(column: pl.Series) -> Iterable[Any]:
    """Which values are null; then the others, in bytes whose number the header or the bytes before them tell."""
    import numpy as np
    import polars as pl

    if column.null_count():
        yield np.packbits(column.is_null().to_numpy())
    # Taken out, not filled: what stands under a null is left to chance.
    column = column.drop_nulls()
    kind = column.dtype
    if kind.is_nested() or kind == pl.Object:
        raise TypeError(f"a column of {kind} has no digest")
    if kind == pl.Boolean:
        yield np.packbits(column.to_numpy())
    elif kind == pl.Binary:
        yield column.bin.size().to_numpy()
        yield from column.to_list()
    elif kind.is_temporal() or kind.is_float() or (kind.is_integer() and "128" not in str(kind)):
        yield np.ascontiguousarray(column.to_physical().to_numpy())
    else:
        column = column.cast(pl.String)
        yield column.str.len_bytes().to_numpy()
        for rows in range(0, len(column), ROWS_AT_A_TIME):
            yield column.slice(rows, ROWS_AT_A_TIME).str.join("").item().encode()
