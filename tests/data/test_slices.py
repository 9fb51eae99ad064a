"""Labels by which the figures are told apart."""

from __future__ import annotations

import polars as pl
import pytest

from riskmodels.data.slices import build_slices
from riskmodels.errors import StudyError
from tests.data.leakage.made_county import BASE, a_study, county, read


def test_labels_are_those_known_on_the_day_in_the_order_of_the_rows():
    study = a_study(slices=["people.ward"])
    raw = county(people=300)
    tables = read(raw, study)
    days = pl.Series([study.file.cohort.dates[0], study.file.cohort.dates[-1]])
    ids = raw["people"]["entity_id"].head(20)
    rows = pl.DataFrame({"entity_id": ids}).join(pl.DataFrame({"as_of_date": days}), how="cross").reverse()
    found = build_slices(rows, tables, study.file)
    assert found.select("entity_id", "as_of_date").equals(rows)
    ward = dict(raw["people"].select("entity_id", "ward").iter_rows())
    assert found["people.ward"].to_list() == [ward[name] for name in rows["entity_id"]]


def test_whom_a_linked_source_can_speak_of_is_a_slice():
    raw = county(people=300, unlinked=0.3)
    sources = {**BASE["sources"], "events": {**BASE["sources"]["events"], "link": {"flag": "people.police_linked"}}}
    study = a_study(sources=sources)
    tables = read(raw, study)
    rows = pl.DataFrame({"entity_id": raw["people"]["entity_id"]}).with_columns(
        pl.lit(study.file.cohort.dates[-1]).alias("as_of_date")
    )
    found = build_slices(rows, tables, study.file)
    linked = raw["people"]["police_linked"].to_list()
    assert found["source events"].to_list() == ["matched" if one else "not matched" for one in linked]
    assert {True, False} == set(linked)


def test_a_column_with_a_value_for_each_person_is_refused():
    study = a_study(slices=["people.household_id"])
    raw = county(people=300)
    rows = pl.DataFrame({"entity_id": raw["people"]["entity_id"]}).with_columns(
        pl.lit(study.file.cohort.dates[0]).alias("as_of_date")
    )
    with pytest.raises(StudyError, match=r"^slices: people.household_id holds \d+ different values, more than 100"):
        build_slices(rows, read(raw, study), study.file)
