"""A table whose header was lost is refused, and a header of whatever words is not."""

from __future__ import annotations

import pytest

from riskmodels.data.headers import refuse_lost_header
from riskmodels.errors import DataError


@pytest.mark.parametrize(
    "value",
    [
        "2024-06-30", "2024-06-30T10:00", "30/06/2024", "1.6.24", "0.35", "-12.5", "9434765919", "943 476 5919",
        " 07700 900123", "+44 7700 900123", "a.b@example.org", "SW1A 1AA", "m11ae",
    ],
)  # fmt: skip
def test_a_value_in_place_of_a_name(value: str) -> None:
    with pytest.raises(DataError) as refusal:
        refuse_lost_header("people.csv", ["id", value, "sex"])
    assert str(refusal.value).startswith("people.csv: its first line looks like a row")
    assert value.strip() not in str(refusal.value)


@pytest.mark.parametrize(
    "name",
    [
        "id",
        "Date of birth",
        "2024",
        "score_2",
        "P1",
        "Risk (%)",
        "Q1 2024",
        "known by 2024-06-30",
        "A1",
        "ward W01",
        "",
    ],
)
def test_the_name_of_a_column(name: str) -> None:
    refuse_lost_header("people.csv", [name, "id"])
