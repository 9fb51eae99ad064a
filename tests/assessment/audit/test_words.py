import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmodels.assessment.audit.verdicts import SMALL_BY_POLICY, TOO_FEW, TOO_WIDE
from riskmodels.assessment.audit.words import (
    NOTHING_WOULD_SHOW,
    detectable_in_words,
    failures,
    in_words,
    judged_in_words,
    per_hundred,
    too_few_in_words,
)

JUDGED = {"comparisons": 9, "passed": 2, "failed": 1, "insufficient": 6, "failed_against_others": 0}
INSUFFICIENT = "INSUFFICIENT EVIDENCE"
WIDE = f"{TOO_WIDE} 0.80 to 1.25"
TITLES = {"ethnicity": "ethnic group"}


def row(group, label, **metrics):
    return {
        "attribute": "ethnicity", "group": group, "label": label, "shown": True,
        "metrics": {name: {"value": value} for name, value in metrics.items()},
    }  # fmt: skip


def contrast(metric, verdict="PASS", reference=("cauc", "white"), **more):
    return {
        "attribute": "ethnicity", "group": "afam", "label": "African American", "reference": reference[0],
        "reference_label": reference[1], "metric": metric, "family": "primary", "against": "reference",
        "verdict": verdict, "reason": None, "worse_off": None, "minimum_detectable": None, "ratio": 1.0, "low": 0.7,
        "high": 1.4, "gap": 0.0,
    } | more  # fmt: skip


def open_(label, **more):
    return contrast("recall", INSUFFICIENT, reason=WIDE, **({"group": label, "label": label} | more))


def said(contrasts, rows, purpose="assistive", measures="need", noun="people", provisional=False, **more):
    return in_words(
        rows, contrasts, TITLES, purpose=purpose, measures=measures, noun=noun, judged=JUDGED, provisional=provisional,
        **more,
    )  # fmt: skip


def test_the_whole_comes_first():
    assert said([], []) == ("Judged 3 of 9: harm found in 1, cannot judge 6.",)
    assert judged_in_words(JUDGED) == "Judged 3 of 9: harm found in 1, cannot judge 6."
    others = judged_in_words(JUDGED | {"failed_against_others": 2})
    assert others == "Judged 3 of 9: harm found in 1, cannot judge 6. Against everybody else, harm found in 2."


@pytest.mark.parametrize(
    ("rate", "words"),
    [(0.0, "none"), (0.004, "fewer than 1"), (0.4, "about 40"), (0.996, "about 100"), (1.1, "about 110")],
)
def test_per_hundred(rate, words):
    assert per_hundred(rate) == words


# ---------------------------------------------------------------- one group


def test_recall_is_said_as_those_who_are_missed():
    rows = [row("afam", "African American", fnr=0.404), row("cauc", "white", fnr=0.377)]
    assert said([contrast("recall")], rows)[1] == (
        "Ethnic group, African American: of 100 people who needed help, the list misses about 40; "
        "in the group it is compared with (white), about 38. PASS."
    )


def test_everybody_elses_rate_is_what_the_gap_leaves():
    # Found: 0.60 here, 0.25 less than among the others, who are found in 0.85 and so missed in 0.15.
    against_all = {"family": "second", "against": "others", "reference": "everybody else", "gap": -0.25}
    failed = contrast("recall", "FAIL", worse_off="African American", **against_all)
    assert said([failed], [row("afam", "African American", fnr=0.4)])[1] == (
        "Ethnic group, African American: of 100 people who needed help, the list misses about 40; "
        "among everybody else, about 15. FAIL: African American worse off."
    )
    listed = contrast("selection_rate", "FAIL", worse_off="African American", **against_all)
    assert (
        "picks about 10; among everybody else, about 35." in said([listed], [row("afam", "x", selection_rate=0.1)])[1]
    )


def test_an_outcome_that_is_a_service_is_not_called_need():
    rows = [row("afam", "African American", fnr=0.4), row("cauc", "white", fnr=0.4)]
    sentences = said([contrast("recall")], rows, measures="service", provisional=True)
    assert "provisional" in sentences[1]
    assert "people who had the outcome, the list misses" in sentences[2]


