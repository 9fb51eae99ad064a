"""The leaks, each planted where it would arise: in the tables, in the study, in the dates, or in a careless step."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl

from riskmodels.data.cohort import Cohort
from riskmodels.data.features import Features
from riskmodels.data.leakage import Evidence
from riskmodels.data.leakage.rows import rows_of
from riskmodels.data.splits import Split, Splits
from riskmodels.data.synthetic import EXTRACTED_ON
from riskmodels.data.tables import Tables
from tests.data.leakage.made_county import BASE, Raw, a_study, clean, county, evidence, with_features

COUNT = {"take": "count", "last": "12 months"}


def changed(raw: Raw, **frames: pl.DataFrame) -> Raw:
    return {**raw, **frames}


def starts(raw: Raw) -> pl.DataFrame:
    return raw["events"].filter(pl.col("kind") == "social_care_start")


def with_events(raw: Raw, kind: str, who: pl.DataFrame, days: np.ndarray | int, known_after: int = 0) -> Raw:
    """More events: of these starts, so many days before each, known so many days after they are said to be."""
    shift = pl.duration(days=pl.Series(days) if isinstance(days, np.ndarray) else pl.lit(days))
    more = who.with_columns(
        (pl.col("happened_on") - shift).alias("happened_on"), pl.lit(kind).alias("kind"), pl.lit(1.0).alias("value")
    ).with_columns((pl.col("happened_on") + dt.timedelta(known_after)).alias("known_on"))
    events = pl.concat([raw["events"], more.filter(pl.col("known_on") <= EXTRACTED_ON)])
    return changed(raw, events=events.sort("happened_on", "entity_id", "kind"))


# ---------------------------------------------------------------- time


def _with_facts(tables: Tables, *columns: pl.Expr) -> Tables:
    table = tables["events"]
    return Tables({**tables.tables, "events": dataclasses.replace(table, frame=table.frame.with_columns(*columns))})


def used_before_they_were_known() -> Evidence:
    """An engine that forgets the second clock."""
    return evidence(county(), seen_as=lambda tables: _with_facts(tables, pl.col("event_date").alias("known_date")))


def used_on_the_day_itself() -> Evidence:
    """An engine that takes "before" for "up to": everything seems a day older."""
    day = dt.timedelta(1)
    return evidence(
        county(), seen_as=lambda tables: _with_facts(tables, pl.col("event_date") - day, pl.col("known_date") - day)
    )


def of_somebody_else() -> Evidence:
    """A join that lost the order: everybody has the next one's features."""
    found = clean()
    shifted = found.features.frame.with_columns(pl.col(found.features.names).shift(1).over("as_of_date"))
    return dataclasses.replace(found, features=Features(shifted, found.features.specs))


def outcomes_that_are_not_over() -> Evidence:
    found = clean()
    (origin,) = found.splits.origins
    early = dataclasses.replace(origin, fit=(*origin.fit, dt.date(2025, 4, 1)))
    return dataclasses.replace(found, splits=Splits((early,), found.splits.service))


def calibrated_on_outcomes_that_are_not_over() -> Evidence:
    found = clean()
    (origin,) = found.splits.origins
    early = dataclasses.replace(origin, calibrate=(dt.date(2025, 4, 1),))
    return dataclasses.replace(found, splits=Splits((early,), found.splits.service))


def without_knowledge_dates() -> Evidence:
    sources = {**BASE["sources"], "events": {**BASE["sources"]["events"], "known_date": None}}
    return evidence(county(), a_study(sources=sources, features=BASE["features"][:-2]))


def one_column_for_both_dates() -> Evidence:
    sources = {**BASE["sources"], "events": {**BASE["sources"]["events"], "known_date": "happened_on"}}
    return evidence(county(), a_study(sources=sources, features=BASE["features"][:-2]))


def knowledge_dates_that_were_copied() -> Evidence:
    raw = county()
    return evidence(changed(raw, events=raw["events"].with_columns(pl.col("happened_on").alias("known_on"))))


