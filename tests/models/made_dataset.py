"""People on several dates, with features of three sources: one tells much, one a little, one nothing."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import polars as pl

from riskmodels.data.cohort import Cohort
from riskmodels.data.dataset import Dataset
from riskmodels.data.features import Features, FeatureSpec
from riskmodels.data.outcomes import Outcomes
from riskmodels.data.splits import Splits, plan_splits
from riskmodels.study import StudyFile
from tests.data.small_study import study_file

DATES = (dt.date(2018, 7, 1), dt.date(2019, 1, 1), dt.date(2019, 7, 1), dt.date(2020, 1, 1), dt.date(2020, 7, 1))
EXTRACTED_ON = dt.date(2021, 12, 31)
SOURCES = {"absences": "school", "calls": "police", "weeks": "housing"}


def a_study(**models: Any) -> StudyFile:
    candidates = {"logistic": {"c": 1.0}} | models.pop("candidates", {})
    return study_file(
        cohort={"as_of_dates": list(DATES), "steps": []},
        split={"test": {"last": 2}, "calibrate": "later"},
        capacity={"places": 40},
        features=[{"name": name, "take": "count", "of": "visit", "words": name} for name in SOURCES],
        models={"candidates": candidates, **models},
    )


def a_dataset(people: int = 400, seed: int = 3, base: float = -2.0) -> Dataset:
    """Each person stands on every date; what they need lasts, so their rows are alike."""
    rng = np.random.default_rng(seed)
    need = np.tile(rng.normal(0, 1, people), len(DATES))
    n = people * len(DATES)
    values = {
        "absences": need + rng.normal(0, 0.5, n),
        "calls": 0.5 * need + rng.normal(0, 1.5, n),
        "weeks": rng.normal(0, 1, n),
    }
    happened = (rng.random(n) < 1 / (1 + np.exp(-(base + 1.2 * need)))).astype(np.int8)
    keys = {
        "entity_id": [f"p{person:04d}" for person in range(people)] * len(DATES),
        "as_of_date": [day for day in DATES for _ in range(people)],
    }
    rows = pl.DataFrame(keys).with_columns(pl.col("entity_id").alias("cluster_id"))
    outcomes = Outcomes(
        pl.DataFrame(keys).with_columns(
            pl.Series("outcome", happened, dtype=pl.Int8), pl.lit("known").alias("outcome_status")
        ),
        EXTRACTED_ON,
    )
    specs = tuple(
        FeatureSpec(name, "latest", f"{source}.value", "ever", source, "number", "keep", words=name)
        for name, source in SOURCES.items()
    )
    features = Features(pl.DataFrame(keys | values), specs)
    cohort = Cohort(rows, pl.DataFrame(), pl.DataFrame())
    return Dataset(cohort, features, outcomes, dict.fromkeys(DATES, outcomes))


def the_splits(study: StudyFile) -> Splits:
    return plan_splits(study, EXTRACTED_ON)
