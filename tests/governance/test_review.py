from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from riskmodels import storage
from riskmodels.errors import CardError, GateError
from riskmodels.governance import acts as decision_rules
from riskmodels.governance import chain as chain_file
from riskmodels.governance import decision as answering
from riskmodels.governance import review
from riskmodels.storage import locks
from tests.governance.conftest import DECISION

TODAY = dt.date(2026, 11, 23)
TOMORROW = TODAY + dt.timedelta(days=1)


# ---------------------------------------------------------------- what a secretary writes


def test_a_decision_written_by_a_secretary_is_read(tmp_path: Path) -> None:
    path = tmp_path / "decision.yaml"
    path.write_text(
        """
stage: live
advice: proceed
dissent: One member would rather have waited
quorum: {members: 9, lay: 4, specialist: 3}
meeting: {date: 2026-11-20, minute: DEC-2026-11-04}
owner_role: director of children's services
owner_decision: approve
expires: 2027-11-20
answers:
  "sex: F: recall": {reason: Reviewed by hand, expires: 2027-05-20}
trained_by_role: data scientist
approved_by_role: director of children's services
""",
        encoding="utf-8",
    )
    decision = decision_rules.load_decision(path)
    assert isinstance(decision, decision_rules.Decision)
    assert decision.dissent == ("One member would rather have waited",)
    assert decision.expires == dt.date(2027, 11, 20)
    assert decision.answers["sex: F: recall"].expires == dt.date(2027, 5, 20)
    assert not decision.example


CONDITION = {"text": "Tell parents", "owner": "head of service", "due": "2027-01-31"}
REFUSED = {
    "unknown stage": ({"stage": "production"}, "stage: write explore, link, pilot or live"),
    "unknown kind": ({"kind": "promotion"}, "kind: is one of decision, withdrawal"),
    "unknown key": ({"expiry": "2027-05-20"}, "expiry: unknown key; did you mean 'expires'?"),
    "condition without owner": ({"conditions": [{"text": "Tell"}]}, "yet: conditions[0].owner, conditions[0].due"),
    "condition with an empty owner": ({"conditions": [{**CONDITION, "owner": " "}]}, "conditions[0].owner: "),
    "condition met without evidence": ({"conditions": [{**CONDITION, "status": "met"}]}, "names its evidence"),
    "conditions without a condition": ({"conditions": []}, "conditions: is empty"),
    "self-approval": ({"trained_by_role": "Director of  Children's Services"}, "cannot also approve"),
    "self-approval by the approver": ({"approved_by_role": "Data Scientist"}, "cannot also approve"),
    "departs from advice": ({"advice": "do not proceed"}, "reason: 'approve' departs from the advice 'do not proceed'"),
    "refuses against advice": ({"owner_decision": "refuse"}, "reason: 'refuse' departs from the advice"),
    "no expiry": ({"expires": None}, "expires: an approval ends"),
    "pilot too long": ({"expires": "2027-05-21"}, "more than 6 months after the meeting of 2026-11-20"),
    "live too long": ({"stage": "live", "expires": "2027-11-21"}, "live may be approved until 2027-11-20 at most"),
    "wildcard": ({"answers": {"*": {"reason": "all fine", "expires": "2027-05-20"}}}, "'*' would answer"),
    "answer without expiry": ({"answers": {"sex": {"reason": "fine"}}}, "answers.sex.expires: is missing"),
    "contact details": ({"owner_role": "someone@example.org"}, "owner_role: names a role, never"),
    "telephone number": ({"owner_role": "director 0113 496 0000"}, "owner_role: names a role, never"),
    "quorum that does not add up": ({"quorum": {"members": 3, "lay": 2, "specialist": 2}}, "are more than 3"),
    "no minute": ({"meeting": {"date": "2026-11-20"}}, "meeting.minute: is missing"),
    "not a date": ({"meeting": {"date": "soon", "minute": "1"}}, "meeting.date: "),
}


