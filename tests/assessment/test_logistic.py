from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodels.assessment.intervals import clusters_of
from riskmodels.assessment.logistic import expit, fit_logistic, logit


def made_up(seed: int, n: int = 400, intercept: float = -1.0, slope: float = 1.0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    outcome = (rng.random(n) < expit(intercept + slope * x)).astype(float)
    return np.column_stack([np.ones(n), x, x**2]), outcome, rng.normal(size=n), rng.integers(0, 60, n)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("with_offset", [False, True])
def test_equals_statsmodels_glm(seed, with_offset):
    design, outcome, offset, _ = made_up(seed)
    offset = offset if with_offset else None
    beta, covariance = fit_logistic(design, outcome, None, offset)
    expected = sm.GLM(outcome, design, family=sm.families.Binomial(), offset=offset).fit()
    assert beta == pytest.approx(expected.params, abs=1e-6)
    assert np.sqrt(np.diag(covariance)) == pytest.approx(expected.bse, rel=1e-3)


def test_sandwich_equals_statsmodels_but_for_its_small_sample_factor():
    design, outcome, _, cluster = made_up(3)
    covariance = fit_logistic(design, outcome, clusters_of(cluster, 400))[1]
    fitted = sm.GLM(outcome, design, family=sm.families.Binomial()).fit(
        cov_type="cluster", cov_kwds={"groups": cluster}
    )
    assert covariance * (400 - 1) / (400 - 3) == pytest.approx(fitted.cov_params(), rel=1e-3)


def test_both_stopping_rules_find_the_same_answer():
    design, outcome, _, _ = made_up(4)
    as_glm, as_lrm = (fit_logistic(design, outcome, None, stop=stop) for stop in ("glm", "lrm"))
    assert as_glm[0] == pytest.approx(as_lrm[0], rel=1e-4)
    assert as_glm[1] == pytest.approx(as_lrm[1], rel=1e-3)


@given(st.integers(0, 10_000), st.floats(-8, 8), st.floats(-5, 5))
@settings(max_examples=40, deadline=None)
def test_any_offset_however_wrong_is_fitted(seed, shift, stretch):
    """The intercept that is found makes expected events equal observed ones: the score equation."""
    design, outcome, offset, _ = made_up(seed, n=80)
    if 0 < outcome.sum() < outcome.size:
        wrong = shift + stretch * offset
        beta, _ = fit_logistic(design[:, :1], outcome, None, wrong)
        assert expit(beta[0] + wrong).sum() == pytest.approx(outcome.sum(), rel=1e-3)


@given(st.integers(0, 10_000), st.floats(0.05, 20))
@settings(max_examples=40, deadline=None)
def test_any_stretch_of_the_risk_is_undone(seed, stretch):
    design, outcome, _, _ = made_up(seed, n=200)
    plain = fit_logistic(design[:, :2], outcome, None)
    stretched = fit_logistic(design[:, :2] * [1, stretch], outcome, None)
    assert stretched[0][1] * stretch == pytest.approx(plain[0][1], rel=1e-6)


@pytest.mark.parametrize("stop", ["glm", "lrm"])
def test_separated_classes_and_doubled_columns_have_no_answer(stop):
    x = np.linspace(-1, 1, 40)
    assert fit_logistic(np.column_stack([np.ones(40), x]), (x > 0).astype(float), None, stop=stop) is None
    outcome = np.tile([0.0, 1.0], 20)
    assert fit_logistic(np.column_stack([np.ones(40), x, 2 * x]), outcome, None, stop=stop) is None


def test_logit_and_expit_undo_each_other():
    risk = np.array([1e-12, 0.2, 0.5, 1 - 1e-9])
    assert expit(logit(risk)) == pytest.approx(risk, rel=1e-9)
    assert np.isfinite(expit(np.array([-1e6, 1e6]))).all()
