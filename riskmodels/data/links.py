"""Links to other agencies: who is linked, from when until when, and whose rows theirs are.

A match counts from the day on which it was known, and the latest that is known of it decides from its day on. Where it
is revoked, or the same id is also given to somebody else, it is from then on not clear whose rows they are: those that
became known since are not used, and whoever they were taken to be of is no longer covered, since rows that were taken
for theirs may not be. Nothing of this is undone for the time before: what is learned later must not change the past.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from riskmodels.data.spans import both, spans_of, stretches, with_ends
from riskmodels.errors import DataError
from riskmodels.study import Link

ALWAYS = dt.date(1, 1, 1)
COVERED = {"entity_id": pl.String, "from_date": pl.Date, "until_date": pl.Date}
MATCHES = {"their_id": pl.String, **COVERED}


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
        """source, linked and not_linked (of our people), ambiguous, below_confidence (of their ids), share (linked).

        Linked are those whose link still stands.
        """
        standing = self.covered.filter(pl.col("until_date").is_null())["entity_id"]
        linked = int(everybody.is_in(standing.implode()).sum())
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

    A flag that turns false, or says nothing any more, ends the link on the day on which that was known.

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
    true = (pl.col(column) == 1).fill_null(False).alias("holds")
    covered = spans_of(flags.select("entity_id", _since(flags), true), ["entity_id"])
    if covered.is_empty():
        raise DataError(f"sources.{name}.link.flag: {link.flag} is true of nobody; check the links")
    return Linked(covered)


def linked_through(name: str, link: Link, matches: pl.DataFrame) -> Linked:
    """Links that a table of matches says, as far as their status and confidence are accepted.

    Several of their ids may be one person of ours. One of their ids that is matched to several people at a time is
    ambiguous. Of several records of a match the latest known counts; on the same day, the one that is not accepted.

    Parameters
    ----------
    matches : entity_id (ours), their id, status and confidence by the names of the link, and known_date if there is one

    Raises
    ------
    DataError
        if confidence is not between 0 and 1, or no match is accepted.
    """
    said = matches.filter(pl.col(str(link.id)).is_not_null())
    holds, below = pl.lit(True), 0
    if link.status:
        holds = pl.col(link.status).is_in(list(link.accept)).fill_null(False)
    if link.confidence:
        if not matches[link.confidence].drop_nulls().is_between(0, 1).all():
            raise DataError(f"sources.{name}.link: {link.through}.{link.confidence} must lie between 0 and 1")
        sure = (pl.col(link.confidence) >= link.at_least).fill_null(False)
        below = said.filter(holds & ~sure).height
        holds &= sure
    their_id = pl.col(str(link.id)).alias("their_id")
    pairs = spans_of(said.select(their_id, "entity_id", _since(said), holds.alias("holds")), ["their_id", "entity_id"])
    if pairs.is_empty():
        raise DataError(f"sources.{name}.link: no match of {link.through} is accepted; check accept and at_least")
    clear, ambiguous = _clear(pairs)
    never = ambiguous.join(clear, on="their_id", how="anti").unique("their_id", keep="first", maintain_order=True)
    found = pl.concat([clear, never.with_columns(pl.col("from_date").alias("until_date"))])
    return Linked(_covered_through(clear), found.sort(list(MATCHES)), ambiguous["their_id"].n_unique(), below)


def _since(said: pl.DataFrame) -> pl.Expr:
    known = pl.col("known_date") if "known_date" in said.columns else pl.lit(ALWAYS)
    return known.cast(pl.Date).alias("on")


def _clear(pairs: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """While which matches were the only ones of their id; and the matches of ids that ever had several at a time."""
    shared = pl.col("entity_id").n_unique().over("their_id") > 1
    found: list[tuple[Any, ...]] = []
    several = []
    for (their_id,), spans in pairs.filter(shared).group_by(["their_id"], maintain_order=True):
        rows = list(spans.select(list(COVERED)).iter_rows())
        alone = stretches(rows, lambda _, holding: min(holding) if len(holding) == 1 else None)
        found += [(their_id, *span) for span in alone]
        if stretches(rows, lambda _, holding: "several" if len(holding) > 1 else None):
            several.append(their_id)
    clear = pl.DataFrame(found, schema=MATCHES, orient="row")
    return pl.concat([pairs.filter(~shared).select(list(MATCHES)), clear]), pairs.filter(
        pl.col("their_id").is_in(several)
    )


def _covered_through(clear: pl.DataFrame) -> pl.DataFrame:
    """While whom all matches covered that had been taken for theirs: rows that were read by one that has ended stay."""
    of_several = pl.col("their_id").n_unique().over("entity_id") > 1
    ends = pl.col("until_date").is_not_null().any().over("entity_id")
    lasting = clear.filter(of_several & ~ends).group_by("entity_id").agg(pl.col("from_date").min())
    swept = []
    for (entity_id,), spans in clear.filter(of_several & ends).group_by(["entity_id"], maintain_order=True):
        rows = spans.select("their_id", "from_date", "until_date").iter_rows()
        for _, first, end in stretches(rows, lambda begun, holding: "covered" if begun == holding else None):
            swept.append((entity_id, first, end))
    parts = [clear.filter(~of_several), with_ends(lasting), pl.DataFrame(swept, schema=COVERED, orient="row")]
    return pl.concat([part.select(list(COVERED)) for part in parts]).sort("entity_id", "from_date")