@pytest.mark.parametrize(("changes", "words"), REFUSED.values(), ids=REFUSED)
def test_a_wrong_decision_is_one_line_with_the_path(
    decision_file: Callable[..., Path], changes: dict[str, Any], words: str
) -> None:
    path = decision_file(**changes)
    with pytest.raises(GateError) as refusal:
        decision_rules.load_decision(path)
    message = str(refusal.value)
    assert message.startswith(f"{path}: ")
    assert words in message
    assert "\n" not in message


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "a: [", "a: 1\na: 2\n", "kind: [decision]\n"])
def test_a_file_that_is_no_decision_is_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "decision.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(GateError, match=r"decision\.yaml"):
        decision_rules.load_decision(path)


def test_the_longest_periods_allowed_are_allowed(raw_decision: dict[str, Any]) -> None:
    assert decision_rules.parse_decision({**raw_decision, "expires": "2027-05-20"})
    assert decision_rules.parse_decision({**raw_decision, "stage": "live", "expires": "2027-11-20"})


def test_departing_from_advice_with_a_reason_is_recorded(governed: Any) -> None:
    approval = governed.decide(advice="do not proceed", reason="The pilot is how we learn")
    assert approval is not None
    assert chain_file.read_chain(governed.path)[0].act.reason == "The pilot is how we learn"


# ---------------------------------------------------------------- what must be answered


def test_a_flagged_gap_must_be_answered_and_answers_for_both_characteristics_cover_where_they_cross(
    governed: Any, raw_decision: dict[str, Any]
) -> None:
    card = json.loads(governed.card)
    flagged = {"attribute": "sex × ethnicity", "group": "F × Other", "metric": "recall", "verdict": "look here"}
    card["audit"]["contrasts"].append({**flagged, "family": "exploratory"})
    assert answering.verdicts_to_answer(card)[-1] == "sex × ethnicity: F × Other: recall"
    left = answering.unanswered(decision_rules.parse_decision(raw_decision), card, TODAY)
    assert left == ["sex × ethnicity: F × Other: recall"]  # it answers one verdict on sex, not the whole of it
    answers = dict.fromkeys(("sex", "ethnicity"), raw_decision["answers"]["ethnicity"])
    whole = decision_rules.parse_decision({**raw_decision, "answers": answers})
    assert answering.unanswered(whole, card, TODAY) == []


def test_only_primary_fails_and_insufficient_evidence_must_be_answered(governed: Any) -> None:
    assert answering.verdicts_to_answer(json.loads(governed.card)) == [
        "sex: F: recall",
        "ethnicity: Other: recall",
        "ethnicity: Other: oe_ratio",
    ]


@pytest.mark.parametrize("card", [{}, {"audit": None}, {"audit": {}}, {"audit": {"contrasts": [{}]}}])
def test_a_card_without_an_audit_has_not_nothing_to_answer(card: dict[str, Any]) -> None:
    with pytest.raises(CardError):
        answering.verdicts_to_answer(card)


@pytest.mark.parametrize(
    ("key", "left"),
    [
        ("ethnicity: Other: recall", ["ethnicity: Other: oe_ratio"]),
        ("ethnicity: Other", []),
        ("ethnicity", []),
        ("ethnic", ["ethnicity: Other: recall", "ethnicity: Other: oe_ratio"]),
        ("ethnicity: O", ["ethnicity: Other: recall", "ethnicity: Other: oe_ratio"]),
    ],
)
def test_an_answer_covers_what_stands_below_its_name_and_nothing_else(
    governed: Any, raw_decision: dict[str, Any], key: str, left: list[str]
) -> None:
    answers = {name: {"reason": "Read and accepted", "expires": "2027-05-01"} for name in ("sex", key)}
    decision = decision_rules.parse_decision({**raw_decision, "answers": answers})
    assert isinstance(decision, decision_rules.Decision)
    card = json.loads(governed.card)
    assert answering.unanswered(decision, card, TODAY) == left
    assert len(answering.unanswered(decision, card, dt.date(2027, 5, 2))) == 3


# ---------------------------------------------------------------- recording


