"""Pictures: the same each time, made of the card's numbers, one for each figure."""

import copy
import re
from typing import Any
from xml.etree import ElementTree

import pytest

from riskmodels.cards.figures import FIGURES
from riskmodels.reports.charts import DRAWINGS, draw_figures
from tests.cards import example_card as example


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
    # The figures of one hundred go by other names where they are not of people.
    assert set(FIGURES) | {"units_per_100", "missed_units_per_100"} == set(DRAWINGS)


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


def shapes(svg: bytes) -> list[int]:
    """How many shapes each collection of a picture repeats."""
    groups = re.split(r'<g id="PathCollection_\d+">', svg.decode())[1:]
    drawn = [group.partition("<g id=")[0] for group in groups]
    # Few shapes are written out each, many as uses of one.
    return [one.count("<use ") or one.count("<path ") for one in drawn]


@pytest.mark.parametrize("name", ["people_per_100", "units_per_100"])
def test_one_hundred_are_drawn(figures: list[dict[str, Any]], name: str) -> None:
    figure = next(figure for figure in figures if figure["id"] == "people_per_100")
    counts = [int(row[1]) for row in figure["table"]["rows"]]
    assert sum(counts) == 100
    # Of each kind as many as its number and one in the key; those that are not full have a mark as well.
    found = shapes(draw_figures([{**figure, "id": name}])[name])
    assert found == [counts[0] + 1, *(count + 1 for count in counts[1:] for _ in ("shape", "mark"))]


def test_a_figure_without_a_drawing_is_left_out(figures: list[dict[str, Any]]) -> None:
    assert draw_figures([{**figures[0], "id": "foreign"}]) == {}


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
