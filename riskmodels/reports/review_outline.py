"""The record of a study's reviews as sections, each a list of parts that every rendering knows how to show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from riskmodels.reports.cells import day_text
from riskmodels.reports.glossary import ACCESSIBILITY
from riskmodels.reports.parts import Part, Section, glossary, heading, plain_facts, says, table, texts, with_words
from riskmodels.reports.review_words import condition_state, said
from riskmodels.reports.states import tag
from riskmodels.reports.visible import visible_text

Row = Mapping[str, Any]
SOURCE = "the review record"
CHAMPION = (
    "The champion is the one version that may be used on people. A model becomes champion by a record, not before."
)
HOW = (
    "Each record carries a seal: a SHA-256 of all that stands in it, and of the seal of the record before. So a record "
    "that is edited, moved or taken out no longer fits. The newest seal stands for the whole record. Note it somewhere "
    "else, such as in the minutes: then even a record that was made anew from its beginning can be told from this one.",
    "`riskmodels review verify` looks at all of it, and at the files that were kept with each decision.",
)


def review_outline(found: Row) -> tuple[Section, ...]:
    """The sections of a record, in order; none that would be empty.

    Parameters
    ----------
    found : `riskmodels.governance.account.account`
    """
    parts: list[tuple[str, list[Part]]] = [
        ("Where it stands", _standing(found)),
        ("Conditions", _conditions(found)),
        ("What was decided", _decisions(found)),
        ("Everything that happened", _everything(found)),
        ("What the gate asks today", _gate(found)),
        ("How to check this record", _how(found)),
    ]
    kept = [(title, each) for title, each in parts if each]
    return with_words(Section(number, title, tuple(each)) for number, (title, each) in enumerate(kept, 1))


def _standing(found: Row) -> list[Part]:
    if not found["versions"]:
        return texts(["No version of this study is registered."])
    lines = []
    for one in found["versions"]:
        words = visible_text(one["status"]["words"])
        if one["champion_since"]:
            words = f"{words} Champion since {day_text(one['champion_since'])}."
        lines.append((name_of(one), words, ""))
    used = any(one["champion_since"] for one in found["versions"])
    nobody = [] if used else texts(["None of these is champion today, so none of them is used."])
    return [*says(CHAMPION), plain_facts(lines), *nobody]


def name_of(version: Row) -> str:
    number = version["version"]
    return "The model that is not registered" if number is None else f"Version {number}"


def _conditions(found: Row) -> list[Part]:
    parts: list[Part] = []
    for one in found["versions"]:
        if not one["conditions"]:
            continue
        rows = [
            [
                str(row["number"]),
                visible_text(row["text"]),
                visible_text(row["owner"]),
                row["due"] or "no day",
                condition_state(row),
                visible_text(row["evidence"] or "none yet"),
            ]
            for row in one["conditions"]
        ]
        parts.append(
            table(
                {
                    "caption": f"{name_of(one)}: conditions of record {one['decision']}",
                    "columns": ["Number", "What is asked", "Who has to do it", "By", "State", "Evidence"],
                    "rows": rows,
                    "source": SOURCE,
                    "note": None,
                }
            )
        )
    return [*says("What the committee asks for, and how far it is."), *parts] if parts else []


def _decisions(found: Row) -> list[Part]:
    rows = [row for row in found["history"] if row["kind"] in ("decision", "withdrawal")]
    if not rows:
        return texts(["Nothing was decided yet. No version may be used until it is."])
    parts: list[Part] = []
    for row in rows:
        words = said(row)
        about = f"Version {row['version']}" if row["version"] else "A model that is not registered"
        lines = [("Recorded on", [day_text(row["recorded_on"])]), ("About", [about])]
        lines += [(name, list(each)) for name, each in words.lines]
        lines += [("Model SHA-256", [row["model_sha256"]]), ("Card SHA-256", [row["card_sha256"]])]
        lines += [("Seal", [row["sha256"]])]
        parts.append({"kind": "record", "title": f"Record {row['record']}: {words.title}", "lines": lines})
    return [*says("Who advised what, who decided, and why."), *parts]


def _everything(found: Row) -> list[Part]:
    if not found["history"]:
        return []
    rows = []
    for row in found["history"]:
        words = said(row)
        version = str(row["version"]) if row["version"] else ""
        rows.append([str(row["record"]), row["recorded_on"], words.title, version, words.by, words.why])
    content = {
        "caption": "Each record, first to last",
        "columns": ["Record", "Day", "What", "Version", "By", "Why"],
        "rows": rows,
        "source": SOURCE,
        "note": None,
    }
    return [*says("In the order in which it was recorded. Nothing here was changed afterwards."), table(content)]


def _gate(found: Row) -> list[Part]:
    if found["gate"] is None:
        return []
    shut = [row for row in found["gate"] if not row["holds"]]
    do = "does" if len(shut) == 1 else "do"
    words = f"It is SHUT: {len(shut)} of its rules {do} not hold." if shut else "It is open: the model may score."
    rows = [["yes" if row["holds"] else "NO", row["rule"], visible_text(row["words"])] for row in found["gate"]]
    content = {
        "caption": "Each rule that a list has to pass",
        "columns": ["Holds", "Rule", "In words"],
        "rows": rows,
        "source": "the gate, on the day that this page was made",
        "note": None,
    }
    return [*texts([words]), table(content)]


def _how(found: Row) -> list[Part]:
    facts = [("Records", found["records"], ""), ("Newest seal", found["seal"], "")]
    for one in found["versions"]:
        facts += [(f"{name_of(one)}, {what}", one[f"{what}_sha256"], "") for what in ("model", "card")]
    return [
        *texts(HOW),
        plain_facts(facts),
        *glossary({}),
        heading("Accessibility statement"),
        *texts(ACCESSIBILITY),
    ]


def state_of(found: Row) -> str:
    """The state of the champion, or of the newest version where there is none, as it stands in colour."""
    shown = [one for one in found["versions"] if one["champion_since"]] or list(found["versions"])[-1:]
    return tag(shown[0]["status"]) if shown else "NOTHING REGISTERED"
