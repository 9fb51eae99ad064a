"""The files of a drafted study: headings, guesses marked, and blanks for what only people can say."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from riskmodels.data.drafting.asking import Guess
from riskmodels.data.drafting.names import one_line
from riskmodels.data.drafting.yaml_text import Notes, write_notes_and_yaml

CHECK = "CHECK: "
NOT_SAID = "Not said yet"


# ---------------------------------------------------------------- study.yaml


def study_text(raw: Mapping[str, Any], notes: Notes, left_out: Iterable[str], unsaid: Iterable[str]) -> str:
    """``study.yaml``.

    Parameters
    ----------
    left_out : a line about each table or column that is not used
    unsaid : the protected characteristics that nothing audits
    """
    unaudited = (
        "Of the nine protected characteristics, those that nothing above audits. Write a reason for each, which the "
        "card prints, as in  disability: Not in the extract.  Without one the audit ends NOT AUDITED.",
        *(f"{CHECK}{name}" for name in unsaid),
    )
    above: dict[str, tuple[str, ...]] = {
        "schema": (
            "The question and everything that changes the model. Drafted from the columns of the tables: every guess "
            "is marked CHECK. Delete a mark once you agree with its line. Beside this file: register.yaml (the "
            "sources) and answers.yaml (what people say).",
        ),
        "sources": ("The tables; file names are relative to --data.", *(CHECK + one_line(line) for line in left_out)),
        "facts": (
            "The words that the rest of the file is written in: rows of one kind, or all rows of a table. Conditions "
            "can narrow one, as in  low_score: {in: tests, kind: reading, where: {score: {at_most: 25}}}",
        ),
        "cohort": ("Who is ranked, and on which days we pretend to stand.",),
        "outcome": ("What may happen between a day and the horizon after it.",),
        "features": (
            "What was known of each one before the day. CHECK: drafted from column names. Keep what makes sense and "
            "what you may use; put the words as you would say them to the person concerned.",
        ),
        "split": ("The latest dates test; a model learns only from outcomes that were over by then.",),
        "models": ("Simplest first: a later one wins only beyond its interval.",),
        "capacity": ("How the list is used.",),
        "protected": ("For the audit only: who is treated worse? These columns are not features.",),
        "not_audited": unaudited,
        "fairness": ("Rules of the audit, of what may be shown, and of what counts as good enough.",),
    }  # fmt: skip
    hints = {
        "purpose": "assistive | punitive | mixed: decides the audit's metrics",
        "level": "person | household | place",
        "clock": "calendar | relative (days since each one's own start)",
        "breaks": "- {date: 2020-03-23, what: schools closed, affects: [visit]}",
        "service_rules": "- {exclude: {any: in_service}, because: already has help, owner: the team}",
        "accepted": "a check that raised a concern: the reason that the card prints",
    }
    return write_notes_and_yaml(raw, hints | dict(notes), above, flow=True)


# ---------------------------------------------------------------- register.yaml


def register_entry(
    words: str, level: str, extracted_on: dt.date, columns: Mapping[str, str], audit: bool
) -> dict[str, Any]:
    """One source of ``register.yaml``. An empty text prints as "Not provided"."""
    condition = {"special_category_condition": None} if audit else {}
    return {
        "words": words,
        "owner": NOT_SAID,
        "collected_for": "",
        "how": "",
        "about": level,
        "spatial_level": None,
        "lawful_basis": "",
        "special_category": [],
        **condition,
        "agreement": None,
        "dpia": None,
        "permitted_purposes": [],
        "asked": None,
        "people_were_told": None,
        "seen_by": [],
        "retention": "",
        "extracted_on": extracted_on,
        "columns": dict(columns),
    }


PURPOSE = "offering help early"
REGISTER_NOTES = {
    "words": "what the table holds, in one plain line",
    "owner": "the role that answers for this table",
    "collected_for": "what the data were first collected for",
    "how": "how they were recorded, and by whom",
    "about": "person | household | place",
    "spatial_level": "how fine the places in it are: none, ward, LSOA, address",
    "lawful_basis": "the lawful basis, such as public task, UK GDPR Article 6(1)(e)",
    "special_category": "which kinds of special category data it holds, such as health",
    "special_category_condition": "the condition of UK GDPR, Article 9(2); without it nothing is run",
    "agreement": "the data sharing agreement, and agreement_expires with its date",
    "dpia": "the impact assessment, as {reference: DPIA 12, date: 2024-06-30}",
    "permitted_purposes": "what the data may be used for; no list is made until the purpose above is among it",
    "asked": "was anybody asked whether it may be used so, and what did they say?",
    "seen_by": "the roles that may see it",
    "people_were_told": "what the people in the table were told",
    "retention": "how long the data are kept",
    "extracted_on": "the last date in the data; say the day of the extract if it is later",
    "columns": "what each column means, in words that a stranger understands",
}


def register_text(entries: Mapping[str, Mapping[str, Any]]) -> str:
    notes = {
        f"sources.{name}.{key}": CHECK + REGISTER_NOTES[key]
        for name, entry in entries.items()
        for key in entry
        if key in REGISTER_NOTES
    }
    above = {"sources": ("Where each table comes from, and what it may be used for. Only people know most of this.",)}
    notes["purpose"] = CHECK + "what this study uses the data for; every permitted_purposes must include it"
    return write_notes_and_yaml({"purpose": PURPOSE, "sources": entries}, notes, above, flow=False)


# ---------------------------------------------------------------- answers.yaml


SERVICE, SPONSOR, GOVERNANCE = "Service manager", "Senior responsible owner", "Information governance officer"
EQUALITY, ANALYST, FINANCE = "Equality lead", "Analytics manager", "Finance lead"

SECTIONS: dict[str, dict[str, tuple[str, str]]] = {
    "purpose": {
        "intended_use": (SERVICE, "what the list is for, and what is offered"),
        "never_used_for": (SPONSOR, "what it will never be used for"),
        "why_people_not_places": (SERVICE, "why this level and not a wider one"),
        "alternatives": (SERVICE, "what else was looked at, a simple rule included"),
        "benefits": (SERVICE, "who gains, and how"),
        "how_it_is_done_today": (SERVICE, "how people are chosen now"),
        "cost": (FINANCE, "what it costs to build and to run"),
    },
    "people_process": {
        "when_flagged": (SERVICE, "what happens to somebody on the list"),
        "when_not_flagged": (SERVICE, "and to somebody who is not"),
        "who_decides": (SERVICE, "the person who decides"),
        "human_check": (SERVICE, "what they look at, and their right to differ"),
        "staff_time": (SERVICE, "minutes for each name"),
        "override_rate": (SERVICE, "how often staff decide against the list"),
        "training": (SERVICE, "what staff learn before they see a list"),
        "putting_mistakes_right": (GOVERNANCE, "how a wrong record is mended, and how fast"),
    },
    "risks": {
        "harms_if_wrongly_named": (SERVICE, "the harm to somebody named in error"),
        "harms_if_missed": (SERVICE, "the harm to somebody who is missed"),
        "stigma": (EQUALITY, "how being listed could hurt"),
        "self_fulfilling": (SPONSOR, "how a list could make itself come true"),
        "proxies": (EQUALITY, "which columns could stand in for race, poverty or area"),
        "trade_offs": (SPONSOR, "what was weighed against what"),
    },
    "law": {
        "lawful_basis": (GOVERNANCE, "for this use, not only for the data"),
        "data_protection_impact_assessment": (GOVERNANCE, "done, by whom, when"),
        "equality_impact_assessment": (EQUALITY, "done, by whom, when"),
        "automated_decisions": (GOVERNANCE, "is any decision made by the computer alone?"),
        "objection": (GOVERNANCE, "how people can object"),
    },
    "monitoring": {
        "review": (ANALYST, "when you look again"),
        "stop_rules": (SPONSOR, "what stops it"),
        "retirement": (SPONSOR, "how it ends"),
        "retention": (GOVERNANCE, "how long scores are kept"),
        "who_sees": (GOVERNANCE, "who sees scores"),
    },
}
QUESTIONS: tuple[tuple[str, str], ...] = (
    (SPONSOR, "What is it for, and what will it never be used for?"),
    (SERVICE, "Places or named people, and why that level?"),
    (SERVICE, "What happens to somebody who is flagged? And who is not?"),
    (ANALYST, "How often is it wrong, both ways? (the run answers this)"),
    (ANALYST, "Is it better than what staff do now, or than a simple rule? (the run answers this)"),
    (EQUALITY, "Who is treated worse? (the run answers this)"),
    (SPONSOR, "Is the outcome need, or contact with services? Who is missing?"),
    (GOVERNANCE, "Where does the data come from, and was it shared for this?"),
    (GOVERNANCE, "Do people know, and can they object?"),
    (ANALYST, "Could you use less data? (the run answers this)"),
    (EQUALITY, "What stands in for race, poverty or area?"),
    (ANALYST, "How good is the data?"),
    (ANALYST, "What drives a score, and can a worker explain it? (the run answers this)"),
    (SERVICE, "Who decides, and is the human check real?"),
    (GOVERNANCE, "How is a mistake put right?"),
    (EQUALITY, "Could it stigmatise, come true by itself, or keep people away?"),
    (GOVERNANCE, "Who sees scores, and how long are they kept?"),
    (ANALYST, "Was it tested later in time, or elsewhere? (the run answers this)"),
    (SPONSOR, "Who built it, what did it cost, who signs?"),
    (SPONSOR, "When do we look again, and what stops it?"),
)


def answers_text() -> str:
    """``answers.yaml`` with every answer still to give: no text is written for people."""
    raw: dict[str, Any] = {"organisation": NOT_SAID, "fictional": False, "owner_role": SPONSOR, "contact": None}
    raw["ask"] = {"owner": SPONSOR, "text": None}
    above: dict[str, tuple[str, ...]] = {
        "organisation": (
            "What people say in the model card. Until a text is written, the card says that it is not provided, and "
            "names the owner. A long text goes on indented lines below  text: >-  CHECK: the owners are guesses.",
        ),
        "ask": ("What do you ask the committee to decide?",),
        "cannot_see": ("What can the data not see?",),
        "questions": ("The twenty questions that a committee asks.",),
    }  # fmt: skip
    for section, answers in SECTIONS.items():
        raw[section] = {name: {"owner": owner, "text": None} for name, (owner, _) in answers.items()}
        above |= {f"{section}.{name}": (f"{words[0].upper()}{words[1:]}.",) for name, (_, words) in answers.items()}
        above[section] = ()
    raw["cannot_see"] = {"owner": SERVICE, "text": None}
    raw["questions"] = {number: {"owner": owner, "text": None} for number, (owner, _) in enumerate(QUESTIONS, 1)}
    above |= {f"questions.{number}": (words,) for number, (_, words) in enumerate(QUESTIONS, 1)}
    notes = {"organisation": CHECK + "whose study this is", "contact": CHECK + "an address that people can write to"}
    return write_notes_and_yaml(raw, notes, above, flow=False)


# ---------------------------------------------------------------- README.md


def readme_text(title: str, question: str, today: dt.date, guesses: Iterable[Guess]) -> str:
    """What was drafted, the commands that come next, and the guesses, those that are least sure first."""
    table = [
        f"| `{guess.path}` | {_cell(guess.value)} | {_cell(guess.why)} | {'likely' if guess.sure else 'unsure'} |"
        for guess in sorted(guesses, key=lambda guess: guess.sure)
    ]
    return f"""# {title}

*{question}*

This folder was drafted on {today} from the columns of your tables. It is a start, not a study: nobody has agreed to
anything in it. Every guess is marked `CHECK` where it stands.

| file | what to do with it |
|---|---|
| `study.yaml` | read every line; correct it or delete its mark |
| `register.yaml` | ask the owner of each table; say what each column means |
| `answers.yaml` | let the people named there answer; nobody else can |

## What comes next

    riskmodels check FOLDER --data DATA     # no training: is the folder right, do the tables fit it?
    riskmodels run FOLDER --data DATA       # the whole road, to a model card

FOLDER is this folder, DATA the one in which your tables stand. Then ask: does the outcome measure need, or contact
with a service? Was each column known on the day, and may it be used for this?

## What was guessed

| where in study.yaml | guess | why | |
|---|---|---|---|
""" + "\n".join([*table, ""])


def _cell(text: str) -> str:
    return one_line(text).replace("|", "\\|")
