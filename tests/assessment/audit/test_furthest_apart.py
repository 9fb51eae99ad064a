"""Two groups that both PASS beside a reference between them may differ from each other."""

import numpy as np
import pytest

from riskmodels.assessment.audit import audit_predictions
from riskmodels.assessment.audit.exact import counts_file, verify
from riskmodels.assessment.audit.policy import load_policy
from riskmodels.assessment.audit.publishing.disclosure import publish
from riskmodels.study import PROTECTED_BY_LAW

QUICK = load_policy().model_copy(update={"replicates": 300})


def audited(recall, sizes, policy=QUICK):
    """Groups of people with the outcome, of whom so many in 100 are found; and as many without, of whom 10 are."""
    race = np.repeat(list(recall), [2 * sizes[name] for name in recall])
    outcome = np.concatenate([np.repeat([1, 0], sizes[name]) for name in recall])
    found = np.concatenate(
        [np.arange(size) < share * size for name in recall for size in [sizes[name]] for share in (recall[name], 0.1)]
    )
    excused = dict.fromkeys(PROTECTED_BY_LAW, "Not in this test.")
    return audit_predictions(
        outcome, np.where(found, 0.6, 0.4), found, {"race": race}, purpose="assistive", seed=1, excused=excused,
        policy=policy,
    )  # fmt: skip


def pairs(found):
    return [row for row in found.contrasts if row["against"] == "group"]


def test_the_two_furthest_apart_are_looked_at():
    """0.42 and 0.60 beside 0.50: ratios of 0.84 and 1.20, inside the band, and 0.70 between the two."""
    found = audited({"a": 0.5, "b": 0.42, "c": 0.6, "few": 0.9}, {"a": 60_000, "b": 9000, "c": 9000, "few": 90})
    own = {
        row["group"]: row["verdict"]
        for row in found.contrasts
        if row["metric"] == "recall" and row["family"] == "primary"
    }
    assert (own["b"], own["c"]) == ("PASS", "PASS")
    (row,) = pairs(found)
    assert (row["group"], row["reference"], row["metric"], row["family"]) == ("b", "c", "recall", "exploratory")
    assert row["ratio"] == pytest.approx(0.7)
    assert (row["verdict"], row["worse_off"]) == ("look here", "b")
    assert found.judged["comparisons"] == sum(row["family"] == "primary" for row in found.contrasts)


def test_what_is_chosen_from_many_pairs_must_be_surer():
    """Of four groups the widest of six pairs: six times the chance that this one alone would be so far apart."""
    rates = {"a": 0.5, "b": 0.46, "c": 0.54, "d": 0.51}
    (row,) = pairs(audited(rates, dict.fromkeys(rates, 1000) | {"a": 2000}))
    alone = np.log(row["high"] / row["low"]) / 2 / 1.959964
    from scipy.stats import norm

    assert row["p"] == pytest.approx(6 * 2 * norm.sf(abs(np.log(460.5 / 540.5)) / alone), rel=1e-3)


@pytest.mark.parametrize(
    ("recall", "small"),
    [({"a": 0.5, "b": 0.4}, 900), ({"a": 0.5, "b": 0.4, "c": 0.45}, 900), ({"a": 0.5, "b": 0.4, "c": 0.6}, 90)],
)
def test_nothing_is_asked_twice(recall, small):
    """Where the reference is one of the two, or too few are in one of them, there is no such pair."""
    assert pairs(audited(recall, dict.fromkeys(recall, small) | {"a": 1000})) == []


def test_it_is_shown_and_verified():
    found = audited({"a": 0.5, "b": 0.42, "c": 0.6}, {"a": 6000, "b": 900, "c": 900})
    published, _ = publish(found.to_dict())
    row = next(row for row in published["contrasts"] if row["against"] == "group")
    assert row["ratio"] == pytest.approx(0.7, abs=0.01)
    shipped = audited({"a": 0.5, "b": 0.42, "c": 0.6}, {"a": 6000, "b": 900, "c": 900}, load_policy())
    assert verify(counts_file(shipped)).agrees
