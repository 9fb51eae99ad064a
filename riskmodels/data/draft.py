"""A first draft of a study folder from somebody's own tables: guessed, asked about, and marked for checking.

`draft_study` is the way in. It is pure: it takes tables and gives files. The files hold names of columns and kinds of
facts that many people share, never a value of a person. Its parts stand in `riskmodels.data.drafting`.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import polars as pl

from riskmodels.data.drafting import files as text
from riskmodels.data.drafting.features import (
    LAST,
    Word,
    described_columns,
    features_of,
    name_facts,
    protected_of,
    undated_columns,
)
from riskmodels.data.drafting.guess import EXIT_WORDS, FOLLOWED_WORDS, HOUSEHOLD_WORDS, level_of, plain, slug, words_of
from riskmodels.data.drafting.tables import Guess, Notebook, Question, Role, find_roles, latest, look_at_tables
from riskmodels.data.drafting.timetable import Timetable, plan_timetable
from riskmodels.errors import DataError, UsageError
from riskmodels.study import PROTECTED_BY_LAW, Period, parse_study_file

__all__ = ["Draft", "Guess", "Question", "draft_study"]

ENOUGH_PEOPLE = 50  # with an outcome, for it to be guessed
PURPOSES = ("assistive", "punitive", "mixed")
UNKNOWN_LAG = Period(30, "day")


@dataclass(frozen=True)
class Draft:
    """A study folder's files by name, and everything in them that nobody said."""

    files: dict[str, bytes]
    guesses: tuple[Guess, ...]


def draft_study(
    files: Mapping[str, Any],
    *,
    name: str,
    question: str | None = None,
    answers: Callable[[Question], str] | None = None,
    today: dt.date,
) -> Draft:
    """A study folder that loads, with every guess marked ``CHECK``.

    Parameters
    ----------
    files : file name relative to the data folder (``records.parquet``, ``records.csv``) -> its table (Polars or pandas)
    name : the study's name: small letters, digits and underscores
    question : the question in words; guessed from the outcome if missing
    answers : asked about the handful of things that matter. An empty answer leaves the guess, and its mark, standing
    today : later dates in the tables are mistakes

    Raises
    ------
    UsageError
        for a name that is none, or answers that cannot be used.
    DataError
        if no table says whom or when its rows are about, or the records cover too short a time.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,79}", name):
        raise UsageError(
            f"{name!r} cannot name a study; use small letters, digits and underscores, such as {slug(name, 'study')}"
        )
    notebook = Notebook(answers)
    frames = {file: frame if isinstance(frame, pl.DataFrame) else _polars(frame) for file, frame in files.items()}
    roles, left_out = find_roles(look_at_tables(frames), notebook)
    words = name_facts(roles, notebook)
    outcome = _settle_outcome(words, notebook)
    extracted = _extracted_on(roles, outcome, today, notebook)
    plan = _settle_dates(roles, outcome, extracted, notebook)
    study = _study(name, question, roles, words, outcome, plan, today, extracted[outcome.role.name], notebook)
    parse_study_file(study, "the drafted study.yaml")
    return Draft(_files(study, roles, left_out, extracted, today, notebook), tuple(notebook.guesses))


def _polars(frame: Any) -> pl.DataFrame:
    return nw.from_native(frame, eager_only=True).to_polars()


# ---------------------------------------------------------------- what, and when


def _settle_outcome(words: list[Word], notebook: Notebook) -> Word:
    """The rarest kind that enough people have, unless somebody says which."""
    with_kinds = {word.role.name for word in words if word.kind is not None}
    choices = {word.name: word for word in words if word.kind is not None or word.role.name not in with_kinds}
    usual = [word for word in choices.values() if not EXIT_WORDS & set(words_of(word.name))] or list(choices.values())
    enough = [word for word in usual if word.people >= ENOUGH_PEOPLE]
    found = (
        min(enough, key=lambda word: (word.people, word.name)) if enough else max(usual, key=lambda word: word.people)
    )
    why = f"the rarest that at least {ENOUGH_PEOPLE} people have" if enough else "the commonest; few people have any"
    words_asked = "Which of these is to be predicted?"
    chosen = notebook.settle(Question("outcome.happens", words_asked, found.name, tuple(choices)), why)
    return choices[chosen]


def _extracted_on(roles: list[Role], outcome: Word, today: dt.date, notebook: Notebook) -> dict[str, dt.date]:
    """The last day of each table: that of the outcome's own table counts, since outcomes stop being recorded there."""
    days = {role.name: day for role in roles if (day := latest(role, today)) is not None}
    if outcome.role.name not in days:
        raise DataError(f"{outcome.role.table.file}: every date lies after today ({today}); check its dates")
    last = max(days[role.name] for role in roles if role.name in days and not role.audit)
    for role in roles:
        if role.name != outcome.role.name:
            days[role.name] = max(last, days.get(role.name, last))
        for column in (role.event_date, role.known_date):
            late = int((role.table.dates(column) > today).sum()) if column else 0
            if late:
                why = f"{late} rows are dated after today; mend them, or the table is refused"
                notebook.note(f"sources.{role.name}.file", role.table.file, f"{column}: {why}")
    return days


