"""What stands in the cells of the card's tables: shares of 100, ranges, and words where there is no number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from riskmodels.cards.card import Cell
from riskmodels.cards.shown import HIDDEN
from riskmodels.cards.words import label, of_100

Row = Mapping[str, Any]


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
    low, high = (of_100(value) if value is not None else None for value in bounds)
    if low is None and high is None:
        return HIDDEN
    if high is None:
        return f"{low} or more"
    return f"{high} or fewer" if low is None else f"between {low} and {high}"


def with_range(estimate: Row, *, per_100: bool = False) -> Cell:
    value, low, high = (estimate.get(key) for key in ("value", "low", "high"))
    if value is None:
        return estimate.get("reason") or "not computed"
    said = (of_100 if per_100 else plain)(value)
    if low is None or high is None:
        return said
    return f"{said} ({(of_100 if per_100 else plain)(low)} to {(of_100 if per_100 else plain)(high)})"


def plain(value: float | None) -> str:
    """A number without trailing noughts."""
    return "not computed" if value is None else f"{value:.4f}".rstrip("0").rstrip(".")


def value_cell(estimate: Row) -> Cell:
    return estimate["value"] if estimate.get("value") is not None else estimate.get("reason") or "not computed"


def interval_cell(estimate: Row) -> Cell:
    return f"{plain(estimate['low'])} to {plain(estimate['high'])}" if estimate.get("low") is not None else ""


def ratio_cell(row: Row) -> Cell:
    if row.get("ratio") is None:
        return "not shown"
    return with_range({"value": row["ratio"], "low": row.get("low"), "high": row.get("high")})


def detectable_cell(row: Row) -> str:
    smallest = row.get("minimum_detectable")
    return f"could have seen a ratio of {plain(smallest)}" if smallest is not None else ""


def spelled(value: Any) -> str:
    """A small nested value as one line of text."""
    if isinstance(value, Mapping):
        return "; ".join(f"{label(str(key)).lower()}: {spelled(inner)}" for key, inner in value.items())
    if isinstance(value, (list, tuple)):
        return " to ".join(spelled(inner) for inner in value)
    return plain(value) if isinstance(value, (int, float)) else str(value if value is not None else "not computed")
