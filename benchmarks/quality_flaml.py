"""A peer of ``quality.py``: FLAML's AutoML with a budget of CPU seconds. Runs in a process of its own, with one thread.

FLAML counts the seconds of the wall. On a machine that others use too it would be cut short, so its clock is this
process's own CPU time. It judges by the Brier score on the folds that our own search has. With many rows it has the
last fold alone, and may begin on a part of the rows, as it does by itself when rows are many. Some of its families take
codes for numbers and refuse gaps, so a category is a column for each value, and what is missing is the median of the
fit rows with a column that says so. This file needs FLAML and numpy and nothing of ours.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

MANY_ROWS = 50_000
NEAREST = 1e-6  # a risk of nought has no log-odds


def search(folder: str, seconds: float, arrays: str, out: str, seed: int = 7) -> dict[str, Any]:
    """Search on the first origin, fit the best on every origin; leave scores of its calibration and test rows."""
    since, began = time.process_time(), time.time()
    time.time = lambda: began + time.process_time() - since
    from flaml import AutoML
    from flaml.automl.task.factory import task_factory

    given = dict(np.load(Path(folder) / arrays))
    origins = sum(name.startswith("fit_values_") for name in given)
    folds = [
        (given[f"train_{number}"], given[f"valid_{number}"])
        for number in range(sum(name.startswith("train_") for name in given))
    ]
    values, outcome = widened(given, "fit", 0), given["fit_outcome_0"]
    judged = 0

    def counted(*arguments: Any, **named: Any) -> tuple[float, dict[str, float]]:
        nonlocal judged
        judged += 1
        return brier(*arguments, **named)

    asked: dict[str, Any] = {
        "task": "classification", "metric": counted, "n_jobs": 1, "verbose": 0, "seed": seed, "retrain_full": False,
        "time_budget": seconds - (time.process_time() - since), "early_stop": False, "log_file_name": "",
    }  # fmt: skip
    if len(values) > MANY_ROWS:
        train, valid = folds[-1]
        asked |= {"X_val": values[valid], "y_val": outcome[valid], "eval_method": "holdout"}
        values, outcome = values[train], outcome[train]
        folds = folds[-1:]
    else:
        asked |= {"eval_method": "cv", "split_type": splitter(folds), "n_splits": len(folds)}
    automl = AutoML()
    automl.fit(X_train=values, y_train=outcome, **asked)
    kind = task_factory("binary").estimator_class_from_str(automl.best_estimator)
    settings = {name: value for name, value in automl.best_config.items() if name != "FLAML_sample_size"}
    told = {}
    for number in range(origins):
        model = kind(task="binary", n_jobs=1, **settings)
        model.fit(widened(given, "fit", number), given[f"fit_outcome_{number}"])
        for stage in ("calibrate", "test"):
            risk = model.predict_proba(widened(given, stage, number))[:, 1]
            risk = np.clip(np.asarray(risk, dtype=np.float64), NEAREST, 1 - NEAREST)
            told[f"{stage}_{number}"] = np.log(risk / (1 - risk))
    np.savez(Path(folder) / out, **told)
    return {
        "cpu_s": time.process_time() - since,
        "tried": judged // len(folds),
        "best": str(automl.best_estimator),
    }


def splitter(folds: list[tuple[np.ndarray, np.ndarray]]) -> Any:
    """The folds as scikit-learn has them."""

    def split(*_: Any, **__: Any) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        return iter(folds)

    return SimpleNamespace(split=split, get_n_splits=lambda *_, **__: len(folds))


def brier(x: Any, y: Any, estimator: Any, *_: Any, **__: Any) -> tuple[float, dict[str, float]]:
    """FLAML's form of a metric: what is made small, and what is logged."""
    loss = float(np.mean((estimator.predict_proba(x)[:, 1] - np.asarray(y)) ** 2))
    return loss, {"brier": loss}


def widened(given: dict[str, np.ndarray], stage: str, number: int) -> np.ndarray:
    """The values with noughts and ones for each value of a category, and for each number that may be missing."""
    values, fit, sizes = (given[f"{name}_{number}"] for name in (f"{stage}_values", "fit_values", "categories"))
    parts: list[np.ndarray] = []
    for column, taught, size in zip(values.T, fit.T, sizes.tolist(), strict=True):
        absent = np.isnan(column)
        if size:
            parts += [column == code for code in range(size)]
        elif np.isnan(taught).all():
            parts.append(~absent)
        else:
            parts.append(np.where(absent, np.nanmedian(taught), column))
            parts += [absent] if np.isnan(taught).any() else []
    return np.column_stack(parts).astype(np.float64)
