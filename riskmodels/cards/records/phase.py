"""How far the tool has come (field 0.3), from its review as it stands on a day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from riskmodels.cards.words import day
from riskmodels.errors import CardError
from riskmodels.storage import canonical_json, sha256

Card = Mapping[str, Any]
RETIRED = "Retired"
APPROVED = "APPROVED"
# State of `riskmodels.governance.review.status_banner`, of a notice or of the register -> phase and why. None: as the
# words of the status say it, which know who stopped it and whether it was ever used. An approval has its stage's phase.
NOT_IN_USE = {
    "DRAFT": ("Development", "The model is not registered, and is not in use."),
    "AWAITING REVIEW": ("Development", "No decision names this card yet, so the tool is not in use."),
    "REFUSED": ("Development", "It was decided not to go on, so the tool is not in use."),
    "EXPIRED": ("Development", "The approval is over, so the tool may not be used until there is a new one."),
    "REPLACED": (RETIRED, "A later version took the place of this one, on which nobody had decided."),
    "WITHDRAWN": (RETIRED, None),
    "RETIRED": (RETIRED, None),
    "NEVER PROCEEDED": (RETIRED, None),
}
STAGES = {
    "explore": ("Development", "The data may be explored. No list may be used."),
    "link": ("Development", "The data may be linked and tested. No list may be used."),
    "pilot": ("Private beta", "It is approved as a pilot, on the terms of the decision."),
    "live": ("Production", "It is approved for use, on the terms of the decision."),
}
EXAMPLE = "The decision in this record is an example, so nothing is in use."


def phase(card: Card, status: Mapping[str, Any] | None, sign_off: Sequence[Mapping[str, Any]] = ()) -> str | None:
    """The phase with its reason; None where the status of the day is not known, or for what it is approved.

    Parameters
    ----------
    status : {state, words, until, example, stage}, as `riskmodels.governance.review.status_banner` gives it
    sign_off : the records on the model, oldest first, which are asked where the status names no stage

    Raises
    ------
    CardError
        for a state that the record has no phase for.
    """
    if status is None:
        return None
    if status["state"] == APPROVED:
        stage = status.get("stage") or _stage(card, status, sign_off)
        if stage is None:
            return None
        name, why = STAGES[stage]
    else:
        name, why = _not_in_use(status)
    if status["state"] == APPROVED and status.get("until"):
        why = f"{why} The approval ends on {day(str(status['until']))}."
    return f"{name}. {why}{f' {EXAMPLE}' if status.get('example') else ''}"


def _not_in_use(status: Mapping[str, Any]) -> tuple[str, str]:
    """The phase of what nobody may use."""
    state = str(status["state"])
    if state not in NOT_IN_USE:
        raise CardError(
            f"the public record, 0.3 (Phase): there is no phase for the state {state!r} of the review; report it to "
            "those who keep this package"
        )
    name, why = NOT_IN_USE[state]
    return name, _in_its_own_words(status) if why is None else why


def _in_its_own_words(status: Mapping[str, Any]) -> str:
    """``WITHDRAWN on 3 May by the Director: ...`` -> "Withdrawn on 3 May by the Director: ..."."""
    state, words = str(status["state"]), str(status["words"])
    _, found, rest = words.partition(state)
    said = f"{state.capitalize()}{rest}" if found else words
    return said if said.endswith((".", "!", "?")) else f"{said}."


def _stage(card: Card, status: Mapping[str, Any], sign_off: Sequence[Mapping[str, Any]]) -> str | None:
    """The stage that is approved. Of approvals that end on this day, the one that names this card if there is."""
    approvals = [row for row in sign_off if row.get("owner_decision") == "approve" and row.get("expires")]
    found = [row for row in approvals if row["expires"] == status.get("until")]
    digest = card["edition_profile"].get("of") or sha256(canonical_json(dict(card)))
    named = [row for row in found if row.get("card_sha256") == digest] or found
    return str(named[-1]["stage"]) if named else None
