"""The picture over time: the same each time, made of its table, a line for each break."""

from __future__ import annotations

import copy
import re
from typing import Any
from xml.etree import ElementTree

import pytest

from riskmodels.cards.card import Figure
from riskmodels.cards.time_figures import over_time as figure_of
from riskmodels.cards.time_figures import risk_over_time as risk_of
from riskmodels.reports.drawing import draw
from riskmodels.reports.time_charts import over_time, risk_over_time
from tests.cards.test_time_figures import results


def drawn(figure: dict[str, Any]) -> bytes:
    return draw([figure], lambda one: over_time)["over_time"]


@pytest.fixture(scope="module")
def figure() -> dict[str, Any]:
    made = figure_of(results())
    assert isinstance(made, Figure)
    return made.model_dump(mode="json")


def test_same_bytes_twice_and_plain_svg(figure: dict[str, Any]) -> None:
    picture = drawn(figure)
    assert drawn(copy.deepcopy(figure)) == picture
    assert ElementTree.fromstring(picture).tag == "{http://www.w3.org/2000/svg}svg"
    assert len(picture) < 250_000


def test_other_numbers_make_another_picture(figure: dict[str, Any]) -> None:
    for column in range(1, 7):
        changed = copy.deepcopy(figure)
        changed["table"]["rows"][1][column] *= 0.9
        assert drawn(changed) != drawn(figure)


@pytest.mark.parametrize("column", [1, 2, 3, 4])
def test_every_number_of_foreseen_and_come_about_is_drawn(column: int) -> None:
    made = risk_of(results())
    assert isinstance(made, Figure)
    before = made.model_dump(mode="json")
    changed = copy.deepcopy(before)
    changed["table"]["rows"][1][column] *= 0.9
    pictures = [draw([one], lambda _: risk_over_time)["risk_over_time"] for one in (before, changed)]
    assert pictures[0] != pictures[1]


def test_each_break_is_a_line_in_both_panels(figure: dict[str, Any]) -> None:
    dashes = rb"stroke-dasharray: 2\.4"
    with_breaks = len(re.findall(dashes, drawn(figure)))
    without = len(re.findall(dashes, drawn(figure | {"curve": None})))
    assert with_breaks - without == 4


def test_gaps_and_many_dates_are_drawn(figure: dict[str, Any]) -> None:
    rows = [[f"{day} June 1986", None, None, None, 1.0, None, None] for day in range(1, 25)]
    assert drawn(figure | {"table": figure["table"] | {"rows": rows}})
