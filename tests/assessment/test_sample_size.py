from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.integrate import quad

from riskmodels.assessment.discrimination import auc
from riskmodels.assessment.intervals import Z, clusters_of
from riskmodels.assessment.sample_size import (
    TREES_NEED,
    DevelopmentSize,
    Sample,
    cox_snell_of_auc,
    development_size,
    enough_data,
    largest_cox_snell,
    parameters_of,
    sample_of,
    validation_size,
)
from riskmodels.errors import DataError
from riskmodels.models.matrix import Column, Matrix

STATISTICS = json.loads((Path(__file__).parents[1] / "reference/statistics.json").read_text(encoding="utf-8"))
MUCH, LITTLE = Sample(50_000, 10_000, 50_000, 10_000), Sample(60, 12, 60, 12)


def published(on: str):
    (row,) = [row["value"] for row in STATISTICS["values"] if row["on"] == on]
    return row


# ---------------------------------------------------------------- published values


@pytest.mark.parametrize(
    ("on", "given_"),
    [
        ("sample size: R2cs .288, 24 parameters, prevalence .174", (0.288, 24, 0.174)),
        ("sample size: .55, 24, .174", (0.55, 24, 0.174)),
        ("sample size: .288, 36, .174", (0.288, 36, 0.174)),
    ],
)
def test_published_development_sizes(on, given_):
    found = development_size(*given_)
    *sizes, per_parameter = published(on)
    assert [found.shrinkage, found.optimism, found.overall_risk, found.needed] == sizes
    assert round(found.events_per_parameter, 2) == per_parameter
    assert found.needed_events == math.ceil(sizes[-1] * 0.174)


def test_published_cox_snell_of_a_c_statistic():
    r2, needed = published("sample size: C .89, prevalence .174, 24 parameters")
    assert cox_snell_of_auc(0.89, 0.174) == pytest.approx(r2, rel=1e-12)
    assert development_size(cox_snell_of_auc(0.89, 0.174), 24, 0.174).needed == needed


def test_published_validation_sizes():
    for_oe, for_auc = published("validation size: prevalence .018, C .8, O/E width 1, C width .1")
    found = validation_size(0.8, 0.018, oe_width=1, auc_width=0.1)
    assert found.oe_ratio in (for_oe, for_oe + 1)  # "905 or 906": theirs steps through standard errors, ours solves
    assert found.auc == for_auc


# ---------------------------------------------------------------- slow oracles


@pytest.mark.parametrize(("c", "q"), [(0.55, 0.05), (0.8, 0.1), (0.95, 0.3), (0.99, 0.02)])
def test_cox_snell_by_adaptive_integration(c, q):
    m, level = binormal(c, q)

    def gained(x):
        p = 1 / (1 + math.exp(-x))
        return density(x, m, level, q) * (p * math.log(p) + (1 - p) * math.log1p(-p))

    null = q * math.log(q) + (1 - q) * math.log(1 - q)
    log_likelihood = quad(gained, -30, 30, limit=400, points=[level, level + m * m])[0]
    assert cox_snell_of_auc(c, q) == pytest.approx(1 - math.exp(-2 * (log_likelihood - null)), rel=1e-8)


@pytest.mark.parametrize(("c", "q"), [(0.6, 0.05), (0.8, 0.1), (0.95, 0.3), (0.99, 0.02)])
def test_slope_size_by_adaptive_integration(c, q):
    m, level = binormal(c, q)
    information = [
        quad(
            lambda x, power=power: density(x, m, level, q) * x**power / (2 + 2 * math.cosh(x)),
            *(-30, 30),
            limit=400,
            points=[level, level + m * m],
        )[0]
        for power in (0, 1, 2)
    ]
    a, b, d = information
    assert validation_size(c, q).calibration_slope == math.ceil(a / ((0.2 / (2 * Z)) ** 2 * (a * d - b * b)))


@pytest.mark.parametrize(("c", "q", "width"), [(0.8, 0.018, 0.1), (0.7, 0.3, 0.05), (0.9, 0.1, 0.2)])
def test_the_size_for_a_c_statistic_is_the_smallest_that_does(c, q, width):
    def interval(n):
        shape = (n / 2 - 1) * ((1 - c) / (2 - c) + c / (1 + c))
        return 2 * Z * math.sqrt(c * (1 - c) * (1 + shape) / (n * n * q * (1 - q)))

    n = validation_size(c, q, auc_width=width).auc
    assert interval(n) <= width < interval(n - 1)


