from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from riskmodels.errors import StudyError
from riskmodels.models.additive import Levels, Line
from riskmodels.models.families import MODELS
from riskmodels.models.linear import fit_named_column, fit_single_best_column, fit_weighted_sum
from riskmodels.models.logit import log_odds
from riskmodels.models.matrix import Matrix
from riskmodels.study import LogisticSettings
from tests.models.planted import STUDY, World, make_world, matrix_of


def term_of(fitted, feature):
    return next(term for term in fitted.terms if term.feature == feature)


# ---------------------------------------------------------------- one column


def test_base_rate_is_the_log_odds_of_the_rate(world):
    fitted = world.fit("base_rate")
    assert fitted.score(world.matrix)[0] == pytest.approx(log_odds(world.outcome.mean()), rel=1e-7)
    assert not fitted.contributions(world.matrix).any()


def test_single_best_column_finds_the_planted_number(world):
    fitted = world.fit("single_best_column")
    assert [term.feature for term in fitted.terms] == ["reading"]


def test_single_best_column_finds_a_planted_category():
    draw = np.random.default_rng(4)
    group = draw.integers(0, 3, 900)
    outcome = draw.random(900) < np.array([0.1, 0.6, 0.3])[group]
    matrix = matrix_of({"noise": draw.normal(size=900), "group": group}, {"group": ("a", "b", "c")})
    fitted = fit_single_best_column(matrix, outcome)
    (term,) = fitted.terms
    assert term.feature == "group"
    assert term.levels["b"] > term.levels["c"] > term.levels["a"]


def test_many_meaningless_values_do_not_beat_one_weak_number():
    """300 values of 7 rows each sort their own fit rows well, and nothing else."""
    draw = np.random.default_rng(5)
    weak = draw.normal(size=2_100)
    outcome = draw.random(2_100) < 1 / (1 + np.exp(1 - 0.5 * weak))
    code = draw.integers(0, 300, 2_100)
    rates = np.bincount(code, weights=outcome, minlength=300) / np.maximum(np.bincount(code, minlength=300), 1)
    matrix = matrix_of({"code": code, "weak": weak}, {"code": tuple(f"{n:03d}" for n in range(300))})
    assert roc_auc_score(outcome, rates[code]) > roc_auc_score(outcome, weak)
    assert [term.feature for term in fit_single_best_column(matrix, outcome).terms] == ["weak"]


def test_single_best_column_takes_the_earlier_of_equals():
    draw = np.random.default_rng(6)
    x = draw.normal(size=300)
    outcome = draw.random(300) < 1 / (1 + np.exp(-x))
    assert fit_single_best_column(matrix_of({"a": x, "b": 2 * x}), outcome).terms[0].feature == "a"


def test_those_with_the_column_missing_stand_at_their_own_rate():
    draw = np.random.default_rng(7)
    x = draw.normal(size=4_000)
    missing = np.arange(4_000) < 1_000
    outcome = np.where(missing, draw.random(4_000) < 0.8, draw.random(4_000) < 1 / (1 + np.exp(1 - x)))
    matrix = matrix_of({"x": np.where(missing, np.nan, x)})
    fitted = fit_single_best_column(matrix, outcome)
    risk = 1 / (1 + np.exp(-fitted.score(matrix)))
    # 20 rows at the mean rate are mixed in.
    expected = (outcome[missing].sum() + 20 * outcome.mean()) / 1_020
    assert risk[0] == pytest.approx(expected, abs=1e-6)
    assert risk[~missing].mean() == pytest.approx(outcome[~missing].mean(), abs=1e-6)


@pytest.mark.parametrize("sign", [1, -1])
def test_current_practice_keeps_the_order_of_its_column_from_either_end(sign):
    draw = np.random.default_rng(8)
    rank = np.arange(500.0)
    outcome = draw.random(500) < 1 / (1 + np.exp((rank - 250) / 80))
    matrix = matrix_of({"rank": sign * rank})
    score = fit_named_column("rank", "models.current_practice", matrix, outcome).score(matrix)
    assert (np.diff(score) < 0).all()


def test_place_only_is_the_smoothed_rate_of_each_place(world):
    fitted = world.fit("place_only")
    (term,) = fitted.terms
    assert isinstance(term, Levels)
    here = world.frame["school"].to_numpy() == "school 07"
    mean = world.outcome.mean()
    rate = (world.outcome[here].sum() + 20 * mean) / (here.sum() + 20)
    assert fitted.score(world.matrix)[here][0] == pytest.approx(log_odds(rate), abs=1e-6)
    assert term.unseen == term.missing == 0.0


