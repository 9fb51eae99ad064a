"""What may be recorded after what was recorded before: an old decision does not undo a newer one."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest

from riskmodels.errors import GateError
from riskmodels.governance import review
from riskmodels.governance.chain import read_chain
from tests.governance.conftest import TODAY

TOMORROW = TODAY + dt.timedelta(days=1)


def state(governed: Any) -> dict[str, Any]:
    return review.status_banner(governed.card_sha256, governed.model_sha256, read_chain(governed.path), TODAY)


def test_fewer_may_advise_what_scores_nobody_or_is_refused(governed: Any) -> None:
    alone = {"members": 1, "lay": 0, "specialist": 0}
    assert governed.decide(quorum=alone, stage="explore") is not None
    assert governed.decide(quorum=alone, owner_decision="refuse", advice="do not proceed", expires=None) is None


# ---------------------------------------------------------------- after what was recorded before


def again(day: str, minute: str = "DEC-AGAIN") -> dict[str, Any]:
    return {"meeting": {"date": day, "minute": minute}}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "the same decision stands in the record already (record 1)"),
        ({"dissent": []}, "knew nothing of the withdrawal of 2026-11-23 (record 2)"),
        (again("2026-11-22"), "knew nothing of the withdrawal"),
        (again("2026-11-23", "DEC-2026-11-04"), "knew nothing of the withdrawal"),
    ],
)
def test_a_decision_from_before_a_withdrawal_does_not_undo_it(
    governed: Any, changes: dict[str, Any], words: str
) -> None:
    governed.decide()
    governed.withdraw()
    for day in (TODAY, TOMORROW):
        with pytest.raises(GateError, match=re.escape(words)):
            governed.decide(day, **changes)
    assert state(governed)["state"] == "WITHDRAWN"
    assert governed.decide(**again("2026-11-23")) is not None
    assert state(governed)["state"] == "APPROVED"


def test_a_decision_from_before_a_withdrawal_does_not_bring_another_card_back(governed: Any) -> None:
    governed.withdraw()
    governed.card = governed.card + b" "
    with pytest.raises(GateError, match="knew nothing of the withdrawal"):
        governed.decide()


def test_an_old_approval_does_not_undo_a_refusal(governed: Any) -> None:
    no = {"owner_decision": "refuse", "advice": "do not proceed", "expires": None}
    governed.decide()
    governed.decide(**no, **again("2026-11-22"))
    tries: list[dict[str, Any]] = [{}, {"dissent": []}]
    for changes in tries:
        with pytest.raises(GateError, match=r"the same decision stands|is before the meeting of 2026-11-22"):
            governed.decide(**changes)
    assert state(governed)["state"] == "REFUSED"
    governed.decide(**no)  # to say no is always possible
    assert governed.decide(**again("2026-11-23")) is not None


def test_an_old_approval_for_live_does_not_undo_that_live_was_refused_since(governed: Any) -> None:
    governed.decide()
    governed.decide(stage="live", owner_decision="refuse", advice="more information", expires=None,
                    **again("2026-11-22"))  # fmt: skip
    with pytest.raises(GateError, match="is before the meeting of 2026-11-22"):
        governed.decide(stage="live")


def test_the_same_approval_is_recorded_once(governed: Any) -> None:
    governed.decide()
    with pytest.raises(GateError, match=re.escape("the same decision stands in the record already (record 1)")):
        governed.decide()
    assert len(governed.lines) == 1
    assert governed.decide(**again("2026-11-20")) is not None
