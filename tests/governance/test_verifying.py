"""What our own commands never write is found in a record whose seals all fit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from riskmodels.governance import registry
from riskmodels.governance.acts import Evidence, Promotion, parse_decision
from riskmodels.governance.verifying import contradictions, unexplained_batches, unlisted
from tests.governance.conftest import DECISION, STUDY, TODAY
from tests.governance.review_workspace import Made

TOMORROW = TODAY + dt.timedelta(days=1)
WITHDRAWAL = parse_decision({"kind": "withdrawal", "reason": "The source changed", "owner_role": "director"})
AFTER = dt.date(2027, 5, 21)  # the day after the approval


def promotion(**changes: Any) -> Promotion:
    said = {"stage": "pilot", "version": 1, "by_role": "head of service"}
    return Promotion.model_validate(said | changes)


def evidence(**changes: Any) -> Evidence:
    said = {"decision": 1, "condition": 1, "evidence": "The letter of 30 November", "by_role": "head of service"}
    return Evidence.model_validate(said | changes)


def decide(made: Made, **changes: Any) -> None:
    made.append(parse_decision({**DECISION, **changes}))


def test_what_our_commands_write_does_not_contradict_itself(made: Made) -> None:
    made.decide()
    made.promote()
    made.append(evidence())
    made.append(
        parse_decision({"kind": "withdrawal", "reason": "The source changed", "owner_role": "director"}), TOMORROW
    )
    made.decide_again(TOMORROW)
    made.append(promotion(rollback=True, reason="It is whole again"), TOMORROW)
    assert contradictions(made.records) == []
    assert unlisted(made.records, registry.read_index(made.workspace)[STUDY].versions) == []


FAULTS: dict[str, tuple[Callable[[Made], Any], str]] = {
    "a champion without a decision": (
        lambda made: made.append(promotion()), "record 1 makes version 1 champion for pilot, but no approval for pilot",
    ),
    "a champion that was refused": (
        lambda made: (decide(made, owner_decision="refuse", advice="do not proceed", expires=None), made.promote()),
        "record 2 makes version 1 champion for pilot, but no approval for pilot was in force",
    ),
    "a champion for a stage that was not decided": (
        lambda made: (decide(made), made.append(promotion(stage="live"))),
        "record 2 makes version 1 champion for live, but no approval for live was in force",
    ),
    "a champion after the approval": (
        lambda made: (decide(made), made.append(promotion(), AFTER)),
        "record 2 makes version 1 champion for pilot, but the approval had ended on 2027-05-20",
    ),
    "a champion by the one who trained it": (
        lambda made: (decide(made), made.append(promotion(by_role="Data  Scientist"))),
        "record 2 makes version 1 champion for pilot by the Data  Scientist, who trained it",
    ),
    "evidence for no decision": (
        lambda made: made.append(evidence()), "record 1 says that condition 1 of record 1 is met, and there is none",
    ),
    "evidence for no condition": (
        lambda made: (decide(made), made.append(evidence(condition=2))),
        "record 2 says that condition 2 of record 1 is met, and there is none",
    ),
    "evidence twice": (
        lambda made: (decide(made), made.append(evidence()), made.append(evidence())),
        "record 3 says that condition 1 of record 1 is met, which an earlier record says already",
    ),
    "a meeting that was still to come": (
        lambda made: decide(made, meeting={"date": "2026-12-01", "minute": "1"}),
        "record 1 of 2026-11-23 is of a meeting that came later, on 2026-12-01",
    ),
    "an approval that was over": (
        lambda made: decide(made, meeting={"date": "2026-10-01", "minute": "1"}, expires="2026-11-01", conditions=[],
                            advice="proceed"),
        "record 1 of 2026-11-23 approves until 2026-11-01, which was over by then",
    ),
    "a withdrawal undone by the decision before it": (
        lambda made: (decide(made), made.append(WITHDRAWAL), decide(made, dissent=[])),
        "record 3 of 2026-11-23 was not to be recorded: meeting.date: the meeting of 2026-11-20",
    ),
    "the same approval once more": (
        lambda made: (decide(made), decide(made)),
        "record 2 of 2026-11-23 was not to be recorded: the same decision stands in the record already (record 1)",
    ),
    "use that too few advised": (
        lambda made: decide(made, quorum={"members": 2, "lay": 1, "specialist": 1}),
        "record 1 of 2026-11-23 was not to be recorded: quorum: 2 members, 1 lay and 1 specialist",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("plant", "words"), FAULTS.values(), ids=FAULTS)
def test_what_they_never_write_is_found(made: Made, plant: Callable[[Made], Any], words: str) -> None:
    plant(made)
    (found,) = contradictions(made.records)
    assert found.startswith(words)


def test_days_that_run_backwards_are_found(made: Made) -> None:
    made.decide()
    first = made.records[0]
    earlier = replace(first, seq=2, recorded_on=TODAY - dt.timedelta(days=1))
    assert "record 2 is of 2026-11-22, before record 1 of 2026-11-23" in contradictions([first, earlier])


def test_a_record_on_what_is_not_registered_is_found(made: Made) -> None:
    made.decide()
    made.promote(version=2)
    (entry,) = registry.read_index(made.workspace)[STUDY].versions
    assert unlisted(made.records, []) == [
        f"record {number} is on a model or card ({entry.model_sha256[:12]}) that models.json does not list"
        for number in (1, 2)
    ]
    assert unlisted(made.records, [entry]) == [
        "record 2 makes version 2 champion, but the model is version 1 in models.json"
    ]
    other = entry.model_copy(update={"policy_sha256": "f" * 64})
    assert "names other data or another policy than version 1" in unlisted(made.records, [other])[0]


def batch(model: str, day: str) -> dict[str, Any]:
    return {"batch_id": "0123abcd", "study": STUDY, "model_sha256": model, "scored_on": day}


@pytest.mark.parametrize(
    ("day", "explained"),
    [("2026-11-22", False), ("2026-11-23", True), ("2026-11-24", True), ("2026-11-25", True), ("2026-11-26", False),
     ("soon", False)],
)  # fmt: skip
def test_a_batch_is_made_while_its_model_is_champion(made: Made, day: str, explained: bool) -> None:
    made.decide()
    made.promote()
    withdrawal = {"kind": "withdrawal", "reason": "The source changed", "owner_role": "director"}
    made.append(parse_decision(withdrawal), dt.date(2026, 11, 25))
    found = unexplained_batches(made.records, [batch(made.digests.model, day)])
    assert (found == []) is explained
    assert unexplained_batches(made.records, [batch("a" * 64, day)])  # another model never was
    assert unexplained_batches([], [batch(made.digests.model, day)])  # nor was anything by a record that is gone
