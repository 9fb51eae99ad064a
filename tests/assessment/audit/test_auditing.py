import datetime as dt
import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from fairlearn.metrics import MetricFrame, selection_rate, true_positive_rate

from riskmodels.assessment.audit import audit_groups, audit_predictions, metric_frame
from riskmodels.assessment.audit.policy import Floors, load_policy
from riskmodels.errors import DataError, ExitCode, StudyError
from riskmodels.models.ranking import rank
from riskmodels.storage import canonical_json
from riskmodels.study import PROTECTED_BY_LAW, Capacity, Protected, load_study

ROOT = Path(__file__).parents[3]
GUIDE = json.loads((ROOT / "tests" / "reference" / "fairness.json").read_text())["fairlearn_user_guide"]
SHOW_ALL = load_policy().model_copy(
    update={"floors": Floors(show=1, ratio=1, verdict=100, slope_events=500), "replicates": 200}
)
QUICK = load_policy().model_copy(update={"replicates": 400})
EXCUSED = dict.fromkeys(PROTECTED_BY_LAW, "Not in this test.")


def audit(outcome, selected, groups, risk=None, purpose="assistive", policy=QUICK, excused=EXCUSED, **more):
    risk = np.full(len(outcome), 0.3) if risk is None else risk
    more = {"seed": 1} | more
    return audit_predictions(
        outcome, risk, selected, groups, purpose=purpose, policy=policy, excused=excused, **more
    )  # fmt: skip


def row_of(found, group, attribute="race"):
    return next(row for row in found.rows if (row["attribute"], row["group"]) == (attribute, group))


def contrast_of(found, group, metric, against="reference", attribute="race"):
    return next(
        row
        for row in found.contrasts
        if (row["attribute"], row["group"], row["metric"], row["against"]) == (attribute, group, metric, against)
    )


def planted(ratio, positives, seed, reference=2000, recall=0.5):
    """Two groups; the second's true recall is ``ratio`` times the first's. Risks are calibrated in both."""
    rng = np.random.default_rng(seed)
    race = np.repeat(["a", "b"], [reference * 4, positives * 4])
    risk = np.full(len(race), 0.25)
    outcome = (rng.random(len(race)) < risk).astype(int)
    chance = np.where(outcome == 1, np.where(race == "b", recall * ratio, recall), 0.05)
    return outcome, rng.random(len(race)) < chance, race, risk


# ---------------------------------------------------------------- published numbers and the oracle


def test_the_fairlearn_user_guide():
    found = audit(GUIDE["outcome"], np.array(GUIDE["selected"], dtype=bool), {"race": GUIDE["group"]}, policy=SHOW_ALL)
    metrics = {row["group"]: row["metrics"] for row in found.rows}
    for metric in ("recall", "fpr", "selection_rate"):
        values = [metrics[group][metric]["value"] for group in "abc"]
        assert min(values) == pytest.approx(GUIDE["smallest"][metric], abs=1e-6)
        assert max(values) == pytest.approx(GUIDE["largest"][metric], abs=1e-6)
    rates = [metrics[group]["selection_rate"]["value"] for group in "abc"]
    assert min(rates) / max(rates) == pytest.approx(GUIDE["demographic_parity_ratio"], abs=1e-6)


def test_metrics_of_ones_own_go_through_fairlearn():
    frame = metric_frame(true_positive_rate, GUIDE["outcome"], GUIDE["selected"], GUIDE["group"])
    assert isinstance(frame, MetricFrame)
    assert frame.overall == pytest.approx(GUIDE["overall"]["recall"])
    assert frame.group_min() == pytest.approx(GUIDE["smallest"]["recall"])
    with_missing = metric_frame(selection_rate, [0, 1, 1], [1, 0, 1], ["a", None, "a"])
    assert with_missing.by_group.to_dict() == {"Not recorded": 0.0, "a": 1.0}


# ---------------------------------------------------------------- what does not matter


def test_row_order_names_and_dtypes_do_not_matter():
    outcome, selected, race, risk = planted(0.8, 200, seed=1, reference=600)
    risk = np.clip(risk + np.random.default_rng(1).normal(0, 0.05, len(risk)), 0.01, 0.9)
    people = np.arange(len(race)) // 3
    one = audit(outcome, selected, {"race": race}, risk, clusters=people)
    order = np.random.default_rng(2).permutation(len(race))
    shuffled = audit(outcome[order], selected[order], {"race": race[order]}, risk[order], clusters=people[order])
    assert shuffled.verdict == one.verdict
    assert shuffled.in_words == one.in_words
    assert shuffled.critical_values == pytest.approx(one.critical_values)
    for mine, other in zip(one.contrasts, shuffled.contrasts, strict=True):
        assert mine["low"] == pytest.approx(other["low"])
    same = canonical_json(one.to_dict())
    for column in (pd.Series(race, dtype="category"), pl.Series(race).cast(pl.Categorical), race.tolist()):
        assert canonical_json(audit(outcome, selected, {"race": column}, risk, clusters=people).to_dict()) == same
    as_numbers = audit(
        pd.Series(outcome, dtype="Int8"), selected.astype(int), {"race": race}, pl.Series(risk), clusters=people
    )
    assert canonical_json(as_numbers.to_dict()) == same


