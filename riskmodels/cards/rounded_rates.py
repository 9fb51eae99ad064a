"""Rates made of rounded counts, for the profiles whose rates are.

A rate at full precision would undo the rounding: 127 of 480 is 0.265, and no other count near it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from riskmodels.assessment.audit.publishing.published_numbers import effect_of
from riskmodels.assessment.intervals import wilson
from riskmodels.assessment.suppression import Profile, rounded

Row = Mapping[str, Any]
PLACES = 3  # as many decimals as a share has in a card


def rate_of_rounded(estimate: Row, profile: Profile) -> dict[str, Any]:
    """A share {value, low, high, n} of people: its rounded numerator over its rounded n.

    The interval is Wilson's (1927) on the rounded counts, with the design effect of the exact one. What was made so
    before passes unchanged.
    """
    value, n = estimate.get("value"), estimate.get("n")
    if value is None or not n:
        return dict(estimate)
    made = _share(round(value * n), n, profile)
    if made is None or _is_made(value, n, profile):
        return dict(estimate)
    found = {**estimate, "value": made}
    if estimate.get("low") is not None and estimate.get("high") is not None:
        low, high = wilson(made, rounded(n, profile) / effect_on_variance(estimate))
        found |= {"low": low, "high": high}
    return found


def of_rounded(row: Row, profile: Profile) -> dict[str, Any]:
    """A row of a list, with its bounds and the share of people selected made of rounded counts.

    The ends of precision are counts over ``selected``, and so tell those counts; the ends of recall have the same
    people on top.
    """
    made, selected = dict(row), row.get("selected")
    if not selected:
        return made
    rate = row.get("selection_rate")
    if isinstance(rate, float) and rate > 0 and not (_is_short(rate) and not selected % profile.base):
        made["selection_rate"] = _share(selected, round(selected / rate), profile)
    precision, recall = row.get("precision_bounds"), row.get("recall_bounds")
    if not precision or not recall:
        return made
    are_made = all(end is None or _is_made(end, selected, profile) for end in precision)
    if are_made and all(end is None or _is_short(end) for end in recall):
        return made
    tops = [None if end is None else round(end * selected) for end in precision]
    made["precision_bounds"] = [None if top is None else _share(top, selected, profile) for top in tops]
    made["recall_bounds"] = [
        # Where the people on top are hidden, so many digits as say little of them.
        end if not end else round(end, 2) if not top else _share(top, round(top / end), profile)
        for top, end in zip(tops, recall, strict=True)
    ]
    return made


def _share(part: int, whole: int, profile: Profile) -> float | None:
    bottom = rounded(whole, profile)
    return round(min(rounded(part, profile) / bottom, 1.0), PLACES) if bottom else None


def _is_made(value: float, n: int, profile: Profile) -> bool:
    """Whether a share of n people is as it would be published."""
    return not n % profile.base and value == _share(round(value * n), n, profile)


def _is_short(value: float) -> bool:
    return value == round(value, PLACES)


def effect_on_variance(estimate: Row) -> float:
    value = estimate["value"]
    end = estimate["high"] if value <= 0.5 else estimate["low"]
    # An interval that ends at nought or at one tells of no effect.
    return effect_of(estimate) if 0 < end < 1 and end != value else 1.0
