"""What stands in the cells of the card's tables: shares of 100, ranges, and words where there is no number."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from riskmodels.cards.card import Cell
from riskmodels.cards.shown import HIDDEN
from riskmodels.cards.words import of_100

Row = Mapping[str, Any]


def plain(value: float | None) -> str:
    """A number without trailing noughts."""
    if value is None:
        return "not computed"
    return f"{round(value, 4) + 0.0:.4f}".rstrip("0").rstrip(".")  # no minus nought


def whole_100(share: float | None) -> float | None:
    """A share as a number of 100, for what is drawn: whole, as `of_100` says it, but never none or all by rounding."""
    if share is None:
        return None
    number = 100 * share
    if 0 < number < 0.5 or 99.5 <= number < 100:
        return round(number, 1) + 0.0
    return math.floor(number + 0.5)


def fine_100(share: float | None, whole_from: float = 10.0) -> float | None:
    """A share as a number of 100: whole from 10 on, with one decimal below, and never rounded past the whole number.

    So that 2.46 of 100, which prose calls 2, does not stand in a table as 2.5, which a reader would call 3.
    """
    if share is None:
        return None
    number = abs(100 * share)
    whole = math.floor(number + 0.5)
    told: float = whole
    if number < whole_from:
        told = math.floor(10 * number + 0.5) / 10
        if math.floor(told + 0.5) != whole:
            told = round(told - 0.1, 1)
    return (-told if share < 0 else told) + 0.0 if told else 0.0


def count_cell(count: int | None) -> Cell:
    return HIDDEN if count is None else count


def of_100_cell(share: float | None, estimate: Row | None = None) -> Cell:
    if share is None:
        return (estimate or {}).get("reason") or "not shown"
    return f"{of_100(share)} of 100"


def range_cell(estimate: Row) -> Cell:
    if estimate.get("value") is None or estimate.get("low") is None:
        return ""
    return f"{of_100(estimate['low'])} to {of_100(estimate['high'])}"


def bounds_cell(bounds: Sequence[float | None]) -> Cell:
    """Between which numbers of 100 something lies, whatever became of those who are not known."""
    low, high = (of_100(value) if value is not None else None for value in bounds)
    if low is None and high is None:
        return HIDDEN
    if high is None:
        return f"{low} or more"
    return f"{high} or fewer" if low is None else f"between {low} and {high}"


def with_range(estimate: Row | None, *, per_100: bool = False) -> Cell:
    """``68 (64 to 72)``, or why there is no number."""
    return _said(estimate, of_100 if per_100 else plain)


def _said(estimate: Row | None, say: Callable[[float], str]) -> Cell:
    if estimate is None or estimate.get("value") is None:
        return (estimate or {}).get("reason") or "not computed"
    said = say(estimate["value"])
    if estimate.get("low") is None or estimate.get("high") is None:
        return said
    return f"{said} ({say(estimate['low'])} to {say(estimate['high'])})"


def foreseen(ratio: float) -> str:
    """Observed to expected, as what came about for each 100 foreseen."""
    return f"{100 * ratio:.0f}"


def with_range_foreseen(estimate: Row | None) -> Cell:
    """``97 (91 to 104)`` of each 100 foreseen, or why there is no number."""
    return _said(estimate, foreseen)


def decimals(estimate: Row | None, digits: int) -> Cell:
    """A specialist's number with its range, always to so many digits, or why there is none."""
    return _said(estimate, lambda value: f"{round(value, digits) + 0.0:.{digits}f}")


def ratio_cell(row: Row) -> str:
    """The ratio of a contrast; a side without a limit says so."""
    if row.get("ratio") is None:
        return "not shown"
    low, high = (f"{row[end]:.2f}" if row.get(end) is not None else "no limit" for end in ("low", "high"))
    return f"{row['ratio']:.2f} ({low} to {high})"


def worst_and_best_cell(bound: Row) -> str:
    """A ratio at worst and at best."""
    low, high = (f"{bound[end]:.2f}" if bound.get(end) is not None else "no limit" for end in ("low", "high"))
    return f"{low} to {high}"
