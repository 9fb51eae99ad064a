"""The ratio of two rates where a count is small: its interval and its p-value by the score.

On the log scale a rate of 0 of 100 is known to within a factor of fifty; turned round, hardly any other rate would have
given it. So where a count is small, an interval is made of the ratios that the score test does not reject.
"""

from __future__ import annotations

import math
from typing import NamedTuple

SMALL = 10  # counts below it: from here on the log scale serves as well
_STEPS = 60
_FURTHEST = 20.0  # on the log scale: no ratio of rates is further from 1


class TwoRates(NamedTuple):
    """``top`` of ``bottom``, and ``other_top`` of ``other_bottom``, in people."""

    top: float
    bottom: float
    other_top: float
    other_bottom: float


def score(rates: TwoRates, ratio: float) -> float:
    """How many standard errors the first rate lies above ``ratio`` times the second, if that is the true ratio.

    The standard error is that of the rates most likely under this ratio (Koopman 1984; Miettinen, Nurminen 1985).
    """
    top, bottom, other_top, other_bottom = rates
    a = (bottom + other_bottom) * ratio
    b = bottom * ratio + top + other_bottom + other_top * ratio
    second = (b - math.sqrt(max(b * b - 4 * a * (top + other_top), 0.0))) / (2 * a)
    first = min(second * ratio, 1.0)
    variance = first * (1 - first) / bottom + ratio**2 * second * (1 - second) / other_bottom
    difference = top / bottom - ratio * other_top / other_bottom
    if variance <= 0:
        return 0.0 if difference == 0 else math.copysign(math.inf, difference)
    return difference / math.sqrt(variance)


def ratio_interval(rates: TwoRates, width: float) -> tuple[float, float | None]:
    """The ratios of which the score is within ``width`` of nought; the upper end None where it is without limit."""
    low = 0.0 if rates.top == 0 else math.exp(_crossing(rates, width))
    high = None if rates.other_top == 0 else math.exp(_crossing(rates, -width))
    return low, high


def ratio_p(rates: TwoRates) -> float:
    """Two-sided, that the rates are equal."""
    return math.erfc(abs(score(rates, 1.0)) / math.sqrt(2))


def _crossing(rates: TwoRates, target: float) -> float:
    """The log ratio at which the score, which falls as the ratio grows, is ``target``."""
    low, high = -_FURTHEST, _FURTHEST
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if score(rates, math.exp(middle)) > target else (low, middle)
    return (low + high) / 2
