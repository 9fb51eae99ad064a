"""The published and R-computed values of tests/reference/statistics.json, one test each."""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from riskmodels.assessment import calibration_curve, calibration_statistics, decisions, discrimination
from riskmodels.assessment.intervals import Z

REFERENCE = Path(__file__).parents[1] / "reference"
STATISTICS = json.loads((REFERENCE / "statistics.json").read_text(encoding="utf-8"))
DATA = pl.read_csv(REFERENCE / "df_binary.csv")
OUTCOME = DATA["cancer"].to_numpy()
RISK = DATA["cancerpredmarker"].to_numpy()


def published(what: str, on: str = "A"):
    """The value of the one row whose description starts with these words, and its tolerance."""
    here = [row for row in STATISTICS["values"] if row["on"] == on and row["what"].startswith(what)]
    (row,) = [row for row in here if row["what"] == what] or here
    tolerance = {"abs": row["abs_tol"], "rel": 1e-6} if "abs_tol" in row else {"rel": 1e-6, "abs": 0}
    return pytest.approx(np.array(row["value"]), **tolerance)


def standard_error(estimate) -> float:
    return (estimate.high - estimate.low) / (2 * Z)


def two_sided(z: float) -> float:
    return math.erfc(abs(z) / math.sqrt(2))


@pytest.fixture(params=["boolean", "integer", "float", "polars"])
def outcome(request):
    """The same outcome in every form it may arrive in: some packages silently model the wrong class of a boolean."""
    forms = {
        "boolean": OUTCOME,
        "integer": OUTCOME.astype(np.int8),
        "float": OUTCOME.astype(float),
        "polars": pl.Series(OUTCOME),
    }
    return forms[request.param]


def test_data_are_the_published_ones():
    digest = hashlib.sha256((REFERENCE / "df_binary.csv").read_bytes()).hexdigest()
    assert digest == STATISTICS["data_A_sha256"]
    assert (DATA.height, int(OUTCOME.sum())) == (750, 105)


def test_calibration_in_the_large(outcome):
    found = calibration_statistics.calibration_in_the_large(outcome, RISK)
    assert np.array([found.value, standard_error(found)]) == published("calibration in the large")


def test_calibration_slope(outcome):
    found = calibration_statistics.calibration_slope(outcome, RISK)
    assert np.array([found.value, standard_error(found), found.low, found.high]) == published("calibration slope")


def test_brier_score(outcome):
    assert calibration_statistics.brier_score(outcome, RISK).value == published("Brier")


def test_lowess_errors(outcome):
    found = calibration_statistics.lowess_errors(outcome, RISK)
    assert np.array([found[name].value for name in ("eavg", "e90", "emax")]) == published("val.prob Eavg")


def test_lowess_errors_of_five_rows():
    found = calibration_statistics.lowess_errors([0, 0, 0, 1, 1], [0.1, 0.2, 0.3, 0.4, 0.5])
    expected = published("Eavg", on="risk .1 .2 .3 .4 .5, outcome 0 0 0 1 1")
    assert np.array([found[name].value for name in ("eavg", "e90", "emax")]) == expected


def test_spiegelhalter(outcome):
    z, p = calibration_statistics.spiegelhalter(outcome, RISK)
    assert np.array([z.value, p.value]) == published("Spiegelhalter z")


def test_auc_and_delong(outcome):
    found = discrimination.auc(outcome, RISK)
    variance = discrimination.delong(OUTCOME.astype(float), RISK)[1]
    assert np.array([found.value, variance, found.low, found.high]) == published("AUC, DeLong")


@pytest.mark.parametrize("column", ["age", "famhistory"])
def test_paired_delong(outcome, column):
    other = DATA[column].to_numpy()
    found = discrimination.auc_difference(outcome, RISK, other)
    value, variance = discrimination.delong_difference(OUTCOME.astype(float), RISK, other.astype(float))
    z = value / math.sqrt(variance)
    expected = published("paired DeLong", on=f"A, risk v {column}")
    assert np.array([z, two_sided(z), found.low, found.high]) == expected


def test_net_benefit(outcome):
    row = decisions.decision_row(outcome, RISK, 0.25)
    by_age = calibration_statistics.fit_logistic(
        np.column_stack([np.ones(DATA.height), DATA["age"].to_numpy()]), OUTCOME.astype(float), None
    )
    age_risk = 1 / (1 + np.exp(-(by_age[0][0] + by_age[0][1] * DATA["age"].to_numpy())))
    age = decisions.net_benefit(outcome, age_risk, 0.25).value
    expected = published("net benefit at 0.25").expected
    assert [row["model"].value, row["all"], row["none"]] == pytest.approx(expected[:3], rel=1e-6, abs=1e-12)
    assert age == pytest.approx(expected[3], abs=5e-9)  # printed to eight places


def test_interventions_avoided(outcome):
    row = decisions.decision_row(outcome, RISK, 0.25)
    nobody = decisions.interventions_avoided(row["none"], row["all"], 0.25)
    everybody = decisions.interventions_avoided(row["all"], row["all"], 0.25)
    assert np.array([row["interventions_avoided"], nobody, everybody]) == published("interventions avoided")


@pytest.mark.parametrize("places", [50, 100])
def test_top_of_the_list(outcome, places):
    selected = np.zeros(RISK.size, dtype=bool)
    selected[np.argsort(-RISK, kind="stable")[:places]] = True
    found = decisions.at_capacity(outcome, np.ones(RISK.size, dtype=bool), selected)
    figures = [found["hits"], found["precision"].low, found["precision"].high, found["recall"].value]
    expected = published(f"top {places}:")
    assert np.array(figures)[: expected.expected.size] == expected


def test_spline_curve(outcome):
    rows, reason = calibration_curve.spline_curve(outcome, RISK, at=[0.10, 0.25, 0.50])
    assert reason is None
    found = np.array([[row["observed"], row["low"], row["high"]] for row in rows])
    assert found == published("restricted cubic spline")
