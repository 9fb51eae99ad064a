"""Settings of one family, fitted on every fold and judged by the rows that it holds out."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from riskmodels.models.choosing import clustered_mean, row_losses
from riskmodels.models.families import MODELS
from riskmodels.models.logit import auc, logistic
from riskmodels.models.training import available_threads
from riskmodels.models.tuning.boosting_folds import boosted_fold_scores
from riskmodels.models.tuning.folds import Fold, Folds
from riskmodels.models.tuning.spaces import Settings, own_settings, replaced
from riskmodels.study import StudyFile

FoldScores = Callable[[Any, Fold], np.ndarray]


def _fitted_anew(family: str, folds: Folds, study: StudyFile) -> FoldScores:
    def scores(settings: Any, fold: Fold) -> np.ndarray:
        matrix, outcome, threads = folds.matrix.at(fold.train), folds.outcome[fold.train], available_threads()
        fitted = MODELS[family].fit(matrix, outcome, settings, seed=study.seed, threads=threads, study=study)
        return fitted.score(folds.matrix.at(fold.valid))

    return scores


# Families that know a faster way to be fitted on many folds than one by one.
FOLD_SCORES: dict[str, Callable[[Folds, StudyFile], FoldScores]] = {
    "lightgbm": lambda folds, study: boosted_fold_scores(folds, study.seed, available_threads()),
}


@dataclass(frozen=True, eq=False)
class Judged:
    """Mean loss and AUC of each fold; ``rows``: the loss of each row that judges, fold by fold, float64."""

    losses: tuple[float, ...]
    aucs: tuple[float, ...]
    rows: np.ndarray


class Judge:
    """``own``: the study's own settings, of those that are tuned."""

    def __init__(self, family: str, folds: Folds, study: StudyFile) -> None:
        self._section = study.models.families[family]
        self.folds, self._criterion = folds, study.models.choose_by
        self.own = own_settings(family, self._section)
        fast = FOLD_SCORES.get(family)
        self._scores = fast(folds, study) if fast else _fitted_anew(family, folds, study)

    def judge(self, settings: Settings) -> Judged:
        """Fit these settings on every fold; what is not tuned is as the study has it.

        Raises
        ------
        DataError, StudyError
            if the family cannot be fitted on a fold.
        """
        whole = replaced(self._section, settings)
        losses, aucs = [], []
        for fold in self.folds.folds:
            score, outcome = self._scores(whole, fold), self.folds.outcome[fold.valid]
            losses.append(row_losses(self._criterion, logistic(score), outcome))
            aucs.append(auc(score, outcome))
        return Judged(tuple(float(loss.mean()) for loss in losses), tuple(aucs), np.concatenate(losses))

    def gain(self, own: Judged, other: Judged) -> dict[str, float | None]:
        """How much less the other loses: the mean over folds of paired differences, 95% over whole clusters."""
        clusters = self.folds.rows["cluster_id"].to_numpy()[self.folds.judged]
        value, low, high = clustered_mean((own.rows - other.rows) * self.folds.weights, clusters)
        told = math.isfinite(low)  # a single cluster tells nothing of chance
        return {"value": value, "low": low if told else None, "high": high if told else None}
