"""Every family at every origin, fitted and calibrated as it could have been on that day."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import polars as pl

from riskmodels.data.dataset import Dataset
from riskmodels.data.leakage import rows_of
from riskmodels.data.splits import Split, Splits, seeded_hash
from riskmodels.errors import DataError
from riskmodels.models.calibration import fit_calibrator
from riskmodels.models.families import MODELS, Family, Fitted
from riskmodels.models.matrix import Encoder, Matrix, fit_encoder
from riskmodels.models.outside import outside_families
from riskmodels.models.reasons import directions, fit_wobble
from riskmodels.models.risk_curves import Calibrator
from riskmodels.models.risk_model import RiskModel
from riskmodels.study import LogisticSettings, NoSettings, Section, StudyFile

CROSS_FITS = 5
NO_ESTIMATORS: Mapping[str, Any] = {}


@dataclass(frozen=True)
class Predictions:
    """The one table that evaluation, audit and monitoring read.

    ``frame`` columns: entity_id, as_of_date, origin (Int16), stage (calibrate | test), model, score, risk (Float64),
    outcome (Int8, null unless known), outcome_status, cluster_id.
    """

    frame: pl.DataFrame


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
class Slice:
    """The rows of one stage at one origin, encoded once for all families."""

    rows: pl.DataFrame  # entity_id, as_of_date, cluster_id, outcome, outcome_status
    matrix: Matrix
    known: np.ndarray  # bool
    outcome: np.ndarray  # int8, of the known rows only


@dataclass(frozen=True)
class Teaching:
    """Which cohort rows teach at one origin: positions of the fit and of the calibration rows, outcomes known.

    A position that stands several times counts as often: that is what a bootstrap of people is made of. ``fit_copy``
    and ``calibrate_copy`` then number the copies of a cluster, each of which is one drawn by itself.
    """

    fit: np.ndarray
    calibrate: np.ndarray
    fit_copy: np.ndarray | None = None
    calibrate_copy: np.ndarray | None = None


def teaching_rows(data: Dataset, split: Split, study: StudyFile) -> Teaching:
    """The rows that fit and those that calibrate at this origin, among the outcomes known by then."""
    known = data.learned_at(split)["outcome"].is_not_null()
    fit, calibrate = rows_of(split, data.cohort.rows, study)
    return Teaching((fit & known).arg_true().to_numpy(), (calibrate & known).arg_true().to_numpy())


def cohort_of(data: Dataset, split: Split) -> np.ndarray:
    """Positions of the whole cohort of the origin's test date."""
    found: np.ndarray = (data.cohort.rows["as_of_date"] == split.test).arg_true().to_numpy()
    return found


def slice_of(data: Dataset, rows: np.ndarray, outcomes: pl.DataFrame, encoder: Encoder) -> Slice:
    """These rows of the cohort (positions), with the outcomes as they stand in ``outcomes``, encoded."""
    told = data.cohort.rows.with_columns(outcomes["outcome"], outcomes["outcome_status"])[rows]
    known = told["outcome"].is_not_null().to_numpy()
    return Slice(told, encoder.encode(data.features.frame[rows]), known, told["outcome"].drop_nulls().to_numpy())


def prepare_origin(
    data: Dataset, split: Split, study: StudyFile, teaching: Teaching | None = None
) -> tuple[Encoder, Slice, Slice]:
    """The encoder learned from the fit rows, and the fit and calibration rows encoded with it.

    Parameters
    ----------
    teaching : other rows than the origin's own

    Raises
    ------
    DataError
        if all known outcomes of either are the same.
    """
    outcomes = data.learned_at(split)
    rows = teaching or teaching_rows(data, split, study)
    encoder = fit_encoder(data.features, rows.fit)
    fit = _apart(slice_of(data, rows.fit, outcomes, encoder), rows.fit_copy)
    calibrate = _apart(slice_of(data, rows.calibrate, outcomes, encoder), rows.calibrate_copy)
    for stage, part in (("fit", fit), ("calibration", calibrate)):
        events = int(part.outcome.sum())
        if events == 0 or events == len(part.outcome):
            raise DataError(
                f"outcome: all {len(part.outcome)} known outcomes of the {stage} rows at {split.stands_on} "
                "are the same; check outcome.happens and outcome.known, or use earlier as_of_dates"
            )
    return encoder, fit, calibrate


def _apart(part: Slice, copy: np.ndarray | None) -> Slice:
    """Copies of a cluster under ids of their own; ``drawn_from`` keeps the first, so that copies share a fold."""
    if copy is None:
        return part
    own = pl.format("{}#{}", pl.col("cluster_id"), pl.Series("copy", copy))
    return replace(part, rows=part.rows.with_columns(pl.col("cluster_id").alias("drawn_from"), own.alias("cluster_id")))


def fit_recipe(
    family: str,
    settings: Section,
    encoder: Encoder,
    fit: Slice,
    calibrate: Slice,
    study: StudyFile,
    families: Mapping[str, Family] = MODELS,
) -> FittedRecipe:
    """One family fitted on the fit rows and calibrated on the calibration rows.

    Parameters
    ----------
    families : where the family is looked up: ours, or these and estimators from Python
    """
    fitted = families[family].fit(
        fit.matrix, fit.outcome, settings, seed=study.seed, threads=available_threads(), study=study
    )
    calibrator = calibrated(families[family], fitted.score(calibrate.matrix), calibrate, study)
    return FittedRecipe(family, encoder, fitted, calibrator)


