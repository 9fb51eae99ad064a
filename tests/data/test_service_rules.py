"""Rules, teams and households, as they were known before each as-of date."""

import datetime as dt

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from riskmodels.data.service_rules import closed_households, has_service_view, service_view
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
        [(one, day) for day in dates for one in "abcd"],
        schema={"entity_id": pl.String, "as_of_date": pl.Date},
        orient="row",
    )


def test_rules_teams_and_households_are_those_known_before_the_date():
    # On 1 July: b's death is known only on the day itself, so b has help as a has; c's home is not known yet either.
    # On 1 January: help is more than three months ago; b is known to have died; a has moved south and out of b's home.
    expected = pl.DataFrame(
        [
            ("a", AS_OF, 1, True, False, "north", "h1", False),
            ("b", AS_OF, 1, True, False, "north", "h1", False),
            ("c", AS_OF, 1, True, False, None, None, False),
            ("d", AS_OF, None, False, False, None, None, False),
            ("a", LATER, None, False, False, "south", "h2", False),
            ("b", LATER, 0, False, False, "north", "h1", True),
            ("c", LATER, 2, True, False, "south", "h3", False),
            ("d", LATER, None, False, False, None, None, False),
        ],
        schema={
            "entity_id": pl.String, "as_of_date": pl.Date, "excluded": pl.Int16, "already_known": pl.Boolean,
            "undated": pl.Boolean, "team": pl.String, "household": pl.String, "household_closed": pl.Boolean,
        },
        orient="row",
    )  # fmt: skip
    assert_frame_equal(service_view(rows(AS_OF, LATER), TABLES, WHOLE), expected)
    mixed = rows(AS_OF, LATER).sample(fraction=1, shuffle=True, seed=3)
    found = service_view(mixed, TABLES, WHOLE)
    assert found["entity_id"].to_list() == mixed["entity_id"].to_list()
    assert_frame_equal(found.sort("as_of_date", "entity_id"), expected)


def reasons(on, study):
    """Why each is left off."""
    places = service_view(on, TABLES, study)["excluded"].to_list()
    return [None if place is None else study.service_rules[place].because for place in places]


def test_the_first_rule_that_holds_is_the_reason():
    on = rows(LATER)
    assert reasons(on, WHOLE) == [None, "died", "in care", None]
    without = study_file(sources=SOURCES, facts=FACTS)
    assert reasons(on, without) == [None] * 4


def test_where_households_are_listed_no_rule_hides_one_that_closes_the_home():
    # b has help and is known to have died; the study names the help first.
    on = rows(dt.date(2020, 7, 15))
    sections = {"sources": SOURCES, "facts": FACTS, "service_rules": [RULES[1], RULES[0]]}
    homes = {"list_unit": "household", "cohort": {**BASE["cohort"], "cluster": "homes.home"}}
    assert reasons(on, study_file(**sections))[1] == "has help"
    listing_homes = study_file(**sections, **homes)
    assert reasons(on, listing_homes)[1] == "died"
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


# ---------------------------------------------------------------- rows without their dates


def view(records, rules, people="id\na\nb\nc\nd", homes=None, ids="abcd", day=AS_OF, today=None, objectors=(), **more):
    """What is said on one day of some people; ``homes`` makes it a list of households."""
    sections = {"sources": SOURCES, "facts": FACTS, "service_rules": rules, **more}
    tables = {"people": people, "records": records}
    if homes is not None:
        sections |= {"list_unit": "household", "cohort": {**BASE["cohort"], "cluster": "homes.home"}}
        tables["homes"] = homes
    else:
        sections["sources"] = BASE["sources"]
    file = study_file(**sections)
    on = pl.DataFrame({"entity_id": list(ids), "as_of_date": [day] * len(ids)})
    return service_view(on, tables_of(file, **tables), file, today, objectors)


def rule(exclude, kind="other"):
    return {"exclude": exclude, "because": f"{kind} {exclude}", "owner": "o", "kind": kind}


