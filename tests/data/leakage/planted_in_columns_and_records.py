"""Leaks of columns, proxies, records and outcomes, planted in the tables or a careless step."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import numpy as np
import polars as pl

from riskmodels.data.features import Features
from riskmodels.data.leakage import Evidence
from riskmodels.data.leakage.rows import rows_of
from riskmodels.data.splits import Split
from riskmodels.data.synthetic import EXTRACTED_ON
from tests.data.leakage.made_county import (
    BASE,
    COUNT,
    Raw,
    a_study,
    changed,
    clean,
    county,
    evidence,
    starts,
    with_events,
    with_features,
)

# ---------------------------------------------------------------- columns


def _attribute(values: pl.Series, name: str = "score") -> Evidence:
    """A feature that is a column of the table of people."""
    raw = county()
    line = {"name": name, "take": "attribute", "of": f"people.{name}", "words": "w"}
    people = raw["people"].with_columns(values.alias(name))
    return evidence(changed(raw, people=people), a_study(**with_features(line)))


def a_different_word_for_everybody() -> Evidence:
    return _attribute("case " + county()["people"]["entity_id"].reverse(), "case_number")


def a_different_number_for_everybody() -> Evidence:
    numbers = np.random.default_rng(1).permutation(county()["people"].height) + 1_000
    return _attribute(pl.Series(numbers), "case_number")


def a_running_number_under_another_name() -> Evidence:
    place = np.arange(county()["people"].height)
    return _attribute(pl.Series(np.sqrt(place + np.random.default_rng(2).normal(0, 20, len(place)) + 100)))


def sorted_by_what_came_later() -> Evidence:
    """An extract of a case system lists the open cases of today first."""
    raw = county()
    recent = starts(raw).filter(pl.col("happened_on") >= dt.date(2021, 4, 1))["entity_id"].to_list()
    people = raw["people"].sort(pl.col("entity_id").is_in(recent), descending=True, maintain_order=True)
    return evidence(changed(raw, people=people))


def notes_made_once_it_had_happened() -> Evidence:
    """The county's own leak: a note under the date of the first concern, as if known on that day."""
    line = {"name": "plans", **COUNT, "of": "plan", "words": "plans"}
    return evidence(county(leak=True), a_study(**with_features(line, plan={"in": "events", "kind": "plan_meeting"})))


def filled_only_where_it_happened() -> Evidence:
    """A value that only those have to whom it happened: its being missing tells."""
    raw = with_events(county(), "panel", starts(county()), 184)
    line = {"name": "panel", "take": "latest", "of": "panel.value", "last": "7 months", "words": "panel score"}
    return evidence(raw, a_study(**with_features(line, panel={"in": "events", "kind": "panel"})))


def a_word_that_knows_the_outcome() -> Evidence:
    """A status of the case, as the extract has it, of somebody seen on one date only."""
    raw = county()
    study = a_study(
        **with_features({"name": "ward", "take": "attribute", "of": "people.ward", "missing": "category", "words": "w"})
    )
    honest = evidence(raw, study)
    said = pl.when(pl.Series(honest.outcome == 1)).then(pl.lit("case")).otherwise(pl.lit("none"))
    frame = honest.features.frame.with_columns(said.alias("ward"))
    return dataclasses.replace(honest, features=Features(frame, honest.features.specs))


def reviews_that_are_written_up_later() -> Evidence:
    """Under the day of the review, and as if known on that day: of the last two years hardly any are there yet."""
    raw = county()
    late = (pl.col("kind") == "review") & (pl.col("happened_on") > dt.date(2023, 10, 1))
    return evidence(changed(raw, events=raw["events"].filter(~late | (pl.int_range(pl.len()) % 50 == 0))))


def counts_that_are_written_up_later() -> Evidence:
    """Counts are never missing: nought is what is not there yet."""
    raw = county()
    late = (pl.col("kind") == "school_absence") & (pl.col("happened_on") > dt.date(2024, 10, 1))
    return evidence(changed(raw, events=raw["events"].filter(~late | (pl.int_range(pl.len()) % 50 == 0))))


def closed_once_it_had_happened() -> Evidence:
    """The result of a case: without dates, and blank for whoever never had one."""
    ever = starts(county())["entity_id"].unique().to_list()
    result = pl.when(pl.col("entity_id").is_in(ever)).then(pl.lit("closed")).otherwise(None)
    return _attribute(county()["people"].select(result.alias("result")).to_series(), "result")


