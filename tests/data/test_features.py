"""Every aggregation against an oracle that goes person by person, and the borders of what may be seen."""

from __future__ import annotations

import datetime as dt
import math
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from riskmodels.caching import Steps
from riskmodels.data import queries
from riskmodels.data.aggregations import AGGREGATIONS
from riskmodels.data.cohort import Cohort
from riskmodels.data.features import DAYS_IN_A_YEAR, Features, build_features, plan_features
from riskmodels.data.tables import Table, Tables
from riskmodels.errors import DataError, StudyError
from riskmodels.study import AGGREGATIONS as STUDY_AGGREGATIONS
from riskmodels.study import OF_A_SOURCE
from tests.data.everything_study import (
    EVERYTHING,
    Covered,
    Rows,
    all_rows,
    coverage,
    everybody,
    everything_tables,
    many_rows,
)
from tests.data.feature_oracle import features_of
from tests.data.small_study import AS_OF, cohort_of, study_file, tables_of

OTHER = dt.date(2020, 1, 1)
NOBODY: Rows = {name: [] for name in ("people", "records", "police", "homes", "crimes", "places")}
EXACT = ("count", "any", "distinct", "min", "max", "latest", "first", "mode", "episodes", "days_since_first",
         "days_since_last", "attribute")  # fmt: skip


def records_of(facts: list[tuple[str, int, int, str, float | None]]) -> pl.DataFrame:
    rows = [(who, AS_OF - dt.timedelta(ago), late, kind, value) for who, ago, late, kind, value in facts]
    return pl.DataFrame(
        [(who, event, event + dt.timedelta(late), kind, value) for who, event, late, kind, value in rows],
        schema={
            "entity_id": pl.String, "event_date": pl.Date, "known_date": pl.Date, "kind": pl.String,
            "value": pl.Float64,
        },
        orient="row",
    )  # fmt: skip


def line(take: str, last: str | list[str] = "ever", of: str = "visit.value", **rest: Any) -> dict[str, Any]:
    return {"name": "x", "take": take, "of": of, "last": last, "words": "x", **rest}


# ---------------------------------------------------------------- everything, against the oracle


def differences(found: Any, rows: Rows, covered: Covered) -> list[tuple[Any, ...]]:
    """Where features are not what the oracle says: exactly, but for what is added up or divided."""
    wrong = []
    for row in found.frame.iter_rows(named=True):
        expected = features_of(EVERYTHING, rows, covered, row["entity_id"], row["as_of_date"])
        for spec in found.specs:
            value, wanted = row[spec.name], expected[spec.name]
            if not isinstance(wanted, float) or spec.take in EXACT:
                same = value == wanted
            else:
                same = value is not None and math.isclose(value, wanted, rel_tol=1e-9, abs_tol=1e-9)
            if not same:
                wrong.append((row["entity_id"], row["as_of_date"], spec.name, value, wanted))
    return wrong


@settings(max_examples=25, deadline=None)
@given(rows=all_rows(), covered=coverage())
def test_every_feature_is_what_one_would_work_out_by_hand(rows: Rows, covered: Covered) -> None:
    found = build_features(everybody(), everything_tables(rows, covered), EVERYTHING)
    assert found.names == [column.name for line in EVERYTHING.features for column in line.columns]
    assert differences(found, rows, covered) == []


def test_many_facts_come_to_what_one_would_work_out_by_hand() -> None:
    rows, covered = many_rows()
    assert differences(build_features(everybody(), everything_tables(rows, covered), EVERYTHING), rows, covered) == []


def test_the_study_takes_everything_that_may_be_taken() -> None:
    assert {take for line in EVERYTHING.features for take in line.take} == set(STUDY_AGGREGATIONS)
    assert set(AGGREGATIONS) == set(STUDY_AGGREGATIONS) - set(OF_A_SOURCE)


def test_one_day_is_one_day_wherever_its_row_stands() -> None:
    """Dividing a column of floats by a constant may differ in the last bit from row to row.

    Two values of one day would then lie on two days: a slope of nearly nothing over nearly nothing.
    """
    lines = [{**line("trend"), "name": "trend"}, {**line("days_since_first", of="visit"), "name": "days"}]
    study = study_file(features=lines)
    for rows in range(2, 10):
        for ago in (7, 29, 100):
            facts = [("a", 1, 0, "visit", 1.0), *(("b", ago, 0, "visit", float(i % 4)) for i in range(rows))]
            tables = Tables({"records": Table("records", study.sources["records"], records_of(facts))})
            found = build_features(cohort_of("a", "b"), tables, study).frame
            assert found["trend"].to_list() == [None, None], (rows, ago)
            assert found["days"].to_list() == [1.0, float(ago)]


# ---------------------------------------------------------------- borders, by hand

