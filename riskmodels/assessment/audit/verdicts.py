"""Verdicts on contrasts.

A verdict looks at the whole interval of a ratio, never at the ratio alone: PASS only if the interval lies inside the
band, FAIL only if it lies outside and the difference matters, otherwise INSUFFICIENT EVIDENCE.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import Any

from riskmodels.assessment.audit.contrasts import (
    Comparison,
    Measured,
    benjamini_hochberg,
    critical_value,
    harmful_side,
    holm,
    minimum_detectable,
)
from riskmodels.assessment.audit.counting.counts import Replicates, Stratum
from riskmodels.assessment.audit.metrics import NOT_A_RATE, PROPORTIONS, too_few
from riskmodels.assessment.audit.policy import Policy
from riskmodels.assessment.audit.small_counts import ratio_interval, ratio_p
from riskmodels.assessment.audit.unknown import UnknownOutcomes, unknown_outcomes

PASS = "PASS"  # noqa: S105 - a verdict
FAIL = "FAIL"
INSUFFICIENT = "INSUFFICIENT EVIDENCE"
NOT_AUDITED = "NOT AUDITED"
LOOK_HERE = "look here"
NOTHING_STANDS_OUT = "nothing stands out"
TOO_FEW = "too few to judge"
SMALL_BY_POLICY = "a real difference, but within what the fairness policy allows"
OUTCOMES_UNKNOWN = "too many outcomes are not known: the verdict would hang on how they came out"
TOO_WIDE = "the interval reaches past the band"

# How groups are treated, and what a risk means in each.
QUESTIONS = ("treatment", "meaning")

_OWN_PREDICTION = "its own predicted risk"


def verdict_of(low: float, high: float, gap: float, band: tuple[float, float], smallest_gap: float) -> str:
    """PASS only wholly inside the band; FAIL only wholly outside and by a difference that matters."""
    if low >= band[0] and high <= band[1]:
        return PASS
    if (high < band[0] or low > band[1]) and abs(gap) > smallest_gap:
        return FAIL
    return INSUFFICIENT


def tally(contrasts: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """How the primary comparisons were judged, and in how many a group FAILs against everybody else."""
    verdicts = [row["verdict"] for row in contrasts if row["family"] == "primary"]
    return {
        "comparisons": len(verdicts),
        "passed": verdicts.count(PASS),
        "failed": verdicts.count(FAIL),
        "insufficient": verdicts.count(INSUFFICIENT),
        "failed_against_others": sum(row["family"] == "second" and row["verdict"] == FAIL for row in contrasts),
    }


def overall_verdict(judged: Mapping[str, int], unaccepted: bool) -> str:
    """The worst one: FAIL, NOT AUDITED unaccepted, INSUFFICIENT EVIDENCE, PASS. Where nothing is judged, no PASS.

    Parameters
    ----------
    judged : from `tally`
    """
    if judged["failed"] or judged["failed_against_others"]:
        return FAIL
    if unaccepted:
        return NOT_AUDITED
    return INSUFFICIENT if judged["insufficient"] or not judged["comparisons"] else PASS


def contrast_rows(
    comparisons: Sequence[Comparison],
    measured: Sequence[Measured],
    strata: Sequence[Stratum],
    found: Replicates,
    capped: set[str],
    purpose: str,
    policy: Policy,
    noun: str = "people",
) -> tuple[tuple[dict[str, Any], ...], dict[str, float]]:
    """Every comparison as a row, and the critical values that make their intervals simultaneous.

    How groups are treated (rates, against the reference and against everybody else) and what their risks mean (against
    their own prediction) are two questions, with a family of intervals for each. An interval is simultaneous over the
    contrasts of its family with enough people for a verdict; the same width is given to those with fewer. ``capped``
    names attributes whose group is unknown for too many: they can not PASS.
    """
    question = [_question(comparison) for comparison in comparisons]
    judged = {
        index
        for index, (comparison, m) in enumerate(zip(comparisons, measured, strict=True))
        if question[index] and _judgeable(comparison, m, policy)
    }
    widths = {}
    for name in QUESTIONS:
        own = [index for index, asked in enumerate(question) if asked == name]
        widths[name] = critical_value([measured[i] for i in own if i in judged or not judged & set(own)], policy.level)
    p_values = [_p_value(comparison, m, policy) for comparison, m in zip(comparisons, measured, strict=True)]
    adjusted: dict[int, float] = {}
    for family, adjust in (*((name, holm) for name in QUESTIONS), (None, benjamini_hochberg)):
        members = [i for i, asked in enumerate(question) if asked == family and p_values[i] is not None]
        adjusted |= dict(zip(members, adjust([p_values[i] or 0.0 for i in members]), strict=True))
    rows = []
    for index, (comparison, m) in enumerate(zip(comparisons, measured, strict=True)):
        asked = question[index]
        width = NormalDist().inv_cdf((1 + policy.level) / 2) if asked is None else widths[asked]
        row = _row(comparison, m, strata, width, policy, purpose)
        row["p"], row["p_adjusted"] = p_values[index], adjusted.get(index)
        if comparison.family == "exploratory":
            row |= _exploratory(row["p_adjusted"], policy)
        else:
            row |= _judged(
                comparison, m, row, index in judged, strata[comparison.group].attribute in capped, policy, noun
            )
            row |= _with_unknown(row, unknown_outcomes(comparison, found), policy)
            if row["verdict"] == INSUFFICIENT and index in judged and row["reason"] != OUTCOMES_UNKNOWN:
                row["minimum_detectable"] = minimum_detectable(comparison, m, found, width, purpose, policy)
        rows.append(row)
    return tuple(rows), widths


def _question(comparison: Comparison) -> str | None:
    """Which simultaneous family a comparison belongs to; None where it only says where to look."""
    if comparison.family == "exploratory":
        return None
    return "meaning" if comparison.against == "prediction" else "treatment"


def _judgeable(comparison: Comparison, measured: Measured, policy: Policy) -> bool:
    floor = policy.floors.slope_events if comparison.metric == "calibration_slope" else policy.floors.verdict
    return measured.centre is not None and measured.smallest_denominator >= floor


def _p_value(comparison: Comparison, measured: Measured, policy: Policy) -> float | None:
    """Two-sided, for equality (ratio or slope 1); of a pair that was chosen, for all that it was chosen from
    (Bonferroni).
    """
    if measured.centre is None or not measured.se or measured.smallest_denominator < policy.floors.ratio:
        return None
    if measured.small is not None:
        return min(1.0, comparison.chosen_from * ratio_p(measured.small))
    distance = measured.centre - (1.0 if comparison.metric == "calibration_slope" else 0.0)
    return min(1.0, comparison.chosen_from * math.erfc(abs(distance) / measured.se / math.sqrt(2)))


def _row(
    comparison: Comparison,
    measured: Measured,
    strata: Sequence[Stratum],
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
        "family": comparison.family, "ratio": None, "low": None, "high": None, "gap": None, "p": None,
        "p_adjusted": None, "verdict": None, "worse_off": None, "minimum_detectable": None, "reason": measured.reason,
        "bounds": None, "band": None if comparison.family == "exploratory" else list(policy.band(comparison.metric)),
        "smallest_cell": measured.smallest_cell,
    }  # fmt: skip
    if measured.smallest_denominator < policy.floors.ratio or measured.centre is None or measured.se is None:
        return row
    low, high = _interval(comparison, measured, width)
    row |= {"ratio": measured.ratio, "low": low, "high": high, "gap": measured.gap}
    row["worse_off"] = _worse_off(comparison, row, purpose)
    return row


def _interval(comparison: Comparison, measured: Measured, width: float) -> tuple[float, float | None]:
    """``width`` standard errors either way; the upper end None where the rate it is compared with is nought."""
    assert measured.centre is not None
    assert measured.se is not None
    if measured.small is not None:
        return ratio_interval(measured.small, width)
    low, high = measured.centre - width * measured.se, measured.centre + width * measured.se
    if comparison.metric != "calibration_slope":
        low, high = math.exp(low), math.exp(high)
    return (low, None) if measured.ratio is None else (min(low, measured.ratio), max(high, measured.ratio))


def _worse_off(comparison: Comparison, row: dict[str, Any], purpose: str) -> str | None:
    """Whom the difference disadvantages, where the interval excludes 1.

    An offer of help withheld and an unwelcome measure imposed are both harm, whichever group they fall on.
    """
    above, below = row["low"] > 1, row["high"] is not None and row["high"] < 1
    side = harmful_side(comparison.metric, purpose)
    if side is None or not (above or below):
        return None
    on_the_group = above == (side == "above")
    if comparison.against == "prediction":
        return str(row["label"]) if on_the_group else None
    return str(row["label"] if on_the_group else row["reference_label"])


def _exploratory(p_adjusted: float | None, policy: Policy) -> dict[str, Any]:
    if p_adjusted is None:
        return {"verdict": TOO_FEW}
    return {"verdict": LOOK_HERE if p_adjusted <= policy.exploratory_q else NOTHING_STANDS_OUT}


def _judged(
    comparison: Comparison,
    measured: Measured,
    row: dict[str, Any],
    judgeable: bool,
    capped: bool,
    policy: Policy,
    noun: str,
) -> dict[str, Any]:
    """The verdict on a primary contrast, with the reason where it is not a PASS."""
    metric = comparison.metric
    floor = policy.floors.slope_events if metric == "calibration_slope" else policy.floors.verdict
    if measured.smallest_denominator < floor:
        of = NOT_A_RATE[metric] if metric in NOT_A_RATE else PROPORTIONS[metric].of
        return {"verdict": INSUFFICIENT, "reason": f"{TOO_FEW}: {too_few(floor, of, noun)}"}
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
        inside = f"{TOO_WIDE} {band[0]:.2f} to {band[1]:.2f}"
        return {
            "verdict": verdict,
            "reason": f"{SMALL_BY_POLICY}: at most {gap} in 100" if outside else inside,
        }
    return {"verdict": verdict}


def _with_unknown(row: dict[str, Any], unknown: UnknownOutcomes, policy: Policy) -> dict[str, Any]:
    """What is left of a verdict where many outcomes are not known."""
    if unknown.share <= policy.missing.bounds_above:
        return {}
    found: dict[str, Any] = {"bounds": None if unknown.ratio is None else list(unknown.ratio)}
    if row["verdict"] not in (PASS, FAIL) or unknown.leave(row["verdict"] == PASS, row["metric"], policy):
        return found
    return found | {"verdict": INSUFFICIENT, "reason": OUTCOMES_UNKNOWN}
