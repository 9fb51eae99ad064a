from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from riskmodels.errors import DataError, UsageError
from riskmodels.models.families import MODELS
from riskmodels.models.outside import Inputs, Outside, fit_outside, learn_inputs, outside_families
from riskmodels.models.risk_model import RiskModel
from tests.models.planted import make_world, matrix_of

FOREST = RandomForestClassifier(n_estimators=20, min_samples_leaf=5)
ESTIMATORS = {
    "forest": FOREST,
    "pipeline": make_pipeline(StandardScaler(), LogisticRegression()),
    "histogram": HistGradientBoostingClassifier(max_iter=20),
    "bayes": GaussianNB(),
}


class Own:
    """Of nobody's kind: no base class, no get_params, no tags, no classes_."""

    def fit(self, x, y):
        self.rate = float(np.mean(y))
        return self

    def predict_proba(self, x):
        risk = np.full(len(x), self.rate)
        return np.column_stack([1 - risk, risk])


@pytest.mark.parametrize("name", ESTIMATORS)
def test_any_estimator_scores_beside_the_families(world, name):
    family = outside_families(ESTIMATORS)[name]
    fitted = family.fit(world.matrix, world.outcome, None, seed=3, threads=1, study=None)
    later = make_world(rows=1_500, seed=12)
    score = fitted.score(world.encoder.encode(later.frame))
    assert family.log_odds
    assert np.isfinite(score).all()
    assert np.abs(score).max() <= np.log((1 - 1e-6) / 1e-6) + 1e-9
    assert roc_auc_score(later.outcome, score) > 0.7
    assert fitted.score(world.matrix.at(np.array([], dtype=int))).shape == (0,)


def test_the_score_is_the_log_odds_of_predict_proba(world):
    fitted = fit_outside(ESTIMATORS["pipeline"], world.matrix, world.outcome, seed=3)
    theirs = fitted.estimator.decision_function(fitted.inputs.of(world.matrix))
    np.testing.assert_allclose(fitted.score(world.matrix), theirs, atol=1e-8)


def test_certainty_is_cut(world):
    leaf = RandomForestClassifier(n_estimators=1, min_samples_leaf=1, bootstrap=False)
    score = fit_outside(leaf, world.matrix, world.outcome, seed=1).score(world.matrix)
    np.testing.assert_allclose(np.abs(score).max(), np.log((1 - 1e-6) / 1e-6))


def test_an_estimator_of_nobodys_kind_is_enough(world):
    fitted = fit_outside(Own(), world.matrix, world.outcome, seed=1)
    np.testing.assert_allclose(fitted.score(world.matrix), np.log(world.outcome.mean() / (1 - world.outcome.mean())))


# ---------------------------------------------------------------- cloned, seeded


def test_the_one_given_is_left_as_it_was(world):
    given = RandomForestClassifier(n_estimators=5)
    fit_outside(given, world.matrix, world.outcome, seed=3)
    assert not hasattr(given, "estimators_")
    assert given.random_state is None