def an_attribute_as_of_the_extract() -> Evidence:
    return evidence(
        county(), a_study(**with_features({"name": "ward", "take": "attribute", "of": "people.ward", "words": "w"}))
    )


def the_outcomes_own_records_without_knowledge_dates() -> Evidence:
    sources = {**BASE["sources"], "events": {**BASE["sources"]["events"], "known_date": None}}
    return evidence(county(), a_study(sources=sources))


def divided_by_the_outcomes_own_records() -> Evidence:
    """Hidden in the divisor of a ratio, and in a word that names no kind."""
    sources = {**BASE["sources"], "events": {**BASE["sources"]["events"], "known_date": "happened_on"}}
    line = {"name": "part", "take": "ratio", "of": "visit", "over": "anything", "words": "w"}
    more = with_features(line, anything={"in": "events"})
    study = a_study(sources=sources, **{**more, "features": [*BASE["features"][:-2], line]})
    return dataclasses.replace(clean(), study=study.file)


def the_outcomes_own_attribute() -> Evidence:
    """The outcome is read from a column that is a feature, too, and as the extract has it."""
    outcome = {**BASE["outcome"], "happens": {"attribute": "people.police_linked", "equals": True}}
    line = {"name": "linked", "take": "attribute", "of": "people.police_linked", "words": "w"}
    return evidence(county(), a_study(outcome=outcome, **with_features(line)))


def broken_after_the_last_test() -> Evidence:
    study = a_study(breaks=[{"date": "2025-11-01", "what": "a new law"}])
    return dataclasses.replace(clean(), study=study.file)


def broken_before_a_test_that_is_not_over() -> Evidence:
    """The only test date after the break has no outcome yet, so it is no test on the present."""
    outcome = {**BASE["outcome"], "horizon": "6 months", "lag": "4 months"}
    study = a_study(
        outcome=outcome,
        breaks=[{"date": "2025-09-01", "what": "a new law"}],
        split={**BASE["split"], "test": {"last": 2}},
    )
    return evidence(county(), study)


# ---------------------------------------------------------------- rows and people


def calibrated_on_the_test_rows() -> Evidence:
    found = clean()
    (origin,) = found.splits.origins
    return dataclasses.replace(
        found, splits=Splits((dataclasses.replace(origin, calibrate=(origin.test,)),), found.splits.service)
    )


def the_test_date_taught() -> Evidence:
    found = clean()
    (origin,) = found.splits.origins
    return dataclasses.replace(
        found, splits=Splits((dataclasses.replace(origin, test=origin.fit[0]),), found.splits.service)
    )


def grouped() -> Evidence:
    split = {"test": {"last": 1}, "calibrate": "grouped", "why_grouped": "a test"}
    return evidence(county(), a_study(split=split))


def same_dates_without_the_draw() -> Evidence:
    """Dates of a grouped split, treated as if they were different dates: the same people stand on both sides."""
    found = grouped()
    planted = tuple(dataclasses.replace(split, how="later") for split in found.splits.origins)
    return dataclasses.replace(found, splits=Splits(planted, found.splits.service))


def siblings_on_two_dates() -> Evidence:
    """Nobody is on both sides, but brothers and sisters are: one fits and the other calibrates."""
    found = grouped()
    (origin,) = found.splits.origins
    first, second = origin.fit[:2]
    eldest = pl.col("entity_id") == pl.col("entity_id").min().over("cluster_id")
    rows = found.cohort.rows.filter(
        ((pl.col("as_of_date") == first) & eldest) | ((pl.col("as_of_date") == second) & ~eldest)
    )
    split = dataclasses.replace(origin, fit=(first,), calibrate=(second,), how="later")
    return dataclasses.replace(found, cohort=Cohort(rows, pl.DataFrame()), splits=Splits((split,), split))


def many_origins() -> Evidence:
    return evidence(county(), a_study(split={"test": {"last": 4}, "calibrate": "later"}))


