"""Does it stay as good? The trend over the test dates, what changed at declared breaks, and whether risks go stale.

Test dates share people, so their figures are not independent. Each row's influence on the figure of its own date,
summed per cluster over all dates, gives their covariance, and every trend and difference here rests on it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from riskmodels.assessment.calibration_statistics import calibration_slope, oe_ratio
from riskmodels.assessment.decisions import precision_at_k
from riskmodels.assessment.discrimination import auc
from riskmodels.assessment.estimate import Estimate, not_computed
from riskmodels.assessment.influence import INFLUENCES, LOGARITHMIC, Integers
from riskmodels.assessment.intervals import checked_risk
from riskmodels.assessment.plain_values import plain
from riskmodels.assessment.ranked_rows import RankedRows
from riskmodels.assessment.trend import NOTHING, as_factor, difference, too_few_to_compare, trend_of
from riskmodels.study import FeatureLine, Period
from riskmodels.study.use import Break

BEFORE, ACROSS, AFTER = "before", "across", "after"
COMPARED = {"auc": auc, "oe_ratio": oe_ratio, "calibration_slope": calibration_slope}
"""Pooled figures that compare events with non-events; precision of the list stands beside them."""
CHANGED = ("auc", "oe_ratio")
"""Of which it is asked whether they changed at a break."""


@dataclass(frozen=True)
class OverTime:
    """How performance moves.

    Attributes
    ----------
    trends : one row a statistic, as `trend_of` gives them
    breaks : one row a declared break: {date, what, affects, parts, change}. ``parts`` has a row for each of before,
        across and after that a test date falls into; ``change`` holds after less before (after over before for O/E)
    present : whether it was tested since the last break: {tested, wholly, since, reason}, see `_present`
    decay : whether calibration decays, as `decay_of` gives it
    """

    trends: tuple[dict[str, Any], ...]
    breaks: tuple[dict[str, Any], ...]
    present: dict[str, Any]
    decay: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        return {one.name: plain(getattr(self, one.name)) for one in fields(self)}


def assess_over_time(
    rows: RankedRows, breaks: Sequence[Break], horizon: Period, lookback: Period, floors: tuple[float, float]
) -> OverTime:
    """Trend, breaks and decay of one model's ranking.

    Parameters
    ----------
    rows : the whole cohort of every test date, as `ranked_rows.rows_of` takes it from the ranking
    breaks : ``study.breaks``
    horizon : how far the outcome looks ahead, ``study.outcome.horizon``
    lookback : how far the features look back; see `longest_lookback`
    floors : between which O/E must lie, ``study.floors.oe_ratio``

    Raises
    ------
    DataError
        if a risk is missing or no probability.
    """
    checked_risk(rows.risk, rows.n)
    days = rows.days
    known = rows.known_only()
    part = np.searchsorted(np.array(days, dtype="datetime64[D]"), known.dates)
    by_day = [known.of(part == number) for number in range(len(days))]
    few = [too_few_to_compare(each) for each in by_day]
    trends = tuple(
        trend_of(metric, [why or of(each) for why, each in zip(few, by_day, strict=True)], days, part, known.units)
        for metric, of in INFLUENCES.items()
    )
    trend = next(row for row in trends if row["metric"] == "oe_ratio")
    windows = [(lookback.before(day), day, horizon.after(day)) for day in days]
    in_order = sorted(breaks, key=lambda one: one.date)
    ranked = [int(np.count_nonzero(rows.dates == np.datetime64(day))) for day in days]
    pool = _Pool(known, part, ranked)
    return OverTime(
        trends=trends,
        breaks=tuple(_at_break(one, windows, pool) for one in in_order),
        present=_present(in_order[-1] if in_order else None, windows, by_day),
        decay=decay_of(by_day, days, trend, floors),
    )


def longest_lookback(features: Sequence[FeatureLine]) -> Period:
    """The longest window with a length that any feature looks through; ``ever`` has none and does not count.

    A ``rate_change`` looks through the window before its own as well. No window at all gives 0 days.
    """
    day = dt.date(2001, 1, 1)  # any day: windows in days and months are put in order by how far before it they reach

    def first(period: Period) -> dt.date:
        return period.before(day)

    windows = [Period(0, "day")]
    for line in features:
        for last in (column.last for column in line.columns if column.last.amount is not None):
            windows.append(last)
            if line.than is not None:
                windows.append(Period((day - line.than.before(last.before(day))).days, "day"))
    return min(windows, key=first)


# ---------------------------------------------------------------- breaks


Window = tuple[dt.date, dt.date, dt.date]  # first day looked back to, as-of date, first day after the horizon


def place_of(window: Window, break_date: dt.date) -> str:
    """``before`` if outcome and facts end before the break, ``after`` if they begin on it or later, else ``across``."""
    first, _, end = window
    if end <= break_date:
        return BEFORE
    return AFTER if first >= break_date else ACROSS


@dataclass(frozen=True)
class _Pool:
    """The known rows, the date of each as its position, and how many were ranked on each date.

    ``figures`` keeps what was found of a set of dates: two breaks often share one.
    """

    known: RankedRows
    part: Integers
    ranked: Sequence[int]
    figures: dict[tuple[bool, ...], dict[str, Any]] = field(default_factory=dict)

    def of(self, dates: tuple[bool, ...]) -> dict[str, Any]:
        if dates not in self.figures:
            here = self.known.of(np.array(dates)[self.part])
            n = sum(count for count, inside in zip(self.ranked, dates, strict=True) if inside)
            few = not_computed(here.too_few, here.n) if here.too_few else None
            self.figures[dates] = {
                "n": n,
                "known": here.n,
                "unknown": n - here.n,
                "events": here.events,
                **{name: few or of(here.outcome, here.risk, here.units) for name, of in COMPARED.items()},
                "precision_at_k": precision_at_k(here.outcome, here.known, here.selected, here.units),
            }
        return self.figures[dates]


def _at_break(one: Break, windows: Sequence[Window], pool: _Pool) -> dict[str, Any]:
    """Pooled figures before, across and after. A part without a test date has no row: there is nothing to say of it."""
    places = [place_of(window, one.date) for window in windows]
    dates = {when: tuple(place == when for place in places) for when in (BEFORE, ACROSS, AFTER)}
    parts = tuple(
        {"when": when, "dates": [window[1] for window, here in zip(windows, inside, strict=True) if here]}
        | pool.of(inside)
        for when, inside in dates.items()
        if any(inside)
    )
    side = np.array([{BEFORE: 0, ACROSS: -1, AFTER: 1}[place] for place in places])[pool.part]
    change = _change(pool.known, side) if any(dates[BEFORE]) and any(dates[AFTER]) else {}
    return {"date": one.date, "what": one.what, "affects": list(one.affects), "parts": parts, "change": change}


def _change(known: RankedRows, side: Integers) -> dict[str, Estimate]:
    """Side 1 less side 0, people who stand on both allowed for; the one over the other for O/E."""
    sides = [known.of(side == number) for number in (0, 1)]
    changes = {}
    for metric in CHANGED:
        first, second = (INFLUENCES[metric](each) for each in sides)
        if isinstance(first, str) or isinstance(second, str):
            changes[metric] = not_computed(first if isinstance(first, str) else str(second), known.n)
            continue
        change = difference(first, second, side, known.units)
        changes[metric] = as_factor(change) if metric in LOGARITHMIC else change
    return changes


def _present(last: Break | None, windows: Sequence[Window], by_day: Sequence[RankedRows]) -> dict[str, Any]:
    """Whether a test date with a known outcome stands on or after the last break (``since`` counts them), and whether
    one lies ``wholly`` after it, looking back over nothing of it. The first is what the check of the data, the card's
    first line and the gate go by.
    """
    if last is None:
        return {"tested": None, "wholly": None, "since": None, "reason": "no break is declared"}
    known = [window for window, rows in zip(windows, by_day, strict=True) if rows.n]
    since = sum(window[1] >= last.date for window in known)
    wholly = any(place_of(window, last.date) == AFTER for window in known)
    reason = None
    if not since:
        reason = "no test date whose outcome is known comes after the last break: never tested on the present"
    elif not wholly:
        reason = "every test date since the last break still looks back over it"
    return {"tested": since > 0, "wholly": wholly, "since": since, "reason": reason}


# ---------------------------------------------------------------- decay


def decay_of(
    by_day: Sequence[RankedRows], days: Sequence[dt.date], trend: Mapping[str, Any], floors: tuple[float, float]
) -> dict[str, Any]:
    """Whether calibration decays: O/E was inside its floors on the first test date, is outside on the last, and moves
    that way by more than chance.

    Returns
    -------
    {decays, risks, floors, first, last, change, per, p, reason}: ``first`` and ``last`` are {date, oe_ratio};
    ``decays`` is None where it cannot be told; ``risks`` says what they have become, "too low" or "too high".
    """
    usable = [(day, known) for day, known in zip(days, by_day, strict=True) if known.too_few is None]
    ends = [(day, oe_ratio(known.outcome, known.risk, known.units)) for day, known in (*usable[:1], *usable[-1:])]
    said: dict[str, Any] = {
        "decays": None,
        "risks": None,
        "floors": list(floors),
        "first": None,
        "last": None,
        **{key: trend[key] for key in ("change", "per", "p")},
        "reason": "fewer than two test dates have enough events for O/E",
    }
    if len(usable) < 2:
        return said
    said |= {name: {"date": day, "oe_ratio": oe} for name, (day, oe) in zip(("first", "last"), ends, strict=True)}
    start, end = (oe.value for _, oe in ends)
    if start is None or end is None or trend["verdict"] == NOTHING:
        return said | {"reason": "O/E could not be compared over the test dates"}
    low, high = floors
    risks, way = ("too low", "rises") if end > high else ("too high", "falls") if end < low else (None, None)
    return said | {"decays": low <= start <= high and trend["verdict"] == way, "risks": risks, "reason": None}
