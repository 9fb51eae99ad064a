"""What acting on the list does, in tables and in plain sentences: the measured and the assumed kept apart."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest

from riskmodels.cards.card import Table
from riskmodels.cards.reading import reading_grade
from riskmodels.cards.shown import Shown
from riskmodels.cards.use_published import published_use
from riskmodels.cards.use_tables import (
    FEWEST_SIZES,
    RISK_IS_NOT_BENEFIT,
    gap_words,
    money,
    points,
    size_words,
    sizes_shown,
    span,
    use_tables,
)
from riskmodels.cards.use_words import NO_MONEY, NOT_STATED, use_words
from riskmodels.cards.words import language_of, sentences_of, word_count
from riskmodels.study.use import Help, Money
from tests.cards import example_card as example
from tests.cards.example_use import HELP, MONEY, use

STUDY = example.study()
LANGUAGE = language_of(STUDY.file)
GAIN, LOSS = Money(place_costs=(1, 2), success_saves=(900, 4000)), Money(place_costs=(900, 999), success_saves=(0, 9))


def performance(leads: bool = False, **changes: Any) -> dict[str, Any]:
    found = example.performance() | {"use": published_use(use(**changes), Shown())}
    found["at_capacity"]["leads_with_bounds"] = leads
    return found


@pytest.fixture(scope="module")
def whole() -> dict[str, Any]:
    return performance()


def tables(performance: dict[str, Any]) -> dict[str, Table]:
    return use_tables(performance, LANGUAGE, STUDY)


def words(performance: dict[str, Any]) -> str:
    return "\n".join(use_words(performance, LANGUAGE, STUDY))


# ---------------------------------------------------------------- tables


def test_every_table_is_there(whole):
    assert list(tables(whole)) == [
        "marginal", "assumed", "regression_to_mean", "interventions_avoided",
    ]  # fmt: skip


def test_without_a_result_there_is_nothing_to_say():
    assert use_tables(example.performance(), LANGUAGE, STUDY) == {}
    assert use_words(example.performance(), LANGUAGE, STUDY) == ()


def test_what_the_figure_of_sizes_tells_is_not_told_twice(whole):
    assert len(sizes_shown(whole["use"])) >= FEWEST_SIZES
    assert "capacity_sweep" not in tables(whole)


def test_too_few_sizes_for_a_figure_are_lines_with_their_intervals(whole):
    few = copy.deepcopy(whole)
    few["use"]["capacity_sweep"] = [row for row in few["use"]["capacity_sweep"] if row["own"]]
    table = tables(few)["capacity_sweep"]
    (line,) = table.rows
    assert line[:2] == ("The places there are", "12 of 100")  # 300 places for 2,500
    assert re.fullmatch(r"\d+ \(\d+ to \d+\)", str(line[2]))
    assert len(table.columns) == 4


def test_where_many_are_not_known_each_size_has_its_extremes():
    given = performance(leads=True)
    table = tables(given)["capacity_sweep"]
    assert len(table.rows) == len(given["use"]["capacity_sweep"])
    assert len(table.columns) == 4
    assert any(str(line[2]).startswith("between") for line in table.rows)


def test_the_assumed_stand_apart_and_say_so(whole):
    table = tables(whole)["assumed"]
    assert "none of this was measured" in table.caption
    assert RISK_IS_NOT_BENEFIT in table.note
    assert "50 to 80 of 100 who are offered help take it up" in table.note
    assert "minus 10 to 30 of 100 cases" in table.note
    assert "A place costs £100 to £200, also where the offer is declined." in table.note
    assert table.rows[0][1] == "50 to 80"
    assert table.rows[1][:2] == ("Cost for each pupil reached", "£125 to £400")
    assert table.rows[-1][1].endswith("or more, without a limit")
    measured = [name for name in tables(whole) if name != "assumed"]
    assert not any("assume" in str(tables(whole)[name]).lower() for name in measured)


def test_without_help_the_table_is_one_line():
    found = performance(help_on_offer=None)
    assert "assumed" not in tables(found)
    assert NOT_STATED in words(found)
    assert RISK_IS_NOT_BENEFIT not in words(found)


def test_without_money_there_is_no_cost_and_a_line_says_so():
    found = performance(money=None)
    assert [row[0] for row in tables(found)["assumed"].rows] == [
        "Reached, of 100 pupils on the list", "Cases prevented, by 100 places",
    ]  # fmt: skip
    assert NO_MONEY in words(found)
    assert "£" not in str(tables(found)["assumed"])


def test_too_few_at_the_cut_leave_their_line_and_the_other_side():
    found = performance(places=20, dates=1)
    rows = tables(found)["marginal"].rows
    assert "fewer than 50" in rows[0][3]
    assert re.match(r"\d", str(rows[1][3]))
    assert "Of the last" not in words(found)


def test_one_date_has_no_way_back():
    found = performance(dates=1)
    assert "regression_to_mean" not in tables(found)
    assert "could not be seen: there is one test date only." in words(found)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (None, None, "cannot say"),
        (0.01, 0.2, "more than chance"),
        (-0.1, 0.2, "could be chance"),
        (-0.2, -0.1, "wrong way round"),
    ],
)
def test_gap_at_the_cut(low, high, expected):
    assert expected in gap_words({"value": 0.1, "low": low, "high": high})


@pytest.mark.parametrize(
    ("found", "unit", "expected"),
    [
        ({"low": -4.96, "high": 14.9}, "count", "minus 5 to 15"),
        ({"low": 0.0431, "high": 0.2}, "count", "0.043 to 0.2"),
        ({"low": -17_500, "high": 38_000}, "GBP", "minus £17,500 to £38,000"),
        ({"low": 10, "high": 20}, "SEK", "10 SEK to 20 SEK"),
        ({"low": 0.05, "high": 1.4}, "share", "5 to more than 100"),
        ({"low": 0.05, "high": None}, "share", "5 or more, without a limit"),
        ({"low": None, "high": 3}, "count", "up to 3"),
        ({"low": 4, "high": 4}, "count", "4"),
        ({"low": None, "high": None, "reason": "nobody was selected"}, "count", "nobody was selected"),
    ],
)
def test_ranges_in_words(found, unit, expected):
    assert span(found, unit) == expected


def test_small_words():
    assert money(0, "GBP") == "£0"
    assert points(-0.3791) == "minus 38"
    assert points(-0.0379) == "minus 3.8"
    assert points(-0.0001) == "0"
    assert size_words({"times": 2.0}) == "Twice the places"
    assert size_words({"times": 4.0}) == "4 times the places"
    assert size_words({"times": None, "of_ranked": 0.05}) == "5 of each 100 ranked"


# ---------------------------------------------------------------- sentences


@pytest.mark.parametrize(
    "changes",
    [{}, {"leads": True}, {"help_on_offer": None}, {"money": None}, {"dates": 1}, {"money": GAIN}, {"money": LOSS}],
)
def test_sentences_are_short_and_plain(changes):
    text = words(performance(**changes))
    assert reading_grade(text) <= 9
    assert all(word_count(sentence) <= 30 for line in text.splitlines() for sentence in sentences_of(line))
    assert "None" not in text
    assert not re.search(r"\b(fault|blame|caused?s?|leads? to|failed)\b", text)


@pytest.mark.parametrize(
    ("effect", "given_money", "said", "not_said"),
    [
        (
            (-0.1, 0.3),
            MONEY,
            ("harm was not ruled out", "could lose £", "does not decide"),
            ("On these terms", "minus"),
        ),
        ((0.1, 0.3), GAIN, ("On these terms 100 places save £",), ("harm", "could lose", "cost £")),
        ((0.1, 0.3), LOSS, ("On these terms 100 places cost £", "No effect of help could"), ("save £", "harm")),
        ((-0.3, -0.1), LOSS, ("As assumed, help does no good.", "cost £"), ("save £",)),
    ],
)
def test_gain_loss_or_either(effect, given_money, said, not_said):
    text = words(performance(help_on_offer=Help(take_up=(0.5, 0.8), effect=effect), money=given_money))
    assert all(part in text for part in said), text
    assert not any(part in text for part in not_said), text
    assert RISK_IS_NOT_BENEFIT in text


def test_the_words_hold_over_chance_and_unknown_outcomes_too(whole):
    """A range that is above 0 as measured and below it at an end of the interval holds both."""
    found = copy.deepcopy(whole)
    found["use"]["assumed"]["saved_per_100"] = {
        "measured": {"low": 10, "high": 900}, "sampling": {"low": -50, "high": 990},
    }  # fmt: skip
    assert "100 places could lose £50 or save £990" in words(found)


def test_a_fall_by_itself_is_said_not_to_be_help(whole):
    text = words(whole)
    assert re.search(r"Of those ranked again on the next test date, the mean risk fell from \d+ of 100 to \d+", text)
    assert "a fall comes without any help from the list" in text
    found = copy.deepcopy(whole)
    change = found["use"]["regression_to_mean"]["listed"]["change"]
    change |= {"value": -0.01, "low": -0.03, "high": 0.01}
    assert "This fall could be chance." in words(found)
    change |= {"value": 0.01}
    assert "went from" in words(found)
    assert "without any help" not in words(found)


def test_where_many_are_not_known_the_first_sentence_says_so():
    assert words(performance(leads=True)).startswith("These figures are for those whose outcome is known")


def test_an_outcome_that_is_no_need_is_not_called_one(whole):
    study = example.study({"outcome": {**example.STUDY["outcome"], "measures": "service"}})
    language = language_of(study.file)
    said = "\n".join(use_words(whole, language, study)) + str(use_tables(whole, language, study))
    assert "needed help" not in said
    assert "had the outcome" in said


def test_hidden_numbers_leave_whole_sentences():
    found = performance(people=200, places=14, dates=1)
    text = words(found)
    assert "None" not in text + str(tables(found))
    assert reading_grade(text) <= 9
    assert "not shown (fewer than 10 people)" in str(tables(found)["assumed"])
    assert HELP.take_up == (0.5, 0.8)
