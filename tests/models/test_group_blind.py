"""One score for everybody, fitted with other weights."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from riskmodels.models.group_blind import WEIGHED, light_features, weighable, weighted_refits
from riskmodels.models.linear import fit_weighted_sum
from riskmodels.models.training import backtest, cohort_of, prepare_origin
from riskmodels.study import LogisticSettings
from tests.models.made_dataset import a_dataset, a_study, the_splits

BOTH = {"lightgbm": {"trees": 20, "min_rows_in_leaf": 20}}


@pytest.fixture(scope="module")
def made():
    study = a_study(candidates=BOTH)
    return study, a_dataset(people=300), the_splits(study)


@pytest.mark.parametrize("family", sorted(WEIGHED))
def test_weights_of_one_change_nothing(made, family):
    study, data, splits = made
    own = backtest(data, splits, study).frame.filter(pl.col("model") == family, pl.col("stage") == "test")
    again = weighted_refits(data, splits, family, study, lambda rows, outcome: np.ones(len(rows)), "again").frame
    assert again["model"].unique().to_list() == ["again"]
    assert again.drop("model", "risk", "score").equals(own.drop("model", "risk", "score"))
    np.testing.assert_allclose(again["risk"], own["risk"], rtol=1e-6)


def test_a_weight_of_two_is_the_row_twice(made):
    """Of a ridge that is so to the last digits; the bins of boosted trees are made of rows, whatever they weigh."""
    study, data, splits = made
    _, fit, _ = prepare_origin(data, splits.origins[-1], study)
    some = np.random.default_rng(2).integers(0, 3, len(fit.matrix)).astype(np.float64) + 1.0
    often = np.repeat(np.arange(len(fit.matrix)), some.astype(int))
    # Without a penalty to speak of, the scale on which features are standardised does not matter.
    settings = LogisticSettings(c=1e6)
    weighed = fit_weighted_sum(fit.matrix, fit.outcome, settings, some)
    repeated = fit_weighted_sum(fit.matrix.at(often), fit.outcome[often], settings)
    np.testing.assert_allclose(weighed.score(fit.matrix), repeated.score(fit.matrix), atol=1e-4)


@pytest.mark.parametrize("family", sorted(WEIGHED))
def test_events_that_weigh_more_raise_the_scores(made, family):
    study, data, splits = made
    _, fit, _ = prepare_origin(data, splits.origins[-1], study)
    known = {"seed": 1, "threads": 1, "study": study}
    settings = study.models.families[family]
    plain, raised = (
        WEIGHED[family](fit.matrix, fit.outcome, settings, np.where(fit.outcome == 1, weight, 1.0), **known)
        for weight in (1.0, 3.0)
    )
    # Log-odds go up by about ln 3 at most: the trees stop before they are there.
    change = float((raised.score(fit.matrix) - plain.score(fit.matrix)).mean())
    assert 0.3 < change < 1.5


@pytest.mark.parametrize(
    ("chosen", "candidates", "expected"),
    [
        ("lightgbm", BOTH, "lightgbm"),
        ("single_best_column", BOTH, "logistic"),
        ("points", BOTH | {"logistic": None}, "lightgbm"),
        ("base_rate", {"logistic": None}, "logistic"),
    ],
)
def test_the_family_that_is_taught_is_the_chosen_one_if_it_can_be(chosen, candidates, expected):
    family, study = weighable(chosen, a_study(candidates=candidates))
    assert family == expected
    assert family in study.models.families


def test_light_features_are_numbers_on_the_scale_of_the_fit_rows(made):
    study, data, splits = made
    split = splits.origins[-1]
    rows, features, outcome, asked = light_features(data, split, study)
    assert len(rows) == len(features) == len(outcome)
    assert len(asked) == len(cohort_of(data, split))
    np.testing.assert_allclose(features.mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(features.std(axis=0), 1)
    assert np.isfinite(asked).all()
