"""What may be shown: counts below 10 hidden, the rest rounded to 5, and nothing printed beyond the digits it deserves.

Every number passes here before it enters a card, so the JSON, the prose, the tables and the figures agree. Hiding twice
is the same as hiding once, so results that were made safe before pass unchanged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

FEWEST = 10
ROUND_TO = 5
HIDDEN = "not shown (fewer than 10 people)"

COUNTS = {
    "n", "known", "unknown", "events", "selected", "hits", "positives", "negatives", "tp", "fp", "fn", "tn", "people",
    "ranked", "immature", "unobserved", "remaining", "dropped", "rows", "entities", "undated",
}  # fmt: skip
# Counts of records or of what is missing, where none at all tells nothing about anybody.
MAY_BE_NONE = {"unknown", "immature", "unobserved", "dropped", "undated"}
# Shares of people whose numerator, or the rest, could be a handful.
SHARES = {
    "precision", "recall", "base_rate", "precision_at_k", "recall_at_k", "observed", "fnr", "fpr", "fdr", "for",
    "selection_rate",
}  # fmt: skip
DECIMALS = {
    "brier_score": 4, "difference": 4, "p": 4, "p_adjusted": 4, "gain": 4, "log_loss": 4, "model": 4, "all": 4,
    "interventions_avoided": 4,
}  # fmt: skip
# The cells of a confusion table that a metric would give away.
CELLS = {
    "recall": ("tp", "fn"), "fnr": ("tp", "fn"), "fpr": ("fp", "tn"), "precision": ("tp", "fp"), "fdr": ("tp", "fp"),
    "for": ("fn", "tn"),
}  # fmt: skip


@dataclass
class SuppressionLog:
    """Where something was hidden, without saying what."""

    lines: list[dict[str, str]] = field(default_factory=list)

    def add(self, where: str, what: str) -> None:
        line = {"where": where, "what": what, "reason": HIDDEN}
        if line not in self.lines:
            self.lines.append(line)


def shown_count(n: int | float | None, *, none_is_fine: bool = False) -> int | None:
    """A count of people as it may be shown: None below 10, otherwise to the nearest 5 (halves up)."""
    if n is None or (n < FEWEST and not (n == 0 and none_is_fine)):
        return None
    return int((n + ROUND_TO / 2) // ROUND_TO * ROUND_TO)


def rounded(value: Any, key: str = "") -> Any:
    """A float to the decimals its name deserves; everything else as it is."""
    if isinstance(value, bool) or not isinstance(value, float):
        return value
    return round(value, DECIMALS.get(key, 3)) + 0.0  # no minus nought


def is_handful(share: float | None, n: int | float | None) -> bool:
    """Whether a share of n people stands on fewer than 10, or leaves fewer than 10 out."""
    return share is not None and n is not None and min(share * n, (1 - share) * n) < FEWEST - 1e-9


# ---------------------------------------------------------------- results as a whole


def published_performance(raw: Mapping[str, Any], log: SuppressionLog) -> dict[str, Any]:
    """A Performance as it may stand in a card."""
    shown = dict(raw)
    curve = dict(raw.get("calibration_curve") or {})
    curve["bins"] = merged_bins(curve.get("bins") or [])
    shown["calibration_curve"] = curve
    shown["at_capacity"] = _at_capacity(raw.get("at_capacity") or {}, log)
    shown["unknown_by_fifth"] = [_fifth(row, log) for row in raw.get("unknown_by_fifth") or []]
    result: dict[str, Any] = _walk(shown, "performance", "", log)
    return result


def published_audit(raw: Mapping[str, Any], log: SuppressionLog) -> dict[str, Any]:
    """An Audit as it may stand in a card."""
    shown = dict(raw)
    shown["rows"] = [_group_row(row, log) for row in raw.get("rows") or []]
    hidden = {
        (row["attribute"], row["group"], metric)
        for row in shown["rows"]
        for metric, value in row["metrics"].items()
        if value["value"] is None
    }
    shown["contrasts"] = [
        _without_numbers(row) if (row["attribute"], row["group"], row["metric"]) in hidden else dict(row)
        for row in raw.get("contrasts") or []
    ]
    result: dict[str, Any] = _walk(shown, "audit", "", log)
    return result


def _walk(value: Any, where: str, key: str, log: SuppressionLog) -> Any:
    if isinstance(value, Mapping):
        if key in SHARES and is_handful(value.get("value"), value.get("n")):
            log.add(where, "share")
            return {"value": None, "reason": HIDDEN}
        return {name: _walk(inner, f"{where}.{name}", str(name), log) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_walk(inner, f"{where}[{position}]", key, log) for position, inner in enumerate(value)]
    if key in COUNTS and isinstance(value, int) and not isinstance(value, bool):
        count = shown_count(value, none_is_fine=key in MAY_BE_NONE)
        if count is None:
            log.add(where, "count")
        return count
    return rounded(value, key)


def _at_capacity(raw: Mapping[str, Any], log: SuppressionLog) -> dict[str, Any]:
    """Bounds are shares too: each end is hidden where the people who make it are a handful."""
    shown = dict(raw)
    selected, hits, unknown = (raw.get(name) for name in ("selected", "hits", "unknown"))
    if selected is None or hits is None or unknown is None:
        return shown
    low, high = raw.get("precision_bounds") or (None, None)
    if hits < FEWEST:
        low = None
        log.add("performance.at_capacity.precision_bounds[0]", "share")
    if selected - hits - unknown < FEWEST:
        high = None
        log.add("performance.at_capacity.precision_bounds[1]", "share")
    shown["precision_bounds"] = [low, high]
    return shown


def _fifth(row: Mapping[str, Any], log: SuppressionLog) -> dict[str, Any]:
    if 0 < row["unknown"] < FEWEST or 0 < row["n"] - row["unknown"] < FEWEST:
        log.add(f"performance.unknown_by_fifth ({row['fifth']})", "share")
        return {**row, "unknown": None, "share": None}
    return dict(row)


def _group_row(row: Mapping[str, Any], log: SuppressionLog) -> dict[str, Any]:
    shown = dict(row)
    where = f"audit: {row['attribute']}: {row['group']}"
    cells = {name: row.get(name) for name in ("tp", "fp", "fn", "tn")}
    small = {name for name, count in cells.items() if count is None or count < FEWEST}
    if not row.get("shown", True) or (row.get("n") or 0) < FEWEST:
        log.add(where, "group")
        small = set(cells)
        shown |= dict.fromkeys(("n", "positives", "selected", "unknown"), None)
    # A hidden cell could be had by taking its partner from their total: both go.
    for pair in CELLS.values():
        if small & set(pair):
            shown |= dict.fromkeys(pair, None)
    metrics = {}
    for name, value in (row.get("metrics") or {}).items():
        given_away = bool(small & set(CELLS[name])) if name in CELLS else shown.get("n") is None
        rate = value.get("value")
        if name == "selection_rate":
            given_away = given_away or is_handful(rate, row.get("n"))
        if name == "base_rate":
            given_away = given_away or is_handful(rate, row.get("known") or row.get("n"))
        if given_away and rate is not None:
            log.add(f"{where}: {name}", "share")
        metrics[name] = (
            {"value": None, "reason": value.get("reason") or HIDDEN} if given_away or rate is None else dict(value)
        )
    shown["metrics"] = metrics
    return shown


def _without_numbers(row: Mapping[str, Any]) -> dict[str, Any]:
    shown = dict(row) | dict.fromkeys(("ratio", "low", "high", "gap", "p", "p_adjusted"), None)
    return {**shown, "reason": row.get("reason") or HIDDEN}


# ---------------------------------------------------------------- calibration bins


def merged_bins(bins: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Calibration bins, each joined with the next until it holds 10 people with the outcome and 10 without.

    The interval of a joined bin is Wilson's (1927). Bins that are left over join the last one.
    """
    joined: list[list[Mapping[str, Any]]] = []
    for one in bins:
        if joined and not _is_enough(joined[-1]):
            joined[-1].append(one)
        else:
            joined.append([one])
    if len(joined) > 1 and not _is_enough(joined[-1]):
        joined[-2:] = [joined[-2] + joined[-1]]
    return [_join(group) for group in joined if _is_enough(group)]


