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


def coarse_list(row: Row, profile: Profile) -> dict[str, Any]:
    """A row of a list without its bounds, with coarse rates; what has none of these keeps the rest."""
    made, selected = dict(row), row.get("selected") or 0
    for name in PRECISION:
        if name in row:
            made[name] = coarse_precision(row[name], selected, profile)
    for name in RECALL:
        if name in row:
            made[name] = coarse(row[name], (row[name] or {}).get("n") or 0, profile)
    if "precision_bounds" in row:
        made |= NO_BOUNDS
    return made


def coarse_precision(estimate: Row, selected: int, profile: Profile) -> dict[str, Any]:
    """A precision that does not tell how many of the list are known, which its n is but about."""
    n = estimate.get("n")
    return coarse({**estimate, "n": wide(n, profile)} if n else estimate, selected, profile, n)


def precision_of(estimate: Row, selected: int | None, profile: Profile) -> Row:
    """A precision as it is, or coarse where few of a list of this length are unknown."""
    few = selected and are_few(unknown_on(selected, estimate), profile)
    return coarse_precision(estimate, selected, profile) if few and selected else estimate


def wide(n: int, profile: Profile) -> int:
    """A count rounded to so many that of a handful none is told from most of the others."""
    return rounded(n, _further(profile))


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
    hides = (row.get("precision_bounds") or [None])[0] is None and profile.below > 0
    short, made = value == round(value, DIGITS), value == round(rounded(round(value * n), profile) / n, 3)
    known = window(n, _further(profile)) if hides and n == wide(n, profile) and (short or made) else window(n, profile)
    if profile.rounded_rates or (hides and made and not short):
        return ToldBy(known, window(round(value * n), profile), None)
    half = 0.005 if hides and short else 0.0005
    right = math.ceil((value - half) * known[0] - 1e-9), math.floor((value + half) * known[1] + 1e-9)
    return ToldBy(known, (max(right[0], 0), right[1]), half)


def _further(profile: Profile) -> Profile:
    """The same rules, rounding counts so far that a handful are not told from none."""
    return replace(profile, base=max(math.ceil((profile.below - 1) / profile.base), 1) * profile.base)
