"""As-of dates, horizon and split for a study that is being drafted: the best that the dates in the data allow.

Every plan that is offered has passed `riskmodels.data.splits.plan_splits`, so it leaves the maturity gap everywhere.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import polars as pl

from riskmodels.data.splits import plan_splits
from riskmodels.errors import DataError, StudyError
from riskmodels.study import CohortSection, Period, SplitSection, StudyFile, TestDates, parse_study_file

HORIZONS = tuple(Period.parse(text) for text in ("12 months", "6 months", "3 months", "1 month"))
STEPS = (12, 6, 3, 1)  # months between as-of dates
HISTORY = (12, 6, 1, 0)  # months of records before the first as-of date
MOST_DATES = 12
MOST_TESTS = 4
FEWEST_RECORDS = 10  # in the year before an as-of date
FEWEST_OUTCOMES = (20, 1)  # in every horizon: tried in this order
LOOK_BACK = Period(12, "month")


@dataclass(frozen=True)
class Timetable:
    """``dates`` are ``every`` so many months; the last ``tests`` of them test."""

    dates: tuple[dt.date, ...]
    every: int
    horizon: Period
    lag: Period
    tests: int
    calibrate: str  # "later" or "grouped"


def plan_timetable(
    facts: pl.DataFrame, outcomes: pl.Series, extracted_on: dt.date, lag: Period, horizon: Period | None = None
) -> Timetable:
    """The best timetable: at least four dates, a later slice to calibrate on, several tests, a long horizon.

    Parameters
    ----------
    facts : frame with event_date and known_date of everything that is recorded
    outcomes : the days on which the outcome happened
    extracted_on : the day up to which outcomes are recorded
    horizon : the one that was asked for; otherwise the longest of `HORIZONS` that leaves enough dates

    Raises
    ------
    DataError
        if the records cover too short a time, saying from when to when they run.
    """
    for fewest in FEWEST_OUTCOMES:
        found = max(_timetables(facts, outcomes, extracted_on, lag, horizon, fewest), key=_merit, default=None)
        if found is not None:
            return found[0]
    days = facts.select(pl.col("event_date").min().alias("first"), pl.col("event_date").max().alias("last"))
    first, last = days.row(0)
    asked = f"a horizon of {horizon}" if horizon else "even a horizon of 1 month"
    raise DataError(
        f"the records run from {first} to {last}, which leaves no as-of dates to learn from and test on with {asked} "
        f"and a recording lag of {lag}; take a longer extract, a shorter horizon, or an outcome that happens more often"
    )


def _merit(found: tuple[Timetable, int]) -> tuple[float, ...]:
    """What makes one plan better than another, most important first."""
    plan, history = found
    months = round((plan.horizon.after(plan.dates[0]) - plan.dates[0]).days / 30.44)
    # Horizons that overlap by more than half tell the same outcomes again.
    apart = plan.every * 2 >= months
    return (
        len(plan.dates) >= 4,
        plan.calibrate == "later",
        plan.tests >= 2,
        apart,
        months,
        plan.tests,
        history,
        plan.every,
    )


def _timetables(
    facts: pl.DataFrame, outcomes: pl.Series, extracted_on: dt.date, lag: Period, asked: Period | None, fewest: int
) -> Iterator[tuple[Timetable, int]]:
    """Each plan that can be split, with the months of records before its first date."""
    happened = np.sort(outcomes.drop_nulls().cast(pl.Date).to_numpy())
    starts = _month_starts(facts, extracted_on)
    for horizon in (asked,) if asked else HORIZONS:

        def enough(day: dt.date, horizon: Period = horizon) -> bool:
            window = np.array([day, horizon.after(day)], dtype="datetime64[D]")
            low, high = np.searchsorted(happened, window)
            return bool(high - low >= fewest) and lag.after(horizon.after(day)) <= extracted_on

        fit = [day for day in starts if enough(day)]
        if not fit:
            continue
        for every in STEPS:
            for offset in range(every):
                dates = _every(fit, every, offset)
                for history in HISTORY:
                    begin = Period(history, "month").after(starts[0])
                    plan = _widest(tuple(day for day in dates if day >= begin), every, horizon, lag, extracted_on)
                    if plan is not None:
                        yield plan, history


def _month_starts(facts: pl.DataFrame, extracted_on: dt.date) -> list[dt.date]:
    """First days of months before which enough was known, the first of them about when the records begin."""
    event, known = facts["event_date"].to_numpy(), facts["known_date"].to_numpy()
    # A few records dated long before all others are mistakes more often than history.
    begin = facts["event_date"].quantile(0.005, "lower")
    starts = []
    day = dt.date(begin.year, begin.month, 1) if isinstance(begin, dt.date) else extracted_on
    while day <= extracted_on:
        recent = event >= np.datetime64(LOOK_BACK.before(day))
        # What is known has happened, so this is all that a window ending on the day lets through.
        if int((recent & (known < np.datetime64(day))).sum()) >= FEWEST_RECORDS:
            starts.append(day)
        day = Period(1, "month").after(day)
    return starts


def _every(days: list[dt.date], every: int, offset: int) -> list[dt.date]:
    """Days so many months apart, without a break, earliest first; the last is ``offset`` months before the latest."""
    there = set(days)
    dates: list[dt.date] = []
    day = Period(offset, "month").before(days[-1])
    while day in there and len(dates) < MOST_DATES:
        dates.append(day)
        day = Period(every, "month").before(day)
    return dates[::-1]


def _widest(
    dates: tuple[dt.date, ...], every: int, horizon: Period, lag: Period, extracted_on: dt.date
) -> Timetable | None:
    for calibrate in ("later", "grouped"):
        for tests in range(min(MOST_TESTS, len(dates) - 1), 0, -1):
            plan = Timetable(dates, every, horizon, lag, tests, calibrate)
            if _can_be_split(plan, extracted_on):
                return plan
    return None


def _can_be_split(plan: Timetable, extracted_on: dt.date) -> bool:
    bare = _bare_study()
    study = bare.model_copy(
        update={
            "cohort": CohortSection(as_of_dates=plan.dates),
            "outcome": bare.outcome.model_copy(update={"horizon": plan.horizon, "lag": plan.lag}),
            "split": SplitSection(test=TestDates(last=plan.tests), calibrate=plan.calibrate, why_grouped="drafted"),
        }
    )
    try:
        plan_splits(study, extracted_on)
    except StudyError:
        return False
    return True


@cache
def _bare_study() -> StudyFile:
    """A study with nothing in it but what `plan_splits` looks at, which is replaced."""
    return parse_study_file(
        {
            "schema": 1, "study": "draft", "title": "Draft", "question": "?", "seed": 0, "purpose": "mixed",
            "level": "person", "clock": "calendar",
            "sources": {"records": {"file": "records.parquet", "entity": "id", "event_date": "day"}},
            "facts": {"fact": {"in": "records"}}, "cohort": {"as_of_dates": [dt.date(2000, 1, 1)]},
            "outcome": {"name": "outcome", "words": "?", "measures": "service", "happens": {"any": "fact"},
                        "known": {"any": "fact"}, "horizon": "1 month", "lag": "0 days"},
            "features": [{"name": "facts", "take": "count", "of": "fact", "words": "?"}],
            "split": {"test": {"dates": [dt.date(2000, 1, 1)]}, "calibrate": "later"}, "capacity": {"places": 1},
        }
    )  # fmt: skip
