from __future__ import annotations

from itertools import product

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from riskmodels.assessment import decisions
from riskmodels.assessment.intervals import Z, wilson
from riskmodels.errors import DataError, StudyError
from riskmodels.models.ranking import order


def test_net_benefit_by_hand():
    """At 0.25 a false positive weighs 1/3. Helped: .9 (event), .5 (none), .25 (event): (2 - 1/3) / 5."""
    outcome, risk = [1, 0, 1, 0, 1], [0.9, 0.5, 0.25, 0.2, 0.1]
    assert decisions.net_benefit(outcome, risk, 0.25).value == pytest.approx((2 - 1 / 3) / 5)
    assert decisions.net_benefit_of_all(outcome, 0.25) == pytest.approx((3 - 2 / 3) / 5)


def test_net_benefit_interval_is_that_of_a_mean_and_covers():
    rng = np.random.default_rng(1)
    large = rng.beta(1, 5, 400_000)
    truth = decisions.net_benefit(rng.random(400_000) < large, large, 0.3).value
    covered = 0
    for _ in range(200):
        risk = rng.beta(1, 5, 500)
        outcome = (rng.random(500) < risk).astype(float)
        found = decisions.net_benefit(outcome, risk, 0.3)
        z = np.where(risk >= 0.3, np.where(outcome == 1, 1, -0.3 / 0.7), 0)
        assert (found.low, found.high) == pytest.approx(stats.norm.interval(0.95, z.mean(), stats.sem(z)))
        covered += found.low <= truth <= found.high
    assert covered >= 0.9 * 200


def test_nobody_helped_has_no_net_benefit_and_no_interval():
    row = decisions.decision_row([1, 0, 0, 1], [0.1, 0.2, 0.1, 0.2], 0.5)
    assert (row["model"].value, row["model"].low) == (0, None)
    assert row["interventions_avoided"] == pytest.approx(0 - row["all"])


def test_decision_row_of_nobody():
    row = decisions.decision_row([], [], 0.5)
    assert row["model"].value is None
    assert (row["all"], row["interventions_avoided"]) == (None, None)


@pytest.mark.parametrize("threshold", [0, 1, -0.1, 1.5, float("nan")])
def test_thresholds_outside_are_refused(threshold):
    with pytest.raises(StudyError, match="thresholds"):
        decisions.decision_row([0, 1], [0.1, 0.2], threshold)


ROWS = st.lists(st.tuples(st.sampled_from([0, 1, None]), st.booleans()), min_size=1, max_size=9)


@given(ROWS)
@settings(max_examples=120, deadline=None)
def test_bounds_are_exactly_the_extremes_of_every_completion(rows):
    """Slow oracle: fill the unknown outcomes in every possible way; the bounds are the least and the greatest."""
    outcome, selected = [row[0] for row in rows], np.array([row[1] for row in rows])
    known = np.array([value is not None for value in outcome])
    precisions, recalls = [], []
    for filled in product([0, 1], repeat=int((~known).sum())):
        whole = np.array([0 if value is None else value for value in outcome])
        whole[~known] = filled
        if selected.any():
            precisions.append((whole * selected).sum() / selected.sum())
        if whole.sum():
            recalls.append((whole * selected).sum() / whole.sum())
    found = decisions.at_capacity(np.array(outcome, dtype=float), known, selected)
    extremes = {"precision_bounds": precisions, "recall_bounds": recalls}
    for name, values in extremes.items():
        expected = [min(values), max(values)] if values else [None, None]
        assert found[name] == pytest.approx(expected)
    if known.all() and found["recall"].value is not None:
        assert found["recall_bounds"] == pytest.approx([found["recall"].value] * 2)


def test_at_capacity_by_hand():
    """Selected: 2 events, 1 none, 1 unknown; others: 1 event, 2 none, 1 unknown."""
    outcome = np.array([1, 1, 0, np.nan, 1, 0, 0, np.nan])
    selected = np.arange(8) < 4
    found = decisions.at_capacity(outcome, ~np.isnan(outcome), selected)
    assert [found[name] for name in ("selected", "known", "unknown", "hits")] == [4, 3, 1, 2]
    assert (found["precision"].value, found["recall"].value) == (2 / 3, 2 / 3)
    assert found["precision_bounds"] == [2 / 4, 3 / 4]
    assert found["recall_bounds"] == [2 / 4, 3 / 4]
    assert found["selection_rate"] == 0.5


def test_the_published_case_of_unknown_outcomes():
    """500 listed, 291 without an outcome, 170 of 209 hits: between 170/500 and 461/500, not 0.81."""
    outcome = np.concatenate([np.ones(170), np.zeros(39), np.full(291, np.nan), np.zeros(1000)])
    selected = np.arange(1500) < 500
    found = decisions.at_capacity(outcome, ~np.isnan(outcome), selected)
    assert found["precision"].value == pytest.approx(0.813, abs=1e-3)
    assert found["precision_bounds"] == [170 / 500, 461 / 500]
    assert found["leads_with_bounds"] is True


@pytest.mark.parametrize(
    ("unknown_selected", "unknown_others", "leads"),
    [(0, 0, False), (10, 40, False), (11, 0, True), (0, 51, False), (0, 101, True), (10, 90, False), (10, 91, True)],
)
def test_bounds_lead_above_a_tenth_of_the_selected_or_of_all(unknown_selected, unknown_others, leads):
    """100 of 1,000 are selected."""
    known = np.ones(1000, dtype=bool)
    known[:unknown_selected] = False
    known[100 : 100 + unknown_others] = False
    found = decisions.at_capacity(np.tile([0, 1], 500), known, np.arange(1000) < 100)
    assert found["leads_with_bounds"] is leads


