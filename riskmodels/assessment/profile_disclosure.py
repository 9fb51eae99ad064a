"""Disclosure control: the quality profile of the data made fit to be shown.

Counts below the profile's limit are hidden and the others rounded; rates are made of the rounded counts; a group that
could be found by subtraction is hidden with the small one (`riskmodels.assessment.suppression`). None at all is shown
only where it is so for every group, such as a column that is never missing: that says nothing of anybody. Whether a gap
is a concern is decided on the exact counts, as the audit's verdicts are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np

from riskmodels.assessment.intervals import wilson
from riskmodels.assessment.suppression import PROFILES, Profile, hidden_rows, not_shown, published_count, would_show
from riskmodels.data.attrition import standardised_difference
from riskmodels.data.group_names import NOT_RECORDED

Row = dict[str, Any]
Log = list[dict[str, str]]
WIDE_GAP = 0.10  # of linkage: a tenth of a group of whom a source says nothing, while it speaks of the others
NOTABLE_GAP = 0.05  # of missing values
NOT_COUNTS = ("as_of_date", "step", "recording_lag_days_95")
MORE_THAN_NONE = ("known", "events", "remaining", "rows", "entities")


def publish_profile(
    profile: Mapping[str, Any], rules: Profile | str = "sro-10"
) -> tuple[dict[str, Any], tuple[dict[str, str], ...]]:
    """A profile as it may be shown, and a list of where something was hidden, {where, what, why}.

    Parameters
    ----------
    profile : `riskmodels.data.profile.Profile.to_dict()`; one that was published before passes unchanged

    Returns
    -------
    the same keys. Rows with a part have ``share`` and, where groups are compared, ``low``, ``high``, ``gap``,
    ``gap_low``, ``gap_high`` and ``concern`` beside it; a number that is not shown is None, with its ``reason``.
    """
    if "disclosure" in profile:
        return dict(profile), ()
    rules = PROFILES[rules] if isinstance(rules, str) else rules
    log: Log = []

    def apart(name: str, keys: Sequence[str], part: str, widest: float) -> list[Row]:
        return [
            row
            for rows in _tables(profile[name], keys)
            for row in published_groups(rows, part, rules, widest, log, f"{name}, {_said(rows[0], keys)}")
        ]

    def alone(name: str, part: str) -> list[Row]:
        return [_share(row, part, rules, log, f"{name}, {_said(row, list(row)[:2])}") for row in profile[name]]

    published = {
        **profile,
        "quality": published_counts(profile["quality"], rules, log, "quality"),
        "attrition": published_counts(profile["attrition"], rules, log, "attrition"),
        "attrition_differences": published_differences(profile["attrition_differences"], rules, log),
        "outcome_status": published_counts(profile["outcome_status"], rules, log, "outcome_status"),
        "outcome_by_group": apart("outcome_by_group", ["attribute"], "unobserved", NOTABLE_GAP),
        "enough": _enough(profile["enough"], rules),
        "feature_missing": alone("feature_missing", "missing"),
        "feature_missing_by_group": apart("feature_missing_by_group", ["feature", "attribute"], "missing", NOTABLE_GAP),
        "column_missing": alone("column_missing", "missing"),
        "recording_lag": [_lag(row, rules) for row in profile["recording_lag"]],
        "facts_by_month": _months(profile["facts_by_month"], rules),
        "linkage": apart("linkage", ["source", "attribute"], "covered", WIDE_GAP),
        "linkage_by_date": alone("linkage_by_date", "covered"),
        "disclosure": {"profile": rules.name, "below": rules.below, "rounded_to": rules.base},
    }
    return published, tuple(log)


# ---------------------------------------------------------------- groups beside each other


def published_groups(
    rows: Sequence[Mapping[str, Any]], part: str, rules: Profile, widest: float, log: Log, where: str
) -> list[Row]:
    """The groups of one characteristic: how many of each have what ``part`` counts.

    ``concern`` says which way a group lies, ``lower`` or ``higher``, where its gap to the reference is at least
    ``widest`` and more than chance, whether or not its numbers are shown. Of groups too small to be shown at all, and
    of "not recorded", nothing is said.
    """
    counts = np.array([[row[part], row["n"] - row[part]] for row in rows])
    no_size, _ = hidden_rows(counts.sum(axis=1, keepdims=True), rules)
    # What none has, or all have, is no secret of anybody: it leaves the sizes of the groups to be shown.
    telling = counts[:, counts.sum(axis=0) > 0]
    hidden, _ = hidden_rows(telling, rules, no_size)
    small = np.asarray((telling < rules.below).any(axis=1))
    reference = next((place for place, row in enumerate(rows) if row.get("reference")), None)
    published = []
    for place, row in enumerate(rows):
        size = None if no_size[place] else published_count(row["n"], rules)
        line: Row = {**row, "n": size, "share": None, "low": None, "high": None}
        line |= dict.fromkeys(("gap", "gap_low", "gap_high", "concern", "reason"))
        if hidden[place]:
            line |= {part: None, "reason": not_shown(rules) if small[place] else would_show(rules)}
            log.append({"where": f"profile: {where}: {row['group']}", "what": "count and share", "why": line["reason"]})
        else:
            line |= _rate(row[part], row["n"], rules, part)
        published.append(line)
    if reference is not None:
        for place, line in enumerate(published):
            if place != reference:
                _set_gap(line, published[reference], rows[place], rows[reference], part, rules, widest)
    return published


def _rate(count: int, n: int, rules: Profile, part: str) -> Row:
    """A share of the rounded counts with its 95% interval (Wilson 1927): the exact one's width would give them away."""
    shown, size = published_count(count, rules) if count else 0, published_count(n, rules)
    assert shown is not None
    assert size is not None
    share = min(shown / size, 1.0)
    low, high = (round(end, 3) for end in wilson(share, size))
    return {part: min(shown, size), "share": round(share, 3), "low": low, "high": high}


