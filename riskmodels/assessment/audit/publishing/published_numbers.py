"""How a number is published: its value and its interval made of published counts, and nothing finer than those.

An interval as wide as the exact one would tell the exact counts: among the few tables that round alike, hardly two
have the same width. So a rate's interval is that of the rounded counts; any other has its half-width rounded up to a
coarse grid, and its ends rounded outward.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from riskmodels.assessment.intervals import Z, wilson
from riskmodels.assessment.suppression import Profile

Row = dict[str, Any]

# Half-widths: on the log scale (a ratio, observed to expected, a ratio of which no count is published), of a slope, and
# of a difference between rates.
OF_RATIO, OF_EXPECTED, OF_UNSEEN, OF_SLOPE, OF_DIFFERENCE = 0.02, 0.01, 0.1, 0.02, 0.01
_SMALL_DIFFERENCE = 0.05  # half-widths below it keep a third decimal
_STEP, _NOT_TOLD = 1.4, 1.2
_HAIR = 1e-9


def digits(value: float) -> int:
    """Decimals that mean something: two, and three where the value is below 0.1."""
    return 3 if abs(value) < 0.1 else 2


def rounded_value(value: float) -> float:
    return round(value, digits(value)) + 0.0


def down(value: float, places: int = 2) -> float:
    return round(math.floor(value * 10**places + _HAIR) / 10**places, places) + 0.0


def up(value: float, places: int = 2) -> float:
    return round(math.ceil(value * 10**places - _HAIR) / 10**places, places) + 0.0


def outward(low: float | None, high: float | None, places: int | None = None) -> list[float | None]:
    """Both ends rounded away from each other, each to its own `digits` unless ``places`` are given."""
    return [
        None if low is None else down(low, digits(low) if places is None else places),
        None if high is None else up(high, digits(high) if places is None else places),
    ]


def same_side(end: float, exact: float, edges: Sequence[float]) -> float:
    """An interval's end as published, on the same side of each edge as the exact one: a verdict must agree with it."""
    for edge in sorted(edges):
        if exact < edge <= end:
            return round(edge - 10 ** -digits(edge), 3)
    for edge in sorted(edges, reverse=True):
        if end <= edge < exact:
            return round(edge + 10 ** -digits(edge), 3)
    return end


# ---------------------------------------------------------------- rates


def effect_of(found: Mapping[str, Any]) -> float:
    """How many rows count as one in a Wilson interval, to one decimal, as if it had been drawn with 1.96.

    Each end e of it has n (value - e)^2 = z^2 effect e (1 - e); the end nearer to a half is taken.
    """
    value = found["value"]
    end = found["high"] if value <= 0.5 else found["low"]
    return max(round(found["n"] * (value - end) ** 2 / (Z**2 * end * (1 - end)), 1), 0.1)


def rate_of_counts(found: Mapping[str, Any], top: float, bottom: float) -> Row:
    """A rate of published counts, with Wilson's interval on them and the design effect of the exact one."""
    value = top / bottom
    there: Row = {"value": rounded_value(value)}
    if found.get("low") is not None:
        low, high = wilson(value, bottom / effect_of(found))
        there |= {"low": round(low, digits(value)), "high": round(high, digits(value))}
    if found.get("n") is not None:
        there["n"] = int(bottom)
    return there | ({"reason": found["reason"]} if found.get("reason") is not None else {})


# ---------------------------------------------------------------- everything else


def around(
    value: float, low: float, high: float, profile: Profile, step: float, *, log: bool, edges: Sequence[float] = ()
) -> tuple[float, float]:
    """The ends of an interval round a published value, half as wide as the exact one from ``low`` to ``high``, rounded
    up to a multiple of ``step``; on the log scale or plainly. Each end stays on its side of the ``edges``.

    Counts that are published as they are (``profile.base`` of 1) have their interval published as it is.
    """
    ends = (low, high)
    if profile.base > 1 and (not log or low > 0):
        half = math.log(high / low) / 2 if log else (high - low) / 2
        half = math.ceil(half / step - _HAIR) * step
        ends = (value * math.exp(-half), value * math.exp(half)) if log else (value - half, value + half)
    shown = (down(ends[0], digits(ends[0])), up(ends[1], digits(ends[1])))
    return same_side(shown[0], low, edges), same_side(shown[1], high, edges)


def coarse_factor(factor: float) -> float:
    """Times a width to 1, 1.4, 1.4^2 ..., or 1 / 1.4 ...: a fifth more or a seventh less is not told."""
    return float(_STEP ** math.ceil(math.log(factor / _NOT_TOLD) / math.log(_STEP)))


def difference(found: Mapping[str, Any], value: float, profile: Profile, within: tuple[float, float]) -> Row:
    """A difference of published rates, or such; an end stays on its side of nought, and within what can be."""
    there: Row = {"value": rounded_value(value)}
    low, high = found.get("low"), found.get("high")
    if low is not None and high is not None:
        step = OF_DIFFERENCE if (high - low) / 2 >= _SMALL_DIFFERENCE else OF_DIFFERENCE / 10
        ends = around(value, low, high, profile, step, log=False, edges=(0.0,))
        there |= {"low": max(ends[0], within[0]), "high": min(ends[1], within[1])}
    return there
