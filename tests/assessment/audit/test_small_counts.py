import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats import proportion

from riskmodels.assessment.audit.small_counts import TwoRates, ratio_interval, ratio_p, score

WIDTH = 1.959964


@st.composite
def two_rates(draw):
    bottom, other = draw(st.integers(5, 400)), draw(st.integers(5, 3000))
    return TwoRates(draw(st.integers(1, bottom - 1)), bottom, draw(st.integers(1, other - 1)), other)


@given(two_rates())
@settings(max_examples=60, deadline=None)
def test_the_interval_and_the_p_value_are_those_of_statsmodels(rates):
    low, high = ratio_interval(rates, WIDTH)
    theirs = proportion.confint_proportions_2indep(*rates, compare="ratio", method="score", correction=False)
    assert (low, high) == pytest.approx(theirs, rel=1e-3)
    p = proportion.test_proportions_2indep(*rates, value=1, compare="ratio", method="score", correction=False).pvalue
    assert ratio_p(rates) == pytest.approx(p, abs=1e-6)


def test_none_of_a_hundred_beside_a_fifth_is_far_below_equal():
    # 0 of 100 beside 115 of 587, in an interval of 2.9 standard errors: not above half as many.
    low, high = ratio_interval(TwoRates(0, 100, 115, 587), 2.9)
    assert low == 0.0
    assert high is not None
    assert high < 0.5
    assert score(TwoRates(0, 100, 115, 587), high) == pytest.approx(-2.9, abs=1e-6)
    assert ratio_p(TwoRates(0, 100, 115, 587)) < 1e-5


def test_beside_none_there_is_no_upper_end():
    low, high = ratio_interval(TwoRates(10, 100, 0, 500), WIDTH)
    assert high is None
    assert low > 1


@pytest.mark.parametrize("rates", [TwoRates(100, 100, 500, 500), TwoRates(30, 30, 3, 400)])
def test_rates_of_one_do_not_break_it(rates):
    low, high = ratio_interval(rates, WIDTH)
    assert high is not None
    assert math.isfinite(low)
    assert low <= rates.top / rates.bottom / (rates.other_top / rates.other_bottom) <= high
