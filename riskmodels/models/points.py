"""A checklist: a few rules worth one to three points each, as services have long used (risk-of-NEET indicators).

Rules are chosen greedily by the gain in the log-likelihood of a logistic regression (Bayesian information criterion:
half of ln n), and their coefficients scaled to whole points (Sullivan, Massaro and D'Agostino 2004).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from riskmodels.data.features import FeatureSpec
from riskmodels.models.additive import Additive, Rule, Tally, settled
from riskmodels.models.linear import checked_outcome
from riskmodels.models.logit import fit_logistic, logistic
from riskmodels.models.matrix import UNSEEN, Column, Matrix, rounded, rounding_unit
from riskmodels.study import PointsSettings

MOST_POINTS = 3
SHORTLIST = 12
LEAST_ROWS = 10
LEAST_SHARE = 0.01


@dataclass(frozen=True)
class _Question:
    """What may be asked of one column: each rule is a set of the cells into which the column is cut."""

    feature: str
    cells: np.ndarray  # int32 [n]: the cell of each row
    rules: tuple[Rule, ...]
    members: np.ndarray  # float64 [rules, cells]: 1 where the rule holds


@dataclass(frozen=True)
class _Chosen:
    """The rules so far, and the rows by which of them hold: as many patterns as occur, not as many as rows."""

    picks: tuple[tuple[int, int], ...]  # (question, rule)
    pattern: np.ndarray  # int64 [n]
    design: np.ndarray  # float64 [patterns, 1 + picks]
    coefficients: np.ndarray
    likelihood: float


def fit_points(matrix: Matrix, outcome: np.ndarray, settings: PointsSettings) -> Additive:
    """At most ``settings.most`` rules; the score is the total of their points. No rule, if none tells anything."""
    known = checked_outcome(matrix, outcome)
    questions = [_ask(column, matrix.values[:, place]) for place, column in enumerate(matrix.columns)]
    everybody = np.ones((1, 1))
    nobody_asked = np.zeros(len(known), dtype=np.int64)
    start, likelihood, _ = fit_logistic(everybody, np.array([known.sum()]), np.array([float(len(known))]))
    chosen = _Chosen((), nobody_asked, everybody, start, likelihood)
    while len(chosen.picks) < settings.most:
        found = _next(chosen, questions, known)
        if found is None:
            break
        chosen = found
    tallies: dict[str, Tally] = {}
    for (question, rule), points in zip(chosen.picks, _whole_points(chosen, known), strict=True):
        asked = questions[question]
        before = tallies.get(asked.feature, Tally(asked.feature, ()))
        tallies[asked.feature] = replace(before, rules=(*before.rules, replace(asked.rules[rule], points=points)))
    return settled(0.0, list(tallies.values()), matrix)


def points_table(model: Additive, specs: Sequence[FeatureSpec]) -> list[dict[str, Any]]:
    """The checklist to print: feature, words, test, value and points of each rule, most points first."""
    words = {spec.name: spec.words for spec in specs}
    rows = [
        {
            "feature": term.feature,
            "words": words[term.feature],
            "test": rule.test,
            "value": rule.value,
            "points": rule.points,
        }
        for term in model.terms
        if isinstance(term, Tally)
        for rule in term.rules
    ]
    return sorted(rows, key=lambda row: -int(row["points"]))


# ---------------------------------------------------------------- what may be asked


def _ask(column: Column, values: np.ndarray) -> _Question:
    cut = _cells_of_category if column.kind == "category" else _cells_of_number
    cells, count, rules = cut(column, values)
    holds = np.array([[member(cell) for cell in range(count)] for _, member in rules], dtype=np.float64).reshape(
        -1, count
    )
    rows = np.bincount(cells, minlength=count)
    least = max(LEAST_ROWS, LEAST_SHARE * len(values))
    covered = holds @ rows
    keep = (covered >= least) & (covered <= len(values) - least)
    kept = tuple(rule for (rule, _), use in zip(rules, keep, strict=True) if use)
    return _Question(column.name, cells, kept, holds[keep])


def _cells_of_category(column: Column, values: np.ndarray) -> tuple[np.ndarray, int, list[tuple[Rule, Any]]]:
    count = len(column.vocabulary)
    cells = np.where(np.isnan(values), count + 1, np.where(values == UNSEEN, count, values)).astype(np.int32)
    rules = [(Rule("is", value, 1), code.__eq__) for code, value in enumerate(column.vocabulary)]
    return cells, count + 2, [*rules, (Rule("missing", None, 1), (count + 1).__eq__)]


def _cells_of_number(column: Column, values: np.ndarray) -> tuple[np.ndarray, int, list[tuple[Rule, Any]]]:
    """Between two cuts there is a cell, and on each cut one: 2 i + 1 is the cell of the values equal to cut i."""
    absent = np.isnan(values)
    cuts = np.array(_cuts(values[~absent]))
    last = 2 * len(cuts) + 1
    cells = np.searchsorted(cuts, values, side="left") + np.searchsorted(cuts, values, side="right")
    rules: list[tuple[Rule, Any]] = []
    for place, value in enumerate(cuts.tolist()):
        rules += [
            (Rule("at_most", value, 1), (2 * place + 1).__ge__),
            (Rule("at_least", value, 1), (2 * place + 1).__le__),
        ]
    return (np.where(absent, last, cells).astype(np.int32), last + 1, [*rules, (Rule("missing", None, 1), last.__eq__)])


def _cuts(recorded: np.ndarray) -> list[float]:
    """Deciles, and quartiles of what lies above the lowest value (most counts are nought), rounded to two digits."""
    if not len(recorded) or recorded.min() == recorded.max():
        return []
    deciles = np.quantile(recorded, np.arange(1, 10) / 10)
    above = np.quantile(recorded[recorded > recorded.min()], [0.0, 0.25, 0.5, 0.75])
    unit = rounding_unit(float(deciles[-1] - deciles[0]) or float(above[-1] - above[0]) or abs(float(above[0])), 2)
    if (recorded == np.round(recorded)).all():
        unit = max(unit, 1.0)
    return sorted({rounded(value, unit) for value in (*deciles, *above)})


# ---------------------------------------------------------------- choosing and weighing


def _next(chosen: _Chosen, questions: Sequence[_Question], outcome: np.ndarray) -> _Chosen | None:
    """The rule that adds most to the likelihood, if that is more than chance and every rule still adds points."""
    best: _Chosen | None = None
    least = chosen.likelihood + 0.5 * math.log(len(outcome))
    for question, rule in _shortlist(chosen, questions, outcome):
        tried = _with(chosen, (question, rule), questions[question], outcome)
        if tried.coefficients[1:].min() > 0 and tried.likelihood > (best.likelihood if best else least):
            best = tried
    return best


def _shortlist(chosen: _Chosen, questions: Sequence[_Question], outcome: np.ndarray) -> Iterator[tuple[int, int]]:
    """The rules with the largest score statistics (Rao 1948), given the rules so far."""
    risk = logistic(np.einsum("ij,j->i", chosen.design, chosen.coefficients))[chosen.pattern]
    residual, weight = outcome - risk, risk * (1.0 - risk)
    total = float(weight.sum())
    ranked: list[tuple[float, int, int]] = []
    for place, question in enumerate(questions):
        if not question.rules:
            continue
        count = question.members.shape[1]
        gain = question.members @ np.bincount(question.cells, weights=residual, minlength=count)
        spread = question.members @ np.bincount(question.cells, weights=weight, minlength=count)
        variance = np.maximum(spread - spread**2 / total, 1e-12)
        statistic = np.where(gain > 0, gain**2 / variance, 0.0)
        ranked += [(-round(float(value), 9), place, rule) for rule, value in enumerate(statistic) if value > 0]
    ranked.sort()
    return ((question, rule) for _, question, rule in ranked[:SHORTLIST] if (question, rule) not in chosen.picks)


def _with(chosen: _Chosen, pick: tuple[int, int], question: _Question, outcome: np.ndarray) -> _Chosen:
    holds = question.members[pick[1]][question.cells].astype(np.int64)
    occurring, pattern = np.unique(2 * chosen.pattern + holds, return_inverse=True)
    design = np.column_stack([chosen.design[occurring // 2], (occurring % 2).astype(np.float64)])
    coefficients, likelihood, _ = fit_logistic(design, *_grouped(pattern, outcome))
    return _Chosen((*chosen.picks, pick), pattern, design, coefficients, likelihood)


def _grouped(group: np.ndarray, outcome: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.bincount(group, weights=outcome), np.bincount(group).astype(np.float64)


def _whole_points(chosen: _Chosen, outcome: np.ndarray) -> list[int]:
    """Coefficients scaled to a largest of 1, 2 or 3 points: the most likely of these, the lower of equals."""
    if not chosen.picks:
        return []
    weights = chosen.coefficients[1:]
    best: tuple[float, list[int]] = (-math.inf, [])
    for largest in range(1, MOST_POINTS + 1):
        points = [max(1, round(float(weight) / float(weights.max()) * largest)) for weight in weights]
        total = (chosen.design[:, 1:] @ np.array(points, dtype=np.float64))[chosen.pattern]
        distinct, group = np.unique(total, return_inverse=True)
        design = np.column_stack([np.ones(len(distinct)), distinct])
        _, likelihood, _ = fit_logistic(design, *_grouped(group, outcome))
        if likelihood > best[0] + 1e-9:
            best = likelihood, points
    return best[1]
