"""Which columns a cohort file must bring and what they may hold, told from its schema before a row is read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from riskmodels.data.features import FeatureSpec
from riskmodels.data.service_rules import closing_places
from riskmodels.errors import DataError, StudyError
from riskmodels.study import StudyFile

if TYPE_CHECKING:
    import pyarrow as pa

ID, DAY, EXCLUDED, TEAM, HOUSEHOLD = "entity_id", "as_of_date", "excluded", "team", "household"
# What the frame of a part holds beside the features.
RESERVED = ("row_number", ID, DAY, EXCLUDED, TEAM, HOUSEHOLD)
TEXT, NUMBER, TRUTH, NOTHING, DATES = "text", "numbers", "true or false", "nothing", "dates or times"


@dataclass(frozen=True)
class Wanted:
    """What is read of each row. ``rules``: the reasons of the study's service rules, in their order."""

    specs: tuple[FeatureSpec, ...]
    rules: tuple[str, ...] = ()
    by: str | None = None  # our own name of the column that says the team
    teams: frozenset[str] = frozenset()  # those that have places
    household: bool = False
    protected: frozenset[str] = frozenset()  # in lower case
    closing: tuple[int, ...] = ()  # the places of the rules that leave a whole household alone

    @classmethod
    def of(cls, specs: Iterable[FeatureSpec], study: StudyFile) -> Wanted:
        """Raises StudyError if a feature has the name of a column that every scored cohort has."""
        specs = tuple(specs)
        for spec in specs:
            if spec.name in RESERVED:
                raise StudyError(f"features ({spec.name}): the name is taken in a cohort to score; use another")
        protected = {spec.column.partition(".")[2] for spec in study.protected.values()} | set(study.protected)
        return cls(
            specs,
            tuple(rule.because for rule in study.service_rules),
            study.capacity.by.partition(".")[2] if study.capacity.by else None,
            frozenset(study.capacity.places) if isinstance(study.capacity.places, dict) else frozenset(),
            study.list_unit == "household",
            frozenset(name.lower() for name in protected),
            tuple(closing_places(study.service_rules)),
        )


@dataclass(frozen=True)
class Columns:
    """What is read of one file. ``holds``: column -> `TEXT`, `NUMBER`, `TRUTH` or `NOTHING`."""

    holds: dict[str, str]
    team: str | None = None
    dated: bool = False
    ignored: tuple[str, ...] = field(default=())

    @property
    def names(self) -> list[str]:
        return list(self.holds)


def check_columns(file: str, schema: pa.Schema, wanted: Wanted) -> Columns:
    """The columns to read.

    Raises
    ------
    DataError
        in one line, if a column is missing, stands twice, is of a type that cannot be used, or is protected and no
        feature of the model. Only names that study or model know are quoted: a file without a header has a person in
        its first line.
    """
    there = Counter(schema.names)
    team = next((name for name in (TEAM, wanted.by) if name in there), None) if wanted.by else None
    needed = [(ID, "which says who it is")]
    needed += [(spec.name, "which the model needs") for spec in wanted.specs]
    if wanted.rules:
        needed.append((EXCLUDED, "which says, in its own words, which service rule of the study leaves a person off"))
    if wanted.by:
        needed.append((team or wanted.by, f"which says whose list a person may be on ({TEAM!r} will do)"))
    if wanted.household:
        needed.append((HOUSEHOLD, "which says who lives together"))
    for name, why in needed:
        if name not in there:
            raise DataError(f"{file}: has no column {name!r}, {why}; add it, or score the study's own sources")
    names = dict.fromkeys(name for name, _ in needed)
    for name in (*names, DAY):
        if there[name] > 1:
            raise DataError(f"{file}: the column {name!r} stands twice; keep one")
    if DAY in there and _held(schema.field(DAY).type) not in (TEXT, DATES):
        raise DataError(f"{file}: column {DAY} must hold dates such as 2024-06-30")
    others = sorted(set(there) - {*names, DAY})
    for name in others:
        if name.lower() in wanted.protected:
            raise DataError(
                f"{file}: holds the protected column {name!r}, which the model does not use; take it out first"
            )
    numbers = {spec.name for spec in wanted.specs if spec.kind == "number"}
    holds = {name: _checked(file, schema.field(name), "a number" if name in numbers else "text") for name in names}
    return Columns(holds, team, DAY in there, tuple(others))


def refuse_other_schema(file: str, columns: Columns, first: str, of_first: Columns) -> None:
    """Parts of one cohort have the same columns, which hold the same. Raises DataError."""
    if columns.dated != of_first.dated or (columns.team, columns.ignored) != (of_first.team, of_first.ignored):
        raise DataError(f"{file}: has other columns than {first}; write the parts of a cohort alike")
    for name, holds in columns.holds.items():
        other = of_first.holds[name]
        if holds != other and NOTHING not in (holds, other):
            raise DataError(f"{file}, column {name!r}: holds {holds}, but {other} in {first}; write the parts alike")


def _checked(file: str, column: pa.Field, needed: str) -> str:
    found = _held(column.type)
    if column.name == ID and (found == TRUTH or _is_decimal(column.type)):
        if found == TRUTH:
            raise DataError(f"{file}, column {ID!r}: holds {found}, not ids; store ids as text")
        raise DataError(f"{file}, column {ID!r}: ids were read as decimals, which loses digits; store them as text")
    if found not in (TEXT, NUMBER, TRUTH, NOTHING):
        raise DataError(f"{file}, column {column.name!r}: holds {found} where {needed} is needed; convert it")
    return found


def _is_decimal(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_floating(kind) or (pa.types.is_decimal(kind) and kind.scale != 0))


def _held(kind: pa.DataType) -> str:
    """What a column of an Arrow type holds, in words."""
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        return _held(kind.value_type)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return TEXT
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return NUMBER
    if pa.types.is_boolean(kind):
        return TRUTH
    if pa.types.is_null(kind):
        return NOTHING
    if pa.types.is_duration(kind):
        return "lengths of time"
    if pa.types.is_temporal(kind):
        return DATES
    return "lists or records" if pa.types.is_nested(kind) else "raw bytes"
