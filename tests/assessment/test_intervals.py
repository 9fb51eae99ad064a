from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from riskmodels.assessment import intervals
from riskmodels.errors import DataError


def test_z_is_the_normal_quantile():
    assert pytest.approx(stats.norm.ppf(0.975), abs=1e-15) == intervals.Z


@pytest.mark.parametrize(("hits", "n"), [(0, 7), (7, 7), (1, 3), (33, 50), (5, 1000)])
def test_wilson_equals_statsmodels(hits, n):
    assert intervals.wilson(hits / n, n) == pytest.approx(proportion_confint(hits, n, method="wilson"), abs=1e-12)


@pytest.mark.parametrize("values", [[0, 1, 2], [0, 1, float("nan")], [0, 1, None], ["yes", "no", "no"], [[0, 1]]])
def test_outcomes_other_than_0_and_1_are_refused(values):
    with pytest.raises(DataError, match="outcome"):
        intervals.checked_outcome(values)


@pytest.mark.parametrize("values", [[0.1, float("nan")], [0.1, -0.01], [0.1, 1.01], [0.1, "high"], [0.1], [0.1, None]])
def test_risks_that_are_no_probability_are_refused(values):
    with pytest.raises(DataError, match="risk"):
        intervals.checked_risk(values, 2)


def test_messages_quote_no_value():
    with pytest.raises(DataError) as refused:
        intervals.checked_risk([0.1, 73.25], 2)
    assert "73.25" not in str(refused.value)


def test_clusters_are_numbered_by_what_they_hold():
    units = intervals.clusters_of(["b", "a", "b", "c", "a"], 5)
    assert units.count == 3
    assert units.of_row.tolist() == [0, 1, 0, 2, 1]
    assert intervals.clusters_of(pl.Series([7, 3, 7, 10**15, 3]), 5).of_row.tolist() == [0, 1, 0, 2, 1]
    assert intervals.clusters_of(units, 5) is units


def test_clusters_of_one_row_each_are_no_clusters():
    assert intervals.clusters_of(["b", "a", "c"], 3) is None
    assert intervals.of_rows(intervals.clusters_of(["b", "a", "b"], 3), np.array([False, True, True])) is None


def test_some_rows_keep_their_clusters_together():
    units = intervals.clusters_of(["b", "a", "b", "c", "c"], 5)
    kept = intervals.of_rows(units, np.array([False, True, True, True, True]))
    assert (kept.of_row.tolist(), kept.count) == ([1, 0, 2, 2], 3)


@pytest.mark.parametrize("clusters", [["a", None], ["a"], ["a", "b", "c"]])
def test_rows_without_a_cluster_are_refused(clusters):
    with pytest.raises(DataError, match="cluster_id"):
        intervals.clusters_of(pl.Series(clusters, dtype=pl.String), 2)


def test_mean_is_that_of_cluster_means_when_clusters_are_equal():
    """With clusters of one size, the clustered mean is the plain mean of the cluster means, by Student's t."""
    rng = np.random.default_rng(1)
    values = np.repeat(rng.normal(size=12), 3) + rng.normal(size=36) / 10
    clustered = intervals.mean(values, intervals.clusters_of(np.repeat(np.arange(12), 3), 36))
    of_means = values.reshape(12, 3).mean(axis=1)
    expected = stats.t.interval(0.95, 11, loc=of_means.mean(), scale=stats.sem(of_means))
    assert (clustered.low, clustered.high) == pytest.approx(expected, rel=1e-12)


def test_mean_of_single_rows_is_the_plain_one():
    values = np.random.default_rng(2).normal(size=30)
    found = intervals.mean(values, None)
    assert (found.low, found.high) == pytest.approx(stats.norm.interval(0.95, values.mean(), stats.sem(values)))


def test_design_effect_of_doubled_rows_is_nearly_two():
    """Each row twice: G/(G-1) * 4 * SS over n/(n-1) * 2 * SS, with G = 50 and n = 100."""
    values = np.random.default_rng(3).normal(size=50)
    doubled = np.repeat(values - values.mean(), 2)
    found = intervals.design_effect(doubled, intervals.clusters_of(np.repeat(np.arange(50), 2), 100))
    assert found == pytest.approx(2 * (50 / 49) / (100 / 99))


def test_proportion_of_doubled_rows_counts_them_about_once():
    hits = np.random.default_rng(4).integers(0, 2, size=400).astype(float)
    units = intervals.clusters_of(np.repeat(np.arange(400), 2), 800)
    once, twice = intervals.proportion(hits, None), intervals.proportion(np.repeat(hits, 2), units)
    assert twice.n == 800
    assert (twice.low, twice.high) == pytest.approx((once.low, once.high), abs=1e-3)


def test_all_alike_in_clusters_falls_back_on_the_number_of_clusters():
    units = intervals.clusters_of(np.repeat(np.arange(10), 5), 50)
    found = intervals.proportion(np.ones(50), units)
    assert found.value == found.high == 1
    assert found.low == pytest.approx(intervals.wilson(1.0, 10, stats.t.ppf(0.975, 9))[0])


def test_opposite_rows_in_a_cluster_never_narrow_a_proportion():
    units = intervals.clusters_of(np.repeat(np.arange(50), 2), 100)
    hits = np.tile([0.0, 1.0], 50)
    hits[:2] = 1
    plain, paired = intervals.proportion(hits, None), intervals.proportion(hits, units)
    assert paired.low <= plain.low
    assert paired.high >= plain.high


def test_one_cluster_or_no_spread_gives_no_interval_but_a_reason():
    one = intervals.mean(np.array([1.0, 2.0]), intervals.clusters_of(["a", "a"], 2))
    assert (one.value, one.low, one.reason) == (1.5, None, intervals.ONE_CLUSTER)
    flat = intervals.mean(np.full(5, 0.1), None)
    assert (flat.value, flat.low, flat.reason) == (pytest.approx(0.1), None, intervals.NO_SPREAD)
    empty = intervals.mean(np.array([]), None)
    assert (empty.value, empty.reason) == (None, intervals.NO_ROWS)
