"""Who is in, whom each step dropped, and that clusters stay what they were."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import polars as pl
import pytest

from riskmodels.data.cohort import build_cohort
from riskmodels.data.tables import Tables
from riskmodels.errors import DataError
from tests.data.small_study import AS_OF, on_dates, study_file, tables_of

BEFORE = dt.date(2020, 1, 1)
RECORDS = """
id happened   known      kind  home
a  2019-03-01 2019-03-01 visit h1
a  2020-02-01 2020-02-01 test  h2
b  2019-05-01 2019-05-01 test  h1
c  2019-12-31 2020-01-01 visit h3
d  2020-06-30 2020-06-30 test  -
e  2020-07-01 2020-07-01 visit h1
"""
ONE_TABLE = {
    "records": {"file": "r.csv", "entity": "id", "event_date": "happened", "known_date": "known", "kind": "kind"}
}


def members(cohort_rows: pl.DataFrame, day: dt.date) -> list[str]:
    return cohort_rows.filter(pl.col("as_of_date") == day)["entity_id"].to_list()


def test_everybody_of_a_table_without_dates_is_looked_at() -> None:
    study = study_file(**on_dates(BEFORE, AS_OF))
    cohort = build_cohort(tables_of(study, people="id\nc\na\nz", records=RECORDS), study)
    # z has no record and b stands in no list of people.
    assert members(cohort.rows, BEFORE) == members(cohort.rows, AS_OF) == ["a", "c", "z"]
    assert cohort.rows.schema == {"entity_id": pl.String, "as_of_date": pl.Date, "cluster_id": pl.String}
    assert cohort.rows["cluster_id"].to_list() == cohort.rows["entity_id"].to_list()


def test_without_such_a_table_everybody_known_before_the_day() -> None:
    study = study_file(sources=ONE_TABLE, **on_dates(BEFORE, AS_OF))
    cohort = build_cohort(tables_of(study, records=RECORDS), study)
    # c's visit of the day before became known on the day itself; e comes to notice on the second date, too late.
    assert members(cohort.rows, BEFORE) == ["a", "b"]
    assert members(cohort.rows, AS_OF) == ["a", "b", "c", "d"]


def test_equality_data_makes_nobody_a_member() -> None:
    audit = {"equality": {"file": "e.csv", "entity": "id", "use": "audit"}}
    study = study_file(
        sources={**ONE_TABLE, **audit}, protected={"sex": {"column": "equality.sex", "law": "sex"}}, **on_dates(AS_OF)
    )
    cohort = build_cohort(tables_of(study, records=RECORDS, equality="id sex\nz f"), study)
    assert "z" not in members(cohort.rows, AS_OF)


def test_each_step_is_one_line_of_the_attrition() -> None:
    steps = [
        {"step": "seen in the last year", "keep": {"any": "anything", "last": "12 months"}},
        {"step": "not tested lately", "drop": {"any": "test", "last": "6 months"}},
    ]
    study = study_file(sources=ONE_TABLE, **on_dates(BEFORE, AS_OF, steps=steps))
    cohort = build_cohort(tables_of(study, records=RECORDS), study)
    # 1 January: a (visit in March) and b (test in May) were seen; neither was tested since July.
    # 1 July: a (February), c (December) and d (June) were seen, b's test is 13 months old; a and d were tested lately.
    assert cohort.attrition.rows() == [
        (BEFORE, "in the extract", 0, 2),
        (BEFORE, "seen in the last year", 0, 2),
        (BEFORE, "not tested lately", 0, 2),
        (AS_OF, "in the extract", 0, 4),
        (AS_OF, "seen in the last year", 1, 3),
        (AS_OF, "not tested lately", 2, 1),
    ]
    assert members(cohort.rows, AS_OF) == ["c"]


def test_other_dates_may_be_asked_for() -> None:
    study = study_file(sources=ONE_TABLE, **on_dates(BEFORE, AS_OF))
    cohort = build_cohort(tables_of(study, records=RECORDS), study, [dt.date(2021, 1, 1)])
    assert cohort.rows["as_of_date"].unique().to_list() == [dt.date(2021, 1, 1)]
    assert cohort.rows.height == 5


def test_a_cluster_is_the_last_one_known_and_nobody_is_without() -> None:
    study = study_file(sources=ONE_TABLE, **on_dates(BEFORE, AS_OF, cluster="records.home"))
    rows = build_cohort(tables_of(study, records=RECORDS), study).rows
    assert rows.filter(pl.col("as_of_date") == BEFORE)["cluster_id"].to_list() == ["h1", "h1"]
    # a moved in February; d's home is not recorded: a cluster of one.
    assert rows.filter(pl.col("as_of_date") == AS_OF)["cluster_id"].to_list() == ["h2", "h1", "h3", "alone: d"]


def test_an_empty_cohort_names_the_day_and_the_step() -> None:
    steps = [
        {"step": "somebody", "keep": {"any": "anything"}},
        {"step": "visited twice", "keep": {"count": "visit", "above": 1}},
    ]
    study = study_file(sources=ONE_TABLE, **on_dates(AS_OF, steps=steps))
    tables = tables_of(study, records=RECORDS)
    with pytest.raises(DataError) as caught:
        build_cohort(tables, study)
    assert str(caught.value) == (
        "cohort: nobody is left on 2020-07-01 after the step 'visited twice'; check its facts and dates"
    )
    early = [dt.date(2019, 1, 1)]
    with pytest.raises(DataError, match="cohort: no fact is known before 2019-01-01; check as_of_dates and the"):
        build_cohort(tables, study, early)


def test_whom_each_step_dropped_is_kept() -> None:
    steps = [{"step": "tested", "keep": {"any": "test"}}, {"step": "not visited", "drop": {"any": "visit"}}]
    study = study_file(**on_dates(AS_OF, steps=steps))
    cohort = build_cohort(tables_of(study, people="id\na\nb\nc\nd", records=RECORDS), study)
    assert members(cohort.rows, AS_OF) == ["b", "d"]
    assert cohort.dropped.rows() == [("c", AS_OF, 1), ("a", AS_OF, 2)]


def test_an_empty_cohort_is_refused_unless_it_is_allowed() -> None:
    study = study_file(**on_dates(AS_OF, steps=[{"step": "tested", "keep": {"any": "test"}}]))
    tables = tables_of(study, people="id\nc", records=RECORDS)
    with pytest.raises(DataError, match="nobody is left on 2020-07-01 after the step 'tested'"):
        build_cohort(tables, study)
    cohort = build_cohort(tables, study, allow_empty=True)
    assert cohort.rows.height == 0
    assert cohort.attrition["remaining"].to_list() == [1, 0]
    assert cohort.dropped["entity_id"].to_list() == ["c"]


def test_households_places_and_lists_of_matches_are_not_members() -> None:
    sources = {
        "people": {"file": "people.csv", "entity": "id"},
        "records": {**ONE_TABLE["records"], "link": {"through": "matches", "id": "theirs"}},
        "matches": {"file": "m.csv", "entity": "id"},
        "areas": {"file": "areas.csv", "entity": "code", "level": "place"},
    }
    study = study_file(sources=sources, **on_dates(AS_OF))
    made = tables_of(
        study_file(sources={**sources, "records": ONE_TABLE["records"]}, **on_dates(AS_OF)),
        people="id\na\nb", records=RECORDS, matches="id theirs\nz q9", areas="code decile\nE01 1",
    )  # fmt: skip
    assert members(build_cohort(made, study).rows, AS_OF) == ["a", "b"]


def test_whoever_consents_later_comes_in_later() -> None:
    study = study_file(**on_dates(BEFORE, AS_OF))
    tables = tables_of(study, people="id\na\nb", records=RECORDS)
    covered = pl.DataFrame({"entity_id": ["a", "b"], "from_date": [dt.date(2019, 12, 31), BEFORE]})
    people = replace(tables["people"], covered=covered)
    cohort = build_cohort(Tables({**tables.tables, "people": people}), study)
    assert members(cohort.rows, BEFORE) == ["a"]
    assert members(cohort.rows, AS_OF) == ["a", "b"]
