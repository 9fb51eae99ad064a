"""One score for everybody, fitted again with other weights on the rows that teach it.

Groups decide how much a fit row counts and nothing else: the score that comes of it has never seen a group, and is the
same for two people with the same features. Nothing here is saved or goes into service: what is handed back is a table
of predictions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from riskmodels.data.dataset import Dataset
from riskmodels.data.splits import Split, Splits
from riskmodels.models.boosting import fit_boosted_trees
from riskmodels.models.families import MODELS, Family, Fitted
from riskmodels.models.linear import fit_weighted_sum
from riskmodels.models.training import (
    Predictions,
    cohort_of,
    fit_recipe,
    predictions_of,
    prepare_origin,
    slice_of,
    teaching_rows,
)
from riskmodels.study import LogisticSettings, StudyFile

Progress = Callable[[str], None]
# (positions of the fit rows in the cohort, their outcomes) -> how much each counts
Weighting = Callable[[np.ndarray, np.ndarray], np.ndarray]


def _logistic(matrix: Any, outcome: np.ndarray, settings: Any, weights: np.ndarray, **_: Any) -> Fitted:
    return fit_weighted_sum(matrix, outcome, settings, weights)


def _lightgbm(
    matrix: Any, outcome: np.ndarray, settings: Any, weights: np.ndarray, *, seed: int, threads: int, **_: Any
) -> Fitted:
    return fit_boosted_trees(matrix, outcome, settings, seed, threads, weights)


# The families that can be taught with weights. To add one: its row here, one in the test.
WEIGHED: Mapping[str, Callable[..., Fitted]] = {"logistic": _logistic, "lightgbm": _lightgbm}


def weighable(chosen: str, study: StudyFile) -> tuple[str, StudyFile]:
    """The family that is fitted with weights, and the study with settings for it.

    The chosen one if it can be, as simple sorts cannot; else the first of the study's own that can; else a logistic
    regression with its usual settings.
    """
    named = [name for name in (chosen, *WEIGHED) if name in WEIGHED and name in study.models.families]
    if named:
        return named[0], study
    candidates = study.models.candidates.model_copy(update={"logistic": LogisticSettings()})
    models = study.models.model_copy(update={"candidates": candidates})
    return "logistic", study.model_copy(update={"models": models})


def weighted_refits(
    data: Dataset,
    splits: Splits,
    family: str,
    study: StudyFile,
    weighting: Weighting,
    name: str,
    progress: Progress = lambda message: None,
) -> Predictions:
    """The family at every origin with weighted fit rows, calibrated and applied as ever: a predictions table.

    Parameters
    ----------
    weighting : the weight of each fit row, of mean about 1
    name : what stands in the table's column ``model``

    Raises
    ------
    DataError
        if an origin has too few events to learn from.
    """
    frames = []
    for split in splits.origins:
        progress(f"{name} as it would have stood on {split.test}")
        frames.append(_weighted(data, split, family, study, weighting, name))
    return Predictions(pl.concat(frames))


def _weighted(
    data: Dataset, split: Split, family: str, study: StudyFile, weighting: Weighting, name: str
) -> pl.DataFrame:
    teaching = teaching_rows(data, split, study)
    encoder, fit, calibrate = prepare_origin(data, split, study, teaching)
    weights = weighting(teaching.fit, fit.outcome)

    def fit_weighted(matrix: Any, outcome: np.ndarray, settings: Any, **known: Any) -> Fitted:
        return WEIGHED[family](matrix, outcome, settings, weights, **known)

    own: dict[str, Family] = {family: replace(MODELS[family], fit=fit_weighted)}
    recipe = fit_recipe(family, study.models.families[family], encoder, fit, calibrate, study, own)
    test = slice_of(data, cohort_of(data, split), data.outcomes.frame, encoder)
    scores = recipe.fitted.score(test.matrix)
    return predictions_of(name, "test", split, test, scores, recipe.calibrator.apply(scores))


# ---------------------------------------------------------------- features as a light estimator takes them


def light_features(
    data: Dataset, split: Split, study: StudyFile
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Every feature as one number: what it adds to the log-odds of a logistic regression, on the scale of the fit rows.

    Missing values and categories become numbers in this way without a further choice.

    Returns
    -------
    positions of the fit rows in the cohort; their features [n, p]; their outcomes [n]; features of the whole cohort of
    the test date [m, p], in the order of `riskmodels.models.training.cohort_of`
    """
    teaching = teaching_rows(data, split, study)
    encoder, fit, _ = prepare_origin(data, split, study, teaching)
    settings = study.models.candidates.logistic or LogisticSettings()
    fitted = fit_weighted_sum(fit.matrix, fit.outcome, settings)
    test = slice_of(data, cohort_of(data, split), data.outcomes.frame, encoder)
    here, there = fitted.contributions(fit.matrix), fitted.contributions(test.matrix)
    spread = here.std(axis=0)
    kept = spread > 1e-9
    centre = here.mean(axis=0)[kept]
    return teaching.fit, (here[:, kept] - centre) / spread[kept], fit.outcome, (there[:, kept] - centre) / spread[kept]
