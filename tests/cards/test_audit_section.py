"""Section 8: harm first, what is alike in one line, every part only where there is something to say."""

from typing import Any

import pytest

from riskmodels.cards.audit_closer import Audited, closer_audit
from riskmodels.cards.audit_section import as_the_card_says_it, audit_words
from riskmodels.cards.audit_tables import Named, audit_tables, contrast_lines
from riskmodels.cards.questions import FROM_THE_RUN, Asked
from riskmodels.cards.words import language_of
from riskmodels.reports.audit_words import WHAT_ELSE
from riskmodels.reports.outline import outline
from tests.cards import example_card as example
from tests.cards.example_audit import FEW, HIDDEN, INSUFFICIENT, SMALL, WIDE, audit, contrast, row

STUDY = example.study()
LANGUAGE = language_of(STUDY.file)
NAMED = Named(STUDY, LANGUAGE)


def lines(*contrasts: dict[str, Any]) -> list[tuple[Any, ...]]:
    return list(contrast_lines(contrasts, NAMED))


def said(*contrasts: dict[str, Any], **more: Any) -> tuple[str, ...]:
    return audit_words(as_the_card_says_it(audit(*contrasts, **more), STUDY, LANGUAGE), STUDY, LANGUAGE)


# ---------------------------------------------------------------- verdict tables


def test_harm_comes_first_and_groups_too_few_in_the_same_way_share_a_line() -> None:
    found = lines(
        contrast("Asian", INSUFFICIENT, reason=FEW),
        contrast("55-64", "PASS"),
        contrast("African American", INSUFFICIENT, reason=WIDE, minimum_detectable=0.6),
        contrast("another", INSUFFICIENT, reason=FEW, ratio=None, low=None),
        contrast("Hispanic", "FAIL", ratio=0.5, low=0.4, high=0.7),
    )
    assert [(line[0], line[3]) for line in found] == [
        ("Ethnicity: Hispanic", "FAIL"),
        ("Ethnicity: African American", INSUFFICIENT),
        ("Ethnicity: 55-64", "PASS"),
        ("Ethnicity: Asian and another", INSUFFICIENT),
    ]
    assert found[1][4:] == (
        "0.90 (0.60 to 1.30)",
        "Only a rate of 60% of the other group's, or less, would have shown.",
    )
    # Said of those whom the study counts.
    assert found[3][4:] == ("too few", "Too few to judge: fewer than 100 pupils who had the outcome.")


def test_each_ratio_that_is_shown_has_a_line_of_its_own() -> None:
    found = lines(
        contrast("Asian", INSUFFICIENT, reason=WIDE),
        contrast("55-64", INSUFFICIENT, reason=WIDE, ratio=1.1, minimum_detectable=0.1),
        contrast("white", INSUFFICIENT, reason=WIDE, minimum_detectable=0.5),
    )
    assert [line[0] for line in found] == ["Ethnicity: Asian", "Ethnicity: 55-64", "Ethnicity: white"]
    assert found[1][4:] == ("1.10 (0.60 to 1.30)", "Even a very large difference would not have shown.")


def test_each_fail_has_a_line_of_its_own_even_where_nothing_is_shown() -> None:
    hidden = {"ratio": None, "low": None, "high": None}
    failed = [contrast(label, "FAIL", reason=HIDDEN, **hidden) for label in ("Asian", "55-64")]
    assert [line[0] for line in lines(*failed)] == ["Ethnicity: Asian", "Ethnicity: 55-64"]
    unsure = [contrast(label, INSUFFICIENT, reason=WIDE, **hidden) for label in ("Asian", "55-64")]
    assert [(line[0], *line[4:]) for line in lines(*unsure)] == [
        ("Ethnicity: Asian and 55-64", "not shown", "The data cannot tell.")
    ]


