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
from riskmodels.data.drafting.asking import Guess, Notebook, Question
from riskmodels.data.drafting.features import Word, described_columns, name_facts, undated_columns
from riskmodels.data.drafting.guess import level_of
from riskmodels.data.drafting.names import EXIT_WORDS, plain, slug, words_of
from riskmodels.data.drafting.sections import Settled, study_sections
from riskmodels.data.drafting.tables import Role, find_roles, look_at_tables
from riskmodels.data.drafting.timetable import Timetable, plan_timetable
from riskmodels.errors import DataError, UsageError
from riskmodels.study import PROTECTED_BY_LAW, Period, parse_study_file

__all__ = ["Draft", "Guess", "Question", "draft_study"]

ENOUGH_PEOPLE = 50  # with an outcome, for it to be guessed
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
        for a name that is none, or after several answers that cannot be used.
    DataError
        if no table says whom or when its rows are about, or the records cover too short a time.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,79}", name):
        better = slug(name, "study")
        raise UsageError(f"{name!r} cannot name a study; use small letters, digits and underscores, such as {better}")
    notebook = Notebook(answers)
    roles, remarks = find_roles(look_at_tables({file: _polars(frame) for file, frame in files.items()}), notebook)
    words = name_facts(roles, notebook)
    outcome = _settle_outcome(words, notebook)
    extracted = _extracted_on(roles, outcome, today, notebook)
    stand = extracted[outcome.role.name]
    plan = _settle_dates(roles, outcome, stand, notebook)
    study = study_sections(Settled(name, question, roles, words, outcome, plan, stand, today), notebook)
    parse_study_file(study, "the drafted study.yaml")
    return Draft(_files(study, roles, remarks, extracted, today, notebook), tuple(notebook.guesses))


def _polars(frame: Any) -> pl.DataFrame:
    if isinstance(frame, pl.DataFrame):
        return frame
    table: pl.DataFrame = nw.from_native(frame, eager_only=True).to_polars()
    return table


# ---------------------------------------------------------------- what, and when


def _settle_outcome(words: list[Word], notebook: Notebook) -> Word:
    """The rarest kind that enough people have, unless somebody says which."""
    with_kinds = {word.role.name for word in words if word.kind is not None}
    choices = {word.name: word for word in words if word.kind is not None or word.role.name not in with_kinds}
    usual = [word for word in choices.values() if EXIT_WORDS.isdisjoint(words_of(word.name))]
    enough = [word for word in usual if word.people >= ENOUGH_PEOPLE]
    guess, why = max(usual or choices.values(), key=lambda word: word.people), "the commonest; few people have any"
    if enough:
        guess = min(enough, key=lambda word: (word.people, word.name))
        why = f"the rarest of those that at least {ENOUGH_PEOPLE} people have"
    asked = Question("outcome.happens", "Which of these is to be predicted?", guess.name, tuple(choices))
    return choices[notebook.ask(asked, f"{why}; what is to be predicted?")]


def _extracted_on(roles: list[Role], outcome: Word, today: dt.date, notebook: Notebook) -> dict[str, dt.date]:
    """The last day of each table.

    For the outcome's table it is its own last day, since outcomes stop being recorded there; the others were taken at
    the same time at the earliest.
    """
    days = {role.name: day for role in roles if (day := role.latest(today)) is not None}
    if outcome.role.name not in days:
        raise DataError(f"{outcome.role.table.file}: every date lies after today ({today}); check its dates")
    last = max(days[role.name] for role in roles if role.name in days and not role.audit)
    for role in roles:
        if role.name != outcome.role.name:
            days[role.name] = max(last, days.get(role.name, last))
        for column in (role.event_date, role.known_date):
            late = int((role.table.dates(column) > today).sum()) if column else 0
            if late:
                why = f"{late} rows of {column} are dated after today; mend them, or the table is refused"
                notebook.note(f"sources.{role.name}.file", role.table.file, why)
    return days


def _settle_dates(roles: list[Role], outcome: Word, stand: dt.date, notebook: Notebook) -> Timetable:
    """The lag, the horizon, and the as-of dates and split that go with them."""
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

    question = Question("outcome.horizon", "How far ahead do we look, such as 6 months?", str(plan.horizon))
    why = f"the longest that leaves enough dates (records up to {stand})"
    return notebook.settle(question, why, False, accept)


def _lag(facts: pl.DataFrame, role: Role, notebook: Notebook) -> Period:
    """The 95th percentile of the days from happening to being known."""
    if role.known_date is None:
        why = "no column says when it became known; how late are records entered?"
        notebook.note("outcome.lag", str(UNKNOWN_LAG), why)
        return UNKNOWN_LAG
    late = (facts["known_date"] - facts["event_date"]).dt.total_days().quantile(0.95, "higher")
    lag = Period(int(late or 0), "day")
    notebook.note("outcome.lag", str(lag), f"by then 19 of 20 were known ({role.known_date})", True)
    return lag


# ---------------------------------------------------------------- the files


def _files(
    study: dict[str, Any],
    roles: list[Role],
    remarks: list[str],
    extracted: Mapping[str, dt.date],
    today: dt.date,
    notebook: Notebook,
) -> dict[str, bytes]:
    undated = undated_columns(roles)
    if undated:
        more = ", ..." if len(undated) > 8 else ""
        line = f"Not used as features, since nothing says when they were recorded: {', '.join(undated[:8])}{more}."
        remarks = [*remarks, line]
    # These two are said in the headings.
    notes = {
        guess.path: text.CHECK + guess.why for guess in notebook.guesses if guess.path not in ("features", "sources")
    }
    audited = {line["law"] for line in study["protected"].values()}
    unsaid = [law for law in PROTECTED_BY_LAW if law not in audited]
    entries = {
        role.name: text.register_entry(
            plain(role.name), level_of(role.entity), extracted[role.name], described_columns(role), role.audit
        )
        for role in roles
    }
    written = {
        "study.yaml": text.study_text(study, notes, remarks, unsaid),
        "register.yaml": text.register_text(entries),
        "answers.yaml": text.answers_text(),
        "README.md": text.readme_text(study["title"], study["question"], today, notebook.guesses),
    }
    return {file: content.encode() for file, content in written.items()}
