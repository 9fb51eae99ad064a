"""The form of a decision: what it asks, that it is refused until it is filled in, and what it is once it is."""

from __future__ import annotations

import copy
import datetime as dt
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from riskmodels.errors import CardError, GateError
from riskmodels.governance import acts, forms
from riskmodels.governance.decision import Decision, verdicts_to_answer
from riskmodels.storage import parse_yaml
from tests.governance.conftest import CARD, DECISION, TODAY, contrast

VERDICTS = ["sex: F: recall", "ethnicity: Other: recall", "ethnicity: Other: oe_ratio"]
Raw = dict[str, Any]


def form(stage: str | None = "pilot", card: Raw = CARD) -> bytes:
    return forms.blank_form(
        card, name="reading_help/1", model_sha256="a" * 64, card_sha256="b" * 64, today=TODAY, stage=stage
    )


def blank(stage: str | None = "pilot") -> Raw:
    raw: Raw = parse_yaml(form(stage), Path("decision.yaml"))
    return raw


def filled_in() -> Raw:
    """The form as a secretary sends it back."""
    raw = blank()
    raw |= {key: DECISION[key] for key in ("advice", "conditions", "dissent", "quorum", "meeting", "owner_role",
            "owner_decision", "expires", "trained_by_role", "approved_by_role")}  # fmt: skip
    raw["answers"] |= {"sex: F: recall": "Places for girls are reviewed by hand", "ethnicity": "Too few to judge"}
    return copy.deepcopy(raw)


def refusal(raw: Raw) -> str:
    with pytest.raises(GateError) as refused:
        acts.parse_decision(raw, "decision.yaml")
    assert "\n" not in str(refused.value)
    return str(refused.value)


# ---------------------------------------------------------------- the empty form


def test_it_asks_everything_that_a_decision_can_say() -> None:
    assert set(blank()) | {"example"} == set(Decision.model_fields)
    assert set(blank()["quorum"]) == {"members", "lay", "specialist"}
    assert set(blank()["meeting"]) == {"date", "minute"}


def test_it_names_what_the_committee_looks_at() -> None:
    assert (blank()["model_sha256"], blank()["card_sha256"]) == ("a" * 64, "b" * 64)


def test_each_verdict_that_must_be_answered_stands_in_it_in_words_and_no_other() -> None:
    assert verdicts_to_answer(CARD) == VERDICTS
    assert set(blank()["answers"]) == {*VERDICTS, "sex", "ethnicity"}
    text = form().decode()
    assert "# FAIL: F, whom the list finds.\n" in text
    assert "# INSUFFICIENT EVIDENCE: Other, whether the risks come true.\n" in text
    assert '"sex: M: recall"' not in text


def test_words_are_of_the_comparison_that_must_be_answered() -> None:
    """The same group and metric can be compared with others too, which asks for no answer."""
    also = {**contrast("sex", "F", "recall", "PASS", family="second"), "against": "others"}
    told = {"label": "girls", "reference_label": "boys", "against": "reference", "reason": "too few to judge: few"}
    first = {**contrast("sex", "F", "recall", "INSUFFICIENT EVIDENCE"), **told}
    text = form(card={"audit": {"contrasts": [first, also], "titles": {"sex": "Sex"}}}).decode()
    assert "  # ---- Sex: 1 to answer\n" in text
    assert "# INSUFFICIENT EVIDENCE: girls beside boys, whom the list finds. Why: too few to judge: few.\n" in text
    assert "everybody else" not in text


def test_nothing_to_answer_is_said() -> None:
    passed = {"audit": {"contrasts": [contrast("sex", "F", "recall", "PASS")]}}
    assert "The audit left nothing to be answered by name." in form(card=passed).decode()


def test_a_card_without_an_audit_has_no_form() -> None:
    with pytest.raises(CardError):
        form(card={})


@pytest.mark.parametrize("name", ['y": {z', "a\nstage: live", "# no", "a: b", "‮evil", "\x07", "'", "é", "*"])
def test_a_name_cannot_write_into_the_form(name: str) -> None:
    found = parse_yaml(form(card={"audit": {"contrasts": [contrast(name, name, "recall", "FAIL")]}}), Path("form"))
    assert set(found["answers"]) == {name, f"{name}: {name}: recall"}
    assert found["stage"] == "pilot"


def test_the_same_card_gives_the_same_bytes() -> None:
    assert form() == form() != form("live")


@pytest.mark.parametrize("stage", ["explore", "link", "pilot", "live"])
def test_the_last_day_that_it_names_is_the_last_that_is_taken(stage: str) -> None:
    named = re.search(r"after the meeting at most \((\d{4}-\d\d-\d\d)", " ".join(form(stage).decode().split("\n# ")))
    assert named is not None
    last = dt.date.fromisoformat(named[1])
    raw = filled_in() | {"stage": stage, "meeting": {"date": TODAY, "minute": "1"}}
    assert acts.parse_decision({**raw, "expires": last})
    assert "may be approved until" in refusal({**raw, "expires": last + dt.timedelta(days=1)})


def test_without_a_stage_it_is_left_open() -> None:
    assert blank(None)["stage"] is None
    assert "Pilot: 6 months" in form(None).decode()