PEOPLE = """
id born       ward rooms
a  2010-07-01 007  2
b  2009-12-31 n    -
c  -          -    3
"""
RECORDS = """
id happened   known      kind  value word
a  2020-06-30 2020-06-30 visit 1     low
a  2020-07-01 2020-07-01 visit 2     high
a  2020-06-29 2020-07-01 visit 4     high
b  2020-04-01 2020-04-01 visit 8     mid
b  2020-03-31 2020-03-31 visit 16    low
b  2020-04-01 2020-04-02 visit 32    low
"""


def features(*lines: dict[str, Any], dates: tuple[dt.date, ...] = (AS_OF,)) -> Features:
    study = study_file(features=list(lines))
    tables = tables_of(study, people=PEOPLE, records=RECORDS)
    return build_features(cohort_of("c", "a", "b", dates=dates), tables, study)


def column(*lines: dict[str, Any]) -> list[Any]:
    return features(*lines).frame["x"].to_list()


def test_what_happens_or_is_known_on_the_day_is_not_seen() -> None:
    # Of a's three visits one fell on the day and one became known on it: 1 alone is left.
    assert column(line("sum")) == [0.0, 1.0, 56.0]
    assert column(line("count", of="visit")) == [0.0, 1.0, 3.0]


def test_a_window_begins_on_its_first_day() -> None:
    # Three months before 1 July begin on 1 April: b's visit of 31 March is out.
    assert column(line("sum", "3 months")) == [0.0, 1.0, 40.0]
    assert column(line("sum", "1 day")) == [0.0, 1.0, 0.0]


def test_two_values_of_one_day_are_settled_by_when_they_became_known() -> None:
    assert column(line("latest")) == [None, 1.0, 32.0]
    assert column(line("latest", of="visit.word", missing="category")) == [None, "low", "low"]
    assert column(line("first", "3 months")) == [None, 1.0, 8.0]


def test_nothing_is_a_plain_nought_only_where_it_means_one() -> None:
    assert column(line("any", of="visit")) == [0.0, 1.0, 1.0]
    assert column(line("mean")) == [None, 1.0, pytest.approx(56 / 3)]
    assert column(line("mean", missing="zero")) == [0.0, 1.0, pytest.approx(56 / 3)]
    assert column(line("days_since_last", of="visit")) == [None, 1.0, 91.0]
    # A word that is missing stays missing: nought is no word.
    assert column(line("latest", of="visit.word", missing="zero")) == [None, "low", "low"]


def test_age_in_years_and_attributes_as_they_stand() -> None:
    # a turns 10 on the day: 3653 days, three of them leap days.
    years = column(line("age", of="people.born"))
    assert years[0] is None
    assert years[1:] == [pytest.approx(3653 / DAYS_IN_A_YEAR), pytest.approx(3835 / DAYS_IN_A_YEAR)]
    assert column(line("attribute", of="people.rooms")) == [3.0, 2.0, None]
    assert column(line("attribute", of="people.ward", missing="category")) == [None, "007", "n"]
    assert column(line("attribute", of="people.rooms", missing="category")) == ["3", "2", None]


def test_an_attribute_of_a_dated_table_is_the_last_one_known() -> None:
    assert column(line("attribute", of="records.value")) == [None, 1.0, 32.0]


def test_a_date_is_no_feature() -> None:
    with pytest.raises(StudyError, match=r"features \(x\)\.of: people\.born holds dates; take age, or days since"):
        features(line("attribute", of="people.born"))


def test_the_frame_has_the_rows_of_the_cohort_and_a_column_for_each_spec() -> None:
    found = features(
        line(["latest", "count"], ["3 months", "ever"]),
        {"name": "ward", "take": "attribute", "of": "people.ward", "missing": "category", "words": "ward"},
        dates=(OTHER, AS_OF),
    )
    assert found.frame.columns == ["entity_id", "as_of_date", *found.names]
    assert found.frame["entity_id"].to_list() == ["c", "a", "b"] * 2
    assert [(spec.name, spec.kind, spec.words) for spec in found.specs] == [
        ("x_latest_3_months", "number", "x (latest), last 3 months"),
        ("x_latest_ever", "number", "x (latest), at any time"),
        ("x_count_3_months", "number", "x (count), last 3 months"),
        ("x_count_ever", "number", "x (count), at any time"),
        ("ward", "category", "ward"),
    ]
    assert {spec.source for spec in found.specs} == {"records", "people"}
    assert [found.frame.schema[spec.name] for spec in found.specs] == [pl.Float64] * 4 + [pl.String]