def test_a_fail_names_who_is_worse_off():
    rows = [row("afam", "African American", fpr=0.3), row("cauc", "white", fpr=0.1)]
    sentence = said([contrast("fpr", "FAIL", worse_off="African American")], rows, purpose="punitive")[1]
    assert sentence == (
        "Ethnic group, African American: of 100 people who did not have the outcome, the list wrongly picks about 30; "
        "in the group it is compared with (white), about 10. FAIL: African American worse off."
    )


def test_what_is_not_shown_is_not_said():
    hidden = row("afam", "African American", fnr=0.4) | {"shown": False}
    no_value = {"attribute": "ethnicity", "group": "afam", "shown": True, "metrics": {"fnr": {"value": None}}}
    unseen = contrast("recall", INSUFFICIENT, reason=WIDE, ratio=None, low=None, high=None)
    for own in (hidden, no_value):
        assert said([unseen], [own, row("cauc", "white", fnr=0.4)])[1] == (
            "Ethnic group, African American: whom the list finds is not shown. INSUFFICIENT EVIDENCE: the data cannot "
            "tell."
        )
    sentence = said([contrast("recall")], [row("afam", "African American", fnr=0.4), row("cauc", "white", fnr=None)])[1]
    assert "misses about 40; in the group it is compared with (white), it is not shown. PASS." in sentence


def test_calibration_in_words():
    own = row("afam", "African American", oe_ratio=1.2, calibration_slope=0.7)
    asked = [contrast(metric, reference=("prediction", "prediction")) for metric in ("oe_ratio", "calibration_slope")]
    _, expected, spread = said(asked, [own])
    assert "African American: for 100 cases that the risks foresee, about 120 came about. PASS." in expected
    assert "African American: high risks are too high and low ones too low (slope 0.70). PASS." in spread


@pytest.mark.parametrize(("noun", "who", "of"), [("places", None, "that"), ("pupils", "who", "who")])
def test_other_nouns_and_people_whose_group_is_not_recorded(noun, who, of):
    rows = [row("afam", "Not recorded", fnr=0.4), row("cauc", "white", fnr=0.4)]
    sentence = said([contrast("recall", label="Not recorded")], rows, noun=noun, who=who)[1]
    assert sentence.startswith(f"Ethnic group, not recorded: of 100 {noun} {of} needed help")


# ---------------------------------------------------------------- the order, and several groups


def test_harm_comes_first_and_too_few_last():
    asked = [
        contrast("recall", group="a", label="a"),
        open_("b"),
        contrast("recall", INSUFFICIENT, group="c", label="c", reason=f"{TOO_FEW}: fewer than 100"),
        contrast("recall", "FAIL", group="d", label="d", worse_off="d"),
    ]
    starts = [sentence.partition(":")[0] for sentence in said(asked, [])[1:]]
    assert starts == ["Ethnic group, d", "Ethnic group, b", "Ethnic group, a", "Ethnic group"]


def test_groups_alike_share_a_sentence():
    rows = [row("under 11", "under 11", fnr=0.404), row("fourth", "fourth", fnr=0.2), row("cauc", "white", fnr=0.377)]
    asked = [open_("under 11"), open_("fourth"), open_("hidden")]
    assert said(asked, rows)[1] == (
        "Ethnic group: of 100 people who needed help, the list misses: under 11, about 40; fourth, about 20; not shown "
        "for hidden; and in the group they are compared with (white), about 38. INSUFFICIENT EVIDENCE: the data cannot "
        f"tell. {NOTHING_WOULD_SHOW}"
    )


def test_a_group_beyond_chance_does_not_share_one_with_the_others():
    asked = [open_("b"), open_("c", low=0.1, high=0.9)]
    sentences = said(asked, [])
    assert len(sentences) == 3
    assert sentences[2].endswith(
        "INSUFFICIENT EVIDENCE. There is a difference, and it is more than chance. The data cannot tell whether it is "
        "large enough to matter."
    )
    assert "INSUFFICIENT EVIDENCE: the data cannot tell." in sentences[1]
    assert "Chance" not in sentences[1]


def test_a_real_but_small_difference_is_not_called_unknown():
    small = open_("b", low=1.3, high=4.0) | {"reason": f"{SMALL_BY_POLICY}: at most 5 in 100"}
    sentence = said([small], [])[1]
    assert sentence.endswith(f"INSUFFICIENT EVIDENCE: {SMALL_BY_POLICY}: at most 5 in 100.")
    assert "cannot tell" not in sentence


