"""Which day it is where the council is, wherever the machine stands."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator

import pytest

from riskmodels.errors import UsageError
from riskmodels.study import clock

KIRITIMATI, LOS_ANGELES = "Pacific/Kiritimati", "America/Los_Angeles"  # 14 hours before UTC, and 7 or 8 after


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., dt.date]]:
    """Today at a moment in UTC, on a machine in a time zone."""

    def today(moment: str, machine: str = "UTC") -> dt.date:
        class Now(dt.datetime):
            @classmethod
            def now(cls, tz: dt.tzinfo | None = None) -> dt.datetime:  # type: ignore[override]
                return dt.datetime.fromisoformat(moment).replace(tzinfo=dt.UTC).astimezone(tz)

        monkeypatch.setenv("TZ", machine)
        time.tzset()
        with monkeypatch.context() as frozen:
            frozen.setattr(clock.dt, "datetime", Now)
            return clock.today()

    yield today
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("machine", ["UTC", KIRITIMATI, LOS_ANGELES, "Europe/London"])
@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2026-11-23T23:59:59", "2026-11-23"),  # the last second of a day in winter
        ("2026-11-24T00:00:00", "2026-11-24"),
        ("2027-05-20T22:59:59", "2027-05-20"),  # and in summer, an hour earlier by UTC
        ("2027-05-20T23:00:00", "2027-05-21"),
        ("2026-03-29T00:59:59", "2026-03-29"),  # the clocks go forward in the night of this day
        ("2026-03-28T23:30:00", "2026-03-28"),
        ("2026-03-29T23:30:00", "2026-03-30"),
        ("2026-10-25T00:30:00", "2026-10-25"),  # half past one, for the first time
        ("2026-10-25T01:30:00", "2026-10-25"),  # and for the second
        ("2026-10-24T23:30:00", "2026-10-25"),
        ("2026-10-25T23:30:00", "2026-10-25"),
        ("2028-02-28T23:59:59", "2028-02-28"),
        ("2028-02-29T00:00:00", "2028-02-29"),  # a day that most years have not
        ("2028-02-29T23:59:59", "2028-02-29"),
        ("2028-03-01T00:00:00", "2028-03-01"),
    ],
)
def test_a_day_ends_at_midnight_in_london(at: Callable[..., dt.date], moment: str, day: str, machine: str) -> None:
    assert at(moment, machine).isoformat() == day


def test_the_machine_would_have_had_another_day(at: Callable[..., dt.date]) -> None:
    """So that the zone of the machine is seen to be set."""
    at("2026-11-23T12:00:00", KIRITIMATI)
    moment = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
    assert moment.astimezone().date() == dt.date(2026, 11, 24)


def test_another_council_has_its_own_midnight(at: Callable[..., dt.date], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(clock.VARIABLE, KIRITIMATI)
    assert at("2026-11-23T09:59:59") == dt.date(2026, 11, 23)
    assert at("2026-11-23T10:00:00") == dt.date(2026, 11, 24)
    monkeypatch.setenv(clock.VARIABLE, LOS_ANGELES)
    assert at("2026-11-24T07:59:59", KIRITIMATI) == dt.date(2026, 11, 23)
    assert at("2026-11-24T08:00:00", KIRITIMATI) == dt.date(2026, 11, 24)


@pytest.mark.parametrize("zone", ["Europe/Londn", "../../etc/passwd", "/etc/localtime", "\0", " ", "Europe"])
def test_a_zone_that_there_is_not_is_one_line(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if "\0" in zone:
        monkeypatch.setattr(clock.os, "environ", {clock.VARIABLE: zone})
    else:
        monkeypatch.setenv(clock.VARIABLE, zone)
    with pytest.raises(UsageError, match="there is no time zone") as refusal:
        clock.today()
    assert "\n" not in str(refusal.value)
