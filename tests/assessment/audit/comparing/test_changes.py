import copy
import json
import math

import numpy as np
import pytest

from riskmodels.assessment.audit import audit_predictions
from riskmodels.assessment.audit.comparing.changes import changed, judged
from riskmodels.assessment.audit.policy import load_policy
from riskmodels.assessment.audit.publishing.disclosure import publish
from riskmodels.errors import DataError, UsageError
from riskmodels.storage import canonical_json
from riskmodels.study import Protected

QUICK = load_policy().model_copy(update={"replicates": 400})
RACE = {"race": Protected(column="x.race", law="race", reference="white")}


def year(seed, ratio, n=8000, shares=(0.7, 0.3)):
    """A list that finds one in two white people who need help, and ``ratio`` times as many Asian ones."""
    rng = np.random.default_rng(seed)
    race = rng.choice(["white", "Asian"], n, p=shares)
    risk = np.full(n, 0.25)
    outcome = (rng.random(n) < risk).astype(int)
    chance = np.where(outcome == 1, np.where(race == "Asian", 0.5 * ratio, 0.5), 0.05)
    return outcome, risk, rng.random(n) < chance, race


def audited(seed, ratio, purpose="assistive", protected=RACE, policy=QUICK, **more):
    outcome, risk, selected, race = year(seed, ratio, **more)
    found = audit_predictions(
        outcome, risk, selected, {"race": race}, purpose=purpose, seed=seed, protected=protected, policy=policy
    )
    return found.to_dict()


def row_of(changes, metric="recall", against="reference", group="Asian"):
    return next(
        row for row in changes.rows if (row["metric"], row["against"], row["group"]) == (metric, against, group)
    )


# ---------------------------------------------------------------- the arithmetic


def contrast(ratio, low, high, **more):
    named = {
        "attribute": "race", "group": "Asian", "label": "Asian", "reference": "white", "reference_label": "white",
        "metric": "recall", "against": "reference", "family": "primary", "verdict": "PASS",
    }  # fmt: skip
    return named | {"ratio": ratio, "low": low, "high": high} | more


def made(*contrasts, **more):
    return {
        "purpose": "assistive", "outcome_measures": "need", "level": "person", "provisional": False, "widened": [],
        "critical_values": {"treatment": 2.0, "meaning": 2.5}, "policy_sha256": "a", "policy_name": "default 1",
        "titles": {"race": "race"}, "rows": [], "contrasts": list(contrasts),
    } | more  # fmt: skip


def test_a_change_and_its_error_by_hand():
    """Intervals that reach 2 standard errors to either side: log 0.8 -+ 2 * 0.1, then log 0.96 -+ 2.4 * 0.05."""
    before = contrast(0.8, 0.8 * math.exp(-0.2), 0.8 * math.exp(0.2))
    after = contrast(0.96, 0.96 * math.exp(-0.12), 0.96 * math.exp(0.12))
    found = changed(made(before), made(after, critical_values={"treatment": 2.4, "meaning": 9.0})).rows[0]
    se = math.sqrt(0.1**2 + 0.05**2)
    assert found["change"] == pytest.approx(0.96 / 0.8)
    assert found["low"] == pytest.approx(1.2 * math.exp(-1.959964 * se))
    assert found["high"] == pytest.approx(1.2 * math.exp(1.959964 * se))
    assert found["p"] == pytest.approx(math.erfc(math.log(1.2) / se / math.sqrt(2)))  # 0.103
    assert found["p_adjusted"] == found["p"]
    assert (found["verdict"], found["towards"]) == ("may be chance", "equal")


def test_slopes_are_compared_by_their_difference():
    named = {"metric": "calibration_slope", "against": "prediction", "reference": "its own predicted risk"}
    before, after = contrast(0.7, 0.5, 0.9, **named), contrast(1.2, 0.95, 1.45, **named)
    found = changed(made(before), made(after)).rows[0]
    se = math.sqrt(0.08**2 + 0.1**2)  # half widths 0.2 and 0.25 over 2.5
    assert found["change"] == pytest.approx(0.5)
    assert found["high"] - found["low"] == pytest.approx(2 * 1.959964 * se)
    assert (found["verdict"], found["towards"]) == ("beyond chance", "equal")