def _settle_dates(roles: list[Role], outcome: Word, extracted: Mapping[str, dt.date], notebook: Notebook) -> Timetable:
    """The horizon, and the as-of dates and split that go with it."""
    stand = extracted[outcome.role.name]
    facts = pl.concat([role.facts() for role in roles if role.holds_facts]).filter(pl.col("known_date") <= stand)
    own = outcome.role.facts().filter(pl.col("known_date") <= stand)
    own = own.filter(pl.col("kind") == outcome.kind) if outcome.kind is not None else own
    lag = _lag(own, outcome.role, notebook)
    plan = plan_timetable(facts, own["event_date"], stand, lag)

    def accept(answer: str) -> Timetable:
        asked = Period.parse(answer)
        if not asked.amount:
            raise ValueError("a horizon has a length, such as 6 months")
        return plan if asked == plan.horizon else plan_timetable(facts, own["event_date"], stand, lag, asked)

    why = f"the longest that leaves as-of dates with the gap (records up to {stand})"
    words = "How far ahead do we look, such as 6 months?"
    plan = notebook.settle(Question("outcome.horizon", words, str(plan.horizon)), why, accept=accept)
    why = "so that every outcome is over by the last date in the data; enough records before the first"
    notebook.note(
        "cohort.as_of_dates", f"{plan.dates[0]} to {plan.dates[-1]}, every {Period(plan.every, 'month')}", why
    )
    notebook.note(
        "split.test", f"last {plan.tests}", f"leaves dates to learn from before each, of {len(plan.dates)}", True
    )
    why = (
        "a later slice leaves dates to fit on"
        if plan.calibrate == "later"
        else "a later slice would leave no date to fit on"
    )
    notebook.note("split.calibrate", plan.calibrate, why, True)
    return plan


def _lag(facts: pl.DataFrame, role: Role, notebook: Notebook) -> Period:
    if role.known_date is None:
        notebook.note(
            "outcome.lag", str(UNKNOWN_LAG), "no column says when it became known; how late are records entered?"
        )
        return UNKNOWN_LAG
    late = (facts["known_date"] - facts["event_date"]).dt.total_days().quantile(0.95, "higher")
    lag = Period(int(late or 0), "day")
    notebook.note(
        "outcome.lag", str(lag), f"19 of 20 were known by then ({role.known_date} after {role.event_date})", True
    )
    return lag


# ---------------------------------------------------------------- study.yaml


