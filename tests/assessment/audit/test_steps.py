import numpy as np
import pytest

from riskmodels.assessment.audit import audit_predictions
from riskmodels.assessment.audit.policy import load_policy
from riskmodels.assessment.audit.steps import with_features
from riskmodels.study import PROTECTED_BY_LAW, Protected

QUICK = load_policy().model_copy(update={"replicates": 200})


def audited(groups, n=1500, **more):
    rng = np.random.default_rng(1)
    outcome, rank = rng.integers(0, 2, n), rng.permutation(n) + 1
    return audit_predictions(
        outcome, np.full(n, 0.5), rank <= 400, groups, purpose="mixed", seed=1, policy=QUICK, depth=rank / 400,
        excused=dict.fromkeys(PROTECTED_BY_LAW, "Not in this test."), **more,
    )  # fmt: skip


@pytest.fixture(scope="module")
def groups():
    rng = np.random.default_rng(2)
    return {name: rng.choice(list("abc"), 1500) for name in ("race", "sex", "faith")}


def test_all_intersections_are_all_pairs_of_what_can_be_audited(groups):
    asked = groups | {"text": [f"words {number}" for number in range(1500)]}
    found = audited(asked, intersections="all")
    crossed = {row["attribute"] for row in found.contrasts if "×" in row["attribute"]}
    assert crossed == {"race × sex", "race × faith", "sex × faith"}
    named = audited(groups, intersections=[("race", "sex"), ("race", "faith"), ("sex", "faith")])
    assert found.contrasts == named.contrasts


def test_every_further_table_speaks_of_every_group(groups):
    age = np.random.default_rng(3).integers(18, 90, 1500)
    found = audited(groups | {"age": age}, protected={"age": Protected(column="x.age", law="age", bands=(40, 60))})
    keys = {(row["attribute"], row["group"]) for row in found.rows}
    assert {(row["attribute"], row["group"]) for row in found.sweep} == keys
    assert {(row["attribute"], row["group"]) for row in found.pooled} == keys
    assert [(row["attribute"], row["metric"]) for row in found.curves] == [("age", "recall"), ("age", "fpr")]
    for row in found.pooled:
        own = next(
            group for group in found.rows if (group["attribute"], group["group"]) == (row["attribute"], row["group"])
        )
        assert row["own"] == own["metrics"][row["metric"]]["value"]


def test_a_number_without_bands_is_not_audited(groups):
    found = audited(groups | {"age": np.random.default_rng(3).integers(18, 90, 1500)})
    assert {row["attribute"] for row in found.rows} == set(groups)
    reason = next(row["reason"] for row in found.not_audited if row["attribute"] == "age")
    assert reason == "It has 72 different numbers; give bands, or labels that name them."
    assert found.verdict in ("NOT AUDITED", "FAIL")


def test_what_features_tell_stands_beside_what_the_risk_tells():
    rows = [
        {"attribute": "race", "group": "a", "label": "A", "auc_score": 0.6, "auc_features": None, "flagged": False},
        {"attribute": "race", "group": "b", "label": "B", "auc_score": 0.8, "auc_features": None, "flagged": True},
    ]
    told = [
        {"attribute": "race", "group": "a", "label": "A", "auc_features": 0.9, "flagged": True, "reason": None,
         "carried_by": [{"feature": "postcode", "share": 1.0}], "left_out": []},
        {"attribute": "faith", "group": "b", "label": "B", "auc_features": 0.9, "flagged": True},
    ]  # fmt: skip
    first, second = with_features(rows, told)
    assert (first["auc_score"], first["auc_features"], first["flagged"]) == (0.6, 0.9, True)
    assert first["carried_by"] == [{"feature": "postcode", "share": 1.0}]
    assert (second["auc_features"], second["flagged"], second["reason"]) == (None, True, None)
    assert [row["flagged"] for row in with_features(rows, ())] == [False, True]


def test_the_order_of_rows_does_not_matter(groups):
    rng = np.random.default_rng(4)
    n = 1500
    outcome, rank, people = rng.integers(0, 2, n), rng.permutation(n) + 1, np.arange(n) // 2
    age, excluded = rng.integers(18, 90, n), rng.random(n) < 0.2
    spec = {"age": Protected(column="x.age", law="age", bands=(40, 60))}

    def once(order):
        found = audit_predictions(
            outcome[order], np.full(n, 0.5), (rank <= 400)[order],
            {name: values[order] for name, values in (groups | {"age": age}).items()}, purpose="mixed", seed=1,
            policy=QUICK, clusters=people[order], depth=rank[order] / 400, protected=spec, excluded=excluded[order],
            selected_after=((rank <= 500) & ~excluded)[order],
        ).to_dict()  # fmt: skip
        return {name: found[name] for name in ("sweep", "curves", "pooled", "after_exclusions")}

    assert once(np.arange(n)) == once(rng.permutation(n))