def not_yet_there_when_it_is_scored() -> Evidence:
    """As complete on the latest as-of date as before, and blank for everybody on the day of the extract."""
    found = clean()
    spec = dataclasses.replace(found.features.specs[0], name="panel")
    taught = found.features.frame.with_columns(pl.lit(1.0).alias("panel"))
    assert found.to_come is not None
    scored = found.to_come.frame.with_columns(pl.lit(None, dtype=pl.Float64).alias("panel"))
    specs = (*found.features.specs, spec)
    return dataclasses.replace(found, features=Features(taught, specs), scoring=Features(scored, specs))


# ---------------------------------------------------------------- proxies


def the_first_step_of_the_outcome() -> Evidence:
    """A referral is how a case begins, two to four weeks before it starts: known in time, and no news."""
    rng = np.random.default_rng(3)
    raw = with_events(county(), "referral", starts(county()), rng.integers(14, 29, starts(county()).height))
    # Some referrals come to nothing, so that there are some in every month.
    people = raw["people"].select("entity_id").sample(1_500, with_replacement=True, seed=4)
    days = rng.integers(0, 2_500, people.height)
    idle = people.with_columns(
        happened_on=pl.lit(EXTRACTED_ON), known_on=pl.lit(EXTRACTED_ON), kind=pl.lit(""), value=1.0
    )
    raw = with_events(raw, "referral", idle, days)
    line = {"name": "referrals", **COUNT, "of": "referral", "words": "referrals"}
    outcome = {**BASE["outcome"], "horizon": "1 month"}
    study = a_study(outcome=outcome, **with_features(line, referral={"in": "events", "kind": "referral"}))
    return evidence(raw, study)


def sorted_by_shares(found: Evidence, learned_from_all: bool) -> Evidence:
    """A model that sorts by the share of outcomes that people of a household had, learned from some rows."""
    rows = found.cohort.rows

    def predict(outcomes: pl.Series, split: Split) -> np.ndarray:
        fit = rows_of(split, rows, found.study)[0]
        taught = rows.with_columns(outcomes).filter(fit | learned_from_all)
        shares = taught.group_by("cluster_id").agg(pl.col("outcome").mean().alias("share"))
        test = rows.filter(pl.col("as_of_date") == split.test)
        return test.join(shares, on="cluster_id", how="left", maintain_order="left")["share"].fill_null(0.1).to_numpy()

    return dataclasses.replace(found, predict=predict)


def encoded_with_the_test_outcomes() -> Evidence:
    return sorted_by_shares(clean(), learned_from_all=True)


# ---------------------------------------------------------------- records and outcomes


def a_feed_that_breaks() -> Evidence:
    return evidence(county(break_on=dt.date(2023, 7, 1)))


LINKED: dict[str, Any] = {
    **BASE["sources"],
    "police": {**BASE["sources"]["events"], "file": "police.parquet", "link": {"flag": "people.police_linked"}},
}


def linked(missing: float, raw: Raw | None = None, **sections: Any) -> Evidence:
    """The police's records stand apart; of so many more Asian children they could not be matched."""
    raw = raw or county(unlinked=0.04)
    asian = raw["equality"].filter(pl.col("ethnicity") == "Asian")["entity_id"].unique().to_list()
    lost = pl.Series(np.random.default_rng(5).random(raw["people"].height) < missing) & pl.col("entity_id").is_in(asian)
    table = raw["people"].with_columns(pl.col("police_linked") & ~lost)
    matched = table.filter("police_linked")["entity_id"].to_list()
    police = pl.col("kind") == "police_contact"
    tables = changed(
        raw,
        people=table,
        events=raw["events"].filter(~police),
        police=raw["events"].filter(police & pl.col("entity_id").is_in(matched)),
    )
    facts = {**BASE["facts"], "police": {"in": "police", "kind": "police_contact"}}
    return evidence(tables, a_study(sources=LINKED, facts=facts, **sections))


def one_group_is_linked_less() -> Evidence:
    return linked(missing=0.15)


def one_group_is_seen_less() -> Evidence:
    return evidence(county(under_recorded=(("White other", 0.45),)))


def many_who_moved_away() -> Evidence:
    return evidence(county(moved=0.2))


def a_small_county() -> Evidence:
    return evidence(county(people=600))
