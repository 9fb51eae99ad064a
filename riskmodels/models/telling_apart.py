"""A few shallow trees that tell a group from everybody else by the features: for the audit, never for a risk."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from riskmodels.models.boosting import inputs_of, parameters_of
from riskmodels.models.matrix import Matrix
from riskmodels.study import LightGBMSettings

if TYPE_CHECKING:
    import lightgbm

SETTINGS = LightGBMSettings(trees=40, leaves=8, learning_rate=0.1, min_rows_in_leaf=20)


@dataclass(frozen=True)
class Told:
    """Trees that learned to tell one group apart on all folds but one.

    ``group``: which; ``rows``: positions of the people left out; ``gain`` (p,): by how much each column improved the
    fit; ``inputs`` (m, p): what the trees see of the people left out.
    """

    group: int
    rows: np.ndarray
    gain: np.ndarray
    inputs: np.ndarray
    booster: lightgbm.Booster

    def scores(self, inputs: np.ndarray | None = None) -> np.ndarray:
        """(m,) log-odds of belonging to the group, from the people's own values or from those given."""
        own = self.inputs if inputs is None else inputs
        return np.asarray(self.booster.predict(own, num_threads=1, raw_score=True), dtype=np.float64)


def tell_apart(matrix: Matrix, members: np.ndarray, folds: np.ndarray, seed: int) -> Iterator[Told]:
    """Fit each group against everybody else, once for every fold that is left out.

    One thread, and bins shared by all groups. A group of which the fit would see nobody, or nobody else, is passed
    over in that fold.

    Parameters
    ----------
    matrix : n rows
    members : (n, G) bool
    folds : (n,) number of the fold in which a row is left out
    """
    values = inputs_of(matrix)
    categories = [place for place, column in enumerate(matrix.columns) if column.kind == "category"]
    parameters = parameters_of(matrix, SETTINGS, seed, threads=1)
    for fold in np.unique(folds).tolist():
        learning, left_out = folds != fold, np.flatnonzero(folds == fold)
        inputs, binned = values[left_out], None
        for group in range(members.shape[1]):
            member = members[learning, group]
            if member.all() or not member.any():
                continue
            binned, booster = _fit(values[learning] if binned is None else binned, member, categories, parameters)
            gain = np.asarray(booster.feature_importance("gain"), dtype=np.float64)
            yield Told(group, left_out, gain, inputs, booster)


def _fit(
    values: np.ndarray | lightgbm.Dataset, member: np.ndarray, categories: list[int], parameters: dict[str, Any]
) -> tuple[lightgbm.Dataset, lightgbm.Booster]:
    """The trees, and the values as bins, which serve the next group too."""
    import lightgbm

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if isinstance(values, np.ndarray):
            data = lightgbm.Dataset(values, label=member, categorical_feature=categories, params=parameters)
        else:
            data = values.set_label(member)
        return data, lightgbm.train(parameters, data, num_boost_round=SETTINGS.trees)
