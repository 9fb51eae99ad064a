from __future__ import annotations

import copy
import datetime as dt
import json
from typing import Any

import numpy as np
import pytest

from riskmodels.assessment.over_time import assess_over_time
from riskmodels.assessment.suppression import PROFILES
from riskmodels.cards.over_time_tables import over_time_tables, over_time_words, published_over_time
from riskmodels.cards.reading import reading_grade
from riskmodels.cards.shown import HIDDEN, Shown
from riskmodels.cards.words import language_of
from riskmodels.study import Period
from riskmodels.study.use import Break
from tests.assessment.made_up_rows import ranked_rows
from tests.cards import example_card as example

LANGUAGE = language_of(example.study().file)
YEAR = Period(12, "month")


def broken(*dates: str) -> list[Break]:
    return [Break(date=dt.date.fromisoformat(date), what="A new law") for date in dates]


def raw(breaks: tuple[str, ...] = (), **changes: Any) -> dict[str, Any]:
    rows = ranked_rows(**({"people": 1500} | changes))
    return assess_over_time(rows, broken(*breaks), YEAR, YEAR, (0.8, 1.25)).to_dict()


def published(given: dict[str, Any], shown: Shown | None = None) -> dict[str, Any]:
    return published_over_time(copy.deepcopy(given), shown or Shown())


def test_trend_rows_say_how_much_and_whether_it_is_chance() -> None:
    tables = over_time_tables(published(raw(drift=0.25)), LANGUAGE)
    assert list(tables) == ["trend"]
    rows = {row[0]: row[1:] for row in tables["trend"].rows}
    change, interval, verdict = rows["Came about, for each 100 foreseen"]
    assert str(change).startswith("+")
    assert str(change).endswith(" of 100 a year")
    assert str(interval).startswith("+")
    assert verdict == "Yes, it rises"
    assert rows["Of 100 pairs, right one first (AUC)"][2] == "No clear change"


def test_two_dates_are_a_difference_not_so_much_a_year() -> None:
    given = raw(dates=2)
    rows = over_time_tables(published(given), LANGUAGE)["trend"].rows
    assert not any("a year" in str(row[1]) for row in rows)
    auc = 100 * given["trends"][0]["change"]["value"]
    assert rows[0][1] == f"{auc:+.1f} of 100"


def test_a_change_that_is_not_steady_is_said_to_be_so() -> None:
    given = raw(drift=0.25)
    given["trends"][1]["scatter_p"] = 0.001
    safe = published(given)
    assert over_time_tables(safe, LANGUAGE)["trend"].rows[1][3] == "Yes, it rises, but not steadily"
    given["decay"]["decays"] = False
    assert any("not steady" in line for line in over_time_words(published(given), LANGUAGE))


def test_one_date_says_why_there_is_no_trend() -> None:
    safe = published(raw(dates=1))
    assert over_time_tables(safe, LANGUAGE)["trend"].rows[0][1:] == ("not computed", "", "one test date has no trend")
    assert "cannot be said" in over_time_words(safe, LANGUAGE)[0]


def test_two_trends_without_a_clear_change_are_one_sentence() -> None:
    given = raw()
    for row in given["trends"]:
        row["verdict"] = "no clear change"
    (said,) = over_time_words(published(given), LANGUAGE)
    assert "no clear change in the pairs put right, nor in the cases that came about for each 100 foreseen" in said


def test_decay_is_told_in_cases_for_each_100_foreseen() -> None:
    given = raw(drift=0.25)
    assert given["decay"]["decays"]
    said = over_time_words(published(given), LANGUAGE)[1]
    assert "for each 100 cases foreseen" in said
    assert f"{100 * given['decay']['last']['oe_ratio']['value']:.0f}." in said
    assert "too low" in said


def test_breaks_have_a_row_for_each_part_and_a_sentence() -> None:
    given = raw(("2017-03-01",), dates=5, fade=0.6)
    safe = published(given)
    table = over_time_tables(safe, LANGUAGE)["breaks"]
    assert [row[1] for row in table.rows] == ["Before", "Reaching over it", "After"]
    assert all(row[0] == "A new law, 1 March 2017" for row in table.rows)
    words = over_time_words(safe, LANGUAGE)
    said = next(line for line in words if line.startswith("A new law"))
    assert said.endswith("This is more than chance.")
    assert not any("Never tested" in line for line in words)


@pytest.mark.parametrize(
    ("date", "begins", "said"),
    [
        ("2018-03-01", "Tested since the last change", "still looks back over it"),
        ("2019-03-01", "Never tested on the present", "no test date comes after"),
    ],
)
def test_never_tested_on_the_present(date: str, begins: str, said: str) -> None:
    words = over_time_words(published(raw((date,))), LANGUAGE)
    assert words[-1].startswith(begins)
    assert said in words[-1]
    assert "cannot be compared" in words[-2]


def test_a_part_of_few_cases_is_hidden_with_what_would_give_it_away() -> None:
    given = raw(("2017-03-01",), dates=5)
    given["breaks"][0]["parts"][0] |= {"events": 7}
    shown = Shown()
    before, across, after = published(given, shown)["breaks"][0]["parts"]
    assert before["n"] is before["events"] is None
    assert before["auc"] == {"value": None, "reason": shown.hidden}
    assert after["events"] is None or after["events"] % 5 == 0
    assert across["events"] is None or across["events"] % 5 == 0
    assert any("breaks" in line["where"] for line in shown.log)
    # One side and the change would give the other.
    changes = published(given)["breaks"][0]["change"]
    assert given["breaks"][0]["change"]["auc"]["value"] is not None
    assert {one["value"] for one in changes.values()} == {None}
    rows = over_time_tables(published(given), LANGUAGE)["breaks"].rows
    assert rows[0][3] == HIDDEN
    assert "too few cases can be shown" in next(
        line for line in over_time_words(published(given), LANGUAGE) if "new law" in line
    )


def test_places_hide_nothing() -> None:
    given = raw(("2017-03-01",), dates=5)
    given["breaks"][0]["parts"][0] |= {"events": 7}
    assert published(given, Shown(PROFILES["places"]))["breaks"][0]["parts"][0]["events"] == 7


def test_published_is_json_and_every_sentence_can_be_read() -> None:
    safe = published(raw(("2017-03-01", "2019-01-01"), dates=5, drift=0.2, fade=0.4))
    json.dumps(safe, allow_nan=False)
    words = over_time_words(safe, LANGUAGE)
    assert np.mean([reading_grade(line) for line in words]) < 10
