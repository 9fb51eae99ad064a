from __future__ import annotations

import json
from fractions import Fraction

import numpy as np
import pytest
from scipy.interpolate import CubicSpline
from sklearn.metrics import roc_auc_score

from riskmodels.errors import ModelFileError, StudyError
from riskmodels.models.additive import Bend, Line
from riskmodels.models.calibration import fit_calibrator
from riskmodels.models.linear import fit_weighted_sum
from riskmodels.models.matrix import Matrix
from riskmodels.models.reasons import top_reasons
from riskmodels.models.risk_model import RiskModel
from riskmodels.models.splines import PLACES, knots_of, restricted_cubic_basis
from riskmodels.study import LogisticSettings
from tests.models.planted import make_world, matrix_of
from tests.models.test_risk_model import sealed

# ---------------------------------------------------------------- the basis


def test_basis_by_hand():
    """Knots 0, 1, 2 and x = 3: (27 - 8 * 2/1 + 1 * 1/1) / 2^2 = 3; at 1.5, (3.375 - 0.125 * 2) / 4 = 0.78125."""
    found = restricted_cubic_basis(np.array([-1.0, 1.5, 3.0]), np.array([0.0, 1.0, 2.0]))
    assert found.tolist() == [[-1.0, 0.0], [1.5, 0.78125], [3.0, 3.0]]


@pytest.mark.parametrize("value", [-5.0, 12.25, 30.0, 71.0, 1e6, 1e12])
def test_basis_keeps_its_digits_far_beyond_the_knots(value):
    """Harrell's formula in exact fractions; in floats its cubes of 1e12 would leave no digit of the answer."""
    knots = [Fraction(each) for each in (3, 12, 40, 60)]
    *inner, before, last = knots
    x = Fraction(value)
    exact = [
        float(
            (
                max(x - knot, 0) ** 3
                - max(x - before, 0) ** 3 * (last - knot) / (last - before)
                + max(x - last, 0) ** 3 * (before - knot) / (last - before)
            )
            / (last - knots[0]) ** 2
        )
        for knot in inner
    ]
    (found,) = restricted_cubic_basis(np.array([value]), np.array([float(knot) for knot in knots]))
    np.testing.assert_allclose(found, [value, *exact], rtol=1e-13)


def test_basis_spans_the_natural_cubic_splines():
    """scipy's natural cubic spline through any heights at the knots is a sum of these columns and a constant."""
    knots = np.array([-2.0, -0.5, 0.25, 1.0, 3.0])
    x = np.linspace(-2, 3, 101)
    heights = np.random.default_rng(1).normal(size=5)
    design = np.column_stack([np.ones(5), restricted_cubic_basis(knots, knots)])
    weights = np.linalg.solve(design, heights)
    ours = np.column_stack([np.ones(101), restricted_cubic_basis(x, knots)]) @ weights
    np.testing.assert_allclose(ours, CubicSpline(knots, heights, bc_type="natural")(x), atol=1e-12)


# ---------------------------------------------------------------- the knots


@pytest.mark.parametrize("count", PLACES)
def test_knots_stand_at_harrells_percentiles_in_three_digits(count):
    recorded = np.random.default_rng(2).normal(50, 10, 5_000)
    knots = knots_of(recorded, count)
    assert len(knots) == count
    np.testing.assert_allclose(knots, np.quantile(recorded, PLACES[count]), atol=0.05)
    assert all(knot == round(knot, 1) for knot in knots)


@pytest.mark.parametrize(
    ("recorded", "knots"),
    [
        (np.repeat([0.0, 1.0], 50), ()),
        (np.repeat([0.0, 1.0, 2.0], 50), ()),  # three values bear a parabola at most, and three knots need four
        (np.repeat([0.0, 1.0, 2.0, 3.0], 50), (0.0, 1.5, 3.0)),
        (np.repeat([0.0, 1.0, 2.0, 3.0, 4.0], 50), (0.0, 1.0, 3.0, 4.0)),
        (np.full(50, 3.0), ()),
        (np.array([]), ()),
        # 90% are nought, where the percentiles coincide: one knot is nought, and the others part the rest.
        (np.concatenate([np.zeros(900), np.repeat(np.arange(1.0, 11), 10)]), (0.0, 4.0, 7.0, 10.0)),
        (np.concatenate([np.zeros(20), np.full(980, 100.0)]), ()),
    ],
)
def test_fewer_knots_where_few_values_are(recorded, knots):
    assert knots_of(recorded, 4) == knots


