"""Whose rows may be used, and from when: links to other agencies, consents, objections.

Links are taken as they were made. Whoever is not linked, or did not consent, is *not covered*: their rows are never
read, and nothing is known of them from that source, which is not the same as "no events".

A match counts from the day on which it was known. Where a later match gives the same id to somebody else, it is from
then on not clear whose rows they are: those that became known since are not used. A match that was known before is not
undone for the time before, since what is learned later must not change the past.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl

from riskmodels.data.columns import as_dates, as_ids, as_text
from riskmodels.data.faults import Faults
from riskmodels.data.readers import open_reader
from riskmodels.errors import DataError
from riskmodels.study import Consents, Link, Objections, Study

SCOPES = ("training", "audit", "scoring", "all")
ALWAYS = dt.date(1, 1, 1)
MATCHES = {"their_id": pl.String, "entity_id": pl.String, "from_date": pl.Date, "until": pl.Date}


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
    near: set[str] = field(default_factory=set)  # objections that miss an id only by case or leading zeros
    ambiguous_rows: int = 0


def _and(ids: pl.Series, more: pl.Series) -> pl.Series:
    return pl.concat([ids, more]).unique()


@dataclass(frozen=True)
class Coverage:
    """Of whom one source may speak.

    ``matches``: their_id, entity_id, from_date (the day on which the match was known) and until (the day on which it
    became ambiguous, or null), where the source holds another agency's ids. ``covered``: entity_id and from_date, a row
    each; None means everybody. ``objectors``: whose rows are not used at all.
    """

    matches: pl.DataFrame | None = None
    covered: pl.DataFrame | None = None
    objectors: frozenset[str] = frozenset()

    def apply(self, rows: pl.DataFrame, tally: Tally) -> pl.DataFrame:
        """The rows that may be used, under our ids, each known no earlier than we could have known it."""
        if self.matches is not None:
            rows = self._translated(rows, tally)
        rows = self._without_objectors(rows, tally)
        if self.covered is None:
            return rows
        allowed = rows["entity_id"].is_in(self.covered["entity_id"].implode())
        tally.withheld = _and(tally.withheld, rows.filter(~allowed)["entity_id"])
        if "known_date" not in rows.columns:
            return rows.filter(allowed)
        since = rows.join(self.covered, on="entity_id", how="inner", maintain_order="left")
        return since.with_columns(_later("known_date", "from_date")).select(rows.columns)

    def _translated(self, rows: pl.DataFrame, tally: Tally) -> pl.DataFrame:
        assert self.matches is not None
        theirs = rows["entity_id"].unique()
        known = theirs.is_in(self.matches["their_id"].implode())
        tally.matched, tally.unmatched = (
            _and(tally.matched, theirs.filter(known)),
            _and(tally.unmatched, theirs.filter(~known)),
        )
        names = rows.columns
        found = rows.rename({"entity_id": "their_id"}).join(
            self.matches, on="their_id", how="inner", maintain_order="left", validate="m:1"
        )
        clear = pl.col("until").is_null() | (pl.col("until") > pl.col("from_date"))
        if "known_date" in names:
            found = found.with_columns(_later("known_date", "from_date"))
            since = pl.col("until").is_not_null() & (pl.col("known_date") >= pl.col("until"))
            clear &= ~since.fill_null(False)
        usable = found.filter(clear)
        tally.ambiguous_rows += found.height - usable.height
        return usable.select(names)

    def _without_objectors(self, rows: pl.DataFrame, tally: Tally) -> pl.DataFrame:
        if not self.objectors:
            return rows
        met = rows["entity_id"].is_in(list(self.objectors))
        tally.objected |= set(rows.filter(met)["entity_id"].unique())
        loosely = {_loosely(one): one for one in self.objectors}
        others = rows.filter(~met)
        each = others["entity_id"].unique()
        alike = each.str.to_lowercase().str.strip_chars_start("0").is_in(list(loosely))
        tally.near |= {loosely[_loosely(one)] for one in each.filter(alike)}
        return others


def _later(column: str, other: str) -> pl.Expr:
    """The later of two days; where the first is not known, it stays so."""
    return pl.when(pl.col(column).is_not_null()).then(pl.max_horizontal(column, other)).alias(column)


def _loosely(entity_id: str) -> str:
    return entity_id.lower().lstrip("0")


def both(first: pl.DataFrame | None, second: pl.DataFrame | None) -> pl.DataFrame | None:
    """Who is covered by both, from the later day on. None covers everybody."""
    if first is None or second is None:
        return second if first is None else first
    joined = first.join(second, on="entity_id", how="inner", maintain_order="left")
    return joined.with_columns(_later("from_date", "from_date_right")).select("entity_id", "from_date")


# ---------------------------------------------------------------- links


@dataclass(frozen=True)
class Linked:
    """How a source was linked: who is covered, by which matches, and how many matches were not taken, and why."""

    covered: pl.DataFrame
    matches: pl.DataFrame | None = None
    ambiguous: int = 0
    below_confidence: int = 0

    def within(self, allowed: pl.DataFrame | None) -> Linked:
        """Only those who are covered by the source of the matches itself. None allows everybody."""
        covered = both(self.covered, allowed)
        if allowed is None or covered is None or self.matches is None:
            return self
        return replace(self, covered=covered, matches=self.matches.join(allowed, on="entity_id", how="semi"))

    def row(self, source: str, everybody: pl.Series) -> dict[str, Any]:
        """source, linked and not_linked (of our people), ambiguous, below_confidence (of their ids), share (linked)."""
        linked = int(everybody.is_in(self.covered["entity_id"].implode()).sum())
        return {
            "source": source,
            "linked": linked,
            "not_linked": len(everybody) - linked,
            "ambiguous": self.ambiguous,
            "below_confidence": self.below_confidence,
            "share": linked / len(everybody) if len(everybody) else None,
        }


def linked_by_flag(name: str, link: Link, flags: pl.DataFrame) -> Linked:
    """Links that a column of our own says: true, or 1, for whoever was matched.

    Parameters
    ----------
    flags : entity_id, the flag as a number, and known_date if it is known since when

    Raises
    ------
    DataError
        if the flag holds anything but true and false, or is true of nobody.
    """
    column = str(link.flag).partition(".")[2]
    if not flags[column].drop_nulls().is_in([0.0, 1.0]).all():
        raise DataError(f"sources.{name}.link.flag: {link.flag} holds more than true and false (1 and 0); name another")
    since = pl.col("known_date") if "known_date" in flags.columns else pl.lit(ALWAYS)
    true = flags.filter(pl.col(column) == 1)
    covered = true.select("entity_id", since.alias("from_date")).group_by("entity_id").agg(pl.col("from_date").min())
    if covered.is_empty():
        raise DataError(f"sources.{name}.link.flag: {link.flag} is true of nobody; check the links")
    return Linked(covered.sort("entity_id"))


def linked_through(name: str, link: Link, matches: pl.DataFrame) -> Linked:
    """Links that a table of matches says, as far as their status and confidence are accepted.

    Several of their ids may be one person of ours. One of their ids that is matched to several people is ambiguous.

    Parameters
    ----------
    matches : entity_id (ours), their id, status and confidence by the names of the link, and known_date if there is one

    Raises
    ------
    DataError
        if confidence is not between 0 and 1, or no match is accepted.
    """
    accepted = matches.filter(pl.col(str(link.id)).is_not_null())
    if link.status:
        accepted = accepted.filter(pl.col(link.status).is_in(list(link.accept)))
    below = 0
    if link.confidence:
        if not matches[link.confidence].drop_nulls().is_between(0, 1).all():
            raise DataError(f"sources.{name}.link: {link.through}.{link.confidence} must lie between 0 and 1")
        sure = (pl.col(link.confidence) >= link.at_least).fill_null(False)
        below = accepted.filter(~sure).height
        accepted = accepted.filter(sure)
    if accepted.is_empty():
        raise DataError(f"sources.{name}.link: no match of {link.through} is accepted; check accept and at_least")
    since = pl.col("known_date") if "known_date" in matches.columns else pl.lit(ALWAYS)
    pairs = accepted.select(pl.col(str(link.id)).alias("their_id"), "entity_id", since.cast(pl.Date).alias("from_date"))
    # Of several records of the same match the first counts; then, for each of their ids, whom it was matched to first.
    pairs = pairs.group_by("their_id", "entity_id").agg(pl.col("from_date").min())
    pairs = pairs.sort("their_id", "from_date", "entity_id")
    until = pl.col("from_date").shift(-1).over("their_id", order_by=["from_date", "entity_id"])
    first = pairs.with_columns(until.alias("until")).unique("their_id", keep="first", maintain_order=True)
    several = first.filter(pl.col("until").is_not_null())
    clear = first.filter(pl.col("until").is_null() | (pl.col("until") > pl.col("from_date")))
    covered = clear.group_by("entity_id").agg(pl.col("from_date").min()).sort("entity_id")
    return Linked(covered, first.select(list(MATCHES)), several.height, below)


# ---------------------------------------------------------------- consents


def read_consents(folder: Path, study: Study) -> pl.DataFrame | None:
    """entity_id, source, from_date: who consents to the use of which source, and since when. None if nobody was asked.

    A consent that was withdrawn is none, from the moment that the file says so; a later one counts anew.

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
    standing = rows.filter(pl.col("withdrawn_on").is_null())
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


def refuse_near_misses(near: Iterable[str], met: Iterable[str]) -> None:
    """An objection that misses an id only by case or leading zeros is meant. Raises DataError."""
    missed = set(near) - set(met)
    if missed:
        raise DataError(
            f"{len(missed)} objections match ids of the sources only if case and leading zeros are ignored; write them "
            "as they stand in the sources"
        )


def _read(folder: Path, said: Objections | Consents, columns: tuple[str, ...]) -> tuple[pl.DataFrame, str]:
    reader = open_reader(folder, said.file, said.table)
    for column in columns:
        if column not in reader.columns:
            raise DataError(f"{reader.name}: has no column {column!r}; check its header and the study")
    (raw,) = reader.batches(list(dict.fromkeys(columns)), None)
    return raw, reader.name
