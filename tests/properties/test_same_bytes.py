"""The same study gives the same bytes in another process, on any number of threads."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from riskmodels.models.calibration import CALIBRATORS
from riskmodels.models.families import MODELS
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

# Model files and risks of every family, and of every calibrator; threads are used however small the matrix is.
FAMILIES = """
import importlib.util, sys
from riskmodels.models import boosting
from riskmodels.models.calibration import CALIBRATORS, fit_calibrator
from riskmodels.models.families import MODELS
from riskmodels.models.risk_model import RiskModel
from riskmodels.storage import digest_of_files, sha256
from riskmodels.study import ExplainableBoostingSettings, LightGBMSettings, LogisticSettings

spec = importlib.util.spec_from_file_location("planted", sys.argv[1])
planted = sys.modules["planted"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(planted)
boosting.WORTH_SHARING = 0
planted.SETTINGS |= {
    "logistic": LogisticSettings(splines=("reading", "income")),
    "explainable_boosting": ExplainableBoostingSettings(rounds=200),
    "lightgbm": LightGBMSettings(trees=60, monotone={"reading": "falls", "absences": "rises"}),
}
world, threads = planted.make_world(30_000), int(sys.argv[2])
first, later = slice(0, 20_000), slice(20_000, 30_000)
late = world.matrix.at(range(20_000, 30_000))
for family in MODELS:
    fitted = world.fit(family, threads=threads, rows=first)
    scores = fitted.score(late)
    for kind in CALIBRATORS if family in ("logistic", "lightgbm") else ("sigmoid",):
        calibrator = fit_calibrator(kind, scores, world.outcome[later], log_odds_score=MODELS[family].log_odds)
        model = RiskModel("planted", family, fitted, world.encoder, calibrator, world.features.specs)
        print(family, kind, digest_of_files(model.to_files()), sha256(calibrator.apply(scores).tobytes()))
"""

COMMAND = "import runpy, sys; sys.argv[0] = 'riskmodels'; runpy.run_module('riskmodels', run_name='__main__')"


def said_by(program: str, *arguments: object, **variables: str) -> str:
    """What a program prints, in a process of its own."""
    inherited = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)],
        env=inherited | variables, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.mark.slow
def test_threads_and_processes_do_not_matter(tmp_path: Path) -> None:
    """Sums of decimals are the hard part: an engine adds them in another order each time."""
    study = ROOT / "experiments" / "county_early_help"
    said = {
        said_by(PROGRAM, study, tmp_path / threads, POLARS_MAX_THREADS=threads, PYTHONHASHSEED=threads)
        for threads in ("1", "2", "7")
    }
    assert len(said) == 1


@pytest.mark.slow
def test_no_family_and_no_calibrator_counts_threads() -> None:
    """Each sum that matters to a saved model is added up in one order, whoever adds it."""
    planted = ROOT / "tests" / "models" / "planted.py"
    one, two = (
        said_by(FAMILIES, planted, threads, OMP_NUM_THREADS=threads, POLARS_MAX_THREADS=threads, PYTHONHASHSEED=threads)
        for threads in ("1", "2")
    )
    assert one.splitlines() == two.splitlines()
    assert len(one.splitlines()) == len(MODELS) - 2 + 2 * len(CALIBRATORS)


@pytest.mark.slow
@pytest.mark.parametrize("ids", [True, False], ids=["with ids", "without ids, risks that tie"])
def test_evaluate_does_not_count_threads(tmp_path: Path, ids: bool) -> None:
    """Long sums by BLAS would be added in another order on two threads, and the last digits differ."""
    rng, n = np.random.default_rng(3), 200_000
    person = rng.integers(0, n // 3, n)
    linear = -2 + rng.normal(size=n // 3)[person] + 0.7 * rng.normal(size=n)
    risk = 1 / (1 + np.exp(-linear))
    happened = (rng.random(n) < risk).astype(np.int8)
    rows = pl.DataFrame({"id": person, "day": rng.choice(["2023-01-01", "2024-01-01"], n), "risk": risk, "y": happened})
    rows = rows.unique(["id", "day"], maintain_order=True) if ids else rows.with_columns(pl.col("risk").round(2))
    unknown = pl.Series(rng.random(rows.height) < 0.1)
    rows = rows.with_columns(pl.col("risk").clip(0.001, 0.999), y=pl.when(~unknown).then("y"))
    rows.write_parquet(tmp_path / "rows.parquet")
    options = "--outcome y --risk risk --as-of day --capacity 1000 --threshold 0.2" + " --entity id" * ids
    for threads in ("1", "2"):
        told = ["--json", tmp_path / f"{threads}.json"]
        said_by(
            COMMAND, "evaluate", tmp_path / "rows.parquet", *options.split(), *told,
            OMP_NUM_THREADS=threads, OPENBLAS_NUM_THREADS=threads, POLARS_MAX_THREADS=threads,
        )  # fmt: skip
    assert (tmp_path / "1.json").read_bytes() == (tmp_path / "2.json").read_bytes()
