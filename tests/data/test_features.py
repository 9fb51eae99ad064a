"""Every aggregation against an oracle that goes person by person, and the borders of what may be seen."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodels.data.features import AGGREGATIONS, DAYS_IN_A_YEAR, Features, build_features, plan_features
from riskmodels.data.tables import Table, Tables
from riskmodels.errors import StudyError
from riskmodels.study import Period
from tests.data.small_study import AS_OF, cohort_of, study_file, tables_of

OTHER = dt.date(2020, 1, 1)

# ---------------------------------------------------------------- oracle: one person's facts, in plain Python

Seen = list[tuple[dt.date, dt.date, float | None]]  # event_date, known_date, value; all before the as-of date


def _valued(seen: Seen) -> list[tuple[dt.date, dt.date, float]]:
    return sorted((event, known, value) for event, known, value in seen if value is not None)


def _slope(seen: Seen, as_of: dt.date) -> float | None:
    rows = _valued(seen)
    years = np.array([(event - as_of).days / DAYS_IN_A_YEAR for event, _, _ in rows])
    if len(set(years)) < 2:
        return None
    return float(np.polyfit(years - years.mean(), [value for _, _, value in rows], 1)[0])


def _change(seen: Seen) -> float | None:
    rows = _valued(seen)
    return rows[-1][2] - rows[0][2] if rows and rows[-1][0] > rows[0][0] else None


def _of_values(function: Callable[[list[float]], float]) -> Callable[[Seen, dt.date], float | None]:
    return lambda seen, as_of: function([v for *_, v in _valued(seen)]) if _valued(seen) else None


ORACLE: dict[str, Callable[[Seen, dt.date], float | None]] = {
    "count": lambda seen, as_of: float(len(seen)),
    "any": lambda seen, as_of: float(bool(seen)),
    "sum": lambda seen, as_of: float(sum(value for *_, value in _valued(seen))),
    "mean": _of_values(lambda values: sum(values) / len(values)),
    "min": _of_values(min),
    "max": _of_values(max),
    "latest": _of_values(lambda values: values[-1]),
    "first": _of_values(lambda values: values[0]),
    "change": lambda seen, as_of: _change(seen),
    "trend": _slope,
    "days_since_first": lambda seen, as_of: float((as_of - min(s[0] for s in seen)).days) if seen else None,
    "days_since_last": lambda seen, as_of: float((as_of - max(s[0] for s in seen)).days) if seen else None,
}
WINDOWS = ("30 days", "6 months", "ever")

fact = st.tuples(
    st.sampled_from("abc"),
    # Few days and few values, so that ties of day, of knowledge and of value are common.
    st.sampled_from([0, 1, 29, 30, 31, 181, 182, 183, 184, 400]),
    st.sampled_from([0, 1, 30, 200]),
    st.sampled_from(["visit", "visit", "visit", "test"]),
    st.sampled_from([None, -2.0, 0.0, 0.5, 3.0]),
)


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


@pytest.mark.parametrize("take", AGGREGATIONS)
@settings(max_examples=40)
@given(facts=st.lists(fact, max_size=12))
def test_each_aggregation_is_what_one_would_count_by_hand(
    take: str, facts: list[tuple[str, int, int, str, float | None]]
) -> None:
    study = study_file(features=[line(take, list(WINDOWS))])
    frame = records_of(facts)
    tables = Tables({"records": Table("records", study.sources["records"], frame)})
    dates = (OTHER, AS_OF)
    features = build_features(cohort_of("a", "b", "c", dates=dates), tables, study)
    for row in features.frame.iter_rows(named=True):
        as_of = row["as_of_date"]
        for last in WINDOWS:
            start = Period.parse(last).before(as_of)
            seen = [
                (event, known, value)
                for who, event, known, kind, value in frame.iter_rows()
                if who == row["entity_id"] and kind == "visit" and start <= event < as_of and known < as_of
            ]
            expected = ORACLE[take](seen, as_of)
            found = row[f"x_{last.replace(' ', '_')}"]
            assert found == (None if expected is None else pytest.approx(expected, rel=1e-9, abs=1e-9)), (last, seen)


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


def test_the_oracle_knows_every_aggregation() -> None:
    assert set(ORACLE) == set(AGGREGATIONS)


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
