"""MLflow's only home.

An experiment for each study; a parent run for each training, with a nested run for each family, and inside it one for
each setting that tuning tried; one LoggedModel named ``model``; artefacts in one call; version tags carry the digests.
Aggregates only: predictions, ids and exact counts are never logged. Nothing here unpickles: the model is text and JSON,
loaded by code (``pyfunc_model.py``).
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from riskmodels.tracking.store import (
    REGISTRY_VARIABLE,
    URI_VARIABLE,
    connected,
    resolve_tracking_uri,
    without_password,
)
from riskmodels.workspace import Workspace

LOGGED_FOLDERS = ("card", "audit", "figures", "explain", "checks", "riskmodel")
CANDIDATE = "candidate"

__all__ = [
    "CANDIDATE",
    "REGISTRY_VARIABLE",
    "URI_VARIABLE",
    "LoggedRun",
    "RunRecord",
    "connected",
    "log_batch",
    "log_training",
    "resolve_tracking_uri",
    "without_password",
]


@dataclass(frozen=True)
class LoggedRun:
    run_id: str
    tracking_uri: str
    experiment: str
    mlflow_version: int | None  # of the registered model


@dataclass(frozen=True)
class RunRecord:
    """What is logged of one training."""

    study: str
    folder: Path  # the run's folder
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    families: Mapping[str, Mapping[str, float]]
    tags: Mapping[str, str]
    inputs: tuple[tuple[str, str], ...]  # feature name, "double" or "string"
    # family -> rows {number, params, metrics}, as `riskmodels.models.tuning` gives them
    trials: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)


def log_training(workspace: Workspace, tracking_uri: str, record: RunRecord) -> LoggedRun:
    """Log a training and register its model as ``candidate``.

    Raises
    ------
    OutsideError
        if the store cannot be reached or written.
    """
    with connected(workspace, tracking_uri) as mlflow:
        _use_experiment(mlflow, workspace, tracking_uri, record.study)
        with mlflow.start_run(run_name=record.folder.name, tags=dict(record.tags)) as run:
            mlflow.log_params(dict(record.params))
            mlflow.log_metrics(dict(record.metrics))
            for family, metrics in record.families.items():
                with mlflow.start_run(run_name=family, nested=True, tags={"family": family}):
                    mlflow.log_metrics(dict(metrics))
                    _log_trials(mlflow, family, record.trials.get(family, ()))
            for name in LOGGED_FOLDERS:
                if (record.folder / name).is_dir():
                    mlflow.log_artifacts(str(record.folder / name), name)
            info = _log_model(mlflow, record)
            version = _register(mlflow, record, info)
            return LoggedRun(run.info.run_id, tracking_uri, record.study, version)


def _log_trials(mlflow: Any, family: str, trials: Sequence[Mapping[str, Any]]) -> None:
    """A run for each setting that was tried, inside its family's: two calls each, whatever it measured."""
    for trial in trials:
        number = str(trial["number"])
        with mlflow.start_run(run_name=f"trial {number}", nested=True, tags={"family": family, "trial": number}):
            mlflow.log_params(dict(trial["params"]))
            mlflow.log_metrics(dict(trial["metrics"]))


def log_batch(
    workspace: Workspace, tracking_uri: str, study: str, batch_id: str, tags: dict[str, str], counts: dict[str, int]
) -> None:
    """One run for each scored batch, in the experiment ``<study>/scoring``: counts and digests, nobody's data."""
    with connected(workspace, tracking_uri) as mlflow:
        _use_experiment(mlflow, workspace, tracking_uri, f"{study}/scoring")
        with mlflow.start_run(run_name=f"batch {batch_id}", tags=tags):
            mlflow.log_metrics({name: float(value) for name, value in counts.items()})


def _use_experiment(mlflow: Any, workspace: Workspace, tracking_uri: str, name: str) -> None:
    # Inside `mlflow run` the run already exists: naming another experiment would be refused.
    if os.environ.get("MLFLOW_RUN_ID"):
        return
    ensure_experiment(mlflow.MlflowClient(), workspace, tracking_uri, name)
    mlflow.set_experiment(name)


def ensure_experiment(client: Any, workspace: Workspace, tracking_uri: str, name: str) -> str:
    """The id of an experiment, made if there is none; in the workspace's own store its files lie in the workspace."""
    found = client.get_experiment_by_name(name)
    if found is not None:
        return str(found.experiment_id)
    own = tracking_uri == workspace.tracking_uri
    place = (workspace.artifacts / name.replace("/", "-")).resolve().as_uri() if own else None
    return str(client.create_experiment(name, artifact_location=place))


def _log_model(mlflow: Any, record: RunRecord) -> Any:
    from mlflow.models import ModelSignature
    from mlflow.types.schema import ColSpec, Schema

    from riskmodels import __version__

    # No signature of the inputs: MLflow's refuses whole numbers where decimals were learned, knows no Polars, and
    # quotes the rows themselves when it refuses. The model checks its columns; what they are is told as metadata.
    return mlflow.pyfunc.log_model(
        name="model",
        python_model=str(Path(__file__).with_name("pyfunc_model.py")),
        artifacts={"riskmodel": str(record.folder / "riskmodel")},
        signature=ModelSignature(outputs=Schema([ColSpec("double", "risk")])),
        metadata={"inputs": [{"name": name, "type": kind} for name, kind in record.inputs]},
        pip_requirements=[f"riskmodels=={__version__}"],
    )


def _register(mlflow: Any, record: RunRecord, info: Any) -> int:
    """Register once for each pair of digests; ``candidate`` points at the newest."""
    client = mlflow.MlflowClient()
    if not client.search_registered_models(filter_string=f"name = '{record.study}'"):
        client.create_registered_model(record.study)
    digests = {"model.sha256": record.tags["model.sha256"], "card.sha256": record.tags["card.sha256"]}
    for version in client.search_model_versions(f"name = '{record.study}'"):
        if {name: version.tags.get(name) for name in digests} == digests:
            break
    else:
        run_id = mlflow.active_run().info.run_id
        # A server takes no model that its id does not name as well.
        version = client.create_model_version(
            record.study, info.model_uri, run_id, tags=dict(record.tags), model_id=info.model_id
        )
    client.set_registered_model_alias(record.study, CANDIDATE, version.version)
    return int(version.version)
