"""Source tables, read and checked: the dated records as the study describes them.

Each table keeps only the columns that the study uses, under fixed names for the keys (`entity_id`, `event_date`,
`known_date`, `kind`), and only rows that may be used: of people who are linked, who consented, and who did not object.
A source with an event date holds facts; one without holds attributes, dated if it has a `known_date`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import narwhals as nw
import polars as pl

from riskmodels import storage
from riskmodels.caching import NO_CACHE, Steps
from riskmodels.data.columns import KEYS
from riskmodels.data.engines import POLARS, Engine
from riskmodels.errors import DataError, StudyError
from riskmodels.study import (
    OF_A_SOURCE,
    OF_NUMBERS,
    Age,
    Attribute,
    FollowedUntil,
    Source,
    Study,
    StudyFile,
    parts_of,
)

__all__ = ["KEYS", "MOST_KINDS_SHOWN", "Table", "Tables", "check_kinds", "columns_used", "read_tables"]

MOST_KINDS_SHOWN = 30
# What is asked of a column: the stronger demand stands, and two of the strongest cannot both be met.
STRENGTH = {"label": 0, "anything": 1, "text": 2, "number": 2, "date": 2}


class _Rows:
    """The rows of a table: in memory, or loaded from its Parquet file when somebody asks for all of them."""

    def __get__(self, table: Table | None, owner: type[Table]) -> pl.DataFrame:
        if table is None:
            raise AttributeError("frame")  # so that a dataclass takes the field to have no default
        held = table.__dict__
        if held["_rows"] is None and "_loaded" not in held:
            held["_loaded"] = pl.read_parquet(str(table.path), glob=False)
        return held["_loaded"] if held["_rows"] is None else held["_rows"]

    def __set__(self, table: Table, frame: pl.DataFrame | None) -> None:
        table.__dict__["_rows"] = frame


@dataclass(frozen=True)
class Table:
    """One source. ``frame``: entity_id, event_date, known_date and kind where the source has them, then columns.

    ``covered`` says of whom the source can speak, from when and until when: entity_id, from_date (Date) and, where
    links may end, until_date (Date, or null); see `riskmodels.data.spans.covered_on`, by which it is asked. Somebody
    who is not in it is *not linked*, or did not consent: nothing is known of them, which is not "no events". None
    means everybody. Where ``path`` is given, the rows stand in that Parquet file and ``frame`` (None) loads them.
    """

    name: str
    source: Source
    frame: _Rows = _Rows()
    sha256: str = ""  # of the source's file; of its rows where it is a database
    undated: pl.DataFrame | None = None  # facts set aside because one of their dates is not recorded
    covered: pl.DataFrame | None = None
    path: Path | None = None
    engine: Engine = POLARS
    digest: str = ""  # of all that decides which rows there are: source, definition, links, consents, objections
    folder: Any = field(default=None, repr=False, compare=False)  # a temporary one, which lives as long as the table

    @property
    def is_dated(self) -> bool:
        """Whether its rows say when they became known."""
        return bool(self.source.event_date or self.source.known_date)

    @property
    def is_facts(self) -> bool:
        return self.source.event_date is not None

    @property
    def schema(self) -> pl.Schema:
        """The columns and their types; no row is read."""
        return self.lazy().collect_schema()

    def lazy(self) -> pl.LazyFrame:
        """The rows for Polars, wherever they are held."""
        rows = self.__dict__["_rows"]
        return pl.scan_parquet(str(self.path), glob=False) if rows is None else rows.lazy()

    def scan(self) -> nw.LazyFrame[Any]:
        """The rows, on the engine that holds them."""
        rows = self.__dict__["_rows"]
        return self.engine.scan(Path(str(self.path)) if rows is None else rows)


@dataclass(frozen=True)
class Tables:
    """``quality``, ``links``: a row for each source, for the card. ``objected``: how many were left out, by scope.

    ``objections``: how many people objected to what the tables were read for; ``objections_met_nobody``: how many of
    them stand in none of the tables. ``not_audited``: who objected to the audit, in whatever table a protected
    characteristic of theirs stands; never to be shown.
    """

    tables: Mapping[str, Table]
    quality: tuple[dict[str, object], ...] = field(default=())
    links: tuple[dict[str, Any], ...] = ()
    objected: Mapping[str, int] = field(default_factory=dict)
    engine: Engine = POLARS
    others: Mapping[str, str] = field(default_factory=dict)  # digests of the consents and objections that were read
    objections: int = 0
    objections_met_nobody: int = 0
    not_audited: frozenset[str] = field(default=frozenset(), repr=False)

    def __getitem__(self, name: str) -> Table:
        return self.tables[name]

    def digests(self, names: Iterable[str]) -> dict[str, str]:
        """source -> a digest of all that decides which rows it holds, for some sources."""
        return {name: self.tables[name].digest or self.tables[name].sha256 for name in sorted(names)}

    @property
    def sha256(self) -> str:
        """One digest of everything that was read: the sources, and who consented and objected."""
        read = {name: self.tables[name].sha256 for name in self.tables} | dict(self.others)
        return storage.sha256(storage.canonical_json(dict(sorted(read.items()))))


def columns_used(study: StudyFile) -> dict[str, dict[str, str]]:
    """source -> column -> what it must hold: number, date, text or anything.

    A column that holds anything is a number where every value is one; text keeps codes such as 007 as they stand.

    Raises
    ------
    StudyError
        if one column is used as two different things.
    """
    used: dict[str, dict[str, str]] = {name: {} for name in study.sources}

    def use(of: str, holds: str, source: str | None = None) -> None:
        head, _, column = of.partition(".")
        columns = used[source or head]
        before = columns.get(column, "label")
        if before != holds and STRENGTH[before] == STRENGTH[holds]:
            raise StudyError(f"study.yaml: {of} is used as {before} and as {holds}; use it one way, or use two columns")
        columns[column] = max(before, holds, key=STRENGTH.__getitem__)

    for name, fact in study.facts.items():
        for column, condition in fact.where.items():
            use(f"{name}.{column}", condition.holds, fact.source)
    for line in study.features:
        for take in line.take:
            source = study.source_of(take, line.of)
            for of in (of for of in (line.of, line.over) if of and "." in of):
                use(of, _taken_as(take, line.missing), source)
            for column in line.each or {}:
                if column != "kind":
                    use(f"{line.of.partition('.')[0]}.{column}", "text", source)
        if line.by:
            use(line.by, "text")
    predicates = [step.keep or step.drop for step in study.cohort.steps]
    predicates += [study.outcome.happens, study.outcome.known, *study.outcome.exits.values()]
    predicates += [rule.exclude for rule in study.service_rules] + [route.when for route in study.routes]
    for part in (part for predicate in predicates for part in parts_of(predicate)):
        if isinstance(part, Attribute):
            use(part.attribute, part.holds)
        elif isinstance(part, Age):
            use(part.age, "date")
        elif isinstance(part, FollowedUntil):
            use(part.followed_until, "date")
    for spec in study.protected.values():
        use(spec.column, "anything" if spec.bands else "label")
        if spec.by:
            use(spec.by, "text")
    if study.cohort.cluster:
        use(study.cohort.cluster, "text")
    if study.capacity.by:
        use(study.capacity.by, "label")
    for column in study.slices:
        use(column, "label")
    for link in (source.link for source in study.sources.values() if source.link):
        if link.flag:
            use(link.flag, "number")
        for theirs, holds in ((link.id, "text"), (link.status, "text"), (link.confidence, "number")):
            if link.through and theirs:
                use(f"{link.through}.{theirs}", holds)
    return {
        source: {column: "text" if holds == "label" else holds for column, holds in columns.items()}
        for source, columns in used.items()
    }


def _taken_as(take: str, missing: str) -> str:
    if take == "age":
        return "date"
    if take in OF_NUMBERS or take == "ratio":
        return "number"
    one_value = take in ("latest", "first", "mode", *OF_A_SOURCE)
    return "text" if one_value and missing == "category" else "anything"


def read_tables(
    folder: Path,
    study: Study,
    uses: tuple[str, ...] = ("model", "audit"),
    extracted_on: dt.date | None = None,
    *,
    engine: Engine = POLARS,
    cache: Steps = NO_CACHE,
    objections_for: tuple[str, ...] = ("training",),
) -> Tables:
    """Read the sources of a study, as far as they may be read.

    Parameters
    ----------
    folder : where the sources' files stand
    uses : which sources to read; scoring reads ``("model",)`` only, so equality data never comes near a score
    extracted_on : the day of this extract, where it is not the registered one but newer, as a cohort to score is
    engine : what holds the facts: with any but Polars they are put into a Parquet file, a batch at a time
    cache : where normalised tables are kept between runs
    objections_for : whose rows are left out of the model's sources; audit sources leave out who objected to the audit

    Raises
    ------
    DataError, StudyError
        in one line naming file, column and row number; never a value.
    OutsideError
        if a database cannot be read: not installed, not reachable, gone away.
    """
    from riskmodels.data.reading import Reading

    return Reading(Path(folder), study, uses, extracted_on, engine, cache, objections_for).tables()


def check_kinds(tables: Tables, study: StudyFile) -> None:
    """Every kind that the study names must occur. Raises DataError."""
    asked = {f"facts.{name}.kind": (fact.source, fact.kind or ()) for name, fact in study.facts.items()}
    for index, line in enumerate(study.features):
        if line.each and "kind" in line.each:
            source = study.facts[line.of.partition(".")[0]].source
            asked[f"features[{index}] ({line.name}).each.kind"] = source, line.each["kind"]
    there: dict[str, set[str]] = {}
    for where, (source, kinds) in asked.items():
        if kinds and source not in there:
            there[source] = set(tables[source].lazy().select(pl.col("kind").unique()).collect()["kind"])
        for kind in kinds:
            if kind not in there[source]:
                # Only names that the study knows: a column that was named by mistake may hold people's names or ids.
                named = {one for other, several in asked.values() if other == source for one in several}
                known = sorted(there[source] & named)
                others = len(there[source]) - len(known)
                said = [*known, *([f"{others} other{'s' if others > 1 else ''}"] if others else [])]
                raise DataError(f"{where}: {kind!r} does not occur in {source} (there: {', '.join(said) or 'none'})")
