"""How far the same person's reasons would move, had the sample of people been another."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from riskmodels.data.features import FeatureSpec
from riskmodels.errors import DataError
from riskmodels.models.families import Fitted
from riskmodels.models.logit import significant
from riskmodels.models.matrix import Matrix
from riskmodels.models.reasons.groups import groups_of, summed

REFITS = 4
MOST_ROWS = 20_000
ROWS_LOOKED_AT = 1_000


def fit_wobble(
    fit: Callable[[Matrix, np.ndarray], Fitted],
    matrix: Matrix,
    outcome: np.ndarray,
    clusters: np.ndarray,
    specs: tuple[FeatureSpec, ...],
    seed: int,
    refits: int = REFITS,
) -> dict[str, float]:
    """How much refits disagree on what the features that say the same thing add to the score, by that word.

    The family is fitted again on ``refits`` random halves of the clusters (McCarthy 1969): a half drawn without
    replacement differs from the whole as a new sample of the whole's size would, and unlike a bootstrap's draw holds
    nobody twice, which would mislead families that hold rows out to know when to stop. A word's wobble is the standard
    deviation over refits of its contribution to a row's score, as its root mean square over rows. With more than
    40,000 fit rows each draw is of a smaller share s of the clusters, and the wobble is multiplied by
    sqrt(s / (1 - s)), so that it is still that of samples of the whole's size.

    Parameters
    ----------
    fit : the family with its settings: (matrix, outcome) -> fitted
    matrix, outcome, clusters : the rows the model was fitted on [n, p], [n] and [n]
    specs : the features, in the order of the matrix's columns

    Returns
    -------
    word (`FeatureSpec.says`) -> wobble, in the unit of the score, to three digits. Words that no refit uses are left
    out; all are if fewer than two refits have enough events to learn from.
    """
    groups = groups_of(specs)
    looked_at = matrix.at(np.unique(np.linspace(0, len(matrix) - 1, ROWS_LOOKED_AT).astype(np.int64)))
    _, code = np.unique(clusters, return_inverse=True)
    people = int(code.max()) + 1
    share = min(0.5, MOST_ROWS / len(matrix))
    found = []
    for number in range(refits):
        drawn = np.random.default_rng([seed, *b"wobble", number]).permutation(people) < share * people
        rows = np.flatnonzero(drawn[code])
        try:
            fitted = fit(matrix.at(rows), outcome[rows])
        except DataError:
            continue  # a draw without enough events of either kind teaches nothing
        found.append(summed(fitted.contributions(looked_at), groups))
    if len(found) < 2:
        return {}
    spread = np.std(np.array(found), axis=0, ddof=1)
    wobble = np.sqrt((spread**2).mean(axis=0)) * np.sqrt(share / (1.0 - share))
    return {group.says: significant(float(size), 3) for group, size in zip(groups, wobble, strict=True) if size > 0}