# ---------------------------------------------------------------- verdicts


@pytest.mark.parametrize("seed", range(5))
def test_a_planted_ratio_of_six_tenths_is_found(seed):
    outcome, selected, race, risk = planted(0.6, 500, seed)
    found = audit(outcome, selected, {"race": race}, risk)
    contrast = contrast_of(found, "b", "recall")
    assert contrast["verdict"] == found.verdict == "FAIL"
    assert contrast["worse_off"] == "b"
    assert found.exit_code == ExitCode.FAIL
    missed = [round(100 * row_of(found, group)["metrics"]["fnr"]["value"]) for group in "ba"]
    assert (
        f"Race, b: of 100 people who needed help, the list misses about {missed[0]}; in the group it is compared with "
        f"(a), about {missed[1]}." in (" ".join(found.in_words))
    )
    assert any(words.endswith("FAIL: b worse off.") for words in found.in_words)


@pytest.mark.parametrize("seed", range(5))
def test_equal_treatment_does_not_fail(seed):
    outcome, selected, race, risk = planted(1.0, 500, seed)
    sex = np.random.default_rng(seed).choice(["f", "m"], len(race))
    found = audit(outcome, selected, {"race": race, "sex": sex}, risk)
    assert found.judged["failed"] == 0
    assert found.verdict != "FAIL"


@pytest.mark.parametrize("ratio", [0.3, 1.0, 1.5])
def test_twenty_positives_never_pass(ratio):
    for seed in range(4):
        outcome, selected, race, risk = planted(ratio, 20, seed)
        contrast = contrast_of(audit(outcome, selected, {"race": race}, risk), "b", "recall")
        assert contrast["verdict"] == "INSUFFICIENT EVIDENCE"
        assert contrast["reason"] == "too few to judge: fewer than 100 people who had the outcome"


def test_a_group_that_gains_is_harm_to_its_reference():
    outcome, selected, race, risk = planted(1.7, 1000, seed=1)
    contrast = contrast_of(audit(outcome, selected, {"race": race}, risk), "b", "recall")
    assert contrast["verdict"] == "FAIL"
    assert contrast["worse_off"] == "a"


def test_a_group_nobody_of_which_is_found_fails():
    outcome, selected, race, risk = planted(0.0, 300, seed=1)
    contrast = contrast_of(audit(outcome, selected, {"race": race}, risk), "b", "recall")
    assert (contrast["ratio"], contrast["low"], contrast["verdict"]) == (0.0, 0.0, "FAIL")


def test_a_reference_nobody_of_which_is_found_fails_too():
    outcome, selected, race, risk = planted(0.0, 300, seed=1)
    spec = {"race": Protected(column="x.race", law="race", reference="b")}
    found = audit(outcome, selected, {"race": race}, risk, protected=spec)
    contrast = contrast_of(found, "a", "recall")
    assert contrast["ratio"] is None
    assert contrast["low"] > 1.25
    assert (contrast["verdict"], contrast["worse_off"]) == ("FAIL", "b")
    canonical_json(found.to_dict())


def test_overestimated_risks_fail_calibration_in_that_group():
    rng = np.random.default_rng(1)
    race = np.repeat(["a", "b"], 4000)
    risk = rng.uniform(0.1, 0.6, 8000)
    truth = np.where(race == "b", 0.5 * risk, risk)
    outcome = (rng.random(8000) < truth).astype(int)
    found = audit(outcome, risk > 0.5, {"race": race}, risk)
    assert contrast_of(found, "b", "oe_ratio", "prediction")["verdict"] == "FAIL"
    assert contrast_of(found, "a", "oe_ratio", "prediction")["verdict"] == "PASS"
    assert row_of(found, "b")["metrics"]["oe_ratio"]["value"] == pytest.approx(0.5, abs=0.05)


