from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodels.assessment.capacity_lists import at_capacity_by_chance, chances_of_a_place
from riskmodels.assessment.decisions import at_capacity
from riskmodels.assessment.intervals import clusters_of, critical_value, proportion, wilson
from riskmodels.models.ranking import order

ONE_LIST = np.zeros(5, dtype=np.int64)
TIED = np.array([0.9, 0.5, 0.5, 0.5, 0.1])
EVERY = np.ones(5, dtype=bool)


def test_tied_rows_share_the_places_that_are_left():
    """Two places: one for 0.9, and one for the three rows at 0.5, a third of a place each."""
    chance, short = chances_of_a_place(TIED, ONE_LIST, None, 2, 0)
    assert chance == pytest.approx([1, 1 / 3, 1 / 3, 1 / 3, 0])
    assert short == 0


def test_each_list_has_its_own_places():
    """List 0 holds 0.9, 0.5 and 0.1, list 1 the two others: one place each, then more than list 1 has rows."""
    lists = np.array([0, 1, 0, 1, 0])
    assert chances_of_a_place(TIED, lists, None, 1, 0)[0] == pytest.approx([1, 0.5, 0, 0.5, 0])
    chance, short = chances_of_a_place(TIED, lists, None, 3, 0)
    assert chance.tolist() == [1] * 5
    assert short == 1


def test_with_ids_the_places_are_those_of_the_canonical_order():
    rng = np.random.default_rng(0)
    risk = rng.integers(1, 6, 60) / 10
    lists = rng.integers(0, 3, 60)
    ids = pl.Series([f"person-{number}" for number in range(60)])
    for places in (1, 7, 30):
        chance, _ = chances_of_a_place(risk, lists, ids, places, 11)
        for number in range(3):
            rows = np.flatnonzero(lists == number)
            first = rows[order(ids[rows].to_list(), risk[rows], risk[rows], 11)[:places]]
            assert set(np.flatnonzero(chance == 1)) & set(rows) == set(first)


def test_expected_hits_are_the_mean_over_draws():
    """The canonical order of many seeds is a draw among equal risks."""
    rng = np.random.default_rng(1)
    risk, outcome = rng.integers(1, 4, 40) / 10, rng.integers(0, 2, 40).astype(float)
    known = rng.random(40) < 0.8
    outcome[~known] = 0
    ids, lists = pl.Series([f"p{number}" for number in range(40)]), np.zeros(40, dtype=np.int64)
    chance, _ = chances_of_a_place(risk, lists, None, 7, 0)
    expected = at_capacity_by_chance(outcome, known, chance, None)
    draws = [at_capacity(outcome, known, chances_of_a_place(risk, lists, ids, 7, seed)[0] == 1) for seed in range(2000)]
    for name in ("hits", "known", "unknown"):
        assert expected[name] == pytest.approx(np.mean([draw[name] for draw in draws]), abs=0.1)
    assert expected["selected"] == 7


def test_expected_figures_by_hand():
    """Chances 1, 1/3, 1/3, 1/3, 0; outcomes 1, 1, ?, 0, 1. Hits 1 + 1/3 = 4/3 of 1 + 1/3 + 1/3 = 5/3 known: 0.8.

    Known events 3: recall 4/9. Unknown with a place 1/3: precision between (4/3)/2 and (4/3 + 1/3)/2. Recall is least
    if the 2/3 without a place are an event, (4/3)/(3 + 2/3), and most if the 1/3 with a place is, (5/3)/(3 + 1/3).
    """
    known = np.array([True, True, False, True, True])
    outcome = np.array([1.0, 1.0, 0.0, 0.0, 1.0])
    found = at_capacity_by_chance(outcome, known, np.array([1, 1 / 3, 1 / 3, 1 / 3, 0]), None)
    assert found["hits"] == pytest.approx(4 / 3)
    assert (found["selected"], found["known"]) == (2, pytest.approx(5 / 3))
    assert found["precision"].value == pytest.approx(0.8)
    assert (found["precision"].low, found["precision"].high) == pytest.approx(wilson(0.8, 5 / 3))
    assert found["recall"].value == pytest.approx(4 / 9)
    assert found["precision_bounds"] == pytest.approx([2 / 3, 5 / 6])
    assert found["recall_bounds"] == pytest.approx([4 / 11, 0.5])


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_bounds_hold_whatever_the_unknown_outcomes_were(seed):
    rng = np.random.default_rng(seed)
    risk, truth, known = rng.integers(1, 5, 30) / 10, rng.integers(0, 2, 30).astype(float), rng.random(30) < 0.6
    chance, _ = chances_of_a_place(risk, np.zeros(30, dtype=np.int64), None, 10, 0)
    found = at_capacity_by_chance(np.where(known, truth, 0.0), known, chance, None)
    hits = float(chance @ truth)
    low, high = found["precision_bounds"]
    assert low - 1e-9 <= hits / 10 <= high + 1e-9
    if truth.sum():
        low, high = found["recall_bounds"]
        assert low - 1e-9 <= hits / truth.sum() <= high + 1e-9


