"""The order of the list: risk, then score, then the seeded hash of the id; equal in all of them, the earlier row."""

from __future__ import annotations

import numpy as np


def best_first(records: np.ndarray) -> np.ndarray:
    """Positions of records from the highest risk to the lowest, as `riskmodels.models.ranking.order` has them.

    Sorts by the score alone, which is fast, and then puts right what that leaves open: the order of equal scores. A
    calibrator never falls, so a higher score has no lower risk; where it did, everything is sorted by the risk first.

    Parameters
    ----------
    records : dtype with ``score``, ``risk`` and ``hash``, in the order of the rows
    """
    score = np.ascontiguousarray(records["score"])
    order = np.argsort(-score)
    ranked = score[order]
    tied = np.zeros(len(order), dtype=bool)
    tied[1:] = ranked[1:] == ranked[:-1]
    tied[:-1] |= tied[1:]
    if tied.any():
        some = order[tied]
        order[tied] = some[np.lexsort((some, records["hash"][some], -score[some]))]
    risk = records["risk"][order]
    if (risk[1:] > risk[:-1]).any():
        return np.lexsort((records["hash"], -score, -records["risk"]))
    return order


def places_of_keys(records: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """How many of the sorted records come before each key, in the order of the list.

    Parameters
    ----------
    records, keys : dtype with ``risk``, ``score`` and ``hash``, both best first
    """
    risk, score, tie = -records["risk"], -records["score"], np.ascontiguousarray(records["hash"])
    found = np.searchsorted(risk, -keys["risk"], side="left")
    ends = np.searchsorted(risk, -keys["risk"], side="right")
    for place in np.flatnonzero(found < ends):
        low, high = found[place], ends[place]
        for values, key in ((score, -keys["score"][place]), (tie, keys["hash"][place])):
            first = low + np.searchsorted(values[low:high], key, side="left")
            low, high = first, low + np.searchsorted(values[low:high], key, side="right")
        found[place] = low
    return found