def test_the_lines_that_are_an_example_can_be_used_by_taking_the_marks_away() -> None:
    text = re.sub(r"(?m)^# ?(- text: |  owner: |  due: |- One member)", r"\1", form().decode())
    text = text.replace("YYYY-MM-DD", "2027-01-31")
    found = parse_yaml(text.encode(), Path("form"))
    assert found["conditions"][0] == {"text": "What has to be done", "owner": "The role that has to do it",
                                      "due": dt.date(2027, 1, 31)}  # fmt: skip
    assert len(found["dissent"]) == len(found["conflicts_of_interest"]) == 1


# ---------------------------------------------------------------- not filled in yet


def test_an_empty_form_is_refused_in_one_line_that_names_every_key() -> None:
    assert refusal(blank(None)) == (
        "decision.yaml: not filled in yet: stage, advice, quorum.members, quorum.lay, quorum.specialist, meeting.date, "
        "meeting.minute, owner_role, owner_decision, trained_by_role, approved_by_role, expires, "
        "answers.sex: F: recall, answers.ethnicity (all 2)"
    )


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if not isinstance(value, dict):
        yield path
        return
    for key, inner in value.items():
        yield from leaves(inner, (*path, key))


NEEDED = [
    "stage", "advice", "quorum.members", "quorum.lay", "quorum.specialist", "meeting.date", "meeting.minute",
    "owner_role", "owner_decision", "trained_by_role", "approved_by_role", "expires", "conditions",
]  # fmt: skip


def test_each_key_that_is_needed_is_named_when_it_alone_is_empty_and_no_other_is_needed() -> None:
    whole = filled_in()
    assert acts.parse_decision(whole)
    for path in leaves(whole):
        if path[0] in ("kind", "answers"):
            continue
        emptied = copy.deepcopy(whole)
        section = emptied if len(path) == 1 else emptied[path[0]]
        section[path[-1]] = None
        name = ".".join(path)
        if name in NEEDED:
            assert f"decision.yaml: {name}: " in refusal(emptied), name
        else:
            assert acts.parse_decision(emptied), name


@pytest.mark.parametrize("name", ["sex: F: recall", "ethnicity"])
def test_an_answer_that_is_empty_is_named(name: str) -> None:
    raw = filled_in()
    raw["answers"][name] = None
    assert f"not filled in yet: answers.{name}" in refusal(raw)


def test_two_keys_that_are_empty_are_both_named() -> None:
    raw = filled_in() | {"reason": None, "advice": "do not proceed", "owner_role": None}
    assert refusal(raw) == "decision.yaml: not filled in yet: owner_role, reason"


def test_an_unknown_key_is_said_before_those_that_are_missing() -> None:
    raw = filled_in() | {"expires": None, "owner_role": None, "expire": "2027-05-20"}
    assert "expire: unknown key; did you mean 'expires'?" in refusal(raw)


def test_a_refusal_needs_no_end_and_no_answers() -> None:
    raw = filled_in() | {"advice": "more information", "owner_decision": "refuse", "expires": None, "conditions": None}
    raw["answers"] = blank()["answers"]
    decision = acts.parse_decision(raw)
    assert isinstance(decision, Decision)
    assert (decision.answers, decision.expires) == ({}, None)
    raw["answers"] = {"sex": "Looked at by hand"}  # kept, and never in force
    decision = acts.parse_decision(raw)
    assert isinstance(decision, Decision)
    assert decision.answers["sex"].expires == decision.meeting.date


# ---------------------------------------------------------------- filled in


def test_the_filled_form_is_the_decision_and_its_answers_hold_as_long_as_the_approval() -> None:
    decision = acts.parse_decision(filled_in())
    assert isinstance(decision, Decision)
    assert (decision.stage, decision.model_sha256, decision.conditions[0].owner) == (
        "pilot",
        "a" * 64,
        "head of service",
    )
    assert {key: (one.reason, one.expires.isoformat()) for key, one in decision.answers.items()} == {
        "sex: F: recall": ("Places for girls are reviewed by hand", DECISION["expires"]),
        "ethnicity": ("Too few to judge", DECISION["expires"]),
    }


def test_both_characteristics_answer_for_where_they_cross() -> None:
    raw = filled_in()
    raw["answers"] = {
        "sex": "fine",
        "ethnicity": "fine",
        "sex × ethnicity": None,
        "sex × ethnicity: F × Other: recall": None,
    }
    assert set(acts.parse_decision(raw).answers) == {"sex", "ethnicity"}  # type: ignore[union-attr]
    raw["answers"]["ethnicity"] = None
    assert "answers.ethnicity, answers.sex × ethnicity: F × Other: recall" in refusal(raw)


@pytest.mark.parametrize("answers", [["a"], "all fine", 3])
def test_answers_of_another_shape_are_one_line(answers: Any) -> None:
    assert "decision.yaml: answers: " in refusal({**filled_in(), "answers": answers})


def test_a_form_read_from_json_is_the_same() -> None:
    assert acts.parse_decision(json.loads(json.dumps(filled_in()))) == acts.parse_decision(filled_in())
