"""Bounds always hold the truth; weights find it when being known depends on risk, not when it depends on outcome."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from riskmodels.assessment.calibration_statistics import brier_score, oe_ratio
from riskmodels.assessment.decisions import at_capacity
from riskmodels.assessment.discrimination import auc
from riskmodels.assessment.unknown_outcomes import assess_unknown, tipping_point
from riskmodels.errors import DataError
from tests.assessment.made_up_rows import few_rows, ranked_rows

FIGURES = ("auc", "oe_ratio", "brier_score", "precision", "recall")


def truth_of(rows):
    of = (rows.outcome, rows.risk, rows.units)
    listed = at_capacity(rows.outcome, rows.known, rows.selected, rows.units)
    found = {"auc": auc(*of), "oe_ratio": oe_ratio(*of), "brier_score": brier_score(*of)}
    found |= {"precision": listed["precision"], "recall": listed["recall"]}
    return {name: estimate.value for name, estimate in found.items()}


def hide(rows, by: str, seed: int):
    """Outcomes go unknown at random, more often at high risk, or more often where there is an event."""
    chance = {"chance": 0.3, "risk": 0.05 + 0.75 * rows.risk, "outcome": 0.1 + 0.5 * rows.outcome}[by]
    known = np.random.default_rng([seed, 9]).random(rows.n) >= chance
    return replace(rows, known=known, outcome=np.where(known, rows.outcome, 0.0))


@pytest.mark.parametrize("by", ["chance", "risk", "outcome"])
def test_the_truth_lies_within_the_bounds_whatever_hid_it(by):
    for seed in range(40):
        whole = ranked_rows(people=150, dates=2, seed=seed, unknown=0.0)
        truth, found = truth_of(whole), assess_unknown(hide(whole, by, seed)).bounds
        for name in FIGURES:
            low, high = found[name]
            assert low - 1e-12 <= truth[name] <= high + 1e-12, name


def miss(by: str) -> dict[str, dict[str, float]]:
    """How far plain and weighted figures are from the truth on average over counties, in standard errors of that."""
    plain, weighted = {name: [] for name in FIGURES}, {name: [] for name in FIGURES}
    for seed in range(40):
        whole = ranked_rows(people=500, dates=2, seed=seed, unknown=0.0, share=0.3)
        seen = hide(whole, by, seed)
        truth, naive = truth_of(whole), truth_of(seen.known_only())
        found = assess_unknown(seen, trim=1.0).weighted
        for name in FIGURES:
            plain[name].append(naive[name] - truth[name])
            weighted[name].append(found[name].value - truth[name])
    return {
        kind: {name: float(np.mean(values) / (np.std(values) / np.sqrt(len(values)))) for name, values in given.items()}
        for kind, given in (("plain", plain), ("weighted", weighted))
    }


def test_weights_find_the_truth_when_being_known_depends_on_risk():
    found = miss("risk")
    assert all(abs(found["weighted"][name]) < 3.5 for name in FIGURES), found["weighted"]
    assert all(abs(found["plain"][name]) > 5 for name in ("brier_score", "recall", "auc", "precision")), found["plain"]


def test_weights_do_not_find_it_when_being_known_depends_on_the_outcome():
    found = miss("outcome")
    assert all(found["weighted"][name] < -5 for name in ("oe_ratio", "precision")), found["weighted"]


def test_intervals_of_weighted_figures_cover():
    """60 counties: the true figure of the process (a very large county) lies inside 95% intervals in 85% or more."""
    truth = truth_of(ranked_rows(people=150_000, dates=1, seed=999, unknown=0.0, share=0.3, clustered=False))
    inside = dict.fromkeys(FIGURES, 0)
    for seed in range(60):
        rows = hide(ranked_rows(people=500, dates=2, seed=seed, unknown=0.0, share=0.3), "risk", seed)
        for name, found in assess_unknown(rows).weighted.items():
            inside[name] += found.low <= truth[name] <= found.high
    assert all(count >= 51 for count in inside.values()), inside


# ---------------------------------------------------------------- tipping


@pytest.mark.parametrize(
    ("hits", "unknown", "precision", "needed", "verdict"),
    [
        (30, 40, 0.4, 0.25, "depends on them"),  # (.4 * 100 - 30)/40
        (30, 40, 0.3, None, "above whatever became of them"),
        (30, 40, 0.71, None, "below whatever became of them"),
        (30, 40, 0.7, 1.0, "depends on them"),
        (30, 0, 0.2, None, "above whatever became of them"),
        (30, 0, 0.4, None, "below whatever became of them"),
    ],
)
def test_tipping_point(hits, unknown, precision, needed, verdict):
    found = tipping_point(hits, 100, unknown, precision)
    assert found["verdict"] == verdict
    assert found["needed"] == (None if needed is None else pytest.approx(needed))


def test_at_the_tipping_point_the_list_is_as_good_as_the_rule():
    rows = ranked_rows(people=1000, dates=1, unknown=0.5)
    found = assess_unknown(rows, against={"points": 0.5})
    (row,) = [row for row in found.tipping if row["against"] == "points"]
    assert row["verdict"] == "depends on them"
    assert (found.hits + row["needed"] * found.unknown_selected) / found.selected == pytest.approx(0.5)
    assert found.tipping[0]["against"] == "base_rate"
    assert found.tipping[0]["precision"] == rows.outcome[rows.known].mean()


# ---------------------------------------------------------------- what cannot be had


def test_nobody_known():
    found = assess_unknown(few_rows([None] * 6, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6], [1, 1, 0, 0, 0, 0]))
    assert found.bounds["auc"] == [0.0, 1.0]
    assert found.bounds["precision"] == [0.0, 1.0]
    assert found.tipping == ()
    assert all("no outcome is known" in one.reason for one in found.weighted.values())


def test_everybody_known():
    rows = ranked_rows(unknown=0.0)
    found = assess_unknown(rows)
    for name, value in truth_of(rows).items():
        assert found.bounds[name] == pytest.approx([value, value])
    assert found.weights == {"reason": "every outcome is known"}
    assert found.tipping[0]["needed"] is None


def test_too_few_events_are_not_weighted():
    found = assess_unknown(few_rows([1, 1, 0, 0, 0, 0, 0] + [None] * 6, [0.1, 0.2, 0.3] * 4 + [0.4], None))
    assert "2 events" in found.weighted["auc"].reason
    assert found.bounds["auc"][0] is not None


def test_nobody_on_the_list_is_known():
    rows = ranked_rows(people=400, dates=1)
    rows = replace(rows, known=rows.known & ~rows.selected)
    found = assess_unknown(rows)
    assert "nobody selected" in found.weighted["precision"].reason
    assert found.weighted["auc"].value is not None


def test_plain_values_are_json():
    told = assess_unknown(ranked_rows(), against={"points": 0.3}).to_dict()
    assert json.loads(json.dumps(told, allow_nan=False)) == told


def test_percentages_are_refused():
    rows = ranked_rows()
    with pytest.raises(DataError, match="no probability"):
        assess_unknown(replace(rows, risk=100 * rows.risk))
