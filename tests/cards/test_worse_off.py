"""Page one's answer to "who is treated worse?": it says what section 8 says, and no number that the card lacks."""

from typing import Any

import pytest

from riskmodels.cards.audit_findings import gaps, harms, less_written_down, not_recorded
from riskmodels.cards.audit_section import as_the_card_says_it
from riskmodels.cards.words import Numbers, at, language_of, spoken
from riskmodels.cards.worse_off import lacking_records, worse
from tests.cards import example_card as example
from tests.cards.example_audit import FEW, INSUFFICIENT, SMALL, WIDE, audit, contrast, row

STUDY = example.study()
LANGUAGE = language_of(STUDY.file)
OTHERS = {"family": "second", "against": "others"}
CROSSED = {
    "attribute": "gender × ethnicity", "group": "female × Asian", "label": "female × Asian", "family": "exploratory",
    "against": "others", "verdict": "look here", "low": 0.3, "high": 0.8, "ratio": 0.5,
}  # fmt: skip
RISKS = {"metric": "oe_ratio", "against": "prediction"}


def said(*contrasts: dict[str, Any], leads: bool = False, **more: Any) -> str:
    found = as_the_card_says_it(audit(*contrasts, **more), STUDY, LANGUAGE)
    numbers = Numbers({"performance": {"at_capacity": {"leads_with_bounds": leads}}, "audit": found})
    text = worse(LANGUAGE, numbers, harms(STUDY, found), gaps(STUDY, found))
    for number in numbers.taken.values():
        assert spoken(at(numbers.card, number.path), number.kind) == number.text
    return text


def rows(recall: float | None = 0.3) -> list[dict[str, Any]]:
    return [row("ethnicity", "white", 0.5), row("ethnicity", "Asian", recall), row("ethnicity", "55-64", 0.6)]


# ---------------------------------------------------------------- harm


def test_harm_is_told_in_natural_frequencies() -> None:
    failed = contrast("Asian", "FAIL", ratio=0.6, low=0.5, high=0.7, worse_off="Asian")
    assert said(failed, rows=rows()) == (
        "Ethnicity, Asian: of 100 pupils who needed help, the list finds 30. For white it finds 50."
    )
    assert "of 100 pupils with a known result who needed help" in said(failed, rows=rows(), leads=True)


def test_harm_is_told_of_whoever_fares_worse_though_it_be_the_reference() -> None:
    failed = contrast("55-64", "FAIL", ratio=1.5, low=1.3, high=1.8, worse_off="white")
    assert said(failed, rows=rows()).startswith(
        "Ethnicity, white: of 100 pupils who needed help, the list finds 50. For 55-64"
    )


def test_a_fail_against_everybody_else_alone_is_a_harm_too() -> None:
    failed = contrast("Asian", "FAIL", ratio=0.6, low=0.5, high=0.7, worse_off="Asian", **OTHERS)
    assert said(contrast("Asian", "PASS"), failed, rows=rows()) == (
        "Ethnicity, Asian: of 100 pupils who needed help, the list finds 30. For all others it finds more."
    )


def test_where_all_others_fare_worse_the_number_is_still_that_of_the_group() -> None:
    failed = contrast("55-64", "FAIL", ratio=1.5, low=1.3, high=1.8, worse_off="everybody else", **OTHERS)
    found = audit(failed, rows=rows())
    assert [one.who for one in harms(STUDY, found)] == ["all but ethnicity: 55-64"]
    assert said(failed, rows=rows()).startswith(
        "Ethnicity, 55-64: of 100 pupils who needed help, the list finds 60. For all others it finds fewer."
    )


def test_what_fails_against_the_reference_is_not_said_again_against_everybody_else() -> None:
    once = contrast("55-64", "FAIL", ratio=1.5, low=1.3, high=1.8, worse_off="white")
    again = contrast("white", "FAIL", ratio=0.6, low=0.5, high=0.7, worse_off="white", **OTHERS)
    assert len(harms(STUDY, audit(once, again, rows=rows()))) == 1


def test_what_is_too_small_to_show_says_which_way_it_goes() -> None:
    failed = contrast("Asian", "FAIL", ratio=None, low=None, high=None, worse_off="Asian")
    assert said(failed, rows=rows(None)).startswith(
        "Ethnicity, Asian: the list finds fewer of them than of white. The numbers are too small to show."
    )


# ---------------------------------------------------------------- no harm


UNSURE = contrast("Asian", INSUFFICIENT, reason=WIDE)
CLEAR = contrast("Asian", INSUFFICIENT, reason=WIDE, ratio=0.6, low=0.3, high=0.9, worse_off="Asian")


def test_what_may_be_chance_is_said_to_be_so_only_where_nothing_was_flagged() -> None:
    text = said(UNSURE, contrast("55-64", "PASS", **RISKS), rows=rows())
    assert "We cannot say who is missed more." in text
    assert text.endswith("This may be chance.")
    flagged = contrast("55-64", "look here", "for", family="exploratory")
    assert "chance" not in said(UNSURE, flagged, rows=rows())


