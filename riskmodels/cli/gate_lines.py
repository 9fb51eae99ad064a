"""The gate as lines of the terminal: first what has to be done, then what holds."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

WIDTH = 120
Row = Mapping[str, Any]


def gate_lines(name: str, act: str, rows: Sequence[Row]) -> list[str]:
    """What keeps the gate shut, each thing once with the rules that wait for it, and then the rules that hold.

    Parameters
    ----------
    rows : `riskmodels.governance.gate.explain_gate`
    """
    shut = [row for row in rows if not row["holds"]]
    if not shut:
        many = f"all {len(rows)} rules hold"
        return [f"{name}: the gate to {act} is open: {many}", "", *_holding(rows)]
    many = f"{len(shut)} of {len(rows)} rules {'does' if len(shut) == 1 else 'do'} not hold"
    return [f"{name}: the gate to {act} is SHUT: {many}", "", *rule_lines(rows)]


def rule_lines(rows: Sequence[Row]) -> list[str]:
    """What has to be done first, and then what holds."""
    shut = [row for row in rows if not row["holds"]]
    holding = list(_holding(row for row in rows if row["holds"]))
    if not shut:
        return holding
    return ["What to do", *_refusing(shut), *(["", "What holds", *holding] if holding else [])]


def _refusing(rows: Iterable[Row]) -> Iterator[str]:
    """Rules that refuse in the same words wait for the same thing."""
    waiting: dict[str, list[str]] = {}
    for row in rows:
        waiting.setdefault(row["words"], []).append(row["rule"])
    for words, rules in waiting.items():
        yield from _wrapped(f"NO   {words}", 2, 7)
        yield from _wrapped(f"({', '.join(rules)})", 7, 8)


def _holding(rows: Iterable[Row]) -> Iterator[str]:
    found = list(rows)
    width = max((len(row["rule"]) for row in found), default=0)
    for row in found:
        yield from _wrapped(f"yes  {row['rule'].ljust(width)}  {row['words']}", 2, 9 + width)


def _wrapped(text: str, first: int, others: int) -> list[str]:
    return textwrap.wrap(
        text, WIDTH, initial_indent=" " * first, subsequent_indent=" " * others, break_on_hyphens=False,
        break_long_words=False,
    )  # fmt: skip
