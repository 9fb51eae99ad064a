"""A seed draws the same whatever groups are called, and in whatever order they and the attributes stand."""

import numpy as np
import pytest

from riskmodels.assessment.audit import audit_predictions
from riskmodels.assessment.audit.policy import load_policy
from riskmodels.study import Protected

QUICK = load_policy().model_copy(update={"replicates": 300})
CALLED = {"a": "z", "b": "y", "c": "b", "one": "w", "two": "v", None: None}


def people(n=4000, sizes=(0.5, 0.3, 0.2), seed=1):
    rng = np.random.default_rng(seed)
    race, sex = rng.choice(["a", "b", "c"], n, p=sizes), rng.choice(["f", "m"], n)
    risk = rng.integers(1, 60, n) / 60
    outcome = (rng.random(n) < risk).astype(int)
    return outcome, risk, rng.random(n) < np.where(race == "b", 0.6, 1) * risk, {"race": race, "sex": sex}


def audited(outcome, risk, selected, groups, reference="a", clusters=None):
    protected = {"race": Protected(column="x.race", law="race", reference=reference)}
    return audit_predictions(
        outcome, risk, selected, groups, purpose="mixed", seed=1, clusters=clusters, policy=QUICK, protected=protected
    )


def numbers(found, called):
    """Of every contrast what it was drawn to be, by what its groups are called in the first audit."""
    names = ("ratio", "low", "high", "p", "p_adjusted", "verdict")
    return {
        (row["attribute"], called.get(row["group"], row["group"]), row["metric"], row["against"]): {
            name: -1.0 if row[name] is None else row[name] for name in names
        }
        for row in found.contrasts
    }


def same(one, other, called):
    assert other.critical_values == pytest.approx(one.critical_values, rel=1e-9)
    mine, theirs = numbers(one, called), numbers(other, {})
    assert mine.keys() == theirs.keys()
    for key, row in mine.items():
        assert row.pop("verdict") == theirs[key].pop("verdict"), key
        assert row == pytest.approx(theirs[key], rel=1e-6), key


@pytest.mark.parametrize("clustered", [False, True])
def test_what_groups_are_called_changes_nothing(clustered):
    outcome, risk, selected, groups = people()
    clusters = np.arange(4000) // 3 if clustered else None
    one = audited(outcome, risk, selected, groups, clusters=clusters)
    renamed = groups | {"race": np.array([CALLED[name] for name in groups["race"]])}
    same(one, audited(outcome, risk, selected, renamed, "z", clusters), CALLED)


@pytest.mark.parametrize("clustered", [False, True])
def test_the_order_of_attributes_changes_nothing(clustered):
    outcome, risk, selected, groups = people()
    clusters = np.arange(4000) // 3 if clustered else None
    one = audited(outcome, risk, selected, groups, clusters=clusters)
    same(one, audited(outcome, risk, selected, dict(reversed(groups.items())), clusters=clusters), {})


@pytest.mark.parametrize("clustered", [False, True])
def test_nor_where_the_most_are_drawn_from_the_normal_limit(monkeypatch, clustered):
    monkeypatch.setattr("riskmodels.assessment.audit.counting.patterns.MOST_PATTERNS", 8)
    outcome, risk, selected, groups = people()
    clusters = np.arange(4000) // 3 if clustered else None
    one = audited(outcome, risk, selected, groups, clusters=clusters)
    renamed = {"sex": groups["sex"], "race": np.array([CALLED[name] for name in groups["race"]])}
    same(one, audited(outcome, risk, selected, renamed, "z", clusters), CALLED)


def test_groups_with_equal_counts_are_told_apart_by_whom_they_hold():
    """One person each, alike in outcome, list and risk; but one lives in the north and the other in the south."""
    outcome, risk, selected, groups = people()
    race = groups["race"].astype("<U3")
    ward = np.random.default_rng(2).choice(["north", "south", "east", "west", "centre", "port"], len(race))
    two = [np.flatnonzero((ward == name) & (outcome == 1) & selected)[0] for name in ("north", "south")]
    race[two] = "one", "two"
    risk[two] = 0.5
    called = CALLED | {"one": "two", "two": "one"}
    one = audited(outcome, risk, selected, {"race": race, "ward": ward})
    renamed = np.array([called[name] for name in race])
    same(one, audited(outcome, risk, selected, {"race": renamed, "ward": ward}, "z"), called)
