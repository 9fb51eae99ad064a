"""What a deep run found, in words that do not claim more than it saw."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from riskmodels.cards.deep_tables import NOT_RUN, deep_tables, deep_words, source_words
from riskmodels.cards.words import language_of
from tests.cards import example_card as example

LANGUAGE = language_of(example.study().file)


def estimate(value: float, half: float) -> dict[str, float]:
    return {"value": value, "low": value - half, "high": value + half}


def source(name: str, missed: bool) -> dict[str, Any]:
    return {
        "source": name, "features": 2, "cost": estimate(0.001 * missed, 0.0002), "auc_cost": estimate(0.02, 0.01),
        "precision_at_k": estimate(0.3, 0.04), "missed": missed,
    }  # fmt: skip


def deep(**changes: Any) -> dict[str, Any]:
    spread = {"mean": 0.72, "low": 0.61, "high": 0.91}
    return {
        "criterion": "brier_score", "not_computed": {},
        "stability": {
            "refits": 10, "chosen_anew": True, "overlap": spread, "firm": 0.55, "chance": 0.05, "reasons": 0.59,
            "risk_shift": {"all": 0.0213, "listed": 0.093}, "auc": spread,
            "families": [{"model": "logistic", "share": 0.4}, {"model": "single_best_column", "share": 0.6}],
        },
        "learning": [
            {"share": share, "events": 10 * place, "auc": 0.7 + 0.01 * place, "brier_score": 0.07}
            for place, share in enumerate((0.1, 0.5, 1.0), 1)
        ],
        "sources": [source("school", True), source("housing", False)],
        "grouped": source("", False),
    } | changes  # fmt: skip


def test_the_list_as_it_would_be_on_other_draws() -> None:
    words = deep_words(deep(), LANGUAGE, "last score")
    assert words[0].endswith(
        "Of 100 places on the list, 72 went to the same pupils on average. Had places been drawn by lot, 5 would. Of "
        "100 on the list, 55 were on nearly every other list too: the rest are there partly by luck."
    )
    assert words[2] == (
        "Which way of choosing is used hangs on the draw too: of 10 times, it was a simple sort by last score in 6 and "
        "logistic regression in 4."
    )
    one = deep()
    one["stability"]["families"] = [{"model": "logistic", "share": 1.0}]
    assert deep_words(one, LANGUAGE, None)[2] == "Each of these times logistic regression was chosen."
    one["stability"]["chosen_anew"] = False
    assert "was chosen" not in " ".join(deep_words(one, LANGUAGE, None))


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.001, 0.02, "more data may help"),
        (-0.001, 0.004, "would help little"),
        (-0.001, 0.02, "cannot be told"),
    ],
)
def test_more_data(low: float, high: float, said: str) -> None:
    given = deep(doubling={"value": (low + high) / 2, "low": low, "high": high})
    assert said in " ".join(deep_words(given, LANGUAGE, None))


def test_without_an_interval_nothing_is_said_of_more_data() -> None:
    for doubling in (None, {"value": 0.1, "reason": "no interval"}):
        assert "learn from, the ranking" not in " ".join(deep_words(deep(doubling=doubling), LANGUAGE, None))


@pytest.mark.parametrize(
    ("sources", "said"),
    [
        ([source("school", True), source("housing", True)], "Not without loss: the risks are worse, beyond chance"),
        ([source("school", True), source("housing", False)], "Without the source housing the risks are no worse"),
        (
            [source("a", True), source("b", False), source("c", False), source("b and c", False)],
            "Without the sources b and c, all left out together, the risks are no worse beyond chance.",
        ),
        (
            [source("a", True), source("b", False), source("c", False), source("b and c", True)],
            "Without any one of the sources b or c the risks are no worse beyond chance. Without all of them they are",
        ),
        ([source("a", False), source("b", False)], "Without any one source the risks are no worse beyond chance"),
    ],
)
def test_less_data(sources: list[dict[str, Any]], said: str) -> None:
    (sentence,) = source_words(deep(sources=sources))
    assert said in sentence
    assert sentence.startswith("Could less data be used? ")


def test_no_source_looked_at_is_no_sentence() -> None:
    assert source_words(deep(sources=[])) == []


@pytest.mark.parametrize(
    ("cost", "said"), [(0.02, "1 fewer are put right"), (0.005, "At worst it puts 1.5 fewer of 100 pairs right.")]
)
def test_those_whose_own_past_it_had_not_learned_from(cost: float, said: str) -> None:
    given = deep(grouped={"auc_cost": estimate(cost, 0.01)})
    given["grouped"]["auc_cost"]["value"] = 0.01
    assert said in deep_words(given, LANGUAGE, None)[-1]


def test_nothing_is_said_to_be_hidden_that_is_not() -> None:
    rows = deep_tables(deep(), LANGUAGE, None)["sources"].rows
    assert [row[:2] for row in rows] == [
        ("Source school", "2"), ("Source housing", "2"), ("The own past of the pupils that it ranks", "none"),
    ]  # fmt: skip


def test_what_was_not_run_says_so_and_what_failed_why() -> None:
    assert deep_words(None, LANGUAGE, None) == (NOT_RUN,)
    assert deep_tables(None, LANGUAGE, None) == {}
    without = copy.deepcopy(deep(stability=None, not_computed={"stability": "only 3 of 10 draws had enough cases"}))
    assert deep_words(without, LANGUAGE, None)[0] == (
        "How stable the list is cannot be said: only 3 of 10 draws had enough cases."
    )
    assert "stability" not in deep_tables(without, LANGUAGE, None)
