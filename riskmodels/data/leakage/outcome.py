"""Is the outcome known, and often enough to learn from and to be tested on?"""

from __future__ import annotations

import polars as pl

from riskmodels.data.leakage.evidence import CONCERN, PASS, UNKNOWN, Evidence, Verdict, counted
from riskmodels.data.leakage.rows import rows_of

UNKNOWN_SHARE = 0.10
EVENTS_PER_PARAMETER = 10  # Peduzzi 1996
EVENTS_TO_TEST = 100  # Collins 2016


def outcome_unknown(evidence: Evidence) -> Verdict:
    """Outcomes that are missing on the test dates make every figure a range."""
    tests = [split.test for split in evidence.splits.origins]
    rows = evidence.outcomes.frame.filter(pl.col("as_of_date").is_in(tests))
    if rows.is_empty():
        return UNKNOWN, "no row stands on a test date"
    share = rows.filter(pl.col("outcome_status") != "known").height / rows.height
    said = f"the outcome is unknown for {share:.0%} of the test rows"
    return (CONCERN if share > UNKNOWN_SHARE else PASS), said


def too_few_outcomes(evidence: Evidence) -> Verdict:
    """There is enough to learn from and to test on.

    To learn: at the origin with the fewest, ten of the rarer outcome for each parameter a regression on all features
    would have (Peduzzi 1996; a floor, not a sample size). To test: 100 of each outcome on all test dates together
    (Collins 2016).
    """
    rows, outcome = evidence.cohort.rows, pl.Series("outcome", evidence.outcome)
    parameters = _parameters(evidence)
    fewest = min(_rarer(outcome.filter(rows_of(split, rows, evidence.study)[0])) for split in evidence.splits.all)
    tests = [split.test for split in evidence.splits.origins]
    tested = _rarer(outcome.filter(rows["as_of_date"].is_in(tests)))
    said = f"{counted(fewest)} of the rarer outcome to learn {parameters} parameters from, {counted(tested)} to test on"
    if fewest < EVENTS_PER_PARAMETER * parameters or tested < EVENTS_TO_TEST:
        floors = f"{EVENTS_PER_PARAMETER} for each parameter, and {EVENTS_TO_TEST} to test on"
        return CONCERN, f"too little data: {said} (at least {floors})"
    return PASS, f"{said}; that is the least, counted on every date: whether it is enough is worked out apart"


def _parameters(evidence: Evidence) -> int:
    """One for a number, one less than there are words for a category."""
    words = [spec.name for spec in evidence.features.specs if spec.kind == "category"]
    levels = evidence.features.frame.select(pl.col(words).n_unique()).row(0) if words else ()
    return len(evidence.features.specs) - len(words) + sum(max(1, count - 1) for count in levels)


def _rarer(outcome: pl.Series) -> int:
    known = outcome.drop_nans()
    events = int(known.sum())
    return min(events, len(known) - events)
