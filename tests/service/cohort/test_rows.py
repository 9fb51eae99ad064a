"""Each row is scored with what it says, or rejected with its number and the reason."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodels.errors import DataError
from riskmodels.service.cohort.columns import Wanted, check_columns
from riskmodels.service.cohort.rows import REASONS, check_rows
from riskmodels.service.shapes import REJECT_SCHEMA, CheckedPart
from tests.data.small_study import study_file
from tests.service.cohort.conftest import HOUSEHOLDS, RULES, TEAMS, spec


def checked(
    columns: dict[str, Any], *, first: int = 1, objectors: tuple[str, ...] = (), categories: str = "", **sections: Any
) -> CheckedPart:
    """The rows of a table; every column but the service's own is a feature."""
    table = pa.table(columns)
    service = ("entity_id", "excluded", "team", "area", "household")
    specs = [spec(n, "category" if n in categories else "number") for n in table.column_names if n not in service]
    wanted = Wanted.of(specs, study_file(**sections))
    found = check_columns("cohort.parquet", table.schema, wanted)
    return check_rows(table, wanted, found, frozenset(objectors), first, "cohort.parquet")


def one(column: Any, kind: str = "number") -> tuple[list[Any], list[tuple[int, str]]]:
    """What becomes of one column: its values, and who is rejected for it."""
    rows = len(column)
    part = checked({"entity_id": [f"p{i}" for i in range(rows)], "x": column}, categories="x" * (kind == "category"))
    return part.frame["x"].to_list(), part.rejects.select("row_number", "code").rows()


# ---------------------------------------------------------------- numbers


@pytest.mark.parametrize(
    "values",
    [
        pa.array([1, 2, None], pa.int8()),
        pa.array([1, 2, None], pa.int64()),
        pa.array([1, 2, None], pa.uint64()),
        pa.array([1, 2, None], pa.float32()),
        pa.array(np.array([1, 2, np.nan], dtype=np.float16)),
        pa.array([1, 2, float("nan")], pa.float64()),
        pa.array([Decimal("1.00"), Decimal("2.00"), None], pa.decimal128(10, 2)),
        pa.array([Decimal(1), Decimal(2), None], pa.decimal128(30, 0)),
        pa.array([Decimal("1.0"), Decimal("2.0"), None], pa.decimal256(60, 1)),
        pa.array(["1", " 2.0 ", ""], pa.string()),
        pa.array(["1", "2e0", "nan"], pa.large_string()),
        pa.array(["1", "2", "   "], pa.string_view()),
        pa.array(["1", "2", None]).dictionary_encode(),
        pa.array([1, 2, None]).dictionary_encode(),
    ],
    ids=lambda values: str(values.type),
)
def test_a_number_is_a_number_however_it_is_held(values: pa.Array) -> None:
    assert one(values) == ([1.0, 2.0, None], [])


def test_true_and_false_are_one_and_nought() -> None:
    assert one(pa.array([True, False, None])) == ([1.0, 0.0, None], [])
    assert one(pa.array(["true", "FALSE", None])) == ([1.0, 0.0, None], [])


def test_text_in_a_number_and_infinity_reject_their_rows() -> None:
    assert one(["1", "one", "1,5", "inf", "-inf", "1e999", "0x10", None]) == (
        [1.0, None],
        [(2, "not_a_number"), (3, "not_a_number"), (4, "not_finite"), (5, "not_finite"), (6, "not_finite"),
         (7, "not_a_number")],
    )  # fmt: skip
    assert one([1.0, float("inf"), float("-inf"), float("nan")]) == (
        [1.0, None],
        [(2, "not_finite"), (3, "not_finite")],
    )


def test_a_column_of_nulls_is_missing() -> None:
    assert one(pa.nulls(2)) == ([None, None], [])
    assert one(pa.nulls(2), "category") == ([None, None], [])
    part = checked({"entity_id": pa.nulls(2), "x": [1.0, 2.0]})
    assert part.rejects["code"].to_list() == ["missing_id", "missing_id"]
    assert part.frame.schema["x"] == pl.Float64


