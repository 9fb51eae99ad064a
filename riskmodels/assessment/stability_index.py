"""Whether today's risks are spread as those that the model was tested on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LEAST_SHARE = 0.05
# The usual reading (Siddiqi 2006): under 0.1 alike, from 0.25 on very different.
SOMEWHAT, MUCH = 0.1, 0.25


@dataclass(frozen=True)
class StabilityIndex:
    """``value``: the index, None with a ``reason`` where there is none. ``bins``: how many it was made of."""

    value: float | None
    bins: int
    reason: str | None = None

    @property
    def words(self) -> str:
        """``alike``, ``somewhat different`` or ``very different``; ``not known`` without a value."""
        if self.value is None:
            return "not known"
        if self.value < SOMEWHAT:
            return "alike"
        return "somewhat different" if self.value < MUCH else "very different"


def stability_index(expected: Sequence[int], actual: Sequence[int]) -> StabilityIndex:
    """Population stability index: sum over bins of (a - e) * ln(a / e), with a and e the shares of a bin.

    Neighbouring bins are joined until each holds at least 5 of 100 expected rows, so that no bin is empty there; half a
    row stands for none in ``actual``.

    It is read by two fixed thresholds, and says nothing of chance. What chance does is known for independent rows
    (Yurdakul and Naranjo 2020). Those of a household or school are alike, by how much counts alone do not tell, and
    chance then does far more: such a bound was passed in 68 of 100 draws with households of three, not in 5. So among
    few people a high index may be chance.

    Parameters
    ----------
    expected, actual : (B,) counts of rows in the same bins, in order

    Raises
    ------
    ValueError
        if the two have not as many bins.

    Source: Siddiqi 2006, Credit Risk Scorecards (index and reading).
    """
    if len(expected) != len(actual):
        raise ValueError(f"Expected and actual must have as many bins, got {len(expected)} and {len(actual)}.")
    total, now = sum(expected), sum(actual)
    if not total or not now:
        return StabilityIndex(None, 0, "there are no rows on one side")
    before, after = _joined(expected, actual, LEAST_SHARE * total)
    if len(before) < 2:
        return StabilityIndex(None, len(before), "nearly all expected risks lie in one bin")
    e, a = before / total, np.maximum(after, 0.5) / now
    return StabilityIndex(float(((a - e) * np.log(a / e)).sum()), len(e))


def _joined(expected: Sequence[int], actual: Sequence[int], least: float) -> tuple[np.ndarray, np.ndarray]:
    """Bins joined from the left to at least so many expected rows; what is left over goes to the last."""
    bins: list[list[int]] = []
    held = [0, 0]
    for pair in zip(expected, actual, strict=True):
        held = [held[0] + pair[0], held[1] + pair[1]]
        if held[0] >= least:
            bins.append(held)
            held = [0, 0]
    bins[-1] = [bins[-1][0] + held[0], bins[-1][1] + held[1]]
    before, after = np.array(bins, dtype=float).T
    return before, after
