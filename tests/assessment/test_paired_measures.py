"""Differences of two runs against slow oracles, libraries, published numbers and the analytic intervals."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss
from statsmodels.api import GLM
from statsmodels.genmod.families import Binomial

from riskmodels.assessment.calibration_statistics import loss_difference
from riskmodels.assessment.estimate import Estimate
from riskmodels.assessment.intervals import NO_SPREAD, Clusters, Z, clusters_of, mean
from riskmodels.assessment.paired_bootstrap import TOO_FEW_CLUSTERS
from riskmodels.assessment.paired_measures import MEASURES, Difference, paired_differences
from riskmodels.assessment.paired_rows import Judged
from tests.assessment.compared_runs import judged

REFERENCE = Path(__file__).parents[1] / "reference"
THRESHOLDS = (0.2, 0.5)


def differences(first, second, units=None, thresholds=THRESHOLDS, seed=7) -> dict[str, Difference]:
    return {
        found.measure: found for found in paired_differences(first, second, units, thresholds=thresholds, seed=seed)
    }


def in_pairs(n):
    """Rows 0 and 1 are of one person, 2 and 3 of another, and so on."""
    return Clusters(np.arange(n) // 2, n // 2)


# ---------------------------------------------------------------- one value of one run, by a library


def values_by_library(rows: Judged, weight):
    """Every measure of weighted rows, written plainly or by a library."""
    y, p, on = rows.outcome, rows.risk, rows.selected
    design = np.column_stack([np.ones(y.size), np.log(p / (1 - p))])
    found = {
        "brier_score": brier_score_loss(y, p, sample_weight=weight),
        "log_loss": log_loss(y, p, sample_weight=weight),
        "oe_ratio": (weight * y).sum() / (weight * p).sum(),
        "calibration_slope": GLM(y, design, family=Binomial(), freq_weights=weight).fit().params[1],
        "average_precision": average_precision_score(y, p, sample_weight=weight),
        "precision_at_k": (weight * y * on).sum() / (weight * on).sum(),
        "recall_at_k": (weight * y * on).sum() / (weight * y).sum(),
    }
    for threshold in THRESHOLDS:
        odds = threshold / (1 - threshold)
        benefit = np.where(p >= threshold, np.where(y == 1, 1.0, -odds), 0.0)
        found[f"net_benefit_at_{threshold:g}"] = (weight * benefit).sum() / weight.sum()
    return found


def gains_by_library(first, second, weight):
    one, other = values_by_library(first, weight), values_by_library(second, weight)
    found = {name: other[name] - one[name] for name in one}
    for name in ("brier_score", "log_loss"):
        found[name] = one[name] - other[name]
    found["oe_ratio"] = abs(math.log(one["oe_ratio"])) - abs(math.log(other["oe_ratio"]))
    found["calibration_slope"] = abs(one["calibration_slope"] - 1) - abs(other["calibration_slope"] - 1)
    return found


def test_every_measure_equals_the_library_s():
    first, second = judged(noise=0.6), judged(noise=0.3)
    found = differences(first, second)
    ones = np.ones(first.outcome.size)
    before, after = values_by_library(first, ones), values_by_library(second, ones)
    gains = gains_by_library(first, second, ones)
    assert set(found) == {"auc", *gains}
    assert set(MEASURES) <= set(gains)
    for name, gain in gains.items():
        assert found[name].first.value == pytest.approx(before[name], rel=1e-6), name
        assert found[name].second.value == pytest.approx(after[name], rel=1e-6), name
        assert found[name].difference.value == pytest.approx(gain, rel=1e-5, abs=1e-9), name


def test_five_rows():
    # Brier: first (.01 + .04 + .25 + .09 + .16)/5 = .11, second (.04 + .01 + .25 + .16 + .25)/5 = .142: worse by .032.
    # Lists of 2: the first holds rows 0 and 2, of which both are hits; the second rows 0 and 3: one hit of two.
    y = np.array([1.0, 0, 1, 0, 0])
    first = Judged(y, np.array([0.9, 0.2, 0.5, 0.3, 0.4]), np.array([True, False, True, False, False]))
    second = Judged(y, np.array([0.8, 0.1, 0.5, 0.4, 0.5]), np.array([True, False, False, True, False]))
    found = differences(first, second, thresholds=(0.5,))
    assert found["brier_score"].difference.value == pytest.approx(-0.032)
    assert (found["precision_at_k"].first.value, found["precision_at_k"].second.value) == (1.0, 0.5)
    # At 0.5 a false alarm costs as much as a hit is worth: (2 - 0)/5 and (2 - 1)/5.
    assert found["net_benefit_at_0.5"].difference.value == pytest.approx(0.2 - 0.4)
    assert found["net_benefit_at_0.5"].moved == 1
    assert found["precision_at_k"].moved == 2
    # Two events are too few to compare with the others, and five rows too few to draw from.
    assert found["auc"].verdict == found["recall_at_k"].verdict == "not computed"
    assert "2 events and 3 non-events are known in both" in found["recall_at_k"].difference.reason
    assert found["brier_score"].difference.reason == TOO_FEW_CLUSTERS
    assert found["brier_score"].verdict == "cannot tell"


# ---------------------------------------------------------------- intervals


def bootstrapped_slowly(first, second, clusters, replicates, seed):
    """The plain cluster bootstrap: draw clusters, repeat their rows, compute everything again."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(replicates):
        times = np.bincount(rng.integers(0, clusters.count, clusters.count), minlength=clusters.count)
        found.append(gains_by_library(first, second, times[clusters.of_row].astype(float)))
    return {name: np.array([each[name] for each in found]) for name in found[0]}


