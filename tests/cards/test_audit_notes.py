"""What section 8 says of the policy's limit, and of groups that are too small to be shown one by one."""

from typing import Any

import pytest

from riskmodels.cards.audit_notes import limit_words, together_words
from riskmodels.cards.words import language_of
from tests.cards import example_card as example
from tests.cards.example_audit import INSUFFICIENT, SMALL, WIDE, audit, contrast, row

STUDY = example.study()
LANGUAGE = language_of(STUDY.file)
RULES = {"profile": "sro-10", "below": 10, "rounded_to": 5}


# ---------------------------------------------------------------- the limit


def listing(share: float | None) -> list[dict[str, Any]]:
    rows = [row("gender", "male"), row("gender", "female")]
    for one in rows:
        one["metrics"]["selection_rate"] = {"value": share}
    return rows


def small(metric: str) -> dict[str, Any]:
    return contrast("Asian", INSUFFICIENT, metric, reason=SMALL)


def test_a_limit_is_said_only_where_a_gap_lies_within_it() -> None:
    assert limit_words(audit(rows=listing(0.05)), [contrast("Asian", INSUFFICIENT, reason=WIDE)], LANGUAGE) == ""
    said = limit_words(audit(rows=listing(0.05)), [small("recall")], LANGUAGE)
    assert "a gap of 5 in 100 or less is not called harm" in said
    assert said.endswith("is not a pass.")


@pytest.mark.parametrize(("share", "is_said"), [(0.05, True), (0.049, True), (0.06, False), (None, False)])
def test_where_few_are_listed_hardly_a_gap_in_who_is_listed_can_pass_the_limit(share: float, is_said: bool) -> None:
    said = limit_words(audit(rows=listing(share)), [small("selection_rate")], LANGUAGE)
    assert ("Of 100 pupils, only 5 are listed at all. So hardly any gap" in said) == is_said


# ---------------------------------------------------------------- groups that are not shown


def composed(shown: tuple[float, float, float], *hidden: str, selected: int = 570) -> dict[str, Any]:
    """An audit of one group that is shown and some that are not; ``shown``: its shares of all, of the list, of need."""
    shares = dict(zip(("in_cohort", "on_list", "in_need"), shown, strict=True))
    nothing = {"in_cohort": 0.05, "on_list": None, "in_need": None, "reason": "not shown"}
    composition = [{"attribute": "ethnicity", "group": "white", "label": "white", **shares}]
    composition += [{"attribute": "ethnicity", "group": name, "label": name, **nothing} for name in hidden]
    rows = [row("ethnicity", "white", n=9000, positives=860, selected=selected)]
    rows += [row("ethnicity", name, None, n=500, positives=None, selected=None) for name in hidden]
    return audit(rows=rows, composition=composition, disclosure=RULES)


def test_groups_that_are_not_shown_are_told_together() -> None:
    (said,) = together_words(composed((0.91, 0.97, 0.91), "Asian", "another"), STUDY, LANGUAGE)
    assert "Asian and another: not shown one by one, to protect small numbers." in said
    assert "about 9 of 100 pupils ranked, and about 9 of 100 of those who needed help." in said
    assert said.endswith("They have about 3 of 100 places.")


@pytest.mark.parametrize(
    "found",
    [
        composed((0.91, 0.97, 0.91), "Asian"),  # one group: it would be the number that is not shown
        composed((0.91, 0.97, 0.91)),
        composed((0.91, 0.97, 0.91), "Asian", "another", selected=285),  # about 9 places
        composed((0.91, 1.0, 0.91), "Asian", "another"),
    ],
)
def test_what_is_left_over_is_not_told_where_it_is_one_group_or_a_handful(found: dict[str, Any]) -> None:
    assert together_words(found, STUDY, LANGUAGE) == []
