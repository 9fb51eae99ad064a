"""A cohort made from the study's own sources: rules, teams, households, days and routes, as they were known then."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from riskmodels.data.engines import POLARS, Engine
from riskmodels.errors import DataError, UsageError
from riskmodels.service.cohort import SourceParts, is_sources, notes, open_sources, sources
from riskmodels.service.shapes import REJECT_SCHEMA, CheckedPart, day_of
from riskmodels.study import Study
from tests.data.small_study import in_folder, study_file, table
from tests.service.cohort.conftest import AS_OF, HOUSEHOLDS, RULES, TEAMS

TODAY = dt.date(2021, 12, 31)
PEOPLE = """
id area  home
a  north h1
b  south h1
c  -     -
d  else  h2
e  north h3
"""
# Of c nothing is known before July but a test; of f nothing at all.
RECORDS = """
id happened   known      kind  value
a  2020-05-01 2020-05-01 visit 3
a  2020-06-01 2020-06-02 visit -
b  2020-05-01 2020-07-01 visit 1
b  2020-06-30 2020-06-30 other 1
c  2020-06-30 2020-06-30 test  2
d  2020-06-01 2020-06-01 visit 5
d  2020-06-02 2020-06-02 test  6
f  2020-07-01 2020-07-01 visit 9
"""
FEATURES = {
    "features": [
        {"name": "visits", "take": "count", "of": "visit", "words": "visits", "stale_after": "1 month"},
        {"name": "worst", "take": "latest", "of": "visit.value", "words": "worst"},
    ]
}
ROUTES = {
    "routes": [
        {"when": {"any": "test"}, "to": "safeguarding", "because": "a test", "owner": "o"},
        {"when": {"none": "visit"}, "to": "nurse", "because": "no visit", "owner": "o"},
    ]
}


@pytest.fixture
def opened(tmp_path: Path) -> Callable[..., SourceParts]:
    """The small study's sources, on the first of July."""

    def open_(
        as_of: dt.date | None = AS_OF,
        objectors: tuple[str, ...] = (),
        not_before: Any = None,
        today: dt.date = TODAY,
        records: str = RECORDS,
        engine: Engine = POLARS,
        **sections: Any,
    ) -> SourceParts:
        study = made(tmp_path, records, **sections)
        return open_sources(tmp_path, study, as_of, frozenset(objectors), today, engine, not_before=not_before)

    return open_


def made(folder: Path, records: str = RECORDS, **sections: Any) -> Study:
    for name, text in (("people", PEOPLE), ("records", records)):
        table(text).write_csv(folder / f"{name}.csv")
    registered = {"people": ["id", "area", "home"], "records": ["id", "happened", "known", "kind", "value"]}
    study = in_folder(folder, study_file(**{**FEATURES, **sections}), registered)
    return replace(study, files=(("study.yaml", repr(sections).encode()),))


def whole(parts: SourceParts) -> CheckedPart:
    read = [parts.read(number) for number in range(parts.count)]
    return CheckedPart(
        pl.concat([part.frame for part in read]),
        pl.concat([part.rejects for part in read]),
        sum(p.rows_in for p in read),
    )


def column(parts: SourceParts, name: str) -> dict[str, Any]:
    return dict(whole(parts).frame.select("entity_id", name).iter_rows())


def test_everybody_known_by_then_with_the_days_of_their_facts(opened: Callable[..., SourceParts]) -> None:
    parts = opened()
    frame = whole(parts).frame
    assert frame.schema == pl.Schema(
        {
            "row_number": pl.Int64, "entity_id": pl.String, "visits": pl.Float64, "worst": pl.Float64,
            "excluded": pl.Int16, "team": pl.String, "household": pl.String, day_of("visits"): pl.Date,
            day_of("worst"): pl.Date,
        }
    )  # fmt: skip
    first, sixth = dt.date(2020, 5, 1), dt.date(2020, 6, 1)
    # b's visit became known on the day itself, which is too late.
    assert frame.drop("excluded", "team", "household").rows() == [
        (1, "a", 2.0, 3.0, sixth, first), (2, "b", 0.0, None, None, None), (3, "c", 0.0, None, None, None),
        (4, "d", 1.0, 5.0, sixth, sixth), (5, "e", 0.0, None, None, None),
    ]  # fmt: skip
    assert frame.select("excluded", "team", "household").null_count().row(0) == (5, 5, 5)
    assert (parts.rows_in, parts.routed, parts.ignored, parts.as_of) == (5, {}, (), AS_OF)


def test_rules_teams_and_households(opened: Callable[..., SourceParts]) -> None:
    # The first rule that holds of d is that of a visit, though d has had a test as well. b's visit is known today.
    assert column(opened(**RULES), "excluded") == {"a": 0, "b": 0, "c": 1, "d": 0, "e": None}
    assert column(opened(**TEAMS), "team") == {"a": "north", "b": "south", "c": None, "d": None, "e": "north"}
    assert column(opened(**HOUSEHOLDS), "household") == {"a": "h1", "b": "h1", "c": None, "d": "h2", "e": "h3"}


