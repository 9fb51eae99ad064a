"""Weights, groups and percentile intervals of the paired cluster bootstrap."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from riskmodels.assessment.intervals import NO_SPREAD, ONE_CLUSTER, Clusters
from riskmodels.assessment.paired_bootstrap import (
    OFTEN_UNDEFINED,
    TOO_FEW_CLUSTERS,
    Groups,
    groups_of,
    percentile_interval,
    resample,
    tail_of,
)


def rng(seed=0):
    return np.random.default_rng(seed)


def own(count):
    return Groups(np.arange(count), count)


def test_sums_of_groups_of_five_rows():
    # Clusters 0, 0, 1, 1, 1: 1 + 2 and 3 + 4 + 5.
    groups = groups_of(Clusters(np.array([0, 0, 1, 1, 1]), 2), 5, rng())
    assert groups.sums(np.array([1.0, 2, 3, 4, 5])).tolist() == [3.0, 12.0]


def test_each_replicate_draws_as_many_groups_as_there_are():
    # Distinct powers of a base above the count: a sum tells how often each group was drawn.
    count, base = 6, 8
    powers = float(base) ** np.arange(count)
    drawn = resample({"powers": powers, "ones": np.ones(count)}, rng(), 5000)
    assert set(drawn["ones"]) == {6.0}
    digits = (drawn["powers"].astype(np.int64)[:, None] // base ** np.arange(count)) % base
    assert (digits.sum(axis=1) == count).all()
    # Multinomial: mean 1, variance 1 - 1/6, covariance -1/6.
    expected = np.eye(count) - 1 / count
    assert digits.mean(axis=0) == pytest.approx(np.ones(count), abs=0.06)
    assert np.cov(digits.T) == pytest.approx(expected, abs=0.06)


def test_sums_are_drawn_together():
    """Pairing: whatever is drawn of one is drawn of the other."""
    values = rng(3).normal(size=50)
    drawn = resample({"a": values, "b": 2 * values}, rng(), 300)
    assert drawn["b"] == pytest.approx(2 * drawn["a"], rel=1e-12)


def test_same_seed_same_bytes():
    sums = {"a": rng(3).normal(size=3000)}
    first, again, other = (resample(sums, rng(seed))["a"] for seed in (1, 1, 2))
    assert first.tobytes() == again.tobytes()
    assert first.tobytes() != other.tobytes()


def test_few_clusters_stay_by_themselves_and_many_are_joined_evenly():
    few = groups_of(None, 10, rng(), most=20)
    assert (few.of_row.tolist(), few.count) == (list(range(10)), 10)
    clusters = Clusters(np.repeat(np.arange(100), 3), 100)
    many = groups_of(clusters, 300, rng(), most=20)
    assert many.count == 20
    assert set(np.bincount(many.of_row)) == {15}  # 5 clusters of 3 rows in each
    # A cluster is never torn apart.
    assert all(np.unique(many.of_row[clusters.of_row == cluster]).size == 1 for cluster in range(100))


def test_random_groups_give_the_same_standard_error():
    values = rng(5).gamma(0.5, size=20_000)
    plain, joined = (groups_of(None, values.size, rng(6), most=most) for most in (20_000, 2_000))
    errors = [resample({"x": groups.sums(values)}, rng(7))["x"].std() for groups in (plain, joined)]
    exact = math.sqrt(values.size * values.var())
    # 2,000 replicates know a standard error to 1.6%, 2,000 groups to another 1.6%.
    assert errors[0] == pytest.approx(exact, rel=0.06)
    assert errors[1] == pytest.approx(exact, rel=0.08)


@pytest.mark.parametrize("count", [8, 20, 1000])
def test_the_interval_of_a_mean_is_student_s(count):
    """The expanded percentile interval of a mean of normal values is close to the t interval."""
    values = rng(count).normal(size=count)
    replicates = resample({"x": values}, rng(1), 20_000)["x"] / count
    found = percentile_interval(float(values.mean()), replicates, own(count), count)
    half = stats.t.ppf(0.975, count - 1) * values.std(ddof=1) / math.sqrt(count)
    assert (found.high - found.low) / 2 == pytest.approx(half, rel=0.10)


def test_tail_is_two_and_a_half_percent_with_many_groups_and_less_with_few():
    assert tail_of(1_000_000) == pytest.approx(0.025, rel=1e-4)
    # t on 7 degrees of freedom is 2.3646, times sqrt(8/7) is 2.5279, and Phi(-2.5279) = 0.005738.
    assert tail_of(8) == pytest.approx(0.005738, rel=1e-3)


@pytest.mark.parametrize(
    ("groups", "reason"), [(own(1), ONE_CLUSTER), (own(7), TOO_FEW_CLUSTERS), (own(0), ONE_CLUSTER)]
)
def test_too_few_clusters_give_no_interval(groups, reason):
    found = percentile_interval(0.3, rng().normal(size=100), groups, 5)
    assert (found.value, found.low, found.reason) == (0.3, None, reason)


def test_replicates_without_a_value_are_left_out_and_no_interval_if_many():
    replicates = rng().normal(size=1000)
    replicates[:40] = np.nan
    assert percentile_interval(0.0, replicates, own(50), 50).low is not None
    replicates[:60] = np.inf
    assert percentile_interval(0.0, replicates, own(50), 50).reason == OFTEN_UNDEFINED


def test_no_spread_gives_no_interval():
    assert percentile_interval(0.0, np.zeros(100), own(50), 50).reason == NO_SPREAD