def test_one_low_value_is_no_knot():
    """Two thirds stand at the ceiling, so the percentiles coincide; the lowest value is one person's alone."""
    recorded = np.concatenate([[1.5], np.linspace(80, 99, 300), np.full(699, 100.0)])
    assert all(knot > 70 for knot in knots_of(recorded, 5))


# ---------------------------------------------------------------- in a logistic regression


@pytest.fixture(scope="module")
def curved():
    """The risk is high at both ends of x, and for those without x."""
    draw = np.random.default_rng(5)
    x, other = draw.uniform(0, 100, 4_000), draw.normal(size=4_000)
    gone = draw.random(4_000) < 0.1
    score = np.where(gone, 0.5, ((x - 50) / 20) ** 2 - 2.5) + 0.3 * other
    outcome = (draw.random(4_000) < 1 / (1 + np.exp(-score))).astype(np.int8)
    return matrix_of({"x": np.where(gone, np.nan, x), "other": other}), outcome


def bent(curved, **settings) -> tuple:
    matrix, outcome = curved
    fitted = fit_weighted_sum(matrix, outcome, LogisticSettings(splines=("x",), **settings))
    return fitted, next(term for term in fitted.terms if term.feature == "x")


def test_a_spline_finds_what_a_line_cannot(curved):
    matrix, outcome = curved
    line = fit_weighted_sum(matrix, outcome, LogisticSettings())
    assert roc_auc_score(outcome, line.score(matrix)) < 0.65
    assert roc_auc_score(outcome, bent(curved)[0].score(matrix)) > 0.75
    assert isinstance(line.terms[0], Line)
    assert isinstance(bent(curved)[1], Bend)


@pytest.mark.parametrize("knots", [3, 4, 5, 7])
def test_equals_a_glm_on_natural_cubic_splines(curved, knots):
    """Without a penalty, any basis of the natural cubic splines with these knots gives the same fit: here scipy's."""
    import statsmodels.api as sm

    matrix, outcome = curved
    fitted, term = bent(curved, knots=knots, c=1e9)
    x, absent = matrix.values[:, 0], np.isnan(matrix.values[:, 0])
    at = np.array(term.knots)
    cardinal = CubicSpline(at, np.eye(knots), bc_type="natural")
    inside = np.clip(np.where(absent, at[0], x), at[0], at[-1])
    slopes = np.where((x > at[-1])[:, None], cardinal(at[-1], 1), cardinal(at[0], 1))
    basis = cardinal(inside) + (np.where(absent, at[0], x) - inside)[:, None] * slopes
    design = np.column_stack([np.where(absent[:, None], 0.0, basis), absent, matrix.values[:, 1]])
    theirs = sm.GLM(outcome, design, family=sm.families.Binomial()).fit(tol=1e-12)
    np.testing.assert_allclose(fitted.score(matrix), design @ theirs.params, atol=2e-5)


def test_the_ridge_is_on_the_standardised_columns(curved):
    from sklearn.linear_model import LogisticRegression

    matrix, outcome = curved
    fitted, term = bent(curved, c=0.01)
    absent = np.isnan(matrix.values[:, 0])
    basis = restricted_cubic_basis(np.where(absent, 0.0, matrix.values[:, 0]), np.array(term.knots))
    columns = np.where(absent[:, None], 0.0, (basis - basis[~absent].mean(axis=0)) / basis[~absent].std(axis=0))
    other = matrix.values[:, 1]
    design = np.column_stack([columns, absent, (other - other.mean()) / other.std()])
    theirs = LogisticRegression(C=0.01, tol=1e-9, max_iter=5_000).fit(design, outcome)
    np.testing.assert_allclose(fitted.score(matrix), theirs.decision_function(design), atol=1e-4)


def test_contributions_are_exact_and_stand_around_their_mean(curved):
    matrix, _ = curved
    fitted, term = bent(curved)
    parts = fitted.contributions(matrix)
    np.testing.assert_allclose(fitted.base + parts.sum(axis=1), fitted.score(matrix), rtol=0, atol=1e-9)
    assert parts.mean(axis=0) == pytest.approx(np.zeros(2), abs=1e-6)
    assert term.size == pytest.approx(np.abs(parts[:, 0]).mean(), rel=1e-3)