def test_routes_leave_out_the_dead_and_who_objected(opened: Callable[..., SourceParts]) -> None:
    assert opened(**ROUTES).routed == {0: ("c", "d"), 1: ("b", "c", "e")}
    assert opened(**ROUTES, objectors=("c", "b")).routed == {0: ("d",), 1: ("e",)}
    # The rule of kind died is of tests; of d, whom another rule leaves off first, it is true as well.
    assert opened(**ROUTES, **RULES).routed == {0: (), 1: ("b", "e")}
    # Whoever has help already is off the list, and not out of safeguarding.
    assert opened(**ROUTES, service_rules=RULES["service_rules"][:1]).routed == {0: ("c", "d"), 1: ("b", "c", "e")}


def test_objectors_are_rejected_in_their_part(
    opened: Callable[..., SourceParts], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "ROWS_AT_MOST", 2)
    parts = opened(objectors=("d", "nobody"))
    assert (parts.count, parts.rows_in) == (3, 5)
    assert [parts.read(number).rows_in for number in (2, 1, 0)] == [1, 2, 2]
    assert parts.read(1).frame.equals(parts.read(1).frame)
    found = whole(parts)
    assert found.rejects.schema == pl.Schema(REJECT_SCHEMA)
    assert found.rejects.rows() == [(4, "d", "objected", "the person objected to being scored")]
    assert found.frame["row_number"].to_list() == [1, 2, 3, 5]
    for outside in (-1, 3):
        with pytest.raises(IndexError):
            parts.read(outside)


def test_an_objection_that_nearly_meets_somebody(opened: Callable[..., SourceParts]) -> None:
    with pytest.raises(DataError, match="1 objections match ids of the cohort only if case"):
        opened(objectors=("D",))


def test_the_day(opened: Callable[..., SourceParts]) -> None:
    with pytest.raises(UsageError, match="a folder of sources is scored on a day; name it with --as-of"):
        opened(None)
    with pytest.raises(DataError, match="the model learned from data up to 2020-07-02"):
        opened(not_before=dt.date(2020, 7, 2))
    assert opened(not_before=dt.date(2020, 7, 2), clock="relative").rows_in == 5


def test_its_digest_covers_sources_objections_study_and_day(opened: Callable[..., SourceParts]) -> None:
    digests = [
        parts.sha256
        for parts in (opened(), opened(objectors=("a",)), opened(dt.date(2020, 8, 1)), opened(**RULES), opened(**TEAMS))
    ]
    assert len(set(digests)) == len(digests)
    assert opened().sha256 == digests[0]


def test_the_column_of_the_teams_is_read_where_there_are_teams(tmp_path: Path) -> None:
    study = made(tmp_path, **TEAMS)
    table(PEOPLE).drop("area").write_csv(tmp_path / "people.csv")
    with pytest.raises(DataError, match="has no column 'area'"):
        open_sources(tmp_path, study, AS_OF, frozenset(), TODAY)


@pytest.mark.parametrize(
    ("files", "database", "expected"),
    [
        (["people.csv", "records.csv"], False, True), (["records.csv"], False, True),
        (["part-0.parquet"], False, False),
        ([], False, False), ([], True, True), (["notes.txt"], True, True), (["part-0.parquet"], True, False),
    ],
)  # fmt: skip
def test_sources_or_parts(tmp_path: Path, files: list[str], database: bool, expected: bool) -> None:
    study = study_file()
    if database:
        held = {"file": None, "database": "CASES", "table": "t"}
        changed = {name: source.model_copy(update=held) for name, source in study.sources.items()}
        study = study.model_copy(update={"sources": changed})
    for name in files:
        (tmp_path / name).touch()
    assert is_sources(tmp_path, study) is expected
    assert not is_sources(tmp_path / "nowhere", study)


# ---------------------------------------------------------------- what is known today

DIED: dict[str, Any] = {
    "service_rules": [{"exclude": {"any": "test"}, "because": "died", "owner": "o", "kind": "died"}]
}


def with_records(*lines: str) -> str:
    return RECORDS + "".join(f"{line} 1\n" for line in lines)


