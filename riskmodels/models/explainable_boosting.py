"""A boosting machine that explains itself: one learned shape for each feature, added up. interpret's only home.

What interpret fits is turned into terms of our own, so that the saved model is scored, explained and read without it.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from riskmodels.errors import UsageError
from riskmodels.models.additive import Additive, Levels, Shape, settled
from riskmodels.models.linear import checked_outcome
from riskmodels.models.logit import log_odds, significant
from riskmodels.models.matrix import LEAST_ROWS_BEYOND_RANGE, UNSEEN, Column, Matrix, rounded, rounding_unit
from riskmodels.study import ExplainableBoostingSettings

# Each bag holds out its own share of the rows to stop by; more than a few bags cost time and changed little.
BAGS = 4
# Scores are kept to so many digits: what is saved differs from what interpret adds up by less than 1e-9.
DIGITS = 11
EXTRA = "models.candidates.explainable_boosting needs the extra: pip install 'riskmodels[explainable]'"


@dataclass(frozen=True)
class _Input:
    """One column as interpret is given it. ``steps``: where a number is cut, or None for a category."""

    column: Column
    values: np.ndarray  # float64 [n], NaN for missing
    steps: list[float] | None


def fit_explainable_boosting(
    matrix: Matrix, outcome: np.ndarray, settings: ExplainableBoostingSettings, seed: int
) -> Additive:
    """Main effects by cyclic gradient boosting of small steps (Lou, Caruana and Gehrke 2012; interpret).

    Numbers are cut at percentiles that we choose, so that no cut and no bound is one person's value. What is missing
    has a score of its own. A category's value that was not learned moves the score neither way, unless the fit rows had
    such values: those share a score.

    Raises
    ------
    UsageError
        if interpret is not installed.
    """
    classifier = _interpret()
    known = checked_outcome(matrix, outcome)
    inputs = [
        made
        for place, column in enumerate(matrix.columns)
        if (made := _input(column, matrix.values[:, place], settings.bins)) is not None
    ]
    if not inputs:
        return settled(log_odds(float(known.mean())), [], matrix)
    with warnings.catch_warnings():
        # It warns that its own figures leave out what is missing.
        warnings.simplefilter("ignore")
        machine = classifier(
            feature_names=[made.column.name for made in inputs],
            feature_types=["nominal" if made.steps is None else made.steps or "continuous" for made in inputs],
            interactions=0,
            outer_bags=BAGS,
            learning_rate=settings.learning_rate,
            max_rounds=settings.rounds,
            min_samples_leaf=settings.min_rows_in_leaf,
            n_jobs=1,
            random_state=seed % 2**31,
        ).fit(np.column_stack([made.values for made in inputs]), known.astype(np.int64))
    terms = [
        _term(inputs[features[0]], machine.bins_[features[0]][0], _digits(scores))
        for features, scores in zip(machine.term_features_, machine.term_scores_, strict=True)
    ]
    return settled(float(machine.intercept_[0]), terms, matrix, DIGITS)


def _interpret() -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from interpret.glassbox import ExplainableBoostingClassifier
    except ImportError:
        raise UsageError(EXTRA) from None
    return ExplainableBoostingClassifier


def _digits(scores: np.ndarray) -> list[float]:
    return [significant(score, DIGITS) for score in scores.tolist()]


# ---------------------------------------------------------------- what goes in


def _input(column: Column, values: np.ndarray, bins: int) -> _Input | None:
    """The column, or None where it is the same for everybody."""
    absent = np.isnan(values)
    recorded = values[~absent]
    if column.kind == "category":
        return _Input(column, values, None) if len(np.unique(values)) > 1 else None
    steps = _cuts(recorded, bins)
    if steps:
        return _Input(column, values, steps)
    # Nothing to cut, but it may tell who has it missing.
    return _Input(column, np.where(absent, np.nan, 0.0), []) if absent.any() and not absent.all() else None


def _cuts(recorded: np.ndarray, bins: int) -> list[float]:
    """Percentiles between ``bins`` steps, rounded to four digits of the range that leaves out half a per cent a side.

    Every step keeps at least five people (`LEAST_ROWS_BEYOND_RANGE`), the outer ones too.
    """
    if len(recorded) < 2 * LEAST_ROWS_BEYOND_RANGE:
        return []
    ordered = np.sort(recorded)
    low, high = np.quantile(ordered, [0.005, 0.995])
    unit = rounding_unit(float(high - low), 4)
    places = np.quantile(ordered, np.arange(1, bins) / bins)
    kept: list[float] = []
    before = 0
    for cut in sorted({rounded(float(place), unit) for place in places}):
        below = int(np.searchsorted(ordered, cut, side="left"))
        if below - before >= LEAST_ROWS_BEYOND_RANGE and len(ordered) - below >= LEAST_ROWS_BEYOND_RANGE:
            kept.append(cut)
            before = below
    return kept


# ---------------------------------------------------------------- what comes out


def _term(made: _Input, learned: Any, scores: list[float]) -> Shape | Levels:
    """Interpret's scores of one feature: the first is for missing, the last for what it does not know (0)."""
    missing, *between, unknown = scores
    if made.steps is not None:
        pairs = zip(made.steps, pairwise(between), strict=True)
        steps = [(cut, after) for cut, (before, after) in pairs if after != before]
        cuts, after_each = zip(*steps, strict=True) if steps else ((), ())
        return Shape(made.column.name, cuts, (between[0], *after_each), missing)
    of_code = {float(code): scores[place] for code, place in learned.items()}
    levels = {value: of_code.get(float(code), unknown) for code, value in enumerate(made.column.vocabulary)}
    return Levels(made.column.name, levels, missing, of_code.get(UNSEEN, unknown))
