"""Disclosure control: an audit made fit to be shown. The rules themselves stand in `suppression`."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from riskmodels.assessment.audit_contrasts import ZERO_BOTH, ZERO_REFERENCE
from riskmodels.assessment.audit_counts import CELLS, FN, FP, SELECTED_UNKNOWN, TN, TP, UNSELECTED_UNKNOWN
from riskmodels.assessment.audit_metrics import ALL_CELLS, PROPORTIONS, parts
from riskmodels.assessment.audit_verdicts import FAIL
from riskmodels.assessment.audit_words import NOUNS, in_words
from riskmodels.assessment.suppression import PROFILES, Profile, hidden_rows, not_shown, published_count, would_show

Row = dict[str, Any]

# What a reader learns from each tier of a group's row. A number is shown only if its whole tier is.
_TIERS = (("n",), ("positives", "selected"), ("tp", "fp", "fn", "tn"))
_SIZE, _MARGINS, _CELLS = 1, 2, 3
# Each number of a row: the tier it needs, and the cells it is the sum of.
_MADE_OF = {
    "n": (_SIZE, ALL_CELLS), "unknown": (_SIZE, (UNSELECTED_UNKNOWN, SELECTED_UNKNOWN)),
    "positives": (_MARGINS, (FN, TP)), "selected": (_MARGINS, (FP, TP, SELECTED_UNKNOWN)),
    "tp": (_CELLS, (TP,)), "fp": (_CELLS, (FP,)), "fn": (_CELLS, (FN,)), "tn": (_CELLS, (TN,)),
}  # fmt: skip
_TIER_OF = {
    "selection_rate": _MARGINS, "oe_ratio": _MARGINS, "calibration_slope": _MARGINS, "auc": _MARGINS,
    "base_rate": _CELLS, "recall": _CELLS, "fnr": _CELLS, "fpr": _CELLS, "fdr": _CELLS, "for": _CELLS,
    "precision": _CELLS,
}  # fmt: skip
_CONTRAST_NUMBERS = ("ratio", "low", "high", "gap", "p", "p_adjusted", "minimum_detectable")


def publish(audit: Mapping[str, Any], profile: Profile | str = "sro-10") -> tuple[Row, tuple[Row, ...]]:
    """An exact audit as it may be shown, and the list of what was hidden.

    Each group's numbers come in three tiers: its size; how many had the outcome and were selected; how these cross. A
    tier is shown only if none of its counts, nor what they leave over, is small, and if no hidden group can then be
    found by subtraction. Rates are made of the rounded counts and keep the width of their intervals. Verdicts are the
    exact audit's.

    Parameters
    ----------
    audit : `Audit.to_dict()`
    profile : a profile, or the name of one as in ``study.disclosure``

    Returns
    -------
    the published audit, with ``disclosure`` naming the profile; and rows {where, what, why}
    """
    profile = PROFILES[profile] if isinstance(profile, str) else profile
    published: Row = copy.deepcopy(dict(audit))
    noun = NOUNS[published["level"]]
    tiers, why, log = _tiers(published["rows"], profile, noun)
    for name in ("n", "known", "units"):
        published[name] = published_count(published[name], profile)
    for row in published["rows"]:
        key = row["attribute"], row["group"]
        _publish_row(row, tiers[key], why[key], profile)
    shown = {(row["attribute"], row["group"]): row for row in published["rows"]}
    for contrast in published["contrasts"]:
        log += _publish_contrast(contrast, shown, tiers, profile)
    _publish_shares(published, tiers, why, profile)
    published["in_words"] = list(
        in_words(
            published["rows"], published["contrasts"], published["titles"], purpose=published["purpose"],
            measures=published["outcome_measures"], noun=noun, judged=published["judged"],
            provisional=published["provisional"],
        )
    )  # fmt: skip
    published["disclosure"] = {"profile": profile.name, "below": profile.below, "rounded_to": profile.base}
    return published, tuple(log)


# ---------------------------------------------------------------- which numbers


def _tiers(
    rows: Sequence[Row], profile: Profile, noun: str
) -> tuple[dict[tuple[str, str], int], dict[tuple[str, str], str], list[Row]]:
    """The last tier of each group that may be shown (0: none), why no more, and the list of what is hidden."""
    tiers: dict[tuple[str, str], int] = {}
    whys: dict[tuple[str, str], str] = {}
    log: list[Row] = []
    for attribute in dict.fromkeys(row["attribute"] for row in rows):
        own = [row for row in rows if row["attribute"] == attribute]
        shown, small = _tiers_of_attribute(own, profile)
        for row, last, is_small in zip(own, shown, small, strict=True):
            group = row["group"]
            tiers[attribute, group] = last
            whys[attribute, group] = not_shown(profile, noun) if is_small else would_show(profile)
            if last < _CELLS:
                what = ", ".join(name for names in _TIERS[last:] for name in names) + " and what is made of them"
                log.append({"where": f"rows, {attribute}: {group}", "what": what, "why": whys[attribute, group]})
    return tiers, whys, log


def _tiers_of_attribute(rows: Sequence[Row], profile: Profile) -> tuple[list[int], list[bool]]:
    """For each group the last tier shown, and whether a small count of its own is why there are no more."""
    shown, hidden = np.zeros(len(rows), dtype=np.int64), np.zeros(len(rows), dtype=bool)
    small = np.zeros(len(rows), dtype=bool)
    for tier, counts in enumerate(_counts_by_tier(rows), start=1):
        before = hidden
        hidden, protecting = hidden_rows(counts, profile, before)
        small |= hidden & ~before & ~protecting
        shown[~hidden] = tier
    tiers = [int(tier) for tier in shown]
    while (place := _found_out(rows, tiers, profile)) is not None:
        others = [other for other, tier in enumerate(tiers) if tier]
        if not others:
            break
        # First the rest of the group's own row; then the smallest other one.
        hide = place if tiers[place] else min(others, key=lambda other: rows[other]["n"])
        tiers[hide] -= 1
    return tiers, small.tolist()


def _found_out(rows: Sequence[Row], tiers: Sequence[int], profile: Profile) -> int | None:
    """A group of which a small number could be worked out from everything published of its attribute; None if none."""
    facts, windows, targets, owners = [], [], [], []
    for place, row in enumerate(rows):
        for name, (tier, cells) in _MADE_OF.items():
            line = np.zeros((len(rows), CELLS))
            line[place, list(cells)] = 1
            small, hidden = row[name] < profile.below, tiers[place] < tier
            if not hidden or (small and name == "n"):
                facts.append(line.ravel())
                windows.append(window(row[name], profile))
            if small and (hidden or name == "n"):
                targets.append(line.ravel())
                owners.append(place)
    for name, (_, cells) in _MADE_OF.items():
        line = np.zeros((len(rows), CELLS))
        line[:, list(cells)] = 1
        facts.append(line.ravel())
        windows.append(window(sum(row[name] for row in rows), profile))
    found = first_found_out(np.array(facts), windows, np.array(targets), profile) if targets else None
    return None if found is None else owners[found]


def _counts_by_tier(rows: Sequence[Row]) -> tuple[np.ndarray, ...]:
    """What each tier would show of every group, what is left over included."""
    size = [[row["n"]] for row in rows]
    margins = [[row["positives"], row["fp"] + row["tn"], row["selected"], row["n"] - row["selected"]] for row in rows]
    cells = [[row[name] for name in _TIERS[-1]] for row in rows]
    return np.array(size), np.array(margins), np.array(cells)


# ---------------------------------------------------------------- rows


def _publish_row(row: Row, tier: int, why: str, profile: Profile) -> None:
    expected = row["expected"]
    for place, names in enumerate(_TIERS, start=1):
        for name in names:
            row[name] = None if place > tier else published_count(row[name], profile)
    row["unknown"] = None if tier < _SIZE else published_count(row["unknown"], profile)
    row["unknown_selected"] = None
    row["expected"] = None if tier < _MARGINS else published_count(round(expected), profile)
    row["shown"] = tier >= _SIZE
    made = _made_of_rounded(row, expected, tier)
    for metric, found in row["metrics"].items():
        hidden = tier < _TIER_OF[metric]
        if hidden or found["value"] is None:
            row["metrics"][metric] = {"value": None, "reason": why if hidden else found["reason"]}
        else:
            row["metrics"][metric] = _moved(
                found, made.get(metric, found["value"]), profile, rate=metric in PROPORTIONS
            )


def _made_of_rounded(row: Row, expected: float, tier: int) -> dict[str, float]:
    """The metrics that are functions of counts, from the counts as published."""
    made: dict[str, float] = {}
    if tier >= _MARGINS:
        made["selection_rate"] = row["selected"] / row["n"]
        if expected > 0:
            made["oe_ratio"] = row["positives"] / expected
    if tier >= _CELLS:
        cells = np.zeros(CELLS)
        cells[[TN, FP, FN, TP]] = [row["tn"], row["fp"], row["fn"], row["tp"]]
        for metric in PROPORTIONS:
            if metric != "selection_rate":
                top, bottom = parts(cells, metric)
                made[metric] = float(top / bottom)
    return made


def _moved(found: Row, value: float, profile: Profile, *, rate: bool) -> Row:
    """An estimate at a published value, its interval as wide as the exact one."""
    moved: Row = {"value": round(value, 3)}
    for side in ("low", "high"):
        if found.get(side) is not None:
            end = value + found[side] - found["value"]
            moved[side] = round(min(max(end, 0.0), 1.0) if rate else end, 3)
    if found.get("n") is not None:
        moved["n"] = published_count(found["n"], profile)
    return moved


# ---------------------------------------------------------------- contrasts


def _publish_contrast(
    contrast: Row,
    rows: Mapping[tuple[str, str], Row],
    tiers: Mapping[tuple[str, str], int],
    profile: Profile,
) -> list[Row]:
    """Hide a contrast that would show a hidden number, and say so. Intersections have no rows: their cells decide."""
    sides = [tiers.get((contrast["attribute"], contrast[side]), _CELLS) for side in ("group", "reference")]
    smallest = contrast.pop("smallest_cell")
    nothing = contrast["low"] is None
    if min(sides) >= _TIER_OF[contrast["metric"]] and smallest >= profile.below:
        if not nothing:
            _move_contrast(contrast, rows)
        return []
    contrast |= dict.fromkeys(_CONTRAST_NUMBERS)
    if contrast["verdict"] != FAIL:
        contrast["worse_off"] = None
    if contrast["reason"] in (None, ZERO_REFERENCE, ZERO_BOTH):
        contrast["reason"] = would_show(profile)
    where = f"contrasts, {contrast['attribute']}: {contrast['group']}: {contrast['metric']} v {contrast['reference']}"
    return [] if nothing else [{"where": where, "what": "the ratio", "why": would_show(profile)}]


def _move_contrast(contrast: Row, rows: Mapping[tuple[str, str], Row]) -> None:
    """The ratio of the published rates, its interval as wide as the exact one (on the log scale)."""
    metric, exact = contrast["metric"], contrast["ratio"]
    own = rows.get((contrast["attribute"], contrast["group"]))
    other = rows.get((contrast["attribute"], contrast["reference"]))
    ratio, digits = exact, 2
    if own is not None and (other is not None or contrast["against"] == "prediction"):
        value = own["metrics"][metric]["value"]
        against = 1.0 if other is None else other["metrics"][metric]["value"]
        if value is not None and against:
            ratio, digits = value / against, 3
            contrast["gap"] = value - against
    for side in ("low", "high"):
        contrast[side] = round(contrast[side] * ratio / exact, digits)
    contrast["ratio"], contrast["gap"] = round(ratio, digits), round(contrast["gap"], digits)
    if contrast["minimum_detectable"] is not None:
        contrast["minimum_detectable"] = round(contrast["minimum_detectable"], 2)
    for name in ("p", "p_adjusted"):
        if contrast[name] is not None:
            contrast[name] = max(float(f"{contrast[name]:.1g}"), 0.001)


# ---------------------------------------------------------------- shares


def _publish_shares(
    audit: Row, tiers: Mapping[tuple[str, str], int], whys: Mapping[tuple[str, str], str], profile: Profile
) -> None:
    """Shares and areas that speak of a hidden group."""
    needed = {"in_cohort": _SIZE, "on_list": _MARGINS, "in_need": _MARGINS}
    for row in audit["composition"]:
        tier = tiers[row["attribute"], row["group"]]
        for name, least in needed.items():
            row[name] = None if tier < least or row[name] is None else round(row[name], 2)
        if tier < _MARGINS:
            row["reason"] = whys[row["attribute"], row["group"]]
    for row in audit["proxies"]:
        if tiers[row["attribute"], row["group"]] < _SIZE:
            row |= {"auc_score": None, "flagged": False, "reason": whys[row["attribute"], row["group"]]}
        elif row["auc_score"] is not None:
            row["auc_score"] = round(row["auc_score"], 2)
    for row in audit["missing"]:
        smallest = min(tier for (attribute, _), tier in tiers.items() if attribute == row["attribute"])
        if row["share"] and smallest < _SIZE:
            row |= {"share": None, "reason": would_show(profile)}
        if row["bounds"] and smallest < _CELLS:
            row |= {"bounds": None, "reason": would_show(profile)}
        row["share"] = None if row["share"] is None else round(row["share"], 2)
        for bound in row["bounds"] or ():
            bound |= {side: None if bound[side] is None else round(bound[side], 2) for side in ("low", "high")}