def test_a_place_that_is_no_feature_is_an_error_of_the_study(world):
    with pytest.raises(StudyError, match=r"models.place: no feature is called 'ward' \(known: reading, "):
        fit_named_column("ward", "models.place", world.matrix, world.outcome)
    assert MODELS["place_only"].fit(world.matrix, world.outcome, None, seed=1, threads=1, study=STUDY).terms


# ---------------------------------------------------------------- a weighted sum


def design_of(world: World) -> tuple[np.ndarray, np.ndarray]:
    """The same design made slowly: columns, and the feature that each belongs to."""
    values, columns, owner = world.matrix.values, [], []
    for place, column in enumerate(world.matrix.columns):
        x = values[:, place]
        if column.kind == "number":
            recorded = x[~np.isnan(x)]
            columns.append(np.where(np.isnan(x), 0, (x - recorded.mean()) / recorded.std()))
        else:
            columns += [x == code for code, value in enumerate(column.vocabulary) if value != column.typical]
        columns += [np.isnan(x)] if np.isnan(x).any() else []
        owner += [place] * (len(columns) - len(owner))
    return np.column_stack(columns).astype(float), np.array(owner)


def test_logistic_equals_scikit_learn_on_the_design(world):
    from sklearn.linear_model import LogisticRegression

    design, _ = design_of(world)
    for c in (0.05, 1.0):
        theirs = LogisticRegression(C=c, tol=1e-8, max_iter=5_000).fit(design, world.outcome)
        ours = fit_weighted_sum(world.matrix, world.outcome, LogisticSettings(c=c))
        np.testing.assert_allclose(ours.score(world.matrix), theirs.decision_function(design), atol=2e-4)


def test_logistic_contributions_equal_shap(world):
    """Linear SHAP values of the design, added up by feature (Lundberg and Lee 2017)."""
    import shap
    from sklearn.linear_model import LogisticRegression

    design, owner = design_of(world)
    fitted = world.fit("logistic")
    regression = LogisticRegression(tol=1e-8, max_iter=5_000).fit(design, world.outcome)
    masker = shap.maskers.Independent(design, max_samples=len(design))
    theirs = shap.LinearExplainer(regression, masker).shap_values(design)
    by_feature = np.column_stack([theirs[:, owner == place].sum(axis=1) for place in range(5)])
    np.testing.assert_allclose(fitted.contributions(world.matrix), by_feature, atol=2e-4)


def test_values_not_learned_move_nothing_and_nor_does_missing_where_none_was(world):
    fitted = world.fit("logistic")
    row = world.matrix.values[:1].copy()
    row[0, 4] = -1.0
    row[0, 2] = np.nan  # income is imputed, so the fit rows had none missing
    new = Matrix(row, np.ones_like(row, dtype=bool), world.matrix.columns)
    parts = fitted.contributions(new)[0]
    assert parts[4] == pytest.approx(0.0, abs=1e-6)
    assert parts[2] == pytest.approx(0.0, abs=1e-6)


def test_pooled_rare_values_get_a_weight_of_their_own():
    draw = np.random.default_rng(9)
    code = draw.choice([0.0, 1.0, -1.0], 900)
    outcome = draw.random(900) < np.where(code == -1, 0.8, 0.2)
    matrix = matrix_of({"g": code}, {"g": ("a", "b")})
    term = term_of(fit_weighted_sum(matrix, outcome, LogisticSettings()), "g")
    assert term.unseen > 2 > abs(term.levels["b"]) + 1


def test_nothing_to_weigh_gives_the_base_rate():
    matrix = matrix_of({"x": np.full(50, 3.0)})
    fitted = fit_weighted_sum(matrix, np.arange(50) < 10, LogisticSettings())
    assert fitted.terms == ()
    assert fitted.base == pytest.approx(log_odds(0.2), abs=1e-6)


def test_better_than_one_column_where_more_is_planted():
    world, later = make_world(rows=2_000), make_world(rows=2_000, seed=12)
    matrix = world.encoder.encode(later.frame)
    aucs = [roc_auc_score(later.outcome, world.fit(name).score(matrix)) for name in ("single_best_column", "logistic")]
    assert aucs[1] > aucs[0] > 0.7
    assert isinstance(term_of(world.fit("logistic"), "reading"), Line)
