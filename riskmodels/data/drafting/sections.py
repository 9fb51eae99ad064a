"""The sections of a drafted ``study.yaml``, as one mapping."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from riskmodels.data.drafting.asking import Notebook, Question
from riskmodels.data.drafting.features import LAST, Word, features_of, protected_of
from riskmodels.data.drafting.guess import Column, level_of
from riskmodels.data.drafting.names import FOLLOWED_WORDS, HOUSEHOLD_WORDS, one_line, slug
from riskmodels.data.drafting.tables import Role
from riskmodels.data.drafting.timetable import Timetable
from riskmodels.study import Period

PURPOSES = ("assistive", "punitive", "mixed")


@dataclass(frozen=True)
class Settled:
    """What the sections are made from."""

    name: str
    question: str | None
    roles: list[Role]
    words: list[Word]
    outcome: Word
    plan: Timetable
    extracted_on: dt.date  # of the outcome's table
    today: dt.date


def study_sections(settled: Settled, notebook: Notebook) -> dict[str, Any]:
    """Every key of ``study.yaml``, in the order in which it is read. Asks about purpose and capacity."""
    level = level_of(settled.outcome.role.entity)
    notebook.note("level", level, f"from the name {settled.outcome.role.entity}: person | household | place", True)
    lines = features_of(settled.words, settled.roles, notebook)
    notebook.note("features", f"{len(lines)} lines", "drafted from column names; keep what makes sense and may be used")
    return {
        "schema": 1,
        "study": settled.name,
        "title": settled.name.replace("_", " ").capitalize(),
        "question": _question(settled, notebook),
        "seed": int(settled.today.strftime("%Y%m%d")),
        "purpose": _purpose(notebook),
        "level": level,
        "clock": "calendar",
        "sources": {role.name: _source(role) for role in settled.roles},
        "facts": {word.name: word.line for word in settled.words},
        "cohort": _cohort(settled, notebook),
        "outcome": _outcome(settled, notebook),
        "features": lines,
        "split": _split(settled.plan, notebook),
        "models": {
            "candidates": {
                "single_best_column": {},
                "points": {"most": 6},
                "logistic": {"c": 1.0},
                "lightgbm": {"trees": 120, "leaves": 15, "learning_rate": 0.05, "min_rows_in_leaf": 40},
            },
            "calibrator": "sigmoid",
            "choose_by": "brier_score",
            "current_practice": None,
        },
        "breaks": [],
        "capacity": _capacity(notebook),
        "service_rules": [],
        "bands": {"lower": 0.0, "raised": 0.2, "high": 0.5},
        "thresholds": [0.2, 0.3, 0.5],
        "protected": protected_of(settled.roles, settled.extracted_on, notebook),
        "not_audited": {},
        "fairness": {"policy": "default"},
        "disclosure": "sro-10",
        "floors": {"oe_ratio": [0.8, 1.25], "gain_over_baselines": 0.0},
        "accepted": {},
    }


# ---------------------------------------------------------------- what it is for


def _question(settled: Settled, notebook: Notebook) -> str:
    if settled.question is not None:
        return one_line(settled.question)
    question = f"Who should be offered help before there is {settled.outcome.a_one}?"
    notebook.note("question", question, "made from the outcome; write the question as you were asked it")
    return question


def _purpose(notebook: Notebook) -> str:
    words = "Is being listed an offer of help (assistive), unwelcome to the person (punitive), or both (mixed)?"
    why = "a guess, and no guess is safe: assistive | punitive | mixed"
    return notebook.ask(Question("purpose", words, "assistive", PURPOSES), why)


def _capacity(notebook: Notebook) -> dict[str, Any]:
    words = "How many can be offered help on one as-of date: a number such as 200, or a share such as 5%?"
    why = "a guess; how many can be offered help on one as-of date? As in  {places: 200}"
    return notebook.settle(Question("capacity", words, "5%"), why, False, _places)


def _places(answer: str) -> dict[str, Any]:
    number = float(answer.removesuffix("%"))
    share = number / 100 if answer.endswith("%") else number
    if 0 < share < 1:
        return {"share": round(share, 6)}
    if answer.endswith("%") or not number.is_integer() or number < 1:
        raise ValueError("places are a whole number such as 200, or a share such as 5%")
    return {"places": int(number)}


# ---------------------------------------------------------------- who, and what happens


def _source(role: Role) -> dict[str, Any]:
    line: dict[str, Any] = {"file": role.table.file, "entity": role.entity}
    if role.holds_facts:
        line |= {"event_date": role.event_date, "known_date": role.known_date}
        line |= {"kind": role.kind} if role.kind else {}
    elif role.known_date:
        line["known_date"] = role.known_date
    elif not role.audit and any(column.holds == "date" for column in role.table.columns.values()):
        line["event_date"] = None
    return line | ({"use": "audit"} if role.audit else {})


def _any_record(words: list[Word], last: str | None) -> dict[str, Any]:
    """Somebody has any record at all: in the last so many months, or in the window that is looked at."""
    each = [{"any": word.name} | ({"last": last} if last else {}) for word in words if word.kind is None]
    return each[0] if len(each) == 1 else {"any_of": each}


def _cohort(settled: Settled, notebook: Notebook) -> dict[str, Any]:
    plan = settled.plan
    step = f"has a record in the last {LAST}"
    steps: list[dict[str, Any]] = [{"step": step, "keep": _any_record(settled.words, LAST)}]
    notebook.note("cohort.steps[0]", step, "a guess; who is eligible? Drop those who left or died")
    until = _followed_until(settled.roles)
    if until:
        steps.append({"step": "still followed on the day", "keep": {"attribute": until, "at_least": "as_of"}})
        notebook.note("cohort.steps[1]", until, "its name says how long each one was followed")
    cluster = _cluster(settled.roles)
    why = "its name says household; members stay together" if cluster else "no column names a household"
    notebook.note("cohort.cluster", cluster or "none", why, True)
    every = str(Period(plan.every, "month"))
    span = f"{plan.dates[0]} to {plan.dates[-1]}, every {every}"
    notebook.note("cohort.as_of_dates", span, "the latest outcomes are over by the last date in the data")
    dates: Any = {"first": plan.dates[0], "last": plan.dates[-1], "every": every}
    return {"as_of_dates": dates, "steps": steps, "cluster": cluster}


def _known(settled: Settled) -> tuple[dict[str, Any], str, str]:
    """When an outcome that is not recorded did not happen: the predicate, in a few words, and why."""
    until = _followed_until(settled.roles)
    if until:
        return {"followed_until": until}, until, "followed to the end"
    outcome = settled.outcome
    others = [word for word in settled.words if word.name != outcome.name]
    elsewhere = any(word.role.name != outcome.role.name for word in others)
    if not elsewhere and (outcome.kind is None or outcome.role.facts()["kind"].eq_missing(outcome.kind).all()):
        # Any record at all would be the outcome itself, and everybody known would have it.
        why = "no other record tells who was still here, so no record is taken as no"
        return {"none": outcome.name}, "no record", why
    return _any_record(others, None), "any record", "any record in the horizon; without one it is unknown, not no"


def _outcome(settled: Settled, notebook: Notebook) -> dict[str, Any]:
    outcome, plan = settled.outcome, settled.plan
    known, said, why = _known(settled)
    notebook.note("outcome.known", said, f"{why}. How do you know that it did not happen?")
    notebook.note("outcome.measures", "service", "the careful guess: need | service (a contact or a decision)")
    words = f"has {outcome.a_one} within {plan.horizon}"
    notebook.note("outcome.words", words, "as you would say it after 'somebody who'")
    return {
        "name": slug(f"{outcome.name} within {plan.horizon}", "outcome"),
        "words": words,
        "measures": "service",
        "happens": {"any": outcome.name},
        "known": known,
        "horizon": str(plan.horizon),
        "lag": str(plan.lag),
    }


def _split(plan: Timetable, notebook: Notebook) -> dict[str, Any]:
    why = f"each leaves dates to learn from, of {len(plan.dates)} as-of dates"
    notebook.note("split.test", f"last {plan.tests}", why, True)
    line: dict[str, Any] = {"test": {"last": plan.tests}, "calibrate": plan.calibrate}
    if plan.calibrate == "later":
        notebook.note("split.calibrate", "later", "a later slice leaves dates to fit on", True)
        return line
    reason = (
        f"With {len(plan.dates)} as-of dates and a horizon of {plan.horizon}, a later slice leaves no date to fit on."
    )
    notebook.note("split.calibrate", "grouped", "a later slice would leave no date to fit on", True)
    return line | {"why_grouped": reason}


# ---------------------------------------------------------------- columns of tables that describe people


def _described(roles: list[Role]) -> Iterator[tuple[Role, Column]]:
    for role in roles:
        for column in role.table.columns.values():
            if not role.audit and not role.holds_facts and column.name not in role.keys and "." not in column.name:
                yield role, column


def _followed_until(roles: list[Role]) -> str | None:
    """A date up to which each one was followed, recorded for everybody."""
    for role, column in _described(roles):
        if column.holds == "date" and not column.missing and column.says(FOLLOWED_WORDS):
            return f"{role.name}.{column.name}"
    return None


def _cluster(roles: list[Role]) -> str | None:
    """The id of a household."""
    for role, column in _described(roles):
        if column.id_like and column.holds in ("text", "number") and column.says(HOUSEHOLD_WORDS):
            return f"{role.name}.{column.name}"
    return None
