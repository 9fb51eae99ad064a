"""The record of the Algorithmic Transparency Recording Standard (version 4.0): each field drafted, confirmed or empty.

A draft is made from the public edition of the card, whichever edition is at hand, so that both have one record. A
person confirms it in ``answers.yaml``, with a text of their own or with the digits of the draft, which hold for exactly
that text: when the draft changes, they no longer do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from riskmodels.cards.editions import public_edition
from riskmodels.cards.indexes import items_of, where
from riskmodels.cards.records.about import ABOUT
from riskmodels.cards.records.data import DATA
from riskmodels.cards.records.phase import phase
from riskmodels.cards.records.taken import Taken
from riskmodels.cards.records.technical import TECHNICAL
from riskmodels.storage import sha256

Status = Literal["drafted", "confirmed", "empty"]
DRAFTS = ABOUT | TECHNICAL | DATA
PHASE = "0.3"
PLACE = "0" * 64  # stands for a digest that no draft says
DIGITS = 8
NOT_OFFICIAL = "check against the official template"
# The parts of the template, each a sheet of its own: how the numbers of its fields begin -> its name.
PARTS = {
    "0.": "Metadata and title",
    "1.": "Tier 1: summary",
    "2.1.": "Tier 2: owner and responsibility",
    "2.2.": "Tier 2: description and rationale",
    "2.3.": "Tier 2: deployment context",
    "2.4.1.": "Tier 2: tool specification",
    "2.4.2.": "Tier 2: model specification",
    "2.4.3.": "Tier 2: development data",
    "2.4.4.": "Tier 2: operational data",
    "2.5.": "Tier 2: risks and assessments",
}


@dataclass(frozen=True)
class Field:
    """A field of the record.

    ``number``: as published pages print it. ``digits``: what a person copies to agree with the draft, if there is one.
    ``key``: where in ``answers.yaml`` a person says it. ``note``: what to know before the text is used, or empty.
    """

    item: str
    number: str
    part: str
    name: str
    holds: str
    text: str | None
    status: Status
    owner: str
    source: str
    digits: str | None
    key: str
    note: str
    official: bool

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def digits_of(draft: str) -> str:
    """The first eight hexadecimal digits of the draft's SHA-256."""
    return sha256(draft.encode())[:DIGITS]


def build_record(
    card: Mapping[str, Any], status: Mapping[str, Any] | None = None, sign_off: Sequence[Mapping[str, Any]] = ()
) -> tuple[Field, ...]:
    """Every field, in the order of the template.

    Parameters
    ----------
    card : a card of either edition, as plain values
    status, sign_off : its review as it stands on a day, which is what the phase is made from; without them the phase
        is not drafted
    """
    taken = Taken(public_edition(card, card["edition_profile"].get("of") or PLACE))
    drafts = {item: draft(taken) for item, draft in DRAFTS.items()} | {PHASE: phase(card, status, sign_off)}
    answers = card["annex"].get("atrs_answers") or {}
    return tuple(
        _field(card, item, drafts.get(item["item"]), answers.get(item["item"])) for item in items_of("atrs_v4")
    )


def statuses(card: Mapping[str, Any]) -> dict[str, str]:
    """item -> drafted, confirmed or empty, as the card alone tells; the phase is drafted when a record is written."""
    found: dict[str, str] = {field.item: field.status for field in build_record(card)}
    return found | ({PHASE: "drafted"} if found[PHASE] == "empty" else {})


def part_of(item: str) -> str:
    """The part of the template in which a field stands."""
    return next(name for begins, name in PARTS.items() if item.startswith(begins))


def published_number(item: str) -> str:
    """The number as published pages print it: without its tier. Those of the metadata have none."""
    tier, _, number = item.partition(".")
    return "" if tier == "0" else number


def gaps_of(record: Sequence[Field]) -> tuple[Field, ...]:
    """The fields that nobody has confirmed."""
    return tuple(field for field in record if field.status != "confirmed")


def _field(
    card: Mapping[str, Any], item: Mapping[str, Any], draft: str | None, answer: Mapping[str, Any] | None
) -> Field:
    said, confirms = (answer or {}).get("value"), (answer or {}).get("confirms")
    digits = digits_of(draft) if draft else None
    state: Status = "confirmed" if said or (confirms and confirms == digits) else "drafted" if draft else "empty"
    notes = [] if item["sure"] == "official" else [f"Number and name: {NOT_OFFICIAL}."]
    if confirms and not said and state != "confirmed":
        notes.append(
            f"A person confirmed a draft with the digits {confirms}; it has changed since, so read it again."
            if draft
            else f"A person confirmed a draft with the digits {confirms}; there is no draft now."
        )
    key = f"atrs.'{item['item']}'"
    return Field(
        item=item["item"],
        number=published_number(item["item"]),
        part=part_of(item["item"]),
        name=item["words"],
        holds=item["holds"],
        text=str(said) if said else draft,
        status=state,
        owner=(answer or {}).get("owner") or card["organisation"]["owner"],
        source=f"answers.yaml: {key}" if said else f"the card, {where(card, item)}" if draft else "",
        digits=None if said else digits,
        key=key,
        note=" ".join(notes),
        official=item["sure"] == "official",
    )
