"""Every part of two cards that is not the same on both, so that no difference is silent."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from riskmodels.cards.card import Table
from riskmodels.cards.change.fields import NOT_LISTED
from riskmodels.cards.change.speech import Card, table
from riskmodels.cards.words import label
from riskmodels.reports.outline import SECTIONS

# The card's sections, by the number under which the page shows them.
NUMBERED = {
    "summary": 1, "ask": 2, "purpose": 3, "people_process": 4, "data": 5, "how_it_works": 6, "performance": 7,
    "audit": 8, "explanation": 9, "risks": 10, "law": 11, "monitoring": 12, "questions": 13, "annex": 15,
}  # fmt: skip


def parts_table(old: Card, new: Card) -> Table:
    """Every part of the cards that is not the same on both."""
    before, after = _parts(old), _parts(new)
    rows = []
    for key in dict.fromkeys((*after, *before)):
        if key not in before or key not in after:
            rows.append((*key, "only last time" if key in before else "only now"))
        elif before[key] != after[key]:
            rows.append((*key, "differs"))
    return table("Every part that differs", ("Section", "Part", "How"), rows, NOT_LISTED)


def _parts(card: Card) -> dict[tuple[str, str], str]:
    """Each part as text, by its section and name: a fact, a table, a figure, a question, a result."""
    found: dict[tuple[str, str], str] = {}
    for key, section in card.items():
        if key == "schema_version":
            continue
        title = f"{NUMBERED[key]} {SECTIONS[NUMBERED[key]][0]}" if key in NUMBERED else label(key)
        for name, part in _split(section):
            found[title, name] = json.dumps(part, sort_keys=True, ensure_ascii=False)
    return found


def _split(section: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(section, list):
        for place, item in enumerate(section, 1):
            yield _item_name(item, place), item
    elif isinstance(section, Mapping):
        for name, part in section.items():
            if name in ("facts", "tables", "recipe", "tripod_answers", "atrs_answers") and isinstance(part, Mapping):
                for inner, value in part.items():
                    yield _both(label(name), inner), value
            elif name in ("blocks", "closer") and isinstance(part, list):
                for place, item in enumerate(part, 1):
                    yield _both(label(name), _item_name(item, place)), item
            else:
                yield label(name), part
    else:
        yield "", section


def _both(name: str, inner: str) -> str:
    return f"{name}: {label(inner).lower()}"


def _item_name(item: Any, place: int) -> str:
    if isinstance(item, Mapping):
        for key in ("question", "heading", "title", "id"):
            if isinstance(item.get(key), str):
                return str(item[key])
    return str(place)