def test_a_real_but_small_gap_is_not_said_to_be_unknown() -> None:
    line = lines(contrast("Asian", INSUFFICIENT, reason=SMALL, ratio=2.0, low=1.4, high=3.0))[0]
    assert line[5] == "A real difference, but within what the fairness policy allows: at most 5 in 100."
    words = said(
        contrast("Asian", INSUFFICIENT, reason=SMALL),
        contrast("55-64", INSUFFICIENT, reason=WIDE),
        contrast("a", "PASS"),
    )
    assert words[0] == (
        "Of 3 comparisons, 1 passed and 0 failed. For 1 the data cannot tell whether there is a gap large enough to "
        "matter. In 1 the gap is real, but within what the fairness policy allows."
    )
    assert words[1].startswith("By the fairness policy, which was set before the run, a gap of 5 in 100 or less is not")
    assert "is not a pass" in words[1]


def test_everybody_else_has_a_table_of_what_fails_or_is_more_than_chance() -> None:
    others = {"family": "second", "against": "others"}
    found = audit(
        contrast("Asian", "PASS"),
        contrast("Asian", "FAIL", low=0.4, high=0.7, worse_off="Asian", **others),
        contrast("55-64", INSUFFICIENT, reason=WIDE, low=1.1, high=1.9, **others),
        contrast("white", INSUFFICIENT, reason=WIDE, **others),
        contrast("African American", INSUFFICIENT, reason=FEW, low=0.1, high=0.8, **others),
    )
    table = audit_tables(STUDY, found, LANGUAGE)["others"]
    assert [(line[0], line[1], line[3]) for line in table.rows] == [
        ("Ethnicity: Asian", "everybody else", "FAIL"),
        ("Ethnicity: 55-64", "everybody else", INSUFFICIENT),
    ]
    assert "Of 4 comparisons" in str(table.note)
    words = said(*found["contrasts"])
    assert words[1] == "Against everybody else, 1 of 4 comparisons failed."
    assert any(line.endswith("FAIL: Asian worse off.") for line in words)


def test_what_risks_mean_has_a_table_of_its_own() -> None:
    tables = audit_tables(
        STUDY, audit(contrast("Asian", "PASS"), contrast("Asian", "PASS", "oe_ratio", against="prediction")), LANGUAGE
    )
    assert [line[2] for line in tables["verdicts"].rows] == ["Found by the list (below 1 is worse)"]
    assert [line[1:3] for line in tables["risks"].rows] == [
        ("its own risks", "Observed to expected (O/E) (above 1 is worse)")
    ]


# ---------------------------------------------------------------- groups


def test_hidden_groups_share_a_line_for_each_characteristic() -> None:
    rows = [
        row("ethnicity", "white"),
        row("ethnicity", "Asian", None, n=None, positives=None),
        row("ethnicity", "55-64", None, positives=None),
        row("gender", "female", None, positives=None),
    ]
    rows[0]["metrics"]["precision"] = {"value": None, "reason": HIDDEN}
    table = audit_tables(STUDY, audit(contrast("Asian", "PASS"), rows=rows), LANGUAGE)["groups"]
    assert [line[:3] for line in table.rows] == [
        ("Ethnicity: white", 500, 200),
        ("Ethnicity: Asian and 55-64", "not shown and 500", "not shown"),
        ("Gender: female", 500, "not shown"),
    ]
    # Why stands once, below.
    assert table.rows[0][4] == "not shown"
    assert str(table.note).startswith("Not shown: a small number")


def test_the_composition_says_who_is_ranked_of_hidden_groups_too() -> None:
    composed = [
        {"attribute": "ethnicity", "group": name, "label": name, "in_cohort": share, "on_list": listed,
         "in_need": listed, "reason": None if listed else HIDDEN}
        for name, share, listed in (("white", 0.6, 0.7), ("Asian", 0.3, None), ("another", 0.1, None))
    ]  # fmt: skip
    table = audit_tables(STUDY, audit(contrast("Asian", "PASS"), composition=composed), LANGUAGE)["composition"]
    assert table.rows == (
        ("Ethnicity: white", "60 of 100", "70 of 100", "70 of 100"),
        ("Ethnicity: Asian and another", "30 of 100 and 10 of 100", HIDDEN, "not shown"),
    )


