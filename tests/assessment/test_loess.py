"""Loess against the code that R runs, as scikit-misc wraps it, and against an arithmetic that needs no smoother."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skmisc.loess import loess as r_loess

from riskmodels.assessment.loess import (
    CONSTANT,
    FAR_OFF,
    NAMES,
    ONE_RISK,
    TOO_ALIKE,
    _quadratic,
    loess,
    loess_errors,
)
from riskmodels.errors import DataError

REFERENCE = Path(__file__).parents[1] / "reference"


def as_r_does(x, y):
    model = r_loess(x, y, span=0.75, degree=2, family="gaussian", surface="interpolate", statistics="approximate")
    model.fit()
    return model.outputs.fitted_values


def made_up(seed: int, n: int, digits: int = 16):
    rng = np.random.default_rng(seed)
    risk = np.round(rng.beta(1, 6, n), digits)
    return (rng.random(n) < np.clip(1.2 * risk, 0, 1)).astype(float), risk


def values(found):
    return [found[name].value for name in NAMES]


def test_published_values():
    data = pl.read_csv(REFERENCE / "df_binary.csv")
    rows = json.loads((REFERENCE / "statistics.json").read_text())["values"]
    (expected,) = (row["value"] for row in rows if row["what"].startswith("loess"))
    found = loess_errors(data["cancer"].to_numpy(), data["cancerpredmarker"].to_numpy())
    assert values(found) == pytest.approx(expected, rel=1e-6)
    assert {estimate.n for estimate in found.values()} == {750}


def test_a_quadratic_is_its_own_smooth():
    """Every local quadratic is the same one, so the errors are |x - x^2| itself: at most 1/4, at x = 1/2."""
    x = np.linspace(0, 1, 201)
    smooth = loess(x, x**2)
    assert smooth == pytest.approx(x**2, abs=1e-12)
    assert np.abs(x - smooth).max() == pytest.approx(0.25)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(9, 2000))
def test_equals_r_where_no_risks_are_equal(seed, n):
    y, x = made_up(seed, n)
    assert loess(x, y) == pytest.approx(as_r_does(x, y), abs=1e-9)


@pytest.mark.parametrize("digits", [2, 3])
@pytest.mark.parametrize("n", [150, 1000, 4000])
def test_equals_r_where_many_risks_are_equal(n, digits):
    for seed in range(10):
        y, x = made_up(seed, n, digits)
        assert loess(x, y) == pytest.approx(as_r_does(x, y), abs=1e-9)


@pytest.mark.parametrize("stretch", [1e-9, 1e-3, 1.0])
def test_equals_r_whatever_the_scale(stretch):
    y, x = made_up(1, 300)
    assert loess(stretch * x, y) == pytest.approx(as_r_does(stretch * x, y), abs=1e-9)


def test_order_of_rows_does_not_matter():
    y, x = made_up(2, 500, 2)
    order = np.random.default_rng(0).permutation(500)
    assert values(loess_errors(y[order], x[order])) == pytest.approx(values(loess_errors(y, x)), rel=1e-12)


LEVELS = np.tile([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95], 20)
ALTERNATING = np.tile([0.0, 1.0, 1.0], 67)[:200]
CROWDED = np.random.default_rng(1).beta(0.02, 5, 200)
FLAT = np.concatenate([np.full(150, 0.3), np.linspace(0.4, 0.9, 50)])


@pytest.mark.parametrize(
    ("outcome", "risk", "reason"),
    [
        ([], [], "no row has a known outcome"),
        ([1.0], [0.3], "every known row has an event"),
        (np.zeros(200), LEVELS, "no known row has an event"),
        (ALTERNATING, np.full(200, 0.3), CONSTANT),
        (ALTERNATING, FLAT, ONE_RISK),
        ([0.0, 1.0], [0.3, 0.4], TOO_ALIKE),
        ([0.0, 0.0, 0.0, 1.0, 1.0], [0.1, 0.2, 0.3, 0.4, 0.5], TOO_ALIKE),
        (ALTERNATING, np.tile([0.2, 0.4], 100), TOO_ALIKE),
        (ALTERNATING, np.tile([0.0, 1.0], 100), TOO_ALIKE),
        (ALTERNATING, np.resize([0.1, 0.2, 0.6], 200), TOO_ALIKE),
        (ALTERNATING, CROWDED, FAR_OFF),
    ],
    ids=["empty", "one row", "one class", "constant", "nearly all tied", "two rows", "five rows", "two values",
         "0 and 1", "three values", "crowded"],
)  # fmt: skip
def test_what_has_no_answer_says_why(outcome, risk, reason):
    found = loess_errors(outcome, risk)
    assert {(estimate.value, estimate.reason) for estimate in found.values()} == {(None, reason)}


def test_ten_values_have_an_answer():
    assert all(estimate.value is not None for estimate in loess_errors(ALTERNATING, LEVELS).values())


@pytest.mark.parametrize(
    ("outcome", "risk"), [([0, 1], [0.1]), ([0, 2], [0.1, 0.2]), ([0, 1], [0.1, 1.2]), ([0, 1], [0.1, np.nan])]
)
def test_bad_input_is_refused(outcome, risk):
    with pytest.raises(DataError):
        loess_errors(outcome, risk)


def test_a_million_rows_that_share_a_few_risks_take_no_time():
    """The code of R took eight minutes of processor time for three values, and 24 seconds for eighty."""
    y, x = made_up(3, 1_000_000, 2)
    before = time.process_time()
    assert loess_errors(y, x)["ici"].value < 0.05
    assert time.process_time() - before < 5


def test_values_that_hardly_differ_say_nothing_of_a_point_far_away():
    """Two values a hair apart, and the fit wanted a million million deviations off: its square has no number."""
    x, y = np.array([0.0, 3.75e-160, 1e-9]), np.array([1.0, 0.0, 0.0])
    assert _quadratic(x, y, np.array([1.0, 1.0, 0.0]), -5e-4) is None
    assert _quadratic(np.array([0.0, 1.0, 2.0]), np.array([0.0, 1.0, 4.0]), np.ones(3), 3.0) == (
        pytest.approx(9.0), pytest.approx(6.0),
    )  # fmt: skip
