import numpy as np
import pytest

from riskmodels.assessment.audit import audit_predictions
from riskmodels.assessment.audit.further.exclusions import judged_again_in_words
from riskmodels.assessment.audit.policy import load_policy
from riskmodels.assessment.audit.publishing.disclosure import publish
from riskmodels.errors import DataError
from riskmodels.study import PROTECTED_BY_LAW

QUICK = load_policy().model_copy(update={"replicates": 400})


def audited(outcome, selected, race, excluded=None, after=None, **more):
    more = {"purpose": "assistive"} | more
    return audit_predictions(
        outcome, np.full(len(race), 0.25), selected, {"race": race}, seed=1, policy=QUICK,
        excused=dict.fromkeys(PROTECTED_BY_LAW, "Not in this test."), excluded=excluded, selected_after=after, **more,
    )  # fmt: skip


def planted(share_excluded_of_b=0.5):
    """Two groups of 4,000 treated alike, until a rule takes out this share of the second from the list."""
    rng = np.random.default_rng(1)
    race = np.repeat(["a", "b"], 4000)
    outcome = (rng.random(8000) < 0.25).astype(int)
    selected = rng.random(8000) < np.where(outcome == 1, 0.5, 0.05)
    excluded = rng.random(8000) < np.where(race == "b", share_excluded_of_b, 0.02)
    return outcome, selected, race, excluded, selected & ~excluded


def test_a_rule_of_the_service_can_be_the_harm():
    outcome, selected, race, excluded, chosen = planted()
    found = audited(outcome, selected, race, excluded, chosen)
    after = found.after_exclusions
    before = {row["group"]: row["verdict"] for row in found.contrasts if row["metric"] == "recall"}
    assert set(before.values()) == {"PASS"}
    assert after["verdict"] == "FAIL"
    assert after["judged"]["comparisons"] == 1
    recall = next(row for row in after["contrasts"] if row["metric"] == "recall")
    rates = [
        (chosen & (outcome == 1) & (race == group)).sum() / ((outcome == 1) & (race == group)).sum() for group in "ab"
    ]
    own, reference = (rates if recall["group"] == "a" else rates[::-1])[:2]
    assert recall["ratio"] == pytest.approx(own / reference)
    assert recall["worse_off"] == "b"
    # What the audit says of the list as it was does not change.
    assert found.verdict == audited(outcome, selected, race).verdict


def test_the_share_of_each_group_is_of_all_its_people():
    outcome, selected, race, excluded, chosen = planted()
    rows = audited(outcome, selected, race, excluded, chosen).after_exclusions["excluded"]
    assert [row["rate"] for row in rows] == [excluded[race == group].mean() for group in "ab"]


def test_what_risks_mean_does_not_change_with_the_list():
    outcome, selected, race, excluded, chosen = planted()
    contrasts = audited(outcome, selected, race, excluded, chosen, purpose="mixed").after_exclusions["contrasts"]
    assert {row["metric"] for row in contrasts} == {"recall", "fpr", "fdr"}
    assert {row["family"] for row in contrasts} == {"primary"}


def test_it_is_said_in_words():
    outcome, selected, race, excluded, chosen = planted()
    words = audited(outcome, selected, race, excluded, chosen).after_exclusions["in_words"]
    taken_out = "On the list as the service would use it"
    again = "only rates are judged again, not what the risks mean"
    assert words[0] == f"{taken_out}, {again}. Comparisons: 1. Passed 0, failed 1, cannot be judged 0."
    taken = [round(100 * excluded[race == group].mean()) for group in "ba"]
    most = f"Race, b: of 100 people, about {taken[0]} are taken out, the most of any group"
    assert words[1] == f"{most}; the least, about {taken[1]}, in the group a."
    assert words[2].endswith("whom the list finds: FAIL, where it was PASS.")


