"""Leaks of time, rows and people, planted in the tables, the study, the dates, or a careless step."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable
from typing import Any

import polars as pl

from riskmodels.data.cohort import Cohort
from riskmodels.data.features import Features
from riskmodels.data.leakage import Evidence
from riskmodels.data.splits import Splits
from riskmodels.data.tables import Tables
from tests.data.leakage.made_county import BASE, a_study, changed, clean, county, evidence, with_features

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


def _asked(**sections: Any) -> Evidence:
    """Only the study is looked at."""
    return dataclasses.replace(clean(), study=a_study(**sections).file, tables=None)


def an_attribute_of_the_outcomes_own_facts() -> Evidence:
    sources = {**BASE["sources"], "events": {**BASE["sources"]["events"], "known_date": None}}
    line = {"name": "note", "take": "attribute", "of": "events.value", "words": "w"}
    return _asked(sources=sources, features=[BASE["features"][-1], line])


def facts_of_the_outcomes_own_attribute() -> Evidence:
    """The other way round: the outcome is a column of the events, and a feature adds up that column."""
    sources = {**BASE["sources"], "events": {**BASE["sources"]["events"], "known_date": None}}
    outcome = {**BASE["outcome"], "happens": {"attribute": "events.value", "above": 5}}
    return _asked(sources=sources, outcome=outcome, features=BASE["features"][1:2])


NO_CLUSTER = {key: value for key, value in BASE["cohort"].items() if key != "cluster"}


def the_undated_place_of_dated_crimes() -> Evidence:
    crimes = {**BASE["sources"]["events"], "file": "crimes.parquet", "level": "place"}
    line = {"name": "crimes", "take": "count", "of": "crime", "by": "people.ward", "words": "w"}
    more = with_features(line, crime={"in": "crimes"})
    return _asked(sources={**BASE["sources"], "crimes": crimes}, cohort=NO_CLUSTER, **more)


def _linked_by(link: dict[str, Any], **sources: Any) -> Evidence:
    police = {**BASE["sources"]["events"], "file": "police.parquet", "link": link}
    facts = {**BASE["facts"], "police": {"in": "police"}}
    return _asked(sources={**BASE["sources"], "police": police, **sources}, facts=facts, cohort=NO_CLUSTER)


def an_undated_flag_of_a_link() -> Evidence:
    return _linked_by({"flag": "people.police_linked"})


def undated_matches_of_a_link() -> Evidence:
    matches = {"file": "matches.parquet", "entity": "entity_id"}
    return _linked_by({"through": "matches", "id": "police_id"}, matches=matches)


def an_undated_cluster() -> Evidence:
    return _asked()


def an_undated_step_of_the_cohort() -> Evidence:
    step = {"step": "here", "keep": {"attribute": "people.ward", "equals": "W1"}}
    return _asked(cohort={**NO_CLUSTER, "steps": [step]})


def undated_facts_in_a_step_of_the_cohort() -> Evidence:
    moves = {**BASE["sources"]["events"], "file": "moves.parquet", "known_date": None}
    facts = {**BASE["facts"], "moved": {"in": "moves"}}
    return _asked(sources={**BASE["sources"], "moves": moves}, facts=facts, cohort=NO_CLUSTER)


def an_undated_rule_of_the_service() -> Evidence:
    rule = {"exclude": {"attribute": "people.ward", "equals": "W1"}, "because": "b", "owner": "o"}
    return _asked(cohort=NO_CLUSTER, service_rules=[rule])


def an_undated_team() -> Evidence:
    return _asked(cohort=NO_CLUSTER, capacity={"places": {"W01": 20}, "by": "people.ward"})


def a_team_whose_name_is_written_another_way() -> Evidence:
    capacity = {"places": {"W01": 20, "w02": 20}, "by": "people.ward"}
    return evidence(county(), a_study(capacity=capacity))


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


class ChoosingAnywhere(Splits):
    """As if the families were compared on the calibration rows of every origin."""

    @property
    def choosing(self) -> frozenset[dt.date]:
        return frozenset(day for split in self.origins for day in split.calibrate)


def chosen_on_any_calibration_row() -> Evidence:
    found = many_origins()
    return dataclasses.replace(found, splits=ChoosingAnywhere(found.splits.origins, found.splits.service))


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
