"""What an audit does not show, in words: a line for each characteristic, not one for each number."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from riskmodels.reports.audit_words import title_of
from riskmodels.reports.comparison_words import listing

Row = Mapping[str, Any]

# Where a number stands in the audit -> what it is. As the log of `publish` has it: "sweep, ethnicity: Asian".
WHAT = {
    "rows": "counts and rates",
    "contrasts": "comparisons",
    "sweep": "rates with other numbers of places",
    "curves": "points of a curve",
    "pooled": "pooled rates",
}
ELSEWHERE = "other numbers"
AFTER = "after_exclusions: "
MOST_GROUPS = 4
_WHERE = re.compile(r"(?P<table>\w+), (?P<attribute>[^:]+?)(?:: (?P<group>.+?)(?:: .+)?)?")


def hidden_lines(found: Row, hidden: Sequence[Row]) -> list[list[str]]:
    """Characteristic, what is not shown and of which groups, and why.

    Parameters
    ----------
    hidden : the log of `riskmodels.assessment.audit.publishing.disclosure.publish`: {where, what, why}
    """
    told: dict[str, dict[str, dict[str, None]]] = {}
    whys: dict[str, dict[str, None]] = {}
    for row in hidden:
        attribute, what, group = _read(found, str(row["where"]))
        why = re.sub(r"^not shown \((.*)\)$", r"\1", str(row["why"]))
        whys.setdefault(attribute, {})[why] = None
        groups = told.setdefault(attribute, {}).setdefault(what, {})
        if group:
            groups[group] = None
    return [
        [attribute, "; ".join(_of(what, list(groups)) for what, groups in kinds.items()), "; ".join(whys[attribute])]
        for attribute, kinds in told.items()
    ]


def _read(found: Row, where: str) -> tuple[str, str, str]:
    """Characteristic, what, and group. A comparison's group stands before its metric."""
    after = where.startswith(AFTER)
    read = _WHERE.fullmatch(where.removeprefix(AFTER))
    if read is None:
        return "Others", ELSEWHERE, ""
    what = WHAT.get(read["table"], ELSEWHERE)
    if read["table"] == "excluded":
        what = "the share that is taken out"
    elif after:
        what += " after the service's rules"
    return title_of(found, read["attribute"]), what, read["group"] or ""


def _of(what: str, groups: Sequence[str]) -> str:
    if not groups:
        return what
    if len(groups) > MOST_GROUPS:
        return f"{what} of {len(groups)} groups"
    return f"{what} of {listing(list(groups))}"
