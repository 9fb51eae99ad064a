"""Pictures: the same each time, made of the card's numbers, one for each figure."""

import copy
import re
from typing import Any
from xml.etree import ElementTree

import pytest

from riskmodels.cards.figures import FIGURES
from riskmodels.reports.charts import BLUE, DRAWINGS, ORANGE, QUIET, draw_figures
from tests.cards import example_card as example
from tests.reports.test_page import contrast


@pytest.fixture(scope="module")
def figures() -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = example.card(performance=example.performance("lightgbm", unknown=290)).to_dict()[
        "figures"
    ]
    return made


@pytest.fixture(scope="module")
def pictures(figures: list[dict[str, Any]]) -> dict[str, bytes]:
    return draw_figures(figures)


def test_every_figure_has_its_drawing() -> None:
    # The first figure goes by another name where it is not of people.
    assert set(FIGURES) | {"units_per_100"} == set(DRAWINGS)


def test_same_bytes_twice(figures: list[dict[str, Any]], pictures: dict[str, bytes]) -> None:
    assert draw_figures(copy.deepcopy(figures)) == pictures


def test_alone_or_together_a_picture_is_the_same(figures: list[dict[str, Any]], pictures: dict[str, bytes]) -> None:
    for figure in reversed(figures):
        assert draw_figures([figure])[figure["id"]] == pictures[figure["id"]]


def test_pictures_are_svg_without_date_maker_or_address(pictures: dict[str, bytes]) -> None:
    for picture in pictures.values():
        assert ElementTree.fromstring(picture).tag == "{http://www.w3.org/2000/svg}svg"
        assert b"<dc:date>" not in picture
        assert b"<cc:Agent>" not in picture
        assert len(picture) < 250_000


def test_other_numbers_make_another_picture(figures: list[dict[str, Any]], pictures: dict[str, bytes]) -> None:
    for figure in copy.deepcopy(figures):
        row = figure["table"]["rows"][0]
        position = max(i for i, cell in enumerate(row) if isinstance(cell, float | int) and cell)
        row[position] = row[position] * 0.5
        assert draw_figures([figure])[figure["id"]] != pictures[figure["id"]], figure["id"]


def test_one_hundred_people_are_drawn(figures: list[dict[str, Any]]) -> None:
    figure = next(figure for figure in figures if figure["id"] == "people_per_100")
    kinds = len(figure["table"]["rows"])
    svg = draw_figures([figure])["people_per_100"]
    # Each person is a head and a body, and the legend has one of each kind; the page's white is one more patch.
    patches = re.findall(rb'id="patch_\d+"', svg)
    assert len(patches) == 2 * (100 + kinds) + 1


def test_what_is_not_a_person_is_a_square(figures: list[dict[str, Any]]) -> None:
    figure = next(figure for figure in figures if figure["id"] == "people_per_100")
    svg = draw_figures([{**figure, "id": "units_per_100"}])["units_per_100"]
    assert len(re.findall(rb'id="patch_\d+"', svg)) == 100 + len(figure["table"]["rows"]) + 1


def test_a_figure_without_a_drawing_is_left_out(figures: list[dict[str, Any]]) -> None:
    assert draw_figures([{**figures[0], "id": "foreign"}]) == {}


@pytest.mark.parametrize("colour", [BLUE, ORANGE, QUIET])
def test_marks_stand_out(colour: str) -> None:
    assert contrast(colour, "#ffffff") >= 3.0


def test_drawing_leaves_no_global_state(figures: list[dict[str, Any]]) -> None:
    import matplotlib

    before = dict(matplotlib.rcParams)
    draw_figures(figures[:1])
    assert dict(matplotlib.rcParams) == before


@pytest.mark.parametrize(
    "label",
    [
        "a group with a very long name that nobody expects on an axis",
        "<b>&amp;",
        "$x^2$ $\\bad{",
        "\u202eאב \U0001f600",
    ],
)
def test_any_label_can_be_drawn(figures: list[dict[str, Any]], label: str) -> None:
    for figure in copy.deepcopy(figures):
        for row in figure["table"]["rows"]:
            if isinstance(row[0], str):
                row[0] = label
        assert draw_figures([figure])[figure["id"]].startswith(b"<?xml")
