"""The page of an evaluation: it says what it shows, works without eyes, network or scripts, and keeps to numbers."""

from __future__ import annotations

import base64
import re
from typing import Any

import numpy as np
import pytest

from riskmodels.assessment.evaluation import evaluate
from riskmodels.reports.evaluation_outline import TERMS
from riskmodels.reports.evaluation_page import render_evaluation
from riskmodels.reports.glossary import GLOSSARY
from tests.reports.test_page import EVIL, Page

DAYS = np.array(["2023-01-01", "2024-01-01"], dtype="datetime64[D]")


def found(dated: bool = False, **about: str) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    risk = np.round(rng.beta(1.5, 5, 600), 2).clip(0.01, 0.99)
    evaluation = evaluate(
        rng.random(600) < risk, risk, known=rng.random(600) < 0.8, capacities=[40, 90], thresholds=[0.2, 0.4],
        entity_ids=np.arange(600) // 2 if dated else None, dates=DAYS[np.arange(600) % 2] if dated else None, at=[0.9],
        notes=["Read so."],
    )  # fmt: skip
    return {**evaluation.to_dict(), "about": {"file": "vendor.csv", "outcome": "reoffended", "risk": "score", **about}}


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(render_evaluation(found()))


def test_same_bytes_twice() -> None:
    assert render_evaluation(found()) == render_evaluation(found())


def test_it_says_what_was_evaluated_and_that_it_is_not_for_publication(page: Page) -> None:
    for words in (
        "vendor.csv: predictions evaluated", "600 rows", "Column of risks score", "It is not for publication",
        "Take care: Read so.", "With 40 places: of 100 with a place whose outcome is known",
        "Whatever became of the others with a place, it lies between", "no risk in the file is as far out",
    ):  # fmt: skip
        assert words in page.text, words


def test_sections_depend_on_what_there_is(page: Page) -> None:
    dated = Page(render_evaluation(found(dated=True)))
    assert "Date by date" not in page.text
    assert "Date by date" in dated.text
    assert "1 January 2024" in dated.text
    assert "With 40 places on each date" in dated.text
    assert "Different entities 300" in dated.text


def test_it_is_whole_and_fetches_nothing(page: Page) -> None:
    page.refuse_broken()
    page.refuse_fetching()


def test_each_figure_is_a_picture_with_words_and_a_table(page: Page) -> None:
    pictures = page.all("img")
    assert len(pictures) == 2
    for picture in pictures:
        assert len(str(picture["alt"])) > 80
        svg = base64.b64decode(str(picture["src"]).partition(",")[2])
        assert not re.search(rb"(?:xlink:href|href)=\"(?!#)", svg)
    for caption in ("Predicted and observed, for groups", "The smooth curve", "Net benefit for 100 rows"):
        assert caption in page.text


def test_numbers_are_those_of_the_json(page: Page) -> None:
    it = found()
    for value in (it["auc"]["value"], it["brier"], it["ici"], it["spiegelhalter"]["z"]):
        assert f"{value:.4f}".rstrip("0") in page.text
    assert f"{100 * it['at_capacity'][0]['precision']['value']:.1f}".removesuffix(".0") in page.text


def test_what_people_wrote_stays_text() -> None:
    page = Page(render_evaluation(found(file=EVIL, risk=EVIL)))
    assert "script" not in {tag for tag, _ in page.elements}
    assert EVIL in page.text


@pytest.mark.parametrize(
    ("outcome", "risk", "known"),
    [
        (np.zeros(40), np.linspace(0.1, 0.9, 40), np.ones(40, bool)),
        (np.zeros(40), np.linspace(0.1, 0.9, 40), np.zeros(40, bool)),
        (np.resize([0, 1], 40), np.full(40, 0.3), np.ones(40, bool)),
        (np.resize([0, 1], 40), np.zeros(40), np.ones(40, bool)),
        ([1], [0.4], [True]),
    ],
    ids=["one class", "all unknown", "constant", "all nought", "one row"],
)
def test_what_could_not_be_computed_is_said(outcome: Any, risk: Any, known: Any) -> None:
    evaluation = evaluate(outcome, risk, known=known, capacities=[5], thresholds=[0.2])
    about = {"file": "vendor.csv", "outcome": "y", "risk": "p"}
    page = Page(render_evaluation({**evaluation.to_dict(), "about": about}))
    assert "What has no value, or no interval, and why" in page.text
    assert page.unbalanced == page.open == []
    for reason in evaluation.not_computed.values():
        assert " ".join(reason.split()) in page.text


def test_columns_with_nothing_to_say_are_left_out_and_risks_stand_in_order() -> None:
    given = found()
    for row in given["spline_curve"]:
        row["extrapolated"] = False
    for row in given["at_capacity"]:
        row["unknown"] = 0
    text = Page(render_evaluation(given)).text
    assert "Remark" not in text
    assert "Bounds" not in text
    curve = text.partition("What came about at some risks")[2].partition("Read from")[0]
    assert re.search(r" 5 .* 10 .* 25 .* 50 .* 75 .* 90 ", curve)
    with_both = Page(render_evaluation(found())).text
    assert "Remark" in with_both
    assert "Bounds" in with_both


def test_words_that_are_used_are_explained(page: Page) -> None:
    explained = page.text.rpartition("Words explained")[2]
    for term in TERMS:
        assert f"{term} {GLOSSARY[term]}" in explained
