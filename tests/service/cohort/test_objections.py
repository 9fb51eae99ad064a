"""Lists of objections, and objections that miss an id only by how it is written."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from riskmodels.errors import DataError
from riskmodels.service.cohort import read_objectors
from riskmodels.service.cohort.objections import NearMisses


def test_a_list_of_objections(tmp_path: Path) -> None:
    assert read_objectors(None) == frozenset()
    (tmp_path / "a.csv").write_text("note,entity_id\nx, 007 \ny,\nz,b c\n")
    assert read_objectors(tmp_path / "a.csv") == {"007", "b c"}
    pl.DataFrame({"entity_id": [2**62 + 1, None]}).write_parquet(tmp_path / "a.parquet")
    assert read_objectors(tmp_path / "a.parquet") == {str(2**62 + 1)}


@pytest.mark.parametrize("ids", [[101.0, None], ["101.0", "7"], ["1.5E+12", "7"]])
def test_objections_as_decimals_are_refused(tmp_path: Path, ids: list[object]) -> None:
    pl.DataFrame({"entity_id": ids}).write_parquet(tmp_path / "a.parquet")
    with pytest.raises(DataError, match=r"^a.parquet, column 'entity_id': ids were read as decimals"):
        read_objectors(tmp_path / "a.parquet")


@pytest.mark.parametrize("ids", [[["a"], ["b"]], [b"a", b"b"], [{"id": "a"}, {"id": "b"}]])
def test_ids_that_are_no_ids_are_refused(tmp_path: Path, ids: list[object]) -> None:
    pl.DataFrame({"entity_id": ids}).write_parquet(tmp_path / "a.parquet")
    with pytest.raises(DataError, match=r"^a.parquet, column 'entity_id': holds lists, records or raw bytes"):
        read_objectors(tmp_path / "a.parquet")


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_list_without_ids_is_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    frame = pl.DataFrame({"id": ["a"]})
    frame.write_csv(path) if suffix == ".csv" else frame.write_parquet(path)
    with pytest.raises(DataError, match=r"a list of objections has a column entity_id"):
        read_objectors(path)


def test_near_misses_over_parts() -> None:
    """p-1 nearly meets P1, which is met by its own name in no part; q2 is met in the second."""
    near = NearMisses(frozenset(["p-1", "q2"]))
    near.see(pl.Series(["P1", "Q2", None]))
    near.see(pl.Series(["q2"]))
    with pytest.raises(DataError, match="1 objections match ids of the cohort only if case"):
        near.refuse()
    fine = NearMisses(frozenset(["q2", "z"]))
    fine.see(pl.Series(["Q2"]))
    fine.see(pl.Series(["q2", "y"]))
    fine.refuse()
