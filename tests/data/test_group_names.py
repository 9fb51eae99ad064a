"""What groups are called: bands, labels, those of whom nothing is recorded."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest

from riskmodels.assessment.audit.coding import as_text, code_groups
from riskmodels.assessment.audit.policy import load_policy
from riskmodels.data.group_names import (
    MOST_GROUPS,
    NOT_RECORDED,
    OTHERS,
    UNSAID,
    band_labels,
    in_order,
    name_groups,
    pool_rare,
    pool_rare_groups,
    recorded,
    reference_of,
)
from riskmodels.study import Protected, StudyFile
from tests.data.small_study import study_file

SOURCES = {
    "people": {"file": "p.csv", "entity": "id"},
    "records": {"file": "r.csv", "entity": "id", "event_date": "on", "kind": "kind"},
    "equality": {"file": "e.csv", "entity": "id", "use": "audit"},
}
DAY = dt.date(2020, 7, 1)


def study(**spec: Any) -> StudyFile:
    return study_file(sources=SOURCES, protected={"one": {"column": "equality.one", "law": "race", **spec}})


def named(values: list[Any], **spec: Any) -> list[str]:
    rows = pl.DataFrame({"entity_id": [str(i) for i in range(len(values))], "as_of_date": [DAY] * len(values)})
    found = name_groups(rows.with_columns(pl.Series("one", values)), study(**spec))
    return found["one"].to_list() if "one" in found.columns else []


def test_band_labels() -> None:
    assert band_labels((18, 19, 65)) == ("under 18", "18", "19-64", "65 and over")
    assert band_labels((0.5, 1.5)) == ("under 0.5", "0.5 to under 1.5", "1.5 and over")


def test_labels_and_what_is_not_recorded() -> None:
    assert named(["a", " b ", None, ""], labels={"a": "Alpha"}) == ["Alpha", "b", NOT_RECORDED, NOT_RECORDED]


def test_bands() -> None:
    assert named([17.0, 18.0, 64.9, 65.0, None], bands=(18, 65)) == [
        "under 18", "18-64", "18-64", "65 and over", NOT_RECORDED,
    ]  # fmt: skip


def test_what_is_no_number_is_in_no_band() -> None:
    assert named(["17", "nan", "inf", "NA", "Refused"], bands=(18,)) == [
        "under 18", NOT_RECORDED, NOT_RECORDED, NOT_RECORDED, "Refused",
    ]  # fmt: skip
    assert named([17.0, float("nan"), float("inf")], bands=(18,)) == ["under 18", NOT_RECORDED, NOT_RECORDED]


def test_codes_are_no_groups() -> None:
    assert named([f"code {i}" for i in range(MOST_GROUPS + 1)]) == []
    assert len(named([f"code {i}" for i in range(MOST_GROUPS)])) == MOST_GROUPS


def test_the_order_of_groups() -> None:
    spec = Protected(column="e.age", law="age", bands=(5.0, 10.0))
    names = [NOT_RECORDED, "10 and over", "under 5", "5-9"]
    assert in_order(names, spec) == ["under 5", "5-9", "10 and over", NOT_RECORDED]
    assert in_order([NOT_RECORDED, "b", "Z"], Protected(column="e.x", law="race")) == ["Z", "b", NOT_RECORDED]


@pytest.mark.parametrize(("reference", "found"), [(None, "b"), ("a", "Alpha"), ("Alpha", "Alpha"), ("nobody", "b")])
def test_the_reference(reference: str | None, found: str) -> None:
    spec = Protected(column="e.x", law="race", labels={"a": "Alpha"}, reference=reference)
    assert reference_of({"Alpha": 5, "b": 7, NOT_RECORDED: 90}, spec) == found


def test_there_is_no_reference_where_nothing_is_recorded() -> None:
    assert reference_of({NOT_RECORDED: 3}, Protected(column="e.x", law="race")) is None


@pytest.mark.parametrize(
    ("values", "spec"),
    [
        (["x"] * 30 + ["y"] * 20 + [None] * 5, {"labels": {"x": "Ex"}}),
        ([3.0] * 10 + [30.0] * 12 + [None], {"bands": (5, 18)}),
    ],
)
def test_the_audit_calls_them_the_same(values: list[Any], spec: dict[str, Any]) -> None:
    made = code_groups("one", as_text(values, "one"), study(**spec).protected["one"], load_policy())
    assert not isinstance(made, str)
    assert [made.labels[code] for code in made.codes] == named(values, **spec)
    sizes = {label: named(values, **spec).count(label) for label in made.labels}
    assert made.labels[made.reference] == reference_of(sizes, study(**spec).protected["one"])


def test_an_accent_makes_one_group_however_it_is_written():
    assert recorded(pl.Series(["Fran\u00e7ais", "Franc\u0327ais"])).n_unique() == 1


# ---------------------------------------------------------------- groups of few people


def pooled(counts: dict[str | None, int], **spec: Any) -> dict[str | None, int]:
    values = pl.Series("one", [value for value, count in counts.items() for _ in range(count)], dtype=pl.String)
    found = pool_rare(values, pl.Series(range(values.len())), Protected(column="e.one", law="race", **spec))
    return dict(found.value_counts().iter_rows())


def test_groups_of_fewer_than_ten_are_one() -> None:
    assert pooled({"Asian": 10, "Maria Weber": 9, "Jo Weber": 1, None: 3}) == {"Asian": 10, OTHERS: 10, None: 3}


def test_what_the_study_names_keeps_its_name() -> None:
    counts: dict[str | None, int] = {"Roma": 2, "Maria Weber": 1}
    assert pooled(counts, reference="Roma") == {"Roma": 2, OTHERS: 1}
    assert pooled(counts, labels={"Roma": "Roma or Traveller"}) == {"Roma": 2, OTHERS: 1}
    assert pooled({"Roma or Traveller": 2}, labels={"R": "Roma or Traveller"}) == {"Roma or Traveller": 2}


def test_codes_numbers_and_words_for_nothing_are_nobodys_name() -> None:
    assert pooled({"F": 1, "X12": 2, "Prefer not to say": 3, "don\N{RIGHT SINGLE QUOTATION MARK}t  know": 1}) == {
        "F": 1, "X12": 2, "Prefer not to say": 3, "don\N{RIGHT SINGLE QUOTATION MARK}t  know": 1,
    }  # fmt: skip
    assert pooled({"1970": 1, "Maria": 1}, bands=(18,)) == {"1970": 1, OTHERS: 1}
    assert pooled({"1970": 1}) == {OTHERS: 1}
    numbers = pl.Series([1.0, 2.0])
    assert pool_rare(numbers, pl.Series([1, 2]), None) is numbers


def test_people_are_counted_and_not_rows() -> None:
    """On twelve dates one person is still one person."""
    values = pl.Series(["Maria Weber"] * 12)
    assert pool_rare(values, pl.Series(["a"] * 12), None).to_list() == [OTHERS] * 12
    assert pool_rare(values, pl.Series(range(12)), None).to_list() == ["Maria Weber"] * 12


def test_a_column_of_too_many_values_is_left_to_be_refused() -> None:
    names = {f"name {n}": 1 for n in range(MOST_GROUPS + 1)}
    assert pooled(dict(names)) == names
    assert pooled(dict(list(names.items())[:-1])) == {OTHERS: MOST_GROUPS}


def test_each_characteristic_of_a_study_but_not_of_places() -> None:
    rows = pl.DataFrame({"entity_id": list("abc"), "as_of_date": [DAY] * 3, "one": ["Maria", "Weber", None]})
    assert pool_rare_groups(rows, study())["one"].to_list() == [OTHERS, OTHERS, None]
    assert pool_rare_groups(rows, study().model_copy(update={"level": "place"})).equals(rows)


def test_the_words_for_nothing_are_those_of_the_default_policy() -> None:
    assert set(UNSAID) == set(load_policy("default").missing.words)