# ---------------------------------------------------------------- the parts


def closer(**more: Any) -> dict[str, Any]:
    found = audit(contrast("Asian", more.pop("verdict", "PASS"), reason=more.pop("reason", None)), **more)
    return {part.id: part for part in closer_audit(Audited(found, NAMED))}


def estimate(value: float | None) -> dict[str, Any]:
    return {"value": None, "reason": HIDDEN} if value is None else {"value": value, "low": 0.1, "high": 0.9, "n": 500}


def test_an_audit_that_holds_no_more_has_no_more_parts() -> None:
    assert set(closer()) == {"mitigation"}
    assert "not run" in closer()["mitigation"].words[0]


def test_groups_too_few_are_given_another_way() -> None:
    part = closer(verdict=INSUFFICIENT, reason=FEW)["too_few"]
    assert part.words[0] == "Ethnicity: too few pupils to judge anything for Asian."
    assert part.items == WHAT_ELSE


def test_the_sweep_has_a_line_for_each_group_and_one_for_those_hidden() -> None:
    sweep = [
        {"attribute": "ethnicity", "group": name, "label": name, "share": share, "recall": estimate(value),
         "selection_rate": estimate(value)}
        for name, values in (("white", (0.2, 0.5)), ("Asian", (None, None)), ("another", (None, None)))
        for share, value in zip((0.5, 1), values, strict=True)
    ]  # fmt: skip
    table = closer(sweep=sweep)["places"].tables["sweep"]
    assert table.columns == ("Group", "Half", "Today's places")
    assert table.rows == (
        ("Ethnicity: white", "20 (10 to 90)", "50 (10 to 90)"),
        ("Ethnicity: Asian and another", HIDDEN, "not shown"),
    )


def test_a_curve_is_thinned_and_one_that_cannot_be_drawn_is_left_out() -> None:
    points = [{"at": age, **estimate(0.5)} for age in range(50)]
    shown = {"attribute": "gender", "metric": "recall", "points": points, "reason": None}
    table = closer(curves=[shown])["curves"].tables["gender_recall"]
    assert table.columns == ("Gender", "Of 100, and range")
    assert 15 <= len(table.rows) <= 20
    assert table.rows[0] == ("0", "50 (10 to 90)")
    assert "curves" not in closer(curves=[{**shown, "points": [], "reason": "too few"}])


def test_pooled_rates_are_secondary() -> None:
    pooled = [
        {"attribute": "ethnicity", "group": name, "label": name, "metric": "recall", "own": own, "value": value,
         "low": 0.3, "high": 0.5, "weight": 0.25, "ratio": 0.9, "ratio_low": 0.8, "ratio_high": 1.1,
         "reason": None if value else HIDDEN}
        for name, own, value in (("white", 0.4, 0.41), ("Asian", None, 0.38), ("another", None, None))
    ]  # fmt: skip
    table = closer(pooled=pooled)["pooled"].tables["recall"]
    assert table.rows == (
        ("Ethnicity: white", "40", "41 (30 to 50)", "25 of 100", "0.90 (0.80 to 1.10)"),
        ("Ethnicity: Asian", "not shown", "38 (30 to 50)", "25 of 100", "0.90 (0.80 to 1.10)"),
        ("Ethnicity: another", HIDDEN, "not shown", "not shown", "not shown"),
    )
    assert "carries no verdict" in str(table.note)


def test_the_audit_after_the_services_own_rules() -> None:
    after = audit(contrast("Asian", "FAIL", worse_off="Asian")) | {
        "excluded": [{"attribute": "ethnicity", "group": "Asian", "label": "Asian", "rate": 0.125}]
    }
    part = closer(after_exclusions=after)["after_exclusions"]
    assert part.words[0].endswith("Comparisons: 1. Passed 0, failed 1, cannot be judged 0.")
    assert part.tables["excluded"].rows == (("Ethnicity: Asian", "13 of 100"),)
    assert part.tables["after"].rows[0][3] == "FAIL"
    assert part.items == ("Ethnicity: Asian, found by the list: FAIL, where it was PASS.",)
    words = said(contrast("Asian", "PASS"), after_exclusions=after)
    assert "On the list that the service would use, comparisons that fail: 1." in words


