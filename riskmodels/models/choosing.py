"""The choice among the families: the simplest that nothing beats beyond chance, before any test date is looked at."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import polars as pl

from riskmodels.models.training import Predictions
from riskmodels.study import BASELINES, StudyFile

Z = 1.959963984540054


@dataclass(frozen=True)
class Choice:
    """Which family is used, and against what it was weighed.

    ``steps``: one row for each family considered. ``handed_over``: the family that was chosen before the test and whose
    gain did not hold up there, if that is why ``model`` is used.
    """

    model: str
    best_baseline: str
    criterion: str
    steps: tuple[dict[str, object], ...]
    handed_over: str | None = None


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
