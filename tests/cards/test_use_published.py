"""No handful of people in what acting on the list does, and none between two sizes of the list."""

from __future__ import annotations

import copy
import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodels.assessment.suppression import PROFILES
from riskmodels.cards.checks import CHECKS
from riskmodels.cards.shown import COUNTS, MAY_BE_NONE, Shown
from riskmodels.cards.use_published import published_use, significant
from tests.cards import example_card as example
from tests.cards.example_use import use


@pytest.fixture(scope="module")
def exact() -> dict[str, Any]:
    return use()


def exact_rows(raw: dict[str, Any], safe: dict[str, Any]) -> list[dict[str, Any]]:
    """The exact counts of the sizes that are shown."""
    by_size = {round(row["relative"], 3): row for row in raw["capacity_sweep"]}
    return [by_size[row["relative"]] for row in safe["capacity_sweep"]]


def counts(value: Any, key: str = "") -> list[tuple[str, int]]:
    if isinstance(value, dict):
        return [found for name, inner in value.items() for found in counts(inner, name)]
    if isinstance(value, list):
        return [found for inner in value for found in counts(inner, key)]
    return [(key, value)] if key in COUNTS and isinstance(value, int) else []


@given(
    people=st.integers(30, 500),
    share=st.floats(0.02, 0.6),
    unknown=st.floats(0, 0.5),
    dates=st.integers(1, 3),
    seed=st.integers(0, 999),
)
@settings(max_examples=60, deadline=None)
def test_nothing_shown_is_or_tells_a_handful(people, share, unknown, dates, seed):
    raw = use(people, max(1, round(share * people)), unknown, dates, seed)
    safe = published_use(raw, Shown())
    for key, count in counts(safe):
        assert (count == 0 and key in MAY_BE_NONE) or (count >= 10 and count % 5 == 0)
    sizes = exact_rows(raw, safe)
    (own,) = [place for place, row in enumerate(sizes) if row["own"]]
    for place, (row, shown) in enumerate(zip(sizes, safe["capacity_sweep"], strict=True)):
        wrong = row["known"] - row["hits"]
        if shown["precision"]["value"] is not None:
            assert min(row["hits"], wrong) >= 10
        assert place == own or min(row["hits"], wrong) >= 10
        if shown["precision_bounds"] != [None, None]:
            assert min(row["hits"], wrong) >= 10
            assert row["unknown"] == 0 or row["unknown"] >= 10
    for shorter, longer in pairwise(sizes):
        hits = longer["hits"] - shorter["hits"]
        assert hits >= 10
        assert longer["known"] - shorter["known"] - hits >= 10
    bounded = [
        row["unknown"]
        for row, shown in zip(sizes, safe["capacity_sweep"], strict=True)
        if shown["precision_bounds"] != [None, None]
    ]
    for fewer, more in pairwise(bounded):
        assert more == fewer or more - fewer >= 10


def test_the_list_itself_is_always_there_and_as_elsewhere_in_the_card(exact):
    safe = published_use(exact, Shown())
    for rows in (exact["capacity_sweep"], safe["capacity_sweep"]):
        assert [row["relative"] for row in rows if row["own"]] == [1.0]
    raw, shown = (next(row for row in rows["capacity_sweep"] if row["own"]) for rows in (exact, safe))
    assert shown["precision"]["value"] == round(raw["precision"]["value"], 3)
    assert len(safe["capacity_sweep"]) > 5


def test_twice_is_once_and_the_exact_is_left_alone(exact):
    before = copy.deepcopy(exact)
    once = published_use(exact, Shown())
    assert exact == before
    assert published_use(once, Shown()) == once
    assert published_use({}, Shown()) == {}


def test_a_hidden_precision_hides_all_that_is_made_of_it():
    shown = Shown()
    raw = use(people=200, places=14, dates=1)
    assert raw["assumed"]["precision"]["value"] is not None
    found = published_use(raw, shown)["assumed"]
    assert found["precision"]["value"] is None
    for name in ("prevented_per_100", "saved_per_100", "break_even_effect", "cost_per_person_in_need_reached"):
        for view in found[name].values():
            assert view == {"low": None, "high": None, "reason": shown.hidden}
    # What no precision went into stays.
    assert found["cost_per_person_reached"] == {"low": 125.0, "high": 400.0}


