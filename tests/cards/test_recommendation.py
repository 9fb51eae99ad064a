"""Each rule speaks where it should, and only there."""

from dataclasses import replace

import pytest

from riskmodels.cards.reading import reading_grade
from riskmodels.cards.recommendation import Evidence, fit_events, recommend

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


@pytest.mark.parametrize(
    ("changes", "code", "says"),
    [
        ({}, "use", "better than a simple rule"),
        # the leak comes before everything else
        ({"concerns": {"too_good": None}, "verdict": "FAIL"}, "do_not_use", "see the future"),
        ({"concerns": {"too_good": "looked into it"}}, "use_with_conditions", "terms"),
        # too few events, or an AUC that is not known
        ({"test_events": 40}, "too_little_data", "too little data"),
        ({"fit_events": 99}, "too_little_data", "too little data"),
        ({"auc_low": 0.6, "auc_high": 0.76}, "too_little_data", "too little data"),
        ({"test_events": 40, "gain_low": -0.1, "verdict": "FAIL"}, "too_little_data", "too little data"),
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
        ({"last_oe": (1.3, 1.6)}, "do_not_use", "have become too low"),
        ({"last_oe": (1.2, 1.6)}, "use", "better"),
        # a simple rule does as well
        ({"gain_low": 0.0}, "simple_rule", "A simple sort by reading score this spring does as well"),
        ({"gain_low": None}, "simple_rule", "use that"),
        ({"gain_low": 0.004, "gain_floor": 0.005}, "simple_rule", "use that"),
        ({"family": "single_best_column"}, "simple_rule", "reading score this spring"),
        ({"family": "points"}, "simple_rule", "use the tally"),
        ({"gain_low": -0.001, "baseline": "points"}, "simple_rule", "use the tally"),
        ({"family": "place_only"}, "simple_rule", "target areas, not people"),
        ({"family": "current_practice"}, "simple_rule", "Today's way"),
        # conditions
        ({"verdict": "INSUFFICIENT EVIDENCE"}, "use_with_conditions", "terms"),
        ({"unknown_share": 0.11}, "use_with_conditions", "terms"),
        ({"unknown_share": 0.10}, "use", "better"),
        ({"provisional": True}, "use_with_conditions", "terms"),
        ({"concerns": {"break_spanned": "known"}}, "use_with_conditions", "terms"),
    ],
)
def test_rules(changes: dict, code: str, says: str) -> None:
    advice = recommend(replace(GOOD, **changes))
    assert advice.code == code
    assert says in advice.headline
    assert advice.reasons
    assert reading_grade(" ".join([advice.headline, *advice.reasons])) <= 7


def test_what_else_was_found_stays_as_a_reason() -> None:
    advice = recommend(replace(GOOD, family="points", verdict="INSUFFICIENT EVIDENCE", unknown_share=0.6))
    assert advice.code == "simple_rule"
    assert len(advice.reasons) == 3
    assert "ranges" in " ".join(advice.reasons)


def test_praise_is_no_reason_against_use() -> None:
    assert "beats" not in " ".join(recommend(replace(GOOD, verdict="FAIL")).reasons)


def test_a_break_after_the_last_test_forbids_going_live() -> None:
    advice = recommend(replace(GOOD, concerns={"break_spanned": None}))
    assert "never tested on the present" in " ".join(advice.reasons)
    assert "Do not go live" in " ".join(advice.reasons)


def test_fit_events_are_those_of_the_poorest_origin() -> None:
    status = [{"as_of_date": "2020-01-01", "events": 70}, {"as_of_date": "2021-01-01", "events": 50}]
    splits = [
        {"test": "2022-01-01", "fit": ["2020-01-01", "2021-01-01"]},
        {"test": "2021-01-01", "fit": ["2020-01-01"]},
        {"test": None, "fit": []},
    ]
    assert fit_events(splits, status) == 70
    assert fit_events([{**splits[0], "fit_events": 33}], status) == 33
    assert fit_events([{"test": None, "fit": ["2020-01-01"]}], status) is None
