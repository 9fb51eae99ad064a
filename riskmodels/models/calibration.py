"""From a raw score to a risk, learned on rows that the model was not fitted on. To add a way: its fit, and its row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.optimize import isotonic_regression

from riskmodels.errors import DataError
from riskmodels.models.logit import fit_bent, fit_logistic, log_odds, significant
from riskmodels.models.matrix import rounding_unit
from riskmodels.models.risk_curves import (
    LEAST_RISK,
    Beta,
    Calibrator,
    Chain,
    Curve,
    Stairs,
    Steps,
    VennAbers,
    cells_of,
)
from riskmodels.models.updating import SIMPLER, Update, closed_test, correction

# No score means more than this; what is infinite counts as the nearest score that is not.
LARGEST_SCORE = 1e6
TAMED = "some scores were infinite or beyond a million: taken as the nearest that was not"
ONE_CLASS = "every outcome of the calibration rows is the same: everybody gets their rate"


def constant_risk(outcome: np.ndarray, note: str) -> Curve:
    """The observed rate for everybody."""
    rate = float(np.clip(outcome.mean(), LEAST_RISK, 1.0 - LEAST_RISK))
    return Curve(significant(log_odds(rate), 12), 0.0, note)


def fit_sigmoid(scores: np.ndarray, outcome: np.ndarray) -> Curve:
    """Logistic regression of the outcome on the score, unpenalised (Platt 1999).

    Where the score separates the outcome there is no such fit, and Platt's own smoothed targets are used:
    (events + 1) / (events + 2) and 1 / (others + 2).
    """
    centre, scale = float(scores.mean()), float(scores.std())
    design = np.column_stack([np.ones(len(scores)), (scores - centre) / scale])
    events = float(outcome.sum())
    others = len(outcome) - events
    if not events or not others:
        return constant_risk(outcome, ONE_CLASS)
    (intercept, slope), _, reached = fit_logistic(design, outcome, np.ones(len(outcome)))
    note = None
    if not reached:
        targets = np.where(outcome == 1, (events + 1.0) / (events + 2.0), 1.0 / (others + 2.0))
        (intercept, slope), _, _ = fit_logistic(design, targets, np.ones(len(outcome)))
        note = "the score separates the outcomes of the calibration rows: fitted to Platt's smoothed targets"
    if slope <= 0:
        return constant_risk(
            outcome, "higher scores did not go with higher risk on the calibration rows: everybody gets their rate"
        )
    slope = slope / scale
    return Curve(significant(intercept - slope * centre, 12), significant(slope, 12), note)


def fit_isotonic(scores: np.ndarray, outcome: np.ndarray) -> Steps:
    """The non-decreasing function of the score with the least squared error (Zadrozny and Elkan 2002; scikit-learn)."""
    from sklearn.isotonic import IsotonicRegression

    model = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(scores, outcome)
    note = None if model.y_thresholds_[0] < model.y_thresholds_[-1] else "no score goes with a higher risk than another"
    return Steps(tuple(model.X_thresholds_.tolist()), tuple(model.y_thresholds_.tolist()), note)


def fit_beta(scores: np.ndarray, outcome: np.ndarray, *, log_odds_score: bool = True) -> Calibrator:
    """Beta calibration: log-odds = c + a ln p - b ln(1 - p), a and b at least 0 (Kull, Silva Filho and Flach 2017).

    p is the logistic function of the score. A score that is not in log-odds, such as a tally, goes through
    `fit_sigmoid` first, fitted on the same rows. Where no such curve has a finite fit, a sigmoid is all there is.
    """
    first = fit_sigmoid(scores, outcome)
    if not first.slope:
        return first
    bent = fit_bent(scores if log_odds_score else first.intercept + first.slope * scores, outcome)
    if bent is None:
        return replace(first, note=first.note or "the calibration rows bear no curve beyond a sigmoid")
    beta = Beta(significant(bent.intercept, 12), significant(bent.a, 12), significant(bent.b, 12))
    return beta if log_odds_score else Chain(first, (beta,))


def fit_none(scores: np.ndarray, outcome: np.ndarray) -> Curve:
    """The logistic function of the score as it is: right only for scores that are log-odds already."""
    return Curve(0.0, 1.0)


# ---------------------------------------------------------------- Venn-Abers


def fit_venn_abers(scores: np.ndarray, outcome: np.ndarray) -> VennAbers:
    """Inductive Venn-Abers prediction (Vovk and Petej 2014).

    A score gets two risks: those of isotonic regressions of the calibration rows and itself, once with its outcome
    taken as 0 and once as 1. The true risk of a person drawn like the calibration rows is one of the two's, whatever
    the scores are worth. Scores are rounded to three digits of what the middle nine tenths of them span.
    """
    low, high = np.quantile(scores, [0.05, 0.95])
    spread = float(high - low) or float(np.ptp(scores))
    unit = max(rounding_unit(spread, 3), 1e-12 * float(np.abs(scores).max()))
    cells = cells_of(scores, unit)
    distinct, below, above = _two_risks(cells, outcome)
    note = "every outcome of the calibration rows is the same" if outcome.min() == outcome.max() else None
    return VennAbers(unit, _stairs(distinct, below), _stairs(distinct + 1, above), note)


def _two_risks(cells: np.ndarray, outcome: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The distinct cells [k], and the isotonic risks [k + 1] of one row more, without an event and with one.

    A row between two cells has the risk without an event of the cell below it, and the risk with an event of the cell
    above it: so the first risk without an event is 0, and the last one with an event is 1.
    """
    distinct, place = np.unique(cells, return_inverse=True)
    rows, events = np.bincount(place).astype(float), np.bincount(place, outcome)
    risks = np.array([[0.0, 1.0]] * (distinct.size + 1))
    for at in range(distinct.size):
        rows[at] += 1
        for label in (0, 1):
            events[at] += label
            risks[at + 1 - label, label] = isotonic_regression(events / rows, weights=rows).x[at]
        events[at] -= 1
        rows[at] -= 1
    return distinct.astype(np.int64), risks[:, 0], risks[:, 1]


