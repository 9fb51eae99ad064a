"""The search as a whole: what it may look at, what it gives, when it ends, and what it says meanwhile."""

from __future__ import annotations

import datetime as dt
import json
import logging
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import optuna
import polars as pl
import pytest

from riskmodels.data.dataset import Dataset
from riskmodels.data.leakage import rows_of
from riskmodels.errors import UsageError
from riskmodels.models.tuning import TuningResult, tune
from riskmodels.models.tuning.judge import Judge
from riskmodels.models.tuning.spaces import Range
from riskmodels.study import StudyFile
from tests.models.tuning.tuning_world import DATES, FIRST_TEST, GOOD, POOR, SPECS, dataset_of, splits_of, study_of

BOTH = ("lightgbm", "logistic")


def tuned(study: StudyFile, data: Dataset | None = None, **more: Any) -> TuningResult:
    return tune(data or dataset_of(study), splits_of(study), study, **more)


def found(result: TuningResult) -> tuple[Any, Any, Any]:
    """Everything that a run goes on with."""
    return result.to_dict(), result.trials, result.study


def a_second_each() -> Callable[[], float]:
    """A clock on which a second passes whenever somebody looks."""
    ticks: Iterator[float] = iter(float(second) for second in range(10**6))
    return lambda: next(ticks)


# ---------------------------------------------------------------- what it finds


def test_without_tuning_the_study_is_as_it_was() -> None:
    study = study_of()
    result = tune(dataset_of(study), splits_of(study), study, progress=pytest.fail)
    assert result.study is study
    assert found(result) == (None, {}, study)
    assert result.families == ()


def test_poor_settings_are_replaced_and_good_ones_kept() -> None:
    """Two stumps against what 6 trials find; logistic regression at c = 1 on 300 to 900 rows has nothing to gain."""
    study = study_of(families=BOTH, trials=6)
    result = tuned(study)
    boosted, logistic = result.families
    assert (boosted.family, boosted.kept, boosted.how) == ("lightgbm", False, "time")
    assert boosted.own == POOR
    assert boosted.gain["low"] > 0
    assert boosted.gain["value"] == pytest.approx(boosted.own_loss - boosted.best_loss)
    assert result.study.models.candidates.lightgbm.model_dump() == {**boosted.best, "monotone": {}}
    assert (logistic.family, logistic.kept) == ("logistic", True)
    assert result.study.models.candidates.logistic == study.models.candidates.logistic
    assert result.study.model_copy(update={"models": study.models}) == study


def test_better_by_chance_alone_is_not_enough() -> None:
    """The study's own are good: the best of others has a lower loss in the folds, and an interval that holds nought."""
    result = tuned(study_of(trials=14, lightgbm=GOOD, seed=3))
    (boosted,) = result.families
    assert boosted.best_loss < boosted.own_loss
    assert boosted.gain["low"] <= 0 < boosted.gain["value"]
    assert boosted.kept
    assert result.study.models.candidates.lightgbm.model_dump() == {**GOOD, "monotone": {}}


def test_the_studys_own_settings_are_the_first_trial() -> None:
    own = {"trees": 7, "leaves": 2, "learning_rate": 0.9, "min_rows_in_leaf": 3}  # outside of the usual ranges
    result = tuned(study_of(trials=3, lightgbm=own))
    first, *others = result.trials["lightgbm"]
    assert first["params"] == own
    assert first["metrics"]["brier_score"] == pytest.approx(result.families[0].own_loss, rel=1e-5)
    assert len(others) == 2
    assert set(first["metrics"]) == {
        f"{name}{fold}" for name in ("brier_score", "auc") for fold in ("", "_fold_1", "_fold_2", "_fold_3")
    }


def test_what_is_not_tuned_is_there_in_every_trial() -> None:
    """A constraint against the truth: no trial does well, as none escapes it."""
    free = tuned(study_of(trials=6))
    held = tuned(study_of(trials=6, lightgbm={**POOR, "monotone": {"need": "falls"}}))
    assert held.study.models.candidates.lightgbm.monotone == {"need": "falls"}
    best = [max(trial["metrics"]["auc"] for trial in result.trials["lightgbm"]) for result in (free, held)]
    assert best[1] < best[0] - 0.1


@pytest.mark.parametrize("criterion", ["brier_score", "log_loss"])
def test_the_criterion_is_the_studys(criterion: str) -> None:
    result = tuned(study_of(trials=4, families=("logistic",), choose_by=criterion))
    assert result.to_dict()["criterion"] == criterion
    assert criterion in result.trials["logistic"][0]["metrics"]


# ---------------------------------------------------------------- the same again


def test_the_same_again_and_other_settings_with_another_seed() -> None:
    study = study_of(trials=12)
    once, again, other = tuned(study), tuned(study), tuned(study_of(trials=2, seed=8))
    assert found(once) == found(again)
    assert other.trials["lightgbm"][1]["params"] != once.trials["lightgbm"][1]["params"]


