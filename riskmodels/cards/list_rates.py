"""Rates of a list whose length everybody knows, with no more digits than keep the few without a known outcome hidden.

A list has as many people as there are places. So whoever learns how many of them have a known outcome knows the others:
from bounds, which lie as far apart, and from a rate with so many digits that one denominator alone would give it. Where
those others are a handful, the bounds are hidden and the rates have two decimals, or are made of rounded counts where
a list is too short for that; their denominator is rounded further than other counts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from riskmodels.assessment.audit.publishing.published_numbers import coarse_factor
from riskmodels.assessment.intervals import wilson
from riskmodels.assessment.suppression import Profile, hidden_rows, rounded, window
from riskmodels.cards.rounded_rates import effect_on_variance

Row = Mapping[str, Any]
# Of so many and more, two decimals say nothing: every denominator nearby has a numerator that gives them.
ENOUGH = 100
PRECISION, RECALL = ("precision", "precision_at_k"), ("recall", "recall_at_k")
NO_BOUNDS: dict[str, Any] = {"precision_bounds": [None, None], "recall_bounds": [None, None]}
DIGITS = 2


def unknown_on(selected: int | None, precision: Row | None) -> int:
    """How many on a list of a known length have no known outcome: all but those whom its precision is made of."""
    n = (precision or {}).get("n")
    return max(selected - n, 0) if selected and n is not None else 0


def are_few(unknown: int, profile: Profile) -> bool:
    return 0 < unknown < profile.below


def hidden_of_dates(unknown: Sequence[int], profile: Profile) -> list[bool]:
    """For which dates to hide how many on the list are unknown: where they are few, or would give another date's away.

    That number of all dates together is taken to be known exactly. That none is unknown tells of nobody.
    """
    some = [place for place, count in enumerate(unknown) if count]
    counts = np.array([unknown[place] for place in some], dtype=np.int64).reshape(-1, 1)
    hidden, _ = hidden_rows(counts, replace(profile, base=1))
    hide = dict(zip(some, hidden, strict=True))
    return [bool(hide.get(place, False)) for place in range(len(unknown))]


def coarse_list(row: Row, profile: Profile, beside: int = 0, step: int = 1) -> dict[str, Any]:
    """A row of a list without its bounds, with coarse rates; what has none of these keeps the rest.

    ``beside`` and ``step``: as `about_known`.
    """
    made, selected = dict(row), row.get("selected") or 0
    for name in PRECISION:
        if name in row:
            made[name] = coarse_precision(row[name], selected, profile, beside, step)
    for name in RECALL:
        if name in row:
            made[name] = coarse(row[name], (row[name] or {}).get("n") or 0, profile)
    if "precision_bounds" in row:
        made |= NO_BOUNDS
    return made


def about_known(selected: int, known: int, profile: Profile, beside: int = 0, step: int = 1) -> int:
    """About how many on a list are known, the same whichever handful are not.

    Parameters
    ----------
    beside, step : how many are unknown on a list that holds this one (-1) or that this one holds (1), if it is those
        who differ that are a handful
    """
    few = step * (selected - known - beside)
    if not are_few(few, profile):
        return wide(known, profile)
    return rounded(max(selected - beside - step * (profile.below // 2), 0), profile)


def coarse_precision(estimate: Row, selected: int, profile: Profile, beside: int = 0, step: int = 1) -> dict[str, Any]:
    """A precision that does not tell how many of the list are known, which its n is but about."""
    n, value = estimate.get("n"), estimate.get("value")
    if value is None or not n:
        return dict(estimate)
    if min(round(value * n), n - round(value * n)) < profile.below:
        return dict(estimate)  # which is going to be hidden
    return coarse({**estimate, "n": about_known(selected, n, profile, beside, step)}, selected, profile, n)


def precision_of(estimate: Row, selected: int | None, profile: Profile) -> Row:
    """A precision as it is, or coarse where few of a list of this length are unknown."""
    few = selected and are_few(unknown_on(selected, estimate), profile)
    return coarse_precision(estimate, selected, profile) if few and selected else estimate


def wide(n: int, profile: Profile) -> int:
    """A count rounded to so many that a handful more or fewer are hardly told."""
    return rounded(n, replace(profile, base=max(math.ceil((profile.below - 1) / profile.base), 1) * profile.base))


def coarse(estimate: Row, length: int, profile: Profile, of: int | None = None) -> dict[str, Any]:
    """A share with two decimals, or made of rounded counts where ``length`` is too short for those.

    The interval is Wilson's (1927) on what is shown, with the design effect of the exact one in coarse steps, so that
    it adds nothing. ``of``: the exact denominator, where the estimate's n is another by now.
    """
    value, n = estimate.get("value"), estimate.get("n")
    if value is None or not n:
        return dict(estimate)
    exact = of or n
    if length >= ENOUGH + profile.below:
        made = math.floor(10**DIGITS * value + 0.5) / 10**DIGITS
    else:
        made = min(rounded(round(value * exact), profile) / rounded(n, profile), 1.0) if rounded(n, profile) else value
    if 0 < value < 1:
        made = min(max(made, 0.01), 0.99)
    found = {**estimate, "value": made}
    if estimate.get("low") is not None and estimate.get("high") is not None:
        factor = math.sqrt(max(effect_on_variance({**estimate, "n": exact}), 1.0))
        low, high = wilson(made, n / coarse_factor(factor) ** 2)
        found |= {"low": min(round(low, DIGITS), made), "high": max(round(high, DIGITS), made)}
    return found


# ---------------------------------------------------------------- read back


@dataclass(frozen=True)
class ToldBy:
    """What a reader makes of a published precision: how many are known, and how many of those are right.

    ``half``: half a unit of the last decimal of its value; None where it is made of rounded counts.
    """

    known: tuple[int, int]
    right: tuple[int, int]
    half: float | None


def told_by(row: Row, precision: Row, profile: Profile) -> ToldBy | None:
    """A published precision as it was made; None where it is not shown.

    Parameters
    ----------
    row : the row that it stands in. Without bounds it may be coarse
    """
    value, n = precision.get("value"), precision.get("n")
    if value is None or not n:
        return None
    coarse_here = _is_coarse(row, value, n, profile)
    known = window(n, profile)
    if coarse_here:
        known = max(known[0] - profile.below, 0), known[1] + profile.below
    if profile.rounded_rates or (coarse_here and value != round(value, DIGITS)):
        low, high = window(round(value * n), profile)
        if profile.rounded_rates and coarse_here:  # made of rounded counts once it was coarse
            ends = (low - 0.5) / n - 0.005, (high + 0.5) / n + 0.005
            low, high = math.floor(ends[0] * known[0]), math.ceil(ends[1] * known[1])
        return ToldBy(known, (low, high), None)
    half = 0.005 if coarse_here else 0.0005
    right = math.ceil((value - half) * known[0] - 1e-9), math.floor((value + half) * known[1] + 1e-9)
    return ToldBy(known, (max(right[0], 0), right[1]), half)


def _is_coarse(row: Row, value: float, n: int, profile: Profile) -> bool:
    """Whether a precision may have been made by `coarse_precision`. The bounds beside it are hidden then."""
    if not profile.below or (row.get("precision_bounds") or [0])[0] is not None:
        return False
    if profile.rounded_rates:
        return True
    made = n < ENOUGH + 2 * profile.below and value == round(rounded(round(value * n), profile) / n, 3)
    return made or value == round(value, DIGITS)
