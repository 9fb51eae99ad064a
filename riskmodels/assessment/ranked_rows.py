"""A ranking as arrays: who was ranked, whose outcome is known, who was selected, which rows belong together."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from riskmodels.assessment.intervals import NO_ROWS, Floats, Units, clusters_of, of_rows
from riskmodels.errors import DataError
from riskmodels.models.ranking import Ranking

FEWEST_EVENTS = 5
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class RankedRows:
    """Arrays of shape (n,), in the ranking's order. ``outcome`` is 0 where it is not known; ``ranked`` is the length of
    that date's list; ``units`` are equal where the cluster is, or None where no cluster repeats.
    """

    outcome: Floats
    known: Mask
    risk: Floats
    selected: Mask
    rank: npt.NDArray[np.int64]
    ranked: npt.NDArray[np.int64]
    dates: npt.NDArray[np.datetime64]
    units: Units

    @property
    def n(self) -> int:
        return self.outcome.size

    @property
    def days(self) -> list[dt.date]:
        return sorted(set(np.unique(self.dates).tolist()))

    @property
    def events(self) -> int:
        return int(self.outcome[self.known].sum())

    @property
    def too_few(self) -> str | None:
        """Why statistics that compare events with non-events are not worth computing, or None if they are."""
        known, events = int(self.known.sum()), self.events
        if known == 0:
            return NO_ROWS
        if min(events, known - events) < FEWEST_EVENTS:
            return f"{events} events and {known - events} non-events are known; {FEWEST_EVENTS} of each are needed"
        return None

    def of(self, rows: npt.NDArray[Any]) -> RankedRows:
        """Some rows: a mask, or positions."""
        arrays = {field.name: getattr(self, field.name)[rows] for field in fields(self) if field.name != "units"}
        return RankedRows(**arrays, units=of_rows(self.units, rows))

    def known_only(self) -> RankedRows:
        return self.of(self.known)


def rows_of(ranking: Ranking, places: Mapping[str, int]) -> RankedRows:
    """Check a ranking and take its columns.

    Raises
    ------
    DataError
        if an outcome stands where none is known or is missing where it is; if a test date has no places, or another
        number of rows is selected than it has places.
    """
    frame = ranking.frame
    known = frame.select((pl.col("outcome_status") == "known").fill_null(False)).to_series()
    wrong = int((known != frame["outcome"].is_not_null()).sum())
    if wrong:
        raise DataError(
            f"predictions: {wrong} rows have an outcome that is not known, or a known one without a value; "
            "an outcome is null exactly where its status is not 'known'"
        )
    _check_places(frame, places)
    return RankedRows(
        outcome=frame["outcome"].fill_null(0).cast(pl.Float64).to_numpy(),
        known=known.to_numpy(),
        risk=frame["risk"].cast(pl.Float64).fill_null(float("nan")).to_numpy(),
        selected=frame["selected"].to_numpy(),
        rank=frame["rank"].cast(pl.Int64).to_numpy(),
        ranked=frame.select(pl.len().over("as_of_date").cast(pl.Int64)).to_series().to_numpy(),
        dates=frame["as_of_date"].to_numpy().astype("datetime64[D]"),
        units=clusters_of(frame["cluster_id"], frame.height),
    )


def _check_places(frame: pl.DataFrame, places: Mapping[str, int]) -> None:
    """The selection that was made and the places given must tell one story."""
    lists = frame.group_by("as_of_date").agg(pl.col("selected").sum(), pl.len().alias("n")).sort("as_of_date")
    for date, selected, n in lists.iter_rows():
        day = date.isoformat()
        if day not in places:
            raise DataError(f"places: none given for the test date {day}; give a number for every test date")
        if selected != min(places[day], n):
            raise DataError(
                f"ranking: {selected} of {n} rows are selected on {day}, which has {places[day]} places; rank again"
            )
