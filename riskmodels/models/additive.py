"""Models that are a sum of one term a feature: all families but the trees.

The score is ``offset`` plus the terms, so it needs numpy alone, its contributions are exact by construction, and the
saved form can be read by a person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from riskmodels.models.logit import significant
from riskmodels.models.matrix import UNSEEN, Column, Matrix
from riskmodels.models.splines import FEWEST_KNOTS, restricted_cubic_basis


@dataclass(frozen=True)
class Line:
    """slope * (value - centre) for a number; a value of its own where it is missing.

    ``mean`` and ``size`` of every term: its mean and its mean distance from that, over the fit rows.
    """

    feature: str
    slope: float
    centre: float
    missing: float
    mean: float = 0.0
    size: float = 0.0
    shape: Literal["line"] = "line"

    def of(self, values: np.ndarray, column: Column) -> np.ndarray:
        return np.where(np.isnan(values), self.missing, self.slope * (values - self.centre))


@dataclass(frozen=True)
class Bend:
    """A restricted cubic spline of a number, less ``level``; a value of its own where it is missing.

    ``weights`` are those of the columns of `restricted_cubic_basis`: one for the number, one for each inner knot.
    """

    feature: str
    knots: tuple[float, ...]
    weights: tuple[float, ...]
    level: float
    missing: float
    mean: float = 0.0
    size: float = 0.0
    shape: Literal["bend"] = "bend"

    def __post_init__(self) -> None:
        if len(self.knots) < FEWEST_KNOTS or len(self.weights) != len(self.knots) - 1 or not _rising(self.knots):
            raise ValueError("a bend has at least three knots, rising, and one weight fewer")

    def of(self, values: np.ndarray, column: Column) -> np.ndarray:
        absent = np.isnan(values)
        total = np.full(len(values), -self.level)
        basis = restricted_cubic_basis(np.where(absent, self.knots[0], values), np.array(self.knots))
        # Added up one by one: a product of matrices adds in another order for one row than for many.
        for place, weight in enumerate(self.weights):
            total += weight * basis[:, place]
        return np.where(absent, self.missing, total)


@dataclass(frozen=True)
class Shape:
    """A step function of a number: ``scores[i]`` from ``cuts[i - 1]`` up to below ``cuts[i]``; its own if missing."""

    feature: str
    cuts: tuple[float, ...]
    scores: tuple[float, ...]
    missing: float
    mean: float = 0.0
    size: float = 0.0
    shape: Literal["steps"] = "steps"

    def __post_init__(self) -> None:
        if len(self.scores) != len(self.cuts) + 1 or not _rising(self.cuts):
            raise ValueError("a shape has cuts that rise, and one score more")

    def of(self, values: np.ndarray, column: Column) -> np.ndarray:
        steps = np.array([*self.scores, self.missing])
        absent = np.isnan(values)
        place = np.searchsorted(np.array(self.cuts), np.where(absent, 0.0, values), side="right")
        return steps[np.where(absent, len(steps) - 1, place)]


def _rising(values: tuple[float, ...]) -> bool:
    return all(low < high for low, high in pairwise(values))


@dataclass(frozen=True)
class Levels:
    """A value for each value of a category, one for missing, and one for values that were not learned."""

    feature: str
    levels: dict[str, float]
    missing: float
    unseen: float
    mean: float = 0.0
    size: float = 0.0
    shape: Literal["levels"] = "levels"

    def of(self, values: np.ndarray, column: Column) -> np.ndarray:
        table = np.array([*(self.levels[value] for value in column.vocabulary), self.unseen, self.missing])
        place = np.where(np.isnan(values), len(table) - 1, np.where(values == UNSEEN, len(table) - 2, values))
        return table[place.astype(np.int64)]


@dataclass(frozen=True)
class Rule:
    """``points`` when the value is at most, at least, or equal to ``value``, or is missing."""

    test: Literal["at_most", "at_least", "is", "missing"]
    value: float | str | None
    points: int

    def holds(self, values: np.ndarray, column: Column) -> np.ndarray:
        held: np.ndarray
        if self.test == "missing":
            held = np.isnan(values)
        elif self.test == "is":
            held = values == column.vocabulary.index(str(self.value))
        else:
            cut = float(self.value or 0.0)
            held = values <= cut if self.test == "at_most" else values >= cut
        return held


@dataclass(frozen=True)
class Tally:
    """The points of every rule on one feature that holds."""

    feature: str
    rules: tuple[Rule, ...]
    mean: float = 0.0
    size: float = 0.0
    shape: Literal["tally"] = "tally"

    def of(self, values: np.ndarray, column: Column) -> np.ndarray:
        total = np.zeros(len(values))
        for rule in self.rules:
            # A code of -1 means "not learned", and no rule is about it.
            total += rule.points * rule.holds(values, column)
        return total


AnyTerm = Line | Bend | Shape | Levels | Tally
Term = Annotated[AnyTerm, Field(discriminator="shape")]


@dataclass(frozen=True)
class Additive:
    """score = offset + sum of terms. A contribution is a term less its mean over the fit rows."""

    offset: float
    terms: tuple[Term, ...]

    @cached_property
    def base(self) -> float:
        """The mean score of the fit rows: where contributions start from."""
        return self.offset + sum(term.mean for term in self.terms)

    @property
    def importance(self) -> dict[str, float]:
        """Mean size of the contribution on the fit rows, by feature name."""
        return {term.feature: term.size for term in self.terms}

    def score(self, matrix: Matrix) -> np.ndarray:
        """Raw scores, float64 [n]."""
        total = np.full(len(matrix), self.offset)
        for term in self.terms:
            total += _evaluate(term, matrix)
        return total

    def contributions(self, matrix: Matrix) -> np.ndarray:
        """float64 [n, p]; ``base`` plus a row's sum is its score, to 1e-9."""
        parts = np.zeros((len(matrix), len(matrix.columns)))
        for term in self.terms:
            parts[:, matrix.position(term.feature)] = _evaluate(term, matrix) - term.mean
        return parts

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    def to_files(self) -> dict[str, bytes]:
        return {}


def _evaluate(term: AnyTerm, matrix: Matrix) -> np.ndarray:
    position = matrix.position(term.feature)
    return term.of(matrix.values[:, position], matrix.columns[position])


def settled(offset: float, terms: Sequence[AnyTerm], matrix: Matrix, digits: int = 8) -> Additive:
    """The model with the means and sizes of its terms over the fit rows; terms that never move are left out."""
    kept: list[AnyTerm] = []
    for term in terms:
        values = _evaluate(term, matrix)
        if values.min() == values.max() == 0.0:
            continue
        mean = significant(float(values.mean()))
        kept.append(replace(term, mean=mean, size=significant(float(np.abs(values - mean).mean()), 4)))
    return Additive(significant(offset, digits), tuple(kept))


def unknown_words(model: Additive, columns: tuple[Column, ...]) -> list[str]:
    """What the model names that the encoder does not know; empty for a model that fits its encoder."""
    known = {column.name: column for column in columns}
    wrong = [term.feature for term in model.terms if term.feature not in known]
    for term in model.terms:
        if term.feature not in known:
            continue
        vocabulary = known[term.feature].vocabulary
        if isinstance(term, Bend | Shape) and known[term.feature].kind == "category":
            wrong.append(f"a curve of the numbers of {term.feature}")
        if isinstance(term, Levels) and set(term.levels) != set(vocabulary):
            wrong.append(f"the values of {term.feature}")
        if isinstance(term, Tally) and any(rule.test == "is" and rule.value not in vocabulary for rule in term.rules):
            wrong.append(f"a rule on {term.feature}")
    return wrong
