from __future__ import annotations

import numpy as np
import pytest

from riskmodels.models.additive import Rule, Tally
from riskmodels.models.linear import fit_base_rate
from riskmodels.models.points import fit_points, points_table
from riskmodels.study import PointsSettings
from tests.models.planted import SPECS, matrix_of


def planted(rows: int = 6_000, seed: int = 21):
    """Three true rules of weight 0.8, 0.8 and 2.4 log-odds, and three columns of noise."""
    draw = np.random.default_rng(seed)
    score = draw.integers(0, 101, rows).astype(float)
    count = draw.poisson(0.3, rows).astype(float)
    group = draw.integers(0, 3, rows)
    log_odds = -3 + 0.8 * (score <= 30) + 2.4 * (count >= 1) + 0.8 * (group == 2)
    outcome = draw.random(rows) < 1 / (1 + np.exp(-log_odds))
    noise = {f"noise_{n}": draw.normal(size=rows) for n in range(3)}
    return matrix_of({"score": score, "count": count, "group": group} | noise, {"group": ("a", "b", "c")}), outcome


def rules_of(fitted):
    return {term.feature: term.rules for term in fitted.terms}


def test_finds_a_planted_tally():
    matrix, outcome = planted()
    rules = rules_of(fit_points(matrix, outcome, PointsSettings(most=3)))
    assert rules == {
        "score": (Rule("at_most", 30.0, 1),),
        "count": (Rule("at_least", 1.0, 3),),
        "group": (Rule("is", "c", 1),),
    }


def test_stops_when_nothing_more_is_told():
    matrix, outcome = planted()
    rules = rules_of(fit_points(matrix, outcome, PointsSettings(most=30)))
    assert set(rules) == {"score", "count", "group"}


def test_score_is_the_total_of_whole_points_from_one_to_three(world):
    fitted = world.fit("points")
    score = fitted.score(world.matrix)
    np.testing.assert_array_equal(score, np.round(score))
    points = [rule.points for term in fitted.terms for rule in term.rules]
    assert set(points) <= {1, 2, 3}
    assert 1 <= len(points) <= 6
    by_hand = np.zeros(len(score))
    for term in fitted.terms:
        values = world.frame[term.feature]
        for rule in term.rules:
            holds = {
                "at_most": lambda v, cut: v <= cut,
                "at_least": lambda v, cut: v >= cut,
                "is": lambda v, level: v == level,
                "missing": lambda v, _: v.is_null(),
            }[rule.test](values.fill_null(0) if term.feature == "absences" else values, rule.value)
            by_hand += rule.points * holds.fill_null(False).to_numpy()
    np.testing.assert_array_equal(score, by_hand)


def test_missing_can_be_a_rule():
    draw = np.random.default_rng(3)
    x = np.where(draw.random(2_000) < 0.3, np.nan, draw.normal(size=2_000))
    outcome = draw.random(2_000) < np.where(np.isnan(x), 0.5, 0.1)
    assert rules_of(fit_points(matrix_of({"x": x}), outcome, PointsSettings())) == {"x": (Rule("missing", None, 1),)}


def test_noise_gives_no_rule_and_so_one_score_for_all():
    draw = np.random.default_rng(1)
    matrix = matrix_of({f"n{n}": draw.normal(size=800) for n in range(10)})
    fitted = fit_points(matrix, draw.random(800) < 0.3, PointsSettings())
    assert fitted.terms == ()
    assert not fitted.score(matrix).any()


def test_a_rule_that_holds_for_a_handful_is_not_asked():
    x = np.zeros(500)
    x[:8] = 5.0
    outcome = (np.arange(500) < 8) | (np.arange(500) % 10 == 0)
    assert fit_points(matrix_of({"x": x}), outcome, PointsSettings()).terms == ()


@pytest.mark.parametrize(
    ("values", "unit"),
    [
        (np.linspace(0, 100, 999), 1.0),
        (np.linspace(0, 1, 999) ** 2, 0.01),
        (1_980 + np.linspace(0, 12, 999), 0.1),
        (20_000 + 20_000 * np.linspace(0, 1, 999), 1_000.0),
    ],
)
def test_cuts_are_round(values, unit):
    outcome = np.random.default_rng(0).random(999) < np.linspace(0, 1, 999)
    rules = rules_of(fit_points(matrix_of({"x": values}), outcome, PointsSettings()))["x"]
    for rule in rules:
        assert rule.value / unit == pytest.approx(round(rule.value / unit), abs=1e-6)
        assert len(f"{rule.value:g}") <= 6


def test_table_reads_from_most_to_least(world):
    table = points_table(world.fit("points"), SPECS)
    assert [row["points"] for row in table] == sorted((row["points"] for row in table), reverse=True)
    assert len(table) >= 3
    lowest = [row for row in table if row["test"] == "at_most"][-1]
    assert (lowest["feature"], lowest["words"]) == ("reading", "reading score")
    assert points_table(fit_base_rate(world.matrix, world.outcome), SPECS) == []


def test_tally_leaves_values_that_were_not_learned_without_points():
    matrix = matrix_of({"g": np.array([0.0, 1.0, -1.0, np.nan])}, {"g": ("a", "b")})
    term = Tally("g", (Rule("is", "a", 2), Rule("missing", None, 1)))
    assert term.of(matrix.values[:, 0], matrix.columns[0]).tolist() == [2.0, 0.0, 0.0, 1.0]
