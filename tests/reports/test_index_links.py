"""An index leads to the sections that it names, and to no other place."""

from __future__ import annotations

import re

import pytest

from riskmodels.cards.renderings import Beside, render
from tests.cards import example_card as example

STATUS = {"state": "DRAFT", "words": "DRAFT. Not registered.", "until": None, "example": False}


@pytest.fixture(scope="module")
def page() -> str:
    said = {"owner": "Chair", "text": "See section 5 of <b>our</b> rules."}
    card = example.card(example.study(answers={"tripod": {"17": said}})).to_dict()
    return render(card, ["html"], Beside(STATUS))["card.html"].decode()


@pytest.mark.parametrize("caption", ["TRIPOD+AI index", "ATRS index, version 4.0", "The six kinds of explanation"])
def test_each_index_has_links_to_sections_that_there_are(page: str, caption: str) -> None:
    found = next(table for table in re.findall(r"<table>.*?</table>", page, re.S) if caption in table)
    links = re.findall(r'<a href="#(section-\d+)">section \d+</a>', found)
    assert len(links) >= 6
    assert all(f'id="{place}"' in page for place in links)


def test_what_people_say_for_an_item_stands_under_its_name_and_is_no_markup(page: str) -> None:
    assert "17: Ethical approval" in page
    assert "&lt;b&gt;our&lt;/b&gt;" in page
    assert "<b>our</b>" not in page
