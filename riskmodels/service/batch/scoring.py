"""One part of a cohort becomes one shard: encoded, scored, calibrated, put in order and, where wanted, explained."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from riskmodels.data.splits import seeded_hash
from riskmodels.errors import ModelFileError, RiskModelsError
from riskmodels.models.matrix import Matrix
from riskmodels.models.reasons import REASON_TYPE, UNKNOWN_DAY, reason_codes
from riskmodels.models.risk_curves import risk_interval
from riskmodels.models.risk_model import RiskModel
from riskmodels.service.batch.order import best_first
from riskmodels.service.batch.shards import RECORD, bytes_of, shard_bytes
from riskmodels.service.shapes import CheckedPart, day_of

# Rows encoded and explained at a time: their numbers stay small however many features there are.
BLOCK = 16_384
ROWS_TO_VERIFY = 64


@dataclass(frozen=True)
class Scorer:
    """A model and what it needs to know of the study, ready for several threads at once.

    ``explain``: everybody's reasons are found as they are scored. ``households``: people are listed by household.
    """

    model: RiskModel
    as_of: dt.date
    seed: int
    explain: bool
    households: bool

    def shard(self, number: int, part: CheckedPart) -> bytes:
        """Score a part: its shard, as `riskmodels.service.batch.shards.write_shard` takes it.

        Raises
        ------
        ModelFileError
            if the model gives somebody no number.
        """
        frame, rejects = part.frame, part.rejects
        if part.rows_in != frame.height + rejects.height:
            raise RiskModelsError(
                f"part {number + 1}: {part.rows_in} rows came in, and {frame.height + rejects.height} are accounted for"
            )
        score = np.empty(frame.height)
        codes = np.empty(frame.height if self.explain else 0, dtype=REASON_TYPE)
        for rows, matrix in self._blocks(frame):
            if self.explain:
                score[rows], contributions = self._score_and_contributions(matrix)
                codes[rows] = self._codes(matrix, contributions, frame[rows])
            else:
                score[rows] = self.model.fitted.score(matrix)
        if not np.isfinite(score).all():
            raise ModelFileError(f"part {number + 1}: the model gives somebody no number; restore it from its run")
        records, teams = self._records(frame, score)
        order = best_first(records)
        reject_hashes = self._reject_hashes(rejects)
        hashes = np.sort(
            np.concatenate([records["hash"], reject_hashes[rejects["entity_id"].is_not_null().to_numpy()]])
        )
        sections: dict[str, Any] = {"hashes": hashes, "reject_hashes": reject_hashes}
        records = records[order]
        texts = {"id": "entity_id", "household": "household"} if self.households else {"id": "entity_id"}
        for name, column in texts.items():
            sections[f"{name}s"], lengths = bytes_of(frame[column][order])
            records[f"{name}_bytes"] = lengths
            records[f"{name}_at"] = np.cumsum(lengths, dtype=np.int64) - lengths
        sections["closed"] = json.dumps(sorted(part.closed)).encode() if self.households and part.closed else b""
        if self.explain:
            sections["codes"] = codes[order]
        return shard_bytes(records, teams, rejects, sections)

    def codes_of(self, frame: pl.DataFrame) -> np.ndarray:
        """The reasons of some rows, `REASON_TYPE` [n]."""
        codes = np.empty(frame.height, dtype=REASON_TYPE)
        for rows, matrix in self._blocks(frame):
            codes[rows] = self._codes(matrix, self.model.fitted.contributions(matrix), frame[rows])
        return codes

    def verify(self, frame: pl.DataFrame) -> None:
        """Compare the fast way of scoring some rows with the slow one, where the family has both.

        Raises
        ------
        ModelFileError
            if they differ.
        """
        check = getattr(self.model.fitted, "verify_fast", None)
        if check is None or not frame.height:
            return
        difference = check(self.model.encoder.encode(frame))
        if difference is not None:
            raise ModelFileError(f"the model's fast scores are not its own: {difference}; nothing was published")

    def _blocks(self, frame: pl.DataFrame) -> Iterator[tuple[slice, Matrix]]:
        for first in range(0, frame.height, BLOCK):
            rows = slice(first, min(first + BLOCK, frame.height))
            yield rows, self.model.encoder.encode(frame[rows])

    def _score_and_contributions(self, matrix: Matrix) -> tuple[np.ndarray, np.ndarray]:
        fitted: Any = self.model.fitted
        if hasattr(fitted, "score_and_contributions"):
            score, contributions = fitted.score_and_contributions(matrix)
            return score, contributions
        return fitted.score(matrix), fitted.contributions(matrix)

    def _codes(self, matrix: Matrix, contributions: np.ndarray, frame: pl.DataFrame) -> np.ndarray:
        return reason_codes(self.model, matrix, contributions, days_of(self.model, frame), self.as_of)

    def _records(self, frame: pl.DataFrame, score: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
        """The records of a part in the order of its rows, and its teams."""
        records = np.zeros(frame.height, dtype=RECORD)
        interval = risk_interval(self.model.calibrator, score)
        low, high = (np.nan, np.nan) if interval is None else interval
        records["row_number"] = frame["row_number"].to_numpy()
        records["score"], records["risk"] = score, self.model.calibrator.apply(score)
        records["low"], records["high"] = low, high
        records["hash"] = seeded_hash(frame["entity_id"].to_list(), self.seed)
        records["excluded"] = frame["excluded"].fill_null(-1).to_numpy()
        teams = tuple(sorted(frame["team"].drop_nulls().unique().to_list()))
        records["team"] = frame["team"].cast(pl.Enum(teams)).to_physical().cast(pl.Int32).fill_null(-1).to_numpy()
        return records, teams

    def _reject_hashes(self, rejects: pl.DataFrame) -> np.ndarray:
        hashes = np.zeros(rejects.height, dtype=np.uint64)
        known = rejects["entity_id"].is_not_null().to_numpy()
        hashes[known] = seeded_hash(rejects["entity_id"].drop_nulls().to_list(), self.seed)
        return hashes


def some_of(frame: pl.DataFrame) -> pl.DataFrame:
    """At most 64 rows from all over a part."""
    if frame.height <= ROWS_TO_VERIFY:
        return frame
    return frame[np.linspace(0, frame.height - 1, ROWS_TO_VERIFY).astype(np.int64)]


def days_of(model: RiskModel, frame: pl.DataFrame) -> dict[str, np.ndarray] | None:
    """The day of the fact behind each value, as `reason_codes` takes it; None where no day is known."""
    known = [name for name in model.encoder.names if day_of(name) in frame.columns]
    return {name: frame[day_of(name)].cast(pl.Int32).fill_null(UNKNOWN_DAY).to_numpy() for name in known} or None
