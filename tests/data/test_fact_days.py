"""The day of the fact behind a feature, against an oracle and by hand."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings

from riskmodels.data.engines import Engine
from riskmodels.data.fact_days import days_of_facts
from riskmodels.data.features import plan_features
from riskmodels.data.tables import Tables
from riskmodels.study import FeatureLine, StudyFile
from tests.data.everything_study import (
    EVERYTHING,
    LINES,
    Covered,
    Rows,
    all_rows,
    coverage,
    everybody,
    everything_tables,
    many_rows,
)
from tests.data.feature_oracle import features_of
from tests.data.small_study import cohort_of, study_file, tables_of

DAYS_SINCE = {"latest": "days_since_last", "first": "days_since_first"}


def found(tables: Tables, study: StudyFile = EVERYTHING) -> pl.DataFrame:
    rows = everybody().rows
    days = days_of_facts(rows, plan_features(tables, study), tables, study)
    return rows.with_columns(days.values())


def differences(rows: Rows, covered: Covered, days: pl.DataFrame) -> list[tuple[Any, ...]]:
    """The day of a latest or first value is so many days ago as the last or first fact of those that record a value."""
    wrong = []
    for column in ("value", "word"):
        recording = {source: [row for row in some if row.get(column, 0) is not None] for source, some in rows.items()}
        lines = [line for line in LINES if line["take"] in DAYS_SINCE and line["of"].endswith(f".{column}")]
        counted = [
            {**line, "take": DAYS_SINCE[line["take"]], "of": line["of"].partition(".")[0], "missing": "keep"}
            for line in lines
        ]
        study = EVERYTHING.model_copy(update={"features": [FeatureLine.model_validate(line) for line in counted]})
        for row in days.iter_rows(named=True):
            ago = features_of(study, recording, covered, row["entity_id"], row["as_of_date"])
            for name, number in ago.items():
                day = None if number is None else row["as_of_date"] - dt.timedelta(number)
                if row[name] != day:
                    wrong.append((row["entity_id"], row["as_of_date"], name, row[name], day))
    return wrong


@settings(max_examples=25, deadline=None)
@given(rows=all_rows(), covered=coverage())
def test_the_day_of_a_value_is_what_one_would_look_up_by_hand(rows: Rows, covered: Covered) -> None:
    days = found(everything_tables(rows, covered))
    assert set(days.columns[3:]) == {
        column.name for line in EVERYTHING.features for column in line.columns if column.take in DAYS_SINCE
    }
    assert differences(rows, covered, days) == []


@pytest.mark.parametrize("engine", ["polars", "duckdb"])
def test_every_engine_says_the_same_days(engine: str, tmp_path: Path) -> None:
    rows, covered = many_rows()
    days = found(everything_tables(rows, covered, Engine(engine, None, tmp_path), tmp_path))
    assert sum(days[name].count() for name in days.columns[3:]) > 100
    assert differences(rows, covered, days) == []


# ---------------------------------------------------------------- by hand

PEOPLE = """
id born       ward
a  2010-07-01 007
b  2009-12-31 n
c  -          -
"""
RECORDS = """
id happened   known      kind  value
a  2020-03-01 2020-03-01 visit 1
a  2020-06-20 2020-06-20 visit -
a  2020-06-29 2020-07-01 visit 4
a  2020-06-30 2020-06-30 test  5
b  2020-05-01 2020-06-15 visit 8
b  2019-01-01 2019-01-01 visit 8
"""


def by_hand(**line: Any) -> dict[str, list[Any]]:
    study = study_file(features=[{"name": "x", "words": "x", **line}])
    tables = tables_of(study, people=PEOPLE, records=RECORDS)
    days = days_of_facts(cohort_of("a", "b", "c").rows, plan_features(tables, study), tables, study)
    return {name: day.to_list() for name, day in days.items()}


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(f"2020-{text}")


def test_a_visit_that_records_nothing_is_not_the_one_whose_value_is_taken() -> None:
    # a's latest visit with a value was on 1 March: that of 20 June records none, and that of 29 June is not known yet.
    assert by_hand(take="latest", of="visit.value") == {"x": [day("03-01"), day("05-01"), None]}
    assert by_hand(take="first", of="visit.value") == {"x": [day("03-01"), dt.date(2019, 1, 1), None]}


def test_a_window_sees_its_own_facts_only() -> None:
    assert by_hand(take="latest", of="visit.value", last="3 months") == {"x": [None, day("05-01"), None]}


def test_what_may_go_stale_has_the_day_of_its_latest_fact() -> None:
    for take in ("count", "any", "days_since_first"):
        line = {"take": take, "of": "visit", "last": "12 months"}
        assert by_hand(**line) == {}
        assert by_hand(**line, stale_after="1 month") == {"x": [day("06-20"), day("05-01"), None]}
    assert by_hand(take="count", of="anything", each={"kind": ["test", "visit"]}, stale_after="1 month") == {
        "x_test": [day("06-30"), None, None],
        "x_visit": [day("06-20"), day("05-01"), None],
    }
    ratio = {"take": "ratio", "of": "test", "over": "visit", "last": "12 months", "stale_after": "1 month"}
    assert by_hand(**ratio) == {"x": [day("06-30"), None, None]}
    change = {"take": "rate_change", "of": "visit", "last": "30 days", "than": "60 days", "stale_after": "1 week"}
    assert by_hand(**change) == {"x": [day("06-20"), None, None]}


def test_an_attribute_has_the_day_of_its_row_if_its_table_knows_days() -> None:
    assert by_hand(take="attribute", of="records.value", stale_after="1 year") == {
        "x": [day("06-30"), day("05-01"), None]
    }
    assert by_hand(take="attribute", of="records.value") == {}
    assert by_hand(take="age", of="people.born", stale_after="1 year") == {}


def test_nobody_is_no_trouble() -> None:
    study = study_file(features=[{"name": "x", "words": "x", "take": "latest", "of": "visit.value"}])
    tables = tables_of(study, people=PEOPLE, records=RECORDS)
    assert days_of_facts(cohort_of("a").rows.clear(), plan_features(tables, study), tables, study) == {}