def test_the_budget_changes_no_trial() -> None:
    """Fourteen trials begin with the same eleven; from the eleventh on they are proposed by what those before found."""
    short, long = (tuned(study_of(families=("logistic",), trials=trials)).trials["logistic"] for trials in (11, 14))
    assert long[:11] == short


def test_no_two_trials_are_alike() -> None:
    """Ten at random and three by what they found, from 4,500 values of c and more of four settings together."""
    for family in BOTH:
        trials = tuned(study_of(families=(family,), trials=13)).trials[family]
        assert len({tuple(trial["params"].values()) for trial in trials}) >= 12


def test_no_two_families_draw_the_same() -> None:
    trials = tuned(study_of(families=("lightgbm", "explainable_boosting"), trials=3)).trials
    rates = {family: [row["params"]["learning_rate"] for row in rows[1:]] for family, rows in trials.items()}
    assert not set(rates["lightgbm"]) & set(rates["explainable_boosting"])


# ---------------------------------------------------------------- what it may look at


def spoiled(data: Dataset, days: set[dt.date]) -> Dataset:
    """The dataset with every feature and every outcome of these dates changed."""
    there = pl.col("as_of_date").is_in(sorted(days))
    draw = np.random.default_rng(99)
    rows = data.features.frame.height
    changes = [
        pl.when(there).then(pl.Series(draw.normal(50, 20, rows))).otherwise(one.name).alias(one.name)
        for one in SPECS
        if one.kind == "number"
    ]
    area = pl.when(there).then(pl.lit("elsewhere")).otherwise("area").alias("area")
    features = replace(data.features, frame=data.features.frame.with_columns(*changes, area))

    def other(outcomes: Any) -> Any:
        flipped = pl.when(there).then(1 - pl.col("outcome")).otherwise("outcome").cast(pl.Int8)
        return replace(outcomes, frame=outcomes.frame.with_columns(outcome=flipped))

    at = {day: other(outcomes) for day, outcomes in data.outcomes_at.items()}
    return replace(data, features=features, outcomes=other(data.outcomes), outcomes_at=at)


def test_nothing_on_or_after_the_first_test_date_is_looked_at() -> None:
    study = study_of(families=BOTH, trials=4)
    data = dataset_of(study)
    after = {day for day in DATES if day >= FIRST_TEST}
    assert len(after) == 2
    assert found(tuned(study, spoiled(data, after))) == found(tuned(study, data))


def test_the_rows_that_choose_among_families_are_not_looked_at() -> None:
    study = study_of(families=BOTH, trials=4)
    data, splits = dataset_of(study), splits_of(study)
    assert splits.choosing == {DATES[4], DATES[5]}
    assert found(tuned(study, spoiled(data, set(splits.choosing)))) == found(tuned(study, data))


@pytest.mark.parametrize("place", range(4))
def test_every_fit_date_is_looked_at(place: int) -> None:
    """The two tests above could pass on a search that looks at nothing."""
    study = study_of(families=("logistic",), trials=2)
    data = dataset_of(study)
    assert tuned(study, spoiled(data, {DATES[place]})).to_dict() != tuned(study, data).to_dict()


def test_other_people_that_calibrate_are_not_looked_at() -> None:
    """``calibrate: grouped``: the people held out stand on the dates that teach."""
    study = study_of(families=("logistic",), trials=3, dates=DATES[:3], tests=2, calibrate="grouped")
    data = dataset_of(study)
    result = tuned(study, data)
    assert result.families[0].how == "grouped"
    _, calibrate = rows_of(splits_of(study).origins[0], data.cohort.rows, study)
    told = data.outcomes_at[DATES[1]]
    flipped = pl.when(calibrate).then(1 - pl.col("outcome")).otherwise("outcome").cast(pl.Int8)
    at = {**data.outcomes_at, DATES[1]: replace(told, frame=told.frame.with_columns(outcome=flipped))}
    assert int(calibrate.sum()) > 30
    assert found(tuned(study, replace(data, outcomes_at=at))) == found(result)


# ---------------------------------------------------------------- budgets


def test_minutes_end_the_search_and_the_studys_own_are_always_tried() -> None:
    """A second passes at each look at the clock, and there are two a trial: begun at 0, tried by 2, 4, 6 ..."""
    for minutes in (1e-6, 0.1):
        result = tuned(study_of(families=("logistic",), minutes=minutes), clock=a_second_each())
        (family,) = result.families
        assert family.ended_by == "minutes"
        assert result.trials["logistic"][0]["params"] == {"c": 1.0}
        if minutes == 1e-6:
            assert (family.trials, family.reason) == (1, "only the study's own settings were tried")
        else:
            assert 2 <= family.trials <= 7
    assert result.to_dict()["repeatable"] is False