@pytest.mark.slow
def test_intervals_agree_with_a_plain_cluster_bootstrap():
    """Every row twice: intervals of rows drawn one by one would be too narrow, by 0.57 sd at each end."""
    first, second = (twice(judged(n=1500, noise=noise, seed=4)) for noise in (0.8, 0.4))
    found = differences(first, second, in_pairs(3000))
    slow = bootstrapped_slowly(first, second, in_pairs(3000), 800, seed=11)
    for name, drawn in slow.items():
        low, high = np.quantile(drawn, [0.025, 0.975])
        estimate = found[name].difference
        # An end is known to 0.06 sd from 2,000 replicates and to 0.09 sd from 800: together 0.11; three times that.
        assert estimate.low == pytest.approx(low, abs=0.34 * drawn.std()), name
        assert estimate.high == pytest.approx(high, abs=0.34 * drawn.std()), name
        assert drawn.std() > 0


def twice(rows):
    return Judged(*(np.repeat(each, 2) for each in (rows.outcome, rows.risk, rows.selected)))


@pytest.mark.parametrize("criterion", ["brier_score", "log_loss"])
@pytest.mark.parametrize("clustered", [False, True])
def test_bootstrap_and_analytic_intervals_agree(criterion, clustered):
    first, second = judged(n=4000, noise=0.8), judged(n=4000, noise=0.4)
    units = in_pairs(4000) if clustered else None
    exact = loss_difference(first.outcome, second.risk, first.risk, criterion, units)
    found = differences(first, second, units)[criterion].difference
    half = (exact.high - exact.low) / 2
    assert found.value == pytest.approx(exact.value, rel=1e-9)
    assert found.low == pytest.approx(exact.low, abs=0.1 * half)
    assert found.high == pytest.approx(exact.high, abs=0.1 * half)


def test_net_benefit_has_the_analytic_interval_of_its_row_differences():
    first, second = judged(n=4000, noise=0.8), judged(n=4000, noise=0.4)
    benefit = [np.where(rows.risk >= 0.2, rows.outcome - 0.25 * (1 - rows.outcome), 0.0) for rows in (first, second)]
    exact = mean(benefit[1] - benefit[0], None)
    found = differences(first, second)["net_benefit_at_0.2"].difference
    assert (found.low, found.high) == pytest.approx((exact.low, exact.high), abs=0.1 * (exact.high - exact.low) / 2)


