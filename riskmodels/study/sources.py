"""Sources, and the facts (words) that are made from their rows."""

from __future__ import annotations

import datetime as dt
import math
import re
import zoneinfo
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainValidator, field_validator, model_validator

from riskmodels.study.section import Column, Section, Slug, one_or_many

DATABASE_FILES = (".duckdb", ".sqlite", ".db")


class Link(Section):
    """How another agency's records were matched to ours. Matches are taken as they were made, never made here.

    Either ``flag``, a column of our own that is true for whoever was matched; or ``through``, a source that holds our
    ids and theirs (``id``), a row for each match, with its status and confidence. People without an accepted match are
    *not linked*: of them that source says nothing, which is never the same as "no events".
    """

    flag: Column | None = None
    through: Slug | None = None
    id: str | None = None
    status: str | None = None
    accept: Annotated[tuple[str, ...], BeforeValidator(one_or_many)] = ()
    confidence: str | None = None
    at_least: float | None = Field(None, ge=0, le=1)

    @model_validator(mode="after")
    def _one_way(self) -> Link:
        if (self.flag is None) == (self.through is None):
            raise ValueError("say either 'flag' (a column of ours) or 'through' (a source of matches)")
        if self.flag and any((self.id, self.status, self.accept, self.confidence, self.at_least)):
            raise ValueError("a link by flag has no other keys")
        if self.through and not self.id:
            raise ValueError("a link through a source names the column of its ids: id")
        if bool(self.status) != bool(self.accept):
            raise ValueError("status and accept (the statuses that count) go together")
        if bool(self.confidence) != (self.at_least is not None):
            raise ValueError("confidence and at_least go together")
        return self


class Source(Section):
    """One table: a file of the data folder, a table in a database file, or a table of a database server."""

    file: str | None = None
    database: str | None = None  # the environment variable that holds the connection: no password in a study
    table: str | None = None
    entity: str
    event_date: str | None = None
    known_date: str | None = None
    kind: str | None = None
    time_zone: str | None = None
    use: Literal["model", "audit"] = "model"
    level: Literal["person", "household", "place"] | None = None  # whose ids it holds; the study's level unless said
    link: Link | None = None
    consented: bool = False

    @property
    def name_of_file(self) -> str:
        """What a message calls it."""
        where = self.file or f"${self.database}"
        return f"{where}, table {self.table}" if self.table else where

    @field_validator("file")
    @classmethod
    def _inside_the_data_folder(cls, value: str | None) -> str | None:
        if value and (Path(value).is_absolute() or ".." in Path(value).parts):
            raise ValueError("a source's file is a relative path inside the data folder (--data)")
        return value

    @field_validator("database")
    @classmethod
    def _a_variable(cls, value: str | None) -> str | None:
        if value and not re.fullmatch(r"[A-Z][A-Z0-9_]*", value):
            raise ValueError(
                "names the environment variable that holds the connection, such as CASES_DATABASE, not the connection"
            )
        return value

    @field_validator("time_zone")
    @classmethod
    def _a_zone(cls, value: str | None) -> str | None:
        if value and value not in zoneinfo.available_timezones():
            raise ValueError("no such time zone; it reads like Europe/London")
        return value

    @model_validator(mode="after")
    def _one_place(self) -> Source:
        if (self.file is None) == (self.database is None):
            raise ValueError("say either 'file' or 'database' (an environment variable that holds the connection)")
        in_database = self.database or Path(str(self.file)).suffix in DATABASE_FILES
        if bool(in_database) != bool(self.table):
            raise ValueError("a database needs 'table'; a .csv or .parquet file has none")
        return self


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _bound(value: Any) -> float | dt.date | str | None:
    if value is None or type(value) is dt.date:
        return value
    if value == "as_of":
        return "as_of"
    if is_number(value):
        return float(value)
    try:
        return dt.date.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError("a limit is a number, a date such as 2024-06-30, or as_of") from None


def _scalar(value: Any) -> str | float | bool | None:
    if value is None or isinstance(value, (str, bool)):
        return value
    if is_number(value):
        return float(value)
    raise ValueError("is one word, one number, true or false; for several words use one_of")


Bound = Annotated[float | dt.date | str | None, PlainValidator(_bound)]
Scalar = Annotated[str | float | bool | None, PlainValidator(_scalar)]


class Condition(Section):
    """What a column must satisfy; several keys must all hold."""

    at_most: Bound = None
    at_least: Bound = None
    below: Bound = None
    above: Bound = None
    equals: Scalar = None
    one_of: tuple[str, ...] | None = None
    none_of: tuple[str, ...] | None = None

    @property
    def asked(self) -> dict[str, Any]:
        names = ("at_most", "at_least", "below", "above", "equals", "one_of", "none_of")
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}

    @property
    def holds(self) -> str:
        """What the column must hold for the question to make sense: number, date or text."""
        return _sort_of(next(iter(self.asked.values())))

    @model_validator(mode="after")
    def _asks_one_thing(self) -> Condition:
        if not self.asked:
            raise ValueError("a condition needs one of at_most, at_least, below, above, equals, one_of, none_of")
        if len({_sort_of(value) for value in self.asked.values()}) > 1:
            raise ValueError("a condition asks for numbers, for dates or for words, not for several of them")
        return self


def _sort_of(value: Any) -> str:
    if value == "as_of" or isinstance(value, dt.date):
        return "date"
    return "text" if isinstance(value, (str, tuple)) else "number"


class Fact(Section):
    """A word: rows of one source, of some kinds, that satisfy conditions."""

    source: str = Field(alias="in")
    kind: Annotated[tuple[str, ...], BeforeValidator(one_or_many)] | None = None
    where: dict[str, Condition] = Field(default_factory=dict)
