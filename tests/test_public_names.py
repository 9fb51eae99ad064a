"""The public names exist, and asking for the package costs nothing heavy."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import riskmodels

HEAVY = ("numpy", "polars", "pandas", "sklearn", "scipy", "mlflow", "shap", "lightgbm", "matplotlib", "pydantic")
HELP_CPU_SECONDS = 0.3

# Runs a command and prints the CPU seconds that it and its children took.
MEASURE = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(done.returncode, used.ru_utime + used.ru_stime)
"""


@pytest.mark.parametrize("name", riskmodels.__all__)
def test_every_public_name_exists(name: str) -> None:
    assert getattr(riskmodels, name) is not None
    assert name in dir(riskmodels)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'riskmodels' has no attribute 'run_studdy'"):
        riskmodels.run_studdy  # noqa: B018


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = f"import sys, riskmodels; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_help_is_quick() -> None:
    """CPU time, the best of three, so that a busy machine does not decide."""
    command = [sys.executable, "-c", MEASURE, sys.executable, "-m", "riskmodels", "--help"]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    seconds = []
    for _ in range(3):
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
        code, used = done.stdout.split()
        assert code == "0"
        seconds.append(float(used))
    assert min(seconds) < HELP_CPU_SECONDS