def test_a_fact_and_a_source_may_share_a_name() -> None:
    """What is taken decides which of the two is meant."""
    facts = {"people": {"in": "records", "kind": "visit"}, "visit": {"in": "records"}, "anything": {"in": "records"}}
    lines = [line("sum", of="people.value"), {**line("attribute", of="people.rooms"), "name": "rooms"}]
    study = study_file(facts=facts, features=lines)
    tables = tables_of(study, people=PEOPLE, records=RECORDS)
    found = build_features(cohort_of("a", "b"), tables, study).frame
    assert found["x"].to_list() == [1.0, 56.0]
    assert found["rooms"].to_list() == [2.0, None]
    assert [spec.source for spec in plan_features(tables, study)] == ["records", "people"]


# ---------------------------------------------------------------- what is said of a column


def test_the_words_of_each_value_stand_where_the_line_wants_them() -> None:
    kinds = {"kind": ["visit", "test"]}
    said = {"words": "{each}s", "high": "many a {each}", "low": "no {each}"}
    lines = [
        {**line("count", ["3 months", "ever"], of="anything", each=kinds), **said, "name": "n"},
        {**line("count", of="anything", each=kinds), "words": "events", "name": "m"},
    ]
    specs = features(*lines).specs
    assert [(spec.name, spec.words, spec.high, spec.low, spec.each) for spec in specs[:2]] == [
        ("n_3_months_visit", "visits, last 3 months", "many a visit", "no visit", ("kind", "visit")),
        ("n_3_months_test", "tests, last 3 months", "many a test", "no test", ("kind", "test")),
    ]
    assert [spec.words for spec in specs[4:]] == ["events: visit", "events: test"]
    # Both windows of a value say the same thing; two values do not.
    assert [spec.says for spec in specs] == ["n: visit", "n: test"] * 2 + ["m: visit", "m: test"]
    told = features({**line("count", of="anything", each=kinds), "words": "events", "name": "m", "says": "events"})
    assert [spec.says for spec in told.specs] == ["events", "events"]


def test_a_column_says_whom_it_is_about_and_what_its_line_says() -> None:
    found = {spec.name: spec for spec in plan_features(everything_tables(NOBODY, {}), EVERYTHING)}
    assert found["visit_count_30_days"].about == "person"
    assert found["area_count_ever"].about == "place"
    assert found["area_count_ever"].by == "homes.area"
    assert found["visit_episodes_ever"].gap == "30 days"
    assert found["visit_rate_change_30_days"].than == "90 days"
    assert found["spread_ever"].over == "high.value"
    study = study_file(features=[line("count", of="visit", about="household", seen_by=["a team", "an officer"])])
    (spec,) = plan_features(tables_of(study, people=PEOPLE, records=RECORDS), study)
    assert (spec.about, spec.seen_by) == ("household", ("a team", "an officer"))


def test_noughts_are_filled_in_for_the_covered_alone_and_the_encoder_leaves_the_others() -> None:
    everybody_covered = {spec.name: spec.missing for spec in plan_features(everything_tables(NOBODY, {}), EVERYTHING)}
    some = {"police": {"a": dt.date(1, 1, 1)}}
    some_covered = {spec.name: spec.missing for spec in plan_features(everything_tables(NOBODY, some), EVERYTHING)}
    assert everybody_covered["police_zeros_ever"] == "zero"
    assert some_covered["police_zeros_ever"] == "keep"
    assert some_covered["zeros_ever"] == "zero"
    found = build_features(everybody(AS_OF), everything_tables(NOBODY, some), EVERYTHING).frame
    assert found.sort("entity_id")["police_zeros_ever"].to_list() == [0.0, None, None, None]
    assert found.sort("entity_id")["police_count_ever"].to_list() == [0.0, None, None, None]


@pytest.mark.parametrize("take", ["latest", "first", "mode"])
def test_no_feature_is_a_date(take: str) -> None:
    frame = records_of([("a", 1, 0, "visit", 1.0)]).with_columns(pl.lit(AS_OF).alias("due"))
    study = study_file(features=[line(take, of="visit.due")])
    tables = Tables({"records": Table("records", study.sources["records"], frame)})
    with pytest.raises(StudyError, match="holds dates; take age, or days since a fact"):
        build_features(cohort_of("a"), tables, study)


def test_nobody_has_no_features_but_every_column() -> None:
    found = build_features(cohort_of("a"), everything_tables(NOBODY, {}), EVERYTHING)
    none = build_features(
        Cohort(cohort_of("a").rows.clear(), pl.DataFrame()), everything_tables(NOBODY, {}), EVERYTHING
    )
    assert none.frame.schema == found.frame.schema
    assert none.frame.height == 0


def test_rows_stand_in_the_order_of_the_cohort_whatever_that_is() -> None:
    facts = [(who, ago, 0, "visit", float(ago)) for who in "abc" for ago in (1, 40, 200)]
    study = study_file(features=[line("sum", ["30 days", "ever"])])
    tables = Tables({"records": Table("records", study.sources["records"], records_of(facts))})
    cohort = cohort_of("b", "c", "a", dates=(OTHER, AS_OF))
    mixed = Cohort(cohort.rows.gather([5, 0, 3, 1, 4, 2]), pl.DataFrame())
    found, expected = (build_features(one, tables, study).frame for one in (mixed, cohort))
    assert_frame_equal(found, expected.gather([5, 0, 3, 1, 4, 2]))


