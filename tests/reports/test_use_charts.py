"""The picture of other list sizes: the same each time, and made of the table's numbers."""

from __future__ import annotations

import copy
from typing import Any
from xml.etree import ElementTree

import pytest

from riskmodels.reports.drawing import draw
from riskmodels.reports.use_charts import draw_capacity_sweep
from tests.cards.example_use import use
from tests.cards.test_use_figures import figure


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    found = figure(use())
    assert not isinstance(found, str)
    plain: dict[str, Any] = found.model_dump(mode="json")
    return plain


def drawn(content: dict[str, Any]) -> bytes:
    return draw([content], lambda _: draw_capacity_sweep)["capacity_sweep"]


def test_same_bytes_twice_and_a_picture_that_can_be_read(made):
    picture = drawn(made)
    assert drawn(copy.deepcopy(made)) == picture
    assert ElementTree.fromstring(picture).tag == "{http://www.w3.org/2000/svg}svg"
    assert b"<dc:date>" not in picture
    assert len(picture) < 250_000


@pytest.mark.parametrize("column", [1, 2, 3, 4, 5, 6, 7])
def test_every_number_is_drawn(made, column):
    changed = copy.deepcopy(made)
    changed["table"]["rows"][1][column] *= 0.97
    assert drawn(changed) != drawn(made)


def test_the_mark_is_drawn_where_the_list_is(made):
    changed = copy.deepcopy(made)
    for row in changed["table"]["rows"]:
        row[8] = ""
    assert drawn(changed) != drawn(made)


def test_lines_without_intervals_are_drawn(made):
    changed = copy.deepcopy(made)
    for row in changed["table"]["rows"]:
        row[3] = row[4] = row[6] = row[7] = None
    assert ElementTree.fromstring(drawn(changed)) is not None


@pytest.mark.parametrize("scale", [1e-3, 80])
def test_very_short_and_very_long_lists_are_drawn(made, scale):
    changed = copy.deepcopy(made)
    for row in changed["table"]["rows"]:
        row[1] *= scale
    assert ElementTree.fromstring(drawn(changed)) is not None
