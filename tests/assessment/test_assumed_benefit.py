from __future__ import annotations

import json
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodels.assessment.assumed_benefit import (
    NO_HELP,
    NO_LIMIT,
    NO_MONEY,
    assumed_benefit,
    break_even_effect,
    over,
    prevented_per_100,
    saved_per_100,
)
from riskmodels.assessment.estimate import Estimate, not_computed
from riskmodels.study.use import Help, Money

PRECISION = Estimate(0.5, 0.4, 0.6, 200)
MONEY = Money(place_costs=(100, 200), success_saves=(1000, 4000))
BOUNDS = (0.45, 0.55)
VIEWS = ("measured", "sampling", "unknown")


def help_(take_up=(0.5, 0.8), effect=(0.1, 0.3)) -> Help:
    return Help(take_up=take_up, effect=effect)


def ends(found) -> tuple[float, float]:
    return found["low"], found["high"]


def test_by_hand():
    """Precision .5 (.4 to .6; bounds .45, .55), take-up .5 to .8, effect .1 to .3; 100 to 200 a place, saving 1,000 to
    4,000.

    Reached: 50 to 80 of 100. A person reached costs 100/.8 = 125 to 200/.5 = 400; one in need twice that.
    Prevented: 100 x .5 x .5 x .1 = 2.5 to 100 x .5 x .8 x .3 = 12. Saved: 2.5 x 1,000 - 20,000 to 12 x 4,000 - 10,000.
    Break even: 100 / (.5 x .8 x 4,000) to 200 / (.5 x .5 x 1,000).
    """
    found = assumed_benefit(PRECISION, BOUNDS, MONEY, help_())
    assert ends(found["reached_per_100"]) == pytest.approx((50, 80))
    assert ends(found["cost_per_person_reached"]) == pytest.approx((125, 400))
    assert ends(found["cost_per_person_in_need_reached"]["measured"]) == pytest.approx((250, 800))
    assert ends(found["prevented_per_100"]["measured"]) == pytest.approx((2.5, 12))
    assert ends(found["saved_per_100"]["measured"]) == pytest.approx((-17_500, 38_000))
    assert ends(found["break_even_effect"]["measured"]) == pytest.approx((0.0625, 0.8))
    # The same with precision anywhere in its interval, and in its bounds.
    assert ends(found["prevented_per_100"]["sampling"]) == pytest.approx((2, 14.4))
    assert ends(found["prevented_per_100"]["unknown"]) == pytest.approx((2.25, 13.2))
    assert ends(found["cost_per_person_in_need_reached"]["sampling"]) == pytest.approx((100 / 0.48, 200 / 0.2))
    assert (found["assumed"], found["not_stated"]) == (True, [])
    assert found["stated"]["effect"] == [0.1, 0.3]


def test_harm_is_shown_like_benefit():
    found = assumed_benefit(PRECISION, BOUNDS, MONEY, help_(effect=(-0.1, 0.2)))
    low, high = ends(found["prevented_per_100"]["measured"])
    assert low < 0 < high
    # Harm costs most where most are reached and each case costs most: -.1 x .5 x .8 x 100 x 4,000 - 20,000.
    assert found["saved_per_100"]["measured"]["low"] == pytest.approx(-36_000)


def test_without_help_nothing_is_assumed():
    found = assumed_benefit(PRECISION, BOUNDS, MONEY, None)
    assert found["not_stated"] == [NO_HELP]
    assert set(found) == {"assumed", "precision", "stated", "not_stated"}


def test_without_money_there_is_no_cost():
    found = assumed_benefit(PRECISION, BOUNDS, None, help_())
    assert found["not_stated"] == [NO_MONEY]
    assert "prevented_per_100" in found
    assert "saved_per_100" not in found


def test_with_nothing_stated():
    assert assumed_benefit(PRECISION, BOUNDS, None, None)["not_stated"] == [NO_HELP, NO_MONEY]


@pytest.mark.parametrize(
    ("take_up", "saves", "where"),
    [
        ((0.0, 0.8), (1000, 4000), "cost_per_person_in_need_reached"),
        ((0.5, 0.8), (0, 4000), "break_even_effect"),
    ],
)
def test_a_range_without_a_limit_says_so(take_up, saves, where):
    money = Money(place_costs=(100, 200), success_saves=saves)
    found = assumed_benefit(PRECISION, BOUNDS, money, help_(take_up=take_up))[where]["measured"]
    assert found["low"] > 0
    assert (found["high"], found["reason"]) == (None, NO_LIMIT)


def test_where_nobody_is_reached_nothing_is_gained_and_the_places_are_paid_for():
    found = assumed_benefit(PRECISION, BOUNDS, MONEY, help_(take_up=(0, 0)))
    assert ends(found["prevented_per_100"]["measured"]) == (0, 0)
    assert ends(found["saved_per_100"]["measured"]) == (-20_000, -10_000)
    assert ends(found["break_even_effect"]["measured"]) == (None, None)


