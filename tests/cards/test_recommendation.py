"""Each rule speaks where it should, and only there."""

from dataclasses import replace
from typing import Any

import pytest

from riskmodels.cards.evidence import Evidence
from riskmodels.cards.reading import reading_grade
from riskmodels.cards.recommendation import RULES, TERMS, recommend
from riskmodels.cards.words import word_count

GOOD = Evidence(
    family="lightgbm",
    baseline="single_best_column",
    gain_low=0.004,
    gain_floor=0.0,
    auc_low=0.85,
    auc_high=0.89,
    oe_ratio=1.02,
    oe_floors=(0.8, 1.25),
    test_events=640,
    fit_events=2200,
    verdict="PASS",
    column="reading score this spring",
)
GIRLS = {"who": "gender, female", "metric": "recall"}
TOO_LITTLE = "too little data to list named people. Use a simple rule, look at areas, or pool data with neighbours."


def oe(as_of_date: str, value: float | None, half: float = 0.1) -> dict[str, Any]:
    return {"as_of_date": as_of_date, "value": value} | ({"low": value - half, "high": value + half} if value else {})


FIRST, LAST = "2024-04-01", "2025-10-01"


@pytest.mark.parametrize(
    ("changes", "code", "says"),
    [
        ({}, "use", "better than a simple rule"),
        # the leak comes before everything else
        ({"concerns": {"too_good": None}, "verdict": "FAIL"}, "do_not_use", "see the future"),
        ({"concerns": {"too_good": "looked into it"}}, "use_with_conditions", "was overruled"),
        # too few events, or an AUC that is not known
        ({"test_events": 40}, "too_little_data", TOO_LITTLE),
        ({"fit_events": 99}, "too_little_data", TOO_LITTLE),
        ({"auc_low": 0.6, "auc_high": 0.76}, "too_little_data", TOO_LITTLE),
        ({"test_events": 40, "gain_low": -0.1, "verdict": "FAIL"}, "too_little_data", TOO_LITTLE),
        ({"test_events": 40, "level": "place"}, "too_little_data", "for this question. Do not use the list."),
        # noise
        ({"auc_low": 0.49, "auc_high": 0.53, "gain_low": -0.01}, "do_not_use", "chance"),
        ({"family": "base_rate"}, "do_not_use", "chance"),
        ({"family": "base_rate", "others_better": True}, "too_little_data", "choose"),
        ({"gain_low": -0.01, "baseline": "base_rate"}, "do_not_use", "chance"),
        # harm, named
        ({"verdict": "FAIL", "failed": (GIRLS,)}, "do_not_use", "gender, female"),
        ({"verdict": "FAIL", "failed": ({**GIRLS, "metric": "oe_ratio"},)}, "do_not_use", "risks are wrong"),
        (
            {"verdict": "FAIL", "failed": (GIRLS, {"who": "race, black", "metric": "recall"})},
            "do_not_use",
            "some groups",
        ),
        ({"verdict": "NOT AUDITED"}, "do_not_use", "not audited"),
        # calibration: now, and drifting
        ({"oe_ratio": 0.7}, "do_not_use", "too high"),
        ({"oe_ratio": 1.3}, "do_not_use", "too low"),
        ({"oe_by_date": (oe(FIRST, 1.2), oe(LAST, 1.4))}, "do_not_use", "They have become too low"),
        ({"oe_by_date": (oe(FIRST, 0.9), oe(LAST, 0.6))}, "do_not_use", "They have become too high"),
        ({"oe_by_date": (oe(FIRST, 1.25), oe(LAST, 1.3))}, "use", "better"),
        ({"oe_by_date": (oe(FIRST, 1.0), oe(LAST, 1.3))}, "do_not_use", "They have become too low"),
        ({"oe_by_date": (oe(FIRST, 0.9), oe(LAST, 1.2))}, "use", "better"),
        ({"oe_by_date": (oe(LAST, 1.4),)}, "use", "better"),
        ({"oe_by_date": (oe(FIRST, 1.4), oe(LAST, 1.4)), "oe_ratio": 1.4}, "do_not_use", "They are too low"),
        ({"oe_by_date": (oe(FIRST, None), oe(LAST, 1.4))}, "use", "better"),
        ({"oe_by_date": (oe(FIRST, 1.2), oe(LAST, 1.3)), "decays": True}, "do_not_use", "They have become too low"),
        ({"oe_by_date": (oe(FIRST, 1.0), oe(LAST, 1.3)), "decays": False}, "use", "better"),
        # a simple rule does as well
        ({"gain_low": 0.0}, "simple_rule", "A simple sort by reading score this spring does as well"),
        ({"gain_low": None}, "simple_rule", "use that"),
        ({"gain_low": 0.004, "gain_floor": 0.005}, "simple_rule", "use that"),
        ({"family": "single_best_column"}, "simple_rule", "reading score this spring"),
        ({"family": "points"}, "simple_rule", "use the tally"),
        ({"gain_low": -0.001, "baseline": "points"}, "simple_rule", "use the tally"),
        ({"family": "place_only"}, "simple_rule", "Target areas, not people"),
        ({"family": "single_best_column", "area_alone": True}, "simple_rule", "Target areas, not people"),
        ({"family": "points", "area_alone": True, "level": "household"}, "simple_rule", "Target areas."),
        ({"family": "current_practice"}, "simple_rule", "Today's way"),
        # conditions
        ({"verdict": "INSUFFICIENT EVIDENCE"}, "use_with_conditions", f"better than a simple rule. {TERMS}"),
        (
            {"unknown_share": 0.11},
            "use_with_conditions",
            f"{TERMS} How often the list is right is known only within a range.",
        ),
        ({"unknown_share": 0.10}, "use", "better"),
        ({"provisional": True}, "use_with_conditions", f"{TERMS} The outcome is contact"),
        ({"concerns": {"break_spanned": None}}, "use_with_conditions", "never tested on the present: do not go live"),
        (
            {"concerns": {"break_spanned": "known"}},
            "use_with_conditions",
            "never tested on the present: do not go live",
        ),
        ({"concerns": {"recording_gap": None}}, "use_with_conditions", TERMS),
    ],
)
def test_rules(changes: dict, code: str, says: str) -> None:
    advice = recommend(replace(GOOD, **changes))
    assert advice.code == code
    assert says in advice.headline
    assert advice.reasons
    assert reading_grade(advice.headline) <= 7
    assert reading_grade(" ".join([advice.headline, *advice.reasons])) <= 7


