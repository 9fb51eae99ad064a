"""When two estimates differ by more than chance, and that what one card hides the other does not tell."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmodels.assessment.intervals import wilson
from riskmodels.cards.change.estimates import (
    CHANCE,
    CLEAR,
    HIDDEN,
    HIDDEN_ON_ONE,
    NO_INTERVAL,
    ONE_CARD,
    SAME,
    both_bounds,
    both_cells,
    finer,
    is_hidden,
    judge,
)
from tests.cards.change.pairs import estimate

NOT_SHOWN = {"value": None, "reason": "not shown (fewer than 10 people)"}


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        (estimate(0.50, 0.03), estimate(0.50, 0.03), SAME),
        # Half-widths 0.03 and 0.04 make 0.05: a gap of 0.06 is beyond it, and one of 0.045 is not.
        (estimate(0.50, 0.03), estimate(0.56, 0.04), CLEAR),
        (estimate(0.50, 0.03), estimate(0.545, 0.04), CHANCE),
        (estimate(0.56, 0.04), estimate(0.50, 0.03), CLEAR),
        # Beyond 0.05 by less than the last digit that the cards give: rounding alone may have done that.
        (estimate(0.50, 0.03), estimate(0.5505, 0.04), CHANCE),
        # These intervals overlap, and the difference is still more than chance (Schenker & Gentleman 2001).
        (estimate(0.50, 0.041), estimate(0.56, 0.041), CLEAR),
        ({"value": 0.5}, estimate(0.9, 0.01), NO_INTERVAL),
        (NOT_SHOWN, estimate(0.9, 0.01), HIDDEN_ON_ONE),
        ({"value": None, "reason": "one test date has no trend"}, estimate(0.9, 0.01), ONE_CARD),
    ],
)
def test_what_may_be_said_of_two_estimates(before, after, verdict) -> None:
    assert judge(before, after) == verdict


ends = st.floats(0.001, 0.2)
shares = st.builds(
    lambda value, below, above: {"value": value, "low": value - below, "high": value + above},
    st.floats(0.0, 1.0), ends, ends,
)  # fmt: skip


@given(shares, shares)
def test_more_than_chance_only_where_the_interval_of_the_difference_leaves_out_nought(before, after) -> None:
    gap = after["value"] - before["value"]
    # Newcombe's square-and-add, written out for the side that faces 0.
    if gap > 0:
        reach = np.sqrt((after["value"] - after["low"]) ** 2 + (before["high"] - before["value"]) ** 2)
    else:
        reach = np.sqrt((after["high"] - after["value"]) ** 2 + (before["value"] - before["low"]) ** 2)
    if judge(before, after) == CLEAR:
        assert abs(gap) > reach
    assert judge(before, after) == judge(after, before)


def test_of_two_samples_that_are_alike_about_one_in_twenty_seems_to_differ() -> None:
    """Different people: as often as it should be. The same people in part: less often, so that the word is safe."""
    rng = np.random.default_rng(4)
    n, rounds = 400, 2000

    def share_called_clear(shared: int) -> float:
        common = rng.binomial(shared, 0.3, rounds)
        first, second = (common + rng.binomial(n - shared, 0.3, rounds) for _ in range(2))
        called = 0
        for hits in zip(first, second, strict=True):
            sides = [dict(zip(("value", "low", "high"), (h / n, *wilson(h / n, n)), strict=True)) for h in hits]
            called += judge(*sides) == CLEAR
        return called / rounds

    assert share_called_clear(0) == pytest.approx(0.05, abs=0.015)
    assert share_called_clear(300) < 0.01


def test_a_profiles_mark_hides_as_words_do() -> None:
    assert is_hidden({"value": None, "reason": "c"})
    assert judge({"value": None, "reason": "c"}, estimate(0.9, 0.01)) == HIDDEN_ON_ONE
    assert not is_hidden({"value": None, "reason": "cannot be computed"})


def test_shares_that_are_not_the_same_are_not_printed_alike() -> None:
    assert both_cells(estimate(0.336, 0.001), estimate(0.344, 0.001), "recall") == (
        "33.6 (33.5 to 33.7)", "34.4 (34.3 to 34.5)",
    )  # fmt: skip
    assert both_cells(estimate(0.336, 0.001), estimate(0.336, 0.001), "recall") == ("34 (34 to 34)",) * 2
    assert finer(0.336, 0.344) == ("33.6", "34.4")
    assert finer(0.33604, 0.33601) == ("33.604", "33.601")
    assert finer(0.5, 0.5) == ("50.0", "50.0")


def test_what_one_card_hides_is_shown_of_neither() -> None:
    shown = estimate(0.42, 0.02)
    assert both_cells(shown, NOT_SHOWN, "recall") == both_cells(NOT_SHOWN, shown, "recall") == (HIDDEN, HIDDEN)
    assert both_bounds([0.2, None], [0.3, 0.4]) == both_bounds([0.2, 0.3], [None, None]) == (HIDDEN, HIDDEN)
    assert both_bounds(None, [0.3, 0.4]) == both_bounds([0.2, 0.3], HIDDEN) == (HIDDEN, HIDDEN)
    assert both_cells(shown, estimate(0.44, 0.02), "recall") == ("42 (40 to 44)", "44 (42 to 46)")
    assert both_bounds([0.2, 0.3], [0.3, 0.4]) == ("between 20 and 30", "between 30 and 40")
