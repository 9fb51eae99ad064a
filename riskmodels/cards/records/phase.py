"""How far the tool has come (field 0.3), from its review as it stands on a day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from riskmodels.cards.words import day
from riskmodels.storage import canonical_json, sha256

Card = Mapping[str, Any]
# state of `riskmodels.governance.review.status_banner` -> phase and why. An approval has its stage's phase.
NOT_IN_USE = {
    "DRAFT": ("Development", "The model is not registered, and is not in use."),
    "AWAITING REVIEW": ("Development", "No decision names this card yet, so the tool is not in use."),
    "REFUSED": ("Development", "It was decided not to go on, so the tool is not in use."),
    "EXPIRED": ("Development", "The approval is over, so the tool may not be used until there is a new one."),
    "WITHDRAWN": ("Retired", "The approval was taken back, and the tool is no longer in use."),
}
STAGES = {
    "explore": ("Development", "The data may be explored. No list may be used."),
    "link": ("Development", "The data may be linked and tested. No list may be used."),
    "pilot": ("Private beta", "It is approved as a pilot, on the terms of the decision."),
    "live": ("Production", "It is approved for use, on the terms of the decision."),
}
EXAMPLE = "The decision in this record is an example, so nothing is in use."


def phase(card: Card, status: Mapping[str, Any] | None, sign_off: Sequence[Mapping[str, Any]] = ()) -> str | None:
    """The phase with its reason; None where the status of the day is not known.

    Parameters
    ----------
    status : {state, words, until, example}, as `riskmodels.governance.review.status_banner` gives it
    sign_off : the records on the model, oldest first
    """
    if status is None:
        return None
    name, why = NOT_IN_USE.get(status["state"]) or STAGES[_stage(card, status, sign_off)]
    if status["state"] == "APPROVED" and status.get("until"):
        why = f"{why} The approval ends on {day(str(status['until']))}."
    return f"{name}. {why}{f' {EXAMPLE}' if status.get('example') else ''}"


def _stage(card: Card, status: Mapping[str, Any], sign_off: Sequence[Mapping[str, Any]]) -> str:
    """The stage that is approved: of the approval that ends on this day, the one that names this card if there is."""
    approvals = [row for row in sign_off if row.get("owner_decision") == "approve" and row.get("expires")]
    found = [row for row in approvals if row["expires"] == status.get("until")]
    digest = card["edition_profile"].get("of") or sha256(canonical_json(dict(card)))
    named = [row for row in found if row.get("card_sha256") == digest]
    return str((named or found or [{"stage": "explore"}])[-1]["stage"])