def test_few_events_do_not_judge_a_slope():
    outcome, selected, race, _ = planted(1.0, 100, seed=1)
    risk = np.clip(np.random.default_rng(1).normal(0.25, 0.1, len(outcome)), 0.01, 0.99)
    slope = contrast_of(audit(outcome, selected, {"race": race}, risk), "b", "calibration_slope", "prediction")
    assert slope["verdict"] == "INSUFFICIENT EVIDENCE"
    assert "500" in slope["reason"]


@pytest.mark.parametrize(("selected", "who"), [(False, "nobody"), (True, "everybody")])
@pytest.mark.parametrize("purpose", ["assistive", "mixed"])
def test_a_list_of_nobody_or_everybody_is_no_evidence(selected, who, purpose):
    outcome, _, race, risk = planted(1.0, 300, seed=1)
    found = audit(outcome, np.full(len(outcome), selected), {"race": race}, risk, purpose=purpose)
    rates = [row for row in found.contrasts if row["family"] == "primary" and row["against"] == "reference"]
    assert {row["metric"] for row in rates} == ({"recall"} if purpose == "assistive" else {"recall", "fpr", "fdr"})
    for row in rates:
        assert row["verdict"] == "INSUFFICIENT EVIDENCE"
        assert row["reason"] == f"{who} is on the list, so that there is no selection to judge"
    assert found.verdict == "INSUFFICIENT EVIDENCE"


def test_a_service_outcome_makes_selection_bear_a_verdict_and_all_provisional():
    outcome, selected, race, risk = planted(1.0, 500, seed=1)
    selected = selected & ((race == "a") | (outcome == 1))
    found = audit(outcome, selected, {"race": race}, risk, measures="service")
    assert found.provisional
    assert contrast_of(found, "b", "selection_rate")["family"] == "primary"
    assert "provisional" in found.in_words[1]


# ---------------------------------------------------------------- not known, not audited


def test_unknown_outcomes_are_counted_and_bounded():
    outcome, selected, race, risk = planted(1.0, 500, seed=1)
    outcome = outcome.astype(float)
    outcome[::4] = np.nan
    found = audit(outcome, selected, {"race": race}, risk)
    assert found.known == len(outcome) - len(outcome[::4])
    for row in found.rows:
        own = race == row["group"]
        assert row["unknown"] == np.isnan(outcome[own]).sum()
        assert row["selected"] == selected[own].sum()
        low, high = row["metrics"]["recall"]["bounds"]
        assert low < row["metrics"]["recall"]["value"] < high


@pytest.mark.parametrize(
    ("share", "bounded", "verdict"),
    [(0.03, False, "PASS"), (0.10, True, "PASS"), (0.25, True, "INSUFFICIENT EVIDENCE")],
)
def test_people_whose_group_is_not_known(share, bounded, verdict):
    outcome, selected, race, risk = planted(1.0, 2500, seed=2, reference=2500)
    race = np.where(np.random.default_rng(1).random(len(race)) < share, None, race.astype(object))
    found = audit(outcome, selected, {"race": race}, risk)
    missing = found.missing[0]
    assert missing["share"] == pytest.approx(share, abs=0.01)
    assert (missing["bounds"] is not None) == bounded
    group = next(
        row["group"]
        for row in found.rows
        if row["group"] in "ab" and row["group"] != contrast_of(found, "Not recorded", "recall")["reference"]
    )
    contrast = contrast_of(found, group, "recall")
    assert contrast["verdict"] == verdict
    if bounded:
        bound = missing["bounds"][0]
        assert bound["low"] < contrast["ratio"] < bound["high"]


def test_missing_groups_do_not_hide_a_fail():
    outcome, selected, race, risk = planted(0.4, 2000, seed=2)
    race = np.where(np.random.default_rng(1).random(len(race)) < 0.3, None, race.astype(object))
    assert audit(outcome, selected, {"race": race}, risk).verdict == "FAIL"


def test_each_of_the_nine_is_audited_or_excused():
    outcome, selected, race, risk = planted(1.0, 500, seed=1)
    spec = {"race": Protected(column="x.race", law="race")}
    found = audit(outcome, selected, {"race": race}, risk, protected=spec, excused={"age": "One school year."})
    assert found.verdict == "NOT AUDITED"
    assert found.exit_code == ExitCode.NOT_AUDITED
    unaccepted = [row["attribute"] for row in found.not_audited if not row["accepted"]]
    assert unaccepted == [law for law in PROTECTED_BY_LAW if law not in ("race", "age")]
    excused = {law: "Not in the extract." for law in PROTECTED_BY_LAW if law != "race"}
    assert audit(outcome, selected, {"race": race}, risk, protected=spec, excused=excused).verdict != "NOT AUDITED"


