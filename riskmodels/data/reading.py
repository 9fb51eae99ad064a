"""How the tables of a study are read: in which order, of whom, and where their rows are held.

Sources that say how others are linked come first. Rows are checked and put under our names a batch at a time; what may
not be used is gone before anything is kept, in memory or in the cache.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from riskmodels import storage
from riskmodels.caching import NO_CACHE, Steps, digest_of_frame
from riskmodels.caching.ingredients import key_of, recipe_of
from riskmodels.data.columns import Faults, needs_survey, normalise, refuse_reserved, survey
from riskmodels.data.coverage import (
    Coverage,
    Linked,
    Tally,
    both,
    consented_to,
    linked_by_flag,
    linked_through,
    read_consents,
    read_objections,
    refuse_near_misses,
)
from riskmodels.data.database_files import ROWS_AT_A_TIME
from riskmodels.data.engines import Engine
from riskmodels.data.normalised import RowsFile, find_rows, write_rows
from riskmodels.data.readers import Reader, open_reader
from riskmodels.data.table_quality import quality_of
from riskmodels.data.tables import Table, Tables, columns_used
from riskmodels.errors import DataError, StudyError
from riskmodels.study import Source, Study

MOST_COLUMNS_SHOWN = 30
COUNTS = {"what": pl.String, "n": pl.Int64}


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
        objected = self._objected(found)
        tables = {name: found[name].table for name in wanted}
        quality = tuple(quality_of(found[name].table, found[name].count) for name in wanted)
        return Tables(tables, quality, tuple(rows), objected, self.engine, self._others)

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

    def _objected(self, found: Mapping[str, _Found]) -> dict[str, int]:
        """How many people were left out, by scope. Raises DataError if an objection only nearly matches an id."""
        met: dict[str, set[str]] = {"model": set(), "audit": set()}
        near: dict[str, set[str]] = {"model": set(), "audit": set()}
        for name, one in found.items():
            objectors, use = self._objectors(name), self.study.file.sources[name].use
            met[use] |= {objectors[place] for place in one.places("objected")}
            near[use] |= {objectors[place] for place in one.places("near")}
        for read, ids in near.items():
            refuse_near_misses(ids, met[read])
        return {
            scope: len(met["audit" if scope == "audit" and scope not in self.objections_for else "model"] & ids)
            for scope, ids in self._objections.items()
        }

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
            covered = covered.filter(~pl.col("entity_id").is_in(list(objectors))).sort("entity_id")
        return Coverage(None if linked is None else linked.matches, covered, objectors)

    # -- one source

    def _one_source(self, name: str, linked: Linked | None) -> OneSource:
        source, entry = self.study.file.sources[name], self.study.register.sources[name]
        used = columns_used(self.study.file)[name]
        for column in used:
            if column not in entry.columns:
                where = self.study.folder / "register.yaml"
                raise StudyError(f"{where}: sources.{name}.columns lacks {column!r}, which the study uses; register it")
        extracted_on = self.extracted_on or entry.extracted_on
        return OneSource(
            name, source, used, open_reader(self.folder, source.file, source.table, source.database),
            self._coverage(name, linked, extracted_on), extracted_on, self._one_row_each(name, used),
            tuple(self._objectors(name)), tuple(entry.columns),
        )  # fmt: skip

    def _read(self, name: str, linked: Linked | None) -> _Found:
        one = self._one_source(name, linked)
        on_disk = self.engine.name != "polars" and one.source.event_date is not None
        rows, file, undated, counts = (one.on_disk if on_disk else one.in_memory)(self.cache)
        sha256 = one.reader.sha256 or _digest_of_rows(
            rows.lazy() if file is None else pl.scan_parquet(file.path), undated
        )
        table = Table(
            name, one.source, None if file else rows, sha256, undated, one.coverage.covered,
            path=file.path if file else None, engine=self.engine, folder=file.folder if file else None,
            digest=storage.sha256(storage.canonical_json({"sha256": sha256, **one.definition})),
        )  # fmt: skip
        return _Found(table, counts)

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


# ---------------------------------------------------------------- one source

Held = tuple[pl.DataFrame, RowsFile | None, pl.DataFrame | None, pl.DataFrame]


@dataclass(frozen=True)
class OneSource:
    """All that is needed to read one source: how it is described, where it stands, and of whom it may speak."""

    name: str
    source: Source
    used: Mapping[str, str]
    reader: Reader
    coverage: Coverage
    extracted_on: dt.date
    one_row_each: bool
    objectors: tuple[str, ...]
    registered: tuple[str, ...]

    @cached_property
    def definition(self) -> dict[str, Any]:
        """What decides which rows there are, besides the file and the columns."""
        covered, matches = self.coverage.covered, self.coverage.matches
        return {
            "source": self.source.model_dump(mode="json"),
            "covered": None if covered is None else digest_of_frame(covered),
            "matches": None if matches is None else digest_of_frame(matches),
            "objectors": storage.sha256(storage.canonical_json(list(self.objectors))),
        }

    @cached_property
    def ingredients(self) -> dict[str, Any]:
        return {
            "file": self.reader.sha256,
            "columns": dict(self.used),
            "extracted_on": self.extracted_on.isoformat(),
            "one_row_each": self.one_row_each,
            **self.definition,
        }

    def in_memory(self, cache: Steps) -> Held:
        """All rows as a frame; kept by the cache if the source is a file."""
        made: dict[str, pl.DataFrame] = {}
        rows, counts = f"tables.{self.name}", f"tables.{self.name}.counts"

        def make(names: list[str]) -> dict[str, pl.DataFrame]:
            if not made:
                tally = Tally()
                made[rows] = self._in_order(pl.concat(list(self._batches(None, tally))))
                made[counts] = self._counts(tally)
            return {name: made[name] for name in names}

        steps = cache if self.reader.sha256 else NO_CACHE
        found = steps.frames({rows: self.ingredients, counts: self.ingredients}, make)
        whole, undated = self._parted(found[rows])
        self._refuse_nothing_left(whole.height, found[counts])
        self._refuse_repeated_by_links(whole)
        return whole, None, undated, found[counts]

    def on_disk(self, cache: Steps) -> Held:
        """Rows with all their dates in a Parquet file; those without in memory."""
        steps = cache if self.reader.sha256 else NO_CACHE
        key = key_of(f"tables.{self.name}", recipe_of(self.ingredients))
        aside: list[pl.DataFrame] = []
        passes: list[Tally] = []
        made: list[RowsFile] = []

        def rows() -> Iterator[pl.DataFrame]:
            # Where the cache refuses there is a second pass, and the counts are those of one.
            aside.clear()
            passes.append(Tally())
            return self._whole_rows(passes[-1], aside)

        def write() -> RowsFile:
            if not made:
                made.append(write_rows(steps, key, rows))
            return made[0]

        def make(names: list[str]) -> dict[str, pl.DataFrame]:
            write()
            beside = {undated: pl.concat(aside), counts: self._counts(passes[-1])}
            return {name: beside[name] for name in names}

        undated, counts = f"tables.{self.name}.undated", f"tables.{self.name}.counts"
        file = find_rows(steps, key)
        if file is None:
            # The two small frames are made of the same pass over the rows: they are never older than the file.
            file = write()
        found = steps.frames({undated: self.ingredients, counts: self.ingredients}, make)
        file = made[0] if made else file
        height = pl.scan_parquet(file.path).select(pl.len()).collect().item()
        self._refuse_nothing_left(height, found[counts])
        return found[undated].clear(), file, found[undated], found[counts]

    # -- rows

    def _batches(self, rows: int | None, tally: Tally) -> Iterator[pl.DataFrame]:
        """Normalised rows that may be used. What is wrong with any of them is said when all have been seen."""
        self._refuse_missing_columns()
        refuse_reserved(self.reader.name, self.source, self.used)
        keys = (self.source.entity, self.source.event_date, self.source.known_date, self.source.kind)
        columns = list(dict.fromkeys([*(key for key in keys if key), *(name for name in self.used)]))
        surveyed: dict[str, frozenset[str]] | None = None
        faults = Faults(self.reader.name)
        for batch in self.reader.batches(columns, rows):
            if surveyed is None:
                surveyed = self._surveyed(batch, columns, rows)
            normal = normalise(batch, self.source, self.used, surveyed, self.extracted_on, faults, self.one_row_each)
            del batch
            yield self.coverage.apply(normal, tally)
        if not faults.before:
            raise DataError(f"{self.reader.name}: has no rows")
        faults.refuse(self.source.time_zone)

    def _surveyed(self, batch: pl.DataFrame, columns: list[str], rows: int | None) -> dict[str, frozenset[str]]:
        if rows is None or not needs_survey(batch, self.source, self.used):
            return survey(batch, self.source, self.used)
        found: dict[str, frozenset[str]] = {}
        for each in self.reader.batches(columns, rows):
            for column, possible in survey(each, self.source, self.used).items():
                found[column] = found.get(column, possible) & possible
        return found

    @property
    def _dates(self) -> list[str]:
        if self.source.event_date:
            return ["event_date", "known_date"]
        return ["known_date"] if self.source.known_date else []

    def _parted(self, frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame | None]:
        """Rows with all their dates, and the others."""
        if not self._dates:
            return frame, None
        return frame.drop_nulls(self._dates), frame.filter(pl.any_horizontal(pl.col(self._dates).is_null()))

    def _whole_rows(self, tally: Tally, aside: list[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        for frame in self._batches(ROWS_AT_A_TIME, tally):
            whole, undated = self._parted(frame)
            aside.append(frame.clear() if undated is None else undated)
            yield whole

    def _in_order(self, frame: pl.DataFrame) -> pl.DataFrame:
        """A database gives its rows in any order; a file keeps its own."""
        return frame if self.reader.sha256 else frame.sort(frame.columns)

    def _counts(self, tally: Tally) -> pl.DataFrame:
        """Numbers only, for they are kept: an objection is its place in the list of objections."""
        matches = self.coverage.matches
        counts: dict[str, Iterable[int]] = {
            "unmatched": [tally.unmatched.len()],
            "withheld": [tally.withheld.len()],
            "matched": [tally.matched.len()],
            "matches_without_rows": [0 if matches is None else matches.height - tally.matched.len()],
            "ambiguous_rows": [tally.ambiguous_rows],
            "objected": (place for place, one in enumerate(self.objectors) if one in tally.objected),
            "near": (place for place, one in enumerate(self.objectors) if one in tally.near),
        }
        rows = [(what, n) for what, numbers in counts.items() for n in numbers]
        return pl.DataFrame(rows, schema=COUNTS, orient="row")

    # -- what is refused

    def _refuse_missing_columns(self) -> None:
        there = self.reader.columns
        keys = (self.source.entity, self.source.event_date, self.source.known_date, self.source.kind)
        for column in [*(name for name in keys if name), *self.used]:
            if column not in there:
                # Only names that the register knows are shown: a file without a header has a person in its first line.
                known = [name for name in there if name in self.registered]
                more = f" and {len(known) - MOST_COLUMNS_SHOWN} more" if len(known) > MOST_COLUMNS_SHOWN else ""
                said = ", ".join(known[:MOST_COLUMNS_SHOWN]) or "none that the register knows"
                advice = "check its header and the study"
                raise DataError(f"{self.reader.name}: has no column {column!r} (columns: {said}{more}); {advice}")
            if f"{column}_duplicated_0" in there:
                raise DataError(f"{self.reader.name}: the column {column!r} stands twice in its header; rename one")

    def _refuse_repeated_by_links(self, frame: pl.DataFrame) -> None:
        if self.coverage.matches is None or not self.one_row_each:
            return
        people = frame.filter(pl.col("entity_id").is_duplicated())["entity_id"].n_unique()
        if people:
            have = "has" if people == 1 else "have"
            raise DataError(
                f"{self.reader.name}: {people} of our people {have} several rows once ids are matched; a table without "
                "dates has one row for each"
            )

    def _refuse_nothing_left(self, rows: int, counts: pl.DataFrame) -> None:
        if rows:
            return
        told = dict(counts.filter(pl.col("what").is_in(["matched", "unmatched", "withheld"])).iter_rows())
        if told["unmatched"] and not told["matched"]:
            raise DataError(
                f"{self.reader.name}: none of its {told['unmatched']} ids is among the accepted matches; check link.id "
                "and that both hold the same ids"
            )
        if told["withheld"] or told["matched"] or counts["what"].eq("objected").any():
            raise DataError(f"{self.reader.name}: no row is left of anybody who is linked, consents and did not object")
        raise DataError(f"{self.reader.name}: no row has all its dates ({', '.join(self._dates)}); mend the extract")