def joined_with_several_rows_each() -> Evidence:
    """The equality table has a second row for some, from the day on which a disability was found."""
    found = clean()
    exploded = found.features.frame.join(county()["equality"].select("entity_id"), on="entity_id", how="left")
    return dataclasses.replace(found, features=Features(exploded, found.features.specs))


def a_cohort_with_a_row_twice() -> Evidence:
    found = clean()
    twice = [frame[[0]].vstack(frame) for frame in (found.cohort.rows, found.features.frame, found.outcomes.frame)]
    return dataclasses.replace(
        found,
        cohort=Cohort(twice[0], pl.DataFrame()),
        features=Features(twice[1], found.features.specs),
        outcomes=dataclasses.replace(found.outcomes, frame=twice[2]),
    )


def in_another_order() -> Evidence:
    found = clean()
    turned = dataclasses.replace(found.outcomes, frame=found.outcomes.frame.reverse())
    return dataclasses.replace(found, outcomes=turned)


def _written_otherwise(change: Callable[[pl.Expr], pl.Expr]) -> Evidence:
    """One agency writes the ids of some in its own way."""
    raw = county()
    some = (pl.col("kind") == "ae_attendance") & pl.col("entity_id").str.ends_with("7")
    other = pl.when(some).then(change(pl.col("entity_id"))).otherwise(pl.col("entity_id"))
    return evidence(changed(raw, events=raw["events"].with_columns(other.alias("entity_id"))))


def ids_in_lower_case() -> Evidence:
    return _written_otherwise(lambda ids: ids.str.to_lowercase())


def ids_without_leading_zeros() -> Evidence:
    return _written_otherwise(lambda ids: "P" + ids.str.slice(1).cast(pl.Int64).cast(pl.String))


def ids_with_a_dash() -> Evidence:
    return _written_otherwise(lambda ids: ids.str.slice(0, 4) + "-" + ids.str.slice(4))


def people_under_two_ids() -> Evidence:
    """One in twenty is in the data a second time, with all that is known, at another address."""
    raw = county()
    some = raw["people"].filter(pl.col("entity_id").str.tail(2).cast(pl.Int32) % 20 == 7)["entity_id"].to_list()
    again = {
        name: frame.filter(pl.col("entity_id").is_in(some)).with_columns(("X" + pl.col("entity_id")).alias("entity_id"))
        for name, frame in raw.items()
    }
    again["people"] = again["people"].with_columns(("X" + pl.col("household_id")).alias("household_id"))
    return evidence({name: pl.concat([frame, again[name]]) for name, frame in raw.items()})


def an_objector_in_the_cohort() -> Evidence:
    study = a_study(objections={"file": "objections.csv", "entity": "id", "scope": "scope"})
    who = frozenset(clean().cohort.rows["entity_id"].unique().sort()[:12])
    return dataclasses.replace(clean(), study=study.file, objectors=who)


def an_objector_in_a_table() -> Evidence:
    """Not in the cohort, but still among the records that the model's cut points were learned from."""
    study = a_study(objections={"file": "objections.csv", "entity": "id", "scope": "scope"})
    known = set(clean().cohort.rows["entity_id"])
    who = frozenset(sorted(set(county()["people"]["entity_id"]) - known)[:3])
    return dataclasses.replace(clean(), study=study.file, objectors=who)


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


