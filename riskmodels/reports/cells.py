"""How values are written in every rendering, so that HTML and Markdown say the same."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from typing import Any

NOT_PROVIDED = "Not provided (owner: {owner})"
NOT_ANSWERED = "Not answered (owner: {owner})"
# An answer to a verdict, as a record of the review holds it: the field, the reason, and the day on which it ends.
ANSWER = re.compile(r"([a-z0-9_]+)(: .*\(until [^()]*\d{4}\))", re.S)
DATE = re.compile(r"(?<![\w./-])\d{4}-\d{2}-\d{2}(?![\w/-])")
NOT_A_VALUE = re.compile(r"(?:too few|not (?:shown|known|computed|compared|audited|stated|reached|run))\b")
LONG_CELL = 30  # characters, from which a cell needs a width of its own
FEWEST_ROWS_ALIKE = 3
LONG_ENOUGH_TO_REPEAT = 12  # characters, from which the same cell in every row is a burden


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
    """A text with each ISO date in it as "1 July 1989"; what only looks like one stays."""
    return DATE.sub(lambda found: _day(found[0]), text) if "-" in text else text


def _day(text: str) -> str:
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        return text
    return f"{day.day} {day:%B %Y}"


def is_date(value: Any) -> bool:
    """Whether a cell is a date, as ISO text or as it is written."""
    return isinstance(value, str) and bool(re.fullmatch(r"\d{4}-\d{2}-\d{2}|\d{1,2} [A-Z][a-z]+ \d{4}", value))


def is_digest(value: Any) -> bool:
    """Whether a value is a SHA-256, which no line should be broken for in the middle of a sentence."""
    return isinstance(value, str) and bool(re.fullmatch("[0-9a-f]{64}", value))


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
        "quiet": bool(NOT_A_VALUE.match(text)),
        "long": len(text) > LONG_CELL,
    }
    return " ".join(name for name, has in looks.items() if has)


def said_once(table: Mapping[str, Any]) -> dict[str, Any]:
    """The table without columns that say the same long words, or nothing, in each row; ``said`` says them once.

    A column that holds a number, or a word in capitals such as a verdict, stays.
    """
    rows, columns = table["rows"], table["columns"]
    places = range(1, len(columns)) if len(rows) >= FEWEST_ROWS_ALIKE else ()
    alike = [place for place in places if _alike([row[place] for row in rows])]
    named = [place for place in alike if str(columns[place]).strip()]
    said = [f"{columns[place]}, in every row: {str(rows[0][place] or 'nothing').rstrip('.')}." for place in named]
    kept = [place for place in range(len(columns)) if place not in alike]
    return {
        **table,
        "columns": [columns[place] for place in kept],
        "rows": [[row[place] for place in kept] for row in rows],
        "said": [*table.get("said", ()), *said],
    }


def _alike(cells: Sequence[Any]) -> bool:
    first = cells[0]
    if not isinstance(first, str) or any(cell != first for cell in cells):
        return False
    return not first or (len(first) >= LONG_ENOUGH_TO_REPEAT and not first.isupper() and not re.search(r"\d", first))


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
    """``free_lunch: We accept this. (until 22 May 2027)`` -> "Free lunch: We accept this. (until 22 May 2027)"."""
    found = ANSWER.fullmatch(text)
    return text if found is None else f"{label(found[1])}{found[2]}"
