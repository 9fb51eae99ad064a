"""Contrasts between groups: ratio, simultaneous interval, verdict.

A verdict looks at the whole interval of a ratio, never at the ratio alone: PASS only if the interval lies inside the
band, FAIL only if it lies outside and the difference matters, otherwise INSUFFICIENT EVIDENCE.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Literal

import numpy as np

from riskmodels.assessment.audit_counts import FN, FP, TN, TP, Replicates, Stratum
from riskmodels.assessment.audit_metrics import NOT_A_RATE, PROPORTIONS, parts
from riskmodels.assessment.audit_policy import Policy

PASS = "PASS"  # noqa: S105 - a verdict
FAIL = "FAIL"
INSUFFICIENT = "INSUFFICIENT EVIDENCE"
NOT_AUDITED = "NOT AUDITED"
LOOK_HERE = "look here"
NOTHING_STANDS_OUT = "nothing stands out"
TOO_FEW = "too few to judge"

_OWN_PREDICTION = "its own predicted risk"
_DETECTABLE = np.geomspace(0.02, 50.0, 2001)


@dataclass(frozen=True)
class Comparison:
    """One question: is ``metric`` in stratum ``group`` like in ``reference`` (None: like everybody else's)?"""

    group: int
    reference: int | None
    metric: str
    family: Literal["primary", "exploratory"]
    against: Literal["reference", "others", "prediction"]


@dataclass(frozen=True)
class Measured:
    """A comparison in numbers. ``centre``, ``se`` and ``draws`` (B,) are on the log scale, slopes on their own."""

    ratio: float | None
    gap: float | None
    centre: float | None
    se: float | None
    draws: np.ndarray | None
    smallest_denominator: int
    reason: str | None = None


# ---------------------------------------------------------------- measuring


def measure(comparison: Comparison, found: Replicates, slopes: np.ndarray) -> Measured:
    """The ratio, and how it varies over the resamples.

    A rate is taken as (x + 1/2) / (n + 1) on the log scale, and the standard error is never below the one that this
    rate implies (Walter 1975): the bootstrap of a count of zero has no spread of its own. The ratio reported is the plain
    one.
    """
    if comparison.metric == "oe_ratio":
        return _observed_to_expected(comparison.group, found)
    if comparison.metric == "calibration_slope":
        return _slope(comparison.group, found, slopes)
    total = found.counts[_single_attribute(comparison, found)].sum(axis=0) if comparison.reference is None else None
    own, own_draws = found.counts[comparison.group], found.resampled[:, comparison.group]
    if comparison.reference is None:
        other = total - own
        other_draws = found.resampled[:, _single_attribute(comparison, found)].sum(axis=1) - own_draws
    else:
        other, other_draws = found.counts[comparison.reference], found.resampled[:, comparison.reference]
    (top, bottom), (other_top, other_bottom) = parts(own, comparison.metric), parts(other, comparison.metric)
    smallest = int(min(bottom, other_bottom))
    if smallest == 0:
        return Measured(None, None, None, None, None, 0)
    rate, other_rate = top / bottom, other_top / other_bottom
    gap = float(rate - other_rate)
    if top == 0 and other_top == 0:
        return Measured(None, gap, None, None, None, smallest, "the rate is 0 on both sides")
    smooth, other_smooth = _smooth(top, bottom), _smooth(other_top, other_bottom)
    draws = np.log(_smooth(*parts(own_draws, comparison.metric)))
    draws = draws - np.log(_smooth(*parts(other_draws, comparison.metric)))
    implied = math.sqrt((1 - smooth) / (bottom * smooth) + (1 - other_smooth) / (other_bottom * other_smooth))
    return Measured(
        float(rate / other_rate) if other_top else None,
        gap,
        float(math.log(smooth / other_smooth)),
        max(float(draws.std(ddof=1)), implied),
        draws,
        smallest,
        None if other_top else "the rate it is compared with is 0",
    )


def _single_attribute(comparison: Comparison, found: Replicates) -> slice:
    """The strata of the first attribute: together they are everybody."""
    del comparison
    return slice(0, found.first_attribute)


def _smooth(top: Any, bottom: Any) -> Any:
    return (top + 0.5) / (bottom + 1.0)


def _observed_to_expected(group: int, found: Replicates) -> Measured:
    observed = int(found.counts[group, [FN, TP]].sum())
    known = int(found.counts[group, [TN, FP, FN, TP]].sum())
    expected = float(found.expected[group])
    if known == 0 or expected <= 0:
        return Measured(None, None, None, None, None, 0)
    drawn = found.resampled[:, group][:, [FN, TP]].sum(axis=1)
    draws = np.log((drawn + 0.5) / (np.maximum(found.resampled_expected[:, group], 0.0) + 0.5))
    # Below ten events the bootstrap is too sure of itself; the Poisson error is not.
    floor = 1 / math.sqrt(observed + 0.5) if observed < 10 else 0.0
    return Measured(
        observed / expected,
        (observed - expected) / known,
        math.log((observed + 0.5) / (expected + 0.5)),
        max(float(draws.std(ddof=1)), floor),
        draws,
        int(max(observed, expected)),
    )


def _slope(group: int, found: Replicates, slopes: np.ndarray) -> Measured:
    cells = found.counts[group]
    rarer = int(min(cells[[FN, TP]].sum(), cells[[TN, FP]].sum()))
    slope = float(slopes[group])
    if math.isnan(slope):
        return Measured(None, None, None, None, None, rarer, "the slope could not be fitted")
    draws = slope + found.slope_shift[:, group]
    return Measured(slope, slope - 1.0, slope, float(draws.std(ddof=1)), draws, rarer)


# ---------------------------------------------------------------- many comparisons


def critical_value(measured: Sequence[Measured], level: float) -> float:
    """How many standard errors make all intervals hold together with probability ``level`` (max-T; Westfall, Young 1993)."""
    single = NormalDist().inv_cdf((1 + level) / 2)
    columns = [abs(m.draws - m.centre) / m.se for m in measured if m.draws is not None and m.se and m.centre is not None]
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


# ---------------------------------------------------------------- verdicts


def verdict_of(low: float, high: float, gap: float, band: tuple[float, float], smallest_gap: float) -> str:
    """PASS only wholly inside the band; FAIL only wholly outside and by a difference that matters."""
    if low >= band[0] and high <= band[1]:
        return PASS
    if (high < band[0] or low > band[1]) and abs(gap) > smallest_gap:
        return FAIL
    return INSUFFICIENT


def overall_verdict(verdicts: Sequence[str], unaccepted: bool) -> str:
    """The worst one, in the order FAIL, NOT AUDITED unaccepted, INSUFFICIENT EVIDENCE, PASS. Nothing judged is no PASS."""
    if FAIL in verdicts:
        return FAIL
    if unaccepted:
        return NOT_AUDITED
    if INSUFFICIENT in verdicts or not verdicts:
        return INSUFFICIENT
    return PASS


def contrast_rows(
    comparisons: Sequence[Comparison],
    measured: Sequence[Measured],
    strata: Sequence[Stratum],
    found: Replicates,
    capped: set[str],
    purpose: str,
    policy: Policy,
) -> tuple[tuple[dict[str, Any], ...], float]:
    """Every comparison as a row, and the critical value that makes their intervals simultaneous.

    Intervals are simultaneous over the primary contrasts with enough people for a verdict; the same width is given to
    those with fewer. ``capped`` names attributes whose group is unknown for too many: they can not PASS.
    """
    primary = [index for index, comparison in enumerate(comparisons) if comparison.family == "primary"]
    judged = [index for index in primary if _judgeable(comparisons[index], measured[index], policy)]
    width = critical_value([measured[index] for index in judged or primary], policy.level)
    p_values = [_p_value(comparison, m, policy) for comparison, m in zip(comparisons, measured, strict=True)]
    adjusted: dict[int, float] = {}
    for family, adjust in (("primary", holm), ("exploratory", benjamini_hochberg)):
        members = [i for i, c in enumerate(comparisons) if c.family == family and p_values[i] is not None]
        adjusted |= dict(zip(members, adjust([p_values[i] or 0.0 for i in members]), strict=True))
    rows = []
    for index, (comparison, m) in enumerate(zip(comparisons, measured, strict=True)):
        row = _row(comparison, m, strata, found, width, policy, purpose)
        row["p"], row["p_adjusted"] = p_values[index], adjusted.get(index)
        if comparison.family == "exploratory":
            row |= _exploratory(row["p_adjusted"], policy)
        else:
            row |= _judged(comparison, m, row, index in judged, strata[comparison.group].attribute in capped, policy)
            if row["verdict"] == INSUFFICIENT and m.smallest_denominator >= policy.floors.show:
                row["minimum_detectable"] = minimum_detectable(comparison, m, found, width, purpose, policy)
        rows.append(row)
    return tuple(rows), width


def _judgeable(comparison: Comparison, measured: Measured, policy: Policy) -> bool:
    floor = policy.floors.slope_events if comparison.metric == "calibration_slope" else policy.floors.verdict
    return measured.centre is not None and measured.smallest_denominator >= floor


def _p_value(comparison: Comparison, measured: Measured, policy: Policy) -> float | None:
    """Two-sided, for equality (ratio or slope 1)."""
    if measured.centre is None or not measured.se or measured.smallest_denominator < policy.floors.ratio:
        return None
    distance = measured.centre - (1.0 if comparison.metric == "calibration_slope" else 0.0)
    return math.erfc(abs(distance) / measured.se / math.sqrt(2))


def _row(
    comparison: Comparison,
    measured: Measured,
    strata: Sequence[Stratum],
    found: Replicates,
    width: float,
    policy: Policy,
    purpose: str,
) -> dict[str, Any]:
    group = strata[comparison.group]
    reference = None if comparison.reference is None else strata[comparison.reference]
    names = {"others": ("everybody else", "everybody else"), "prediction": (_OWN_PREDICTION, _OWN_PREDICTION)}
    name, label = names[comparison.against] if reference is None else (reference.group, reference.label)
    row: dict[str, Any] = {
        "attribute": group.attribute, "group": group.group, "label": group.label, "reference": name,
        "reference_label": label, "metric": comparison.metric, "against": comparison.against,
        "family": comparison.family, "ratio": None, "low": None, "high": None, "gap": None, "p": None, "p_adjusted": None,
        "verdict": None, "worse_off": None, "minimum_detectable": None, "reason": measured.reason,
    }  # fmt: skip
    if measured.smallest_denominator < policy.floors.ratio or measured.centre is None or measured.se is None:
        return row
    z = width if comparison.family == "primary" else NormalDist().inv_cdf((1 + policy.level) / 2)
    low, high = measured.centre - z * measured.se, measured.centre + z * measured.se
    if comparison.metric != "calibration_slope":
        low, high = math.exp(low), math.exp(high)
    if measured.ratio is not None:
        low, high = min(low, measured.ratio), max(high, measured.ratio)
    row |= {"ratio": measured.ratio, "low": low, "high": high if measured.ratio is not None else None, "gap": measured.gap}
    row["worse_off"] = _worse_off(comparison, measured, row, purpose)
    return row


def _worse_off(comparison: Comparison, measured: Measured, row: dict[str, Any], purpose: str) -> str | None:
    """Whom the difference disadvantages. An offer of help withheld and an unwelcome measure imposed are both harm."""
    above = measured.centre is not None and measured.centre > 0
    side = harmful_side(comparison.metric, purpose)
    if side is None or not measured.gap:
        return None
    if comparison.against == "prediction":
        return str(row["label"]) if above == (side == "above") else None
    return str(row["label"] if above == (side == "above") else row["reference_label"])


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


def _exploratory(p_adjusted: float | None, policy: Policy) -> dict[str, Any]:
    if p_adjusted is None:
        return {"verdict": TOO_FEW}
    return {"verdict": LOOK_HERE if p_adjusted <= policy.exploratory_q else NOTHING_STANDS_OUT}


def _judged(
    comparison: Comparison, measured: Measured, row: dict[str, Any], judgeable: bool, capped: bool, policy: Policy
) -> dict[str, Any]:
    """The verdict on a primary contrast, with the reason where it is not a PASS."""
    metric = comparison.metric
    floor = policy.floors.slope_events if metric == "calibration_slope" else policy.floors.verdict
    if measured.smallest_denominator < floor:
        of = NOT_A_RATE[metric] if metric in NOT_A_RATE else PROPORTIONS[metric].of
        return {"verdict": INSUFFICIENT, "reason": f"{TOO_FEW}: fewer than {floor} {of}"}
    if not judgeable or row["low"] is None:
        return {"verdict": INSUFFICIENT, "reason": measured.reason}
    band = policy.band(metric)
    high = math.inf if row["high"] is None else row["high"]
    verdict = verdict_of(row["low"], high, measured.gap or 0.0, band, policy.smallest_gap)
    if verdict == PASS and capped:
        share = round(100 * policy.missing.cap_above)
        return {"verdict": INSUFFICIENT, "reason": f"the group is not known for more than {share} in 100"}
    if verdict == INSUFFICIENT:
        outside = high < band[0] or row["low"] > band[1]
        gap = round(100 * policy.smallest_gap)
        inside = f"the interval reaches past the band {band[0]:.2f} to {band[1]:.2f}"
        return {
            "verdict": verdict,
            "reason": f"outside the band, but the difference is at most {gap} in 100" if outside else inside,
        }
    return {"verdict": verdict}


# ---------------------------------------------------------------- what could have been detected


def minimum_detectable(
    comparison: Comparison, measured: Measured, found: Replicates, width: float, purpose: str, policy: Policy
) -> float | None:
    """The ratio nearest to 1 that this data would have shown as a FAIL with the policy's power; None if there is none.

    On the side that disadvantages the group (below 1 where neither or both do). The standard error is the one expected at
    that ratio, enlarged as much as the bootstrap's exceeds the binomial one here.
    """
    need = width + NormalDist().inv_cdf(policy.power)
    band = policy.band(comparison.metric)
    below = harmful_side(comparison.metric, purpose) != "above"
    if comparison.metric == "calibration_slope":
        if not measured.se:
            return None
        limit = band[0] - need * measured.se
        return limit if limit > 0 else None
    ratios = _DETECTABLE[_DETECTABLE < band[0]][::-1] if below else _DETECTABLE[_DETECTABLE > band[1]]
    if comparison.metric == "oe_ratio":
        cells = found.counts[comparison.group]
        known, expected = int(cells[[TN, FP, FN, TP]].sum()), float(found.expected[comparison.group])
        if expected <= 0:
            return None
        level = expected / known
        ratios = ratios[ratios * level < 1]
        se, gaps = 1 / np.sqrt(ratios * expected), np.abs(ratios - 1) * level
    else:
        own, other = found.counts[comparison.group], found.counts[comparison.reference or 0]
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
