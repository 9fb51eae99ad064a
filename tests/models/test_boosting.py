from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import lightgbm
import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from riskmodels.errors import ModelFileError, StudyError
from riskmodels.models.booster_text import portable, refuse_malformed
from riskmodels.models.boosting import Boosted, fit_boosted_trees, load_boosted_trees
from riskmodels.models.fast_trees import FastTrees
from riskmodels.models.matrix import Matrix
from riskmodels.study import LightGBMSettings
from tests.models.planted import make_world

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wide():
    """20,000 rows, enough for LightGBM to share its sums among threads."""
    return make_world(rows=20_000, seed=5)


def booster_of(world, threads: int = 2) -> lightgbm.Booster:
    parameters = {"objective": "binary", "num_leaves": 15, "verbosity": -1, "num_threads": threads, "seed": 3}
    data = lightgbm.Dataset(world.matrix.values, label=world.outcome, categorical_feature=[3, 4], params=parameters)
    return lightgbm.train(parameters, data, 20)


def test_one_thread_or_two_give_the_same_bytes(wide):
    settings = LightGBMSettings(trees=12)
    one, two = (fit_boosted_trees(wide.matrix, wide.outcome, settings, seed=3, threads=n) for n in (1, 2))
    assert one.text == two.text
    assert (one.base, one.importance) == (two.base, two.importance)
    np.testing.assert_array_equal(one.score(wide.matrix), two.score(wide.matrix))


def test_what_is_taken_off_the_text_changes_no_prediction(world):
    booster = booster_of(world)
    text = booster.model_to_string()
    short = portable(text)
    again = lightgbm.Booster(model_str=short)
    values = world.matrix.values.copy()
    values[:50, 3], values[:50, 0] = 99, 1e9
    for what in ({"raw_score": True}, {"pred_contrib": True}):
        np.testing.assert_array_equal(again.predict(values, **what), booster.predict(values, **what))
    assert "num_threads" in text
    assert "num_threads" not in short
    assert portable(short) == short


def test_no_extreme_value_of_the_data_is_kept(world):
    values = world.matrix.values.copy()
    values[0, 0], values[1, 0] = 987_654.25, -123_456.75
    fitted = fit_boosted_trees(
        Matrix(values, world.matrix.recorded, world.matrix.columns), world.outcome, LightGBMSettings(), 3, 1
    )
    assert "987654" not in fitted.text
    assert "123456" not in fitted.text


def test_trees_are_at_most_six_deep(world):
    fitted = fit_boosted_trees(
        world.matrix, world.outcome, LightGBMSettings(trees=20, leaves=255, min_rows_in_leaf=1), 3, 1
    )
    depths = fitted.booster.trees_to_dataframe()["node_depth"]
    assert depths.max() == 6 + 1  # the root counts as 1


def test_contributions_are_lightgbms_own(world):
    fitted = world.fit("lightgbm")
    theirs = fitted.booster.predict(world.matrix.values, pred_contrib=True)
    np.testing.assert_array_equal(fitted.contributions(world.matrix), theirs[:, :-1])
    np.testing.assert_array_equal(np.full(len(theirs), fitted.base), theirs[:, -1])


def test_unseen_counts_as_missing(world):
    fitted = world.fit("lightgbm")
    unseen, missing = world.matrix.values[:20].copy(), world.matrix.values[:20].copy()
    unseen[:, 3], missing[:, 3] = -1.0, np.nan
    scores = [fitted.score(Matrix(v, ~np.isnan(v), world.matrix.columns)) for v in (unseen, missing)]
    np.testing.assert_array_equal(*scores)


def test_the_text_comes_back_as_it_was(world):
    fitted = world.fit("lightgbm")
    again = load_boosted_trees(fitted.to_dict(), 5, fitted.text.encode())
    assert again == fitted
    np.testing.assert_array_equal(again.score(world.matrix), fitted.score(world.matrix))


# ---------------------------------------------------------------- the fast kernel


def test_a_model_from_its_file_answers_by_the_kernel_and_the_same(world):
    fitted = world.fit("lightgbm")
    loaded = load_boosted_trees(fitted.to_dict(), 5, fitted.text.encode())
    assert loaded.fast is not None
    assert loaded.not_fast_because is None
    assert loaded.verify_fast(world.matrix.at(np.arange(300))) is None
    odd = world.matrix.values.copy()
    odd[:40, 3], odd[40:80, 4], odd[80:120, 0] = -1.0, np.nan, 1e300
    matrix = Matrix(odd, ~np.isnan(odd), world.matrix.columns)
    scores, parts = loaded.score_and_contributions(matrix)
    np.testing.assert_array_equal(scores, fitted.score(matrix))
    np.testing.assert_array_equal(loaded.score(matrix), scores)
    np.testing.assert_array_equal(loaded.contributions(matrix), parts)
    np.testing.assert_allclose(parts, fitted.contributions(matrix), rtol=0, atol=1e-11)
    np.testing.assert_allclose(loaded.base + parts.sum(axis=1), scores, rtol=0, atol=1e-11)
    none = matrix.at(np.arange(0))
    assert (loaded.score(none).shape, loaded.contributions(none).shape) == ((0,), (0, 5))