def test_an_approval_is_returned_and_stands_in_the_chain(governed: Any) -> None:
    approval = governed.decide()
    assert approval is not None
    assert (approval.stage, approval.expires, approval.example) == ("pilot", dt.date(2027, 5, 20), True)
    (record,) = chain_file.read_chain(governed.path)
    assert (record.seq, record.previous, record.recorded_on) == (1, "0" * 64, TODAY)
    assert record.sha256 == approval.record_sha256
    assert (record.data_sha256, record.policy_sha256) == ("d" * 64, "e" * 64)
    assert governed.path.stat().st_mode & 0o077 == 0


def test_each_line_seals_the_one_before_it(governed: Any) -> None:
    governed.decide()
    governed.withdraw(TOMORROW)
    first, second = (json.loads(line) for line in governed.lines)
    assert second["previous"] == first["sha256"]
    seal = first.pop("sha256")
    plain = json.dumps(first, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    assert seal == storage.sha256(plain.encode())


REFUSED_TODAY = {
    "unanswered": ({"answers": {}}, "3 of the audit's verdicts not answered by name: sex: F: recall"),
    "expired already": ({"expires": "2026-11-22"}, "expires: 2026-11-22 is in the past"),
    "condition overdue already": ({"conditions": [{**CONDITION, "due": "2026-11-22"}]}, "conditions[0].due"),
    "answer lapsed already": (
        {"answers": {"sex": {"reason": "fine", "expires": "2026-11-22"}}},
        "answers.sex.expires: 2026-11-22 is in the past",
    ),
    "meeting to come": (
        {"meeting": {"date": "2026-11-24", "minute": "1"}, "expires": "2027-05-20"},
        "meeting.date: 2026-11-24 is still to come",
    ),
    "an answer about nobody": (
        {"answers": {**DECISION["answers"], "gender: F": {"reason": "fine", "expires": "2027-05-20"}}},
        "answers.gender: F: the audit holds no such characteristic (ethnicity, sex, sex x ethnicity)",
    ),
    "two members": ({"quorum": {"members": 2, "lay": 1, "specialist": 1}}, "quorum: 2 members, 1 lay and 1 specialist"),
    "no lay member": ({"quorum": {"members": 9, "lay": 0, "specialist": 3}}, "one of them lay and one a specialist"),
    "no specialist": ({"quorum": {"members": 9, "lay": 4, "specialist": 0}, "stage": "live"}, "live use is advised by"),
}


@pytest.mark.parametrize(("changes", "words"), REFUSED_TODAY.values(), ids=REFUSED_TODAY)
def test_what_cannot_hold_today_is_not_recorded(governed: Any, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(GateError) as refusal:
        governed.decide(**changes)
    assert words in str(refusal.value)
    assert not governed.path.exists()


def test_a_decision_on_another_card_is_not_recorded(governed: Any, raw_decision: dict[str, Any]) -> None:
    decision = decision_rules.parse_decision(raw_decision)
    digests: dict[str, Any] = {
        "model_sha256": "a" * 64,
        "data_sha256": "d" * 64,
        "policy_sha256": "e" * 64,
        "today": TODAY,
    }
    with pytest.raises(GateError, match="not the one that was registered"):
        review.record(governed.path, decision, card_sha256="b" * 64, card=governed.card, **digests)
    with pytest.raises(GateError, match="not the one that was registered"):
        review.record(governed.path, decision, card_sha256=governed.card_sha256, **digests)


def test_a_refusal_needs_no_answers_and_is_no_approval(governed: Any) -> None:
    assert governed.decide(owner_decision="refuse", advice="do not proceed", answers={}, expires=None) is None
    chain = chain_file.read_chain(governed.path)
    assert review.current_approval(chain, governed.model_sha256, governed.card_sha256, TODAY) is None


def test_a_clock_set_back_is_not_recorded(governed: Any) -> None:
    governed.decide(TOMORROW)
    with pytest.raises(GateError, match="correct the clock"):
        governed.withdraw(TODAY)
    assert len(governed.lines) == 1


# ---------------------------------------------------------------- tampering


@pytest.fixture
def three(governed: Any) -> Any:
    governed.decide()
    governed.withdraw()
    governed.decide_again(TOMORROW)
    assert len(chain_file.read_chain(governed.path)) == 3
    return governed


def refusal_of(governed: Any) -> str:
    with pytest.raises(GateError) as refusal:
        chain_file.read_chain(governed.path)
    return str(refusal.value)


@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize("text", [b"20", b"role", b'"seq"', b'{"', b"}"])
def test_an_edited_line_is_named(three: Any, number: int, text: bytes) -> None:
    lines = three.lines
    lines[number - 1] = lines[number - 1].replace(text, text + b" ", 1)
    three.rewrite(lines)
    assert f"line {number}:" in refusal_of(three)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 10**6), byte=st.integers(0, 255))
