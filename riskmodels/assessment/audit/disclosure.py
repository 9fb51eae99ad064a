"""Disclosure control: an audit made fit to be shown. The rules themselves stand in `suppression`."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from riskmodels.assessment.audit.contrasts import ZERO_BOTH, ZERO_REFERENCE
from riskmodels.assessment.audit.counts import CELLS, FN, FP, SELECTED_UNKNOWN, TN, TP, UNSELECTED_UNKNOWN
from riskmodels.assessment.audit.metrics import ALL_CELLS, PROPORTIONS, parts
from riskmodels.assessment.audit.verdicts import FAIL
from riskmodels.assessment.audit.words import NOUNS, in_words
from riskmodels.assessment.suppression import (
    PROFILES,
    Profile,
    first_found_out,
    hidden_rows,
    not_shown,
    published_count,
    window,
    would_show,
)

Row = dict[str, Any]

Key = tuple[str, str]

# What a reader learns from each block of a group's row: its numbers, and what they leave over. A number is shown only
# if its whole block is, and a block only if those it stands on are.
_BLOCKS = {"size": ("n",), "margins": ("positives", "selected"), "hits": ("tp", "fn"), "alarms": ("fp", "tn")}
_STANDS_ON = {"size": (), "margins": ("size",), "hits": ("margins",), "alarms": ("margins",)}
# Each number of a row: the block it belongs to, and the cells it is the sum of.
_MADE_OF = {
    "n": ("size", ALL_CELLS), "unknown": ("size", (UNSELECTED_UNKNOWN, SELECTED_UNKNOWN)),
    "positives": ("margins", (FN, TP)), "selected": ("margins", (FP, TP, SELECTED_UNKNOWN)),
    "tp": ("hits", (TP,)), "fn": ("hits", (FN,)), "fp": ("alarms", (FP,)), "tn": ("alarms", (TN,)),
}  # fmt: skip
_BOTH = {"hits", "alarms"}
_NEEDS = {
    "selection_rate": {"margins"}, "oe_ratio": {"margins"}, "calibration_slope": {"margins"}, "auc": {"margins"},
    "recall": {"hits"}, "fnr": {"hits"}, "fpr": {"alarms"}, "fdr": _BOTH, "for": _BOTH, "precision": _BOTH,
    "base_rate": _BOTH,
}  # fmt: skip
_CONTRAST_NUMBERS = ("ratio", "low", "high", "gap", "p", "p_adjusted", "minimum_detectable")


def publish(audit: Mapping[str, Any], profile: Profile | str = "sro-10") -> tuple[Row, tuple[Row, ...]]:
    """An exact audit as it may be shown, and the list of what was hidden.

    Each group's numbers come in blocks: its size; how many had the outcome and were selected; how many of those with
    the outcome were selected; how many of those without. A block is shown only if none of its counts, nor what they
    leave over, is small, and if no hidden number can then be worked out. Rates are made of the rounded counts and keep
    the width of their intervals. Verdicts are the exact audit's.

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
    blocks, why, log = _choose(published["rows"], profile, noun)
    for name in ("n", "known", "units"):
        published[name] = published_count(published[name], profile)
    for row in published["rows"]:
        key = row["attribute"], row["group"]
        _publish_row(row, blocks[key], why[key], profile)
    shown = {(row["attribute"], row["group"]): row for row in published["rows"]}
    for contrast in published["contrasts"]:
        log += _publish_contrast(contrast, shown, blocks, profile)
    _publish_shares(published, blocks, why, profile)
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


