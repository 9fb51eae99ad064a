"""What parity would cost: simulated selections by hand, and against fairlearn's own metrics."""

from __future__ import annotations

import numpy as np
import pytest
from fairlearn.metrics import MetricFrame, false_positive_rate, true_positive_rate
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodels.assessment.audit.remedies.simulations import (
    NO_FEATURES,
    NO_RULE,
    ONE_CLASS,
    equal_cuts,
    filled,
    learned_by_reduction,
    optimised_thresholds,
)

RATE = {"recall": true_positive_rate, "fpr": false_positive_rate}


def world(seed=5, n=3000):
    """Two groups with one risk each; the second's is shifted down, so that one cut finds fewer of its cases."""
    rng = np.random.default_rng(seed)
    group = (rng.random(n) < 0.4).astype(np.int64)
    score = rng.normal(0, 1, n) - 0.8 * group
    outcome = (rng.random(n) < 1 / (1 + np.exp(-(1.5 * score - 1 + 0.9 * group)))).astype(np.int64)
    return score, outcome, group


def rates(chance, outcome, group, metric):
    """Expected rates by group: fairlearn's rate of lots that were drawn often, so an oracle of our own sums."""
    counted = outcome == (1 if metric == "recall" else 0)
    return [float(chance[counted & (group == g)].mean()) for g in (0, 1)]


# ---------------------------------------------------------------- by hand


def test_places_are_cut_by_lot_and_filled_from_the_top():
    # 3 chances of 1 and one of 1/2 are 3.5 places; for 7/4 of them each is halved.
    chance = np.array([1.0, 1.0, 1.0, 0.5])
    np.testing.assert_allclose(filled(chance, np.arange(1, 5), 2), chance * 2 / 3.5)
    # 1.2 places for 3: the first two are raised to 1, and the third to 1.
    np.testing.assert_allclose(filled(np.array([0.0, 0.5, 0.2, 0.5]), np.array([1, 2, 3, 4]), 3), [1.0, 1.0, 0.5, 0.5])


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.integers(0, 30))
def test_so_many_places_are_filled(chances, places):
    chance, places = np.array(chances), min(places, len(chances))
    made = filled(chance, np.random.default_rng(1).permutation(len(chances)), places)
    assert (made >= -1e-12).all()
    assert (made <= 1 + 1e-12).all()
    if places >= chance.sum() or chance.sum() > 0:
        assert made.sum() == pytest.approx(places, abs=1e-9)


def test_equal_cuts_by_hand():
    """Ranked: a case, a case, b case, a, b case, b, a case; 3 places.

    Today's cut takes a, a, b: of a's 3 cases 2, of b's 2 cases 1. The next place always goes to the group of which the
    smaller share was reached before that row: a 0/3 and b 0/2 (a first, ranked higher), then b's 0/2, then a's 1/3.
    """
    rank = np.arange(1, 8)
    case = np.array([1, 1, 1, 0, 1, 0, 1], dtype=bool)
    group = np.array([0, 0, 1, 0, 1, 1, 0])
    assert equal_cuts(rank, case, group, rank <= 3).tolist() == [1, 1, 1, 0, 0, 0, 0]
    # With four: a 2/3 and b 1/2 were reached, so b's next goes before a's.
    assert equal_cuts(rank, case, group, rank <= 4).tolist() == [1, 1, 1, 0, 1, 0, 0]


def test_rows_of_no_judged_group_keep_their_places():
    rank = np.arange(1, 7)
    case = np.array([0, 1, 1, 1, 0, 1], dtype=bool)
    group = np.array([-1, 0, 0, 0, 1, 1])  # today: -1, 0, 0
    assert equal_cuts(rank, case, group, rank <= 3).tolist() == [1, 1, 0, 0, 1, 0]
    nobody = np.zeros(6, dtype=bool)
    assert equal_cuts(rank, nobody, group, rank <= 3).tolist() == [1, 1, 1, 0, 0, 0]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 200))
def test_equal_cuts_reach_the_same_share_to_within_a_case(seed, places):
    rng = np.random.default_rng(seed)
    n = 300
    rank, group, case = rng.permutation(n) + 1, rng.integers(0, 3, n), rng.random(n) < 0.3
    made = equal_cuts(rank, case, group, rank <= places)
    assert made.sum() == places
    sizes = [int((case & (group == g)).sum()) for g in range(3)]
    shares = [made[case & (group == g)].mean() for g in range(3)]
    if max(shares) < 1:
        assert max(shares) - min(shares) <= 1 / min(sizes) + 1e-9
    for g in range(3):  # in each group those ranked first are served first
        own = np.flatnonzero(group == g)
        assert (np.diff(made[own[np.argsort(rank[own])]]) <= 0).all()


