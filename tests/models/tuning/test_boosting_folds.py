"""Folds that share one binning give what each fold's rows would give by themselves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import lightgbm
import numpy as np
import pytest

from riskmodels.errors import StudyError
from riskmodels.models.boosting import fit_boosted_trees, parameters_of
from riskmodels.models.logit import logistic
from riskmodels.models.tuning import boosting_folds
from riskmodels.models.tuning.boosting_folds import boosted_fold_scores
from riskmodels.models.tuning.folds import Fold, Folds, plan_folds
from riskmodels.study import LightGBMSettings
from tests.models.tuning.tuning_world import dataset_of, splits_of, study_of

SETTINGS = {
    "plain": LightGBMSettings(trees=30, leaves=7, min_rows_in_leaf=30),
    "many small leaves": LightGBMSettings(trees=12, leaves=40, min_rows_in_leaf=2, learning_rate=0.2),
    "leaves too large for most features": LightGBMSettings(trees=20, leaves=4, min_rows_in_leaf=250),
    "leaves that no split can fill": LightGBMSettings(trees=5, min_rows_in_leaf=900),
    "monotone": LightGBMSettings(trees=30, leaves=7, monotone={"noise": "rises", "need": "falls"}),
}


@pytest.fixture(scope="module")
def folds() -> Folds:
    study = study_of()
    return plan_folds(dataset_of(study), splits_of(study), study, 3)


@pytest.mark.parametrize("name", SETTINGS)
def test_a_fold_of_all_rows_is_the_fit_itself(folds: Folds, name: str) -> None:
    """The same rows, so the same bins: what tunes must be what is fitted afterwards."""
    every = np.arange(len(folds.rows))
    whole = replace(folds, folds=(Fold("all", every, every),))
    scores = boosted_fold_scores(whole, seed=3, threads=1)(SETTINGS[name], whole.folds[0])
    fitted = fit_boosted_trees(folds.matrix, folds.outcome, SETTINGS[name], seed=3, threads=1)
    np.testing.assert_allclose(scores, fitted.score(folds.matrix), rtol=0, atol=1e-12)
    assert len(np.unique(scores)) > 1 or name == "leaves that no split can fill"


@pytest.mark.parametrize("name", SETTINGS)
def test_a_fold_is_what_its_rows_give_with_the_same_bins(folds: Folds, name: str) -> None:
    """LightGBM's own way to give rows the bins of others, as an oracle for ``subset``."""
    settings, fold = SETTINGS[name], folds.folds[-1]
    values = np.where(folds.matrix.values == -1, np.nan, folds.matrix.values)
    parameters: dict[str, Any] = {
        **parameters_of(folds.matrix, settings, 3, 1),
        "feature_pre_filter": False,
    }
    bins = lightgbm.Dataset(values, folds.outcome, categorical_feature=[3], params=parameters)
    own = lightgbm.Dataset(values[fold.train], folds.outcome[fold.train], reference=bins, params=parameters)
    booster = lightgbm.train(parameters, own, settings.trees)
    scores = boosted_fold_scores(folds, seed=3, threads=1)(settings, fold)
    np.testing.assert_array_equal(scores, booster.predict(values[fold.valid], raw_score=True))


def test_bins_of_all_rows_lose_no_more_than_a_folds_own(folds: Folds) -> None:
    """Over all folds the mean squared error differs by less than a hundredth of itself."""
    settings, losses = LightGBMSettings(trees=40, leaves=7, min_rows_in_leaf=30), []
    scores = boosted_fold_scores(folds, seed=3, threads=1)
    for fold in folds.folds:
        own = fit_boosted_trees(folds.matrix.at(fold.train), folds.outcome[fold.train], settings, 3, 1)
        both = (scores(settings, fold), own.score(folds.matrix.at(fold.valid)))
        losses.append([np.mean((logistic(score) - folds.outcome[fold.valid]) ** 2) for score in both])
    shared, apart = np.mean(losses, axis=0)
    assert shared == pytest.approx(apart, rel=0.01)


def test_a_trial_leaves_nothing_to_the_next(folds: Folds) -> None:
    scores = boosted_fold_scores(folds, seed=3, threads=1)
    first = {name: scores(settings, folds.folds[0]) for name, settings in SETTINGS.items()}
    for name in reversed(SETTINGS):
        np.testing.assert_array_equal(scores(SETTINGS[name], folds.folds[0]), first[name])


def test_one_thread_or_two_give_the_same_scores(folds: Folds, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boosting_folds, "WORTH_SHARING", 0)
    one, two = (
        boosted_fold_scores(folds, seed=3, threads=threads)(SETTINGS["plain"], folds.folds[-1]) for threads in (1, 2)
    )
    np.testing.assert_array_equal(one, two)


def test_a_monotone_category_is_refused_as_in_the_fit(folds: Folds) -> None:
    scores = boosted_fold_scores(folds, seed=3, threads=1)
    with pytest.raises(StudyError, match="'area' is a category"):
        scores(LightGBMSettings(monotone={"area": "rises"}), folds.folds[0])
