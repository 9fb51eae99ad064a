"""Which settings go on, and what is said of it."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import polars as pl
import pytest

from riskmodels.models.matrix import Matrix
from riskmodels.models.tuning.folds import Fold, Folds
from riskmodels.models.tuning.results import (
    NO_GAIN,
    Trial,
    TunedFamily,
    TuningResult,
    best_of,
    settle,
    untried,
    with_settings,
)
from tests.models.tuning.tuning_world import study_of

OWN = {"c": 1.0}


def folds(*names: str, reason: str = "") -> Folds:
    none = np.zeros(0, dtype=np.int64)
    parts = tuple(Fold(name, none, none) for name in names)
    return Folds(pl.DataFrame(), Matrix(np.zeros((0, 0)), np.zeros((0, 0), bool), ()), none, parts, "time", reason)


def trial(number: int, *losses: float, c: float | None = None) -> Trial:
    settings = OWN if number == 0 else {"c": c or float(number)}
    return Trial(number, settings, settings, losses, tuple(0.5 for _ in losses), 1.0)


def settled(trials: list[Trial], low: float | None = None, value: float = 0.1) -> TunedFamily:
    gain = {"value": value, "low": low, "high": None if low is None else low + 0.2}
    return settle("logistic", folds("2018-05-01", "2018-09-01"), trials, gain, 1, "trials")


@pytest.mark.parametrize(
    ("trials", "low", "kept", "reason"),
    [
        ([trial(0, 0.2, 0.4)], None, True, "only the study's own settings were tried"),
        ([trial(0, 0.2), trial(1, 0.3)], None, True, "no other settings did better in the folds"),
        # The earlier of equals.
        ([trial(0, 0.2), trial(1, 0.2)], None, True, "no other settings did better in the folds"),
        ([trial(0, 0.2), trial(1, 0.1)], -0.01, True, "did better in the folds, but not by more than chance"),
        ([trial(0, 0.2), trial(1, 0.1)], 0.0, True, "did better in the folds, but not by more than chance"),
        ([trial(0, 0.2), trial(1, 0.1)], None, True, "did better in the folds, but not by more than chance"),
        (
            [trial(0, 0.2), trial(1, 0.1)],
            0.01,
            False,
            "they did better in the folds than the study's own, by more than chance",
        ),
    ],
)
def test_the_studys_own_go_on_unless_beaten_by_more_than_chance(
    trials: list[Trial], low: float | None, kept: bool, reason: str
) -> None:
    found = settled(trials, low)
    assert found.kept is kept
    assert found.reason.endswith(reason)
    assert found.own == OWN
    assert found.best == best_of(trials).settings


def test_the_best_has_the_lowest_mean_over_folds() -> None:
    """Means .3, .25, .25 and .4: the earlier of the two."""
    trials = [trial(0, 0.2, 0.4), trial(1, 0.1, 0.4), trial(2, 0.25, 0.25), trial(3, 0.0, 0.8)]
    assert best_of(trials).number == 1
    assert best_of(trials[::-1]).number == 1
    found = settled(trials, 0.01)
    assert (found.own_loss, found.best_loss) == (pytest.approx(0.3), pytest.approx(0.25))


def test_what_is_said_is_json_without_a_clock_or_what_was_resumed() -> None:
    plain = settled([trial(0, 0.2), trial(1, 0.1 + 1e-9)], 0.01, value=0.123456789).to_dict()
    assert plain["best_loss"] == 0.1
    assert plain["gain"] == {"value": 0.123457, "low": 0.01, "high": 0.21}
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert "resumed" not in plain
    assert plain["folds"] == ["2018-05-01", "2018-09-01"]
    assert not any("second" in key or "time" in key for key in plain)


def test_without_folds_the_studys_own_go_on() -> None:
    found = untried("logistic", OWN, folds(reason="there are too few"))
    assert found.kept
    assert (found.trials, found.reason, found.own_loss, found.gain) == (0, "there are too few", None, NO_GAIN)
    json.dumps(found.to_dict(), allow_nan=False)


def test_a_trial_as_it_is_logged() -> None:
    """Mean loss (.1 + .3) / 2 and mean AUC (.6 + .8) / 2; six digits."""
    found = Trial(4, {"c": 0.123456}, {"c": 0.123}, (0.1, 0.3), (0.6, 0.8 + 1e-9), 3.0)
    assert found.to_log("log_loss") == {
        "number": 4,
        "params": {"c": 0.123},
        "metrics": {
            "log_loss": 0.2, "auc": 0.7, "log_loss_fold_1": 0.1, "auc_fold_1": 0.6, "log_loss_fold_2": 0.3,
            "auc_fold_2": 0.8,
        },
    }  # fmt: skip


@pytest.mark.parametrize(
    ("plan", "repeatable"), [({"trials": 3}, True), ({"minutes": 2}, False), ({"trials": 3, "minutes": 2}, False)]
)
def test_only_a_budget_of_trials_can_be_repeated(plan: dict[str, Any], repeatable: bool) -> None:
    said = TuningResult(study_of(**plan)).to_dict()
    assert said is not None
    assert said["repeatable"] is repeatable
    assert said["budget"] == {"trials": None, "minutes": None} | plan


def test_settings_put_in_leave_the_rest_of_the_study() -> None:
    study = study_of(trials=3, logistic={"c": 1.0, "splines": ["need"]})
    tuned = with_settings(study, "logistic", {"c": 0.25})
    assert tuned.models.families["logistic"].model_dump() == {"c": 0.25, "splines": ("need",), "knots": 4}
    assert study.models.families["logistic"].model_dump()["c"] == 1.0
    assert with_settings(tuned, "logistic", OWN) == study
    assert list(tuned.models.families) == list(study.models.families)
