"""The sides of ``training.py`` that fit: ours, one plain LightGBM fit, and scikit-learn's cross-fitted calibration.

Each runs in a process of its own, has imported what it needs before its steps begin, and answers with the AUC of its
risks on a later date. ``fit`` holds everything from what it is given to a model that can be asked for risks.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.metrics import roc_auc_score

from benchmarks.measure import Steps
from benchmarks.training_data import MATRIX, SETTINGS, kept, use_threads
from riskmodels.models.boosting import DEPTH
from riskmodels.models.training import cohort_of, fit_recipe, prepare_origin, slice_of

# What a plain fit is asked for: the trees that we ask for.
TREES = {
    "learning_rate": SETTINGS.learning_rate, "num_leaves": SETTINGS.leaves, "max_depth": DEPTH,
    "min_data_in_leaf": SETTINGS.min_rows_in_leaf,
}  # fmt: skip
# And that its sums do not depend on threads, as ours do not.
REPEATABLE = {"deterministic": True, "force_col_wise": True}


def ours(folder: str) -> dict[str, Any]:
    """From the features of everybody to a calibrated model, as a study does at one origin."""
    use_threads()
    found = kept(folder)
    split = found.splits.origins[-1]
    ended = Steps()
    encoder, fit, calibrate = prepare_origin(found.data, split, found.study)
    ended("matrix")
    recipe = fit_recipe("lightgbm", SETTINGS, encoder, fit, calibrate, found.study)
    ended("fit")
    test = slice_of(found.data, cohort_of(found.data, split), found.data.outcomes.frame, encoder)
    risk = recipe.calibrator.apply(recipe.fitted.score(test.matrix))
    ended("predict")
    return {"steps": ended.spent, "auc": float(roc_auc_score(test.outcome, risk[test.known]))}


def plain(folder: str, repeatable: bool) -> dict[str, Any]:
    """``lightgbm.train`` on all rows that teach, and nothing else."""
    threads, given = use_threads(), np.load(Path(folder) / MATRIX)
    values, outcome, categories = (given[name] for name in ("values", "outcome", "categories"))
    parameters = {"objective": "binary", "num_threads": threads, "seed": 7, "verbosity": -1, **TREES}
    parameters |= REPEATABLE if repeatable else {}
    ended = Steps()
    data = lightgbm.Dataset(values, label=outcome, categorical_feature=categories.tolist(), params=parameters)
    booster = lightgbm.train(parameters, data, num_boost_round=SETTINGS.trees)
    ended("fit")
    risk = booster.predict(given["test_values"])
    ended("predict")
    return {"steps": ended.spent, "auc": float(roc_auc_score(given["test_outcome"], risk))}


def cross_fitted(folder: str) -> dict[str, Any]:
    """``CalibratedClassifierCV(LGBMClassifier, cv=5)`` on all rows that teach."""
    threads, given = use_threads(), np.load(Path(folder) / MATRIX)
    values, outcome, categories = (given[name] for name in ("values", "outcome", "categories"))
    each = {"n_estimators": SETTINGS.trees, "n_jobs": threads, "random_state": 7, "verbosity": -1}
    model = lightgbm.LGBMClassifier(**each, **TREES, **REPEATABLE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the names of columns are not known
        ended = Steps()
        fitted = CalibratedClassifierCV(model, method="sigmoid", cv=5).fit(
            values, outcome, categorical_feature=categories.tolist()
        )
        ended("fit")
        risk = fitted.predict_proba(given["test_values"])[:, 1]
        ended("predict")
    return {"steps": ended.spent, "auc": float(roc_auc_score(given["test_outcome"], risk))}