def _choose(rows: Sequence[Row], profile: Profile, noun: str) -> tuple[dict[Key, set[str]], dict[Key, str], list[Row]]:
    """The blocks that may be shown of each group, why no more, and the list of what is hidden."""
    blocks: dict[Key, set[str]] = {}
    whys: dict[Key, str] = {}
    log: list[Row] = []
    for attribute in dict.fromkeys(row["attribute"] for row in rows):
        own = [row for row in rows if row["attribute"] == attribute]
        chosen, small = _blocks_of_attribute(own, profile)
        for row, shown, is_small in zip(own, chosen, small, strict=True):
            key = attribute, row["group"]
            blocks[key] = shown
            whys[key] = not_shown(profile, noun) if is_small else would_show(profile)
            hidden = [name for block, names in _BLOCKS.items() if block not in shown for name in names]
            if hidden:
                what = f"{', '.join(hidden)} and what is made of them"
                log.append({"where": f"rows, {attribute}: {row['group']}", "what": what, "why": whys[key]})
    return blocks, whys, log


def _blocks_of_attribute(rows: Sequence[Row], profile: Profile) -> tuple[list[set[str]], list[bool]]:
    """For each group the blocks to show, and whether a small count of its own is why there are no more."""
    small = np.zeros(len(rows), dtype=bool)
    hidden: dict[str, np.ndarray] = {}
    for block in _BLOCKS:
        before = np.zeros(len(rows), dtype=bool)
        for needed in _STANDS_ON[block]:
            before = before | hidden[needed]
        hidden[block], protecting = hidden_rows(_counts_of(block, rows), profile, before)
        small |= hidden[block] & ~before & ~protecting
    chosen = [{block for block in _BLOCKS if not hidden[block][place]} for place in range(len(rows))]
    while (place := _found_out(rows, chosen, profile)) is not None:
        # First the rest of the group's own row; then the smallest other one.
        others = sorted((other for other, shown in enumerate(chosen) if shown), key=lambda other: rows[other]["n"])
        if not others:
            break
        hide = chosen[place] or chosen[others[0]]
        hide.discard(next(block for block in reversed(_BLOCKS) if block in hide))
    return chosen, small.tolist()


def _counts_of(block: str, rows: Sequence[Row]) -> np.ndarray:
    """What a block would show of every group, what is left over included."""
    if block == "margins":
        return np.array(
            [[row["positives"], row["fp"] + row["tn"], row["selected"], row["n"] - row["selected"]] for row in rows]
        )
    return np.array([[row[name] for name in _BLOCKS[block]] for row in rows])


def _found_out(rows: Sequence[Row], chosen: Sequence[set[str]], profile: Profile) -> int | None:
    """A group of which a small number could be worked out from all that is published of its attribute; None if none."""
    facts, windows, targets, owners = [], [], [], []
    for place, row in enumerate(rows):
        for name, (block, cells) in _MADE_OF.items():
            line = np.zeros((len(rows), CELLS))
            line[place, list(cells)] = 1
            small, hidden = row[name] < profile.below, block not in chosen[place]
            if not hidden or (small and name == "n"):
                facts.append(line.ravel())
                windows.append(window(row[name], profile))
            if small and hidden:
                targets.append(line.ravel())
                owners.append(place)
    for name, (_, cells) in _MADE_OF.items():
        line = np.zeros((len(rows), CELLS))
        line[:, list(cells)] = 1
        facts.append(line.ravel())
        windows.append(window(sum(row[name] for row in rows), profile))
    found = first_found_out(np.array(facts), windows, np.array(targets), profile) if targets else None
    return None if found is None else owners[found]


# ---------------------------------------------------------------- rows


def _publish_row(row: Row, shown: set[str], why: str, profile: Profile) -> None:
    expected = row["expected"]
    for name, (block, _) in _MADE_OF.items():
        row[name] = published_count(row[name], profile) if block in shown else None
    row["unknown_selected"] = None
    row["expected"] = published_count(round(expected), profile) if "margins" in shown else None
    row["shown"] = "size" in shown
    for metric, found in row["metrics"].items():
        hidden = not _NEEDS[metric] <= shown
        if hidden or found["value"] is None:
            row["metrics"][metric] = {"value": None, "reason": why if hidden else found["reason"]}
        else:
            value = _made_of_rounded(row, expected, metric, found["value"])
            row["metrics"][metric] = _moved(found, value, profile, rate=metric in PROPORTIONS)


