"""Ways to hold a model out, and what each would have said, beside what then came true.

A county of children with a lasting frailty that shows in nothing but the outcome itself. On one day the extract is
taken; four schemes say how good a model is, and the model that would go into service then meets the next year. Every
scheme has the same rows, features (some of which never change, so that a flexible model can tell one child from
another) and learner; all but ours hold out a quarter to calibrate on, by the rule they test by.
"""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from riskmodels.assessment.calibration_statistics import oe_ratio
from riskmodels.assessment.discrimination import auc
from riskmodels.assessment.estimate import Estimate
from riskmodels.assessment.performance import assess_performance
from riskmodels.data.cohort import build_cohort
from riskmodels.data.dataset import Dataset, build_dataset
from riskmodels.data.features import build_features
from riskmodels.data.outcomes import build_outcomes
from riskmodels.data.splits import Splits, plan_splits
from riskmodels.data.synthetic import EXTRACTED_ON, SIGNALS, make_county
from riskmodels.data.synthetic_knobs import Signal
from riskmodels.data.tables import Tables, read_tables
from riskmodels.models.calibration import fit_calibrator
from riskmodels.models.families import MODELS
from riskmodels.models.matrix import fit_encoder
from riskmodels.models.ranking import rank
from riskmodels.models.training import backtest, fit_risk_model
from riskmodels.study import BASELINES, StudyFile
from tests.data.small_study import in_folder, study_file

CHILDREN = 8_000
FAMILY = "lightgbm"
STANDS_ON = dt.date(2024, 1, 1)
FUTURE = tuple(dt.date(2024, month, 1) for month in (1, 4, 7, 10))
LASTING = Signal(household=0.5, own=0.4, moving=0.6, hazard=1.2, frailty=1.4, score_noise=1.5)

SECTIONS: dict[str, Any] = {
    "seed": 1,
    "sources": {
        "people": {"file": "people.parquet", "entity": "entity_id"},
        "events": {
            "file": "events.parquet", "entity": "entity_id", "event_date": "happened_on", "known_date": "known_on",
            "kind": "kind",
        },
    },
    "facts": {
        "start": {"in": "events", "kind": "social_care_start"},
        "moved_away": {"in": "events", "kind": "moved_away"},
        "absence": {"in": "events", "kind": "school_absence"},
        "police_contact": {"in": "events", "kind": "police_contact"},
        "arrears": {"in": "events", "kind": "housing_arrears"},
        "emergency_visit": {"in": "events", "kind": "ae_attendance"},
        "review": {"in": "events", "kind": "review"},
        "anything": {"in": "events", "kind": ["school_absence", "review", "early_help", "ae_attendance"]},
    },
    "cohort": {
        "as_of_dates": {"first": "2019-10-01", "last": "2023-04-01", "every": "2 months"},
        "steps": [
            {"step": "aged 5 to 16", "keep": {"age": "people.born_on", "at_least": 5, "below": 17}},
            {"step": "not known to have moved away", "drop": {"any": "moved_away"}},
            {"step": "known in the last 12 months", "keep": {"any": "anything", "last": "12 months"}},
        ],
        "cluster": "people.household_id",
    },
    "outcome": {
        "name": "start",
        "words": "starts with a social worker within six months",
        "measures": "need",
        "happens": {"any": "start"},
        "known": {"followed_until": "people.followed_until"},
        "exits": {"moved_away": {"any": "moved_away"}},
        "horizon": "6 months",
        "lag": "2 months",
    },
    "features": [
        # What never changes: with these a flexible model knows a child again.
        {"name": "birth", "take": "attribute", "of": "people.birth", "words": "day of birth", "missing": "keep"},
        {"name": "home", "take": "attribute", "of": "people.home", "words": "number of the home", "missing": "keep"},
        {"name": "ward", "take": "attribute", "of": "people.ward", "words": "ward", "missing": "category"},
        {"name": "review", "take": ["latest", "mean"], "of": "review.value", "last": "12 months", "missing": "keep",
         "words": "concern score at reviews"},
        {"name": "absence", "take": "sum", "of": "absence.value", "last": "12 months", "missing": "zero",
         "words": "school days missed"},
        {"name": "police_contacts", "take": "count", "of": "police_contact", "last": "12 months",
         "words": "police contacts"},
        {"name": "arrears_notes", "take": "count", "of": "arrears", "last": "12 months",
         "words": "times rent was owed"},
        {"name": "emergency_visits", "take": "count", "of": "emergency_visit", "last": "12 months",
         "words": "emergency visits"},
    ],
    "split": {"test": {"last": 4}, "calibrate": "later"},
    "models": {
        "candidates": {
            "lightgbm": {"trees": 300, "leaves": 63, "learning_rate": 0.1, "min_rows_in_leaf": 10},
        },
        "calibrator": "sigmoid",
    },
    "capacity": {"places": 100},
}  # fmt: skip


@dataclass(frozen=True)
class Scheme:
    """What one way to hold a model out says about it."""

    name: str
    auc: Estimate
    oe_ratio: Estimate


@dataclass(frozen=True)
class Place:
    """The county as a study sees it on the day of the extract, and the tables that go on after it."""

    study: StudyFile
    tables: Tables
    splits: Splits
    dataset: Dataset


