"""Feeds, groups and outcomes: what is declared, what is too small to tell, and numbers worked out elsewhere."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re

import numpy as np
import polars as pl
import pytest

from riskmodels.data.leakage import DETECTORS, Evidence
from riskmodels.data.leakage.evidence import counted
from riskmodels.data.leakage.records import _difference, _jump
from tests.data.leakage.made_county import BASE, a_study, clean, county, evidence, with_features
from tests.data.leakage.planted_in_columns_and_records import linked, one_group_is_linked_less, one_group_is_seen_less

BREAK = dt.date(2023, 7, 1)
NOTHING = np.zeros(72, dtype=bool)


def detect(check: str, found: Evidence) -> tuple[str, str]:
    return DETECTORS[check].detect(found)


# ---------------------------------------------------------------- breaks in a feed


def months(seed: int, level: float = 200.0) -> np.ndarray:
    return np.random.default_rng(seed).poisson(level, 72).astype(float)


@pytest.mark.parametrize("seed", range(20))
def test_neither_seasons_nor_growth_nor_chance_are_a_break(seed: int) -> None:
    month = np.arange(72)
    season = 1 + 0.8 * np.sin(month * np.pi / 6)
    growth = np.exp(0.02 * month)
    assert _jump(months(seed), NOTHING) is None
    assert _jump(months(seed, 25.0), NOTHING) is None
    assert _jump(np.random.default_rng(seed).poisson(200 * season * growth).astype(float), NOTHING) is None
    # Where there are very many facts, a change of a tenth is sure, and still no break.
    step = 20_000 * season * np.where(month >= 37, 0.9, 1.0)
    assert _jump(np.random.default_rng(seed).poisson(step).astype(float), NOTHING) is None
    # One month without anything, as when a file was lost, is not half a year.
    lost = months(seed)
    lost[40] = 0
    assert _jump(lost, NOTHING) is None


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("factor", [0.4, 1.8])
def test_a_break_is_dated_within_a_month_whatever_the_season(seed: int, factor: float) -> None:
    month = np.arange(72)
    level = 200 * (1 + 0.5 * np.sin(month * np.pi / 6)) * np.where(month >= 37, factor, 1.0)
    found = _jump(np.random.default_rng(seed).poisson(level).astype(float), NOTHING)
    assert found is not None
    assert abs(found[0] - 37) <= 1
    assert np.exp(found[1]) == pytest.approx(factor, rel=0.15)


def broken(**sections: object) -> Evidence:
    return evidence(county(break_on=BREAK), a_study(**sections))


@pytest.mark.parametrize("affects", [[], ["events"], ["absence", "police"]])
def test_a_declared_break_is_no_concern(affects: list[str]) -> None:
    found = broken(breaks=[{"date": BREAK, "what": "a new case system", "affects": affects}])
    assert detect("undeclared_break", found)[0] == "pass"


def test_a_break_that_is_declared_for_another_word_or_day_explains_nothing() -> None:
    other = broken(breaks=[{"date": BREAK, "what": "a new case system", "affects": ["absence"]}])
    result, words = detect("undeclared_break", other)
    assert result == "concern"
    assert "police_contact" in words
    assert "school_absence" not in words
    early = broken(breaks=[{"date": "2021-01-01", "what": "a new law", "affects": []}])
    assert detect("undeclared_break", early)[0] == "concern"


def test_on_a_relative_clock_a_month_is_not_the_same_time_for_all() -> None:
    found = broken()
    relative = dataclasses.replace(found, study=found.study.model_copy(update={"clock": "relative"}))
    assert detect("undeclared_break", relative)[0] == "unknown"


def test_what_has_not_come_in_yet_is_no_break() -> None:
    """Of the last four months hardly anything has been written down."""
    raw = county()
    late = pl.col("happened_on") >= dt.date(2026, 3, 1)
    raw = {**raw, "events": raw["events"].filter(~late | (pl.int_range(pl.len()) % 20 == 0))}
    assert detect("undeclared_break", evidence(raw))[0] == "pass"


def test_short_feeds_are_named() -> None:
    raw = county()
    raw = {**raw, "events": raw["events"].filter(pl.col("happened_on") > dt.date(2024, 6, 1))}
    few = a_study(cohort={**BASE["cohort"], "as_of_dates": ["2025-04-01", "2025-10-01"]}, split={
        "test": {"last": 1}, "calibrate": "grouped", "why_grouped": "few dates"})  # fmt: skip
    with_horizon = few.file.model_copy(update={"seed": 1})
    found = dataclasses.replace(clean(), tables=evidence_tables(raw), study=with_horizon)
    assert detect("undeclared_break", found) == ("unknown", "no feed has 30 months with enough facts in each")


def evidence_tables(raw: dict[str, pl.DataFrame]):  # type: ignore[no-untyped-def]
    from tests.data.leakage.made_county import read

    return read(raw, a_study())


# ---------------------------------------------------------------- groups


def test_the_interval_of_a_difference_is_newcombes() -> None:
    """Newcombe 1998, method 10: 56/70 against 48/80."""
    assert _difference(56, 70, 48, 80) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)


def test_a_planted_gap_in_linkage_is_told_with_its_interval() -> None:
    """About 15 points of 96 in 100 are lost: a gap of some 14, in one of the groups and in none of the others."""
    result, words = detect("linkage_gap", one_group_is_linked_less())
    assert result == "concern"
    found = re.findall(r"police, ([\w ]+) against ([\w ]+): (-?\d+) points \((-?\d+) to (-?\d+)\)", words)
    assert [row[:2] for row in found] == [("Asian", "White British")]
    gap, low, high = map(int, found[0][2:])
    assert low < gap < high < -5
    assert -19 <= gap <= -10


def test_equal_linkage_passes_and_tells_the_widest_gap() -> None:
    result, words = detect("linkage_gap", linked(0.0))
    assert result == "pass"
    assert words.startswith("no gap surely wider than 5 points; the widest is police, ")


def test_without_a_link_nobody_knows_who_was_not_found() -> None:
    assert detect("linkage_gap", clean())[0] == "unknown"
    assert detect("linkage_gap", dataclasses.replace(clean(), groups=None))[0] == "unknown"


def test_groups_that_are_seen_alike_pass() -> None:
    result, words = detect("recording_gap", clean())
    assert result == "pass", words


def test_a_group_that_is_seen_less_is_named_with_how_much() -> None:
    words = detect("recording_gap", one_group_is_seen_less())[1]
    (share,) = re.findall(r"White other \(by up to (\d+)%", words)
    assert 35 <= int(share) <= 60
    assert ";" not in words.split("written down of:")[1].split(". Less")[0]


def test_a_group_of_whom_nothing_is_written_down_is_named() -> None:
    found = evidence(county(under_recorded=(("White other", 1.0),)))
    assert "White other (by up to 100%: absence, arrears, police, visit)" in detect("recording_gap", found)[1]


def test_those_whom_a_source_cannot_speak_of_are_not_counted_as_seen_less() -> None:
    """Of a linked source as of the others: the group is named with the police's records, and no word is lost."""
    raw = county(unlinked=0.04, under_recorded=(("White other", 0.7),))
    words = detect("recording_gap", linked(0.0, raw))[1]
    assert "White other (by up to 7" in words
    assert "police" in words


