"""The rules of disclosure control: which counts may leave the owner's hands, and how.

A profile hides counts below a limit and rounds the others; whatever else is shown is made of the rounded counts, so
that it cannot undo the rounding. A hidden count could still be found to within the rounding, by subtracting the others
from the total. Where that would leave too few possible values, a second group is hidden with it (complementary
suppression). What was hidden, and why, is a list that holds no number.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Profile:
    """``below``: counts under this are hidden; ``base``: others are rounded to a multiple of it.

    ``leave``: how many values a hidden count must still possibly have after subtraction. ``rounded_rates``: whether the
    rates of a whole list are made of rounded counts too, as those of groups always are. ``mark``: what stands in a
    table in the place of a hidden number.
    """

    name: str
    below: int
    base: int
    leave: int
    rounded_rates: bool = False
    mark: str | None = None


# To add a profile: one row here, its name in study.yaml's `disclosure`, one test.
# ``dfe-cin`` and ``nhs-round5`` are as official statistics have them, and stricter where a card holds many tables that
# overlap: nobody at all is hidden like a few, and every count is rounded as totals are.
# ``places`` hides nothing: a count of schools or wards is no count of people. It belongs to studies of places.
PROFILES = {
    "sro-10": Profile("sro-10", below=10, base=5, leave=2),
    "dfe-cin": Profile("dfe-cin", below=6, base=10, leave=2, mark="c"),
    "nhs-round5": Profile("nhs-round5", below=8, base=5, leave=2, rounded_rates=True),
    "places": Profile("places", below=0, base=1, leave=1),
}


# Where it is not known which of the two it was.
SMALL_OR_TELLING = "not shown (a small number, or one that would give it away)"

# The tables are small: what is not solved in so many steps is not going to be.
_MOST_STEPS = 10_000


# ---------------------------------------------------------------- one number


def published_count(count: int, profile: Profile) -> int | None:
    """The count to the nearest multiple of the base (halves up); None where it must not be shown, zero included."""
    return None if count < profile.below else rounded(count, profile)


def rounded(count: int, profile: Profile) -> int:
    return (2 * count + profile.base) // (2 * profile.base) * profile.base


def window(count: int, profile: Profile) -> tuple[int, int]:
    """All that a count may be that is published alike: (least, most)."""
    shown = rounded(count, profile)
    if count < profile.below:
        return 0, profile.below - 1
    # Halves are rounded up, so that of an even base there is one fewer above.
    return max(shown - profile.base // 2, profile.below), shown + (profile.base - 1) // 2


def not_shown(profile: Profile, noun: str = "people") -> str:
    """Why a number is hidden that is small itself."""
    return f"not shown (fewer than {profile.below} {noun})"


def would_show(profile: Profile) -> str:
    """Why a number is hidden that is not small itself."""
    return "not shown (to protect a small number)" if profile.below else "not shown"


def rules_in_words(profile: Profile) -> str:
    """What was done to the counts, for whoever reads them."""
    if not profile.below:
        return "Counts are of places, not of people, so none is hidden or rounded."
    rates = " Rates are made of the rounded counts." if profile.rounded_rates else ""
    return (
        f"Counts below {profile.below} are hidden, other counts are rounded to {profile.base}.{rates} Hidden cells may "
        "take others with them."
    )


def strictest(names: Iterable[str]) -> Profile:
    """One profile that hides and rounds at least as much as each of these, for numbers that stand side by side."""
    found = [PROFILES[name] for name in sorted(set(names))]
    people = [one for one in found if one.below] or found
    if len(people) == 1:
        return people[0]
    return Profile(
        " and ".join(one.name for one in people),
        below=max(one.below for one in people),
        base=math.lcm(*(one.base for one in people)),
        leave=max(one.leave for one in people),
        rounded_rates=any(one.rounded_rates for one in people),
        mark=None,
    )


def count_in_words(count: int, profile: Profile, noun: str = "people") -> str:
    shown = published_count(count, profile)
    return not_shown(profile, noun) if shown is None else f"about {shown:,} {noun}"


def behind_rates(profile: Profile) -> Profile:
    """The same rules for counts whose rates are told at full precision: from those the counts can be worked out."""
    return profile if profile.rounded_rates else replace(profile, base=1)


# ---------------------------------------------------------------- a table whose totals are known


def hidden_rows(
    counts: np.ndarray, profile: Profile, already: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Which rows of a table to hide when everybody knows the rounded total of each column.

    First every row with a small count, and those ``already`` hidden. Then, while a small one could be found too closely
    by subtraction, the smallest of the others.

    Parameters
    ----------
    counts : (R, C)
    already : (R,) bool

    Returns
    -------
    (R,) bool hidden, and (R,) bool hidden only to protect others
    """
    hidden = np.asarray((counts < profile.below).any(axis=1))
    if already is not None:
        hidden = hidden | already
    protecting = np.zeros(len(counts), dtype=bool)
    sizes = counts.sum(axis=1)
    while not (hidden | protecting).all() and not _protected(counts, hidden | protecting, profile):
        rest = np.flatnonzero(~(hidden | protecting))
        protecting[rest[np.argmin(sizes[rest])]] = True
    return hidden | protecting, protecting