def _made_of_rounded(row: Row, expected: float, metric: str, exact: float) -> float:
    """A metric from the counts as published; as it is if it is not made of counts."""
    if metric == "selection_rate":
        return float(row["selected"] / row["n"])
    if metric == "oe_ratio":
        return float(row["positives"] / expected)
    if metric not in PROPORTIONS:
        return exact
    cells = np.zeros(CELLS)
    cells[[TN, FP, FN, TP]] = [row[name] or 0 for name in ("tn", "fp", "fn", "tp")]
    top, bottom = parts(cells, metric)
    return float(top / bottom)


def _moved(found: Row, value: float, profile: Profile, *, rate: bool) -> Row:
    """An estimate at a published value, its interval as wide as the exact one."""
    moved: Row = {"value": round(value, 3)}
    for side in ("low", "high"):
        if found.get(side) is not None:
            end = value + found[side] - found["value"]
            moved[side] = round(min(max(end, 0.0), 1.0 if rate else np.inf), 3)
    if found.get("n") is not None:
        moved["n"] = published_count(found["n"], profile)
    return moved


# ---------------------------------------------------------------- contrasts


def _publish_contrast(
    contrast: Row,
    rows: Mapping[Key, Row],
    blocks: Mapping[Key, set[str]],
    profile: Profile,
) -> list[Row]:
    """Hide a contrast that would show a hidden number, and say so. Intersections have no rows: their cells decide."""
    needed = _NEEDS[contrast["metric"]]
    sides = [blocks.get((contrast["attribute"], contrast[side]), needed) for side in ("group", "reference")]
    smallest = contrast.pop("smallest_cell")
    nothing = contrast["low"] is None
    if all(needed <= shown for shown in sides) and smallest >= profile.below:
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


def _move_contrast(contrast: Row, rows: Mapping[Key, Row]) -> None:
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
        # Too few clusters give a ratio without an interval, and a rate of nought an end of one without a ratio.
        if contrast[side] is not None:
            contrast[side] = round(contrast[side] * (ratio / exact if exact else 1.0), digits)
    contrast["ratio"] = None if ratio is None else round(ratio, digits)
    contrast["gap"] = None if contrast["gap"] is None else round(contrast["gap"], digits)
    if contrast["minimum_detectable"] is not None:
        contrast["minimum_detectable"] = round(contrast["minimum_detectable"], 2)
    for name in ("p", "p_adjusted"):
        if contrast[name] is not None:
            contrast[name] = max(float(f"{contrast[name]:.1g}"), 0.001)


# ---------------------------------------------------------------- shares


def _publish_shares(audit: Row, blocks: Mapping[Key, set[str]], whys: Mapping[Key, str], profile: Profile) -> None:
    """Shares and areas that speak of a hidden group."""
    needed = {"in_cohort": "size", "on_list": "margins", "in_need": "margins"}
    for row in audit["composition"]:
        key = row["attribute"], row["group"]
        for name, block in needed.items():
            row[name] = None if block not in blocks[key] or row[name] is None else round(row[name], 2)
        if "margins" not in blocks[key]:
            row["reason"] = whys[key]
    for row in audit["proxies"]:
        key = row["attribute"], row["group"]
        if "size" not in blocks[key]:
            row |= {"auc_score": None, "flagged": False, "reason": whys[key]}
        elif row["auc_score"] is not None:
            row["auc_score"] = round(row["auc_score"], 2)
    for row in audit["missing"]:
        of_attribute = [shown for (attribute, _), shown in blocks.items() if attribute == row["attribute"]]
        if row["share"] and not all("size" in shown for shown in of_attribute):
            row |= {"share": None, "reason": would_show(profile)}
        if row["bounds"] and not all(shown >= _BOTH for shown in of_attribute):
            row |= {"bounds": None, "reason": would_show(profile)}
        row["share"] = None if row["share"] is None else round(row["share"], 2)
        for bound in row["bounds"] or ():
            bound |= {side: None if bound[side] is None else round(bound[side], 2) for side in ("low", "high")}
