"""What the card says of a search for settings."""

from __future__ import annotations

from typing import Any

import pytest

from riskmodels.cards.reading import reading_grade
from riskmodels.cards.tuning_tables import SETTINGS, tuning_table, tuning_words
from riskmodels.cards.words import Language, sentences_of, word_count
from riskmodels.models.tuning.spaces import SPACES

PEOPLE = Language("pupil", "pupils", "one who", "needed help", "did not need help", "need help", "falls behind")
WON = "they did better in the folds than the study's own, by more than chance"


def family(**changes: Any) -> dict[str, Any]:
    return {
        "family": "lightgbm",
        "how": "time",
        "why": "",
        "folds": ["2018-05-01", "2018-09-01"],
        "trials": 40,
        "ended_by": "trials",
        "own": {"trees": 120, "learning_rate": 0.05},
        "best": {"trees": 263, "learning_rate": 0.00123},
        "own_loss": 0.18976,
        "best_loss": 0.15849,
        "gain": {"value": 0.03127, "low": 0.02177, "high": 0.04084},
        "kept": False,
        "reason": WON,
    } | changes


def tuning(*families: dict[str, Any], repeatable: bool = True, folds: int = 2) -> dict[str, Any]:
    budget = {"trials": 40, "minutes": None if repeatable else 5.0}
    return {
        "criterion": "brier_score",
        "budget": budget,
        "repeatable": repeatable,
        "folds": folds,
        "families": list(families),
    }


UNTRIED = family(
    family="logistic", how="grouped", why="there are too few", folds=[], trials=0, ended_by="no folds", own={"c": 1.0},
    best={"c": 1.0}, own_loss=None, best_loss=None, gain={"value": None, "low": None, "high": None}, kept=True,
    reason="there are too few",
)  # fmt: skip
GROUPED = family(how="grouped", why="there is one date to learn from", folds=["group 1", "group 2", "group 3"])


def test_nothing_is_said_where_nothing_was_tuned() -> None:
    assert tuning_words(None, PEOPLE) == []
    assert tuning_table(None) is None


def test_fewer_folds_than_asked_for_are_explained() -> None:
    few = "Earlier dates could not judge: they left too few cases to learn from."
    assert few in tuning_words(tuning(family(), folds=3), PEOPLE)
    assert few not in tuning_words(tuning(family(), folds=2), PEOPLE)


def test_where_and_how_and_what_came_of_it() -> None:
    where, came = tuning_words(tuning(family()), PEOPLE)
    assert "before any test date was looked at" in where
    assert "judged on 1 May 2018 and 1 September 2018" in where
    assert came == (
        "Gradient boosted trees (LightGBM): 40 settings were tried. The best are used: they did better in the folds "
        "than the study's own, by more than chance."
    )


def test_settings_judged_on_other_people_are_not_said_to_hold_over_time() -> None:
    where = tuning_words(tuning(GROUPED), PEOPLE)[0]
    assert "other pupils of the same dates, not on later ones, as there is one date to learn from" in where
    assert "whether they hold over time is not known" in where
    assert "2018" not in where


@pytest.mark.parametrize(("repeatable", "said"), [(True, False), (False, True)])
def test_a_budget_in_minutes_is_said_to_be_hard_to_repeat(repeatable: bool, said: bool) -> None:
    words = " ".join(tuning_words(tuning(family(), repeatable=repeatable), PEOPLE))
    assert ("another run may find other settings" in words) is said


def test_where_nothing_could_be_tried_the_reason_is_given() -> None:
    assert tuning_words(tuning(UNTRIED), PEOPLE) == [
        "Logistic regression: no settings could be tried out, as there are too few. The study's own are used."
    ]
    table = tuning_table(tuning(UNTRIED))
    assert table is not None
    assert table.rows == (("Logistic regression", SETTINGS["c"], "1", "not tried", "1"),)
    assert table.note is None


def test_each_setting_stands_in_the_table() -> None:
    table = tuning_table(tuning(family(), family(family="logistic", own={"c": 1.0}, best={"c": 0.2}, kept=True)))
    assert table is not None
    trees, logistic = "Gradient boosted trees (LightGBM)", "Logistic regression"
    assert table.rows == (
        (trees, SETTINGS["trees"], "120", "263", "263"),
        (trees, SETTINGS["learning_rate"], "0.05", "0.00123", "0.00123"),
        (trees, "Brier score in the folds", "0.1898", "0.1585", "0.1585"),
        (logistic, SETTINGS["c"], "1", "0.2", "1"),
        (logistic, "Brier score in the folds", "0.1898", "0.1585", "0.1898"),
    )
    assert table.note is not None
    assert "Gradient boosted trees (LightGBM): 0.0313 (0.0218 to 0.0408)." in table.note


@pytest.mark.parametrize(
    "plan", [tuning(family()), tuning(GROUPED), tuning(UNTRIED), tuning(family(), repeatable=False)]
)
def test_it_reads_easily(plan: dict[str, Any]) -> None:
    words = " ".join(tuning_words(plan, PEOPLE))
    assert reading_grade(words) <= 9
    assert all(word_count(sentence) <= 30 for sentence in sentences_of(words))


def test_every_setting_that_can_be_tuned_has_its_words() -> None:
    assert {name for space in SPACES.values() for name in space} == set(SETTINGS)
