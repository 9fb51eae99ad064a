"""The whole cohort in the order of the list, a bucket at a time: an external sort of shards that are sorted already.

A sample of all rows says where the buckets begin; of each shard a bucket then holds one contiguous run. What is kept
in memory is a few numbers for each shard and bucket, and one bucket.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from riskmodels.service.batch.duplicates import Copies
from riskmodels.service.batch.order import best_first, places_of_keys
from riskmodels.service.batch.shards import RECORD, Shard

SAMPLED = 256  # one row in so many
ROWS_IN_A_BUCKET = 32_768  # about


@dataclass(frozen=True)
class Run:
    """Records ``start`` to ``stop`` of a shard; ``kept``: which of them are no copies, None where all are."""

    number: int
    start: int
    stop: int
    records: np.ndarray
    kept: np.ndarray | None


class Buckets:
    """The rows of all shards between one place of the list and the next, best bucket first."""

    def __init__(self, shards: Sequence[Shard], copies: Copies) -> None:
        self.shards, self._copies = shards, copies
        keys = _edges(shards, max(1, ROWS_IN_A_BUCKET // SAMPLED))
        self._cuts = np.zeros((len(shards), len(keys) + 2), dtype=np.int64)
        for number, shard in enumerate(shards):
            self._cuts[number, 1:-1] = places_of_keys(shard.records(), keys) if len(keys) else 0
            self._cuts[number, -1] = shard.rows

    def __len__(self) -> int:
        return self._cuts.shape[1] - 1

    def runs(self, bucket: int) -> list[Run]:
        """What each shard has in a bucket, in the order of the shards; none that is empty."""
        found = []
        for number, (start, stop) in enumerate(self._cuts[:, bucket : bucket + 2].tolist()):
            if start < stop:
                kept = self._copies.kept(number)
                records = self.shards[number].records(start, stop)
                found.append(Run(number, start, stop, records, None if kept is None else kept[start:stop]))
        return found

    def __iter__(self) -> Iterator[list[Run]]:
        return (self.runs(bucket) for bucket in range(len(self)))


def together(runs: Sequence[Run]) -> np.ndarray:
    """The records of a bucket, one run after the other."""
    return np.concatenate([run.records for run in runs]) if runs else np.zeros(0, dtype=RECORD)


def order_of(runs: Sequence[Run], records: np.ndarray) -> np.ndarray:
    """Positions among the records of a bucket, best first, copies left out."""
    order = best_first(records)
    if all(run.kept is None for run in runs):
        return order
    kept = np.concatenate([np.ones(len(run.records), dtype=bool) if run.kept is None else run.kept for run in runs])
    return order[kept[order]]


def _edges(shards: Sequence[Shard], every: int) -> np.ndarray:
    """The records at which buckets begin: every so many of a sample, which is the same whoever draws it."""
    seen, samples = 0, []
    for shard in shards:
        records = shard.records()
        # One in so many of all rows, not of each shard's: small shards are not left out.
        samples.append(records[(SAMPLED // 2 - seen) % SAMPLED :: SAMPLED].copy())
        seen += len(records)
    sample = np.concatenate(samples) if samples else np.zeros(0, dtype=RECORD)
    return sample[best_first(sample)][every::every]
