"""What calibration changed on the test: the raw score taken as log-odds, beside the calibrated risk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from riskmodels.assessment.calibration_statistics import (
    brier_score,
    calibration_in_the_large,
    calibration_slope,
    oe_ratio,
)
from riskmodels.assessment.estimate import Estimate, not_computed
from riskmodels.assessment.intervals import Floats, Units
from riskmodels.assessment.logistic import expit

MEASURES: dict[str, Callable[..., Estimate]] = {
    "oe_ratio": oe_ratio,
    "calibration_slope": calibration_slope,
    "calibration_in_the_large": calibration_in_the_large,
    "brier_score": brier_score,
}
NOT_LOG_ODDS = "the raw score is a total of points, not a risk"


def calibration_effect(
    outcome: Floats, risk: Floats, score: Floats, units: Units, *, log_odds: bool, too_few: str | None = None
) -> tuple[dict[str, Any], ...]:
    """Rows of {measure, before, after}: estimates of the same statistic before and after calibration.

    Parameters
    ----------
    outcome, risk, score : shape (n,), rows whose outcome is known; the score before calibration
    log_odds : whether the score can be read as log-odds; where not there is no "before"
    too_few : why nothing that needs events can be computed, if so
    """
    raw = expit(score)
    rows = []
    for name, measure in MEASURES.items():
        few = not_computed(too_few, outcome.size) if too_few and name != "brier_score" else None
        before = not_computed(NOT_LOG_ODDS, outcome.size) if not log_odds else few or measure(outcome, raw, units)
        rows.append({"measure": name, "before": before, "after": few or measure(outcome, risk, units)})
    return tuple(rows)
