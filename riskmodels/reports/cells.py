"""How values are written in every rendering, so that HTML and Markdown say the same."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import Any

NOT_PROVIDED = "Not provided (owner: {owner})"
NOT_ANSWERED = "Not answered (owner: {owner})"
# An answer to a verdict, as a record of the review holds it: the field, the reason, and the day on which it ends.
ANSWER = re.compile(r"([a-z0-9_]+)(: .*\(until )(\d{4}-\d{2}-\d{2})\)", re.S)
LONG_CELL = 30  # characters, from which a cell needs a width of its own


def cell_text(value: Any) -> str:
    """A cell as text: thousands separated, no trailing noughts, yes and no; a missing value is said in words."""
    if value is None:
        return "not shown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        text = f"{value:,.4f}".rstrip("0").rstrip(".")
        return "0" if text == "-0" else text
    return day_text(str(value))


def day_text(text: str) -> str:
    """An ISO date as "1 July 1989"; any other text as it is."""
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        return text
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        return text
    return f"{day.day} {day:%B %Y}"


def is_date(value: Any) -> bool:
    """Whether a cell is a date, as ISO text or as it is written."""
    return isinstance(value, str) and bool(re.fullmatch(r"\d{4}-\d{2}-\d{2}|\d{1,2} [A-Z][a-z]+ \d{4}", value))


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def numeric_columns(rows: Sequence[Sequence[Any]]) -> list[bool]:
    """Which columns hold numbers, so that all in them stands to the right. The first names the row, and never does."""
    return [place > 0 and any(is_number(row[place]) for row in rows) for place in range(len(rows[0]))] if rows else []


def look(value: Any, numeric: bool) -> str:
    """The classes of a cell that holds words: in a column of numbers, without a number, or long."""
    text = "not shown" if value is None else str(value)
    looks = {
        "right": numeric,
        "quiet": text.startswith(("not ", "too few to show")),
        "long": len(text) > LONG_CELL,
    }
    return " ".join(name for name, has in looks.items() if has)


def label(key: str) -> str:
    """``never_used_for`` -> "Never used for"."""
    text = key.replace("_", " ").strip()
    return text[:1].upper() + text[1:]


def capital(text: str) -> str:
    """The text with its first letter large; a name with an underscore stays as it is written."""
    return text if "_" in text.partition(" ")[0] else text[:1].upper() + text[1:]


def spelled(value: Any) -> str:
    """A nested value of a record as one line."""
    if isinstance(value, dict):
        return "; ".join(f"{label(str(key)).lower()}: {spelled(inner)}" for key, inner in value.items())
    if isinstance(value, (list, tuple)):
        return "; ".join(spelled(inner) for inner in value) or "none"
    return cell_text(value)


def record_lines(record: dict[str, Any]) -> list[tuple[str, list[str]]]:
    """A record as labelled lines, a list having one line for each of its items; without what was left open."""
    return [
        (
            label(key),
            [_answer(spelled(item)) for item in value] or ["none"]
            if isinstance(value, (list, tuple))
            else [spelled(value)],
        )
        for key, value in record.items()
        if value is not None
    ]


def _answer(text: str) -> str:
    """``free_lunch: We accept this. (until 2027-05-22)`` -> "Free lunch: We accept this. (until 22 May 2027)"."""
    found = ANSWER.fullmatch(text)
    return text if found is None else f"{label(found[1])}{found[2]}{day_text(found[3])})"
