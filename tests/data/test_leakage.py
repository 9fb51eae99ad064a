"""Every detector with its leak planted, and without."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest

from riskmodels.data.cohort import Cohort
from riskmodels.data.features import Features, FeatureSpec
from riskmodels.data.leakage import DETECTORS, Evidence, look_for_leaks, rows_of
from riskmodels.data.outcomes import Outcomes
from riskmodels.data.splits import Splits, plan_splits
from riskmodels.errors import LeakError, StudyError
from riskmodels.study import StudyFile
from tests.data.small_study import study_file

DATES = tuple(dt.date(2020, month, 1) for month in (1, 5, 9))
EXTRACT = dt.date(2021, 6, 30)
PEOPLE = 200
RNG = np.random.default_rng(20)
TRUE_RISK = RNG.normal(size=len(DATES) * PEOPLE)
HAPPENED = (TRUE_RISK + RNG.normal(size=len(TRUE_RISK)) > 1).astype(int)


def spec(name: str, kind: str = "number", take: str = "latest") -> FeatureSpec:
    return FeatureSpec(name, take, f"records.{name}", "ever", "records", kind, "keep", name)


def study(**changes: Any) -> StudyFile:
    return study_file(
        cohort={"as_of_dates": list(DATES)},
        **{"split": {"test": {"last": 2}, "calibrate": "grouped", "why_grouped": "small"}, **changes},
    )


def evidence(columns: dict[str, list[Any]] | None = None, **changes: Any) -> Evidence:
    """200 people on three dates, one honest feature, and what a test plants."""
    rows = pl.DataFrame(
        {
            "entity_id": [f"p{i}" for i in range(PEOPLE)] * len(DATES),
            "as_of_date": [day for day in DATES for _ in range(PEOPLE)],
            "cluster_id": [f"h{i // 2}" for i in range(PEOPLE)] * len(DATES),
        }
    )
    given = {"honest": TRUE_RISK.tolist(), **(columns or {})}
    frame = rows.select("entity_id", "as_of_date").with_columns(
        **{name: pl.Series(values, strict=False) for name, values in given.items()}
    )
    specs = tuple(spec(name, "category" if frame.schema[name] == pl.String else "number") for name in given)
    outcome = pl.Series("outcome", HAPPENED, dtype=pl.Int8)
    known = rows.select("entity_id", "as_of_date").with_columns(outcome, pl.lit("known").alias("outcome_status"))
    file = study(**changes)
    return Evidence(
        Cohort(rows, pl.DataFrame()), Features(frame, specs), Outcomes(known, EXTRACT), plan_splits(file, EXTRACT), file
    )


def with_outcomes(found: Evidence, where: pl.Expr, status: str) -> Evidence:
    frame = found.outcomes.frame.with_columns(
        pl.when(where).then(None).otherwise(pl.col("outcome")).alias("outcome"),
        pl.when(where).then(pl.lit(status)).otherwise(pl.col("outcome_status")).alias("outcome_status"),
    )
    return dataclasses.replace(found, outcomes=Outcomes(frame, EXTRACT))


# ---------------------------------------------------------------- the planted leaks


def calibrated_on_the_test_rows() -> Evidence:
    found = evidence()
    planted = dataclasses.replace(found.splits.origins[1], calibrate=(DATES[2],))
    return dataclasses.replace(found, splits=Splits((found.splits.origins[0], planted), found.splits.service))


def the_test_date_taught() -> Evidence:
    found = evidence()
    planted = dataclasses.replace(found.splits.origins[1], test=DATES[0])
    return dataclasses.replace(found, splits=Splits((planted,), found.splits.service))


def same_dates_without_the_draw() -> Evidence:
    """Dates of a grouped split, treated as if they were different dates: the same people stand on both sides."""
    found = evidence()
    planted = tuple(dataclasses.replace(split, how="later") for split in found.splits.origins)
    return dataclasses.replace(found, splits=Splits(planted, found.splits.service))


def a_different_word_for_everybody() -> Evidence:
    return evidence({"case": [f"case {i}" for i in range(PEOPLE)] * len(DATES)})


def a_different_number_for_everybody() -> Evidence:
    return evidence({"case": [float(1000 + i) for i in range(PEOPLE)] * len(DATES)})


def a_column_that_knows_the_outcome() -> Evidence:
    return evidence({"closed": (HAPPENED + RNG.normal(scale=0.1, size=len(HAPPENED))).tolist()})


def a_word_that_knows_the_outcome() -> Evidence:
    return evidence({"stage": [("referred", "none")[1 - happened] for happened in HAPPENED]})


def filled_only_where_it_happened() -> Evidence:
    return evidence({"plan": [1.0 if happened else None for happened in HAPPENED]})


def filled_later() -> Evidence:
    latest = [None if i < 140 else 1.0 for i in range(PEOPLE)]  # 30% now, 100% before
    return evidence({"assessed": [1.0] * PEOPLE * 2 + latest})


def unknown_for_an_eighth() -> Evidence:
    number = pl.col("entity_id").str.slice(1).cast(pl.Int32)
    tested = pl.col("as_of_date") > DATES[0]
    return with_outcomes(evidence(), tested & (number % 8 == 0), "unobserved")


def broken_after_the_last_test() -> Evidence:
    return evidence(breaks=[{"date": "2020-09-02", "what": "a new law"}])


def broken_before_a_test_that_is_not_over() -> Evidence:
    """The only test date after the break has no outcome yet, so it is no test on the present."""
    found = evidence(breaks=[{"date": "2020-08-01", "what": "a new law"}])
    return with_outcomes(found, pl.col("as_of_date") == DATES[2], "immature")


PLANTED: list[tuple[str, Callable[[], Evidence], str]] = [
    ("same_rows_twice", calibrated_on_the_test_rows, "rows are used twice at origin 1"),
    ("same_rows_twice", the_test_date_taught, "200 rows are used twice at origin 1"),
    ("same_rows_twice", same_dates_without_the_draw, "200 rows are used twice at origin 0"),
    ("same_people_calibrate", same_dates_without_the_draw, "200 people or households are on both sides at origin 0"),
    ("id_like", a_different_word_for_everybody, "nearly every value differs in: case"),
    ("id_like", a_different_number_for_everybody, "nearly every value differs in: case"),
    ("too_good", a_column_that_knows_the_outcome, "the strongest single column is closed, AUC 1.00 (limit 0.97)"),
    ("too_good", a_word_that_knows_the_outcome, "the strongest single column is stage, AUC 1.00 (limit 0.97)"),
    ("too_good", filled_only_where_it_happened, "the strongest single column is plan (being missing), AUC 1.00"),
    ("filled_in_afterwards", filled_later, "recorded less than half as often on 2020-09-01: assessed"),
    ("outcome_unknown", unknown_for_an_eighth, "the outcome is unknown for 12% of the test rows"),
    ("break_spanned", broken_after_the_last_test, "never tested on the present: a new law (2020-09-02) came after"),
    ("break_spanned", broken_before_a_test_that_is_not_over, "never tested on the present: a new law (2020-08-01)"),
]


@pytest.mark.parametrize(("check", "plant", "said"), PLANTED, ids=[plant.__name__ for _, plant, _ in PLANTED])
def test_a_planted_leak_is_found(check: str, plant: Callable[[], Evidence], said: str) -> None:
    result, words = DETECTORS[check][2](plant())
    assert result == "concern"
    assert said in words


def test_every_detector_has_a_planted_leak() -> None:
    assert {check for check, _, _ in PLANTED} == set(DETECTORS)


@pytest.mark.parametrize("check", DETECTORS)
def test_no_alarm_without_a_leak(check: str) -> None:
    number = [float(i % 40) for i in range(PEOPLE)] * len(DATES)  # whole numbers that many people share
    word = [f"ward {i % 20}" for i in range(PEOPLE)] * len(DATES)
    rare = [f"street {i // 2}" for i in range(PEOPLE)] * len(DATES)  # two people each: no knowledge, only few people
    gaps = [None if i % 3 else 1.0 for i in range(PEOPLE)] * len(DATES)
    nothing = [None] * PEOPLE * len(DATES)
    columns = {"number": number, "word": word, "rare": rare, "gaps": gaps}
    found = evidence(columns, breaks=[{"date": "2020-08-01", "what": "a new law"}])
    found = dataclasses.replace(
        found,
        features=Features(
            found.features.frame.with_columns(pl.Series("nothing", nothing, dtype=pl.Float64)),
            (*found.features.specs, spec("nothing")),
        ),
    )
    result, words = DETECTORS[check][2](found)
    assert result == "pass", words


@pytest.mark.parametrize("seed", range(5))
def test_rare_words_know_nothing(seed: int) -> None:
    """Words that few share must not seem to tell the outcome because they were seen with it once."""
    words = [f"w{i}" for i in np.random.default_rng(seed).integers(0, 400, len(HAPPENED))]
    result, said = DETECTORS["too_good"][2](evidence({"word": words}))
    assert result == "pass", said


def test_too_little_to_tell() -> None:
    found = with_outcomes(evidence(), pl.col("as_of_date") >= DATES[0], "unobserved")
    assert DETECTORS["too_good"][2](found) == ("unknown", "fewer than 20 outcomes of each kind")
    one_date = evidence()
    frame = one_date.features.frame.filter(pl.col("as_of_date") == DATES[0])
    one_date = dataclasses.replace(one_date, features=Features(frame, one_date.features.specs))
    assert DETECTORS["filled_in_afterwards"][2](one_date) == ("unknown", "only one as-of date")


# ---------------------------------------------------------------- what a concern does


@pytest.mark.parametrize("plant", [a_different_word_for_everybody, filled_only_where_it_happened])
def test_a_hard_leak_stops_the_run_unless_it_is_accepted(plant: Callable[[], Evidence]) -> None:
    found = plant()
    check = next(check for check, planted, _ in PLANTED if planted is plant)
    advice = rf"take it out of the study, or answer it under accepted\.{check} with a reason"
    with pytest.raises(LeakError, match=f"{check}: .*; {advice}"):
        look_for_leaks(found)
    accepted = dataclasses.replace(found, study=study(accepted={check: "It is meant."}))
    findings = {finding.check: finding for finding in look_for_leaks(accepted)}
    assert findings[check].result == "concern"
    assert findings[check].to_dict()["accepted"] == "It is meant."


@pytest.mark.parametrize("plant", [calibrated_on_the_test_rows, the_test_date_taught, same_dates_without_the_draw])
def test_rows_used_twice_stop_the_run_and_no_reason_excuses_them(plant: Callable[[], Evidence]) -> None:
    found = dataclasses.replace(plant(), study=study(accepted={"same_rows_twice": "r", "same_people_calibrate": "r"}))
    with pytest.raises(LeakError):
        look_for_leaks(found)


def test_a_soft_concern_is_reported_and_stops_nothing() -> None:
    findings = {finding.check: finding for finding in look_for_leaks(filled_later())}
    assert (findings["filled_in_afterwards"].result, findings["filled_in_afterwards"].hard) == ("concern", False)
    assert findings["filled_in_afterwards"].accepted is None


def test_an_honest_study_passes_every_check() -> None:
    findings = look_for_leaks(evidence(accepted={"outcome_unknown": "It was, once."}))
    assert {finding.check for finding in findings} == {"label_window_overlap", "future_facts", *DETECTORS}
    assert {finding.result for finding in findings} == {"pass"}
    # A reason for a concern that did not arise is not printed.
    assert {finding.accepted for finding in findings} == {None}


def test_overlapping_label_windows_stop_the_run_whoever_planned_them() -> None:
    found = evidence()
    early = dataclasses.replace(found.splits.origins[1], fit=(dt.date(2020, 8, 1),))
    with pytest.raises(LeakError, match="the outcome of 2020-08-01 is not over by 2020-09-01"):
        look_for_leaks(dataclasses.replace(found, splits=Splits((early,), found.splits.service)))


def test_accepting_a_check_that_does_not_exist_is_refused() -> None:
    with pytest.raises(StudyError, match="accepted: no check is called 'outcome_unknwon'"):
        look_for_leaks(evidence(accepted={"outcome_unknwon": "typo"}))


# ---------------------------------------------------------------- who fits and who calibrates


def test_somebody_who_moves_between_households_stays_on_one_side() -> None:
    found = evidence()
    moved = found.cohort.rows.with_columns(
        pl.when(pl.col("as_of_date") == DATES[0])
        .then(pl.col("cluster_id"))
        .otherwise("other " + pl.col("cluster_id"))
        .alias("cluster_id")
    )
    found = dataclasses.replace(found, cohort=Cohort(moved, pl.DataFrame()))
    fit, calibrate = rows_of(found.splits.service, moved, found.study)
    assert fit.any()
    assert calibrate.any()
    assert DETECTORS["same_people_calibrate"][2](found)[0] == "pass"
    assert DETECTORS["same_rows_twice"][2](found)[0] == "pass"


def test_a_later_split_uses_every_row_of_its_dates() -> None:
    found = evidence()
    split = dataclasses.replace(found.splits.service, fit=DATES[:1], calibrate=DATES[2:], how="later")
    fit, calibrate = rows_of(split, found.cohort.rows, found.study)
    assert fit.to_list() == [True] * PEOPLE + [False] * 2 * PEOPLE
    assert calibrate.to_list() == [False] * 2 * PEOPLE + [True] * PEOPLE
