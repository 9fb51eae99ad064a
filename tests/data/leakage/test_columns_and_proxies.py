"""Columns, one by one: against slow oracles, and where they look suspicious and are not."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import numpy as np
import polars as pl
import pytest

from riskmodels.assessment.discrimination import auc as assessed_auc
from riskmodels.data.features import Features, FeatureSpec
from riskmodels.data.leakage import DETECTORS, Evidence
from riskmodels.data.leakage.auc import auc_with_error, best_case, share_scores, tree_scores
from riskmodels.data.leakage.proxies import recent_facts
from tests.data.leakage.made_county import a_study, clean, county, evidence, with_events, with_features
from tests.data.leakage.planted_in_columns_and_records import linked, sorted_by_shares

RNG = np.random.default_rng(20)


def detect(check: str, found: Evidence) -> tuple[str, str]:
    return DETECTORS[check].detect(found)


def with_column(values: np.ndarray | pl.Series, take: str = "latest", missing: str = "keep") -> Evidence:
    """The clean county with one more feature, as if it had been made from the tables."""
    found = clean()
    column = pl.Series("more", values, strict=False)
    spec = FeatureSpec(
        "more",
        take,
        "events.more",
        "ever",
        "events",
        "category" if column.dtype == pl.String else "number",
        missing,
        "m",
    )
    frame = found.features.frame.with_columns(column)
    # Without a register no cohort at the extract is made from the tables, which do not know of it.
    return dataclasses.replace(found, features=Features(frame, (*found.features.specs, spec)), register=None)


# ---------------------------------------------------------------- the AUC of a column


def test_the_auc_counts_pairs() -> None:
    values, outcome = RNG.integers(0, 5, 60).astype(float), RNG.random(60) < 0.4
    pairs = [(one > other) + (one == other) / 2 for one in values[outcome] for other in values[~outcome]]
    assert auc_with_error(values, outcome)[0] == pytest.approx(np.mean(pairs))


def test_auc_and_error_are_those_of_the_assessment() -> None:
    outcome = RNG.random(300) < 0.3
    values = np.round(RNG.normal(size=300) + outcome, 1)
    auc, error = auc_with_error(values, outcome)
    other = assessed_auc(outcome.astype(float), values)
    assert auc == pytest.approx(other.value)
    assert auc - 1.959963984540054 * error == pytest.approx(other.low, abs=0.01)


@pytest.mark.parametrize("seed", range(5))
def test_no_tree_beats_the_best_case(seed: int) -> None:
    """Rising, falling, a hump, a value that is missing where it matters, nothing at all."""
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=2_000)
    outcome = hidden + rng.normal(size=2_000) > 1
    values = [hidden, -hidden, np.abs(rng.normal(size=2_000) + (1 - 2 * outcome)), np.where(outcome, np.nan, 1.0)]
    fold = rng.integers(0, 5, 2_000)
    for column in [*values, np.full(2_000, np.nan), np.zeros(2_000)]:
        assert auc_with_error(tree_scores(column, outcome, fold), outcome)[0] <= best_case(column, outcome) + 0.01


def test_shares_come_from_other_people_only() -> None:
    words = pl.Series(["a", "a", "b", "b", "c", None, None])
    outcome = np.array([1, 0, 1, 1, 1, 1, 0], dtype=bool)
    fold = np.array([0, 1, 0, 0, 1, 0, 1])
    overall = 5 / 7
    # Of b there is nobody in the other fold, of c neither; the missing word is a word.
    assert share_scores(words, outcome, fold) == pytest.approx([0, 1, overall, overall, overall, 0, 1])


# ---------------------------------------------------------------- columns that look suspicious


@pytest.mark.parametrize(
    ("values", "take"),
    [
        (lambda n: np.arange(n) % 40.0, "latest"),
        (lambda n: pl.Series([f"ward {i % 20}" for i in range(n)]), "attribute"),
        (lambda n: pl.Series([f"street {i // 2}" for i in range(n)]), "attribute"),
        (lambda n: RNG.normal(size=n), "latest"),  # a measurement differs for everybody
        (lambda n: RNG.permutation(n) * 1.0, "count"),  # what is counted is no id
        (lambda n: np.arange(n) * 1.5, "age"),  # people stand by birth
        (lambda n: pl.Series([None] * n, dtype=pl.Float64), "latest"),
        (lambda n: np.where(np.arange(n) % 3 == 0, 1.0, np.nan), "latest"),
    ],
)
def test_ordinary_columns_are_no_ids_and_know_nothing(values: Any, take: str) -> None:
    column = pl.Series(values(clean().features.frame.height))
    found = with_column(column.fill_nan(None) if column.dtype.is_float() else column, take)
    for check in ("id_like", "too_good", "filled_in_afterwards"):
        result, words = detect(check, found)
        assert result == "pass", words


@pytest.mark.parametrize("seed", range(3))
def test_rare_words_know_nothing(seed: int) -> None:
    """Words that few share must not seem to tell the outcome because they were seen with it once."""
    n = clean().features.frame.height
    words = pl.Series([f"w{i}" for i in np.random.default_rng(seed).integers(0, n // 4, n)])
    result, said = detect("too_good", with_column(words))
    assert result == "pass", said


@pytest.mark.parametrize(("noise", "result"), [(0.6, "pass"), (0.4, "concern")])
def test_strong_is_not_too_good(noise: float, result: str) -> None:
    """An AUC of .88 is a very good column; one of .96 is a leak."""
    outcome = np.nan_to_num(clean().outcome)
    found = with_column(outcome + np.random.default_rng(1).normal(0, noise, len(outcome)))
    assert detect("too_good", found)[0] == result


def test_too_few_outcomes_tell_nothing() -> None:
    found = clean()
    few = found.outcomes.frame.with_columns(
        pl.when(pl.int_range(pl.len()) < 100).then("outcome").otherwise(None).alias("outcome")
    )
    found = dataclasses.replace(found, outcomes=dataclasses.replace(found.outcomes, frame=few))
    for check in ("too_good", "row_position", "post_outcome_proxy", "lead_time", "recording_gap"):
        assert detect(check, found)[0] == "unknown"


def test_one_date_cannot_show_what_is_filled_in_later() -> None:
    found = clean()
    day = found.features.frame.filter(pl.col("as_of_date") == dt.date(2024, 4, 1))
    one = dataclasses.replace(
        found,
        features=Features(day, found.features.specs),
        outcomes=dataclasses.replace(found.outcomes, frame=found.outcomes.frame.head(day.height)),
        register=None,
    )
    unknown = ("unknown", "only one as-of date, and too few to score on the day of the extract")
    assert detect("filled_in_afterwards", one) == unknown


# ---------------------------------------------------------------- proxies that are none


@pytest.mark.parametrize("a_year", [-0.4, -5.0])
@pytest.mark.parametrize("earlier_known", [True, False])
def test_a_feature_that_changes_with_time_is_no_proxy(a_year: float, earlier_known: bool) -> None:
    """It falls from year to year, as fast as if nobody's outcome were to come, or faster.

    The slow fall is told by the outcomes of earlier dates, the fast one by itself; only a slow one without earlier
    outcomes cannot be told from a proxy.
    """
    found = clean()
    rng, newest = np.random.default_rng(2), dt.date(2025, 10, 1)
    years = (found.features.frame["as_of_date"] - newest).dt.total_days().to_numpy() / 365.25
    noise = rng.normal(0, 0.5, len(years))
    falling = with_column(3.0 * (found.outcome == 1) + a_year * years + noise, "count")
    if not earlier_known:
        known = found.outcomes.frame.with_columns(
            pl.when(pl.col("as_of_date") == newest).then("outcome").otherwise(None).alias("outcome")
        )
        falling = dataclasses.replace(falling, outcomes=dataclasses.replace(found.outcomes, frame=known))
    later = falling.features.frame.filter(pl.col("as_of_date") == newest)
    to_come = rng.random(later.height) < np.nanmean(found.outcome)
    later = later.with_columns(more=pl.Series(3.0 * to_come + a_year * 0.75 + rng.normal(0, 0.5, later.height)))
    evidence = dataclasses.replace(falling, scoring=Features(later, falling.features.specs))
    expected = "concern" if a_year == -0.4 and not earlier_known else "pass"
    result, words = detect("post_outcome_proxy", evidence)
    assert result == expected, words


@pytest.mark.parametrize(("share", "result"), [(1.0, "pass"), (0.0, "concern")])
def test_a_strong_feature_is_a_proxy_only_if_it_waits_for_the_outcome(share: float, result: str) -> None:
    found = clean()
    rng = np.random.default_rng(3)
    strong = with_column(np.where(found.outcome == 1, 3.0, 0.0) + rng.normal(0, 0.5, len(found.outcome)), "count")
    newest = (found.features.frame["as_of_date"] == dt.date(2025, 10, 1)).to_numpy()
    to_come = (rng.random(newest.sum()) < np.nanmean(found.outcome[newest])) & (rng.random(newest.sum()) < share)
    frame = strong.features.frame.filter(pl.Series(newest)).with_columns(
        more=pl.Series(np.where(to_come, 3.0, 0.0) + rng.normal(0, 0.5, newest.sum()))
    )
    said = detect("post_outcome_proxy", dataclasses.replace(strong, scoring=Features(frame, strong.features.specs)))
    assert said[0] == result, said[1]


def test_nothing_is_told_without_a_cohort_to_come() -> None:
    unknown = ("unknown", "no cohort of 200 rows whose outcomes nobody can know yet")
    assert detect("post_outcome_proxy", dataclasses.replace(clean(), register=None)) == unknown
    few = Features(clean().features.frame.head(100), clean().features.specs)
    assert detect("post_outcome_proxy", dataclasses.replace(clean(), scoring=few)) == unknown


def test_a_yearly_survey_just_before_the_date_is_no_first_step() -> None:
    """Everybody is asked in March, and half answer: much in the last month, and nothing to do with the outcome."""
    raw = county()
    asked = raw["people"].select("entity_id").sample(fraction=0.5, seed=6)
    for year in range(2021, 2026):
        day = dt.date(year, 3, 20)
        rows = asked.with_columns(happened_on=pl.lit(day), known_on=pl.lit(day), kind=pl.lit(""), value=1.0)
        raw = with_events(raw, "survey", rows, 0)
    line = {"name": "surveys", "take": "count", "of": "survey", "last": "12 months", "words": "w"}
    found = evidence(raw, a_study(**with_features(line, survey={"in": "events", "kind": "survey"})))
    assert detect("lead_time", found) == (
        "pass",
        "of 6 kinds of record, none foretells more in the last month than a little earlier",
    )


def test_recent_facts_are_counted_as_known_then() -> None:
    """Against a count by hand: days 1 to 30 before the date are the last month, and what was not known is not there."""
    found = clean()
    assert found.tables is not None
    recent = recent_facts(found, 3)
    assert recent is not None
    events = found.tables["events"].frame.filter(pl.col("kind") == "police_contact")
    rows = found.cohort.rows[recent.rows.tolist()]
    for place in range(0, rows.height, 9):
        who, as_of = rows.row(place)[:2]
        ago = [
            (as_of - event).days
            for event, known in events.filter(pl.col("entity_id") == who).select("event_date", "known_date").iter_rows()
            if known < as_of and event < as_of
        ]
        by_hand = [sum(30 * month < days <= 30 * (month + 1) for days in ago) for month in range(3)]
        assert recent.counts["police"][place].tolist() == by_hand
    assert sum(counts.sum() for counts in recent.counts.values()) > 0


def test_of_whom_a_source_cannot_speak_no_facts_are_counted() -> None:
    found = linked(0.0)
    recent = recent_facts(found, 2)
    assert recent is not None
    linked_people = county(unlinked=0.04)["people"].filter("police_linked")["entity_id"].to_list()
    spoken_for = found.cohort.rows["entity_id"][recent.rows.tolist()].is_in(linked_people).to_numpy()
    assert 0 < (~spoken_for).sum() < len(spoken_for) / 5
    assert (np.isnan(recent.counts["police"]).all(axis=1) == ~spoken_for).all()
    assert not np.isnan(recent.counts["absence"]).any()


def test_a_model_that_learns_from_its_own_rows_cannot_foretell_shuffled_outcomes() -> None:
    result, words = detect("permuted_outcomes", sorted_by_shares(clean(), learned_from_all=False))
    assert result == "pass", words
    assert words.startswith("AUC 0.")
    assert words.endswith("; the features were not made again")


def test_shuffling_needs_outcomes() -> None:
    found = sorted_by_shares(clean(), learned_from_all=False)
    nothing = found.outcomes.frame.with_columns(pl.lit(None, dtype=pl.Int8).alias("outcome"))
    found = dataclasses.replace(found, outcomes=dataclasses.replace(found.outcomes, frame=nothing))
    assert detect("permuted_outcomes", found)[0] == "unknown"
