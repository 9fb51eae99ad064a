"""What parity would cost, simulated: fairlearn's reductions and threshold optimiser, and cuts of each group's own.

Whatever is computed here is a chance of a place for each row of a past test date, and no more: no model, threshold or
rule is handed back. A different cut-off because of sex or race is prima facie direct discrimination (Equality Act 2010
s.13), and a place by lot cannot be explained to the person.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from riskmodels.assessment.intervals import Floats

MOST_ROWS = 3_000
ITERATIONS = 10
CLOSE = 0.01  # how near to parity the reduction must come
ONE_CLASS = "one of the groups has outcomes of one kind only among the rows it would learn from"
NO_FEATURES = "no feature tells people apart"
NO_RULE = "fairlearn found no such rule"
COPIES = 3  # of each row, where errors of both kinds cost alike: fairlearn's accuracy knows no other costs
LOWEST_CUT, HIGHEST_CUT = 0.02, 0.98
SEARCHES, RUNS = 6, 2
ENOUGH = 1.15  # a list that comes out up to so many times too long is not worth another run


def learned_by_reduction(
    features: Floats,
    outcome: np.ndarray,
    groups: np.ndarray,
    asked: Floats,
    metric: str,
    places: int,
    rng: np.random.Generator,
) -> Floats | str:
    """Chance of a place under an exponentiated gradient that holds a rate equal between groups.

    The estimator is a logistic regression, refitted at most `ITERATIONS` times on at most `MOST_ROWS` rows drawn with
    ``rng``. A place given in vain costs a cut and a case missed 1 - cut; the cut is where the logistic regression alone
    would fill the places, moved once if the list comes out much too long or short. The random choice among the fits
    that it ends in is taken as its expectation. Source: Agarwal et al. 2018; fairlearn.

    Parameters
    ----------
    features, outcome, groups : [n, p], [n] of 0 and 1, [n] codes: of the rows that teach
    asked : features [m, p] of those to be chosen from
    metric : ``recall`` or ``fpr``

    Returns
    -------
    float64 [m] in [0, 1], whose sum is near ``places``; or why it cannot be had
    """
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    some = np.sort(rng.choice(len(outcome), min(MOST_ROWS, len(outcome)), replace=False))
    taught = features[some], outcome[some].astype(np.int64), groups[some]
    if not _both_kinds(*taught[1:]):
        return ONE_CLASS
    if not features.shape[1]:
        return NO_FEATURES
    # One thread: with more, sums are added in another order and the last bits differ.
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        alone = LogisticRegression(solver="newton-cholesky", max_iter=50).fit(*taught[:2])
        risk = np.sort(alone.predict_proba(asked)[:, 1])[::-1]
        aim = float(places)
        for _ in range(RUNS):
            cut = risk[int(np.clip(round(aim), 1, len(risk))) - 1]
            try:
                chance = _reduced(*taught, asked, metric, float(np.clip(cut, LOWEST_CUT, HIGHEST_CUT)))
            except (ValueError, RuntimeError):  # its linear programme has no solution
                return NO_RULE
            if places <= chance.sum() <= ENOUGH * places:
                break
            aim *= places / max(float(chance.sum()), 1.0)
    return chance


def _reduced(
    features: Floats, outcome: np.ndarray, groups: np.ndarray, asked: Floats, metric: str, cut: float
) -> Floats:
    from fairlearn.reductions import ErrorRate, ExponentiatedGradient, FalsePositiveRateParity, TruePositiveRateParity
    from sklearn.linear_model import LogisticRegression

    parity = TruePositiveRateParity if metric == "recall" else FalsePositiveRateParity
    search = ExponentiatedGradient(
        LogisticRegression(solver="newton-cholesky", max_iter=50),
        constraints=parity(difference_bound=CLOSE),
        objective=ErrorRate(costs={"fp": cut, "fn": 1.0 - cut}),
        eps=CLOSE,
        max_iter=ITERATIONS,
    )
    search.fit(features, outcome, sensitive_features=groups)
    chance = np.zeros(len(asked))
    for weight, predictor in zip(search.weights_.to_numpy(), search.predictors_, strict=True):
        if weight > 0:
            chance += weight * np.asarray(predictor.predict(asked), dtype=np.float64)
    return np.clip(chance, 0.0, 1.0)


def optimised_thresholds(
    risk: Floats,
    outcome: np.ndarray,
    groups: np.ndarray,
    asked: Floats,
    asked_groups: np.ndarray,
    metric: str,
    places: int,
) -> Floats | str:
    """Chance of a place under thresholds of each group's own, randomised where need be, that make a rate equal.

    Learned on calibration rows. fairlearn knows no number of places: cases stand several times among the rows, which
    leaves every group's rates as they are and makes missing one cost more, as often as brings the expected number of
    places just to those there are. Source: Hardt et al. 2016; fairlearn.

    Parameters
    ----------
    risk, outcome, groups : [n], [n] of 0 and 1, [n] codes: of the calibration rows
    asked, asked_groups : risk [m] and codes [m] of those to be chosen from

    Returns
    -------
    float64 [m] in [0, 1], whose sum is near ``places``; or why it cannot be had
    """
    outcome = outcome.astype(np.int64)
    if not _both_kinds(outcome, groups) or not set(np.unique(asked_groups)) <= set(np.unique(groups)):
        return ONE_CLASS
    if np.ptp(risk) == 0 or np.ptp(asked) == 0:
        return NO_FEATURES
    # The higher the cut, the dearer a place given in vain and the shorter the list: halve towards the places.
    low, high = LOWEST_CUT, HIGHEST_CUT
    best = np.zeros(0)
    for _ in range(SEARCHES):
        middle = (low + high) / 2
        chance = _thresholded(risk, outcome, groups, asked, asked_groups, metric, middle)
        if chance.sum() >= places:
            low, best = middle, chance
        else:
            high = middle
    return best if len(best) else _thresholded(risk, outcome, groups, asked, asked_groups, metric, low)


def _thresholded(
    risk: Floats,
    outcome: np.ndarray,
    groups: np.ndarray,
    asked: Floats,
    asked_groups: np.ndarray,
    metric: str,
    cut: float,
) -> Floats:
    from fairlearn.postprocessing import ThresholdOptimizer

    dearer = (1.0 - cut) / cut
    of_case, of_other = (max(1, round(COPIES * max(1.0, each))) for each in (dearer, 1.0 / dearer))
    taught = np.repeat(np.arange(len(outcome)), np.where(outcome == 1, of_case, of_other))
    parity = "true_positive_rate_parity" if metric == "recall" else "false_positive_rate_parity"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        optimiser = ThresholdOptimizer(
            estimator=_as_given(), constraints=parity, objective="accuracy_score", prefit=True, predict_method="predict"
        )
        optimiser.fit(risk[taught, None], outcome[taught], sensitive_features=groups[taught])
        # Its `predict` draws lots; the chances themselves are what we need.
        chance = optimiser._pmf_predict(asked[:, None], sensitive_features=asked_groups)[:, 1]
    return np.clip(np.asarray(chance, dtype=np.float64), 0.0, 1.0)


def _as_given() -> Any:
    """An estimator that predicts the risk it is given."""
    from sklearn.base import BaseEstimator, RegressorMixin

    class AsGiven(RegressorMixin, BaseEstimator):
        fitted_ = True

        def fit(self, risk: Floats, outcome: np.ndarray) -> AsGiven:
            return self

        def predict(self, risk: Floats) -> Floats:
            return np.asarray(risk, dtype=np.float64)[:, 0]

    return AsGiven()


def _both_kinds(outcome: np.ndarray, groups: np.ndarray) -> bool:
    """Whether there are two groups at least, each with outcomes of both kinds."""
    return len(np.unique(groups)) > 1 and all(
        len(np.unique(outcome[groups == group])) == 2 for group in np.unique(groups)
    )


# ---------------------------------------------------------------- cuts of each group's own


def equal_cuts(rank: np.ndarray, counted: np.ndarray, groups: np.ndarray, selected: np.ndarray) -> Floats:
    """The same places, each group served in its own order, so that the same share of each group's rows is reached.

    Worked out with the outcomes that came about, so it is the most that such cuts could do. Every place goes to the
    next of the group of which the smallest share was reached so far.

    Parameters
    ----------
    rank : [n] of one date's list, from 1
    counted : [n] bool, those of whom the same share is to be reached: with the outcome for recall, without it for the
        false positive rate
    groups : [n] codes; rows below 0, and groups in which nobody counts, keep what they have
    selected : [n] bool, today's list

    Returns
    -------
    float64 [n] of 0 and 1
    """
    chosen = selected.astype(np.float64)
    free = np.isin(groups, np.unique(groups[counted & (groups >= 0)]))
    before = np.zeros(len(rank))
    for group in np.unique(groups[free]):
        own = np.flatnonzero(groups == group)
        own = own[np.argsort(rank[own], kind="stable")]
        hits = counted[own].astype(np.float64)
        before[own] = (np.cumsum(hits) - hits) / hits.sum()
    places = int(selected[free].sum())
    rows = np.flatnonzero(free)
    taken = rows[np.lexsort((rank[rows], before[rows]))[:places]]
    chosen[rows] = 0.0
    chosen[taken] = 1.0
    return chosen


def filled(chance: Floats, rank: np.ndarray, places: int) -> Floats:
    """The chances made to fill so many places.

    Where there are too many, a lot among those chosen decides, which leaves the ratios between groups as they are;
    where there are too few, chances are raised from the highest ranked down.
    """
    total = float(chance.sum())
    if total >= places:
        return chance * (places / total) if total else chance
    order = np.argsort(rank, kind="stable")
    made = chance.copy()
    room = 1.0 - made[order]
    made[order] += np.clip(places - total - (np.cumsum(room) - room), 0.0, room)
    return made