@pytest.mark.parametrize("q", [0.018, 0.2, 0.6])
def test_the_size_for_observed_to_expected_is_the_smallest_that_does(q):
    def interval(n):
        standard_error = math.sqrt((1 - q) / (q * n))
        return math.exp(Z * standard_error) - math.exp(-Z * standard_error)

    n = validation_size(0.8, q).oe_ratio
    assert interval(n) <= 0.2 < interval(n - 1)


def test_the_linear_predictor_stands_for_a_model_with_that_c_statistic():
    """A million people from the two normals: the C statistic, the prevalence and the R2 are those asked for."""
    m, level = binormal(0.8, 0.15)
    rng = np.random.default_rng(3)
    event = rng.random(1_000_000) < 0.15
    lp = rng.normal(level + m * m * event, m)
    risk = 1 / (1 + np.exp(-lp))
    assert auc(event, risk).value == pytest.approx(0.8, abs=0.002)
    assert risk.mean() == pytest.approx(0.15, abs=0.002)
    gained = np.log(np.where(event, risk, 1 - risk)).mean() - (0.15 * math.log(0.15) + 0.85 * math.log(0.85))
    assert cox_snell_of_auc(0.8, 0.15) == pytest.approx(1 - math.exp(-2 * gained), abs=0.003)


def binormal(c, q):
    m = math.sqrt(2) * stats.norm.ppf(c)
    return m, math.log(q / (1 - q)) - m * m / 2


def density(x, m, level, q):
    return q * stats.norm.pdf(x, level + m * m, m) + (1 - q) * stats.norm.pdf(x, level, m)


# ---------------------------------------------------------------- properties, and bad input


@given(c=st.floats(0.52, 0.98), q=st.floats(0.02, 0.98), parameters=st.integers(1, 200), more=st.integers(1, 50))
@settings(max_examples=60, deadline=None)
def test_a_better_ranking_needs_less_and_more_parameters_need_more(c, q, parameters, more):
    r2, better = cox_snell_of_auc(c, q), cox_snell_of_auc(c + 0.01, q)
    assert 0 < r2 < better < largest_cox_snell(q)
    needed = development_size(r2, parameters, q)
    assert development_size(better, parameters, q).shrinkage <= needed.shrinkage
    assert development_size(r2, parameters + more, q).needed >= needed.needed
    assert needed.needed == max(needed.shrinkage, needed.optimism, needed.overall_risk)


def test_largest_cox_snell_by_hand():
    """At q = 1/2 each row of a null model has log-likelihood ln(1/2): 1 - (1/2)^2."""
    assert largest_cox_snell(0.5) == pytest.approx(0.75)


def test_without_parameters_only_the_overall_risk_must_be_known():
    found = development_size(0.1, 0, 0.5)
    assert (found.shrinkage, found.optimism, found.events_per_parameter) == (0, 0, None)
    assert found.needed == math.ceil((Z / 0.05) ** 2 / 4) == 385


@pytest.mark.parametrize("c", [0.5, 0.3, 1.0, float("nan")])
def test_c_statistics_that_tell_no_size(c):
    with pytest.raises(DataError, match="C statistic"):
        cox_snell_of_auc(c, 0.2)
    with pytest.raises(DataError, match="C statistic"):
        validation_size(c, 0.2)


@pytest.mark.parametrize("prevalence", [0, 1, -0.1, float("nan")])
def test_prevalences_that_tell_no_size(prevalence):
    for size in (lambda: cox_snell_of_auc(0.8, prevalence), lambda: development_size(0.1, 5, prevalence)):
        with pytest.raises(DataError, match="prevalence"):
            size()


@pytest.mark.parametrize(("r2", "parameters", "word"), [(0, 5, "R2"), (0.9, 5, "R2"), (0.1, -1, "parameters")])
def test_what_cannot_be_is_refused(r2, parameters, word):
    with pytest.raises(DataError, match=word):
        development_size(r2, parameters, 0.3)


# ---------------------------------------------------------------- what there was


def test_people_and_rows_are_counted_apart():
    """a: events on two of three dates; b: none on two dates; c: one date, one event."""
    outcome, people = np.array([1, 0, 1, 0, 0, 1.0]), ["a", "a", "a", "b", "b", "c"]
    assert sample_of(outcome, clusters_of(people, 6)) == Sample(6, 3, 3, 2)
    assert sample_of(outcome, None) == Sample(6, 3, 6, 3)


