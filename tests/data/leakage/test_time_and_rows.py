"""What the checks of time, rows and people say where there is nothing to find, and at their edges."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import polars as pl
import pytest

from riskmodels.data.cohort import Cohort
from riskmodels.data.leakage import DETECTORS, Evidence, rows_of
from riskmodels.data.leakage.evidence import counted, named
from tests.data.leakage.made_county import BASE, a_study, clean, county, evidence, with_features
from tests.data.leakage.planted_in_time_and_people import grouped, many_origins


def detect(check: str, found: Evidence) -> tuple[str, str]:
    return DETECTORS[check].detect(found)


def asking(**sections: Any) -> Evidence:
    return dataclasses.replace(clean(), study=a_study(**sections).file)


# ---------------------------------------------------------------- words


def test_one_to_nine_people_are_not_counted_aloud() -> None:
    assert [counted(n, "rows") for n in (0, 1, 9, 10, 12, 13, 12_343)] == [
        "0 rows", "fewer than 10 rows", "fewer than 10 rows", "about 10 rows", "about 10 rows", "about 15 rows",
        "about 12,345 rows",
    ]  # fmt: skip
    assert named("abcdefgh") == "a, b, c, d, e, f and 2 more"
    assert named([]) == ""


# ---------------------------------------------------------------- time


def test_a_date_of_birth_needs_no_knowledge_date() -> None:
    cohort = {key: value for key, value in BASE["cohort"].items() if key != "cluster"}
    assert detect("known_date", asking(cohort=cohort))[0] == "pass"


def test_earlier_records_of_the_outcome_may_be_a_feature_if_they_say_when_they_were_known() -> None:
    result, words = detect("lineage", clean())
    assert result == "pass"
    assert words.startswith("starts: from earlier records of the outcome's own kind")


def test_other_kinds_of_the_outcomes_source_are_not_its_records() -> None:
    sources = {**BASE["sources"], "events": {**BASE["sources"]["events"], "known_date": None}}
    found = asking(sources=sources, features=[line for line in BASE["features"] if line["name"] != "starts"])
    assert detect("lineage", found) == ("pass", "no feature is drawn from the records that the outcome is read from")


def test_the_gap_before_the_test_is_told_in_days() -> None:
    result, words = detect("label_window_overlap", clean())
    assert result == "pass"
    # The last date that calibrates is October 2024: over in April 2025, recorded in June, four months before the test.
    assert words.endswith("the last outcome is recorded 122 days or more before the test date")


@pytest.mark.parametrize("day", ["2021-01-01", "2025-10-01"])
def test_a_break_before_a_test_with_known_outcomes_is_no_concern(day: str) -> None:
    found = asking(breaks=[{"date": day, "what": "a new law"}])
    assert detect("break_spanned", found) == ("pass", f"tested after the last declared break ({day})")


# ---------------------------------------------------------------- rows and households


def test_a_grouped_split_holds_people_and_households_apart() -> None:
    found = grouped()
    assert detect("same_people_calibrate", found) == ("pass", "0 ids are on both sides")
    assert detect("household_both_sides", found) == ("pass", "0 values of people.household_id are on both sides")
    assert detect("same_rows_twice", found)[0] == "pass"


def test_without_a_cluster_nobody_knows_who_lives_together() -> None:
    cohort = {key: value for key, value in BASE["cohort"].items() if key != "cluster"}
    assert detect("household_both_sides", asking(cohort=cohort))[0] == "unknown"


def test_families_are_compared_before_every_test_date() -> None:
    found = many_origins()
    tests = {split.test for split in found.splits.origins}
    calibrating = {day for split in found.splits.origins for day in split.calibrate}
    assert calibrating & tests == {dt.date(2024, 4, 1), dt.date(2024, 10, 1)}
    assert found.splits.choosing == {day for day in calibrating if day < min(tests)}
    assert found.splits.choosing
    assert detect("chosen_on_test", found)[0] == "pass"


def test_somebody_who_moves_between_households_stays_on_one_side() -> None:
    found = grouped()
    first = pl.col("as_of_date") == pl.col("as_of_date").min()
    moved = found.cohort.rows.with_columns(
        pl.when(first).then("cluster_id").otherwise(pl.lit("other ") + pl.col("cluster_id")).alias("cluster_id")
    )
    found = dataclasses.replace(found, cohort=Cohort(moved, pl.DataFrame()))
    fit, calibrate = rows_of(found.splits.service, moved, found.study)
    assert fit.any()
    assert calibrate.any()
    assert detect("same_people_calibrate", found)[0] == "pass"
    assert detect("same_rows_twice", found)[0] == "pass"


def test_a_later_split_uses_every_row_of_its_dates() -> None:
    found = clean()
    split = found.splits.service
    fit, calibrate = rows_of(split, found.cohort.rows, found.study)
    days = found.cohort.rows["as_of_date"]
    assert set(days.filter(fit)) == set(split.fit)
    assert set(days.filter(calibrate)) == set(split.calibrate)
    assert fit.sum() == days.is_in(list(split.fit)).sum()


# ---------------------------------------------------------------- people


@pytest.mark.parametrize("ids", [["A1", "A2", "a3"], ["100", "10", "1"], ["7-1", "7-2"], ["A0", "A"], ["0", "00A"]])
def test_ids_that_differ_are_different_people(ids: list[str]) -> None:
    assert detect("same_person_two_ids", with_ids(ids))[0] == "pass"


@pytest.mark.parametrize("ids", [["A1", "a1"], ["007", "7"], ["A-07", "A7"], ["AB 1", "ab1"], ["x.0001.2", "X12"]])
def test_ids_that_are_one_when_written_alike(ids: list[str]) -> None:
    assert detect("same_person_two_ids", with_ids(ids)) == (
        "concern", "fewer than 10 ids differ from another only in case, blanks or leading zeros",
    )  # fmt: skip


def with_ids(ids: list[str]) -> Evidence:
    rows = pl.DataFrame({"entity_id": ids, "as_of_date": [dt.date(2020, 1, 1)] * len(ids), "cluster_id": ids})
    return dataclasses.replace(clean(), cohort=Cohort(rows, pl.DataFrame()), tables=None)


def test_twins_of_one_household_are_not_one_person_twice() -> None:
    """Copies of some people with everything that is known of them, at the same address."""
    raw = county()
    some = raw["people"]["entity_id"].gather_every(20).to_list()
    copies = {
        name: frame.filter(pl.col("entity_id").is_in(some)).with_columns(("X" + pl.col("entity_id")).alias("entity_id"))
        for name, frame in raw.items()
    }
    found = evidence({name: pl.concat([frame, copies[name]]) for name, frame in raw.items()})
    assert detect("copied_rows", found)[0] == "pass"


def test_rows_that_say_little_cannot_be_told_from_chance() -> None:
    only = evidence(
        county(), a_study(features=[line for line in BASE["features"] if line["name"] in ("police", "age")])
    )
    assert detect("copied_rows", only) == ("unknown", "most rows say too little to tell a copy from chance")


def test_objectors_are_looked_for_only_where_there_is_a_list() -> None:
    assert detect("objections_honoured", clean())[0] == "unknown"
    listed = asking(objections={"file": "objections.csv", "entity": "id", "scope": "scope"})
    assert detect("objections_honoured", listed)[0] == "unknown"
    gone = dataclasses.replace(listed, objectors=frozenset(f"gone {i}" for i in range(12)))
    assert detect("objections_honoured", gone) == (
        "pass", "about 10 people objected to training; none of them is in the data",
    )  # fmt: skip


def test_an_attribute_that_is_dated_says_when_it_was_known() -> None:
    homes = {"file": "homes.parquet", "entity": "entity_id", "known_date": "known_on"}
    line = {"name": "ward", "take": "attribute", "of": "homes.ward", "words": "ward"}
    cohort = {key: value for key, value in BASE["cohort"].items() if key != "cluster"}
    found = asking(sources={**BASE["sources"], "homes": homes}, cohort=cohort, **with_features(line))
    assert detect("known_date", dataclasses.replace(found, tables=None))[0] == "pass"
