"""What must be answered by name before anybody may decide: one list, short enough to be worked through."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from riskmodels.assessment.audit.verdicts import FAIL, INSUFFICIENT, LOOK_HERE, NOT_AUDITED
from riskmodels.assessment.audit.words import failures, question_of, titled

Row = Mapping[str, Any]

HEADING = "To be answered by name before a decision"
MOST_NAMES = 6
"""So many groups are named; of more, all but the first few are counted."""


def to_be_answered(audit: Row, titles: Mapping[str, str]) -> tuple[str, ...]:
    """Each FAIL, then what was left out without a reason, what has too little evidence, and gaps that are flagged.

    Parameters
    ----------
    audit : published
    titles : attribute -> its name in words
    """
    contrasts: Sequence[Row] = audit["contrasts"]
    unaccepted = [str(row["attribute"]) for row in audit["not_audited"] if not row["accepted"]]
    open_ = [row for row in contrasts if row["family"] == "primary" and row["verdict"] == INSUFFICIENT]
    flagged = [row for row in contrasts if row["family"] == "exploratory" and row["verdict"] == LOOK_HERE]
    return (
        *(f"{FAIL}. {_group(row, titles)}, {question_of(row['metric'])}." for row in failures(contrasts)),
        *([f"{NOT_AUDITED}. {_listed(unaccepted)}."] if unaccepted else []),
        *(f"{INSUFFICIENT}. {line}" for line in _by_characteristic(open_, titles, "comparison")),
        *(f"Flagged gap. {line}" for line in _by_characteristic(flagged, titles, "gap")),
    )


def _group(row: Row, titles: Mapping[str, str]) -> str:
    """The group with the side it is compared with, where that is the one worse off."""
    named = row["worse_off"] or row["label"]
    if named == row["label"]:
        return f"{titled(titles, row['attribute'])}: {named}"
    return f"{titled(titles, row['attribute'])}: {named}, beside {row['label']}"


def _by_characteristic(rows: Sequence[Row], titles: Mapping[str, str], one: str) -> list[str]:
    groups: dict[str, list[str]] = {}
    for row in rows:
        groups.setdefault(row["attribute"], []).append(str(row["label"]))
    return [
        f"{titled(titles, attribute)}, {len(labels)} {one}{'' if len(labels) == 1 else 's'}: {_listed(labels)}."
        for attribute, labels in groups.items()
    ]


def _listed(labels: Iterable[str]) -> str:
    names = list(dict.fromkeys(labels))
    if len(names) > MOST_NAMES:
        kept = names[: MOST_NAMES - 2]
        return f"{', '.join(kept)} and {len(names) - len(kept)} others"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