def test_any_changed_byte_is_noticed(three: Any, place: int, byte: int) -> None:
    whole = three.path.read_bytes()
    place %= len(whole)
    changed = whole[:place] + bytes([byte]) + whole[place + 1 :]
    if changed == whole:
        return
    three.path.write_bytes(changed)
    try:
        refusal_of(three)
    finally:
        three.path.write_bytes(whole)


@pytest.mark.parametrize("seal_again", [False, True])
def test_a_line_edited_and_sealed_again_does_not_fit_the_next(three: Any, seal_again: bool) -> None:
    lines = three.lines
    body = json.loads(lines[1])
    body["act"]["reason"] = "Never mind"
    if seal_again:
        del body["sha256"]
        body["sha256"] = storage.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode())
    lines[1] = json.dumps(body, sort_keys=True, separators=(",", ":")).encode() + b"\n"
    three.rewrite(lines)
    assert f"line {3 if seal_again else 2}:" in refusal_of(three)


@pytest.mark.parametrize("order", [(1, 0, 2), (0, 2, 1), (2, 1, 0), (0, 2), (1, 2), (0, 0, 1, 2), (0, 1, 2, 2)])
def test_moved_deleted_and_repeated_lines_are_noticed(three: Any, order: tuple[int, ...]) -> None:
    lines = three.lines
    three.rewrite([lines[position] for position in order])
    assert ", line " in refusal_of(three)


@pytest.mark.parametrize("kept", [0, 1, 2])
def test_lines_cut_from_the_end_are_noticed(three: Any, kept: int) -> None:
    three.rewrite(three.lines[:kept])
    assert f"line {kept + 1}: is missing (3 were recorded)" in refusal_of(three)


def test_a_deleted_chain_is_noticed(three: Any) -> None:
    three.path.unlink()
    assert "line 1: is missing (3 were recorded)" in refusal_of(three)


@pytest.mark.parametrize("kept", [1, 2, 3])
def test_a_deleted_head_is_noticed(three: Any, kept: int) -> None:
    three.path.with_suffix(".head").unlink()
    three.rewrite(three.lines[:kept])
    assert "reading_help.head: is missing" in refusal_of(three)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"seq": "3", "sha256": 1}', b'{"seq": -1, "sha256": ""}'])
def test_a_damaged_head_is_one_line(three: Any, content: bytes) -> None:
    three.path.with_suffix(".head").write_bytes(content)
    assert "reading_help.head" in refusal_of(three)


@pytest.mark.parametrize("seq", [0, 1])
def test_a_head_put_back_is_noticed(three: Any, seq: int) -> None:
    seal = json.loads(three.lines[0])["sha256"] if seq else "0" * 64
    three.path.with_suffix(".head").write_bytes(storage.canonical_json({"seq": seq, "sha256": seal}))
    assert "does not agree with the head file" in refusal_of(three)


def test_a_last_line_cut_short_is_noticed(three: Any) -> None:
    whole = three.path.read_bytes()
    for cut in (1, 2, 100):
        three.path.write_bytes(whole[:-cut])
        assert "line 3: is cut short" in refusal_of(three)


def _withdraw_many(governed: Any, times: int) -> None:
    for _ in range(times):
        governed.withdraw()


