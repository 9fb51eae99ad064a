"""Influences against what leaving a row out really does, and covariances against loops and the published intervals."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from riskmodels.assessment.calibration_statistics import brier_score, calibration_slope, oe_ratio
from riskmodels.assessment.discrimination import auc, delong
from riskmodels.assessment.influence import (
    INFLUENCES,
    Influence,
    homogeneity,
    joint_covariance,
    stacked,
    two_sided_p,
)
from riskmodels.assessment.intervals import Clusters, cluster_sums, critical_value
from riskmodels.assessment.logistic import fit_logistic, logit
from tests.assessment.made_up_rows import few_rows, ranked_rows

VALUES = {"auc": auc, "calibration_slope": calibration_slope, "brier_score": brier_score, "oe_ratio": oe_ratio}


@pytest.fixture(scope="module")
def known():
    return ranked_rows(people=150, dates=1).known_only()


def statistic(name, rows):
    if name == "precision_at_k":
        return rows.outcome[rows.selected].mean()
    value = VALUES[name](rows.outcome, rows.risk).value
    return np.log(value) if name == "oe_ratio" else value


@pytest.mark.parametrize("name", INFLUENCES)
def test_influence_is_what_leaving_the_row_out_does(known, name):
    """To first order the statistic moves by its influence when a row goes; both add to zero."""
    rows = replace(known, selected=known.rank <= 60)
    found = INFLUENCES[name](rows)
    whole = statistic(name, rows)
    assert found.value == pytest.approx(whole)
    assert found.values.sum() == pytest.approx(0, abs=1e-8)
    keep = ~np.eye(rows.n, dtype=bool)
    without = np.array([whole - statistic(name, rows.of(each)) for each in keep])
    assert np.corrcoef(found.values, without)[0, 1] > 0.99
    assert found.values.std() == pytest.approx(without.std(), rel=0.1)


@pytest.mark.parametrize("clustered", [False, True])
def test_variances_are_those_of_the_published_intervals(clustered):
    rows = ranked_rows(people=200, dates=3, clustered=clustered).known_only()
    part = np.zeros(rows.n, dtype=np.int64)

    def variance(name):
        return joint_covariance(INFLUENCES[name](rows).values, part, 1, rows.units)[0, 0]

    found = brier_score(rows.outcome, rows.risk, rows.units)
    half = critical_value(rows.units) * np.sqrt(variance("brier_score"))
    assert found.high - found.value == pytest.approx(half, rel=1e-9)
    # With clusters DeLong's cross term has another finite-sample factor, (G - 1)/G for one that is nearer 1.
    assert variance("auc") == pytest.approx(
        delong(rows.outcome, rows.risk, rows.units)[1], rel=1e-2 if clustered else 1e-9
    )
    design = np.column_stack([np.ones(rows.n), logit(rows.risk)])
    units = rows.units or Clusters(np.arange(rows.n), rows.n)
    sandwich = fit_logistic(design, rows.outcome, units)[1][1, 1]
    assert variance("calibration_slope") == pytest.approx(sandwich, rel=1e-6)


def test_joint_covariance_is_the_sum_over_pairs_of_rows_of_one_cluster():
    rng = np.random.default_rng(1)
    influence, part = rng.normal(size=40), rng.integers(-1, 3, 40)
    units = Clusters(rng.integers(0, 7, 40), 7)
    expected = np.zeros((3, 3))
    for i, j in itertools.product(range(40), repeat=2):
        if units.of_row[i] == units.of_row[j] and part[i] >= 0 and part[j] >= 0:
            expected[part[i], part[j]] += influence[i] * influence[j]
    assert joint_covariance(influence, part, 3, units) == pytest.approx(expected)
    alone = joint_covariance(influence, part, 3, None)
    assert alone == pytest.approx(np.diag([np.sum(influence[part == k] ** 2) for k in range(3)]))


def test_stacked_puts_each_part_in_its_place():
    first, second = Influence(1.0, np.array([0.1, 0.2])), Influence(2.0, np.array([0.3]))
    values, influence, position = stacked([first, "nothing", second], [0, 2], np.array([2, 0, 1, 0]))
    assert values.tolist() == [1.0, 2.0]
    assert influence.tolist() == [0.3, 0.1, 0.0, 0.2]
    assert position.tolist() == [1, 0, -1, 0]


def test_homogeneity_is_cochrans_q():
    """Three values 1, 2, 4 with variances 1, 1, 4: weights 1, 1, .25; mean 4/2.25 = 1.7778;
    Q = .7778^2 + .2222^2 + .25 * 2.2222^2 = .6049 + .0494 + 1.2346 = 1.8889."""
    found = homogeneity(np.array([1.0, 2.0, 4.0]), np.diag([1.0, 1.0, 4.0]), np.ones((3, 1)))
    assert found.q == pytest.approx(1.8889, abs=1e-4)
    assert found.df == 2
    assert found.p == pytest.approx(np.exp(-found.q / 2))  # chi-squared on 2 degrees of freedom


def test_homogeneity_knows_that_parts_share_people():
    """Two values that move together: their difference is sure although each is not. 1^2 / (1 + 1 - 2 * .9) = 5."""
    together = np.array([[1.0, 0.9], [0.9, 1.0]])
    assert homogeneity(np.array([0.0, 1.0]), together, np.ones((2, 1))).q == pytest.approx(5.0)
    assert homogeneity(np.array([0.0, 1.0]), np.eye(2), np.ones((2, 1))).q == pytest.approx(0.5)


def test_homogeneity_has_nothing_to_test_of_two_values_and_a_line_or_without_an_inverse():
    line = np.column_stack([np.ones(2), [0.0, 1.0]])
    assert homogeneity(np.array([1.0, 2.0]), np.eye(2), line) is None
    assert homogeneity(np.array([1.0, 2.0, 3.0]), np.ones((3, 3)), np.ones((3, 1))) is None


def test_p_value_is_normal_or_students_t():
    assert two_sided_p(1.96, 1.0, None) == pytest.approx(0.05, abs=1e-4)
    assert two_sided_p(-2.262, 1.0, Clusters(np.repeat(np.arange(10), 2), 10)) == pytest.approx(0.05, abs=1e-3)


@pytest.mark.parametrize(
    ("outcome", "risk", "names", "reason"),
    [
        ([1, 0] * 4, [0.5] * 8, ["auc", "calibration_slope"], "events"),
        ([1, 0] * 6, [0.5] * 12, ["auc", "calibration_slope"], "same for everybody"),
        ([1] * 6 + [0] * 6, [0.9] * 6 + [0.1] * 6, ["calibration_slope"], "separates"),
        ([1, 0] * 6, [0.0] + [0.5] * 11, ["calibration_slope"], "exactly 0 or 1"),
        ([1, 0] * 6, [0.0] * 12, ["oe_ratio"], "nothing was expected"),
        ([1, 0] * 6, [0.5] * 12, ["brier_score"], "no spread"),
        ([1, 0] * 6, [0.1] * 12, ["precision_at_k"], "no row"),
        ([None] * 12, [0.1] * 12, ["brier_score", "auc"], "no row"),
        ([1, 0] * 6, [0.9] * 6 + [0.2] * 6, ["auc"], None),
    ],
)
def test_what_cannot_be_had_says_why(outcome, risk, names, reason):
    for name in names:
        found = INFLUENCES[name](few_rows(outcome, risk).known_only())
        assert isinstance(found, Influence) if reason is None else reason in found


def test_one_cluster_has_no_variance():
    rows = replace(few_rows([1, 0] * 6, [0.1, 0.2] * 6), units=Clusters(np.zeros(12, dtype=np.int64), 1))
    assert "one cluster" in INFLUENCES["brier_score"](rows)
    assert "one cluster" in INFLUENCES["auc"](rows)
    assert cluster_sums(rows.outcome, rows.units).size == 1
