"""Sources, and the facts (words) that are made from their rows."""

from __future__ import annotations

import datetime as dt
import math
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainValidator, field_validator, model_validator

from riskmodels.study.section import Section, one_or_many


class Source(Section):
    file: str
    entity: str
    event_date: str | None = None
    known_date: str | None = None
    kind: str | None = None
    time_zone: str | None = None
    use: Literal["model", "audit"] = "model"

    @field_validator("file")
    @classmethod
    def _inside_the_data_folder(cls, value: str) -> str:
        if Path(value).is_absolute() or ".." in Path(value).parts:
            raise ValueError("a source's file is a relative path inside the data folder (--data)")
        return value


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
