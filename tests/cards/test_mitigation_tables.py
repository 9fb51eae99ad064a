"""Section 8: what it would take, as words and tables."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from riskmodels.assessment.audit.remedies.mitigation_words import FIRST, NOT_FOR_USE, UNLAWFUL, in_words
from riskmodels.cards.mitigation_tables import (
    FRONTIER_COLUMNS,
    NOT_RUN,
    frontier_in_words,
    frontier_rows,
    mitigation_part,
)
from riskmodels.cards.words import capital, language_of
from tests.data.small_study import study_file

STUDY = study_file()
LANGUAGE = language_of(STUDY)
HIDDEN = {"value": None, "reason": "not shown"}


def point(name: str, kind: str, precision: float, tp: tuple[int, int], **more: Any) -> dict[str, Any]:
    """Of 100 in need in each group so many were found; today 60 of a's, 40 of b's, and 50 of 100 places."""
    groups = [
        {"group": group, "label": group, "judged": True, "tp": found, "fn": 100 - found, "fp": None, "tn": None}
        for group, found in zip("ab", tp, strict=True)
    ]
    gap = (tp[0] - tp[1]) / 100
    change = None if name == "today" else {"value": precision - 0.5, "low": precision - 0.53, "high": precision - 0.47}
    return {
        "attribute": "race", "name": name, "kind": kind, "family": "logistic", "features": [], "share": 1.0,
        "places": 200, "reached": 100, "precision": {"value": precision, "low": 0.4, "high": 0.7},
        "more_reached": None if name == "today" else {"value": 0.0}, "precision_change": change,
        "auc": {"value": 0.7, "low": 0.6, "high": 0.8}, "metric": "recall", "worse": "b", "worse_label": "b",
        "better": "a", "better_label": "a", "gap": {"value": gap, "low": gap - 0.1, "high": gap + 0.1},
        "gap_change": None, "narrower": None if name == "today" else gap < 0.1, "groups": groups, "frontier": True,
        "largest_gap": abs(gap),
    } | more  # fmt: skip


def published(**more: Any) -> dict[str, Any]:
    return {
        "purpose": "assistive", "measures": "need", "level": "person", "metric": "recall", "family": "points",
        "refitted": "logistic", "first": list(FIRST), "titles": {"race": "race"}, "left_out": [],
        "points": [
            point("today", "could be done", 0.50, (60, 40)),
            point("reweighed", "could be done", 0.46, (52, 49)),
            point("equal_cuts", "simulation only", 0.48, (50, 50)),
            point("places", "could be done", 0.40, (90, 60), share=2.0, frontier=None, more_reached={"value": 50.0}),
        ],
    } | more  # fmt: skip


def part(found: dict[str, Any] | None, study: Any = STUDY) -> Any:
    return mitigation_part(study, found, language_of(study), capital)


def test_not_run_is_one_line():
    assert part(None).words == (NOT_RUN,)
    assert part(None).tables == {}


def test_the_price_in_words():
    words = part(published()).words
    assert (
        "Race: of 100 people who needed help, today's list misses about 60 in the group b and about 40 in the group a."
        in words
    )
    assert (
        "Race: one score, taught on reweighed records. Of 100 places, 4 fewer would reach somebody who needs help. "
        "Of 100 people who needed help in the group b, about 51 would be missed; today, about 60."
    ) in words
    assert any(line.startswith("Race: simulation only: a cut-off for each group") for line in words)
    assert words[-1] == UNLAWFUL
    assert any("a points tally, which has nothing to teach anew" in line for line in words)


def test_what_comes_first_stands_before_the_numbers():
    assert part(published()).words[: len(FIRST)] == FIRST


def test_nothing_that_helps_is_said():
    found = published()
    for row in found["points"][1:]:
        row["narrower"] = False
    assert any("narrows the gap by more than chance; smaller gaps below may be luck." in line
               for line in part(found).words)  # fmt: skip


def test_more_places_say_how_many_more_are_reached():
    found = published()
    found["points"][3]["narrower"] = True
    assert any("Twice the places".lower() in line and "50 more would be reached in all" in line
               for line in part(found).words)  # fmt: skip


def test_a_line_of_the_table():
    table = part(published()).tables["mitigation"]
    assert len(table.columns) == len(table.rows[0])
    assert table.rows[1] == (
        "Race: b, a", "One score, taught on reweighed records", "could be done", "3 (-7 to 13)", "46 (40 to 70)",
        "-4 (-7 to -1)", "0", "70 (60 to 80)", "yes", "yes",
    )  # fmt: skip
    assert table.rows[3][-1] == ""


def test_hidden_numbers_are_words():
    found = copy.deepcopy(published())
    for row in found["points"]:
        row |= {"gap": HIDDEN, "largest_gap": None, "precision_change": row["precision_change"] and HIDDEN,
                "narrower": None, "frontier": None}  # fmt: skip
        row["groups"][1] |= {"tp": None, "fn": None}
    made = part(found)
    assert "Race: how the groups fare is not shown." in made.words
    assert made.tables["mitigation"].rows[1][3] == "not shown"
    assert made.tables["mitigation"].rows[1][5] == "not shown"
    assert frontier_rows(found, capital) == ()


def test_what_could_not_be_tried_has_its_reason():
    found = published(
        points=[], left_out=[
            {"attribute": "race", "name": None, "reason": "too few"},
            {"attribute": "sex", "name": "without_stand_ins", "reason": "no feature tells the group apart"},
        ],
    )  # fmt: skip
    made = part(found)
    assert made.words == (*FIRST, "Nothing could be tried: no characteristic has two groups that can be judged.")
    assert made.tables["not_tried"].rows == (
        ("Race", "anything", "Too few"),
        ("Sex", "A score without stand-ins for the group", "No feature tells the group apart"),
    )


@pytest.mark.parametrize(
    ("purpose", "heading", "note"),
    [
        ("assistive", "Missed, of 100 who needed help", False),
        ("punitive", "On the list, of 100 who did not have it", False),
        ("mixed", "Missed, of 100 who had the outcome", True),
    ],
)
def test_the_heading_is_of_the_rate_that_is_judged(purpose, heading, note):
    table = part(published(purpose=purpose), study_file(purpose=purpose)).tables["mitigation"]
    assert table.columns[3].startswith(heading)
    assert ("who is wrongly listed stands in the audit" in (table.note or "")) is note


def test_the_figure_s_rows_and_its_words():
    rows = frontier_rows(published(), capital)
    assert all(len(row) == len(FRONTIER_COLUMNS) for row in rows)
    assert [row[2] for row in rows] == ["today", "reweighed", "own cut-offs", "2 x places"]
    assert frontier_in_words(rows) == (
        "Race: today a gap of 20 of 100, with 50 of 100 places reaching those in need; the smallest of what "
        "could be done, 3, with 46 of 100 (one score, taught on reweighed records)."
    )


@pytest.mark.parametrize(
    ("law", "words"),
    [
        ("race", UNLAWFUL),
        ("disability", UNLAWFUL.replace("sex or race", "disability")),
        ("none", NOT_FOR_USE),  # the law of equality says nothing of it
    ],
)
def test_the_law_is_named_only_where_it_protects(law: str, words: str) -> None:
    assert in_words(published(), laws={"race": law})[-1] == words
    assert in_words(published())[-1] == UNLAWFUL


def test_a_smallest_gap_that_may_be_luck_is_said_to_be() -> None:
    found = published()
    found["points"][1]["narrower"] = False
    assert frontier_in_words(frontier_rows(found, capital)).endswith("reweighed records), which may be chance.")
