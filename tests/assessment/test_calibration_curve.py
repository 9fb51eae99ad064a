from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodels.assessment import calibration_curve as curve
from riskmodels.assessment.intervals import Z
from riskmodels.assessment.logistic import expit, logit


def made_up(seed: int = 0, n: int = 2000, stretch: float = 1.0):
    rng = np.random.default_rng(seed)
    risk = rng.beta(1.5, 6, n).clip(0.001, 0.999)
    return (rng.random(n) < expit(stretch * logit(risk))).astype(float), risk, rng.integers(0, n // 4, n)


def test_basis_is_linear_beyond_the_knots_and_smooth_between():
    knots = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
    x = np.linspace(-5, 5, 2001)
    basis = curve.restricted_cubic_basis(x, knots)
    second = np.diff(basis, 2, axis=0) / (x[1] - x[0]) ** 2
    middle = x[1:-1]
    assert basis.shape == (2001, 4)
    assert np.abs(second[(middle < -2.01) | (middle > 2.01)]).max() < 1e-6
    assert np.abs(np.diff(second, axis=0)).max() < 0.05  # no jump in curvature at a knot
    assert np.abs(second[np.abs(middle) < 1.5, 1:]).max() > 0.1


def test_basis_by_hand():
    """Knots 0, 1, 2 and x = 3: (27 - 8 * 2/1 + 1 * 1/1) / 2^2 = 3."""
    assert curve.restricted_cubic_basis(np.array([3.0]), np.array([0.0, 1.0, 2.0])).tolist() == [[3.0, 3.0]]


def test_curve_and_band_equal_a_glm_on_the_basis():
    outcome, risk, _ = made_up()
    rows, _ = curve.spline_curve(outcome, risk, at=[0.05, 0.2, 0.6])
    x, at = logit(risk), logit(np.array([0.05, 0.2, 0.6]))
    knots = np.quantile(x, curve.KNOTS[0])
    fitted = sm.GLM(
        outcome, sm.add_constant(curve.restricted_cubic_basis(x, knots)), family=sm.families.Binomial()
    ).fit(tol=1e-12)
    where = np.column_stack([np.ones(3), curve.restricted_cubic_basis(at, knots)])
    middle, error = where @ fitted.params, np.sqrt(np.diag(where @ fitted.cov_params() @ where.T))
    for name, expected in (("observed", middle), ("low", middle - Z * error), ("high", middle + Z * error)):
        assert np.array([row[name] for row in rows]) == pytest.approx(expit(expected), rel=1e-4)


def test_band_covers_the_truth_for_calibrated_and_stretched_risks():
    for stretch in (1.0, 0.5):
        outcome, risk, _ = made_up(1, n=20_000, stretch=stretch)
        rows, reason = curve.spline_curve(outcome, risk)
        truth = [expit(np.array(stretch * logit(np.array(row["risk"])))) for row in rows]
        inside = [row["low"] <= t <= row["high"] for row, t in zip(rows, truth, strict=True)]
        assert reason is None
        assert len(rows) == curve.POINTS
        assert np.mean(inside) > 0.8


def test_copies_in_clusters_keep_the_band():
    outcome, risk, _ = made_up(2)
    at = [0.1, 0.3]
    once = curve.spline_curve(outcome, risk, at=at)[0]
    copies = curve.spline_curve(np.tile(outcome, 3), np.tile(risk, 3), np.tile(np.arange(2000), 3), at=at)[0]
    for one, many in zip(once, copies, strict=True):
        assert many["high"] - many["low"] == pytest.approx(one["high"] - one["low"], rel=0.1)


def test_ends_of_the_curve_are_percentiles_not_persons():
    outcome, risk, _ = made_up(3)
    rows, _ = curve.spline_curve(outcome, risk)
    assert rows[0]["risk"] == pytest.approx(np.quantile(risk, 0.01), rel=0.05)
    assert rows[-1]["risk"] == pytest.approx(np.quantile(risk, 0.99), rel=0.05)
    assert risk.min() < rows[0]["risk"]
    assert rows[-1]["risk"] < risk.max()


def test_two_distinct_risks_give_a_line():
    risk = np.repeat([0.1, 0.4], 200)
    outcome = np.concatenate([np.arange(200) < 30, np.arange(200) < 70])
    rows, _ = curve.spline_curve(outcome, risk, at=[0.1, 0.4])
    assert [row["observed"] for row in rows] == pytest.approx([0.15, 0.35], abs=1e-3)


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(1, 9)), min_size=2, max_size=60))
@settings(max_examples=60, deadline=None)
def test_whatever_small_data_arrive_there_is_a_curve_in_its_band_or_a_reason(rows):
    outcome, risk = (np.array(column) for column in zip(*rows, strict=True))
    found, reason = curve.spline_curve(outcome, risk / 10)
    assert (found == ()) == (reason is not None)
    for row in found:
        assert 0 <= row["low"] <= row["observed"] <= row["high"] <= 1


@pytest.mark.parametrize(
    ("outcome", "risk", "words"),
    [
        ([], [], "known"),
        ([0, 0, 0, 0], [0.1, 0.2, 0.3, 0.4], "no known row has an event"),
        ([0, 1, 0, 1], [0.2, 0.2, 0.2, 0.2], "same for everybody"),
        ([0, 1, 0, 1], [0.0, 0.2, 0.3, 0.4], "exactly 0 or 1"),
        ([0, 0, 1, 1], [0.1, 0.2, 0.3, 0.4], "separates"),
    ],
)
def test_no_curve_without_its_reason(outcome, risk, words):
    rows, reason = curve.spline_curve(outcome, risk)
    assert rows == ()
    assert words in reason


def test_deciles_of_a_thousand_rows():
    outcome, risk, _ = made_up(4, n=1000)
    bins = curve.calibration_bins(outcome, risk)
    order = np.argsort(risk)
    assert [row["n"] for row in bins] == [100] * 10
    assert bins[0]["low"] == 0
    assert bins[-1]["high"] == 1
    for i, row in enumerate(bins):
        inside = order[100 * i : 100 * (i + 1)]
        assert row["mean_risk"] == pytest.approx(risk[inside].mean())
        assert row["observed"].value == pytest.approx(outcome[inside].mean())
        assert row["observed"].low <= row["observed"].value <= row["observed"].high


def test_constant_risk_is_one_bin():
    bins = curve.calibration_bins(np.tile([0, 1, 0, 0], 50), [0.3] * 200)
    assert [(row["n"], row["observed"].value) for row in bins] == [(200, 0.25)]


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 20)), min_size=1, max_size=300), st.integers(1, 60))
@settings(max_examples=60, deadline=None)
def test_bins_hold_everybody_once_and_are_never_small(rows, fewest):
    outcome, risk = (np.array(column) for column in zip(*rows, strict=True))
    bins = curve.calibration_bins(outcome, risk / 20, fewest=fewest)
    assert sum(row["n"] for row in bins) == outcome.size
    assert sum(row["n"] * row["observed"].value for row in bins) == pytest.approx(outcome.sum())
    assert len(bins) == 1 or min(row["n"] for row in bins) >= fewest
    for lower, upper in pairwise(bins):
        assert lower["high"] == upper["low"]
        assert lower["mean_risk"] < lower["high"] < upper["mean_risk"]  # equal risks share a bin


def test_bins_of_nobody():
    assert curve.calibration_bins([], []) == ()
