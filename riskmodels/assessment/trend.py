"""A statistic over the test dates: its straight line, or the difference of two, with people as clusters throughout."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from riskmodels.assessment.estimate import Estimate, not_computed
from riskmodels.assessment.influence import (
    LOGARITHMIC,
    Influence,
    Integers,
    homogeneity,
    joint_covariance,
    stacked,
    two_sided_p,
)
from riskmodels.assessment.intervals import Floats, Units, wald
from riskmodels.assessment.ranked_rows import RankedRows

DAYS_IN_YEAR = 365.25
NO_CHANGE, NOTHING = "no clear change", "not computed"
FEWEST_COMPARED = 20
"""Events, and non-events, for a figure to be held against others. Its own interval may do with fewer, but among many it
must also be known how wide that is. Of 10 events each, six dates that are alike show a trend of the AUC in 10 of 100
counties; of 25, in 6, or in 8 where the ranking is very good (tests/simulations/alarms.py).
"""


def too_few_to_compare(known: RankedRows) -> str | None:
    """Why a test date or a slice cannot be held against others, or None if it can."""
    if known.too_few or min(known.events, known.n - known.events) < FEWEST_COMPARED:
        return f"fewer than {FEWEST_COMPARED} events or non-events are known"
    return None


def trend_of(
    metric: str, found: Sequence[Influence | str], days: Sequence[dt.date], part: Integers, units: Units
) -> dict[str, Any]:
    """The straight line through a statistic's values on the test dates.

    Weighted least squares of value on years, with weights 1/variance; its own variance is c'Vc, where c are the
    weights that make the slope out of the values and V is their joint covariance. O/E is taken on the log scale, so its
    change is a factor. With two dates it is their difference. The interval is about chance in who was sampled: where
    the dates also scatter about the line by more than that (``scatter_p``), the change is real but not steady. Sources:
    Thompson & Higgins 2002; Liang & Zeger 1986.

    Parameters
    ----------
    found : the statistic on each date, or why there is none or it does not count (`too_few_to_compare`)
    part : shape (n,), each row's date as its position in ``days``

    Returns
    -------
    {metric, per, scale, change: Estimate, p, verdict, scatter_p, dates}: ``per`` is ``year`` or ``difference``,
    ``scale`` is ``factor`` or ``sum``, ``verdict`` is "rises", "falls", "no clear change" or "not computed".
    """
    used = [number for number, one in enumerate(found) if isinstance(one, Influence)]
    row: dict[str, Any] = {
        "metric": metric,
        "per": "difference" if len(used) == 2 else "year",
        "scale": "factor" if metric in LOGARITHMIC else "sum",
        "change": not_computed(_why_not(found), part.size),
        "p": None,
        "verdict": NOTHING,
        "scatter_p": None,
        "dates": [days[number] for number in used],
    }
    if len(used) < 2:
        return row
    values, influence, position = stacked(found, used, part)
    covariance = joint_covariance(influence, position, len(used), units)
    years = np.array([(days[number] - days[used[0]]).days / DAYS_IN_YEAR for number in used])
    weights = np.array([-1.0, 1.0]) if len(used) == 2 else _slope_weights(years, np.diag(covariance))
    slope, variance = float((weights * values).sum()), float(np.einsum("i,ij,j->", weights, covariance, weights))
    change = wald(slope, variance, int((position >= 0).sum()), units)
    row["change"] = as_factor(change) if metric in LOGARITHMIC else change
    if change.low is None or change.high is None:
        return row
    scatter = homogeneity(values, covariance, np.column_stack([np.ones(years.size), years]))
    return row | {
        "p": two_sided_p(slope, variance, units),
        "scatter_p": None if scatter is None else scatter.p,
        "verdict": NO_CHANGE if change.low <= 0 <= change.high else "rises" if slope > 0 else "falls",
    }


def _why_not(found: Sequence[Influence | str]) -> str:
    reasons = [one for one in found if isinstance(one, str)]
    if reasons:
        return f"fewer than two test dates have a value ({reasons[0]})"
    return "one test date has no trend"


def _slope_weights(years: Floats, variances: Floats) -> Floats:
    """What each value counts for in the weighted least-squares slope: w (t - mean t) / sum of w (t - mean t)^2."""
    weights = 1 / variances
    away = years - np.average(years, weights=weights)
    return np.asarray(weights * away / (weights * away**2).sum(), dtype=np.float64)


def difference(first: Influence, second: Influence, part: Integers, units: Units) -> Estimate:
    """The statistic of part 1 less that of part 0, where clusters may stand in both."""
    values, influence, position = stacked((first, second), (0, 1), part)
    covariance = joint_covariance(influence, position, 2, units)
    variance = float(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    return wald(float(values[1] - values[0]), variance, int((position >= 0).sum()), units)


def as_factor(change: Estimate) -> Estimate:
    """A change of a logarithm as a factor."""
    if change.value is None:
        return change
    low, high = (None if end is None else math.exp(end) for end in (change.low, change.high))
    return Estimate(math.exp(change.value), low, high, change.n, change.reason)
