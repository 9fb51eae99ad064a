from __future__ import annotations

import numpy as np
import pytest

from riskmodels.models.logit import (
    NARROW,
    auc,
    fit_bent,
    fit_logistic,
    gram,
    logistic,
    significant,
    smoothed_log_odds,
    softplus,
)


def test_auc_is_the_share_of_pairs_in_order():
    draw = np.random.default_rng(2)
    score, outcome = draw.integers(0, 8, 60), draw.integers(0, 2, 60)
    pairs = [(e > o) + (e == o) / 2 for e in score[outcome == 1] for o in score[outcome == 0]]
    assert auc(score, outcome) == pytest.approx(np.mean(pairs), abs=1e-12)


def test_newton_equals_statsmodels():
    import statsmodels.api as sm

    draw = np.random.default_rng(3)
    design = np.column_stack([np.ones(400), draw.normal(size=(400, 2)) * [1, 30]])
    outcome = (draw.random(400) < logistic(design @ [-2, 1, 0.05])).astype(float)
    ours, likelihood, reached = fit_logistic(design, outcome, np.ones(400))
    theirs = sm.Logit(outcome, design).fit(disp=0, tol=1e-12)
    assert reached
    np.testing.assert_allclose(ours, theirs.params, rtol=1e-8)
    assert likelihood == pytest.approx(theirs.llf, rel=1e-12)


@pytest.mark.parametrize("columns", [2, NARROW + 8])
def test_newton_with_an_offset_equals_statsmodels(columns):
    import statsmodels.api as sm
    from threadpoolctl import threadpool_limits

    draw = np.random.default_rng(3)
    design = np.column_stack([np.ones(3_000), draw.normal(size=(3_000, columns - 1))])
    offset = draw.normal(-1, 1, 3_000)
    outcome = (draw.random(3_000) < logistic(offset + 0.5 * design[:, 1])).astype(float)
    ours, likelihood, reached = fit_logistic(design, outcome, np.ones(3_000), offset)
    with threadpool_limits(limits=1):
        theirs = sm.GLM(outcome, design, family=sm.families.Binomial(), offset=offset).fit(tol=1e-12)
    assert reached
    np.testing.assert_allclose(ours, theirs.params, rtol=1e-6, atol=1e-9)
    assert likelihood == pytest.approx(theirs.llf, rel=1e-12)


@pytest.mark.parametrize("columns", [3, NARROW + 1])
def test_a_gram_matrix_by_either_way_of_adding(columns):
    left, right = np.random.default_rng(4).normal(size=(2, 50, columns))
    np.testing.assert_allclose(gram(left, right[:, :2]), left.T @ right[:, :2], atol=1e-12)


def test_softplus_is_minus_the_logarithm_of_what_is_left():
    scores = np.array([-800.0, -30.0, 0.0, 2.0, 30.0])
    np.testing.assert_allclose(softplus(scores)[1:], [np.exp(-30), np.log(2), -np.log(1 - logistic(2)), 30], rtol=1e-12)
    assert softplus(scores)[0] < 1e-300
    assert softplus(np.array([1e308])).tolist() == [700.0]


@pytest.mark.parametrize(
    ("scores", "outcome"),
    [
        (np.arange(40.0) % 2, np.arange(40) % 3 == 0),  # two scores
        (np.arange(40.0) - 20, np.arange(40) >= 20),  # separated
        (np.arange(40.0) / 10 - 2, np.arange(40) < 20),  # falling
    ],
)
def test_some_rows_bear_no_bent_curve(scores, outcome):
    assert fit_bent(scores, outcome.astype(float)) is None


def test_groups_equal_rows():
    x = np.repeat([0.0, 1.0, 2.0], [50, 30, 20])
    outcome = np.concatenate([np.arange(50) < 5, np.arange(30) < 10, np.arange(20) < 12]).astype(float)
    rows = fit_logistic(np.column_stack([np.ones(100), x]), outcome, np.ones(100))
    groups = fit_logistic(np.array([[1.0, 0], [1, 1], [1, 2]]), np.array([5.0, 10, 12]), np.array([50.0, 30, 20]))
    np.testing.assert_allclose(rows[0], groups[0], rtol=1e-9)
    assert rows[1] == pytest.approx(groups[1], rel=1e-12)


def test_separable_outcomes_are_said_not_to_have_a_maximum():
    x = np.arange(20.0) - 9.5
    _, _, reached = fit_logistic(np.column_stack([np.ones(20), x]), (x > 0).astype(float), np.ones(20))
    assert not reached


def test_smoothing_draws_a_small_group_to_the_mean():
    none, few, many = smoothed_log_odds(np.array([0.0, 2, 2000]), np.array([0.0, 2, 2000]), 0.5)
    assert none == 0.0
    assert 0 < few < 0.2  # (2 + 10) / (2 + 20)
    assert many > 4


def test_significant_digits():
    assert significant(123.456789, 3) == 123.0
    assert significant(-0.00012345678912) == -0.00012345679
    assert significant(0.0) == 0.0
