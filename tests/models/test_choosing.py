"""The choice among families, and what teaches it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any, cast

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import brier_score_loss, log_loss

from riskmodels import pipeline, storage
from riskmodels.data.preparing import Prepared
from riskmodels.data.splits import Split, Splits
from riskmodels.models.choosing import Choice, choose_model, clustered_mean, row_losses
from riskmodels.models.training import Predictions
from riskmodels.study import Study, StudyFile, parse_study_file
from tests.conftest import STUDY

BEFORE = frozenset({dt.date(2020, 1, 1)})


@pytest.fixture(scope="module")
def study() -> StudyFile:
    return parse_study_file(storage.read_yaml(STUDY / "study.yaml"))


def predictions(
    study: StudyFile, noise: dict[str, float], rows: int = 4000, stage: str = "calibrate", year: int = 2020
) -> Predictions:
    """A family's risk is the true risk blurred by ``noise`` (log-odds); the base rate is the mean for everybody."""
    rng = np.random.default_rng(5)
    logit = rng.normal(-1, 1.5, rows)
    truth = 1 / (1 + np.exp(-logit))
    outcome = (rng.random(rows) < truth).astype(np.int8)
    frames = []
    for family in study.models.families:
        blurred = logit + rng.normal(0, noise.get(family, 3.0), rows)
        risk = np.full(rows, truth.mean()) if family == "base_rate" else 1 / (1 + np.exp(-blurred))
        frames.append(
            pl.DataFrame(
                {
                    "entity_id": [f"e{i}" for i in range(rows)],
                    "as_of_date": [dt.date(year, 1, 1)] * rows,
                    "stage": [stage] * rows,
                    "model": [family] * rows,
                    "score": np.log(risk / (1 - risk)),
                    "risk": risk,
                    "outcome": outcome,
                    "cluster_id": [f"e{i}" for i in range(rows)],
                }
            )
        )
    return Predictions(pl.concat(frames))


def test_a_real_gain_wins(study: StudyFile) -> None:
    choice = choose_model(predictions(study, {"single_best_column": 1.5, "lightgbm": 0.0}), study, BEFORE)
    assert choice.model == "lightgbm"
    assert choice.best_baseline == "single_best_column"


def test_a_gain_within_chance_loses_to_the_simpler(study: StudyFile) -> None:
    """LightGBM is a hair better in the mean; its interval holds nought, so the single column stays."""
    choice = choose_model(predictions(study, {"single_best_column": 0.02, "lightgbm": 0.0}), study, BEFORE)
    step = next(step for step in choice.steps if step["model"] == "lightgbm")
    assert choice.model == "single_best_column"
    assert step["low"] < 0 < step["high"]  # type: ignore[operator]


def test_when_nothing_helps_the_base_rate_stays(study: StudyFile) -> None:
    assert choose_model(predictions(study, {}), study, BEFORE).model == "base_rate"


def test_the_test_dates_are_not_looked_at(study: StudyFile) -> None:
    """Wonderful figures on the test rows change nothing."""
    calibrate = predictions(study, {"single_best_column": 0.5})
    test = predictions(study, {"lightgbm": 0.0}, stage="test", year=2021)
    both = Predictions(pl.concat([calibrate.frame, test.frame]))
    assert choose_model(both, study, BEFORE) == choose_model(calibrate, study, BEFORE)


def test_calibration_rows_that_an_earlier_origin_was_tested_on_do_not_choose(study: StudyFile) -> None:
    """A later origin calibrates on the first one's test date: choosing there would flatter that test."""
    before = predictions(study, {"single_best_column": 0.5})
    test = predictions(study, {}, stage="test", year=2021)
    later = predictions(study, {"lightgbm": 0.0}, year=2021)
    every = Predictions(pl.concat([before.frame, test.frame, later.frame]))
    assert choose_model(every, study, BEFORE) == choose_model(before, study, BEFORE)


class _ChoosingAnywhere(Splits):
    """As if the families were compared on the calibration rows of every origin."""

    @property
    def choosing(self) -> frozenset[dt.date]:
        return frozenset(day for split in self.origins for day in split.calibrate)


@pytest.mark.parametrize(("rule", "chosen"), [(Splits, "single_best_column"), (_ChoosingAnywhere, "lightgbm")])
def test_a_run_chooses_by_the_rule_that_the_check_looks_at(
    study: StudyFile, monkeypatch: pytest.MonkeyPatch, rule: type[Splits], chosen: str
) -> None:
    """``chosen_on_test`` looks at `Splits.choosing`: where that is wrong, the choice must be wrong with it."""
    first, second, third = (dt.date(year, 1, 1) for year in (2020, 2021, 2022))
    origins = (Split(0, second, (), (first,), second, "later"), Split(1, third, (), (second,), third, "later"))
    early = predictions(study, {"single_best_column": 0.5, "lightgbm": 3.0}, rows=1000)
    later = predictions(study, {"single_best_column": 3.0, "lightgbm": 0.0}, rows=8000, year=2021)
    test = predictions(study, {}, stage="test", year=2021)
    every = Predictions(pl.concat([early.frame, later.frame, test.frame]))
    nothing = cast("Any", None)
    ready = Prepared(
        Study(Path(), study, nothing, nothing, ()), nothing, nothing, rule(origins, origins[1]), *[nothing] * 6
    )
    choices: list[Choice] = []

    def settled(choice: Choice, *_: object) -> None:
        choices.append(choice)
        raise InterruptedError

    monkeypatch.setattr(pipeline, "prepare_study", lambda *_, **__: ready)
    monkeypatch.setattr(pipeline, "tested_rows", lambda *_: None)
    monkeypatch.setattr(pipeline, "build_slices", lambda *_: None)
    monkeypatch.setattr(pipeline, "backtest", lambda *_: every)
    monkeypatch.setattr(pipeline, "settle", settled)
    with pytest.raises(InterruptedError):
        pipeline.run_study(cast("Study", None), "")
    assert [choice.model for choice in choices] == [chosen]


def test_row_losses_are_the_library_ones() -> None:
    rng = np.random.default_rng(1)
    risk, outcome = rng.random(200), rng.integers(0, 2, 200)
    assert row_losses("brier_score", risk, outcome).mean() == pytest.approx(brier_score_loss(outcome, risk))
    assert row_losses("log_loss", risk, outcome).mean() == pytest.approx(log_loss(outcome, risk))


def test_clustered_interval_is_the_plain_one_without_clusters() -> None:
    values = np.random.default_rng(2).normal(0.3, 1, 500)
    mean, low, high = clustered_mean(values, np.arange(500))
    error = values.std(ddof=1) / np.sqrt(500)
    assert mean == pytest.approx(values.mean())
    assert (low, high) == pytest.approx((mean - 1.96 * error, mean + 1.96 * error), rel=1e-4)


def test_repeated_rows_add_no_certainty() -> None:
    """Every row four times, as four rows of one person: the interval is that of the people."""
    values = np.random.default_rng(3).normal(0.3, 1, 300)
    once = clustered_mean(values, np.arange(300))
    four = clustered_mean(np.repeat(values, 4), np.repeat(np.arange(300), 4))
    assert four == pytest.approx(once)
