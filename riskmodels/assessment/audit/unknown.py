"""What outcomes that are not known could do to a comparison."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from riskmodels.assessment.audit.contrasts import Comparison
from riskmodels.assessment.audit.counting.counts import FP, SELECTED_UNKNOWN, TP, UNSELECTED_UNKNOWN, Replicates
from riskmodels.assessment.audit.metrics import ALL_CELLS, PROPORTIONS, bounds

_UNKNOWN = (UNSELECTED_UNKNOWN, SELECTED_UNKNOWN)
_LISTED = (FP, TP, SELECTED_UNKNOWN)


@dataclass(frozen=True)
class UnknownOutcomes:
    """``share``: of people, or of those on the list, on the side where it is larger. ``ratio``: the least and the most
    that it could be if they all came out one way or the other; None where it is not made of rates, or has no limit.
    """

    share: float
    ratio: tuple[float, float] | None


def unknown_outcomes(comparison: Comparison, found: Replicates) -> UnknownOutcomes:
    """How many outcomes are not known on either side, and what they could do at worst and at best."""
    own = found.counts[comparison.group]
    sides = [own]
    if comparison.against != "prediction":
        sides.append(found.everybody - own if comparison.reference is None else found.counts[comparison.reference])
    if comparison.metric in PROPORTIONS and not PROPORTIONS[comparison.metric].adds:
        return UnknownOutcomes(0.0, None)  # whom the list picks is known of everybody
    share = max(_share(cells, among) for cells in sides for among in (ALL_CELLS, _LISTED))
    if comparison.metric not in PROPORTIONS:
        return UnknownOutcomes(share, None)
    (low, high), (other_low, other_high) = (_bounds(cells, comparison.metric) for cells in sides)
    if other_low <= 0 or other_high <= 0:
        return UnknownOutcomes(share, None)
    return UnknownOutcomes(share, (low / other_high, high / other_low))


def _share(cells: np.ndarray, among: Sequence[int]) -> float:
    unknown = [cell for cell in _UNKNOWN if cell in among]
    whole = int(cells[list(among)].sum())
    return float(cells[unknown].sum() / whole) if whole else 0.0


def _bounds(cells: np.ndarray, metric: str) -> tuple[float, float]:
    found = bounds(cells, metric)
    if found is not None:
        return found
    rate = PROPORTIONS[metric]
    bottom = int(cells[list(rate.bottom)].sum())
    value = float(cells[list(rate.top)].sum() / bottom) if bottom else 0.0
    return value, value
