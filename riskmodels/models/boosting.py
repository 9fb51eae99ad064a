"""Gradient-boosted trees: LightGBM's only home."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from riskmodels.errors import ModelFileError, StudyError
from riskmodels.models.booster_text import BOOSTER_FILE, portable, refuse_malformed
from riskmodels.models.fast_trees import FastTrees, NotCovered, check_against_lightgbm
from riskmodels.models.linear import checked_outcome
from riskmodels.models.logit import significant
from riskmodels.models.matrix import UNSEEN, Matrix
from riskmodels.study import LightGBMSettings

if TYPE_CHECKING:
    import lightgbm

# Below so many numbers, threads wait for each other longer than they work, above all on a busy machine.
WORTH_SHARING = 4_000_000
# Deeper trees cost three times as much to explain and gave nothing.
DEPTH = 6
ROWS_FOR_IMPORTANCE = 1_000
DIRECTIONS = {"rises": 1, "falls": -1}


@dataclass(frozen=True)
class Boosted:
    """A booster as text. ``base`` is the mean score that contributions start from.

    Contributions are exact path-dependent TreeSHAP values (Lundberg et al. 2020), as LightGBM computes them. A model
    that was read from its file answers by the fast kernel, wherever that covers its trees; one that was just fitted
    answers by LightGBM, which is there anyway. Both give the same scores to the bit.
    """

    text: str
    base: float
    importance: dict[str, float]
    threads: int = field(default=0, compare=False)  # 0: as many as there are cores
    loaded: bool = field(default=False, compare=False)

    @cached_property
    def booster(self) -> lightgbm.Booster:
        import lightgbm

        try:
            return lightgbm.Booster(model_str=self.text)
        except (lightgbm.basic.LightGBMError, ValueError):
            raise ModelFileError(f"{BOOSTER_FILE}: LightGBM does not read it; restore the model from its run") from None

    @property
    def fast(self) -> FastTrees | None:
        """The trees as the fast kernel holds them; None where it does not cover them."""
        return self._fast if isinstance(self._fast, FastTrees) else None

    @property
    def not_fast_because(self) -> str | None:
        """Why LightGBM answers in place of the kernel, in words; None where the kernel covers the trees."""
        return self._fast if isinstance(self._fast, str) else None

    @cached_property
    def _fast(self) -> FastTrees | str:
        try:
            return FastTrees.of(self.text, _columns_of(self.text))
        except NotCovered as why:
            return str(why)

    def verify_fast(self, sample: Matrix) -> str | None:
        """Hold the kernel to LightGBM on these rows: None where they agree, or in words what differs.

        None too where the kernel does not cover the trees, as LightGBM then answers itself. Imports LightGBM.
        """
        return None if self.fast is None else check_against_lightgbm(self.fast, self.booster, inputs_of(sample))

    def score(self, matrix: Matrix) -> np.ndarray:
        """Raw scores in log-odds, float64 [n]."""
        if self.loaded and self.fast:
            return self.fast.score(inputs_of(matrix), self._cores)
        scores: np.ndarray = self._predict(matrix, raw_score=True)
        return scores

    def contributions(self, matrix: Matrix) -> np.ndarray:
        """float64 [n, p]; ``base`` plus a row's sum is its score, to 1e-6."""
        if self.loaded and self.fast:
            return self.fast.contributions(inputs_of(matrix), self._cores)
        parts: np.ndarray = self._predict(matrix, pred_contrib=True)[:, :-1]
        return parts

    def score_and_contributions(self, matrix: Matrix) -> tuple[np.ndarray, np.ndarray]:
        """`score` and `contributions`, in one pass over the rows where the kernel answers."""
        if self.loaded and self.fast:
            return self.fast.score_and_contributions(inputs_of(matrix), self._cores)
        return self.score(matrix), self.contributions(matrix)

    @property
    def _cores(self) -> int:
        from riskmodels.data.engines import cores

        return self.threads or cores()

    def _predict(self, matrix: Matrix, **what: bool) -> np.ndarray:
        if not len(matrix):
            return np.zeros((0, len(matrix.columns) + 1) if "pred_contrib" in what else 0)
        predicted = self.booster.predict(inputs_of(matrix), num_threads=self.threads, **what)
        return np.asarray(predicted, dtype=np.float64)

    def to_dict(self) -> dict[str, Any]:
        return {"base": self.base, "importance": self.importance}

    def to_files(self) -> dict[str, bytes]:
        return {BOOSTER_FILE: self.text.encode()}


