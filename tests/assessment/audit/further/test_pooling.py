import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from statsmodels.stats.meta_analysis import combine_effects

from riskmodels.assessment.audit.coding import code_groups
from riskmodels.assessment.audit.counting.counts import cells_of
from riskmodels.assessment.audit.further.pooling import between_variance, partially_pooled, pool_groups, pooled_rows
from riskmodels.assessment.audit.policy import load_policy
from riskmodels.study import Protected

POLICY = load_policy()


def rows_of(tops, bottoms, clusters_of_two=False, metrics=("recall",)):
    """Pooled rows of groups g0, g1, ... of whom ``bottoms`` had the outcome and ``tops`` of these were selected."""
    race = np.repeat([f"g{place}" for place in range(len(tops))], bottoms)
    selected = np.concatenate([np.arange(bottom) < top for top, bottom in zip(tops, bottoms, strict=True)])
    status, clusters = np.ones(len(race), dtype=int), None
    if clusters_of_two:
        race, selected, status = (np.repeat(part, 2) for part in (race, selected, status))
        clusters = np.repeat(np.arange(len(race) // 2), 2)
    attribute = code_groups("race", pl.Series(race), Protected(column="x.race", law="race"), POLICY)
    return pooled_rows([attribute], cells_of(status, selected), clusters, metrics, POLICY, "people")


def test_three_estimates_by_hand():
    # y = 0, 1, 2 with variance 1/2 each: the mean is 1 and sum (y - 1)^2 / (1/2 + t) = 2 gives t = 1/2.
    pooled = partially_pooled(np.array([0.0, 1.0, 2.0]), np.full(3, 0.5))
    assert pooled.between == pytest.approx(0.5)
    assert pooled.mean == pytest.approx(1.0)
    assert pooled.weight == pytest.approx([0.5] * 3)
    assert pooled.centre == pytest.approx([0.5, 1.0, 1.5])
    # 0.5 * 0.5, for the mean 0.5^2 * 1/3, for the variance 2 * (0.5^2 / 1^3) * (2 * 3 / 3^2).
    assert pooled.se**2 == pytest.approx([0.25 + 0.25 / 3 + 2 * 0.25 * 6 / 9] * 3)


def test_estimates_no_further_apart_than_chance_are_one():
    pooled = partially_pooled(np.array([0.9, 1.0, 1.1]), np.full(3, 0.5))
    assert pooled.between == 0
    assert pooled.centre == pytest.approx([1.0] * 3)
    # ... and the interval still says how little that may mean: 0.5 / 3 for the mean, 2 * 2 * 0.5 / 3 for the variance.
    assert pooled.se**2 == pytest.approx([0.5 / 3 + 2 * 2 * 0.5 / 3] * 3)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.integers(3, 20))
def test_the_variance_between_solves_its_equation(seed, groups):
    rng = np.random.default_rng(seed)
    v = rng.uniform(0.02, 2.0, groups)
    y = rng.normal(0, 1.0, groups) + rng.normal(0, np.sqrt(v))

    def excess(t):
        return (np.square(y - np.average(y, weights=1 / (v + t))) / (v + t)).sum() - (groups - 1)

    expected = brentq(excess, 0, 1000, xtol=1e-12) if excess(0) > 0 else 0
    assert between_variance(y, v) == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize("seed", range(5))
def test_variance_and_mean_are_those_of_statsmodels(seed):
    rng = np.random.default_rng(seed)
    v = rng.uniform(0.1, 0.3, 12)
    y = rng.normal(0, 1.0, 12)
    theirs = combine_effects(y, v, method_re="iterated", atol=1e-7, maxiter=1000)
    assert theirs.tau2 > 0
    pooled = partially_pooled(y, v)
    assert (pooled.between, pooled.mean) == (pytest.approx(theirs.tau2), pytest.approx(theirs.mean_effect_re))


def test_a_small_group_moves_towards_the_others_and_a_large_one_stays():
    rows = {row["group"]: row for row in rows_of([16, 400, 240, 350], [20, 1000, 600, 600])}
    assert [row["own"] for row in rows.values()] == pytest.approx([0.8, 0.4, 0.4, 350 / 600])
    assert rows["g0"]["weight"] < 0.7 < 0.95 < rows["g1"]["weight"]
    assert 0.5 < rows["g0"]["value"] < 0.75
    assert rows["g1"]["value"] == pytest.approx(0.4, abs=0.01)
    assert rows["g0"]["low"] < rows["g0"]["value"] < rows["g0"]["high"]
    # g1 is the largest group, and so the reference.
    assert rows["g1"]["ratio"] is None
    assert rows["g0"]["ratio"] == pytest.approx(rows["g0"]["value"] / rows["g1"]["value"])
    assert rows["g0"]["ratio_low"] < rows["g0"]["ratio"] < rows["g0"]["ratio_high"]


def test_groups_too_small_to_show_are_in_the_pool_and_hold_no_number():
    rows = rows_of([9, 40, 50, 60], [9, 100, 100, 100])
    assert rows[0]["reason"] == "not shown (fewer than 10 people who had the outcome)"
    assert [rows[0][name] for name in ("own", "value", "low", "weight", "ratio")] == [None] * 5
    without = rows_of([0, 40, 50, 60], [0, 100, 100, 100])
    # All nine were found: the groups seem to differ more, so that each is drawn less to the mean.
    assert rows[1]["weight"] > without[1]["weight"]


@pytest.mark.parametrize(("tops", "bottoms"), [([40, 50], [100, 100]), ([40, 50, 0], [100, 100, 0])])
def test_two_groups_cannot_tell_how_much_groups_differ(tops, bottoms):
    for row in rows_of(tops, bottoms):
        assert row["value"] is None
        assert row["reason"].startswith("not pooled (fewer than three groups")


def test_rows_that_say_the_same_twice_are_one():
    once, twice = rows_of([30, 90, 80, 20], [80, 200, 150, 90]), rows_of([30, 90, 80, 20], [80, 200, 150, 90], True)
    for one, two in zip(once, twice, strict=True):
        assert two["effect"] == pytest.approx(2, rel=0.02)
        assert two["value"] == pytest.approx(one["value"], abs=0.005)
        assert two["high"] - two["low"] == pytest.approx(one["high"] - one["low"], rel=0.03)


def test_only_rates_that_carry_a_verdict_are_pooled():
    rows = rows_of([30, 90, 80], [80, 200, 150], metrics=("recall", "oe_ratio", "calibration_slope"))
    assert {row["metric"] for row in rows} == {"recall"}
    assert not any("verdict" in row for row in rows)


def test_many_small_groups_are_told_better_than_by_their_own_rates():
    """True rates vary around 0.4; groups of 12 to 60. Closer on average, and the intervals hold the truth."""
    rng = np.random.default_rng(1)
    raw, pooled, inside = [], [], []
    for _ in range(100):
        truth = 1 / (1 + np.exp(-rng.normal(-0.4, 0.4, 15)))
        bottoms = rng.integers(12, 60, 15)
        tops = rng.binomial(bottoms, truth)
        names = [{"group": str(place)} for place in range(15)]
        rows = pool_groups(names, tops, bottoms, np.ones(15), [None] * 15, 0, 0.95)
        raw.append(np.square(tops / bottoms - truth).mean())
        pooled.append(np.square([row["value"] - true for row, true in zip(rows, truth, strict=True)]).mean())
        inside += [row["low"] <= true <= row["high"] for row, true in zip(rows, truth, strict=True)]
    assert np.mean(pooled) < 0.7 * np.mean(raw)
    assert 0.93 < np.mean(inside) < 0.98
