"""What is drawn can be seen: the contrast of text and of marks in every kind of picture, and its size on a phone."""

from __future__ import annotations

import re
from typing import Any

import pytest

from riskmodels.cards.checks.drawn import GRID, faint
from riskmodels.reports.audit_charts import draw_audit
from riskmodels.reports.batch_figures import draw_batch
from riskmodels.reports.charts import draw_figures
from riskmodels.reports.comparison_charts import draw_comparison
from riskmodels.reports.profile_charts import draw_profile
from tests.cards import example_card as example
from tests.cards.example_use import use
from tests.cards.test_time_figures import results
from tests.cards.test_use_figures import figure as sweep_figure
from tests.reports.test_mitigation_charts import ROWS as TRIED
from tests.reports.test_mitigation_charts import figure as frontier

SMALLEST, PHONE = 9.0, 300.0  # pixels of a letter, of the page


def smallest(svg: bytes) -> float:
    """Pixels of the smallest letters on a phone, on whose page the picture is as wide as the page."""
    width = float(re.search(rb'<svg[^>]*? width="([\d.]+)pt"', svg, re.S)[1])  # type: ignore[index]
    sizes = [100 * float(size) for size in re.findall(rb"scale\(([\d.]+) -", svg)]
    return min(sizes) * min(PHONE / width, 4 / 3)


def pictures() -> dict[str, bytes]:
    card = example.card(performance=example.performance("lightgbm", unknown=290)).to_dict()["figures"]
    made = draw_figures(card)
    sweep, deep = sweep_figure(use()), {"stability": STABILITY}
    from riskmodels.cards.list_figures import stability
    from riskmodels.cards.time_figures import over_time, risk_over_time

    given = results()
    given.performance["deep"] = deep  # type: ignore[index]
    more = [sweep, *(build(given) for build in (over_time, risk_over_time, stability))]
    made |= draw_figures([figure.model_dump(mode="json") for figure in more if not isinstance(figure, str)])
    made |= draw_figures([frontier(TRIED)])
    return made | {name: draw([figure])[figure["id"]] for name, (draw, figure) in OTHERS.items()}


STABILITY = {
    "refits": 50, "places": 200, "chance": 0.05, "firm": 0.45, "overlap": {"mean": 0.76, "low": 0.61, "high": 0.9},
}  # fmt: skip


def plain(name: str, columns: list[str], rows: list[list[Any]], **more: Any) -> dict[str, Any]:
    return {"id": name, "drawing": name, "unit": "of 100", "table": {"columns": columns, "rows": rows}, **more}


GAINS = [["AUC", "0.7", "0.8", "+0.1", "+0.05", "+0.15", "better"], ["Brier", "1", "2", "-1", "-2", "0", "worse"]]
OTHERS: dict[str, Any] = {
    "differences": (draw_comparison, plain("differences", [], GAINS)),
    "lists": (draw_comparison, plain("lists", ["When", "both", "first", "second"], [["all", 50, 30, 20]])),
    "profile lines": (
        draw_profile,
        plain("over_time", ["When", "a", "b"], [["Q1", 1, 2], ["Q2", 2, 3]], lines=2, breaks=[1]),
    ),
    "profile groups": (
        draw_profile,
        plain(
            "groups", [], [["Sex", "F", 100, 96.0, 94.0, 98.0, "reference"], ["Sex", "M", 100, 90.0, 80.0, 95.0, ""]]
        ),
    ),
    "profile bars": (draw_profile, plain("bars", [], [["All", 100], ["Left", 50]])),
    "batch": (draw_batch, plain("risks", [], [["0 to 5", 50, 40.0, 45.0], ["5 to 100", 70, 60.0, 55.0]])),
    "composition": (draw_audit, plain("composition", [], [["F", 50, 40, 45], ["M", 50, 60, 55]])),
    "pooled": (draw_audit, plain("pooled", [], [["F", 50, 48, 40, 55, 90]])),
    "curve": (draw_audit, plain("curve", ["Age"], [[20, 30, 25, 35], [60, 40, 30, 50]])),
    "sweep": (draw_audit, plain("sweep", [], [["F", 0.5, 10, 5, 15], ["F", 1, 20, 15, 25], ["M", 1, 30, 25, 35]])),
}


@pytest.fixture(scope="module")
def drawn() -> dict[str, bytes]:
    return pictures()


def test_every_picture_of_the_card_is_looked_at(drawn: dict[str, bytes]) -> None:
    from riskmodels.cards.figures import FIGURES

    assert set(FIGURES) <= set(drawn)


def test_the_grid_is_drawn_in_the_colour_that_is_left_out() -> None:
    from riskmodels.reports.drawing import RULE

    assert RULE == GRID


def test_text_and_marks_stand_out(drawn: dict[str, bytes]) -> None:
    assert {name: found for name, svg in drawn.items() if (found := faint(svg))} == {}


def test_letters_can_be_read_on_a_phone(drawn: dict[str, bytes]) -> None:
    assert {name: size for name, svg in drawn.items() if (size := smallest(svg)) < SMALLEST} == {}


def test_pale_text_and_pale_marks_are_noticed(drawn: dict[str, bytes]) -> None:
    svg = drawn["groups"]
    assert faint(svg) == []
    assert any(found.startswith("mark") for found in faint(svg.replace(b"#1a4f8b", b"#9fb8d8")))
    assert any(found.startswith("text") for found in faint(svg.replace(b"#0b0c0c", b"#8d9399")))


def test_small_letters_are_noticed(drawn: dict[str, bytes]) -> None:
    assert smallest(re.sub(rb"scale\(0\.1\d* -0\.1\d*\)", b"scale(0.07 -0.07)", drawn["groups"], count=1)) < SMALLEST
