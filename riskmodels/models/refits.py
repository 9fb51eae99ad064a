"""The recipe fitted again on other rows or other columns: what ``run --deep`` looks at.

Each function tells what would have been predicted for a test date, had the teaching rows been others. Nothing here is
saved or goes into service.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from riskmodels.data.dataset import Dataset
from riskmodels.data.features import Features
from riskmodels.data.splits import Split, Splits, seeded_hash
from riskmodels.errors import DataError
from riskmodels.models.choosing import choose_model
from riskmodels.models.families import MODELS, Fitted
from riskmodels.models.matrix import Matrix
from riskmodels.models.training import (
    FittedRecipe,
    Predictions,
    Slice,
    Teaching,
    cohort_of,
    cross_fitted,
    fit_recipe,
    predictions_of,
    prepare_origin,
    slice_of,
    teaching_rows,
)
from riskmodels.study import Section, StudyFile

Progress = Callable[[str], None]
SHARES = (0.1, 0.2, 0.35, 0.5, 0.75, 1.0)
GROUPED_FOLDS = 5
TOP = 3


@dataclass(frozen=True, eq=False)
class BootstrapRefits:
    """What each refit would have said of the last test date's cohort.

    ``rows``: that cohort, in its order. ``risk``, ``score``: float64 [refits, n]. ``families``: the family that each
    refit chose. ``reasons``: int64 [refits, looked_at, 3], the features that raise the score most for the rows at
    ``looked_at`` (positions), -1 where there is none; ``own_reasons`` [looked_at, 3] those of the list as it is.
    ``chosen_anew``: whether each refit also chose its family. ``failed``: refits that lacked events.
    """

    rows: pl.DataFrame
    risk: np.ndarray
    score: np.ndarray
    families: tuple[str, ...]
    reasons: np.ndarray
    own_reasons: np.ndarray
    looked_at: np.ndarray
    chosen_anew: bool
    failed: int


def bootstrap_refits(
    data: Dataset,
    split: Split,
    study: StudyFile,
    family: str,
    looked_at: np.ndarray,
    *,
    replicates: int,
    progress: Progress = lambda message: None,
) -> BootstrapRefits:
    """Draw people (or households) with replacement and do everything again: encode, fit, calibrate, choose.

    Settings that were tuned stay as they are: a search for each draw would take as long as the run did.

    The family is chosen anew each time by the rule of the study, on the drawn calibration rows. Where that rule, on the
    rows as they are, would not have chosen ``family`` (it lost on the test and handed over to a simpler one), the
    family is held fast: a list is to be compared with lists of its own kind. Sources: Efron 1979; of whole clusters
    Davison and Hinkley 1997; of a whole modelling procedure Riley and Collins 2023.

    Parameters
    ----------
    family : the one that made the list at hand
    looked_at : positions, in the test date's cohort, of those whose reasons are compared
    """
    own = teaching_rows(data, split, study)
    cohort = cohort_of(data, split)
    draws = _Draws(data, own)
    picked = _whole_recipe(data, split, study, own, cohort, None)
    held = None if picked.family == family else family
    as_is = picked if held is None else _whole_recipe(data, split, study, own, cohort, held)
    risks, scores, families, reasons = [], [], [], []
    failed = 0
    for number in range(replicates):
        progress(f"drawing people anew: {number + 1} of {replicates}")
        teaching = draws.draw(np.random.default_rng([study.seed, *b"bootstrap", number]))
        try:
            made = _whole_recipe(data, split, study, teaching, cohort, held)
        except DataError:
            failed += 1  # a draw without enough events of either kind teaches nothing
            continue
        risks.append(made.risk)
        scores.append(made.score)
        families.append(made.family)
        reasons.append(_top(made, looked_at))
    rows = data.cohort.rows.with_columns(data.outcomes.frame["outcome"], data.outcomes.frame["outcome_status"])[cohort]
    shape = (len(risks), len(cohort))
    return BootstrapRefits(
        rows, np.array(risks).reshape(shape), np.array(scores).reshape(shape), tuple(families),
        np.array(reasons, dtype=np.int64).reshape(len(risks), len(looked_at), TOP), _top(as_is, looked_at), looked_at,
        held is None, failed,
    )  # fmt: skip


class _Draws:
    """Rows by cluster, so that a draw of clusters is a look-up."""

    def __init__(self, data: Dataset, own: Teaching) -> None:
        _, code = np.unique(data.cohort.rows["cluster_id"].to_numpy(), return_inverse=True)
        self._own = own
        self._present = np.unique(np.concatenate([code[own.fit], code[own.calibrate]]))
        self._code = code

    def draw(self, rng: np.random.Generator) -> Teaching:
        times = np.zeros(int(self._code.max()) + 1, dtype=np.int64)
        np.add.at(times, rng.choice(self._present, len(self._present)), 1)
        drawn = []
        for rows in (self._own.fit, self._own.calibrate):
            often = times[self._code[rows]]
            drawn.append((np.repeat(rows, often), _counting(often)))
        (fit, fit_copy), (calibrate, calibrate_copy) = drawn
        return Teaching(fit, calibrate, fit_copy, calibrate_copy)


def _counting(often: np.ndarray) -> np.ndarray:
    """0, 1, ... for each row that stands ``often``: which of its cluster's copies a row belongs to."""
    ends = np.cumsum(often)
    found: np.ndarray = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - often, often)
    return found


