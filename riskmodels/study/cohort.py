"""Whom the question is asked of, on which days, and what must not happen to them."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, PlainValidator, Tag, model_validator

from riskmodels.study.periods import AsText, Period, WindowText
from riskmodels.study.predicates import Predicate
from riskmodels.study.section import Column, Section, Slug


class AsOfDates(Section):
    first: dt.date
    last: dt.date
    every: WindowText

    @model_validator(mode="after")
    def _comes_again(self) -> AsOfDates:
        if self.every.amount is None or self.first > self.last:
            raise ValueError("first is not after last, and every has a length, such as '3 months'")
        return self


def _list_or_plan(value: Any) -> str:
    return "<plan>" if isinstance(value, (dict, AsOfDates)) else "<list>"


class Step(Section):
    step: str
    keep: Predicate | None = None
    drop: Predicate | None = None

    @model_validator(mode="after")
    def _keep_or_drop(self) -> Step:
        if (self.keep is None) == (self.drop is None):
            raise ValueError("a step has either 'keep' or 'drop'")
        return self


class CohortSection(Section):
    as_of_dates: Annotated[
        Annotated[tuple[dt.date, ...], Tag("<list>")] | Annotated[AsOfDates, Tag("<plan>")],
        Discriminator(_list_or_plan),
    ]
    steps: tuple[Step, ...] = ()
    cluster: Column | None = None

    @property
    def dates(self) -> tuple[dt.date, ...]:
        if not isinstance(self.as_of_dates, AsOfDates):
            return self.as_of_dates
        plan, day = self.as_of_dates, self.as_of_dates.first
        dates: list[dt.date] = []
        while day <= plan.last and day not in dates[-1:]:
            dates.append(day)
            # Always counted from the first date, so that month ends do not drift.
            day = Period((plan.every.amount or 0) * len(dates), plan.every.unit).after(plan.first)
        return tuple(dates)

    @model_validator(mode="after")
    def _in_order(self) -> CohortSection:
        dates = self.dates
        if not dates or list(dates) != sorted(set(dates)):
            raise ValueError("as_of_dates must be at least one date, each once, earliest first")
        return self


ESTIMATE = "estimate"


def _lag(value: Any) -> Period | str:
    if value == ESTIMATE or isinstance(value, Period):
        return value
    return Period.parse(str(value))


LagText = Annotated[Period | str, PlainValidator(_lag), AsText]


class OutcomeSection(Section):
    """What must not happen, in [as_of, as_of + horizon), and how it is known.

    ``exits`` are other ends, such as moving away: of whoever leaves, and of whom no outcome is recorded, it is not
    known whether it would have happened. ``lag`` is how long records take to arrive, or ``estimate``: the 95th
    percentile of known_date - event_date.
    """

    name: Slug
    words: str
    measures: Literal["need", "service"]
    happens: Predicate
    known: Predicate
    exits: dict[Slug, Predicate] = Field(default_factory=dict)
    horizon: WindowText
    lag: LagText

    @model_validator(mode="after")
    def _ends(self) -> OutcomeSection:
        if self.horizon.amount is None or (isinstance(self.lag, Period) and self.lag.amount is None):
            raise ValueError("horizon and lag have a length, not 'ever'")
        return self

    @property
    def recording_lag(self) -> Period:
        """How long facts take to be recorded. ``lag: estimate`` must have been resolved from the tables before."""
        if not isinstance(self.lag, Period):
            raise TypeError("outcome.lag is 'estimate': resolve it first (riskmodels.data.outcomes.with_lag)")
        return self.lag

    def mature_on(self, as_of: dt.date) -> dt.date:
        """The first day on which the outcome of ``as_of`` can be trusted to be recorded."""
        return self.recording_lag.after(self.horizon.after(as_of))
