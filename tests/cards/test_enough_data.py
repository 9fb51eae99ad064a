"""Whether there was enough data, in a table and in plain sentences."""

from __future__ import annotations

from typing import Any

import pytest

from riskmodels.assessment.sample_size import Sample, enough_data
from riskmodels.cards.enough_data import enough_tables, enough_words, published_enough
from riskmodels.cards.reading import reading_grade
from riskmodels.cards.shown import Shown
from riskmodels.cards.words import language_of
from tests.cards import example_card as example

STUDY = example.study()
LANGUAGE = language_of(STUDY.file)
MUCH, TEST = Sample(9000, 1801, 9000, 1801), Sample(4000, 800, 4000, 800)


def found(fit: Sample = MUCH, test: Sample = TEST, shown: Shown | None = None, **changes: Any) -> dict[str, Any]:
    given = {"parameters": 30, "auc": 0.85} | changes
    return published_enough(enough_data(fit, test, **given).to_dict(), shown or Shown())


def table(result: dict[str, Any]) -> list[tuple[Any, ...]]:
    return list(enough_tables(result, LANGUAGE, STUDY)["enough_data"].rows)


def test_needed_beside_what_there_was():
    rows = table(found())
    assert ("To learn: in all, entries", "920", "9,000") in rows
    assert ("To learn: in all, with the outcome", "184", "1,800") in rows
    assert [row[1] for row in rows[:3]] == ["920", "808", "246"]
    assert len(rows) == 10


def test_people_beside_rows_where_they_differ():
    result = found(Sample(9000, 1800, 3000, 700))
    assert ("To learn: in all, entries", "920", "9,000 (different ones: 3,000)") in table(result)
    assert "Entries of the same pupil on several dates" in enough_tables(result, LANGUAGE, STUDY)["enough_data"].note


def test_of_trees_it_is_a_lower_limit():
    result = found(regression=False)
    assert table(result)[0][1] == "at least 920"
    assert "ten times" in enough_tables(result, LANGUAGE, STUDY)["enough_data"].note
    assert "needs at least 920 pupils" in enough_words(result, LANGUAGE, STUDY)[0]


@pytest.mark.parametrize(
    ("fit", "regression", "said"),
    [
        (MUCH, True, "There were enough."),
        (Sample(9000, 1840, 9000, 1840), False, "There were enough."),
        (Sample(9000, 1800, 9000, 1800), False, "needs more, and how much more is not known"),
        (Sample(9000, 1800, 700, 500), True, "these are 700 pupils, counted again on several dates, which"),
        (Sample(800, 180, 800, 180), True, "too few, so its risks may be too extreme"),
    ],
)
def test_the_verdict_in_words(fit, regression, said):
    first, second = enough_words(found(fit, regression=regression), LANGUAGE, STUDY)
    assert said in first
    assert "There were enough." in second
    assert reading_grade(f"{first}\n{second}") <= 9


def test_too_few_to_test_with():
    words = enough_words(found(test=Sample(300, 60, 300, 60)), LANGUAGE, STUDY)
    assert "how well it does is known less well" in words[1]


def test_a_handful_is_not_shown():
    shown = Shown()
    rows = table(found(Sample(63, 7, 63, 7), shown=shown))
    assert rows[3][2] == "65"
    assert "not shown" in rows[4][2]
    assert shown.log


def test_what_was_not_worked_out_is_one_line():
    result = found(auc=0.4)
    assert enough_tables(result, LANGUAGE, STUDY) == {}
    (line,) = enough_words(result, LANGUAGE, STUDY)
    assert "no better than chance" in line


def test_nothing_found_nothing_said():
    assert (published_enough({}, Shown()), enough_tables({}, LANGUAGE, STUDY)) == ({}, {})
    assert enough_words({}, LANGUAGE, STUDY) == ()


def test_publishing_twice_is_the_same_as_once():
    once = found()
    assert published_enough(once, Shown()) == once