def test_the_same_seed_gives_the_same_scores(world):
    one, again, other = (
        fit_outside(FOREST, world.matrix, world.outcome, seed).score(world.matrix) for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()


def test_only_seeds_that_are_not_set_are_set(world):
    deep = make_pipeline(StandardScaler(), RandomForestClassifier(n_estimators=2))
    told = fit_outside(deep, world.matrix, world.outcome, seed=2**31 + 9).estimator.get_params()
    assert told["randomforestclassifier__random_state"] == 9
    own = RandomForestClassifier(n_estimators=2, random_state=5)
    assert fit_outside(own, world.matrix, world.outcome, seed=9).estimator.random_state == 5


# ---------------------------------------------------------------- what it is given


def five_rows():
    """x with a gap, g of two values; the third row's g was not learned, the fourth's is missing."""
    x = np.array([1.0, np.nan, 3.0, 10.0, 3.0])
    g = np.array([0.0, 1.0, -1.0, np.nan, 0.0])
    return matrix_of({"x": x, "g": g}, {"g": ("a", "b")})


def test_gaps_are_filled_with_the_median_and_flagged():
    """The recorded x are 1, 3, 3, 10: the median is 3."""
    matrix = five_rows()
    inputs = learn_inputs(matrix, keeps_missing=False)
    assert inputs == Inputs((3.0, None), (0,))
    assert inputs.of(matrix).tolist() == [
        # x, x missing, g is a, g is b, g missing
        [1, 0, 1, 0, 0],
        [3, 1, 0, 1, 0],
        [3, 0, 0, 0, 0],
        [10, 0, 0, 0, 1],
        [3, 0, 1, 0, 0],
    ]


def test_gaps_are_kept_for_those_who_can_take_them(world):
    matrix = five_rows()
    kept = learn_inputs(matrix, keeps_missing=True).of(matrix)
    np.testing.assert_array_equal(kept[:, 0], matrix.values[:, 0])
    assert kept.shape == (5, 4)
    for estimator, takes in ((HistGradientBoostingClassifier(max_iter=2), True), (GaussianNB(), False), (Own(), False)):
        fitted = fit_outside(estimator, world.matrix, world.outcome, seed=1)
        assert np.isnan(fitted.inputs.of(world.matrix)).any() == takes


def test_a_category_of_many_values_is_one_column():
    words = tuple(f"{number:03d}" for number in range(60))
    matrix = matrix_of({"g": np.array([59.0, -1.0, np.nan])}, {"g": words})
    assert learn_inputs(matrix, keeps_missing=False).of(matrix).tolist() == [[59.0], [-1.0], [-2.0]]


def test_a_column_without_any_value_is_nought():
    matrix = matrix_of({"x": np.full(3, np.nan)})
    assert learn_inputs(matrix, keeps_missing=False).of(matrix).tolist() == [[0.0]] * 3


# ---------------------------------------------------------------- compared, and no more


def test_it_is_never_saved_explained_or_read_back(world):
    fitted = fit_outside(FOREST, world.matrix, world.outcome, 1, "forest")
    words = r"^estimators\.forest: an estimator from Python is compared, but never explained, saved or scored with"
    for way in (fitted.to_files, fitted.to_dict, lambda: fitted.contributions(world.matrix)):
        with pytest.raises(UsageError, match=words):
            way()
    with pytest.raises(UsageError, match=words):
        Outside("forest", FOREST).family.load({}, (), {})
    model = RiskModel(
        "planted", "forest", fitted, world.encoder, world.model("points").calibrator, world.features.specs
    )
    with pytest.raises(UsageError, match=words):
        model.to_files()


@pytest.mark.parametrize(
    ("name", "estimator", "words"),
    [
        ("Forest", FOREST, "must have lower-case letters"),
        ("a.b", FOREST, "must have lower-case letters"),
        ("logistic", FOREST, "is the name of a family"),
        ("forest", RandomForestClassifier, r"is a class; give an instance of it, such as RandomForestClassifier\(\)"),
        ("forest", SimpleNamespace(fit=print), "SimpleNamespace needs fit and predict_proba"),
        ("forest", None, "NoneType needs fit and predict_proba"),
    ],
)
def test_refuses_what_is_no_estimator(name, estimator, words):
    assert "logistic" in MODELS
    with pytest.raises(UsageError, match=words):
        outside_families({name: estimator})


class Broken(Own):
    def __init__(self, answer=None):
        self.answer = answer

    def predict_proba(self, x):
        return self.answer(len(x))


ANSWERS = {
    "one column": lambda rows: np.full(rows, 0.2),
    "rows too few": lambda rows: np.full((rows - 1, 2), 0.5),
    "above one": lambda rows: np.full((rows, 2), 1.5),
    "no number": lambda rows: np.full((rows, 2), np.nan),
    "words": lambda rows: [["a", "b"]] * rows,
    "nothing": lambda rows: None,
}


@pytest.mark.parametrize("how", ANSWERS)
def test_refuses_what_is_no_probability(world, how):
    fitted = fit_outside(Broken(ANSWERS[how]), world.matrix, world.outcome, 1, "broken")
    with pytest.raises(UsageError, match=r"^estimators\.broken: predict_proba must give every row a probability"):
        fitted.score(world.matrix)


def test_somebody_elses_error_is_one_line_without_its_words(world):
    class Telling(Own):
        def fit(self, x, y):
            raise ValueError(f"cannot stand {x[0, 0]}\n in row 1")

    with pytest.raises(UsageError, match=r"^estimators\.telling: its fit failed \(ValueError\); try it") as refusal:
        fit_outside(Telling(), world.matrix, world.outcome, 1, "telling")
    assert "cannot stand" not in str(refusal.value)
    assert isinstance(refusal.value.__cause__, ValueError)


def test_an_outcome_that_cannot_teach_is_refused_as_for_any_family(world):
    with pytest.raises(DataError, match="only one class in the fit rows"):
        fit_outside(FOREST, world.matrix, np.zeros(len(world.matrix)), 1)
