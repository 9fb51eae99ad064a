from __future__ import annotations

import json
import sys
import warnings

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from riskmodels.errors import ModelFileError, UsageError
from riskmodels.models import explainable_boosting
from riskmodels.models.additive import Additive, Levels, Shape
from riskmodels.models.explainable_boosting import fit_explainable_boosting
from riskmodels.models.matrix import Matrix
from riskmodels.models.reasons import top_reasons
from riskmodels.models.risk_model import RiskModel
from riskmodels.study import ExplainableBoostingSettings
from tests.models.planted import make_world, matrix_of
from tests.models.test_risk_model import sealed

SETTINGS = ExplainableBoostingSettings(rounds=200)


def fit_beside(matrix: Matrix, outcome, monkeypatch, settings=SETTINGS, seed: int = 3):
    """Our model, and the very machine of interpret that it was made from."""
    machines = []
    plain = explainable_boosting._interpret

    class Kept(plain()):
        def fit(self, *given):
            machines.append(self)
            return super().fit(*given)

    monkeypatch.setattr(explainable_boosting, "_interpret", lambda: Kept)
    fitted = fit_explainable_boosting(matrix, outcome, settings, seed)
    return fitted, machines[0]


def decision(machine, values: np.ndarray) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return machine.decision_function(values)


def test_equals_interprets_own_score(world, monkeypatch):
    """On the fit rows, and on new ones: on every cut, beyond every bound, nothing recorded, and nothing known."""
    fitted, machine = fit_beside(world.matrix, world.outcome, monkeypatch)
    np.testing.assert_allclose(fitted.score(world.matrix), decision(machine, world.matrix.values), rtol=0, atol=1e-9)
    new = make_world(rows=1_000, seed=77)
    values = world.encoder.encode(new.frame).values.copy()
    for term in fitted.terms:
        position = world.matrix.position(term.feature)
        if isinstance(term, Shape):
            values[: len(term.cuts), position] = term.cuts
            values[100 : 100 + len(term.cuts), position] = np.nextafter(term.cuts, -np.inf)
            values[200:210, position], values[210:220, position] = 1e9, -1e9
        else:
            values[220:240, position] = -1.0
        values[240:260, position] = np.nan
    found = fitted.score(Matrix(values, ~np.isnan(values), world.matrix.columns))
    np.testing.assert_allclose(found, decision(machine, values), rtol=0, atol=1e-9)


def test_settings_and_seed_reach_interpret(world, monkeypatch):
    settings = ExplainableBoostingSettings(bins=16, rounds=50, learning_rate=0.1, min_rows_in_leaf=25)
    fitted, machine = fit_beside(world.matrix, world.outcome, monkeypatch, settings, seed=2**40 + 5)
    told = machine.get_params()
    assert (told["max_rounds"], told["learning_rate"], told["min_samples_leaf"]) == (50, 0.1, 25)
    assert (told["interactions"], told["n_jobs"], told["random_state"]) == (0, 1, 5)
    assert all(features == (place,) for place, features in enumerate(machine.term_features_))
    assert max(len(term.cuts) for term in fitted.terms if isinstance(term, Shape)) <= 15


def test_another_seed_is_another_model(world):
    one, two, again = (fit_explainable_boosting(world.matrix, world.outcome, SETTINGS, seed) for seed in (3, 4, 3))
    assert one == again
    assert one != two


def test_finds_a_shape_that_is_no_line():
    draw = np.random.default_rng(5)
    x = draw.uniform(0, 100, 4_000)
    outcome = draw.random(4_000) < np.where(np.abs(x - 50) > 30, 0.5, 0.1)
    fitted = fit_explainable_boosting(matrix_of({"x": x}), outcome, ExplainableBoostingSettings(), 1)
    asked = np.array([[5.0], [50.0], [95.0]])
    low, middle, high = fitted.score(Matrix(asked, ~np.isnan(asked), matrix_of({"x": x}).columns))
    assert min(low, high) > middle + 1.5


def test_better_than_one_column_where_more_is_planted():
    world, later = make_world(rows=2_000), make_world(rows=2_000, seed=12)
    matrix = world.encoder.encode(later.frame)
    aucs = [
        roc_auc_score(later.outcome, world.fit(name).score(matrix))
        for name in ("single_best_column", "explainable_boosting")
    ]
    assert aucs[1] > aucs[0] > 0.7


# ---------------------------------------------------------------- what may be missing


