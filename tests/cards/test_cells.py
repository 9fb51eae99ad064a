"""One rounding rule: what stands in a table, in a picture and in prose rounds to the same number of 100."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmodels.cards.cells import decimals, fine_100, ratio_cell, whole_100, with_range, with_range_foreseen
from riskmodels.cards.words import of_100

SHARES = st.floats(min_value=0, max_value=1)


@given(SHARES)
def test_a_number_in_a_table_rounds_to_the_one_in_prose(share: float) -> None:
    said = of_100(share)
    for told in (fine_100(share), fine_100(share, whole_from=100), whole_100(share)):
        assert told is not None
        if said.isdigit():
            assert math.floor(told + 0.5) == int(said)
        assert abs(told - 100 * share) <= 0.5


@given(SHARES)
def test_the_drawn_number_is_none_or_all_only_where_it_is_so(share: float) -> None:
    told = whole_100(share)
    assert told is not None
    if 0.0005 <= share <= 0.9994:
        assert 0 < told < 100


@pytest.mark.parametrize(
    ("share", "told"),
    [(0.0246, 2.4), (0.0254, 2.5), (0.3462, 35), (0.0999, 10), (0.09944, 9.9), (-0.108, -11), (-0.0246, -2.4), (0, 0)],
)
def test_fine_numbers(share: float, told: float) -> None:
    # 2.46 is 2 in prose, so it may not stand as 2.5, which would be read as 3.
    assert fine_100(share) == told


def test_nothing_stays_nothing() -> None:
    assert fine_100(None) is None
    assert whole_100(None) is None


def test_cells_of_specialists_have_the_same_digits_throughout() -> None:
    slope: dict[str, Any] = {"value": 1.1, "low": 1.0, "high": 1.204}
    assert decimals(slope, 2) == "1.10 (1.00 to 1.20)"
    assert decimals({"value": -0.0}, 2) == "0.00"
    assert decimals({"value": None, "reason": "too few"}, 2) == "too few"
    assert ratio_cell({"ratio": 0.9, "low": None, "high": 1.3}) == "0.90 (no limit to 1.30)"


def test_what_came_about_is_said_of_each_100_foreseen() -> None:
    assert with_range_foreseen({"value": 0.9701, "low": 0.908, "high": 1.042}) == "97 (91 to 104)"
    assert with_range({"value": 0.3462, "low": 0.3, "high": 0.38}, per_100=True) == "35 (30 to 38)"