def _study(
    name: str, question: str | None, roles: list[Role], words: list[Word], outcome: Word, plan: Timetable, today: dt.date,
    extracted_on: dt.date, notebook: Notebook,
) -> dict[str, Any]:  # fmt: skip
    if question is None:
        question = f"Who should be offered help before {outcome.words} is recorded?"
        notebook.note("question", question, "made from the outcome; write the question that you are asked")
    purpose = notebook.settle(
        Question(
            "purpose",
            "Is being listed an offer of help (assistive), unwelcome (punitive), or both (mixed)?",
            "assistive",
            PURPOSES,
        ),
        "a guess; there is no safe one: assistive | punitive | mixed",
    )
    capacity = notebook.settle(
        Question("capacity", "How many places are there: a number such as 200, or a share such as 5%?", "5%"),
        "a guess: how many people can be offered help on one day?",
        accept=_capacity,
    )
    notebook.note(
        "level", level_of(outcome.role.entity), f"from the name {outcome.role.entity}: person | household | place", True
    )
    lines = features_of(words, roles)
    notebook.note("features", f"{len(lines)} lines", "drafted from column names; keep what makes sense and may be used")
    return {
        "schema": 1, "study": name, "title": name.replace("_", " ").capitalize(), "question": text.one_line(question),
        "seed": int(today.strftime("%Y%m%d")),
        "purpose": purpose, "level": level_of(outcome.role.entity), "clock": "calendar",
        "sources": {role.name: _source(role) for role in roles},
        "facts": {word.name: word.line for word in words},
        "cohort": _cohort(roles, words, plan, notebook),
        "outcome": _outcome(roles, words, outcome, plan, notebook),
        "features": lines,
        "split": _split(plan),
        "models": {
            "candidates": {
                "single_best_column": {}, "points": {"most": 6}, "logistic": {"c": 1.0},
                "lightgbm": {"trees": 120, "leaves": 15, "learning_rate": 0.05, "min_rows_in_leaf": 40},
            },
            "calibrator": "sigmoid", "choose_by": "brier_score", "current_practice": None,
        },
        "breaks": [], "capacity": capacity, "service_rules": [],
        "bands": {"lower": 0.0, "raised": 0.2, "high": 0.5}, "thresholds": [0.2, 0.3, 0.5],
        "protected": protected_of(roles, extracted_on, notebook), "not_audited": {},
        "fairness": {"policy": "default"}, "disclosure": "sro-10",
        "floors": {"oe_ratio": [0.8, 1.25], "gain_over_baselines": 0.0}, "accepted": {},
    }  # fmt: skip


def _capacity(answer: str) -> dict[str, Any]:
    number = float(answer.removesuffix("%").strip())
    if answer.endswith("%"):
        number /= 100
    if 0 < number < 1:
        return {"share": round(number, 6)}
    if answer.endswith("%") or number < 1 or number != int(number):
        raise ValueError("places are a whole number such as 200, or a share such as 5%")
    return {"places": int(number)}


def _source(role: Role) -> dict[str, Any]:
    line: dict[str, Any] = {"file": role.table.file, "entity": role.entity}
    if role.holds_facts:
        line |= {"event_date": role.event_date, "known_date": role.known_date}
        line |= {"kind": role.kind} if role.kind else {}
    elif role.known_date:
        line["known_date"] = role.known_date
    return line | ({"use": "audit"} if role.audit else {})


def _any_record(words: list[Word], last: str | None) -> dict[str, Any]:
    """Somebody has any record at all, in the last so many months or in the window that is looked at."""
    each = [{"any": word.name} | ({"last": last} if last else {}) for word in words if word.kind is None]
    return each[0] if len(each) == 1 else {"any_of": each}


def _followed_until(roles: list[Role]) -> str | None:
    """A date up to which each one was followed, recorded for everybody."""
    for role in roles:
        for column in role.table.columns.values():
            full = column.holds == "date" and not column.missing and "." not in column.name
            if full and column.says(FOLLOWED_WORDS) and not role.audit and not role.holds_facts:
                return f"{role.name}.{column.name}"
    return None