def test_only_what_counts_is_said():
    silent = [contrast("recall") | {"family": "exploratory"}, contrast("recall", INSUFFICIENT) | {"family": "second"}]
    assert len(said(silent, [])) == 1


def test_what_fails_twice_is_said_once():
    first, again = contrast("recall", "FAIL"), contrast("recall", "FAIL", family="second", against="others")
    other = contrast("recall", "FAIL", family="second", against="others", group="b")
    assert failures([again, other, first]) == [first, other]


# ---------------------------------------------------------------- too few, and what would have shown


def few(metric, label, is_few=True):
    reason = f"{TOO_FEW}: fewer than 100 people who had the outcome" if is_few else WIDE
    return contrast(metric, INSUFFICIENT, group=label, label=label, reason=reason)


def test_groups_too_small_for_any_verdict_share_one_sentence():
    asked = [few(metric, label) for label in ("Asian", "Hispanic", "another") for metric in ("recall", "oe_ratio")]
    assert too_few_in_words([*asked, contrast("recall")], TITLES, "pupils") == (
        "Ethnic group: too few pupils to judge anything for Asian, Hispanic and another.",
    )
    assert len(said(asked, [])) == 2
    assert too_few_in_words([contrast("recall")], TITLES, "pupils") == ()


def test_groups_too_small_for_some_verdicts_are_named_with_what_cannot_be_judged():
    asked = [
        few("recall", "a"), few("oe_ratio", "a"), few("recall", "b"), few("oe_ratio", "b", is_few=False),
        few("recall", "c", is_few=False), few("oe_ratio", "c", is_few=False), few("calibration_slope", "b"),
        few("calibration_slope", "c"),
    ]  # fmt: skip
    assert too_few_in_words(asked, TITLES, "people") == (
        "Ethnic group: too few people to judge anything for a; whom the list finds for b; whether high and low risks "
        "are right for the others.",
    )


@pytest.mark.parametrize(
    ("metric", "smallest", "words"),
    [
        ("recall", 0.613, "Only a rate of 61% of the other group's, or less, would have shown."),
        ("fpr", 1.804, "Only a rate of 1.8 times the other group's, or more, would have shown."),
        ("oe_ratio", 1.64, "Only 164 or more cases for each 100 that the risks foresee would have shown."),
        ("oe_ratio", 0.58, "Only 58 or fewer cases for each 100 that the risks foresee would have shown."),
        ("calibration_slope", 0.62, "Only a slope of 0.62 or less would have shown."),
        ("recall", 0.04, NOTHING_WOULD_SHOW),
        ("recall", None, NOTHING_WOULD_SHOW),
        ("fpr", 7.1, NOTHING_WOULD_SHOW),
    ],
)
def test_what_would_have_shown(metric, smallest, words):
    assert detectable_in_words([contrast(metric, INSUFFICIENT, reason=WIDE, minimum_detectable=smallest)]) == words


def test_of_several_groups_the_nearest_is_said_and_those_where_nothing_would_show():
    asked = [open_("a", minimum_detectable=0.3), open_("b", minimum_detectable=0.5), open_("c")]
    assert detectable_in_words(asked) == (
        "At best, only a rate of 50% of the other group's, or less, would have shown. For c, not even a very large "
        "difference."
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"verdict": "PASS"},
        {"low": None, "ratio": None},  # not shown
        {"low": 0.1, "high": 0.9},  # it did show
        {"reason": f"{TOO_FEW}: fewer than 100"},
        {"reason": f"{SMALL_BY_POLICY}: at most 5 in 100", "low": 1.3, "high": 4.0},
    ],
)
def test_nothing_is_said_of_what_would_have_shown_where_that_is_not_the_question(changes):
    assert detectable_in_words([open_("a", minimum_detectable=0.5) | changes]) == ""


@given(st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=20))
def test_any_label_stands_by_itself(label):
    # A label is never bent into the sentence: it stands between a comma and a colon, or between brackets.
    rows = [row("afam", label, fnr=0.4), row("cauc", label, fnr=0.4)]
    sentence = said([contrast("recall", label=label, reference=("cauc", label))], rows)[1]
    shown = "not recorded" if label == "Not recorded" else label
    assert sentence.startswith(f"Ethnic group, {shown}: of 100 people")
    assert f"({label}), about 40" in sentence
