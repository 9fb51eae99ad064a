"""MLproject's entry points: each hands its arguments to the command, and one real `mlflow run` works."""

from __future__ import annotations

import os
import runpy
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PROJECT: dict[str, Any] = yaml.safe_load((ROOT / "MLproject").read_text())
COMMANDS = {"train": ["run"], "score": ["score"], "card": ["card"], "review": ["review", "record"],
            "promote": ["promote"]}  # fmt: skip


def test_the_project_has_these_entry_points() -> None:
    assert set(PROJECT["entry_points"]) == set(COMMANDS)
    assert (ROOT / PROJECT["python_env"]).is_file()


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_entry_point_calls_its_command(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line of MLproject, with its parameters filled in, is one that our command line parses."""
    entry = PROJECT["entry_points"][name]
    filled = {key: spec.get("default", "x") for key, spec in entry["parameters"].items()}
    words = shlex.split(entry["command"].format(**filled))
    assert words[:3] == ["python", "-m", f"pipelines.{name}"]
    called: list[list[str]] = []
    monkeypatch.setattr("riskmodels.__main__.main", lambda arguments: called.append(arguments))
    monkeypatch.setattr(sys, "argv", words[2:])
    runpy.run_module(f"pipelines.{name}", run_name="__main__")
    assert called == [[*COMMANDS[name], *words[3:]]]


@pytest.mark.slow
def test_mlflow_run_trains(tmp_path: Path) -> None:
    """`mlflow run . --env-manager local -e train`, as the README says it."""
    mlflow = Path(sys.executable).with_name("mlflow")
    # MLflow leaves the experiment of a run in the environment of its process, where another test may have run one.
    ours = {key: value for key, value in os.environ.items() if not key.startswith("MLFLOW_")}
    environment = ours | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path / 'mlflow.db'}",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    done = subprocess.run(
        [
            mlflow, "run", ".", "--env-manager", "local", "-e", "train", "-P", f"workspace={tmp_path / 'work'}",
            "-P", "study=experiments/early_reading_support", "--experiment-name", "early_reading_support",
        ],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert (tmp_path / "work" / "models.json").is_file()
    import sqlite3

    with sqlite3.connect(tmp_path / "mlflow.db") as database:
        statuses = [row[0] for row in database.execute("select status from runs")]
    assert statuses
    assert set(statuses) == {"FINISHED"}
