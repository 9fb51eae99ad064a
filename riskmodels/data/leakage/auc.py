"""How well one column of numbers tells two outcomes apart, and how sure that is."""

from __future__ import annotations

import numpy as np
import polars as pl

Z_99 = 2.3263478740408408  # one-sided
FOLDS = 5
BINS = 50
SMALLEST_LEAF = 20


def auc_with_error(values: np.ndarray, outcome: np.ndarray) -> tuple[float, float]:
    """Area under the ROC curve and its standard error (DeLong 1988).

    Parameters
    ----------
    values : float [n]
    outcome : bool [n], both kinds at least twice
    """
    from scipy.stats import rankdata

    ranks, positive, negative = rankdata(values), values[outcome], values[~outcome]
    above = (ranks[outcome] - rankdata(positive)) / len(negative)
    below = 1 - (ranks[~outcome] - rankdata(negative)) / len(positive)
    error = np.sqrt(above.var(ddof=1) / len(positive) + below.var(ddof=1) / len(negative))
    return float(above.mean()), float(error)


def best_case(values: np.ndarray, outcome: np.ndarray) -> float:
    """The AUC of the outcome's share in each of 50 bins of the very rows: what a shallow tree can hardly exceed.

    ``values`` may hold NaN, which is a bin of its own.
    """
    missing = np.isnan(values)
    edges = np.unique(np.quantile(values[~missing], np.linspace(0, 1, BINS + 1))) if (~missing).any() else np.empty(0)
    codes = np.where(missing, len(edges) + 1, np.searchsorted(edges, values, side="left"))
    total = np.bincount(codes)
    events = np.bincount(codes, outcome, minlength=len(total))
    order = np.argsort(events / np.maximum(total, 1), kind="stable")
    events, others = events[order], (total - events)[order]
    before = np.cumsum(others) - others
    return float(np.sum(events * (before + others / 2)) / (events.sum() * others.sum()))


def tree_scores(values: np.ndarray, outcome: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """What a tree of depth 3, of the value and of its being missing, says of the rows it was not shown. [n]"""
    from sklearn.tree import DecisionTreeClassifier

    missing = np.isnan(values)
    middle = np.median(values[~missing]) if (~missing).any() else 0.0
    columns = np.column_stack([np.where(missing, middle, values), missing])
    scores = np.full(len(values), outcome.mean())
    for number in np.unique(fold):
        held = fold == number
        if outcome[~held].any() and not outcome[~held].all():
            tree = DecisionTreeClassifier(max_depth=3, min_samples_leaf=SMALLEST_LEAF, random_state=0)
            scores[held] = tree.fit(columns[~held], outcome[~held]).predict_proba(columns[held])[:, 1]
    return scores


def share_scores(words: pl.Series, outcome: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """The share of outcomes that the other rows with a word had; the overall share for a word that none had. [n]"""
    rows = pl.DataFrame({"word": words, "fold": fold, "outcome": outcome})
    in_all = rows.group_by("word").agg(pl.len().alias("n"), pl.col("outcome").sum().alias("events"))
    in_fold = rows.group_by("word", "fold").agg(pl.len().alias("n_here"), pl.col("outcome").sum().alias("here"))
    both = rows.join(in_all, on="word", how="left", nulls_equal=True, maintain_order="left")
    both = both.join(in_fold, on=["word", "fold"], how="left", nulls_equal=True, maintain_order="left")
    others = pl.col("n").cast(pl.Float64) - pl.col("n_here")
    share = (pl.col("events").cast(pl.Float64) - pl.col("here")) / others
    return (
        both.select(pl.when(others > 0).then(share).otherwise(float(outcome.mean()))).to_series().cast(pl.Float64)
    ).to_numpy()