def test_exploratory_intervals_stand_alone():
    """They reach 1.96 standard errors, whatever the critical value of the verdicts."""
    before = contrast(1.0, math.exp(-0.196), math.exp(0.196), family="exploratory")
    found = changed(made(before), made(before)).rows[0]
    assert math.log(found["high"]) == pytest.approx(1.96 * 0.1 * math.sqrt(2), rel=1e-3)
    other = changed(made(before), made(before, widened=["level"])).rows[0]
    assert (other["verdict"], other["reason"]) == ("cannot be told", "the policies set other levels of confidence")


def test_many_comparisons_in_each_family():
    """Of p-values 0.01, 0.02, 0.04 in one family the adjusted ones are 0.03, 0.03, 0.04 (Benjamini, Hochberg)."""
    rows = [{"family": "primary", "p": p, "p_adjusted": None, "verdict": None} for p in (0.04, 0.01, 0.02)]
    rows += [rows[0] | {"family": "exploratory"}, rows[0] | {"family": "second", "p": None}]
    found = judged(rows)
    assert [row["p_adjusted"] for row in found[:4]] == pytest.approx([0.04, 0.03, 0.03, 0.04])
    assert found[4]["p_adjusted"] is None
    assert [row["verdict"] for row in found] == ["beyond chance"] * 4 + ["cannot be told"]


@pytest.mark.parametrize(
    ("before", "reason"),
    [
        (contrast(None, None, None), "not shown in both audits, or too few people"),
        (contrast(0.0, 0.0, 0.3), "a rate of nought has no ratio to compare"),
        (contrast(None, 1.3, None), "a rate of nought has no ratio to compare"),
    ],
)
def test_what_cannot_be_compared_has_a_reason(before, reason):
    for pair in ((before, contrast(0.9, 0.8, 1.0)), (contrast(0.9, 0.8, 1.0), before)):
        found = changed(*(made(side) for side in pair))
        assert found.rows[0]["reason"] == reason
        assert found.rows[0]["verdict"] == "cannot be told"
        assert found.rows[0]["change"] is None
        assert "Race: not everything can be told, for Asian." in found.in_words


# ---------------------------------------------------------------- on audits


def test_a_real_change_is_beyond_chance_and_said_in_natural_frequencies():
    before, after = audited(1, 0.6), audited(2, 1.0)
    found = changed(before, after)
    recall = row_of(found)
    assert recall["verdict"] == "beyond chance"
    assert recall["towards"] == "equal"
    assert recall["low"] < 1.0 / 0.6 < recall["high"]
    missed = [
        round(100 * row["metrics"]["fnr"]["value"])
        for side in (before, after) for row in side["rows"] if row["group"] == "Asian"
    ]  # fmt: skip
    said = f"Race, Asian: of 100 people who needed help, the list missed about {missed[0]}; now about {missed[1]}"
    assert any(
        sentence.startswith(f"{said} (beyond chance); beside white, the ratio was") for sentence in found.in_words
    )
    canonical_json(found.to_dict())


def test_two_alike_years_are_no_change():
    found = changed(audited(1, 0.8), audited(2, 0.8))
    assert row_of(found)["verdict"] == "may be chance"
    assert "Race: no change beyond chance in how groups are treated, for Asian." in found.in_words


def test_intervals_of_the_change_hold_as_often_as_they_say():
    """The true change is none; 300 such pairs gave 282."""
    held = [
        row["low"] <= 1 <= row["high"] for seed in range(60)
        for row in [row_of(changed(audited([seed, 1], 0.8, n=4000), audited([seed, 2], 0.8, n=4000)))]
    ]  # fmt: skip
    assert sum(held) >= 52  # of 60; 57 expected, and 52 or fewer in one of a hundred


