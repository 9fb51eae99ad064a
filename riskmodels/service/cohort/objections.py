"""Whoever objected to being scored is not scored, even where the objection writes their id in another way."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from riskmodels import storage
from riskmodels.data.columns import WRITTEN_AS_DECIMAL
from riskmodels.data.coverage import near_misses, refuse_near_misses
from riskmodels.errors import DataError


def read_objectors(path: Path | None) -> frozenset[str]:
    """The ids of people who objected: a CSV or Parquet file with a column entity_id. Raises DataError."""
    if path is None:
        return frozenset()
    frame = storage.read_table(path)
    if "entity_id" not in frame.columns:
        raise DataError(f"{path.name}: a list of objections has a column entity_id")
    held = frame.schema["entity_id"]
    if held.is_nested() or held == pl.Binary:
        raise DataError(
            f"{path.name}, column 'entity_id': holds lists, records or raw bytes, not ids; write them as text"
        )
    refuse_decimal_ids(path.name, frame["entity_id"])
    ids = frame["entity_id"].cast(pl.String).str.strip_chars().replace("", None)
    return frozenset(ids.drop_nulls().to_list())


def refuse_decimal_ids(file: str, ids: pl.Series) -> None:
    """Ids that were read as decimals may have lost digits. Raises DataError."""
    if ids.dtype.is_float() or ids.cast(pl.String).str.contains(WRITTEN_AS_DECIMAL).any():
        raise DataError(
            f"{file}, column 'entity_id': ids were read as decimals, which loses digits; store them as text"
        )


class NearMisses:
    """Objections that miss an id only by how it is written, over all parts of a cohort: they are meant."""

    def __init__(self, objectors: frozenset[str]) -> None:
        self._objectors, self._near, self._met = objectors, set[str](), set[str]()

    def see(self, ids: pl.Series) -> None:
        """The ids of one part, without blanks around them."""
        ids = ids.drop_nulls()
        self._near |= near_misses(self._objectors, ids)
        self._met |= self._objectors & set(ids.filter(ids.is_in(list(self._objectors))))

    def refuse(self) -> None:
        """Raises DataError if an objection is of nobody, but would be of somebody if it were written otherwise."""
        refuse_near_misses(self._near, self._met, of="the cohort")
