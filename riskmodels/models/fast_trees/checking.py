"""Are the answers those of LightGBM? Asked of a sample, wherever people depend on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from riskmodels.models.fast_trees.trees import FastTrees

if TYPE_CHECKING:
    import lightgbm

CLOSE = 1e-5
ADDS_UP = 1e-6
TOP = 3
# Two contributions that LightGBM itself has this near to each other may stand in either order.
TIED = 1e-9


def check_against_lightgbm(fast: FastTrees, booster: lightgbm.Booster, values: np.ndarray) -> str | None:
    """Compare a sample of rows with LightGBM's own ``predict``: None where all agrees, or else in words what differs.

    Raw scores must be the same to the bit, contributions the same to 1e-5, with the same three features that raise and
    the same three that lower the score most (unless LightGBM's own values of them tie within 1e-9), and contributions
    must add up to the score to 1e-6.
    """
    values = np.asarray(values, dtype=np.float64)
    if not len(values):
        return None
    scores, contributions = fast.score_and_contributions(values)
    theirs = np.asarray(booster.predict(values, raw_score=True, num_threads=1), dtype=np.float64)
    parts = np.asarray(booster.predict(values, pred_contrib=True, num_threads=1), dtype=np.float64)[:, :-1]
    alone = fast.score(values)
    found = {
        "raw scores are not LightGBM's to the bit": (scores != theirs) | (alone != theirs),
        f"contributions are further than {CLOSE:g} from LightGBM's": _any(_apart(contributions, parts, CLOSE)),
        f"the {TOP} features that raise the score most are not LightGBM's": other_order(contributions, parts),
        f"the {TOP} features that lower the score most are not LightGBM's": other_order(-contributions, -parts),
        f"contributions do not add up to the score to {ADDS_UP:g}": _apart(
            fast.base + contributions.sum(axis=1), theirs, ADDS_UP
        ),
    }
    wrong = [f"{words} in {int(rows.sum())} of {len(values)} rows" for words, rows in found.items() if rows.any()]
    return "; ".join(wrong) or None


def other_order(ours: np.ndarray, theirs: np.ndarray, top: int = TOP) -> np.ndarray:
    """bool [n]: whether a place among the ``top`` largest of a row goes to a feature whose value in ``theirs`` is not,
    to 1e-9, that of the feature that has the place there. Shapes [n, columns]."""
    places = [np.argsort(-parts, axis=1, kind="stable")[:, :top] for parts in (ours, theirs)]
    held, due = (np.take_along_axis(theirs, place, axis=1) for place in places)
    return _any(_apart(held, due, TIED))


def _apart(ours: np.ndarray, theirs: np.ndarray, most: float) -> np.ndarray:
    """bool: further from each other than this. What is no number is apart from everything."""
    return np.asarray(~(np.abs(ours - theirs) <= most))


def _any(wrong: np.ndarray) -> np.ndarray:
    return np.asarray(wrong.any(axis=1))