def calibrated(
    family: Family, scores: np.ndarray, part: Slice, study: StudyFile, rows: np.ndarray | None = None
) -> Calibrator:
    """The study's calibrator, learned on the calibration rows, or on some of them (a mask)."""
    clusters, outcome = part.rows["cluster_id"].to_numpy(), part.outcome
    if rows is not None:
        clusters, outcome, scores = clusters[rows], outcome[rows], scores[rows]
    return fit_calibrator(study.models.calibrator, scores, outcome, log_odds_score=family.log_odds, clusters=clusters)


def backtest(
    data: Dataset,
    splits: Splits,
    study: StudyFile,
    progress: Callable[[str], None] = lambda message: None,
    estimators: Mapping[str, Any] = NO_ESTIMATORS,
) -> Predictions:
    """Fit every family at every origin; predict its calibration rows and the whole cohort of its test date.

    Risks of calibration rows are cross-fitted (5 folds of whole clusters), so choosing on them does not reward a
    calibrator for having seen its own rows.

    Parameters
    ----------
    estimators : name -> anything with scikit-learn's fit and predict_proba, to be compared with our families

    Raises
    ------
    DataError
        if an origin has too few events to learn from.
    UsageError
        if an estimator cannot be used.
    """
    frames = []
    outside = outside_families(estimators)
    table = MODELS | outside
    wanted = study.models.families | dict.fromkeys(outside, NoSettings())
    for split in splits.origins:
        encoder, fit, calibrate = prepare_origin(data, split, study)
        test = slice_of(data, cohort_of(data, split), data.outcomes.frame, encoder)
        for family, settings in wanted.items():
            progress(f"{family} as it would have stood on {split.test}")
            recipe = fit_recipe(family, settings, encoder, fit, calibrate, study, table)
            scores = recipe.fitted.score(calibrate.matrix)
            risks = cross_fitted(table[family], scores, calibrate, study)
            frames.append(predictions_of(family, "calibrate", split, calibrate, scores, risks))
            scores = recipe.fitted.score(test.matrix)
            frames.append(predictions_of(family, "test", split, test, scores, recipe.calibrator.apply(scores)))
    return Predictions(pl.concat(frames))


def cross_fitted(family: Family, scores: np.ndarray, part: Slice, study: StudyFile) -> np.ndarray:
    """Risks of calibration rows, each from a calibrator that has not seen its own person's fold."""
    whose = part.rows["drawn_from" if "drawn_from" in part.rows.columns else "cluster_id"]
    fold = seeded_hash(whose.to_list(), study.seed + 1) % np.uint64(CROSS_FITS)
    risks = np.empty(len(scores))
    for number in range(CROSS_FITS):
        held = fold == number
        calibrator = calibrated(family, scores, part, study, ~held)
        risks[held] = calibrator.apply(scores[held])
    return risks


def predictions_of(
    family: str, stage: str, split: Split, part: Slice, scores: np.ndarray, risks: np.ndarray
) -> pl.DataFrame:
    """The rows of a slice as the predictions table has them (`Predictions`)."""
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
    return fit_risk_models(data, splits, [family], study, in_service=family)[family]


def fit_risk_models(
    data: Dataset, splits: Splits, families: Iterable[str], study: StudyFile, *, in_service: str | None = None
) -> dict[str, RiskModel]:
    """Service models of several families by name, all on one encoding.

    Parameters
    ----------
    in_service : the family that will give reasons: it is fitted a few times more, to tell which of them to doubt
    """
    encoder, fit, calibrate = prepare_origin(data, splits.service, study)
    made = {}
    for family in dict.fromkeys(families):
        recipe = fit_recipe(family, study.models.families[family], encoder, fit, calibrate, study)
        wobble = _wobble(family, fit, data, study) if family == in_service else {}
        points = _directions(fit, data) if family == in_service else {}
        made[family] = RiskModel(
            study.study, family, recipe.fitted, recipe.encoder, recipe.calibrator, data.features.specs, wobble, points
        )
    return made


def _wobble(family: str, fit: Slice, data: Dataset, study: StudyFile) -> dict[str, float]:
    again = partial(
        MODELS[family].fit,
        settings=study.models.families[family],
        seed=study.seed,
        threads=available_threads(),
        study=study,
    )
    clusters = fit.rows["cluster_id"].to_numpy()
    return fit_wobble(again, fit.matrix, fit.outcome, clusters, data.features.specs, study.seed)


def _directions(fit: Slice, data: Dataset) -> dict[str, int]:
    return directions(fit.matrix, fit.outcome, fit.rows["cluster_id"].to_numpy(), data.features.specs)


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
        encoder, fit, _ = prepare_origin(shuffled, split, study)
        fitted = MODELS["logistic"].fit(
            fit.matrix, fit.outcome, LogisticSettings(), seed=study.seed, threads=available_threads(), study=study
        )
        test = slice_of(shuffled, cohort_of(data, split), frame, encoder)
        return fitted.score(test.matrix)

    return predict


def taught_people(data: Dataset, splits: Splits, study: StudyFile) -> dict[int, pl.Series]:
    """Origin -> ids of the people whose rows fitted or calibrated its models."""
    taught = {}
    for split in splits.origins:
        rows = teaching_rows(data, split, study)
        taught[split.origin] = data.cohort.rows["entity_id"][np.concatenate([rows.fit, rows.calibrate])].unique()
    return taught
