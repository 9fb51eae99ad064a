"""Contrasts between groups in numbers: ratio, gap, standard error, many comparisons, what could have been detected."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Literal, NamedTuple

import numpy as np

from riskmodels.assessment.audit.counting.counts import FN, FP, TN, TP, Replicates
from riskmodels.assessment.audit.counting.people import people_in
from riskmodels.assessment.audit.metrics import PROPORTIONS, parts
from riskmodels.assessment.audit.policy import Policy
from riskmodels.assessment.audit.small_counts import SMALL, TwoRates

ZERO_BOTH = "the rate is 0 on both sides"
ZERO_REFERENCE = "the rate it is compared with is 0"
GRID = np.geomspace(0.02, 50.0, 2001)


@dataclass(frozen=True)
class Comparison:
    """One question: is ``metric`` in stratum ``group`` like in ``reference`` (None: like everybody else's)?

    ``family``: primary ones carry the verdicts; ``second`` ones look at the same again, against everybody else: harm
    found there counts, and what cannot be told does not; exploratory ones only say where to look.

    ``against`` "group" is a pair that was chosen for its ratio, the largest of ``chosen_from`` pairs.
    """

    group: int
    reference: int | None
    metric: str
    family: Literal["primary", "second", "exploratory"]
    against: Literal["reference", "others", "prediction", "group"]
    chosen_from: int = 1


@dataclass(frozen=True)
class Measured:
    """A comparison in numbers. ``centre``, ``se`` and ``draws`` (B,) are on the log scale, slopes on their own. An
    intersection has no draws: it belongs to no simultaneous family.

    ``small`` are the two rates where one of their counts is so small that the log scale does not serve.
    ``smallest_denominator`` decides what may be judged, ``smallest_cell`` what may be shown: the least of the counts
    that the rates are made of.
    """

    smallest_denominator: int
    smallest_cell: int
    ratio: float | None = None
    gap: float | None = None
    centre: float | None = None
    se: float | None = None
    draws: np.ndarray | None = None
    reason: str | None = None
    small: TwoRates | None = None


# ---------------------------------------------------------------- measuring


def measure(comparison: Comparison, found: Replicates, slopes: np.ndarray) -> Measured:
    """The ratio, and how it varies over the resamples.

    A rate is taken as (x + 1/2) / (n + 1) on the log scale, and the standard error is never below the one that this
    rate implies (Walter 1975): the bootstrap of a count of zero has no spread of its own. The ratio reported is the
    plain one.
    """
    if comparison.metric == "oe_ratio":
        return _observed_to_expected(comparison.group, found)
    if comparison.metric == "calibration_slope":
        return _slope(comparison.group, found, slopes)
    own = found.counts[comparison.group]
    other = found.everybody - own if comparison.reference is None else found.counts[comparison.reference]
    (top, bottom), (other_top, other_bottom) = parts(own, comparison.metric), parts(other, comparison.metric)
    mine, theirs = _people(comparison, found)
    smallest, cell = min(mine.bottom, theirs.bottom), min(mine.top, mine.rest, theirs.top, theirs.rest)
    if smallest == 0:
        return Measured(0, 0)
    rate, other_rate = top / bottom, other_top / other_bottom
    gap = float(rate - other_rate)
    if top == 0 and other_top == 0:
        return Measured(smallest, cell, gap=gap, reason=ZERO_BOTH)
    smooth, other_smooth = _smooth(top, bottom), _smooth(other_top, other_bottom)
    if comparison.group < found.resampled.shape[1]:
        draws = _drawn_ratios(comparison, found)
        spread = float(draws.std(ddof=1))
    else:
        draws, spread = None, _spread_of_intersection(comparison, found)
    few = TwoRates(top * mine.bottom / bottom, mine.bottom, other_top * theirs.bottom / other_bottom, theirs.bottom)
    implied = math.sqrt((1 - smooth) / (bottom * smooth) + (1 - other_smooth) / (other_bottom * other_smooth))
    return Measured(
        smallest,
        cell,
        float(rate / other_rate) if other_top else None,
        gap,
        float(math.log(smooth / other_smooth)),
        max(spread, implied),
        draws,
        None if other_top else ZERO_REFERENCE,
        few if cell < SMALL else None,
    )


class _People(NamedTuple):
    """How many people a rate is of, how many of them are counted by it, and how many are not."""

    bottom: int
    top: int
    rest: int


def _people(comparison: Comparison, found: Replicates) -> tuple[_People, _People]:
    """The people behind both rates. Of everybody else, at least so many: who changes group may be on both sides."""
    rate = PROPORTIONS[comparison.metric]
    kinds = (rate.bottom, rate.top, tuple(cell for cell in rate.bottom if cell not in rate.top))
    own = [int(people_in(found.presence[comparison.group], cells)) for cells in kinds]
    if comparison.reference is None:
        whole = [int(people_in(found.everybody_present, cells)) for cells in kinds]
        return _People(*own), _People(*(all_ - mine for all_, mine in zip(whole, own, strict=True)))
    return _People(*own), _People(*(int(people_in(found.presence[comparison.reference], cells)) for cells in kinds))


def _drawn_ratios(comparison: Comparison, found: Replicates) -> np.ndarray:
    """(B,) log ratios of the resamples."""
    own = found.resampled[:, comparison.group]
    if comparison.reference is None:
        other = found.resampled_everybody - own
    else:
        other = found.resampled[:, comparison.reference]
    top, bottom = parts(own, comparison.metric)
    other_top, other_bottom = parts(other, comparison.metric)
    return np.asarray(np.log(_smooth(top, bottom)) - np.log(_smooth(other_top, other_bottom)))


def _spread_of_intersection(comparison: Comparison, found: Replicates) -> float:
    """Standard error of the log ratio between an intersection and everybody else, to first order in the counts."""
    own = found.counts[comparison.group]
    rate = PROPORTIONS[comparison.metric]

    def slopes(cells: np.ndarray) -> np.ndarray:
        top, bottom = parts(cells, comparison.metric)
        steps = np.zeros(len(cells))
        steps[list(rate.top)] += 1 / (top + 0.5)
        steps[list(rate.bottom)] -= 1 / (bottom + 1.0)
        return steps

    others = slopes(found.everybody - own)
    steps = np.concatenate([slopes(own) + others, -others])
    covariance = found.pair_covariance[comparison.group - found.resampled.shape[1]]
    return math.sqrt(max(float(np.einsum("i,ij,j->", steps, covariance, steps)), 0.0))


def _smooth(top: Any, bottom: Any) -> Any:
    return (top + 0.5) / (bottom + 1.0)


def _observed_to_expected(group: int, found: Replicates) -> Measured:
    observed = int(found.counts[group, [FN, TP]].sum())
    known = int(found.counts[group, [TN, FP, FN, TP]].sum())
    expected = float(found.expected[group])
    events, others, people = (
        int(people_in(found.presence[group], cells)) for cells in ((FN, TP), (TN, FP), (TN, FP, FN, TP))
    )
    if known == 0 or expected <= 0:
        return Measured(0, 0)
    drawn = found.resampled[:, group][:, [FN, TP]].sum(axis=1)
    draws = np.log((drawn + 0.5) / (np.maximum(found.resampled_expected[:, group], 0.0) + 0.5))
    # Below ten events the bootstrap is too sure of itself; the Poisson error is not.
    floor = 1 / math.sqrt(events + 0.5) if events < SMALL else 0.0
    return Measured(
        int(max(events, expected * people / known)),
        min(events, others),
        observed / expected,
        (observed - expected) / known,
        math.log((observed + 0.5) / (expected + 0.5)),
        max(float(draws.std(ddof=1)), floor),
        draws,
    )


def _slope(group: int, found: Replicates, slopes: np.ndarray) -> Measured:
    rarer = int(min(people_in(found.presence[group], cells) for cells in ((FN, TP), (TN, FP))))
    slope = float(slopes[group])
    if math.isnan(slope):
        return Measured(rarer, rarer, reason="the slope could not be fitted")
    draws = slope + found.slope_shift[:, group]
    return Measured(rarer, rarer, slope, slope - 1.0, slope, float(draws.std(ddof=1)), draws)


# ---------------------------------------------------------------- many comparisons


def critical_value(measured: Sequence[Measured], level: float) -> float:
    """How many standard errors make all intervals hold together with probability ``level`` (max-T).

    Source: Westfall & Young 1993.
    """
    single = NormalDist().inv_cdf((1 + level) / 2)
    columns = [
        abs(m.draws - m.centre) / m.se for m in measured if m.draws is not None and m.se and m.centre is not None
    ]
    if not columns:
        return single
    return max(single, float(np.quantile(np.max(columns, axis=0), level)))


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values that control the chance of any false alarm (Holm 1979)."""
    order = np.argsort(p_values, kind="stable")
    adjusted, running = [0.0] * len(p_values), 0.0
    for place, index in enumerate(order):
        running = max(running, min(1.0, (len(p_values) - place) * p_values[index]))
        adjusted[index] = running
    return adjusted


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values that control the share of false alarms (Benjamini, Hochberg 1995)."""
    order = np.argsort(p_values, kind="stable")[::-1]
    adjusted, running = [0.0] * len(p_values), 1.0
    for place, index in enumerate(order):
        running = min(running, p_values[index] * len(p_values) / (len(p_values) - place))
        adjusted[index] = running
    return adjusted


# ---------------------------------------------------------------- what could have been detected


def harmful_side(metric: str, purpose: str) -> Literal["above", "below"] | None:
    """On which side of 1 a ratio disadvantages the group itself; None where neither side does by itself."""
    if metric in ("recall", "precision"):
        return "below"
    if metric in ("fpr", "fdr", "fnr", "for"):
        return "above"
    if metric == "selection_rate":
        return {"assistive": "below", "punitive": "above"}.get(purpose)  # type: ignore[return-value]
    if metric == "oe_ratio":
        return {"assistive": "above", "punitive": "below"}.get(purpose)  # type: ignore[return-value]
    return None


def minimum_detectable(
    comparison: Comparison, measured: Measured, found: Replicates, width: float, purpose: str, policy: Policy
) -> float | None:
    """The ratio nearest to 1 that this data would have shown as a FAIL with the policy's power; None if there is none.

    On the side that disadvantages the group (below 1 where neither or both do). The standard error is the one expected
    at that ratio, enlarged as much as the bootstrap's exceeds the binomial one here.
    """
    need = width + NormalDist().inv_cdf(policy.power)
    band = policy.band(comparison.metric)
    below = harmful_side(comparison.metric, purpose) != "above"
    if comparison.metric == "calibration_slope":
        if not measured.se:
            return None
        limit = band[0] - need * measured.se
        return limit if limit > 0 else None
    ratios: np.ndarray = np.flip(GRID[GRID - band[0] < 0]) if below else GRID[GRID - band[1] > 0]
    if comparison.metric == "oe_ratio":
        cells = found.counts[comparison.group]
        known, expected = int(cells[[TN, FP, FN, TP]].sum()), float(found.expected[comparison.group])
        if expected <= 0:
            return None
        level = expected / known
        ratios = ratios[ratios * level < 1]
        se, gaps = 1 / np.sqrt(ratios * expected), np.abs(ratios - 1) * level
    else:
        own = found.counts[comparison.group]
        other = found.everybody - own if comparison.reference is None else found.counts[comparison.reference]
        (top, bottom), (other_top, other_bottom) = parts(own, comparison.metric), parts(other, comparison.metric)
        level = float(_smooth(other_top, other_bottom))
        ratios = ratios[ratios * level < 1]
        variance = (1 - ratios * level) / (bottom * ratios * level) + (1 - level) / (other_bottom * level)
        smooth = float(_smooth(top, bottom))
        here = (1 - smooth) / (bottom * smooth) + (1 - level) / (other_bottom * level)
        effect = max(1.0, (measured.se or 0.0) ** 2 / here)
        se, gaps = np.sqrt(variance * effect), np.abs(ratios - 1) * level
    edge = np.log(band[0]) - np.log(ratios) if below else np.log(ratios) - np.log(band[1])
    enough = (edge > need * se) & (gaps > policy.smallest_gap)
    return float(ratios[np.argmax(enough)]) if enough.any() else None