def test_parameters_by_hand():
    """A number: 1. One that is missing in some rows: 2. One that never varies, or is nowhere recorded: 0. A category of
    three values: 2. A spline with 4 knots: 3. In all 8; without the spline 6.
    """
    nan = np.nan
    values = np.array(
        [[1, 2, 5, nan, 0, 1], [2, nan, 5, nan, 1, 2], [3, 1, 5, nan, 2, 4], [4, 0, 5, nan, 1, 9]], dtype=float
    )
    kinds = ("number", "number", "number", "number", "category", "number")
    columns = tuple(Column(f"c{place}", "latest", "", "ever", "s", kind, "keep") for place, kind in enumerate(kinds))
    matrix = Matrix(values, ~np.isnan(values), columns)
    assert parameters_of(matrix, {"c5"}, 4) == 8
    assert parameters_of(matrix) == 6


@pytest.mark.parametrize("seed", range(3))
def test_parameters_are_the_columns_that_a_regression_would_have(seed):
    from riskmodels.models.linear import _block

    rng = np.random.default_rng(seed)
    values = rng.integers(0, 4, (60, 6)).astype(float)
    values[rng.random(values.shape) < 0.1 * np.arange(6)] = np.nan
    columns = tuple(
        Column(f"c{i}", "latest", "", "ever", "s", *kind, vocabulary=("a", "b", "c", "d"), typical="a")
        for i, kind in enumerate([("number", "keep"), ("category", "keep")] * 3)
    )
    widths = [_block(column, values[:, place], 0)[0].shape[1] for place, column in enumerate(columns)]
    assert parameters_of(Matrix(values, ~np.isnan(values), columns)) == sum(widths)


NEEDED = development_size(cox_snell_of_auc(0.8, 0.2), 30, 0.2)


def sample(n: int, events: int, people: int | None = None, with_event: int | None = None) -> Sample:
    return Sample(n, events, people or n, with_event or events)


@pytest.mark.parametrize(
    ("fit", "regression", "expected"),
    [
        (sample(NEEDED.needed, NEEDED.needed_events), True, "enough"),
        (sample(NEEDED.needed - 1, NEEDED.needed_events), True, "too_little"),
        (sample(NEEDED.needed, NEEDED.needed_events - 1), True, "too_little"),
        # Enough rows, but of too few people.
        (sample(NEEDED.needed, NEEDED.needed_events, NEEDED.needed - 1), True, "few_people"),
        (sample(NEEDED.needed, NEEDED.needed_events, None, NEEDED.needed_events - 1), True, "few_people"),
        # Trees: what a regression needs is a lower limit.
        (sample(NEEDED.needed, NEEDED.needed_events), False, "lower_limit"),
        (sample(NEEDED.needed - 1, NEEDED.needed_events), False, "too_little"),
        (sample(99 * NEEDED.needed, TREES_NEED * NEEDED.needed_events), False, "enough"),
        (sample(99 * NEEDED.needed, TREES_NEED * NEEDED.needed_events - 1), False, "lower_limit"),
    ],
)
def test_whether_there_was_enough_to_learn_from(fit, regression, expected):
    test = sample(50_000, 10_000)
    found = enough_data(fit, test, parameters=30, auc=0.8, regression=regression)
    assert found.development == NEEDED
    assert (found.to_learn, found.at_least, found.to_test) == (expected, not regression, "enough")


def test_too_little_to_test_with():
    assert enough_data(MUCH, LITTLE, parameters=5, auc=0.8).to_test == "too_little"


@pytest.mark.parametrize(
    ("auc_", "test", "words"),
    [
        (None, MUCH, "could not be computed"),
        (0.5, MUCH, "no better than chance"),
        (0.4, MUCH, "no better than chance"),
        (1.0, MUCH, "perfect"),
        (0.8, Sample(0, 0, 0, 0), "no test row"),
        (0.8, Sample(40, 0, 40, 0), "one kind"),
        (0.8, Sample(40, 40, 40, 40), "one kind"),
    ],
)
def test_what_cannot_be_worked_out_has_a_reason(auc_, test, words):
    found = enough_data(MUCH, test, parameters=5, auc=auc_)
    assert words in found.reason
    assert (found.development, found.validation, found.to_learn, found.to_test) == (None, None, None, None)
    json.dumps(found.to_dict(), allow_nan=False)


def test_plain_values_name_counts_of_people_as_disclosure_control_knows_them():
    found = enough_data(Sample(900, 90, 300, 45), MUCH, parameters=3, auc=0.8).to_dict()
    assert found["fit"] == {"n": 900, "events": 90, "people": {"n": 300, "events": 45}}
    assert DevelopmentSize(**found["development"]).needed == found["development"]["needed"]
    json.dumps(found, allow_nan=False)
