"""What people say that changed: answers, the twenty questions, and the register with its agreements."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from riskmodels.cards.card import Cell, Table
from riskmodels.cards.change.speech import NOW, THEN, Card, date_of, quote, some, table
from riskmodels.cards.change.substantive import rows_by_first
from riskmodels.cards.words import at, day, label

ANSWERED = {
    "ask.facts": "What we ask", "purpose.facts": "Purpose", "people_process.facts": "People and process",
    "risks.facts": "Risks", "law.facts": "Law", "monitoring.facts": "Monitoring",
    "annex.tripod_answers": "TRIPOD+AI", "annex.atrs_answers": "ATRS",
}  # fmt: skip
FROM_PEOPLE = "answers.yaml"
EXPIRES, EXTRACTED = "Agreement expires", "Extracted on"
GIVEN, GONE, ANOTHER, OWNER = "newly answered", "no longer answered", "changed", "another owner"
Line = tuple[str, str, Any, Any, str]


def answers_in_words(old: Card, new: Card) -> list[str]:
    lines = list(_answers(old, new))
    named = {kind: [_name(line) for line in lines if line[4] == kind] for kind in (GIVEN, GONE, ANOTHER)}
    said = []
    if named[GIVEN]:
        said.append(f"Newly answered: {some(named[GIVEN])}.")
    if named[GONE]:
        said.append(f"No longer answered: {some(named[GONE])}.")
    if named[ANOTHER]:
        said.append(f"Answers in other words: {some(named[ANOTHER])}.")
    return said


def _name(line: Line) -> str:
    section, what = line[0], line[1]
    return f"{section} {what}" if section in ("TRIPOD+AI", "ATRS") else what[:1].lower() + what[1:]


def _answers(old: Card, new: Card) -> Iterator[Line]:
    """Each answer that is not what it was: section, what, both texts, and in what way."""
    for path, section in ANSWERED.items():
        before, after = (at(card, path) or {} for card in (old, new))
        for key in dict.fromkeys((*before, *after)):
            first, second = (side.get(key) or {} for side in (before, after))
            if not any(str(side.get("source")).startswith(FROM_PEOPLE) for side in (first, second)):
                continue
            texts = [side.get("value") for side in (first, second)]
            name = label(key) if path.endswith("facts") else str(key)
            if texts[0] != texts[1]:
                kind = GIVEN if texts[0] is None else GONE if texts[1] is None else ANOTHER
                yield section, name, texts[0], texts[1], kind
            elif first.get("owner") != second.get("owner"):
                yield section, name, first.get("owner"), second.get("owner"), OWNER


def answers_table(old: Card, new: Card) -> Table:
    rows = [
        (section, what, _text(before), _text(after), kind) for section, what, before, after, kind in _answers(old, new)
    ]
    return table("What people say that changed", ("Section", "What", THEN, NOW, "How"), rows)


def _text(value: Any) -> Cell:
    return "Not provided" if value is None else value


# ---------------------------------------------------------------- the twenty questions


def questions_in_words(old: Card, new: Card) -> list[str]:
    before, after = ({row["number"]: row for row in at(card, "questions") or ()} for card in (old, new))
    said: list[str] = []
    for words, gone in (("is newly answered", before), ("is no longer answered", after)):
        kept = after if gone is before else before
        said += [
            f"Question {number} ({after[number]['question']}) {words}."
            for number in sorted(before.keys() & after.keys())
            if gone[number]["answer"] is None and kept[number]["answer"] is not None
        ]
    return said


def questions_table(old: Card, new: Card) -> Table:
    """Questions that people answer otherwise than last time; what the run answers changes with its figures."""
    before, after = ({row["number"]: row for row in at(card, "questions") or ()} for card in (old, new))
    rows = [
        (row["question"], _text(before[number]["answer"]), _text(row["answer"]))
        for number, row in after.items()
        if number in before and before[number]["answer"] != row["answer"] and row["source"] != "run"
    ]
    return table("The twenty questions: answers that changed", ("Question", THEN, NOW), rows)


# ---------------------------------------------------------------- the register


def register_in_words(old: Card, new: Card, since: dt.date | None, today: dt.date | None) -> list[str]:
    """Agreements that ended or were renewed, and data that were taken out anew."""
    before, after = (rows_by_first(at(card, "data.register")) for card in (old, new))
    said = []
    for name, row in after.items():
        earlier = before.get(name) or {}
        ends, ended = date_of(row.get(EXPIRES)), date_of(earlier.get(EXPIRES))
        taken, taken_before = date_of(row.get(EXTRACTED)), date_of(earlier.get(EXTRACTED))
        source = quote(name)
        if name in before and row.get(EXPIRES) != earlier.get(EXPIRES):
            said.append(f"The agreement for {source} now ends: {day(row.get(EXPIRES))}. {_last(earlier.get(EXPIRES))}")
        if ends and today and ends < today and (since is None or ends >= since):
            when = "has ended: it ran until {}." if since is None else "ended on {}, which is since the last card."
            said.append(f"The agreement for {source} {when.format(day(ends))}")
        if ends and taken and taken > ends and not (ended and taken_before and taken_before > ended):
            said.append(f"The data of {source} were taken out on {day(taken)}, after their agreement ended.")
        if name in before and row.get(EXTRACTED) != earlier.get(EXTRACTED):
            said.append(f"The data of {source} were taken out on {day(row.get(EXTRACTED))}. "
                        f"{_last(earlier.get(EXTRACTED))}")  # fmt: skip
    return said


def _last(value: Any) -> str:
    return f"Last time: {day(value)}." if value is not None else "Last time: nothing."


def register_table(old: Card, new: Card) -> Table:
    before, after = (rows_by_first(at(card, "data.register")) for card in (old, new))
    rows: list[tuple[Cell, ...]] = []
    for name in dict.fromkeys((*before, *after)):
        if name not in before or name not in after:
            rows.append((name, "the whole source", *(_there(name in side) for side in (before, after))))
            continue
        for column, value in after[name].items():
            if before[name].get(column) != value:
                rows.append((name, column, _text(before[name].get(column)), _text(value)))
    return table("What the data register says that changed", ("Source", "What", THEN, NOW), rows)


def _there(is_there: bool) -> str:
    return "in the register" if is_there else "not in the register"
