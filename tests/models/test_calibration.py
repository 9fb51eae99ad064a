from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.optimize import minimize
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from riskmodels.errors import DataError
from riskmodels.models.calibration import CALIBRATORS, fit_calibrator
from riskmodels.models.risk_curves import Beta, Chain, Curve, VennAbers, cells_of, load_calibrator, risk_interval

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


@settings(max_examples=120, deadline=None)
@given(
    kind=st.sampled_from(sorted(CALIBRATORS)),
    log_odds_score=st.booleans(),
    scores=hnp.arrays(np.float64, 60, elements=st.floats(-20, 20, width=32)),
    outcome=hnp.arrays(np.int8, 60, elements=st.integers(0, 1)),
    asked=hnp.arrays(np.float64, 20, elements=st.floats(-1e6, 1e6)),
)
def test_every_calibrator_is_monotone_bounded_and_comes_back_from_json(kind, log_odds_score, scores, outcome, asked):
    calibrator = fit_calibrator(kind, scores, outcome, log_odds_score=log_odds_score)
    points = np.sort(np.concatenate([asked, scores, np.nextafter(scores, np.inf), np.nextafter(scores, -np.inf)]))
    risks = calibrator.apply(points)
    assert (np.diff(risks) >= 0).all()
    assert risks.min() >= 1e-6
    assert risks.max() <= 1 - 1e-6
    again = load_calibrator(json.loads(json.dumps(calibrator.to_dict())))
    assert again == calibrator
    np.testing.assert_array_equal(again.apply(points), risks)


@pytest.mark.parametrize("kind", sorted(set(CALIBRATORS) - {"none"}))
@pytest.mark.parametrize("score", [0.0, -3.25, 1e9, np.inf])
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


def test_a_row_without_a_score_is_refused():
    with pytest.raises(DataError, match="score: 1 calibration rows have none"):
        fit_calibrator("beta", np.array([0.0, np.nan]), np.array([0, 1]))


# ---------------------------------------------------------------- what is hard to learn from

SIXTY = np.arange(60.0)
HARD = {
    "no event": (SIXTY, np.zeros(60), "outcome.* is the same|no score goes with|too few to test on"),
    "events only": (SIXTY, np.ones(60), "outcome.* is the same|no score goes with|too few to test on"),
    "one score": (np.full(60, 2.0), SIXTY % 3 == 0, "the score is the same for everybody"),
    "separated": (SIXTY - 30, SIXTY >= 30, ""),
    "three events": (SIXTY / 10, np.isin(SIXTY, (20, 41, 58)), ""),
    "two scores": (SIXTY % 2, (SIXTY % 3 == 0) | (SIXTY % 4 == 1), ""),
    "falling": (SIXTY, SIXTY < 30, ""),
    "infinite": (np.where(SIXTY > 57, np.inf, np.where(SIXTY < 2, -np.inf, SIXTY / 20)), SIXTY % 4 == 0, "infinite"),
    "huge": (np.where(SIXTY > 57, 1e300, SIXTY / 20), SIXTY % 4 > 1, "infinite or beyond a million"),
    "all infinite": (np.where(SIXTY > 30, np.inf, -np.inf), SIXTY % 4 == 0, "infinite"),
    "hardly different": (1.0 + SIXTY * 1e-11, SIXTY % 4 > 1, ""),
}


@pytest.mark.parametrize("log_odds_score", [True, False])
@pytest.mark.parametrize("how", HARD)
@pytest.mark.parametrize("kind", sorted(set(CALIBRATORS) - {"none"}))
def test_hard_rows_give_a_risk_and_a_note(kind, how, log_odds_score):
    """Without a warning, which would be an error here."""
    scores, outcome, words = HARD[how]
    calibrator = fit_calibrator(kind, scores, outcome, log_odds_score=log_odds_score)
    risks = calibrator.apply(np.array([-np.inf, *np.sort(scores), np.inf]))
    assert np.isfinite(risks).all()
    assert (np.diff(risks) >= 0).all()
    assert re.search(words, calibrator.note or "")
    assert calibrator.note or kind != "auto"


# ---------------------------------------------------------------- beta


def planted(rows: int = 3_000, seed: int = 3, intercept: float = -0.4, a: float = 0.7, b: float = 1.6):
    """Log-odds, and outcomes whose risk is a beta curve of theirs."""
    draw = np.random.default_rng(seed)
    scores = draw.normal(-0.5, 1.8, rows)
    risk = 1 / (1 + np.exp(-scores))
    log_odds = intercept + a * np.log(risk) - b * np.log(1 - risk)
    return scores, (draw.random(rows) < 1 / (1 + np.exp(-log_odds))).astype(float)


