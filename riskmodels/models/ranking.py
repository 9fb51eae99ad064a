"""The one canonical ranking: the list that metrics, audit and service all use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from riskmodels.data.splits import seeded_hash
from riskmodels.study import Capacity


@dataclass(frozen=True)
class Ranking:
    """Everybody in the cohort of each test date, best first.

    ``frame`` columns: entity_id, as_of_date, origin, score, risk, outcome (Int8, null unless known), outcome_status,
    cluster_id, rank (Int32, from 1, per as_of_date), selected (Boolean: rank within capacity).
    """

    model: str
    frame: pl.DataFrame
    places: dict[str, int]  # ISO as-of date -> places available


def order(entity_ids: Sequence[str], risk: np.ndarray, score: np.ndarray, seed: int) -> np.ndarray:
    """Row positions from highest to lowest risk; equal risks by score, then by the seeded hash of the id.

    Isotonic calibration makes long runs of equal risks, so the raw score decides before chance does.
    """
    return np.lexsort((seeded_hash(entity_ids, seed), -np.asarray(score), -np.asarray(risk)))


def refilled(frame: pl.DataFrame, excluded: pl.Series, places: Mapping[str, int]) -> pl.Series:
    """Who is on each date's list once those who are excluded give up their places to the next in rank.

    Parameters
    ----------
    frame : rows of a `Ranking`
    excluded : (n,) Boolean, in the order of ``frame``
    places : ISO as-of date -> places available
    """
    left = pl.when(~pl.col("excluded")).then(pl.col("rank"))
    room = pl.col("as_of_date").dt.to_string("%Y-%m-%d").replace_strict(dict(places), return_dtype=pl.Int64)
    within = (left.rank("ordinal").over("as_of_date") <= room).fill_null(False).alias("selected_after")
    return frame.select("as_of_date", "rank", excluded.alias("excluded")).select(within).to_series()


def rank(predictions: pl.DataFrame, model: str, capacity: Capacity, seed: int) -> Ranking:
    """Rank the whole cohort of every test date. Outcomes are carried along, never looked at.

    Parameters
    ----------
    predictions : the predictions table (`riskmodels.models.training.Predictions.frame`)
    """
    rows = predictions.filter((pl.col("model") == model) & (pl.col("stage") == "test"))
    frames, places = [], {}
    for (day,), part in sorted(rows.group_by(["as_of_date"]), key=lambda item: item[0][0]):
        k = capacity.of(part.height)
        position = order(part["entity_id"].to_list(), part["risk"].to_numpy(), part["score"].to_numpy(), seed)
        ranked = part[position.tolist()].with_columns(pl.int_range(1, part.height + 1, dtype=pl.Int32).alias("rank"))
        frames.append(ranked.with_columns((pl.col("rank") <= k).alias("selected")))
        places[day.isoformat()] = k
    return Ranking(model, pl.concat(frames).drop("stage", "model"), places)
