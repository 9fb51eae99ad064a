"""What a card has to say before its model is registered, decided on or used: rules that need the card and no record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from riskmodels.errors import GateError

SEALED = {"data": "data", "policy": "policy of the fairness audit"}
"""The digests of a card that a record seals too, and what they are of."""


def unanswered_concerns(card: Mapping[str, Any]) -> list[str]:
    """The checks that raised a concern which the study does not answer, by their words."""
    return [check for check, answer in _concerns(card).items() if not answer]


def refuse_unanswered_concerns(card: Mapping[str, Any]) -> None:
    """Raises GateError naming the first check that raised a concern which the study does not answer."""
    found = unanswered_concerns(card)
    if found:
        raise GateError(
            f"a check of the data raised a concern that nobody has answered ({found[0]}); answer it under accepted in "
            "study.yaml, run the study, and have it reviewed"
        )


def refuse_untested(card: Mapping[str, Any], stage: str) -> None:
    """Raises GateError if live use is asked for, and a known break came after the model's last test."""
    from riskmodels.data.leakage import DETECTORS

    # An answer explains the concern; it does not make up for the test.
    if stage == "live" and DETECTORS["break_spanned"].words in _concerns(card):
        raise GateError(
            "the approval is for live use, but the model was never tested on the present: a known break came after its "
            "last test; approve a pilot, or test again once outcomes from after the break are known"
        )


def refuse_other_inputs(card: Mapping[str, Any], named: Mapping[str, str], where: str) -> None:
    """Raises GateError if another data set or policy is named somewhere than the card was built from.

    Parameters
    ----------
    named : what is named there, as ``data`` and ``policy``
    where : where that is, in words
    """
    digests = card.get("digests")
    held = digests if isinstance(digests, Mapping) else {}
    for key, what in SEALED.items():
        if not held.get(key) or held[key] != named.get(key):
            raise GateError(
                f"{where} names {str(named.get(key))[:12]} as the {what}, and the card {str(held.get(key))[:12]}; "
                "restore what was changed from a copy, or run the study again and have it reviewed"
            )


def may_register(card: Mapping[str, Any]) -> None:
    """Refuse a card without a fairness audit or without leak checks.

    Raises
    ------
    GateError
    """
    audit, annex = card.get("audit"), card.get("annex")
    checks = annex.get("checks") if isinstance(annex, Mapping) else None
    if not isinstance(audit, Mapping) or not audit.get("verdict"):
        raise GateError("the card holds no fairness audit, and no model is registered without one; run the study whole")
    if not (checks.get("rows") if isinstance(checks, Mapping) else checks):
        raise GateError("the card holds no leak checks, and no model is registered without them; run the study whole")


def _concerns(card: Mapping[str, Any]) -> dict[str, str | None]:
    """The checks that raised a concern, by their words, and why each was accepted."""
    table = card.get("annex", {}).get("checks") or {"columns": [], "rows": []}
    rows = [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]
    return {str(row["Check"]): row.get("Accepted because") for row in rows if row.get("Result") == "concern"}
