"""What every part of a study file is made from: a frozen section that refuses unknown keys, and small types."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict


def _slug(value: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,79}", value):
        raise ValueError("a name has lower-case letters, digits and _, starts with a letter and is at most 80 long")
    return value


def _source_and_column(value: str) -> str:
    if not re.fullmatch(r"[^.\s]+\.[^.]+", value):
        raise ValueError("reads source.column, as in pupils.born_on")
    return value


def one_or_many(value: Any) -> Any:
    return value if isinstance(value, (list, tuple)) else (value,)


Slug = Annotated[str, AfterValidator(_slug)]
Column = Annotated[str, AfterValidator(_source_and_column)]


class Section(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", arbitrary_types_allowed=True, populate_by_name=True, allow_inf_nan=False
    )
