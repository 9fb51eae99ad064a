from __future__ import annotations

import re

import lightgbm
import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from riskmodels.errors import ModelFileError, StudyError
from riskmodels.models.boosting import Boosted, fit_boosted_trees, load_boosted_trees, portable, refuse_malformed
from riskmodels.models.matrix import Matrix
from riskmodels.study import LightGBMSettings
from tests.models.planted import make_world


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


def forged(text: str, pattern: str, change) -> str:
    found, count = re.subn(pattern, change, text, count=1, flags=re.MULTILINE)
    assert count == 1
    return found


FORGERIES = {
    "a child that is its own parent": lambda t: forged(t, r"^left_child=-?\d+", "left_child=0"),
    "a child outside the tree": lambda t: forged(t, r"^left_child=-?\d+", "left_child=9999"),
    "a leaf outside the tree": lambda t: forged(t, r"^right_child=-?\d+", "right_child=-9999"),
    "a feature outside the row": lambda t: forged(t, r"^split_feature=\d+", "split_feature=5"),
    "fewer leaf values than leaves": lambda t: forged(t, r"^leaf_value=\S+ ", "leaf_value="),
    "more leaves than values": lambda t: forged(t, r"^num_leaves=\d+", "num_leaves=200"),
    "a leaf worth nothing that is a number": lambda t: forged(t, r"^leaf_value=\S+", "leaf_value=nan"),
    "a set outside the sets": lambda t: forged(t, r"^cat_boundaries=0 \d+", "cat_boundaries=0 99"),
    "more sets than there are": lambda t: forged(t, r"^num_cat=[1-9]\d*", "num_cat=99"),
    "linear leaves": lambda t: forged(t, r"^is_linear=0", "is_linear=1"),
    "another objective": lambda t: forged(t, r"^objective=.*$", "objective=regression"),
    "other features": lambda t: forged(t, r"^max_feature_idx=4", "max_feature_idx=9"),
    "a tree less": lambda t: forged(t, r"^tree_sizes=\d+ ", "tree_sizes="),
    "parameters after the end": lambda t: t + "parameters:\n[num_threads: 64]\nend of parameters\n",
    "cut short": lambda t: t[: len(t) // 2],
    "nothing": lambda t: "",
    "prose": lambda t: "tree\nend of trees\n",
}


@pytest.mark.parametrize("how", FORGERIES)
def test_refuses_a_forged_text(world, how):
    text = world.fit("lightgbm").text
    refuse_malformed(text, 5)
    with pytest.raises(ModelFileError, match=r"booster\.txt"):
        refuse_malformed(FORGERIES[how](text), 5)


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