def test_minutes_are_shared_among_the_families() -> None:
    result = tuned(study_of(families=BOTH, minutes=0.6), clock=a_second_each())
    one, two = (family.trials for family in result.families)
    assert one == two
    alone = tuned(study_of(families=("logistic",), minutes=0.6), clock=a_second_each())
    assert alone.families[0].trials == pytest.approx(2 * two, abs=1)


@pytest.mark.parametrize(("trials", "minutes", "ended"), [(3, 1.0, "trials"), (500, 0.1, "minutes")])
def test_of_two_budgets_the_first_to_be_spent_ends_it(trials: int, minutes: float, ended: str) -> None:
    study = study_of(families=("logistic",), trials=trials, minutes=minutes)
    (family,) = tuned(study, clock=a_second_each()).families
    assert family.ended_by == ended
    assert family.trials <= min(trials, 7)


def test_settings_that_come_again_are_not_fitted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    judge = Judge.judge
    monkeypatch.setattr(Judge, "judge", lambda self, settings: (asked.append(dict(settings)), judge(self, settings))[1])
    # Proposals between 0.5 and 0.51 have but eleven values.
    monkeypatch.setattr("riskmodels.models.tuning.space_of", lambda *_: {"c": Range(0.5, 0.51).holding(0.5)})
    result = tuned(study_of(families=("logistic",), logistic={"c": 0.5}, trials=40))
    assert result.families[0].trials == 40
    assert len(asked) == len({one["c"] for one in asked}) <= 11
    same = [row for row in result.trials["logistic"] if row["params"] == {"c": 0.5}]
    assert all(row["metrics"] == same[0]["metrics"] for row in same)


# ---------------------------------------------------------------- what it says and leaves


def test_progress_is_told_first_last_and_sparingly() -> None:
    said: list[str] = []
    tuned(study_of(families=("logistic",), trials=30), progress=said.append, clock=a_second_each())
    lines = [line for line in said if line.startswith("tuning logistic: trial")]
    assert said[0] == "preparing the folds that settings are tuned in"
    assert re.fullmatch(r"tuning logistic: trial 1 of 30, best 0\.1\d\d\d so far, \d\.\d s a trial", lines[0])
    assert lines[-1].startswith("tuning logistic: trial 30 of 30, best ")
    # Two looks at the clock for each trial, so a line at most every third.
    assert 5 <= len(lines) <= 12


def test_progress_with_minutes_tells_how_many_are_spent() -> None:
    said: list[str] = []
    tuned(study_of(families=("logistic",), minutes=0.2), progress=said.append, clock=a_second_each())
    assert re.search(r"trial \d+, 0\.\d of 0\.2 minutes, best ", said[-1])


def test_nothing_is_left_changed_or_said(capfd: pytest.CaptureFixture[str], tmp_path: Any) -> None:
    drawn, filters = np.random.get_state()[1].copy(), list(warnings.filters)
    levels = {name: logging.getLogger(name).level for name in ("", "optuna", "lightgbm")}
    optuna.logging.set_verbosity(optuna.logging.INFO)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tuned(study_of(families=BOTH, trials=12), store=tmp_path)
    assert optuna.logging.get_verbosity() == optuna.logging.INFO
    assert capfd.readouterr() == ("", "")
    assert (np.random.get_state()[1] == drawn).all()
    assert warnings.filters == filters
    assert levels == {name: logging.getLogger(name).level for name in levels}


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize("rate", [-6.0, -60.0, 60.0])
def test_too_few_outcomes_leave_the_study_as_it_was(rate: float) -> None:
    said: list[str] = []
    study = study_of(families=BOTH, trials=5)
    result = tuned(study, dataset_of(study, rate=rate), progress=said.append)
    assert result.study == study
    assert [family.ended_by for family in result.families] == ["no folds", "no folds"]
    assert result.trials == {"lightgbm": [], "logistic": []}
    assert said[-1].startswith("logistic is not tuned: there are fewer than 10")
    json.dumps(result.to_dict(), allow_nan=False)


def test_one_trial_is_the_studys_own() -> None:
    study = study_of(trials=1)
    result = tuned(study)
    assert result.study == study
    assert result.families[0].reason == "only the study's own settings were tried"
    assert len(result.trials["lightgbm"]) == 1


def test_people_of_one_date_are_split_among_themselves() -> None:
    study = study_of(trials=8, dates=DATES[:2], tests=1, calibrate="grouped")
    result = tuned(study, dataset_of(study, people=900))
    (family,) = result.families
    assert (family.how, family.why) == ("grouped", "there is one date to learn from")
    assert family.folds == ("group 1", "group 2", "group 3")
    assert not family.kept


def test_a_single_home_for_everybody_tells_nothing_of_chance() -> None:
    study = study_of(trials=8)
    (family,) = tuned(study, dataset_of(study, homes=1)).families
    assert family.best_loss < family.own_loss
    assert family.gain["low"] is None
    assert family.kept


def test_a_family_without_its_package_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "interpret.glassbox", None)
    with pytest.raises(UsageError, match="explainable"):
        tuned(study_of(families=("explainable_boosting",), trials=2))
