"""True or false of a person on a day, with the borders of every window."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from riskmodels.data.engines import Engine
from riskmodels.data.predicates import Undated, Window, facts_in, holds
from riskmodels.data.tables import Table, Tables
from riskmodels.study import Condition, Fact, Period, Predicate, StudyFile, parts_of
from tests.data.small_study import AS_OF, study_file, table, tables_of

PREDICATE: TypeAdapter[Any] = TypeAdapter(Predicate)
STUDY = study_file(
    facts={
        "visit": {"in": "records", "kind": "visit"},
        "test": {"in": "records", "kind": ["test", "exam"]},
        "anything": {"in": "records"},
        "high": {"in": "records", "where": {"value": {"at_least": 10}}},
        "in_b": {"in": "records", "kind": "visit", "where": {"value": {"below": 10}, "place": {"one_of": ["b"]}}},
    },
    service_rules=[
        {"exclude": {"attribute": "people.left", "above": "as_of"}, "because": "left", "owner": "o"},
        {"exclude": {"age": "people.born", "above": 1}, "because": "b", "owner": "o"},
        {"exclude": {"attribute": "people.ward", "equals": "n"}, "because": "ward", "owner": "o"},
        {"exclude": {"attribute": "people.rooms", "at_most": 1}, "because": "rooms", "owner": "o"},
        {"exclude": {"attribute": "people.flag", "equals": True}, "because": "flag", "owner": "o"},
        {"exclude": {"attribute": "records.place", "equals": "b"}, "because": "place", "owner": "o"},
    ],
)
# As of 1 July 2020.
RECORDS = """
id   happened   known      kind  value place
a    2020-06-30 2020-06-30 visit 10    b
b    2020-07-01 2020-07-01 visit 10    b
c    2020-06-30 2020-07-01 visit 10    b
d    2019-07-01 2019-07-02 visit 9     b
e    2019-06-30 2019-07-02 visit 9     c
f    2020-01-01 2020-01-01 test  -     -
f    2020-02-01 2020-02-01 exam  30    c
f    2020-02-01 2020-03-01 visit 9     b
"""
PEOPLE = """
id born       left       ward rooms flag
a  1990-07-01 2020-10-01 n    1     true
b  1990-07-02 2020-09-30 s    2     false
c  2004-02-29 -          n    -     true
d  -          2020-06-30 -    3     -
e  2004-02-28 2020-07-01 n    0     false
f  2004-03-01 2021-01-01 s    1     true
"""


@pytest.fixture(scope="module")
def tables() -> Tables:
    return tables_of(STUDY, people=PEOPLE, records=RECORDS)


def true_of(tables: Tables, predicate: dict[str, Any], window: Window | None = None) -> str:
    rows = pl.DataFrame({"entity_id": list("abcdef")})
    result = holds(PREDICATE.validate_python(predicate), rows, tables, STUDY, window or Window.before(AS_OF))
    assert result.dtype == pl.Boolean
    assert result.null_count() == 0
    return "".join(rows.filter(result)["entity_id"])


@pytest.mark.parametrize(
    ("predicate", "people"),
    [
        # The day before counts (a). The as-of day itself is not seen (b), and neither is what became known on it (c).
        ({"any": "visit"}, "adef"),
        ({"none": "visit"}, "bc"),
        # Twelve months before 1 July 2020 begin on 1 July 2019: d is in, e is a day too early.
        ({"any": "visit", "last": "12 months"}, "adf"),
        ({"any": "visit", "last": "1 day"}, "a"),
        ({"any": "visit", "last": "366 days"}, "adf"),
        ({"any": "visit", "last": "367 days"}, "adef"),
        ({"any": "visit", "last": "ever"}, "adef"),
        ({"none": "visit", "last": "12 months"}, "bce"),
        # A list of kinds is any of them; f has two of those and one visit.
        ({"any": "test"}, "f"),
        ({"count": "test", "at_least": 2}, "f"),
        ({"count": "anything", "above": 1}, "f"),
        ({"count": "anything", "equals": 1}, "ade"),
        # A count is nought, not missing, where there is nothing.
        ({"count": "test", "at_most": 1}, "abcde"),
        ({"count": "test", "at_least": 1, "last": "4 months"}, ""),
        ({"count": "test", "at_least": 1, "last": "6 months"}, "f"),
        ({"count": "test", "at_least": 2, "last": "5 months"}, ""),
        # Conditions on columns; a missing value satisfies none of them.
        ({"any": "high"}, "af"),
        ({"any": "in_b"}, "df"),
        ({"not": {"any": "in_b"}}, "abce"),
        ({"all_of": [{"any": "visit"}, {"any": "test"}]}, "f"),
        ({"any_of": [{"any": "test"}, {"any": "visit", "last": "1 day"}]}, "af"),
        ({"all_of": [{"not": {"any_of": [{"any": "test"}, {"any": "high"}]}}, {"any": "visit"}]}, "de"),
        ({"all_of": [{"any": "visit"}]}, "adef"),
        # Attributes.
        ({"attribute": "people.ward", "equals": "n"}, "ace"),
        ({"attribute": "people.ward", "one_of": ["n", "s"]}, "abcef"),
        ({"attribute": "people.ward", "none_of": ["n"]}, "bf"),
        ({"not": {"attribute": "people.ward", "equals": "n"}}, "bdf"),
        ({"attribute": "people.rooms", "at_most": 1}, "aef"),
        ({"attribute": "people.rooms", "above": 0, "below": 3}, "abf"),
        ({"attribute": "people.rooms", "equals": 0}, "e"),
        ({"attribute": "people.flag", "equals": True}, "acf"),
        ({"attribute": "people.flag", "equals": False}, "be"),
        ({"attribute": "people.left", "at_least": "as_of"}, "abef"),
        ({"attribute": "people.left", "above": "as_of"}, "abf"),
        ({"attribute": "people.left", "below": "2020-07-01"}, "d"),
        # A dated attribute is the last one known before the day: b's and c's is not known yet.
        ({"attribute": "records.place", "equals": "b"}, "adf"),
        # 30 on the birthday itself: a was born on 1 July 1990, b a day later.
        ({"age": "people.born", "at_least": 30}, "a"),
        ({"age": "people.born", "below": 30}, "bcef"),
        ({"age": "people.born", "above": 29}, "a"),
        ({"age": "people.born", "at_most": 29}, "bcef"),
        ({"age": "people.born", "at_least": 16, "below": 17}, "cef"),
        ({"age": "people.born", "at_most": 15}, ""),
    ],
    ids=str,
)  # fmt: skip
def test_who_it_is_true_of(tables: Tables, predicate: dict[str, Any], people: str) -> None:
    assert true_of(tables, predicate) == people


def test_age_turns_on_the_birthday_also_in_leap_years() -> None:
    study = study_file(service_rules=[{"exclude": {"age": "people.born", "above": 1}, "because": "b", "owner": "o"}])
    people = "id born\na 2004-02-28\nb 2004-02-29\nc 2004-03-01"
    tables = tables_of(study, people=people, records="id happened known kind\na 2020-01-01 2020-01-01 visit")
    rows = pl.DataFrame({"entity_id": ["a", "b", "c"]})
    predicate = PREDICATE.validate_python({"age": "people.born", "at_least": 18})

    def of_age(day: str) -> str:
        result = holds(predicate, rows, tables, study, Window.before(dt.date.fromisoformat(day)))
        return "".join(rows.filter(result)["entity_id"])

    # In 2022 there is no 29 February: who was born on it comes of age on 1 March.
    assert [of_age(f"2022-{day}") for day in ("02-27", "02-28", "03-01")] == ["", "a", "abc"]
    # Seen on a leap day, who was born on 1 March 2004 is still 19.
    twenty = PREDICATE.validate_python({"age": "people.born", "at_least": 20})
    result = holds(twenty, rows, tables, study, Window.before(dt.date(2024, 2, 29)))
    assert result.to_list() == [True, True, False]


def test_follow_up_reaches_the_end_of_the_horizon(tables: Tables) -> None:
    # Three months from 1 July end before 1 October: followed until 1 October is enough (a), until 30 September is not.
    window = Window.horizon(AS_OF, Period.parse("3 months"), dt.date(2021, 12, 31))
    assert true_of(tables, {"followed_until": "people.left"}, window) == "af"


def test_a_predicate_of_the_horizon_looks_forward(tables: Tables) -> None:
    window = Window.horizon(AS_OF, Period.parse("3 months"), dt.date(2021, 12, 31))
    assert true_of(tables, {"any": "visit"}, window) == "b"
    # c's visit of 30 June became known within the horizon, but happened before it.
    assert true_of(tables, {"any": "anything"}, window) == "b"
    # Known by 1 July means known before it.
    assert true_of(tables, {"any": "visit"}, Window.horizon(AS_OF, Period.parse("3 months"), AS_OF)) == ""
    # `last` narrows the horizon from its end: the last 92 days of July to September begin on 1 July, 91 on the 2nd.
    assert true_of(tables, {"any": "visit", "last": "92 days"}, window) == "b"
    assert true_of(tables, {"any": "visit", "last": "91 days"}, window) == ""


def test_a_window_of_an_unwindowed_fact_begins_with_the_calendar() -> None:
    assert Window.before(AS_OF) == Window(AS_OF, dt.date(1, 1, 1), AS_OF, AS_OF)
    assert Window.before(AS_OF, Period.parse("1 month")).start == dt.date(2020, 6, 1)


def test_a_condition_may_compare_with_the_as_of_date() -> None:
    fact = {"in": "records", "where": {"due": {"below": "as_of"}}}
    study = study_file(facts={"overdue": fact, "visit": fact, "anything": {"in": "records"}})
    records = (
        "id happened known kind due\na 2020-01-01 2020-01-01 visit 2020-06-30\nb 2020-01-01 2020-01-01 visit 2020-07-01"
    )
    tables = tables_of(study, people="id\na", records=records)
    seen = facts_in(tables, study.facts["overdue"], Window.before(AS_OF)).collect().to_polars()
    assert seen["entity_id"].to_list() == ["a"]


def test_parts_of_a_predicate_are_found_at_any_depth() -> None:
    predicate = PREDICATE.validate_python({"any_of": [{"not": {"all_of": [{"any": "x"}]}}, {"none": "y"}]})
    assert [type(part).__name__ for part in parts_of(predicate)] == ["AnyOf", "Not", "AllOf", "AnyFact", "NoFact"]


def test_codes_are_compared_as_text_and_numbers_as_numbers() -> None:
    """007 is a code where the study compares it with a word, and a number where it compares it with one."""

    def count(condition: dict[str, Any]) -> int:
        study: StudyFile = study_file(
            facts={"visit": {"in": "records", "where": {"code": condition}}, "anything": {"in": "records"}}
        )
        records = table("id happened known kind code\na 2020-01-01 2020-01-01 v 007\nb 2020-01-01 2020-01-01 v 7")
        tables = tables_of(study, people="id\na", records=records)
        fact: Fact = study.facts["visit"]
        return int(facts_in(tables, fact, Window.before(AS_OF)).collect().shape[0])

    assert count({"one_of": ["007"]}) == 1
    assert count({"equals": "7"}) == 1
    assert count({"none_of": ["7"]}) == 1
    assert count({"equals": 7}) == 2
    assert Condition(equals="7").holds == "text"


# ---------------------------------------------------------------- whom a source does not cover

POLICED = study_file(
    sources={
        "people": {"file": "people.csv", "entity": "id"},
        "records": {
            "file": "records.csv", "entity": "id", "event_date": "happened", "known_date": "known", "kind": "kind",
        },
        "police": {"file": "police.csv", "entity": "id", "event_date": "day", "link": {"flag": "people.linked"}},
    },
    facts={"visit": {"in": "records", "kind": "visit"}, "anything": {"in": "records"}, "met": {"in": "police"}},
)  # fmt: skip
DAY = dt.date(2020, 3, 1)
# Of e and f the police records know nothing; of d only from the as-of date on.
COVERED = {"a": dt.date(1, 1, 1), "b": dt.date(2020, 6, 30), "c": dt.date(1, 1, 1), "d": AS_OF}


def policed() -> Tables:
    days = {"a": [DAY, dt.date(2020, 8, 1)], "b": [dt.date(2020, 7, 1)], "d": [DAY]}
    rows = [
        {"entity_id": who, "event_date": day, "known_date": day} for who, several in days.items() for day in several
    ]
    covered = pl.DataFrame({"entity_id": list(COVERED), "from_date": list(COVERED.values())})
    records = pl.DataFrame(
        [{"entity_id": "e", "event_date": DAY, "known_date": DAY, "kind": "visit"}],
    )
    return Tables(
        {
            "police": Table("police", POLICED.sources["police"], pl.DataFrame(rows), covered=covered),
            "records": Table("records", POLICED.sources["records"], records),
        }
    )


@pytest.mark.parametrize(
    ("predicate", "people"),
    [
        ({"any": "met"}, "a"),
        # d and e were perhaps met: the records do not say.
        ({"none": "met"}, "bc"),
        ({"not": {"any": "met"}}, "bc"),
        ({"not": {"none": "met"}}, "a"),
        ({"count": "met", "at_most": 5}, "abc"),
        ({"count": "met", "equals": 0}, "bc"),
        ({"attribute": "police.kind_of", "one_of": ["x"]}, "a"),
        ({"not": {"attribute": "police.kind_of", "one_of": ["x"]}}, "bc"),
        # What other sources say still counts.
        ({"any_of": [{"any": "met"}, {"any": "visit"}]}, "ae"),
        ({"all_of": [{"none": "met"}, {"none": "visit"}]}, "bc"),
        ({"not": {"all_of": [{"any": "met"}, {"any": "visit"}]}}, "abcdf"),
        ({"first_ever": "met"}, "a"),
    ],
    ids=str,
)
def test_of_whom_the_records_do_not_say_nothing_holds(predicate: dict[str, Any], people: str) -> None:
    tables = policed()
    police = tables["police"]
    with_words = replace(police, frame=police.frame.with_columns(pl.lit("x").alias("kind_of")))
    tables = Tables({**tables.tables, "police": with_words})
    rows = pl.DataFrame({"entity_id": list("abcdef")})
    result = holds(PREDICATE.validate_python(predicate), rows, tables, POLICED, Window.before(AS_OF))
    assert result.null_count() == 0
    assert "".join(rows.filter(result)["entity_id"]) == people


def test_the_first_ever_has_none_before_it() -> None:
    rows = pl.DataFrame({"entity_id": list("abcdef")})
    first_ever = PREDICATE.validate_python({"first_ever": "met"})
    later = Window.horizon(AS_OF, Period.parse("3 months"), dt.date(2021, 1, 1))

    def true_in(window: Window) -> str:
        return "".join(rows.filter(holds(first_ever, rows, policed(), POLICED, window))["entity_id"])

    # a was met in August for the second time, b in July for the first.
    assert true_in(later) == "b"
    assert true_in(Window.before(AS_OF)) == "a"
    # On the day itself nothing of July was known.
    assert true_in(replace(later, known_by=AS_OF)) == ""


def test_an_earlier_one_that_became_known_late_still_comes_before() -> None:
    records = """
    id happened   known      kind
    a  2020-05-01 2020-09-01 visit
    a  2020-08-01 2020-08-01 visit
    """
    tables = tables_of(study_file(), people="id\na", records=records)
    rows = pl.DataFrame({"entity_id": ["a"]})
    predicate = PREDICATE.validate_python({"first_ever": "visit"})
    three_months = Period.parse("3 months")
    for known_by, expected in ((dt.date(2020, 8, 15), True), (dt.date(2020, 12, 1), False)):
        window = Window.horizon(AS_OF, three_months, known_by)
        assert holds(predicate, rows, tables, study_file(), window).to_list() == [expected]


@pytest.mark.parametrize("known_by", [dt.date(2020, 6, 30), AS_OF, dt.date(2021, 12, 31)])
@pytest.mark.parametrize("start", [dt.date(1, 1, 1), dt.date(2020, 1, 1), dt.date(2020, 7, 1)])
def test_facts_are_counted_alike_in_memory_and_by_any_other_engine(
    tables: Tables, tmp_path: Path, start: dt.date, known_by: dt.date
) -> None:
    """What is kept in the order of days gives the same counts as a query does."""
    rows = pl.DataFrame({"entity_id": [*"fdabec", "somebody"]})
    elsewhere = {}
    for name, table_ in tables.tables.items():
        table_.frame.write_parquet(tmp_path / f"{name}.parquet")
        elsewhere[name] = replace(table_, frame=None, path=tmp_path / f"{name}.parquet", engine=Engine("duckdb"))
    window = Window(AS_OF, start, dt.date(2020, 7, 2), known_by)
    for predicate in ({"count": word, "at_least": n} for word in STUDY.facts for n in (1, 2)):
        parsed = PREDICATE.validate_python(predicate)
        found = [holds(parsed, rows, held, STUDY, window).to_list() for held in (tables, Tables(elsewhere))]
        assert found[0] == found[1], predicate


# ---------------------------------------------------------------- rows without their dates

# When a visit happened and became known; None is not recorded. AS_OF is the first of July.
WHEN = (dt.date(2020, 1, 10), dt.date(2020, 6, 10), None)
LEARNED = (dt.date(2020, 6, 20), dt.date(2020, 7, 5), None)
ONE_FACT = (
    {"any": "visit"}, {"any": "visit", "last": "3 months"}, {"none": "visit"}, {"none": "visit", "last": "3 months"},
    {"count": "visit", "at_least": 2}, {"count": "visit", "at_most": 1, "last": "3 months"},
    {"count": "visit", "equals": 2}, {"count": "visit", "above": 0, "below": 2}, {"count": "visit", "at_least": 1.5},
)  # fmt: skip


Rows = list[tuple[dt.date | None, dt.date | None]]


def as_dated(rows: Rows) -> Iterator[Any]:
    """The same rows with every day that each may be of."""
    each = [
        [(e, k) for e in ([event] if event else WHEN[:2]) for k in ([known] if known else LEARNED[:2]) if e <= k]
        for event, known in rows
    ]
    return itertools.product(*each)


def told(rows: Any, predicate: dict[str, Any], undated: Undated = "aside") -> bool:
    study = study_file(cohort={"as_of_dates": [AS_OF], "steps": [{"step": "s", "keep": predicate}]})
    said = "".join(f"a {event or '-'} {known or '-'} visit\n" for event, known in rows)
    tables = tables_of(study, people="id\na", records=f"id happened known kind\nz 2020-01-01 2020-01-02 visit\n{said}")
    rule = study.cohort.steps[0].keep
    people = pl.DataFrame({"entity_id": ["a"]})
    return bool(holds(rule, people, tables, study, Window.before(AS_OF), undated).item())


@settings(max_examples=40, deadline=None)
@given(
    rows=st.lists(st.tuples(st.sampled_from(WHEN), st.sampled_from(LEARNED)), max_size=3),
    which=st.sampled_from(ONE_FACT),
    negated=st.booleans(),
)
def test_may_and_sure_are_what_any_and_every_day_would_tell(rows: Rows, which: dict[str, Any], negated: bool) -> None:
    predicate = {"not": which} if negated else which
    every = [told(dated, predicate) for dated in as_dated(rows)]
    assert told(rows, predicate, "may") == any(every)
    assert told(rows, predicate, "sure") == all(every)


@settings(max_examples=15, deadline=None)
@given(
    rows=st.lists(st.tuples(st.sampled_from(WHEN), st.sampled_from(LEARNED)), max_size=2),
    both=st.tuples(st.sampled_from(ONE_FACT), st.sampled_from(ONE_FACT)),
    word=st.sampled_from(["all_of", "any_of"]),
)
def test_nobody_is_missed_by_a_rule_of_several_parts(rows: Rows, both: Any, word: str) -> None:
    """Each part may hold on other days than the next, so a rule may leave off too many, and never too few."""
    every = [told(dated, {word: list(both)}) for dated in as_dated(rows)]
    assert told(rows, {word: list(both)}, "may") >= any(every)
    assert told(rows, {word: list(both)}, "sure") <= all(every)
