"""Inverse-probability weights for outcomes that are known of some only, and figures of weighted rows.

A row whose outcome is known stands for itself and for those like it whose outcome is not: its weight is the share known
over its own probability of being known. Sources: Horvitz & Thompson 1952; Robins, Rotnitzky & Zhao 1994.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from riskmodels.assessment.calibration_curve import KNOTS
from riskmodels.assessment.calibration_statistics import squared_error
from riskmodels.assessment.estimate import Estimate, not_computed
from riskmodels.assessment.influence import Integers
from riskmodels.assessment.intervals import (
    NO_SPREAD,
    ONE_CLUSTER,
    Floats,
    Units,
    critical_value,
    of_rows,
    variance_of_sum,
    wald,
    wilson,
)
from riskmodels.assessment.logistic import expit, fit_logistic, linear_predictor, logit
from riskmodels.assessment.ranked_rows import FEWEST_EVENTS, Mask, RankedRows
from riskmodels.errors import DataError
from riskmodels.models.splines import restricted_cubic_basis

MOST_FITTED = 200_000  # rows: a dozen coefficients need no more
MOST_DATES = 12  # that each get a share of their own
NEAREST_TO_CERTAIN = 1e-6  # risks of exactly 0 or 1 have no logit; here it only says who resembles whom


@dataclass(frozen=True)
class Weights:
    """``values`` of shape (n,), 0 where the outcome is not known or nobody of that date is known.

    ``made_of``: what the probability of being known was fitted on. ``limit``: the weight above which all were cut to
    it; ``cut`` is the share of rows that were. ``left_out``: rows on dates of which no outcome at all is known.
    ``effective``: how many rows of equal weight would say as much, (sum w)^2 / sum w^2. Source: Kish 1965.
    """

    values: Floats
    made_of: str
    limit: float
    cut: float
    left_out: int
    effective: float


def known_weights(rows: RankedRows, trim: float, covariates: Floats | None = None) -> Weights | str:
    """Stabilised weights for the rows whose outcome is known, or why there are none.

    P(known) is a logistic regression on a restricted cubic spline of logit(risk), the as-of date, and ``covariates``.
    Where that has no finite fit the spline gets fewer knots, and in the end each date its own share. Dates on which
    everybody is known have P = 1. Weights above their ``trim`` quantile are cut to it. Source: Cole & Hernan 2008.

    Parameters
    ----------
    trim : above 0.5, at most 1 (no cutting)
    covariates : shape (n, p), known before the as-of date; no gaps

    Raises
    ------
    DataError
        if ``covariates`` has gaps or another number of rows; for a ``trim`` outside its range.
    """
    if not 0.5 < trim <= 1:
        raise DataError(f"trim: {trim} is not above 0.5 and at most 1; give a quantile such as 0.99")
    if covariates is not None and (covariates.shape[:1] != (rows.n,) or not np.isfinite(covariates).all()):
        raise DataError("covariates: one row of numbers without gaps is needed for each ranked row")
    unknown = rows.n - int(rows.known.sum())
    if not rows.known.any():
        return "no outcome is known"
    if unknown == 0:
        return "every outcome is known"
    if unknown < FEWEST_EVENTS:
        return f"{unknown} outcomes are unknown: too few to learn who they are"
    date = np.searchsorted(np.unique(rows.dates), rows.dates)
    share = np.bincount(date, weights=rows.known) / np.bincount(date)
    mixed, hopeless = ((share > 0) & (share < 1))[date], (share == 0)[date]
    chance = share[date]
    made_of = "as-of date"
    if mixed.any():
        fitted = _chance_known(rows.of(mixed), date[mixed], None if covariates is None else covariates[mixed])
        if fitted is not None:
            chance[mixed], made_of = fitted
    counted = rows.known & ~hopeless
    values = np.zeros(rows.n)
    values[counted] = counted.sum() / (rows.n - hopeless.sum()) / chance[counted]
    limit = float(np.quantile(values[counted], trim))
    cut = values > limit * (1 + 1e-12)
    values[cut] = limit
    effective = float(values.sum() ** 2 / np.square(values).sum())
    return Weights(values, made_of, limit, float(cut.sum() / counted.sum()), int(hopeless.sum()), effective)


def _chance_known(rows: RankedRows, date: Integers, covariates: Floats | None) -> tuple[Floats, str] | None:
    """Fitted P(known), and what it was fitted on; None without a finite fit."""
    known = rows.known.astype(np.float64)
    x = logit(np.clip(rows.risk, NEAREST_TO_CERTAIN, 1 - NEAREST_TO_CERTAIN))
    more, step = [_date_columns(date)], -(-rows.n // MOST_FITTED)
    if covariates is not None:
        spread = covariates.std(axis=0)
        more.append((covariates[:, spread > 0] - covariates[:, spread > 0].mean(axis=0)) / spread[spread > 0])
    for quantiles in KNOTS:
        basis = restricted_cubic_basis(x, np.unique(np.quantile(x, quantiles)))
        design = np.column_stack([np.ones(rows.n), basis, *more])
        # Rows at even steps down the ranking teach as well, unless a date then has too few unknown.
        fit = fit_logistic(design[::step], known[::step], None) or fit_logistic(design, known, None)
        if fit is not None:
            said = "risk and as-of date" if covariates is None else "risk, as-of date and covariates"
            return expit(linear_predictor(design, fit[0])), said
    return None


def _date_columns(date: Integers) -> Floats:
    """A column for each date but the first; of many dates a spline, for a change that is not sudden."""
    numbers = np.unique(date)
    if numbers.size <= MOST_DATES:
        return (date[:, None] == numbers[None, 1:]).astype(np.float64)
    return restricted_cubic_basis(date / numbers.max(), np.quantile(numbers / numbers.max(), KNOTS[0]))


# ---------------------------------------------------------------- figures of weighted rows

# All take rows whose outcome is known. Their intervals take the weights as given, which is conservative where these
# were estimated from the same rows (Robins, Rotnitzky & Zhao 1994; Lunceford & Davidian 2004).


def weighted_auc(outcome: Floats, risk: Floats, weights: Floats, units: Units) -> Estimate:
    """Probability that an event has a higher risk than a non-event, pairs drawn by weight, ties counting one half.

    An event's influence is w (its placement - AUC)/(sum of event weights), a non-event's alike; placements are weighted
    shares of the other class. With equal weights it is `discrimination.auc` but for a factor of the variance that is 1
    in the limit.
    """
    order = np.argsort(risk, kind="stable")
    ordered = risk[order]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    sizes = np.diff(starts, append=risk.size)
    is_event = outcome == 1
    events = np.add.reduceat(np.where(is_event, weights, 0.0)[order], starts)
    others = np.add.reduceat(np.where(is_event, 0.0, weights)[order], starts)
    below, above = np.cumsum(others) - others, events.sum() - np.cumsum(events)
    of_event = np.repeat((below + others / 2) / others.sum(), sizes)
    of_other = np.repeat((above + events / 2) / events.sum(), sizes)
    placed = np.empty(risk.size)
    placed[order] = np.where(is_event[order], of_event, of_other)
    value = float((placed[is_event] * weights[is_event]).sum() / events.sum())
    influence = weights * (placed - value) / np.where(is_event, events.sum(), others.sum())
    return wald(value, variance_of_sum(influence, units), risk.size, units, within=(0.0, 1.0))


def weighted_oe(outcome: Floats, risk: Floats, weights: Floats, units: Units) -> Estimate:
    """Sum of w y over sum of w p; the interval from the influence w (y - r p)/sum(w y) on the log scale."""
    observed, expected = float((weights * outcome).sum()), float((weights * risk).sum())
    if expected == 0:
        return not_computed("every risk is 0: nothing was expected", risk.size)
    ratio = observed / expected
    variance = variance_of_sum(weights * (outcome - ratio * risk) / observed, units)
    on_log = wald(math.log(ratio), variance, risk.size, units)
    low, high = (None if end is None else math.exp(end) for end in (on_log.low, on_log.high))
    return Estimate(ratio, low, high, risk.size, on_log.reason)


def weighted_brier(outcome: Floats, risk: Floats, weights: Floats, units: Units) -> Estimate:
    """Weighted mean of the squared errors."""
    value, variance = _weighted_mean(squared_error(outcome, risk), weights, units)
    return wald(value, variance, risk.size, units)


def weighted_share(hits: Floats, weights: Floats, units: Units) -> Estimate:
    """A weighted share of ones with Wilson's interval on the effective number p (1 - p)/variance.

    Source: Korn & Graubard 1998.
    """
    share, variance = _weighted_mean(hits, weights, units)
    if not variance:
        return Estimate(share, n=hits.size, reason=ONE_CLUSTER if variance is None else NO_SPREAD)
    low, high = wilson(share, share * (1 - share) / variance, critical_value(units))
    return Estimate(share, low, high, hits.size)


def weighted_recall(outcome: Floats, selected: Mask, weights: Floats, units: Units) -> Estimate:
    """The weighted share of events that were selected, how many are selected being fixed; see `decisions.recall_at_k`.

    Source: Korn & Graubard 1998.
    """
    event = outcome == 1
    one_by_one = weighted_share(selected[event].astype(np.float64), weights[event], of_rows(units, event))
    recall = one_by_one.value
    if recall is None or one_by_one.low is None or not 0 < recall < 1:
        return one_by_one
    among, others = (float(np.average(outcome[rows], weights=weights[rows])) for rows in (selected, ~selected))
    residual = np.where(selected, 1 - recall, -recall) * (outcome - np.where(selected, among, others))
    variance = variance_of_sum(weights * residual / float(weights[event].sum()), units)
    if max(among, others) == 1 or not variance:
        return one_by_one
    low, high = wilson(recall, recall * (1 - recall) / variance, critical_value(units))
    return Estimate(recall, low, high, int(event.sum()))


def _weighted_mean(values: Floats, weights: Floats, units: Units) -> tuple[float, float | None]:
    total = float(weights.sum())
    value = float((weights * values).sum() / total)
    return value, variance_of_sum(weights * (values - value) / total, units)
