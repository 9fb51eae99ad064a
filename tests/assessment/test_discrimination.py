from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from riskmodels.assessment import discrimination
from riskmodels.assessment.discrimination import auc, auc_difference, average_precision, delong
from riskmodels.assessment.intervals import clusters_of
from riskmodels.errors import DataError

SHORT_RISKS = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 6)), min_size=4, max_size=40)


def slow_auc(outcome, risk) -> float:
    pairs = [
        (x > z) + 0.5 * (x == z)
        for x, y in zip(risk, outcome, strict=True)
        for z, w in zip(risk, outcome, strict=True)
        if y == 1 and w == 0
    ]
    return sum(pairs) / len(pairs)


def slow_variance(outcome, risk, cluster) -> float:
    """Obuchowski 1997, written as the paper has it: kernel sums per cluster, three matrices."""
    events, others = np.flatnonzero(outcome == 1), np.flatnonzero(outcome == 0)
    m, n, theta = len(events), len(others), slow_auc(outcome, risk)
    kernel = (risk[events][:, None] > risk[others]) + 0.5 * (risk[events][:, None] == risk[others])
    v10, v01 = kernel.mean(axis=1), kernel.mean(axis=0)
    names = np.unique(cluster)
    of_event = {c: (v10[cluster[events] == c] - theta).sum() for c in names}
    of_other = {c: (v01[cluster[others] == c] - theta).sum() for c in names}
    i10, i01, i = len(np.unique(cluster[events])), len(np.unique(cluster[others])), len(names)
    s10 = i10 / ((i10 - 1) * m) * sum(x**2 for x in of_event.values())
    s01 = i01 / ((i01 - 1) * n) * sum(x**2 for x in of_other.values())
    s11 = i / (i - 1) * sum(of_event[c] * of_other[c] for c in names)
    return s10 / m + s01 / n + 2 * s11 / (m * n)


def made_up(seed: int, n: int = 60, clusters: int = 15):
    rng = np.random.default_rng(seed)
    outcome = (rng.random(n) < 0.4).astype(float)
    return outcome, np.round(rng.random(n) + 0.4 * outcome, 1), rng.integers(0, clusters, n), rng


@given(SHORT_RISKS)
@settings(max_examples=60, deadline=None)
def test_auc_equals_counting_pairs(rows):
    outcome, risk = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    found = auc(outcome, risk)
    if outcome.min() == outcome.max():
        assert found.value is None
        assert found.reason
    else:
        assert found.value == pytest.approx(slow_auc(outcome, risk))


def test_four_rows_by_hand():
    """Events .9 and .3, others .3 and .1: of four pairs three are right and one is tied: 3.5 / 4."""
    assert auc([1, 1, 0, 0], [0.9, 0.3, 0.3, 0.1]).value == 0.875


@pytest.mark.parametrize("seed", range(4))
def test_clustered_variance_equals_obuchowski_written_out(seed):
    outcome, risk, cluster, _ = made_up(seed)
    assert delong(outcome, risk, clusters_of(cluster, 60))[1] == pytest.approx(slow_variance(outcome, risk, cluster))


@pytest.mark.parametrize("seed", range(4))
def test_single_row_clusters_give_the_plain_variance(seed):
    outcome, risk, _, _ = made_up(seed)
    plain = delong(outcome, risk)[1]
    assert plain == pytest.approx(slow_variance(outcome, risk, np.arange(60)))
    assert auc(outcome, risk, [f"p{i}" for i in range(60)]) == auc(outcome, risk)


def test_repeated_rows_do_not_narrow_the_interval():
    """Every row four times over in one cluster carries the information of one."""
    outcome, risk, _, _ = made_up(5, n=300)
    once, naive = auc(outcome, risk), auc(np.tile(outcome, 4), np.tile(risk, 4))
    clustered = auc(np.tile(outcome, 4), np.tile(risk, 4), np.tile(np.arange(300), 4))
    assert clustered.value == pytest.approx(once.value)
    assert clustered.high - clustered.low == pytest.approx(once.high - once.low, rel=0.02)
    assert naive.high - naive.low < 0.55 * (once.high - once.low)


