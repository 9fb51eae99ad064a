import pytest

from riskmodels.assessment.audit.words import in_words, judged_in_words, per_hundred

JUDGED = {"comparisons": 9, "passed": 2, "failed": 1, "insufficient": 6}


def row(group, label, **metrics):
    return {
        "attribute": "ethnicity", "group": group, "label": label, "shown": True,
        "metrics": {name: {"value": value} for name, value in metrics.items()},
    }  # fmt: skip


def contrast(metric, verdict="PASS", reference=("cauc", "white"), **more):
    return {
        "attribute": "ethnicity", "group": "afam", "label": "African American", "reference": reference[0],
        "reference_label": reference[1], "metric": metric, "family": "primary", "verdict": verdict, "reason": None,
        "worse_off": None, "minimum_detectable": None,
    } | more  # fmt: skip


def said(contrasts, rows, purpose="assistive", measures="need", noun="people", provisional=False):
    return in_words(
        rows, contrasts, {"ethnicity": "ethnic group"}, purpose=purpose, measures=measures, noun=noun, judged=JUDGED,
        provisional=provisional,
    )  # fmt: skip


def test_the_whole_comes_first():
    assert said([], []) == ("Judged 3 of 9: harm found in 1, cannot judge 6.",)
    assert judged_in_words(JUDGED) == "Judged 3 of 9: harm found in 1, cannot judge 6."


@pytest.mark.parametrize(
    ("rate", "words"),
    [(0.0, "none"), (0.004, "fewer than 1"), (0.4, "about 40"), (0.996, "about 100"), (1.1, "about 110")],
)
def test_per_hundred(rate, words):
    assert per_hundred(rate) == words


def test_recall_is_said_as_those_who_are_missed():
    rows = [row("afam", "African American", fnr=0.404), row("cauc", "white", fnr=0.377)]
    assert said([contrast("recall")], rows)[1] == (
        "Ethnic group: of 100 African American people who needed help, the list misses about 40; "
        "of 100 white people, about 38. PASS."
    )


def test_an_outcome_that_is_a_service_is_not_called_need():
    rows = [row("afam", "African American", fnr=0.4), row("cauc", "white", fnr=0.4)]
    sentences = said([contrast("recall")], rows, measures="service", provisional=True)
    assert "provisional" in sentences[1]
    assert "people who had the outcome, the list misses" in sentences[2]


def test_a_fail_names_who_is_worse_off():
    rows = [row("afam", "African American", fpr=0.3), row("cauc", "white", fpr=0.1)]
    sentence = said([contrast("fpr", "FAIL", worse_off="African American")], rows, purpose="punitive")[1]
    assert sentence.endswith(
        "the list wrongly picks about 30; of 100 white people, about 10. FAIL: African American worse off."
    )


def test_not_enough_evidence_says_why_and_what_could_have_been_seen():
    rows = [row("afam", "African American", fnr=0.4), row("cauc", "white", fnr=0.4)]
    sentence = said([contrast("recall", "INSUFFICIENT EVIDENCE", reason="too wide", minimum_detectable=0.613)], rows)[1]
    assert sentence.endswith(
        "INSUFFICIENT EVIDENCE: too wide. This data would have shown a ratio of 0.61, or one further from 1."
    )


def test_what_is_not_shown_is_not_said():
    hidden = row("afam", "African American", fnr=0.4) | {"shown": False}
    no_value = {"attribute": "ethnicity", "group": "afam", "shown": True, "metrics": {"fnr": {"value": None}}}
    for own in (hidden, no_value):
        sentence = said([contrast("recall", "INSUFFICIENT EVIDENCE")], [own, row("cauc", "white", fnr=0.4)])[1]
        assert "is not shown" in sentence
        assert "about" not in sentence
    sentence = said([contrast("recall")], [row("afam", "African American", fnr=0.4), row("cauc", "white", fnr=None)])[1]
    assert "misses about 40; for white people, it is not shown" in sentence


def test_calibration_in_words():
    own = row("afam", "African American", oe_ratio=1.2, calibration_slope=0.7)
    asked = [contrast(metric, reference=("prediction", "prediction")) for metric in ("oe_ratio", "calibration_slope")]
    _, expected, spread = said(asked, [own])
    assert "for every 100 African American people predicted to have the outcome, about 120 had it" in expected
    assert "among African American people, high risks are too high and low ones too low (slope 0.70)" in spread


def test_places_and_people_whose_group_is_not_recorded():
    rows = [row("afam", "Not recorded", fnr=0.4), row("cauc", "white", fnr=0.4)]
    sentence = said([contrast("recall", label="Not recorded")], rows, noun="places")[1]
    assert "of 100 places whose group is not recorded that needed help" in sentence


def test_only_primary_contrasts_are_said():
    assert len(said([contrast("recall") | {"family": "exploratory"}], [])) == 1


def test_groups_too_small_for_any_verdict_share_one_sentence():
    reason = "too few to judge: fewer than 100 people who had the outcome"
    asked = [
        contrast(metric, "INSUFFICIENT EVIDENCE", label=label, group=label, reason=reason)
        for label in ("Asian", "Hispanic", "another")
        for metric in ("recall", "oe_ratio")
    ]
    assert said([*asked, contrast("recall")], [])[-1] == (
        "Ethnic group: too few people to judge anything for Asian, Hispanic and another."
    )
    assert len(said(asked, [])) == 2
