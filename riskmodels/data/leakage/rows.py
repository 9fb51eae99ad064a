"""Which rows, people and households stand on which side: nobody is judged on what taught."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from riskmodels.data.leakage.evidence import CONCERN, PASS, UNKNOWN, Evidence, Verdict, counted
from riskmodels.data.splits import Split, held_out
from riskmodels.study import StudyFile

KEYS = ["entity_id", "as_of_date"]


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


def join_explosion(evidence: Evidence) -> Verdict:
    """Features and outcomes are the cohort's rows, each once and in its order: no join made or lost one. Exact."""
    rows = evidence.cohort.rows.select(KEYS)
    twice = int(rows.is_duplicated().sum())
    if twice:
        return CONCERN, f"{counted(twice, 'rows')} of the cohort have the same id and date as another"
    for what, frame in (("features", evidence.features.frame), ("outcomes", evidence.outcomes.frame)):
        if frame.height != rows.height:
            more = "more" if frame.height > rows.height else "fewer"
            return (
                CONCERN,
                f"the cohort has {counted(rows.height, 'rows')} and the {what} {more} ({counted(frame.height)})",
            )
        if not frame.select(KEYS).equals(rows):
            return CONCERN, f"the {what} are not in the order of the cohort"
    return PASS, f"{counted(rows.height, 'rows')}, one for each id and date, in cohort, features and outcomes"


def same_rows_twice(evidence: Evidence) -> Verdict:
    """No row may teach and test. Exact: the keys of the sets are compared, at every origin."""
    for split, fit, calibrate, test in _stages(evidence, KEYS):
        both = int(((fit & calibrate) | (fit & test) | (calibrate & test)).sum())
        if both:
            return CONCERN, f"{counted(both, 'rows')} are used twice at origin {split.origin}"
    return PASS, f"0 rows shared by fit, calibration and test at {len(evidence.splits.origins)} origins"


def chosen_on_test(evidence: Evidence) -> Verdict:
    """The rows on which the families are compared are tested at no origin: else the winner is partly judged by them."""
    tests = {split.test for split in evidence.splits.origins if split.test is not None}
    shared = tests & evidence.splits.choosing
    if shared:
        return CONCERN, (
            f"{len(shared)} of {len(tests)} test dates also serve a later origin for calibration, where the families "
            "are compared: the test of the chosen one flatters it a little"
        )
    return PASS, "they were compared on earlier rows only: a gain seen there may not hold on the test, which shows it"


def same_people_calibrate(evidence: Evidence) -> Verdict:
    """With ``calibrate: grouped``, nobody may be on both sides. Exact."""
    if evidence.study.split.calibrate != "grouped":
        return PASS, "not needed: risks were calibrated on later dates, where the same ids may return, as in real use"
    return _on_both_sides(evidence, "entity_id", "ids")


def household_both_sides(evidence: Evidence) -> Verdict:
    """With ``calibrate: grouped``, no household, or whatever a cluster is, may be on both sides. Exact."""
    study = evidence.study
    if study.cohort.cluster is None:
        return UNKNOWN, "no column says who belongs together (cohort.cluster), so each id stands alone"
    if study.split.calibrate != "grouped":
        return PASS, f"the split is by time, so those of one {study.cohort.cluster} may return, as they do in service"
    return _on_both_sides(evidence, "cluster_id", f"values of {study.cohort.cluster}")


def _on_both_sides(evidence: Evidence, whose: str, noun: str) -> Verdict:
    for split, fit, calibrate, _ in _stages(evidence, [whose]):
        both = int((fit & calibrate).sum())
        if both:
            return CONCERN, f"{counted(both, noun)} are on both sides at origin {split.origin}"
    return PASS, f"0 {noun} are on both sides"


def _stages(evidence: Evidence, keys: list[str]) -> Iterator[tuple[Split, np.ndarray, np.ndarray, np.ndarray]]:
    """Each origin, and which of the different keys fit, calibrate and test there (Boolean, one for each key)."""
    rows = evidence.cohort.rows
    # The number of the first row with the same key: comparing these is comparing keys.
    first = rows.with_row_index("row").select(pl.col("row").first().over(keys)).to_series().to_numpy()
    for split in evidence.splits.all:
        fit, calibrate = rows_of(split, rows, evidence.study)
        test = rows["as_of_date"] == split.test if split.test is not None else pl.repeat(False, rows.height, eager=True)
        yield split, _among(first, fit), _among(first, calibrate), _among(first, test)


def _among(first: np.ndarray, stage: pl.Series) -> np.ndarray:
    mask = np.zeros(len(first), dtype=bool)
    mask[first[stage.to_numpy()]] = True
    return mask
