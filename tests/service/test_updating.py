"""A model held against newer outcomes: kept, corrected, or to be fitted again."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from scipy.stats import chi2

from riskmodels.data.cohort import build_cohort
from riskmodels.data.dataset import build_dataset
from riskmodels.data.features import build_features
from riskmodels.data.outcomes import build_outcomes
from riskmodels.data.splits import plan_splits
from riskmodels.data.synthetic import EXTRACTED_ON
from riskmodels.errors import DataError, UsageError
from riskmodels.models.risk_curves import Curve
from riskmodels.models.training import fit_risk_model
from riskmodels.service import updating
from riskmodels.service.updating import hold_against
from tests.data.leakage.made_county import BASE, a_study, county, read

EARLIER = dt.date(2024, 12, 31)
LATER = (dt.date(2025, 4, 1), dt.date(2025, 10, 1))


@pytest.fixture(scope="module")
def world():
    dates = {"first": "2021-04-01", "last": "2024-04-01", "every": "6 months"}
    study = a_study(cohort={**BASE["cohort"], "as_of_dates": dates}, models={"candidates": {"logistic": {"c": 0.1}}})
    tables = read(county(people=8000), study)
    cohort = build_cohort(tables, study.file)
    splits = plan_splits(study.file, EARLIER)
    dataset = build_dataset(cohort, tables, study.file, splits, EARLIER)
    return fit_risk_model(dataset, splits, "logistic", study.file), tables, study.file


@pytest.fixture
def as_foretold(world, monkeypatch):
    """A world that is just as the model says: later outcomes are drawn from its own risks."""
    model = world[0]

    def drawn(cohort, tables, study, known_before):
        outcomes = build_outcomes(cohort, tables, study, known_before)
        risk = model.predict_risk(build_features(cohort, tables, study).frame)
        happened = np.random.default_rng(1).random(len(risk)) < risk
        known = pl.when(pl.col("outcome").is_not_null()).then(pl.Series(happened).cast(pl.Int8))
        return replace(outcomes, frame=outcomes.frame.with_columns(known.alias("outcome")))

    monkeypatch.setattr("riskmodels.service.updating.build_outcomes", drawn)
    return world


def shifted(model, *, intercept: float = 0.0, slope: float = 1.0):
    """The model with its calibrated log-odds stretched and moved."""
    curve = model.calibrator
    assert isinstance(curve, Curve)
    return replace(model, calibrator=Curve(curve.intercept * slope + intercept, curve.slope * slope))


def test_a_good_model_is_kept(as_foretold):
    found = hold_against(*as_foretold, LATER, EXTRACTED_ON)
    assert found.update.method == "keep"
    assert found.words.startswith("Keep the model")
    assert found.known <= found.n
    assert found.events > 100
    assert {name: one.to_dict() for name, one in found.after.items()} == {
        name: pytest.approx(one.to_dict(), rel=1e-9) for name, one in found.before.items()
    }


def test_risks_that_are_too_high_are_corrected_in_the_large(as_foretold):
    model, tables, study = as_foretold
    found = hold_against(shifted(model, intercept=1.0), tables, study, LATER, EXTRACTED_ON)
    assert found.update.method == "in_the_large"
    assert found.update.intercept == pytest.approx(-1.0, abs=0.25)
    assert "too high on the whole" in found.words
    assert found.before["oe_ratio"].high < 0.6
    assert found.after["oe_ratio"].value == pytest.approx(1.0, abs=1e-3)


def test_risks_that_are_too_extreme_get_a_slope(as_foretold):
    model, tables, study = as_foretold
    found = hold_against(shifted(model, slope=2.5), tables, study, LATER, EXTRACTED_ON)
    assert found.update.method == "slope"
    assert "too extreme" in found.words
    assert found.after["calibration_slope"].value == pytest.approx(1.0, abs=1e-3)
    assert found.after["auc"].value == pytest.approx(found.before["auc"].value, abs=1e-12)  # order is kept


def test_what_a_real_extract_says_is_told_with_its_tests(world):
    """The county's records grow longer by the year, so what its features tell changes."""
    found = hold_against(*world, LATER, EXTRACTED_ON)
    assert found.update.tests
    assert found.update.method in ("curve", "refit")
    assert found.words


def test_an_outcome_that_is_not_over_is_refused(world):
    with pytest.raises(UsageError, match=r"^--as-of 2026-04-01: its outcome is known on 2026-12-01, after the extract"):
        hold_against(*world, [dt.date(2026, 4, 1)], EXTRACTED_ON)


@pytest.mark.parametrize("same_luck", [False, True])
def test_people_who_come_again_count_as_people(world, monkeypatch, same_luck):
    """Everybody stands on two dates. Where one draw decides both, two rows say hardly more than one: effect near 2."""
    model, tables, study = world

    def drawn(cohort, tables, study, known_before):
        outcomes = build_outcomes(cohort, tables, study, known_before)
        risk = model.predict_risk(build_features(cohort, tables, study).frame)
        person = cohort.rows["cluster_id"].rank("dense").to_numpy() - 1 if same_luck else np.arange(len(risk))
        happened = np.random.default_rng(4).random(len(risk))[person] < risk
        known = pl.when(pl.col("outcome").is_not_null()).then(pl.Series(happened).cast(pl.Int8))
        return replace(outcomes, frame=outcomes.frame.with_columns(known.alias("outcome")))

    monkeypatch.setattr("riskmodels.service.updating.build_outcomes", drawn)
    found = hold_against(shifted(model, intercept=0.1), tables, study, LATER, EXTRACTED_ON)
    assert found.update.tests
    for step in found.update.tests:
        as_strangers = chi2.sf(step.statistic, step.degrees)
        if same_luck:
            assert 1.5 < step.design_effect < 2.2
            assert step.p > 1.5 * as_strangers
        else:
            assert 1.0 <= step.design_effect < 1.2


def test_what_is_written_holds_nobody(world):
    text = str(hold_against(*world, LATER, EXTRACTED_ON).to_dict())
    assert "P000" not in text


def test_a_date_of_which_only_events_are_known_is_refused(as_foretold, monkeypatch):
    """An extract that ends within the horizon holds the events so far, and nobody without one."""
    drawn = updating.build_outcomes

    def only_events(cohort, tables, study, known_before):
        outcomes = drawn(cohort, tables, study, known_before)
        late = (pl.col("as_of_date") == LATER[1]) & (pl.col("outcome") == 0)
        frame = outcomes.frame.with_columns(pl.when(~late).then(pl.col("outcome")).alias("outcome"))
        return replace(outcomes, frame=frame)

    monkeypatch.setattr("riskmodels.service.updating.build_outcomes", only_events)
    with pytest.raises(DataError, match=r"^--as-of 2025-10-01: every known outcome is an event"):
        hold_against(*as_foretold, LATER, EXTRACTED_ON)