def test_whole_chances_are_a_plain_selection():
    chance = np.array([1.0, 1.0, 0.0, 0.0, 0.0])
    outcome, known = np.array([1.0, 0, 1, 0, 0]), np.array([True, True, True, False, True])
    plain = at_capacity(outcome, known, chance == 1)
    found = at_capacity_by_chance(outcome, known, chance, None)
    assert found == {name: plain[name] for name in found}


def test_clusters_widen_the_interval():
    """Copies of every row, as one cluster, say no more than the row does."""
    chance, outcome = np.array([1, 0.5, 0.5, 0.5, 0.5]), np.array([1.0, 0, 1, 0, 1])
    five = np.tile(np.arange(5), 20)
    many = at_capacity_by_chance(np.tile(outcome, 20), np.ones(100, bool), np.tile(chance, 20), clusters_of(five, 100))
    alone = at_capacity_by_chance(np.tile(outcome, 20), np.ones(100, bool), np.tile(chance, 20), None)
    assert many["precision"].value == alone["precision"].value
    assert many["precision"].high - many["precision"].low > 2 * (alone["precision"].high - alone["precision"].low)


@pytest.mark.parametrize("outcome", [0.0, 1.0])
def test_where_all_outcomes_agree_each_cluster_counts_once(outcome):
    """6 people of 20 rows each, all with the same outcome: as sure as of 6, not of 120 (or of the 60 drawn)."""
    units = clusters_of(np.repeat(np.arange(6), 20), 120)
    found = at_capacity_by_chance(np.full(120, outcome), np.ones(120, bool), np.full(120, 0.5), units)["precision"]
    six = wilson(outcome, 6, critical_value(units))
    assert (found.low, found.high) == pytest.approx(six)
    same = proportion(np.full(120, outcome), units)
    assert (found.low, found.high) == pytest.approx((same.low, same.high))


def test_a_cluster_of_little_chance_counts_by_it():
    """Chances 1, 1/4, 1/4 (one person), 1/2 (another), 0 (a third): 1 + 1/4 + 1/4 are more than once, so 1 + 1/2."""
    units, chance = clusters_of([1, 1, 1, 2, 3, 3], 6), np.array([1, 0.25, 0.25, 0.5, 0, 0])
    found = at_capacity_by_chance(np.ones(6), np.ones(6, bool), chance, units)["precision"]
    assert found.low == pytest.approx(wilson(1.0, 1.5, 12.7062)[0], rel=1e-5)  # t on 1: the third has no part in it


@pytest.mark.parametrize("chance", [[1.0, 1, 0, 0, 0], [1, 0.5, 0.5, 0, 0]])
def test_nobody_known_is_not_nought(chance):
    found = at_capacity_by_chance(np.zeros(5), ~EVERY, np.array(chance), None)
    assert (found["hits"], found["precision"].value, found["recall"].value) == (None, None, None)
    assert found["precision"].reason == "nobody selected has a known outcome"
    assert found["precision_bounds"] == [0, 1]
