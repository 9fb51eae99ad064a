"""One source of a study, read: checked, put under our names, and held in memory or in a Parquet file.

Rows are checked a batch at a time; what may not be used is gone before anything is kept, in memory or in the cache.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl

from riskmodels import storage
from riskmodels.caching import NO_CACHE, Steps, digest_of_frame
from riskmodels.caching.ingredients import key_of, recipe_of
from riskmodels.data.columns import asked_of, known_before, normalise, refuse_reserved, survey, undecided
from riskmodels.data.coverage import Coverage, Tally
from riskmodels.data.database_files import ROWS_AT_A_TIME
from riskmodels.data.faults import Faults
from riskmodels.data.normalised import RowsFile, find_rows, write_rows
from riskmodels.data.readers import Reader
from riskmodels.errors import DataError
from riskmodels.study import Source

MOST_COLUMNS_SHOWN = 30
COUNTS = {"what": pl.String, "n": pl.Int64}

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
    first_as_of: dt.date

    @cached_property
    def definition(self) -> dict[str, Any]:
        """What decides which rows there are, besides the file and the columns."""
        covered, matches = self.coverage.covered, self.coverage.matches
        return {
            "source": self.source.model_dump(mode="json"),
            "covered": None if covered is None else digest_of_frame(covered),
            "matches": None if matches is None else digest_of_frame(matches),
            # Rows known before it decide what a column holds.
            "first_as_of": self.first_as_of.isoformat() if self._dates else None,
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
        # Another step than the whole table in memory: there the rows without their dates stand among the others.
        key = key_of(f"tables.{self.name}.rows", recipe_of(self.ingredients))
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
        """What each column can hold, by the rows known before the first as-of date: later ones do not change the past.

        By all rows where none of those has a value, and where rows have no dates.
        """
        asked = asked_of(self.source, self.used)
        unsure = undecided(batch, asked)
        early: dict[str, frozenset[str]] = {}
        every: dict[str, frozenset[str]] = {}
        for each in self.reader.batches(columns, rows) if unsure and rows is not None else [batch]:
            before = known_before(each, self.source, self.first_as_of, unsure) if unsure else each.clear()
            for found, some, of in ((early, before, unsure), (every, each, asked)):
                for column, possible in survey(some, of).items():
                    found[column] = found.get(column, possible) & possible
        return every | early

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
            "matches_without_rows": [0 if matches is None else matches["their_id"].n_unique() - tally.matched.len()],
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
