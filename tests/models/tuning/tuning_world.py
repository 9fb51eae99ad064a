"""Two years of a made-up county: 300 people seen every four months, of whom some are in trouble four months later."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import polars as pl

from riskmodels.data.cohort import Cohort
from riskmodels.data.dataset import Dataset
from riskmodels.data.features import Features
from riskmodels.data.outcomes import Outcomes
from riskmodels.data.splits import Splits, plan_splits
from riskmodels.study import StudyFile
from tests.data.small_study import BASE, study_file
from tests.models.planted import spec

# The outcome of a date is over, and recorded, on the next one (3 months and a lag of one).
DATES = tuple(dt.date(year, month, 1) for year in (2018, 2019, 2020) for month in (1, 5, 9))[:8]
FIRST_TEST = DATES[6]
EXTRACTED_ON = dt.date(2020, 12, 31)
SPECS = (spec("need"), spec("noise"), spec("absences", missing="zero"), spec("area", "category", "category"))
# As bad as a booster can be, so that a search finds something better.
POOR = {"trees": 2, "leaves": 2, "learning_rate": 0.01, "min_rows_in_leaf": 20}
GOOD = {"trees": 60, "leaves": 7, "learning_rate": 0.08, "min_rows_in_leaf": 30}


def study_of(
    *,
    families: tuple[str, ...] = ("lightgbm",),
    dates: tuple[dt.date, ...] = DATES,
    tests: int = 2,
    calibrate: str = "later",
    lightgbm: dict[str, Any] = POOR,
    logistic: dict[str, Any] | None = None,
    choose_by: str = "brier_score",
    seed: int = 7,
    horizon: str = "3 months",
    **plan: Any,
) -> StudyFile:
    """The study, with ``models.tuning`` where a plan (trials, minutes, folds) is given."""
    features = [
        {"name": one.name, "take": "count", "of": "visit", "words": one.words, "last": "12 months"} for one in SPECS
    ]
    return study_file(
        seed=seed,
        features=features,
        cohort={"as_of_dates": list(dates), "steps": []},
        outcome={**BASE["outcome"], "horizon": horizon},
        split={"test": {"last": tests}, "calibrate": calibrate, "why_grouped": "few dates"},
        models={
            "candidates": {"logistic": logistic or {}, "lightgbm": lightgbm, "explainable_boosting": {}},
            "choose_by": choose_by,
            "tuning": {"families": list(families), **plan} if plan else None,
        },
    )


def dataset_of(study: StudyFile, people: int = 300, rate: float = -1.2, seed: int = 5, homes: int = 0) -> Dataset:
    """Features and outcomes of everybody on every date.

    ``rate``: log-odds of the outcome of an average person; ``homes``: so many households instead of single people.
    """
    draw = np.random.default_rng(seed)
    frames = []
    for day in study.cohort.dates:
        need, noise = draw.normal(0, 1, people).round(3), draw.normal(0, 1, people).round(3)
        absences = draw.poisson(0.7, people).astype(float)
        area = draw.choice(["north", "south", "east"], people)
        log_odds = rate + 1.2 * need - 0.9 * np.abs(need) * (area == "east") + 0.7 * (absences >= 2)
        numbers = np.arange(people)
        frames.append(
            pl.DataFrame(
                {
                    "entity_id": [f"p{number}" for number in numbers],
                    "as_of_date": [day] * people,
                    "cluster_id": [f"h{number % homes}" if homes else f"p{number}" for number in numbers],
                    "need": pl.Series(need).set(pl.Series(draw.random(people) < 0.1), None),
                    "noise": noise,
                    "absences": absences,
                    "area": area,
                    "outcome": (draw.random(people) < 1 / (1 + np.exp(-log_odds))).astype(np.int8),
                    "outcome_status": ["known"] * people,
                }
            )
        )
    return made_of(pl.concat(frames), study)


def made_of(frame: pl.DataFrame, study: StudyFile) -> Dataset:
    """A dataset from one frame that holds everything, row by row."""
    keys = ["entity_id", "as_of_date"]
    told = frame.select(*keys, "outcome", "outcome_status").with_columns(pl.lit(None, pl.String).alias("exit"))
    tests = study.cohort.dates[-int(study.split.test.last or 1) :]
    at = {}
    for test in tests:
        mature = [day for day in study.cohort.dates if study.outcome.mature_on(day) <= test]
        known = pl.col("as_of_date").is_in(mature)
        at[test] = Outcomes(told.with_columns(outcome=pl.when(known).then("outcome")), test)
    features = Features(frame.select(*keys, *(one.name for one in SPECS)), SPECS)
    cohort = Cohort(frame.select(*keys, "cluster_id"), pl.DataFrame())
    return Dataset(cohort, features, Outcomes(told, EXTRACTED_ON), at)


def splits_of(study: StudyFile) -> Splits:
    return plan_splits(study, EXTRACTED_ON)
