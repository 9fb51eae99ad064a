"""Nothing missing is silent: what is empty in a card is named, with its owner and its key."""

from __future__ import annotations

from typing import Any

import pytest

from riskmodels import storage
from riskmodels.cards.card import ModelCard
from riskmodels.cards.indexes import NOT_ANSWERED, REASON_MISSING
from riskmodels.cards.missing import Gap, missing
from riskmodels.cards.missing_yaml import skeleton
from riskmodels.cards.records.atrs import build_record
from riskmodels.cards.sections import EXPECTED
from riskmodels.study import Answers
from tests.cards import example_card as example

SECTIONS = ("ask", "purpose", "people_process", "risks", "law", "monitoring")
STATUS = {"state": "DRAFT", "words": "DRAFT.", "until": None, "example": False}
WEIRD = 'The "Head" of: # [x] \u2028 \U0001f600'
CARDS: dict[str, dict[str, Any]] = {
    "plain": {},
    "bare": {name: {} for name in SECTIONS[1:]} | {"questions": {}, "contact": None},
    "open": {
        "purpose": {"cost": {"owner": WEIRD, "text": None}, "a key: of # theirs": {"owner": "Head", "text": ""}},
        "tripod": {"17": {"owner": "Chair", "text": None}},
        "atrs": {"0.4": {"owner": "Press Office", "text": None}},
    },
}


def named(gaps: tuple[Gap, ...]) -> set[str]:
    return {name for gap in gaps for name in (gap.what, *gap.also)}


def card(name: str) -> ModelCard:
    return example.card(example.study(answers=CARDS[name]))


@pytest.mark.parametrize("name", list(CARDS))
def test_every_empty_fact_question_and_item_of_a_standard_is_named(name: str) -> None:
    plain = card(name).to_dict()
    gaps = missing(plain, STATUS)
    keys = {(gap.file, gap.key) for gap in gaps}
    for section in SECTIONS:
        for fact in plain[section]["facts"].values():
            if fact["value"] is None:
                assert ("answers.yaml", fact["source"].removeprefix("answers.yaml: ")) in keys, fact
    for question in plain["questions"]:
        if question["answer"] is None:
            assert ("answers.yaml", f"questions.{question['number']}") in keys
    for row in plain["annex"]["tripod"]["rows"]:
        if row[2] in (NOT_ANSWERED, REASON_MISSING):
            assert f"TRIPOD+AI {row[0]}: {row[1]}" in named(gaps), row
    for field in build_record(plain, STATUS):
        assert (f"ATRS {field.item}: {field.name}" in named(gaps)) == (field.status != "confirmed"), field.item
    for source, key, _ in plain["data"]["tables"]["gaps"]["rows"]:
        assert ("register.yaml", f"sources.{source}.{key}") in keys
    assert all(gap.owner for gap in gaps)
    assert len(keys) == len(gaps)


def test_what_is_there_is_not_named() -> None:
    gaps = {gap.key for gap in missing(example.card().to_dict(), STATUS)}
    assert "purpose.intended_use" not in gaps
    assert "questions.1" not in gaps
    filled = example.study(answers={"tripod": {"17": {"owner": "Chair", "text": "Yes, on 2 May."}}})
    assert "tripod.'17'" in gaps
    assert "tripod.'17'" not in {gap.key for gap in missing(example.card(filled).to_dict(), STATUS)}


def test_tiers_are_what_each_gap_holds_up() -> None:
    tiers = {gap.key: gap.tier for gap in missing(card("open").to_dict(), STATUS)}
    assert tiers["law.lawful_basis"] == 1
    assert tiers["questions.19"] == 1
    assert tiers["tripod.'17'"] == 2
    assert tiers["atrs.'0.4'"] == 3
    assert tiers["purpose.cost"] == 0
    expected = {f"{section}.{key}" for section, keys in EXPECTED.items() for key in keys}
    assert {key for key, tier in tiers.items() if tier == 1 and not key.startswith("questions.")} <= expected


def test_one_key_that_fills_two_gaps_is_one_line() -> None:
    gaps = {gap.key: gap for gap in missing(card("bare").to_dict(), STATUS)}
    assert gaps["purpose.intended_use"].also[:2] == (
        "TRIPOD+AI 3a: Context and reason for the model",
        "ATRS 1.2: Description",
    )
    assert "ATRS 1.4: Contact email" in named((gaps["contact"],))


@pytest.mark.parametrize("name", list(CARDS))
def test_the_skeleton_is_yaml_that_fills_every_gap_once_texts_stand_in_it(name: str) -> None:
    """Paste, fill, build: nothing is missing then, but drafts that the new texts have made, which wait for a reader."""
    answers = {**example.ANSWERS, **CARDS[name]}
    gaps = missing(card(name).to_dict(), STATUS)
    pasted = storage.parse_yaml(skeleton(gaps).encode(), ROOT_OF_MESSAGE)
    merged = dict(answers)
    for section, lines in pasted.items():
        if section == "contact":
            merged["contact"] = "team@northby.example"
        elif set(lines) <= {"owner", "text"}:
            merged[section] = {**lines, "text": "Said."}
        else:
            filled = {key: {**answer, "text": "Said."} for key, answer in lines.items()}
            merged[section] = {**(merged.get(section) or {}), **filled}
    Answers.model_validate(merged)
    after = missing(example.card(example.study(answers=merged)).to_dict(), STATUS)
    left = [gap for gap in after if gap.file == "answers.yaml"]
    assert {gap.state for gap in left} <= {"drafted, not confirmed"}
    assert {gap.what for gap in left} <= {
        name for gap in gaps if gap.tier != 3 or not gap.digits for name in gap.also
    } | {gap.what for gap in gaps}


def test_a_skeleton_of_nothing_says_so() -> None:
    assert storage.parse_yaml(skeleton([]).encode(), ROOT_OF_MESSAGE) is None


ROOT_OF_MESSAGE = example.Path("skeleton.yaml")