# ---------------------------------------------------------------- outcomes


def test_parameters_are_numbers_and_words_less_one() -> None:
    ward = {"name": "ward", "take": "attribute", "of": "people.ward", "missing": "category", "words": "ward"}
    plain, more = clean(), evidence(county(), a_study(**with_features(ward)))
    count = [
        int(re.findall(r"to learn (\d+) parameters", detect("too_few_outcomes", found)[1])[0])
        for found in (plain, more)
    ]
    assert count[0] == len(plain.features.specs)
    assert count[1] - count[0] == more.features.frame["ward"].n_unique() - 1


def test_the_origin_with_the_fewest_outcomes_counts() -> None:
    found = clean()
    one = dataclasses.replace(found.splits.origins[0], fit=found.splits.origins[0].fit[:1])
    fewer = dataclasses.replace(found, splits=dataclasses.replace(found.splits, origins=(one,)))
    events = int(np.nansum(found.outcome[(found.cohort.rows["as_of_date"] == one.fit[0]).to_numpy()]))
    said = counted(events)
    assert detect("too_few_outcomes", fewer)[1].startswith((f"{said} of", f"too little data: {said} of"))


def test_hardly_any_outcomes_are_not_counted_aloud() -> None:
    found = clean()
    nothing = found.outcomes.frame.with_columns(
        pl.when(pl.int_range(pl.len()) % 2_000 == 0).then(1).otherwise(0).cast(pl.Int8).alias("outcome")
    )
    result, words = detect(
        "too_few_outcomes", dataclasses.replace(found, outcomes=dataclasses.replace(found.outcomes, frame=nothing))
    )
    assert result == "concern"
    assert words.startswith("too little data: fewer than 10 of the rarer outcome")


@pytest.mark.parametrize(("every", "result"), [(8, "concern"), (16, "pass")])
def test_outcomes_that_are_unknown_for_more_than_a_tenth(every: int, result: str) -> None:
    found = clean()
    row = pl.int_range(pl.len()) % every == 0
    frame = found.outcomes.frame.with_columns(
        pl.when(row).then(pl.lit("unobserved")).otherwise(pl.lit("known")).alias("outcome_status")
    )
    found = dataclasses.replace(found, outcomes=dataclasses.replace(found.outcomes, frame=frame))
    assert detect("outcome_unknown", found)[0] == result
