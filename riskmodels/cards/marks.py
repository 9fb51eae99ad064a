"""The sign that stands in a table where a number is hidden, for the profiles that have one: ``c``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from riskmodels.assessment.suppression import Profile, not_shown
from riskmodels.cards.card import ModelCard

HIDDEN_CELL = re.compile(r"not shown( \([^()]*\))?")


def marked(card: ModelCard, profile: Profile) -> ModelCard:
    """The card with the profile's mark in place of each cell that says no number is shown, and a note of what it means.

    The list of what is hidden keeps its words: it says why.
    """
    if profile.mark is None:
        return card
    tree = card.to_dict()
    suppressed = tree["annex"].pop("suppressed")
    made: dict[str, Any] = _marked(tree, profile.mark, _means(profile))
    made["annex"]["suppressed"] = suppressed
    return ModelCard.model_validate(made)


def _means(profile: Profile) -> str:
    few = not_shown(profile).removeprefix("not shown (").removesuffix(")")
    return f"{profile.mark}: not shown, since it is {few}, or would give such a number away."


def _marked(value: Any, mark: str, means: str) -> Any:
    if isinstance(value, Mapping):
        made = {name: _marked(inner, mark, means) for name, inner in value.items()}
        return _marked_table(made, mark, means) if {"caption", "columns", "rows"} <= set(made) else made
    if isinstance(value, (list, tuple)):
        return [_marked(inner, mark, means) for inner in value]
    return value


def _marked_table(table: dict[str, Any], mark: str, means: str) -> dict[str, Any]:
    rows = [[mark if isinstance(cell, str) and HIDDEN_CELL.fullmatch(cell) else cell for cell in row]
            for row in table["rows"]]  # fmt: skip
    if rows == table["rows"]:
        return table
    note = f"{table['note']} {means}" if table.get("note") else means
    return {**table, "rows": rows, "note": note}