@pytest.mark.parametrize(
    "clear",
    [
        CLEAR,
        contrast("Asian", INSUFFICIENT, reason=FEW, ratio=0.6, low=0.3, high=0.9, worse_off="Asian"),
        contrast("Asian", INSUFFICIENT, reason=WIDE, ratio=0.6, low=0.3, high=0.9, worse_off="Asian", **OTHERS),
    ],
)
def test_a_gap_beyond_chance_is_not_called_unknown(clear: dict[str, Any]) -> None:
    text = said(UNSURE, clear, contrast("55-64", "PASS", **RISKS), rows=rows())
    assert "One gap is more than chance. Ethnicity, Asian: of 100 pupils who needed help, the list finds 30." in text
    assert "We cannot say" not in text
    assert "may be chance" not in text


def test_a_flagged_intersection_is_named() -> None:
    text = said(UNSURE, contrast("Asian", "look here") | CROSSED, rows=rows())
    assert "One gap is more than chance. Female, Asian: the list finds fewer of them than of all others." in text
    assert "may be chance" not in text


def test_who_is_on_the_list_counts_where_flagged_though_need_may_differ() -> None:
    listed = contrast("Asian", "look here", "selection_rate", family="exploratory", ratio=0.3, low=0.1, high=0.6)
    text = said(UNSURE, listed | {"worse_off": "Asian"}, rows=rows())
    assert "of 100 pupils, the list holds 30. For white it holds 50. Their needs may differ too." in text


def test_a_real_but_small_gap_is_said_to_be_that() -> None:
    small = contrast("Asian", INSUFFICIENT, reason=SMALL, ratio=0.6, low=0.4, high=0.7, worse_off="Asian")
    text = said(UNSURE, small, contrast("55-64", "PASS"), rows=rows())
    assert "For 1 of 3 checks the data cannot tell if a gap matters. In 1 a real gap is within the set limit." in text
    assert "The widest of those: Ethnicity, Asian" in text


def test_groups_too_small_are_no_pass() -> None:
    few = contrast("Asian", INSUFFICIENT, reason=FEW, ratio=None, low=None, high=None)
    assert said(few, rows=rows()).startswith("We cannot say. The groups are too small to judge any of them")
    assert said() == "No group was compared."


def test_a_pass_on_who_is_missed_is_no_harm_found() -> None:
    assert said(contrast("Asian", "PASS")).startswith("We found no harm to the groups that we could judge.")


def test_long_lists_of_what_was_not_checked_are_cut() -> None:
    left = [{"attribute": name, "reason": "x", "accepted": True} for name in ("age", "disability", "race", "sex")]
    assert said(contrast("Asian", "PASS"), not_audited=left).endswith(
        "Not checked: age, disability and others (section 8)."
    )
    assert said(contrast("Asian", "PASS"), not_audited=left[:3]).endswith("Not checked: age, disability and race.")


# ---------------------------------------------------------------- records


def test_a_characteristic_not_recorded_for_many_belongs_on_page_one() -> None:
    missing = [{"attribute": "gender", "share": 0.2, "bounds": None}, {"attribute": "ethnicity", "share": 0.31}]
    found = audit(contrast("Asian", "PASS"), missing=missing)
    assert not_recorded(found) == [1]
    numbers = Numbers({"audit": found})
    assert lacking_records(STUDY, numbers, []) == "Ethnicity is not recorded for 31 of 100."
    assert [number.path for number in numbers.taken.values()] == ["audit.missing.1.share"]


def test_groups_of_which_less_is_written_down_are_named() -> None:
    evidence = "before the same outcome much less is written down of: Asian (by up to 55%: absence). Less is recorded"
    check = {"check": "recording_gap", "result": "concern", "evidence": evidence}
    assert less_written_down(audit(), [check]) == ["Asian"]
    assert less_written_down(audit(), [{**check, "result": "pass"}]) == []
    assert lacking_records(STUDY, Numbers({"audit": audit()}), ["Asian"]) == "Far less is written down of Asian."


def test_the_card_puts_it_on_page_one() -> None:
    evidence = "much less is written down of: African American (by up to 55%: reading_test)"
    checks = [{"check": "recording_gap", "words": "x", "result": "concern", "evidence": evidence, "accepted": "Known."}]
    blocks = {block.id: block for block in example.card(checks=checks).summary.blocks}
    assert blocks["unlinked"].text == "Far less is written down of African American."


# ---------------------------------------------------------------- risks that are wrong


def test_risks_that_are_wrong_are_not_called_treatment() -> None:
    failed = contrast("Asian", "FAIL", metric="oe_ratio", against="prediction", ratio=1.5, low=1.3, high=1.8)
    assert said(failed, rows=rows()).startswith("No group was found to be treated worse, but the risks are wrong.")
    missed = contrast("Asian", "FAIL", ratio=0.6, low=0.5, high=0.7, worse_off="Asian")
    assert "the risks are wrong" not in said(failed, missed, rows=rows())


def test_a_slope_that_is_off_in_every_group_is_said_once() -> None:
    failed = [
        contrast(label, "FAIL", metric="calibration_slope", against="prediction", ratio=0.6, low=0.5, high=0.7)
        for label in ("Asian", "white")
    ]
    assert said(*failed, rows=rows()) == (
        "No group was found to be treated worse, but the risks are wrong. The score is too extreme for everybody: high "
        "risks are too high, and low ones too low."
    )


def test_several_gaps_beyond_chance_are_not_called_one() -> None:
    other = contrast("55-64", INSUFFICIENT, reason=WIDE, ratio=0.5, low=0.3, high=0.9, worse_off="55-64")
    text = said(UNSURE, CLEAR, other, rows=rows())
    assert "Some gaps are more than chance." in text
    assert "One gap" not in text
    assert "Section 8 has more." in text
