"""The same study gives the same bytes in another process, on any number of threads."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

PROGRAM = """
import sys
from pathlib import Path
from riskmodels import load_study, run_study
from riskmodels.storage import sha256
study = load_study(sys.argv[1])
sys.path.insert(0, sys.argv[1])
import prepare
prepare.PEOPLE = 3000
prepare.prepare(Path(sys.argv[2]))
run = run_study(study, sys.argv[2])
print(sha256(run.dataset.features.frame.write_csv().encode()))
print(sha256(run.predictions.frame.write_csv().encode()))
print(run.model.model_sha256, run.card.digest)
"""


@pytest.mark.slow
def test_threads_and_processes_do_not_matter(tmp_path: Path) -> None:
    """Sums of decimals are the hard part: an engine adds them in another order each time."""
    said = set()
    for threads in ("1", "2", "7"):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, ROOT / "experiments" / "county_early_help", tmp_path / threads],
            env=os.environ | {"POLARS_MAX_THREADS": threads, "PYTHONHASHSEED": threads},
            capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-2000:]
        said.add(done.stdout)
    assert len(said) == 1
