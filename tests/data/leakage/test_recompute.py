"""Features made again in plain Python: against values worked out by hand, and against the engine on everything."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings

from riskmodels.data.cohort import build_cohort
from riskmodels.data.features import build_features
from riskmodels.data.leakage import DETECTORS, Evidence
from riskmodels.data.leakage.recompute import Sources, recompute
from riskmodels.data.outcomes import build_outcomes
from riskmodels.data.splits import Split, Splits
from riskmodels.data.tables import Tables
from riskmodels.study import AGGREGATIONS, StudyFile
from tests.data.everything_study import DATES, EVERYTHING, all_rows, coverage, everybody, everything_tables
from tests.data.small_study import AS_OF, BASE, study_file, tables_of

# Of a, before 1 July 2020: three tests, one of them known too late, and two visits 40 days apart.
RECORDS = """
id happened   known      kind  value
a  2020-01-10 2020-01-12 test  2.0
a  2020-05-01 2020-05-01 test  8.0
a  2020-06-20 2020-07-01 test  99.0
a  2020-04-01 2020-04-01 visit -
a  2020-05-11 2020-05-11 visit -
a  2020-07-01 2020-07-01 visit -
"""
LINES: list[tuple[dict[str, Any], float | None]] = [
    ({"take": "count", "of": "test"}, 2.0),
    ({"take": "any", "of": "test", "last": "30 days"}, 0.0),
    ({"take": "sum", "of": "test.value"}, 10.0),
    ({"take": "mean", "of": "test.value"}, 5.0),
    ({"take": "mean", "of": "test.value", "last": "10 days"}, None),
    ({"take": "mean", "of": "test.value", "last": "10 days", "missing": "zero"}, 0.0),
    ({"take": "min", "of": "test.value"}, 2.0),
    ({"take": "max", "of": "test.value"}, 8.0),
    ({"take": "latest", "of": "test.value"}, 8.0),
    ({"take": "first", "of": "test.value"}, 2.0),
    ({"take": "change", "of": "test.value"}, 6.0),
    ({"take": "trend", "of": "test.value"}, 6.0 / 112 * 365.2425),
    ({"take": "distinct", "of": "test.value"}, 2.0),
    ({"take": "mode", "of": "test.value"}, 8.0),
    ({"take": "rate", "of": "test", "last": "182 days"}, 2 / (182 / 365.2425)),
    (
        {"take": "rate_change", "of": "test", "last": "100 days", "than": "100 days"},
        1 / (100 / 365.2425) - 1 / (100 / 365.2425),
    ),
    ({"take": "ratio", "of": "test", "over": "anything"}, 0.5),
    ({"take": "episodes", "of": "visit", "gap": "39 days"}, 2.0),
    ({"take": "episodes", "of": "visit", "gap": "40 days"}, 1.0),
    ({"take": "days_since_first", "of": "visit"}, 91.0),
    ({"take": "days_since_last", "of": "visit"}, 51.0),
]


def small(lines: list[dict[str, Any]]) -> tuple[StudyFile, Tables]:
    study = study_file(features=[{"name": f"f{i}", "words": "w", **line} for i, line in enumerate(lines)])
    return study, tables_of(study, people="id\na\nb", records=RECORDS)


@pytest.mark.parametrize(("line", "value"), LINES, ids=[f"{line['take']}-{i}" for i, (line, _) in enumerate(LINES)])
def test_values_worked_out_by_hand(line: dict[str, Any], value: float | None) -> None:
    study, tables = small([line])
    again = recompute(
        study.features[0], study.features[0].columns[0], "a", AS_OF, Sources(tables, study, frozenset("a"))
    )
    assert again == (None if value is None else pytest.approx(value))


def test_everything_that_may_be_taken_is_worked_out_by_hand() -> None:
    assert {line["take"] for line, _ in LINES} | {"attribute", "age"} == set(AGGREGATIONS)


def evidence_of(tables: Tables, study: StudyFile = EVERYTHING) -> Evidence:
    cohort = everybody()
    split = Split(0, DATES[-1], DATES[:1], DATES[:1], DATES[-1], "grouped")
    outcomes = build_outcomes(cohort, tables, study, dt.date(2022, 1, 1))
    return Evidence(
        cohort, build_features(cohort, tables, study), outcomes, Splits((split,), split), study, tables=tables
    )


@settings(max_examples=15, deadline=None)
@given(rows=all_rows(), covered=coverage())
def test_it_agrees_with_the_engine_on_everything(rows, covered) -> None:  # type: ignore[no-untyped-def]
    result, words = DETECTORS["future_facts"].detect(evidence_of(everything_tables(rows, covered)))
    assert result == "pass", words
    assert "features of about 10 rows were made again" in words


def test_it_does_not_agree_if_one_fact_is_seen_a_day_early() -> None:
    """One fact of one person on one of the dates is enough."""
    event = DATES[1] - dt.timedelta(3)
    row = {"entity_id": "c", "event_date": event, "kind": "visit", "value": 3.0, "word": "low", "due": None}
    empty: dict[str, list[dict[str, Any]]] = {name: [] for name in ("people", "police", "homes", "crimes", "places")}
    there = everything_tables({**empty, "records": [{**row, "known_date": DATES[1]}]}, {})
    early = everything_tables({**empty, "records": [{**row, "known_date": DATES[1] - dt.timedelta(1)}]}, {})
    found = dataclasses.replace(evidence_of(early), tables=there)
    result, words = DETECTORS["future_facts"].detect(found)
    assert result == "concern"
    assert "visit_count_30_days, visit_count_6_months, visit_count_ever" in words


def test_two_columns_of_ours_may_name_places_of_one_source() -> None:
    """A home and a school, whose areas are different ones."""
    areas = {"file": "areas.csv", "entity": "code", "level": "place"}
    line = {"take": "attribute", "of": "areas.decile", "words": "w"}
    study = study_file(
        sources={**BASE["sources"], "areas": areas},
        features=[{**line, "name": name, "by": f"people.{name}"} for name in ("home", "school")],
    )
    tables = tables_of(
        study,
        people="id home school\na h1 s1\nb h2 s2",
        records="id happened known kind\na 2020-01-01 2020-01-02 visit",
        areas="code decile\nh1 1\nh2 2\ns1 8\ns2 9",
    )
    cohort = build_cohort(tables, study)
    split = Split(0, AS_OF, (AS_OF,), (AS_OF,), AS_OF, "grouped")
    outcomes = build_outcomes(cohort, tables, study, dt.date(2022, 1, 1))
    features = build_features(cohort, tables, study)
    found = Evidence(cohort, features, outcomes, Splits((split,), split), study, tables=tables)
    result, words = DETECTORS["future_facts"].detect(found)
    assert result == "pass", words
    assert "fewer than 10 rows" in words


def test_without_tables_nothing_is_made_again_and_that_is_said() -> None:
    found = evidence_of(
        everything_tables({name: [] for name in ("people", "records", "police", "homes", "crimes", "places")}, {})
    )
    result, words = DETECTORS["future_facts"].detect(dataclasses.replace(found, tables=None))
    assert (result, words) == ("unknown", "the source tables were not given, so no feature was made again")


def test_the_rows_that_would_show_a_leak_are_among_those_drawn() -> None:
    """One person in a thousand has a late fact; half of the rows are drawn from such as these."""
    study = study_file(cohort={"as_of_dates": [dt.date(2020, 1, 1), AS_OF]})
    ids = [f"p{i}" for i in range(1_000)]
    lines = [f"{who} 2020-06-01 {'2020-08-01' if who == 'p78' else '2020-06-02'} visit" for who in ids]
    tables = tables_of(study, people="\n".join(["id", *ids]), records="\n".join(["id happened known kind", *lines]))
    rows = pl.DataFrame({"entity_id": ids, "as_of_date": [AS_OF] * 1_000, "cluster_id": ids})
    cohort = dataclasses.replace(everybody(), rows=rows)
    split = Split(0, AS_OF, (AS_OF,), (AS_OF,), AS_OF, "grouped")
    outcomes = build_outcomes(cohort, tables, study, dt.date(2022, 1, 1))
    features = build_features(cohort, tables, study)
    honest = Evidence(cohort, features, outcomes, Splits((split,), split), study, tables=tables)
    assert DETECTORS["future_facts"].detect(honest)[0] == "pass"
    seen = features.frame.with_columns(pl.lit(1.0).alias("visits"))
    leaky = dataclasses.replace(honest, features=dataclasses.replace(features, frame=seen))
    assert DETECTORS["future_facts"].detect(leaky)[0] == "concern"
