"""Metrics, audit and service select the same people, ties included, whatever order the rows come in."""

from __future__ import annotations

import datetime as dt
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodels.assessment.audit import audit_groups
from riskmodels.assessment.audit.policy import load_policy
from riskmodels.assessment.decisions import select
from riskmodels.assessment.performance import assess_performance
from riskmodels.governance.gate import ApprovedModel
from riskmodels.models.calibration import fit_calibrator
from riskmodels.models.ranking import Ranking, rank
from riskmodels.service.batch import score_batch
from riskmodels.service.shapes import REJECT_SCHEMA, CheckedPart
from riskmodels.study import Capacity, StudyFile
from tests.data.small_study import study_file

DATES = (dt.date(2020, 4, 1), dt.date(2020, 10, 1))
MODEL = "logistic"
POLICY = load_policy().model_copy(update={"replicates": 20})
CALIBRATORS = ("same for all", "stairs", "sigmoid", "isotonic")
# Each person is a group of one, so that the audit's counts tell who was selected.
WHO = {"person": {"column": "people.person", "law": "none"}}


@dataclass(frozen=True)
class Case:
    """``score``: date -> person -> score, from few values, so that many are equal."""

    score: dict[dt.date, dict[str, float]]
    outcome: dict[tuple[str, dt.date], int | None]
    calibrator: str
    places: int
    seed: int

    @property
    def study(self) -> StudyFile:
        return study_file(seed=self.seed, capacity={"places": self.places}, protected=WHO)

    def risk(self, scores: np.ndarray) -> np.ndarray:
        """Never falls as the score rises; equal for many."""
        if self.calibrator == "same for all":
            return np.full(len(scores), 0.25)
        if self.calibrator == "stairs":
            return np.clip(np.floor(scores) / 10 + 0.5, 0.01, 0.99)
        learned = np.linspace(-4, 4, 40)
        return fit_calibrator(self.calibrator, learned, (np.arange(40) % 4 < learned + 2).astype(int)).apply(scores)

    def predictions(self) -> pl.DataFrame:
        rows = [(who, day, score) for day, people in self.score.items() for who, score in people.items()]
        frame = pl.DataFrame(rows, orient="row", schema={"entity_id": str, "as_of_date": pl.Date, "score": float})
        outcome = pl.Series([self.outcome[who, day] for who, day, _ in rows], dtype=pl.Int8)
        return frame.select(
            "entity_id",
            "as_of_date",
            pl.lit(0, dtype=pl.Int16).alias("origin"),
            pl.lit("test").alias("stage"),
            pl.lit(MODEL).alias("model"),
            "score",
            pl.Series("risk", self.risk(frame["score"].to_numpy())),
            outcome.alias("outcome"),
            pl.when(outcome.is_null()).then(pl.lit("unobserved")).otherwise(pl.lit("known")).alias("outcome_status"),
            pl.col("entity_id").alias("cluster_id"),
        )


@st.composite
def cases(draw: st.DrawFn) -> Case:
    people = [f"p{number}" for number in range(draw(st.integers(3, 14)))]
    values = st.sampled_from([-2.0, -1.5, 0.0, 0.25, 0.5, 1.0])
    score = {day: {who: draw(values) for who in people} for day in DATES}
    keys = [(who, day) for day in DATES for who in people]
    outcomes = draw(st.lists(st.sampled_from([0, 1, None]), min_size=len(keys), max_size=len(keys)))
    places = draw(st.integers(1, len(people)))
    return Case(
        score,
        dict(zip(keys, outcomes, strict=True)),
        draw(st.sampled_from(CALIBRATORS)),
        places,
        draw(st.integers(0, 99)),
    )


def listed(frame: pl.DataFrame) -> dict[dt.date, set[str]]:
    """Who is selected on each date."""
    chosen = frame.filter("selected")
    return {day: set(chosen.filter(pl.col("as_of_date") == day)["entity_id"]) for day in DATES}


@settings(max_examples=25, deadline=None)
@given(case=cases(), shuffle=st.integers(0, 2**32 - 1))
def test_everybody_who_selects_selects_the_same(case: Case, shuffle: int) -> None:
    predictions = case.predictions().sample(fraction=1, shuffle=True, seed=shuffle)
    ranking = rank(predictions, MODEL, Capacity(places=case.places), case.seed)
    selected = listed(ranking.frame)
    assert all(len(people) == case.places for people in selected.values())
    assert selected == listed(rank(case.predictions(), MODEL, Capacity(places=case.places), case.seed).frame)
    assert selected == selected_by_cutting(case, predictions)
    assert selected == selected_for_service(case, shuffle)
    assert_metrics_count(selected, case, ranking, predictions)
    for day, people in selected.items():
        assert audited(case, ranking, day) == people