# ---------------------------------------------------------------- fairlearn's, on what it promises


@pytest.mark.parametrize("metric", ["recall", "fpr"])
def test_optimised_thresholds_make_the_rates_equal_where_they_were_learned(metric):
    score, outcome, group = world()
    places = 600
    chance = optimised_thresholds(score, outcome, group, score, group, metric, places)
    assert not isinstance(chance, str)
    first, second = rates(chance, outcome, group, metric)
    assert first == pytest.approx(second, abs=0.01)
    # Near the places there are, where plain accuracy would have chosen for itself.
    assert 0.9 * places < chance.sum() < 1.5 * places
    cut = np.sort(score)[-places]
    today = MetricFrame(metrics=RATE[metric], y_true=outcome, y_pred=score >= cut, sensitive_features=group)
    assert abs(first - second) < today.difference() / 3


def test_optimised_thresholds_are_group_by_group_and_chances():
    score, outcome, group = world()
    chance = optimised_thresholds(score, outcome, group, score, group, "recall", 600)
    assert not isinstance(chance, str)
    assert (chance >= 0).all()
    assert (chance <= 1).all()
    for g in (0, 1):
        own = chance[group == g][np.argsort(score[group == g])]
        assert (np.diff(own) >= -1e-9).all()


@pytest.mark.parametrize("metric", ["recall", "fpr"])
def test_a_reduction_narrows_the_gap_of_its_own_estimator(metric):
    score, outcome, group = world()
    features = np.column_stack([score, group + np.random.default_rng(1).normal(0, 0.3, len(score))])
    chance = learned_by_reduction(features, outcome, group, features, metric, 600, np.random.default_rng(2))
    assert not isinstance(chance, str)
    cut = np.sort(score)[-600]
    today = MetricFrame(metrics=RATE[metric], y_true=outcome, y_pred=score >= cut, sensitive_features=group)
    first, second = rates(filled(chance, np.argsort(np.argsort(-score)) + 1, 600), outcome, group, metric)
    assert abs(first - second) < today.difference()


def test_the_same_seed_gives_the_same_chances():
    score, outcome, group = world(n=800)
    features = np.column_stack([score, group])
    made = [
        learned_by_reduction(features, outcome, group, features, "recall", 150, np.random.default_rng([7, 1]))
        for _ in range(2)
    ]
    np.testing.assert_array_equal(*made)


def test_our_rates_of_a_simulated_list_are_fairlearn_s():
    """Draw the lots of one selection and count with fairlearn: its rate is what the chances say, within chance."""
    score, outcome, group = world()
    chance = optimised_thresholds(score, outcome, group, score, group, "recall", 600)
    assert not isinstance(chance, str)
    rng, drawn = np.random.default_rng(4), []
    for _ in range(60):
        lots = rng.random(len(chance)) < chance
        frame = MetricFrame(metrics=true_positive_rate, y_true=outcome, y_pred=lots, sensitive_features=group)
        drawn.append(frame.by_group.to_numpy())
    np.testing.assert_allclose(np.mean(drawn, axis=0), rates(chance, outcome, group, "recall"), atol=0.01)


def test_a_group_with_one_kind_of_outcome_is_refused_in_words():
    score, outcome, group = world(n=400)
    outcome = np.where(group == 1, 0, outcome)
    assert optimised_thresholds(score, outcome, group, score, group, "recall", 50) == ONE_CLASS
    features = score[:, None]
    assert learned_by_reduction(features, outcome, group, features, "recall", 50, np.random.default_rng(1)) == ONE_CLASS


def test_where_nobody_is_told_apart_that_is_said():
    score, outcome, group = world(n=400)
    nothing = np.zeros((400, 0))
    assert learned_by_reduction(nothing, outcome, group, nothing, "recall", 50, np.random.default_rng(1)) == NO_FEATURES
    assert optimised_thresholds(score * 0, outcome, group, score * 0, group, "recall", 50) == NO_FEATURES
    alone = np.zeros(400, dtype=int)
    assert optimised_thresholds(score, outcome, alone, score, alone, "recall", 50) == ONE_CLASS


def test_a_search_that_fails_is_a_reason_and_no_crash(monkeypatch):
    def fails(*_, **__):
        raise ValueError("the linear programme is infeasible")

    monkeypatch.setattr("fairlearn.reductions.ExponentiatedGradient.fit", fails)
    score, outcome, group = world(n=400)
    features = score[:, None]
    assert learned_by_reduction(features, outcome, group, features, "recall", 50, np.random.default_rng(1)) == NO_RULE


def test_a_group_that_was_not_there_to_learn_from_is_refused_in_words():
    score, outcome, group = world(n=400)
    assert optimised_thresholds(score, outcome, group, score, group + 1, "recall", 50) == ONE_CLASS