def test_writers_at_once_do_not_interleave(governed: Any) -> None:
    writers = [threading.Thread(target=_withdraw_many, args=(governed, 6)) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [record.seq for record in chain_file.read_chain(governed.path)] == list(range(1, 25))


def test_without_a_lock_recording_still_works(governed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "fcntl", None)
    assert governed.decide() is not None


# ---------------------------------------------------------------- what the chain says


def state(governed: Any, today: dt.date = TODAY, **keywords: Any) -> dict[str, Any]:
    chain = chain_file.read_chain(governed.path)
    return review.status_banner(governed.card_sha256, governed.model_sha256, chain, today, **keywords)


def test_the_approval_holds_through_the_day_it_expires(governed: Any) -> None:
    governed.decide()
    chain = chain_file.read_chain(governed.path)
    ask = (chain, governed.model_sha256, governed.card_sha256)
    assert review.current_approval(*ask, dt.date(2027, 5, 20)) is not None
    assert review.current_approval(*ask, dt.date(2027, 5, 21)) is None
    assert review.current_approval(chain, "a" * 64, governed.card_sha256, TODAY) is None
    assert review.current_approval(chain, governed.model_sha256, "b" * 64, TODAY) is None


def test_the_banner_says_where_a_card_stands(governed: Any) -> None:
    assert state(governed, registered=False)["state"] == "DRAFT"
    assert state(governed)["state"] == "AWAITING REVIEW"
    governed.decide()
    approved = state(governed)
    assert (approved["state"], approved["until"], approved["example"]) == ("APPROVED", "2027-05-20", True)
    assert approved["words"].startswith("EXAMPLE DECISION, NOT A REAL ONE. APPROVED until 20 May 2027 (stage: pilot)")
    assert "Conditions still open: 1." in approved["words"]
    assert state(governed, dt.date(2027, 5, 21))["state"] == "EXPIRED"
    governed.withdraw()
    assert state(governed)["words"] == "WITHDRAWN on 23 November 2026 by the director: The source table changed"
    governed.decide(owner_decision="refuse", advice="more information", expires=None, example=False)
    assert state(governed)["state"] == "REFUSED"
    assert state(governed)["words"].endswith("advice: more information)")


def test_a_new_card_of_an_approved_model_awaits_review(governed: Any) -> None:
    governed.decide()
    governed.card = b"{}"
    assert state(governed)["state"] == "AWAITING REVIEW"
    assert "An earlier card" in state(governed)["words"]


def test_a_withdrawal_counts_for_every_card_of_the_model(governed: Any) -> None:
    governed.decide()
    signed, governed.card = governed.card, b"{}"
    governed.withdraw()
    governed.card = signed
    assert state(governed)["state"] == "WITHDRAWN"
    governed.decide_again()
    assert state(governed)["state"] == "APPROVED"
    governed.card = b"{}"
    assert state(governed)["state"] == "WITHDRAWN"


def test_the_sign_off_shows_every_record_of_a_model_in_plain_texts(governed: Any) -> None:
    governed.decide()
    governed.withdraw(TOMORROW)
    rows = review.sign_off_rows(chain_file.read_chain(governed.path), governed.model_sha256)
    assert json.loads(json.dumps(rows)) == rows
    decided, withdrawn = rows
    assert (decided["record"], decided["kind"], decided["example"]) == (1, "decision", True)
    assert decided["conditions"] == ["Tell parents in writing (owner: head of service, due 2027-01-31, open)"]
    assert "sex: F: recall: Places for girls are reviewed by hand (until 2027-05-20)" in decided["answers"]
    assert decided["dissent"] == ["One lay member would wait for another year of data"]
    assert decided["card_sha256"] == governed.card_sha256
    assert (withdrawn["recorded_on"], withdrawn["reason"]) == ("2026-11-24", "The source table changed")
    assert review.sign_off_rows(chain_file.read_chain(governed.path), "a" * 64) == []


def test_an_approval_to_explore_says_that_it_does_not_allow_scoring(governed: Any) -> None:
    governed.decide(stage="explore")
    assert "explore, which does not allow scoring" in state(governed)["words"]