def test_a_fail_that_is_not_judged_again_is_not_undone():
    judged = {"comparisons": 2, "passed": 0, "failed": 0, "insufficient": 2, "failed_against_others": 1}
    said = judged_again_in_words(judged, [{"verdict": "FAIL"}])
    assert said.endswith("Against everybody else, failed 1. What failed above and cannot be judged here still fails.")
    assert "still fails" not in judged_again_in_words(judged, [{"verdict": "PASS"}])


@pytest.mark.parametrize("excluded", [None, np.zeros(8000, dtype=bool)])
def test_where_nobody_is_excluded_there_is_nothing_to_say(excluded):
    outcome, selected, race, _, _ = planted()
    found = audited(outcome, selected, race, excluded, selected)
    assert found.after_exclusions is None
    assert publish(found.to_dict())[0]["after_exclusions"] is None


def test_teams_alone_can_change_the_list_and_so_its_audit():
    outcome, selected, race, _, chosen = planted()
    found = audited(outcome, selected, race, np.zeros(8000, dtype=bool), chosen)
    assert found.after_exclusions["verdict"] == "FAIL"
    assert [row["rate"] for row in found.after_exclusions["excluded"]] == [0.0, 0.0]
    after = publish(found.to_dict())[0]["after_exclusions"]
    assert [row["rate"] for row in after["excluded"]] == [None, None]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"after": None}, "selected_after: is needed with excluded"),
        ({"excluded": [True]}, "excluded: 1 values for 8000"),
        ({"after": [True]}, "selected_after: 1 values for 8000"),
        ({"excluded": ["perhaps"] * 8000}, "excluded: every row must say true or false"),
        ({"after": np.ones(8000, dtype=bool)}, r"selected_after: \d+ rows are excluded and yet on the list"),
    ],
)
def test_lists_that_do_not_fit_are_one_line(change, said):
    outcome, selected, race, excluded, chosen = planted()
    with pytest.raises(DataError, match=said):
        audited(outcome, selected, race, **({"excluded": excluded, "after": chosen} | change))


# ---------------------------------------------------------------- as it may be shown


def test_published_numbers_are_made_of_rounded_counts():
    outcome, selected, race, excluded, chosen = planted()
    exact = audited(outcome, selected, race, excluded, chosen).to_dict()
    published, log = publish(exact)
    after = published["after_exclusions"]
    assert log == ()
    assert "counts" not in after
    assert [sorted(row) for row in after["excluded"]] == [["attribute", "group", "label", "rate"]] * 2
    assert [row["rate"] for row in after["excluded"]] == [round(excluded[race == group].mean(), 2) for group in "ab"]
    recall = after["contrasts"][0]
    rows = {row["group"]: row for row in exact["after_exclusions"]["counts"]}

    def rate(group):
        hits, misses = (5 * round(rows[group][name] / 5) for name in ("tp", "fn"))
        return round(hits / (hits + misses), 3)

    assert recall["ratio"] == pytest.approx(rate(recall["group"]) / rate(recall["reference"]), abs=0.006)
    assert recall["verdict"] == "FAIL"
    assert "smallest_cell" not in recall


def test_a_few_who_are_excluded_hide_what_their_group_has_since_then():
    outcome, selected, race, excluded, chosen = planted(0.001)
    assert 0 < excluded[race == "b"].sum() < 10
    published, log = publish(audited(outcome, selected, race, excluded, chosen).to_dict())
    after = published["after_exclusions"]
    assert [row["rate"] for row in after["excluded"]] == [0.02, None]
    assert after["excluded"][1]["reason"] == "not shown (fewer than 10 people)"
    assert after["contrasts"][0]["ratio"] is None
    assert after["contrasts"][0]["verdict"] == "PASS"
    recall = after["contrasts"][0]
    assert {line["where"] for line in log} == {
        "after_exclusions: excluded, race: b",
        f"after_exclusions: contrasts, race: {recall['group']}: recall v {recall['reference']}",
    }
    assert not any("taken out" in line for line in after["in_words"][1:])
