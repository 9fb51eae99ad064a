"""A cohort file is refused by its schema alone where a column is missing, protected or of a wrong type."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from riskmodels.errors import DataError, StudyError
from riskmodels.service.cohort.columns import RESERVED, Columns, Wanted, check_columns, refuse_other_schema
from tests.data.small_study import study_file
from tests.service.cohort.conftest import HOUSEHOLDS, PROTECTED, RULES, TEAMS, spec

SPECS = (spec("visits"), spec("ward", "category"))
FIELDS = {"entity_id": pa.string(), "visits": pa.float64(), "ward": pa.string()}


def columns(fields: dict[str, pa.DataType] | pa.Schema, **sections: Any) -> Columns:
    schema = fields if isinstance(fields, pa.Schema) else pa.schema(list(fields.items()))
    return check_columns("part-7.parquet", schema, Wanted.of(SPECS, study_file(**sections)))


def test_what_is_read_and_what_is_ignored() -> None:
    found = columns({"remark": pa.string(), **FIELDS, "as_of_date": pa.date32(), "team": pa.string()})
    assert found.holds == {"entity_id": "text", "visits": "numbers", "ward": "text"}
    assert found.dated
    assert found.team is None
    assert found.ignored == ("remark", "team")


@pytest.mark.parametrize("missing", list(FIELDS))
def test_a_missing_column_is_named(missing: str) -> None:
    with pytest.raises(DataError, match=f"^part-7.parquet: has no column '{missing}', which .*; add it, or score"):
        columns({name: kind for name, kind in FIELDS.items() if name != missing})


@pytest.mark.parametrize(
    ("sections", "column"), [(RULES, "excluded"), (TEAMS, "area"), (HOUSEHOLDS, "household")], ids=str
)
def test_what_the_service_needs_is_named(sections: dict[str, Any], column: str) -> None:
    with pytest.raises(DataError, match=f"has no column '{column}', which says"):
        columns(FIELDS, **sections)
    assert column in columns({**FIELDS, column: pa.string()}, **sections).holds


def test_team_is_another_name_for_the_column_of_the_teams() -> None:
    assert columns({**FIELDS, "team": pa.string(), "area": pa.string()}, **TEAMS).team == "team"
    assert columns({**FIELDS, "area": pa.string()}, **TEAMS).team == "area"


@pytest.mark.parametrize("name", ["sex", "gender", "Gender"])
def test_a_protected_column_is_refused_unless_it_is_a_feature(name: str) -> None:
    with pytest.raises(DataError, match=f"holds the protected column '{name}', which the model does not use; take it"):
        columns({**FIELDS, name: pa.string()}, **PROTECTED)
    wanted = Wanted.of([*SPECS, spec(name, "category")], study_file(**PROTECTED))
    assert check_columns("x", pa.schema([*FIELDS.items(), (name, pa.string())]), wanted).ignored == ()


@pytest.mark.parametrize("name", [*FIELDS, "as_of_date"])
def test_a_column_that_stands_twice_is_refused(name: str) -> None:
    fields = [*FIELDS.items(), ("as_of_date", pa.string())]
    with pytest.raises(DataError, match=f"the column '{name}' stands twice; keep one"):
        columns(pa.schema([*fields, (name, pa.string())]))
    assert columns(pa.schema([*fields, ("more", pa.string()), ("more", pa.string())])).ignored == ("more",)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (pa.date32(), "dates or times"), (pa.timestamp("us"), "dates or times"), (pa.time64("us"), "dates or times"),
        (pa.duration("s"), "lengths of time"), (pa.list_(pa.float64()), "lists or records"),
        (pa.struct([("a", pa.float64())]), "lists or records"), (pa.map_(pa.string(), pa.string()), "lists or records"),
        (pa.binary(), "raw bytes"), (pa.binary(4), "raw bytes"), (pa.large_binary(), "raw bytes"),
        (pa.dictionary(pa.int8(), pa.binary()), "raw bytes"),
    ],
    ids=str,
)  # fmt: skip
def test_types_that_no_feature_has(kind: pa.DataType, words: str) -> None:
    for name, needed in (("visits", "a number"), ("ward", "text"), ("entity_id", "text")):
        with pytest.raises(DataError, match=f"column '{name}': holds {words} where {needed} is needed; convert it"):
            columns({**FIELDS, name: kind})


def test_a_day_is_a_date_or_text() -> None:
    assert columns({**FIELDS, "as_of_date": pa.timestamp("ns", "UTC")}).dated
    with pytest.raises(DataError, match="column as_of_date must hold dates"):
        columns({**FIELDS, "as_of_date": pa.int64()})


@pytest.mark.parametrize("name", RESERVED)
def test_a_feature_may_not_have_a_name_of_ours(name: str) -> None:
    with pytest.raises(StudyError, match="the name is taken in a cohort to score"):
        Wanted.of([spec(name)], study_file())


def test_parts_have_one_schema() -> None:
    first = columns(FIELDS)
    refuse_other_schema("b", columns(dict(reversed(FIELDS.items()))), "a", first)
    refuse_other_schema("b", columns({**FIELDS, "visits": pa.int8(), "ward": pa.null()}), "a", first)
    for other in ({"more": pa.string()}, {"as_of_date": pa.string()}):
        with pytest.raises(DataError, match=r"^b: has other columns than a; write the parts of a cohort alike"):
            refuse_other_schema("b", columns({**FIELDS, **other}), "a", first)
    with pytest.raises(DataError, match=r"^b, column 'visits': holds text, but numbers in a; write the parts alike"):
        refuse_other_schema("b", columns({**FIELDS, "visits": pa.string()}), "a", first)
