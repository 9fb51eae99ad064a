"""A decision from what was typed: the options of ``review record`` as the keys that a form has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from riskmodels.errors import UsageError

CONDITION = "reads 'TEXT | OWNER | DUE', as in 'Tell parents in writing | Head of Service | 2027-01-31'"
ANSWER = "reads 'NAME = REASON', as in 'sex: F: recall = A worker looks at each name'"
PARTS = ("text", "owner", "due")


def typed_decision(options: Mapping[str, Any]) -> dict[str, Any]:
    """The decision that the options make, as its form would read; without what was not given.

    Parameters
    ----------
    options : by the keys of a decision; members, lay, specialist, date and minute for what lies in one of its sections

    Raises
    ------
    UsageError
        for a condition or an answer that does not read as it should.
    """
    given = {name: value for name, value in options.items() if value not in (None, [], ())}
    found: dict[str, Any] = {}
    for section, names in (("quorum", ("members", "lay", "specialist")), ("meeting", ("date", "minute"))):
        found[section] = {name: given.pop(name) for name in names if name in given}
    conditions = _conditions(given.pop("conditions", []))
    answers = _answers(given.pop("answers", []))
    found |= given
    return found | ({"conditions": conditions} if conditions else {}) | ({"answers": answers} if answers else {})


def _conditions(texts: Sequence[str]) -> list[dict[str, str]]:
    found = []
    for number, text in enumerate(texts, 1):
        parts = [part.strip() for part in text.split("|")]
        if len(parts) > len(PARTS) or not parts[0]:
            raise UsageError(f"--condition {number}: {CONDITION}")
        if len(parts) == 1 or not parts[1]:
            raise UsageError(f"--condition {number}: names no owner, the role that has to do it; it {CONDITION}")
        found.append({name: part for name, part in zip(PARTS, parts, strict=False) if part})
    return found


def _answers(texts: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for number, text in enumerate(texts, 1):
        name, equals, reason = (part.strip() for part in text.partition("="))
        if not (name and equals and reason):
            raise UsageError(f"--answer {number}: {ANSWER}")
        if name in found:
            raise UsageError(f"--answer {number}: the same name is answered twice; say it once")
        found[name] = reason
    return found
