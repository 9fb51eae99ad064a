"""Checking keys and values against a section; what is wrong with them, in one line."""

from __future__ import annotations

import difflib
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from riskmodels.errors import StudyError
from riskmodels.study.cohort import AsOfDates
from riskmodels.study.predicates import PREDICATES, TAGGED
from riskmodels.study.section import Section
from riskmodels.study.spelling import meant

# Every tag that can stand in the path of a problem, and the section behind it.
_SECTION_OF_TAG: dict[str, type[Section]] = {**TAGGED, "<plan>": AsOfDates}

Schema = TypeVar("Schema", bound=Section)


def validated(schema: type[Schema], raw: Any, where: str) -> Schema:
    """The section that the keys and values make. Raises StudyError, which says ``where``."""
    if not isinstance(raw, dict):
        raise StudyError(f"{where}: must hold keys and values")
    try:
        return schema.model_validate(raw)
    except ValidationError as error:
        raise StudyError(f"{where}: {_first_problem(error, schema)}") from None


def _first_problem(error: ValidationError, schema: type[BaseModel]) -> str:
    """The most telling problem in one line: unknown keys first, since they often explain a missing one."""
    problems = error.errors()
    problems.sort(key=lambda problem: problem["type"] != "extra_forbidden")
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return f"{said_of(problems[0], schema)}{more}"


def said_of(problem: Any, schema: type[BaseModel]) -> str:
    """One problem of a section, as ``ValidationError.errors`` gives it: where it lies, and what it is."""
    path = path_of(problem["loc"])
    if problem["type"] == "extra_forbidden":
        return f"{path}: unknown key{meant(str(problem['loc'][-1]), _keys_at(problem['loc'][:-1], schema))}"
    if problem["type"] == "missing":
        return f"{path}: is missing"
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "predicate" and isinstance(problem["input"], dict):
        close = (difflib.get_close_matches(str(key), PREDICATES, n=1) for key in problem["input"])
        message += next((f"; did you mean {found[0]!r}?" for found in close if found), "")
    return f"{path}: {message}" if path else str(message)


def path_of(location: tuple[int | str, ...]) -> str:
    """Where a problem lies, as a person would write it: ``conditions[0].owner``."""
    text = ""
    for part in location:
        if isinstance(part, int):
            text += f"[{part}]"
        elif part != "[key]" and not part.startswith("<"):
            text += f".{part}" if text else part
    return text


def _keys_at(location: tuple[int | str, ...], schema: type[BaseModel]) -> list[str]:
    """The keys that the schema knows at a place, found by walking it there."""
    here: type[BaseModel] | None = schema
    for part in location:
        if part in _SECTION_OF_TAG:
            here = _SECTION_OF_TAG[str(part)]
        elif here is not None:
            fields = {field.alias or name: field for name, field in here.model_fields.items()}
            here = _section_in(fields[str(part)].annotation) if part in fields else here
    return [field.alias or name for name, field in here.model_fields.items()] if here is not None else []


def _section_in(annotation: Any) -> type[BaseModel] | None:
    """The first Section inside an annotation such as ``tuple[Step, ...] | None``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_section_in(argument) for argument in getattr(annotation, "__args__", ()))
    return next((section for section in found if section is not None), None)
