"""Every profile keeps its rules: what is hidden, how the others are rounded, and what a reader can still work out."""

from itertools import product
from typing import get_args

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from riskmodels.assessment.suppression import (
    PROFILES,
    Profile,
    behind_rates,
    hidden_rows,
    not_shown,
    possible,
    published_count,
    rules_in_words,
    strictest,
    window,
)
from riskmodels.study import StudyFile

EVERY = list(PROFILES.values())
OF_PEOPLE = [profile for profile in EVERY if profile.below]


def test_a_study_may_name_each_profile_and_no_other() -> None:
    assert set(get_args(StudyFile.model_fields["disclosure"].annotation)) == set(PROFILES)


@pytest.mark.parametrize(
    ("name", "hidden", "shown"),
    [
        ("sro-10", range(10), {10: 10, 12: 10, 13: 15, 1002: 1000}),
        ("dfe-cin", range(6), {6: 10, 14: 10, 15: 20, 24: 20, 25: 30, 1004: 1000}),
        ("nhs-round5", range(8), {8: 10, 12: 10, 13: 15, 1002: 1000}),
        ("places", (), {0: 0, 1: 1, 9: 9, 1002: 1002}),
    ],
)
def test_small_counts_are_hidden_and_others_rounded(name: str, hidden: range, shown: dict[int, int]) -> None:
    profile = PROFILES[name]
    assert all(published_count(count, profile) is None for count in hidden)
    assert {count: published_count(count, profile) for count in shown} == shown


@pytest.mark.parametrize("profile", EVERY, ids=lambda one: one.name)
def test_a_window_holds_just_what_is_published_alike(profile: Profile) -> None:
    for count in range(120):
        alike = [other for other in range(200) if published_count(other, profile) == published_count(count, profile)]
        assert window(count, profile) == (alike[0], alike[-1]), count


@pytest.mark.parametrize("profile", OF_PEOPLE, ids=lambda one: one.name)
@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 60), min_size=1, max_size=6))
def test_no_hidden_count_can_be_found_by_subtraction(profile: Profile, counts: list[int]) -> None:
    """Of a reader who knows the rounded total and what is shown: each small count keeps its values."""
    hidden, _ = hidden_rows(np.array(counts).reshape(-1, 1), profile)
    assume(not hidden.all())
    total = window(sum(counts), profile)
    shown = [window(count, profile) for count, hide in zip(counts, hidden, strict=True) if not hide]
    least, most = total[0] - sum(high for _, high in shown), total[1] - sum(low for low, _ in shown)
    small = sum(bool(hide) and count < profile.below for count, hide in zip(counts, hidden, strict=True))
    large = int(hidden.sum()) - small
    largest = profile.below - 1
    left = [n for n in range(profile.below) if n <= most and (large or n + largest * (small - 1) >= least)]
    assert not small or len(left) >= profile.leave


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_what_is_possible_agrees_with_trying_every_table(data: st.DataObject) -> None:
    """Whole tables of three cells of at most 5 people; sums of them are known to within a window."""
    most = 5
    true = data.draw(st.lists(st.integers(0, most), min_size=3, max_size=3))
    facts, windows = [[1, 0, 0], [0, 1, 0], [0, 0, 1]], [(0, most)] * 3
    for line in data.draw(st.lists(st.lists(st.sampled_from([0, 1, 1, 2]), min_size=3, max_size=3), max_size=3)):
        value = sum(a * b for a, b in zip(line, true, strict=True))
        facts.append(line)
        windows.append((value - data.draw(st.integers(0, 2)), value + data.draw(st.integers(0, 2))))
    target = data.draw(st.lists(st.integers(0, 1), min_size=3, max_size=3))
    fits = [
        sum(a * b for a, b in zip(target, table, strict=True))
        for table in product(range(most + 1), repeat=3)
        if all(low <= sum(a * b for a, b in zip(line, table, strict=True)) <= high
               for line, (low, high) in zip(facts, windows, strict=True))
    ]  # fmt: skip
    found = possible(np.array(facts, dtype=float), windows, np.array(target, dtype=float), whole=True)
    assert found == pytest.approx((min(fits), max(fits)))
    wider = possible(np.array(facts, dtype=float), windows, np.array(target, dtype=float))
    assert wider is not None
    assert wider[0] <= min(fits) + 1e-6
    assert wider[1] >= max(fits) - 1e-6


def test_what_is_possible_of_nothing_known_and_of_what_cannot_be() -> None:
    line = np.array([[1.0, 0.0]])
    assert possible(line, [(2, 3)], np.array([0.0, 1.0])) == (0, float("inf"))
    assert possible(line, [(2, 3)], np.array([0.0, 1.0]), whole=True) == (0, float("inf"))
    assert possible(np.vstack([line, line]), [(2, 3), (5, 6)], np.array([1.0, 0.0])) is None


def test_numbers_side_by_side_have_the_strictest_of_their_rules() -> None:
    assert strictest(["sro-10", "places", "sro-10"]) == PROFILES["sro-10"]
    assert strictest(["places"]) == PROFILES["places"]
    both = strictest(["nhs-round5", "dfe-cin"])
    assert (both.below, both.base, both.rounded_rates) == (8, 10, True)
    for count in range(60):
        if published_count(count, both) is not None:
            assert all(published_count(count, PROFILES[name]) is not None for name in ("nhs-round5", "dfe-cin"))


def test_the_rules_are_told() -> None:
    assert "below 6 are hidden, other counts are rounded to 10" in rules_in_words(PROFILES["dfe-cin"])
    assert "Rates are made of the rounded counts." in rules_in_words(PROFILES["nhs-round5"])
    assert "Rates" not in rules_in_words(PROFILES["sro-10"])
    assert "places" in rules_in_words(PROFILES["places"])
    assert not_shown(PROFILES["dfe-cin"]) == "not shown (fewer than 6 people)"


def test_a_rate_at_full_precision_tells_its_count() -> None:
    assert behind_rates(PROFILES["sro-10"]).base == 1
    assert behind_rates(PROFILES["nhs-round5"]) == PROFILES["nhs-round5"]