def _events(one: Mapping[str, Any]) -> float:
    return round((one["observed"].get("value") or 0.0) * (one["n"] or 0))


def _is_enough(group: Sequence[Mapping[str, Any]]) -> bool:
    n, events = sum(one["n"] or 0 for one in group), sum(_events(one) for one in group)
    return min(events, n - events) >= FEWEST


def _join(group: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    if len(group) == 1:
        return dict(group[0])
    n, events = sum(one["n"] for one in group), sum(_events(one) for one in group)
    low, high = wilson(events, n)
    return {
        "low": group[0]["low"],
        "high": group[-1]["high"],
        "n": n,
        "mean_risk": sum(one["mean_risk"] * one["n"] for one in group) / n,
        "observed": {"value": events / n, "low": low, "high": high, "n": n},
    }


def wilson(events: float, n: int, z: float = 1.959963984540054) -> tuple[float, float]:
    """Wilson's score interval of a proportion (1927)."""
    share, spread = events / n, z**2 / n
    middle = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * (share * (1 - share) / n + spread / (4 * n)) ** 0.5
    return middle - half, middle + half


def counted(rows: Sequence[Mapping[str, Any]], where: str, log: SuppressionLog) -> list[dict[str, Any]]:
    """Rows of a table of counts (attrition, outcome status, data quality), made safe."""
    return [_walk(row, where, "", log) for row in rows]
