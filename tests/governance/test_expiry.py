"""An approval ends at the midnight of the council, to the second, whatever the machine's own zone is."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from riskmodels.study import clock
from tests.governance.acting import HEAD
from tests.governance.conftest import DECISION

MACHINES = ("Pacific/Kiritimati", "America/Los_Angeles")


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], None]]:
    """Set the clock to a moment in UTC, on a machine in a time zone."""

    def set_to(moment: str, machine: str) -> None:
        class Now(dt.datetime):
            @classmethod
            def now(cls, tz: dt.tzinfo | None = None) -> dt.datetime:  # type: ignore[override]
                return dt.datetime.fromisoformat(moment).replace(tzinfo=dt.UTC).astimezone(tz)

        class OurOwn:
            UTC, date, datetime = dt.UTC, dt.date, Now

        monkeypatch.setenv("TZ", machine)
        time.tzset()
        monkeypatch.setattr(clock, "dt", OurOwn)

    yield set_to
    monkeypatch.undo()
    time.tzset()


def approved(made: Any, meeting: str, expires: str) -> Any:
    answers = {key: {**answer, "expires": expires} for key, answer in DECISION["answers"].items()}
    made.decide(
        dt.date.fromisoformat(meeting), advice="proceed", conditions=[], answers=answers, expires=expires,
        meeting={"date": meeting, "minute": "M-1"},
    )  # fmt: skip
    return made


def promote(made: Any) -> tuple[int, str]:
    code, _, err = made.call("promote", made.name, "--by", HEAD, today=None)
    return code, err.splitlines()[-1]


@pytest.mark.parametrize("machine", MACHINES)
def test_the_last_second_counts_and_the_next_does_not(made: Any, at: Callable[[str, str], None], machine: str) -> None:
    approved(made, "2026-11-20", "2027-05-20")
    at("2027-05-20T23:00:00", machine)  # London has summer time
    code, said = promote(made)
    assert (code, "the approval expired on 2027-05-20" in said) == (6, True)
    assert [line.act.kind for line in made.records] == ["decision"]
    at("2027-05-20T22:59:59", machine)
    assert promote(made)[0] == 0
    assert made.records[-1].recorded_on == dt.date(2027, 5, 20)


def test_another_council_ends_it_at_its_own_midnight(
    made: Any, at: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    approved(made, "2026-11-20", "2027-05-20")
    monkeypatch.setenv(clock.VARIABLE, MACHINES[0])
    at("2027-05-20T10:00:00", "UTC")
    assert promote(made)[0] == 6
    at("2027-05-20T09:59:59", "UTC")
    assert promote(made)[0] == 0


def test_an_approval_may_end_on_a_day_that_most_years_have_not(made: Any, at: Callable[[str, str], None]) -> None:
    approved(made, "2027-08-29", "2028-02-29")
    at("2028-03-01T00:00:00", "UTC")
    assert promote(made)[0] == 6
    at("2028-02-29T23:59:59", "UTC")
    assert promote(made)[0] == 0


@pytest.mark.parametrize("machine", MACHINES)
def test_moving_to_a_zone_that_is_behind_is_a_clock_set_back(
    made: Any, at: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch, machine: str
) -> None:
    """The record keeps the days of one calendar: who changes the council's zone waits until it has caught up."""
    approved(made, "2026-11-24", "2027-05-20")
    at("2026-11-24T07:00:00", machine)
    monkeypatch.setenv(clock.VARIABLE, MACHINES[1])
    code, said = promote(made)
    assert (code, "today is 2026-11-23, but the record was last written on 2026-11-24" in said) == (6, True)
    monkeypatch.delenv(clock.VARIABLE)
    assert promote(made)[0] == 0