def fit_boosted_trees(
    matrix: Matrix,
    outcome: np.ndarray,
    settings: LightGBMSettings,
    seed: int,
    threads: int,
    weights: np.ndarray | None = None,
) -> Boosted:
    """Binary log-loss, depth at most 6, categories split as sets. One thread or many give the same bytes.

    With a feature of ``settings.monotone`` the score never falls (or never rises) as the recorded value goes up, all
    else the same; a missing value is held to nothing.

    Parameters
    ----------
    weights : [n], how much each row counts; all alike unless given

    Raises
    ------
    StudyError
        if a feature of ``settings.monotone`` is a category, or is not there.
    """
    import lightgbm

    known = checked_outcome(matrix, outcome)
    if matrix.values.size < WORTH_SHARING:
        threads = 1
    parameters = parameters_of(matrix, settings, seed, threads)
    categories = [place for place, column in enumerate(matrix.columns) if column.kind == "category"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = lightgbm.Dataset(
            inputs_of(matrix),
            label=known,
            weight=weights,
            categorical_feature=categories,
            params=parameters,
            free_raw_data=True,
        )
        booster = lightgbm.train(parameters, data, num_boost_round=settings.trees)
    text = portable(booster.model_to_string())
    # From here on it is the text that predicts, so what was fitted and what is saved cannot differ.
    fitted = Boosted(text, 0.0, {}, threads)
    some = matrix.at(np.unique(np.linspace(0, len(matrix) - 1, ROWS_FOR_IMPORTANCE).astype(np.int64)))
    parts = fitted._predict(some, pred_contrib=True)
    sizes = np.abs(parts[:, :-1]).mean(axis=0)
    importance = {name: significant(float(size), 4) for name, size in zip(matrix.names, sizes, strict=True) if size > 0}
    return Boosted(text, float(parts[0, -1]), importance, threads)


def parameters_of(matrix: Matrix, settings: LightGBMSettings, seed: int, threads: int) -> dict[str, Any]:
    """What LightGBM is told. Raises StudyError as `fit_boosted_trees` does."""
    parameters = {
        "objective": "binary",
        "learning_rate": settings.learning_rate,
        "num_leaves": settings.leaves,
        "max_depth": DEPTH,
        "min_data_in_leaf": settings.min_rows_in_leaf,
        # By columns, each histogram is added up by one thread in the order of the rows.
        "deterministic": True,
        "force_col_wise": True,
        "num_threads": threads,
        "seed": seed % 2**31,
        "verbosity": -1,
    }
    directions = _directions(matrix, settings.monotone)
    return {**parameters, "monotone_constraints": directions} if any(directions) else parameters


def _directions(matrix: Matrix, monotone: Mapping[str, str]) -> list[int]:
    """1 where the score may only rise with a column, -1 where it may only fall, 0 where it is free."""
    where = "models.candidates.lightgbm.monotone"
    for name in monotone:
        if name not in matrix.names:
            raise StudyError(f"{where}: no feature is called {name!r} (known: {', '.join(matrix.names)})")
        if matrix.columns[matrix.position(name)].kind == "category":
            raise StudyError(f"{where}: {name!r} is a category, whose values have no order; take it out")
    return [DIRECTIONS[monotone[name]] if name in monotone else 0 for name in matrix.names]


def inputs_of(matrix: Matrix) -> np.ndarray:
    """LightGBM knows one kind of absent category, so a value that was not learned counts as missing there.

    Not a copy where every category was learned: only to be read.
    """
    categories = [place for place, column in enumerate(matrix.columns) if column.kind == "category"]
    if not (matrix.values[:, categories] == UNSEEN).any():
        return matrix.values
    values = matrix.values.copy(order="K")
    for place in categories:
        values[values[:, place] == UNSEEN, place] = np.nan
    return values


# ---------------------------------------------------------------- reading


def load_boosted_trees(raw: Mapping[str, Any], columns: int, booster: bytes) -> Boosted:
    """The trees from their file.

    Raises
    ------
    ModelFileError
        if the text is not one of ours, or a tree points outside itself: LightGBM trusts what it reads.
    """
    try:
        text = booster.decode("utf-8")
    except UnicodeDecodeError:
        text = ""  # no text, and so no trees
    refuse_malformed(text, columns)
    importance = {str(name): float(size) for name, size in raw["importance"].items()}
    return Boosted(text, float(raw["base"]), importance, loaded=True)


def _columns_of(text: str) -> int:
    found = re.search(r"^max_feature_idx=(\d+)$", text, flags=re.MULTILINE)
    return int(found[1]) + 1 if found else 0
