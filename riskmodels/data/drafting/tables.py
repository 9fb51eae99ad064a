"""What each table is for: who, when and what its rows are about, guessed or asked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePath

import polars as pl

from riskmodels.data.drafting import guess
from riskmodels.data.drafting.asking import NONE, Notebook, Question
from riskmodels.data.drafting.guess import RawTable
from riskmodels.data.drafting.names import slug
from riskmodels.data.headers import refuse_lost_header
from riskmodels.errors import DataError

WELL_COVERED = 0.5


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

    @property
    def undated(self) -> bool:
        return self.event_date is None and self.known_date is None

    def facts(self) -> pl.DataFrame:
        """entity_id, event_date, known_date and kind of every fact whose dates are recorded."""
        assert self.event_date is not None
        event = self.table.dates(self.event_date)
        known = self.table.dates(self.known_date) if self.known_date else event
        who = self.table.frame[self.entity].cast(pl.String)
        kind = self.table.frame[self.kind] if self.kind else pl.repeat(None, len(who), eager=True)
        columns = {"entity_id": who, "event_date": event, "known_date": known, "kind": kind.cast(pl.String)}
        return pl.DataFrame(columns).drop_nulls(["event_date", "known_date"])

    def latest(self, today: dt.date) -> dt.date | None:
        """The last day, not after today, that the table speaks of."""
        columns = [column for column in (self.event_date, self.known_date) if column]
        days = [self.table.dates(column) for column in columns]
        return max(
            (day for column in days if isinstance(day := column.filter(column <= today).max(), dt.date)), default=None
        )


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
        refuse_lost_header(file, frame.columns)
        name = slug(path.stem, "table", taken=[table.name for table in tables])
        tables.append(RawTable(file, name, frame, {column.name: guess.look_at(column) for column in frame}))
    return tables


def find_roles(tables: Iterable[RawTable], notebook: Notebook) -> tuple[list[Role], list[str]]:
    """The tables that can be used, and a line about each thing that is wrong with the others.

    Raises
    ------
    DataError
        if no table says whom its rows are about, or none has a date on which something happened.
    """
    tables, remarks, roles = list(tables), [], []
    ids = guess.guess_ids(tables)
    if not any(ids.values()):
        raise DataError(_no_ids(tables))
    for table in tables:
        entity = _settle_entity(table, ids[table.name], notebook)
        if entity is None:
            remarks.append(f"{table.file} is left out: no column says whom a row is about.")
            continue
        role = _settle_dates(table, entity, notebook)
        if role.undated and not table.one_row_each(entity):
            why = f"it has several rows for one {entity}, and no date says when each was so"
            remarks.append(f"{table.file} is left out: {why}.{_mend(table)}")
            continue
        roles.append(_settle_kind(role, notebook) if role.holds_facts else role)
    if not any(role.holds_facts for role in roles):
        raise DataError(
            "no table says when something happened: a study needs at least one table with a row for each event, the id "
            f"of the person and a date such as 2024-06-30.{''.join(_mend(table) for table in tables)}"
        )
    roles, more = _linked(roles)
    for line in (*remarks, *more):
        notebook.note("sources", "see there", line)
    return roles, [*remarks, *more]


def _no_ids(tables: Iterable[RawTable]) -> str:
    for table in tables:
        for column in table.columns.values():
            if column.id_like and column.decimals:
                where = f"{table.file}, column {column.name!r}"
                return f"{where}: ids were read as decimals, which loses digits; store them as text"
    files = ", ".join(table.file for table in tables)
    return (
        f"{files}: no column says whom a row is about; each table needs an id, such as person_id, written alike in all"
    )


def _mend(table: RawTable) -> str:
    strange = [column.name for column in table.columns.values() if column.other_dates]
    return f" In {table.file}, write {', '.join(strange)} like 2024-06-30." if strange else ""


# ---------------------------------------------------------------- one table


def _settle_entity(table: RawTable, found: tuple[str, bool] | None, notebook: Notebook) -> str | None:
    value, sure = found or (NONE, False)
    why = "its name says so, and other tables share its ids" if sure else "the likeliest by its name and values"
    why = why if found else "no column looks like an id"
    possible = [c.name for c in table.columns.values() if c.holds in ("text", "number") and not c.decimals]
    words = f"Which column of {table.file} says whom a row is about?"
    entity = notebook.ask(Question(f"sources.{table.name}.entity", words, value, (*possible, NONE)), why, sure)
    return None if entity == NONE else entity


def _settle_dates(table: RawTable, entity: str, notebook: Notebook) -> Role:
    dates = [column.name for column in table.columns.values() if column.holds == "date"]
    audit, event = guess.only_for_audit(table, entity), None
    if audit:
        why = "it holds protected characteristics only; `score` never reads it"
        notebook.note(f"sources.{table.name}.use", "audit", why, True)
    elif dates:
        found = guess.guess_event_date(table, entity)
        value, sure = found or (NONE, True)
        why = "its name says so, or it is the only date" if sure else "the likeliest of several dates"
        why = why if found else "one row for each, so the table describes people"
        words = f"Which column of {table.file} says when it happened?"
        event = notebook.ask(Question(f"sources.{table.name}.event_date", words, value, (*dates, NONE)), why, sure)
        event = None if event == NONE else event
    if event is None and table.one_row_each(entity):
        return Role(table, entity, audit=audit)
    known = _settle_known(table, event, [name for name in dates if name != event], notebook)
    return Role(table, entity, event, known, audit=audit)


def _settle_known(table: RawTable, event: str | None, dates: list[str], notebook: Notebook) -> str | None:
    path = f"sources.{table.name}.known_date"
    if not dates:
        if event:
            notebook.note(path, NONE, "no other date, so the day it happened is taken; when did you know?")
        return None

    def accept(answer: str) -> str | None:
        if answer == NONE:
            return None
        early = int((table.dates(answer) < table.dates(event)).sum()) if event else 0
        if early:
            raise ValueError(f"{answer} lies before {event} in {early} rows, and nothing is known before it happens")
        return answer

    value, sure, wrong = guess.guess_known_date(table, event)
    why = "its name says so" if sure else "the only date left"
    if value is None:
        why = "no name says so; the day it happened is taken"
        why = f"a date that says so lies before {event} in {wrong} rows; mend them" if wrong else why
    words = f"Which column of {table.file} says when it became known?"
    return notebook.settle(Question(path, words, value or NONE, (*dates, NONE)), why, sure and bool(value), accept)


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
    named = bool(likely) and role.table.columns[likely[0]].says({"kind", "type"})
    why = "few different words, and its name says so" if named else "few different words in nearly every row"
    why = why if likely else "no column has few different words in nearly every row"
    words = f"Which column of {role.table.file} says what happened?"
    choices = (*likely, *others, NONE)
    kind = notebook.ask(Question(f"sources.{role.name}.kind", words, (*likely, NONE)[0], choices), why, named)
    return role if kind == NONE else replace(role, kind=kind)


# ---------------------------------------------------------------- all tables


def _linked(roles: list[Role]) -> tuple[list[Role], list[str]]:
    """The tables that share ids with the largest table of facts; and a line about those that share none, or few."""
    main = max(roles, key=lambda role: (role.holds_facts, role.table.frame.height))
    ids = main.table.ids(main.entity)
    kept, remarks = [], []
    for role in roles:
        shared = role.table.ids(role.entity).join(ids, on="entity_id", how="semi").height
        if not shared:
            why = f"none of its ids ({role.entity}) stands in {main.table.file} ({main.entity}); write ids alike"
            remarks.append(f"{role.table.file} is left out: {why}.")
            continue
        if role.undated and not role.audit and shared < WELL_COVERED * ids.height:
            share = f"{100 * shared / ids.height:.0f} in 100 of those in {main.table.file}"
            remarks.append(f"Only {share} stand in {role.table.file}; the others are not ranked.")
        kept.append(role)
    return kept, remarks
