"""Disclosure control of groups and of their contrasts: which of their numbers may be shown, and how.

A group's numbers come in blocks, each shown whole or not at all. The rules themselves stand in `suppression`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from riskmodels.assessment.audit.contrasts import ZERO_BOTH, ZERO_REFERENCE
from riskmodels.assessment.audit.counts import CELLS, FN, FP, SELECTED_UNKNOWN, TN, TP, UNSELECTED_UNKNOWN
from riskmodels.assessment.audit.metrics import ALL_CELLS, PROPORTIONS, parts
from riskmodels.assessment.audit.verdicts import FAIL
from riskmodels.assessment.suppression import (
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
BOTH = {"hits", "alarms"}
NEEDS = {
    "selection_rate": {"margins"}, "oe_ratio": {"margins"}, "calibration_slope": {"margins"}, "auc": {"margins"},
    "recall": {"hits"}, "fnr": {"hits"}, "fpr": {"alarms"}, "fdr": BOTH, "for": BOTH, "precision": BOTH,
    "base_rate": BOTH,
}  # fmt: skip
_CONTRAST_NUMBERS = ("ratio", "low", "high", "gap", "p", "p_adjusted", "minimum_detectable")


# ---------------------------------------------------------------- which numbers


def choose(rows: Sequence[Row], profile: Profile, noun: str) -> tuple[dict[Key, set[str]], dict[Key, str], list[Row]]:
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


def publish_row(row: Row, shown: set[str], why: str, profile: Profile) -> None:
    expected = row["expected"]
    for name, (block, _) in _MADE_OF.items():
        row[name] = published_count(row[name], profile) if block in shown else None
    row["unknown_selected"] = None
    row["expected"] = published_count(round(expected), profile) if "margins" in shown and expected is not None else None
    row["shown"] = "size" in shown
    for metric, found in row["metrics"].items():
        hidden = not NEEDS[metric] <= shown
        if hidden or found["value"] is None:
            row["metrics"][metric] = {"value": None, "reason": why if hidden else found["reason"]}
        else:
            value = _made_of_rounded(row, expected, metric, found["value"])
            row["metrics"][metric] = moved(found, value, profile, rate=metric in PROPORTIONS)


def _made_of_rounded(row: Row, expected: float, metric: str, exact: float) -> float:
    """A metric from the counts as published; as it is if it is not made of counts."""
    if metric == "oe_ratio":
        return float(row["positives"] / expected)
    if metric not in PROPORTIONS:
        return exact
    top, bottom = rounded_parts(row, metric)
    return top / bottom


def rounded_parts(row: Row, metric: str) -> tuple[float, float]:
    """Numerator and denominator of a rate, from the counts as published."""
    if metric == "selection_rate":
        return float(row["selected"]), float(row["n"])
    cells = np.zeros(CELLS)
    cells[[TN, FP, FN, TP]] = [row[name] or 0 for name in ("tn", "fp", "fn", "tp")]
    top, bottom = parts(cells, metric)
    return float(top), float(bottom)


def moved(found: Row, value: float, profile: Profile, *, rate: bool) -> Row:
    """An estimate at a published value, its interval as wide as the exact one."""
    there: Row = {"value": round(value, 3)}
    for side in ("low", "high"):
        if found.get(side) is not None:
            end = value + found[side] - found["value"]
            there[side] = round(min(max(end, 0.0), 1.0 if rate else np.inf), 3)
    if found.get("n") is not None:
        there["n"] = published_count(found["n"], profile)
    if found.get("reason") is not None:
        there["reason"] = found["reason"]
    return there


# ---------------------------------------------------------------- contrasts


def publish_contrast(
    contrast: Row,
    rows: Mapping[Key, Row],
    blocks: Mapping[Key, set[str]],
    profile: Profile,
) -> list[Row]:
    """Hide a contrast that would show a hidden number, and say so. Intersections have no rows: their cells decide."""
    needed = NEEDS[contrast["metric"]]
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


def _same_side(end: float, exact: float, edges: Sequence[float]) -> float:
    """An interval's end as published, on the same side of each edge as the exact one: a verdict must agree with it."""
    for edge in sorted(edges):
        if exact < edge <= end:
            return edge - 0.001
    for edge in sorted(edges, reverse=True):
        if end < edge <= exact:
            return edge
    return end


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
            end = round(contrast[side] * (ratio / exact if exact else 1.0), digits)
            contrast[side] = _same_side(end, contrast[side], (*(contrast.get("band") or ()), 1.0))
    contrast["ratio"] = None if ratio is None else round(ratio, digits)
    contrast["gap"] = None if contrast["gap"] is None else round(contrast["gap"], digits)
    if contrast["minimum_detectable"] is not None:
        contrast["minimum_detectable"] = round(contrast["minimum_detectable"], 2)
    for name in ("p", "p_adjusted"):
        if contrast[name] is not None:
            contrast[name] = max(float(f"{contrast[name]:.1g}"), 0.001)
