"""What may be written into an act: what does not show is refused, roles are told apart, days and counts are taken as
they stand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from riskmodels.errors import GateError
from riskmodels.governance.acts import Evidence, Promotion, Withdrawal, load_decision, parse_decision
from riskmodels.governance.decision import Decision, not_named, same_role
from riskmodels.study import validated
from tests.governance.acting import HEAD, Acting, name
from tests.governance.conftest import CARD, DECISION, STUDY, contrast
from tests.governance.review_workspace import Made

UNSEEN = {
    "\x1b": "U+001B, a control character",
    "\x9b": "U+009B, a control character",
    "\t": "U+0009, a control character",
    "\r": "U+000D, a control character",
    "\u202e": "U+202E, right-to-left override",
    "\u2067": "U+2067, right-to-left isolate",
    "\u200b": "U+200B, zero width space",
    "\u00ad": "U+00AD, soft hyphen",
    "\u2028": "U+2028, line separator",
    "\u3164": "U+3164, hangul filler",
    "\U000e0041": "U+E0041, tag latin capital letter a",
    "\U000e0101": "U+E0101, variation selector-18",
}
TRAINER = DECISION["trained_by_role"]
LOOK_ALIKES = {
    "no width": "data\u200b scientist",
    "a soft hyphen": "data sci\u00adentist",
    "Cyrillic": "d\u0430t\u0430 scientist",
    "Cyrillic alone": "\u0441\u043e\u0435",
    "no dot": "data sc\u0131entist",
    "Latin of phonetics": "d\u0251ta scientist",
    "a line of its own": "data\nscientist",
    "no letters": "... 12",
}
SAME = {
    "full width": "\uff44\uff41\uff54\uff41 scientist",
    "a hyphen": "data-scientist",
    "one word": "DataScientist",
    "a stop": "Data scientist.",
    "an accent": "d\u00e1ta scientist",
    "wide blanks": "data\u00a0\u2003scientist",
    "ligatures and capitals": "DATA SCIENTIST",
}


def refused(raw: dict[str, Any]) -> str:
    with pytest.raises(GateError) as refusal:
        parse_decision({**DECISION, **raw}, "decision.yaml")
    assert "\n" not in str(refusal.value)
    return str(refusal.value)


# ---------------------------------------------------------------- what does not show


@pytest.mark.parametrize("letter", UNSEEN)
def test_a_character_that_does_not_show_is_refused_by_name_and_never_repeated(letter: str) -> None:
    told = refused({"dissent": ["fine", f"one {letter}member"]})
    assert f"dissent[1]: holds a character that does not show ({UNSEEN[letter]}); take it out" in told
    assert letter not in told


def test_what_shows_is_taken_blanks_of_other_widths_and_ends_of_lines_too() -> None:
    text = "Llŷr’s “view”: 3\u00a0×\u202f4 – naïve,\nשלום, 🙂"
    decision = parse_decision({**DECISION, "dissent": [text]})
    assert isinstance(decision, Decision)
    assert decision.dissent == (text,)


@pytest.mark.parametrize("key", ["reason", "owner_role", "minute", "instead"])
def test_no_text_of_a_withdrawal_is_an_exception(key: str) -> None:
    said = {"kind": "withdrawal", "reason": "The data changed", "owner_role": "director"}
    assert parse_decision(said)
    with pytest.raises(GateError, match=f"{key}: holds a character that does not show"):
        parse_decision(said | {key: "words\x1b[2J"})


def test_nor_is_what_is_typed(acting: Acting) -> None:
    why = "Fewer found\x1b[2J"
    for command in (
        ["withdraw", name(2), "--by", HEAD, "--reason", why],
        ["rollback", STUDY, "--by", HEAD, "--reason", why],
        ["review", "met", name(2), "--condition", "1", "--evidence", why, "--by", HEAD],
    ):
        told = acting.told(6, *command)
        assert "holds a character that does not show (U+001B" in told
        assert "\x1b" not in told


def test_a_name_of_an_answer_may_hold_it_only_where_the_audit_does(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    from riskmodels import storage
    from riskmodels.governance.recordable import refuse_today

    found = {**CARD, "audit": {"verdict": "FAIL", "contrasts": [contrast("sex", "F\u200b", "recall", "FAIL")]}}
    card = storage.canonical_json(found)
    for key, fine in (("sex: F\u200b", True), ("sex: F\u200b: recall", True), ("sex: M\u200b", False)):
        answers = {
            "sex": {"reason": "By hand", "expires": "2027-05-20"},
            key: {"reason": "Too", "expires": "2027-05-20"},
        }
        for decides in ({}, {"owner_decision": "refuse", "reason": "Not yet"}):
            decision = parse_decision({**DECISION, **decides, "answers": answers})
            assert isinstance(decision, Decision)
            asked = (decision, card, "a" * 64, storage.sha256(card), decision.meeting.date)
            if fine:
                refuse_today(*asked)
            else:
                with pytest.raises(GateError, match="answers, name 2: holds a character that does not show") as told:
                    refuse_today(*asked)
                assert "\u200b" not in str(told.value)


def test_a_key_that_is_refused_is_not_repeated_as_it_is() -> None:
    assert "\x1b" not in refused({"\x1b[2Jreason": "fine"})
    assert "\x1b" not in refused({"answers": {"sex\x1b": {"reason": "\x1b", "expires": "2027-05-20"}}})
    assert "\x1b" not in refused({"answers": {**DECISION["answers"], "a\x1b": None, "b\x1b": None}})


# ---------------------------------------------------------------- roles


@pytest.mark.parametrize("role", LOOK_ALIKES.values(), ids=LOOK_ALIKES)
@pytest.mark.parametrize("key", ["trained_by_role", "approved_by_role", "owner_role"])
def test_a_role_that_looks_like_another_is_refused(key: str, role: str) -> None:
    assert f"decision.yaml: {key}: " in refused({key: role})


@pytest.mark.parametrize("role", LOOK_ALIKES.values(), ids=LOOK_ALIKES)
def test_nobody_promotes_under_one(acting: Acting, role: str) -> None:
    acting.told(6, "promote", name(3), "--by", role)


@pytest.mark.parametrize("role", SAME.values(), ids=SAME)
def test_a_role_that_is_written_otherwise_is_the_same(acting: Acting, role: str) -> None:
    assert same_role(TRAINER, role)
    assert "trained the model cannot also approve it" in refused({"approved_by_role": role})
    assert "cannot promote it too" in acting.told(6, "promote", name(3), "--by", role)


def test_other_roles_are_others() -> None:
    assert not same_role(TRAINER, "data scientists", "head of data", "scientist data")
    assert parse_decision({**DECISION, "approved_by_role": "Pennaeth Gwasanaeth Plant (Môn) & Arfon"})


# ---------------------------------------------------------------- days and counts


@pytest.mark.parametrize(
    "written", ["1811635200", "2027-05-20T00:00:00", "2027-05-20 10:00:00", "20270520", "true", "20 May 2027", "2027.5"]
)
def test_what_is_no_day_is_refused(tmp_path: Path, written: str) -> None:
    whole = "\n".join(f"{key}: {value!r}" for key, value in DECISION.items() if key not in ("expires", "example"))
    path = tmp_path / "decision.yaml"
    path.write_text(f"{whole}\nexpires: 2027-05-20\n")
    assert load_decision(path)
    path.write_text(f"{whole}\nexpires: {written}\n")
    with pytest.raises(GateError, match=r"expires: is not a day; a day reads like 2026-11-30"):
        load_decision(path)


def test_a_day_that_the_calendar_does_not_have_is_refused() -> None:
    assert "expires: the calendar has no day 2027-02-30" in refused({"expires": "2027-02-30"})


@pytest.mark.parametrize("count", [True, "9", 9.0])
@pytest.mark.parametrize("key", ["members", "lay", "specialist"])
def test_what_is_no_count_is_refused(key: str, count: Any) -> None:
    assert f"decision.yaml: quorum.{key}: " in refused({"quorum": {**DECISION["quorum"], key: count}})


@pytest.mark.parametrize("said", [1, "true", "yes"])
def test_what_is_neither_true_nor_false_is_refused(said: Any) -> None:
    assert "example: Input should be a valid boolean" in refused({"example": said})


@pytest.mark.parametrize("schema", [Promotion, Evidence, Withdrawal])
def test_acts_of_commands_are_as_strict(schema: Any) -> None:
    said = {
        Promotion: {"stage": "pilot", "version": 1, "by_role": HEAD},
        Evidence: {"decision": 1, "condition": 1, "evidence": "Letter", "by_role": HEAD},
        Withdrawal: {"reason": "The data changed", "owner_role": HEAD},
    }[schema]
    assert validated(schema, said, "act")
    for key in said:
        with pytest.raises(Exception, match=f"act: {key}: "):
            validated(schema, said | {key: True}, "act")


# ---------------------------------------------------------------- by whom


def test_a_promotion_by_another_than_the_approver_is_done_and_said(acting: Acting) -> None:
    code, told = acting.act("promote", name(3), "--by", HEAD)
    assert code == 0
    assert (
        "Note: the decision names the director of children's services as its approver, not the head of service; it is "
        "on record all the same, so let them know\n"
    ) in told
    code, told = acting.act("rollback", STUDY, "--by", "Director of Children's Services", "--reason", "Fewer found")
    assert code == 0
    assert "the decision names" not in told


@pytest.mark.parametrize(("by", "named"), [(HEAD, True), (DECISION["approved_by_role"], True), ("clerk", False)])
def test_so_is_evidence_by_another_than_the_owner_of_the_condition_or_the_approver(
    acting: Acting, by: str, named: bool
) -> None:
    code, told = acting.act("review", "met", name(2), "--condition", "1", "--evidence", "Letter", "--by", by)
    assert code == 0
    words = "Note: the decision names the head of service for this condition and the director of children's services"
    assert (words in told) is not named


def test_whoever_is_named_is_named_however_they_write_it() -> None:
    decision = parse_decision({**DECISION, "approved_by_role": "Deputy Director"})
    assert isinstance(decision, Decision)
    assert not_named(decision, "deputy-director") is None
    assert not_named(decision, decision.owner_role) is None
    assert not_named(decision, HEAD, "Head of Service") is None
    assert not_named(decision, HEAD)


# ---------------------------------------------------------------- names of the audit


def test_an_answer_for_a_characteristic_that_was_not_audited_is_refused(made: Made, decision_file: Any) -> None:
    answers = {**DECISION["answers"], "faith": {"reason": "Looked at by hand", "expires": "2027-05-20"}}
    told = made.refused(6, "review", "record", made.name, decision_file(answers=answers))
    assert "answers.faith: the audit holds no such characteristic (ethnicity, sex, sex x ethnicity)" in told
