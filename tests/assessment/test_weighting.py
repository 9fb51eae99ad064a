from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from riskmodels.assessment import weighting
from riskmodels.assessment.calibration_statistics import brier_score
from riskmodels.assessment.discrimination import auc
from riskmodels.assessment.intervals import Clusters
from riskmodels.assessment.weighting import known_weights, weighted_auc, weighted_brier, weighted_oe, weighted_share
from riskmodels.errors import DataError
from tests.assessment.made_up_rows import few_rows, ranked_rows


@pytest.fixture
def arrays():
    rng = np.random.default_rng(2)
    risk = np.round(rng.beta(1, 3, 300), 2)
    return (rng.random(300) < risk).astype(float), risk, rng.integers(1, 5, 300).astype(float)


# ---------------------------------------------------------------- figures


@pytest.mark.parametrize("clustered", [False, True])
def test_equal_weights_are_no_weights(arrays, clustered):
    outcome, risk, _ = arrays
    units = Clusters(np.arange(300) // 3, 100) if clustered else None
    same = np.full(300, 0.7)
    for weighted, plain in ((weighted_auc, auc), (weighted_brier, brier_score)):
        found, expected = weighted(outcome, risk, same, units), plain(outcome, risk, units)
        assert found.value == pytest.approx(expected.value)
        # The two classes of the AUC each have their own finite-sample factor in DeLong's variance.
        assert found.high == pytest.approx(expected.high, abs=1e-3)


def test_a_weight_of_three_is_three_rows(arrays):
    outcome, risk, weights = arrays
    again = np.repeat(np.arange(300), weights.astype(int))
    copies = Clusters(again, 300)
    assert weighted_auc(outcome, risk, weights, None).value == pytest.approx(auc(outcome[again], risk[again]).value)
    oe = weighted_oe(outcome, risk, weights, None)
    assert oe.value == pytest.approx(outcome[again].sum() / risk[again].sum())
    found, expected = weighted_brier(outcome, risk, weights, None), brier_score(outcome[again], risk[again], copies)
    # The copies of one row are one cluster, so the sums are the same; only Student's t widens the one.
    assert found.value == pytest.approx(expected.value)
    assert found.high - found.value == pytest.approx(expected.high - expected.value, rel=0.005)


def test_weighted_share_by_hand():
    """Hits 1 0 1 with weights 1 2 1: 2/4; residuals .5/4 -2*.5/4 .5/4; 3/2 of their squares, (1 + 4 + 1)/64 * 1.5 =
    .140625; effective number .25/.140625 = 1.78."""
    found = weighted_share(np.array([1.0, 0, 1]), np.array([1.0, 2, 1]), None)
    assert found.value == 0.5
    z, n = 1.959963984540054, 0.25 / 0.140625
    half = z * np.sqrt(0.25 / n + z**2 / 4 / n**2) / (1 + z**2 / n)
    assert (found.low, found.high) == pytest.approx((0.5 - half, 0.5 + half))
    assert "no spread" in weighted_share(np.ones(4), np.ones(4), None).reason


@pytest.mark.parametrize("metric", [weighted_auc, weighted_oe, weighted_brier])
def test_intervals_are_as_wide_as_the_spread(metric):
    """Independent oracle: new samples of the same weighted kind."""
    found = []
    for seed in range(150):
        rng = np.random.default_rng([seed, 1])
        risk = rng.beta(1, 3, 500)
        weights = 0.5 + 3 * risk
        outcome = (rng.random(500) < risk).astype(float)
        found.append(metric(outcome, risk, weights, None))
    log = np.log if metric is weighted_oe else np.array
    spread = log([one.value for one in found]).std(ddof=1)
    claimed = np.mean(log([one.high for one in found]) - log([one.value for one in found])) / 1.96
    assert claimed == pytest.approx(spread, rel=0.15)


# ---------------------------------------------------------------- weights


def test_weights_undo_what_made_outcomes_unknown():
    """The weighted share of each fifth of risk among the known is its share among everybody."""
    rows = ranked_rows(people=4000, dates=2)
    lost = np.random.default_rng(3).random(rows.n) < 0.1 + 0.6 * rows.risk
    weights = known_weights(replace(rows, known=~lost), trim=1.0)
    fifth = np.digitize(rows.risk, np.quantile(rows.risk, [0.2, 0.4, 0.6, 0.8]))
    shares = np.bincount(fifth, weights=weights.values) / weights.values.sum()
    assert shares == pytest.approx(np.full(5, 0.2), abs=0.005)
    plain = np.bincount(fifth, weights=~lost) / (~lost).sum()
    assert np.abs(plain - 0.2).max() > 0.02
    assert weights.values[lost].max() == 0
    assert weights.made_of == "risk and as-of date"
    assert weights.values.sum() == pytest.approx((~lost).sum(), rel=0.01)  # stabilised: they average 1


def test_trimming_cuts_the_largest_and_says_so():
    rows = ranked_rows(people=2000, dates=1)
    lost = np.random.default_rng(3).random(rows.n) < 0.1 + 0.7 * rows.risk
    rows = replace(rows, known=~lost)
    whole, cut = (known_weights(rows, trim=trim) for trim in (1.0, 0.95))
    assert whole.cut == 0
    assert cut.cut == pytest.approx(0.05, abs=0.002)
    assert cut.values.max() == pytest.approx(np.quantile(whole.values[~lost], 0.95))
    assert whole.effective < cut.effective < (~lost).sum()
    w = cut.values[~lost]
    assert cut.effective == pytest.approx(w.sum() ** 2 / (w**2).sum())


def test_covariates_join_the_fit():
    rows = ranked_rows(people=3000, dates=1)
    moved = np.random.default_rng(4).random(rows.n) < 0.5
    lost = np.random.default_rng(5).random(rows.n) < np.where(moved, 0.5, 0.1)
    rows = replace(rows, known=~lost)
    covariates = np.column_stack([moved, np.ones(rows.n)]).astype(float)  # the second says nothing
    weights = known_weights(rows, 1.0, covariates)
    assert weights.made_of == "risk, as-of date and covariates"
    share = weights.values[moved].sum() / weights.values.sum()
    assert share == pytest.approx(moved.mean(), abs=0.005)


def test_a_constant_risk_leaves_each_date_its_own_share():
    rows = ranked_rows(people=300, dates=2, unknown=0.2)
    weights = known_weights(replace(rows, risk=np.full(rows.n, 0.2)), 1.0)
    assert weights.made_of == "as-of date"
    first = rows.dates == rows.dates[0]
    shares = [rows.known[first].mean(), rows.known[~first].mean()]
    assert weights.values[first & rows.known] == pytest.approx(rows.known.mean() / shares[0])
    assert weights.values[~first & rows.known] == pytest.approx(rows.known.mean() / shares[1])


def test_dates_that_are_wholly_known_or_unknown():
    rows = ranked_rows(people=300, dates=3, unknown=0.2)
    date = np.searchsorted(np.unique(rows.dates), rows.dates)
    known = np.where(date == 0, True, np.where(date == 2, False, rows.known))
    weights = known_weights(replace(rows, known=known), 1.0)
    assert weights.left_out == 300
    assert np.unique(weights.values[date == 0]).size == 1
    assert weights.values[date == 2].max() == 0


def test_many_dates_are_a_curve():
    rows = ranked_rows(people=100, dates=15, unknown=0.2, every=30)
    assert known_weights(rows, 0.99).made_of == "risk and as-of date"


@pytest.mark.parametrize(
    ("unknown", "reason"), [(0, "every outcome is known"), (3, "too few to learn"), (40, "no outcome is known")]
)
def test_where_there_is_nothing_to_weigh(unknown, reason):
    rows = few_rows([None] * unknown + [1, 0] * ((40 - unknown) // 2), [0.1] * (unknown + (40 - unknown) // 2 * 2))
    assert reason in known_weights(rows, 0.99)


@pytest.mark.parametrize("trim", [0.5, 1.01])
def test_a_quantile_out_of_range_is_refused(trim):
    with pytest.raises(DataError, match="trim"):
        known_weights(ranked_rows(), trim)


@pytest.mark.parametrize("covariates", [np.ones((3, 1)), np.full((1600, 1), np.nan)])
def test_covariates_with_gaps_or_of_other_rows_are_refused(covariates):
    with pytest.raises(DataError, match="covariates"):
        known_weights(ranked_rows(), 0.99, covariates)


def test_a_fit_on_every_tenth_row_finds_the_same_weights(monkeypatch):
    """Of many rows some teach; where a date has too few unknown among those, all do."""
    rows = ranked_rows(people=4000, dates=2)
    lost = np.random.default_rng(3).random(rows.n) < 0.1 + 0.6 * rows.risk
    rows = replace(rows, known=~lost)
    whole = known_weights(rows, 1.0)
    monkeypatch.setattr(weighting, "MOST_FITTED", 800)
    some = known_weights(rows, 1.0)
    assert 0 < np.abs(some.values - whole.values)[~lost].mean() < 0.05
    late = rows.dates > rows.dates[0]
    rare = np.zeros(rows.n, dtype=bool)
    rare[np.flatnonzero(late)[1:9]] = True  # rows 4001 to 4008: no multiple of ten
    known = replace(rows, known=np.where(late, ~rare, rows.known))
    assert known_weights(known, 1.0).made_of == "risk and as-of date"
