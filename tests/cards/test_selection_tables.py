from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from riskmodels.cards.selection_tables import published_selection, selection_tables, selection_words
from riskmodels.cards.shown import Shown

NONE = {"value": 0.0, "n": 400, "reason": "it was the best of all"}


def cost(value: float) -> dict[str, Any]:
    return {"value": value, "low": value - 0.0003, "high": value + 0.0003, "n": 400}


def family(model: str, mean: dict[str, Any], worst: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "model": model,
        "simplicity": 1,
        "loss": cost(0.1234),
        "difference": mean,
        "mean_regret": mean,
        "worst_regret": worst,
        "best_at": 2,
        "picked_at": 2,
        "inside_floors": 3,
        "of_origins": 4,
        "verdict": None,
        "beaten_by": None,
        "meets": {"regret": True, "calibration": False, "fairness": None},
    } | changes


def raw() -> dict[str, Any]:
    origins = [
        {
            "origin": place,
            "as_of_date": f"{2018 + place}-09-01",
            "n": 403,
            "best": "lightgbm" if place % 2 else "logistic",
            "picked": "logistic",
            "regret": cost(0.0012) if place % 2 else NONE,
            "families": [],
        }
        for place in range(4)
    ]
    return {
        "criterion": "brier_score",
        "origins": origins,
        "families": [
            family(
                "single_best_column",
                cost(0.02),
                cost(0.03),
                meets={"regret": False, "calibration": True, "fairness": False},
            ),
            family("logistic", cost(0.0004), cost(0.0012)),
            family(
                "lightgbm",
                NONE,
                NONE,
                beaten_by="logistic",
                verdict="PASS",
                meets={"regret": True, "calibration": True, "fairness": True},
            ),
        ],
        "rule": {"origins": 4, "mean_regret": cost(0.0006), "worst_regret": cost(0.0012)},
        "simplest": "lightgbm",
    }


def published(**changes: Any) -> dict[str, Any]:
    return published_selection(copy.deepcopy(raw()) | changes, Shown())


def test_a_row_for_each_family_from_the_simplest() -> None:
    rows = selection_tables(published(), "last score")["selection"].rows
    assert [row[0] for row in rows] == [
        "A simple sort by last score",
        "Logistic regression",
        "Gradient boosted trees (LightGBM)",
    ]
    assert rows[1][4:8] == ("2 of 4", "2 of 4", "3 of 4", "not audited")
    assert rows[2][2] == "nothing: it was the best"
    assert rows[2][7:] == ("PASS", "Nothing")
    assert rows[0][8] == "Worse than the best, beyond chance; audit"
    assert rows[1][8] == "Risks wrong at times"


def test_a_row_for_each_test_date() -> None:
    origins = raw()["origins"]
    origins[0] |= {"picked": None, "regret": {"value": None, "reason": "nothing to choose on yet"}}
    rows = selection_tables(published(origins=origins), None)["origins"].rows
    assert rows[0][3] == "nothing to choose on yet"
    assert rows[0][:3] == ("1 September 2018", "Nothing to choose on", "Logistic regression")
    assert rows[1][:3] == ("1 September 2019", "Logistic regression", "Gradient boosted trees (LightGBM)")
    assert rows[2][3] == "nothing: it was the best"
    assert "(" in str(rows[1][3])


def test_words_say_what_always_taking_the_chosen_one_would_have_cost() -> None:
    words = selection_words(raw(), "logistic", None)
    assert words == (
        "Looking back over the 4 test dates: logistic regression was not always the best way on the day. The table has "
        "the numbers.",
        "Our rule for choosing would have picked the same on each of these days.",
    )


@pytest.mark.parametrize(
    ("mean", "near"),
    [(0.0005, "almost as good as"), (0.002, "a little worse than"), (0.004, "a good deal worse than")],
)
def test_the_cost_is_said_in_words_beside_what_the_same_risk_for_all_would_cost(mean: float, near: str) -> None:
    given = raw()
    given["families"].append(family("base_rate", cost(0.0051), cost(0.0083)))
    given["families"][1]["mean_regret"] = cost(mean)
    said = selection_words(given, "logistic", None)[0]
    assert f"logistic regression was {near} the best way on the day." in said
    assert "0.0" not in said
    assert "not always the best way" in selection_words(given, "base_rate", None)[0]


def test_words_of_a_rule_that_changed_its_mind_and_of_one_that_could_not_choose() -> None:
    given = raw()
    given["origins"][3]["picked"] = "lightgbm"
    for origin in given["origins"]:
        origin["best"] = origin["picked"]
    said = selection_words(given, "logistic", None)[1]
    assert "logistic regression on 3 and gradient boosted trees (LightGBM) on 1 of these days: the best" in said
    given["rule"]["mean_regret"] = {"value": None, "reason": "on some test date there was nothing to choose on"}
    assert len(selection_words(given, "logistic", None)) == 1


def test_words_of_the_best_each_time_and_of_one_that_is_beaten() -> None:
    words = selection_words(raw(), "lightgbm", None)
    assert "was the best each time" in words[0]
    assert words[1] == "Logistic regression is simpler, and was at least as good each time."


@pytest.mark.parametrize("count", [0, 1])
def test_one_date_is_no_history(count: int) -> None:
    few = published(origins=raw()["origins"][:count])
    assert selection_words(few, "logistic", None) == ()
    assert bool(selection_tables(few, None)) == bool(count)


def test_published_rounds_the_counts_and_is_json() -> None:
    safe = published()
    assert safe["origins"][0]["n"] == 405
    json.dumps(safe, allow_nan=False)
