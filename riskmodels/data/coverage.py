"""Whose rows may be used, and from when: links to other agencies, consents, objections.

Links are taken as they were made (`riskmodels.data.links`). Whoever is not linked, or did not consent, is *not
covered*: their rows are never read, and nothing is known of them from that source, which is not the same as "no
events".
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import polars as pl

from riskmodels.data.columns import as_dates, as_ids, as_text
from riskmodels.data.faults import Faults
from riskmodels.data.readers import open_reader
from riskmodels.data.spans import with_ends
from riskmodels.errors import DataError
from riskmodels.study import Consents, Objections, Study

SCOPES = ("training", "audit", "scoring", "all")
# What the same id may be written with or without: blanks, dashes of any kind, dots, slashes, marks that do not show.
SEPARATORS = r"[\s\p{Pd}\p{Cf}._/]"


# ---------------------------------------------------------------- what may be used of one source


def _nobody() -> pl.Series:
    return pl.Series("entity_id", [], dtype=pl.String)


@dataclass
class Tally:
    """What became of a source's ids, over all of its batches."""

    matched: pl.Series = field(default_factory=_nobody)
    unmatched: pl.Series = field(default_factory=_nobody)
    withheld: pl.Series = field(default_factory=_nobody)
    objected: set[str] = field(default_factory=set)
    near: set[str] = field(default_factory=set)  # objections that miss an id only by how it is written
    ambiguous_rows: int = 0


def _and(ids: pl.Series, more: pl.Series) -> pl.Series:
    return pl.concat([ids, more]).unique()


@dataclass(frozen=True)
class Coverage:
    """Of whom one source may speak.

    ``matches``: their_id, entity_id, from_date (the day on which the match was known) and until_date (the day on which
    it was revoked or became ambiguous, or null), where the source holds another agency's ids; of an id that was never
    clear both days are the same. ``covered``: entity_id, from_date and, where there are links, until_date; None means
    everybody. ``objectors``: whose rows are not used at all.
    """

    matches: pl.DataFrame | None = None
    covered: pl.DataFrame | None = None
    objectors: frozenset[str] = frozenset()

    @cached_property
    def _covered_in_turn(self) -> pl.DataFrame | None:
        return None if self.covered is None else _in_turn(with_ends(self.covered), ["entity_id"])

    @cached_property
    def _matches_in_turn(self) -> pl.DataFrame | None:
        return None if self.matches is None else _in_turn(self.matches, ["their_id", "entity_id"])

    def apply(self, rows: pl.DataFrame, tally: Tally) -> pl.DataFrame:
        """The rows that may be used, under our ids, each known no earlier than we could have known it."""
        if self.matches is not None:
            rows = self._translated(rows, tally)
        rows = self._without_objectors(rows, tally)
        if self.covered is None:
            return rows
        numbered = rows.with_row_index("row")
        assert self._covered_in_turn is not None
        usable = _while_they_hold(numbered, self._covered_in_turn, "entity_id")
        if usable.height < rows.height:
            tally.withheld = _and(tally.withheld, numbered.join(usable, on="row", how="anti")["entity_id"])
        return usable.select(rows.columns)

    def _translated(self, rows: pl.DataFrame, tally: Tally) -> pl.DataFrame:
        assert self.matches is not None
        theirs = rows["entity_id"].unique()
        known = theirs.is_in(self.matches["their_id"].implode())
        tally.matched, tally.unmatched = (
            _and(tally.matched, theirs.filter(known)),
            _and(tally.unmatched, theirs.filter(~known)),
        )
        numbered = rows.rename({"entity_id": "their_id"}).with_row_index("row")
        assert self._matches_in_turn is not None
        usable = _while_they_hold(numbered, self._matches_in_turn, "their_id")
        matched = int(numbered["their_id"].is_in(self.matches["their_id"].implode()).sum())
        # A row may be used under two names in turn, where a wrong match was put right.
        tally.ambiguous_rows += matched - usable["row"].n_unique()
        return usable.select(rows.columns)

    def _without_objectors(self, rows: pl.DataFrame, tally: Tally) -> pl.DataFrame:
        if not self.objectors:
            return rows
        met = rows["entity_id"].is_in(list(self.objectors))
        tally.objected |= set(rows.filter(met)["entity_id"].unique())
        others = rows.filter(~met)
        tally.near |= near_misses(self.objectors, others["entity_id"])
        return others