def test_clustered_interval_covers_where_the_plain_one_does_not():
    """150 samples of 40 people seen six times each, with a lasting frailty; the true AUC is that of a large sample."""

    def sample(rng, people):
        frailty = np.repeat(rng.normal(size=people), 6)
        risk = np.repeat(rng.normal(size=people), 6) + 0.1 * rng.normal(size=people * 6)
        outcome = (frailty + risk + 0.3 * rng.normal(size=people * 6) > 0.5).astype(float)
        return outcome, risk, np.repeat(np.arange(people), 6)

    rng = np.random.default_rng(11)
    large = sample(rng, 50_000)
    truth = delong(large[0], large[1])[0]
    covered = {"plain": 0, "clustered": 0}
    for _ in range(150):
        outcome, risk, cluster = sample(rng, 40)
        for name, found in (("plain", auc(outcome, risk)), ("clustered", auc(outcome, risk, cluster))):
            covered[name] += found.low <= truth <= found.high
    assert covered["clustered"] >= 0.88 * 150
    assert covered["plain"] <= 0.75 * 150


@given(SHORT_RISKS, st.sampled_from([lambda x: 3 * x - 7, np.exp, np.arctan]))
@settings(max_examples=30, deadline=None)
def test_only_the_order_counts(rows, transformed):
    outcome, risk = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    assert auc(outcome, transformed(risk)) == auc(outcome, risk)


def test_difference_is_antisymmetric_and_that_of_the_two():
    outcome, risk, cluster, rng = made_up(6)
    other = rng.random(60)
    forth, back = auc_difference(outcome, risk, other, cluster), auc_difference(outcome, other, risk, cluster)
    assert forth.value == pytest.approx(auc(outcome, risk).value - auc(outcome, other).value)
    assert (forth.low, forth.high) == pytest.approx((-back.high, -back.low))


def test_difference_from_a_constant_has_the_interval_of_the_auc():
    outcome, risk, _, _ = made_up(7)
    found, single = auc_difference(outcome, risk, np.full(60, 0.2)), auc(outcome, risk)
    assert (found.low, found.high) == pytest.approx((single.low - 0.5, single.high - 0.5))


def test_constant_risk_is_one_half_with_a_note():
    found = auc([0, 1, 0, 1], [0.3] * 4)
    assert (found.value, found.low, found.reason) == (0.5, None, discrimination.CONSTANT)


def test_perfect_order_claims_no_certainty():
    found = auc([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9])
    assert (found.value, found.low) == (1.0, None)
    assert "no spread" in found.reason


def test_one_event_has_no_interval():
    found = auc([0, 0, 1, 0], [0.1, 0.2, 0.15, 0.3])
    assert found.value == pytest.approx(1 / 3)
    assert "fewer than two events" in found.reason


@pytest.mark.parametrize("statistic", [auc, average_precision])
@pytest.mark.parametrize(("outcome", "words"), [([], "known"), ([0, 0], "event"), ([1, 1], "event")])
def test_one_class_is_not_computed(statistic, outcome, words):
    found = statistic(outcome, [0.5] * len(outcome))
    assert found.value is None
    assert words in found.reason


def test_gaps_are_refused():
    with pytest.raises(DataError, match="risk"):
        auc([0, 1], [0.1, None])
    with pytest.raises(DataError, match="risk"):
        auc([0, 1], [0.1])


@given(SHORT_RISKS)
@settings(max_examples=40, deadline=None)
def test_average_precision_equals_sklearn(rows):
    outcome, risk = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    if 0 < outcome.sum() < outcome.size:
        found = average_precision(outcome, risk)
        assert found.value == pytest.approx(average_precision_score(outcome, risk))
        assert discrimination.precision_influence(outcome, risk)[1].sum() == pytest.approx(0, abs=1e-12)
        if found.low is not None:
            assert 0 <= found.low <= found.value <= found.high <= 1


def test_average_precision_interval_agrees_with_a_bootstrap():
    rng = np.random.default_rng(8)
    outcome = (rng.random(2000) < 0.15).astype(float)
    risk = rng.normal(size=2000) + outcome
    found = average_precision(outcome, risk)
    draws = [average_precision_score(outcome[rows], risk[rows]) for rows in rng.integers(0, 2000, size=(300, 2000))]
    assert found.high - found.low == pytest.approx(2 * 1.96 * np.std(draws), rel=0.12)
