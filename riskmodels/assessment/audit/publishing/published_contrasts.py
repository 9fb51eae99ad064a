"""Disclosure control of contrasts: which may be shown, and how.

A ratio is that of the published rates; everybody else's is what the published rates leave of the rounded whole.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from riskmodels.assessment.audit.contrasts import ZERO_BOTH, ZERO_REFERENCE, benjamini_hochberg, holm
from riskmodels.assessment.audit.metrics import PROPORTIONS
from riskmodels.assessment.audit.publishing.published_groups import NEEDS, Key, people, rounded_parts
from riskmodels.assessment.audit.publishing.published_numbers import (
    OF_SLOPE,
    OF_UNSEEN,
    Row,
    coarse_factor,
    outward,
    rounded_value,
    same_side,
)
from riskmodels.assessment.audit.verdicts import FAIL, TOO_FEW
from riskmodels.assessment.intervals import Z
from riskmodels.assessment.suppression import Profile, rounded, would_show

_NUMBERS = ("ratio", "low", "high", "gap", "p", "p_adjusted", "minimum_detectable")
_COUNTS = ("n", "positives", "selected", "tp", "fp", "fn", "tn")
# The counts of everybody else that must not be small, by the blocks that a metric needs.
_BEHIND = {"margins": ("positives", "selected"), "hits": ("tp", "fn"), "alarms": ("fp", "tn")}
_SELDOM = 0.05  # at most so large an adjusted p-value makes a contrast worth a look
_DETECTABLE = 0.05  # what could have been seen is told to the nearest so much, away from 1


@dataclass(frozen=True)
class Whole:
    """Everybody in the groups of one attribute: rounded counts, and the people behind each count."""

    counts: Mapping[str, int]
    people: Mapping[str, int]


def wholes(rows: Sequence[Row], profile: Profile) -> dict[str, Whole]:
    """attribute -> everybody, from the exact rows by group."""
    found = {}
    for attribute in dict.fromkeys(row["attribute"] for row in rows):
        own = [row for row in rows if row["attribute"] == attribute]
        found[attribute] = Whole(
            {name: rounded(sum(row[name] for row in own), profile) for name in _COUNTS},
            {name: sum(people(row, name) for row in own) for name in _COUNTS},
        )
    return found


def publish_contrast(
    contrast: Row,
    rows: Mapping[Key, Row],
    behind: Mapping[Key, Row],
    blocks: Mapping[Key, set[str]],
    everybody: Mapping[str, Whole],
    critical: Mapping[str, float],
    profile: Profile,
) -> list[Row]:
    """Hide a contrast that would show a hidden number, and say so. Intersections have no rows: their cells decide.

    Parameters
    ----------
    rows, behind : the published and the exact rows by group
    blocks : (attribute, group) -> the blocks of its row that are shown
    everybody : from `wholes`
    critical : the critical values as published
    """
    needed = NEEDS[contrast["metric"]]
    own = contrast["attribute"], contrast["group"]
    sides = [blocks.get((contrast["attribute"], contrast[side]), needed) for side in ("group", "reference")]
    smallest = contrast.pop("smallest_cell")
    if contrast["against"] == "others" and own in behind:
        whole = everybody[contrast["attribute"]].people
        names = [name for block in needed for name in _BEHIND[block]]
        smallest = min([smallest, *(whole[name] - people(behind[own], name) for name in names)])
    nothing = contrast["low"] is None
    if all(needed <= shown for shown in sides) and smallest >= profile.below:
        if contrast.get("bounds"):
            contrast["bounds"] = outward(contrast["bounds"][0], contrast["bounds"][1], places=2)
        if not nothing:
            _make_published(contrast, rows, everybody, critical, profile)
        return []
    contrast |= dict.fromkeys(_NUMBERS)
    if "bounds" in contrast:
        contrast["bounds"] = None
    if contrast["verdict"] != FAIL:
        contrast["worse_off"] = None
    if contrast["reason"] in (None, ZERO_REFERENCE, ZERO_BOTH):
        contrast["reason"] = would_show(profile)
    where = f"contrasts, {contrast['attribute']}: {contrast['group']}: {contrast['metric']} v {contrast['reference']}"
    return [] if nothing else [{"where": where, "what": "the ratio", "why": would_show(profile)}]


# ---------------------------------------------------------------- made of what is published


@dataclass(frozen=True)
class _Made:
    """A contrast made of published counts. ``se``: the standard error that they imply, on the log scale; None where the
    contrast is not made of counts, or the counts are not published.
    """

    ratio: float | None
    gap: float | None
    se: float | None = None


def _make_published(
    contrast: Row,
    rows: Mapping[Key, Row],
    everybody: Mapping[str, Whole],
    critical: Mapping[str, float],
    profile: Profile,
) -> None:
    """The ratio of the published rates, with the interval and the p-value that the published counts imply.

    The bootstrap's standard error, and so the exact width, is like a fingerprint of the exact counts. What it adds to
    the implied one (clusters, mostly) is told in coarse steps.
    """
    slope, edges = contrast["metric"] == "calibration_slope", (*_band(contrast), 1.0)
    exact_low, exact_high = contrast["low"], contrast["high"]
    made = _made(contrast, rows, everybody)
    ratio, ends, p = made.ratio, (exact_low, exact_high), contrast["p"]
    if profile.base > 1 and ratio is not None and exact_high is not None and (slope or exact_low > 0):
        width = _width(contrast, critical)
        half = (exact_high - exact_low) / 2 if slope else math.log(exact_high / exact_low) / 2
        if made.se is None:
            half = math.ceil(half / (OF_SLOPE if slope else OF_UNSEEN) - 1e-9) * (OF_SLOPE if slope else OF_UNSEEN)
        else:
            half = width * made.se * coarse_factor(half / (width * made.se))
        centre = ratio if slope else math.log(ratio)
        ends = (centre - half, centre + half) if slope else (math.exp(centre - half), math.exp(centre + half))
        if half > 0:
            p = _two_sided((centre - (1.0 if slope else 0.0)) / (half / width))
        if contrast["against"] == "group":
            p = min(p * _chosen_from(contrast), 1.0)
    # A rate of nought gives an end without a ratio; too few clusters a ratio without an end.
    low, high = outward(*ends)
    if _says(low, high, edges[:-1]) != _says(exact_low, exact_high, edges[:-1]):
        low = None if low is None else same_side(low, exact_low, edges)
        high = None if high is None else same_side(high, exact_high, edges)
    if ratio is not None and low is not None and high is not None:
        ratio = min(max(ratio, low), high)  # where the verdict keeps an end on its side, the ratio stays with it
    contrast |= {"low": low, "high": high, "gap": None if made.gap is None else rounded_value(made.gap)}
    contrast["ratio"] = None if ratio is None else round(ratio, 2) if slope else rounded_value(ratio)
    contrast["minimum_detectable"] = _detectable(contrast["minimum_detectable"], profile)
    contrast["p"] = None if contrast["p"] is None else p


def _two_sided(z: float) -> float:
    return math.erfc(abs(z) / math.sqrt(2))


def _chosen_from(contrast: Row) -> int:
    """Of how many pairs this one is the furthest apart: the exact p-value over that of the pair alone."""
    low, high = math.log(contrast["low"]), math.log(contrast["high"])
    alone = _two_sided((low + high) / (high - low) * Z) if high > low else 1.0
    return max(round((contrast["p"] or 0.0) / alone), 1) if alone else 1


def _band(contrast: Row) -> Sequence[float]:
    """The band that the verdict was made with; none where there are too few people for one."""
    judged = not (contrast["reason"] or "").startswith(TOO_FEW)
    return contrast["band"] if judged and contrast.get("band") else ()


def _says(low: float | None, high: float | None, band: Sequence[float]) -> tuple[bool, ...]:
    """What verdicts are made of: whether an interval lies on one side of 1, within the band, or outside it."""
    low, high = -math.inf if low is None else low, math.inf if high is None else high
    sides = (high < 1, low > 1)
    return (*sides, low >= band[0] and high <= band[1], high < band[0], low > band[1]) if band else sides


def _width(contrast: Row, critical: Mapping[str, float]) -> float:
    """How many standard errors the interval reaches to either side, as published."""
    question = _question(contrast)
    return Z if question is None else critical.get(question) or Z


def _question(contrast: Mapping[str, Any]) -> str | None:
    """The simultaneous family of a contrast; None where it only says where to look."""
    if contrast["family"] == "exploratory":
        return None
    return "meaning" if contrast["against"] == "prediction" else "treatment"


def publish_p_values(contrasts: Sequence[Row], exact: Sequence[Mapping[str, Any]]) -> None:
    """One significant digit, adjusted again within each family, in place. What is hidden counts as least likely to be
    found, so that it cannot be told from the others; nothing passes to the other side of what is worth a look.

    Parameters
    ----------
    contrasts : published but for this
    exact : the same, exact
    """
    for family in ("treatment", "meaning", None):
        tested = [
            (row, before)
            for row, before in zip(contrasts, exact, strict=True)
            if _question(before) == family and before["p"] is not None
        ]
        adjust = benjamini_hochberg if family is None else holm
        adjusted = adjust([1.0 if row["p"] is None else row["p"] for row, _ in tested])
        for (row, before), p in zip(tested, adjusted, strict=True):
            if row["p"] is not None:
                told = p if before["p_adjusted"] is None else same_side(p, before["p_adjusted"], (_SELDOM,))
                row["p"], row["p_adjusted"] = (max(float(f"{each:.1g}"), 0.001) for each in (row["p"], told))


def _made(contrast: Row, rows: Mapping[Key, Row], everybody: Mapping[str, Whole]) -> _Made:
    """From the counts as published; the exact ones where it is not made of counts, or the group has no row."""
    exact = _Made(contrast["ratio"], contrast["gap"])
    row, metric = rows.get((contrast["attribute"], contrast["group"])), contrast["metric"]
    if row is None:
        return exact
    if metric not in PROPORTIONS:
        ratio = row["metrics"][metric]["value"]
        if ratio is None:
            return exact
        if metric == "calibration_slope":
            return _Made(ratio, ratio - 1)
        if not row["positives"]:  # nothing came about: there is no spread to make anything of
            return exact
        known = row["n"] - (row["unknown"] or 0)
        share = row["positives"] / known
        return _Made(ratio, share * (1 - 1 / ratio), math.sqrt((1 - share) / row["positives"]))
    if contrast["against"] == "others":
        whole = everybody[contrast["attribute"]].counts
        other = {name: max(whole[name] - (row[name] or 0), 0) for name in _COUNTS}
    else:
        against_row = rows.get((contrast["attribute"], contrast["reference"]))
        if against_row is None:
            return exact
        other = against_row
    (top, bottom), (other_top, other_bottom) = rounded_parts(row, metric), rounded_parts(other, metric)
    if not bottom or not other_bottom:
        return exact
    rate, against = top / bottom, other_top / other_bottom
    if not rate or not against:
        return _Made(None if not against else 0.0, rate - against)
    return _Made(rate / against, rate - against, math.sqrt((1 - rate) / top + (1 - against) / other_top))


def _detectable(ratio: float | None, profile: Profile) -> float | None:
    if ratio is None or profile.base == 1:
        return None if ratio is None else round(ratio, 2)
    steps = ratio / _DETECTABLE
    return round((math.floor(steps + 1e-9) if ratio < 1 else math.ceil(steps - 1e-9)) * _DETECTABLE, 2)