@dataclass(frozen=True, eq=False)
class _Made:
    family: str
    fitted: Fitted
    matrix: Matrix
    risk: np.ndarray
    score: np.ndarray


def _whole_recipe(
    data: Dataset, split: Split, study: StudyFile, teaching: Teaching, cohort: np.ndarray, held: str | None
) -> _Made:
    """Everything that a run does at one origin; only the family ``held``, if one is."""
    encoder, fit, calibrate = prepare_origin(data, split, study, teaching)
    families = {name: settings for name, settings in study.models.families.items() if held in (None, name)}
    recipes = {name: fit_recipe(name, settings, encoder, fit, calibrate, study) for name, settings in families.items()}
    family = held or _chosen(recipes, split, calibrate, study)
    test = slice_of(data, cohort, data.outcomes.frame, encoder)
    score = recipes[family].fitted.score(test.matrix)
    return _Made(family, recipes[family].fitted, test.matrix, recipes[family].calibrator.apply(score), score)


def _chosen(recipes: Mapping[str, FittedRecipe], split: Split, calibrate: Slice, study: StudyFile) -> str:
    frames = []
    for name, recipe in recipes.items():
        scores = recipe.fitted.score(calibrate.matrix)
        risks = cross_fitted(MODELS[name], scores, calibrate, study)
        frames.append(predictions_of(name, "calibrate", split, calibrate, scores, risks))
    days = frozenset(calibrate.rows["as_of_date"].unique().to_list())
    return choose_model(Predictions(pl.concat(frames)), study, days).model


def _top(made: _Made, rows: np.ndarray) -> np.ndarray:
    """Positions of the three features that raise each row's score most; -1 where fewer do."""
    parts = made.fitted.contributions(made.matrix.at(rows))
    padded = np.concatenate([parts, np.zeros((len(parts), TOP))], axis=1)
    best = np.argsort(-padded, axis=1, kind="stable")[:, :TOP]
    raised: np.ndarray = np.where(np.take_along_axis(padded, best, axis=1) > 0, best, -1)
    return raised


# ---------------------------------------------------------------- one family, other rows


@dataclass(frozen=True, eq=False)
class LearningPoint:
    """One family fitted on a share of the people. ``predicted``: the last test date's rows, as a predictions table."""

    share: float
    repeat: int
    clusters: int
    fit_rows: int
    fit_events: int
    predicted: pl.DataFrame


def learning_refits(
    data: Dataset,
    split: Split,
    family: str,
    study: StudyFile,
    *,
    repeats: int = 3,
    progress: Progress = lambda message: None,
) -> tuple[LearningPoint, ...]:
    """The family as it would be with fewer people: nested shares of whole clusters, ``repeats`` orders of them.

    The calibration rows are thinned alike. A share that leaves too few events is left out.
    """
    own, outcome = teaching_rows(data, split, study), data.learned_at(split)["outcome"].fill_null(0).to_numpy()
    ids = data.cohort.rows["cluster_id"].to_list()
    points = []
    for repeat in range(repeats):
        place = seeded_hash(ids, study.seed, use=f"learning {repeat}".encode()) / np.float64(2**64)
        for share in SHARES:
            if share == 1.0 and repeat:
                continue  # everybody, in whatever order
            progress(f"learning from {share:.0%} of the people")
            kept = Teaching(own.fit[place[own.fit] < share], own.calibrate[place[own.calibrate] < share])
            try:
                predicted = _predicted(data, split, family, study, kept, cohort_of(data, split), f"{share}")
            except DataError:
                continue
            clusters = len({ids[row] for row in kept.fit.tolist()})
            points.append(
                LearningPoint(share, repeat, clusters, len(kept.fit), int(outcome[kept.fit].sum()), predicted)
            )
    return tuple(points)


