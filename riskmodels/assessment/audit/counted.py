"""Whom an audit counts: rows, and the people they are of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from riskmodels.assessment.audit.words import NOUNS

Row = Mapping[str, Any]

MANY_UNKNOWN = 0.1
"""From this share of the list on, it is said at once how many of it have no known result."""


def counted_in_words(found: Row) -> str:
    """``9,010 predictions of about 4,940 people`` where rows go together, else ``9,010 people``.

    Parameters
    ----------
    found : a published audit; with ``about``, which says whether households were drawn together
    """
    noun = NOUNS[found["level"]]
    rows, units = found["n"], found["units"]
    if rows is None:
        return f"The number of {noun} is not shown"
    if units is None or units >= rows:
        return f"{rows:,} {noun}"
    of = "households or people on their own" if found.get("about", {}).get("household") else noun
    return f"{rows:,} predictions of about {units:,} {of}"


def unknown_on_list(rows: Sequence[Row]) -> float | None:
    """The share of the list whose outcome is not known, from the counts that are shown; None where none are.

    Parameters
    ----------
    rows : of a published audit, by group; each characteristic holds everybody, and the one that shows most is taken
    """
    shown: dict[str, list[tuple[int, int]]] = {}
    for row in rows:
        selected, right, wrong = (row.get(name) for name in ("selected", "tp", "fp"))
        if selected is not None and right is not None and wrong is not None:
            shown.setdefault(row["attribute"], []).append((selected, right + wrong))
    sums = [tuple(map(sum, zip(*pairs, strict=True))) for pairs in shown.values()]
    selected, known = max(sums, default=(0, 0))
    return max(0.0, 1 - known / selected) if selected else None


def unknown_in_words(share: float | None) -> str:
    """That rates are of those whose result is known, and how many of the list have none; nothing where few do."""
    if share is None or share <= MANY_UNKNOWN:
        return ""
    return f"These rates are of those whose result is known; of 100 on the list, about {round(100 * share)} have none."
