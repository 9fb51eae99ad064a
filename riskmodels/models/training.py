"""Every family at every origin, and the choice among them: the simplest that nothing beats beyond chance."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from riskmodels.data.dataset import Dataset
from riskmodels.data.leakage import rows_of
from riskmodels.data.splits import Split, Splits, seeded_hash
from riskmodels.errors import DataError
from riskmodels.models.calibration import Calibrator, fit_calibrator
from riskmodels.models.families import MODELS, Fitted
from riskmodels.models.matrix import Encoder, Matrix, fit_encoder
from riskmodels.models.risk_model import RiskModel
from riskmodels.study import BASELINES, LogisticSettings, Section, StudyFile

CROSS_FITS = 5
Z = 1.959963984540054


@dataclass(frozen=True)
class Predictions:
    """The one table that evaluation, audit and monitoring read.

    ``frame`` columns: entity_id, as_of_date, origin (Int16), stage (calibrate | test), model, score, risk (Float64),
    outcome (Int8, null unless known), outcome_status, cluster_id.
    """

    frame: pl.DataFrame


@dataclass(frozen=True)
class Choice:
    """Which family is used, and against what it was weighed. ``steps``: one row for each family considered."""

    model: str
    best_baseline: str
    criterion: str
    steps: tuple[dict[str, object], ...]


@dataclass(frozen=True)
class FittedRecipe:
    """One family at one origin: encoder, model, calibrator."""

    family: str
    encoder: Encoder
    fitted: Fitted
    calibrator: Calibrator


def available_threads() -> int:
    """The cores this process may really use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


# ---------------------------------------------------------------- fitting


@dataclass(frozen=True)
class _Slice:
    """The rows of one stage at one origin, encoded once for all families."""

    rows: pl.DataFrame  # entity_id, as_of_date, cluster_id, outcome, outcome_status
    matrix: Matrix
    known: np.ndarray  # bool
    outcome: np.ndarray  # int8, of the known rows only


def _slice(data: Dataset, mask: pl.Series, outcomes: pl.DataFrame, encoder: Encoder) -> _Slice:
    rows = data.cohort.rows.with_columns(outcomes["outcome"], outcomes["outcome_status"]).filter(mask)
    known = rows["outcome"].is_not_null().to_numpy()
    outcome = rows["outcome"].drop_nulls().to_numpy()
    return _Slice(rows, encoder.encode(data.features.frame.filter(mask)), known, outcome)


def _prepare(data: Dataset, split: Split, study: StudyFile) -> tuple[Encoder, _Slice, _Slice]:
    outcomes = data.learned_at(split)
    known = outcomes["outcome"].is_not_null()
    fit, calibrate = rows_of(split, data.cohort.rows, study)
    encoder = fit_encoder(data.features, fit & known)
    fit_slice = _slice(data, fit & known, outcomes, encoder)
    calibrate_slice = _slice(data, calibrate & known, outcomes, encoder)
    for stage, part in (("fit", fit_slice), ("calibration", calibrate_slice)):
        events = int(part.outcome.sum())
        if events == 0 or events == len(part.outcome):
            raise DataError(
                f"outcome: all {len(part.outcome)} known outcomes of the {stage} rows at {split.stands_on} "
                "are the same; check outcome.happens and outcome.known, or use earlier as_of_dates"
            )
    return encoder, fit_slice, calibrate_slice


def _fit(
    family: str, settings: Section, encoder: Encoder, fit: _Slice, calibrate: _Slice, study: StudyFile
) -> FittedRecipe:
    fitted = MODELS[family].fit(
        fit.matrix, fit.outcome, settings, seed=study.seed, threads=available_threads(), study=study
    )
    calibrator = _calibrator(family, fitted.score(calibrate.matrix), calibrate.outcome, study)
    return FittedRecipe(family, encoder, fitted, calibrator)


def _calibrator(family: str, scores: np.ndarray, outcome: np.ndarray, study: StudyFile) -> Calibrator:
    return fit_calibrator(study.models.calibrator, scores, outcome, log_odds_score=MODELS[family].log_odds)


def backtest(
    data: Dataset, splits: Splits, study: StudyFile, progress: Callable[[str], None] = lambda message: None
) -> Predictions:
    """Fit every family at every origin; predict its calibration rows and the whole cohort of its test date.

    Risks of calibration rows are cross-fitted (5 folds of whole clusters), so choosing on them does not reward a
    calibrator for having seen its own rows.
    """
    frames = []
    for split in splits.origins:
        encoder, fit, calibrate = _prepare(data, split, study)
        test = _slice(data, data.cohort.rows["as_of_date"] == split.test, data.outcomes.frame, encoder)
        for family, settings in study.models.families.items():
            progress(f"{family} as it would have stood on {split.test}")
            recipe = _fit(family, settings, encoder, fit, calibrate, study)
            scores = recipe.fitted.score(calibrate.matrix)
            risks = _cross_fitted(family, scores, calibrate, study)
            frames.append(_predictions(family, "calibrate", split, calibrate, scores, risks))
            scores = recipe.fitted.score(test.matrix)
            frames.append(_predictions(family, "test", split, test, scores, recipe.calibrator.apply(scores)))
    return Predictions(pl.concat(frames))


