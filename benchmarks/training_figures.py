"""Our side of ``training.py``'s figures: everything that is said of a made-up ranking, and the same said plainly.

People have a lasting need, so that their rows on several dates are not independent; three in a hundred outcomes are not
known. Four families are compared: the made-up truth, and three that know less.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from benchmarks.measure import Steps
from benchmarks.training_data import use_threads
from riskmodels.assessment.detail import Learned, assess_detail
from riskmodels.assessment.evaluation import evaluate
from riskmodels.assessment.performance import assess_performance
from riskmodels.assessment.sample_size import Sample
from riskmodels.models.ranking import Ranking, rank
from riskmodels.models.training import Predictions
from riskmodels.study import BASELINES, Capacity, load_study

DATES, SHARE = 10, 0.05
THRESHOLDS = (0.05, 0.1, 0.2)
SEED = 7


def made_up(rows: int) -> pl.DataFrame:
    """A predictions table's columns, with ``need``: what is known of everybody. A tenth of the rows to each date."""
    rng = np.random.default_rng([SEED, rows])
    people = rows // DATES
    lasting = np.tile(rng.standard_normal(people), DATES)
    need = 0.8 * lasting + 0.6 * rng.standard_normal(people * DATES)
    happened = rng.random(need.size) < 1 / (1 + np.exp(2.5 - need))
    known = rng.random(need.size) < 0.97
    days = np.datetime64("2020-01-01") + 91 * np.arange(DATES)
    frame = pl.DataFrame(
        {
            "entity_id": np.tile(np.char.add("p", np.arange(people).astype(str)), DATES),
            "as_of_date": np.repeat(days, people),
            "origin": np.repeat(np.arange(DATES, dtype=np.int16), people),
            "outcome": happened.astype(np.int8),
            "known": known,
            "need": need,
        }
    )
    status = pl.when("known").then(pl.lit("known")).otherwise(pl.lit("unobserved"))
    outcome = pl.when("known").then("outcome")
    return frame.with_columns(
        outcome.alias("outcome"), status.alias("outcome_status"), pl.col("entity_id").alias("cluster_id"),
        pl.lit("test").alias("stage"),
    )  # fmt: skip


def predicted(rows: int) -> pl.DataFrame:
    """The predictions table of four families."""
    made = made_up(rows)
    need = made["need"].to_numpy()
    vague = need + np.random.default_rng([SEED, 1]).standard_normal(need.size)
    scores = {
        "base_rate": np.full(need.size, -2.0),
        "single_best_column": 0.5 * vague - 2.3,
        "points": np.round(need) - 2.5,
        "lightgbm": need - 2.5,
    }
    order = (
        "entity_id", "as_of_date", "origin", "stage", "model", "score", "risk", "outcome", "outcome_status",
        "cluster_id",
    )  # fmt: skip
    frames = [
        made.with_columns(
            pl.lit(family).alias("model"), pl.Series("score", score), pl.Series("risk", 1 / (1 + np.exp(-score)))
        ).select(order)
        for family, score in scores.items()
    ]
    return pl.concat(frames)


# ---------------------------------------------------------------- in a child


def evaluated(rows: int) -> dict[str, Any]:
    """All that ``riskmodels evaluate`` says of a file of predictions with people and dates."""
    use_threads()
    made = made_up(rows)
    risk = 1 / (1 + np.exp(2.5 - made["need"].to_numpy()))
    places = round(SHARE * rows / DATES)
    ended = Steps()
    found = evaluate(
        made["outcome"].fill_null(0).to_numpy(), risk, known=made["known"].to_numpy(), entity_ids=made["entity_id"],
        dates=made["as_of_date"].to_numpy(), capacities=(places, 2 * places), thresholds=THRESHOLDS, seed=SEED,
    )  # fmt: skip
    ended("evaluate")
    told = {name: found.measures[name].value for name in ("auc", "brier", "oe_ratio")}
    return {"steps": ended.spent, "told": told, "figures": len(found.measures), "places": places}


def assessed(rows: int, study: str) -> dict[str, Any]:
    """What a run says of its ranking and of every family: the headline figures, and what stands behind them."""
    use_threads()
    predictions, asked = predicted(rows), load_study(study).file
    ended = Steps()
    ranking = rank(predictions, "lightgbm", Capacity(share=SHARE), SEED)
    ended("rank")
    performance = assess_performance(
        ranking, predictions, places=ranking.places, thresholds=THRESHOLDS, criterion="brier_score",
        baselines=BASELINES, best_baseline="points", seed=SEED,
    )  # fmt: skip
    ended("assess_performance")
    labels = ranking.frame.select("entity_id", "as_of_date", pl.col("origin").gt(0).alias("seen"))
    assess_detail(
        ranking, Predictions(predictions), performance, asked, labels=labels,
        learned=Learned(Sample(rows, rows // 10, rows // DATES, rows // (2 * DATES)), 100),
        verdicts=dict.fromkeys(asked.models.families, "PASS"),
    )  # fmt: skip
    ended("assess_detail")
    overall = performance.overall
    told = {"auc": overall["auc"].value, "brier": overall["brier_score"].value, "oe_ratio": overall["oe_ratio"].value}
    return {"steps": ended.spent, "told": told, "selected": selected(ranking)}


def selected(ranking: Ranking) -> int:
    """How many are on the lists of all dates."""
    return int(ranking.frame["selected"].sum())


def said_plainly(rows: int) -> dict[str, Any]:
    """The same three figures by scikit-learn and by their own formulas, from the same rows."""
    from sklearn.metrics import brier_score_loss, roc_auc_score

    made = made_up(rows).filter("known")
    risk, outcome = 1 / (1 + np.exp(2.5 - made["need"].to_numpy())), made["outcome"].to_numpy()
    told = {
        "auc": float(roc_auc_score(outcome, risk)),
        "brier": float(brier_score_loss(outcome, risk)),
        "oe_ratio": float(outcome.sum() / risk.sum()),
    }
    return {"told": told}


def other_figures(told: Mapping[str, float], plainly: Mapping[str, float]) -> list[str]:
    """The figures that are not the same to 1e-9."""
    return [name for name, value in plainly.items() if not math.isclose(told[name], value, rel_tol=1e-9)]
