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

    The sign of the correlation r of the recorded values with the outcome, where \|r\| sqrt(g) >= 1.96, g being the
    clusters whose rows are recorded: as if each told us one thing. Only for features with a ``high`` or ``low`` phrase.

    Parameters
    ----------
    matrix, outcome, clusters : the rows the model was fitted on [n, p], [n] and [n]
    specs : the features, in the order of the matrix's columns
    """
    found = {}
    for position, spec in enumerate(specs):
        if spec.kind != "number" or not (spec.high or spec.low):
            continue
        rows = matrix.recorded[:, position] | (matrix.columns[position].missing == "zero")
        values, known = matrix.values[rows, position], outcome[rows].astype(np.float64)
        apart, events = values - values.mean() if len(values) else values, known - known.mean() if len(known) else known
        size = float(np.sqrt((apart @ apart) * (events @ events)))
        strength = float(apart @ events) / size * len(np.unique(clusters[rows])) ** 0.5 if size > 0 else 0.0
        found[spec.name] = int(np.sign(strength)) if abs(strength) >= CRITICAL else 0
    return found
