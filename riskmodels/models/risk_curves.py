"""The shapes that a calibrator may have: from a score to a risk, never falling, as JSON that anybody can read."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, TypeAdapter

from riskmodels.models.logit import logistic, softplus

LEAST_RISK = 1e-6
# Scores further out are taken as this: their risk is 0 or 1 by any curve, and nought times infinity is no number.
FURTHEST = 1e100
# The whole numbers that a float can tell apart.
LARGEST_CELL = 2**53


def clipped(risk: np.ndarray) -> np.ndarray:
    """Risks kept between 1e-6 and 1 - 1e-6: nobody is certain."""
    kept: np.ndarray = np.clip(risk, LEAST_RISK, 1.0 - LEAST_RISK)
    return kept


def log_odds_of(risk: np.ndarray) -> np.ndarray:
    """ln(p / (1 - p)) of risks between 1e-6 and 1 - 1e-6."""
    kept = clipped(risk)
    scores: np.ndarray = np.log(kept / (1.0 - kept))
    return scores


def _near(scores: np.ndarray) -> np.ndarray:
    near: np.ndarray = np.clip(np.asarray(scores, dtype=np.float64), -FURTHEST, FURTHEST)
    return near


@dataclass(frozen=True)
class Curve:
    """risk = 1 / (1 + exp(-(intercept + slope * score))). ``note`` says what was unusual in fitting it."""

    intercept: float
    slope: float
    note: str | None = None
    shape: Literal["curve"] = "curve"

    def __post_init__(self) -> None:
        if self.slope < 0:
            raise ValueError("a risk must not fall as the score rises")

    def apply(self, scores: np.ndarray) -> np.ndarray:
        """Risks float64 [n], never decreasing in the score, between 1e-6 and 1 - 1e-6."""
        return clipped(logistic(self.intercept + self.slope * _near(scores)))

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Beta:
    """log-odds = intercept + a ln p - b ln(1 - p), where p is the risk whose log-odds the score is."""

    intercept: float
    a: float
    b: float
    note: str | None = None
    shape: Literal["beta"] = "beta"

    def __post_init__(self) -> None:
        if self.a < 0 or self.b < 0:
            raise ValueError("a risk must not fall as the score rises")

    def apply(self, scores: np.ndarray) -> np.ndarray:
        """Risks float64 [n], never decreasing in the score, between 1e-6 and 1 - 1e-6."""
        near = _near(scores)
        return clipped(logistic(self.intercept - self.a * softplus(-near) + self.b * softplus(near)))

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Steps:
    """A non-decreasing line through (score, risk) knots, level beyond its ends."""

    scores: tuple[float, ...]
    risks: tuple[float, ...]
    note: str | None = None
    shape: Literal["steps"] = "steps"

    def __post_init__(self) -> None:
        scores, risks = np.array(self.scores), np.array(self.risks)
        if not len(scores) or len(scores) != len(risks) or (np.diff(scores) <= 0).any() or (np.diff(risks) < 0).any():
            raise ValueError("knots must be as many risks as scores, both in order")

    def apply(self, scores: np.ndarray) -> np.ndarray:
        """Risks float64 [n], never decreasing in the score, between 1e-6 and 1 - 1e-6."""
        given = np.asarray(scores, dtype=np.float64)
        knots, risks = np.array(self.scores), np.array(self.risks)
        # Interpolation may overshoot the next knot by a last bit, which would turn a tie round.
        following = risks[np.minimum(np.searchsorted(knots, given, side="right"), len(risks) - 1)]
        return clipped(np.minimum(np.interp(given, knots, risks), following))

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Stairs:
    """A risk that takes the next of ``risks`` in each cell of ``starts``; the first below them all."""

    starts: tuple[int, ...]
    risks: tuple[float, ...]

    def __post_init__(self) -> None:
        rising = all(low < high for low, high in pairwise(self.starts))
        within = all(0.0 <= low <= high <= 1.0 for low, high in pairwise((0.0, *self.risks, 1.0)))
        if len(self.risks) != len(self.starts) + 1 or not rising or not within:
            raise ValueError("stairs have starts that rise, and one risk more, in order")
        if any(abs(start) > LARGEST_CELL for start in self.starts):
            raise ValueError("a cell is further out than a score can be")

    def of(self, cells: np.ndarray) -> np.ndarray:
        return np.array(self.risks)[np.searchsorted(np.array(self.starts, dtype=np.float64), cells, side="right")]


@dataclass(frozen=True)
class VennAbers:
    """Two risks for each score, one as if the person had no event and one as if they had, merged into one.

    risk = p1 / (1 - p0 + p1). Scores are rounded to whole multiples (cells) of ``unit`` first, so that no start is a
    person's own score.
    """

    unit: float
    low: Stairs
    high: Stairs
    note: str | None = None
    shape: Literal["venn_abers"] = "venn_abers"

    def __post_init__(self) -> None:
        starts = np.array([-LARGEST_CELL, *self.low.starts, *self.high.starts], dtype=np.float64)
        if not self.unit > 0 or (self.low.of(starts) > self.high.of(starts)).any():
            raise ValueError("the low risk must not stand above the high one, and the unit must be above 0")

    def interval(self, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(p0, p1), float64 [n] each: the risk stands between them."""
        cells = cells_of(scores, self.unit)
        return clipped(self.low.of(cells)), clipped(self.high.of(cells))

    def apply(self, scores: np.ndarray) -> np.ndarray:
        """Risks float64 [n], never decreasing in the score, between 1e-6 and 1 - 1e-6."""
        cells = cells_of(scores, self.unit)
        low, high = self.low.of(cells), self.high.of(cells)
        # Written so that a last bit cannot turn a tie round: p1 / (1 - p0 + p1) = 1 / (1 + (1 - p0) / p1).
        with np.errstate(divide="ignore"):
            return clipped(1.0 / (1.0 + np.where(low < 1.0, (1.0 - low) / high, 0.0)))

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def cells_of(scores: np.ndarray, unit: float) -> np.ndarray:
    """Scores as whole multiples of the unit, float64 [n]."""
    cells: np.ndarray = np.clip(np.round(_near(scores) / unit), -LARGEST_CELL, LARGEST_CELL)
    return cells


