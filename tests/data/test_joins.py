"""A join that meets nobody and a value that never occurs are refused, not passed over in silence."""

from __future__ import annotations

from typing import Any

import pytest

from riskmodels.data.joins import check_joins
from riskmodels.data.tables import Tables
from riskmodels.errors import DataError
from riskmodels.study import StudyFile
from tests.data.small_study import BASE, study_file, tables_of

SOURCES = {**BASE["sources"], "areas": {"file": "areas.csv", "entity": "code", "level": "place"}}
RECORDS = "id happened known kind how\na 2020-01-01 2020-01-01 visit phone\nb 2020-01-01 2020-01-01 test -"


def asked(area: str, **line: Any) -> tuple[StudyFile, Tables]:
    features = [{"name": "x", "words": "x", **line}]
    spec = {"deprived": {"column": "areas.decile", "law": "none", "by": "people.area", "also_feature": "t"}}
    study = study_file(sources=SOURCES, features=features, protected=spec)
    tables = tables_of(study, people=f"id area\na {area}\nb -", records=RECORDS, areas="code decile\nE01 1\nE02 2")
    return study, tables


def test_a_join_that_meets_nobody_is_refused() -> None:
    line = {"take": "attribute", "of": "areas.decile", "by": "people.area"}
    study, tables = asked("E01", **line)
    check_joins(tables, study)
    for area in ("e01", "X01"):
        study, tables = asked(area, **line)
        with pytest.raises(DataError) as refusal:
            check_joins(tables, study)
        assert "features[0] (x).by: none of the values of people.area is an id of areas" in str(refusal.value)
        assert area not in str(refusal.value)


def test_a_characteristic_is_joined_likewise() -> None:
    study, tables = asked("X01", take="count", of="visit")
    with pytest.raises(DataError, match=r"protected\.deprived\.by: none of the values of people\.area"):
        check_joins(tables, study)


def test_a_value_that_never_occurs_is_named() -> None:
    check_joins(*reversed(asked("E01", take="count", of="anything", each={"how": ["phone"]})))
    study, tables = asked("E01", take="count", of="anything", each={"how": ["phone", "fone"]})
    with pytest.raises(DataError, match=r"features\[0\] \(x\)\.each: 'fone' does not occur in records\.how"):
        check_joins(tables, study)