def _in_turn(spans: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    """Spans with ``before``, the day on which the one before ended; null for the first."""
    return spans.with_columns(pl.col("until_date").shift(1).over(by, order_by="from_date").alias("before"))


def _while_they_hold(rows: pl.DataFrame, spans: pl.DataFrame, on: str) -> pl.DataFrame:
    """The rows that became known while a span held or before, each known no earlier than the span.

    A row that became known between two spans of the same counts from the second on; one after the last, never.
    """
    found = rows.join(spans, on=on, how="inner", maintain_order="left")
    first, lasting = pl.col("before").is_null(), pl.col("until_date").is_null()
    if "known_date" not in rows.columns:
        return found.filter(first & (lasting | (pl.col("from_date") < pl.col("until_date"))))
    mine = first | (pl.col("known_date") >= pl.col("before")).fill_null(False)
    counts_from = pl.max_horizontal("known_date", "from_date")  # of a day that is not recorded: that of the span
    found = found.filter(mine & (lasting | (counts_from < pl.col("until_date"))))
    since = pl.when(pl.col("known_date").is_not_null()).then(counts_from)
    return found.with_columns(since.alias("known_date"))


# ---------------------------------------------------------------- consents


def read_consents(folder: Path, study: Study) -> pl.DataFrame | None:
    """entity_id, source, from_date: who consents to the use of which source, and since when. None if nobody was asked.

    A consent that was withdrawn is none, from the moment that the file says so, and whatever older or equally old rows
    the file keeps of it; one that was given on a later day counts anew.

    Raises
    ------
    DataError
        if the file is missing, or a row lacks the day on which consent was given or withdraws before it was given.
    """
    said = study.file.consents
    if said is None:
        return None
    raw, name = _read(folder, said, (said.entity, said.source, said.given_on, said.withdrawn_on))
    faults = Faults(name)
    rows = pl.DataFrame(
        [
            as_ids(raw[said.entity], faults),
            as_text(raw[said.source], faults).alias("source"),
            as_dates(raw[said.given_on], None, faults).alias("from_date"),
            as_dates(raw[said.withdrawn_on], None, faults).alias("withdrawn_on"),
        ]
    )
    nowhen = rows["from_date"].is_null().alias(said.given_on)
    faults.note(nowhen, "rows have no date", "say when each consent was given")
    early = (rows["withdrawn_on"] < rows["from_date"]).alias(said.withdrawn_on)
    faults.note(early, "rows are withdrawn before they were given", "check which column is given_on")
    faults.refuse()
    last = pl.col("withdrawn_on").max().over("entity_id", "source")
    anew = last.is_null() | (pl.col("from_date") > last)
    standing = rows.filter(pl.col("withdrawn_on").is_null() & anew)
    standing = standing.group_by("entity_id", "source").agg(pl.col("from_date").min())
    return standing.sort("source", "entity_id")


def consented_to(source: str, consents: pl.DataFrame, extracted_on: dt.date) -> pl.DataFrame:
    """Who consents to the use of a source: entity_id and from_date. Raises DataError if nobody does."""
    given = consents.filter((pl.col("source") == source) & (pl.col("from_date") <= extracted_on))
    if given.is_empty():
        raise DataError(f"sources.{source}.consented: nobody consents to it; take it out, or check the consents' file")
    return given.select("entity_id", "from_date")


# ---------------------------------------------------------------- objections


def read_objections(folder: Path, study: Study, scope: str) -> frozenset[str]:
    """The ids of people who objected to ``training``, ``audit`` or ``scoring``, or to all of it.

    Raises
    ------
    DataError
        if the study names a file that is not there, or the file holds another word for a scope.
    """
    said = study.file.objections
    if said is None:
        return frozenset()
    raw, name = _read(folder, said, (said.entity, said.scope))
    faults = Faults(name)
    ids = as_ids(raw[said.entity], faults)
    scopes = as_text(raw[said.scope], faults).str.to_lowercase()
    unknown = (scopes.is_null() | ~scopes.is_in(SCOPES)).alias(said.scope)
    faults.note(unknown, "rows have no scope that is known", f"write one of {', '.join(SCOPES)}")
    faults.refuse()
    return frozenset(ids.filter(scopes.is_in([scope, "all"])))


def near_misses(objectors: Iterable[str], ids: pl.Series) -> set[str]:
    """The objections that are of none of the ids, but would be if case, leading zeros, blanks, dashes and dots were
    ignored."""
    said = pl.Series("entity_id", sorted(set(objectors)), dtype=pl.String)
    met = said.is_in(ids.unique().implode())
    alike = _loosely(said).is_in(_loosely(ids.unique()).implode())
    return set(said.filter(alike & ~met))


def refuse_near_misses(near: Iterable[str], met: Iterable[str] = (), of: str = "the sources") -> None:
    """An objection that misses an id only by how it is written is meant. Raises DataError."""
    missed = set(near) - set(met)
    if missed:
        raise DataError(
            f"{len(missed)} objections match ids of {of} only if case, leading zeros, blanks, dashes and dots are "
            f"ignored; write them as they stand in {of}"
        )


def _loosely(ids: pl.Series) -> pl.Series:
    return ids.str.to_lowercase().str.replace_all(SEPARATORS, "").str.strip_chars_start("0")


def _read(folder: Path, said: Objections | Consents, columns: tuple[str, ...]) -> tuple[pl.DataFrame, str]:
    reader = open_reader(folder, said.file, said.table)
    for column in columns:
        if column not in reader.columns:
            raise DataError(f"{reader.name}: has no column {column!r}; check its header and the study")
    (raw,) = reader.batches(list(dict.fromkeys(columns)), None)
    return raw, reader.name
