"""The scored file, best first, in slices of a stated size, whatever parts the cohort came in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from riskmodels.models.places import EXCLUDED, HOUSEHOLD, HOUSEHOLD_CLOSED, LISTED, NO_TEAM, NOT_REACHED
from riskmodels.service.batch.explaining import Explained
from riskmodels.service.batch.listing import Filled, Teams, bands_of, read_next, taken
from riskmodels.service.batch.memory import let_go
from riskmodels.service.batch.ranked import Buckets, Run, together
from riskmodels.service.batch.shards import texts_of
from riskmodels.service.shapes import SCORED_SCHEMA, WORDS, Slice

ROWS_IN_A_SLICE = 32_768
BECAUSE = {
    LISTED: None,
    NOT_REACHED: "not reached: the places went to people with a higher risk",
    HOUSEHOLD: "another of the household has a place",
    HOUSEHOLD_CLOSED: "a rule about somebody of the household leaves all of it alone",
    NO_TEAM: "no team has places for this person",
}
COLUMNS = ("row_number", *(name for name in SCORED_SCHEMA if name not in WORDS))


@dataclass(frozen=True)
class Listing:
    """Everything that the columns of a slice are made from."""

    buckets: Buckets
    filled: Filled
    teams: Teams
    explained: Explained
    as_of: dt.date
    bands: dict[str, float]
    places: int
    model_version: str
    model_sha256: str
    batch_id: str

    def slices(self, rules: Sequence[str]) -> Iterator[Slice]:
        """Slices of one size, the last shorter; ``rules``: why each service rule leaves people off."""
        held: list[Slice] = []
        size = 0
        for piece in self._pieces(rules):
            held.append(piece)
            size += piece.frame.height
            while size >= ROWS_IN_A_SLICE:
                whole = _joined(held)
                yield self._finished(_cut(whole, 0, ROWS_IN_A_SLICE))
                held = [_cut(whole, ROWS_IN_A_SLICE, size)]
                size -= ROWS_IN_A_SLICE
                let_go()
        if size:
            yield self._finished(_joined(held))

    def _finished(self, piece: Slice) -> Slice:
        """With the columns that say the same of everybody."""
        same = {
            "as_of_date": self.as_of,
            "model_version": self.model_version,
            "model_sha256": self.model_sha256,
            "batch_id": self.batch_id,
        }
        frame = piece.frame.with_columns(pl.lit(value).alias(name) for name, value in same.items())
        return Slice(frame.select(COLUMNS), piece.explained, piece.codes)

    def _pieces(self, rules: Sequence[str]) -> Iterator[Slice]:
        """A slice for each bucket, of whatever size, without the columns that say the same of everybody."""
        because = [*(BECAUSE.get(code) for code in range(len(BECAUSE) + 1)), *rules]
        codes = self.explained.reader()
        rank = 1
        with self.filled.path.open("rb") as file:
            for runs in self.buckets:
                order, became = read_next(file)
                if not len(order):
                    codes.skip(runs)
                    continue
                explained, found = codes.of(runs, order)
                yield Slice(self._frame(runs, order, became, rank, because), explained, found)
                rank += len(order)

    def _frame(
        self, runs: list[Run], order: np.ndarray, became: np.ndarray, rank: int, because: Sequence[str | None]
    ) -> pl.DataFrame:
        every = together(runs)
        ids = texts_of(
            b"".join(self.buckets.shards[run.number].text("id", run.records) for run in runs), every["id_bytes"]
        )
        records = every[order]
        risk = np.ascontiguousarray(records["risk"])
        ranks = np.arange(rank, rank + len(order), dtype=np.int32)
        why = np.where(became == EXCLUDED, len(BECAUSE) + 1 + records["excluded"], became)
        names, starts = list(self.bands), np.array(list(self.bands.values()))
        columns = {
            "row_number": np.ascontiguousarray(records["row_number"]),
            "entity_id": ids.gather(order),
            "risk": risk,
            "risk_low": pl.Series(records["low"]).fill_nan(None),
            "risk_high": pl.Series(records["high"]).fill_nan(None),
            "band": taken("band", names, bands_of(starts, risk)),
            "rank": ranks,
            "selected": ranks <= self.places,
            "listed": became == LISTED,
            "not_listed_because": taken("because", because, why),
            "team": self.teams.series(self.teams.numbers(runs)[order]),
        }
        return pl.DataFrame(columns)


def _joined(pieces: list[Slice]) -> Slice:
    if len(pieces) == 1:
        return pieces[0]
    return Slice(
        pl.concat([piece.frame for piece in pieces], rechunk=True),
        np.concatenate([piece.explained for piece in pieces]),
        np.concatenate([piece.codes for piece in pieces]),
    )


def _cut(piece: Slice, start: int, stop: int) -> Slice:
    first, last = (int(piece.explained[:end].sum()) for end in (start, stop))
    return Slice(piece.frame[start:stop], piece.explained[start:stop], piece.codes[first:last])