def grouped_refits(
    data: Dataset, splits: Splits, family: str, study: StudyFile, progress: Progress = lambda message: None
) -> Predictions:
    """What would be predicted of people who taught the model nothing: their own earlier rows are kept from it.

    Five folds of whole clusters at each origin; each fold's test rows are predicted by a fit without the fold.
    """
    ids = data.cohort.rows["cluster_id"].to_list()
    fold = seeded_hash(ids, study.seed, use=b"grouped") % np.uint64(GROUPED_FOLDS)
    frames = []
    for split in splits.origins:
        progress(f"keeping people's own past from the model, {split.test}")
        own, cohort = teaching_rows(data, split, study), cohort_of(data, split)
        for number in range(GROUPED_FOLDS):
            out = fold == number
            kept = Teaching(own.fit[~out[own.fit]], own.calibrate[~out[own.calibrate]])
            held = cohort[out[cohort]]
            if len(held):
                frames.append(_predicted(data, split, family, study, kept, held, "grouped"))
    return Predictions(pl.concat(frames))


def _predicted(
    data: Dataset, split: Split, family: str, study: StudyFile, teaching: Teaching, rows: np.ndarray, name: str
) -> pl.DataFrame:
    encoder, fit, calibrate = prepare_origin(data, split, study, teaching)
    recipe = fit_recipe(family, study.models.families[family], encoder, fit, calibrate, study)
    test: Slice = slice_of(data, rows, data.outcomes.frame, encoder)
    scores = recipe.fitted.score(test.matrix)
    return predictions_of(name, "test", split, test, scores, recipe.calibrator.apply(scores))


# ---------------------------------------------------------------- one family, fewer columns


def refits_without(
    data: Dataset,
    splits: Splits,
    family: str,
    study: StudyFile,
    without: Mapping[str, Iterable[str]],
    progress: Progress = lambda message: None,
) -> Predictions:
    """The family at every origin without some features, as a predictions table whose ``model`` is the mapping's key.

    Parameters
    ----------
    without : name -> the features that are left out; a name that would leave none is left out itself
    """
    frames = []
    for name, left_out in without.items():
        fewer, asked = _without(data, study, frozenset(left_out))
        if not fewer.features.specs:
            continue
        for split in splits.origins:
            progress(f"leaving out {name}, as of {split.test}")
            rows = teaching_rows(fewer, split, asked)
            frames.append(_predicted(fewer, split, family, asked, rows, cohort_of(fewer, split), name))
    return Predictions(pl.concat(frames) if frames else _nothing())


def _without(data: Dataset, study: StudyFile, names: frozenset[str]) -> tuple[Dataset, StudyFile]:
    """The dataset without these features, and the study without what its settings say of them."""
    specs = tuple(spec for spec in data.features.specs if spec.name not in names)
    frame = data.features.frame.drop([name for name in data.features.names if name in names])
    candidates = study.models.candidates
    settings: dict[str, Section] = {}
    if candidates.logistic:
        kept = tuple(name for name in candidates.logistic.splines if name not in names)
        settings["logistic"] = candidates.logistic.model_copy(update={"splines": kept})
    if candidates.lightgbm:
        rules = {name: way for name, way in candidates.lightgbm.monotone.items() if name not in names}
        settings["lightgbm"] = candidates.lightgbm.model_copy(update={"monotone": rules})
    models = study.models.model_copy(update={"candidates": candidates.model_copy(update=settings)})
    return replace(data, features=Features(frame, specs)), study.model_copy(update={"models": models})


def _nothing() -> pl.DataFrame:
    return pl.DataFrame(
        schema={
            "entity_id": pl.String, "as_of_date": pl.Date, "origin": pl.Int16, "stage": pl.String, "model": pl.String,
            "score": pl.Float64, "risk": pl.Float64, "outcome": pl.Int8, "outcome_status": pl.String,
            "cluster_id": pl.String,
        }
    )  # fmt: skip
