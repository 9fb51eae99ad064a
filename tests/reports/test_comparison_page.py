"""The page of a comparison: every number on it may be shown, and it works without eyes, network or scripts."""

from __future__ import annotations

import base64
import re
from typing import Any
from xml.etree import ElementTree

import pytest

from riskmodels.reports.comparison_charts import DRAWINGS, ORANGE, QUIET, draw_comparison
from riskmodels.reports.comparison_outline import comparison_outline
from riskmodels.reports.comparison_page import render_comparison
from tests.reports.example_comparison import comparison
from tests.reports.test_page import EVIL, Page, contrast


@pytest.fixture(scope="module", params=[(0.9, 0.2), (0.9, 0.2, 0.5), (0.5, 0.5)], ids=["two", "three", "same"])
def found(request: pytest.FixtureRequest) -> dict[str, Any]:
    return comparison(*request.param)


@pytest.fixture(scope="module")
def page(found: dict[str, Any]) -> Page:
    return Page(render_comparison(found))


def test_same_bytes_twice(found: dict[str, Any]) -> None:
    assert render_comparison(found) == render_comparison(found)


def test_words_come_first(found: dict[str, Any], page: Page) -> None:
    lead = page.text.partition(" 1 In words")[2]
    for one in found["comparisons"]:
        for words in (*one["words"], *one["warnings"]):
            assert words in lead
    assert lead.index(found["comparisons"][0]["words"][0]) < lead.index("Measure by measure")


def test_it_is_whole_and_fetches_nothing(page: Page) -> None:
    page.refuse_broken()
    page.refuse_fetching()


def test_each_figure_is_a_picture_with_words_and_a_table(found: dict[str, Any], page: Page) -> None:
    pictures = page.all("img")
    assert len(pictures) == 2 * len(found["comparisons"])
    for picture in pictures:
        assert len(str(picture["alt"])) > 40
        svg = base64.b64decode(str(picture["src"]).partition(",")[2])
        assert ElementTree.fromstring(svg).tag.endswith("svg")
        assert not re.search(rb"(?:xlink:href|href)=\"(?!#)", svg)
    assert page.text.count("The numbers in this figure") == len(pictures)


def test_every_difference_is_there_with_its_interval_and_verdict(found: dict[str, Any], page: Page) -> None:
    for one in found["comparisons"]:
        assert len(one["differences"]) == 10
        for row in one["differences"]:
            assert row["verdict"] in page.text
    assert "Ordering (AUC)" in page.text
    assert "Net benefit from a risk of 20 of 100" in page.text


def test_no_count_below_ten_is_on_the_page(found: dict[str, Any]) -> None:
    """In every table of people a number is 0, ten or more, or a share."""
    sections, _ = comparison_outline(found)
    tables = [part["table"] for section in sections for part in section.parts if part["kind"] == "table"]
    heads = ("On both", "Only version", "Listed", "Outcome known", "Not known", "Had the outcome")
    seen = 0
    for content in tables:
        for column, name in enumerate(content["columns"]):
            for row in content["rows"] if str(name).startswith(heads) else ():
                assert row[column] is None or row[column] == 0 or row[column] >= 10, (content["caption"], name)
                seen += 1
    assert seen > 15


def test_three_runs_are_held_against_the_first_and_each_other() -> None:
    page = Page(render_comparison(comparison(0.9, 0.2, 0.5)))
    assert "Difference to version 1" in page.text
    matrix = page.text.partition("Of 100 on one list, how many are on another")[2]
    assert matrix.startswith(" List version 1 version 2 version 3 On the list of version 1 100 ")
    two = Page(render_comparison(comparison(0.9, 0.2)))
    assert "how many are on another" not in two.text