def test_beta_equals_an_unpenalised_regression_on_both_logarithms():
    scores, outcome = planted()
    risk = 1 / (1 + np.exp(-scores))
    columns = np.column_stack([np.log(risk), -np.log(1 - risk)])
    theirs = LogisticRegression(C=np.inf, tol=1e-12, max_iter=10_000).fit(columns, outcome)
    ours = fit_calibrator("beta", scores, outcome)
    assert isinstance(ours, Beta)
    assert (ours.a, ours.b) == pytest.approx(tuple(theirs.coef_[0]), abs=1e-4)
    assert ours.intercept == pytest.approx(theirs.intercept_[0], abs=1e-4)
    np.testing.assert_allclose(ours.apply(scores), theirs.predict_proba(columns)[:, 1], atol=1e-5)
    assert ours.apply(scores).mean() == pytest.approx(outcome.mean(), abs=1e-9)


@pytest.mark.parametrize(("a", "b", "nought"), [(-0.6, 1.5, "a"), (1.5, -0.6, "b")])
def test_beta_keeps_to_curves_that_rise(a, b, nought):
    """Where the best curve falls somewhere, the best that does not, as a bounded search finds it (L-BFGS-B)."""
    scores, outcome = planted(a=a, b=b)
    ours = fit_calibrator("beta", scores, outcome)
    assert getattr(ours, nought) == 0.0
    risk = 1 / (1 + np.exp(-scores))
    columns = np.column_stack([np.ones(len(scores)), np.log(risk), -np.log(1 - risk)])

    def loss(weights):
        eta = columns @ weights
        return np.mean(np.logaddexp(0, eta) - outcome * eta), columns.T @ (1 / (1 + np.exp(-eta)) - outcome) / len(eta)

    found = minimize(loss, [0.0, 1.0, 1.0], jac=True, bounds=[(None, None), (0, None), (0, None)], tol=1e-14)
    assert (ours.intercept, ours.a, ours.b) == pytest.approx(tuple(found.x), abs=1e-3)


def test_beta_is_the_sigmoid_where_that_is_right():
    scores, outcome = planted(rows=20_000, a=1.0, b=1.0, intercept=0.0)
    ours = fit_calibrator("beta", scores, outcome)
    assert (ours.intercept, ours.a, ours.b) == pytest.approx((0, 1, 1), abs=0.15)


def test_a_tally_goes_through_a_sigmoid_first():
    draw = np.random.default_rng(4)
    total = draw.integers(0, 9, 2_000).astype(float)
    outcome = draw.random(2_000) < 0.05 + 0.1 * total
    sigmoid = fit_calibrator("sigmoid", total, outcome)
    ours = fit_calibrator("beta", total, outcome, log_odds_score=False)
    assert isinstance(ours, Chain)
    assert ours.first == sigmoid
    again = fit_calibrator("beta", sigmoid.intercept + sigmoid.slope * total, outcome)
    np.testing.assert_allclose(ours.apply(total), again.apply(sigmoid.intercept + sigmoid.slope * total), rtol=1e-9)


def test_two_scores_bear_no_curve():
    scores, outcome = np.repeat([0.0, 1.0], 50), np.concatenate([np.arange(50) < 10, np.arange(50) < 30])
    ours = fit_calibrator("beta", scores, outcome)
    np.testing.assert_allclose(ours.apply(np.array([0.0, 1.0])), [0.2, 0.6], rtol=1e-9)
    assert ours.note == "the calibration rows bear no curve beyond a sigmoid"


# ---------------------------------------------------------------- Venn-Abers