def complementary(counts: list[int], profile: Profile) -> list[bool]:
    """Which of the counts to hide when their total is known. See `hidden_rows`."""
    hidden, _ = hidden_rows(np.array(counts, dtype=np.int64).reshape(-1, 1), profile)
    return [bool(cell) for cell in hidden]


def _protected(counts: np.ndarray, hidden: np.ndarray, profile: Profile) -> bool:
    return all(
        most - least + 1 >= profile.leave
        for column in counts.T
        for least, most in ranges_by_subtraction(column, hidden, profile)
    )


def ranges_by_subtraction(column: np.ndarray, hidden: np.ndarray, profile: Profile) -> list[tuple[int, int]]:
    """What a reader can work out about each small hidden count: (least, most).

    The reader knows the rounded total, the rounded counts that are shown, and that small counts are below the limit.
    Hidden counts that are not small may be anything.
    """
    total, shown = window(int(column.sum()), profile), [window(int(count), profile) for count in column[~hidden]]
    left_least, left_most = total[0] - sum(most for _, most in shown), total[1] - sum(least for least, _ in shown)
    is_small = hidden & (column < profile.below)
    largest = profile.below - 1
    # Where a large count is hidden too, it could be all that is left.
    alone = not (hidden & ~is_small).any()
    least = max(0, left_least - largest * (int(is_small.sum()) - 1)) if alone else 0
    return [(min(least, largest), min(largest, max(left_most, 0)))] * int(is_small.sum())


def first_found_out(
    facts: np.ndarray, windows: Sequence[tuple[int, int | None]], targets: np.ndarray, profile: Profile
) -> int | None:
    """Which hidden count a reader could find who puts everything published together; None if none.

    For each target the least and the most it can be are found by linear programming, over all non-negative tables that
    would have been published alike.

    Parameters
    ----------
    facts : (F, V) which cells each published sum is made of
    windows : (F,) what each sum can be, by its rounding or its being hidden
    targets : (T, V) which cells each small hidden count is made of
    """
    for place, target in enumerate(targets):
        found = possible(facts, windows, target)
        # Where the solver gave up, better hide too much.
        if found is None:
            return place
        least, most = found
        if min(most, profile.below - 1) - least < profile.leave - 1 - 1e-6:
            return place
    return None


def possible(
    facts: np.ndarray, windows: Sequence[tuple[int, int | None]], target: np.ndarray, *, whole: bool = False
) -> tuple[float, float] | None:
    """The least and the most that a sum of cells can be, over all non-negative tables that fit.

    None if no table fits, or the solver gives up.

    Parameters
    ----------
    facts : (F, V) which cells each known sum is made of, each with its factor
    windows : (F,) between what it lies; None where nothing bounds it from above
    target : (V,) which cells the sum is made of
    whole : cells are whole numbers, which can leave fewer values; else they may be anything between
    """
    floor = np.array([low for low, _ in windows], dtype=float)
    ceiling = np.array([np.inf if high is None else high for _, high in windows], dtype=float)
    ends = [_any(way * target, facts, floor, ceiling) for way in (1, -1)]
    if whole:
        # What nothing bounds among all numbers, nothing bounds among whole ones, which solvers find hard to say.
        ends = [
            _whole(way * target, facts, floor, ceiling) if end is not None and math.isfinite(end) else end
            for way, end in zip((1, -1), ends, strict=True)
        ]
    if ends[0] is None or ends[1] is None:
        return None
    return ends[0], -ends[1]


def _any(goal: np.ndarray, facts: np.ndarray, floor: np.ndarray, ceiling: np.ndarray) -> float | None:
    """The least that a goal can be; None if it cannot be told."""
    from scipy.optimize import linprog

    bounded = np.isfinite(ceiling)
    upper, limit = np.vstack([facts[bounded], -facts]), np.concatenate([ceiling[bounded], -floor])
    solved = linprog(goal, A_ub=upper, b_ub=limit, method="highs", options={"maxiter": _MOST_STEPS})
    return _end(solved)


def _whole(goal: np.ndarray, facts: np.ndarray, floor: np.ndarray, ceiling: np.ndarray) -> float | None:
    from scipy.optimize import LinearConstraint, milp

    solved = milp(
        goal,
        integrality=np.ones(len(goal)),
        constraints=LinearConstraint(facts, floor, ceiling),
        options={"node_limit": _MOST_STEPS},
    )
    return _end(solved)


def _end(solved: Any) -> float | None:
    # It is solved (0), or nothing bounds it (3).
    return float(solved.fun) if solved.status == 0 else -math.inf if solved.status == 3 else None
