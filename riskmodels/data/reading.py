"""How the tables of a study are read: in which order, of whom, and where their rows are held.

Sources that say how others are linked come first.
"""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from riskmodels import storage
from riskmodels.caching import NO_CACHE, Steps, digest_of_frame
from riskmodels.data.coverage import (
    SCOPES,
    Coverage,
    consented_to,
    near_misses,
    read_consents,
    read_objections,
    refuse_near_misses,
)
from riskmodels.data.engines import Engine
from riskmodels.data.links import Linked, linked_by_flag, linked_through
from riskmodels.data.one_source import OneSource
from riskmodels.data.readers import open_reader
from riskmodels.data.spans import both
from riskmodels.data.table_quality import quality_of
from riskmodels.data.tables import Table, Tables, columns_used
from riskmodels.errors import StudyError
from riskmodels.study import Study


@dataclass(frozen=True)
class _Found:
    """One source as it was read, and what became of its ids: ``what`` and ``n``."""

    table: Table
    counts: pl.DataFrame

    def count(self, what: str) -> int:
        return int(self.counts.filter(pl.col("what") == what)["n"].sum())

    def places(self, what: str) -> set[int]:
        return set(self.counts.filter(pl.col("what") == what)["n"])


@dataclass(frozen=True)
class Reading:
    """One reading of a study's sources; see `riskmodels.data.tables.read_tables`."""

    folder: Path
    study: Study
    uses: tuple[str, ...]
    extracted_on: dt.date | None
    engine: Engine
    cache: Steps
    objections_for: tuple[str, ...]

    def tables(self) -> Tables:
        if self.cache.folder is not None:
            self.cache.forget_unless(self._left_out)
        sources = self.study.file.sources
        wanted = [name for name, source in sources.items() if source.use in self.uses]
        needed = {*wanted, *(other for name in wanted if (other := self._links_of(name)))}
        found: dict[str, _Found] = {}
        rows: list[dict[str, Any]] = []
        for name in sorted(needed, key=lambda name: (sources[name].link is not None, list(sources).index(name))):
            linked = self._linked(name, found)
            found[name] = self._read(name, linked)
            if linked is not None:
                rows.append(linked.row(name, self._everybody(found)))
        objected, met_nobody = self._objected(found)
        objections = {one for ids in self._objections.values() for one in ids}
        tables = {name: found[name].table for name in wanted}
        quality = tuple(quality_of(found[name].table, found[name].count) for name in wanted)
        return Tables(
            tables, quality, tuple(rows), objected, self.engine, self._others, len(objections), met_nobody,
            self._objections.get("audit", frozenset()),
        )  # fmt: skip

    # -- of whom

    @cached_property
    def _objections(self) -> dict[str, frozenset[str]]:
        """scope -> who objected, for the scopes that are asked for."""
        scopes = [*self.objections_for, *(["audit"] if "audit" in self.uses else [])]
        if self.study.file.objections is None:
            return {}
        return {scope: read_objections(self.folder, self.study, scope) for scope in dict.fromkeys(scopes)}

    @cached_property
    def _consents(self) -> pl.DataFrame | None:
        return read_consents(self.folder, self.study)

    @property
    def _left_out(self) -> dict[str, str]:
        """A digest of who objected, to whatever use, and of who consents: where one of them changes, rows must go."""
        said = {scope: sorted(read_objections(self.folder, self.study, scope)) for scope in SCOPES[:-1]}
        consents = {} if self._consents is None else {"consents": digest_of_frame(self._consents)}
        return (
            consents | {"objections": storage.sha256(storage.canonical_json(said))} if any(said.values()) else consents
        )

    @property
    def _others(self) -> dict[str, str]:
        said = {scope: sorted(ids) for scope, ids in self._objections.items()}
        digests = {"(objections)": storage.sha256(storage.canonical_json(said))} if said else {}
        return digests | ({} if self._consents is None else {"(consents)": digest_of_frame(self._consents)})

    def _objectors(self, name: str) -> list[str]:
        """Whose rows a source leaves out, in a fixed order."""
        if self.study.file.level_of(name) != self.study.file.level:
            return []
        scopes = ("audit",) if self.study.file.sources[name].use == "audit" else self.objections_for
        return sorted({one for scope in scopes for one in self._objections.get(scope, ())})

    def _objected(self, found: Mapping[str, _Found]) -> tuple[dict[str, int], int]:
        """How many people were left out, by scope, and how many objections are of nobody that was read.

        Raises DataError if an objection only nearly matches an id.
        """
        met: dict[str, set[str]] = {"model": set(), "audit": set()}
        near: dict[str, set[str]] = {"model": set(), "audit": set()}
        for name, one in found.items():
            objectors, use = self._objectors(name), self.study.file.sources[name].use
            met[use] |= {objectors[place] for place in one.places("objected")}
            near[use] |= {objectors[place] for place in one.places("near")}
        anybody = met["model"] | met["audit"]
        if to_audit := self._objections.get("audit"):
            # Those who only objected to the audit stand in the model's sources, which may say what group they are of.
            everybody = self._everybody(found)
            anybody |= set(everybody.filter(everybody.is_in(sorted(to_audit))))
            refuse_near_misses(near_misses(to_audit, everybody), anybody)
        for read, ids in near.items():
            refuse_near_misses(ids, met[read])
        objected = {
            scope: len(met["audit" if scope == "audit" and scope not in self.objections_for else "model"] & ids)
            for scope, ids in self._objections.items()
        }
        return objected, len({one for ids in self._objections.values() for one in ids} - anybody)

    def _links_of(self, name: str) -> str | None:
        """The source that says how another is linked."""
        link = self.study.file.sources[name].link
        return None if link is None else link.through or str(link.flag).partition(".")[0]

    def _linked(self, name: str, found: Mapping[str, _Found]) -> Linked | None:
        link, other = self.study.file.sources[name].link, self._links_of(name)
        if link is None or other is None:
            return None
        table = found[other].table
        if link.flag:
            return linked_by_flag(name, link, table.frame)
        frame = table.frame
        if self._objectors(other) or table.covered is not None:
            # An id that is also matched to somebody left out is ambiguous all the same: its rows may be theirs. Read
            # anew, for such matches are not kept.
            frame, _, _, _ = replace(self._one_source(other, None), coverage=Coverage(), objectors=()).in_memory(
                NO_CACHE
            )
        return linked_through(name, link, frame).within(table.covered)

    def _everybody(self, found: Mapping[str, _Found]) -> pl.Series:
        """Our people: the ids of the model's sources that are our own, and no list of matches."""
        study = self.study.file
        matches = {source.link.through for source in study.sources.values() if source.link}
        ours = [
            one.table.lazy().select("entity_id").unique().collect()["entity_id"]
            for name, one in found.items()
            if study.sources[name].use == "model"
            and study.sources[name].link is None
            and name not in matches
            and study.level_of(name) == study.level
        ]
        return pl.concat([pl.Series("entity_id", [], dtype=pl.String), *ours]).unique()

    def _coverage(self, name: str, linked: Linked | None, extracted_on: dt.date) -> Coverage:
        covered = None if linked is None else linked.covered
        if self.study.file.sources[name].consented and self._consents is not None:
            covered = both(covered, consented_to(name, self._consents, extracted_on))
        objectors = frozenset(self._objectors(name))
        if covered is not None:
            covered = covered.filter(~pl.col("entity_id").is_in(list(objectors))).sort("entity_id", "from_date")
        return Coverage(None if linked is None else linked.matches, covered, objectors)

    # -- one source

    def _one_source(self, name: str, linked: Linked | None) -> OneSource:
        source, entry = self.study.file.sources[name], self.study.register.sources[name]
        used = columns_used(self.study.file)[name]
        for column in used:
            if column not in entry.columns:
                where = self.study.folder / "register.yaml"
                close = difflib.get_close_matches(column, entry.columns, n=1)
                perhaps = f", or did you mean {close[0]!r} in study.yaml?" if close else ""
                said = f"sources.{name}.columns lacks {column!r}, which the study uses; register it"
                raise StudyError(f"{where}: {said}{perhaps}")
        extracted_on = self.extracted_on or entry.extracted_on
        return OneSource(
            name, source, used, open_reader(self.folder, source.file, source.table, source.database),
            self._coverage(name, linked, extracted_on), extracted_on, self._one_row_each(name, used),
            tuple(self._objectors(name)), tuple(entry.columns), self.study.file.cohort.dates[0],
        )  # fmt: skip

    def _read(self, name: str, linked: Linked | None) -> _Found:
        one = self._one_source(name, linked)
        on_disk = self.engine.name != "polars" and one.source.event_date is not None
        rows, file, undated, counts = (one.on_disk if on_disk else one.in_memory)(self.cache)
        sha256 = one.reader.sha256 or _digest_of_rows(
            rows.lazy() if file is None else pl.scan_parquet(file.path), undated
        )
        decided = {"sha256": sha256, "columns": self._decided_by_others.get(name, {}), **one.definition}
        table = Table(
            name, one.source, None if file else rows, sha256, undated, one.coverage.covered,
            path=file.path if file else None, engine=self.engine, folder=file.folder if file else None,
            digest=storage.sha256(storage.canonical_json(decided)),
        )  # fmt: skip
        return _Found(table, counts)

    @cached_property
    def _decided_by_others(self) -> dict[str, dict[str, str]]:
        """source -> column -> what it holds, for columns that one feature line alone would leave as something else.

        Only these: a line that asks for a column of its own leaves what others are made from as it is.
        """
        file = self.study.file
        together = columns_used(file)
        found: dict[str, dict[str, str]] = {}
        for lines in [(), *((line,) for line in file.features)]:
            alone = columns_used(file.model_copy(update={"features": lines}))
            for source, columns in alone.items():
                for column, holds in columns.items():
                    if together[source][column] != holds:
                        found.setdefault(source, {})[column] = together[source][column]
        return {source: dict(sorted(columns.items())) for source, columns in found.items()}

    def _one_row_each(self, name: str, used: Mapping[str, str]) -> bool:
        """Whether an id may stand there only once: not in a table with dates, nor in a mere list of matches."""
        source = self.study.file.sources[name]
        if source.event_date or source.known_date:
            return False
        links = [source.link for source in self.study.file.sources.values() if source.link]
        of_links = {
            column for link in links if link.through == name for column in (link.id, link.status, link.confidence)
        }
        return not of_links or bool(set(used) - of_links)


def _digest_of_rows(rows: pl.LazyFrame, undated: pl.DataFrame | None) -> str:
    """The same rows give the same digest, in whatever order a database gave them. A part is held at a time."""
    parts = []
    last = pl.col("entity_id").str.slice(-1)
    for letter in sorted(rows.select(last.unique()).collect()["entity_id"]):
        part = rows.filter(last == letter).collect()
        parts.append(digest_of_frame(part.sort(part.columns)))
    if undated is not None:
        parts.append(digest_of_frame(undated.sort(undated.columns)))
    return storage.sha256(storage.canonical_json(parts))