def test_what_the_kernel_does_not_cover_is_answered_by_lightgbm_and_says_so(world, monkeypatch):
    fitted = world.fit("lightgbm")
    monkeypatch.setattr("riskmodels.models.fast_trees.parsing.MOST_LEAVES", 2)
    loaded = load_boosted_trees(fitted.to_dict(), 5, fitted.text.encode())
    assert loaded.fast is None
    assert loaded.not_fast_because is not None
    assert "leaves, and the kernel holds 2" in loaded.not_fast_because
    assert loaded.verify_fast(world.matrix) is None
    for ours, theirs in zip(
        loaded.score_and_contributions(world.matrix),
        (fitted.score(world.matrix), fitted.contributions(world.matrix)),
        strict=True,
    ):
        np.testing.assert_array_equal(ours, theirs)


def test_more_than_64_leaves_are_left_to_lightgbm(world):
    booster = lightgbm.train(
        {"objective": "binary", "num_leaves": 90, "min_data_in_leaf": 5, "verbosity": -1},
        lightgbm.Dataset(world.matrix.values, label=world.outcome),
        2,
    )
    text = portable(booster.model_to_string())
    loaded = load_boosted_trees({"base": 0.0, "importance": {}}, 5, text.encode())
    assert loaded.not_fast_because is not None
    np.testing.assert_array_equal(
        loaded.score(world.matrix), lightgbm.Booster(model_str=text).predict(world.matrix.values, raw_score=True)
    )


def test_a_kernel_that_is_wrong_is_found_out(world):
    fitted = world.fit("lightgbm")
    other = world.fit("lightgbm", rows=slice(0, 1_000))
    vars(fitted)["_fast"] = FastTrees.of(other.text, 5)
    said = fitted.verify_fast(world.matrix)
    assert said is not None
    assert "raw scores are not LightGBM's to the bit" in said


def test_a_saved_model_is_read_and_scores_without_lightgbm(world, tmp_path):
    model = world.model("lightgbm")
    for name, content in model.to_files().items():
        (tmp_path / name).write_bytes(content)
    world.frame.head(50).write_parquet(tmp_path.parent / "rows.parquet")
    code = f"""
import sys
import polars as pl
from riskmodels.models.risk_model import RiskModel, read_model_folder
model = RiskModel.from_files(read_model_folder({str(tmp_path)!r}))
frame = pl.read_parquet({str(tmp_path.parent / "rows.parquet")!r})
print(model.predict_risk(frame).tolist(), model.contributions(frame).shape, "lightgbm" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == f"{model.predict_risk(world.frame.head(50)).tolist()} (50, 5) False"


def test_a_text_that_lightgbm_refuses_is_one_line():
    with pytest.raises(ModelFileError, match="LightGBM does not read it"):
        _ = Boosted("tree\nversion=v4\n", 0.0, {}).booster


# ---------------------------------------------------------------- monotone


def scores_along(fitted: Boosted, world, feature: str, grid: np.ndarray) -> np.ndarray:
    """Scores [grid, 200] of 200 people as one of their numbers goes up, all else the same."""
    rows = []
    for value in grid:
        values = world.matrix.values[:200].copy()
        values[:, world.matrix.position(feature)] = value
        rows.append(fitted.score(Matrix(values, ~np.isnan(values), world.matrix.columns)))
    return np.array(rows)


@pytest.mark.parametrize("way", ["rises", "falls"])
@pytest.mark.parametrize(
    ("feature", "grid"), [("reading", np.linspace(-50, 150, 201)), ("income", np.linspace(0, 70_000, 201))]
)
def test_a_monotone_feature_never_turns_round(world, feature, grid, way):
    sign = 1 if way == "rises" else -1
    free = fit_boosted_trees(world.matrix, world.outcome, LightGBMSettings(), 3, 1)
    held = fit_boosted_trees(world.matrix, world.outcome, LightGBMSettings(monotone={feature: way}), 3, 1)
    assert (sign * np.diff(scores_along(free, world, feature, grid), axis=0) < 0).any()
    assert (sign * np.diff(scores_along(held, world, feature, grid), axis=0) >= 0).all()


def test_monotone_reaches_the_booster_by_name_and_its_text_is_still_ours(world):
    settings = LightGBMSettings(trees=12, monotone={"absences": "rises", "reading": "falls"})
    fitted = fit_boosted_trees(world.matrix, world.outcome, settings, seed=3, threads=1)
    assert "monotone_constraints=-1 1 0 0 0" in fitted.text
    refuse_malformed(fitted.text, 5)
    again = load_boosted_trees(fitted.to_dict(), 5, fitted.text.encode())
    np.testing.assert_array_equal(again.score(world.matrix), fitted.score(world.matrix))


def test_what_is_known_of_the_direction_helps_where_it_is_right(wide):
    later = make_world(rows=20_000, seed=6)
    matrix = wide.encoder.encode(later.frame)
    known = {"reading": "falls", "absences": "rises"}
    free, held = (
        fit_boosted_trees(wide.matrix, wide.outcome, LightGBMSettings(monotone=monotone), 3, 1)
        for monotone in ({}, known)
    )
    assert roc_auc_score(later.outcome, held.score(matrix)) > roc_auc_score(later.outcome, free.score(matrix))


@pytest.mark.parametrize(
    ("name", "words"), [("school", "'school' is a category, whose values have no order"), ("ward", "no feature is")]
)
def test_refuses_a_monotone_category(world, name, words):
    with pytest.raises(StudyError, match=rf"^models\.candidates\.lightgbm\.monotone: {words}"):
        fit_boosted_trees(world.matrix, world.outcome, LightGBMSettings(monotone={name: "rises"}), 3, 1)
