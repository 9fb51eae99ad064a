"""Leak detectors: each returns pass, concern or unknown, with its evidence in words.

`DETECTORS` is the table; `look_for_leaks` runs it. A *hard* detector that raises a concern stops the run; a soft one
must be answered under ``accepted`` in the study, with the reason that the card prints.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl

from riskmodels.data.cohort import Cohort
from riskmodels.data.features import Features
from riskmodels.data.outcomes import Outcomes
from riskmodels.data.splits import Split, Splits, assert_no_overlap, held_out
from riskmodels.errors import LeakError, StudyError
from riskmodels.study import StudyFile

TOO_GOOD_AUC = 0.97
ID_LIKE_SHARE = 0.95
ENOUGH_TO_TELL = 50
FILLED_ENOUGH = 0.2
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
        both = ((fit & calibrate) | (fit & test) | (calibrate & test)).sum()
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
        for whose in ("entity_id", "cluster_id"):
            shared = set(rows.filter(fit)[whose]) & set(rows.filter(calibrate)[whose])
            if shared:
                return "concern", f"{len(shared)} people or households are on both sides at origin {split.origin}"
    return "pass", "no person or household is on both sides"


def id_like(evidence: Evidence) -> Verdict:
    """Text or whole numbers, taken as they stand, that differ for nearly everybody on a date are an id."""
    found = []
    for spec in evidence.features.specs:
        column = pl.col(spec.name).drop_nulls()
        if spec.kind == "number":
            if spec.take not in ("attribute", "latest", "first"):
                continue
            column = column.filter(column == column.round(0))
        dates = evidence.features.frame.group_by("as_of_date").agg(
            column.len().alias("n"), column.n_unique().alias("u")
        )
        if dates.filter((pl.col("n") > ENOUGH_TO_TELL) & (pl.col("u") > ID_LIKE_SHARE * pl.col("n"))).height:
            found.append(spec.name)
    if found:
        return "concern", f"nearly every value differs in: {', '.join(found)}"
    return "pass", "no feature looks like an id"


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
        # Each half of the rows is scored by the other half's shares, or rare words would seem to know everything.
        frame = pl.DataFrame({"value": column, "outcome": outcome}).with_row_index("row")
        frame = frame.with_columns(pl.col("row").mod(2).alias("half"))
        shares = frame.group_by("value", (1 - pl.col("half")).alias("half")).agg(
            pl.col("outcome").mean().alias("share")
        )
        found = frame.join(shares, on=["value", "half"], how="left", nulls_equal=True, maintain_order="left")["share"]
        values = found.fill_null(float(outcome.mean())).to_numpy()
    else:
        middle = column.median()
        values = column.fill_null(0.0 if middle is None else middle).to_numpy()
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
    now, then = frame.filter(pl.col("as_of_date") == newest), frame.filter(pl.col("as_of_date") < newest)
    if then.is_empty():
        return "unknown", "only one as-of date"
    found = []
    for name in evidence.features.names:
        filled_now, filled_then = (part[name].count() / part.height for part in (now, then))
        if filled_then >= FILLED_ENOUGH and filled_now < FILLED_IN_RATIO * filled_then:
            found.append(name)
    if found:
        return "concern", f"recorded less than half as often on {newest!s}: {', '.join(found)}"
    return "pass", f"as complete on {newest!s} as before"


def outcome_unknown(evidence: Evidence) -> Verdict:
    """Outcomes that are missing on the test dates make every figure a range."""
    tests = [split.test for split in evidence.splits.origins]
    rows = evidence.outcomes.frame.filter(pl.col("as_of_date").is_in(tests))
    share = rows.filter(pl.col("outcome_status") != "known").height / rows.height
    said = f"the outcome is unknown for {share:.0%} of the test rows"
    return ("concern" if share > UNKNOWN_SHARE else "pass"), said


def break_spanned(evidence: Evidence) -> Verdict:
    """A declared break after the last mature test date means the model was never tested on the present."""
    if not evidence.study.breaks:
        return "pass", "no break is declared"
    last = max(evidence.study.breaks, key=lambda item: item.date)
    known = evidence.outcomes.frame.filter(pl.col("outcome_status") == "known")["as_of_date"].unique().to_list()
    if not any(split.test in known and split.test >= last.date for split in evidence.splits.origins if split.test):
        said = f"{last.what} ({last.date}) came after the last test date whose outcome is known"
        return "concern", f"never tested on the present: {said}"
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
    StudyError
        when the study accepts a check that does not exist.
    """
    for check in evidence.study.accepted:
        if check not in DETECTORS:
            raise StudyError(f"accepted: no check is called {check!r} (known: {', '.join(DETECTORS)})")
    assert_no_overlap(evidence.splits, evidence.study)
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
            raise LeakError(
                f"{check}: {said}; take it out of the study, or answer it under accepted.{check} with a reason"
            )
        findings.append(Finding(check, words, result, said, hard, accepted if result == "concern" else None))
    return tuple(findings)


def rows_of(split: Split, rows: pl.DataFrame, study: StudyFile) -> tuple[pl.Series, pl.Series]:
    """Which cohort rows fit and which calibrate at one origin (Boolean, row by row)."""
    fit = rows["as_of_date"].is_in(list(split.fit))
    calibrate = rows["as_of_date"].is_in(list(split.calibrate))
    if split.how == "grouped":
        # Only dates of this origin: who shares a home with whom later is not known yet.
        out = pl.Series(held_out(rows["cluster_id"], study.split.calibrate_share, study.seed)) & calibrate
        # Somebody who moved from a household that is held out into one that is not teaches nothing.
        people_out = rows["entity_id"].is_in(rows.filter(out)["entity_id"].unique().to_list())
        return fit & ~people_out, calibrate & out
    return fit, calibrate
