"""What each table is for: who, when and what its rows are about, guessed or asked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import TypeVar

import polars as pl

from riskmodels.data.drafting import guess
from riskmodels.data.drafting.guess import RawTable
from riskmodels.errors import DataError, RiskModelsError, UsageError

NONE = "none"
TRIES = 3
Settled = TypeVar("Settled")


# ---------------------------------------------------------------- asking


@dataclass(frozen=True)
class Question:
    """Something that matters enough to ask. ``choices`` is empty where any text will do."""

    path: str  # where the answer will stand in study.yaml
    words: str
    guess: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Guess:
    """Something that nobody said. ``sure``: the columns leave little doubt."""

    path: str
    value: str
    why: str
    sure: bool


@dataclass
class Notebook:
    """Asks if there is somebody to ask, and keeps what had to be guessed."""

    answers: Callable[[Question], str] | None
    guesses: list[Guess] = field(default_factory=list)

    def note(self, path: str, value: str, why: str, sure: bool = False) -> None:
        self.guesses.append(Guess(path, value, why, sure))

    def settle(
        self, question: Question, why: str, sure: bool = False, accept: Callable[[str], Settled] = str
    ) -> Settled:  # type: ignore[assignment]
        """The answer, or the guess where nobody answers. An answer that cannot be used is asked for again, with the reason.

        Raises
        ------
        UsageError
            after `TRIES` answers that cannot be used.
        """
        problem, answers = "", self.answers
        for _ in range(TRIES if answers else 0):
            assert answers is not None  # noqa: S101 - for the type checker; the range is empty otherwise
            answer = answers(replace(question, words=f"{problem}{question.words}")).strip()
            if not answer:
                break
            if question.choices and answer not in question.choices:
                problem = f"{answer!r} is not one of {', '.join(question.choices)}. "
                continue
            try:
                return accept(answer)
            except (ValueError, RiskModelsError) as error:
                problem = f"{error}. "
        else:
            if answers:
                raise UsageError(f"{question.path}: {problem}{question.words}")
        self.note(question.path, question.guess, why, sure)
        return accept(question.guess)


# ---------------------------------------------------------------- tables


@dataclass(frozen=True)
class Role:
    """A table and what its columns are for. With an event date it holds facts, otherwise it describes people."""

    table: RawTable
    entity: str
    event_date: str | None = None
    known_date: str | None = None
    kind: str | None = None
    audit: bool = False

    @property
    def name(self) -> str:
        return self.table.name

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(key for key in (self.entity, self.event_date, self.known_date, self.kind) if key)

    @property
    def holds_facts(self) -> bool:
        return self.event_date is not None

    def facts(self) -> pl.DataFrame:
        """entity_id, event_date, known_date and kind of every fact whose dates are recorded."""
        assert self.event_date is not None  # noqa: S101 - asked of tables of facts only
        event = self.table.dates(self.event_date)
        known = self.table.dates(self.known_date) if self.known_date else event
        who = self.table.frame[self.entity].cast(pl.String)
        kind = (
            self.table.frame[self.kind].cast(pl.String)
            if self.kind
            else pl.repeat(None, len(who), dtype=pl.String, eager=True)
        )
        columns = {"entity_id": who, "event_date": event, "known_date": known, "kind": kind}
        return pl.DataFrame(columns).drop_nulls(["event_date", "known_date"])


def look_at_tables(files: Mapping[str, pl.DataFrame]) -> list[RawTable]:
    """Raises DataError for a file that a study could not read."""
    if not files:
        raise DataError("no tables were given; name the .parquet or .csv files that the study is to use")
    tables: list[RawTable] = []
    for file, frame in files.items():
        path = PurePath(file)
        if path.suffix not in (".parquet", ".csv") or path.is_absolute() or ".." in path.parts:
            raise DataError(f"{file}: a table is a .parquet or .csv file, named relative to the data folder")
        if frame.height == 0 or frame.width == 0:
            raise DataError(f"{file}: has no rows")
        name = guess.slug(path.stem, "table", taken=(table.name for table in tables))
        tables.append(
            RawTable(file, name, frame, {column.name: guess.look_at(column) for column in frame.iter_columns()})
        )
    return tables


def find_roles(tables: Iterable[RawTable], notebook: Notebook) -> tuple[list[Role], list[str]]:
    """The tables that can be used, and a line for each that cannot.

    Raises
    ------
    DataError
        if no table says whom its rows are about, or none has a date on which something happened.
    """
    tables, left_out = list(tables), []
    ids = guess.guess_ids(tables)
    if not any(ids.values()):
        raise DataError(_no_ids(tables))
    roles = []
    for table in tables:
        entity = _settle_entity(table, ids[table.name], notebook)
        if entity is None:
            left_out.append(f"{table.file} is left out: no column says whom a row is about.")
            continue
        role = _settle_dates(table, entity, notebook)
        if role.event_date is None and role.known_date is None and not table.one_row_each(entity):
            left_out.append(
                f"{table.file} is left out: it has several rows for one {entity} and no date to order them by.{_mend(table)}"
            )
            continue
        roles.append(_settle_kind(role, notebook) if role.holds_facts else role)
    roles, strangers = _linked(roles)
    left_out += strangers
    if not any(role.holds_facts for role in roles):
        mend = "".join(sorted({_mend(table) for table in tables}))
        raise DataError(
            "no table says when something happened: a study needs at least one table with a row for each event, the id of "
            f"the person and a date such as 2024-06-30.{mend}"
        )
    for line in left_out:
        notebook.note("sources", "left out", line)
    return roles, left_out


def _no_ids(tables: Iterable[RawTable]) -> str:
    files = ", ".join(table.file for table in tables)
    for table in tables:
        for column in table.columns.values():
            if column.id_like and column.decimals:
                return f"{table.file}, column {column.name!r}: ids were read as decimals, which loses digits; store them as text"
    return f"{files}: no column says whom a row is about; each table needs an id, such as person_id, written alike in every table"


def _mend(table: RawTable) -> str:
    strange = [column.name for column in table.columns.values() if column.other_dates]
    return f" ({table.file}: {', '.join(strange)} should be written as 2024-06-30.)" if strange else ""


def _settle_entity(table: RawTable, found: tuple[str, bool] | None, notebook: Notebook) -> str | None:
    choices = [
        column.name for column in table.columns.values() if column.holds in ("text", "number") and not column.decimals
    ]
    value, sure = found or (NONE, False)
    why = "its name says so, and other tables share its ids" if sure else "the likeliest by its name and values"
    why = why if found else "no column looks like an id"
    path, words = f"sources.{table.name}.entity", f"Which column of {table.file} says whom a row is about?"
    entity = notebook.settle(Question(path, words, value, (*choices, NONE)), why, sure)
    return None if entity == NONE else entity


def _settle_dates(table: RawTable, entity: str, notebook: Notebook) -> Role:
    dates = [column.name for column in table.columns.values() if column.holds == "date"]
    audit = guess.only_for_audit(table, entity)
    if audit:
        notebook.note(
            f"sources.{table.name}.use",
            "audit",
            "it holds protected characteristics only; `score` never reads it",
            True,
        )
    event = None
    if dates and not audit:
        found = guess.guess_event_date(table, entity)
        value, sure = found or (NONE, True)
        why = "its name says so, or it is the only date" if sure else "the likeliest of several dates"
        why = why if found else "a row for each one, so the table describes people"
        path, words = f"sources.{table.name}.event_date", f"Which column of {table.file} says when it happened?"
        event = notebook.settle(Question(path, words, value, (*dates, NONE)), why, sure)
        event = None if event == NONE else event
    known = _settle_known(table, entity, event, [name for name in dates if name != event], audit, notebook)
    return Role(table, entity, event, known, audit=audit)


def _settle_known(
    table: RawTable, entity: str, event: str | None, dates: list[str], audit: bool, notebook: Notebook
) -> str | None:
    path, words = f"sources.{table.name}.known_date", f"Which column of {table.file} says when it became known?"
    if event is None and table.one_row_each(entity):
        return None
    value, sure, wrong = guess.guess_known_date(table, event)
    if not dates:
        if event:
            notebook.note(path, NONE, "no column says when a fact became known; the day it happened is taken")
        return None

    def accept(answer: str) -> str | None:
        if answer == NONE:
            return None
        early = int((table.dates(answer) < table.dates(event)).sum()) if event else 0
        if early:
            raise ValueError(f"{answer} lies before {event} in {early} rows, and nothing is known before it happens")
        return answer

    why = "its name says so" if sure else "the only date left"
    if value is None:
        why = (
            f"a date that says so lies before {event} in {wrong} rows"
            if wrong
            else "no name says so; the day it happened is taken"
        )
    return notebook.settle(
        Question(path, words, value or NONE, (*dates, NONE)), why, sure and value is not None, accept
    )


def _settle_kind(role: Role, notebook: Notebook) -> Role:
    likely = [column.name for column in guess.kind_columns(role.table, role.keys)]
    others = [
        column.name
        for column in role.table.columns.values()
        if column.holds == "text"
        and column.distinct <= 10 * guess.MOST_KINDS
        and column.name not in (*role.keys, *likely)
    ]
    if not likely and not others:
        return role
    named = [name for name in likely if role.table.columns[name].says({"kind", "type"})]
    why = "few different words, and its name says so" if named[:1] == likely[:1] else "few different words in every row"
    why = why if likely else "no column has few different words in every row"
    path, words = f"sources.{role.name}.kind", f"Which column of {role.table.file} says what happened?"
    kind = notebook.settle(Question(path, words, [*likely, NONE][0], (*likely, *others, NONE)), why, bool(named))
    return role if kind == NONE else replace(role, kind=kind)


def _linked(roles: list[Role]) -> tuple[list[Role], list[str]]:
    """The roles that share ids with the largest one, which is a table of facts if there is one."""
    if not roles:
        return [], []
    main = max(roles, key=lambda role: (role.holds_facts, role.table.frame.height))
    ids = main.table.ids(main.entity)
    kept, strangers = [], []
    for role in roles:
        shared = role.table.ids(role.entity).join(ids, on="entity_id", how="semi").height
        if shared:
            kept.append(role)
        else:
            strangers.append(
                f"{role.table.file} is left out: none of its ids ({role.entity}) stands in {main.table.file} ({main.entity}). Write ids alike."
            )
    return kept, strangers


def latest(role: Role, today: dt.date) -> dt.date | None:
    """The last day, not after today, that a table speaks of."""
    columns = [column for column in (role.event_date, role.known_date) if column]
    days = [role.table.dates(column).drop_nulls() for column in columns]
    found = [day.filter(day <= today).max() for day in days]
    return max((day for day in found if isinstance(day, dt.date)), default=None)
