"""Where every model stands as sections, each a list of parts that the page knows how to show."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from riskmodels.reports.cells import capital, day_text, label
from riskmodels.reports.glossary import ACCESSIBILITY
from riskmodels.reports.models_figures import Figure
from riskmodels.reports.parts import (
    Part,
    Section,
    bullets,
    glossary,
    heading,
    plain_facts,
    says,
    table,
    texts,
    with_words,
)
from riskmodels.reports.profile_tables import content
from riskmodels.reports.states import tag

Row = Mapping[str, Any]
RECORD, LEDGER = "the review record", "the review record, and the ledger of lists"
TIMELINE = "When each version was approved, and when it was the champion."
BROKEN = "RECORD BROKEN"  # as `riskmodels.governance.standing` has it
FOLDED = 24  # rows, from which a table is folded
HOW = (
    "The champion of a study is the version that makes its lists: the only one that may. The candidate is the newest "
    "version. The previous one was champion before, and is the one to go back to.",
    "APPROVED: a decision names this version with this card, and its last day is not over. EXPIRED: it is over. "
    "WITHDRAWN: its use was stopped. REFUSED: the decision was against use. AWAITING REVIEW: nobody has decided.",
    "A version may make lists only while it is champion and approved, no condition is late, each verdict of the audit "
    "that needs an answer has one, and the agreements for its data hold. The gate also reads the files of the model: "
    "the command riskmodels gate says what it finds.",
    "A list that was made when no approval allowed it should not be there. Ask how it was made, and who was on it.",
    "A condition is what the committee asked for, with the role that has to do it and a day. It is open until it is "
    "shown to be met, and late after its day: then no list is made.",
    "An EXAMPLE decision is made up. Nobody may act on it.",
)


def models_outline(found: Row, figures: Sequence[Figure]) -> tuple[Section, ...]:
    """The sections of the page, in order. ``found``: `riskmodels.commands.ModelsReport`."""
    named = {row["study"]: title_of(row) for row in found["in_use"]}
    parts = [
        ("In use", _in_use(found)),
        ("What waits for somebody", _actions(found, named)),
        ("Approvals and champions over time", _timelines(figures)),
        ("Every version", _each("Each version that was registered, the newest first.", found, _versions)),
        ("Who was champion when", _each("Each champion there was, the newest first.", found, _history)),
        ("Runs that are not registered", _drafts(found)),
        ("How to read this", [
            *bullets(HOW), *glossary({}), heading("Accessibility statement"), *texts(ACCESSIBILITY),
        ]),
    ]  # fmt: skip
    kept = [(title, each) for title, each in parts if each]
    return with_words(Section(number, title, tuple(each)) for number, (title, each) in enumerate(kept, 1))


def title_of(row: Row) -> str:
    """The study's title, or its name in words where no card tells one."""
    return label(row["study"]) if row["title"] == row["study"] else str(row["title"])


def state_of(row: Row) -> str:
    """The state with what it is for, and whether it is an example."""
    return tag(row)


# ---------------------------------------------------------------- the sections


def _in_use(found: Row) -> list[Part]:
    if not found["in_use"]:
        return texts(["No model is registered here."])
    return [
        *says("The champion of each study: the one version that may make its lists."),
        plain_facts([(title_of(row), _used_in_words(row), "") for row in found["in_use"]]),
    ]


def _used_in_words(row: Row) -> str:
    if row["version"] is None:
        what = "It cannot be told" if row["state"] == BROKEN else "Nothing"
        return f"{what}. {_ended_well(capital(row['words']))}"
    until = f" Approved until {row['until']}, {_left(row['days_left'])}." if row["until"] else ""
    lists = f"{row['batches']} {'list' if row['batches'] == 1 else 'lists'}, the last on {row['last_used']}"
    shut = "" if row["holds"] else " IT MAY MAKE NO LIST TODAY."
    made = lists if row["batches"] else "no list so far"
    return f"Version {row['version']}, for {_stage(row)}.{until}{shut} Made {made}. {_moved(row)} on {row['since']}."


def _actions(found: Row, named: Mapping[str, str]) -> list[Part]:
    if not found["actions"]:
        return texts([f"Nothing is late, and nothing ends within {found['soon_days']} days."])
    parts = says(f"What is late, what ends within {found['soon_days']} days, and what waits for an answer. By role.")
    for who in dict.fromkeys(row["who"] for row in found["actions"]):
        lines: dict[str, list[str]] = {}
        for row in found["actions"]:
            if row["who"] == who:
                model = named[row["study"]] + ("" if row["version"] is None else f", version {row['version']}")
                lines.setdefault(model, []).append(day_text(_action(row)))
        parts.append({"kind": "record", "title": capital(who), "lines": list(lines.items())})
    return parts


