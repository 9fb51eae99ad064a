"""What settings lose in the folds, against the libraries and by hand."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from riskmodels.models.families import MODELS
from riskmodels.models.matrix import Matrix
from riskmodels.models.tuning.folds import Fold, Folds, plan_folds
from riskmodels.models.tuning.judge import FOLD_SCORES, Judge, Judged
from riskmodels.models.tuning.spaces import SPACES
from riskmodels.study import ExplainableBoostingSettings, LogisticSettings
from tests.models.tuning.tuning_world import dataset_of, splits_of, study_of

ORACLES = {"brier_score": brier_score_loss, "log_loss": log_loss}


@pytest.mark.parametrize("criterion", ORACLES)
@pytest.mark.parametrize(
    ("family", "settings", "whole"),
    [
        ("logistic", {"c": 0.02}, LogisticSettings(c=0.02)),
        (
            "explainable_boosting",
            {"bins": 8, "rounds": 60, "learning_rate": 0.05, "min_rows_in_leaf": 20},
            ExplainableBoostingSettings(bins=8, rounds=60, learning_rate=0.05, min_rows_in_leaf=20),
        ),
    ],
)
def test_losses_are_the_librarys_of_each_fold(criterion: str, family: str, settings: dict, whole: object) -> None:
    study = study_of(choose_by=criterion)
    folds = plan_folds(dataset_of(study), splits_of(study), study, 2)
    judged = Judge(family, folds, study).judge(settings)
    rows = []
    for place, fold in enumerate(folds.folds):
        fitted = MODELS[family].fit(
            folds.matrix.at(fold.train), folds.outcome[fold.train], whole, seed=study.seed, threads=1, study=study
        )
        score, outcome = fitted.score(folds.matrix.at(fold.valid)), folds.outcome[fold.valid]
        risk = 1 / (1 + np.exp(-score))
        assert judged.losses[place] == pytest.approx(ORACLES[criterion](outcome, risk))
        assert judged.aucs[place] == pytest.approx(roc_auc_score(outcome, score))
        rows.append((risk - outcome) ** 2 if criterion == "brier_score" else -np.log(np.where(outcome, risk, 1 - risk)))
    np.testing.assert_allclose(judged.rows, np.concatenate(rows), rtol=1e-9)


@pytest.mark.parametrize("family", SPACES)
def test_every_family_that_can_be_tuned_is_judged(family: str) -> None:
    study = study_of()
    folds = plan_folds(dataset_of(study), splits_of(study), study, 1)
    judge = Judge(family, folds, study)
    settings = {name: found.low for name, found in SPACES[family].items()}
    assert 0 < judge.judge(settings).losses[0] < 0.25
    assert set(FOLD_SCORES) <= set(SPACES)


def pair(own: list[float], other: list[float], clusters: list[str]) -> dict:
    """The gain over two folds: the first row judges one, the others the second."""
    study = study_of()
    count = len(own)
    rows = pl.DataFrame({"entity_id": [f"p{i}" for i in range(count)], "cluster_id": clusters})
    folds = Folds(
        rows,
        Matrix(np.zeros((count, 0)), np.zeros((count, 0), dtype=bool), ()),
        np.zeros(count, dtype=np.int8),
        (Fold("a", np.array([1]), np.array([0])), Fold("b", np.array([0]), np.arange(1, count))),
        "time",
        "",
    )
    ours, theirs = (Judged((), (), np.array(losses)) for losses in (own, other))
    return Judge("logistic", folds, study).gain(ours, theirs)


def test_the_gain_is_the_mean_over_folds_with_its_interval_over_clusters() -> None:
    """Five rows in folds of 1 and 4, so weights 2.5 and 0.625.

    Differences .4 | .2 .0 .2 .0, weighted 1.0 | .125 .0 .125 .0, mean .25 = (.4 + .1) / 2.
    Less the mean: .75 -.125 -.25 -.125 -.25. Clusters a (rows 1, 2) .625, b (3, 4) -.375, c (5) -.25; squares
    .390625 + .140625 + .0625 = .59375; times 3 / 2 = .890625; root .943729; over 5 rows .188746.
    """
    found = pair([0.5, 0.3, 0.1, 0.3, 0.1], [0.1, 0.1, 0.1, 0.1, 0.1], ["a", "a", "b", "b", "c"])
    half = 1.959963984540054 * 0.1887458
    assert found["value"] == pytest.approx(0.25)
    assert found["low"] == pytest.approx(0.25 - half, abs=1e-6)
    assert found["high"] == pytest.approx(0.25 + half, abs=1e-6)


def test_a_single_cluster_tells_nothing_of_chance() -> None:
    found = pair([0.5, 0.3], [0.1, 0.1], ["a", "a"])
    assert found == {"value": pytest.approx(0.3), "low": None, "high": None}
