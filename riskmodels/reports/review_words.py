"""The records of a review in words: a title for each, labelled lines below it, and who did it and why.

To add a kind of record: one function that says it, and one row in `KINDS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from riskmodels.reports.cells import day_text, label
from riskmodels.reports.site_words import STAGES
from riskmodels.reports.visible import visible_text

Row = Mapping[str, Any]
EXAMPLE = "EXAMPLE: "
NOTHING = "none"


@dataclass(frozen=True)
class Said:
    """One record: ``lines`` are (label, texts); ``by`` and ``why`` are empty where nobody is or nothing was said."""

    title: str
    by: str
    why: str
    lines: tuple[tuple[str, tuple[str, ...]], ...]


def said(row: Row) -> Said:
    """A record, as `riskmodels.governance.account.history` gives it, in words. What people wrote stands as it is,
    without the characters that nobody sees."""
    found = KINDS[row["kind"]](row["act"], row)
    title = f"{EXAMPLE}{found.title}" if row["example"] else found.title
    lines = tuple((name, tuple(visible_text(text) for text in texts)) for name, texts in found.lines if texts)
    return Said(visible_text(title), visible_text(found.by), visible_text(found.why), lines)


def condition_state(row: Row) -> str:
    """``OVERDUE since 31 January 2027``; ``open``; ``met on 3 May 2027 (record 4, by the Head of Service)``."""
    if row["state"] == "overdue":
        return f"OVERDUE since {day_text(row['due'])}"
    if row["state"] == "open":
        return "open"
    if row["record"] is None:
        return "met when it was decided"
    return f"met on {day_text(row['met_on'])} (record {row['record']}, by the {visible_text(row['met_by'])})"


# ---------------------------------------------------------------- each kind


def _decision(act: Row, row: Row) -> Said:
    stage, quorum, meeting = STAGES[act["stage"]], act["quorum"], act["meeting"]
    approved = act["owner_decision"] == "approve"
    title = f"Approved {stage}, until {day_text(act['expires'])}" if approved else f"Not approved {stage}"
    reason = act["reason"] or ""
    lines: list[tuple[str, Sequence[str]]] = [
        ("Stands no longer", [f"replaced by record {row['replaced_by']}"] if row.get("replaced_by") else []),
        ("Advice of the committee", [act["advice"]]),
        ("Decided by", [f"{act['owner_role']}: {act['owner_decision']}"]),
        (
            "Departs from the advice" if row["departs_from_advice"] else "Reason given",
            [reason] if reason else [],
        ),
        ("Meeting", [f"{day_text(meeting['date'])}, minute {meeting['minute']}"]),
        ("Quorum", [f"{quorum['members']} members, {quorum['lay']} lay, {quorum['specialist']} specialist"]),
        ("Conditions", [_condition(number, one) for number, one in enumerate(act["conditions"], 1)] or [NOTHING]),
        ("Dissent", act["dissent"] or [NOTHING]),
        ("Conflicts of interest", act["conflicts_of_interest"] or [NOTHING]),
        ("Answers to the audit", [_answer(name, answer) for name, answer in act["answers"].items()]),
        ("Trained by", [act["trained_by_role"]]),
        ("Approved by", [act["approved_by_role"]]),
    ]
    return Said(title, act["owner_role"], reason, tuple((name, tuple(texts)) for name, texts in lines))


def _condition(number: int, condition: Row) -> str:
    due = f", by {day_text(condition['due'])}" if condition["due"] else ""
    met = f"; met: {condition['evidence']}" if condition["status"] == "met" else ""
    return f"Condition {number}: {condition['text']} ({condition['owner']}{due}{met})"


def _answer(name: str, answer: Row) -> str:
    return f"{label(name)}: {answer['reason']} (until {day_text(answer['expires'])})"


def _withdrawal(act: Row, row: Row) -> Said:
    lines = [("Reason given", act["reason"]), ("Decided by", act["owner_role"])]
    lines += [(name, act[key]) for name, key in (("Minute", "minute"), ("Instead", "instead")) if act[key]]
    return Said("Its use was stopped", act["owner_role"], act["reason"], _each(lines))


def _promotion(act: Row, row: Row) -> Said:
    again = " again" if act["rollback"] else ""
    title = f"Version {act['version']} became champion{again}, {STAGES[act['stage']]}"
    lines = [("By", act["by_role"]), *([("Reason given", act["reason"])] if act["reason"] else [])]
    return Said(title, act["by_role"], act["reason"] or "", _each(lines))


def _evidence(act: Row, row: Row) -> Said:
    title = f"Condition {act['condition']} of record {act['decision']} was met"
    return Said(title, act["by_role"], act["evidence"], _each([("Evidence", act["evidence"]), ("By", act["by_role"])]))


def _purge(act: Row, row: Row) -> Said:
    count, by = len(act["files"]), act["by_role"] or ""
    what = label(act["artefact"]).lower()
    title = f"{count} {'file was' if count == 1 else 'files were'} deleted: {what}"
    why = f"kept for {act['kept_for']}, due on {day_text(act['due'])}"
    files = tuple(f"{file['path']} ({file['bytes']:,} bytes)" for file in act["files"])
    return Said(title, by, why, (("Why", (why,)), *([("By", (by,))] if by else []), ("Files", files)))


def _each(lines: Sequence[tuple[str, str]]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple((name, (text,)) for name, text in lines)


KINDS: dict[str, Callable[[Row, Row], Said]] = {
    "decision": _decision,
    "withdrawal": _withdrawal,
    "promotion": _promotion,
    "evidence": _evidence,
    "purge": _purge,
}
