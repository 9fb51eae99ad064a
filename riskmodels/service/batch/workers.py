"""Who scores and explains the parts of a cohort; what is made of them afterwards does not know."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import polars as pl

from riskmodels.service.batch.explaining import explain_listed
from riskmodels.service.batch.scoring import Scorer, some_of
from riskmodels.service.shapes import CohortParts


class Workers(Protocol):
    """Does one part at a time, and may be asked by ``at_once`` threads."""

    @property
    def at_once(self) -> int: ...

    def score(self, number: int) -> tuple[bytes, pl.DataFrame]:
        """A part's shard, and a few of its rows to verify the model with; none from who has verified it already."""
        ...

    def explain(self, number: int, wanted: np.ndarray) -> bytes:
        """The reasons of some records of a part's shard, in their order."""
        ...


Employ = Callable[[Scorer, CohortParts], Workers]


@dataclass(frozen=True)
class Here:
    """The threads of this process."""

    scorer: Scorer
    parts: CohortParts
    at_once: int

    def score(self, number: int) -> tuple[bytes, pl.DataFrame]:
        part = self.parts.read(number)
        return self.scorer.shard(number, part), some_of(part.frame)

    def explain(self, number: int, wanted: np.ndarray) -> bytes:
        return explain_listed(self.scorer, wanted, self.parts.read(number))
