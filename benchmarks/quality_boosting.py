"""A peer of ``quality.py``: scikit-learn's HistGradientBoostingClassifier, its settings drawn at random and judged in
folds of time until the CPU seconds are spent. Runs in a process of its own, with one thread."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

MOST_TRIALS = 5_000
LARGEST_LEAF = 10  # of the rows that teach a fold, a leaf holds at most one in so many


def search(folder: str, seconds: float, arrays: str, out: str, seed: int = 7) -> dict[str, Any]:
    """Search on the first origin, fit the best on every origin; leave scores of its calibration and test rows.

    The first settings are scikit-learn's own. The search ends when too little is left for another trial and the last
    fits.
    """
    since = time.process_time()
    given = dict(np.load(Path(folder) / arrays))
    origins = sum(name.startswith("fit_values_") for name in given)
    folds = [
        (given[f"train_{number}"], given[f"valid_{number}"])
        for number in range(sum(name.startswith("train_") for name in given))
    ]
    values, outcome = given["fit_values_0"], given["fit_outcome_0"]
    taught = sum(len(train) for train, _ in folds)
    to_fit = sum(len(given[f"fit_outcome_{number}"]) for number in range(origins))
    rng = np.random.default_rng(seed)
    best, best_loss, best_cost, tried, all_cost = own(), math.inf, 0.0, 0, 0.0
    settings = own()
    while folds and tried < MOST_TRIALS:
        before = time.process_time()
        categories = categorical(given, 0)
        losses = [judged(settings, categories, values, outcome, *fold) for fold in folds]
        cost = time.process_time() - before
        tried, all_cost = tried + 1, all_cost + cost
        if np.mean(losses) < best_loss:
            best, best_loss, best_cost = settings, float(np.mean(losses)), cost
        left = seconds - (time.process_time() - since)
        if left < best_cost * to_fit / taught + all_cost / tried:
            break
        settings = drawn(rng, min(len(train) for train, _ in folds))
    told = {}
    for number in range(origins):
        fit = given[f"fit_values_{number}"]
        score = fitted(best, categorical(given, number), fit, given[f"fit_outcome_{number}"])
        for stage in ("calibrate", "test"):
            told[f"{stage}_{number}"] = score(given[f"{stage}_values_{number}"])
    np.savez(Path(folder) / out, **told)
    words = f"{best['max_iter']} trees of {best['max_leaf_nodes']} leaves at {best['learning_rate']:.3g}"
    return {"cpu_s": time.process_time() - since, "tried": tried, "best": words}


def own() -> dict[str, Any]:
    """scikit-learn's own settings, without early stopping, whose rows would be drawn at random."""
    return {
        "learning_rate": 0.1, "max_iter": 100, "max_leaf_nodes": 31, "min_samples_leaf": 20, "l2_regularization": 0.0,
        "max_features": 1.0, "early_stopping": False,
    }  # fmt: skip


def drawn(rng: np.random.Generator, rows: int) -> dict[str, Any]:
    """Settings drawn by ratio, over the ranges that our own search has."""
    most = max(20, min(400, rows // LARGEST_LEAF))
    return {
        "learning_rate": by_ratio(rng, 0.01, 0.2),
        "max_iter": round(by_ratio(rng, 20, 600)),
        "max_leaf_nodes": round(by_ratio(rng, 4, 63)),
        "min_samples_leaf": round(by_ratio(rng, 10, most)),
        "l2_regularization": by_ratio(rng, 1e-3, 1e2),
        "max_features": float(rng.uniform(0.3, 1.0)),
        "early_stopping": False,
    }


def by_ratio(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def categorical(given: dict[str, np.ndarray], number: int) -> np.ndarray:
    """Boolean [columns]: which columns are codes of categories."""
    found: np.ndarray = given[f"categories_{number}"] > 0
    return found


def fitted(
    settings: dict[str, Any], categories: np.ndarray, values: np.ndarray, outcome: np.ndarray
) -> Callable[[np.ndarray], np.ndarray]:
    """A model's log-odds. Columns that never vary here are left out: scikit-learn fails where all is missing."""
    varies = np.nanmin(values, axis=0, initial=np.inf) < np.nanmax(values, axis=0, initial=-np.inf)
    model = HistGradientBoostingClassifier(**settings, categorical_features=categories[varies], random_state=7)
    model.fit(values[:, varies], outcome)
    return lambda rows: model.decision_function(rows[:, varies])


def judged(
    settings: dict[str, Any], categories: np.ndarray, values: np.ndarray, outcome: np.ndarray, train: Any, valid: Any
) -> float:
    """The Brier score on the rows that judge a fold."""
    score = fitted(settings, categories, values[train], outcome[train])(values[valid])
    return float(np.mean((1 / (1 + np.exp(-score)) - outcome[valid]) ** 2))
