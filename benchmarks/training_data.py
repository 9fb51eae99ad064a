"""The bench workload as a study that runs whole, and what ``training.py`` keeps of it for its child processes."""

from __future__ import annotations

import datetime as dt
import os
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import question, workload
from benchmarks.measure import THREADS
from riskmodels.data.dataset import Dataset
from riskmodels.data.preparing import prepare_study
from riskmodels.data.splits import Splits
from riskmodels.models.training import available_threads, cohort_of, prepare_origin, slice_of
from riskmodels.storage import read_yaml, write_yaml
from riskmodels.study import LightGBMSettings, StudyFile, load_study

# At the last of these, nine quarters are over: about 180,000 rows teach.
DATES = question.DATES[:-1]
ROWS, MATRIX = "rows.pickle", "matrix.npz"
NOBODY = "none needed: nobody is real"
SETTINGS = LightGBMSettings()  # the package's own


@dataclass(frozen=True)
class Kept:
    data: Dataset
    splits: Splits
    study: StudyFile


def use_threads() -> int:
    """How many threads this process may use. If it was told, it gives up the cores beyond them, and both sides obey."""
    asked = os.environ.get(THREADS)
    if asked is None:
        return available_threads()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-int(asked) :])
    return int(asked)


def write_bench(
    folder: Path, people: int = workload.PEOPLE, dates: tuple[dt.date, ...] = DATES, **models: Any
) -> tuple[Path, Path]:
    """The study and its data. It is tested on the last date; its one candidate is LightGBM as the package has it.

    ``models`` replaces parts of the study's section of that name.
    """
    workload.write_workload(folder / "data", people)
    study = question.write_study(folder / "study", dates)
    asked = read_yaml(study / "study.yaml")
    asked["models"] = {"candidates": {"lightgbm": {}}, **models}
    asked["accepted"] = {"lineage": "A made-up event is known on the day it happens."}
    (study / "study.yaml").write_bytes(write_yaml(asked))
    register = read_yaml(study / "register.yaml")
    register["sources"]["people"] |= {"special_category": ["race"], "special_category_condition": NOBODY}
    (study / "register.yaml").write_bytes(write_yaml(register))
    return study, folder / "data"


# ---------------------------------------------------------------- in a child


def keep(study: str, data: str, out: str) -> dict[str, Any]:
    """Prepare the study; leave its rows, and as plain matrices the rows that teach and those that judge."""
    ready = prepare_study(load_study(study), data)
    split, asked = ready.splits.origins[-1], ready.study.file
    encoder, fit, calibrate = prepare_origin(ready.dataset, split, asked)
    test = slice_of(ready.dataset, cohort_of(ready.dataset, split), ready.dataset.outcomes.frame, encoder)
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ROWS).write_bytes(pickle.dumps(Kept(ready.dataset, ready.splits, asked)))
    np.savez(
        folder / MATRIX,
        values=np.ascontiguousarray(np.vstack([fit.matrix.values, calibrate.matrix.values])),
        outcome=np.concatenate([fit.outcome, calibrate.outcome]),
        categories=np.flatnonzero([column.kind == "category" for column in encoder.columns]),
        test_values=np.ascontiguousarray(test.matrix.values[test.known]),
        test_outcome=test.outcome,
    )
    return {"fit": len(fit.matrix), "calibrate": len(calibrate.matrix), "columns": len(encoder.columns)}


def kept(folder: str) -> Kept:
    """What `keep` left there."""
    found: Kept = pickle.loads((Path(folder) / ROWS).read_bytes())
    return found
