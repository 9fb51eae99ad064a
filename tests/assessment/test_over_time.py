from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace

import numpy as np
import pytest

from riskmodels.assessment.calibration_statistics import calibration_slope, oe_ratio
from riskmodels.assessment.decisions import precision_at_k
from riskmodels.assessment.discrimination import auc
from riskmodels.assessment.over_time import assess_over_time, longest_lookback, place_of
from riskmodels.errors import DataError
from riskmodels.study import FeatureLine, Period
from riskmodels.study.use import Break
from tests.assessment.made_up_rows import few_rows, ranked_rows

FLOORS = (0.8, 1.25)
YEAR = Period(12, "month")


def broken(*dates: str) -> tuple[Break, ...]:
    return tuple(Break(date=dt.date.fromisoformat(date), what=f"change {i}") for i, date in enumerate(dates, start=1))


def assess(rows, breaks=(), **changes):
    arguments = {"horizon": YEAR, "lookback": YEAR, "floors": FLOORS} | changes
    return assess_over_time(rows, breaks, **arguments)


# ---------------------------------------------------------------- breaks


@pytest.mark.parametrize(
    ("break_date", "place"),
    [
        ("2019-01-01", "after"),  # looks back to 1 January 2019, the very day
        ("2019-01-02", "across"),
        ("2020-01-01", "across"),  # the as-of date itself: it looks back over the day before
        ("2020-12-31", "across"),
        ("2021-01-01", "before"),  # the outcome is over the day before
    ],
)
def test_where_a_test_date_stands(break_date, place):
    day = dt.date(2020, 1, 1)
    window = (YEAR.before(day), day, YEAR.after(day))
    assert place_of(window, dt.date.fromisoformat(break_date)) == place


def line(take: str, last: list[str], **more) -> FeatureLine:
    return FeatureLine.model_validate({"name": "one", "take": take, "of": "visit", "last": last, "words": "one"} | more)


@pytest.mark.parametrize(
    ("lines", "days"),
    [
        ([line("count", ["90 days", "6 months"]), line("count", ["1 year"])], 366),  # 2000 was a leap year
        ([line("count", ["ever"]), line("count", ["30 days"])], 30),  # ever has no length
        ([line("count", ["ever"])], 0),
        ([line("rate_change", ["90 days"], than="90 days")], 180),  # the earlier window lies before the later
        ([line("count", ["10 weeks", "60 days"])], 70),
    ],
)
def test_longest_lookback(lines, days):
    day = dt.date(2001, 1, 1)
    assert (day - longest_lookback(lines).before(day)).days == days


def test_each_part_of_a_break_is_the_pooled_figures_of_its_dates():
    rows = ranked_rows(dates=5)  # 1 September 2015, 31 August 2016, 2017, ...
    found = assess(rows, broken("2018-03-01"))
    parts = {part["when"]: part for part in found.breaks[0]["parts"]}
    assert {when: [day.year for day in part["dates"]] for when, part in parts.items()} == {
        "before": [2015, 2016],
        "across": [2017, 2018],
        "after": [2019],
    }
    known = rows.known_only()
    for part in parts.values():
        here = known.of(np.isin(known.dates, np.array(part["dates"], dtype="datetime64[D]")))
        of = (here.outcome, here.risk, here.units)
        assert (part["auc"], part["oe_ratio"], part["calibration_slope"]) == (
            auc(*of),
            oe_ratio(*of),
            calibration_slope(*of),
        )
        assert part["precision_at_k"] == precision_at_k(here.outcome, here.known, here.selected, here.units)
        assert (part["known"], part["events"]) == (here.n, here.events)
    assert sum(part["n"] for part in parts.values()) == rows.n
    assert sum(part["unknown"] for part in parts.values()) == rows.n - known.n
    change = found.breaks[0]["change"]
    assert change["auc"].value == pytest.approx(parts["after"]["auc"].value - parts["before"]["auc"].value)
    assert change["oe_ratio"].value == pytest.approx(
        parts["after"]["oe_ratio"].value / parts["before"]["oe_ratio"].value
    )
    assert change["auc"].low < change["auc"].value < change["auc"].high


def test_breaks_stand_in_order_and_a_part_without_dates_has_no_row():
    found = assess(ranked_rows(dates=3), broken("2030-01-01", "2010-01-01"))
    assert [one["what"] for one in found.breaks] == ["change 2", "change 1"]
    assert [[part["when"] for part in one["parts"]] for one in found.breaks] == [["after"], ["before"]]
    assert found.breaks[0]["change"] == {}
    assert found.breaks[0]["parts"][0] | {"when": ""} == found.breaks[1]["parts"][0] | {"when": ""}


