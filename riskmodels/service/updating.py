"""A model held against newer outcomes: keep it, correct its risks, or fit it again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from riskmodels.assessment.calibration_statistics import brier_score, calibration_slope, oe_ratio
from riskmodels.assessment.discrimination import auc
from riskmodels.assessment.estimate import Estimate
from riskmodels.assessment.logistic import expit, logit
from riskmodels.data.cohort import build_cohort
from riskmodels.data.features import build_features
from riskmodels.data.outcomes import build_outcomes
from riskmodels.data.tables import Tables
from riskmodels.errors import DataError, UsageError
from riskmodels.models.risk_model import RiskModel
from riskmodels.models.updating import Update, apply, closed_test, refit_columns
from riskmodels.study import StudyFile

MEASURES = {"oe_ratio": oe_ratio, "calibration_slope": calibration_slope, "auc": auc, "brier_score": brier_score}
ADVICE = {
    "keep": "Keep the model as it is: nothing in the new outcomes speaks against it beyond chance.",
    "in_the_large": "Its risks are too {way} on the whole: re-calibrate in the large (a new intercept).",
    "slope": "Its risks are {spread}: re-calibrate (a new intercept and slope).",
    "curve": "Its risks are wrong in a way that no straight line puts right: re-calibrate with a curve.",
    "refit": "Fit it again: what its features tell has changed.",
}
NEXT = (
    "This is advice, and nothing was changed. An updated model is another model: add the new dates to the study, run "
    "it again, and have its card reviewed."
)


@dataclass(frozen=True)
class UpdateFindings:
    """``before`` and ``after``: measures by name, of the model as it is and as the advice would correct it.

    The correction was learned from the same rows, so ``after`` flatters it a little; None where there is none.
    """

    dates: tuple[str, ...]
    n: int
    known: int
    events: int
    update: Update
    before: Mapping[str, Estimate]
    after: Mapping[str, Estimate] | None

    @property
    def words(self) -> str:
        """What to do, in a sentence."""
        method = self.update.method
        if method is None:
            return f"It cannot be told: {self.update.reason}."
        expected = self.before["oe_ratio"].value
        slope = self.update.slope
        return ADVICE[method].format(
            way="low" if expected is not None and expected > 1 else "high",
            spread="too extreme" if slope is not None and slope < 1 else "too timid",
        )

    def to_dict(self) -> dict[str, Any]:
        def plain(found: Mapping[str, Estimate] | None) -> dict[str, Any] | None:
            return None if found is None else {name: estimate.to_dict() for name, estimate in found.items()}

        return {
            "dates": list(self.dates), "n": self.n, "known": self.known, "events": self.events, "advice": self.words,
            "update": self.update.to_dict(), "before": plain(self.before), "after": plain(self.after),
        }  # fmt: skip


def hold_against(
    model: RiskModel, tables: Tables, study: StudyFile, dates: Sequence[dt.date], extracted_on: dt.date
) -> UpdateFindings:
    """Score the cohorts of some dates whose outcomes are known by now, and run the closed test (Vergouwe et al. 2017).

    Parameters
    ----------
    dates : as-of dates that the model did not learn from
    extracted_on : the day of the newer extract

    Raises
    ------
    UsageError
        if an outcome is not over, or not yet recorded, by the day of the extract.
    DataError
        if the tables do not fit the study.
    """
    for day in dates:
        if study.outcome.mature_on(day) > extracted_on:
            raise UsageError(
                f"--as-of {day}: its outcome is known on {study.outcome.mature_on(day)}, after the extract of "
                f"{extracted_on}; use an earlier day"
            )
    cohort = build_cohort(tables, study, sorted(set(dates)))
    outcomes = build_outcomes(cohort, tables, study, extracted_on + dt.timedelta(days=1)).frame
    frame = build_features(cohort, tables, study).frame
    known = outcomes["outcome"].is_not_null()
    _refuse_one_sided(outcomes)
    rows, clusters = frame.filter(known), cohort.rows.filter(known)["cluster_id"]
    outcome = outcomes["outcome"].drop_nulls().cast(pl.Float64).to_numpy()
    risk = model.predict_risk(rows)
    rarer = int(min(outcome.sum(), len(outcome) - outcome.sum()))
    codes = clusters.rank("dense").to_numpy() if len(clusters) else np.zeros(0)
    design = refit_columns(model.contributions(rows), rarer) if len(outcome) else None
    update = closed_test(outcome, logit(risk), design, codes)
    after = None
    if update.method not in (None, "refit"):
        after = _measured(outcome, expit(apply(update, logit(risk))), clusters)
    return UpdateFindings(
        tuple(day.isoformat() for day in sorted(set(dates))),
        cohort.rows.height,
        len(outcome),
        int(outcome.sum()),
        update,
        _measured(outcome, risk, clusters),
        after,
    )


def _refuse_one_sided(outcomes: pl.DataFrame) -> None:
    """A date of which only events are known is one whose non-events are still to come: the extract ends before it."""
    counts = outcomes.group_by("as_of_date").agg(
        pl.col("outcome").is_not_null().sum().alias("known"), pl.col("outcome").sum().alias("events")
    )
    for day, known, events in counts.sort("as_of_date").iter_rows():
        if known and known == events:
            raise DataError(
                f"--as-of {day}: every known outcome is an event, so those without one are not recorded yet; check the "
                "day of the extract, or use an earlier --as-of"
            )


def _measured(outcome: np.ndarray, risk: np.ndarray, clusters: pl.Series) -> dict[str, Estimate]:
    return {name: measure(outcome, risk, clusters) for name, measure in MEASURES.items()}
