"""A file of predictions, evaluated: any file, without a study."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from riskmodels import storage
from riskmodels.commands.sources import Progress, silent
from riskmodels.errors import UsageError


@dataclass(frozen=True)
class EvaluationReport:
    """What ``evaluate`` found, as its JSON, and where it was written."""

    found: dict[str, Any]
    json: Path | None
    html: Path | None


def evaluate(
    predictions: Path,
    *,
    outcome: str,
    risk: str,
    entity: str | None = None,
    as_of: str | None = None,
    capacities: Sequence[int] = (),
    thresholds: Sequence[float] = (),
    at: Sequence[float] = (),
    seed: int = 0,
    json: Path | None = None,
    html: Path | None = None,
    progress: Progress = silent,
) -> EvaluationReport:
    """Read, evaluate, write. See `riskmodels.assessment.evaluation.evaluate` for what is computed.

    Parameters
    ----------
    predictions : a .csv or .parquet file, a row for each prediction
    outcome, risk, entity, as_of : names of its columns (see `riskmodels.data.prediction_file.read_predictions`)
    json, html : where the whole of it is written, and a page

    Raises
    ------
    UsageError
        for places, thresholds or risks that are none, or outputs that would overwrite each other or the input.
    DataError
        if the file cannot be understood.
    OutsideError
        if an output cannot be written; said before the work begins.
    """
    from riskmodels.assessment.evaluation import evaluate as evaluate_rows
    from riskmodels.data.prediction_file import read_predictions

    _refuse_wrong_numbers(capacities, thresholds, at, seed)
    _refuse_wrong_outputs(predictions, json, html)
    progress(f"reading {predictions.name}")
    rows = read_predictions(predictions, outcome=outcome, risk=risk, entity=entity, as_of=as_of)
    for note in rows.notes:
        progress(note)
    progress(f"evaluating {rows.n:,} rows")
    evaluation = evaluate_rows(
        rows.outcome, rows.risk, known=rows.known, entity_ids=rows.entity_ids, dates=rows.dates, capacities=capacities,
        thresholds=thresholds, at=at, seed=seed, notes=rows.notes,
    )  # fmt: skip
    about = {"file": predictions.name, "outcome": outcome, "risk": risk, "entity": entity, "as_of": as_of}
    found = {**evaluation.to_dict(), "about": {key: name for key, name in about.items() if name is not None}}
    files = {}
    if json is not None:
        files[json] = storage.canonical_json(found)
    if html is not None:
        from riskmodels.reports.evaluation_page import render_evaluation

        files[html] = render_evaluation(found)
    for path, content in files.items():
        storage.write_whole(path, content)
    return EvaluationReport(found, json, html)


def _refuse_wrong_numbers(
    capacities: Sequence[int], thresholds: Sequence[float], at: Sequence[float], seed: int
) -> None:
    for places in capacities:
        if places < 1:
            raise UsageError(f"--capacity is a number of places, 1 or more, got {places}")
    for option, values in (("--threshold", thresholds), ("--at", at)):
        for value in values:
            if not (math.isfinite(value) and 0 < value < 1):
                raise UsageError(f"{option} is a risk above 0 and below 1, such as 0.2, got {value:g}")
    if not 0 <= seed < 2**64:
        raise UsageError(f"--seed is a whole number, 0 or more, got {seed}")


def _refuse_wrong_outputs(predictions: Path, json: Path | None, html: Path | None) -> None:
    taken = {predictions.resolve(): "the predictions"}
    for option, path in (("--json", json), ("--html", html)):
        if path is None:
            continue
        if path.resolve() in taken:
            raise UsageError(f"{option} would overwrite {taken[path.resolve()]}; name another file")
        taken[path.resolve()] = option
        storage.refuse_unwritable(path)
