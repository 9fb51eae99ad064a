"""Each check with its fault planted, and with none."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from riskmodels.cards.checks import CHECKS, check_card
from tests.cards import example_card as example

Card = dict[str, Any]


@pytest.fixture(scope="module")
def whole() -> Card:
    """A card that passes everything: each gap filled."""
    card = example.card().to_dict()
    for section in ("ask", "purpose", "people_process", "risks", "law", "monitoring"):
        for fact in card[section]["facts"].values():
            fact["value"] = fact["value"] or "Said."
    for question in card["questions"]:
        question["answer"] = question["answer"] or "Said."
    for row in card["annex"]["tripod"]["rows"]:
        row[2] = "filled by a person"
    return card


def test_a_whole_card_passes(whole: Card) -> None:
    assert [row for row in check_card(whole) if not row["passed"]] == []


def first_block(card: Card) -> Card:
    return next(block for block in card["summary"]["blocks"] if block["id"] == "right")


FAULTS: dict[str, Callable[[Card], Any]] = {
    "schema": lambda card: card.pop("audit"),
    "complete": lambda card: card["law"]["facts"]["objection"].update(value=None),
    "tripod": lambda card: card["annex"]["tripod"]["rows"][3].__setitem__(2, "NOT ANSWERED"),
    "no_placeholders": lambda card: card["purpose"]["facts"]["intended_use"].update(value="TBC by the team"),
    "short": lambda card: card["summary"]["blocks"].append({**first_block(card), "text": "It is so. " * 120}),
    "reads_easily": lambda card: [
        block.update(text="Multidisciplinary organisational considerations necessitate administrative collaboration.")
        for block in card["summary"]["blocks"]
    ],
    "short_sentences": lambda card: first_block(card).update(text="and so on " * 12),
    "figures_are_whole": lambda card: card["figures"][0].update(alt=" "),
    "prose_agrees": lambda card: first_block(card).update(text=first_block(card)["text"].replace("61", "71")),
    "disclosure": lambda card: card["audit"]["rows"][0].update(tp=7),
}


def test_every_check_has_its_fault() -> None:
    assert set(FAULTS) == set(CHECKS)


@pytest.mark.parametrize("name", list(FAULTS))
def test_a_planted_fault_is_found(whole: Card, name: str) -> None:
    card = copy.deepcopy(whole)
    FAULTS[name](card)
    # A card without its audit has no other check to pass.
    passed, words = CHECKS[name](card)
    assert not passed
    assert words


def test_a_number_changed_in_the_results_no_longer_agrees(whole: Card) -> None:
    card = copy.deepcopy(whole)
    card["performance"]["at_capacity"]["recall"]["value"] = 0.61
    assert not CHECKS["prose_agrees"](card)[0]


def test_an_unrounded_count_is_found(whole: Card) -> None:
    card = copy.deepcopy(whole)
    card["performance"]["at_capacity"]["hits"] = 307
    assert not CHECKS["disclosure"](card)[0]


@pytest.mark.parametrize("text", ["TODO", "more information needed", "[...]", "XXXX", "to be confirmed"])
def test_placeholders(whole: Card, text: str) -> None:
    card = copy.deepcopy(whole)
    card["monitoring"]["facts"]["review"]["value"] = f"We will {text} it."
    assert not CHECKS["no_placeholders"](card)[0]
