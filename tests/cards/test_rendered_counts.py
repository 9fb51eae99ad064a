"""Counts of few people, however a text puts them; and numbers that count nobody are let pass."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from riskmodels.cards.cells import decimals
from riskmodels.cards.checks.checked import Checked
from riskmodels.cards.checks.counts import disclosure
from riskmodels.cards.deep_tables import _per_100
from riskmodels.cards.reading_back import Block, PageTable, Written
from riskmodels.cards.rendered_counts import small_counts
from tests.cards import example_card as example


@pytest.fixture
def card() -> dict[str, Any]:
    return copy.deepcopy(example.card().to_dict())


def said(card: dict[str, Any], text: str) -> bool:
    """Whether a sentence of the card's own, as a block of a page, is found."""
    card["performance"]["words"] = [text]
    block = Block(text)
    return bool(small_counts(Written([block], []), card))


@pytest.mark.parametrize(
    "text",
    ["There are 3 people.", "There are three people.", "Among them are 3 women.", "It found 3 of 12 such people.",
     "Four more people were missed.", "It missed 7 such people."],
)  # fmt: skip
def test_few_people_are_found_however_they_are_put(card: dict[str, Any], text: str) -> None:
    card["audit"]["rows"][0]["label"] = "Women"
    assert said(card, text)


@pytest.mark.parametrize(
    "text",
    ["Take two people, one of each.", "There are 30 people.", "Of 100 people, 3 people were.", "It was 3 of 12 times.",
     "No one person decides.", "4 of 2,000 tables hold people.", "It found 12 of 40 such people."],
)  # fmt: skip
def test_what_counts_nobody_or_enough_passes(card: dict[str, Any], text: str) -> None:
    assert not said(card, text)


def test_in_an_answer_two_people_may_look_at_each_case(card: dict[str, Any]) -> None:
    assert not small_counts(Written([Block("Two people look at each case.")], []), card)


def test_pictures_are_read(card: dict[str, Any]) -> None:
    written = Written([], [])
    assert small_counts(written, card) == []
    card["figures"][0]["alt"] = "A bar for 3 people."
    assert small_counts(written, card) == [f"the picture {card['figures'][0]['id']}, its alt"]


TABLE = {"caption": "Could less data be used?", "source": "run --deep", "note": None}


@pytest.mark.parametrize(
    ("column", "passes"), [("Fields left out", True), ("On average (nine draws of ten lie between)", True),
                           ("People", False), ("Cases among them", False)],
)  # fmt: skip
def test_a_whole_number_in_a_table_is_a_count_where_its_column_counts_people(
    card: dict[str, Any], column: str, passes: bool
) -> None:
    table = {**TABLE, "columns": ["What was left out", column], "rows": [["Source health", 2]]}
    card["performance"]["closer"] = [{"id": "deep", "heading": "x", "words": [], "tables": [table], "figures": []}]
    assert disclosure(Checked(card))[0] is passes
    page = PageTable(TABLE["caption"], [["Source health", "2"]], ["What was left out", column])
    assert (small_counts(Written([], [page]), card) == []) is passes


def test_the_unknown_of_each_fifth_are_counts(card: dict[str, Any]) -> None:
    assert disclosure(Checked(card))[0]
    card["data"]["unknown_by_fifth"]["rows"][0][2] = 3
    assert not disclosure(Checked(card))[0]


def test_no_minus_nought() -> None:
    assert _per_100({"value": -0.0004, "low": -0.0034, "high": 0.0027}) == "0.0 (-0.3 to 0.3)"
    assert decimals({"value": -0.00001}, 4) == "0.0000"
    assert _per_100({"value": None, "reason": "not computed"}) == "not computed"