def _stairs(starts: np.ndarray, risks: np.ndarray) -> Stairs:
    """Stairs of the cells in which the risk really rises."""
    rounded = np.maximum.accumulate(np.clip([significant(risk, 12) for risk in risks.tolist()], 0.0, 1.0))
    rises = np.flatnonzero(np.diff(rounded) > 0)
    return Stairs(tuple(starts[rises].tolist()), (float(rounded[0]), *rounded[rises + 1].tolist()))


# ---------------------------------------------------------------- chosen by a test

IN_WORDS = {
    "keep": "the score as it is",
    "in_the_large": "a new intercept",
    "slope": "a new intercept and slope",
    "curve": "a beta curve",
}


def fit_auto(
    scores: np.ndarray, outcome: np.ndarray, *, log_odds_score: bool = True, clusters: np.ndarray | None = None
) -> Calibrator:
    """The simplest of: the score as it is, a new intercept, a new intercept and slope, a beta curve.

    Chosen by `closed_test` at 5%; ``note`` says what and why. A score that is not in log-odds gets intercept and slope
    in any case, and only the beta curve is tested against them.
    """
    first = fit_none(scores, outcome) if log_odds_score else fit_sigmoid(scores, outcome)
    if not first.slope:
        return first
    told = first.intercept + first.slope * scores
    update = closed_test(outcome, told, None, clusters, simpler=SIMPLER if log_odds_score else ("slope",))
    if update.method == "refit":
        return fit_sigmoid(scores, outcome)
    if update.method is None:
        left = IN_WORDS["keep" if log_odds_score else "slope"]
        return replace(first, note=_joined(first.note, f"auto: {left}, as {update.reason}"))
    note = _joined(first.note, _why(update, update.method))
    if log_odds_score:
        return replace(correction(update), note=note)
    return Chain(first, (correction(update),), note) if update.method == "curve" else replace(first, note=note)


def _why(update: Update, method: str) -> str:
    """What a closed test chose, and why, in one sentence."""
    kept = [f"p = {step.p:.2g} against {IN_WORDS[step.within]}" for step in update.tests if step.against == method]
    lost = [f"{IN_WORDS[step.against]}, p = {step.p:.2g}" for step in update.tests if step.against != method]
    why = kept + ([f"rejected: {'; '.join(lost)}"] if lost else [])
    return f"auto: {IN_WORDS[method]} ({'; '.join(why) or 'nothing else has a finite fit'})"


def _joined(*notes: str | None) -> str | None:
    return "; ".join(note for note in notes if note) or None


# ---------------------------------------------------------------- all ways, and the one that is asked for

CALIBRATORS: dict[str, Callable[..., Calibrator]] = {
    "sigmoid": lambda scores, outcome, **_: fit_sigmoid(scores, outcome),
    "isotonic": lambda scores, outcome, **_: fit_isotonic(scores, outcome),
    "beta": lambda scores, outcome, *, log_odds_score, **_: fit_beta(scores, outcome, log_odds_score=log_odds_score),
    "venn_abers": lambda scores, outcome, **_: fit_venn_abers(scores, outcome),
    "none": lambda scores, outcome, **_: fit_none(scores, outcome),
    "auto": fit_auto,
}


def fit_calibrator(
    kind: str,
    scores: np.ndarray,
    outcome: np.ndarray,
    *,
    log_odds_score: bool = True,
    clusters: Any = None,
) -> Calibrator:
    """Learn the map from score to risk on calibration rows.

    Parameters
    ----------
    kind : a name of `CALIBRATORS`
    scores, outcome : arrays [n]; outcome 0 or 1
    log_odds_score : False for a score that is not in log-odds, such as a checklist's total: "none" is then a sigmoid
    clusters : [n], ids of rows that belong together, which the test of "auto" allows for

    Raises
    ------
    DataError
        if there is no calibration row, or one without a score.
    """
    given = np.asarray(scores, dtype=np.float64)
    known = np.asarray(outcome, dtype=np.float64)
    if not len(given):
        raise DataError(
            "outcome: no calibration row has a known outcome; use more as_of_dates or a larger calibrate_share"
        )
    if np.isnan(given).any():
        raise DataError(f"score: {int(np.isnan(given).sum())} calibration rows have none; give every row a score")
    if kind == "none" and not log_odds_score:
        kind = "sigmoid"
    if kind == "none":
        return fit_none(given, known)
    values = _tamed(given)
    if np.ptp(values) <= 1e-12 * np.abs(values).max():
        fitted: Calibrator = constant_risk(
            known, "the score is the same for everybody: so is the risk, the rate of the calibration rows"
        )
    else:
        fitted = CALIBRATORS[kind](values, known, log_odds_score=log_odds_score, clusters=clusters)
    return fitted if (values == given).all() else replace(fitted, note=_joined(fitted.note, TAMED))


def _tamed(scores: np.ndarray) -> np.ndarray:
    """Scores without infinities and without numbers whose squares would be."""
    near = scores[np.abs(scores) <= LARGEST_SCORE]
    low, high = (near.min(), near.max()) if len(near) else (-LARGEST_SCORE, LARGEST_SCORE)
    tamed: np.ndarray = np.clip(scores, low, high)
    return tamed