# ---------------------------------------------------------------- exact sums


def summed(values: list[float], take: str = "sum") -> float | None:
    facts = [("a", 1 + ago, 0, "visit", value) for ago, value in enumerate(values)]
    study = study_file(features=[line(take)])
    tables = Tables({"records": Table("records", study.sources["records"], records_of(facts))})
    found: float | None = build_features(cohort_of("a"), tables, study).frame["x"][0]
    return found


def test_decimals_add_up_to_the_same_bits_in_any_order() -> None:
    values = [0.1, 0.2, 0.3, 7.03, -7.03, 1e9 + 0.7, -1e9, 0.01]
    orders = [values, values[::-1], values[3:] + values[:3], sorted(values)]
    assert len({summed(order) for order in orders}) == 1
    assert summed(values) == pytest.approx(math.fsum(values), abs=1e-11)
    assert len({sum(order) for order in orders}) > 1  # as plain sums would not
    assert len({summed(order, "mean") for order in orders}) == 1


def test_large_numbers_are_exact_as_long_as_64_bits_hold_them() -> None:
    assert summed([2.0**53, 1.0, 1.0]) == 2.0**53 + 2
    assert summed([2.0**60, 2.0**60, -(2.0**60)]) == 2.0**60
    assert summed([1e9, 2e9, 3e9], "trend") == pytest.approx(-1e9 * DAYS_IN_A_YEAR)


@pytest.mark.parametrize(
    ("values", "take"),
    [([1e19], "sum"), ([2.0**61, 2.0**61], "mean"), ([1e15] * 3, "trend"), ([-1e300], "sum")],
)
def test_numbers_beyond_that_are_refused_by_name(values: list[float], take: str) -> None:
    message = r"^records, column 'value': its numbers are too large to be summed exactly; store them in larger units"
    with pytest.raises(DataError, match=message):
        summed(values, take)


@given(
    st.lists(
        st.tuples(st.integers(1, 10), st.sampled_from([1, 5, 70_000, 3_000_000]), st.sampled_from([-1.5, 0.0, 2.0]))
    )
)
def test_rows_are_put_in_order_whatever_the_range_of_their_days(rows: list[tuple[int, int, float]]) -> None:
    first, second, third = (np.array([row[place] for row in rows]) for place in range(3))
    order = queries._in_order(first.astype(np.int64), second.astype(np.int64), third.astype(np.float64))
    assert [rows[place] for place in order] == sorted(rows)


# ---------------------------------------------------------------- lines that are kept


def test_a_line_is_made_again_only_if_what_it_is_made_from_has_changed(tmp_path: Path) -> None:
    facts = [("a", 1, 0, "visit", 1.0), ("b", 40, 0, "test", 2.0)]

    def made(
        *lines: dict[str, Any], digest: str = "1", kinds: str = "visit", ids: str = "ab", value: float = 1.0
    ) -> tuple[list[str], pl.DataFrame]:
        study = study_file(
            features=list(lines), facts={"visit": {"in": "records", "kind": kinds}, "anything": {"in": "records"}}
        )
        people = pl.DataFrame({"entity_id": ["a", "b"], "rooms": [value, 3.0]})
        tables = Tables(
            {
                "records": Table("records", study.sources["records"], records_of(facts), digest="records"),
                "people": Table("people", study.sources["people"], people, digest=digest),
            }
        )
        steps = Steps(tmp_path, "small")
        found = build_features(cohort_of(*ids), tables, study, steps)
        assert_frame_equal(found.frame, build_features(cohort_of(*ids), tables, study).frame)
        return [step.name for step in steps.log if not step.reused], found.frame

    visits, rooms = line("count", ["3 months", "ever"], of="visit"), line("attribute", of="people.rooms")
    every = {**line("count", of="anything"), "name": "every"}
    lines = [{**visits, "name": "visits"}, {**rooms, "name": "rooms"}, every]
    assert made(*lines)[0] == ["features.visits", "features.rooms", "features.every"]
    assert made(*lines)[0] == []
    assert made(*lines[::-1])[0] == []
    assert made({**visits, "name": "visits", "last": ["2 months", "ever"]}, *lines[1:])[0] == ["features.visits"]
    assert made(*lines, digest="2", value=5.0)[0] == ["features.rooms"]
    assert made(*lines, digest="2", value=5.0, kinds="test")[0] == ["features.visits"]
    assert made(*lines, ids="b")[0] == ["features.visits", "features.rooms", "features.every"]
