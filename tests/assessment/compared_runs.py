"""Two made-up runs of one study, for the tests of comparisons."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl

from riskmodels.assessment.paired_rows import Judged, RankedRun, ranked_run

DAYS = (dt.date(2020, 1, 1), dt.date(2021, 1, 1))


def ranking(rows, places=2):
    """A ranking from {(entity, day number): (risk, outcome or None)}; the highest risks of each day are selected."""
    frame = pl.DataFrame(
        [
            {"entity_id": entity, "as_of_date": DAYS[day], "risk": risk, "outcome": outcome, "cluster_id": entity}
            for (entity, day), (risk, outcome) in rows.items()
        ],
        schema={
            "entity_id": pl.String, "as_of_date": pl.Date, "risk": pl.Float64, "outcome": pl.Int8,
            "cluster_id": pl.String,
        },
    )  # fmt: skip
    known = pl.when(pl.col("outcome").is_null()).then(pl.lit("unobserved")).otherwise(pl.lit("known"))
    rank = pl.col("risk").rank("ordinal", descending=True).over("as_of_date").cast(pl.Int32)
    frame = frame.with_columns(known.alias("outcome_status"), rank.alias("rank"))
    return frame.with_columns((pl.col("rank") <= places).alias("selected"))


def made(name="A", rows=None, places=2) -> RankedRun:
    return ranked_run(name, ranking(rows or {}, places))


def county(people=400, noise=0.5, seed=1, places=60, unknown=0.1, dates=2) -> pl.DataFrame:
    """Many people on two dates. ``seed`` makes the people, ``noise`` how far the risks are from the truth."""
    rng = np.random.default_rng(seed)
    truth = np.repeat(rng.normal(-1.5, 1.1, people), dates) + rng.normal(0, 0.3, people * dates)
    outcome = (rng.random(truth.size) < 1 / (1 + np.exp(-truth))).astype(int)
    known = rng.random(truth.size) >= unknown
    seen = truth + np.random.default_rng([seed, int(1000 * noise)]).normal(0, noise, truth.size)
    risk = 1 / (1 + np.exp(-seen))
    keys = [(f"p{person:05d}", day) for person in range(people) for day in range(dates)]
    values = zip(risk.tolist(), outcome.tolist(), known.tolist(), strict=True)
    rows = {key: (r, y if k else None) for key, (r, y, k) in zip(keys, values, strict=True)}
    return ranking(rows, places)


def judged(n=2000, noise=0.5, seed=1, places=200) -> Judged:
    """One run on rows whose outcome is known."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(-1.5, 1.1, n)
    outcome = (rng.random(n) < 1 / (1 + np.exp(-truth))).astype(float)
    risk = 1 / (1 + np.exp(-truth - np.random.default_rng([seed, int(1000 * noise)]).normal(0, noise, n)))
    selected = np.zeros(n, dtype=bool)
    selected[np.argsort(-risk, kind="stable")[:places]] = True
    return Judged(outcome, risk, selected)
