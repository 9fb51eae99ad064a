"""The sides of ``scoring_kernel.py``: our kernel, LightGBM itself, shap's TreeExplainer and onnxruntime.

Each runs in a process of its own, on one thread, and has read its model and made its rows before its steps begin.
"""

from __future__ import annotations

import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measure import Steps

CATEGORIES = 8
KINDS = 20
CHECKED = 400


def rows_of(rows: int, columns: int, seed: int) -> np.ndarray:
    """[rows, columns] by columns: 8 categories of 20 values, then counts and decimals, one in ten missing."""
    random = np.random.default_rng([seed, columns])
    values = np.empty((rows, columns), order="F")
    for place in range(columns):
        if place < CATEGORIES:
            values[:, place] = random.integers(0, KINDS, rows)
        else:
            values[:, place] = random.poisson(3, rows) if place % 3 == 0 else random.normal(size=rows)
    values[random.random(values.shape) < 0.1] = np.nan
    return values


def fit(folder: str, name: str, *, columns: int, leaves: int, trees: int, rows: int) -> dict[str, Any]:
    """Save a booster of LightGBM's own defaults but for its size: paths as deep as they come, sets of categories."""
    import lightgbm

    values = rows_of(rows, columns, 1)
    random = np.random.default_rng(2)
    known = np.nan_to_num(values)
    push = known[:, CATEGORIES:] @ random.normal(size=columns - CATEGORIES) / 10
    push += sum(0.7 * np.isin(known[:, place], [1, 3, 5, 7, 12]) for place in range(CATEGORIES))
    push += np.sin(known[:, CATEGORIES] * known[:, CATEGORIES + 1])
    outcome = push + random.logistic(size=rows) > np.median(push) + 1
    settings = {"objective": "binary", "num_leaves": leaves, "learning_rate": 0.05, "verbosity": -1, "seed": 1}
    data = lightgbm.Dataset(values, label=outcome.astype(float), categorical_feature=list(range(CATEGORIES)))
    booster = lightgbm.train(settings, data, trees)
    booster.save_model(str(Path(folder) / f"{name}.txt"))
    depths = booster.trees_to_dataframe().groupby("tree_index")["node_depth"].max() - 1
    return {"depth": float(depths.mean()), "deepest": int(depths.max())}


def ours(
    folder: str, name: str, *, columns: int, rows: int, check: bool = False, trees: int | None = None
) -> dict[str, Any]:
    """Scores alone, then scores and contributions, of every row. ``check``: held to LightGBM first."""
    from riskmodels.models.fast_trees import FastTrees, check_against_lightgbm, warm

    text = (Path(folder) / f"{name}.txt").read_text()
    values = rows_of(rows, columns, 7)
    if check or trees:
        import lightgbm

        booster = lightgbm.Booster(model_str=text)
        text = booster.model_to_string(num_iteration=trees or -1)
    told = None
    warm()
    ended = Steps()
    fast = FastTrees.of(text, columns)
    ended("build")
    scores = fast.score(values)
    ended("score")
    both, parts = fast.score_and_contributions(values)
    ended("explain")
    if check:
        told = check_against_lightgbm(fast, booster, values[:CHECKED])
        theirs = booster.predict(values, raw_score=True, num_threads=1)
        if not (np.array_equal(scores, theirs) and np.array_equal(both, theirs)):
            told = "raw scores are not LightGBM's to the bit"
        apart = np.abs(parts[:CHECKED] - booster.predict(values[:CHECKED], pred_contrib=True)[:, :-1]).max()
        return {"steps": ended.spent, "told": told, "apart": float(apart)}
    return {"steps": ended.spent}


def lightgbm_itself(folder: str, name: str, *, columns: int, rows: int, explained: int) -> dict[str, Any]:
    """``Booster.predict`` of raw scores for every row, and of contributions for some."""
    import lightgbm

    booster = lightgbm.Booster(model_file=str(Path(folder) / f"{name}.txt"))
    values = rows_of(rows, columns, 7)
    some = np.ascontiguousarray(values[:explained])
    ended = Steps()
    booster.predict(values, raw_score=True, num_threads=1)
    ended("score")
    booster.predict(some, pred_contrib=True, num_threads=1)
    ended("explain")
    return {"steps": ended.spent}


def with_shap(folder: str, name: str, *, columns: int, explained: int) -> dict[str, Any]:
    """``shap.TreeExplainer``, which asks LightGBM; and whether it gives what the kernel gives."""
    import lightgbm
    import shap

    from riskmodels.models.fast_trees import FastTrees

    text = (Path(folder) / f"{name}.txt").read_text()
    booster = lightgbm.Booster(model_str=text)
    values = np.ascontiguousarray(rows_of(explained, columns, 7))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that what it returns is no longer a list
        ended = Steps()
        theirs = shap.TreeExplainer(booster).shap_values(values)
        ended("explain")
    apart = float(np.abs(theirs - FastTrees.of(text, columns).contributions(values)).max())
    return {"steps": ended.spent, "apart": apart}


def with_onnx(folder: str, name: str, *, columns: int, rows: int) -> dict[str, Any]:
    """onnxruntime's scores, on one thread; ``missing`` where it is not installed."""
    try:
        import lightgbm
        import onnxmltools  # type: ignore[import-not-found]
        import onnxruntime  # type: ignore[import-not-found]
        from onnxmltools.convert.common.data_types import FloatTensorType  # type: ignore[import-not-found]
    except ImportError as missing:
        return {"missing": str(missing), "steps": {}}
    booster = lightgbm.Booster(model_file=str(Path(folder) / f"{name}.txt"))
    model = onnxmltools.convert_lightgbm(booster, initial_types=[("x", FloatTensorType([None, columns]))], zipmap=False)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    values = rows_of(rows, columns, 7).astype(np.float32)
    ended = Steps()
    risk = session.run(None, {"x": values})[1][:, 1]
    ended("score")
    apart = float(np.abs(risk - booster.predict(values, num_threads=1)).max())
    return {"steps": ended.spent, "apart": apart}


def one_and_two(folder: str, name: str, *, columns: int, rows: int, times: int) -> dict[str, Any]:
    """Wall seconds of one thread and of two, the least of some tries in turn, and whether the bits are the same."""
    from riskmodels.models.fast_trees import FastTrees

    fast = FastTrees.of((Path(folder) / f"{name}.txt").read_text(), columns)
    values = rows_of(rows, columns, 7)
    found: dict[int, list[float]] = {1: [], 2: []}
    parts = {}
    for _ in range(times):
        for threads, spent in found.items():
            before = time.perf_counter()
            parts[threads] = fast.contributions(values, threads)
            spent.append(time.perf_counter() - before)
    same = bool(np.array_equal(parts[1], parts[2]))
    return {"one": min(found[1]), "two": min(found[2]), "same": same, "steps": {}}
