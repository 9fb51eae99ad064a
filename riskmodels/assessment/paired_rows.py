"""Two finished runs side by side: whom both ranked on the same dates, and what is known of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from riskmodels.assessment.intervals import Floats, Units, clusters_of
from riskmodels.errors import DataError

KEYS = ["entity_id", "as_of_date"]
COLUMNS = {
    "entity_id": "text", "as_of_date": "dates", "risk": "numbers", "outcome": "whole numbers", "outcome_status": "text",
    "cluster_id": "text", "rank": "whole numbers", "selected": "true and false",
}  # fmt: skip
ROWS_FOR_ONE_DIFFERENT_OUTCOME = 1_000
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class RankedRun:
    """A run's canonical ranking, checked. ``name`` is what the run is called in messages and results."""

    name: str
    frame: pl.DataFrame

    @property
    def days(self) -> list[dt.date]:
        found: list[dt.date] = self.frame["as_of_date"].unique().sort().to_list()
        return found

    def on(self, days: list[dt.date]) -> pl.DataFrame:
        return self.frame.filter(pl.col("as_of_date").is_in(days))


def ranked_run(name: str, frame: pl.DataFrame) -> RankedRun:
    """Check a ranking (columns as `riskmodels.models.ranking.Ranking.frame`) and take what is compared.

    Raises
    ------
    DataError
        naming what is wrong: a column, a risk that is no probability, a row that stands twice, an outcome without its
        status, a list that is not the top of the ranking.
    """
    for column, kind in COLUMNS.items():
        if column not in frame.columns or not _is(frame.schema[column], kind):
            raise DataError(f"{name}: ranking.parquet has no column {column!r} of {kind}; make the run again")
    taken = frame.select(list(COLUMNS)).with_columns(
        pl.col("risk").cast(pl.Float64).fill_nan(None), pl.col("outcome").cast(pl.Int8), pl.col("rank").cast(pl.Int64)
    )
    counts = taken.group_by("as_of_date").agg(
        pl.len().alias("n"), pl.col("rank").n_unique().alias("ranks"), pl.col("rank").min().alias("first"),
        pl.col("rank").max().alias("last"), pl.col("selected").sum().alias("places"),
        pl.col("rank").filter(pl.col("selected")).max().fill_null(0).alias("lowest"),
    )  # fmt: skip
    problems = {
        "rows, which is none": taken.height == 0,
        "rows with a gap in a column that must be full": _any(taken, pl.any_horizontal(
            pl.col(column).is_null() for column in COLUMNS if column != "outcome")),
        "risks that are no probability": _any(taken, ~pl.col("risk").is_between(0, 1)),
        "outcomes other than 0 and 1": _any(taken, ~pl.col("outcome").is_in([0, 1])),
        "outcomes that do not go with their status": _any(
            taken, pl.col("outcome").is_not_null() != (pl.col("outcome_status") == "known")),
        "rows that stand twice": taken.select(pl.struct(KEYS).n_unique()).item() != taken.height,
        "ranks that do not run from 1 on each date": _any(counts, pl.any_horizontal(
            pl.col(end) != pl.col("n") for end in ("ranks", "last")) | (pl.col("first") != 1)),
        "a list that is not the top of its ranking": _any(counts, pl.col("lowest") != pl.col("places")),
    }  # fmt: skip
    for words, found in problems.items():
        if found:
            raise DataError(f"{name}: ranking.parquet holds {words}; it was changed or damaged: make the run again")
    return RankedRun(name, taken)


def _any(frame: pl.DataFrame, condition: pl.Expr) -> bool:
    return bool(frame.select(condition.fill_null(False).any()).item())


def _is(dtype: pl.DataType, kind: str) -> bool:
    return {
        "text": dtype == pl.String,
        "dates": dtype == pl.Date,
        "numbers": dtype.is_numeric(),
        "whole numbers": dtype.is_integer(),
        "true and false": dtype == pl.Boolean,
    }[kind]


# ---------------------------------------------------------------- two of them


@dataclass(frozen=True)
class Judged:
    """One run on the rows that both ranked and whose outcome is known: arrays of shape (n,)."""

    outcome: Floats
    risk: Floats
    selected: Mask


