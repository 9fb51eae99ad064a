"""A comparison of two lists made fit to be shown: what either published audit hides is hidden here too.

Two figures that may each be shown can give a handful of people away by their difference: the few whom the two lists
treat differently. So a change is shown only where nobody, or enough people, are treated differently.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from riskmodels.assessment.audit.comparing.change_words import OF_TWO_LISTS, changes_in_words
from riskmodels.assessment.audit.comparing.changes import CANNOT_TELL
from riskmodels.assessment.audit.comparing.list_changes import ZERO
from riskmodels.assessment.audit.metrics import PROPORTIONS
from riskmodels.assessment.audit.publishing.published_groups import rounded_parts
from riskmodels.assessment.audit.publishing.published_numbers import OF_RATIO, Row, around, difference, rounded_value
from riskmodels.assessment.audit.words import NOUNS
from riskmodels.assessment.suppression import PROFILES, Profile, not_shown, would_show


def publish_list_changes(
    exact: Mapping[str, Any], before: Mapping[str, Any], after: Mapping[str, Any], profile: Profile | str = "sro-10"
) -> Row:
    """A comparison of two lists as it may be shown, said in words: what either published audit hides is hidden here.

    Rates and ratios are those of the published audits; intervals are about as wide as the exact ones. How many people
    the two lists treat differently is not shown, and where they are few, nor is the change that they make.

    Parameters
    ----------
    exact : `ListChanges.to_dict()`
    before, after : the audits of the first and the second list, published
    """
    rules = PROFILES[profile] if isinstance(profile, str) else profile
    noun = NOUNS[exact["level"]]
    sides = [{(row["attribute"], row["group"]): row for row in audit["rows"]} for audit in (before, after)]
    moved = {(row["attribute"], row["group"], row["metric"]): row["moved"] for row in exact["groups"]}

    def rates(row: Mapping[str, Any], name: str) -> list[float | None]:
        return [_rate(side.get((row["attribute"], row[name])), row["metric"]) for side in sides]

    def why_hidden(row: Mapping[str, Any], names: Sequence[str]) -> str | None:
        if any(None in rates(row, name) for name in names):
            return would_show(rules)
        few = any(0 < moved[row["attribute"], row[name], row["metric"]] < rules.below for name in names)
        return not_shown(rules, f"{noun} are treated differently") if few else None

    groups = [_published_group(row, rates(row, "group"), why_hidden(row, ["group"]), rules) for row in exact["groups"]]
    rows = [
        _published_row(
            row, rates(row, "group"), rates(row, "reference"), why_hidden(row, ["group", "reference"]), rules
        )
        for row in exact["rows"]
    ]
    said = changes_in_words(rows, groups, (before["rows"], after["rows"]), exact["titles"], exact, OF_TWO_LISTS)
    return {**exact, "rows": rows, "groups": groups, "in_words": list(said)}


def _rate(row: Mapping[str, Any] | None, metric: str) -> float | None:
    """A group's rate from its counts as published; None where it is not shown."""
    if row is None or metric not in PROPORTIONS or row["metrics"].get(metric, {}).get("value") is None:
        return None
    top, bottom = rounded_parts(dict(row), metric)
    return top / bottom


def _published_group(row: Mapping[str, Any], rates: Sequence[float | None], hidden: str | None, rules: Profile) -> Row:
    shown = {name: part for name, part in row.items() if name != "moved"}
    for name, rate in zip(("first", "second"), rates, strict=True):
        shown[name] = {"value": rounded_value(rate)} if rate is not None else {"value": None, "reason": hidden}
    exact = row["difference"]
    if hidden is not None or exact["value"] is None:
        reason = hidden or exact.get("reason")
        return shown | {"difference": {"value": None, "reason": reason}, "verdict": "not shown"}
    rest = {"reason": exact["reason"]} if "reason" in exact else {}
    change = difference(exact, float(rates[1] or 0) - float(rates[0] or 0), rules, (-1.0, 1.0))
    return shown | {"difference": {**change, **rest}}


def _published_row(
    row: Mapping[str, Any],
    own: Sequence[float | None],
    other: Sequence[float | None],
    hidden: str | None,
    rules: Profile,
) -> Row:
    shown = {name: part for name, part in row.items() if name != "moved"}
    ratios = [
        rate / against if rate is not None and against else None for rate, against in zip(own, other, strict=True)
    ]
    for name, ratio in zip(("before", "after"), ratios, strict=True):
        shown[name] = {"ratio": None if ratio is None else rounded_value(ratio)}
    if hidden is not None or row["change"] is None or None in ratios:
        nothing = dict.fromkeys(("change", "low", "high", "p", "p_adjusted", "towards"))
        return shown | nothing | {"verdict": CANNOT_TELL, "reason": hidden or row["reason"] or ZERO}
    change = float(ratios[1] or 0) / float(ratios[0] or 1)
    if row["low"] is not None and row["high"] is not None:
        shown["low"], shown["high"] = around(
            change, row["low"], row["high"], rules, OF_RATIO, log=True, edges=(1.0,)
        )  # fmt: skip
    for name in ("p", "p_adjusted"):
        shown[name] = None if row[name] is None else max(float(f"{row[name]:.1g}"), 0.001)
    return shown | {"change": rounded_value(change)}
