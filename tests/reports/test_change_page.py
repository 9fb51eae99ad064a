"""The page of a change: words first, every table there, and it works without eyes, network or scripts."""

from __future__ import annotations

import base64
import re
from typing import Any
from xml.etree import ElementTree

import pytest

from riskmodels.cards.change import compare_cards
from riskmodels.reports.change_charts import ORANGE, draw_change
from riskmodels.reports.change_page import render_change, render_change_markdown
from tests.cards.change.pairs import all_of, change, changed, estimate, original, put
from tests.reports.test_page import EVIL, Page


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    return change(
        all_of(
            put("performance.at_capacity.recall", estimate(0.7, 0.03)),
            put("model.family", "logistic"),
            put("law.facts.lawful_basis.value", "Public task."),
        )
    ).to_dict()


@pytest.fixture(scope="module")
def page(found: dict[str, Any]) -> Page:
    return Page(render_change(found))


def test_same_bytes_twice(found: dict[str, Any]) -> None:
    assert render_change(found) == render_change(found)
    assert render_change_markdown(found) == render_change_markdown(found)


def test_words_come_first_and_then_what_is_of_substance(found: dict[str, Any], page: Page) -> None:
    # Without blanks: links to the glossary break the text anywhere.
    lead = page.text.partition(" 1 In words")[2].replace(" ", "")
    places = [lead.index(words.replace(" ", "")) for words in (*found["words"], *found["substantive"])]
    assert places == sorted(places)
    assert places[-1] < lead.index("Thelist,lasttimeandnow")
    assert "it needs a new approval" in page.text


def test_it_is_whole_and_fetches_nothing(page: Page) -> None:
    page.refuse_broken()
    page.refuse_fetching()


def test_each_figure_is_a_picture_with_words_and_a_table(found: dict[str, Any], page: Page) -> None:
    pictures = page.all("img")
    assert len(pictures) == len(found["figures"]) == 2
    for picture in pictures:
        assert len(str(picture["alt"])) > 40
        svg = base64.b64decode(str(picture["src"]).partition(",")[2])
        assert ElementTree.fromstring(svg).tag.endswith("svg")
        assert not re.search(rb"(?:xlink:href|href)=\"(?!#)", svg)
    assert page.text.count("The numbers in this figure") == len(pictures)


def test_every_table_is_on_the_page_and_in_the_markdown(found: dict[str, Any], page: Page) -> None:
    text = render_change_markdown(found).decode()
    for content in (*found["tables"].values(), *found["fields"].values()):
        assert content["caption"] in page.text
        assert content["caption"] in text
    assert {"figures", "measures", "groups", "answers", "parts"} <= set(found["tables"])


def test_a_clear_change_is_drawn_and_said_otherwise(found: dict[str, Any]) -> None:
    clear = draw_change(found["figures"])["change_list"]
    unclear = change(put("performance.at_capacity.recall", estimate(0.51, 0.03))).to_dict()
    assert ORANGE.encode() in clear
    assert ORANGE.encode() not in draw_change(unclear["figures"])["change_list"]


def test_nothing_changed_is_a_page_too() -> None:
    page = Page(render_change(compare_cards(original(), original()).to_dict()))
    page.refuse_broken()
    assert "Nothing changed." in page.text
    assert not page.all("img")


def test_what_people_wrote_cannot_become_markup() -> None:
    planted = changed(all_of(put("purpose.facts.intended_use.value", EVIL), put("title", EVIL)))
    shown = compare_cards(original(), planted).to_dict()
    page = Page(render_change(shown))
    page.refuse_broken()
    page.refuse_fetching()
    assert b"<script" not in render_change(shown)
    assert b"<script" not in render_change_markdown(shown)