def _cross_fitted(family: str, scores: np.ndarray, part: _Slice, study: StudyFile) -> np.ndarray:
    fold = seeded_hash(part.rows["cluster_id"].to_list(), study.seed + 1) % np.uint64(CROSS_FITS)
    risks = np.empty(len(scores))
    for number in range(CROSS_FITS):
        held = fold == number
        calibrator = _calibrator(family, scores[~held], part.outcome[~held], study)
        risks[held] = calibrator.apply(scores[held])
    return risks


def _predictions(
    family: str, stage: str, split: Split, part: _Slice, scores: np.ndarray, risks: np.ndarray
) -> pl.DataFrame:
    return part.rows.select(
        "entity_id",
        "as_of_date",
        pl.lit(split.origin, dtype=pl.Int16).alias("origin"),
        pl.lit(stage).alias("stage"),
        pl.lit(family).alias("model"),
        pl.Series("score", scores, dtype=pl.Float64),
        pl.Series("risk", risks, dtype=pl.Float64),
        "outcome",
        "outcome_status",
        "cluster_id",
    )


def fit_risk_model(data: Dataset, splits: Splits, family: str, study: StudyFile) -> RiskModel:
    """The service model: the chosen recipe on every row that is mature at the extract."""
    encoder, fit, calibrate = _prepare(data, splits.service, study)
    recipe = _fit(family, study.models.families[family], encoder, fit, calibrate, study)
    return RiskModel(study.study, family, recipe.fitted, recipe.encoder, recipe.calibrator, data.features.specs)


def fits_on_shuffled(data: Dataset, study: StudyFile) -> Callable[[pl.Series, Split], np.ndarray]:
    """A logistic regression through the very steps of a backtest, on whatever outcomes it is handed.

    For the check that shuffled outcomes cannot be foretold: if anything was learned outside the fit rows, they can.

    Returns
    -------
    (outcomes row by row as the cohort, origin) -> a score for each row of the origin's test date
    """

    def predict(outcome: pl.Series, split: Split) -> np.ndarray:
        known = pl.when(pl.col("outcome").is_not_null()).then(pl.lit("known")).otherwise(pl.lit("unobserved"))
        frame = data.outcomes.frame.with_columns(outcome.alias("outcome")).with_columns(known.alias("outcome_status"))
        told = replace(data.outcomes, frame=frame)
        shuffled = replace(data, outcomes=told, outcomes_at=dict.fromkeys(data.outcomes_at, told))
        encoder, fit, _ = _prepare(shuffled, split, study)
        fitted = MODELS["logistic"].fit(
            fit.matrix, fit.outcome, LogisticSettings(), seed=study.seed, threads=available_threads(), study=study
        )
        test = _slice(shuffled, data.cohort.rows["as_of_date"] == split.test, frame, encoder)
        return fitted.score(test.matrix)

    return predict


# ---------------------------------------------------------------- choosing


def row_losses(criterion: str, risk: np.ndarray, outcome: np.ndarray) -> np.ndarray:
    """The loss of each row: squared error (Brier 1950) or the negative log-likelihood. Arrays of shape [n]."""
    if criterion == "brier_score":
        return (risk - outcome) ** 2
    safe = np.clip(risk, 1e-12, 1 - 1e-12)
    return -np.where(outcome == 1, np.log(safe), np.log1p(-safe))


def clustered_mean(values: np.ndarray, clusters: np.ndarray) -> tuple[float, float, float]:
    """Mean with its 95% interval when rows of one cluster are not independent (Liang and Zeger 1986)."""
    mean = float(values.mean())
    _, code = np.unique(clusters, return_inverse=True)
    sums = np.bincount(code, values - mean)
    count = len(sums)
    if count < 2:
        return mean, float("-inf"), float("inf")
    error = float(np.sqrt(count / (count - 1) * np.sum(sums**2))) / len(values)
    return mean, mean - Z * error, mean + Z * error


def choose_model(predictions: Predictions, study: StudyFile, dates: frozenset[dt.date]) -> Choice:
    """Walk the families from simple to complex; a later one wins only if it is better beyond its 95% interval.

    Judged by ``models.choose_by`` on the calibration rows of ``dates``. A run hands over `Splits.choosing`, which the
    check ``chosen_on_test`` looks at, and nothing else decides which rows choose.
    """
    rows = predictions.frame.filter(pl.col("stage") == "calibrate", pl.col("as_of_date").is_in(sorted(dates)))
    families = list(study.models.families)
    criterion = study.models.choose_by
    by_family = {name: rows.filter(pl.col("model") == name) for name in families}
    outcome = by_family[families[0]]["outcome"].to_numpy()
    clusters = by_family[families[0]]["cluster_id"].to_numpy()
    losses = {name: row_losses(criterion, part["risk"].to_numpy(), outcome) for name, part in by_family.items()}

    chosen = best_baseline = families[0]
    steps: list[dict[str, object]] = []
    for name in families:
        gain, low, high = clustered_mean(losses[chosen] - losses[name], clusters)
        wins = low > 0
        steps.append(
            {
                "model": name,
                criterion: float(losses[name].mean()),
                "against": chosen,
                "gain": gain,
                "low": low,
                "high": high,
                "wins": bool(wins),
            }
        )
        if wins:
            chosen = name
        if name in BASELINES:
            best_baseline = chosen
    return Choice(chosen, best_baseline, criterion, tuple(steps))
