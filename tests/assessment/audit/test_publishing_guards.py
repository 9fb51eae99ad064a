"""The smaller guards of a published audit, each by itself: take it away, and a test here fails."""

from __future__ import annotations

import numpy as np
import pytest

from riskmodels.assessment.audit import audit_predictions
from riskmodels.assessment.audit.comparing.change_disclosure import publish_list_changes
from riskmodels.assessment.audit.comparing.list_changes import changed_lists
from riskmodels.assessment.audit.policy import load_policy
from riskmodels.assessment.audit.publishing.disclosure import publish
from riskmodels.study import PROTECTED_BY_LAW

QUICK = load_policy().model_copy(update={"replicates": 200})
CELLS = ("tn", "fp", "fn", "tp")
PROTECTS = "not shown (to protect a small number)"
# a fares best; b's ratio of recall beside a is 0.5, so far off that no reader needs a p-value.
LARGE = {"a": (800, 100, 150, 150), "b": (400, 50, 150, 50)}


def audited(groups):
    """An exact audit of groups given by their cells, as in CELLS, a the reference; None is not recorded."""
    outcome, selected, race = [], [], []
    for group, cells in groups.items():
        for name, count in zip(CELLS, cells, strict=True):
            outcome += [int(name in ("fn", "tp"))] * count
            selected += [name in ("fp", "tp")] * count
            race += [group] * count
    risk = np.random.default_rng(1).uniform(0.1, 0.6, len(race))
    return audit_predictions(
        outcome, risk, selected, {"race": race}, purpose="assistive", seed=1, policy=QUICK,
        excused=dict.fromkeys(PROTECTED_BY_LAW, "Not in this test."),
    ).to_dict()  # fmt: skip


def missing(groups):
    """What is said of those whose group is not known: exact, and published."""
    exact = audited(groups)
    (before,), (after,) = exact["missing"], publish(exact)[0]["missing"]
    return before, after


# ---------------------------------------------------------------- those whose group is not known


@pytest.mark.parametrize(
    ("groups", "shown"),
    [
        (LARGE | {None: (200, 40, 60, 50)}, True),
        # The six who are not recorded: of 2,000 people, the share would give them.
        (LARGE | {None: (3, 1, 1, 1)}, False),
        # A group of six is hidden: with the share, those who are recorded would give it.
        (LARGE | {"few": (3, 1, 1, 1), None: (200, 40, 60, 50)}, False),
    ],
)
def test_the_share_is_shown_where_every_group_s_size_is(groups, shown):
    before, after = missing(groups)
    assert before["share"] > 0
    if shown:
        assert after["share"] == pytest.approx(before["share"], abs=0.02)
        assert "reason" not in after
    else:
        assert (after["share"], after["reason"]) == (None, PROTECTS)


@pytest.mark.parametrize(
    ("groups", "shown"),
    [
        (LARGE | {None: (200, 40, 60, 50)}, True),
        # Each size is shown. The four whom the list finds, or misses, are not: the bounds are made of them.
        (LARGE | {"c": (200, 40, 60, 4), None: (200, 40, 60, 50)}, False),
        (LARGE | {None: (200, 40, 4, 50)}, False),
    ],
)
def test_the_bounds_are_shown_where_both_blocks_of_every_group_are(groups, shown):
    before, after = missing(groups)
    assert before["bounds"]
    assert after["share"] is not None
    if shown:
        for one, other in zip(before["bounds"], after["bounds"], strict=True):
            # Outward: no nearer to each other than they were.
            assert other["low"] <= one["low"] < one["high"] <= other["high"]
            assert (other["low"], other["high"]) == pytest.approx((one["low"], one["high"]), abs=0.05)
    else:
        assert (after["bounds"], after["reason"]) == (None, PROTECTS)


# ---------------------------------------------------------------- p-values


def only_so_fine(p):
    """One significant digit, and never below 0.001: that would tell of the counts."""
    return p is None or (p >= 0.001 and p == float(f"{p:.1g}"))


def test_p_values_of_contrasts_are_coarse():
    exact = audited(LARGE | {"c": (400, 70, 85, 75), "d": (400, 45, 84, 66)})
    published, _ = publish(exact)
    for name in ("p", "p_adjusted"):
        before, after = ([row[name] for row in audit["contrasts"]] for audit in (exact, published))
        assert any(p is not None and p < 1e-4 for p in before)
        assert any(not only_so_fine(p) and p > 0.01 for p in before if p is not None)
        assert all(only_so_fine(p) for p in after)
        assert 0.001 in after
        assert any(p is not None and p > 0.01 for p in after)


def test_p_values_of_two_lists_are_coarse():
    """The second list finds many more of b; of c and d a few more, or fewer, than of a."""
    rng = np.random.default_rng(3)
    race = np.repeat(["a", "b", "c", "d"], (4000, 2000, 1500, 1500))
    outcome, groups = np.ones(len(race), dtype=int), {"race": race}
    first = rng.random(len(race)) < 0.5
    moved = np.select([race == "b", race == "c", race == "d"], [0.5, 0.1, 0.12], 0.08)
    second = first | (rng.random(len(race)) < moved)
    outcome[::3] = 0
    exact = changed_lists(outcome, first, second, groups, purpose="assistive", policy=QUICK).to_dict()
    audits = [
        publish(
            audit_predictions(
                outcome, np.full(len(race), 0.6), listed, groups, purpose="assistive", seed=1, policy=QUICK
            ).to_dict()
        )[0]
        for listed in (first, second)
    ]
    public = publish_list_changes(exact, *audits)
    for name in ("p", "p_adjusted"):
        before, after = ([row[name] for row in found["rows"]] for found in (exact, public))
        assert any(p is not None and p < 1e-4 for p in before)
        assert any(not only_so_fine(p) for p in before)
        assert all(only_so_fine(p) for p in after)
        assert 0.001 in after
        assert any(p is not None and p > 0.001 for p in after)
