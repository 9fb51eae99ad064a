"""Which features stand in for a group: those that tell it best from everybody else, one by one."""

from __future__ import annotations

import numpy as np

from riskmodels.models.logit import auc, smoothed_log_odds
from riskmodels.models.matrix import UNSEEN, Column, Matrix

TELLING = 0.6
MOST_LEFT_OUT = 3


def telling_features(matrix: Matrix, member: np.ndarray) -> tuple[str, ...]:
    """At most three features from which the group can be told with an area of 0.60 or more, the most telling first.

    Parameters
    ----------
    matrix : [n, p]
    member : [n] bool, who belongs to the group
    """
    if member.all() or not member.any():
        return ()
    areas = {
        column.name: area_of(column, matrix.values[:, place], member) for place, column in enumerate(matrix.columns)
    }
    found = [name for name in sorted(areas, key=lambda name: -areas[name]) if areas[name] >= TELLING]
    return tuple(found[:MOST_LEFT_OUT])


def area_of(column: Column, values: np.ndarray, member: np.ndarray) -> float:
    """How well one feature tells a group, as an area from 0.5 (not at all) to 1, whichever way round.

    What is missing stands below all numbers or above them, whichever tells more; a category's values stand in the
    order of their share of members, drawn towards the mean.
    """
    belongs = member.astype(np.float64)
    if column.kind == "category":
        count = len(column.vocabulary)
        place = np.where(np.isnan(values), count + 1, np.where(values == UNSEEN, count, values)).astype(np.int64)
        rows, members = np.bincount(place, minlength=count + 2), np.bincount(place, belongs, minlength=count + 2)
        return auc(smoothed_log_odds(members, rows, float(belongs.mean()))[place], belongs)
    found = (auc(np.where(np.isnan(values), end, values), belongs) for end in (-np.inf, np.inf))
    return max(max(area, 1.0 - area) for area in found)
