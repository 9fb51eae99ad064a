"""Ids that stand more than once in the whole cohort: found by their hashes, a range of them at a time, in flat memory.

Every copy is rejected: it is not clear which row is right. What was rejected for another reason counts as a copy too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

import numpy as np
import polars as pl

from riskmodels.service.batch.shards import Shard, texts_of
from riskmodels.service.cohort.rows import REASONS

CODE = "duplicate_id"
REASON = REASONS[CODE]
# These come before it: whoever objected is told so, however often they stand there.
KEPT_CODES = (*takewhile(lambda code: code != CODE, REASONS), CODE)
AT_ONCE = 1 << 20  # hashes looked at together


@dataclass
class Copies:
    """``scored``, ``rejected``: for each shard which of its records, and of its rejects, are copies; None where no."""

    scored: list[np.ndarray | None]
    rejected: list[np.ndarray | None]

    def kept(self, number: int) -> np.ndarray | None:
        """Which records of a shard stay; None where all do."""
        copies = self.scored[number]
        return None if copies is None else ~copies

    @property
    def count(self) -> int:
        """How many rows that were scored are rejected after all."""
        return sum(int(copies.sum()) for copies in self.scored if copies is not None)


def find_copies(shards: Sequence[Shard]) -> Copies:
    """Every row whose id stands in another row too, in whatever part."""
    found = Copies([None] * len(shards), [None] * len(shards))
    sizes = [len(shard.hashes()) for shard in shards]
    ranges = max(1, -(-sum(sizes) // AT_ONCE))
    # Hashes are spread evenly, so equal ranges hold about as many each.
    edges = np.array([(number << 64) // ranges for number in range(1, ranges)], dtype=np.uint64)
    cuts = [
        [0, *np.searchsorted(shard.hashes(), edges).tolist(), size] for shard, size in zip(shards, sizes, strict=True)
    ]
    for place in range(ranges):
        runs = [shard.hashes(cut[place], cut[place + 1]) for shard, cut in zip(shards, cuts, strict=True)]
        every = np.sort(np.concatenate(runs)) if runs else np.zeros(0, dtype=np.uint64)
        suspects = np.unique(every[1:][every[1:] == every[:-1]])
        if len(suspects):
            _mark(found, shards, [bool(np.isin(run, suspects).any()) for run in runs], suspects)
    return found


def _mark(found: Copies, shards: Sequence[Shard], concerned: Sequence[bool], suspects: np.ndarray) -> None:
    """Mark the rows whose ids, not only the hashes of these, are the same."""
    frames = []
    for number in np.flatnonzero(concerned).tolist():
        shard = shards[number]
        records = shard.records()
        for rejected, hashes in ((False, records["hash"]), (True, shard.reject_hashes())):
            rows = np.flatnonzero(np.isin(hashes, suspects))
            if len(rows):
                ids = shard.rejects()["entity_id"] if rejected else ids_of(shard, records)
                frame = pl.DataFrame({"row": rows, "id": ids[rows]})
                frames.append(frame.with_columns(pl.lit(number).alias("shard"), pl.lit(rejected).alias("rejected")))
    rows_of = pl.concat(frames).drop_nulls("id").filter(pl.col("id").is_duplicated())
    for (number, rejected), part in rows_of.group_by(["shard", "rejected"]):
        marks, size = (
            (found.rejected, len(shards[number].reject_hashes())) if rejected else (found.scored, shards[number].rows)
        )
        if marks[number] is None:
            marks[number] = np.zeros(size, dtype=bool)
        marks[number][part["row"].to_numpy()] = True


def ids_of(shard: Shard, records: np.ndarray) -> pl.Series:
    """The ids of a run of records."""
    return texts_of(shard.text("id", records), records["id_bytes"])


def rejects_of(shard: Shard, copies: np.ndarray | None, rejected: np.ndarray | None) -> pl.DataFrame:
    """A shard's rejects, its copies among them, in the order of the rows."""
    rejects = shard.rejects()
    if rejected is not None:
        renamed = pl.Series(rejected) & ~pl.col("code").is_in(KEPT_CODES)
        rejects = rejects.with_columns(
            pl.when(renamed).then(pl.lit(CODE)).otherwise("code").alias("code"),
            pl.when(renamed).then(pl.lit(REASON)).otherwise("reason").alias("reason"),
        )
    if copies is None:
        return rejects
    records = shard.records()
    dropped = pl.DataFrame(
        {"row_number": records["row_number"][copies], "entity_id": ids_of(shard, records).filter(pl.Series(copies))}
    ).with_columns(pl.lit(CODE).alias("code"), pl.lit(REASON).alias("reason"))
    return pl.concat([rejects, dropped]).sort("row_number")