def test_proxies_name_the_fields_that_carry_them() -> None:
    carried = [{"feature": "years_on_roll", "share": 0.2}, {"feature": "age", "share": 0.7}]
    told = {
        "attribute": "ethnicity", "group": "Asian", "label": "Asian", "auc_score": 0.61, "auc_features": 0.8,
        "flagged": True, "carried_by": carried,
    }  # fmt: skip
    unseen = told | {
        "group": "b",
        "label": "b",
        "auc_score": None,
        "auc_features": None,
        "reason": HIDDEN,
        "flagged": False,
    }
    table = closer(proxies=[told, unseen])["proxies"].tables["proxies"]
    assert table.columns == ("Group", "From the score", "From the fields", "Most of which lies in", "Flagged")
    assert table.rows[0] == (
        "Ethnicity: Asian", "0.61", "0.8", "age (70 of 100) and years in these schools (20 of 100)", True
    )  # fmt: skip
    assert table.rows[1] == ("Ethnicity: b", HIDDEN, "not shown", "", False)
    only_score = {**told, "auc_features": None, "carried_by": []}
    assert closer(proxies=[only_score])["proxies"].tables["proxies"].columns == ("Group", "From the score", "Flagged")


# ---------------------------------------------------------------- the page


@pytest.fixture(scope="module")
def parts() -> list[dict[str, Any]]:
    card = example.card(audit=example.audit(missed=True)).to_dict()
    return list(next(section for section in outline(card) if section.number == 8).parts)


def test_the_page_gives_the_verdict_then_harm_then_the_verdicts_against_the_limits(parts: list[dict[str, Any]]) -> None:
    assert [part["kind"] for part in parts[:3]] == ["says", "verdict", "text"]
    kinds = [part["kind"] for part in parts]
    assert kinds.index("figure") < kinds.index("table")
    assert parts[kinds.index("figure")]["figure"]["id"] == "group_ratios"
    assert parts[kinds.index("table")]["table"]["caption"].startswith("Verdicts")
    assert any("FAIL: female worse off." in part.get("text", "") for part in parts[: kinds.index("figure")])


def test_what_stands_behind_the_verdicts_is_folded(parts: list[dict[str, Any]]) -> None:
    open_tables = [part["table"]["caption"] for part in parts if part["kind"] == "table" and not part["fold"]]
    assert len(open_tables) <= 6
    folded = {part["table"]["caption"] for part in parts if part["kind"] == "table" and part["fold"]}
    assert {"Each group", "Group not recorded"} <= folded


def test_the_cards_own_sentences_speak_of_its_own_people() -> None:
    words = example.card().audit.model_extra["in_words"]  # type: ignore[index]
    assert any("100 pupils who needed help" in line for line in words)
    assert not any("100 people" in line for line in words)


# ---------------------------------------------------------------- question 11


@pytest.mark.parametrize(
    ("told", "answer"),
    [
        ({"auc_score": 0.6}, "The score does not give away any group that we could test."),
        ({"auc_features": 0.6}, "Neither the score nor its fields give away any group that we could test."),
        (
            {"auc_features": 0.9, "flagged": True, "carried_by": [{"feature": "age", "share": 0.8}]},
            "The score or its fields give away ethnicity, so they may act as a stand-in. Most of that lies in age.",
        ),
    ],
)
def test_the_answer_on_proxies_names_what_carries_them(told: dict[str, Any], answer: str) -> None:
    proxy = {"attribute": "ethnicity", "group": "Asian", "label": "Asian", "auc_score": 0.5, "auc_features": None,
             "carried_by": [], "flagged": False} | told  # fmt: skip
    asked = Asked(STUDY, LANGUAGE, example.card().summary, {"audit": {"proxies": [proxy]}}, ())
    assert FROM_THE_RUN[11](asked) == answer
