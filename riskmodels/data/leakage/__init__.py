"""Leak detectors: each returns pass, concern or unknown, with its evidence in words.

`DETECTORS` is the table; `look_for_leaks` runs it. A *hard* detector that raises a concern stops the run; a soft one
must be answered under ``accepted`` in the study, with the reason that the card prints. *Unknown* stops nothing and is
always shown: what could not be checked was not checked.

- ``evidence.py``   `Evidence`, `Finding`, and how numbers of people may be worded
- ``time.py``       nothing of the future in a feature, in what teaches, or by way of the outcome's own records
- ``recompute.py``  features made again in plain Python, for the first of these
- ``rows.py``       rows and households on one side only; no row made or lost by a join
- ``people.py``     one id for each person, and nobody who objected
- ``columns.py``    ids in disguise, columns that know too much, fields that are filled in late
- ``proxies.py``    features that follow from the outcome, or were made with its help
- ``records.py``    breaks in a feed, gaps between groups in what was linked and written down
- ``outcome.py``    outcomes that are unknown, or too few
- ``teams.py``      teams that have places, and nobody in the data
- ``auc.py``        how well one column tells the outcomes apart

To add one: write the function, add its row here, and a planted and a clean test.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from riskmodels.data.leakage.columns import filled_in_afterwards, id_like, row_position, too_good
from riskmodels.data.leakage.evidence import CONCERN, Evidence, Finding, Predict, Verdict
from riskmodels.data.leakage.outcome import outcome_unknown, too_few_outcomes
from riskmodels.data.leakage.people import copied_rows, objections_honoured, same_person_two_ids
from riskmodels.data.leakage.proxies import lead_time, permuted_outcomes, post_outcome_proxy
from riskmodels.data.leakage.records import linkage_gap, recording_gap, undeclared_break
from riskmodels.data.leakage.rows import (
    chosen_on_test,
    household_both_sides,
    join_explosion,
    rows_of,
    same_people_calibrate,
    same_rows_twice,
)
from riskmodels.data.leakage.teams import empty_teams
from riskmodels.data.leakage.time import break_spanned, future_facts, known_date, label_window_overlap, lineage
from riskmodels.data.splits import assert_no_overlap
from riskmodels.errors import LeakError, StudyError

__all__ = ["DETECTORS", "HARD", "Detector", "Evidence", "Finding", "Predict", "Verdict", "look_for_leaks", "rows_of"]


class Detector(NamedTuple):
    """What it makes sure of, whether a concern stops the run, and the check."""

    words: str
    hard: bool
    detect: Callable[[Evidence], Verdict]


DETECTORS: dict[str, Detector] = {
    "label_window_overlap": Detector("Outcomes that teach are over before the test date", True, label_window_overlap),
    "future_facts": Detector("No fact is used before the day that its record gives as known", True, future_facts),
    "known_date": Detector("Every source says when its rows became known", False, known_date),
    "lineage": Detector("No feature is drawn from the outcome's own records", True, lineage),
    "join_explosion": Detector("Each id stands once on each date", True, join_explosion),
    "same_rows_twice": Detector("No row both teaches and tests", True, same_rows_twice),
    "chosen_on_test": Detector("The kind of model is not chosen on rows that test it", False, chosen_on_test),
    "same_people_calibrate": Detector("Nobody teaches and calibrates on the same dates", True, same_people_calibrate),
    "household_both_sides": Detector(
        "No two who belong together do both on the same dates", True, household_both_sides
    ),
    "same_person_two_ids": Detector("No two ids are one", True, same_person_two_ids),
    "copied_rows": Detector("No id has the very features of another", False, copied_rows),
    "objections_honoured": Detector("Nobody who objected is in the data", True, objections_honoured),
    "id_like": Detector("No feature is an id in disguise", True, id_like),
    "row_position": Detector("The order of the rows says nothing of the outcome", False, row_position),
    "too_good": Detector("No single column is too good to be true", True, too_good),
    "filled_in_afterwards": Detector(
        "Fields are as complete when scoring as when learning", False, filled_in_afterwards
    ),
    "post_outcome_proxy": Detector("No feature waits for the outcome to come", False, post_outcome_proxy),
    "lead_time": Detector("No feature is the first step of the outcome", False, lead_time),
    "permuted_outcomes": Detector("Shuffled outcomes cannot be foretold", True, permuted_outcomes),
    "undeclared_break": Detector("No feed changes at once without a reason", False, undeclared_break),
    "linkage_gap": Detector("Each group's records were linked as often", False, linkage_gap),
    "recording_gap": Detector("As much is written down of each group", False, recording_gap),
    "outcome_unknown": Detector("The outcome is known for nearly everybody", False, outcome_unknown),
    "too_few_outcomes": Detector("Ten outcomes for each weight to learn, and 100 to test on", False, too_few_outcomes),
    "break_spanned": Detector("Tested after the last known break", False, break_spanned),
    "empty_teams": Detector("Every team that has places has people", False, empty_teams),
}
HARD = tuple(name for name, detector in DETECTORS.items() if detector.hard)


def look_for_leaks(evidence: Evidence) -> tuple[Finding, ...]:
    """Run every detector.

    Raises
    ------
    LeakError
        when a hard detector raises a concern that the study does not accept with a reason. Overlapping windows of
        outcomes are never accepted.
    StudyError
        when the study accepts a check that does not exist.
    """
    for check in evidence.study.accepted:
        if check not in DETECTORS:
            raise StudyError(f"accepted: no check is called {check!r} (known: {', '.join(DETECTORS)})")
    assert_no_overlap(evidence.splits, evidence.study)
    findings = []
    for check, (words, hard, detect) in DETECTORS.items():
        result, said = detect(evidence)
        accepted = evidence.study.accepted.get(check) if result == CONCERN else None
        findings.append(Finding(check, words, result, said, hard, accepted))
    leaks = [found for found in findings if found.hard and found.result == CONCERN and not found.accepted]
    if leaks:
        first, others = leaks[0], ", ".join(found.check for found in leaks[1:])
        raise LeakError(
            f"{first.check}: {first.evidence}; take it out of the study, or answer it under accepted.{first.check} "
            f"with a reason{f' (and so with: {others})' if others else ''}"
        )
    return tuple(findings)