def _set_gap(
    line: Row,
    other: Row,
    row: Mapping[str, Any],
    reference: Mapping[str, Any],
    part: str,
    rules: Profile,
    widest: float,
) -> None:
    if min(row["n"], reference["n"]) < rules.below or row["group"] == NOT_RECORDED:
        return
    gap, low, high = difference(row[part], row["n"], reference[part], reference["n"])
    if abs(gap) >= widest and (low > 0 or high < 0):
        line["concern"] = "lower" if gap < 0 else "higher"
    if line["share"] is not None and other["share"] is not None:
        moved = line["share"] - other["share"]
        line["gap"] = round(moved, 3) + 0.0
        line["gap_low"], line["gap_high"] = (round(moved + end - gap, 3) for end in (low, high))


def difference(hits: int, n: int, other_hits: int, other_n: int) -> tuple[float, float, float]:
    """The difference of two shares with its 95% interval. Source: Newcombe 1998, method 10."""
    one, other = hits / n, other_hits / other_n
    (low, high), (other_low, other_high) = wilson(one, n), wilson(other, other_n)
    gap = one - other
    return gap, gap - math.hypot(one - low, other_high - other), gap + math.hypot(high - one, other - other_low)


# ---------------------------------------------------------------- who was left out


def published_differences(rows: Sequence[Mapping[str, Any]], rules: Profile, log: Log) -> list[Row]:
    """`riskmodels.data.attrition.attrition_differences` as it may be shown: of 100 left out and of 100 kept."""
    published = []
    for table in _tables(rows, ["as_of_date", "step", "attribute"]):
        counts = np.array([[row["dropped"], row["kept"]] for row in table])
        totals = counts.sum(axis=0)
        hidden, protecting = hidden_rows(counts, rules)
        for place, row in enumerate(table):
            line: Row = {**row, "dropped": None, "kept": None, "dropped_share": None, "kept_share": None}
            line |= {"standardised_difference": None, "reason": None}
            if hidden[place]:
                line["reason"] = would_show(rules) if protecting[place] else not_shown(rules)
                where = f"profile: attrition_differences, {_said(row, ['as_of_date', 'words', 'attribute', 'group'])}"
                log.append({"where": where, "what": "counts and shares", "why": line["reason"]})
            else:
                for column, name in enumerate(("dropped", "kept")):
                    line[name] = published_count(row[name], rules)
                    line[f"{name}_share"] = round(min(line[name] / published_count(int(totals[column]), rules), 1.0), 3)
                found = standardised_difference(line["dropped_share"], line["kept_share"])
                line["standardised_difference"] = None if found is None else round(found, 2) + 0.0
            published.append(line)
    return published


