import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from riskmodels.assessment.audit.contrasts import (
    Comparison,
    Measured,
    benjamini_hochberg,
    critical_value,
    harmful_side,
    holm,
    measure,
    minimum_detectable,
)
from riskmodels.assessment.audit.counting.counts import Replicates
from riskmodels.assessment.audit.counting.people import presence_of_rows
from riskmodels.assessment.audit.policy import load_policy
from riskmodels.assessment.audit.verdicts import (
    FAIL,
    INSUFFICIENT,
    NOT_AUDITED,
    PASS,
    overall_verdict,
    tally,
    verdict_of,
)

POLICY = load_policy()
REFERENCE = json.loads((Path(__file__).parents[2] / "reference" / "fairness.json").read_text())["policy_behaviour"]
RECALL = Comparison(0, 1, "recall", "primary", "reference")


def two_groups(group, reference, replicates=2000, seed=1):
    """Counts (tn, fp, fn, tp) of a group and its reference, resampled row by row."""
    counts = np.array([[*group, 0, 0], [*reference, 0, 0]])
    whole = counts.sum()
    drawn = np.random.default_rng(seed).multinomial(whole, counts.ravel() / whole, size=replicates)
    resampled = drawn.reshape(replicates, 2, 6).astype(float)
    expected = np.array([group[2] + group[3], reference[2] + reference[3]], dtype=float)
    noise = np.random.default_rng(seed + 1).normal(0, 1, (replicates, 2))
    return Replicates(
        counts,
        resampled,
        counts.sum(axis=0),
        resampled.sum(axis=1),
        expected,
        expected + noise,
        0.05 * noise,
        int(whole),
        presence_of_rows(counts),
        presence_of_rows(counts).sum(axis=0),
    )


def test_a_ratio_by_hand():
    found = measure(RECALL, two_groups((900, 10, 60, 40), (900, 10, 100, 100)), np.array([1.0, 1.0]))
    assert found.ratio == pytest.approx(0.4 / 0.5)
    assert found.gap == pytest.approx(-0.1)
    assert found.smallest_denominator == 100
    assert found.smallest_cell == 40
    # Delta method (Katz 1978): sqrt(1/40 - 1/100 + 1/100 - 1/200).
    assert found.se == pytest.approx(math.sqrt(1 / 40 - 1 / 200), rel=0.05)


def test_a_count_of_zero_has_an_interval_all_the_same():
    found = measure(RECALL, two_groups((900, 10, 100, 0), (900, 10, 100, 100)), np.array([1.0, 1.0]))
    assert found.ratio == 0
    assert found.se > 1
    assert math.isfinite(found.centre)


def test_nobody_selected_on_either_side_is_no_ratio():
    found = measure(RECALL, two_groups((900, 0, 100, 0), (900, 0, 100, 0)), np.array([1.0, 1.0]))
    assert found.centre is None
    assert found.reason == "the rate is 0 on both sides"


def test_against_everybody_else_leaves_the_group_out():
    others = measure(
        Comparison(0, None, "recall", "exploratory", "others"), two_groups((9, 1, 60, 40), (9, 1, 90, 110)), np.ones(2)
    )
    assert others.ratio == pytest.approx(0.4 / 0.55)


def test_observed_to_expected():
    found = measure(
        Comparison(0, None, "oe_ratio", "primary", "prediction"), two_groups((9, 1, 60, 40), (9, 1, 9, 9)), np.ones(2)
    )
    assert found.ratio == pytest.approx(1.0)
    assert found.gap == pytest.approx(0.0)


def test_a_slope_that_was_not_fitted_is_not_judged():
    slopes = np.array([np.nan, 1.0])
    found = measure(
        Comparison(0, None, "calibration_slope", "primary", "prediction"),
        two_groups((9, 1, 60, 40), (9, 1, 9, 9)),
        slopes,
    )
    assert found.centre is None
    assert found.reason


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
@pytest.mark.slow
def test_adjustments_are_those_of_statsmodels(p_values):
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1])
    assert benjamini_hochberg(p_values) == pytest.approx(multipletests(p_values, method="fdr_bh")[1])


def test_critical_values_lie_between_one_test_and_bonferroni():
    draws = np.random.default_rng(1).normal(0, 1, (10, 20_000))
    measured = [Measured(100, 50, 1.0, 0.0, 0.0, 1.0, row) for row in draws]
    assert critical_value(measured[:1], 0.95) == pytest.approx(1.96, abs=0.05)
    # Ten independent ones: Sidak's 2.80. Ten times the same one: no price at all.
    assert critical_value(measured, 0.95) == pytest.approx(2.80, abs=0.05)
    assert critical_value([measured[0]] * 10, 0.95) == pytest.approx(1.96, abs=0.05)
    assert critical_value([], 0.95) == pytest.approx(1.96, abs=0.001)


