import numpy as np
import pytest
import statsmodels.api as sm

from riskmodels.assessment.audit.counts import cells_of
from riskmodels.assessment.audit.metrics import (
    PROPORTIONS,
    bounds,
    calibration_slopes,
    parts,
    rate_estimate,
    rows_by_group,
)
from riskmodels.assessment.audit.policy import load_policy

# tn, fp, fn, tp, unknown off the list, unknown on the list
CELLS = np.array([40, 10, 15, 25, 7, 3])
BY_HAND = {
    "recall": (25, 40), "fnr": (15, 40), "fpr": (10, 50), "fdr": (10, 35), "for": (15, 55), "precision": (25, 35),
    "selection_rate": (38, 100), "base_rate": (40, 90),
}  # fmt: skip


@pytest.mark.parametrize("metric", PROPORTIONS)
def test_rates_by_hand(metric):
    assert tuple(int(part) for part in parts(CELLS, metric)) == BY_HAND[metric]


@pytest.mark.parametrize("metric", PROPORTIONS)
def test_bounds_are_the_extremes_over_every_way_the_unknown_could_turn_out(metric):
    if metric == "selection_rate":
        assert bounds(CELLS, metric) is None
        return
    rates = []
    for off in range(8):
        for on in range(4):
            cells = CELLS + np.array([7 - off, 3 - on, off, on, -7, -3])
            top, bottom = parts(cells, metric)
            rates.append(top / bottom)
    assert bounds(CELLS, metric) == pytest.approx((min(rates), max(rates)))


def test_no_bounds_where_all_is_known():
    assert bounds(np.array([40, 10, 15, 25, 0, 0]), "recall") is None


def test_a_group_without_positives_has_no_recall_and_says_so():
    found = rate_estimate(np.array([40, 10, 0, 0, 0, 0]), 0.0, "recall", load_policy(), "people", clustered=False)
    assert found == {"value": None, "reason": "nobody who had the outcome"}


def test_a_rate_of_nine_people_is_not_shown():
    found = rate_estimate(np.array([40, 10, 4, 5, 0, 0]), 0.1, "recall", load_policy(), "people", clustered=False)
    assert found == {"value": None, "reason": "not shown (fewer than 10 people who had the outcome)"}


def test_repeated_people_widen_the_interval():
    alone = rate_estimate(CELLS, 0.2, "recall", load_policy(), "people", clustered=False)
    together = rate_estimate(CELLS, 0.2, "recall", load_policy(), "people", clustered=True)
    assert together["low"] < alone["low"] < alone["value"] < alone["high"] < together["high"]


@pytest.fixture(scope="module")
def sample():
    rng = np.random.default_rng(3)
    codes = rng.integers(0, 3, 6000)
    x = rng.normal(-1, 1.2, 6000)
    outcome = (rng.random(6000) < 1 / (1 + np.exp(-np.array([0.5, 1.0, 1.6])[codes] * x))).astype(np.int8)
    known = rng.random(6000) < 0.9
    return outcome, known, 1 / (1 + np.exp(-x)), codes


def test_slopes_are_those_of_a_logistic_regression(sample):
    outcome, known, risk, codes = sample
    found = calibration_slopes(outcome, known, risk, codes, 4)
    for group in range(3):
        rows = known & (codes == group)
        logit = np.log(risk[rows] / (1 - risk[rows]))
        fit = sm.GLM(outcome[rows], sm.add_constant(logit), family=sm.families.Binomial()).fit()
        assert found.slope[group] == pytest.approx(fit.params[1], abs=1e-6)
    assert np.isnan(found.slope[3])


def test_influence_predicts_what_leaving_rows_out_does(sample):
    outcome, known, risk, codes = sample
    found = calibration_slopes(outcome, known, risk, codes, 3)
    out = np.flatnonzero(known & (codes == 1))[:20]
    fewer = known.copy()
    fewer[out] = False
    moved = calibration_slopes(outcome, fewer, risk, codes, 3).slope[1] - found.slope[1]
    assert moved == pytest.approx(-found.influence[out].sum(), rel=0.1)
    assert (found.influence[~known] == 0).all()


@pytest.mark.parametrize(
    ("outcome", "risk"),
    [
        ([0, 1] * 50, [0.3] * 100),
        ([1] * 100, np.linspace(0.1, 0.9, 100)),
        ([0] * 50 + [1] * 50, np.linspace(0.1, 0.9, 100)),
    ],
    ids=["same risk for all", "everybody has the outcome", "separated"],
)
def test_a_slope_that_cannot_be_had_is_none(outcome, risk):
    found = calibration_slopes(
        np.array(outcome), np.ones(100, dtype=bool), np.array(risk, dtype=float), np.zeros(100, dtype=int), 1
    )
    assert np.isnan(found.slope[0])
    assert (found.influence == 0).all()


def test_rows_by_group():
    codes = np.array([2, 0, 2, 0], dtype=np.int32)
    assert [rows.tolist() for rows in rows_by_group(codes, 3)] == [[1, 3], [], [0, 2]]


def test_cells():
    assert cells_of(np.array([0, 0, 1, 1, 2, 2]), np.array([0, 1, 0, 1, 0, 1], dtype=bool)).tolist() == list(range(6))
