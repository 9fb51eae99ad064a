"""How those left out differ: counted by hand, by an oracle, and by nothing that came later."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodels.data.attrition import attrition_differences, standardised_difference
from riskmodels.data.cohort import Cohort, build_cohort
from riskmodels.data.tables import Table, Tables
from riskmodels.study import StudyFile
from tests.data.small_study import AS_OF, study_file

DAY = dt.timedelta(1)
SOURCES: dict[str, Any] = {
    "people": {"file": "people.csv", "entity": "id"},
    "records": {"file": "records.csv", "entity": "id", "event_date": "on", "known_date": "known", "kind": "kind"},
    "equality": {"file": "equality.csv", "entity": "id", "known_date": "known", "use": "audit"},
}
STEPS = [
    {"step": "visited", "keep": {"any": "visit"}},
    {"step": "not closed", "drop": {"any": "closing"}},
]


def study(**sections: Any) -> StudyFile:
    given: dict[str, Any] = {
        "sources": SOURCES,
        "facts": {"visit": {"in": "records", "kind": "visit"}, "closing": {"in": "records", "kind": "closing"}},
        "outcome": {
            "name": "visited", "words": "is visited", "measures": "need", "happens": {"any": "visit"},
            "known": {"any": "visit"}, "horizon": "3 months", "lag": "1 month",
        },
        "cohort": {"as_of_dates": [AS_OF], "steps": STEPS},
        "protected": {"sex": {"column": "equality.sex", "law": "sex", "labels": {"f": "female", "m": "male"}}},
    }  # fmt: skip
    return study_file(**{**given, **sections})


def tables(
    file: StudyFile, people: list[str], facts: list[tuple[Any, ...]], sexes: list[tuple[Any, ...]], **columns: Any
) -> Tables:
    frames = {
        "people": pl.DataFrame({"entity_id": people, **columns}),
        "records": pl.DataFrame(
            facts,
            schema={"entity_id": pl.String, "event_date": pl.Date, "known_date": pl.Date, "kind": pl.String},
            orient="row",
        ),
        "equality": pl.DataFrame(
            sexes, schema={"entity_id": pl.String, "known_date": pl.Date, "sex": pl.String}, orient="row"
        ),
    }
    return Tables({name: Table(name, file.sources[name], frames[name]) for name in file.sources})


def known(who: str, kind: str, day: dt.date) -> tuple[str, dt.date, dt.date, str]:
    return who, day, day, kind


def test_each_step_by_hand() -> None:
    file = study()
    before = AS_OF - DAY
    # Six women and four men: two women and two men were never visited; of those visited, one man was closed.
    people = [*(f"f{i}" for i in range(6)), *(f"m{i}" for i in range(4))]
    visits = [known(who, "visit", before) for who in people if who not in ("f0", "f1", "m0", "m1")]
    sexes = [(who, before, who[0]) for who in people]
    held = tables(file, people, [*visits, known("m2", "closing", before)], sexes)
    rows = attrition_differences(build_cohort(held, file), held, file)
    assert [(row["step"], row["words"], row["group"], row["dropped"], row["kept"]) for row in rows] == [
        (1, "visited", "female", 2, 4),
        (1, "visited", "male", 2, 2),
        (2, "not closed", "female", 0, 4),
        (2, "not closed", "male", 1, 1),
    ]
    assert {row["attribute"] for row in rows} == {"sex"}
    assert {row["as_of_date"] for row in rows} == {AS_OF}
    female = rows[0]
    assert (female["dropped_share"], female["kept_share"]) == (1 / 2, 4 / 6)
    # Austin 2009, formula for a dichotomous variable
    by_hand = (1 / 2 - 2 / 3) / math.sqrt((1 / 2 * 1 / 2 + 2 / 3 * 1 / 3) / 2)
    assert female["standardised_difference"] == pytest.approx(by_hand)
    assert rows[1]["standardised_difference"] == pytest.approx(-by_hand)


@pytest.mark.parametrize(
    ("one", "other", "found"), [(0.3, 0.3, 0.0), (0.0, 0.0, 0.0), (1.0, 0.0, None), (0.5, 0.0, math.sqrt(2))]
)
def test_a_standardised_difference(one: float, other: float, found: float | None) -> None:
    assert standardised_difference(one, other) == (None if found is None else pytest.approx(found))


def test_a_group_is_the_one_known_then() -> None:
    file, before = study(), AS_OF - DAY
    sexes = [("a", before, "f"), ("a", AS_OF, "m"), ("b", AS_OF, "m")]
    held = tables(file, ["a", "b", "c"], [known("c", "visit", before)], sexes)
    rows = attrition_differences(build_cohort(held, file), held, file)
    assert {row["group"]: (row["dropped"], row["kept"]) for row in rows} == {"female": (1, 0), "Not recorded": (1, 1)}


def test_a_step_that_left_out_nobody_has_no_rows() -> None:
    file, before = study(), AS_OF - DAY
    held = tables(file, ["a"], [known("a", "visit", before)], [("a", before, "f")])
    assert attrition_differences(build_cohort(held, file), held, file) == ()


def test_age_stands_in_where_nothing_is_protected() -> None:
    sources = {name: SOURCES[name] for name in ("people", "records")}
    age = {"name": "age", "take": "age", "of": "people.born", "words": "age"}
    file = study(sources=sources, protected={}, features=[age])
    born = [dt.date(2018, 1, 1), dt.date(1990, 1, 1)]
    held = tables(file, ["a", "b"], [known("b", "visit", AS_OF - DAY)], [], born=born)
    rows = attrition_differences(build_cohort(held, file), held, file)
    assert [(row["attribute"], row["group"], row["dropped"], row["kept"]) for row in rows] == [
        ("age", "under 5", 1, 0), ("age", "25-44", 0, 1),
    ]  # fmt: skip
    nothing = study(sources=sources, protected={})
    assert attrition_differences(build_cohort(held, nothing), held, nothing) == ()


def test_a_characteristic_whose_table_was_not_read_is_left_out() -> None:
    file = study()
    held = tables(file, ["a", "b"], [known("b", "visit", AS_OF - DAY)], [])
    without = Tables({name: held[name] for name in ("people", "records")})
    assert attrition_differences(build_cohort(without, file), without, file) == ()


def oracle(cohort: Cohort, sexes: list[tuple[Any, ...]]) -> set[tuple[Any, ...]]:
    """Each group's counts, person by person."""
    names = {"f": "female", "m": "male", None: "Not recorded"}

    def sex(who: str, day: dt.date) -> str:
        then = sorted((at, value or "") for one, at, value in sexes if one == who and at < day)
        return names[then[-1][1] or None] if then else "Not recorded"

    found = set()
    for day in cohort.rows["as_of_date"].unique().to_list():
        left_out = list(cohort.dropped.filter(pl.col("as_of_date") == day).select("entity_id", "step").iter_rows())
        stayed = cohort.rows.filter(pl.col("as_of_date") == day)["entity_id"].to_list()
        for step in {place for _, place in left_out}:
            dropped = [sex(who, day) for who, place in left_out if place == step]
            kept = [sex(who, day) for who, place in left_out if place > step] + [sex(who, day) for who in stayed]
            for group in {*dropped, *kept}:
                found.add((day, step, group, dropped.count(group), kept.count(group)))
    return found


