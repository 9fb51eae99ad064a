"""Which rows teach and which judge: nothing of a test date, and no outcome that was not over."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest

from riskmodels.data.dataset import Dataset
from riskmodels.data.splits import held_out
from riskmodels.models.matrix import Matrix
from riskmodels.models.tuning.folds import Fold, Folds, plan_folds
from tests.models.tuning.tuning_world import DATES, dataset_of, splits_of, study_of

GROUPED = {"dates": DATES[:3], "tests": 2, "calibrate": "grouped"}  # one date to learn from


def folds_of(study: Any, count: int = 3, data: Dataset | None = None, **world: Any) -> Folds:
    return plan_folds(data or dataset_of(study, **world), splits_of(study), study, count)


def dates(folds: Folds, rows: np.ndarray) -> list[dt.date]:
    return folds.rows["as_of_date"].gather(rows).unique().sort().to_list()


def ids(folds: Folds, rows: np.ndarray, column: str = "entity_id") -> set[str]:
    return set(folds.rows[column].gather(rows).to_list())


# ---------------------------------------------------------------- in time


@pytest.mark.parametrize(
    ("horizon", "count", "taught"),
    [
        # The first test date may learn from dates 0 to 3, and calibrates on 4 and 5.
        # An outcome is over on the next date, so a date is judged by what all before it taught.
        ("3 months", 3, {1: [0], 2: [0, 1], 3: [0, 1, 2]}),
        ("3 months", 2, {2: [0, 1], 3: [0, 1, 2]}),
        ("3 months", 1, {3: [0, 1, 2]}),
        # More folds than there are dates with a past.
        ("3 months", 20, {1: [0], 2: [0, 1], 3: [0, 1, 2]}),
        # Eight months until an outcome is over and recorded: dates 0 to 2 teach, and the date between two may not.
        ("7 months", 3, {2: [0]}),
    ],
)
def test_a_date_is_judged_by_what_was_over_by_then(horizon: str, count: int, taught: dict[int, list[int]]) -> None:
    folds = folds_of(study_of(horizon=horizon), count)
    found = {
        DATES.index(dt.date.fromisoformat(fold.name)): [DATES.index(day) for day in dates(folds, fold.train)]
        for fold in folds.folds
    }
    assert (folds.how, folds.reason) == ("time", "")
    assert found == taught
    for fold in folds.folds:
        assert [day.isoformat() for day in dates(folds, fold.valid)] == [fold.name]


def test_every_row_judges_once_at_most_and_never_what_it_taught() -> None:
    folds = folds_of(study_of())
    assert len(set(folds.judged.tolist())) == len(folds.judged) == 3 * 300
    for fold in folds.folds:
        assert not set(fold.train.tolist()) & set(fold.valid.tolist())
    assert folds.fewest_taught == 300


def test_only_fit_rows_of_the_first_origin_with_a_known_outcome() -> None:
    study = study_of(dates=DATES[:7], tests=2, calibrate="grouped")
    data = dataset_of(study)
    unknown = data.outcomes_at[DATES[5]]
    gone = pl.when(pl.col("entity_id") == "p3").then(None).otherwise("outcome")
    data.outcomes_at[DATES[5]] = replace(unknown, frame=unknown.frame.with_columns(outcome=gone))  # type: ignore[index]
    folds = folds_of(study, data=data)
    out = held_out(data.cohort.rows["cluster_id"], study.split.calibrate_share, study.seed)
    calibrate = set(data.cohort.rows.filter(pl.Series(out))["entity_id"].to_list())
    assert set(folds.rows["as_of_date"].to_list()) == set(DATES[:5])
    assert calibrate
    assert set(folds.rows["entity_id"].to_list()) == {f"p{number}" for number in range(300)} - calibrate - {"p3"}


# ---------------------------------------------------------------- in groups


def test_one_date_is_split_by_people() -> None:
    folds = folds_of(study_of(**GROUPED), homes=120)
    assert folds.how == "grouped"
    assert folds.reason == "there is one date to learn from"
    assert [fold.name for fold in folds.folds] == ["group 1", "group 2", "group 3"]
    for fold in folds.folds:
        assert not ids(folds, fold.train, "cluster_id") & ids(folds, fold.valid, "cluster_id")
        assert len(fold.train) + len(fold.valid) == len(folds.rows)
    assert sorted(folds.judged.tolist()) == list(range(len(folds.rows)))


def test_one_fold_of_people_is_a_third_of_them() -> None:
    folds = folds_of(study_of(**GROUPED), 1, people=3_000)
    (fold,) = folds.folds
    assert len(fold.valid) / len(folds.rows) == pytest.approx(1 / 3, abs=0.04)


def test_who_moved_between_homes_is_never_on_both_sides() -> None:
    """Everybody lives elsewhere on the second date; a horizon of a year leaves no fold of time."""
    dates_ = (DATES[0], DATES[1], DATES[4], DATES[5])
    study = study_of(dates=dates_, tests=1, calibrate="grouped", horizon="11 months")
    data = dataset_of(study, homes=60)
    elsewhere = pl.concat_str(pl.lit("new "), "cluster_id")
    later = pl.col("as_of_date") == dates_[1]
    rows = data.cohort.rows.with_columns(cluster_id=pl.when(later).then(elsewhere).otherwise("cluster_id"))
    folds = folds_of(study, data=replace(data, cohort=replace(data.cohort, rows=rows)))
    assert folds.how == "grouped"
    assert folds.reason == "no earlier date had enough outcomes by the time of a later one"
    assert set(folds.rows["as_of_date"].to_list()) == {dates_[0], dates_[1]}
    for fold in folds.folds:
        assert not ids(folds, fold.train) & ids(folds, fold.valid)
        assert not ids(folds, fold.train, "cluster_id") & ids(folds, fold.valid, "cluster_id")


# ---------------------------------------------------------------- too few


@pytest.mark.parametrize("rate", [-6.0, 6.0, -60.0])
def test_too_few_of_either_outcome_leave_no_fold(rate: float) -> None:
    folds = folds_of(study_of(), rate=rate)
    assert folds.folds == ()
    assert folds.reason == "there are fewer than 10 of either outcome on one side of every fold"
    assert folds.fewest_taught == 0


def test_only_the_folds_with_ten_of_either_outcome_are_used() -> None:
    """On the second date nobody has the outcome: it can teach, with the first, but not judge."""
    study = study_of()
    data = dataset_of(study)
    told = data.outcomes_at[DATES[6]]
    none = pl.when(pl.col("as_of_date") == DATES[1]).then(pl.col("outcome") * 0).otherwise("outcome")
    at = {**data.outcomes_at, DATES[6]: replace(told, frame=told.frame.with_columns(outcome=none.cast(pl.Int8)))}
    folds = folds_of(study, data=replace(data, outcomes_at=at))
    assert [fold.name for fold in folds.folds] == [DATES[2].isoformat(), DATES[3].isoformat()]


# ---------------------------------------------------------------- weights and digest


def small(outcome: list[int], folds: tuple[Fold, ...]) -> Folds:
    rows = pl.DataFrame({"entity_id": [f"p{i}" for i in range(len(outcome))], "cluster_id": ["c"] * len(outcome)})
    matrix = Matrix(np.zeros((len(outcome), 0)), np.zeros((len(outcome), 0), dtype=bool), ())
    return Folds(rows, matrix, np.array(outcome, dtype=np.int8), folds, "time", "")


def test_weights_give_each_fold_the_same_say() -> None:
    """Folds of 1 and 3 rows: 4 / (2 * 1) = 2 and 4 / (2 * 3) = 2/3. Losses 6 | 0, 0, 3: means 6 and 1, together 3.5."""
    folds = small([0] * 4, (Fold("a", np.array([3]), np.array([0])), Fold("b", np.array([0]), np.array([1, 2, 3]))))
    assert folds.weights.tolist() == pytest.approx([2, 2 / 3, 2 / 3, 2 / 3])
    assert np.mean(folds.weights * np.array([6.0, 0.0, 0.0, 3.0])) == pytest.approx(3.5)


def changed(folds: Folds, what: str) -> Folds:
    if what == "a value":
        values = folds.matrix.values.copy()
        values[17, 1] += 1e-9
        return replace(folds, matrix=replace(folds.matrix, values=values))
    if what == "whether it was recorded":
        recorded = folds.matrix.recorded.copy()
        recorded[17, 1] ^= True
        return replace(folds, matrix=replace(folds.matrix, recorded=recorded))
    if what == "an outcome":
        return replace(folds, outcome=1 - folds.outcome)
    if what == "a cluster":
        return replace(folds, rows=folds.rows.with_columns(cluster_id=pl.lit("one")))
    if what == "a column":
        first, *others = folds.matrix.columns
        return replace(folds, matrix=replace(folds.matrix, columns=(replace(first, name="other"), *others)))
    first_fold, *other_folds = folds.folds
    return replace(folds, folds=(replace(first_fold, train=first_fold.train[1:]), *other_folds))


@pytest.mark.parametrize(
    "what", ["a value", "whether it was recorded", "an outcome", "a cluster", "a column", "who teaches a fold"]
)
def test_the_digest_changes_with(what: str) -> None:
    folds = folds_of(study_of())
    assert folds_of(study_of()).digest == folds.digest
    assert changed(folds, what).digest != folds.digest
