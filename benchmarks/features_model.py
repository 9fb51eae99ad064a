"""What the matrix of ``features.py`` is worth: LightGBM at rolling test dates. Runs in a process of its own."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from sklearn.metrics import roc_auc_score

from riskmodels.data.cohort import build_cohort
from riskmodels.data.features import build_features
from riskmodels.data.outcomes import build_outcomes
from riskmodels.data.tables import read_tables
from riskmodels.models.boosting import fit_boosted_trees
from riskmodels.models.matrix import fit_encoder
from riskmodels.study import LightGBMSettings, Period, load_study

# 100 trees of 15 leaves; the rest is LightGBM's own default.
SETTINGS = LightGBMSettings(trees=100, leaves=15, learning_rate=0.1, min_rows_in_leaf=20)
HISTORY = "2 years"
SHARE = 0.05


def rolling(study: str, data: str, tests: list[str]) -> list[dict[str, Any]]:
    """At each test date: learn from two years of quarters whose outcomes were over, rank everybody, compare."""
    asked = load_study(study)
    tables = read_tables(Path(data), asked)
    cohort = build_cohort(tables, asked.file)
    outcomes = build_outcomes(cohort, tables, asked.file, asked.extracted_on + dt.timedelta(days=1)).frame
    features = build_features(cohort, tables, asked.file)
    day, known = outcomes["as_of_date"], outcomes["outcome"].is_not_null()
    found = []
    for test in map(dt.date.fromisoformat, tests):
        last = asked.file.outcome.horizon.before(test)
        learn = (known & (day <= last) & (day > Period.parse(HISTORY).before(last))).to_numpy()
        encoder = fit_encoder(features, learn)
        outcome = outcomes["outcome"].filter(pl.Series(learn)).to_numpy()
        fitted = fit_boosted_trees(
            encoder.encode(features.frame.filter(pl.Series(learn))), outcome, SETTINGS, asked.file.seed, 0
        )
        judged = (known & (day == test)).to_numpy()
        happened = outcomes["outcome"].filter(pl.Series(judged)).to_numpy()
        score = fitted.score(encoder.encode(features.frame.filter(pl.Series(judged))))
        found.append({"test": test.isoformat(), **performance(score, happened), "learned_from": int(learn.sum())})
    return found


def performance(score: np.ndarray, happened: np.ndarray) -> dict[str, float]:
    """AUC, and how many of the top 5% had the outcome. Arrays [n]."""
    top = np.argsort(-score, kind="stable")[: round(SHARE * len(score))]
    return {"auc": float(roc_auc_score(happened, score)), "precision": float(happened[top].mean())}
