"""From a raw score to a risk, learned on rows that the model was not fitted on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, TypeAdapter

from riskmodels.errors import DataError
from riskmodels.models.logit import fit_logistic, log_odds, logistic, significant

LEAST_RISK = 1e-6


def _clipped(risk: np.ndarray) -> np.ndarray:
    clipped: np.ndarray = np.clip(risk, LEAST_RISK, 1.0 - LEAST_RISK)
    return clipped


@dataclass(frozen=True)
class Curve:
    """risk = 1 / (1 + exp(-(intercept + slope * score))). ``note`` says what was unusual in fitting it."""

    intercept: float
    slope: float
    note: str | None = None
    shape: Literal["curve"] = "curve"

    def __post_init__(self) -> None:
        if self.slope < 0:
            raise ValueError("a risk must not fall as the score rises")

    def apply(self, scores: np.ndarray) -> np.ndarray:
        """Risks float64 [n], never decreasing in the score, between 1e-6 and 1 - 1e-6."""
        return _clipped(logistic(self.intercept + self.slope * np.asarray(scores, dtype=np.float64)))

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Steps:
    """A non-decreasing line through (score, risk) knots, level beyond its ends."""

    scores: tuple[float, ...]
    risks: tuple[float, ...]
    note: str | None = None
    shape: Literal["steps"] = "steps"

    def __post_init__(self) -> None:
        scores, risks = np.array(self.scores), np.array(self.risks)
        if not len(scores) or len(scores) != len(risks) or (np.diff(scores) <= 0).any() or (np.diff(risks) < 0).any():
            raise ValueError("knots must be as many risks as scores, both in order")

    def apply(self, scores: np.ndarray) -> np.ndarray:
        """Risks float64 [n], never decreasing in the score, between 1e-6 and 1 - 1e-6."""
        given = np.asarray(scores, dtype=np.float64)
        knots, risks = np.array(self.scores), np.array(self.risks)
        # Interpolation may overshoot the next knot by a last bit, which would turn a tie round.
        following = risks[np.minimum(np.searchsorted(knots, given, side="right"), len(risks) - 1)]
        return _clipped(np.minimum(np.interp(given, knots, risks), following))

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


Calibrator = Curve | Steps


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
        return constant_risk(outcome, "every outcome of the calibration rows is the same: everybody gets their rate")
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


def fit_none(scores: np.ndarray, outcome: np.ndarray) -> Curve:
    """The logistic function of the score as it is: right only for scores that are log-odds already."""
    return Curve(0.0, 1.0)


CALIBRATORS: dict[str, Callable[[np.ndarray, np.ndarray], Calibrator]] = {
    "sigmoid": fit_sigmoid,
    "isotonic": fit_isotonic,
    "none": fit_none,
}


def fit_calibrator(kind: str, scores: np.ndarray, outcome: np.ndarray, *, log_odds_score: bool = True) -> Calibrator:
    """Learn the map from score to risk on calibration rows.

    Parameters
    ----------
    kind : a name of `CALIBRATORS`
    scores, outcome : arrays [n]; outcome 0 or 1
    log_odds_score : False for a score that is not in log-odds, such as a checklist's total: "none" is then a sigmoid

    Raises
    ------
    DataError
        if there is no calibration row.
    """
    values = np.asarray(scores, dtype=np.float64)
    known = np.asarray(outcome, dtype=np.float64)
    if not len(values):
        raise DataError(
            "outcome: no calibration row has a known outcome; use more as_of_dates or a larger calibrate_share"
        )
    if kind == "none" and not log_odds_score:
        kind = "sigmoid"
    if kind != "none" and np.ptp(values) <= 1e-12 * np.abs(values).max():
        return constant_risk(
            known, "the score is the same for everybody: so is the risk, the rate of the calibration rows"
        )
    return CALIBRATORS[kind](values, known)


def load_calibrator(raw: Any) -> Calibrator:
    """A calibrator from what its `to_dict` gave. Raises ValueError if it is of another shape."""
    found: Calibrator = TypeAdapter(Annotated[Calibrator, Field(discriminator="shape")]).validate_python(raw)
    return found