@pytest.mark.parametrize(
    ("breaks", "tested", "since"),
    [
        ((), None, None),
        (("2016-01-01",), True, 3),
        (("2018-01-01",), True, 1),
        (("2016-01-01", "2019-01-01"), False, 0),
    ],
)
def test_tested_on_the_present(breaks, tested, since):
    """Test dates at the end of August of 2015 to 2018, each looking back and ahead a year."""
    found = assess(ranked_rows(dates=4), broken(*breaks)).present
    assert (found["tested"], found["since"]) == (tested, since)
    assert found["wholly"] is (None if since is None else since == 3)
    if since == 1:
        assert "still looks back over it" in found["reason"]
    if tested is False:
        assert "never tested on the present" in found["reason"]


def test_a_test_date_whose_outcome_nobody_knows_tests_nothing():
    rows = ranked_rows(dates=4)
    unknown = replace(rows, known=rows.known & (rows.dates < np.datetime64("2018-01-01")))
    found = assess(unknown, broken("2017-08-01"))
    assert (found.present["wholly"], found.present["since"]) == (False, 1)
    assert not assess(unknown, broken("2018-01-01")).present["tested"]
    assert next(row for row in found.trends if row["metric"] == "auc")["dates"][-1].year == 2017


# ---------------------------------------------------------------- trend and decay


def test_a_ranking_that_fades_falls():
    found = assess(ranked_rows(people=3000, fade=0.7))
    verdicts = {row["metric"]: row["verdict"] for row in found.trends}
    assert verdicts["auc"] == verdicts["precision_at_k"] == verdicts["calibration_slope"] == "falls"
    assert verdicts["brier_score"] == "rises"


@pytest.mark.parametrize(
    ("drift", "decays", "risks", "verdict"),
    [(0.25, True, "too low", "rises"), (-0.25, True, "too high", "falls"), (0.0, False, None, "no clear change")],
)
def test_decay(drift, decays, risks, verdict):
    found = assess(ranked_rows(people=2000, drift=drift))
    assert (found.decay["decays"], found.decay["risks"]) == (decays, risks)
    assert found.trends[1]["verdict"] == verdict
    assert found.decay["first"]["date"] == dt.date(2015, 9, 1)
    low, high = FLOORS
    assert low <= found.decay["first"]["oe_ratio"].value <= high


def test_risks_that_were_wrong_from_the_first_do_not_decay():
    rows = ranked_rows(people=2000, drift=0.2)
    found = assess(replace(rows, risk=rows.risk / 2))
    assert found.decay["risks"] == "too low"
    assert found.decay["decays"] is False


def test_a_date_of_fewer_than_twenty_events_counts_in_no_trend():
    rows = ranked_rows(people=400, dates=3)
    second = rows.dates == np.unique(rows.dates)[1]
    events = np.flatnonzero(second & rows.known & (rows.outcome == 1))
    for kept, dates in ((20, 3), (19, 2)):
        outcome = rows.outcome.copy()
        outcome[events[kept:]] = 0.0
        found = assess(replace(rows, outcome=outcome))
        assert {len(row["dates"]) for row in found.trends if row["metric"] != "precision_at_k"} == {dates}
    few = assess(few_rows([1, 0, 0] * 19, [0.1, 0.2, 0.3] * 19))
    assert {row["change"].reason for row in few.trends} == {
        "fewer than two test dates have a value (fewer than 20 events or non-events are known)"
    }


def test_one_date_cannot_tell():
    found = assess(ranked_rows(dates=1))
    assert found.decay["decays"] is None
    assert "fewer than two" in found.decay["reason"]


def test_few_events_on_a_date_and_one_class_are_said_not_computed():
    found = assess(few_rows([1, 0, 0, 1, None] * 2, [0.1, 0.2, 0.3, 0.4, 0.5] * 2))
    assert all(row["change"].value is None and row["change"].reason for row in found.trends)


def test_plain_values_are_json():
    told = assess(ranked_rows(), broken("2017-01-01")).to_dict()
    again = json.loads(json.dumps(told, allow_nan=False))
    assert again == told
    assert told["breaks"][0]["date"] == "2017-01-01"
    assert told["trends"][0]["change"].keys() == {"value", "low", "high", "n"}


def test_a_missing_risk_is_refused():
    rows = ranked_rows(dates=2)
    with pytest.raises(DataError, match="1 rows hold no probability"):
        assess(replace(rows, risk=np.where(np.arange(rows.n) == 3, np.nan, rows.risk)))
