"""Leak detectors: each returns pass, concern or unknown, with its evidence in words.

`DETECTORS` is the table; `look_for_leaks` runs it. A *hard* detector that raises a concern stops the run; a soft one must
be answered under ``accepted`` in the study, with the reason that the card prints.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl

from riskmodels.data.cohort import Cohort
from riskmodels.data.features import Features
from riskmodels.data.outcomes import Outcomes
from riskmodels.data.splits import Split, Splits, held_out
from riskmodels.errors import LeakError
from riskmodels.study import StudyFile

TOO_GOOD_AUC = 0.97
ID_LIKE_SHARE = 0.95
FILLED_IN_RATIO = 0.5
UNKNOWN_SHARE = 0.10


@dataclass(frozen=True)
class Evidence:
    """All that a detector may look at."""

    cohort: Cohort
    features: Features
    outcomes: Outcomes
    splits: Splits
    study: StudyFile


@dataclass(frozen=True)
class Finding:
    check: str
    words: str
    result: str  # pass | concern | unknown
    evidence: str
    hard: bool
    accepted: str | None = None

    def to_dict(self) -> dict[str, object]:
        return {
            "check": self.check, "words": self.words, "result": self.result, "evidence": self.evidence,
            "accepted": self.accepted,
        }  # fmt: skip


Verdict = tuple[str, str]


def same_rows_twice(evidence: Evidence) -> Verdict:
    """No row may teach and test. Exact: the keys of the two sets are compared, at every origin."""
    rows = evidence.cohort.rows
    for split in evidence.splits.origins:
        fit, calibrate = rows_of(split, rows, evidence.study)
        test = rows["as_of_date"] == split.test
        both = int((fit & calibrate).sum() + ((fit | calibrate) & test).sum())
        if both:
            return "concern", f"{both} rows are used twice at origin {split.origin}"
    return "pass", f"0 rows shared by fit, calibration and test at {len(evidence.splits.origins)} origins"


def same_people_calibrate(evidence: Evidence) -> Verdict:
    """With ``calibrate: grouped``, nobody may be on both sides. Exact."""
    if evidence.study.split.calibrate != "grouped":
        return "pass", "calibration uses a later slice, so the same people may return, as they do in service"
    for split in evidence.splits.all:
        rows = evidence.cohort.rows
        fit, calibrate = rows_of(split, rows, evidence.study)
        shared = set(rows.filter(fit)["cluster_id"].unique()) & set(rows.filter(calibrate)["cluster_id"].unique())
        if shared:
            return "concern", f"{len(shared)} people or households are on both sides at origin {split.origin}"
    return "pass", "no person or household is on both sides"


def id_like(evidence: Evidence) -> Verdict:
    """A column of text that is different for nearly everybody is an id, not a feature."""
    frame = evidence.features.frame
    found = []
    for spec in evidence.features.specs:
        column = frame[spec.name].drop_nulls()
        if spec.kind == "category" and len(column) > 50 and column.n_unique() / len(column) > ID_LIKE_SHARE:
            found.append(spec.name)
    return ("concern", f"nearly every value differs in: {', '.join(found)}") if found else ("pass", "no feature looks like an id")


def too_good(evidence: Evidence) -> Verdict:
    """One column that almost tells the outcome by itself is more often a leak than a discovery."""
    known = evidence.outcomes.frame["outcome"].is_not_null().to_numpy()
    outcome = evidence.outcomes.frame["outcome"].fill_null(0).to_numpy().astype(bool)[known]
    if outcome.sum() < 20 or (~outcome).sum() < 20:
        return "unknown", "fewer than 20 outcomes of each kind"
    best_name, best = "", 0.5
    for spec in evidence.features.specs:
        column = evidence.features.frame[spec.name].filter(pl.Series(known))
        for name, values in _as_scores(spec.name, column, outcome):
            auc = _auc(values, outcome)
            if max(auc, 1 - auc) > best:
                best_name, best = name, max(auc, 1 - auc)
    said = f"the strongest single column is {best_name}, AUC {best:.2f} (limit {TOO_GOOD_AUC})"
    return ("concern" if best >= TOO_GOOD_AUC else "pass"), said


def _as_scores(name: str, column: pl.Series, outcome: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """A column as numbers that an AUC can be made of, and its being missing as another."""
    missing = column.is_null().to_numpy().astype(float)
    if column.dtype == pl.String:
        frame = pl.DataFrame({"value": column, "outcome": outcome.astype(float)})
        values = frame.select(pl.col("outcome").mean().over("value"))["outcome"].to_numpy()
    else:
        values = column.fill_null(column.median()).to_numpy()
    return [(name, values), (f"{name} (being missing)", missing)]


def _auc(values: np.ndarray, outcome: np.ndarray) -> float:
    from scipy.stats import rankdata

    ranks = rankdata(values)
    positives = outcome.sum()
    return float((ranks[outcome].sum() - positives * (positives + 1) / 2) / (positives * (len(outcome) - positives)))


def filled_in_afterwards(evidence: Evidence) -> Verdict:
    """A field that is filled when we look back but not yet when we score comes too late to help."""
    frame = evidence.features.frame
    newest = frame["as_of_date"].max()
    found = []
    for name in evidence.features.names:
        now = frame.filter(pl.col("as_of_date") == newest)[name].is_not_null().mean()
        then = frame.filter(pl.col("as_of_date") < newest)[name].is_not_null().mean()
        if then is not None and now is not None and float(then) >= 0.2 and float(now) < FILLED_IN_RATIO * float(then):  # type: ignore[arg-type]
            found.append(name)
    if frame["as_of_date"].n_unique() < 2:
        return "unknown", "only one as-of date"
    return ("concern", f"recorded less than half as often on {newest}: {', '.join(found)}") if found else ("pass", f"as complete on {newest} as before")


def outcome_unknown(evidence: Evidence) -> Verdict:
    """Outcomes that are missing on the test dates make every figure a range."""
    tests = [split.test for split in evidence.splits.origins]
    rows = evidence.outcomes.frame.filter(pl.col("as_of_date").is_in(tests))
    share = float((rows["outcome_status"] != "known").mean())  # type: ignore[arg-type]
    said = f"the outcome is unknown for {share:.0%} of the test rows"
    return ("concern" if share > UNKNOWN_SHARE else "pass"), said


def break_spanned(evidence: Evidence) -> Verdict:
    """A declared break after the last mature test date means the model was never tested on the present."""
    if not evidence.study.breaks:
        return "pass", "no break is declared"
    last = max(evidence.study.breaks, key=lambda item: item.date)
    tests = [split.test for split in evidence.splits.origins if split.test]
    if max(tests) < last.date:
        return "concern", f"never tested on the present: {last.what} ({last.date}) came after the last test date"
    return "pass", f"tested after the last declared break ({last.date})"


DETECTORS: dict[str, tuple[str, bool, Callable[[Evidence], Verdict]]] = {
    "same_rows_twice": ("No row both teaches and tests", True, same_rows_twice),
    "same_people_calibrate": ("No person is on both sides of a grouped calibration", True, same_people_calibrate),
    "id_like": ("No feature is an id in disguise", True, id_like),
    "too_good": ("No single column is too good to be true", True, too_good),
    "filled_in_afterwards": ("Fields are as complete when scoring as when learning", False, filled_in_afterwards),
    "outcome_unknown": ("The outcome is known for nearly everybody", False, outcome_unknown),
    "break_spanned": ("Tested after the last known break", False, break_spanned),
}


def look_for_leaks(evidence: Evidence) -> tuple[Finding, ...]:
    """Run every detector.

    Raises
    ------
    LeakError
        when a hard detector raises a concern that the study does not accept with a reason.
    """
    findings = [
        Finding(
            "label_window_overlap", "Outcomes that teach are over before the test date", "pass",
            "checked at every origin for model and calibrator", True,
        ),
        Finding(
            "future_facts", "Only facts known before each as-of date are used", "pass",
            "the window is applied to every fact by the engine", True,
        ),
    ]  # fmt: skip
    for check, (words, hard, detect) in DETECTORS.items():
        result, said = detect(evidence)
        accepted = evidence.study.accepted.get(check)
        if hard and result == "concern" and not accepted:
            raise LeakError(f"{check}: {said}; take it out of the study, or answer it under accepted.{check} with a reason")
        findings.append(Finding(check, words, result, said, hard, accepted if result == "concern" else None))
    return tuple(findings)


def rows_of(split: Split, rows: pl.DataFrame, study: StudyFile) -> tuple[pl.Series, pl.Series]:
    """Which cohort rows fit and which calibrate at one origin (Boolean, row by row)."""
    fit = rows["as_of_date"].is_in(list(split.fit))
    calibrate = rows["as_of_date"].is_in(list(split.calibrate))
    if split.how == "grouped":
        out = pl.Series(held_out(rows["cluster_id"], study.split.calibrate_share, study.seed))
        return fit & ~out, calibrate & out
    return fit, calibrate
