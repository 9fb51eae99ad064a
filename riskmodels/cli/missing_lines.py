"""The gaps of a card as lines of text: for each owner, and in the order of what they hold up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from riskmodels.cards.missing import Gap
    from riskmodels.commands import MissingReport

WIDEST_KEY = 44


def missing_lines(report: MissingReport) -> list[str]:
    """What to print: a count, then each owner's gaps, so that each can be sent their part."""
    from riskmodels.cards.missing import HOLDS_UP
    from riskmodels.reports.visible import visible_text

    if not report.gaps:
        return [f"{report.study}: nothing is missing."]
    lines = [f"{report.study}: {len(report.gaps)} not provided or not confirmed."]
    for tier, words in HOLDS_UP.items():
        count = sum(gap.tier == tier for gap in report.gaps)
        lines += [f"  {count} {'holds' if count == 1 else 'hold'} up {words}"] if count else []
    for owner, gaps in report.by_owner().items():
        lines += ["", f"{visible_text(owner)} ({len(gaps)})"]
        for tier, words in HOLDS_UP.items():
            some = [gap for gap in gaps if gap.tier == tier]
            lines += [f"  Holds up {words}:", *(visible_text(line) for line in _rows(some))] if some else []
    return lines


def _rows(gaps: list[Gap]) -> Iterator[str]:
    keys = [gap.key if gap.file == "answers.yaml" else f"{gap.file}: {gap.key}" for gap in gaps]
    width = min(max(len(key) for key in keys), WIDEST_KEY)
    for key, gap in zip(keys, gaps, strict=True):
        also = f"; also {', '.join(gap.also)}" if gap.also else ""
        state = "" if gap.state == "not provided" else f" ({gap.state}{f', digits {gap.digits}' if gap.digits else ''})"
        yield f"    {key:<{width}}  {gap.what}{state}{also}"
