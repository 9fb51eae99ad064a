"""What MLflow is told, and what it must never be told."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import mlflow
import pandas as pd
import polars as pl
import pytest

from tests.conftest import Demo

STUDY = "early_reading_support"


@pytest.fixture
def client(demo: Demo) -> mlflow.MlflowClient:
    mlflow.set_tracking_uri(demo.workspace.tracking_uri)
    return mlflow.MlflowClient(demo.workspace.tracking_uri)


def test_one_run_with_a_nested_run_for_each_family(client: mlflow.MlflowClient, demo: Demo) -> None:
    experiment = client.get_experiment_by_name(STUDY)
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id])
    parents = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    nested = {run.data.tags["family"] for run in runs if "mlflow.parentRunId" in run.data.tags}
    assert len(parents) == 1
    assert parents[0].info.run_id == demo.report.run.run_id
    assert nested == {"base_rate", "single_best_column", "points", "logistic", "lightgbm"}
    assert parents[0].data.metrics["auc"] == pytest.approx(
        demo.report.run.run.performance.overall["auc"].value, abs=5e-4
    )


def test_artefacts(client: mlflow.MlflowClient, demo: Demo) -> None:
    folders = {item.path for item in client.list_artifacts(demo.report.run.run_id)}
    assert {"card", "audit", "figures", "explain", "checks", "riskmodel"} <= folders


def test_candidate_carries_the_digests(client: mlflow.MlflowClient, demo: Demo) -> None:
    version = client.get_model_version_by_alias(STUDY, "candidate")
    assert version.tags["model.sha256"] == demo.report.run.run.model.model_sha256
    assert version.tags["card.sha256"] == demo.report.run.run.card.digest
    assert version.tags["audit.verdict"] == demo.report.run.run.audit.to_dict()["verdict"]


def test_logged_model_is_text_and_gives_the_same_risks(demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    mlflow.set_tracking_uri(demo.workspace.tracking_uri)
    model = mlflow.pyfunc.load_model(f"models:/{STUDY}@candidate")
    frame = demo.report.run.run.dataset.features.frame.head(500)
    features = frame.select(demo.report.run.run.dataset.features.names).to_pandas()
    risks = model.predict(pd.DataFrame(features))["risk"].to_numpy()
    assert (risks == demo.report.run.run.model.predict_risk(frame)).all()


def test_no_pickle_anywhere(demo: Demo) -> None:
    for path in demo.workspace.root.rglob("*"):
        assert path.suffix not in (".pkl", ".pickle", ".joblib", ".skops"), path
        if path.is_file() and path.suffix != ".db":
            assert not path.read_bytes().startswith((b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")), path


def test_nobody_is_in_mlflow(demo: Demo) -> None:
    """No id of a listed pupil stands in any artefact or anywhere in the database."""
    assert demo.report.score is not None
    ids = pl.read_csv(demo.report.score.output, infer_schema_length=None)["entity_id"].head(300).to_list()
    places = [path for path in demo.workspace.artifacts.rglob("*") if path.is_file()]
    assert len(places) > 10
    with sqlite3.connect(demo.workspace.root / "mlflow.db") as database:
        dump = "\n".join(database.iterdump())
    for text in [dump, *(path.read_bytes().decode("utf-8", "replace") for path in places)]:
        assert not any(entity in text for entity in ids)


def test_an_unreachable_store_is_one_line(tmp_path: Path) -> None:
    from riskmodels import tracking
    from riskmodels.errors import OutsideError
    from riskmodels.workspace import Workspace

    (tmp_path / "not-a-database").write_text("words, not pages" * 100)
    uri = f"sqlite:///{tmp_path / 'not-a-database'}"
    with pytest.raises(OutsideError, match="run again to log it"):
        tracking.log_batch(Workspace(tmp_path / "work"), uri, STUDY, "b", {}, {})


def test_a_database_that_fails_midway_is_one_line(tmp_path: Path) -> None:
    # In a process of its own, where MLflow writes to the stream that it found when it was imported.
    code = f"""
import sqlite3
from pathlib import Path
from riskmodels import tracking
from riskmodels.errors import OutsideError
from riskmodels.workspace import Workspace

workspace = Workspace(Path({str(tmp_path / "work")!r}))
uri = "sqlite:///" + {str(tmp_path / "mlflow.db")!r}
tracking.log_batch(workspace, uri, "study", "one", {{}}, {{"listed": 1}})
with sqlite3.connect({str(tmp_path / "mlflow.db")!r}) as database:
    database.execute("DROP TABLE metrics")
try:
    tracking.log_batch(workspace, uri, "study", "two", {{}}, {{"listed": 1}})
except OutsideError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "run again to log it" in done.stdout
    assert len(done.stdout.splitlines()) == 1
    assert "Traceback" not in done.stderr
    assert "sqlalchemy" not in done.stderr.lower()


@pytest.mark.parametrize("reason", [ConnectionResetError(), OSError("\n"), ImportError("")])
def test_an_error_without_words_is_told_by_its_kind(tmp_path: Path, reason: Exception) -> None:
    from riskmodels import tracking
    from riskmodels.errors import OutsideError
    from riskmodels.workspace import Workspace

    with (
        pytest.raises(OutsideError, match=f": {type(reason).__name__}; what was made stands in the workspace"),
        tracking.connected(Workspace(tmp_path / "work"), f"sqlite:///{tmp_path / 'mlflow.db'}"),
    ):
        raise reason


@pytest.mark.parametrize("before", [None, "sqlite:///mine.db"])
def test_the_addresses_of_mlflow_are_left_as_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str | None
) -> None:
    from riskmodels import tracking
    from riskmodels.workspace import Workspace

    if before is not None:
        monkeypatch.setenv("MLFLOW_REGISTRY_URI", before)
    workspace = Workspace(tmp_path / "work")
    tracking.log_batch(workspace, workspace.tracking_uri, STUDY, "b", {}, {})
    assert os.environ.get("MLFLOW_REGISTRY_URI") == before
    mlflow.set_tracking_uri("sqlite:///other.db")
    assert mlflow.get_registry_uri() == (before or "sqlite:///other.db")
