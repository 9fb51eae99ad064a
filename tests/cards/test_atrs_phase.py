"""The phase of the public record: it follows the review of the day, and never says more than that."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from riskmodels.cards.records.atrs import PHASE, build_record
from riskmodels.cards.records.phase import NOT_IN_USE, phase
from riskmodels.errors import CardError
from riskmodels.governance.notice import Notice
from riskmodels.reports.site_words import STATES
from tests.cards import example_card as example

APPROVED = {"state": "APPROVED", "words": "APPROVED", "until": "2027-05-22", "example": False}
SIGNED = {"owner_decision": "approve", "expires": "2027-05-22"}


def status(state: str, **more: Any) -> dict[str, Any]:
    return {"state": state, "words": f"{state}. So it was decided.", "until": None, "example": False, **more}


def phase_of(status: dict[str, Any], sign_off: Any = ()) -> str | None:
    found = build_record(example.card().to_dict(), status, sign_off)
    return next(field.text for field in found if field.item == PHASE)


@pytest.mark.parametrize(
    ("status", "sign_off", "begins"),
    [
        (status("DRAFT"), (), "Development. The model is not registered"),
        (status("AWAITING REVIEW"), (), "Development. No decision names this card"),
        (status("REFUSED"), (), "Development. It was decided not to go on"),
        (status("REPLACED"), (), "Retired. A later version took the place of this one"),
        ({**APPROVED, "state": "EXPIRED"}, ({**SIGNED, "stage": "live"},), "Development. The approval is over"),
        (APPROVED, ({**SIGNED, "stage": "pilot"},), "Private beta."),
        (APPROVED, ({**SIGNED, "stage": "live"},), "Production."),
        (APPROVED, ({**SIGNED, "stage": "explore"},), "Development. The data may be explored"),
        # An older approval, that ended on another day, is not the one that stands.
        (APPROVED, ({**SIGNED, "stage": "live", "expires": "2026-01-01"}, {**SIGNED, "stage": "pilot"}), "Private"),
        # What the status says itself comes first.
        ({**APPROVED, "stage": "pilot"}, ({**SIGNED, "stage": "live"},), "Private beta."),
        ({**APPROVED, "stage": "live"}, (), "Production."),
    ],
)
def test_the_phase_follows_the_review(status: dict[str, Any], sign_off: Any, begins: str) -> None:
    assert str(phase_of(status, sign_off)).startswith(begins)


def test_without_the_stage_that_is_approved_nothing_is_drafted() -> None:
    assert phase_of(APPROVED) is None


@pytest.mark.parametrize("state", sorted({*STATES, *NOT_IN_USE} - {"APPROVED"}))
def test_every_state_of_the_register_has_a_phase_and_none_but_an_approval_lets_data_be_explored(state: str) -> None:
    text = str(phase_of(status(state, stage="live"), ({**SIGNED, "stage": "live"},)))
    assert text.startswith(("Development. ", "Retired. "))
    assert "explored" not in text
    assert "approved" not in text


@pytest.mark.parametrize(
    ("state", "says"),
    [
        (
            "never_proceeded",
            "Retired. Never proceeded. Stopped on 4 December 2026, before it was used, by the Director",
        ),
        ("retired", "Retired. Retired on 4 December 2026 by the Director: A plain rule did as well."),
        # Nothing was ever approved, so no approval was taken back.
        ("withdrawn", "Retired. Withdrawn on 4 December 2026 by the Director: A plain rule did as well."),
    ],
)
def test_a_tool_that_stopped_says_so_in_the_words_of_its_notice(state: Any, says: str) -> None:
    notice = Notice(state=state, on=dt.date(2026, 12, 4), by="Director", why="A plain rule did as well.")
    text = str(phase_of(notice.status()))
    assert text.startswith(says)
    assert "approval" not in text


def test_a_state_without_a_phase_is_refused() -> None:
    with pytest.raises(CardError, match=r"0\.3 \(Phase\): there is no phase for the state 'PAUSED' of the review"):
        phase(example.card().to_dict(), status("PAUSED"))


@pytest.mark.parametrize("state", ["APPROVED", "WITHDRAWN"])
def test_an_example_decision_puts_nothing_into_use(state: str) -> None:
    words = f"EXAMPLE DECISION, NOT A REAL ONE. {state} on 3 May 2026 by the Director: Unsafe"
    text = str(phase_of({**APPROVED, "state": state, "words": words, "example": True, "stage": "pilot"}))
    assert text.endswith("The decision in this record is an example, so nothing is in use.")
    assert state != "WITHDRAWN" or text.startswith("Retired. Withdrawn on 3 May 2026 by the Director: Unsafe. The")
