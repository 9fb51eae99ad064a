"""Where the card answers the items of standards: each index follows what is there, and what people say."""

from __future__ import annotations

from typing import Any

import pytest

from riskmodels.cards.card import ModelCard
from riskmodels.cards.indexes import (
    ANSWERED,
    NOT_ANSWERED,
    REASON_MISSING,
    SECTIONS,
    ico_index,
    items_of,
    tripod_index,
)
from riskmodels.cards.words import at
from riskmodels.study.standards import ATRS, TRIPOD_AI
from tests.cards import example_card as example

# Collins and others 2024, as the specification of the card divides the 52 sub-items.
BY = {
    "run": "5b 6b 7 10 11 12a 12b 12c 12d 12e 12f 12g 13 15 16 18f 20a 20b 20c 21 22 23a 23b 24",
    "both": "1 2 5a 6c 8a 9a 9b 14 26 27a",
    "person": "3a 3b 3c 4 6a 8b 8c 9c 17 18a 18b 18c 18d 18e 19 25 27b 27c",
}
WANT_A_REASON = "5a 8a 9a 10 12c 14 15 27a"
SAID = {"text": "Said.", "owner": "Equality Adviser"}


def statuses(card: ModelCard) -> dict[str, str]:
    return {str(row[0]): str(row[2]) for row in card.annex.tripod.rows}


def answered(*items: str, **more: Any) -> ModelCard:
    return example.card(example.study(answers={"tripod": dict.fromkeys(items, SAID), **more}))


def test_the_numbers_that_answers_may_have_are_those_of_the_indexes() -> None:
    assert tuple(item["item"] for item in items_of("tripod_ai")) == TRIPOD_AI
    assert tuple(item["item"] for item in items_of("atrs_v4")) == ATRS


def test_tripod_has_24_items_of_the_run_10_of_both_and_18_of_a_person() -> None:
    found = {by: " ".join(item["item"] for item in items_of("tripod_ai") if item["by"] == by) for by in BY}
    assert found == BY
    assert [len(items.split()) for items in BY.values()] == [24, 10, 18]


def test_every_place_that_an_index_names_is_a_place_of_a_card() -> None:
    """A mistyped path would leave its item empty for ever."""
    card = example.card().to_dict()
    paths = {path for name in ("tripod_ai", "atrs_v4") for item in items_of(name) for path in item.get("at") or ()}
    paths |= {path for item in items_of("tripod_ai") if isinstance(item.get("reason"), list) for path in item["reason"]}
    paths |= {one["at"] for item in items_of("ico_kinds") for one in item["given_by"]}
    # What the example's answers leave out altogether is named as it would be in answers.yaml.
    left_out = {"purpose.facts.benefits", "purpose.facts.how_it_is_done_today", "people_process.facts.training"}
    for path in sorted(paths):
        assert path.split(".")[0] in SECTIONS, path
        parent = path.rpartition(".")[0] or path
        assert parent in left_out or at(card, parent) is not None or parent == path, path


def test_the_run_fills_what_is_its_own_and_says_where_a_reason_lacks() -> None:
    found = statuses(example.card())
    assert len(found) == 52
    assert {item for item, status in found.items() if status == REASON_MISSING} == set(WANT_A_REASON.split())
    runs = set(BY["run"].split()) - set(WANT_A_REASON.split())
    assert {found[item] for item in runs} == {ANSWERED["run"]}
    assert {found[item] for item in ("1", "2", "9b", "26")} == {ANSWERED["both"]}


def test_a_person_fills_a_human_item_and_gives_a_reason() -> None:
    before, after = statuses(example.card()), statuses(answered("17", "5a", "10", "6c"))
    assert [before[item] for item in ("17", "5a", "10", "6c")] == [
        NOT_ANSWERED,
        REASON_MISSING,
        REASON_MISSING,
        NOT_ANSWERED,
    ]
    assert [after[item] for item in ("17", "5a", "10", "6c")] == [
        ANSWERED["person"],
        ANSWERED["both"],
        ANSWERED["both"],
        ANSWERED["person"],
    ]


def test_what_people_said_elsewhere_counts_and_no_longer_does_without_it() -> None:
    assert statuses(example.card())["3a"] == ANSWERED["person"]
    assert statuses(example.card(example.study(answers={"purpose": {}})))["3a"] == NOT_ANSWERED


def test_an_answer_without_a_text_is_a_gap_with_an_owner() -> None:
    card = example.card(example.study(answers={"tripod": {"17": {"owner": "Equality Adviser", "text": "  "}}}))
    row = next(row for row in card.annex.tripod.rows if row[0] == "17")
    assert (row[2], row[4]) == (NOT_ANSWERED, "Equality Adviser")
    assert card.annex.tripod_answers["17"].value is None


def test_facts_that_are_gone_are_no_longer_filled() -> None:
    card = example.card().to_dict()
    card["data"]["attrition"]["rows"] = []
    found = {row[0]: row[2] for row in tripod_index(card).rows}
    assert (found["6b"], found["20a"]) == (NOT_ANSWERED, NOT_ANSWERED)


def test_the_index_names_the_section_and_what_to_look_for() -> None:
    rows = {str(row[0]): str(row[3]) for row in answered("17").annex.tripod.rows}
    assert rows["7"] == "section 5 (What each source holds); section 15 (Checks of the data and the design)"
    assert rows["3a"] == "section 3 (Intended use)"
    assert rows["17"] == "section 15 (what people say for this item)"


def test_the_six_kinds_of_explanation_say_what_lacks() -> None:
    kinds = {str(row[0]): row for row in example.card().explanation.kinds.rows}
    assert list(kinds) == [
        "Rationale",
        "Responsibility",
        "Data",
        "Fairness",
        "Safety and performance",
        "Impact",
    ]
    assert kinds["Rationale"][4] == "answered"  # not "filled": the answer may be that something is not done yet
    assert "not done yet, so read it" in str(example.card().explanation.kinds.note)
    assert str(kinds["Impact"][4]).startswith("not answered: harm if wrongly named")
    assert "section 13 (question 19)" in str(kinds["Responsibility"][3])


@pytest.mark.parametrize("kind", range(6))
def test_each_kind_is_filled_by_all_that_gives_it_and_by_no_less(kind: int) -> None:
    card = example.card().to_dict()
    for section in ("purpose", "people_process", "risks", "law", "monitoring"):
        for fact in card[section]["facts"].values():
            fact["value"] = fact["value"] or "Said."
    for question in card["questions"]:
        question["answer"] = question["answer"] or "Said."
    assert ico_index(card).rows[kind][4] == "answered"
    given = items_of("ico_kinds")[kind]["given_by"][-1]
    *steps, last = given["at"].split(".")
    parent = at(card, ".".join(steps))
    parent[last] = None
    assert ico_index(card).rows[kind][4] == f"not answered: {given['words']}"