def test_published_audits_give_a_published_comparison():
    """It is made of what they show: nothing else can be in it."""
    sides = []
    for seed in (1, 2):
        outcome, risk, selected, race = year(seed, 0.8)
        race = race.astype(object)
        race[:12] = "Other"
        found = audit_predictions(
            outcome, risk, selected, {"race": race}, purpose="assistive", seed=1, protected=RACE, policy=QUICK
        )
        sides.append(found.to_dict())
    exact, shown = changed(*sides), changed(*(publish(side)[0] for side in sides))
    assert row_of(shown)["change"] == pytest.approx(row_of(exact)["change"], rel=0.05)
    assert row_of(shown)["verdict"] == row_of(exact)["verdict"]
    other = row_of(shown, group="Other")
    assert other["change"] is None
    assert other["before"] == {"ratio": None, "low": None, "high": None, "verdict": "INSUFFICIENT EVIDENCE"}
    assert all(row["first"]["value"] is None for row in shown.groups if row["group"] == "Other")
    # As the command reads it back from a file.
    again = changed(*(json.loads(canonical_json(publish(side)[0])) for side in sides))
    assert again.to_dict() == shown.to_dict()


def test_what_is_in_one_audit_alone_is_named():
    before, after = audited(1, 0.8), audited(2, 0.8)
    after["contrasts"] = [row for row in after["contrasts"] if row["metric"] != "recall"]
    extra = copy.deepcopy(after["contrasts"][0]) | {"attribute": "faith", "label": "none"}
    after["contrasts"].append(extra)
    after["titles"]["faith"] = "religion or belief"
    found = changed(before, after)
    assert {(row["attribute"], row["label"], row["metric"]) for row in found.only_before} == {
        ("race", "Asian", "recall")
    }
    assert [row["attribute"] for row in found.only_after] == ["faith"]
    assert "Only in the earlier audit: race (Asian beside white)." in found.in_words
    assert any(s.startswith("Only in the later audit: religion or belief (none") for s in found.in_words)


def test_another_reference_is_another_contrast():
    black = {"race": Protected(column="x.race", law="race", reference="Asian")}
    found = changed(audited(1, 0.8), audited(2, 0.8, protected=black))
    assert {
        "Only in the earlier audit: race (Asian beside white).",
        "Only in the later audit: race (white beside Asian).",
    } <= set(found.in_words)


def test_another_policy_is_said_and_another_purpose_refused():
    before = audited(1, 0.8)
    found = changed(before, before | {"policy_sha256": "other", "policy_name": "ours 2"})
    assert f"different policies ({before['policy_name']}, ours 2)" in found.notes[0]
    assert found.notes[0] in found.in_words
    for key, value in (("purpose", "punitive"), ("outcome_measures", "service"), ("level", "household")):
        said = f"{key}: {before[key]} in last.json, {value} in this audit; .* compare audits that ask alike"
        with pytest.raises(UsageError, match=said):
            changed(before, before | {key: value}, names=("last.json", "this audit"))


def test_an_audit_of_nothing_can_be_compared():
    nothing = made(critical_values={})
    assert changed(nothing, nothing).rows == ()


@pytest.mark.parametrize("what", [None, [], {}, {"contrasts": []}, "missing", "bare"])
def test_what_is_no_audit_is_refused(what):
    whole = audited(1, 0.8, n=2000)
    wrong = what
    if what == "missing":
        wrong = {key: value for key, value in whole.items() if key != "critical_values"}
    elif what == "bare":
        wrong = whole | {"contrasts": [{"attribute": "race"}]}
    for pair, name in (((wrong, whole), "the earlier audit"), ((whole, wrong), "the later audit")):
        with pytest.raises(DataError, match=f"^{name}: is not an audit of this version"):
            changed(*pair)
