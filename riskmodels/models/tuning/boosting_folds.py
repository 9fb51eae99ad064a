"""Boosted trees fitted on many folds and settings, all on one binning of the features."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np

from riskmodels.models.boosting import WORTH_SHARING, inputs_of, parameters_of
from riskmodels.models.tuning.folds import Fold, Folds
from riskmodels.study import LightGBMSettings


def boosted_fold_scores(folds: Folds, seed: int, threads: int) -> Callable[[LightGBMSettings, Fold], np.ndarray]:
    """Bin every row once; each fold is a subset of the binned rows, and serves every trial.

    The trees are those that the rows of a fold would give by themselves with these bins. The bins know the features of
    the rows that judge, and nothing of outcomes.

    Returns
    -------
    (settings, fold) -> log-odds of the rows that judge the fold, float64 [rows], in their order.
    """
    import lightgbm

    values = inputs_of(folds.matrix)
    if values.size < WORTH_SHARING:
        threads = 1
    categories = [place for place, column in enumerate(folds.matrix.columns) if column.kind == "category"]
    # Trials differ in min_data_in_leaf: a feature that one of them cannot split may serve another.
    binning = {**parameters_of(folds.matrix, LightGBMSettings(), seed, threads), "feature_pre_filter": False}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        whole = lightgbm.Dataset(values, folds.outcome, categorical_feature=categories, params=binning).construct()
        parts = {fold.name: whole.subset(fold.train).construct() for fold in folds.folds}

    def scores(settings: LightGBMSettings, fold: Fold) -> np.ndarray:
        parameters = parameters_of(folds.matrix, settings, seed, threads)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            booster = lightgbm.train(parameters, parts[fold.name], num_boost_round=settings.trees)
        found: np.ndarray = booster.predict(values[fold.valid], raw_score=True, num_threads=threads)
        return found

    return scores