Plant = tuple[Callable[[], Evidence], str]
PLANTED: dict[str, list[Plant]] = {
    "label_window_overlap": [
        (outcomes_that_are_not_over, "the outcome of 2025-04-01 is not over by"),
        (calibrated_on_outcomes_that_are_not_over, "the outcome of 2025-04-01 is not over by"),
    ],
    "future_facts": [
        (used_before_they_were_known, "these came out differently"),
        (used_on_the_day_itself, "these came out differently"),
        (of_somebody_else, "these came out differently"),
    ],
    "lineage": [
        (the_outcomes_own_records_without_knowledge_dates, "starts and the outcome are read from the same records"),
        (divided_by_the_outcomes_own_records, "part and the outcome are read from the same records"),
        (the_outcomes_own_attribute, "linked and the outcome are read from the same records"),
    ],
    "join_explosion": [
        (joined_with_several_rows_each, "rows and the features have"),
        (a_cohort_with_a_row_twice, "fewer than 10 rows of the cohort have the same person and date as another"),
        (in_another_order, "the outcomes are not in the order of the cohort"),
    ],
    "same_rows_twice": [
        (calibrated_on_the_test_rows, "rows are used twice at origin 0"),
        (the_test_date_taught, "rows are used twice at origin 0"),
        (same_dates_without_the_draw, "rows are used twice at origin 0"),
    ],
    "chosen_on_test": [(many_origins, "2 of 4 test dates also serve a later origin for calibration")],
    "same_people_calibrate": [(same_dates_without_the_draw, "people are on both sides at origin 0")],
    "household_both_sides": [
        (siblings_on_two_dates, "values of people.household_id are on both sides at origin 0"),
    ],
    "same_person_two_ids": [
        (ids_in_lower_case, "ids differ from another only in case, blanks or leading zeros"),
        (ids_without_leading_zeros, "ids differ from another only in case, blanks or leading zeros"),
        (ids_with_a_dash, "ids differ from another only in case, blanks or leading zeros"),
    ],
    "copied_rows": [(people_under_two_ids, "people have the very features of somebody of another household")],
    "objections_honoured": [
        (an_objector_in_the_cohort, "people who objected to training are still in the cohort (12)"),
        (an_objector_in_a_table, "people who objected to training are still in people (fewer than 10)"),
    ],
    "id_like": [
        (a_different_word_for_everybody, "nearly every value differs in: case_number"),
        (a_different_number_for_everybody, "nearly every value differs in: case_number"),
        (a_running_number_under_another_name, "values follow the order of the extract in: score"),
    ],
    "row_position": [(sorted_by_what_came_later, "the order of the rows tells the outcome: people, AUC")],
    "too_good": [
        (notes_made_once_it_had_happened, "almost tells the outcome alone: plans (AUC 0.9"),
        (filled_only_where_it_happened, "almost tells the outcome alone: panel (AUC"),
        (a_word_that_knows_the_outcome, "almost tells the outcome alone: ward (AUC 1.00)"),
    ],
    "filled_in_afterwards": [
        (reviews_that_are_written_up_later, "recorded less than half as often on 2025-10-01: review_latest"),
        (counts_that_are_written_up_later, "recorded less than half as often on 2025-10-01: days_absent"),
    ],
    "post_outcome_proxy": [(notes_made_once_it_had_happened, "as absent as if none were to come: plans")],
    "lead_time": [
        (the_first_step_of_the_outcome, "tells much more in the last month before the date than earlier: referral"),
    ],
    "permuted_outcomes": [(encoded_with_the_test_outcomes, "over 5 shuffles on 2025-10-01")],
    "undeclared_break": [(a_feed_that_breaks, "events, police_contact: about July 2023, -")],
    "linkage_gap": [(one_group_is_linked_less, "police, Asian against White British: -")],
    "recording_gap": [(one_group_is_seen_less, "much less is written down of: White other (by up to")],
    "outcome_unknown": [(many_who_moved_away, "the outcome is unknown for")],
    "too_few_outcomes": [(a_small_county, "too little data:")],
    "break_spanned": [
        (broken_after_the_last_test, "never tested on the present: a new law (2025-11-01) came after"),
        (broken_before_a_test_that_is_not_over, "never tested on the present: a new law (2025-09-01)"),
    ],
}  # fmt: skip
# Where knowledge dates are missing there is nothing to find, and that is said: unknown, never a pass.
SILENT: list[Plant] = [
    (without_knowledge_dates, "events: taken to be known on the day it happened"),
    (one_column_for_both_dates, "events: taken to be known on the day it happened"),
    (knowledge_dates_that_were_copied, "events: known_on is the same day as happened_on in every row"),
    (an_attribute_as_of_the_extract, "people.ward: as the extract has it"),
]