@pytest.mark.parametrize(
    ("precision", "missing"),
    [
        (not_computed("nobody was selected", 0), ("measured", "sampling")),
        (Estimate(0.5, n=40, reason="no interval: all rows belong to one cluster"), ("sampling",)),
    ],
)
def test_what_needs_a_precision_that_is_not_there_has_its_reason(precision, missing):
    found = assumed_benefit(precision, (None, None), MONEY, help_())["prevented_per_100"]
    assert set(found) == {"measured", "sampling"}
    for view, range_ in found.items():
        expected = {"low": None, "high": None, "reason": precision.reason}
        assert (range_ == expected) == (view in missing)


def test_unknown_outcomes_add_nothing_where_there_are_none():
    assert set(assumed_benefit(PRECISION, (0.5, 0.5), MONEY, help_())["saved_per_100"]) == {"measured", "sampling"}


def test_answers_are_plain_values():
    json.dumps(assumed_benefit(PRECISION, BOUNDS, MONEY, help_()) | {"precision": None}, allow_nan=False)


# ---------------------------------------------------------------- properties

SHARE = st.floats(0.01, 1)


def ranges(values):
    return st.tuples(values, values).map(sorted).map(tuple)


def within(inner, outer) -> bool:
    slack = 1e-9 * max(1.0, *map(abs, outer))
    return outer[0] - slack <= inner[0] <= inner[1] <= outer[1] + slack


@given(
    take_up=ranges(SHARE), effect=ranges(st.floats(-1, 1)), precision=ranges(SHARE),
    saves=ranges(st.floats(-500, 9000)), costs=ranges(st.floats(0, 900)),
)  # fmt: skip
@settings(max_examples=80, deadline=None)
def test_ends_are_the_extremes_of_a_fine_grid(take_up, effect, precision, saves, costs):
    """Slow oracle: every combination of points along each range lies within, and the ends are reached."""
    arguments = (precision, take_up, effect, saves, costs)
    found = over(saved_per_100, *arguments)
    grid = [saved_per_100(*point) for point in product(*(np.linspace(*each, 4) for each in arguments))]
    assert (found.low, found.high) == pytest.approx((min(grid), max(grid)), rel=1e-9, abs=1e-9)
    found = over(break_even_effect, precision, take_up, (1, 50), (1, 9))
    grid = [
        break_even_effect(*point)
        for point in product(*(np.linspace(*each, 4) for each in (precision, take_up, (1, 50), (1, 9))))
    ]
    assert (found.low, found.high) == pytest.approx((min(grid), max(grid)))


@given(take_up=ranges(SHARE), effect=ranges(st.floats(-1, 1)))
@settings(max_examples=80, deadline=None)
def test_prevented_takes_the_sign_of_the_effect(take_up, effect):
    found = assumed_benefit(PRECISION, BOUNDS, MONEY, help_(take_up, effect))["prevented_per_100"]
    for view in VIEWS:
        low, high = ends(found[view])
        assert (low >= 0, high <= 0) == (effect[0] >= 0, effect[1] <= 0)
        assert -100 <= low <= high <= 100


@given(take_up=ranges(SHARE), effect=ranges(st.floats(-1, 1)), wider=st.floats(0, 1))
@settings(max_examples=80, deadline=None)
def test_wider_assumptions_never_narrow_an_answer(take_up, effect, wider):
    narrow = assumed_benefit(PRECISION, BOUNDS, MONEY, help_(take_up, effect))
    more = help_(
        (take_up[0] * (1 - wider), take_up[1] + (1 - take_up[1]) * wider),
        (max(effect[0] - wider, -1), min(effect[1] + wider, 1)),
    )
    wide = assumed_benefit(PRECISION, BOUNDS, MONEY, more)
    for name in ("prevented_per_100", "saved_per_100"):
        for view in VIEWS:
            assert within(ends(narrow[name][view]), ends(wide[name][view]))
        # Sampling error and unknown outcomes only add to what is assumed.
        for view in VIEWS[1:]:
            assert within(ends(narrow[name]["measured"]), ends(narrow[name][view]))


@given(take_up=SHARE, precision=SHARE, effect=st.floats(-1, 1), more=st.floats(0.001, 1))
@settings(max_examples=80, deadline=None)
def test_more_effect_prevents_more_and_a_dearer_place_saves_less(take_up, precision, effect, more):
    assert prevented_per_100(precision, take_up, effect + more) > prevented_per_100(precision, take_up, effect)
    least, dearer = (saved_per_100(precision, take_up, effect, 1000, cost) for cost in (100, 100 + more))
    assert dearer < least


@given(take_up=SHARE, precision=SHARE, saves=st.floats(1, 9000), cost=st.floats(1, 900))
@settings(max_examples=80, deadline=None)
def test_at_the_break_even_effect_nothing_is_saved_and_nothing_lost(take_up, precision, saves, cost):
    effect = break_even_effect(precision, take_up, saves, cost)
    assert saved_per_100(precision, take_up, effect, saves, cost) == pytest.approx(0, abs=1e-6 * 100 * cost)
