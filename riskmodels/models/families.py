"""The families of models, as one table. To add one: write its fit, add its row, and name it in `study.Candidates`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from pydantic import TypeAdapter

from riskmodels.errors import ModelFileError
from riskmodels.models.additive import Additive, unknown_words
from riskmodels.models.booster_text import BOOSTER_FILE
from riskmodels.models.boosting import Boosted, fit_boosted_trees, load_boosted_trees
from riskmodels.models.explainable_boosting import fit_explainable_boosting
from riskmodels.models.linear import fit_base_rate, fit_named_column, fit_single_best_column, fit_weighted_sum
from riskmodels.models.matrix import Column, Matrix
from riskmodels.models.points import fit_points


class Fitted(Protocol):
    """A fitted model, before calibration. ``base`` plus the sum of a row's contributions is its score."""

    @property
    def base(self) -> float: ...

    @property
    def importance(self) -> dict[str, float]:
        """Mean size of each feature's contribution on the fit rows; features that never contribute may be left out."""
        ...

    def score(self, matrix: Matrix) -> np.ndarray: ...

    def contributions(self, matrix: Matrix) -> np.ndarray: ...

    def to_dict(self) -> dict[str, Any]: ...

    def to_files(self) -> dict[str, bytes]: ...


@dataclass(frozen=True)
class Family:
    """How a family is fitted and read back.

    Attributes
    ----------
    fit : ``fit(matrix, outcome, settings, seed=, threads=, study=)`` with the matrix [n, p] of the fit rows and their
        outcome, int8 [n] of 0 and 1. Raises DataError if it has one class only, or fewer than 5 rows of either.
    load : takes what `Fitted.to_dict` gave, the encoder's columns, and all files by name
    files : what it saves beside model.json
    log_odds : whether the score is in log-odds; the total of a checklist is not
    """

    fit: Callable[..., Fitted]
    load: Callable[[dict[str, Any], tuple[Column, ...], Mapping[str, bytes]], Fitted]
    files: tuple[str, ...] = ()
    log_odds: bool = True


def _load_additive(raw: dict[str, Any], columns: tuple[Column, ...], files: Mapping[str, bytes]) -> Additive:
    model = TypeAdapter(Additive).validate_python(raw)
    wrong = unknown_words(model, columns)
    if wrong:
        raise ModelFileError(
            f"model.json: names {wrong[0]}, which features.json does not know; restore the model from its run"
        )
    return model


def _load_boosted(raw: dict[str, Any], columns: tuple[Column, ...], files: Mapping[str, bytes]) -> Boosted:
    return load_boosted_trees(raw, len(columns), files[BOOSTER_FILE])


MODELS: dict[str, Family] = {
    "base_rate": Family(lambda matrix, outcome, settings, **_: fit_base_rate(matrix, outcome), _load_additive),
    "single_best_column": Family(
        lambda matrix, outcome, settings, **_: fit_single_best_column(matrix, outcome), _load_additive
    ),
    "points": Family(
        lambda matrix, outcome, settings, **_: fit_points(matrix, outcome, settings), _load_additive, log_odds=False
    ),
    "place_only": Family(
        lambda matrix, outcome, settings, *, study, **_: fit_named_column(
            study.models.place, "models.place", matrix, outcome
        ),
        _load_additive,
    ),
    "current_practice": Family(
        lambda matrix, outcome, settings, *, study, **_: fit_named_column(
            study.models.current_practice, "models.current_practice", matrix, outcome
        ),
        _load_additive,
    ),
    "logistic": Family(
        lambda matrix, outcome, settings, **_: fit_weighted_sum(matrix, outcome, settings), _load_additive
    ),
    "explainable_boosting": Family(
        lambda matrix, outcome, settings, *, seed, **_: fit_explainable_boosting(matrix, outcome, settings, seed),
        _load_additive,
    ),
    "lightgbm": Family(
        lambda matrix, outcome, settings, *, seed, threads, **_: fit_boosted_trees(
            matrix, outcome, settings, seed, threads
        ),
        _load_boosted,
        (BOOSTER_FILE,),
    ),
}