def selected_by_cutting(case: Case, predictions: pl.DataFrame) -> dict[dt.date, set[str]]:
    """By the shortcut that families are compared with, which orders only the rows at the last place."""
    found = {}
    for day in DATES:
        today = predictions.filter(pl.col("as_of_date") == day)
        risk, score = (today[name].to_numpy() for name in ("risk", "score"))
        found[day] = set(today["entity_id"].filter(select(today["entity_id"], risk, score, case.places, case.seed)))
    return found


class Served:
    """What scoring asks of an approved model: the score in the cohort's file, and the case's risks."""

    version, model_sha256 = 1, "0" * 64

    def __init__(self, case: Case) -> None:
        self.model = self.fitted = self.encoder = self.calibrator = self
        self.apply = case.risk

    def encode(self, frame: pl.DataFrame) -> pl.DataFrame:
        return frame

    def score(self, frame: pl.DataFrame) -> np.ndarray:
        return frame["score"].to_numpy()


@dataclass(frozen=True)
class InTwoParts:
    """A cohort to score, cut in the middle."""

    as_of: dt.date
    frame: pl.DataFrame
    sha256: str = "0" * 64
    count: int = 2
    closed: frozenset[str] = frozenset()

    @property
    def rows_in(self) -> int:
        return self.frame.height

    def read(self, number: int) -> CheckedPart:
        half = self.rows_in // 2
        part = self.frame[half:] if number else self.frame[:half]
        return CheckedPart(part, pl.DataFrame(schema=REJECT_SCHEMA), part.height)


def selected_for_service(case: Case, shuffle: int) -> dict[dt.date, set[str]]:
    found = {}
    for day in DATES:
        people = case.predictions().filter(pl.col("as_of_date") == day).select("entity_id", "score")
        cohort = people.sample(fraction=1, shuffle=True, seed=shuffle + 1).with_row_index("row_number", offset=1)
        cohort = cohort.with_columns(
            pl.col("row_number").cast(pl.Int64),
            pl.lit(None, dtype=pl.Int16).alias("excluded"),
            pl.lit(None, dtype=pl.String).alias("team"),
            pl.lit(None, dtype=pl.String).alias("household"),
        )
        with tempfile.TemporaryDirectory() as work:
            batch = score_batch(
                cast("ApprovedModel", Served(case)), InTwoParts(day, cohort), case.study, places={None: case.places},
                explain="none", work=Path(work), progress=lambda message: None,
            )  # fmt: skip
            scored = pl.concat([piece.frame for piece in batch.slices()])
        assert scored["listed"].to_list() == scored["selected"].to_list()  # nobody is excluded here
        found[day] = set(scored.filter("listed")["entity_id"])
    return found


def assert_metrics_count(
    selected: dict[dt.date, set[str]], case: Case, ranking: Ranking, predictions: pl.DataFrame
) -> None:
    """All that performance says about the list is about these people."""
    performance = assess_performance(
        ranking, predictions, places=ranking.places, thresholds=(), criterion="brier_score", baselines=(),
        best_baseline=MODEL, seed=case.seed,
    )  # fmt: skip
    outcomes = [case.outcome[who, day] for day, people in selected.items() for who in people]
    capacity: dict[str, Any] = performance.at_capacity
    assert capacity["selected"] == len(outcomes)
    assert (capacity["hits"], capacity["unknown"]) == (outcomes.count(1), outcomes.count(None))
    known = [outcome for outcome in outcomes if outcome is not None]
    precisions = [capacity["precision"].value, performance.families[0]["precision_at_k"].value]
    assert precisions == [pytest.approx(np.mean(known)) if known else None] * 2
    for row in performance.per_date:
        people = selected[dt.date.fromisoformat(row["as_of_date"])]
        assert row["selected"] == len(people)
        today = [case.outcome[who, dt.date.fromisoformat(row["as_of_date"])] for who in people]
        assert row["precision_bounds"] == pytest.approx(
            [today.count(1) / len(today), (today.count(1) + today.count(None)) / len(today)]
        )


def audited(case: Case, ranking: Ranking, day: dt.date) -> set[str]:
    """Who is selected, by the audit's own counts."""
    frame = ranking.frame.filter(pl.col("as_of_date") == day)
    groups = frame.select("entity_id", "as_of_date", pl.col("entity_id").alias("person"))
    found = audit_groups(Ranking(MODEL, frame, ranking.places), groups, case.study, seed=case.seed, policy=POLICY)
    assert {row["group"]: row["n"] for row in found.rows} == dict.fromkeys(frame["entity_id"], 1)
    assert all(row["selected"] in (0, 1) for row in found.rows)
    return {row["group"] for row in found.rows if row["selected"]}
