"""The shapes that scoring hands from step to step: parts of a cohort in, slices of a ranked list out."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import polars as pl

Explain = Literal["selected", "all", "none"]
EXPLAIN: tuple[Explain, ...] = ("selected", "all", "none")

# The scored file, column by column: what a service team, Excel and Power BI rely on.
SCORED_SCHEMA = {
    "entity_id": pl.String,
    "as_of_date": pl.Date,
    "risk": pl.Float64,
    "risk_low": pl.Float64,
    "risk_high": pl.Float64,
    "band": pl.String,
    "rank": pl.Int32,
    "selected": pl.Boolean,
    "listed": pl.Boolean,
    "not_listed_because": pl.String,
    "team": pl.String,
    "reason_1": pl.String,
    "reason_2": pl.String,
    "reason_3": pl.String,
    "lowers_1": pl.String,
    "caveats": pl.String,
    "model_version": pl.String,
    "model_sha256": pl.String,
    "batch_id": pl.String,
}
WORDS = ("reason_1", "reason_2", "reason_3", "lowers_1", "caveats")
REJECT_SCHEMA = {"row_number": pl.Int64, "entity_id": pl.String, "code": pl.String, "reason": pl.String}


@dataclass(frozen=True)
class CheckedPart:
    """One part of a cohort, every row accounted for: ``rows_in`` = frame.height + rejects.height.

    ``frame``: row_number (Int64, from 1 over the whole cohort), entity_id, the model's features (Float64 or String),
    ``excluded`` (Int16: the place in study.service_rules of the first rule that holds; null where none does), ``team``
    (String; null without teams), ``household`` (String; null unless the study lists households), and, where the day of
    the fact behind a feature is known, a Date column named by `day_of`.
    ``rejects``: columns `REJECT_SCHEMA`, in the order of the rows. ``closed``: households that are left alone because
    of somebody whose row is rejected.
    """

    frame: pl.DataFrame
    rejects: pl.DataFrame
    rows_in: int
    closed: frozenset[str] = frozenset()


class CohortParts(Protocol):
    """A cohort to score, in parts that can each be read again and give the same rows."""

    @property
    def as_of(self) -> dt.date: ...

    @property
    def sha256(self) -> str:
        """Digest of everything that decides who is in it and with what: files, objections, study rules."""
        ...

    @property
    def count(self) -> int:
        """How many parts there are."""
        ...

    @property
    def rows_in(self) -> int: ...

    @property
    def closed(self) -> frozenset[str]:
        """Households known to be left alone before anybody is scored; rows and rejects may close others."""
        ...

    def read(self, number: int) -> CheckedPart:
        """Part ``number``, from 0. Safe to call from several threads."""
        ...


@dataclass(frozen=True)
class Slice:
    """A run of the ranked list, best first.

    ``frame``: row_number, then the columns of `SCORED_SCHEMA` but for `WORDS`. ``explained``: bool [n], for whom there
    are reasons. ``codes``: their reasons, dtype `riskmodels.models.reasons.REASON_TYPE` [explained.sum()].
    """

    frame: pl.DataFrame
    explained: np.ndarray
    codes: np.ndarray


def day_of(feature: str) -> str:
    """The name of the column that holds the day of the fact behind a feature."""
    return f"{feature} (day)"