def _cohort(roles: list[Role], words: list[Word], plan: Timetable, notebook: Notebook) -> dict[str, Any]:
    steps: list[dict[str, Any]] = [{"step": f"has a record in the last {LAST}", "keep": _any_record(words, LAST)}]
    notebook.note(
        "cohort.steps[0]", str(steps[0]["step"]), "a guess at who is about; who is eligible? Drop who left or died"
    )
    until = _followed_until(roles)
    if until:
        steps.append({"step": "still followed on the day", "keep": {"attribute": until, "at_least": "as_of"}})
        notebook.note("cohort.steps[1]", until, "its name says how long each one was followed")
    cluster = _cluster(roles)
    why = "a column that names a household: its members stay together" if cluster else "no column names a household"
    notebook.note("cohort.cluster", cluster or "none", why, True)
    every = str(Period(plan.every, "month"))
    dates: Any = (
        {"first": plan.dates[0], "last": plan.dates[-1], "every": every} if len(plan.dates) > 2 else list(plan.dates)
    )
    return {"as_of_dates": dates, "steps": steps, "cluster": cluster}


def _cluster(roles: list[Role]) -> str | None:
    for role in roles:
        for column in role.table.columns.values():
            usable = column.holds in ("text", "number") and column.name not in role.keys and "." not in column.name
            if usable and column.says(HOUSEHOLD_WORDS) and column.id_like and not role.audit and not role.holds_facts:
                return f"{role.name}.{column.name}"
    return None


def _outcome(
    roles: list[Role], words: list[Word], outcome: Word, plan: Timetable, notebook: Notebook
) -> dict[str, Any]:
    until = _followed_until(roles)
    known = {"followed_until": until} if until else _any_record(words, None)
    why = (
        "followed to the end of the horizon"
        if until
        else "any record in the horizon; nobody without one is counted as no"
    )
    notebook.note("outcome.known", until or "any record", f"{why}. When do you know that it did not happen?")
    notebook.note("outcome.measures", "service", "the careful guess: need | service (a contact or a decision)")
    said = f"has a record of {outcome.words} within {plan.horizon}"
    notebook.note("outcome.words", said, "as you would say it, after 'somebody who'")
    return {
        "name": slug(f"{outcome.name} within {plan.horizon}", "outcome"), "words": said, "measures": "service",
        "happens": {"any": outcome.name}, "known": known, "horizon": str(plan.horizon), "lag": str(plan.lag),
    }  # fmt: skip


def _split(plan: Timetable) -> dict[str, Any]:
    line: dict[str, Any] = {"test": {"last": plan.tests}, "calibrate": plan.calibrate}
    if plan.calibrate == "grouped":
        line["why_grouped"] = (
            f"With a horizon of {plan.horizon} and {len(plan.dates)} as-of dates, a later slice leaves no date to fit on."
        )
    return line


# ---------------------------------------------------------------- the files


def _files(
    study: dict[str, Any],
    roles: list[Role],
    left_out: list[str],
    extracted: Mapping[str, dt.date],
    today: dt.date,
    notebook: Notebook,
) -> dict[str, bytes]:
    notes = {
        found.path: text.CHECK + found.why for found in notebook.guesses if found.path not in ("features", "sources")
    }
    audited = {line["law"] for line in study["protected"].values()}
    remarks = list(left_out)
    undated = undated_columns(roles)
    if undated:
        shown = ", ".join(undated[:8]) + (", ..." if len(undated) > 8 else "")
        remarks.append(f"Not used as features, since nothing says when they were recorded: {shown}.")
    entries = {
        role.name: text.register_entry(
            plain(role.name), level_of(role.entity), extracted[role.name], described_columns(role), role.audit
        )
        for role in roles
    }
    guesses = [(found.path, found.value, found.why, found.sure) for found in notebook.guesses]
    written = {
        "study.yaml": text.study_text(study, notes, remarks, [law for law in PROTECTED_BY_LAW if law not in audited]),
        "register.yaml": text.register_text(entries),
        "answers.yaml": text.answers_text(),
        "README.md": text.readme_text(study["title"], study["question"], today, guesses, study["study"]),
    }
    return {file: content.encode() for file, content in written.items()}
