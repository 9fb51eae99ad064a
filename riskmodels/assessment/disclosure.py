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


def hidden_rows(counts: np.ndarray, profile: Profile, already: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
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
        counted = (counts >= 0).any(axis=0)
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
    tiers, log = _tiers(published["rows"], published["n"], profile)
    crossed = _crossed_tiers(published, profile, tiers)
    for name in ("n", "known", "units"):
        published[name] = published_count(published[name], profile)
    for row in published["rows"]:
        _hide_in_row(row, tiers[row["attribute"], row["group"]], profile, noun)
    for contrast in published["contrasts"]:
        reach = _reach(contrast, tiers, crossed)
        if reach < _TIER_OF[contrast["metric"]]:
            contrast |= dict.fromkeys(_CONTRAST_NUMBERS)
            contrast["worse_off"] = contrast["worse_off"] if contrast["verdict"] == "FAIL" else None
            contrast["reason"] = contrast["reason"] or not_shown(profile, noun)
            where = f"{contrast['attribute']}: {contrast['group']}: {contrast['metric']} against {contrast['reference']}"
            log.append({"where": f"contrasts, {where}", "what": "ratio", "why": "it would show a hidden number"})
    _hide_elsewhere(published, tiers, profile, noun)
    published["in_words"] = list(
        in_words(
            published["rows"], published["contrasts"], published["titles"], purpose=published["purpose"],
            measures=published["outcome_measures"], noun=noun, judged=published["judged"],
            provisional=published["provisional"],
        )
    )  # fmt: skip
    published["disclosure"] = {"profile": profile.name, "below": profile.below, "rounded_to": profile.base}
    return published, tuple(log)
