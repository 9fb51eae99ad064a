from __future__ import annotations

import math

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import brier_score_loss
from sklearn.metrics import log_loss as sklearn_log_loss

from riskmodels.assessment import calibration_statistics as statistics
from riskmodels.assessment.intervals import ONE_CLUSTER, Z
from riskmodels.assessment.logistic import expit, logit
from riskmodels.errors import DataError

INTERVALS = (
    statistics.brier_score,
    statistics.log_loss,
    statistics.scaled_brier,
    statistics.calibration_in_the_large,
    statistics.calibration_slope,
    statistics.oe_ratio,
)


def made_up(seed: int = 0, n: int = 500, shift: float = 0.0, stretch: float = 1.0):
    """Outcomes whose true logit is shift + stretch * logit(risk)."""
    rng = np.random.default_rng(seed)
    risk = rng.beta(1.5, 6, n).clip(0.001, 0.999)
    outcome = (rng.random(n) < expit(shift + stretch * logit(risk))).astype(float)
    return outcome, risk, rng.integers(0, n // 5, n)


def test_losses_equal_sklearn():
    outcome, risk, _ = made_up()
    assert statistics.brier_score(outcome, risk).value == pytest.approx(brier_score_loss(outcome, risk))
    assert statistics.log_loss(outcome, risk).value == pytest.approx(sklearn_log_loss(outcome, risk))


def test_three_rows_by_hand():
    """Brier: (.04 + .25 + .09) / 3; base rate 2/3, worst 2/9; O/E: 2 / 2.0."""
    outcome, risk = [1, 1, 0], [0.8, 0.5, 0.3]
    assert statistics.brier_score(outcome, risk).value == pytest.approx(0.38 / 3)
    assert statistics.scaled_brier(outcome, risk).value == pytest.approx(1 - (0.38 / 3) / (2 / 9))
    assert statistics.oe_ratio(outcome, risk).value == pytest.approx(2 / 1.6)


def test_plain_interval_of_the_brier_score_is_that_of_a_mean():
    outcome, risk, _ = made_up()
    loss = (risk - outcome) ** 2
    found = statistics.brier_score(outcome, risk)
    assert (found.low, found.high) == pytest.approx(stats.norm.interval(0.95, loss.mean(), stats.sem(loss)))


def test_oe_interval_of_equal_risks_is_the_published_formula():
    """With one risk for everybody, sqrt((1 - O/n) / O), and n/(n - 1) for the sample variance."""
    outcome, _, _ = made_up()
    observed, n = outcome.sum(), outcome.size
    found = statistics.oe_ratio(outcome, np.full(n, 0.2))
    half = Z * math.sqrt((1 - observed / n) / observed * n / (n - 1))
    assert math.log(found.high / found.value) == pytest.approx(half, rel=1e-9)
    assert math.log(found.value / found.low) == pytest.approx(half, rel=1e-9)


@pytest.mark.parametrize("clusters", [False, True])
def test_oe_interval_agrees_with_a_bootstrap(clusters):
    """Rows, or pairs of rows that stay together, are drawn again; events and risks are summed and divided."""
    rng = np.random.default_rng(4)
    risk = rng.beta(0.6, 2.4, 2000).clip(
        0.001, 0.999
    )  # spread so wide that the published formula is a quarter too wide
    outcome = (rng.random(2000) < risk).astype(float)
    pairs = np.argsort(-outcome + rng.random(2000)).reshape(-1, 2)  # events mostly with events
    units = pairs if clusters else np.arange(2000)[:, None]
    pair_of = np.empty(2000, dtype=int)
    pair_of[pairs] = np.arange(1000)[:, None]
    found = statistics.oe_ratio(outcome, risk, pair_of if clusters else None)
    drawn = rng.integers(0, len(units), size=(1500, len(units)))
    ratios = outcome[units].sum(axis=1)[drawn].sum(axis=1) / risk[units].sum(axis=1)[drawn].sum(axis=1)
    assert math.log(found.high / found.low) == pytest.approx(2 * Z * np.log(ratios).std(), rel=0.06)


@pytest.mark.parametrize("statistic", INTERVALS)
def test_single_row_clusters_change_nothing(statistic):
    outcome, risk, _ = made_up()
    assert statistic(outcome, risk, [f"p{i}" for i in range(500)]) == statistic(outcome, risk)


@pytest.mark.parametrize("statistic", INTERVALS)
def test_rows_seen_four_times_count_once(statistic):
    """The interval of four copies of each row, clustered, is about that of one copy."""
    outcome, risk, _ = made_up(1, n=2000)
    once = statistic(outcome, risk)
    copies = statistic(np.tile(outcome, 4), np.tile(risk, 4), np.tile(np.arange(2000), 4))
    naive = statistic(np.tile(outcome, 4), np.tile(risk, 4))
    assert copies.value == pytest.approx(once.value, rel=1e-6)
    assert copies.high - copies.low == pytest.approx(once.high - once.low, rel=0.06)
    assert naive.high - naive.low == pytest.approx((once.high - once.low) / 2, rel=0.02)


@pytest.mark.parametrize("statistic", INTERVALS)
def test_one_cluster_has_a_value_and_no_interval(statistic):
    outcome, risk, _ = made_up()
    found = statistic(outcome, risk, ["one school"] * 500)
    assert found.value is not None
    assert (found.low, found.high, found.reason) == (None, None, ONE_CLUSTER)


def test_clustered_slope_equals_statsmodels():
    outcome, risk, cluster = made_up(2)
    found = statistics.calibration_slope(outcome, risk, cluster)
    fitted = sm.GLM(outcome, sm.add_constant(logit(risk)), family=sm.families.Binomial()).fit(
        cov_type="cluster", cov_kwds={"groups": cluster}
    )
    clusters = np.unique(cluster).size
    half = stats.t.ppf(0.975, clusters - 1) * fitted.bse[1] / math.sqrt((500 - 1) / (500 - 2))
    assert found.value == pytest.approx(fitted.params[1], rel=1e-5)
    assert found.high - found.value == pytest.approx(half, rel=1e-3)


def test_clustered_brier_equals_the_sandwich_of_a_regression_on_a_constant():
    outcome, risk, cluster = made_up(3)
    found = statistics.brier_score(outcome, risk, cluster)
    fitted = sm.OLS((risk - outcome) ** 2, np.ones(500)).fit(cov_type="cluster", cov_kwds={"groups": cluster})
    half = stats.t.ppf(0.975, np.unique(cluster).size - 1) * fitted.bse[0]
    assert found.high - found.value == pytest.approx(half, rel=1e-9)


def test_scaled_brier_interval_agrees_with_a_bootstrap():
    outcome, risk, _ = made_up(4, n=1500)
    found = statistics.scaled_brier(outcome, risk)
    rows = np.random.default_rng(5).integers(0, 1500, size=(400, 1500))
    y, p = outcome[rows], risk[rows]
    draws = 1 - ((p - y) ** 2).mean(axis=1) / (y.mean(axis=1) * (1 - y.mean(axis=1)))
    assert found.high - found.low == pytest.approx(2 * Z * draws.std(), rel=0.1)


def test_planted_miscalibration_is_found():
    outcome, risk, _ = made_up(6, n=20_000, shift=0.7, stretch=1.0)
    assert statistics.calibration_in_the_large(outcome, risk).value == pytest.approx(0.7, abs=0.06)
    assert statistics.oe_ratio(outcome, risk).low > 1
    outcome, risk, _ = made_up(7, n=20_000, stretch=0.5)
    slope = statistics.calibration_slope(outcome, risk)
    assert slope.low < 0.5 < slope.high
    assert statistics.spiegelhalter(outcome, risk)[1].value < 1e-6


def test_well_calibrated_risks_are_found_so():
    outcome, risk, _ = made_up(8, n=20_000)
    for statistic, right in (
        (statistics.calibration_in_the_large, 0),
        (statistics.calibration_slope, 1),
        (statistics.oe_ratio, 1),
    ):
        found = statistic(outcome, risk)
        assert found.low < right < found.high
    assert statistics.spiegelhalter(outcome, risk)[1].value > 0.05


def test_spiegelhalter_with_every_row_twice_is_not_fooled():
    outcome, risk, _ = made_up(9, n=4000, shift=0.1)
    once = statistics.spiegelhalter(outcome, risk)[0].value
    twice = statistics.spiegelhalter(np.tile(outcome, 2), np.tile(risk, 2), np.tile(np.arange(4000), 2))[0].value
    naive = statistics.spiegelhalter(np.tile(outcome, 2), np.tile(risk, 2))[0].value
    assert twice == pytest.approx(once, rel=0.01)
    assert naive == pytest.approx(once * math.sqrt(2), rel=1e-9)


@pytest.mark.parametrize("criterion", ["brier_score", "log_loss"])
def test_difference_is_positive_where_the_first_risk_is_better(criterion):
    outcome, risk, cluster = made_up(10, n=3000)
    worse = np.full(3000, outcome.mean())
    found = statistics.loss_difference(outcome, risk, worse, criterion, cluster)
    back = statistics.loss_difference(outcome, worse, risk, criterion, cluster)
    means = [statistics.mean_loss(outcome, each, criterion).value for each in (worse, risk)]
    assert found.value == pytest.approx(means[0] - means[1])
    assert found.low > 0
    assert (found.low, found.high) == pytest.approx((-back.high, -back.low))


def test_the_same_risks_do_not_differ():
    outcome, risk, _ = made_up(11)
    found = statistics.loss_difference(outcome, risk, risk, "brier_score")
    assert (found.value, found.low) == (0.0, None)


def test_an_outcome_held_impossible_is_not_averaged_away():
    found = statistics.log_loss([1, 0, 1], [0.0, 0.5, 0.9])
    assert found.value is None
    assert "1 rows" in found.reason
    assert statistics.loss_difference([1, 0, 1], [0.0, 0.5, 0.9], [0.5, 0.5, 0.5], "log_loss").value is None
    assert statistics.brier_score([1, 0, 1], [0.0, 0.5, 0.9]).value == pytest.approx((1 + 0.25 + 0.01) / 3)


def test_unknown_criterion_is_refused():
    with pytest.raises(DataError, match="criterion"):
        statistics.mean_loss([0, 1], [0.1, 0.2], "accuracy")


@pytest.mark.parametrize("statistic", [statistics.calibration_slope, statistics.calibration_in_the_large])
def test_risks_of_exactly_0_or_1_have_no_logit(statistic):
    found = statistic([0, 1, 0, 1], [0.0, 0.3, 0.2, 1.0])
    assert found.value is None
    assert "2 rows" in found.reason


def test_constant_risk():
    outcome, risk = [0, 1, 0, 0], [0.25] * 4
    assert statistics.calibration_slope(outcome, risk).reason == statistics.CONSTANT
    assert statistics.lowess_errors(outcome, risk)["eavg"].reason == statistics.CONSTANT
    assert statistics.calibration_in_the_large(outcome, risk).value == pytest.approx(0, abs=1e-9)
    assert statistics.oe_ratio(outcome, risk).value == 1


def test_separated_classes_have_no_slope():
    assert statistics.calibration_slope([0, 0, 1, 1], [0.1, 0.2, 0.3, 0.4]).reason == statistics.SEPARATED
    assert statistics.calibration_slope([1, 1, 0, 0], [0.1, 0.2, 0.2, 0.4]).reason == statistics.SEPARATED


@pytest.mark.parametrize("outcome", [[], [0, 0, 0], [1, 1, 1]])
@pytest.mark.parametrize("statistic", INTERVALS[2:])
def test_one_class_is_not_computed(statistic, outcome):
    found = statistic(outcome, [0.1, 0.2, 0.3][: len(outcome)])
    assert found.value is None
    assert found.reason


def test_tests_that_have_no_variance_are_not_computed():
    for outcome, risk in (([], []), ([0, 1], [0.5, 0.5]), ([0, 1], [0.0, 1.0])):
        z, p = statistics.spiegelhalter(outcome, risk)
        assert z.value is None
        assert p.value is None
        assert z.reason


def test_lowess_refuses_a_neighbourhood_without_width():
    """Two thirds and more of the rows at one risk: statsmodels would silently answer 0 for them."""
    risk = np.repeat([0.05, 0.3, 0.5], [800, 100, 100])
    outcome = np.tile([0, 1], 500)
    assert "two thirds" in statistics.lowess_errors(outcome, risk)["emax"].reason


def test_lowess_of_three_risks_gives_their_rates():
    risk = np.repeat([0.1, 0.2, 0.4], 1000)
    outcome = np.concatenate([np.arange(1000) < k for k in (130, 200, 350)])
    found = statistics.lowess_errors(outcome, risk)
    assert found["eavg"].value == pytest.approx((0.03 + 0 + 0.05) / 3, abs=1e-6)
    assert found["emax"].value == pytest.approx(0.05, abs=1e-6)


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(1, 9), st.integers(0, 4)), min_size=1, max_size=30))
@example([(1, 4, 0), (0, 1, 1), (0, 8, 1)])  # two clusters that cancel: a variance of round-off, below nought
@settings(max_examples=60, deadline=None)
def test_nothing_is_ever_not_a_number(rows):
    """Whatever small data arrive: a finite number inside its interval, or a reason."""
    outcome, risk, cluster = (np.array(column) for column in zip(*rows, strict=True))
    estimates = [statistic(outcome, risk / 10, cluster) for statistic in INTERVALS]
    estimates += [*statistics.spiegelhalter(outcome, risk / 10, cluster)]
    estimates += statistics.lowess_errors(outcome, risk / 10).values()
    for found in estimates:
        assert found.value is not None or found.reason
        for number in (found.value, found.low, found.high):
            assert number is None or (isinstance(number, float) and math.isfinite(number))
        if found.low is not None:
            assert found.low <= found.value <= found.high
