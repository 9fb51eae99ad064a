"""Last time and now as a picture: the figures that are of 100, each with its interval on both cards."""

from __future__ import annotations

from collections.abc import Sequence

from riskmodels.cards.card import Cell, Figure
from riskmodels.cards.change.audit_changes import group_pairs
from riskmodels.cards.change.estimates import ENDS, Row
from riskmodels.cards.change.headline import LIST, OVERALL, Two
from riskmodels.cards.change.speech import table
from riskmodels.cards.words import at, capital, of_100

COLUMNS = (
    "Figure", "Last time", "at least, last time", "at most, last time", "Now", "at least, now", "at most, now",
    "Is it a change?",
)  # fmt: skip
Line = tuple[str, Row, Row]


def change_figures(two: Two) -> tuple[Figure, ...]:
    """A picture of the list and the ranking, and one of each group; neither where nothing can be compared."""
    if not two.comparable:
        return ()
    many, needed = two.speech.many, two.speech.needed
    known = " (outcome known)" if two.leads_with_bounds else ""
    found = f"{capital(needed)}: on the list{known}"
    lines = [
        (f"On the list: {needed}{known}", *two.estimates(f"{LIST}.precision")),
        (found, *two.estimates(f"{LIST}.recall")),
        ("Pairs put in the right order", *two.estimates(f"{OVERALL}.auc")),
        (f"{capital(many)} {two.speech.that} {needed}", *two.estimates(f"{OVERALL}.base_rate")),
    ]
    groups = [(name, before, after) for name, before, after in group_pairs(two, "recall")]
    title = f"{found}, by group" if groups else ""
    made = (
        _figure(two, "change_list", "The list, last time and now", lines),
        _figure(two, "change_groups", title, groups),
    )
    return tuple(figure for figure in made if figure is not None)


def _figure(two: Two, name: str, title: str, lines: Sequence[Line]) -> Figure | None:
    rows = [
        (words, *_ends(before), *_ends(after), two.verdict(before, after))
        for words, before, after in lines
        if before.get("value") is not None and after.get("value") is not None
    ]
    if not rows:
        return None
    said = "; ".join(
        f"{words}: {of_100(before['value'])} of 100 last time, {of_100(after['value'])} now"
        for words, before, after in lines
        if before.get("value") is not None and after.get("value") is not None
    )
    return Figure(
        id=name,
        title=title,
        alt=f"For each figure a mark for last time and one for now, with 95% intervals. {said}.",
        table=table(title, COLUMNS, rows, "Lines: 95% intervals."),
        unit="of 100",
        n=at(two.new, "performance.known"),
        narrow=True,
    )


def _ends(estimate: Row) -> tuple[Cell, ...]:
    return tuple(None if estimate.get(end) is None else round(100 * estimate[end], 1) + 0.0 for end in ENDS)
