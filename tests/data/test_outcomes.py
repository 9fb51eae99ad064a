"""What happened next, and why it is sometimes not known."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import polars as pl
import pytest

from riskmodels.data.outcomes import STATUSES, Outcomes, build_outcomes, with_lag
from riskmodels.data.tables import Table, Tables
from riskmodels.errors import DataError
from riskmodels.study import Period
from tests.data.small_study import AS_OF, BASE, cohort_of, study_file, tables_of

# The horizon is [1 July 2020, 1 October 2020); with a month's lag the outcome is mature on 1 November.
RECORDS = """
id happened   known      kind
a  2020-07-01 2020-07-02 visit
b  2020-09-30 2020-10-15 visit
c  2020-10-01 2020-10-01 visit
d  2020-06-30 2020-07-01 visit
e  2020-08-01 2020-08-01 test
f  2020-08-01 2020-12-24 visit
"""
IDS = ("a", "b", "c", "d", "e", "f")


def outcomes(known_before: str, records: str = RECORDS, **changes: Any) -> Outcomes:
    study = study_file(outcome={**BASE["outcome"], **changes})
    tables = tables_of(study, people="id\n" + "\n".join(IDS), records=records)
    return build_outcomes(cohort_of(*IDS), tables, study, dt.date.fromisoformat(known_before))


def by_id(found: Outcomes) -> dict[str, int | str]:
    """1 or 0 where the outcome is known, else why it is not."""
    return {
        row["entity_id"]: row["outcome_status"] if row["outcome"] is None else row["outcome"]
        for row in found.frame.iter_rows(named=True)
    }


def test_the_window_begins_on_the_as_of_date_and_ends_before_the_horizon() -> None:
    # a on the first day and b on the last are in; c is a day late and d a day early: nothing says what became of them.
    # e was looked at and not visited; f's visit came to light long after, but before the extract.
    assert by_id(outcomes("2022-01-01")) == {
        "a": 1, "b": 1, "c": "unobserved", "d": "unobserved", "e": 0, "f": 1,
    }  # fmt: skip


def test_an_origin_sees_only_what_was_recorded_before_it() -> None:
    # At 24 December f's visit, recorded on that day, was not known yet: f would have counted as unobserved.
    assert by_id(outcomes("2020-12-24"))["f"] == "unobserved"
    assert by_id(outcomes("2020-12-25"))["f"] == 1
    # b's was recorded in October.
    assert by_id(outcomes("2020-12-24"))["b"] == 1


def test_an_outcome_is_immature_until_horizon_and_lag_are_over() -> None:
    early = outcomes("2020-10-31")
    assert set(early.frame["outcome_status"]) == {"immature"}
    assert early.frame["outcome"].null_count() == len(IDS)  # also a's, which has already happened
    assert "immature" not in set(outcomes("2020-11-01").frame["outcome_status"])


def test_types_and_rows_are_those_of_the_cohort() -> None:
    for day in ("2020-10-31", "2022-01-01"):
        found = outcomes(day)
        assert found.frame["entity_id"].to_list() == list(IDS)
        assert found.frame.schema == {
            "entity_id": pl.String, "as_of_date": pl.Date, "outcome": pl.Int8, "outcome_status": pl.String,
            "exit": pl.String,
        }  # fmt: skip
        known = found.frame["outcome_status"] == "known"
        assert (known == found.frame["outcome"].is_not_null()).all()
        assert set(found.frame["outcome_status"]) <= set(STATUSES)


def test_an_event_is_known_even_of_somebody_who_was_not_followed() -> None:
    sources = {**BASE["sources"]}
    study = study_file(
        sources=sources, outcome={**BASE["outcome"], "known": {"followed_until": "people.left"}}
    )  # fmt: skip
    # a left the day after the visit; c was followed to the end of the horizon, d to a day before it.
    people = "id left\na 2020-07-02\nb -\nc 2020-10-01\nd 2020-09-30\ne -\nf -"
    tables = tables_of(study, people=people, records=RECORDS)
    found = by_id(build_outcomes(cohort_of(*IDS), tables, study, dt.date(2022, 1, 1)))
    assert found == {"a": 1, "b": 1, "c": 0, "d": "unobserved", "e": "unobserved", "f": 1}


def test_no_outcome_at_all_is_never_nought() -> None:
    found = outcomes("2022-01-01", "id happened known kind\nz 2020-01-01 2020-01-01 visit")
    assert set(by_id(found).values()) == {"unobserved"}


def test_the_table_of_statuses_adds_up() -> None:
    study = study_file()
    tables = tables_of(study, people="id\na", records=RECORDS)
    later = dt.date(2021, 10, 1)
    cohort = cohort_of(*IDS, dates=(AS_OF, later))
    table = build_outcomes(cohort, tables, study, dt.date(2021, 12, 1)).status_table()
    # On the first date a, b and f were visited, e was not; the second is not over: 1 October, 3 months and 1 month.
    assert table.rows(named=True) == [
        {"as_of_date": AS_OF, "known": 4, "immature": 0, "unobserved": 2, "events": 3},
        {"as_of_date": later, "known": 0, "immature": 6, "unobserved": 0, "events": 0},
    ]


@pytest.mark.parametrize(("lag", "status"), [("0 days", "known"), ("1 day", "immature")])
def test_the_lag_counts_from_the_end_of_the_horizon(lag: str, status: str) -> None:
    found = outcomes("2020-10-01", lag=lag)
    assert by_id(found)["a"] == (1 if status == "known" else status)


def test_an_undated_record_of_the_outcome_is_not_a_no() -> None:
    # g was tested in the horizon, so seen; a visit of g's has no known date, so it may have been one. h's undated visit
    # happened before the as-of date, and i's undated record is a test: both are plain nos.
    records = """
    id happened   known      kind
    g  2020-08-01 2020-08-01 test
    g  2020-08-05 -          visit
    h  2020-08-01 2020-08-01 test
    h  2020-06-05 -          visit
    i  2020-08-01 2020-08-01 test
    i  2020-08-05 -          test
    j  2020-08-01 2020-08-01 visit
    j  -          2020-08-01 visit
    """
    study = study_file(outcome=BASE["outcome"])
    tables = tables_of(study, people="id\ng\nh\ni\nj", records=records)
    found = build_outcomes(cohort_of("g", "h", "i", "j"), tables, study, dt.date(2022, 1, 1))
    assert by_id(found) == {"g": "unobserved", "h": 0, "i": 0, "j": 1}


# ---------------------------------------------------------------- exits, lag, coverage


def test_whoever_leaves_first_has_no_outcome_and_is_counted() -> None:
    records = """
    id happened   known      kind
    a  2020-07-10 2020-07-10 moved
    b  2020-08-10 2020-08-10 visit
    b  2020-09-10 2020-09-10 moved
    c  2020-08-01 2020-08-01 test
    d  2020-07-20 2020-07-20 died
    d  2020-07-25 2020-07-25 moved
    """
    file = study_file(
        facts={**BASE["facts"], "moved": {"in": "records", "kind": "moved"}, "died": {"in": "records", "kind": "died"}},
        outcome={**BASE["outcome"], "exits": {"died": {"any": "died"}, "moved_away": {"any": "moved"}}},
    )
    tables = tables_of(file, people="id\n" + "\n".join(IDS), records=records)
    found = build_outcomes(cohort_of(*IDS), tables, file, dt.date(2022, 1, 1))
    # a left before anything was seen, though a record of the leaving makes "anything" true; b's outcome came first.
    assert by_id(found)["a"] == "unobserved"
    assert by_id(found)["b"] == 1
    assert by_id(found)["c"] == 0
    assert dict(found.frame.select("entity_id", "exit").iter_rows()) == {
        "a": "moved_away", "b": None, "c": None, "d": "died", "e": None, "f": None,
    }  # fmt: skip
    assert found.status_table().select("moved_away", "died").row(0) == (1, 1)


def test_a_lag_may_be_estimated_from_how_late_the_outcome_was_recorded() -> None:
    # Twenty visits: nineteen known after 0 to 18 days, one after 400. The 95th percentile is the nineteenth.
    lines = [f"a 2019-01-01 {dt.date(2019, 1, 1) + dt.timedelta(n)} visit" for n in [*range(19), 400]]
    # A test that took ten years says nothing of visits.
    records = "id happened known kind\n" + "\n".join([*lines, "a 2005-01-01 2015-01-01 test"])
    file = study_file(outcome={**BASE["outcome"], "lag": "estimate"})
    tables = tables_of(file, people="id\na", records=records)
    assert with_lag(file, tables).outcome.lag == Period(18, "day")
    assert with_lag(file, tables).outcome.mature_on(AS_OF) == dt.date(2020, 10, 19)
    with pytest.raises(TypeError, match="resolve it first"):
        file.outcome.mature_on(AS_OF)
    never = tables_of(file, people="id\na", records="id happened known kind\na 2019-01-01 2019-01-02 test")
    with pytest.raises(DataError, match=r"outcome\.lag: estimate has no recorded outcome to go by"):
        with_lag(file, never)


def test_without_a_knowledge_date_no_lag_can_be_estimated() -> None:
    """Nought days would look like a source that is never late."""
    records = {key: value for key, value in BASE["sources"]["records"].items() if key != "known_date"}
    file = study_file(sources={**BASE["sources"], "records": records}, outcome={**BASE["outcome"], "lag": "estimate"})
    tables = tables_of(file, people="id\na", records="id happened kind\na 2019-01-01 visit")
    with pytest.raises(DataError, match=r"sources\.records names no known_date of its own; name a lag"):
        with_lag(file, tables)


def test_the_silence_of_a_source_that_does_not_cover_somebody_is_no_outcome() -> None:
    file = study_file()
    tables = tables_of(file, people="id\n" + "\n".join(IDS), records=RECORDS)
    records = tables["records"]
    # c, d, e and f stand in no link; a is linked from the day before, b only from the as-of date.
    covered = pl.DataFrame({"entity_id": ["a", "b", "e"], "from_date": [dt.date(2020, 6, 30), AS_OF, AS_OF]})
    linked = Table("records", records.source, records.frame, covered=covered)
    found = build_outcomes(cohort_of(*IDS), Tables({**tables.tables, "records": linked}), file, dt.date(2022, 1, 1))
    # e was seen and not visited: of somebody who is linked that would be a 0.
    assert by_id(found)["e"] == "unobserved"
    assert by_id(found)["a"] == 1


def linked_until(day: dt.date | None) -> int | str:
    """The outcome of somebody who was seen in the horizon, not visited, and linked until that day."""
    file = study_file()
    tables = tables_of(file, people="id\ne", records=RECORDS)
    covered = pl.DataFrame(
        {"entity_id": ["e"], "from_date": [dt.date(2019, 1, 1)], "until_date": [day]},
        schema_overrides={"until_date": pl.Date},
    )
    linked = replace(tables["records"], covered=covered)
    tables = Tables({**tables.tables, "records": linked})
    return by_id(build_outcomes(cohort_of("e"), tables, file, dt.date(2022, 1, 1)))["e"]


def test_the_silence_after_a_link_has_ended_is_no_outcome() -> None:
    # Until 1 November, horizon and lag, a visit of the horizon may still have been recorded.
    assert linked_until(None) == 0
    assert linked_until(dt.date(2020, 11, 1)) == 0
    assert linked_until(dt.date(2020, 10, 31)) == "unobserved"
    assert linked_until(dt.date(2020, 8, 2)) == "unobserved"
    assert linked_until(dt.date(2020, 6, 30)) == "unobserved"


def test_an_outcome_that_was_recorded_while_the_link_held_is_known() -> None:
    file = study_file()
    tables = tables_of(file, people="id\na", records=RECORDS)
    covered = pl.DataFrame(
        {"entity_id": ["a"], "from_date": [dt.date(2019, 1, 1)], "until_date": [dt.date(2020, 8, 1)]}
    )
    tables = Tables({**tables.tables, "records": replace(tables["records"], covered=covered)})
    assert by_id(build_outcomes(cohort_of("a"), tables, file, dt.date(2022, 1, 1))) == {"a": 1}
