from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from riskmodels.assessment.unknown_outcomes import assess_unknown
from riskmodels.cards.shown import Shown
from riskmodels.cards.unknown_tables import published_unknown, unknown_tables, unknown_words
from riskmodels.cards.words import language_of
from tests.assessment.made_up_rows import ranked_rows
from tests.cards import example_card as example

LANGUAGE = language_of(example.study().file)


def raw(unknown: float = 0.4, people: int = 2000) -> dict[str, Any]:
    return assess_unknown(ranked_rows(people=people, dates=2, unknown=unknown), against={"points": 0.5}).to_dict()


def tables(given: dict[str, Any]) -> Any:
    return unknown_tables(published_unknown(given, (), Shown()), example.performance(), LANGUAGE, "last reading score")


def test_each_figure_stands_three_ways() -> None:
    given = raw()
    table = tables(given)["unknown_outcomes"]
    assert len(table.rows) == 5
    rows = {row[0]: row[1:] for row in table.rows}
    low, high = given["bounds"]["auc"]
    assert rows["Of 100 pairs, right one first"][2] == f"between {100 * low:.0f} and {100 * high:.0f}"
    oe = given["weighted"]["oe_ratio"]["value"]
    assert str(rows["Came about, for each 100 foreseen"][1]).startswith(f"{100 * oe:.0f} (")
    brier = given["weighted"]["brier_score"]["value"]
    assert str(rows["Brier score (for specialists)"][1]).startswith(f"{brier:.3f} (")
    assert str(rows["Of 100 on the list, needed help"][1]).startswith(
        f"{100 * given['weighted']['precision']['value']:.0f} ("
    )
    assert "risk and as-of date" in str(table.note)


def test_tipping_points() -> None:
    given = raw()
    rows = {row[0]: row[1:] for row in tables(given)["tipping"].rows}
    (points,) = [row for row in given["tipping"] if row["against"] == "points"]
    assert points["needed"] is not None
    assert rows["A points tally"] == ("50 of 100", f"{100 * points['needed']:.0f} of 100")
    given["tipping"][0] |= {"needed": None, "verdict": "above whatever became of them"}
    given["tipping"][1] |= {"needed": None, "verdict": "below whatever became of them"}
    rows = {row[0]: row[1:] for row in tables(given)["tipping"].rows}
    assert "better in any case" in str(rows["The same risk for all"][1])
    assert "too few" in str(rows["A points tally"][1])


def test_a_handful_unknown_hides_bounds_and_tipping_points() -> None:
    rows = ranked_rows(people=2000, dates=1, unknown=0.0)
    known = np.ones(rows.n, dtype=bool)
    known[np.flatnonzero(rows.selected)[:7]] = False
    given = assess_unknown(
        replace(rows, known=known, outcome=np.where(known, rows.outcome, 0)), against={"points": 0.64}
    ).to_dict()
    shown = Shown()
    safe = published_unknown(given, (), shown)
    assert safe["unknown"] is None
    assert safe["bounds"] == {"auc": [None, None], "oe_ratio": [None, None], "brier_score": [None, None]}
    assert all(row["needed"] is None for row in safe["tipping"])
    assert {"where": "performance.unknown_outcomes.bounds", "what": "bounds", "why": shown.hidden} in shown.log
    table = unknown_tables(safe, example.performance(), LANGUAGE, None)["unknown_outcomes"]
    assert table.rows[3][3] == "not shown"


@pytest.mark.parametrize("key", ["n", "known", "unknown", "selected", "hits"])
def test_counts_are_rounded_and_the_unknown_on_the_list_is_left_to_at_capacity(key: str) -> None:
    safe = published_unknown(raw(), (), Shown())
    assert safe[key] % 5 == 0
    assert "unknown_selected" not in safe
    assert safe["weights"]["effective"] % 5 == 0


def test_nothing_to_say_when_every_outcome_is_known() -> None:
    safe = published_unknown(raw(unknown=0.0), (), Shown())
    assert unknown_tables(safe, example.performance(), LANGUAGE, None) == {}
    assert unknown_words(safe, LANGUAGE) == ()


def test_words_give_the_weighted_precision_and_that_nobody_can_check() -> None:
    given = raw()
    (said,) = unknown_words(published_unknown(given, (), Shown()), LANGUAGE)
    assert f"{100 * given['weighted']['precision']['value']:.0f} of 100 on the list needed help" in said
    assert "Nobody can check" in said


def test_published_is_json() -> None:
    json.dumps(published_unknown(raw(), (), Shown()), allow_nan=False)


def test_a_rule_whose_own_list_is_hidden_is_not_held_against_ours() -> None:
    """Its precision, times its places, would be the handful that the table of families hides."""
    families = [{"model": "points", "precision_at_k": {"value": None, "reason": "not shown"}}]
    against = [row["against"] for row in published_unknown(raw(), families, Shown())["tipping"]]
    assert against == ["base_rate"]
    assert "points" in [row["against"] for row in published_unknown(raw(), (), Shown())["tipping"]]
