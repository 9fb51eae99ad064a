"""The one canonical ranking: the list that metrics, audit and service all use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from riskmodels.data.splits import seeded_hash
from riskmodels.models.places import Places, places_of
from riskmodels.study import Capacity, StudyFile


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


def after_rules(ranking: Ranking, view: pl.DataFrame, study: StudyFile) -> pl.DataFrame:
    """What the service says of each ranked row, and what becomes of it once its rules, teams and households count.

    Parameters
    ----------
    view : what `riskmodels.data.service_rules.service_view` says of the ranked rows, in any order

    Returns
    -------
    The columns of ``view``, in the order of the ranking, and ``fate``: UInt8, as `riskmodels.models.places` has them.

    Raises
    ------
    StudyError
        if there are more places than people on a date.
    """
    keys = ("entity_id", "as_of_date")
    seen = ranking.frame.select(*keys, "rank").join(view, on=keys, how="left", maintain_order="left")
    fates = []
    numbered = seen.with_row_index("row").sort("as_of_date", "rank")
    for _, part in numbered.group_by(["as_of_date"], maintain_order=True):
        closed = part.filter("household_closed")["household"]
        places = Places(places_of(study.capacity, part.height), closed)
        household = part["household"] if study.list_unit == "household" else None
        fate = places.take(part["excluded"].is_not_null(), part["team"], household)
        fates.append(part.select("row", pl.Series("fate", fate)))
    return seen.drop("rank").with_columns(pl.concat(fates).sort("row")["fate"])


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