def test_what_else_was_found_stays_as_a_reason() -> None:
    advice = recommend(replace(GOOD, family="points", verdict="INSUFFICIENT EVIDENCE", unknown_share=0.6))
    assert advice.code == "simple_rule"
    assert len(advice.reasons) == 3
    assert "ranges" in " ".join(advice.reasons)


def test_praise_is_no_reason_against_use() -> None:
    assert "beats" not in " ".join(recommend(replace(GOOD, verdict="FAIL")).reasons)


def test_the_same_risk_for_all_is_given_one_reason() -> None:
    assert recommend(replace(GOOD, family="base_rate")).reasons == ("No way that we tried beat the same risk for all.",)


# ---------------------------------------------------------------- what the first line must hold

RANGE, BREAK, CONTACT = "within a range", "never tested on the present", "contact with a service"
CAUTIONS = {
    RANGE: {"unknown_share": 0.3},
    BREAK: {"concerns": {"break_spanned": "a new law"}},
    CONTACT: {"provisional": True},
}


@pytest.mark.parametrize("caution", CAUTIONS)
@pytest.mark.parametrize(
    "decided",
    [{}, {"family": "points"}, {"verdict": "FAIL", "failed": (GIRLS,)}, {"oe_ratio": 0.7}, {"verdict": "NOT AUDITED"}],
)
def test_a_caution_is_read_first_whatever_decides(caution: str, decided: dict) -> None:
    without = recommend(replace(GOOD, **decided))
    advice = recommend(replace(GOOD, **decided, **CAUTIONS[caution]))
    assert caution in advice.headline
    if decided:
        assert advice.code == without.code
        assert advice.headline.startswith(without.headline)


