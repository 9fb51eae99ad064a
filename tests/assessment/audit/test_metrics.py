import numpy as np
import pytest
import statsmodels.api as sm

from riskmodels.assessment.audit.counting.counts import FN, TP, cells_of
from riskmodels.assessment.audit.counting.risk_bins import bin_risk, log_odds
from riskmodels.assessment.audit.metrics import (
    PROPORTIONS,
    bounds,
    calibration_slopes,
    parts,
    rate_estimate,
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
    found = rate_estimate(np.array([40, 10, 0, 0, 0, 0]), 0.0, "recall", load_policy(), "people", 0)
    assert found == {"value": None, "reason": "nobody who had the outcome"}


def test_a_rate_of_nine_people_is_not_shown():
    found = rate_estimate(np.array([40, 10, 4, 5, 0, 0]), 0.1, "recall", load_policy(), "people", 9)
    assert found == {"value": None, "reason": "not shown (fewer than 10 people who had the outcome)"}


def test_repeated_people_widen_the_interval():
    positives = int(CELLS[[FN, TP]].sum())
    alone = rate_estimate(CELLS, 0.2, "recall", load_policy(), "people", positives)
    together = rate_estimate(CELLS, 0.2, "recall", load_policy(), "people", positives - 1)
    assert together["low"] < alone["low"] < alone["value"] < alone["high"] < together["high"]


def test_twenty_rows_each_of_five_people_are_not_a_hundred_people():
    cells = np.array([0, 0, 0, 100, 0, 0])
    assert rate_estimate(cells, 0.0, "recall", load_policy(), "people", 5)["value"] is None
    found = rate_estimate(cells, 0.0, "recall", load_policy(), "people", 20)
    # Wilson's lower end at 20 of 20: 20 / (20 + 1.96^2).
    assert found["low"] == pytest.approx(20 / (20 + 1.96**2), abs=0.001)


def binned(outcome, risk, codes, size):
    """Rows as a table by bin, as `calibration_slopes` takes it."""
    bins = bin_risk(risk)
    shape = (size, len(bins.risk))
    table = [
        np.bincount(codes[mask] * shape[1] + bins.of_row[mask], minlength=shape[0] * shape[1]).reshape(shape)
        for mask in (outcome == 1, outcome == 0)
    ]
    return *table, log_odds(bins.risk)


def made_up(n, seed=3):
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 3, n)
    x = rng.normal(-1, 1.2, n)
    outcome = (rng.random(n) < 1 / (1 + np.exp(-np.array([0.5, 1.0, 1.6])[codes] * x))).astype(np.int8)
    return outcome, 1 / (1 + np.exp(-x)), codes


def slope_of_rows(outcome, risk):
    logit = np.log(risk / (1 - risk))
    return sm.GLM(outcome, sm.add_constant(logit), family=sm.families.Binomial()).fit().params[1]


def test_slopes_are_those_of_a_logistic_regression():
    outcome, risk, codes = made_up(4000)
    found = calibration_slopes(*binned(outcome, risk, codes, 4))
    for group in range(3):
        rows = codes == group
        assert found.slope[group] == pytest.approx(slope_of_rows(outcome[rows], risk[rows]), abs=1e-6)
    assert np.isnan(found.slope[3])


@pytest.mark.parametrize("spread", [0.3, 1.2, 3.0])
def test_bins_move_no_slope_by_two_thousandths(spread):
    rng = np.random.default_rng(4)
    codes = rng.integers(0, 3, 100_000)
    x = rng.normal(-2, spread, 100_000)
    risk = 1 / (1 + np.exp(-x))
    outcome = (rng.random(100_000) < 1 / (1 + np.exp(-np.array([0.5, 1.0, 1.6])[codes] * x))).astype(np.int8)
    found = calibration_slopes(*binned(outcome, risk, codes, 3))
    for group in range(3):
        rows = codes == group
        assert found.slope[group] == pytest.approx(slope_of_rows(outcome[rows], risk[rows]), abs=0.002)


def test_influence_predicts_what_leaving_rows_out_does():
    outcome, risk, codes = made_up(4000)
    x = log_odds(risk)
    found = calibration_slopes(*binned(outcome, risk, codes, 3))
    out = np.flatnonzero(codes == 1)[:20]
    kept = np.delete(np.arange(len(risk)), out)
    moved = calibration_slopes(*binned(outcome[kept], risk[kept], codes[kept], 3)).slope[1] - found.slope[1]
    influence = found.influence(x[out])[1, outcome[out], np.arange(20)]
    assert moved == pytest.approx(-influence.sum(), rel=0.1)
    # Over everybody the influences add to nothing.
    everybody = found.influence(x)[codes, outcome, np.arange(len(x))]
    assert np.bincount(codes, weights=everybody) == pytest.approx(np.zeros(3), abs=1e-8)


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
    found = calibration_slopes(*binned(np.array(outcome), np.array(risk, dtype=float), np.zeros(100, dtype=int), 1))
    assert np.isnan(found.slope[0])
    assert (found.influence(np.array([-1.0, 0.5])) == 0).all()


def test_cells():
    assert cells_of(np.array([0, 0, 1, 1, 2, 2]), np.array([0, 1, 0, 1, 0, 1], dtype=bool)).tolist() == list(range(6))
