"""What a status means for a reader: its tag, its colour, and whether anybody may be on a list because of it.

A status is {state, words, until, example, stage}, as `riskmodels.governance.review.status_banner` gives it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

APPROVED = "APPROVED"
NOT_IN_USE = ("EXPIRED", "REFUSED", "WITHDRAWN", "RETIRED", "NEVER PROCEEDED")
# Approvals of these stages let no list be used (`riskmodels.governance.decision.STAGES_IN_USE`).
TRIED_OUT = {"explore": "APPROVED TO EXPLORE", "link": "APPROVED TO LINK"}
USED = ("pilot", "live")

Status = Mapping[str, Any]


def is_used(status: Status) -> bool:
    """Whether a real decision lets lists be used today: a pilot or live use."""
    return status["state"] == APPROVED and not status.get("example") and status.get("stage") in USED


def is_stopped(status: Status) -> bool:
    """Whether nothing is waited for: it was stopped, refused or replaced, or never went on."""
    return status["state"] in (*NOT_IN_USE, "REPLACED")


def tag(status: Status) -> str:
    """The state as it stands in colour: for what it is approved, and whether the decision is an example."""
    state = str(status["state"])
    if state == APPROVED:
        state = TRIED_OUT.get(str(status.get("stage")), state)
    return f"EXAMPLE: {state}" if status.get("example") else state
