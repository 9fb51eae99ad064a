"""Disclosure control: what may leave the owner's hands.

A profile hides small counts and rounds the others. Hiding one number is not enough where it can be found by subtracting
the others from a total, so a second one is hidden with it (complementary suppression). `publish` does this to an audit;
what was hidden, and why, is a list: never a number.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from riskmodels.assessment.audit_contrasts import ZERO_BOTH, ZERO_REFERENCE
from riskmodels.assessment.audit_verdicts import FAIL
from riskmodels.assessment.audit_words import NOUNS, in_words

Row = dict[str, Any]


@dataclass(frozen=True)
class Profile:
    """``below``: counts under this are hidden; ``base``: others are rounded to a multiple of it."""

    name: str
    below: int
    base: int


# To add a profile: one row here, its name in study.yaml's `disclosure`, one test.
PROFILES = {"sro-10": Profile("sro-10", below=10, base=5)}


# ---------------------------------------------------------------- one number


def published_count(count: int, profile: Profile) -> int | None:
    """The count to the nearest multiple of the base (halves up); None where it must not be shown, zero included."""
    return None if count < profile.below else (2 * count + profile.base) // (2 * profile.base) * profile.base


def not_shown(profile: Profile, noun: str = "people") -> str:
    return f"not shown (fewer than {profile.below} {noun})"


def count_in_words(count: int, profile: Profile, noun: str = "people") -> str:
    shown = published_count(count, profile)
    return not_shown(profile, noun) if shown is None else f"about {shown:,} {noun}"


# ---------------------------------------------------------------- a table whose totals are known


def hidden_rows(
    counts: np.ndarray, profile: Profile, already: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Which rows of a table to hide when everybody knows the total of each column.

    First every row with a small count, and those ``already`` hidden. Then, while they could be found by subtraction (a
    single row, or rows that add up to a small count), the smallest of the others.

    Parameters
    ----------
    counts : (R, C) counts; a column of a row that may be shown when it is 0 holds -1 there
    already : (R,) bool

    Returns
    -------
    (R,) bool hidden, and (R,) bool hidden only to protect others
    """
    small = ((counts >= 0) & (counts < profile.below)).any(axis=1)
    hidden = small if already is None else small | already
    primary = hidden.copy()
    sizes = np.maximum(counts, 0).sum(axis=1)
    while hidden.any() and not hidden.all():
        sums = np.maximum(counts[hidden], 0).sum(axis=0)
        counted = (counts[hidden] >= 0).any(axis=0)
        if hidden.sum() > 1 and (sums[counted] >= profile.below).all():
            break
        rest = np.flatnonzero(~hidden)
        hidden[rest[np.argmin(sizes[rest])]] = True
    return hidden, hidden & ~primary


def complementary(counts: Sequence[int], profile: Profile) -> list[bool]:
    """Which of the counts to hide when their total is known. See `hidden_rows`."""
    return hidden_rows(np.asarray(counts, dtype=np.int64).reshape(-1, 1), profile)[0].tolist()


# ---------------------------------------------------------------- an audit


# What a reader learns from each tier of a group's row. A number is shown only if its whole tier is.
_TIERS = (("n",), ("positives", "selected", "unknown", "expected"), ("tp", "fp", "fn", "tn", "unknown_selected"))
_SIZE, _MARGINS, _CELLS = 1, 2, 3
_TIER_OF = {
    "selection_rate": _MARGINS, "base_rate": _MARGINS, "oe_ratio": _MARGINS, "calibration_slope": _MARGINS,
    "auc": _MARGINS, "recall": _CELLS, "fnr": _CELLS, "fpr": _CELLS, "fdr": _CELLS, "for": _CELLS, "precision": _CELLS,
}  # fmt: skip
_CONTRAST_NUMBERS = ("ratio", "low", "high", "gap", "p", "p_adjusted", "minimum_detectable")


def publish(audit: Mapping[str, Any], profile: Profile) -> tuple[Row, tuple[Row, ...]]:
    """An exact audit as it may be shown, and the list of what was hidden.

    Each group's numbers come in three tiers: its size; how many had the outcome, were selected, are not known; how these
    cross. A tier is shown only if none of its counts, nor what is left over, is small, and only if no hidden group can
    then be found by subtracting the others from the whole. Verdicts and reasons stay: they carry no counts.

    Parameters
    ----------
    audit : `Audit.to_dict()`

    Returns
    -------
    the published audit, with ``disclosure`` naming the profile; and rows {where, what, why}
    """
    published: Row = copy.deepcopy(dict(audit))
    noun = NOUNS[published["level"]]
    tiers, log = _tiers(published["rows"], profile)
    for name in ("n", "known", "units"):
        published[name] = published_count(published[name], profile)
    for row in published["rows"]:
        _hide_in_row(row, tiers[row["attribute"], row["group"]], profile, noun)
    for contrast in published["contrasts"]:
        log += _hide_in_contrast(contrast, tiers, profile, noun)
    _hide_elsewhere(published, tiers, profile, noun)
    words = {name: published[name] for name in ("purpose", "judged", "provisional")}
    published["in_words"] = list(
        in_words(
            published["rows"], published["contrasts"], published["titles"], noun=noun,
            measures=published["outcome_measures"], **words,
        )
    )  # fmt: skip
    published["disclosure"] = {"profile": profile.name, "below": profile.below, "rounded_to": profile.base}
    return published, tuple(log)