def test_a_value_not_learned_moves_nothing_unless_there_were_such_rows(world):
    term = next(term for term in world.fit("explainable_boosting").terms if term.feature == "school")
    assert isinstance(term, Levels)
    assert term.unseen == 0.0
    draw = np.random.default_rng(9)
    code = draw.choice([0.0, 1.0, -1.0], 2_000)
    outcome = draw.random(2_000) < np.where(code == -1, 0.8, 0.2)
    (pooled,) = fit_explainable_boosting(matrix_of({"g": code}, {"g": ("a", "b")}), outcome, SETTINGS, 1).terms
    assert pooled.unseen > max(pooled.levels.values()) + 2


def test_missing_has_its_own_score_even_where_nothing_else_tells():
    draw = np.random.default_rng(10)
    gone = np.arange(2_000) < 600
    outcome = draw.random(2_000) < np.where(gone, 0.7, 0.2)
    (term,) = fit_explainable_boosting(matrix_of({"x": np.where(gone, np.nan, 4.0)}), outcome, SETTINGS, 1).terms
    assert term.cuts == ()
    assert term.missing > term.scores[0] + 1.5


def test_few_rows_of_either_class_are_enough_to_fit():
    small = make_world(rows=120)
    fitted = fit_explainable_boosting(small.matrix, np.arange(120) < 5, SETTINGS, 1)
    assert np.isfinite(fitted.score(small.matrix)).all()


# ---------------------------------------------------------------- what is kept


def test_no_extreme_value_of_the_data_is_kept(world):
    values = world.matrix.values.copy()
    values[:4, 0], values[4:8, 0] = 987_654.25, -123_456.75
    changed = Matrix(values, world.matrix.recorded, world.matrix.columns)
    fitted = fit_explainable_boosting(changed, world.outcome, SETTINGS, 3)
    (term,) = (term for term in fitted.terms if term.feature == "reading")
    assert min(term.cuts) > 0
    assert max(term.cuts) <= 100
    recorded = np.sort(values[~np.isnan(values[:, 0]), 0])
    between = np.diff([0, *np.searchsorted(recorded, term.cuts), len(recorded)])
    assert between.min() >= 5


def test_equal_neighbours_share_a_step(world):
    for term in world.fit("explainable_boosting").terms:
        if isinstance(term, Shape):
            assert all(before != after for before, after in zip(term.scores, term.scores[1:], strict=False))


def test_comes_back_and_explains_itself_without_interpret(world, monkeypatch):
    model = world.model("explainable_boosting")
    files = model.to_files()
    assert set(files) == {"manifest.json", "model.json", "features.json", "calibrator.json", "reasons.json"}
    monkeypatch.setitem(sys.modules, "interpret", None)
    monkeypatch.setitem(sys.modules, "interpret.glassbox", None)
    later = make_world(rows=400, seed=99).frame
    again = RiskModel.from_files(files)
    np.testing.assert_array_equal(again.score(later), model.score(later))
    reasons = top_reasons(again, later)
    assert any(reason and reason.startswith("a low reading score") for reason in reasons["reason_1"])


def test_without_interpret_it_says_what_to_install(world, monkeypatch):
    monkeypatch.setitem(sys.modules, "interpret.glassbox", None)
    with pytest.raises(UsageError, match=r"needs the extra: pip install 'riskmodels\[explainable\]'$"):
        world.fit("explainable_boosting")


def test_nothing_to_learn_needs_no_machine():
    fitted = fit_explainable_boosting(matrix_of({"x": np.full(50, 3.0)}), np.arange(50) < 10, SETTINGS, 1)
    assert fitted == Additive(pytest.approx(np.log(0.25), abs=1e-6), ())


MALFORMED = {
    "cuts that fall": lambda term: term["cuts"].reverse(),
    "a cut twice": lambda term: term["cuts"].__setitem__(1, term["cuts"][0]),
    "a score less": lambda term: term["scores"].pop(),
    "no scores": lambda term: term.update(cuts=[], scores=[]),
    "no missing": lambda term: term.pop("missing"),
    "steps of a category": lambda term: term.update(feature="school"),
}


@pytest.mark.parametrize("how", MALFORMED)
def test_refuses_malformed_steps(world, how):
    files = world.model("explainable_boosting").to_files()
    raw = json.loads(files["model.json"])
    assert raw["fitted"]["terms"][0]["shape"] == "steps"
    MALFORMED[how](raw["fitted"]["terms"][0])
    with pytest.raises(ModelFileError, match=r"^model\.json: ") as refusal:
        RiskModel.from_files(sealed(files | {"model.json": json.dumps(raw).encode()}))
    assert "\n" not in str(refusal.value)
