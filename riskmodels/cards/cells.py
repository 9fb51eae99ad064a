"""What stands in the cells of the card's tables: shares of 100, ranges, and words where there is no number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    if estimate is None or estimate.get("value") is None:
        return (estimate or {}).get("reason") or "not computed"
    say = of_100 if per_100 else plain
    said = say(estimate["value"])
    if estimate.get("low") is None or estimate.get("high") is None:
        return said
    return f"{said} ({say(estimate['low'])} to {say(estimate['high'])})"


def value_cell(estimate: Row) -> Cell:
    value: float | None = estimate.get("value")
    return estimate.get("reason") or "not computed" if value is None else value


def interval_cell(estimate: Row) -> Cell:
    return f"{plain(estimate['low'])} to {plain(estimate['high'])}" if estimate.get("low") is not None else ""


def ratio_cell(row: Row) -> str:
    """The ratio of a contrast; a side without a limit says so."""
    if row.get("ratio") is None:
        return "not shown"
    low, high = (plain(row[end]) if row.get(end) is not None else "no limit" for end in ("low", "high"))
    return f"{plain(row['ratio'])} ({low} to {high})"


def worst_and_best_cell(bound: Row) -> str:
    """A ratio at worst and at best."""
    low, high = (plain(bound[end]) if bound.get(end) is not None else "no limit" for end in ("low", "high"))
    return f"{low} to {high}"