# a's row says neither day, b's not when it was known, c's not when it happened; d's is known on the day itself.
UNDATED = """
    id happened   known      kind
    a  -          -          died
    b  2020-01-01 -          died
    c  -          2020-01-02 died
    d  -          2020-07-01 died
    a  2020-01-01 2020-01-02 care
"""


@pytest.mark.parametrize("kind", ["died", "objected", "restricted", "contacted", "other"])
def test_a_record_without_its_dates_leaves_off(kind):
    found = view(UNDATED, [rule({"any": "died"}, kind)])
    assert found["excluded"].to_list() == [0, 0, 0, None]
    assert found["undated"].to_list() == [True, True, True, False]


def test_a_record_without_its_dates_may_be_of_the_last_months():
    # b's happened in January, which is no day of the last month, whenever it was known.
    assert view(UNDATED, [rule({"any": "died", "last": "1 month"})])["excluded"].to_list() == [0, None, 0, None]
    # Whoever another rule leaves off by a record with its dates is not left off for want of one.
    by_care = view(UNDATED, [rule({"any": "died"}), rule({"any": "care"})])
    assert by_care["undated"].to_list() == [False, True, True, False]


@pytest.mark.parametrize(
    ("exclude", "expected"),
    [
        # a has one or two of them, by the day of the second; b has one.
        ({"count": "help", "at_least": 2}, "a"),
        ({"count": "help", "at_most": 1}, "abcd"),
        ({"count": "help", "above": 0, "below": 2}, "ab"),
        ({"count": "help", "equals": 2}, "a"),
        ({"not": {"count": "help", "at_least": 2}}, "abcd"),
        ({"not": {"any": "help"}}, "cd"),
        ({"none": "help"}, "cd"),
        # Nobody is left off only if it is certain: c's only care has no dates, and may be or not.
        ({"none": "care"}, "abcd"),
        ({"any": "care"}, "c"),
        ({"not": {"none": "care"}}, "c"),
        ({"all_of": [{"any": "care"}, {"none": "care"}]}, "c"),
        ({"any_of": [{"any": "care"}, {"any": "help"}]}, "abc"),
    ],
)
def test_a_rule_holds_wherever_it_may(exclude, expected):
    records = """
        id happened   known      kind
        a  2020-06-01 2020-06-02 help
        a  -          -          help
        b  2020-06-01 2020-06-02 help
        c  -          -          care
    """
    found = view(records, [rule(exclude)])
    assert "".join(found.filter(pl.col("excluded") == 0)["entity_id"]) == expected


def test_an_attribute_without_its_day_may_be_the_one_that_counts():
    homes = """
        id known      home area
        a  2019-01-01 h1   safe
        a  -          h1   secret
        b  2019-01-01 h1   secret
        c  -          h2   safe
    """
    rules = [rule({"attribute": "homes.area", "equals": "secret"}, "restricted")]
    nothing = "id happened known kind\na 2020-01-01 2020-01-02 care"
    assert view(nothing, rules, homes=homes)["excluded"].to_list() == [0, 0, None, None]
    # b's area is recorded as secret; a's may still be.
    safe = [rule({"not": {"attribute": "homes.area", "equals": "secret"}})]
    assert view(nothing, safe, homes=homes)["excluded"].to_list() == [0, None, 0, 0]


# ---------------------------------------------------------------- known today

SINCE = """
    id happened   known      kind
    a  2020-07-01 2020-07-01 died
    b  2020-05-01 2020-09-30 died
    c  2020-09-30 2020-10-01 died
    d  2020-06-01 2020-06-02 help
"""
TODAY = dt.date(2020, 9, 30)


