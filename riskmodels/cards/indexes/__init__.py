"""Where the card answers the items of published standards: TRIPOD+AI and the ATRS."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from riskmodels import storage
from riskmodels.cards.card import Table
from riskmodels.cards.words import at

FOLDER = Path(__file__).parent
NOT_ANSWERED = "NOT ANSWERED"
FILLED = {"run": "filled by the pipeline", "both": "facts filled by the pipeline", "person": "filled by a person"}
# Keys of the card -> the section of the page that shows them.
SECTIONS = {
    "title": 1, "question": 1, "summary": 1, "ask": 2, "purpose": 3, "organisation": 3, "people_process": 4, "data": 5,
    "how_it_works": 6, "performance": 7, "audit": 8, "explanation": 9, "risks": 10, "law": 11, "monitoring": 12,
    "study": 15, "model": 15, "digests": 15, "annex": 15,
}  # fmt: skip


@cache
def items_of(index: str) -> tuple[dict[str, Any], ...]:
    return tuple(storage.read_yaml(FOLDER / f"{index}.yaml"))


def tripod_index(card: Mapping[str, Any]) -> Table:
    """TRIPOD+AI's 52 sub-items, each filled or NOT ANSWERED."""
    rows = tuple(
        (item["item"], item["words"], FILLED[item["by"]] if _is_there(card, item) else NOT_ANSWERED, _where(item))
        for item in items_of("tripod_ai")
    )
    return Table(
        caption="TRIPOD+AI index",
        columns=("Item", "About", "Status", "Where"),
        rows=rows,
        source="Collins and others 2024, CC BY 4.0",
    )


def atrs_index(card: Mapping[str, Any]) -> Table:
    """The fields of the Algorithmic Transparency Recording Standard, each drafted or empty."""
    rows = tuple(
        (item["item"], item["words"], "drafted" if _is_there(card, item) else "empty", _where(item))
        for item in items_of("atrs_v4")
    )
    return Table(
        caption="ATRS index, version 4.0",
        columns=("Field", "Name", "Status", "Where"),
        rows=rows,
        source="field names: Contains public sector information licensed under the Open Government Licence v3.0",
        note="Check against the official template before publishing a record.",
    )


def _is_there(card: Mapping[str, Any], item: Mapping[str, Any]) -> bool:
    found = [at(card, path) for path in item.get("at") or ()]
    return bool(found) and all(value not in (None, "", [], (), {}) for value in found)


def _where(item: Mapping[str, Any]) -> str:
    sections = sorted({SECTIONS[path.split(".")[0]] for path in item.get("at") or ()})
    return ", ".join(f"section {number}" for number in sections)