@dataclass(frozen=True)
class Pair:
    """Two runs side by side on their common dates.

    ``everyone`` has a row for each person and date that either ranked: entity_id, as_of_date, cluster_id, outcome (null
    unless known), and rank, risk and selected of each run (``_first``, ``_second``; null, or false for selected, where
    that run did not rank them). ``first`` and ``second`` hold the rows that both ranked and whose outcome both know;
    ``units`` are their clusters. ``counts`` say what is common, and what is not.
    """

    everyone: pl.DataFrame
    days: list[dt.date]
    first: Judged
    second: Judged
    units: Units
    counts: Mapping[str, Any]


def pair(first: RankedRun, second: RankedRun) -> Pair:
    """Put two runs side by side.

    An outcome that the two know differently is left out where that is rare (at most 1 row in 1,000: corrected records
    in a later extract); more are a sign that not the same thing is predicted.

    Raises
    ------
    DataError
        if they share no test date or nobody, or disagree on more outcomes than that.
    """
    days = [day for day in first.days if day in second.days]
    names = f"{first.name} and {second.name}"
    if not days:
        raise DataError(f"{names}: have no test date in common; compare runs that were tested on the same dates")
    everyone = _side_by_side(first.on(days), second.on(days))
    both = everyone.filter(pl.col("rank_first").is_not_null() & pl.col("rank_second").is_not_null())
    if both.is_empty():
        raise DataError(f"{names}: ranked nobody in common on the same dates; compare runs on the same people")
    known = both.filter(pl.col("outcome_first").is_not_null() & pl.col("outcome_second").is_not_null())
    agreed = known.filter(pl.col("outcome_first") == pl.col("outcome_second"))
    differ = known.height - agreed.height
    if differ * ROWS_FOR_ONE_DIFFERENT_OUTCOME > known.height:
        raise DataError(
            f"{names}: {differ} of {known.height} rows have another outcome in the one than in the other; "
            "compare runs that predict the same outcome from the same records"
        )
    known_in_one = both.select(
        (pl.col("outcome_first").is_not_null() != pl.col("outcome_second").is_not_null()).sum()
    ).item()
    outcome = agreed["outcome_first"].cast(pl.Float64).to_numpy()
    judged = [
        Judged(outcome, agreed[f"risk_{side}"].to_numpy(), agreed[f"selected_{side}"].to_numpy())
        for side in ("first", "second")
    ]
    counts = {
        "days": [day.isoformat() for day in days],
        "days_only_first": [day.isoformat() for day in first.days if day not in days],
        "days_only_second": [day.isoformat() for day in second.days if day not in days],
        "rows": both.height,
        "rows_only_first": int(everyone["rank_second"].null_count()),
        "rows_only_second": int(everyone["rank_first"].null_count()),
        "known": agreed.height,
        "events": int(outcome.sum()),
        "known_in_one_only": int(known_in_one),
        "outcomes_that_differ": differ,
    }
    return Pair(
        _with_what_is_known(everyone), days, judged[0], judged[1],
        clusters_of(agreed["cluster_id"], agreed.height), counts,
    )  # fmt: skip


def _side_by_side(first: pl.DataFrame, second: pl.DataFrame) -> pl.DataFrame:
    """Everybody whom either ranked, in an order that does not depend on the files'."""
    sides = [
        frame.select(
            *KEYS, *(pl.col(name).alias(f"{name}_{side}") for name in frame.columns if name not in KEYS)
        ) for side, frame in (("first", first), ("second", second))
    ]  # fmt: skip
    joined = sides[0].join(sides[1], on=KEYS, how="full", coalesce=True)
    return joined.sort(KEYS[::-1]).with_columns(
        pl.coalesce("cluster_id_first", "cluster_id_second").alias("cluster_id"),
        pl.col("selected_first", "selected_second").fill_null(False),
    )


def _with_what_is_known(everyone: pl.DataFrame) -> pl.DataFrame:
    """One outcome for each row: where both ranked it the one that both know, else the one of the run that did."""
    in_both = pl.col("rank_first").is_not_null() & pl.col("rank_second").is_not_null()
    agreed = pl.when(pl.col("outcome_first") == pl.col("outcome_second")).then(pl.col("outcome_first"))
    either = pl.coalesce("outcome_first", "outcome_second")
    return everyone.select(
        *KEYS, "cluster_id", pl.when(in_both).then(agreed).otherwise(either).alias("outcome"),
        *(f"{name}_{side}" for name in ("rank", "risk", "selected") for side in ("first", "second")),
    )  # fmt: skip
