"""The ten questions can be answered from every shipped card, and the planted flaws are really there."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from riskmodels.cards.checks import Checked, check_whole, failing
from riskmodels.cards.editions import public_edition
from riskmodels.cards.renderings import Beside, render
from riskmodels.storage import canonical_json, sha256
from tests.cold_reading.flaws import FLAWS, TODAY, UNDECIDED, planted
from tests.cold_reading.questions import QUESTIONS
from tests.conftest import ROOT

pytestmark = pytest.mark.slow

STUDIES = sorted(path.parent.name for path in (ROOT / "model_cards").glob("*/card.json"))


def shipped(study: str) -> dict[str, Any]:
    return json.loads((ROOT / "model_cards" / study / "card.json").read_bytes())


class Text(HTMLParser):
    """What a page says, as one text."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.said: list[str] = []
        self.feed(page)

    def handle_data(self, data: str) -> None:
        self.said.append(data)

    @property
    def words(self) -> str:
        return plain("".join(self.said))


def plain(text: str) -> str:
    return re.sub(r"[\s\u2066-\u2069]+", "", text)


def pages(card: dict[str, Any]) -> str:
    return render(card, ["html"], Beside(UNDECIDED, today=TODAY)).popitem()[1].decode()


@pytest.mark.parametrize("edition", ["committee", "public"])
@pytest.mark.parametrize("study", STUDIES)
def test_every_question_can_be_answered_from_the_page(study: str, edition: str) -> None:
    card = shipped(study)
    shown = card if edition == "committee" else public_edition(card, sha256(canonical_json(card)))
    page = pages(shown)
    first = page.partition('<section id="section-2"')[0]
    whole, page_one = Text(page).words, Text(first).words
    assert len(QUESTIONS) == 10
    for asked in QUESTIONS:
        for text in asked.right(card):
            assert plain(text) in (page_one if asked.first_page else whole), asked.question


def test_a_page_that_leaves_an_answer_out_is_seen() -> None:
    card = shipped("county_early_help")
    asked = QUESTIONS[2]
    wanted = plain(asked.right(card)[0])
    card["summary"]["blocks"] = [one for one in card["summary"]["blocks"] if one["id"] != "missed"]
    assert wanted not in Text(pages(card).partition('<section id="section-2"')[0]).words


@pytest.mark.parametrize("name", FLAWS)
def test_a_flaw_is_planted_and_nothing_says_so(name: str) -> None:
    flaw = FLAWS[name]
    card = shipped(flaw.study)
    flawed = planted(flaw, card)
    assert flawed != card
    assert shipped(flaw.study) == card, "the card itself is left alone"
    before, after = Text(pages(card)).words, Text(pages(flawed)).words
    assert before != after


@pytest.mark.parametrize("name", [name for name, flaw in FLAWS.items() if flaw.check])
def test_what_a_machine_can_see_it_does(name: str) -> None:
    flaw = FLAWS[name]
    card = shipped(flaw.study)

    def found(one: dict[str, Any]) -> set[str]:
        return set(failing(check_whole(Checked(one, Beside(UNDECIDED, today=TODAY)))))

    assert flaw.check in found(planted(flaw, card)) - found(card)
