"""What a concern does: hard ones stop the run unless they are accepted, soft ones wait for an answer."""

from __future__ import annotations

import dataclasses

import pytest

from riskmodels.data.leakage import DETECTORS, HARD, Evidence, Finding, look_for_leaks
from riskmodels.errors import ExitCode, LeakError, StudyError
from tests.data.leakage.made_county import clean
from tests.data.leakage.planted_in_columns_and_records import (
    a_different_number_for_everybody,
    reviews_that_are_written_up_later,
)
from tests.data.leakage.planted_in_time_and_people import (
    calibrated_on_outcomes_that_are_not_over,
    calibrated_on_the_test_rows,
    of_somebody_else,
    outcomes_that_are_not_over,
)


def accepting(found: Evidence, **accepted: str) -> Evidence:
    return dataclasses.replace(found, study=found.study.model_copy(update={"accepted": accepted}))


def findings_of(found: Evidence) -> dict[str, Finding]:
    return {finding.check: finding for finding in look_for_leaks(found)}


@pytest.mark.parametrize(
    ("plant", "check"), [(a_different_number_for_everybody, "id_like"), (of_somebody_else, "future_facts")]
)
def test_a_hard_leak_stops_the_run_unless_it_is_accepted(plant, check) -> None:  # type: ignore[no-untyped-def]
    found = plant()
    advice = rf"take it out of the study, or answer it under accepted\.{check} with a reason$"
    with pytest.raises(LeakError, match=f"^{check}: .*; {advice}") as caught:
        look_for_leaks(found)
    assert caught.value.exit_code == ExitCode.DATA == 4
    assert "\n" not in str(caught.value)
    finding = findings_of(accepting(found, **{check: "It is meant."}))[check]
    assert (finding.result, finding.hard) == ("concern", True)
    assert finding.to_dict()["accepted"] == "It is meant."


def test_several_hard_leaks_are_all_named() -> None:
    found = of_somebody_else()
    turned = dataclasses.replace(
        found, outcomes=dataclasses.replace(found.outcomes, frame=found.outcomes.frame.reverse())
    )
    with pytest.raises(LeakError, match=r"^future_facts: .* with a reason \(and so with: join_explosion\)$"):
        look_for_leaks(turned)


@pytest.mark.parametrize(
    "plant", [calibrated_on_the_test_rows, outcomes_that_are_not_over, calibrated_on_outcomes_that_are_not_over]
)
def test_overlapping_windows_stop_the_run_and_no_reason_excuses_them(plant) -> None:  # type: ignore[no-untyped-def]
    found = accepting(plant(), **dict.fromkeys(HARD, "r"))
    with pytest.raises(LeakError, match="is not over by"):
        look_for_leaks(found)


def test_a_soft_concern_is_reported_and_stops_nothing() -> None:
    finding = findings_of(reviews_that_are_written_up_later())["filled_in_afterwards"]
    assert (finding.result, finding.hard, finding.accepted) == ("concern", False, None)


def test_a_reason_for_a_concern_that_did_not_arise_is_not_printed() -> None:
    findings = look_for_leaks(accepting(clean(), outcome_unknown="It was, once."))
    assert {finding.accepted for finding in findings} == {None}


def test_accepting_a_check_that_does_not_exist_is_refused() -> None:
    with pytest.raises(StudyError, match="accepted: no check is called 'outcome_unknwon'"):
        look_for_leaks(accepting(clean(), outcome_unknwon="typo"))


def test_with_nothing_but_rows_no_check_passes_in_silence() -> None:
    """What a detector lacks makes it unknown, never a pass, and stops nothing."""
    found = clean()
    bare = Evidence(found.cohort, found.features, found.outcomes, found.splits, found.study)
    unknown = {check for check, finding in findings_of(bare).items() if finding.result == "unknown"}
    assert unknown == {
        "future_facts", "objections_honoured", "row_position", "post_outcome_proxy", "lead_time", "permuted_outcomes",
        "undeclared_break", "linkage_gap", "recording_gap", "known_date",
    }  # fmt: skip


def test_the_same_evidence_gives_the_same_findings() -> None:
    found = clean()
    assert look_for_leaks(found) == look_for_leaks(dataclasses.replace(found))


def test_every_detector_says_what_it_makes_sure_of() -> None:
    assert all(detector.words and detector.detect.__doc__ for detector in DETECTORS.values())
