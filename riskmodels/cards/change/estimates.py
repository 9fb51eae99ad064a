"""Two estimates of the same thing, one from each card: whether they differ by more than chance, and how both are shown.

Each card has its own interval. The interval of the difference takes the two as independent
(`riskmodels.assessment.intervals.difference_of_independent`). For different people that is right. Where the cards share
test dates they share people, whose luck moves both figures the same way; the difference then varies less than is taken
here, so that what is called more than chance is so, and a small change may go unseen. Whether the two intervals overlap
is not asked: that calls too much chance (Schenker & Gentleman 2001).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from riskmodels.assessment.intervals import difference_of_independent
from riskmodels.assessment.suppression import PROFILES
from riskmodels.cards.card import Cell
from riskmodels.cards.cells import bounds_cell, plain
from riskmodels.cards.words import of_100

Row = Mapping[str, Any]
ENDS = ("value", "low", "high")
MOST_DECIMALS = 12
MARKS = {profile.mark for profile in PROFILES.values() if profile.mark}

SAME, CLEAR, CHANCE, NO_INTERVAL = "the same", "more than chance", "could be chance", "cannot tell"
NOT_COMPARED, ONE_CARD = "cannot be compared", "on one card only"
HIDDEN, HIDDEN_ON_ONE = "not shown", "not shown on one of the cards"
ABSENT = "not on this card"

# Measures that are shares of people, or of pairs of them: said of 100.
SHARES = {
    "auc", "base_rate", "fdr", "fnr", "for", "fpr", "in_cohort", "in_need", "observed", "on_list", "precision",
    "precision_at_k", "recall", "recall_at_k", "selection_rate", "share", "unknown_share",
}  # fmt: skip


def judge(before: Row, after: Row) -> str:
    """What may be said of two estimates {value, low, high, reason}: one of the words above.

    A change is more than chance where the interval of the difference leaves out 0 by more than what rounding may have
    done: one unit of the last digit that the cards give.
    """
    if is_hidden(before) or is_hidden(after):
        return HIDDEN_ON_ONE
    if before.get("value") is None or after.get("value") is None:
        return SAME if before.get("value") is after.get("value") else ONE_CARD
    first, second = _ends(before), _ends(after)
    if first == second:
        return SAME
    if None in first or None in second:
        return NO_INTERVAL
    low, high = difference_of_independent(first, second)
    digit = 10.0 ** -max(_decimals(float(number)) for number in (*first, *second))
    return CLEAR if low > digit or high < -digit else CHANCE


def is_hidden(estimate: Row) -> bool:
    """Whether disclosure control holds the number back, rather than that there is none."""
    return estimate.get("value") is None and says_hidden(str(estimate.get("reason") or HIDDEN))


def says_hidden(text: str) -> bool:
    """Whether a text stands where a number is held back: words that say so, or a profile's mark for it, as "c"."""
    return text in MARKS or text.startswith(("not shown", "too few"))


def both_cells(before: Row, after: Row, measure: str) -> tuple[Cell, Cell]:
    """Both estimates as they are written. What one card hides is not shown of the other either.

    Two cards may hide different groups of one whole; side by side, the one would be the other's missing part.
    """
    if is_hidden(before) or is_hidden(after):
        return HIDDEN, HIDDEN
    first, second = before.get("value"), after.get("value")
    alike = first is not None and second is not None and of_100(first) == of_100(second)
    if alike and measure in SHARES and _ends(before) != _ends(after):
        return said(before, measure, tenth_of_100), said(after, measure, tenth_of_100)
    return said(before, measure), said(after, measure)


def said(estimate: Row, measure: str, share: Callable[[float], str] = of_100) -> str:
    """``68 (64 to 72)``, of 100 where the measure is a share; or why there is no number."""
    say = share if measure in SHARES else plain
    if estimate.get("value") is None:
        return str(estimate.get("reason") or "not computed")
    if estimate.get("low") is None or estimate.get("high") is None:
        return say(estimate["value"])
    return f"{say(estimate['value'])} ({say(estimate['low'])} to {say(estimate['high'])})"


def tenth_of_100(share: float) -> str:
    """``0.336`` -> "33.6", for two numbers of 100 that are not the same and would be printed alike."""
    return f"{100 * share + 0.0:.1f}"


def finer(before: float, after: float) -> tuple[str, str]:
    """Two shares of 100 with as many decimals, one at least, as it takes to see that they are not the same."""
    for digits in range(1, MOST_DECIMALS):
        first, second = (f"{100 * share + 0.0:.{digits}f}" for share in (before, after))
        if first != second:
            break
    else:
        first, second = tenth_of_100(before), tenth_of_100(after)
    return first, second


def both_bounds(before: Any, after: Any) -> tuple[Cell, Cell]:
    """Two pairs of bounds as they are written; neither where one end of either is hidden."""
    if any(not isinstance(pair, (list, tuple)) or None in pair for pair in (before, after)):
        return HIDDEN, HIDDEN
    return bounds_cell(before), bounds_cell(after)


def unit(measure: str) -> str:
    return ", of 100" if measure in SHARES else ""


def _ends(estimate: Row) -> tuple[Any, Any, Any]:
    return estimate.get("value"), estimate.get("low"), estimate.get("high")


def _decimals(number: float) -> int:
    """How many decimals a number of the card is written with."""
    return min(len(f"{number:.{MOST_DECIMALS}f}".rstrip("0").partition(".")[2]), MOST_DECIMALS)
