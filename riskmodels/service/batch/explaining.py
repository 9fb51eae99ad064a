"""The second pass: reasons for those who are listed, from the parts that hold any of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from riskmodels.data.splits import seeded_hash
from riskmodels.errors import DataError
from riskmodels.models.reasons import REASON_TYPE
from riskmodels.service.batch.ranked import Run
from riskmodels.service.batch.scoring import Scorer
from riskmodels.service.batch.shards import Shard, read_at
from riskmodels.service.shapes import CheckedPart


def explain_listed(scorer: Scorer, wanted: np.ndarray, part: CheckedPart) -> bytes:
    """The reasons of a shard's listed rows, as bytes of `REASON_TYPE`.

    Parameters
    ----------
    wanted : the records of these rows; the reasons are in their order
    part : the part that the shard was made of

    Raises
    ------
    DataError
        if the part is not the one that was scored.
    """
    numbers = part.frame["row_number"].to_numpy()
    rows = np.minimum(np.searchsorted(numbers, wanted["row_number"]), max(len(numbers) - 1, 0))
    same = len(numbers) > 0 and bool((numbers[rows] == wanted["row_number"]).all())
    frame = part.frame[rows] if same else part.frame.clear()
    if not same or (seeded_hash(frame["entity_id"].to_list(), scorer.seed) != wanted["hash"]).any():
        raise DataError("the cohort was changed while it was scored; run again without --resume")
    return scorer.codes_of(frame).tobytes()


@dataclass(frozen=True)
class Explained:
    """For whom there are reasons, and where these stand.

    ``listed``: for each shard who is listed; None where nobody is explained or everybody is. ``folder``: where the
    reasons of the listed stand; None where they stand with the shards themselves, or nowhere.
    """

    shards: Sequence[Shard]
    listed: Sequence[np.ndarray] | None
    folder: Path | None

    def reader(self) -> Reader:
        return Reader(self)


class Reader:
    """Reads the reasons of one bucket after the other, each once and in order."""

    def __init__(self, explained: Explained) -> None:
        self._of = explained
        self._read = [0] * len(explained.shards)

    def of(self, runs: Sequence[Run], order: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """For whom of a bucket's rows, put in order, there are reasons; and these reasons."""
        found = [self._run(run) for run in runs]
        there = np.concatenate([mask for mask, _ in found])
        codes = np.concatenate([codes for _, codes in found])
        explained = there[order]
        place = np.cumsum(there) - 1
        return explained, codes[place[order[explained]]]

    def skip(self, runs: Sequence[Run]) -> None:
        """Pass over a bucket."""
        for run in runs:
            self._run(run)

    def _run(self, run: Run) -> tuple[np.ndarray, np.ndarray]:
        shard = self._of.shards[run.number]
        if self._of.listed is None or self._of.folder is None:
            explained = "codes" in shard.sections
            codes = shard.codes(REASON_TYPE, run.start, run.stop) if explained else np.zeros(0, dtype=REASON_TYPE)
            return np.full(len(run.records), explained), codes
        there = self._of.listed[run.number][run.start : run.stop]
        first, count = self._read[run.number], int(there.sum())
        self._read[run.number] += count
        content = (
            read_at(codes_path(self._of.folder, run.number), first * REASON_TYPE.itemsize, count * REASON_TYPE.itemsize)
            if count
            else b""
        )
        return there, np.frombuffer(content, dtype=REASON_TYPE)


def codes_path(folder: Path, number: int) -> Path:
    return folder / f"{number:05d}.codes"