DATES = [dt.date(2020, 1, 1), AS_OF]
PEOPLE = [f"p{i}" for i in range(8)]
days = st.sampled_from([AS_OF + dt.timedelta(k) for k in (-300, -183, -182, -2, -1, 0, 1, 40)])
fact = st.tuples(st.sampled_from(PEOPLE), days, st.sampled_from([0, 1, 200]), st.sampled_from(["visit", "closing"]))
sex = st.tuples(st.sampled_from(PEOPLE), days, st.sampled_from(["f", "m", None]))


@settings(max_examples=25, deadline=None)
@given(facts=st.lists(fact, max_size=14), sexes=st.lists(sex, max_size=10))
def test_as_the_oracle_and_by_nothing_that_came_later(facts: list[Any], sexes: list[Any]) -> None:
    file = study(
        cohort={"as_of_dates": DATES, "steps": STEPS}, split={"test": {"dates": DATES[1:]}, "calibrate": "grouped",
        "why_grouped": "small"},
    )  # fmt: skip
    dated = [(who, on, on + dt.timedelta(late), kind) for who, on, late, kind in facts]
    dated.append(known("p0", "visit", dt.date(2019, 1, 1)))  # so that somebody may be left

    def said(rows: list[Any], equality: list[Any]) -> tuple[Cohort, tuple[dict[str, Any], ...]]:
        held = tables(file, PEOPLE, rows, equality)
        cohort = build_cohort(held, file, allow_empty=True)
        return cohort, attrition_differences(cohort, held, file)

    cohort, rows = said(dated, sexes)
    counted = {(row["as_of_date"], row["step"], row["group"], row["dropped"], row["kept"]) for row in rows}
    if set(cohort.rows["as_of_date"]) == set(DATES):
        assert counted == oracle(cohort, sexes)
    past = said([row for row in dated if row[2] < AS_OF], [row for row in sexes if row[1] < AS_OF])[1]
    assert past == rows
