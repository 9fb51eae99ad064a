"""The words that two cards speak in: their nouns, dates and quotations, taken from the cards themselves."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from riskmodels.cards.card import Cell, Table
from riskmodels.cards.words import at, day, listing, opening

Card = Mapping[str, Any]
MOST_QUOTED = 30  # words of an answer that a sentence quotes; the tables hold it whole
MOST_NAMED = 6  # things that one sentence names; the tables hold them all
THEN, NOW = "Last time", "Now"
OF_BOTH = "card.json of both"


@dataclass(frozen=True)
class Speech:
    """``many`` are listed; ``needed`` is what the outcome is called, as in "pupils who needed help"."""

    many: str
    that: str
    needed: str


def speech_of(card: Card) -> Speech:
    """The card's own nouns, read from its table of the list; plain ones where it is worded otherwise."""
    table = at(card, "performance.tables.list") or {}
    many = re.fullmatch(r"The list, of 100 (.+) each time", str(table.get("caption")))
    needed = [re.fullmatch(r"On the list: (.+?)(?: \(.*\))?", str(row[0])) for row in table.get("rows") or ()]
    found = [match[1] for match in needed if match]
    return Speech(
        many[1] if many else "people",
        "who" if at(card, "audit.level") in ("person", None) else "that",
        found[0] if found else "had the outcome",
    )


def test_dates(card: Card) -> list[str]:
    return [str(row["as_of_date"]) for row in at(card, "performance.per_date") or ()]


def days(dates: Sequence[str]) -> str:
    """Dates as a list, or the first and the last of many."""
    said = [day(one) for one in dates]
    return listing(said) if len(said) <= 4 else f"dates from {said[0]} to {said[-1]}"


def date_of(text: Any) -> dt.date | None:
    try:
        return dt.date.fromisoformat(str(text))
    except ValueError:
        return None


def quote(value: Any) -> str:
    """A value as a sentence quotes it: in quotation marks, cut where it is long; words where there is none."""
    if value is None or value == "":
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"“{opening(day(value) if isinstance(value, str) else str(value), MOST_QUOTED)[0]}”"


def from_to(what: str, before: Any, after: Any) -> str:
    first, second = quote(before), quote(after)
    if first == second:  # two long texts that begin alike
        return f"{what}: it begins as last time, {second}, and differs further on."
    return f"{what}: from {first} to {second}."


def some(names: Sequence[str]) -> str:
    """The first names of a list, and that there are others."""
    kept = list(names[:MOST_NAMED])
    return listing(kept) if len(names) <= MOST_NAMED else f"{', '.join(kept)} and others"


def table(caption: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]], note: str | None = None) -> Table:
    return Table(
        caption=caption, columns=tuple(columns), rows=tuple(tuple(row) for row in rows), source=OF_BOTH, note=note
    )
