"""The rows that settings are tuned on, and the folds inside them: later dates judge, earlier ones teach.

Nothing here has been seen by a test date or will choose among families: these are the fit rows of the first origin.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cached_property

import numpy as np
import polars as pl

from riskmodels import storage
from riskmodels.caching import digest_of_frame
from riskmodels.data.dataset import Dataset
from riskmodels.data.splits import Splits, seeded_hash
from riskmodels.models.matrix import Matrix, fit_encoder
from riskmodels.models.training import slice_of, teaching_rows
from riskmodels.study import StudyFile

LEAST_OF_EACH_CLASS = 10
# Two groups would leave half of the rows to learn from, which is another question.
LEAST_GROUPS = 3


@dataclass(frozen=True, eq=False)
class Fold:
    """Positions of the rows that teach and of those that judge; ``name`` is the date, or the group, that judges."""

    name: str
    train: np.ndarray
    valid: np.ndarray


@dataclass(frozen=True, eq=False)
class Folds:
    """Rows of known outcome, encoded once, and how they are split.

    Attributes
    ----------
    rows : entity_id, as_of_date, cluster_id and the outcome, row by row as ``matrix`` and ``outcome`` (int8)
    folds : none where too few of either outcome would be left on one side
    how : "time", or "grouped" (other people, same dates)
    reason : why not by time, or why not at all; empty where the folds are of time
    """

    rows: pl.DataFrame
    matrix: Matrix
    outcome: np.ndarray
    folds: tuple[Fold, ...]
    how: str
    reason: str

    @property
    def judged(self) -> np.ndarray:
        """Positions of the rows that judge, fold by fold."""
        return np.concatenate([fold.valid for fold in self.folds])

    @property
    def weights(self) -> np.ndarray:
        """Weights of these rows: their weighted mean is the mean over folds of each fold's mean."""
        sizes = [len(fold.valid) for fold in self.folds]
        return np.concatenate([np.full(size, sum(sizes) / (len(sizes) * size)) for size in sizes])

    @cached_property
    def digest(self) -> str:
        """Changes with any value, outcome, cluster or fold."""
        held = hashlib.sha256(digest_of_frame(self.rows).encode())
        for array in (self.matrix.values.T, self.matrix.recorded.T, self.outcome):
            held.update(np.ascontiguousarray(array).data)
        for fold in self.folds:
            held.update(fold.train.data)
            held.update(fold.valid.data)
        held.update(storage.canonical_json([asdict(column) for column in self.matrix.columns]))
        return held.hexdigest()

    @property
    def fewest_taught(self) -> int:
        """How many rows the smallest fold learns from."""
        return min((len(fold.train) for fold in self.folds), default=0)


def plan_folds(data: Dataset, splits: Splits, study: StudyFile, count: int) -> Folds:
    """Folds inside the fit rows of the first origin, with outcomes as they were recorded before its test date.

    Each of the last ``count`` dates judges what the dates taught whose outcomes were mature by then:
    ``as_of + horizon + lag <= date``. Where no fold of time is left with 10 of either outcome on both sides, whole
    clusters are drawn instead, and nobody who judges a fold teaches it.

    Vocabularies and imputation are learned from all of these rows, those that judge included: no outcome enters them,
    and the folds can then share one encoding and one binning.
    """
    first = splits.origins[0]
    taught = teaching_rows(data, first, study).fit
    part = slice_of(data, taught, data.learned_at(first), fit_encoder(data.features, taught))
    rows = part.rows.select("entity_id", "as_of_date", "cluster_id", "outcome")
    by_time = _sufficient(_time_folds(rows, study, count), part.outcome)
    if by_time:
        return Folds(rows, part.matrix, part.outcome, by_time, "time", "")
    one = rows["as_of_date"].n_unique() < 2
    why = "there is one date to learn from" if one else "no earlier date had enough outcomes by the time of a later one"
    grouped = _sufficient(_grouped_folds(rows, study, count), part.outcome)
    if not grouped:
        why = f"there are fewer than {LEAST_OF_EACH_CLASS} of either outcome on one side of every fold"
    return Folds(rows, part.matrix, part.outcome, grouped, "grouped", why)


def _time_folds(rows: pl.DataFrame, study: StudyFile, count: int) -> Iterator[Fold]:
    dates: list[dt.date] = rows["as_of_date"].unique().sort().to_list()
    for judge in dates[-count:]:
        teach = [day for day in dates if study.outcome.mature_on(day) <= judge]
        train, valid = (rows["as_of_date"].is_in(days).to_numpy() for days in (teach, [judge]))
        yield Fold(judge.isoformat(), np.flatnonzero(train), np.flatnonzero(valid))


def _grouped_folds(rows: pl.DataFrame, study: StudyFile, count: int) -> Iterator[Fold]:
    groups = max(count, LEAST_GROUPS)
    drawn = seeded_hash(rows["cluster_id"].to_list(), study.seed, use=b"tuning folds") % np.uint64(groups)
    for number in range(count):
        valid = drawn == number
        # Somebody who moved from one household to another is in two clusters.
        people = rows.filter(pl.Series(valid))["entity_id"].unique().to_list()
        train = ~valid & ~rows["entity_id"].is_in(people).to_numpy()
        yield Fold(f"group {number + 1}", np.flatnonzero(train), np.flatnonzero(valid))


def _sufficient(folds: Iterator[Fold], outcome: np.ndarray) -> tuple[Fold, ...]:
    def enough(side: np.ndarray) -> bool:
        events = int(outcome[side].sum())
        return min(events, len(side) - events) >= LEAST_OF_EACH_CLASS

    return tuple(fold for fold in folds if enough(fold.train) and enough(fold.valid))
