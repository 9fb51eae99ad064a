"""Which way a high value of a feature points, as the data say it of the feature alone."""

from __future__ import annotations

import numpy as np

from riskmodels.data.features import FeatureSpec
from riskmodels.models.matrix import Matrix

CRITICAL = 1.96


def directions(
    matrix: Matrix, outcome: np.ndarray, clusters: np.ndarray, specs: tuple[FeatureSpec, ...]
) -> dict[str, int]:
    """Whether the outcome is more common with a high value (1), less (-1), or neither clearly (0), by feature.

    Of the rows where the feature is recorded, with x its value, y the outcome and u = (x - mean x)(y - mean y): the
    sign of sum u where abs(sum u) >= 1.96 sqrt(sum over clusters of (the cluster's sum of u)^2), the score test that
    allows for clusters (Liang and Zeger 1986). Only for numbers with a ``high`` or ``low`` phrase.

    Parameters
    ----------
    matrix, outcome, clusters : the rows the model was fitted on [n, p], [n] and [n]
    specs : the features, in the order of the matrix's columns
    """
    _, code = np.unique(clusters, return_inverse=True)
    found = {}
    for position, spec in enumerate(specs):
        if spec.kind != "number" or not (spec.high or spec.low):
            continue
        rows = np.flatnonzero(matrix.recorded[:, position] | (matrix.columns[position].missing == "zero"))
        if not len(rows):
            continue
        values, known = matrix.values[rows, position], outcome[rows].astype(np.float64)
        together = np.bincount(code[rows], weights=(values - values.mean()) * (known - known.mean()))
        strength, chance = float(together.sum()), float(np.sqrt((together**2).sum()))
        found[spec.name] = int(np.sign(strength)) if chance > 0 and abs(strength) >= CRITICAL * chance else 0
    return found