def _tiers(rows: Sequence[Row], profile: Profile) -> tuple[dict[tuple[str, str], int], list[Row]]:
    """The last tier of each group that may be shown (0: none), and what is hidden of it and why."""
    tiers: dict[tuple[str, str], int] = {}
    log: list[Row] = []
    for attribute in dict.fromkeys(row["attribute"] for row in rows):
        own = [row for row in rows if row["attribute"] == attribute]
        shown = np.zeros(len(own), dtype=np.int64)
        hidden = np.zeros(len(own), dtype=bool)
        for tier, counts in enumerate(_counts_by_tier(own), start=1):
            before = hidden
            hidden, protecting = hidden_rows(counts, profile, before)
            shown[~hidden] = tier
            for place in np.flatnonzero(hidden & ~before):
                why = (
                    "so that no hidden number can be found by subtraction" if protecting[place] else not_shown(profile)
                )
                what = ", ".join(name for part in _TIERS[tier - 1 :] for name in part) + " and the rates made of them"
                log.append({"where": f"rows, {attribute}: {own[place]['group']}", "what": what, "why": why})
        tiers |= {(attribute, row["group"]): int(tier) for row, tier in zip(own, shown, strict=True)}
    return tiers, log


def _counts_by_tier(rows: Sequence[Row]) -> tuple[np.ndarray, ...]:
    """What each tier would show of every group, complements included. No unknown outcome at all is no secret: -1."""

    def secret(count: int) -> int:
        return count if count else -1

    size = [[row["n"]] for row in rows]
    margins = [
        [
            row["positives"], row["n"] - row["unknown"] - row["positives"], row["selected"], row["n"] - row["selected"],
            secret(row["unknown"]),
        ]
        for row in rows
    ]  # fmt: skip
    cells = [
        [
            row["tp"], row["fp"], row["fn"], row["tn"],
            secret(row["unknown_selected"]), secret(row["unknown"] - row["unknown_selected"]),
        ]
        for row in rows
    ]  # fmt: skip
    return np.array(size), np.array(margins), np.array(cells)


def _hide_in_row(row: Row, tier: int, profile: Profile, noun: str) -> None:
    for place, names in enumerate(_TIERS, start=1):
        for name in names:
            row[name] = None if place > tier else published_count(round(row[name]), profile)
    for metric, found in row["metrics"].items():
        if tier < _TIER_OF[metric]:
            row["metrics"][metric] = {"value": None, "reason": not_shown(profile, noun)}
            continue
        row["metrics"][metric] = _rounded(found, ("value", "low", "high", "bounds"))
        if "n" in found:
            row["metrics"][metric]["n"] = published_count(found["n"], profile)
    row["shown"] = tier >= _SIZE


def _hide_in_contrast(contrast: Row, tiers: Mapping[tuple[str, str], int], profile: Profile, noun: str) -> list[Row]:
    """Hide a contrast that would show a hidden number, and say so. Intersections have no rows: their own cells decide."""
    sides = [tiers.get((contrast["attribute"], contrast[side]), _CELLS) for side in ("group", "reference")]
    smallest = contrast.pop("smallest_cell")
    if min(sides) >= _TIER_OF[contrast["metric"]] and smallest is not None and smallest >= profile.below:
        contrast |= _rounded(contrast, ("ratio", "low", "high", "gap", "minimum_detectable"))
        return []
    nothing_to_hide = contrast["low"] is None and contrast["ratio"] is None
    contrast |= dict.fromkeys(_CONTRAST_NUMBERS)
    if contrast["verdict"] != FAIL:
        contrast["worse_off"] = None
    if contrast["reason"] in (None, ZERO_REFERENCE, ZERO_BOTH):
        contrast["reason"] = not_shown(profile, noun)
    where = f"{contrast['attribute']}: {contrast['group']}: {contrast['metric']} against {contrast['reference']}"
    hidden = {"where": f"contrasts, {where}", "what": "the ratio", "why": "it would show a hidden number"}
    return [] if nothing_to_hide else [hidden]


def _hide_elsewhere(audit: Row, tiers: Mapping[tuple[str, str], int], profile: Profile, noun: str) -> None:
    """Shares and areas that speak of a hidden group."""
    reason = {"reason": not_shown(profile, noun)}
    for row in audit["composition"]:
        tier = tiers[row["attribute"], row["group"]]
        needed = {"in_cohort": _SIZE, "on_list": _MARGINS, "in_need": _MARGINS}
        row |= {name: None for name, least in needed.items() if tier < least}
        row |= _rounded(row, tuple(needed)) | ({} if tier >= _MARGINS else reason)
    for row in audit["proxies"]:
        if tiers[row["attribute"], row["group"]] < _SIZE:
            row |= {"auc_score": None, "flagged": False} | reason
        else:
            row |= _rounded(row, ("auc_score",))
    for row in audit["missing"]:
        of_attribute = [tier for (attribute, _), tier in tiers.items() if attribute == row["attribute"]]
        if row["share"] and min(of_attribute) < _SIZE:
            row |= {"share": None} | reason
        row["share"] = None if row["share"] is None else round(row["share"], 3)
        if row["bounds"] and min(of_attribute) < _CELLS:
            row |= {"bounds": None} | reason
        row["bounds"] = [_rounded(bound, ("low", "high")) for bound in row["bounds"]] if row["bounds"] else None


def _rounded(row: Mapping[str, Any], names: Sequence[str]) -> Row:
    """A copy with the named rates to three decimals, so that they do not undo the rounding of counts."""

    def less(value: Any) -> Any:
        return [less(part) for part in value] if isinstance(value, list) else value and round(value, 3)

    return {key: less(value) if key in names else value for key, value in row.items()}
