"""The figures of one hundred, of who is not known, and of how the list holds: numbers that agree with each other."""

from __future__ import annotations

from typing import Any

import pytest

from riskmodels.cards.card import Figure
from riskmodels.cards.figures import Results
from riskmodels.cards.list_figures import missed_per_100, people_per_100, stability, unknown_by_fifth
from riskmodels.cards.shown import HIDDEN
from riskmodels.cards.words import language_of
from tests.cards import example_card as example

STABLE = {
    "refits": 50, "places": 200, "chance": 0.05, "firm": 0.45, "overlap": {"mean": 0.76, "low": 0.61, "high": 0.9},
}  # fmt: skip


def given(**at_capacity: Any) -> Results:
    study = example.study().file
    performance = example.performance()
    performance["at_capacity"] |= {"of_100": {"right": 34, "wrong": 5, "not_known": 61}} | at_capacity
    return Results(study, language_of(study), performance, {}, {}, (), ())


def made(found: Figure | str) -> Figure:
    assert isinstance(found, Figure)
    return found


def test_who_is_found_and_who_is_missed_make_one_hundred() -> None:
    recall = {"value": 0.214, "low": 0.19, "high": 0.24, "n": 960}
    figure = made(missed_per_100(given(recall=recall, leads_with_bounds=False)))
    assert figure.table.rows == (("Found by the list", 21), ("Missed", 79))
    assert figure.title == "Of 100 pupils who needed help, the list finds 21"
    assert figure.table.note == "Between 19 and 24 of 100 are found (95% interval)."
    assert figure.n == 960
    assert figure.reading is not None
    assert figure.reading.endswith("Full: found by the list. Crossed: missed.")


def test_where_much_is_not_known_both_ends_are_drawn() -> None:
    figure = made(missed_per_100(given(leads_with_bounds=True, recall_bounds=[0.062, 0.338])))
    assert figure.table.rows == (("Found by the list", 6), ("Not known: found or missed", 28), ("Missed", 66))
    assert "between 6 and 34" in figure.title
    assert missed_per_100(given(leads_with_bounds=True, recall_bounds=[None, 0.338])) == HIDDEN


def test_what_is_hidden_is_not_drawn() -> None:
    none = {"value": None, "reason": "few"}
    assert missed_per_100(given(recall=none, leads_with_bounds=False)) == HIDDEN
    assert people_per_100(given(of_100={})) == HIDDEN


def test_nearly_none_found_is_not_said_to_be_none() -> None:
    recall = {"value": 0.004, "low": 0.001, "high": 0.01, "n": 960}
    assert "the list finds fewer than 1" in made(missed_per_100(given(recall=recall, leads_with_bounds=False))).title


def test_the_title_and_the_key_tell_the_same_numbers() -> None:
    figure = made(people_per_100(given(leads_with_bounds=True, precision_bounds=[0.336, 0.952])))
    assert figure.title == "Of 100 pupils on the list, 34 needed help, and 61 are not known"
    assert figure.table.note == "Between 34 and 95 of 100 needed help, whatever became of those not known."
    assert figure.reading is not None
    assert "With a question mark: not known." in figure.reading


@pytest.mark.parametrize(("share", "number"), [(0.13, 13), (0.1449, 14), (0.002, 0.2)])
def test_the_unknown_are_whole_numbers_of_100(share: float, number: float) -> None:
    results = given()
    fifths = [{"fifth": fifth, "n": 100, "share": share} for fifth in range(1, 6)]
    results.performance["unknown_by_fifth"] = fifths  # type: ignore[index]
    figure = made(unknown_by_fifth(results))
    assert {row[2] for row in figure.table.rows} == {number}


def test_how_the_list_holds_needs_a_deep_run() -> None:
    assert stability(given()) == "not run (run --deep)"
    results = given()
    results.performance["deep"] = {"stability": STABLE}  # type: ignore[index]
    figure = made(stability(results))
    assert figure.table.rows[0][1:] == (76, 61, 90)
    assert "76 of 100 places go to the same pupils" in figure.title
