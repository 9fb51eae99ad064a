from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from riskmodels.errors import DataError
from riskmodels.models.calibration import CALIBRATORS, Curve, fit_calibrator, load_calibrator

REFERENCE = Path(__file__).parents[1] / "reference"


@pytest.fixture(scope="module")
def published() -> tuple[np.ndarray, np.ndarray]:
    with (REFERENCE / "df_binary.csv").open() as file:
        rows = list(csv.DictReader(file))
    risk = np.array([float(row["cancerpredmarker"]) for row in rows])
    return risk, np.array([row["cancer"] == "TRUE" for row in rows], dtype=np.int8)


def test_isotonic_equals_r(published):
    """R isoreg: Brier 0.0799822718, 13 levels."""
    risk, outcome = published
    calibrated = fit_calibrator("isotonic", risk, outcome).apply(risk)
    levels = np.unique(np.round(calibrated, 9))
    assert len(levels) == 13
    # Levels of 0 and 1 are given as 0.000001 and 0.999999, which moves the seventh digit at most.
    assert np.mean((calibrated - outcome) ** 2) == pytest.approx(0.0799822718, abs=1e-9)


def test_sigmoid_of_the_log_odds_equals_r(published):
    """R glm: the calibration slope is 1.000000029 and the intercept beside it nought."""
    risk, outcome = published
    curve = fit_calibrator("sigmoid", np.log(risk / (1 - risk)), outcome)
    assert curve.slope == pytest.approx(1.000000029, abs=1e-8)
    assert curve.note is None


def test_sigmoid_keeps_the_observed_rate(published):
    risk, outcome = published
    assert fit_calibrator("sigmoid", risk, outcome).apply(risk).mean() == pytest.approx(outcome.mean(), abs=1e-9)


def test_isotonic_keeps_the_observed_rate(published):
    risk, outcome = published
    assert fit_calibrator("isotonic", risk, outcome).apply(risk).mean() == pytest.approx(outcome.mean(), abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(
    kind=st.sampled_from(sorted(CALIBRATORS)),
    scores=hnp.arrays(np.float64, 30, elements=st.floats(-20, 20, width=32)),
    outcome=hnp.arrays(np.int8, 30, elements=st.integers(0, 1)),
    asked=hnp.arrays(np.float64, 20, elements=st.floats(-1e6, 1e6)),
)
def test_every_calibrator_is_monotone_bounded_and_comes_back_from_json(kind, scores, outcome, asked):
    calibrator = fit_calibrator(kind, scores, outcome)
    points = np.sort(np.concatenate([asked, scores, np.nextafter(scores, np.inf), np.nextafter(scores, -np.inf)]))
    risks = calibrator.apply(points)
    assert (np.diff(risks) >= 0).all()
    assert risks.min() >= 1e-6
    assert risks.max() <= 1 - 1e-6
    again = load_calibrator(json.loads(json.dumps(calibrator.to_dict())))
    assert again == calibrator
    np.testing.assert_array_equal(again.apply(points), risks)


@pytest.mark.parametrize("kind", ["sigmoid", "isotonic"])
@pytest.mark.parametrize("score", [0.0, -3.25, 1e9])
def test_a_constant_score_gets_the_observed_rate(kind, score):
    outcome = np.arange(40) < 7
    calibrator = fit_calibrator(kind, np.full(40, score), outcome)
    np.testing.assert_allclose(calibrator.apply(np.array([score, score + 5])), 7 / 40, rtol=1e-9)
    assert "the same for everybody" in calibrator.note


def test_a_negative_slope_is_not_turned_round():
    scores = np.arange(100.0)
    outcome = (scores < 50).astype(int)
    outcome[::7] = 1 - outcome[::7]
    curve = fit_calibrator("sigmoid", scores, outcome)
    np.testing.assert_allclose(curve.apply(scores), outcome.mean(), rtol=1e-9)
    assert "higher scores did not go with higher risk" in curve.note
    steps = fit_calibrator("isotonic", scores, 1 - (scores < 50) * 0 - (scores >= 50))
    np.testing.assert_allclose(steps.apply(scores), 0.5)
    assert steps.note == "no score goes with a higher risk than another"


def test_separation_falls_back_on_platts_targets():
    scores = np.arange(40.0)
    curve = fit_calibrator("sigmoid", scores, scores >= 20)
    assert "separates" in curve.note
    # The ends lie near the targets 21/22 and 1/22, and so away from certainty.
    assert 0.9 < curve.apply(np.array([39.0]))[0] < 0.9999
    assert 0.0001 < curve.apply(np.array([0.0]))[0] < 0.1


@pytest.mark.parametrize(("outcome", "risk"), [(np.zeros(30), 1e-6), (np.ones(30), 1 - 1e-6)])
@pytest.mark.parametrize("kind", ["sigmoid", "isotonic"])
def test_one_class_gives_its_rate(kind, outcome, risk):
    calibrator = fit_calibrator(kind, np.arange(30.0), outcome)
    np.testing.assert_allclose(calibrator.apply(np.arange(30.0)), risk, rtol=1e-6)


def test_none_is_the_logistic_function_unless_the_score_is_no_log_odds():
    scores, outcome = np.array([-1.0, 0.0, 0.0, 2.0]), np.array([0, 1, 0, 1])
    np.testing.assert_allclose(fit_calibrator("none", scores, outcome).apply(scores), 1 / (1 + np.exp(-scores)))
    tally = fit_calibrator("none", np.arange(50) % 5, np.arange(50) % 3 == 0, log_odds_score=False)
    assert tally.apply(np.arange(50) % 5).mean() == pytest.approx(17 / 50, abs=1e-9)


def test_nobody_to_calibrate_on():
    with pytest.raises(DataError, match="no calibration row"):
        fit_calibrator("sigmoid", np.array([]), np.array([]))


@pytest.mark.parametrize(
    "raw",
    [
        {"shape": "steps", "scores": [0.0, 1.0], "risks": [0.5, 0.4], "note": None},
        {"shape": "steps", "scores": [1.0, 1.0], "risks": [0.4, 0.5], "note": None},
        {"shape": "steps", "scores": [], "risks": [], "note": None},
        {"shape": "steps", "scores": [1.0], "risks": [0.4, 0.5], "note": None},
        {"shape": "curve", "slope": -1.0, "intercept": 0.0},
        {"shape": "line", "slope": 1.0, "intercept": 0.0},
        {"slope": 1.0},
        [],
    ],
)
def test_refuses_what_is_no_calibrator(raw):
    with pytest.raises(ValueError):
        load_calibrator(raw)


def test_curve_is_finite_at_the_ends():
    assert Curve(0.0, 1.0).apply(np.array([-1e308, 1e308])).tolist() == [1e-6, 1 - 1e-6]