# ---------------------------------------------------------------- one row at a time


def published_counts(rows: Iterable[Mapping[str, Any]], rules: Profile, log: Log, where: str) -> list[Row]:
    """Rows of counts. None at all is shown where it tells of nobody, as where nobody was left out or left early."""
    published = []
    for row in rows:
        line = dict(row)
        for name, value in row.items():
            if not isinstance(value, int) or isinstance(value, bool) or name in NOT_COUNTS:
                continue
            line[name] = 0 if value == 0 and name not in MORE_THAN_NONE else published_count(value, rules)
            if line[name] is None:
                said = _said(row, [key for key in ("source", "as_of_date", "step") if key in row])
                log.append({"where": f"profile: {where}, {said}: {name}", "what": "count", "why": not_shown(rules)})
        published.append(line)
    return published


def _share(row: Mapping[str, Any], part: str, rules: Profile, log: Log, where: str) -> Row:
    """A part of one whole that stands by itself. None of it, or all, is a property of the column or the source."""
    count, n = row[part], row["n"]
    line: Row = {**row, "n": published_count(n, rules), part: None, "share": None, "reason": None}
    if line["n"] is not None and all(rest == 0 or rest >= rules.below for rest in (count, n - count)):
        found = _rate(count, n, rules, part)
        return line | {part: found[part], "share": 1.0 if count == n else found["share"]}
    line["reason"] = not_shown(rules)
    log.append({"where": f"profile: {where}", "what": "count and share", "why": line["reason"]})
    return line


def _lag(row: Mapping[str, Any], rules: Profile) -> Row:
    line = dict(row)
    if row["people"] < rules.below:
        line |= {"n": None, "median": None, "most": None, "reason": not_shown(rules)}
    else:
        line |= {"n": published_count(row["n"], rules), "reason": None}
        if not row["known_date_recorded"]:
            line["reason"] = "unknown: the source names no date on which a fact became known"
    undated = row["undated"]
    line["undated"] = undated if not undated else published_count(undated, rules)
    line["undated_share"] = None
    if undated is not None and line["n"] is not None and (undated == 0 or line["undated"] is not None):
        line["undated_share"] = round((line["undated"] or 0) / (line["n"] + (line["undated"] or 0)), 3)
    del line["people"]
    return line


def _months(rows: Sequence[Mapping[str, Any]], rules: Profile) -> list[Row]:
    """Facts of a month only where enough people stand behind them; a kind that is never shown is not named either."""
    published, key = [], lambda row: (row["source"], row["kind"])
    for _, found in _grouped(rows, key):
        lines = [{name: row[name] for name in ("source", "kind", "month", "facts")} for row in found]
        for line, row in zip(lines, found, strict=True):
            enough = row["people"] >= rules.below
            line["facts"] = published_count(row["facts"], rules) if enough else None
        if any(line["facts"] is not None for line in lines):
            published += lines
    return published


def _enough(row: Mapping[str, Any], rules: Profile) -> Row:
    """Events for each candidate column, against the simple floor. Decided on the exact counts."""
    events = published_count(row["events"], rules)
    each = None if events is None or not row["columns"] else round(events / row["columns"], 1)
    return {
        "rows": published_count(row["rows"], rules), "events": events, "people": published_count(row["people"], rules),
        "columns": row["columns"], "events_for_each_column": each, "floor": row["floor"],
        "enough": row["events"] >= row["floor"] * row["columns"],
    }  # fmt: skip


# ---------------------------------------------------------------- tables in one list


def _tables(rows: Sequence[Mapping[str, Any]], keys: Sequence[str]) -> list[list[Mapping[str, Any]]]:
    """Rows that make one table: those that agree in ``keys``, in the order in which they first come."""
    return [list(found) for _, found in _grouped(rows, lambda row: tuple(row[key] for key in keys))]


def _grouped(
    rows: Sequence[Mapping[str, Any]], key: Callable[[Mapping[str, Any]], Any]
) -> list[tuple[Any, list[Mapping[str, Any]]]]:
    return [(value, list(found)) for value, found in groupby(rows, key)]


def _said(row: Mapping[str, Any], keys: Sequence[str]) -> str:
    return ", ".join(str(row[key]) for key in keys if row.get(key) is not None) or "everybody"