def _action(row: Row) -> str:
    word = "Late since" if (row["days_left"] or 0) < 0 else "By"
    when = f"{word} {row['day']} ({_left(row['days_left'])}): " if row["day"] else ""
    shut = "NO LISTS UNTIL THIS IS DONE. " if row["stops"] else ""
    what = row["what"] if when else capital(row["what"])
    return _ended_well(f"{shut}{when}{what}").replace("`", "")


def _ended_well(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _each(words: str, found: Row, parts_of: Callable[[Row, Row], list[Part]]) -> list[Part]:
    parts = [part for row in found["in_use"] for part in parts_of(found, row)]
    return [*says(words), *parts] if parts else []


def _timelines(figures: Sequence[Figure]) -> list[Part]:
    return [*says(TIMELINE), {"kind": "panels", "figures": list(figures)}] if figures else []


def _versions(found: Row, study: Row) -> list[Part]:
    """Two tables, since one would be wider than the page."""
    versions = [row for row in reversed(found["versions"]) if row["study"] == study["study"]]
    standing = [
        [
            f"Version {row['version']}", capital(", ".join(sorted(row["aliases"]))), state_of(row), row["stage"] or "",
            row["until"] or "", _ahead(row["days_left"]), _conditions(row),
        ]
        for row in versions
    ]  # fmt: skip
    use = [
        [
            f"Version {row['version']}", row["registered_on"], row["verdict"], label(row["recommendation"]),
            row["batches"], row["last_used"] or "", _outside(row),
        ]
        for row in versions
    ]  # fmt: skip
    columns = ["Version", "Is", "State", "For", "Approved until", "Days left", "Conditions open"]
    more = ["Version", "Trained on", "Audit", "Our advice", "Lists made", "Last list", "Made when not approved"]
    title, fold = title_of(study), len(versions) > FOLDED
    return [
        table(content(f"{title}: how each version stands", columns, standing, RECORD), fold=fold),
        table(content(f"{title}: what each version was found to be, and used for", more, use, LEDGER), fold=fold),
    ] if versions else []  # fmt: skip


def _history(found: Row, study: Row) -> list[Part]:
    rows = [
        [
            f"Version {row['version']}", _stage(row), row["from"], row["until"] or "it still is", row["days"],
            row["batches"], " ".join(_ended_well(text) for text in (_moved(row), _ended(row)) if text),
        ]
        for row in found["history"]
        if row["study"] == study["study"]
    ]  # fmt: skip
    columns = ["Champion", "For", "From", "Until", "Days", "Lists made", "Who moved it, and why it ended"]
    made = content(f"{title_of(study)}: every champion", columns, list(reversed(rows)), LEDGER)
    return [table(made, fold=len(rows) > FOLDED)] if rows else []


def _drafts(found: Row) -> list[Part]:
    rows = [[row["folder"], label(row["study"]), row["model_sha256"][:12]] for row in found["drafts"]]
    made = content("Drafts: nobody may use them", ["Folder", "Study", "Digest begins"], rows, "the folders of runs")
    return [table(made, fold=True)] if rows else []


# ---------------------------------------------------------------- cells


def _stage(row: Row) -> str:
    return f"{row['stage']}, an EXAMPLE" if row["example"] else str(row["stage"])


def _conditions(row: Row) -> Any:
    late = row["conditions_overdue"]
    return "not known" if late is None else f"{row['conditions_open']}, {late} late" if late else row["conditions_open"]


def _outside(row: Row) -> Any:
    return "not known" if row["used_outside"] is None else row["used_outside"]


def _ended(row: Row) -> str:
    if row["ended_by"] is None:
        return ""
    return f"{capital(row['ended_words'])} (by the {row['ended_by_role']}, record {row['ended_record']})"


def _moved(row: Row) -> str:
    why = f": {row['reason']}" if row["reason"] else ""
    how = "Brought back" if row["rollback"] else "Promoted"
    return f"{how} by the {row['by_role']} (record {row['record']}{why})"


def _left(left: int | None) -> str:
    if left is None or left == 0:
        return "today is the last day"
    many = "1 day" if abs(left) == 1 else f"{abs(left)} days"
    return f"{many} left" if left > 0 else f"{many} ago"


def _ahead(left: int | None) -> Any:
    return "" if left is None or left < 0 else left