@given(st.lists(st.one_of(st.none(), st.floats(), st.text(max_size=5)), max_size=12))
@settings(max_examples=200, deadline=None)
def test_every_text_is_a_number_missing_or_rejected(values: list[Any]) -> None:
    """Against Python's own reading of a number, which also knows 1_000 and other digits than 0 to 9."""
    texts = [None if value is None else str(value) for value in values]
    found, rejected = one(pa.array(texts, pa.string()))
    assert len(found) + len(rejected) == len(texts)
    rows = {row for row, _ in rejected}
    kept = [text for row, text in enumerate(texts, start=1) if row not in rows]
    for text, value in zip(kept, found, strict=True):
        if value is None:
            assert text is None or text.strip() == "" or float(text) != float(text)
        elif (text or "").strip().lower() not in ("true", "false"):
            assert float(text or "") == value


# ---------------------------------------------------------------- categories


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (pa.array(["north ", "", "  ", None]), ["north", None, None, None]),
        (pa.array(["north ", "", "south", None]).dictionary_encode(), ["north", None, "south", None]),
        (pa.array([True, False, None]), ["true", "false", None]),
        (pa.array([7, 2**60, None]), ["7", str(2**60), None]),
        (pa.array([7.0, 7.5, float("nan"), None]), ["7", "7.5", None, None]),
        (pa.array([Decimal("7.0"), Decimal("7.5")], pa.decimal128(5, 1)), ["7", "7.5"]),
        (pa.array([7, None, 7]).dictionary_encode(), ["7", None, "7"]),
        (pa.array(["x", "never seen before"]), ["x", "never seen before"]),
    ],
    ids=lambda value: str(getattr(value, "type", "")),
)
def test_a_category_is_a_word_however_it_is_held(values: pa.Array, words: list[str | None]) -> None:
    assert one(values, "category") == (words, [])


def test_parts_of_one_dictionary_column_may_have_different_dictionaries() -> None:
    column = pa.chunked_array(
        [pa.array(["a", "b "]).dictionary_encode(), pa.array(["c", None, "a"]).dictionary_encode()]
    )
    assert one(column, "category") == (["a", "b", "c", None, "a"], [])


def test_an_infinite_category_is_rejected() -> None:
    assert one(pa.array([1.0, float("inf")]), "category") == (["1"], [(2, "not_finite")])


# ---------------------------------------------------------------- ids


@pytest.mark.parametrize(
    ("ids", "texts"),
    [
        (pa.array([2**63 - 1, 2**53 + 1]), [str(2**63 - 1), str(2**53 + 1)]),
        (pa.array([2**64 - 1, 0], pa.uint64()), [str(2**64 - 1), "0"]),
        (pa.array([Decimal(10**29 + 1)], pa.decimal128(30, 0)), [str(10**29 + 1)]),
        (pa.array(["007", " a b "]), ["007", "a b"]),
        (pa.array(["007", " a b "]).dictionary_encode(), ["007", "a b"]),
    ],
    ids=lambda value: str(getattr(value, "type", "")),
)
def test_ids_are_kept_digit_by_digit(ids: pa.Array, texts: list[str]) -> None:
    part = checked({"entity_id": ids, "x": [1.0] * len(ids)})
    assert part.frame["entity_id"].to_list() == texts


@pytest.mark.parametrize(
    "ids",
    [
        pa.array([101.0, 102.0]), pa.array(["101.0", "102"]), pa.array(["1.2E+15", "7"]), pa.array([True, False]),
        pa.array([Decimal("1.50"), None], pa.decimal128(5, 2)), pa.array([dt.date(2020, 1, 1), None]),
    ],
    ids=lambda value: str(value.type),
)  # fmt: skip
def test_ids_that_lost_digits_or_are_none_are_refused(ids: pa.Array) -> None:
    with pytest.raises(DataError, match=r"cohort.parquet, column 'entity_id': .*(text|convert)"):
        checked({"entity_id": ids, "x": [1.0] * len(ids)})


def test_missing_ids_are_rejected_and_repeated_ones_are_left_to_the_engine() -> None:
    part = checked({"entity_id": ["a", None, " ", "b", "b"], "x": [1.0] * 5}, first=11)
    assert part.frame.select("row_number", "entity_id").rows() == [(11, "a"), (14, "b"), (15, "b")]
    assert part.rejects.rows() == [
        (12, None, "missing_id", REASONS["missing_id"]), (13, None, "missing_id", REASONS["missing_id"]),
    ]  # fmt: skip