def test_nobody_known_among_the_selected():
    found = decisions.at_capacity([0, 0, 1, 0], [False, False, True, True], [True, True, False, False])
    assert found["precision"].value is None
    assert "nobody selected has a known outcome" in found["precision"].reason
    assert found["precision_bounds"] == [0, 1]
    assert found["recall"].value == 0
    assert found["recall_bounds"] == [0, pytest.approx(2 / 3)]


def test_no_event_known_has_no_recall():
    found = decisions.at_capacity([0, 0], [True, True], [True, False])
    assert found["recall"].reason == "no known row has an event"
    assert found["recall_bounds"] == [None, None]


def test_clusters_widen_precision():
    rng = np.random.default_rng(2)
    outcome, selected = np.repeat(rng.integers(0, 2, 100), 4), np.ones(400, dtype=bool)
    plain = decisions.at_capacity(outcome, selected, selected)["precision"]
    clustered = decisions.at_capacity(outcome, selected, selected, np.repeat(np.arange(100), 4))["precision"]
    assert clustered.high - clustered.low == pytest.approx(2 * (plain.high - plain.low), rel=0.05)


def test_recall_by_hand():
    """4 of 8 selected, with 3 events; 1 event among the 4 others: R = 3/4, rates 3/4 and 1/4, n / (n - 1) = 8/7.

    Residuals: selected 1/4 (y - 3/4): squares (3 * 1/16 + 9/16) / 16 = 3/64; others 3/4 (y - 1/4): 9/16 * 3/4 = 27/64.
    Variance of the sum 8/7 * 30/64; effective events R (1 - R) 4^2 / that = 5.6.
    """
    outcome, selected = np.array([1, 1, 1, 0, 1, 0, 0, 0]), np.arange(8) < 4
    found = decisions.at_capacity(outcome, np.ones(8, bool), selected)["recall"]
    assert (found.value, found.n) == (0.75, 4)
    assert (found.low, found.high) == pytest.approx(wilson(0.75, 5.6))


@pytest.mark.parametrize("size", [1, 4])
def test_recall_interval_agrees_with_drawing_the_outcomes_again(size):
    """The list stays as it is; the outcomes are drawn again from the rates in it and outside, by cluster."""
    rng = np.random.default_rng(5)
    selected = np.repeat(np.arange(500) < 100, size)
    clusters = np.repeat(np.arange(500), size)
    rate = np.where(np.arange(500) < 100, 0.5, 0.15)
    draws = np.repeat(rng.random((2000, 500)) < rate, size, axis=1)
    recalls = draws[:, selected].sum(axis=1) / draws.sum(axis=1)
    widths = []
    for outcome in draws[:200]:
        found = decisions.at_capacity(outcome, np.ones(selected.size, bool), selected, clusters)["recall"]
        widths.append(found.high - found.low)
    assert np.mean(widths) == pytest.approx(2 * Z * recalls.std(), rel=0.06)


@pytest.mark.parametrize("outcome", [[1, 1, 1, 1, 0, 0, 1, 0], [1, 0, 0, 0, 1, 1, 1, 1], [0, 0, 0, 0, 1, 0, 1, 0]])
def test_recall_where_a_draw_shows_no_spread_counts_events_one_by_one(outcome):
    selected = np.arange(8) < 4
    found = decisions.at_capacity(outcome, np.ones(8, bool), selected)["recall"]
    assert (found.low, found.high) == pytest.approx(wilson(found.value, sum(outcome)))


def test_arrays_that_do_not_match_are_refused():
    with pytest.raises(DataError):
        decisions.at_capacity([0, 1], [True, True], [True])
    with pytest.raises(DataError):
        decisions.at_capacity([0, 2], [True, True], [True, False])
    with pytest.raises(DataError):
        decisions.at_capacity([0, 1], [True, True], [3, 0])


def test_fifths_by_hand():
    """Two lists of ten: ranks 1-2 are the highest fifth (5), 9-10 the lowest (1)."""
    rank, ranked = np.tile(np.arange(1, 11), 2), np.full(20, 10)
    known = ~np.isin(np.arange(20), [0, 1, 10, 19])
    found = decisions.unknown_by_fifth(rank, ranked, known)
    assert [row["fifth"] for row in found] == [1, 2, 3, 4, 5]
    assert [row["n"] for row in found] == [4] * 5
    assert [row["unknown"] for row in found] == [1, 0, 0, 0, 3]
    assert found[4]["share"] == 0.75


@given(st.integers(1, 200))
@settings(max_examples=30, deadline=None)
def test_fifths_hold_everybody_and_are_even(n):
    sizes = [row["n"] for row in decisions.unknown_by_fifth(np.arange(1, n + 1), np.full(n, n), np.ones(n, bool))]
    assert sum(sizes) == n
    assert max(sizes) - min(sizes) <= 1


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), min_size=1, max_size=40),
    st.integers(0, 45),
    st.integers(0, 2**32),
)
@settings(max_examples=100, deadline=None)
def test_selection_equals_the_canonical_order_cut_off(rows, places, seed):
    risk, score = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    ids = [f"id-{i}" for i in range(len(rows))]
    expected = np.zeros(len(rows), dtype=bool)
    expected[order(ids, risk, score, seed)[:places]] = True
    assert decisions.select(pl.Series(ids), risk, score, places, seed).tolist() == expected.tolist()
