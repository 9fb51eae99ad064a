"""What outcomes that are not known could do to a comparison."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from riskmodels.assessment.audit.contrasts import Comparison
from riskmodels.assessment.audit.counting.counts import FP, SELECTED_UNKNOWN, TP, UNSELECTED_UNKNOWN, Replicates
from riskmodels.assessment.audit.metrics import ALL_CELLS, PROPORTIONS, bounds
from riskmodels.assessment.audit.policy import Policy

_UNKNOWN = (UNSELECTED_UNKNOWN, SELECTED_UNKNOWN)
_LISTED = (FP, TP, SELECTED_UNKNOWN)


@dataclass(frozen=True)
class UnknownOutcomes:
    """``share``: of people, or of those on the list, on the side where it is larger. ``ratio``: the least and the most
    that it could be if they all came out one way or the other; None where it is not made of rates, or has no limit.
    """

    share: float
    ratio: tuple[float, float] | None

    def leave(self, passes: bool, metric: str, policy: Policy) -> bool:
        """Whether a PASS, or else a FAIL, stands.

        On rates it does if it would whichever way they all came out; on what risks mean, unless they are too many.
        """
        if self.share <= policy.missing.bounds_above:
            return True
        if self.ratio is None:
            return metric not in PROPORTIONS and self.share <= policy.missing.cap_above
        (low, high), (least, most) = policy.band(metric), self.ratio
        return low <= least and most <= high if passes else most < low or least > high


def unknown_outcomes(comparison: Comparison, found: Replicates) -> UnknownOutcomes:
    """How many outcomes are not known on either side, and what they could do at worst and at best."""
    own = found.counts[comparison.group]
    if comparison.against == "prediction":
        return unknown_between(comparison.metric, own)
    other = found.everybody - own if comparison.reference is None else found.counts[comparison.reference]
    return unknown_between(comparison.metric, own, other)


def unknown_between(metric: str, *sides: np.ndarray) -> UnknownOutcomes:
    """The same of one group's cells (6,), or of two."""
    if metric in PROPORTIONS and not PROPORTIONS[metric].adds:
        return UnknownOutcomes(0.0, None)  # whom the list picks is known of everybody
    share = max(_share(cells, among) for cells in sides for among in (ALL_CELLS, _LISTED))
    if metric not in PROPORTIONS:
        return UnknownOutcomes(share, None)
    (low, high), (other_low, other_high) = (_bounds(cells, metric) for cells in sides)
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
