"""The figures of an audit's page: what is drawn stands in their tables, and they can be read on a phone."""

from __future__ import annotations

import copy
from typing import Any
from xml.etree import ElementTree

import pytest

from riskmodels.assessment.audit.policy import load_policy
from riskmodels.reports.audit_charts import draw_audit
from riskmodels.reports.audit_figures import (
    MOST_LINES,
    composition_figures,
    curve_figures,
    pooled_figures,
    ratio_figure,
    ratio_figures,
    sweep_figures,
)
from riskmodels.reports.audit_outline import audit_outline
from riskmodels.reports.audit_page import render_audit
from tests.reports.example_audit import audit, extras
from tests.reports.test_page import Page

Row = dict[str, Any]


@pytest.fixture(scope="module")
def found() -> Row:
    return audit()


@pytest.fixture(scope="module")
def whole(found: Row) -> Row:
    return {**found, **extras(found)}


def test_ratios_are_drawn_for_each_characteristic_without_groups_too_few(found: Row) -> None:
    figures = ratio_figures(found)
    assert [figure["id"] for figure in figures] == ["ratios-sex", "ratios-ethnicity", "ratios-age"]
    drawn = {row[0] for figure in figures for row in figure["table"]["rows"]}
    assert "Bangladeshi" in drawn
    assert "Gypsy or Irish Traveller" not in drawn
    shown = [row for row in found["contrasts"] if row["family"] == "primary" and row["low"] is not None]
    judged = [row for row in shown if not (row["reason"] or "").startswith("too few")]
    against_others = [row for row in found["contrasts"] if row["family"] == "second" and row["verdict"] == "FAIL"]
    assert sum(len(figure["table"]["rows"]) for figure in figures) == len(judged) + len(against_others)


def test_one_figure_may_hold_all_characteristics_and_few_metrics(found: Row) -> None:
    figure = ratio_figure(found, metrics=["recall"])
    assert figure is not None
    assert figure["id"] == "groups"
    assert {row[2] for row in figure["table"]["rows"]} == {"Found, of those who needed help"}
    assert {row[1] for row in figure["table"]["rows"]} == {"Sex", "Ethnicity", "Age"}
    assert "Hollow" in figure["table"]["note"]
    assert ratio_figure({**found, "contrasts": []}) is None


def test_limits_are_those_of_the_policy_that_was_applied(found: Row) -> None:
    def limits(given: Row) -> set[Any]:
        return {(row[0][:3], *row[1:3]) for row in ratio_figures(given)[0]["curve"]["rows"]}

    shipped = {("Fou", 0.8, 1.25), ("Cas", 0.8, 1.25), ("How", 0.8, 1.2)}
    assert limits(found) == shipped
    strict = load_policy().model_copy(update={"ratio_band": (0.9, 1.1)}).model_dump()
    assert limits({**found, "policy": strict}) == {("Fou", 0.9, 1.1), ("Cas", 0.9, 1.1), ("How", 0.8, 1.2)}
    # Another policy whose limits are not told: none are drawn, rather than the wrong ones.
    assert {limit[1:] for limit in limits({**found, "policy_sha256": "0" * 64})} == {(None, None)}


def test_pictures_can_be_read_and_are_the_same_each_time(whole: Row) -> None:
    figures = audit_outline(whole)[1]
    pictures = draw_audit(figures)
    assert draw_audit(copy.deepcopy(figures)) == pictures
    for picture in pictures.values():
        root = ElementTree.fromstring(picture)
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        # No wider than a phone, at 72 points to the inch.
        assert float(str(root.get("width")).removesuffix("pt")) <= 310
        assert b"<dc:date>" not in picture
        assert len(picture) < 250_000


@pytest.mark.parametrize(
    ("part", "column"), [("table", c) for c in (0, 3, 4, 5, 6, 7)] + [("curve", c) for c in (1, 2, 3, 4)]
)
def test_everything_in_the_tables_of_ratios_is_drawn(found: Row, part: str, column: int) -> None:
    figure = ratio_figures(found)[0]
    changed = copy.deepcopy(figure)
    row = changed[part]["rows"][0]
    row[column] = "FAIL" if row[column] == "INSUFFICIENT EVIDENCE" else row[column]
    if row[column] != "FAIL":
        row[column] = row[column] * 0.9 if isinstance(row[column], float) else "Other words"
    assert draw_audit([changed]) != draw_audit([figure])


# The picture of places has no intervals: they would lie on each other.
@pytest.mark.parametrize(
    ("make", "columns"),
    [
        (composition_figures, (1, 2, 3)),
        (curve_figures, (1, 2, 3)),
        (pooled_figures, (1, 2, 3)),
        (sweep_figures, (1, 2)),
    ],
)
def test_other_numbers_make_another_picture(whole: Row, make: Any, columns: tuple[int, ...]) -> None:
    figure = make(whole)[0]
    for column in columns:
        changed = copy.deepcopy(figure)
        for row in changed["table"]["rows"]:
            row[column] = None if row[column] is None else row[column] * 0.8
        changed["table"]["rows"][0][column] *= 0.9
        assert draw_audit([changed]) != draw_audit([figure]), column


@pytest.mark.parametrize(
    "numbers", [(0.02, 0.001, 0.1), (9.0, 4.0, None), (None, 1.4, 2.0), (1.0, 1.0, 1.0), (0.3, -0.2, 0.8)]
)
def test_ratios_beyond_the_picture_and_without_an_end_are_drawn(found: Row, numbers: tuple[Any, ...]) -> None:
    figure = copy.deepcopy(ratio_figures(found)[0])
    figure["table"]["rows"][0][4:7] = numbers
    assert ElementTree.fromstring(draw_audit([figure])["ratios-sex"]) is not None


def test_a_picture_of_places_has_few_lines_and_the_table_has_all() -> None:
    found = audit()
    one = next(row for row in found["rows"] if row["group"] == "White British")
    for number in range(6):
        more = copy.deepcopy(one)
        more |= {"group": f"g{number}", "label": f"g{number}"}
        more["metrics"]["recall"]["value"] = 0.1 * (number + 1)
        found["rows"].append(more)
    given = {**found, **extras(found)}
    figure = next(figure for figure in sweep_figures(given) if figure["id"] == "sweep-ethnicity")
    names = {row[0] for row in figure["table"]["rows"]}
    assert len(names) <= MOST_LINES
    assert {"White British", "G5"} <= names
    assert "are in the table of all groups" in figure["table"]["note"]
    assert "g3" in Page(render_audit(given)).text
