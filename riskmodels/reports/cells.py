"""How values are written in every rendering, so that HTML and Markdown say the same."""

from __future__ import annotations

from typing import Any

NOT_PROVIDED = "Not provided (owner: {owner})"
NOT_ANSWERED = "Not answered (owner: {owner})"


def cell_text(value: Any) -> str:
    """A cell as text: thousands separated, no trailing noughts, yes and no, and never an empty look for a missing value."""
    if value is None:
        return "not shown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        text = f"{value:,.4f}".rstrip("0").rstrip(".")
        return "0" if text == "-0" else text
    return str(value)


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def label(key: str) -> str:
    """``never_used_for`` -> "Never used for"."""
    text = key.replace("_", " ").strip()
    return text[:1].upper() + text[1:]


def spelled(value: Any) -> str:
    """A nested value of a record (a condition, a quorum) as one line."""
    if isinstance(value, dict):
        return "; ".join(f"{label(str(key)).lower()}: {spelled(inner)}" for key, inner in value.items() if not _is_empty(inner))
    if isinstance(value, (list, tuple)):
        return " / ".join(spelled(inner) for inner in value)
    return cell_text(value)


def _is_empty(value: Any) -> bool:
    return value is None or value in ("", [], (), {})


def record_lines(record: dict[str, Any]) -> list[tuple[str, str]]:
    """A record as labelled lines, without what is empty."""
    return [(label(key), spelled(value)) for key, value in record.items() if not _is_empty(value)]
