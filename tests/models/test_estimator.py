"""The families as scikit-learn expects a classifier to be, and as a saved model is."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.calibration import calibration_curve
from sklearn.frozen import FrozenEstimator
from sklearn.inspection import partial_dependence, permutation_importance
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import (
    check_dataframe_column_names_consistency,
    check_n_features_in,
    parametrize_with_checks,
)

from riskmodels import RiskClassifier, RiskModel
from riskmodels.data.features import Features
from riskmodels.errors import DataError, UsageError
from riskmodels.models.calibration import CALIBRATORS, fit_calibrator
from riskmodels.models.estimator import _parted
from riskmodels.models.families import MODELS
from riskmodels.models.matrix import fit_encoder
from tests.models.planted import SETTINGS, make_world, spec

SMALL: dict[str, dict[str, Any]] = {
    family: {"family": family, "settings": settings.model_dump() or None, "threads": 1}
    for family, settings in SETTINGS.items()
} | {
    "place_only": {"family": "place_only", "column": "class_type"},
    "current_practice": {"family": "current_practice", "column": "reading"},
}


@pytest.fixture(scope="module")
def people() -> pl.DataFrame:
    """Their features, without ids and dates."""
    return make_world().frame.drop("entity_id", "as_of_date")


@pytest.fixture(scope="module")
def later() -> pl.DataFrame:
    return make_world(rows=400, seed=99).frame.drop("entity_id", "as_of_date")


@pytest.fixture(scope="module")
def outcome() -> np.ndarray:
    return make_world().outcome


# ---------------------------------------------------------------- scikit-learn's own checks

TOO_FEW = "fits on {} rows with {} of the rarer class: fewer than 5 to fit on and some to calibrate on are refused"
NOT_MET = {
    "check_n_features_in_after_fitting": TOO_FEW.format(15, 5) + "; test_a_column_more_or_less_is_refused instead",
    "check_fit2d_1feature": TOO_FEW.format(10, 3) + "; test_one_column_is_enough instead",
}
CHECKED = [
    RiskClassifier(**({"calibrate_share": 0.1} | parameters))
    for parameters in (
        *({**SMALL[family]} for family in ("base_rate", "single_best_column", "points", "logistic")),
        {"family": "place_only", "column": "x0"},
        {"family": "current_practice", "column": "x0"},
        {"family": "explainable_boosting", "settings": {"rounds": 50}},
        {"family": "lightgbm", "settings": {"trees": 20, "min_rows_in_leaf": 2}},
        {"family": "lightgbm"},
    )
]
CALIBRATED = [
    RiskClassifier("logistic", calibrator=kind, calibrate_share=0.1) for kind in CALIBRATORS if kind != "sigmoid"
]


def test_every_family_and_calibrator_is_checked() -> None:
    assert {model.family for model in CHECKED} == set(MODELS)
    assert {model.calibrator for model in CHECKED + CALIBRATED} == set(CALIBRATORS)


@parametrize_with_checks(CHECKED, expected_failed_checks=lambda model: NOT_MET, xfail_strict=True)
def test_scikit_learn(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.mark.slow
@parametrize_with_checks(CALIBRATED, expected_failed_checks=lambda model: NOT_MET, xfail_strict=True)
def test_scikit_learn_with_every_calibrator(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.mark.parametrize("check", [check_dataframe_column_names_consistency, check_n_features_in])
def test_scikit_learn_on_columns(check: Any) -> None:
    """Checks that scikit-learn keeps for its own estimators."""
    check("RiskClassifier", RiskClassifier("logistic", calibrate_share=0.1))


def test_a_column_more_or_less_is_refused(people: pl.DataFrame, outcome: np.ndarray) -> None:
    numbers = people.select("reading", "absences", "income").to_numpy()
    model = RiskClassifier("logistic").fit(numbers, outcome)
    assert model.n_features_in_ == 3
    assert model.model_.encoder.names == ("x0", "x1", "x2")
    for method in (model.predict, model.predict_proba, model.contributions):
        with pytest.raises(ValueError, match="X has 2 features, but RiskClassifier is expecting 3"):
            method(numbers[:, :2])


@pytest.mark.parametrize("family", ["logistic", "lightgbm", "points"])
def test_one_column_is_enough(people: pl.DataFrame, outcome: np.ndarray, family: str) -> None:
    risk = RiskClassifier(**SMALL[family]).fit(people[["reading"]], outcome).predict_proba(people[["reading"]])[:, 1]
    assert risk[people["reading"].fill_null(50) < 20].mean() > risk[people["reading"].fill_null(50) > 80].mean() + 0.3


# ---------------------------------------------------------------- what is fitted


@pytest.mark.parametrize("family", MODELS)
def test_pandas_polars_and_the_saved_model_are_one(
    people: pl.DataFrame, later: pl.DataFrame, outcome: np.ndarray, family: str
) -> None:
    ours = RiskClassifier(**SMALL[family]).fit(people, outcome)
    theirs = RiskClassifier(**SMALL[family] | {"threads": 2}).fit(people.to_pandas(), pd.Series(outcome))
    assert ours.to_risk_model().to_files() == theirs.to_risk_model().to_files()
    saved = RiskModel.from_files(ours.to_risk_model("reading").to_files())
    assert saved.study_id == "reading"
    again = RiskClassifier.from_risk_model(saved)
    assert again.to_risk_model() is saved
    risk = saved.predict_risk(later)
    assert np.ptp(risk) > 0 or family == "base_rate"
    for model in (ours, theirs, again, pickle.loads(pickle.dumps(again))):
        for frame in (later, later.to_pandas()):
            np.testing.assert_array_equal(model.predict_proba(frame), np.column_stack([1.0 - risk, risk]))
            # A model that was read is explained by the fast kernel, a fitted one by LightGBM: another order of adding.
            np.testing.assert_allclose(model.contributions(frame), saved.contributions(later), rtol=0, atol=1e-12)


def test_the_recipe_is_that_of_a_study(outcome: np.ndarray) -> None:
    """The same steps by hand: encoder and family from the fit rows alone, the calibrator from the others."""
    world = make_world()
    numbers = ("reading", "absences", "income")
    specs = tuple(spec(name, "number" if name in numbers else "category") for name in world.features.names)
    fit, calibrate = _parted(outcome, 0.25, 7)
    encoder = fit_encoder(Features(world.frame, specs), fit)
    matrix = encoder.encode(world.frame)
    fitted = MODELS["lightgbm"].fit(matrix.at(fit), outcome[fit], SETTINGS["lightgbm"], seed=7, threads=1, study=None)
    calibrator = fit_calibrator("beta", fitted.score(matrix.at(calibrate)), outcome[calibrate])
    people = world.frame[world.features.names]
    model = RiskClassifier(**SMALL["lightgbm"], calibrator="beta", seed=7).fit(people, outcome)
    np.testing.assert_array_equal(model.predict_proba(people)[:, 1], calibrator.apply(fitted.score(matrix)))


def test_rows_held_out_teach_the_calibrator_and_nothing_else(people: pl.DataFrame, outcome: np.ndarray) -> None:
    _, held = _parted(outcome, 0.25, 0)
    # Two of them, of different classes, change places: their classes stay where they were, and so does the draw.
    one, other = held[outcome[held] == 1][0], held[outcome[held] == 0][0]
    places = np.arange(len(outcome))
    places[[one, other]] = other, one
    first = RiskClassifier(**SMALL["logistic"]).fit(people, outcome).model_
    second = RiskClassifier(**SMALL["logistic"]).fit(people[places.tolist()], outcome).model_
    assert first.fitted == second.fitted
    assert first.encoder == second.encoder
    assert first.calibrator != second.calibrator


def test_a_share_of_either_class_is_held_out() -> None:
    # 40 rows of one class and 8 of the other: a quarter is 10 and 2. Of 3 rows a tenth is none, so one is held.
    outcome = np.array([0] * 40 + [1] * 8)
    fit, held = _parted(outcome, 0.25, 0)
    assert sorted([*fit, *held]) == list(range(48))
    assert np.bincount(outcome[held]).tolist() == [10, 2]
    assert np.bincount(np.array([0, 0, 0, 1, 1, 1])[_parted(np.array([0, 0, 0, 1, 1, 1]), 0.1, 0)[1]]).tolist() == [
        1,
        1,
    ]
    assert _parted(outcome, 0.25, 1)[1].tolist() != held.tolist()


def test_the_seed_and_the_settings_matter(people: pl.DataFrame, outcome: np.ndarray) -> None:
    def files(**changes: Any) -> dict[str, bytes]:
        return RiskClassifier(**SMALL["lightgbm"] | changes).fit(people, outcome).model_.to_files()

    assert files() == files()
    made = [files(), files(seed=1), files(settings={"trees": 5}), files(calibrator="isotonic")]
    assert len({files["manifest.json"] for files in made}) == 4


def test_classes_keep_their_names(people: pl.DataFrame, outcome: np.ndarray) -> None:
    words = np.where(outcome == 1, "yes", "no")
    named = RiskClassifier("logistic").fit(people, words)
    plain = RiskClassifier("logistic").fit(people, outcome)
    assert named.classes_.tolist() == ["no", "yes"]
    np.testing.assert_array_equal(named.predict_proba(people), plain.predict_proba(people))
    told = named.predict(people)
    np.testing.assert_array_equal(told == "yes", plain.predict_proba(people)[:, 1] > 0.5)
    assert set(told) == {"no", "yes"}


# ---------------------------------------------------------------- at home in scikit-learn


@pytest.fixture(scope="module")
def saved() -> RiskClassifier:
    return RiskClassifier.from_risk_model(make_world().model("lightgbm"))


def test_a_saved_model_in_the_tools_of_scikit_learn(
    saved: RiskClassifier, later: pl.DataFrame, people: pl.DataFrame, outcome: np.ndarray
) -> None:
    frame, known = later.to_pandas(), make_world(rows=400, seed=99).outcome
    risk = saved.predict_proba(frame)[:, 1]
    observed, told = calibration_curve(known, risk, n_bins=4, strategy="quantile")
    assert np.abs(observed - told).max() < 0.2
    found = permutation_importance(saved, frame, known, scoring="roc_auc", n_repeats=3, random_state=0)
    assert saved.feature_names_in_[found.importances_mean.argmax()] == "reading"
    recorded = frame.dropna(subset="reading")
    curve = partial_dependence(saved, recorded, ["reading"], kind="average", grid_resolution=10)["average"][0]
    assert curve[0] > curve[-1] + 0.2
    pipeline = make_pipeline(FunctionTransformer(lambda given: given[list(saved.feature_names_in_)]), saved)
    wide = frame.assign(entity_id="p1")[["entity_id", *reversed(frame.columns)]]
    np.testing.assert_array_equal(pipeline.predict_proba(wide)[:, 1], risk)
    aucs = cross_val_score(FrozenEstimator(saved), frame, known, scoring="roc_auc", cv=2)
    assert aucs.min() > 0.65


@pytest.mark.parametrize("kind", ["pandas", "polars"])
def test_a_classifier_in_the_tools_of_scikit_learn(people: pl.DataFrame, outcome: np.ndarray, kind: str) -> None:
    frame = people.to_pandas() if kind == "pandas" else people
    search = GridSearchCV(
        RiskClassifier("points", threads=1), {"settings": [{"most": 1}, {"most": 6}]}, scoring="roc_auc", cv=3
    )
    search.fit(frame, outcome)
    assert search.best_params_ == {"settings": {"most": 6}}
    assert search.best_score_ > 0.75


def test_a_clone_is_to_be_fitted_anew(saved: RiskClassifier, later: pl.DataFrame) -> None:
    fresh = clone(saved)
    assert (fresh.family, fresh.settings) == ("lightgbm", None)
    with pytest.raises(ValueError, match="not fitted yet"):
        fresh.predict(later)
    with pytest.raises(ValueError, match="not fitted yet"):
        fresh.to_risk_model()


# ---------------------------------------------------------------- what is refused

PARAMETERS: dict[str, tuple[dict[str, Any], str]] = {
    "a family that is none": ({"family": "oracle"}, "'oracle' is not one"),
    "an unknown setting": ({"settings": {"leafs": 7}}, "leafs: unknown key; did you mean 'leaves'"),
    "a setting out of range": ({"settings": {"trees": 0}}, "trees: Input should be greater than or equal to 1"),
    "a calibrator that is none": ({"calibrator": "platt"}, "calibrator: Input should be 'sigmoid'"),
    "no seed": ({"seed": None}, "seed: must be a whole number"),
    "a seed below nought": ({"seed": -1}, "seed: must be a whole number"),
    "a share of everybody": ({"calibrate_share": 1.0}, "calibrate_share: must be between 0 and 1"),
    "a family that is a list": ({"family": ["logistic"]}, "family: \\['logistic'\\] is not one"),
    "settings that are a list": ({"settings": [1]}, "settings: must be a dict of the family's settings"),
    "a seed that is an answer": ({"seed": True}, "seed: must be a whole number"),
    "a share in letters": ({"calibrate_share": "a"}, "calibrate_share: must be between 0 and 1"),
    "a share that is no number": ({"calibrate_share": float("nan")}, "calibrate_share: must be between 0 and 1"),
    "threads below one": ({"threads": -1}, "threads: must be a whole number from 1 up"),
    "no threads": ({"threads": 0}, "threads: must be a whole number from 1 up"),
    "threads in letters": ({"threads": "2"}, "threads: must be a whole number from 1 up"),
    "threads that are an answer": ({"threads": True}, "threads: must be a whole number from 1 up"),
    "a column that is a list": ({"family": "place_only", "column": ["school"]}, "Input should be a valid string"),
    "no column named": ({"family": "place_only"}, "name the column"),
    "another column named": ({"family": "place_only", "column": "ward"}, "no feature is called 'ward'"),
    "a spline of a category": ({"family": "logistic", "settings": {"splines": ["school"]}}, "school"),
}


@pytest.mark.parametrize("how", PARAMETERS)
def test_refuses_a_parameter(people: pl.DataFrame, outcome: np.ndarray, how: str) -> None:
    parameters, words = PARAMETERS[how]
    with pytest.raises(UsageError, match=words) as refusal:
        RiskClassifier(**parameters).fit(people, outcome)
    assert isinstance(refusal.value, ValueError)
    assert "\n" not in str(refusal.value)


def test_refuses_outcomes_that_are_not_two(people: pl.DataFrame, outcome: np.ndarray) -> None:
    few = np.zeros(len(outcome), dtype=int)
    few[:6] = 1
    # A quarter of 6 is 1.5, rounded to the even 2: 4 are left.
    with pytest.raises(DataError, match="y: 4 of the 2250 rows to fit on are of the rarer class, and 5 are needed"):
        RiskClassifier().fit(people, few)
    few[6] = 1  # 2 of 7 are held, 5 are left
    RiskClassifier(**SMALL["base_rate"]).fit(people, few)
    for given, words in (
        (np.zeros(len(outcome)), "only one class in 3000 rows"),
        (np.arange(len(outcome)) % 3, "Only binary classification is supported"),
        (outcome[:-1], "inconsistent numbers of samples"),
        (np.where(outcome == 1, 1.0, np.nan), "NaN"),
        (None, "requires y to be passed"),
    ):
        with pytest.raises(ValueError, match=words):
            RiskClassifier().fit(people, given)


ROWS: dict[str, tuple[Any, str]] = {
    "text for a number": (lambda frame: frame.assign(reading="a secret"), "'reading' is text where numbers are needed"),
    "text among numbers": (lambda frame: frame.assign(reading=["a secret", *range(399)]), "values of several types"),
    "fractions for a category": (lambda frame: frame.assign(school=0.5), "'school' is fractions where text is needed"),
    "infinity": (lambda frame: frame.assign(income=[np.inf] * 400), "'income' is infinite in row 1"),
    "no row": (lambda frame: frame[:0], "0 rows and 5 columns"),
}


@pytest.mark.parametrize("how", ROWS)
def test_refuses_rows(saved: RiskClassifier, later: pl.DataFrame, how: str) -> None:
    change, words = ROWS[how]
    with pytest.raises(DataError, match=words) as refusal:
        saved.predict_proba(change(later.to_pandas()))
    assert isinstance(refusal.value, ValueError)
    assert "\n" not in str(refusal.value)
    assert "secret" not in str(refusal.value)


def test_refuses_other_columns_as_scikit_learn_does(saved: RiskClassifier, later: pl.DataFrame) -> None:
    with pytest.raises(ValueError, match="seen at fit time, yet now missing:\n- income"):
        saved.predict_proba(later.drop("income"))
    with pytest.raises(ValueError, match="must be in the same order"):
        saved.predict_proba(later[["income", "reading", "absences", "class_type", "school"]])


@pytest.mark.parametrize("rows", [[["a secret", 1.0]] * 20, np.array([["a secret", 1.0]] * 20, dtype=object)])
def test_text_in_an_array_is_refused_and_not_quoted(rows: Any) -> None:
    with pytest.raises(DataError, match="an array holds text") as refusal:
        RiskClassifier("logistic").fit(rows, [0, 1] * 10)
    assert "secret" not in str(refusal.value)


def test_a_column_that_stands_twice_is_refused(people: pl.DataFrame, outcome: np.ndarray) -> None:
    frame = people.to_pandas()
    with pytest.raises(DataError, match="'reading' stands there twice"):
        RiskClassifier("logistic").fit(frame[["reading", "reading"]], outcome)