def test_repeated_rows_of_a_person_add_nothing():
    """Every row twice, in one cluster: the same intervals as once, not narrower ones."""
    once = [judged(n=1500, noise=noise) for noise in (0.8, 0.4)]
    one, other = differences(*once), differences(*map(twice, once), in_pairs(3000))
    for name, found in one.items():
        width = found.difference.high - found.difference.low
        assert other[name].difference.high - other[name].difference.low == pytest.approx(width, rel=0.12), name


@pytest.mark.parametrize("column", ["age", "famhistory"])
def test_auc_has_the_published_paired_delong_interval(column):
    data = pl.read_csv(REFERENCE / "df_binary.csv")
    statistics = json.loads((REFERENCE / "statistics.json").read_text(encoding="utf-8"))["values"]
    (published,) = [row["value"] for row in statistics if row["on"] == f"A, risk v {column}"]
    outcome, nobody = data["cancer"].cast(pl.Float64).to_numpy(), np.zeros(data.height, dtype=bool)
    other = data[column].cast(pl.Float64).to_numpy()
    # DeLong takes only the order, so that any score may be squeezed into a probability.
    first = Judged(outcome, (other - other.min() + 1) / (np.ptp(other) + 2), nobody)
    second = Judged(outcome, data["cancerpredmarker"].to_numpy(), nobody)
    found = differences(first, second)["auc"].difference
    z = found.value / ((found.high - found.low) / (2 * Z))
    assert [z, math.erfc(abs(z) / math.sqrt(2)), found.low, found.high] == pytest.approx(published, rel=1e-6)


@pytest.mark.slow
def test_intervals_cover_where_nothing_differs():
    """Two equally good runs on clustered people: in 93 to 97 of 100 samples the interval holds 0."""
    samples, covered = 600, dict.fromkeys(("brier_score", "recall_at_k", "precision_at_k", "net_benefit_at_0.2"), 0)
    for seed in range(samples):
        rng = np.random.default_rng(seed)
        truth = np.repeat(rng.normal(-1.2, 1.0, 400), 2)
        outcome = (rng.random(800) < 1 / (1 + np.exp(-truth))).astype(float)
        runs = []
        for _ in range(2):
            risk = 1 / (1 + np.exp(-truth - np.repeat(rng.normal(0, 0.7, 400), 2)))
            runs.append(Judged(outcome, risk, risk >= 0.35))
        found = differences(*runs, in_pairs(800), seed=seed)
        for name in covered:
            estimate = found[name].difference
            covered[name] += estimate.low <= 0 <= estimate.high
    for name, count in covered.items():
        assert 0.93 <= count / samples <= 0.97, (name, count / samples)


# ---------------------------------------------------------------- what must hold


def test_the_same_run_twice_differs_by_nothing():
    rows = judged()
    for found in differences(rows, rows).values():
        assert found.difference.value == 0.0, found.measure
        assert math.copysign(1, found.difference.value) == 1.0, found.measure  # no minus nought
        assert (found.verdict, found.moved, found.difference.low) == ("the same", 0, None)


def test_the_other_way_round_the_sign_turns():
    first, second = judged(noise=0.8), judged(noise=0.3)
    one, other = differences(first, second), differences(second, first)
    turned = {"better": "worse", "worse": "better", "no clear change": "no clear change", "the same": "the same"}
    for name, found in one.items():
        assert other[name].difference.value == pytest.approx(-found.difference.value, abs=1e-12)
        assert other[name].difference.low == pytest.approx(-found.difference.high, rel=0.05, abs=1e-9)
        assert other[name].verdict == turned[found.verdict]
    assert {found.verdict for found in one.values()} >= {"better"}


def test_same_seed_same_intervals():
    first, second = judged(noise=0.8), judged(noise=0.3)
    one, again, other = (paired_differences(first, second, None, thresholds=(0.2,), seed=seed) for seed in (1, 1, 2))
    assert one == again
    assert one != other


