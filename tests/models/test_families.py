"""What holds for every family."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from riskmodels.errors import DataError
from riskmodels.models.families import MODELS
from riskmodels.study import ModelsSection
from tests.models.planted import SETTINGS, STUDY, make_world

ADDITIVE = sorted(set(MODELS) - {"lightgbm"})


def strange(world):
    """People like nobody learned from: unseen values, nothing recorded, numbers far outside."""
    frame = pl.DataFrame(
        {
            "reading": [None, 1e6, -1e6, 50.0],
            "absences": [None, 0.0, 1e6, 1.0],
            "income": [None, 1.0, -5.0, None],
            "class_type": [None, "a new kind", "large", ""],
            "school": [None, "a new school", "school 01", "school 02"],
        },
        schema_overrides={"reading": pl.Float64, "income": pl.Float64},
    )
    return world.encoder.encode(frame)


def test_settings_here_name_every_family():
    assert set(SETTINGS) == set(MODELS)


def test_the_study_can_ask_for_every_family():
    asked = ModelsSection(
        candidates={"logistic": {}, "explainable_boosting": {}, "lightgbm": {}},  # type: ignore[arg-type]
        place="school",
        current_practice="income",
    )
    assert set(asked.families) == set(MODELS)


@pytest.mark.parametrize("family", MODELS)
def test_contributions_add_up_to_the_score(world, family):
    fitted = world.fit(family)
    for matrix in (world.matrix, strange(world)):
        parts = fitted.contributions(matrix)
        assert parts.shape == matrix.values.shape
        score = fitted.score(matrix)
        assert np.isfinite(score).all()
        tolerance = 1e-6 if family == "lightgbm" else 1e-9
        np.testing.assert_allclose(fitted.base + parts.sum(axis=1), score, rtol=1e-12, atol=tolerance)


@pytest.mark.parametrize("family", ADDITIVE)
def test_base_is_the_mean_score_of_the_fit_rows(world, family):
    fitted = world.fit(family)
    assert fitted.base == pytest.approx(fitted.score(world.matrix).mean(), abs=1e-6)


@pytest.mark.parametrize("family", MODELS)
def test_importance_is_the_mean_size_of_the_contributions(world, family):
    fitted = world.fit(family)
    sizes = np.abs(fitted.contributions(world.matrix)).mean(axis=0)
    found = [fitted.importance.get(name, 0.0) for name in world.matrix.names]
    # LightGBM's is taken on 1,000 of the 3,000 rows.
    np.testing.assert_allclose(found, sizes, rtol=0.1 if family == "lightgbm" else 1e-3, atol=1e-3)


@pytest.mark.parametrize("family", MODELS)
def test_same_seed_same_bytes_whatever_the_threads(world, family):
    one, two = world.fit(family, threads=1), world.fit(family, threads=2)
    assert one.to_dict() == two.to_dict()
    assert one.to_files() == two.to_files()


@pytest.mark.parametrize("family", MODELS)
def test_rows_are_scored_one_by_one(world, family):
    fitted = world.fit(family)
    alone = [float(fitted.score(world.matrix.at(np.array([row])))[0]) for row in range(20)]
    assert alone == fitted.score(world.matrix)[:20].tolist()
    assert fitted.score(world.matrix.at(np.array([], dtype=int))).shape == (0,)
    assert fitted.contributions(world.matrix.at(np.array([], dtype=int))).shape == (0, 5)


@pytest.mark.parametrize("family", MODELS)
@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (np.zeros(200), r"only one class in the fit rows \(0 events in 200\)"),
        (np.ones(200), r"only one class in the fit rows \(200 events in 200\)"),
        (np.arange(200) < 3, "3 events in 200 fit rows are too few"),
        (np.arange(200) >= 2, "198 events in 200 fit rows are too few"),
        (np.full(200, np.nan), "needs 0 or 1 for each of the 200 fit rows"),
        (np.zeros(199), "needs 0 or 1 for each of the 200 fit rows"),
    ],
)
def test_refuses_an_outcome_that_cannot_teach(family, outcome, words):
    small = make_world(rows=200)
    with pytest.raises(DataError, match=words):
        MODELS[family].fit(small.matrix, outcome, SETTINGS[family], seed=1, threads=1, study=STUDY)


@pytest.mark.parametrize("family", MODELS)
def test_fits_where_nothing_tells_anything(family):
    """Constant columns, nothing recorded, few rows: a fit of sorts, and never an error or a NaN."""
    small = make_world(rows=60)
    values = small.matrix.values.copy()
    values[:, 0], values[:, 1], values[:, 2] = np.nan, 4.0, 4.0
    values[:, 3], values[:, 4] = np.nan, -1.0
    matrix = type(small.matrix)(values, small.matrix.recorded, small.matrix.columns)
    fitted = MODELS[family].fit(matrix, np.arange(60) < 20, SETTINGS[family], seed=1, threads=1, study=STUDY)
    score = fitted.score(matrix)
    assert np.isfinite(score).all()
    assert np.ptp(score) == pytest.approx(0.0, abs=1e-12)
