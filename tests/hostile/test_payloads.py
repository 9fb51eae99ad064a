"""The payloads are real: loaded as what they are, each one runs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.hostile.payloads import PAYLOADS, write_mlflow_model


@pytest.mark.parametrize("name", PAYLOADS)
def test_it_runs_where_its_own_library_loads_it(name: str, marks: Callable[[], Path]) -> None:
    mark = marks()
    content = PAYLOADS[name].make(mark)
    assert not mark.exists()
    PAYLOADS[name].load(content)
    assert mark.is_dir()


@pytest.mark.slow  # MLflow's own start, in a process that it may spoil
def test_a_model_of_mlflow_runs_its_own_loader_with_the_flag_against_pickles(
    tmp_path: Path, marks: Callable[[], Path]
) -> None:
    mark = marks()
    write_mlflow_model(tmp_path / "model", mark)
    code = f"import mlflow; mlflow.pyfunc.load_model({str(tmp_path / 'model')!r})"
    subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        env={"MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false", "PATH": "", "MLFLOW_DISABLE_TELEMETRY": "true"},
        cwd=tmp_path,
        check=False,
    )
    assert mark.is_dir()