def test_a_supplied_column_that_cannot_be_audited_is_not_audited():
    outcome, selected, race, risk = planted(1.0, 500, seed=1)
    spec = {"sex": Protected(column="x.sex", law="sex"), "race": Protected(column="x.race", law="race")}
    excused = {law: "Not in the extract." for law in PROTECTED_BY_LAW if law not in ("race", "sex")}
    for sex, said in (([None] * len(race), "not recorded for anybody"), (["f"] * len(race), "nothing to compare")):
        found = audit(outcome, selected, {"race": race, "sex": sex}, risk, protected=spec, excused=excused)
        unaccepted = [row for row in found.not_audited if not row["accepted"]]
        assert [row["attribute"] for row in unaccepted] == ["sex"]
        assert said in unaccepted[0]["reason"]
        assert found.verdict == "NOT AUDITED"


def test_nothing_to_audit_is_no_pass():
    found = audit([0, 1] * 50, [True, False] * 50, {})
    assert found.verdict == "INSUFFICIENT EVIDENCE"
    assert found.in_words == ("Judged 0 of 0: harm found in 0, cannot judge 0.",)


# ---------------------------------------------------------------- the other tables


def test_composition_sets_the_list_beside_cohort_and_need():
    outcome, selected, race, risk = planted(0.5, 500, seed=1)
    found = audit(outcome, selected, {"race": race}, risk)
    for row in found.composition:
        own = race == row["group"]
        assert row["on_list"] == pytest.approx(selected[own].sum() / selected.sum())
        assert row["in_cohort"] == pytest.approx(own.mean())
        assert row["in_need"] == pytest.approx(outcome[own].sum() / outcome.sum())


def test_a_score_that_tells_the_group_is_flagged():
    rng = np.random.default_rng(1)
    sex = np.repeat(["f", "m", "x"], [500, 500, 5])
    risk = np.clip(rng.normal(0.3, 0.1, 1005) + 0.2 * (sex == "m"), 0.01, 0.99)
    found = audit(rng.integers(0, 2, 1005), risk > 0.5, {"sex": sex, "race": rng.choice(["a", "b"], 1005)}, risk)
    proxies = {(row["attribute"], row["group"]): row for row in found.proxies}
    assert proxies["sex", "m"]["flagged"]
    # A score that is lower in a group tells it just as well.
    assert proxies["sex", "f"]["auc_score"] < 0.25
    assert proxies["sex", "f"]["flagged"]
    assert not proxies["race", "a"]["flagged"]
    assert proxies["sex", "x"]["auc_score"] is None
    men, others = risk[sex == "m"], risk[sex != "m"]
    assert proxies["sex", "m"]["auc_score"] == pytest.approx((men[:, None] > others[None, :]).mean(), abs=1e-6)


def test_intersections_say_where_to_look_and_never_fail():
    rng = np.random.default_rng(1)
    n = 12_000
    sex, race = rng.choice(["f", "m"], n), rng.choice(["a", "b"], n)
    outcome = (rng.random(n) < 0.3).astype(int)
    missed = (sex == "f") & (race == "b")
    selected = rng.random(n) < np.where(outcome == 1, np.where(missed, 0.3, 0.6), 0.05)
    sex = np.where(rng.random(n) < 0.02, "Unknown", sex)
    found = audit(outcome, selected, {"sex": sex, "race": race}, np.full(n, 0.3), intersections=[("sex", "race")])
    contrast = contrast_of(found, "f × b", "recall", "others", "sex × race")
    assert contrast["family"] == "exploratory"
    assert contrast["verdict"] == "look here"
    assert contrast["p_adjusted"] < 0.1
    crossed = {row["group"] for row in found.contrasts if row["attribute"] == "sex × race"}
    assert crossed == {"f × a", "f × b", "m × a", "m × b"}
    assert all(row["verdict"] not in ("FAIL", "PASS") for row in found.contrasts if row["family"] == "exploratory")


def test_people_seen_twice_are_one_person():
    outcome, selected, race, risk = planted(0.7, 300, seed=1)
    twice = [np.repeat(column, 2) for column in (outcome, selected, race, risk)]
    people = np.repeat(np.arange(len(race)), 2)
    alone = audit(outcome, selected, {"race": race}, risk)
    naive = audit(twice[0], twice[1], {"race": twice[2]}, twice[3])
    right = audit(twice[0], twice[1], {"race": twice[2]}, twice[3], clusters=people)
    widths = [
        math.log(c["high"] / c["low"]) / found.critical_values["treatment"]
        for found in (alone, naive, right)
        for c in [contrast_of(found, "b", "recall")]
    ]
    assert widths[1] == pytest.approx(widths[0] / math.sqrt(2), rel=0.1)
    assert widths[2] == pytest.approx(widths[0], rel=0.1)
    recall = [row_of(found, "b")["metrics"]["recall"] for found in (alone, right)]
    assert recall[1]["high"] - recall[1]["low"] == pytest.approx(recall[0]["high"] - recall[0]["low"], rel=0.1)


