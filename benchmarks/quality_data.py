"""The rows that everybody in ``quality.py`` gets, and our own side of it. Runs in processes of its own.

A file of arrays holds, for each origin (a test date with all that comes before it), the rows that fit, calibrate and
test; and the folds that settings are searched in, which are those of our own search.
"""

from __future__ import annotations

import pickle
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from benchmarks.measure import Steps
from benchmarks.training_data import ROWS, Kept, kept, use_threads
from riskmodels.commands.sources import data_folder
from riskmodels.data.preparing import prepare_study
from riskmodels.models.boosting import inputs_of
from riskmodels.models.choosing import choose_model
from riskmodels.models.logit import auc
from riskmodels.models.training import backtest, cohort_of, prepare_origin, slice_of
from riskmodels.models.tuning import tune
from riskmodels.models.tuning.folds import plan_folds
from riskmodels.pipeline import settle
from riskmodels.study import StudyFile, Tuning, load_study
from riskmodels.workspace import Workspace

ARRAYS, OURS = "origins.npz", "ours.npz"
BRIER, AREA = "Brier score", "AUC"
TUNED = ("logistic", "lightgbm")
FOLDS = 3


def keep(study: str, out: str, data: str | None = None) -> dict[str, Any]:
    """Prepare the study; leave it, and the arrays of its origins and folds."""
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    asked = load_study(study)
    ready = prepare_study(asked, data or data_folder(asked, Workspace(folder / "work"), None))
    found = Kept(ready.dataset, ready.splits, ready.study.file)
    (folder / ROWS).write_bytes(pickle.dumps(found))
    arrays = arrays_of(found)
    np.savez(folder / ARRAYS, **arrays)
    return {
        "origins": len(found.splits.origins),
        "rows": len(arrays["fit_values_0"]),
        "columns": arrays["fit_values_0"].shape[1],
        "tested": len(arrays["outcome"]),
        "events": int(arrays["outcome"].sum()),
    }


def arrays_of(found: Kept) -> dict[str, np.ndarray]:
    """``outcome`` and ``cluster`` are those of the test rows with a known outcome, origin by origin."""
    arrays, outcome, clusters = {}, [], []
    for number, split in enumerate(found.splits.origins):
        encoder, fit, calibrate = prepare_origin(found.data, split, found.study)
        test = slice_of(found.data, cohort_of(found.data, split), found.data.outcomes.frame, encoder)
        for stage, part in (("fit", fit), ("calibrate", calibrate)):
            arrays[f"{stage}_values_{number}"] = np.ascontiguousarray(inputs_of(part.matrix))
            arrays[f"{stage}_outcome_{number}"] = part.outcome
        arrays[f"test_values_{number}"] = np.ascontiguousarray(inputs_of(test.matrix)[test.known])
        arrays[f"categories_{number}"] = np.array([len(column.vocabulary) for column in encoder.columns])
        outcome.append(test.outcome)
        clusters.extend(test.rows["cluster_id"].filter(pl.Series(test.known)).to_list())
    folds = plan_folds(found.data, found.splits, found.study, FOLDS)
    for number, fold in enumerate(folds.folds):
        arrays |= {f"train_{number}": fold.train, f"valid_{number}": fold.valid}
    _, cluster = np.unique(np.array(clusters), return_inverse=True)
    return {**arrays, "outcome": np.concatenate(outcome), "cluster": cluster}


def ours(folder: str, minutes: float) -> dict[str, Any]:
    """Tune for so many CPU minutes, fit every family at every origin, choose; leave the risks of the test rows.

    ``model`` was chosen before any test outcome; ``served`` is what a run would hand over to once it has seen them.
    """
    use_threads()
    found = kept(folder)
    asked = with_tuning(found.study, minutes)
    ended = Steps()
    tuning = tune(found.data, found.splits, asked, clock=time.process_time)
    ended("tuning")
    predictions = backtest(found.data, found.splits, tuning.study)
    ended("fitting")
    chosen = choose_model(predictions, tuning.study, found.splits.choosing)
    served, _, _ = settle(chosen, predictions, tuning.study)
    ended("choosing")
    tested = predictions.frame.filter(pl.col("stage") == "test", pl.col("outcome_status") == "known")
    rows = tested.filter(pl.col("model") == chosen.model)
    # Its own outcomes go with it, so that a row in another place is seen.
    np.savez(Path(folder) / OURS, risk=rows["risk"].to_numpy(), outcome=rows["outcome"].to_numpy())
    return {
        "steps": ended.spent,
        "model": chosen.model,
        "served": served.model,
        "tried": {family.family: family.trials for family in tuning.families},
        "kept": {family.family: family.kept for family in tuning.families},
        "families": {str(name): measured(part) for (name,), part in tested.group_by("model", maintain_order=True)},
    }


def measured(rows: pl.DataFrame) -> dict[str, float]:
    """The measures of one family's rows."""
    outcome, risk = rows["outcome"].to_numpy(), rows["risk"].to_numpy()
    return {BRIER: float(np.mean((risk - outcome) ** 2)), AREA: auc(risk, outcome)}


def with_tuning(study: StudyFile, minutes: float) -> StudyFile:
    """The study with a search of the families that it has, for so many minutes in all."""
    families = tuple(name for name in TUNED if name in study.models.families)
    plan = Tuning.model_validate({"families": families, "minutes": minutes, "folds": FOLDS})
    return study.model_copy(update={"models": study.models.model_copy(update={"tuning": plan})})