def test_money_is_rounded_so_that_it_does_not_give_the_precision_away(exact):
    raw, safe = (found["assumed"]["saved_per_100"]["measured"] for found in (exact, published_use(exact, Shown())))
    for end in ("low", "high"):
        assert safe[end] == pytest.approx(raw[end], rel=0.005)
        assert safe[end] % 10 == 0 != raw[end] % 10


def test_no_range_over_unknown_outcomes_where_these_are_a_handful():
    raw = use(people=400, places=120, unknown=0.02, dates=1)
    (own,) = [row for row in raw["capacity_sweep"] if row["own"]]
    assert 0 < own["unknown"] < 10
    assert "unknown" in raw["assumed"]["saved_per_100"]
    assert set(published_use(raw, Shown())["assumed"]["saved_per_100"]) == {"measured", "sampling"}


def test_a_hidden_side_of_the_cut_hides_the_difference(exact):
    raw = copy.deepcopy(exact)
    raw["marginal"]["inside"]["observed"] |= {"value": 6 / 50, "n": 50}
    found = published_use(raw, Shown())["marginal"]
    assert (found["inside"]["observed"]["value"], found["difference"]["value"]) == (None, None)
    assert found["outside"]["observed"]["value"] is not None


@pytest.mark.parametrize(("rest", "hidden"), [(0, False), (4, True), (25, False)])
def test_a_side_of_the_cut_that_leaves_a_handful_of_a_step_is_hidden(exact, rest, hidden):
    """The step from the next shorter list to this one, less those at the cut, is another handful of people."""
    raw = copy.deepcopy(exact)
    own = next(row for row in raw["capacity_sweep"] if row["own"])
    before = raw["capacity_sweep"][raw["capacity_sweep"].index(own) - 1]
    known, hits = own["known"] - before["known"], own["hits"] - before["hits"]
    side = {"value": (hits - rest) / (known - 2 * rest), "n": known - 2 * rest}
    raw["marginal"]["inside"]["observed"] |= side
    shown = Shown()
    found = published_use(raw, shown)["marginal"]
    assert (found["inside"]["observed"]["value"] is None) == hidden
    assert (found["difference"]["value"] is None) == hidden
    assert any(line["where"].endswith("marginal.inside") for line in shown.log) == hidden


def test_the_mean_risk_of_a_handful_is_hidden(exact):
    raw = copy.deepcopy(exact)
    raw["regression_to_mean"]["listed"]["remaining"] = 9
    found = published_use(raw, Shown())["regression_to_mean"]
    assert [found["listed"][name]["value"] for name in ("then", "later", "change")] == [None] * 3
    assert found["listed"]["remaining"] is None
    assert found["everybody"]["change"]["value"] is not None


def test_of_places_nothing_is_hidden():
    raw, shown = use(people=60, places=8, dates=1), Shown(PROFILES["places"])
    safe = published_use(raw, shown)
    assert len(safe["capacity_sweep"]) == len(raw["capacity_sweep"])
    assert shown.log == []


def test_the_log_holds_no_number():
    shown = Shown()
    published_use(use(people=200, places=14), shown)
    assert shown.log
    assert not any(character.isdigit() for line in shown.log for character in line["what"])


def test_a_card_that_holds_it_passes_its_checks(exact):
    made = example.card(performance=example.performance() | {"use": published_use(exact, Shown())}).to_dict()
    assert made["performance"]["use"]["disclosure"] == "sro-10"
    for check in ("schema", "disclosure"):
        assert CHECKS[check](made)[0], CHECKS[check](made)[1]
    json.dumps(made, allow_nan=False)


@pytest.mark.parametrize(
    ("value", "expected"), [(12_345.6, 12_300), (-0.045678, -0.0457), (0, 0), (None, None), (999.6, 1000)]
)
def test_three_digits_that_count(value, expected):
    assert significant(value) == expected