# ---------------------------------------------------------------- by way of a study


@pytest.fixture(scope="module")
def question():
    return load_study(ROOT / "experiments" / "early_reading_support").file


@pytest.fixture(scope="module")
def ranking():
    rng = np.random.default_rng(1)
    n = 3000
    risk = rng.beta(2, 5, n)
    frame = pl.DataFrame(
        {
            "entity_id": [f"p{number}" for number in range(n)],
            "as_of_date": [dt.date(1988, 6, 30)] * n,
            "origin": [0] * n,
            "stage": ["test"] * n,
            "model": ["points"] * n,
            "score": risk,
            "risk": risk,
            "outcome": pl.Series((rng.random(n) < risk).astype(int), dtype=pl.Int8).set(
                pl.Series(rng.random(n) < 0.2), None
            ),
            "outcome_status": ["known"] * n,
            "cluster_id": [f"c{number // 2}" for number in range(n)],
        }
    )
    return rank(frame, "points", Capacity(places=500), seed=1)


def groups_for(ranking, question):
    """Made-up groups with the study's own references."""
    rng = np.random.default_rng(2)
    keys = ranking.frame.select("entity_id", "as_of_date")
    columns = {}
    for name, spec in question.protected.items():
        values = [*spec.labels, spec.reference] if spec.reference not in spec.labels.values() else [*spec.labels]
        columns[name] = rng.choice(np.array([*values, "another"], dtype=object), len(keys))
    return keys.with_columns(**{name: pl.Series(values.tolist()) for name, values in columns.items()})


def test_a_study_is_audited_by_its_own_words(ranking, question):
    groups = groups_for(ranking, question)
    found = audit_groups(ranking, groups.sample(fraction=1.0, shuffle=True, seed=3), question, seed=question.seed)
    assert found.purpose == question.purpose
    assert found.policy_sha256 == load_policy().sha256
    assert {row["attribute"] for row in found.rows} == set(question.protected)
    assert found.units == 1500
    assert {row["attribute"] for row in found.not_audited} == set(question.not_audited)
    assert all(row["accepted"] for row in found.not_audited)
    assert found.n == 3000
    assert sum(row["selected"] for row in found.rows if row["attribute"] == "gender") == 500
    again = audit_groups(ranking, groups, question, seed=question.seed)
    assert canonical_json(again.to_dict()) == canonical_json(found.to_dict())


def test_people_without_a_row_of_groups_are_not_recorded(ranking, question):
    groups = groups_for(ranking, question).head(2900)
    found = audit_groups(ranking, groups, question, seed=1)
    assert row_of(found, "Not recorded", "gender")["n"] == 100


def test_a_column_that_was_not_supplied_is_not_audited(ranking, question):
    found = audit_groups(ranking, groups_for(ranking, question).drop("gender"), question, seed=1)
    assert [row["attribute"] for row in found.not_audited if not row["accepted"]] == ["sex"]
    assert found.verdict in ("NOT AUDITED", "FAIL")


def test_a_person_twice_in_the_groups_is_refused(ranking, question):
    groups = groups_for(ranking, question)
    with pytest.raises(DataError, match="stands twice"):
        audit_groups(ranking, pl.concat([groups, groups.head(1)]), question, seed=1)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"selected": [True]}, "selected: 1 values for 4"),
        ({"groups": {"race": ["a"]}}, "race: 1 values for 4"),
        ({"risk": [0.1, 0.2, None, 0.3]}, "risk"),
        ({"risk": [0.1, 0.2, 3.0, 0.3]}, "risk"),
        ({"clusters": ["x"]}, "clusters"),
        ({"outcome": []}, "no rows"),
    ],
)
def test_columns_that_do_not_fit_are_one_line(change, said):
    columns = {"outcome": [0, 1, 0, 1], "selected": [True] * 4, "groups": {"race": list("abab")}, "risk": [0.1] * 4}
    with pytest.raises(DataError, match=said):
        audit(**columns | change)


def test_a_purpose_is_one_of_three():
    with pytest.raises(StudyError, match="assistive, punitive or mixed"):
        audit([0, 1], [True, False], {"race": ["a", "b"]}, purpose="kind")
