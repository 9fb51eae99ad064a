"""What is said of a comparison: plain, short, right about the direction, and nothing that is hidden."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from riskmodels.cards.reading import reading_grade
from riskmodels.reports.comparison_words import LEADS, ONE_IN_TWENTY, in_order, measure_name, of_100, signed, words_of
from tests.reports.example_comparison import SPEECH, comparison

NAMES = {"reading/1": "version 1", "reading/2": "version 2"}


@pytest.fixture
def one() -> dict[str, Any]:
    made: dict[str, Any] = copy.deepcopy(comparison(0.9, 0.2)["comparisons"][0])
    return made


def said(one: dict[str, Any], **speech: str) -> str:
    return " ".join(words_of(one, NAMES, {**SPEECH, **speech}))


def change(one: dict[str, Any], measure: str, **values: Any) -> None:
    row = next(row for row in one["differences"] if row["measure"] == measure)
    row |= values


def share(value: float) -> dict[str, Any]:
    return {"value": value, "n": 400}


HOLD = "Of 100 pupils who needed help, the list of version 1 holds about 30, and that of version 2 about 40."
RANGE = "The difference could be anything from 5 more to 15 more."


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        ("better", f"Version 2 finds more. {HOLD} {RANGE}"),
        ("worse", f"Version 2 finds fewer. {HOLD} {RANGE}"),
        ("no clear change", f"No clear change in how many are found. {HOLD} {RANGE}"),
        ("the same", "Both find the same pupils. Of 100 pupils who needed help, that is about 30."),
    ],
)
def test_how_many_are_found_leads(one: dict[str, Any], verdict: str, words: str) -> None:
    gain = {"value": 0.1, "low": 0.05, "high": 0.15}
    change(one, "recall_at_k", verdict=verdict, first=share(0.3), second=share(0.4), difference=gain)
    assert words_of(one, NAMES, SPEECH)[1] == words


def test_why_something_cannot_be_compared(one: dict[str, Any]) -> None:
    hidden = {"value": None, "reason": "not shown (fewer than 10 people are treated differently)"}
    change(one, "recall_at_k", verdict="not shown", second=hidden, difference=hidden)
    assert "How many are found cannot be compared: not shown (fewer than 10 people are treated differently)." in said(
        one
    )
    change(
        one, "precision_at_k", verdict="cannot tell", difference={"value": 0.1, "reason": "no interval: one cluster"}
    )
    assert "How often the list is right cannot be compared: no interval: one cluster." in said(one)


def test_the_lists_in_numbers_of_100(one: dict[str, Any]) -> None:
    one["overlap"]["pooled"] |= {"of_first": 0.714, "of_second": 0.7, "by_chance": 0.07, "only_first": 30}
    for side, value in (("only_first", 0.42), ("only_second", 0.55)):
        one["overlap"][side]["precision"] = share(value)
    one["overlap"]["who_differs"] = [
        {
            "by": "standing_on_the_other",
            "group": "just below its cut",
            "both": None,
            "only_first": 20,
            "only_second": 20,
        },
        {
            "by": "standing_on_the_other",
            "group": "far below its cut",
            "both": None,
            "only_first": 10,
            "only_second": 10,
        },
    ]
    change(one, "precision_at_k", verdict="better")
    assert (
        "Of 100 on the list of version 1, 71 are on that of version 2 too. By chance alone it would be 7. "
        "Of 100 whom only version 1 lists and whose outcome is known, 42 needed help. Of 100 whom only version 2 "
        "lists, it is 55. Of 100 who are on one list only, 67 stand just below the cut of the other."
    ) in said(one)
    assert "Of 100 that only version 2 lists, it is 55." in said(one, many="wards", that="that")
    change(one, "precision_at_k", verdict="no clear change")
    assert "it is 55. That could be chance." in said(one)


def test_clear_changes_are_told_beside_how_many_were_looked_for(one: dict[str, Any]) -> None:
    rest = [row for row in one["differences"] if row["measure"] not in LEADS]
    for row in rest:
        row["verdict"] = "no clear change"
    assert ONE_IN_TWENTY not in said(one)
    rest[0]["verdict"] = "better"
    assert f"But {len(rest)} such measures were compared. {ONE_IN_TWENTY}" in said(one)


@pytest.mark.parametrize(
    ("pooled", "words"),
    [
        ({"of_first": 1.0, "only_first": 0, "only_second": 0}, "The two lists hold the same pupils: of 100 on the one, "
         "100 are on the other."),
        ({"of_first": None, "reason": "all but fewer than 10 are on both"}, "All but fewer than 10 are on both lists."),
        ({"of_first": None, "reason": "nobody is on either list"}, "Nobody is on either list."),
    ],
)  # fmt: skip
def test_lists_that_are_alike(one: dict[str, Any], pooled: dict[str, Any], words: str) -> None:
    one["overlap"]["pooled"] |= pooled
    assert words in said(one)
    assert "stand just below" not in said(one) or pooled["of_first"] is not None


@pytest.mark.parametrize(("unknown", "is_said"), [(40, True), (5, False)])
def test_many_unknown_outcomes_are_said(one: dict[str, Any], unknown: int, is_said: bool) -> None:
    for side in ("only_first", "only_second"):
        one["overlap"][side] |= {"listed": 100, "unknown": unknown}
    one["overlap"]["hits_bounds"] = [-30, 50]
    words = (
        "What became of about 80 of the 200 on one list only is not known. Whatever it was, the list of version 2 "
        "holds between about 30 fewer and about 50 more who needed help."
    )
    assert (words in said(one)) == is_said


def test_measures_by_what_is_to_be_said_of_them(one: dict[str, Any]) -> None:
    for row in one["differences"]:
        row["verdict"] = "no clear change"
    change(one, "auc", verdict="better")
    change(one, "brier_score", verdict="better")
    change(one, "calibration_slope", verdict="worse")
    change(one, "log_loss", verdict="the same")
    change(one, "oe_ratio", verdict="not computed")
    words = said(one)
    assert "Version 2 is clearly better in: ordering (AUC) and Brier score." in words
    assert "Version 2 is clearly worse in: calibration slope." in words
    assert "No clear change in: average precision, net benefit from a risk of 20 of 100 and net benefit from" in words
    assert "Could not be compared: observed to expected (O/E)." in words
    assert "The same: log loss." in words


def test_groups(one: dict[str, Any]) -> None:
    assert "with version 2 there is a clear change in: sex girls, found by the list: higher." in said(one)
    for row in one["groups"]:
        row["verdict"] = "no clear change" if row["metric"] == "recall" else "not computed"
    assert "By protected group, no clear change in any of the 2 that can be compared." in said(one)
    for row in one["groups"]:
        row["verdict"] = "not computed"
    assert "No protected group can be compared." in said(one)
    one["groups"] = []
    assert "group" not in said(one)


def test_words_are_easy_to_read(one: dict[str, Any]) -> None:
    lead = "\n".join(words_of(one, NAMES, SPEECH)[1:4])
    assert reading_grade(lead) < 12


def test_what_the_list_does_comes_first(one: dict[str, Any]) -> None:
    names = [row["measure"] for row in in_order(one["differences"])]
    assert names[:3] == ["recall_at_k", "precision_at_k", "auc"]
    assert sorted(names) == sorted(row["measure"] for row in one["differences"])
    assert all(
        measure_name(row)[0].islower() or "(" in measure_name(row) or "B" in measure_name(row)
        for row in one["differences"]
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0123, "+0.0123"), (-0.4, "-0.4"), (0.0, "0"), (12.0, "+12"), (100.0, "+100"), (-0.0000512, "-0.0000512"),
     (None, ""), (1.5, "+1.5"), (0.30000000000000004, "+0.3")],
)  # fmt: skip
def test_signed(value: float | None, text: str) -> None:
    assert signed(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "0"), (0.004, "fewer than 1"), (0.995, "more than 99"), (1.0, "100"), (0.715, "72")]
)
def test_of_100(value: float, text: str) -> None:
    assert of_100(value) == text
