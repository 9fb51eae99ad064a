"""Where the card answers the items of published standards: TRIPOD+AI, the ATRS, and the ICO's kinds of explanation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from riskmodels import storage
from riskmodels.cards.card import Table
from riskmodels.cards.words import at, label, listing
from riskmodels.reports.outline import SECTIONS as TITLES

FOLDER = Path(__file__).parent
NOT_ANSWERED = "NOT ANSWERED"
REASON_MISSING = "facts answered, reason missing"
UNANSWERED = (NOT_ANSWERED, REASON_MISSING, "facts filled, reason missing")  # the last one stands in older cards
ANSWERED = {
    "run": "answered by the pipeline",
    "both": "facts by the pipeline, reason by a person",
    "person": "answered by a person",
}
# Keys of the card -> the section of the page that shows them.
SECTIONS = {
    "title": 1, "question": 1, "summary": 1, "ask": 2, "purpose": 3, "organisation": 3, "people_process": 4, "data": 5,
    "how_it_works": 6, "performance": 7, "audit": 8, "explanation": 9, "risks": 10, "law": 11, "monitoring": 12,
    "questions": 13, "study": 15, "model": 15, "digests": 15, "annex": 15,
}  # fmt: skip
# What the page calls a line that has another name in the card.
LABELS = {
    "organisation.name": "Organisation",
    "organisation.owner": "Answers for it",
    "digests.policy": "Policy SHA-256",
    "digests.study": "Study SHA-256",
    "model.sha256": "Model SHA-256",
    "model.version": "Model version",
    "model.family": "Parameters",
}
Card = Mapping[str, Any]
NOT_YET = Table(caption="Index", columns=("Item",), rows=(), source="this card")


@cache
def items_of(index: str) -> tuple[dict[str, Any], ...]:
    """The items of a standard, in its order: `tripod_ai`, `atrs_v4` or `ico_kinds`."""
    return tuple(storage.read_yaml(FOLDER / f"{index}.yaml"))


# ---------------------------------------------------------------- TRIPOD+AI


def tripod_index(card: Card) -> Table:
    """TRIPOD+AI's 52 sub-items: answered, with facts but no reason, or NOT ANSWERED; by whom, and where it stands.

    ``card``: plain values, with what people say for an item in ``annex.tripod_answers``.
    """
    rows = []
    for item in items_of("tripod_ai"):
        answer = _answer_of(card, "tripod_answers", item["item"])
        owner = answer["owner"] if answer else card["organisation"]["owner"]
        said = bool(answer and answer["value"])
        rows.append((item["item"], item["words"], _tripod_status(card, item, said), where(card, item, said), owner))
    return Table(
        caption="TRIPOD+AI index",
        columns=("Item", "About", "Status", "Where", "Owner"),
        rows=tuple(rows),
        source="Collins and others 2024, CC BY 4.0",
        note="The owner is who is asked if an item is not answered.",
    )


def _tripod_status(card: Card, item: Mapping[str, Any], said: bool) -> str:
    facts, reason = _all_there(card, item.get("at")), item.get("reason")
    if item["by"] == "person":
        return ANSWERED["person"] if said or facts else NOT_ANSWERED
    if not facts:
        return ANSWERED["person"] if said else NOT_ANSWERED
    if said or (isinstance(reason, list) and _all_there(card, reason)):
        return ANSWERED["both"]
    return ANSWERED["run"] if reason is None else REASON_MISSING


# ---------------------------------------------------------------- the ATRS


def atrs_index(card: Card, status: Mapping[str, str]) -> Table:
    """The fields of the Algorithmic Transparency Recording Standard, in the order of its template.

    Parameters
    ----------
    status : item -> drafted, confirmed or empty
    """
    rows = []
    for item in items_of("atrs_v4"):
        answer = _answer_of(card, "atrs_answers", item["item"])
        owner = answer["owner"] if answer else card["organisation"]["owner"]
        stands = where(card, item, bool(answer and answer["value"])) if status[item["item"]] != "empty" else ""
        rows.append((item["item"], item["words"], status[item["item"]], stands, owner))
    return Table(
        caption="ATRS index, version 4.0",
        columns=("Field", "Name", "Status", "Where", "Owner"),
        rows=tuple(rows),
        source="field names: Contains public sector information licensed under the Open Government Licence v3.0",
        note="Check against the official template before publishing a record.",
    )


# ---------------------------------------------------------------- the ICO's six kinds of explanation


def ico_index(card: Card) -> Table:
    """The six kinds of explanation of the Information Commissioner's Office: what gives each, where, and what lacks.

    The kinds are those of "Explaining decisions made with AI" (ICO and The Alan Turing Institute 2020).
    """
    rows = []
    for item in items_of("ico_kinds"):
        lacking = [one["words"] for one in item["given_by"] if not _there(at(card, one["at"]))]
        given = [one["words"] for one in item["given_by"] if one["words"] not in lacking]
        status = f"not answered: {listing(lacking)}" if lacking else "answered"
        stands = where(card, {"at": [one["at"] for one in item["given_by"]]})
        rows.append((item["words"], item["says"], listing(given) or "nothing yet", stands, status))
    return Table(
        caption="The six kinds of explanation (Information Commissioner's Office)",
        columns=("Kind", "What it says", "What gives it", "Where", "Status"),
        rows=tuple(rows),
        source="this card",
        note="Answered: there is an answer. It may be that something is not done yet, so read it.",
    )


# ---------------------------------------------------------------- what stands where


def _answer_of(card: Card, kind: str, item: str) -> Mapping[str, Any] | None:
    found: Mapping[str, Any] | None = (card["annex"].get(kind) or {}).get(item)
    return found


def _all_there(card: Card, paths: Sequence[str] | None) -> bool:
    return bool(paths) and not lacking_of(card, paths or ())


def lacking_of(card: Card, paths: Sequence[str]) -> list[str]:
    """Those of the paths at which the card says nothing."""
    return [path for path in paths if not _there(at(card, path))]


def _there(value: Any) -> bool:
    return value not in (None, "", [], (), {})


def where(card: Card, item: Mapping[str, Any], said: bool = False) -> str:
    """Sections with what to look for there: ``section 5 (Data register); section 15 (Parameters)``."""
    parts: dict[int, list[str]] = {}
    for path in item.get("at") or ():
        number = SECTIONS[path.split(".")[0]]
        found = parts.setdefault(number, [])
        if (name := part_name(card, path)) not in found:
            found.append(name)
    if said:
        parts.setdefault(15, []).append("what people say for this item")
    text = "; ".join(f"section {number} ({', '.join(names)})" for number, names in sorted(parts.items()))
    return text or str(item.get("where") or "")


def part_name(card: Card, path: str) -> str:
    """What a reader looks for in the section: a table's caption, a fact's label, or else the section's title."""
    steps = path.split(".")
    if steps[-1] == "rows" and (caption := at(card, ".".join([*steps[:-1], "caption"]))):
        return str(caption)
    if "facts" in steps:
        return label(steps[steps.index("facts") + 1])
    if steps[0] == "questions":
        return f"question {int(steps[1]) + 1}"
    if steps[0] in ("organisation", "digests", "model"):
        return LABELS.get(path, label(steps[1]))
    return TITLES[SECTIONS[steps[0]]][0]
