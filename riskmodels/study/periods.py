"""Lengths of calendar time, as a study writes them."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, PlainSerializer


@dataclass(frozen=True)
class Period:
    """A length of calendar time such as ``90 days``, ``12 months`` or ``ever``."""

    amount: int | None
    unit: str

    @classmethod
    def parse(cls, text: str) -> Period:
        """Read what `str` writes. Raises ValueError."""
        if text == "ever":
            return cls(None, "ever")
        found = re.fullmatch(r"(\d+) (day|week|month|year)s?", text.strip())
        if not found:
            raise ValueError(f"a period reads like '90 days', '12 months' or 'ever', got {text!r}")
        return cls(int(found[1]), found[2])

    def __str__(self) -> str:
        if self.amount is None:
            return "ever"
        return f"{self.amount} {self.unit}" + ("s" if self.amount != 1 else "")

    def before(self, day: dt.date) -> dt.date:
        """The first day of the window that ends just before ``day``."""
        return dt.date(1, 1, 1) if self.amount is None else self._shift(day, -self.amount)

    def after(self, day: dt.date) -> dt.date:
        """The first day after the window that starts on ``day``."""
        return dt.date(9999, 12, 31) if self.amount is None else self._shift(day, self.amount)

    def _shift(self, day: dt.date, amount: int) -> dt.date:
        # A period that leaves the calendar ends where the calendar does.
        if self.unit in ("day", "week"):
            days = day.toordinal() + amount * (7 if self.unit == "week" else 1)
            return dt.date.fromordinal(min(max(days, dt.date.min.toordinal()), dt.date.max.toordinal()))
        months = day.year * 12 + day.month - 1 + amount * (12 if self.unit == "year" else 1)
        year, month = divmod(months, 12)
        if not dt.MINYEAR <= year <= dt.MAXYEAR:
            return dt.date.min if amount < 0 else dt.date.max
        return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _period(value: Any) -> Any:
    return value if isinstance(value, Period) else Period.parse(str(value))


def _not_nought(value: Period) -> Period:
    if value.amount == 0:
        raise ValueError(f"a window is at least one {value.unit} long, got '{value}'")
    return value


AsText = PlainSerializer(str, when_used="json")
PeriodText = Annotated[Period, BeforeValidator(_period), AsText]
WindowText = Annotated[Period, BeforeValidator(_period), AfterValidator(_not_nought), AsText]