def test_what_is_hidden_says_so() -> None:
    found = comparison(0.9, 0.2)
    row = found["comparisons"][0]["differences"][1]
    reason = "not shown (fewer than 10 people are treated differently)"
    row |= {"verdict": "not shown", "second": {"value": None, "reason": reason}}
    row["difference"] = {"value": None, "reason": reason}
    pooled = found["comparisons"][0]["overlap"]["pooled"]
    pooled |= {"only_first": None, "of_first": None, "reason": "all but fewer than 10 are on both"}
    page = Page(render_comparison(found))
    assert reason in page.text
    assert "all but fewer than 10 are on both" in page.text
    assert len(page.all("img")) == 1  # a picture of the lists would need the number


def test_a_date_whose_counts_are_not_shown_says_why_once() -> None:
    found = comparison(0.9, 0.2)
    reason = "not shown (a small number, or one that would give it away)"
    row = found["comparisons"][0]["overlap"]["per_date"][0]
    row |= {"only_first": None, "only_second": None, "of_first": None, "jaccard": None, "reason": reason}
    assert " not shown not shown not shown not shown " in Page(render_comparison(found)).text


def test_what_is_hidden_is_listed_in_words() -> None:
    found = comparison(0.9, 0.2)
    name = found["comparisons"][0]["second"]
    places = {
        "overlap, 2024-10-01": "The two lists: 1 October 2024",
        "overlap, the outcomes of those on one list only": "The two lists: the outcomes of those on one list only",
        "who differs, risk_band_first: raised": "Who differs: Band of risk by version 1: raised",
        "differences, recall_at_k": "Differences: how many are found",
        "differences, net_benefit": "Differences: net benefit",
    }
    found["disclosure"]["hidden"] = [{"comparison": name, "where": where, "why": "small"} for where in places]
    text = Page(render_comparison(found)).text
    for where, words in places.items():
        assert f"Version 2 {words} small" in text
        assert where not in text


def test_a_hidden_group_was_computed() -> None:
    found = comparison(0.9, 0.2)
    row = found["comparisons"][0]["groups"][0]
    row |= {"difference": {"value": None, "reason": "not shown (fewer than 10 people)"}, "verdict": "not computed"}
    assert " not shown (fewer than 10 people) not shown " in Page(render_comparison(found)).text


def test_nothing_computed_leaves_no_picture() -> None:
    found = comparison(0.9, 0.2)
    for row in found["comparisons"][0]["differences"]:
        row |= {name: {"value": None, "reason": "no row has a known outcome"} for name in ("first", "second")}
        row |= {"difference": {"value": None, "reason": "no row has a known outcome"}, "verdict": "not computed"}
    page = Page(render_comparison(found))
    assert "no row has a known outcome" in page.text
    assert len(page.all("img")) == 1


def test_what_people_write_stays_text() -> None:
    found = comparison(0.9, 0.2)
    found["title"] = EVIL
    found["comparisons"][0]["changed"] = [{"key": EVIL, "first": EVIL, "second": EVIL}]
    found["comparisons"][0]["groups"][0]["label"] = EVIL
    content = render_comparison(found)
    assert b"<script" not in content
    assert b"http://evil.example/x.png onerror" not in content.replace(
        b"&lt;img src=http://evil.example/x.png onerror", b""
    )
    assert "{{ 7*7 }}" in Page(content).text


def test_pictures_are_drawn_from_their_tables() -> None:
    _, figures = comparison_outline(comparison(0.9, 0.2))
    pictures = draw_comparison(figures)
    assert {figure["drawing"] for figure in figures} == set(DRAWINGS)
    assert draw_comparison(figures) == pictures
    for figure in figures:
        row = figure["table"]["rows"][0]
        position = 3 if figure["drawing"] == "differences" else 1
        row[position] = "-0.5" if figure["drawing"] == "differences" else row[position] * 2
        assert draw_comparison([figure])[figure["id"]] != pictures[figure["id"]]


def test_a_clear_change_differs_by_mark_and_not_by_colour_alone() -> None:
    for colour in (ORANGE, QUIET):
        assert contrast(colour, "#ffffff") >= 3
    _, (figure, _) = comparison_outline(comparison(0.9, 0.2))
    drawn = draw_comparison([figure])
    for row in figure["table"]["rows"]:
        row[6] = "no clear change"
    assert draw_comparison([figure]) != drawn