def compare_schemes(seed: int) -> tuple[Scheme, tuple[Scheme, ...]]:
    """What came true of the service model, and what each scheme would have said."""
    place = found_place(seed)
    rows = Rows(place)
    return came_true(place), (
        rows.scheme("random rows", [rows.at_random(rows.known)]),
        rows.scheme("by time, without the gap", rows.by_time()),
        rows.scheme("grouped by household", [rows.by_household(rows.known)], rows.by_household),
        reported(place),
    )


def found_place(seed: int) -> Place:
    study = study_file(**{**SECTIONS, "seed": seed})
    tables = tables_of_county(study, seed)
    splits, cohort = plan_splits(study, STANDS_ON), build_cohort(tables, study)
    return Place(study, tables, splits, build_dataset(cohort, tables, study, splits, STANDS_ON))


def tables_of_county(study: StudyFile, seed: int) -> Tables:
    """The whole county, the years after the extract included: what was not known on a day is not seen on it."""
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        patch.setitem(SIGNALS, "lasting", LASTING)
        county = make_county(CHILDREN, seed, signal="lasting", unseen=0.3)
        people = county.people.with_columns(
            birth=pl.col("born_on").to_physical().cast(pl.Float64),
            home=pl.col("household_id").str.slice(1).cast(pl.Float64),
        )
        frames = {"people": people, "events": county.events}
        for name, frame in frames.items():
            frame.write_parquet(Path(folder) / f"{name}.parquet")
        registered = in_folder(Path(folder), study, {name: frame.columns for name, frame in frames.items()})
        return read_tables(Path(folder), registered, extracted_on=EXTRACTED_ON)


# ---------------------------------------------------------------- ours, and the truth


def reported(place: Place) -> Scheme:
    """Rolling origins with the maturity gap, as a run does it, and the figures that its card would show."""
    predictions = backtest(place.dataset, place.splits, place.study).frame
    ranking = rank(predictions, FAMILY, place.study.capacity, place.study.seed)
    overall = assess_performance(
        ranking, predictions, places=ranking.places, thresholds=(), criterion="brier_score", baselines=BASELINES,
        best_baseline="points", seed=place.study.seed,
    ).overall  # fmt: skip
    return Scheme("ours: by time, with the gap", overall["auc"], overall["oe_ratio"])


def came_true(place: Place) -> Scheme:
    """The model that goes into service on the day of the extract, on the children of the year that follows."""
    model = fit_risk_model(place.dataset, place.splits, FAMILY, place.study)
    cohort = build_cohort(place.tables, place.study, FUTURE)
    outcomes = build_outcomes(cohort, place.tables, place.study, EXTRACTED_ON).frame["outcome"]
    known = outcomes.is_not_null().to_numpy()
    risk = model.predict_risk(build_features(cohort, place.tables, place.study).frame)[known]
    return judged("what came true", outcomes.drop_nulls().to_numpy(), risk, cohort.rows["cluster_id"].to_numpy()[known])


def judged(name: str, outcome: np.ndarray, risk: np.ndarray, household: np.ndarray) -> Scheme:
    return Scheme(name, auc(outcome, risk, household), oe_ratio(outcome, risk, household))


# ---------------------------------------------------------------- the others

Parts = tuple[np.ndarray, np.ndarray]  # positions of rows: to learn from, and to hold out


class Rows:
    """All rows whose outcome is known on the day of the extract, for those who split them by hand."""

    def __init__(self, place: Place) -> None:
        frame, rows = place.dataset.features.frame, place.dataset.cohort.rows
        outcome = place.dataset.outcomes.frame["outcome"]
        self.study = place.study
        self.matrix = fit_encoder(place.dataset.features).encode(frame)
        self.known = np.flatnonzero(outcome.is_not_null().to_numpy())
        self.outcome = outcome.fill_null(0).to_numpy()
        self.date = rows["as_of_date"].to_numpy()
        self.household = rows["cluster_id"].to_numpy()
        self.tests = [np.datetime64(split.test) for split in place.splits.origins]

    def at_random(self, rows: np.ndarray) -> Parts:
        from sklearn.model_selection import train_test_split

        learn, held = train_test_split(rows, test_size=0.25, random_state=self.study.seed)
        return learn, held

    def by_household(self, rows: np.ndarray) -> Parts:
        from sklearn.model_selection import GroupShuffleSplit

        splitter = GroupShuffleSplit(1, test_size=0.25, random_state=self.study.seed)
        learn, held = next(splitter.split(rows, groups=self.household[rows]))
        return rows[learn], rows[held]

    def by_time(self) -> list[Parts]:
        """Each test date with all rows before it, whose outcomes were not all over by then."""
        dates = self.date[self.known]
        return [(self.known[dates < test], self.known[dates == test]) for test in self.tests]

    def scheme(
        self, name: str, parts: list[Parts], to_calibrate: Callable[[np.ndarray], Parts] | None = None
    ) -> Scheme:
        risks = [self._risk(*(to_calibrate or self.at_random)(learn), test) for learn, test in parts]
        tested = np.concatenate([test for _, test in parts])
        return judged(name, self.outcome[tested], np.concatenate(risks), self.household[tested])

    def _risk(self, fit: np.ndarray, calibrate: np.ndarray, test: np.ndarray) -> np.ndarray:
        settings = self.study.models.families[FAMILY]
        fitted = MODELS[FAMILY].fit(
            self.matrix.at(fit), self.outcome[fit], settings, seed=self.study.seed, threads=1, study=self.study
        )
        calibrator = fit_calibrator("sigmoid", fitted.score(self.matrix.at(calibrate)), self.outcome[calibrate])
        return calibrator.apply(fitted.score(self.matrix.at(test)))
