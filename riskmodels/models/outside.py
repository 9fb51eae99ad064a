"""Estimators of your own, from Python: anything with scikit-learn's fit and predict_proba, beside our families.

They are compared, and no more: what cannot be written as text and read by a person is never saved, approved or scored.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from riskmodels.errors import UsageError
from riskmodels.models.families import MODELS, Family, Fitted
from riskmodels.models.linear import checked_outcome
from riskmodels.models.matrix import UNSEEN, Matrix
from riskmodels.models.risk_curves import log_odds_of

# A category of more values is one column of codes instead of one column a value.
MOST_VALUES = 50
SEED = "random_state"
ONLY_COMPARED = "an estimator from Python is compared, but never explained, saved or scored with; choose another family"


@dataclass(frozen=True)
class Inputs:
    """How a matrix becomes what an estimator takes: numbers alone.

    Attributes
    ----------
    fills : what stands in for a missing value of each column: the median of a number; None keeps it missing, and is
        what a category has, whose missing values have a column or a code of their own
    flags : positions of numbers that get a column saying where they are missing
    """

    fills: tuple[float | None, ...]
    flags: tuple[int, ...]

    def of(self, matrix: Matrix) -> np.ndarray:
        """float64 [n, inputs]: numbers, their flags, a column for each value of a category and for its being missing.

        Categories of more than 50 values are one column: the code, -1 for a value not learned, -2 for missing.
        """
        parts = []
        for position, (column, fill) in enumerate(zip(matrix.columns, self.fills, strict=True)):
            values = matrix.values[:, position]
            absent = np.isnan(values)
            if column.kind == "number":
                parts.append(values if fill is None else np.where(absent, fill, values))
                if position in self.flags:
                    parts.append(absent.astype(np.float64))
            elif len(column.vocabulary) > MOST_VALUES:
                parts.append(np.where(absent, UNSEEN - 1.0, values))
            else:
                parts += [(values == code).astype(np.float64) for code in range(len(column.vocabulary))]
                parts.append(absent.astype(np.float64))
        return np.column_stack(parts) if parts else np.zeros((len(matrix), 0))


def learn_inputs(matrix: Matrix, *, keeps_missing: bool) -> Inputs:
    """Medians and flags from the fit rows. ``keeps_missing``: the estimator itself knows what to do with NaN."""
    fills: list[float | None] = []
    flags = []
    for position, column in enumerate(matrix.columns):
        recorded = matrix.values[:, position]
        recorded = recorded[~np.isnan(recorded)]
        if column.kind == "category" or keeps_missing:
            fills.append(None)
            continue
        fills.append(float(np.median(recorded)) if len(recorded) else 0.0)
        if 0 < len(recorded) < len(matrix):
            flags.append(position)
    return Inputs(tuple(fills), tuple(flags))


@dataclass(frozen=True)
class FittedOutside:
    """A fitted estimator. It scores; it does not explain itself, and it cannot be saved."""

    name: str
    estimator: Any
    inputs: Inputs
    base: float = 0.0

    @property
    def importance(self) -> dict[str, float]:
        """Not known."""
        return {}

    def score(self, matrix: Matrix) -> np.ndarray:
        """Log-odds of predict_proba, float64 [n], between those of 1e-6 and 1 - 1e-6.

        Raises
        ------
        UsageError
            if what comes back is no probability for every row.
        """
        if not len(matrix):
            return np.zeros(0)
        given = _asked(self.name, "predict_proba", self.estimator.predict_proba, self.inputs.of(matrix))
        try:
            classes = list(getattr(self.estimator, "classes_", (0, 1)))
            risk = np.asarray(given, dtype=np.float64)[:, classes.index(1)]
            sound = risk.shape == (len(matrix),) and bool(((risk >= 0) & (risk <= 1)).all())
        except (IndexError, TypeError, ValueError):
            sound = False
        if not sound:
            raise UsageError(
                f"estimators.{self.name}: predict_proba must give every row a probability of each of the classes 0 and "
                "1; wrap it so that it does"
            )
        return log_odds_of(risk)

    def contributions(self, matrix: Matrix) -> NoReturn:
        raise UsageError(f"estimators.{self.name}: {ONLY_COMPARED}")

    def to_dict(self) -> NoReturn:
        raise UsageError(f"estimators.{self.name}: {ONLY_COMPARED}")

    def to_files(self) -> NoReturn:
        raise UsageError(f"estimators.{self.name}: {ONLY_COMPARED}")


def fit_outside(
    estimator: Any, matrix: Matrix, outcome: np.ndarray, seed: int, name: str = "estimator"
) -> FittedOutside:
    """A clone of the estimator, fitted. The one given is left as it was.

    Every parameter called random_state that is None, those of a pipeline's steps included, is set to ``seed``. Missing
    numbers are filled with their median and flagged, unless scikit-learn's tags say that the estimator takes NaN.

    Raises
    ------
    DataError
        if the outcome has one class, or fewer than 5 rows of either.
    UsageError
        if it cannot be cloned, or its fit fails.
    """
    known = checked_outcome(matrix, outcome)
    fresh = _asked(name, "clone", _seeded, estimator, seed)
    inputs = learn_inputs(matrix, keeps_missing=_takes_missing(fresh))
    _asked(name, "fit", fresh.fit, inputs.of(matrix), known.astype(np.int64))
    return FittedOutside(name, fresh, inputs)


@dataclass(frozen=True)
class Outside:
    """An estimator under a name, as a family to compare with.

    Raises
    ------
    UsageError
        if the name is no slug or is that of a family, or the estimator lacks fit or predict_proba.
    """

    name: str
    estimator: Any

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,79}", self.name):
            raise UsageError(
                f"estimators: {self.name!r} must have lower-case letters, digits and _, and start with a letter"
            )
        where, given = f"estimators.{self.name}", self.estimator
        if self.name in MODELS:
            raise UsageError(f"{where}: is the name of a family; give it another")
        if isinstance(given, type):
            raise UsageError(f"{where}: is a class; give an instance of it, such as {given.__name__}()")
        if not all(callable(getattr(given, method, None)) for method in ("fit", "predict_proba")):
            raise UsageError(
                f"{where}: {type(given).__name__} needs fit and predict_proba; wrap it so that it has both"
            )

    @property
    def family(self) -> Family:
        """A row as in `MODELS`: fitted like any family, and refused when it is read back."""

        def load(*_: Any) -> Fitted:
            raise UsageError(f"estimators.{self.name}: {ONLY_COMPARED}")

        return Family(
            lambda matrix, outcome, settings, *, seed, **_: fit_outside(
                self.estimator, matrix, outcome, seed, self.name
            ),
            load,
        )


def outside_families(estimators: Mapping[str, Any]) -> dict[str, Family]:
    """A row for each estimator by its name. Raises as `Outside` does."""
    return {name: Outside(name, estimator).family for name, estimator in estimators.items()}


def _seeded(estimator: Any, seed: int) -> Any:
    from sklearn.base import clone

    fresh = clone(estimator, safe=False)
    parameters = fresh.get_params(deep=True) if hasattr(fresh, "get_params") else {}
    unset = [name for name, value in parameters.items() if name.rpartition("__")[2] == SEED and value is None]
    return fresh.set_params(**dict.fromkeys(unset, seed % 2**31)) if unset else fresh


def _takes_missing(estimator: Any) -> bool:
    from sklearn.utils import get_tags

    try:
        return bool(get_tags(estimator).input_tags.allow_nan)
    except (AttributeError, TypeError):
        return False


def _asked(name: str, what: str, call: Any, *given: Any) -> Any:
    """The answer of somebody else's code; its own words may quote a person's values and are not repeated."""
    try:
        return call(*given)
    except Exception as error:
        raise UsageError(
            f"estimators.{name}: its {what} failed ({type(error).__name__}); try it on the same numbers by itself"
        ) from error
