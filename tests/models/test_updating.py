"""The closed test: its likelihoods against statsmodels, its answers against worlds whose answer is known."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.stats import chi2, norm

from riskmodels.errors import DataError, UsageError
from riskmodels.models.calibration import fit_calibrator
from riskmodels.models.logit import logistic
from riskmodels.models.risk_curves import Chain, Curve, log_odds_of
from riskmodels.models.updating import (
    EVENTS_PER_COEFFICIENT,
    Update,
    apply,
    closed_test,
    recalibrated,
    refit_columns,
)

BASE = -1.2


def new_data(seed, rows=1_000, columns=4, *, shift=0.0, shrink=1.0, changed=0.0):
    """New people of a model of so many columns: outcome, its score, and each column's contribution to that.

    The truth has another intercept (``shift``), a weaker score (``shrink``) or another last coefficient (``changed``).
    """
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(rows, columns))
    parts = x * np.linspace(0.3, 0.9, columns) * np.where(np.arange(columns) % 2, 1, -1)
    score = BASE + parts.sum(axis=1)
    truth = shift + BASE + shrink * (score - BASE) + changed * x[:, -1]
    return (draw.random(rows) < logistic(truth)).astype(float), score, parts


def found(many, **world) -> Counter:
    """How often each method is chosen in so many worlds."""
    return Counter(closed_test(*new_data([7, seed], **world)).method for seed in range(many))


# ---------------------------------------------------------------- against statsmodels


def glm(outcome, offset, *columns) -> float:
    """Log-likelihood of a binomial GLM with an intercept, or of no change at all."""
    family = sm.families.Binomial()
    design = np.column_stack([np.ones(len(outcome)), *columns])
    return float(sm.GLM(outcome, design, family=family, offset=offset).fit(tol=1e-12).llf)


def loglike(outcome, score) -> float:
    return float(np.sum(np.where(outcome == 1, np.log(logistic(score)), np.log(1 - logistic(score)))))


def test_every_step_equals_statsmodels():
    """A world in which every simpler change is rejected, so that every test is taken."""
    outcome, score, parts = new_data(1, rows=2_000, changed=1.5)
    update = closed_test(outcome, score, parts)
    refit = glm(outcome, None, parts)
    simpler = [loglike(outcome, score), glm(outcome, score), glm(outcome, None, score)]
    assert update.method == "refit"
    assert [step.against for step in update.tests] == ["keep", "in_the_large", "slope"]
    # A refit has 5 coefficients: 5, 4 and 3 more than keeping, an intercept, and an intercept and slope.
    assert [step.degrees for step in update.tests] == [5, 4, 3]
    for step, likelihood in zip(update.tests, simpler, strict=True):
        statistic = 2 * (refit - likelihood)
        assert step.statistic == pytest.approx(statistic, rel=1e-6)
        assert step.p == pytest.approx(chi2.sf(statistic, step.degrees), rel=1e-4, abs=1e-12)
        assert (step.within, step.design_effect) == ("refit", 1.0)


def test_the_intercept_and_slope_are_statsmodels():
    outcome, score, parts = new_data(2, rows=3_000, shift=0.4)
    update = closed_test(outcome, score, parts)
    fitted = sm.GLM(outcome, np.ones(3_000), family=sm.families.Binomial(), offset=score).fit(tol=1e-12)
    assert (update.method, update.slope, update.bend) == ("in_the_large", 1.0, 0.0)
    assert update.intercept == pytest.approx(fitted.params[0], abs=1e-8)

    outcome, score, parts = new_data(3, rows=3_000, shrink=0.5)
    update = closed_test(outcome, score, parts)
    fitted = sm.GLM(outcome, sm.add_constant(score), family=sm.families.Binomial()).fit(tol=1e-12)
    assert update.method == "slope"
    assert (update.intercept, update.slope) == pytest.approx(tuple(fitted.params), abs=1e-8)


def test_without_a_design_a_beta_curve_is_the_most_that_is_tested():
    outcome, score, _ = new_data(1, rows=2_000, shift=0.5, shrink=0.6)
    risk = logistic(score)
    update = closed_test(outcome, score)
    beta = glm(outcome, None, np.log(risk), np.log(1 - risk))
    assert [step.degrees for step in update.tests] == [3, 2, 1]
    simpler = [loglike(outcome, score), glm(outcome, score), glm(outcome, None, score)]
    for step, likelihood in zip(update.tests, simpler, strict=True):
        assert step.within == "curve"
        assert step.statistic == pytest.approx(2 * (beta - likelihood), abs=1e-5)
    assert update.reason == "no columns were given to weigh anew, so a refit was not tested"


def test_columns_that_say_nothing_new_cost_no_degree_of_freedom():
    outcome, score, parts = new_data(4, rows=2_000)
    twice = np.column_stack([parts, parts[:, 0] - parts[:, 1], np.full(2_000, 0.1), 3 * parts[:, 2]])
    one, two = closed_test(outcome, score, parts), closed_test(outcome, score, twice)
    assert [step.degrees for step in two.tests] == [step.degrees for step in one.tests] == [5]
    assert two.tests[0].statistic == pytest.approx(one.tests[0].statistic, rel=1e-6)


def test_a_score_outside_its_columns_counts_as_one_more():
    """Four columns that do not add up to the score: a refit of them and the score has 6 coefficients."""
    outcome, score, parts = new_data(5, rows=2_000)
    other = score + np.random.default_rng(1).normal(size=2_000)
    assert closed_test(outcome, other, parts).tests[0].degrees == 6


def test_wide_designs_are_the_same_whatever_the_threads():
    from threadpoolctl import threadpool_limits

    outcome, score, parts = new_data(6, rows=6_000, columns=40, changed=0.5)
    found = []
    for threads in (1, 2):
        with threadpool_limits(limits=threads):
            found.append(closed_test(outcome, score, parts))
    assert found[0] == found[1]
    with threadpool_limits(limits=1):
        refit = glm(outcome, None, parts)
    assert found[0].tests[0].statistic == pytest.approx(2 * (refit - loglike(outcome, score)), rel=1e-6)


# ---------------------------------------------------------------- what it finds


def test_a_good_model_is_kept():
    """One in twenty is changed by chance, and no more, for all that three tests are made."""
    assert found(200)["keep"] >= 186


@pytest.mark.parametrize(
    ("world", "method"),
    [({"shift": 0.5}, "in_the_large"), ({"shrink": 0.5}, "slope"), ({"changed": -0.9}, "refit")],
)
def test_what_changed_is_found(world, method):
    assert found(50, rows=2_000, **world)[method] >= 45


def test_what_changed_is_found_without_a_design_too():
    chosen = Counter(closed_test(*new_data([8, seed], rows=2_000, shift=0.5)[:2]).method for seed in range(50))
    assert chosen["in_the_large"] >= 45


def test_a_level_may_be_given():
    outcome, score, parts = new_data(9)
    p = closed_test(outcome, score, parts).tests[0].p
    assert closed_test(outcome, score, parts, level=p * 0.99).method == "keep"
    assert closed_test(outcome, score, parts, level=p * 1.01).method != "keep"


# ---------------------------------------------------------------- clusters


def clustered(seed, people=300, dates=4, columns=4, alike=0.7):
    """People seen on several dates whose outcomes go together, though the model is right on every row."""
    draw = np.random.default_rng(seed)
    person = np.repeat(np.arange(people), dates)
    own, new = draw.normal(size=(people, columns)), draw.normal(size=(people * dates, columns))
    parts = (np.sqrt(0.6) * own[person] + np.sqrt(0.4) * new) * np.linspace(0.3, 0.9, columns)
    score = BASE + parts.sum(axis=1)
    luck = np.sqrt(alike) * draw.normal(size=people)[person] + np.sqrt(1 - alike) * draw.normal(size=len(person))
    return (norm.cdf(luck) < logistic(score)).astype(float), score, parts, person


def test_people_seen_often_do_not_make_a_good_model_bad():
    worlds = [clustered([9, seed]) for seed in range(200)]
    honest = Counter(closed_test(*world).method for world in worlds)
    naive = Counter(closed_test(*world[:3]).method for world in worlds)
    assert honest["keep"] >= 186
    assert naive["keep"] < 150


def test_every_row_four_times_is_worth_one():
    """The statistic is four times as large, and so are the weights that it is divided by, but for G / (G - 1)."""
    outcome, score, parts = new_data(10, rows=800, shrink=0.7)
    once = closed_test(outcome, score, parts)
    four = (np.repeat(each, 4, axis=0) for each in (outcome, score, parts))
    often = closed_test(*four, clusters=np.repeat(np.arange(800), 4))
    assert often.method == once.method
    for step, single in zip(often.tests, once.tests, strict=True):
        assert step.statistic == pytest.approx(4 * single.statistic, rel=1e-6)
        assert step.design_effect == pytest.approx(4.0, rel=0.15)
        assert step.p == pytest.approx(single.p, abs=0.02)


def test_clusters_of_one_row_change_nothing():
    outcome, score, parts = new_data(11)
    ids = [f"p{number}" for number in range(len(outcome))]
    assert closed_test(outcome, score, parts, ids) == closed_test(outcome, score, parts)


# ---------------------------------------------------------------- what cannot be decided


@pytest.mark.parametrize(
    ("outcome", "score", "words"),
    [
        (np.arange(500) < 15, np.arange(500) / 100, "fewer than 20 rows of the rarer outcome are too few"),
        (np.arange(500) >= 15, np.arange(500) / 100, "fewer than 20 rows of the rarer outcome are too few"),
        (np.zeros(500), np.arange(500) / 100, "fewer than 20 rows of the rarer outcome are too few"),
        (np.zeros(0), np.zeros(0), "fewer than 20 rows of the rarer outcome are too few"),
        (np.arange(500) % 2, np.full(500, -1.5), "the model gives everybody the same risk"),
    ],
)
def test_too_little_to_decide_on_has_a_reason(outcome, score, words):
    update = closed_test(outcome, score)
    assert (update.method, update.intercept, update.slope, update.tests) == (None, None, None, ())
    assert words in update.reason
    with pytest.raises(UsageError, match=words):
        apply(update, score)


def test_one_cluster_tells_nothing():
    outcome, score, parts = new_data(12)
    assert closed_test(outcome, score, parts, np.zeros(1_000)).reason == "all rows belong to one cluster"


def test_too_few_events_for_a_refit_leave_the_curve():
    outcome, score, parts = new_data(13, rows=300, columns=12)
    update = closed_test(outcome, score, parts)
    assert update.tests[0].within == "curve"
    # A constant and 12 columns, 10 rows of each outcome for each.
    assert update.reason == "a refit of 13 coefficients needs 130 rows of each outcome, and was not tested"


def test_separated_outcomes_leave_the_intercept():
    score = np.linspace(-2, 2, 400)
    update = closed_test(score > 0.5, score)
    assert [step.within for step in update.tests] == ["in_the_large"]
    assert update.reason == "the score separates the outcomes: a slope has no finite fit"


@pytest.mark.parametrize("with_design", [True, False])
def test_a_score_that_falls_cannot_be_corrected(with_design):
    outcome, score, parts = new_data(14, rows=3_000, shrink=-0.5)
    update = closed_test(outcome, score, parts if with_design else None)
    assert (update.method, update.slope) == ("refit", None)
    assert "slope" not in [step.against for step in update.tests if with_design]
    if not with_design:
        assert "no correction of it will do" in update.reason
    with pytest.raises(UsageError, match="the model is to be fitted anew"):
        apply(update, score)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"outcome": np.full(40, 2)}, "outcome: holds something other than 0 and 1"),
        ({"outcome": np.full(40, np.nan)}, "outcome: holds something other than 0 and 1"),
        ({"score": np.zeros(39)}, "score: must be a finite log-odds for each of the 40 outcomes"),
        ({"score": np.full(40, np.inf)}, "score: must be a finite log-odds"),
        ({"design": np.zeros((39, 2))}, "design: must be a table of numbers without gaps"),
        ({"design": np.full((40, 2), np.nan)}, "design: must be a table of numbers without gaps"),
        ({"design": 5.0}, "design: must be a table of numbers without gaps"),
        ({"design": np.zeros(40)}, "design: must be a table of numbers without gaps"),
        ({"clusters": np.zeros(39)}, "cluster_id: 39 values for 40 outcomes"),
    ],
)
def test_refuses_what_does_not_fit_together(given, words):
    whole = {"outcome": np.arange(40) % 2, "score": np.sin(np.arange(40.0))} | given
    with pytest.raises(DataError, match=words):
        closed_test(**whole)


# ---------------------------------------------------------------- what is done with it


def updated(method: str) -> Update:
    numbers = {
        "keep": (0.0, 1.0, 0.0),
        "in_the_large": (0.4, 1.0, 0.0),
        "slope": (0.4, 0.5, 0.0),
        "curve": (0.4, 0.5, 0.3),
    }
    return Update(method, *numbers[method], (), 100, 40)


@pytest.mark.parametrize("method", ["keep", "in_the_large", "slope", "curve"])
def test_the_correction_is_that_of_the_update(method):
    """log-odds become intercept + slope * log-odds - bend * ln(1 - risk)."""
    update = updated(method)
    score = np.linspace(-3, 3, 50)
    expected = update.intercept + update.slope * score - update.bend * np.log(1 - logistic(score))
    np.testing.assert_allclose(apply(update, score), expected, atol=1e-12)
    before = fit_calibrator("isotonic", np.arange(300.0), np.arange(300) % 7 < np.arange(300) // 60)
    after = recalibrated(before, update)
    given = np.arange(0.0, 300, 7)
    np.testing.assert_allclose(
        after.apply(given), np.clip(logistic(apply(update, log_odds_of(before.apply(given)))), 1e-6, 1 - 1e-6)
    )
    assert (after == before) == (method == "keep")


def test_a_second_update_follows_the_first():
    first = recalibrated(Curve(0.1, 0.9), updated("slope"))
    second = recalibrated(first, updated("in_the_large"))
    assert second == Chain(Curve(0.1, 0.9), (Curve(0.4, 0.5), Curve(0.4, 1.0)))


def test_the_updated_model_fits_the_new_people():
    outcome, score, parts = new_data(17, rows=4_000, shift=0.3, shrink=0.6)
    update = closed_test(outcome, score, parts)
    again = closed_test(outcome, apply(update, score), parts)
    assert (update.method, again.method) == ("slope", "keep")
    assert logistic(apply(update, score)).mean() == pytest.approx(outcome.mean(), abs=1e-9)


def test_it_can_be_written_as_json():
    update = closed_test(*new_data(16))
    assert json.loads(json.dumps(update.to_dict()))["tests"][0]["against"] == "keep"


def test_columns_for_a_refit_are_the_strongest_and_the_rest_together():
    parts = np.random.default_rng(1).normal(size=(500, 6)) * np.array([5.0, 0.1, 3.0, 0.2, 4.0, 0.3])
    few = refit_columns(parts, rarer=5 * EVENTS_PER_COEFFICIENT)
    np.testing.assert_allclose(few, np.column_stack([parts[:, 0], parts[:, 4], parts[:, [1, 2, 3, 5]].sum(axis=1)]))
    np.testing.assert_allclose(few.sum(axis=1), parts.sum(axis=1))
    assert refit_columns(parts, rarer=500) is parts
    assert refit_columns(parts, rarer=3).shape == (500, 1)
