"""Every setting that was tried is a run inside its family's run."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import mlflow
import pytest

from riskmodels import tracking
from riskmodels.tracking import RunRecord
from riskmodels.workspace import Workspace

FAMILIES = {"base_rate": {"auc": 0.5}, "logistic": {"auc": 0.7}, "lightgbm": {"auc": 0.75}}


def trial(number: int, **params: float) -> dict[str, Any]:
    metrics = {"brier_score": 0.1 + number / 100, "brier_score_fold_1": 0.1, "auc": 0.7, "auc_fold_1": 0.7}
    return {"number": number, "params": params, "metrics": metrics}


TRIALS = {
    "logistic": [trial(0, c=1.0), trial(1, c=0.2)],
    "lightgbm": [trial(number, trees=10 * number + 5, learning_rate=0.05) for number in range(5)],
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What MLflow holds of a training with trials: run id -> run. The model itself is another test's."""
    folder = tmp_path_factory.mktemp("trials")
    workspace = Workspace(folder / "work")
    (folder / "run-1").mkdir()
    record = RunRecord("a_study", folder / "run-1", {"family": "lightgbm"}, {"auc": 0.75}, FAMILIES, {}, (), TRIALS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tracking, "_log_model", lambda *_: SimpleNamespace(model_uri="models:/none"))
        patch.setattr(tracking, "_register", lambda *_: 1)
        logged = tracking.log_training(workspace, workspace.tracking_uri, record)
    client = mlflow.MlflowClient(workspace.tracking_uri)
    experiment = client.get_experiment_by_name("a_study")
    found = {run.info.run_id: run for run in client.search_runs([experiment.experiment_id])}
    assert logged.run_id in found
    return found


def parent(run: Any, runs: dict[str, Any]) -> Any:
    return runs.get(run.data.tags.get("mlflow.parentRunId"))


def test_trials_are_runs_inside_their_familys_run(runs: dict[str, Any]) -> None:
    trials = [run for run in runs.values() if "trial" in run.data.tags]
    assert len(runs) == 1 + len(FAMILIES) + 7
    assert len(trials) == 7
    for run in trials:
        family = parent(run, runs)
        assert family.info.run_name == family.data.tags["family"] == run.data.tags["family"]
        assert parent(family, runs).info.run_name == "run-1"
        assert parent(parent(family, runs), runs) is None
        assert run.info.status == "FINISHED"
    for family, rows in TRIALS.items():
        found = {
            int(run.data.tags["trial"]): (run.info.run_name, run.data.params, run.data.metrics)
            for run in trials
            if run.data.tags["family"] == family
        }
        assert found == {
            row["number"]: (
                f"trial {row['number']}",
                {name: str(value) for name, value in row["params"].items()},
                pytest.approx(row["metrics"]),
            )
            for row in rows
        }


def test_a_family_that_was_not_tuned_has_no_trials(runs: dict[str, Any]) -> None:
    (family,) = [run for run in runs.values() if run.info.run_name == "base_rate"]
    assert not [run for run in runs.values() if parent(run, runs) is family]
    assert family.data.metrics == {"auc": 0.5}
