"""The population stability index: by hand and by its bounds."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmodels.assessment.stability_index import stability_index

counts = st.lists(st.integers(0, 500), min_size=4, max_size=4)


def test_by_hand() -> None:
    # Shares 0.5, 0.3, 0.2 then 0.25, 0.25, 0.5:
    # -0.25 ln(0.5) - 0.05 ln(0.25 / 0.3) + 0.3 ln(2.5) = 0.173287 + 0.009116 + 0.274887
    found = stability_index([50, 30, 20], [100, 100, 200])
    assert found.value == pytest.approx(0.457290, abs=1e-6)
    assert found.bins == 3
    assert found.words == "very different"


def test_the_same_shares_are_alike() -> None:
    found = stability_index([50, 30, 20], [5, 3, 2])
    assert found.value == 0.0
    assert found.words == "alike"


def test_thin_bins_are_joined_and_nobody_is_half_a_row() -> None:
    # 2 of 100 is less than 5 of 100: joined to the next; the last, of 3, to the one before. Left: 52 and 48.
    found = stability_index([2, 50, 45, 3], [0, 0, 60, 40])
    assert found.bins == 2
    before, now = (0.52, 0.48), (0.5 / 100, 1.0)
    assert found.value == pytest.approx(sum((a - e) * math.log(a / e) for e, a in zip(before, now, strict=True)))


@pytest.mark.parametrize(
    ("actual", "words"), [([560, 440], "alike"), ([660, 340], "somewhat different"), ([800, 200], "very different")]
)
@pytest.mark.parametrize("times", [1, 50])
def test_it_is_read_by_two_thresholds_and_not_by_chance(actual: list[int], words: str, times: int) -> None:
    # 0.06 ln(0.56 / 0.44) = 0.014, 0.16 ln(0.66 / 0.34) = 0.106, 0.3 ln(0.8 / 0.2) = 0.416. More rows change nothing:
    # they may be of the same households.
    found = stability_index([500, 500], [times * count for count in actual])
    assert found.words == words
    assert not hasattr(found, "by_chance")


@pytest.mark.parametrize(
    ("expected", "actual", "reason"),
    [([0, 0], [1, 2], "no rows"), ([1, 2], [0, 0], "no rows"), ([99, 1], [1, 1], "in one bin"), ([], [], "no rows")],
)
def test_without_an_answer_there_is_a_reason(expected: list[int], actual: list[int], reason: str) -> None:
    found = stability_index(expected, actual)
    assert found.value is None
    assert reason in str(found.reason)
    assert found.words == "not known"


def test_other_bins_are_refused() -> None:
    with pytest.raises(ValueError, match="as many bins, got 2 and 1"):
        stability_index([1, 2], [1])


@given(counts, counts)
def test_never_below_nought_whatever_the_counts(expected: list[int], actual: list[int]) -> None:
    found = stability_index(expected, actual)
    assert (found.value is None) == (found.reason is not None)
    assert found.value is None or (math.isfinite(found.value) and found.value > -0.01)
