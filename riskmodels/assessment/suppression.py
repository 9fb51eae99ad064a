"""The rules of disclosure control: which counts may leave the owner's hands, and how.

A profile hides counts below a limit and rounds the others; whatever else is shown is made of the rounded counts, so
that it cannot undo the rounding. A hidden count could still be found to within the rounding, by subtracting the others
from the total. Where that would leave too few possible values, a second group is hidden with it (complementary
suppression). What was hidden, and why, is a list that holds no number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Profile:
    """``below``: counts under this are hidden; ``base``: others are rounded to a multiple of it.

    ``leave``: how many values a hidden count must still possibly have after subtraction.
    """

    name: str
    below: int
    base: int
    leave: int


# To add a profile: one row here, its name in study.yaml's `disclosure`, one test.
# ``places`` hides nothing: a count of schools or wards is no count of people. It belongs to studies of places.
PROFILES = {
    "sro-10": Profile("sro-10", below=10, base=5, leave=2),
    "places": Profile("places", below=0, base=1, leave=1),
}


# Where it is not known which of the two it was.
SMALL_OR_TELLING = "not shown (a small number, or one that would give it away)"

# The tables are small: what is not solved in so many steps is not going to be.
_LIMITS = {"maxiter": 10_000}


# ---------------------------------------------------------------- one number


def published_count(count: int, profile: Profile) -> int | None:
    """The count to the nearest multiple of the base (halves up); None where it must not be shown, zero included."""
    return None if count < profile.below else rounded(count, profile)


def rounded(count: int, profile: Profile) -> int:
    return (2 * count + profile.base) // (2 * profile.base) * profile.base


def window(count: int, profile: Profile) -> tuple[int, int]:
    """All that a count may be that is published alike: (least, most)."""
    shown, half = rounded(count, profile), profile.base // 2
    if count < profile.below:
        return 0, profile.below - 1
    return max(shown - half, profile.below), shown + half


def not_shown(profile: Profile, noun: str = "people") -> str:
    """Why a number is hidden that is small itself."""
    return f"not shown (fewer than {profile.below} {noun})"


def would_show(profile: Profile) -> str:
    """Why a number is hidden that is not small itself."""
    return "not shown (to protect a small number)" if profile.below else "not shown"


def count_in_words(count: int, profile: Profile, noun: str = "people") -> str:
    shown = published_count(count, profile)
    return not_shown(profile, noun) if shown is None else f"about {shown:,} {noun}"


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
    from scipy.optimize import linprog

    floor = np.array([low for low, _ in windows], dtype=float)
    ceiling = np.array([np.inf if high is None else high for _, high in windows], dtype=float)
    bounded = np.isfinite(ceiling)
    upper, limit = np.vstack([facts[bounded], -facts]), np.concatenate([ceiling[bounded], -floor])
    for place, target in enumerate(targets):
        ends = [linprog(way * target, A_ub=upper, b_ub=limit, method="highs", options=_LIMITS) for way in (1, -1)]
        # Nothing bounds it from above (3), or it is solved (0); where the solver gave up, better hide too much.
        if ends[0].status != 0 or ends[1].status not in (0, 3):
            return place
        most = profile.below - 1 if ends[1].status == 3 else min(-ends[1].fun, profile.below - 1)
        if most - ends[0].fun < profile.leave - 1 - 1e-6:
            return place
    return None
