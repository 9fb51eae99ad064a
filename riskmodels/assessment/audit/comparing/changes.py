"""Two audits against each other: what changed between them, and could it be chance?

`changed` compares audits of different people (last year's and this year's), from what each of them says, exact or
published: made of published audits, a comparison shows nothing that they do not. For two lists of the same people (a
champion and a candidate) see `riskmodels.assessment.audit.comparing.list_changes`, which is surer.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from riskmodels.assessment.audit.comparing.change_words import OVER_TIME, changes_in_words
from riskmodels.assessment.audit.comparing.changes_content import KEY, SLOPE, audit_content, question_of
from riskmodels.assessment.audit.contrasts import benjamini_hochberg
from riskmodels.assessment.audit.metrics import PROPORTIONS
from riskmodels.assessment.audit.result import plain
from riskmodels.assessment.intervals import Z
from riskmodels.assessment.run_comparison import compare_groups
from riskmodels.errors import UsageError

Row = dict[str, Any]

BEYOND_CHANCE, MAY_BE_CHANCE, CANNOT_TELL, THE_SAME = "beyond chance", "may be chance", "cannot be told", "the same"
LARGEST_P = 0.05
"""A change is beyond chance if its adjusted p-value is at most this."""

NOT_BOTH = "not shown in both audits, or too few people"
NO_INTERVAL = "a rate of nought has no ratio to compare"
OTHER_LEVEL = "the policies set other levels of confidence"
_ASKED_ALIKE = {
    "purpose": "a list for one purpose fails where a list for another passes",
    "outcome_measures": "need and a service's own decision are not the same outcome",
    "level": "they count different things",
}


@dataclass(frozen=True)
class Changes:
    """What changed between two audits.

    rows: {attribute, group, label, reference, reference_label, metric, against, family, before, after, change, low,
    high, p, p_adjusted, towards, verdict, reason}. ``before`` and ``after`` are {ratio, low, high, verdict}; ``change``
    is the ratio after over the ratio before, of slopes the difference, with its own 95% interval; ``towards``: equal or
    unequal; ``verdict``: beyond chance, may be chance, cannot be told, or the same.

    groups: {attribute, group, label, metric, first, second, difference, verdict}, from `compare_groups`: each group's
    own rates. only_before, only_after: {attribute, label, reference_label, metric} of contrasts in one audit alone.
    notes: what makes the two less alike than a fair comparison asks for.
    """

    rows: tuple[Row, ...]
    groups: tuple[Row, ...]
    only_before: tuple[Row, ...]
    only_after: tuple[Row, ...]
    notes: tuple[str, ...]
    in_words: tuple[str, ...]

    def to_dict(self) -> Row:
        """As plain JSON values; numbers to six significant digits."""
        found: Row = plain(asdict(self))
        return found


def changed(
    earlier: Mapping[str, Any],
    later: Mapping[str, Any],
    *,
    names: tuple[str, str] = ("the earlier audit", "the later audit"),
) -> Changes:
    """Compare two audits of different people, contrast by contrast.

    The change of a log ratio has the standard error sqrt(s1^2 + s2^2), each s being the width of the audit's own
    interval over twice its critical value. Adjusted p-values control the share of false alarms among the contrasts of
    one family (Benjamini, Hochberg 1995). If many people stand in both audits, changes are surer than is said here.

    Parameters
    ----------
    earlier, later : `Audit.to_dict()`, or what `disclosure.publish` made of it
    names : what errors call the two, such as the names of their files

    Raises
    ------
    DataError
        if one of them is not an audit, or its parts do not fit each other.
    UsageError
        if they are of different purposes, outcomes or units of count.
    """
    earlier, later = (audit_content(audit, name) for audit, name in zip((earlier, later), names, strict=True))
    for key, why in _ASKED_ALIKE.items():
        if earlier[key] != later[key]:
            raise UsageError(
                f"{key}: {earlier[key]} in {names[0]}, {later[key]} in {names[1]}; {why}: compare audits that ask alike"
            )
    before, after = (
        {tuple(row[name] for name in KEY): row for row in audit["contrasts"]} for audit in (earlier, later)
    )
    other_level = any("level" in audit.get("widened", ()) for audit in (earlier, later))
    rows = judged(_change(row, after[key], earlier, later, other_level) for key, row in before.items() if key in after)
    titles = {**earlier["titles"], **later["titles"]}
    only_before, only_after = _only_in(before, after), _only_in(after, before)
    notes = _notes(earlier, later)
    groups = compare_groups(earlier["rows"], later["rows"])
    said = changes_in_words(rows, groups, (earlier["rows"], later["rows"]), titles, later, OVER_TIME)
    said += _only_in_words(only_before, titles, "earlier") + _only_in_words(only_after, titles, "later")
    return Changes(rows, groups, only_before, only_after, notes, (*said, *notes))


# ---------------------------------------------------------------- one contrast


def changed_row(contrast: Mapping[str, Any], before: Row, after: Row) -> Row:
    """A row that says nothing yet: which contrast it is, and its two sides."""
    named = {name: contrast[name] for name in (*KEY, "label", "reference_label", "family")}
    nothing = dict.fromkeys(("change", "low", "high", "p", "p_adjusted", "towards", "verdict", "reason"))
    return {**named, "before": before, "after": after, **nothing}


def measured_change(
    row: Row, change: float, se: float, *, critical: float = Z, p: float | None = None, slope: bool = False
) -> Row:
    """The row with its change, given on the log scale (of a slope: on its own), and which way it went."""
    low, high = change - critical * se, change + critical * se
    if not slope:
        low, high = math.exp(low), math.exp(high)
    distances = [
        abs(side["ratio"] - 1) if slope else abs(math.log(side["ratio"])) for side in (row["before"], row["after"])
    ]
    towards = None if distances[0] == distances[1] else "equal" if distances[1] < distances[0] else "unequal"
    return row | {
        "change": change if slope else math.exp(change), "low": low, "high": high, "towards": towards,
        "p": math.erfc(abs(change) / se / math.sqrt(2)) if p is None else p,
    }  # fmt: skip


def judged(rows: Iterable[Row]) -> tuple[Row, ...]:
    """Adjusted p-values within each family, and the verdicts that follow from them."""
    found = [dict(row) for row in rows]
    for family in dict.fromkeys(row["family"] for row in found):
        tested = [row for row in found if row["family"] == family and row["p"] is not None]
        for row, p in zip(tested, benjamini_hochberg([row["p"] for row in tested]), strict=True):
            row["p_adjusted"] = p
    for row in found:
        if row["verdict"] is None:
            p = row["p_adjusted"]
            row["verdict"] = CANNOT_TELL if p is None else BEYOND_CHANCE if p <= LARGEST_P else MAY_BE_CHANCE
    return tuple(found)


def _change(
    before: Mapping[str, Any], after: Mapping[str, Any], earlier: Mapping[str, Any], later: Mapping[str, Any],
    other_level: bool,
) -> Row:  # fmt: skip
    row = changed_row(after, _side(before), _side(after))
    slope = before["metric"] == SLOPE
    sides = (before, after)
    if any(side["low"] is None for side in sides):
        return row | {"reason": NOT_BOTH}
    if any(not side["ratio"] or side["high"] is None or (side["low"] <= 0 and not slope) for side in sides):
        return row | {"reason": NO_INTERVAL}
    if other_level and before["family"] == "exploratory":
        return row | {"reason": OTHER_LEVEL}
    se = math.hypot(*(_standard_error(side, audit, slope) for side, audit in zip(sides, (earlier, later), strict=True)))
    if se == 0:
        return row | {"reason": NO_INTERVAL}
    change = after["ratio"] - before["ratio"] if slope else math.log(after["ratio"] / before["ratio"])
    return measured_change(row, change, se, slope=slope)


def _side(contrast: Mapping[str, Any]) -> Row:
    return {name: contrast[name] for name in ("ratio", "low", "high", "verdict")}


def _standard_error(contrast: Mapping[str, Any], audit: Mapping[str, Any], slope: bool) -> float:
    """From the interval: its width over twice the number of standard errors that it reaches to either side."""
    low, high = contrast["low"], contrast["high"]
    width = high - low if slope else math.log(high) - math.log(low)
    question = question_of(contrast["family"], contrast["against"])
    return width / (2 * (Z if question is None else float(audit["critical_values"][question])))


# ---------------------------------------------------------------- what is not alike


def _only_in(these: Mapping[tuple[Any, ...], Any], those: Mapping[tuple[Any, ...], Any]) -> tuple[Row, ...]:
    names = ("attribute", "label", "reference_label", "metric")
    return tuple({name: row[name] for name in names} for key, row in these.items() if key not in those)


def _only_in_words(rows: Sequence[Row], titles: Mapping[str, str], which: str) -> tuple[str, ...]:
    pairs: dict[str, dict[str, None]] = {}
    for row in rows:
        title = titles.get(row["attribute"], row["attribute"])
        said = f"{row['label']} beside {row['reference_label']}" if row["metric"] in PROPORTIONS else row["label"]
        pairs.setdefault(title, {})[said] = None
    return tuple(f"Only in the {which} audit: {title} ({'; '.join(named)})." for title, named in pairs.items())


def _notes(earlier: Mapping[str, Any], later: Mapping[str, Any]) -> tuple[str, ...]:
    notes = []
    if earlier["policy_sha256"] != later["policy_sha256"]:
        notes.append(
            f"The audits follow different policies ({earlier['policy_name']}, {later['policy_name']}): what counts as "
            "a FAIL may differ between them, and changes of a verdict may be changes of the policy."
        )
    if earlier.get("provisional") or later.get("provisional"):
        notes.append("The verdicts are provisional: the outcome is a service's contact or decision.")
    return tuple(notes)