First = Annotated[Curve | Beta | Steps | VennAbers, Field(discriminator="shape")]
Later = Annotated[Curve | Beta, Field(discriminator="shape")]


@dataclass(frozen=True)
class Chain:
    """A calibrator whose risk, as log-odds, goes through further curves: what was updated since, oldest first."""

    first: First
    then: tuple[Later, ...]
    note: str | None = None
    shape: Literal["chain"] = "chain"

    def apply(self, scores: np.ndarray) -> np.ndarray:
        """Risks float64 [n], never decreasing in the score, between 1e-6 and 1 - 1e-6."""
        return self._onwards(self.first.apply(scores))

    def interval(self, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        """The first calibrator's interval taken along; None where it has none."""
        found = risk_interval(self.first, scores)
        return None if found is None else (self._onwards(found[0]), self._onwards(found[1]))

    def _onwards(self, risk: np.ndarray) -> np.ndarray:
        for curve in self.then:
            risk = curve.apply(log_odds_of(risk))
        return risk

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


Calibrator = Curve | Beta | Steps | VennAbers | Chain


def risk_interval(calibrator: Calibrator, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Lowest and highest risk of each score, float64 [n] each; None for a calibrator that gives no interval."""
    return calibrator.interval(scores) if isinstance(calibrator, VennAbers | Chain) else None


def load_calibrator(raw: Any) -> Calibrator:
    """A calibrator from what its `to_dict` gave. Raises ValueError if it is of another shape."""
    found: Calibrator = TypeAdapter(Annotated[Calibrator, Field(discriminator="shape")]).validate_python(raw)
    return found
