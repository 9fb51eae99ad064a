"""Disclosure control of groups: which of their numbers may be shown, and how.

A group's numbers come in blocks, each shown whole or not at all. The rules themselves stand in `suppression`. A count
is small if its rows are few, or the people behind them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from riskmodels.assessment.audit.counting.counts import CELLS, FN, FP, SELECTED_UNKNOWN, TN, TP, UNSELECTED_UNKNOWN
from riskmodels.assessment.audit.metrics import ALL_CELLS, PROPORTIONS, bounds, parts
from riskmodels.assessment.audit.publishing.published_numbers import (
    OF_EXPECTED,
    Row,
    around,
    down,
    outward,
    rate_of_counts,
    rounded_value,
    up,
)
from riskmodels.assessment.suppression import (
    Profile,
    first_found_out,
    hidden_rows,
    not_shown,
    published_count,
    rounded,
    window,
    would_show,
)

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
_KNOWN = (TN, FP, FN, TP)
BOTH = {"hits", "alarms"}
NEEDS = {
    "selection_rate": {"margins"}, "oe_ratio": {"margins"}, "calibration_slope": {"margins"}, "auc": {"margins"},
    "recall": {"hits"}, "fnr": {"hits"}, "fpr": {"alarms"}, "fdr": BOTH, "for": BOTH, "precision": BOTH,
    "base_rate": BOTH,
}  # fmt: skip


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


def people(row: Row, name: str) -> int:
    """A count of a row, or of the distinct people behind it if they are fewer: two people on 24 dates are two."""
    return int(min(row[name], row.get("people", row)[name]))


def _blocks_of_attribute(rows: Sequence[Row], profile: Profile) -> tuple[list[set[str]], list[bool]]:
    """For each group the blocks to show, and whether a small count of its own is why there are no more."""
    small = np.zeros(len(rows), dtype=bool)
    hidden: dict[str, np.ndarray] = {}
    for block in _BLOCKS:
        before = np.zeros(len(rows), dtype=bool)
        for needed in _STANDS_ON[block]:
            before = before | hidden[needed]
        few = (_people_of(block, rows) < profile.below).any(axis=1)
        hidden[block], protecting = hidden_rows(_counts_of(block, rows), profile, before | few)
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


def _people_of(block: str, rows: Sequence[Row]) -> np.ndarray:
    """As `_counts_of`, in people. Of those who are left over it is known that there are at least so many."""
    if block != "margins":
        return np.array([[people(row, name) for name in _BLOCKS[block]] for row in rows])
    of = [{name: people(row, name) for name in _MADE_OF} for row in rows]
    return np.array(
        [
            [own["positives"], max(own["fp"], own["tn"]), own["selected"],
             max(own["n"] - own["selected"], own["fn"], own["tn"])]
            for own in of
        ]
    )  # fmt: skip


def _found_out(rows: Sequence[Row], chosen: Sequence[set[str]], profile: Profile) -> int | None:
    """A group of which a small number could be worked out from all that is published of its attribute; None if none.

    Many rows of few people count as found out unless they could as well be few.
    """
    facts, windows, targets, owners = [], [], [], []
    for place, row in enumerate(rows):
        for name, (block, cells) in _MADE_OF.items():
            line = np.zeros((len(rows), CELLS))
            line[place, list(cells)] = 1
            small, hidden = people(row, name) < profile.below, block not in chosen[place]
            # A size says of itself that it is small; and so does a number that is missing in a block that is shown.
            if (not hidden and not small) or (row[name] < profile.below and (name == "n" or not hidden)):
                facts.append(line.ravel())
                windows.append(window(row[name], profile))
            if small and hidden:
                targets.append(line.ravel())
                owners.append(place)
    known = {"known": sum(row["n"] - row["unknown"] for row in rows)}
    for name, cells in {**{name: cells for name, (_, cells) in _MADE_OF.items()}, "known": _KNOWN}.items():
        line = np.zeros((len(rows), CELLS))
        line[:, list(cells)] = 1
        facts.append(line.ravel())
        windows.append(window(known.get(name, sum(row.get(name, 0) for row in rows)), profile))
    found = first_found_out(np.array(facts), windows, np.array(targets), profile) if targets else None
    return None if found is None else owners[found]


# ---------------------------------------------------------------- rows


def publish_row(row: Row, shown: set[str], why: str, profile: Profile) -> None:
    """Round what may be shown, hide the rest, and make every metric from what is left, in place."""
    expected = row["expected"]
    for name, (block, _) in _MADE_OF.items():
        few = people(row, name) < profile.below
        row[name] = published_count(row[name], profile) if block in shown and not few else None
    row.pop("people", None)
    row["unknown_selected"] = None
    row["expected"] = published_count(round(expected), profile) if "margins" in shown and expected is not None else None
    row["shown"] = "size" in shown
    for metric, found in row["metrics"].items():
        hidden = not NEEDS[metric] <= shown
        if hidden or found["value"] is None:
            row["metrics"][metric] = {"value": None, "reason": why if hidden else found["reason"]}
        elif metric in PROPORTIONS:
            row["metrics"][metric] = _rate(row, metric, found)
        else:
            row["metrics"][metric] = _no_rate(row, metric, found, expected, profile)


def _rate(row: Row, metric: str, found: Row) -> Row:
    rate = rate_of_counts(found, *rounded_parts(row, metric))
    if "bounds" in found and row["unknown"] is not None:
        between = _bounds(row, metric)
        if between is not None:
            rate["bounds"] = outward(*between, places=2)
    return rate


def _bounds(row: Row, metric: str) -> tuple[float, float] | None:
    """A rate if all unknown outcomes had turned out at worst and at best, from the counts as published."""
    cells, unknown = _cells(row), row["unknown"]
    if row["tp"] is None or row["fp"] is None:
        # How many of the unknown are on the list cannot be told: each may raise the rate or lower it.
        top, bottom = rounded_parts(row, metric)
        return top / (bottom + unknown), (top + unknown) / (bottom + unknown)
    listed = min(max(row["selected"] - row["tp"] - row["fp"], 0), unknown)
    cells[[UNSELECTED_UNKNOWN, SELECTED_UNKNOWN]] = unknown - listed, listed
    return bounds(cells, metric)


def _no_rate(row: Row, metric: str, found: Row, expected: float, profile: Profile) -> Row:
    """Observed to expected of the counts as published; a slope or an area to two decimals, its interval outward."""
    known = row["n"] - (row["unknown"] or 0)
    low, high = found.get("low"), found.get("high")
    if metric == "oe_ratio":
        foreseen = row["expected"] or max(round(expected), 1)
        value, n = row["positives"] / foreseen, max(row["positives"], foreseen)
        if low is not None and high is not None:
            low, high = around(value, low, high, profile, OF_EXPECTED, log=True)
    else:
        value = found["value"]
        n = known if metric == "auc" else min(row["positives"], known - row["positives"])
        low, high = None if low is None else down(low), None if high is None else up(high)
    there: Row = {"value": rounded_value(value) if metric == "oe_ratio" else round(value, 2)}
    there |= {side: end for side, end in (("low", low), ("high", high)) if end is not None}
    there |= {"n": rounded(n, profile)} if found.get("n") is not None else {}
    return there | ({"reason": found["reason"]} if found.get("reason") is not None else {})


def rounded_parts(row: Row, metric: str) -> tuple[float, float]:
    """Numerator and denominator of a rate, from the counts as published."""
    if metric == "selection_rate":
        return float(row["selected"]), float(row["n"])
    top, bottom = parts(_cells(row), metric)
    return float(top), float(bottom)


def _cells(row: Row) -> np.ndarray:
    cells = np.zeros(CELLS)
    cells[[TN, FP, FN, TP]] = [row[name] or 0 for name in ("tn", "fp", "fn", "tp")]
    return cells
