"""Rules, teams and households, as they were known before each as-of date."""

import datetime as dt

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from riskmodels.data.service_rules import closed_households, excluded_because, has_service_view, service_view
from tests.data.small_study import AS_OF, BASE, study_file, tables_of

LATER = dt.date(2021, 1, 1)
RULES = [
    {"exclude": {"any": "died"}, "because": "died", "owner": "o", "kind": "died"},
    {"exclude": {"any": "help", "last": "3 months"}, "because": "has help", "owner": "o", "kind": "already_known"},
    {"exclude": {"any": "care"}, "because": "in care", "owner": "o", "kind": "already_known"},
]
SOURCES = BASE["sources"] | {
    "homes": {"file": "homes.csv", "entity": "id", "known_date": "known"},
}
FACTS = BASE["facts"] | {word: {"in": "records", "kind": word} for word in ("died", "help", "care")}
WHOLE = study_file(
    sources=SOURCES, facts=FACTS, service_rules=RULES, list_unit="household",
    cohort={"as_of_dates": [AS_OF, LATER], "steps": [], "cluster": "homes.home"},
    split={"test": {"dates": [LATER]}, "calibrate": "grouped", "why_grouped": "small"},
    capacity={"places": {"north": 1, "south": 1}, "by": "homes.area"},
)  # fmt: skip
TABLES = tables_of(
    WHOLE,
    people="id\na\nb\nc\nd",
    homes="""
        id known      home area
        a  2019-01-01 h1   north
        a  2020-08-01 h2   south
        b  2019-01-01 h1   north
        c  2020-07-01 h3   south
    """,
    records="""
        id happened   known      kind
        a  2020-06-01 2020-06-02 help
        b  2020-06-01 2020-06-02 help
        b  2020-06-05 2020-07-01 died
        c  2020-06-05 2020-06-06 care
        c  2020-06-05 2020-06-06 help
    """,
)


def rows(*dates):
    return pl.DataFrame(
        [(one, day, home) for day in dates for one, home in (("a", "h1"), ("b", "h1"), ("c", "c"), ("d", "d"))],
        schema={"entity_id": pl.String, "as_of_date": pl.Date, "cluster_id": pl.String},
        orient="row",
    )


def test_rules_teams_and_households_are_those_known_before_the_date():
    # On 1 July: b's death is known only on the day itself, so b has help as a has; c's home is not known yet either.
    # On 1 January: help is more than three months ago; b is known to have died; a has moved south.
    expected = pl.DataFrame(
        [
            ("a", AS_OF, 1, True, "north", "h1"),
            ("b", AS_OF, 1, True, "north", "h1"),
            ("c", AS_OF, 1, True, None, "c"),
            ("d", AS_OF, None, False, None, "d"),
            ("a", LATER, None, False, "south", "h1"),
            ("b", LATER, 0, False, "north", "h1"),
            ("c", LATER, 2, True, "south", "c"),
            ("d", LATER, None, False, None, "d"),
        ],
        schema={
            "entity_id": pl.String, "as_of_date": pl.Date, "excluded": pl.Int16, "already_known": pl.Boolean,
            "team": pl.String, "household": pl.String,
        },
        orient="row",
    )  # fmt: skip
    assert_frame_equal(service_view(rows(AS_OF, LATER), TABLES, WHOLE), expected)
    mixed = rows(AS_OF, LATER).sample(fraction=1, shuffle=True, seed=3)
    found = service_view(mixed, TABLES, WHOLE)
    assert found["entity_id"].to_list() == mixed["entity_id"].to_list()
    assert_frame_equal(found.sort("as_of_date", "entity_id"), expected)


def test_the_first_rule_that_holds_is_the_reason():
    on = rows(LATER)
    assert excluded_because(on, TABLES, WHOLE, LATER).to_list() == [None, "died", "in care", None]
    without = study_file(sources=SOURCES, facts=FACTS)
    assert excluded_because(on, TABLES, without, LATER).to_list() == [None] * 4


def test_where_households_are_listed_no_rule_hides_one_that_closes_the_home():
    # b has help and is known to have died; the study names the help first.
    day, on = dt.date(2020, 7, 15), rows(dt.date(2020, 7, 15))
    sections = {"sources": SOURCES, "facts": FACTS, "service_rules": [RULES[1], RULES[0]]}
    homes = {"list_unit": "household", "cohort": {**BASE["cohort"], "cluster": "homes.home"}}
    assert excluded_because(on, TABLES, study_file(**sections), day)[1] == "has help"
    listing_homes = study_file(**sections, **homes)
    assert excluded_because(on, TABLES, listing_homes, day)[1] == "died"
    seen = service_view(on, TABLES, listing_homes)
    assert seen["excluded"].to_list() == [0, 1, 0, None]
    assert seen["already_known"].to_list() == [True, True, True, False]
    assert closed_households(seen["excluded"], seen["household"], listing_homes.service_rules) == {"h1"}


def test_without_teams_or_households_their_columns_are_empty():
    found = service_view(rows(AS_OF), TABLES, study_file(sources=SOURCES, facts=FACTS, service_rules=RULES[:1]))
    assert found["team"].null_count() == found["household"].null_count() == 4
    assert not found["already_known"].any()


@pytest.mark.parametrize(
    ("sections", "has"),
    [
        ({}, False),
        ({"service_rules": [{"exclude": {"any": "visit"}, "because": "b", "owner": "o"}]}, True),
        ({"capacity": {"places": {"x": 1}, "by": "people.area"}}, True),
        ({"list_unit": "household", "cohort": {**BASE["cohort"], "cluster": "people.home"}}, True),
    ],
)
def test_a_service_has_a_list_of_its_own_if_it_says_anything(sections, has):
    assert has_service_view(study_file(**sections)) is has


def test_only_rules_that_reach_the_whole_home_close_it():
    rules = WHOLE.service_rules
    excluded = pl.Series([0, None, 1, None, 0], dtype=pl.Int16)
    household = pl.Series(["h1", "h1", "h2", "h2", None])
    assert closed_households(excluded, household, rules) == {"h1"}
    assert closed_households(excluded, household, rules[1:]) == set()