@pytest.mark.parametrize("decided", [{"test_events": 40}, {"family": "base_rate"}, {"concerns": {"too_good": None}}])
def test_where_there_is_no_list_the_first_line_says_that_alone(decided: dict) -> None:
    changes = {"provisional": True, "unknown_share": 0.3}
    advice = recommend(replace(GOOD, **decided, **changes))
    assert advice.headline == recommend(replace(GOOD, **decided)).headline
    assert RANGE in " ".join(advice.reasons)
    assert CONTACT in " ".join(advice.reasons)


def test_at_most_two_cautions_stand_on_the_first_line_and_the_others_below() -> None:
    concerns = {"break_spanned": None, "too_good": "looked into it"}
    advice = recommend(replace(GOOD, verdict="FAIL", provisional=True, unknown_share=0.3, concerns=concerns))
    below = " ".join(advice.reasons)
    assert (BREAK in advice.headline, BREAK in below) == (True, False)
    assert (RANGE in advice.headline, RANGE in below) == (True, False)
    assert (CONTACT in advice.headline, CONTACT in below) == (False, True)
    assert ("overruled" in advice.headline, "overruled" in below) == (False, True)
    assert word_count(advice.headline) <= 45


def test_the_trend_of_the_risks_is_shown() -> None:
    by_date = (oe(FIRST, 1.04), oe("2025-04-01", None), oe(LAST, 1.521))
    advice = recommend(replace(GOOD, oe_by_date=by_date))
    assert advice.reasons[0] == (
        "For 100 cases that the risks foresaw, 104 came about on 1 April 2024 and 152 on 1 October 2025. Correct them "
        "on newer data, and test again."
    )
    assert "foresaw" not in " ".join(recommend(replace(GOOD, oe_ratio=0.7)).reasons)


def test_of_a_handful_of_events_no_trend_is_told() -> None:
    advice = recommend(replace(GOOD, test_events=12, oe_by_date=(oe(FIRST, 1.74), oe(LAST, 0.4))))
    assert "foresaw" not in " ".join(advice.reasons)


def test_every_rule_speaks_somewhere_and_decides_somewhere() -> None:
    """No rule is dead: each leads in one of these."""
    leading = {
        "leaks": {"concerns": {"too_good": None}},
        "too_few_events": {"test_events": 40},
        "no_discrimination": {"family": "base_rate"},
        "failed_audit": {"verdict": "FAIL"},
        "wrong_risks": {"oe_ratio": 0.5},
        "not_audited": {"verdict": "NOT AUDITED"},
        "simple_rule": {"family": "points"},
        "never_tested_on_the_present": {"concerns": {"break_spanned": "known"}},
        "most_outcomes_unknown": {"unknown_share": 0.5},
        "provisional_verdicts": {"provisional": True},
        "overruled_checks": {"concerns": {"too_good": "known"}},
        "audit_cannot_tell": {"verdict": "INSUFFICIENT EVIDENCE"},
        "unanswered_concerns": {"concerns": {"recording_gap": None}},
        "better_than_a_simple_rule": {},
    }
    assert [rule.__name__ for rule in RULES] == list(leading)
    for rule in RULES:
        evidence = replace(GOOD, **leading[rule.__name__])
        first = next(found for one in RULES if (found := one(evidence)) is not None)
        assert first == rule(evidence), rule.__name__


@pytest.mark.parametrize(
    ("family", "rule"),
    [("single_best_column", "a simple sort by reading score this spring"), ("points", "the points tally")],
)
def test_a_rule_that_a_complex_model_beat_on_the_test_is_not_said_to_do_as_well(family: str, rule: str) -> None:
    found = recommend(replace(GOOD, family=family, baseline=family, gain_low=None, others_better=True))
    assert found.code == "simple_rule"
    assert found.headline.startswith(f"For now, use {rule}. On the test a complex model did better")
    assert "does as well" not in found.headline
    assert reading_grade(found.headline) <= 9


def test_a_gain_that_the_study_does_not_count_is_not_called_chance() -> None:
    found = recommend(replace(GOOD, family="points", baseline="points", gain_floor=0.02))
    assert "No complex model beat the simple rule by more than the study asks of it." in found.reasons