# ---------------------------------------------------------------- rejects


def test_the_first_reason_that_holds_is_given_and_names_the_column() -> None:
    part = checked(
        {"entity_id": ["a", "b", None, "d", "e"], "x": ["?", "?", "?", "1", "inf"], "y": ["?", "1", "1", "?", "?"]},
        objectors=("b", "z"),
    )
    assert part.rejects.schema == pl.Schema(REJECT_SCHEMA)
    assert part.rejects.select("row_number", "code", "reason").rows() == [
        (1, "not_a_number", "a column that must be a number holds something else: x"),
        (2, "objected", "the person objected to being scored"),
        (3, "missing_id", "the row has no id"),
        (4, "not_a_number", "a column that must be a number holds something else: y"),
        (5, "not_a_number", "a column that must be a number holds something else: y"),
    ]
    assert (part.frame.height, part.rows_in) == (0, 5)


def test_no_rejects_are_still_a_frame_of_rejects() -> None:
    part = checked({"entity_id": ["a"], "x": [1.0]})
    assert part.rejects.schema == pl.Schema(REJECT_SCHEMA)
    assert part.frame.schema == pl.Schema(
        {"row_number": pl.Int64, "entity_id": pl.String, "x": pl.Float64, "excluded": pl.Int16, "team": pl.String,
         "household": pl.String}
    )  # fmt: skip
    assert part.frame.row(0) == (1, "a", 1.0, None, None, None)


# ---------------------------------------------------------------- rules, teams, households


def test_rules_are_told_by_their_words() -> None:
    said = ["died", None, "already has help ", "", "dead"]
    part = checked({"entity_id": list("abcde"), "x": [1.0] * 5, "excluded": said}, **RULES)
    assert part.frame["excluded"].to_list() == [1, None, 0, None]
    assert part.rejects.select("row_number", "code").rows() == [(5, "unknown_rule")]


@pytest.mark.parametrize("column", ["team", "area"])
def test_a_team_may_have_no_places_or_not_be_known(column: str) -> None:
    part = checked({"entity_id": ["a", "b", "c"], "x": [1.0] * 3, column: ["north", " elsewhere", None]}, **TEAMS)
    # What is no team of the study may be a name that somebody typed.
    assert part.frame["team"].to_list() == ["north", None, None]
    assert part.rejects.is_empty()


def test_teams_may_be_numbers() -> None:
    part = checked(
        {"entity_id": ["a", "b"], "x": [1.0] * 2, "team": [3.0, None]},
        capacity=TEAMS["capacity"] | {"places": {"3": 2}},
    )
    assert part.frame["team"].to_list() == ["3", None]


def test_households() -> None:
    part = checked({"entity_id": ["a", "b"], "x": [1.0] * 2, "household": [12, None]}, **HOUSEHOLDS)
    assert part.frame["household"].to_list() == ["12", None]


def test_a_rejected_row_closes_its_household() -> None:
    """However it is rejected: whoever died is dead, with or without an id or sound numbers."""
    rows = [
        ("p0", 1.0, "died", "scored"), ("p1", float("inf"), "died", "infinite"), (None, 1.0, "died", "nameless"),
        ("p3", 1.0, "Died", "unknown"), ("p4", 1.0, None, "objector"), ("p5", float("inf"), "already has help", "open"),
        ("p6", float("inf"), None, "open"), ("p7", float("inf"), "died", None), ("p8", 1.0, None, "open"),
        (None, 1.0, "?", "nameless and unknown"),
    ]  # fmt: skip
    names = ("entity_id", "visits", "excluded", "household")
    columns = {name: list(values) for name, values in zip(names, zip(*rows, strict=True), strict=True)}
    part = checked(columns, objectors=("p4",), **RULES, **HOUSEHOLDS)
    assert part.closed == {"infinite", "nameless", "unknown", "objector", "nameless and unknown"}
    assert part.frame["entity_id"].to_list() == ["p0", "p8"]
    assert part.rejects.columns == list(REJECT_SCHEMA)
    # Where people are listed there are no households to close.
    assert checked(columns, objectors=("p4",), **RULES).closed == frozenset()
