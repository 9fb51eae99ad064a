"""The sides of ``training.py`` that tune: the folds of our search, and the same folds each binned by itself."""

from __future__ import annotations

import warnings
from typing import Any

import lightgbm

from benchmarks.measure import Steps
from benchmarks.training_data import kept, use_threads
from benchmarks.training_fits import REPEATABLE
from riskmodels.models.boosting import DEPTH
from riskmodels.models.choosing import row_losses
from riskmodels.models.logit import logistic
from riskmodels.models.tuning.folds import plan_folds
from riskmodels.models.tuning.judge import Judge

FOLDS = 3
# What a search tries: small and large, slow and fast.
TRIALS = (
    {"trees": 60, "leaves": 4, "learning_rate": 0.2, "min_rows_in_leaf": 100},
    {"trees": 60, "leaves": 15, "learning_rate": 0.1, "min_rows_in_leaf": 20},
    {"trees": 120, "leaves": 15, "learning_rate": 0.05, "min_rows_in_leaf": 40},
    {"trees": 120, "leaves": 31, "learning_rate": 0.05, "min_rows_in_leaf": 200},
    {"trees": 240, "leaves": 7, "learning_rate": 0.05, "min_rows_in_leaf": 40},
    {"trees": 40, "leaves": 31, "learning_rate": 0.1, "min_rows_in_leaf": 400},
)


def shared(folder: str, trials: int) -> dict[str, Any]:
    """As the package does: rows binned once, and every fold a subset."""
    use_threads()
    found = kept(folder)
    folds = plan_folds(found.data, found.splits, found.study, FOLDS)
    ended = Steps()
    judge = Judge("lightgbm", folds, found.study)
    ended("binning")
    losses = [judge.judge(settings).losses for settings in TRIALS[:trials]]
    ended("trials")
    return {"steps": ended.spent, "losses": losses, "rows": len(folds.outcome), "how": folds.how}


def anew(folder: str, trials: int) -> dict[str, Any]:
    """As a loop over folds does: each trial bins each fold's rows."""
    threads, found = use_threads(), kept(folder)
    folds = plan_folds(found.data, found.splits, found.study, FOLDS)
    values, criterion = folds.matrix.values, found.study.models.choose_by
    categories = [place for place, column in enumerate(folds.matrix.columns) if column.kind == "category"]
    losses = []
    ended = Steps()
    for settings in TRIALS[:trials]:
        parameters = {
            "objective": "binary", "num_threads": threads, "seed": found.study.seed, "verbosity": -1,
            "max_depth": DEPTH, "num_leaves": settings["leaves"], "learning_rate": settings["learning_rate"],
            "min_data_in_leaf": settings["min_rows_in_leaf"], **REPEATABLE,
        }  # fmt: skip
        lost = []
        for fold in folds.folds:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                data = lightgbm.Dataset(
                    values[fold.train], folds.outcome[fold.train], categorical_feature=categories, params=parameters
                )
                booster = lightgbm.train(parameters, data, num_boost_round=int(settings["trees"]))
            score = booster.predict(values[fold.valid], raw_score=True, num_threads=threads)
            lost.append(float(row_losses(criterion, logistic(score), folds.outcome[fold.valid]).mean()))
        losses.append(lost)
    ended("trials")
    return {"steps": ended.spent, "losses": losses, "rows": len(folds.outcome), "how": folds.how}