@pytest.mark.parametrize(
    ("low", "high", "gap", "verdict"),
    [
        (0.85, 1.10, -0.02, PASS),
        (0.80, 1.25, 0.0, PASS),
        (0.79, 1.10, -0.02, INSUFFICIENT),
        (0.50, 0.79, -0.10, FAIL),
        (0.50, 0.80, -0.10, INSUFFICIENT),
        (1.26, 2.00, 0.10, FAIL),
        (0.50, 0.79, -0.05, INSUFFICIENT),
        (0.50, 1.60, -0.10, INSUFFICIENT),
    ],
)
def test_a_verdict_looks_at_the_whole_interval(low, high, gap, verdict):
    assert verdict_of(low, high, gap, POLICY.ratio_band, POLICY.smallest_gap) == verdict


@pytest.mark.parametrize(
    ("verdicts", "against_others", "unaccepted", "overall"),
    [
        ([PASS, FAIL, INSUFFICIENT], [], True, FAIL),
        ([PASS, PASS], [FAIL], True, FAIL),
        ([PASS, INSUFFICIENT], [], True, NOT_AUDITED),
        ([PASS, INSUFFICIENT], [], False, INSUFFICIENT),
        ([PASS, PASS], [], True, NOT_AUDITED),
        ([PASS, PASS], [INSUFFICIENT], False, PASS),
        ([], [], False, INSUFFICIENT),
    ],
)
def test_the_worst_verdict_leads(verdicts, against_others, unaccepted, overall):
    families = {"primary": verdicts, "second": against_others}
    rows = [{"family": family, "verdict": verdict} for family, given in families.items() for verdict in given]
    assert overall_verdict(tally(rows), unaccepted) == overall


def test_whom_a_ratio_disadvantages():
    assert harmful_side("recall", "assistive") == "below"
    assert harmful_side("fpr", "punitive") == "above"
    assert harmful_side("oe_ratio", "assistive") == "above"
    assert harmful_side("oe_ratio", "punitive") == "below"
    assert harmful_side("calibration_slope", "assistive") is None


@pytest.mark.parametrize(
    ("positives", "passes"), zip(REFERENCE["group_positives"], REFERENCE["interval_rule_pass_when_equal"], strict=True)
)
def test_the_interval_rule_passes_equal_groups_as_often_as_published(positives, passes):
    """True recall 0.40 in both groups, reference of 2,000 positives, one comparison."""
    rng = np.random.default_rng(positives)
    runs, passed = 150, 0
    for _ in range(runs):
        hits, other = rng.binomial(positives, 0.4), rng.binomial(2000, 0.4)
        found = measure(
            RECALL, two_groups((5, 5, positives - hits, hits), (5, 5, 2000 - other, other), 400), np.ones(2)
        )
        half = 1.96 * found.se
        low, high = math.exp(found.centre - half), math.exp(found.centre + half)
        passed += verdict_of(low, high, found.gap, POLICY.ratio_band, POLICY.smallest_gap) == PASS
    assert passed / runs == pytest.approx(passes, abs=0.11 if 0 < passes < 1 else 0.0)


def test_what_could_have_been_detected_is_detected_with_that_chance():
    """Simulated at the ratio that is said to be detectable: found about 8 times in 10."""
    equal = two_groups((2000, 50, 300, 200), (8000, 200, 1200, 800))
    width = 2.5
    ratio = minimum_detectable(RECALL, measure(RECALL, equal, np.ones(2)), equal, width, "assistive", POLICY)
    assert 0.4 < ratio < 0.75
    rng = np.random.default_rng(1)
    hits, other = rng.binomial(500, 0.4 * ratio, 3000), rng.binomial(2000, 0.4, 3000)
    se = np.sqrt(1 / hits - 1 / 500 + 1 / other - 1 / 2000)
    high = np.log(hits / 500) - np.log(other / 2000) + width * se
    assert (high < np.log(0.8)).mean() == pytest.approx(0.8, abs=0.05)


def test_nothing_can_be_detected_in_a_hopeless_group():
    few = two_groups((50, 5, 12, 8), (8000, 200, 1200, 800))
    assert minimum_detectable(RECALL, measure(RECALL, few, np.ones(2)), few, 2.5, "assistive", POLICY) is None


def test_what_could_be_detected_lies_on_the_side_of_harm():
    found = two_groups((1000, 1000, 300, 200), (4000, 4000, 1200, 800))
    comparison = Comparison(0, 1, "fpr", "primary", "reference")
    ratio = minimum_detectable(comparison, measure(comparison, found, np.ones(2)), found, 2.5, "punitive", POLICY)
    assert ratio > 1.25