def test_a_list_made_today_is_without_those_who_died_since():
    assert view(SINCE, RULES)["excluded"].to_list() == [None, None, None, 1]
    # Today's own records count; what becomes known tomorrow does not. d's help was in the last months then, not now.
    assert view(SINCE, RULES, today=TODAY)["excluded"].to_list() == [0, 0, None, 1]
    assert view(SINCE, RULES, today=TODAY + dt.timedelta(days=1))["excluded"].to_list() == [0, 0, 0, 1]
    # Where the as-of date is today, the day itself counts, too.
    assert view(SINCE, RULES, today=AS_OF)["excluded"].to_list() == [0, None, None, 1]


@pytest.mark.parametrize(
    ("happened", "held"), [("2020-08-29", None), ("2020-08-30", 0), ("2020-09-30", 0), ("2020-10-01", None)]
)
def test_windows_count_back_from_today(happened, held):
    records = f"id happened known kind\na {happened} {happened} help"
    assert view(records, [rule({"any": "help", "last": "1 month"})], today=TODAY, ids="a")["excluded"].item() == held


def test_on_a_relative_clock_all_that_is_recorded_is_known_today():
    assert view(SINCE, RULES, today=TODAY, clock="relative")["excluded"].to_list() == [0, 0, 0, 1]


# ---------------------------------------------------------------- households that are left alone

HOMES = """
    id known      home area
    a  2019-01-01 h1   x
    b  2019-01-01 h1   x
    c  2019-01-01 h2   x
    d  2019-01-01 h3   x
    d  2020-09-01 h2   x
"""
DIED = [rule({"any": "died"}, "died")]
ALIVE = "id happened known kind\nz 2020-01-01 2020-01-02 died"


def closed(records=ALIVE, homes=HOMES, **more):
    found = view(records, DIED, homes=homes, **more)
    return "".join(found.filter("household_closed")["entity_id"])


def test_somebody_outside_the_cohort_closes_the_home():
    b_died = "id happened known kind\nb 2020-01-01 2020-01-02 died"
    assert closed(b_died, ids="acd") == "a"
    assert closed(ALIVE + "\nb - - died", ids="acd") == "a"
    assert closed(b_died.replace("2020", "2021"), ids="acd") == ""
    assert closed(ids="acd", objectors=("b", "nobody")) == "a"
    assert closed(objectors=("a",)) == "ab"


def test_the_last_home_of_the_dead_counts_where_none_is_recorded_any_more():
    b_died = "id happened known kind\nb 2020-01-01 2020-01-02 died"
    assert closed(b_died, HOMES + "    b  2020-02-01 -    x\n", ids="acd") == "a"
    assert closed(b_died, HOMES.replace("b  2019-01-01", "b  -         "), ids="acd") == "a"


def test_an_id_that_is_also_a_home_closes_nothing():
    # a's home is not known; h1 is both a's own id and the home of b and c.
    homes = "id known home area\nh1 2019-01-01 - x\nb 2019-01-01 h1 x\nc 2019-01-01 h1 x"
    people, died = "id\nh1\nb\nc", "id happened known kind\nh1 2020-01-01 2020-01-02 died"
    found = view(died, DIED, people=people, homes=homes, ids=("h1", "b", "c"))
    assert found.rows_by_key("entity_id", named=True, unique=True)["h1"]["excluded"] == 0
    assert found["household"].to_list() == [None, "h1", "h1"]
    assert not found["household_closed"].any()


def test_whoever_has_moved_to_a_home_that_is_left_alone_is_left_alone():
    # d moved to c's home on 1 September.
    c_died = "id happened known kind\nc 2020-08-01 2020-08-02 died"
    found = view(c_died, DIED, homes=HOMES, today=TODAY)
    assert found["household"].to_list() == ["h1", "h1", "h2", "h2"]
    assert found["household_closed"].to_list() == [False, False, True, True]
    # Where nobody is left alone, the home is that of the as-of date.
    assert view(ALIVE, DIED, homes=HOMES, today=TODAY)["household"].to_list() == ["h1", "h1", "h2", "h3"]