def test_who_died_since_the_as_of_date_is_not_listed_nor_routed(opened: Callable[..., SourceParts]) -> None:
    today, e_was_visited = dt.date(2020, 7, 9), "e 2020-07-03 2020-07-09 visit"
    before = opened(records=with_records(e_was_visited), today=today, **DIED, **ROUTES)
    after = opened(records=with_records(e_was_visited, "b 2020-07-03 2020-07-09 test"), today=today, **DIED, **ROUTES)
    assert column(before, "excluded") == {"a": None, "b": None, "c": 0, "d": 0, "e": None}
    assert column(after, "excluded") == {"a": None, "b": 0, "c": 0, "d": 0, "e": None}
    # e had no visit before the as-of date, and is flagged though there is one today.
    assert (before.routed, after.routed) == ({0: (), 1: ("b", "e")}, {0: (), 1: ("e",)})
    # Features stay as they were: b's visit of May was not known then.
    assert column(after, "visits") == column(before, "visits")
    assert column(after, "visits")["b"] == 0
    visited = {"routes": [{**ROUTES["routes"][0], "when": {"any": "visit"}}]}
    seen = opened(records=with_records(e_was_visited), today=today, **visited)
    assert seen.routed == {0: ("a", "b", "d", "e")}


def test_households_of_the_dead_and_of_objectors_are_left_alone(opened: Callable[..., SourceParts]) -> None:
    steps = {**HOUSEHOLDS, "cohort": {**HOUSEHOLDS["cohort"], "steps": [{"step": "not north", "drop": NORTH}]}}
    # a, of h1 and the north, is not in the cohort.
    assert opened(**steps).rows_in == 3
    assert opened(**steps, **DIED).closed == {"h2"}
    assert opened(**steps, **DIED, records=with_records("a 2020-01-01 2020-01-01 test")).closed == {"h1", "h2"}
    assert opened(**steps, objectors=("a",)).closed == {"h1"}
    assert opened(**HOUSEHOLDS, objectors=("b", "c")).closed == {"h1"}
    assert opened(objectors=("b",)).closed == frozenset()


NORTH = {"attribute": "people.area", "equals": "north"}


def test_what_is_known_today_is_in_the_digest_and_the_day_itself_is_not(opened: Callable[..., SourceParts]) -> None:
    # A run that was stopped may go on the next day; but not once the visit of e is more than a month ago.
    lately = {"service_rules": [{**RULES["service_rules"][0], "exclude": {"any": "visit", "last": "1 month"}}]}
    records = with_records("e 2020-07-03 2020-07-09 visit")
    found = [opened(records=records, today=dt.date(2020, 8, day), **lately) for day in (2, 3, 4)]
    assert [column(parts, "excluded")["e"] for parts in found] == [0, 0, None]
    assert found[0].sha256 == found[1].sha256 != found[2].sha256


def test_old_records_are_said_to_be_old(opened: Callable[..., SourceParts]) -> None:
    first, last = dt.date(2020, 8, 1), dt.date(2020, 8, 2)  # 31 and 32 days after the newest record, of 1 July
    said = ("the newest record is of 2020-07-01: who died, moved or objected since is not known",)
    assert opened(today=first, **DIED).notes == ()
    assert opened(today=last, **DIED).notes == said
    assert opened(today=last).notes == ()
    assert opened(today=last, clock="relative", **DIED).notes == ()
    fresh = with_records("f 2020-08-02 2020-08-02 other")
    assert opened(today=last, records=fresh, **DIED).notes == ()


def test_old_records_of_one_source_are_told_from_others() -> None:
    days = {"deaths": dt.date(2020, 1, 1), "moves": dt.date(2020, 7, 1), "calls": None}
    assert list(notes.old_records(days, dt.date(2020, 7, 31))) == [
        "the newest record of deaths is of 2020-01-01: what happened since is not known, and service rules ask it",
        "calls holds no record known by today: what happened since is not known, and service rules ask it",
    ]


def test_how_many_are_left_off_for_want_of_a_date_is_said(opened: Callable[..., SourceParts]) -> None:
    today, lacks = dt.date(2020, 7, 9), "of the cohort are left off only because a record lacks a date"
    parts = opened(today=today, records=with_records("a - - test", "b 2020-01-01 - test", "c - - test"), **DIED)
    assert column(parts, "excluded") == {"a": 0, "b": 0, "c": 0, "d": 0, "e": None}
    (said,) = parts.notes
    # Notes stand in the report, so a small number is not said.
    assert said.startswith(f"fewer than 10 {lacks}")
    assert notes.undated_note(12, study_file()).startswith(f"about 10 {lacks}")
    assert notes.undated_note(1_234, study_file()).startswith(f"about 1,235 {lacks}")


@pytest.mark.parametrize("clock", ["calendar", "relative"])
def test_another_engine_says_the_same(opened: Callable[..., SourceParts], clock: str) -> None:
    asked: dict[str, Any] = {
        "records": with_records("a - 2020-07-01 test", "e 2020-07-03 2020-07-09 test"), "clock": clock, **DIED,
        **HOUSEHOLDS, **ROUTES,
    }  # fmt: skip
    one, other = opened(**asked), opened(engine=Engine("duckdb"), **asked)
    assert whole(one).frame.equals(whole(other).frame)
    assert (one.closed, one.notes, one.routed) == (other.closed, other.notes, other.routed)
    assert one.closed == {"h1", "h2", "h3"}