def test_beyond_the_knots_it_is_straight_and_missing_has_its_own_value(curved):
    matrix, _ = curved
    fitted, term = bent(curved)
    asked = np.column_stack([[1e5, 2e5, 3e5, np.nan, -1e5, -2e5, -3e5], np.zeros(7)])
    parts = fitted.contributions(Matrix(asked, ~np.isnan(asked), matrix.columns))[:, 0]
    assert parts[2] - parts[1] == pytest.approx(parts[1] - parts[0], rel=1e-9)
    assert parts[6] - parts[5] == pytest.approx(parts[5] - parts[4], rel=1e-9)
    assert parts[3] == pytest.approx(term.missing - term.mean)


def test_a_column_of_two_values_stays_a_line(world):
    two = Matrix(
        np.where(np.isnan(world.matrix.values), np.nan, world.matrix.values > 1),
        world.matrix.recorded,
        world.matrix.columns,
    )
    fitted = fit_weighted_sum(two, world.outcome, LogisticSettings(splines=("absences",)))
    plain = fit_weighted_sum(two, world.outcome, LogisticSettings())
    assert fitted == plain


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("class_type", "'class_type' is a category, and only a number can bend"),
        ("ward", r"no feature is called 'ward' \(known: reading, "),
    ],
)
def test_refuses_what_cannot_bend(world, name, words):
    with pytest.raises(StudyError, match=rf"models\.candidates\.logistic\.splines: {words}"):
        fit_weighted_sum(world.matrix, world.outcome, LogisticSettings(splines=("reading", name)))


@pytest.mark.parametrize("value", [3.0, np.nan])
def test_refuses_a_constant_column(value):
    matrix = matrix_of({"x": np.full(50, value)})
    with pytest.raises(StudyError, match="'x' has one value at most in the fit rows"):
        fit_weighted_sum(matrix, np.arange(50) < 10, LogisticSettings(splines=("x",)))


# ---------------------------------------------------------------- saved


@pytest.fixture(scope="module")
def model(world) -> RiskModel:
    settings = LogisticSettings(splines=("reading", "absences", "income"), knots=5)
    fitted = fit_weighted_sum(world.matrix, world.outcome, settings)
    learned = fit_calibrator("sigmoid", fitted.score(world.matrix), world.outcome)
    return RiskModel("planted", "logistic", fitted, world.encoder, learned, world.features.specs)


def test_comes_back_and_explains_itself(model):
    later = make_world(rows=400, seed=99).frame
    files = model.to_files()
    again = RiskModel.from_files(files)
    assert again == model
    assert again.to_files() == files
    np.testing.assert_array_equal(again.score(later), model.score(later))
    np.testing.assert_array_equal(again.contributions(later), model.contributions(later))
    reasons = top_reasons(again, later)
    assert any(reason and reason.startswith("a low reading score") for reason in reasons["reason_1"])


def test_scores_row_by_row_are_the_scores_of_all(model):
    matrix = model.encoder.encode(make_world(rows=30, seed=98).frame)
    alone = [float(model.fitted.score(matrix.at(np.array([row])))[0]) for row in range(30)]
    assert alone == model.fitted.score(matrix).tolist()


MALFORMED = {
    "knots that fall": lambda term: term["knots"].reverse(),
    "a knot twice": lambda term: term["knots"].__setitem__(1, term["knots"][0]),
    "a knot less": lambda term: term["knots"].pop(),
    "a weight less": lambda term: term["weights"].pop(),
    "two knots": lambda term: term.update(knots=[0.0, 1.0], weights=[1.0]),
    "no knots": lambda term: term.pop("knots"),
    "knots that are words": lambda term: term.update(knots=["a", "b", "c"]),
    "a bend of a category": lambda term: term.update(feature="school"),
    "a bend of nothing known": lambda term: term.update(feature="ward"),
}


@pytest.mark.parametrize("how", MALFORMED)
def test_refuses_a_malformed_bend(model, how):
    files = model.to_files()
    raw = json.loads(files["model.json"])
    assert raw["fitted"]["terms"][0]["shape"] == "bend"
    MALFORMED[how](raw["fitted"]["terms"][0])
    with pytest.raises(ModelFileError, match=r"^model\.json: ") as refusal:
        RiskModel.from_files(sealed(files | {"model.json": json.dumps(raw).encode()}))
    assert "\n" not in str(refusal.value)