def test_risks_made_twice_as_timid_keep_their_order_and_lose_their_slope():
    first = judged(noise=0.1)
    timid = 1 / (1 + np.exp(-0.5 * np.log(first.risk / (1 - first.risk)) + 0.75))
    found = differences(first, dataclasses.replace(first, risk=timid))
    # All risks moved, but nobody's place did.
    assert found["auc"].verdict == found["average_precision"].verdict == "the same"
    assert found["auc"].difference.reason == NO_SPREAD
    assert found["recall_at_k"].moved == 0
    assert found["calibration_slope"].verdict == "worse"
    assert found["calibration_slope"].second.value == pytest.approx(
        2 * found["calibration_slope"].first.value, rel=1e-6
    )


@given(st.integers(0, 10_000), st.floats(0.05, 1.5), st.floats(0.05, 1.5))
@settings(max_examples=25, deadline=None)
def test_intervals_hold_their_value(seed, noise, other):
    found = differences(judged(300, noise, seed, 40), judged(300, other, seed, 40), seed=seed)
    for each in found.values():
        estimate = each.difference
        if estimate.low is not None:
            assert np.isfinite([estimate.low, estimate.high]).all()
            assert estimate.low <= estimate.high
            # Folded at 1, a distance may lie at the very end of its interval, and not beyond it by more than a little.
            slack = 0.15 * (estimate.high - estimate.low)
            assert estimate.low - slack <= estimate.value <= estimate.high + slack, each.measure


# ---------------------------------------------------------------- bad input


def changed(rows, **arrays):
    return dataclasses.replace(rows, **arrays)


def test_nobody_known():
    nothing = Judged(np.empty(0), np.empty(0), np.empty(0, dtype=bool))
    found = differences(nothing, nothing)
    assert {each.verdict for each in found.values()} == {"not computed"}
    assert {each.difference.reason for each in found.values()} == {"no row has a known outcome"}


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_one_class(value):
    rows = changed(judged(200), outcome=np.full(200, value))
    found = differences(rows, changed(rows, risk=rows.risk[::-1].copy()))
    assert found["auc"].verdict == found["oe_ratio"].verdict == found["recall_at_k"].verdict == "not computed"
    assert found["brier_score"].difference.low is not None


def test_certain_risks_have_no_slope_and_an_endless_loss():
    rows = judged(500)
    certain = changed(rows, risk=np.where(rows.outcome == 1, 0.0, rows.risk))
    found = differences(rows, certain)
    assert "infinite" in found["log_loss"].difference.reason
    assert "logit is infinite" in found["calibration_slope"].difference.reason
    assert found["log_loss"].first.value is not None
    assert found["brier_score"].verdict == "worse"


def test_a_constant_risk():
    rows = judged(500)
    found = differences(rows, changed(rows, risk=np.full(500, 0.2)))
    assert found["auc"].second.value == 0.5
    assert found["auc"].verdict == "worse"
    assert "the same for everybody" in found["calibration_slope"].difference.reason
    assert found["average_precision"].verdict == "worse"


def test_nobody_listed():
    rows = judged(500)
    found = differences(rows, changed(rows, selected=np.zeros(500, dtype=bool)))
    assert found["precision_at_k"].difference.reason == "nobody was selected"
    assert found["recall_at_k"].second.value == 0.0
    assert found["recall_at_k"].verdict == "worse"


def test_few_clusters_have_values_and_no_intervals():
    first, second = judged(600, 0.8), judged(600, 0.4)
    found = differences(first, second, clusters_of(np.arange(600) % 5, 600))
    assert found["brier_score"].difference.reason == TOO_FEW_CLUSTERS
    assert found["auc"].difference.low is not None  # DeLong's needs two


def test_plain_values():
    row = Difference("auc", "higher", *(Estimate(0.7, n=9),) * 2, Estimate(0.1, 0.05, 0.2, 9), "paired DeLong", 3)
    assert row.to_dict()["difference"] == {"value": 0.1, "low": 0.05, "high": 0.2, "n": 9}
    assert row.to_dict()["verdict"] == "better"