def textbook(scores: np.ndarray, outcome: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """(p0, p1) [n, 2]: for each asked score, isotonic regression with it added as a non-event, then as an event."""
    found = []
    for score in asked:
        for label in (0, 1):
            model = IsotonicRegression().fit(np.append(scores, score), np.append(outcome, label))
            found.append(model.predict([score])[0])
    return np.array(found).reshape(-1, 2)


@pytest.mark.parametrize("seed", range(12))
def test_venn_abers_equals_two_isotonic_regressions_a_score(seed):
    draw = np.random.default_rng(seed)
    rows = int(draw.integers(5, 100))
    scores = draw.normal(0, 3, rows).round(0 if seed % 3 == 0 else 9)
    outcome = (draw.random(rows) < 1 / (1 + np.exp(-scores))).astype(float)
    if seed in (4, 5):
        outcome[:] = seed - 4
    ours = fit_calibrator("venn_abers", scores, outcome)
    assert isinstance(ours, VennAbers)
    asked = np.concatenate([scores, draw.normal(0, 4, 40), [-1e9, 1e9]])
    expected = np.clip(textbook(cells_of(scores, ours.unit), outcome, cells_of(asked, ours.unit)), 1e-6, 1 - 1e-6)
    low, high = risk_interval(ours, asked)
    np.testing.assert_allclose(np.column_stack([low, high]), expected, atol=1e-9)
    merged = expected[:, 1] / (1 - expected[:, 0] + expected[:, 1])
    np.testing.assert_allclose(ours.apply(asked), np.clip(merged, 1e-6, 1 - 1e-6), atol=2e-6)
    assert (low <= ours.apply(asked)).all()
    assert (ours.apply(asked) <= high).all()


def test_venn_abers_holds_no_persons_score_and_few_steps():
    scores, outcome = planted(rows=5_000)
    ours = fit_calibrator("venn_abers", scores, outcome)
    assert ours.unit == 0.01  # the middle nine tenths span 5.9
    starts = np.array([*ours.low.starts, *ours.high.starts]) * ours.unit
    assert not np.isin(starts, scores).any()
    assert len(starts) < 300


def test_others_give_no_interval():
    scores, outcome = planted(rows=500)
    for kind in sorted(set(CALIBRATORS) - {"venn_abers"}):
        assert risk_interval(fit_calibrator(kind, scores, outcome), scores) is None


# ---------------------------------------------------------------- auto


@pytest.mark.parametrize(
    ("truth", "shape", "words"),
    [
        ({"intercept": 0.0, "a": 1.0, "b": 1.0}, Curve, "auto: the score as it is (p = "),
        ({"intercept": 0.5, "a": 1.0, "b": 1.0}, Curve, "auto: a new intercept (p = "),
        ({"intercept": 0.0, "a": 0.6, "b": 0.6}, Curve, "auto: a new intercept and slope (p = "),
        ({"intercept": 0.0, "a": 0.3, "b": 1.6}, Beta, "auto: a beta curve (rejected: the score as it is, p = "),
    ],
)
def test_auto_takes_the_simplest_that_will_do(truth, shape, words):
    scores, outcome = planted(rows=4_000, seed=6, **truth)
    ours = fit_calibrator("auto", scores, outcome)
    assert isinstance(ours, shape)
    assert ours.note.startswith(words)
    assert ours == fit_calibrator("auto", scores, outcome)
    assert ours.apply(scores).mean() == pytest.approx(outcome.mean(), abs=0.02)


def test_auto_gives_what_it_names():
    scores, outcome = planted(rows=4_000, seed=6, intercept=0.0, a=0.3, b=1.6)
    beta = fit_calibrator("beta", scores, outcome)
    np.testing.assert_allclose(fit_calibrator("auto", scores, outcome).apply(scores), beta.apply(scores), rtol=1e-9)
    scores, outcome = planted(rows=4_000, seed=6, intercept=0.0, a=0.6, b=0.6)
    sigmoid = fit_calibrator("sigmoid", scores, outcome)
    np.testing.assert_allclose(fit_calibrator("auto", scores, outcome).apply(scores), sigmoid.apply(scores), rtol=1e-9)


def test_auto_on_few_events_leaves_the_score_alone():
    scores, outcome = planted(rows=60)
    ours = fit_calibrator("auto", scores, np.arange(60) < 8)
    assert (ours.intercept, ours.slope) == (0.0, 1.0)
    assert "fewer than 20 rows of the rarer outcome are too few to test on" in ours.note
    tally = fit_calibrator("auto", scores, outcome[::-1].argsort() < 8, log_odds_score=False)
    assert isinstance(tally, Curve)


def test_auto_weighs_a_tally_by_a_sigmoid_or_a_curve():
    draw = np.random.default_rng(4)
    total = draw.integers(0, 9, 3_000).astype(float)
    for power, shape in ((1.0, Curve), (3.0, Chain)):
        outcome = draw.random(3_000) < 1 / (1 + np.exp(3 - 6 * (total / 8) ** power))
        ours = fit_calibrator("auto", total, outcome, log_odds_score=False)
        assert isinstance(ours, shape)
        assert "the score as it is" not in ours.note


def test_auto_allows_for_people_who_stand_there_often():
    """Each person ten times with one outcome: what looks like a tenfold sample is none."""
    scores, outcome = planted(rows=400, seed=21, intercept=0.15, a=0.9, b=0.9)
    often, ids = np.repeat(scores, 10), np.repeat(np.arange(400), 10)
    naive = fit_calibrator("auto", often, np.repeat(outcome, 10))
    honest = fit_calibrator("auto", often, np.repeat(outcome, 10), clusters=[f"p{number}" for number in ids])
    assert "the score as it is, p = " in naive.note
    assert honest.note.startswith("auto: the score as it is")
