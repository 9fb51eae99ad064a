"""Protected characteristics as they were known on the day, for the audit alone."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import polars as pl
import pytest

from riskmodels.data.groups import build_groups
from riskmodels.errors import DataError
from tests.data.small_study import AS_OF, BASE, study_file, tables_of

SOURCES = {
    **BASE["sources"],
    "equality": {"file": "equality.csv", "entity": "id", "known_date": "known", "use": "audit"},
}
RECORDS = "id happened known kind\na 2020-01-01 2020-01-01 visit"
LATER = dt.date(2021, 7, 1)
ROWS = pl.DataFrame({"entity_id": ["b", "a", "c", "a"], "as_of_date": [AS_OF, AS_OF, AS_OF, LATER]})
EQUALITY = """
id known      sex code income
a  2019-01-01 f   01  100.5
a  2020-07-01 m   02  200
b  2020-06-30 m   -   -
"""


def groups(protected: dict[str, Any], people: str = "id\na", **changes: Any) -> pl.DataFrame:
    study = study_file(sources=SOURCES, protected=protected, **changes)
    tables = tables_of(study, people=people, records=RECORDS, equality=EQUALITY)
    return build_groups(ROWS, tables, study)


def test_each_characteristic_is_the_last_one_known_before_the_day() -> None:
    found = groups(
        {"sex": {"column": "equality.sex", "law": "sex"}, "code": {"column": "equality.code", "law": "none"}}
    )
    assert found.columns == ["entity_id", "as_of_date", "sex", "code"]
    # a's second row became known on the as-of day itself, so it counts only a year later; c is not recorded.
    assert found.rows() == [
        ("b", AS_OF, "m", None),
        ("a", AS_OF, "f", "01"),
        ("c", AS_OF, None, None),
        ("a", LATER, "m", "02"),
    ]


def test_numbers_keep_their_value_where_bands_are_named() -> None:
    spec = {"column": "equality.income", "law": "none"}
    assert groups({"income": {**spec, "bands": [150]}})["income"].to_list() == [None, 100.5, None, 200.0]
    assert groups({"income": spec})["income"].to_list() == [None, "100.5", None, "200"]


def test_ages_are_counted_by_birthdays() -> None:
    spec = {"age": {"column": "people.born", "law": "age", "bands": [11, 18]}}
    # b turned 11 the day before (1 January to 1 January may be less than 11 times 365.2425 days), a turns 18 on the
    # day, c a day after.
    people = "id born\na 2002-07-01\nb 2009-06-30\nc 2002-07-02"
    assert groups(spec, people)["age"].to_list() == [11.0, 18.0, 17.0, 19.0]


def test_words_have_no_bands() -> None:
    with pytest.raises(DataError, match=r"protected\.sex: equality\.sex holds text, which has no bands"):
        groups({"sex": {"column": "equality.sex", "law": "sex", "bands": [1]}})


def test_truths_and_whole_numbers_read_as_they_were_written() -> None:
    """Also where a feature uses the same column as a number."""
    people = "id flag rooms\na true 1\nb false 2\nc - -"
    reason = {"law": "none", "also_feature": "a reason"}
    protected = {"flag": {"column": "people.flag", **reason}, "rooms": {"column": "people.rooms", **reason}}
    lines = [{"name": "r", "take": "attribute", "of": "people.rooms", "words": "r"}]
    found = groups(protected, people, features=lines)
    assert found["flag"].to_list() == ["false", "true", None, "true"]
    assert found["rooms"].to_list() == ["2", "1", None, "1"]


def test_a_characteristic_of_the_area_is_found_through_our_own_column() -> None:
    sources = {**SOURCES, "areas": {"file": "areas.csv", "entity": "code", "level": "place", "use": "audit"}}
    spec = {"deprivation": {"column": "areas.fifth", "law": "none", "by": "people.area"}}
    study = study_file(sources=sources, protected=spec)
    tables = tables_of(
        study, people="id area\na E01\nb E09\nc -", records=RECORDS, equality=EQUALITY,
        areas="code fifth\nE01 most\nE02 least",
    )  # fmt: skip
    # b lives in an area that the table does not know, c nowhere that is recorded.
    assert build_groups(ROWS, tables, study)["deprivation"].to_list() == [None, "most", None, "most"]


def test_whoever_objected_to_the_audit_is_of_no_group() -> None:
    """Also where the characteristic stands in a table that the model reads."""
    spec = {
        "sex": {"column": "equality.sex", "law": "sex"},
        "age": {"column": "people.born", "law": "age", "bands": [11, 18]},
    }
    study = study_file(sources=SOURCES, protected=spec)
    tables = tables_of(study, people="id born\na 2002-07-01\nb 2009-06-30", records=RECORDS, equality=EQUALITY)
    found = build_groups(ROWS, replace(tables, not_audited=frozenset("a")), study)
    assert found.filter(pl.col("entity_id") == "a").select("sex", "age").rows() == [(None, None), (None, None)]
    assert found.filter(pl.col("entity_id") == "b").select("sex", "age").rows() == [("m", 11.0)]
