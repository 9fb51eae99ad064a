"""Whom a list of today leaves alone: by what is known today, of whomever it is known, and however it is recorded."""

from __future__ import annotations

import datetime as dt
import shutil
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from tests.end_to_end.served import NAME, SCORED_ON, TODAY, Called, Served, call

pytestmark = pytest.mark.slow
OPENED_ON = dt.date(2026, 6, 20)


@dataclass(frozen=True)
class Scored:
    """A list, and who is on it."""

    called: Called
    path: Path

    @property
    def listed(self) -> list[str]:
        assert self.called.code == 0, self.called
        return pl.read_parquet(self.path).filter("listed").sort("rank")["entity_id"].to_list()


def scored(county: Served, data: Path, output: Path, *options: object, today: dt.date = TODAY) -> Scored:
    asked = ("score", NAME, data, "--as-of", SCORED_ON, "--output", output, *options)
    return Scored(call(county.workspace, *asked, today=today), output)


def with_deaths(county: Served, folder: Path, ids: list[str], day: dt.date | None, known: dt.date | None) -> Path:
    """The county's data, in which these people died."""
    shutil.copytree(county.data, folder)
    events = pl.read_parquet(folder / "events.parquet")
    more = pl.DataFrame({"child_id": ids, "kind": "death"}).with_columns(
        pl.lit(day, dtype=pl.Date).alias("happened_on"), pl.lit(known, dtype=pl.Date).alias("known_on")
    )
    pl.concat([events, more], how="diagonal_relaxed").write_parquet(folder / "events.parquet")
    return folder


@pytest.fixture(scope="module")
def before(county: Served, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Who is on the list of the county as it is."""
    return scored(county, county.data, tmp_path_factory.mktemp("before") / "list.parquet").listed


@pytest.fixture(scope="module")
def siblings(county: Served, before: list[str]) -> pl.DataFrame:
    """entity_id of the listed, and their siblings who are not in the cohort."""
    people = pl.read_parquet(county.data / "people.parquet").select("child_id", "household_id").drop_nulls()
    cohort = set(county.report.run.prepared.cohort.rows["entity_id"])
    at_home = people.filter(pl.col("child_id").is_in(before)).rename({"child_id": "entity_id"})
    return at_home.join(people.filter(~pl.col("child_id").is_in(list(cohort))), on="household_id")


@pytest.mark.parametrize(
    ("day", "known"),
    [(TODAY, TODAY), (SCORED_ON, TODAY), (None, OPENED_ON), (OPENED_ON, None), (None, None)],
    ids=["today", "since the as-of date", "on no day", "known on no day", "without dates"],
)
def test_the_dead_are_not_listed(
    county: Served, before: list[str], tmp_path: Path, day: dt.date | None, known: dt.date | None
) -> None:
    dead = before[:12]
    data = with_deaths(county, tmp_path / "data", dead, day, known)
    found = scored(county, data, tmp_path / "list.parquet")
    assert len(before) > 30
    assert not set(dead) & set(found.listed)
    said = "about 10 of the cohort are left off only because a record lacks a date"
    assert (said in found.called.said) == (day is None or known is None)


def test_a_sibling_outside_the_cohort_closes_the_home(county: Served, siblings: pl.DataFrame, tmp_path: Path) -> None:
    assert siblings.height >= 5
    data = with_deaths(county, tmp_path / "data", siblings["child_id"].to_list(), OPENED_ON, OPENED_ON)
    assert not set(siblings["entity_id"]) & set(scored(county, data, tmp_path / "list.parquet").listed)


def test_who_objects_closes_the_home(county: Served, siblings: pl.DataFrame, tmp_path: Path) -> None:
    objections = tmp_path / "objections.csv"
    siblings.select(entity_id="child_id").write_csv(objections)
    found = scored(county, county.data, tmp_path / "list.parquet", "--exclude", objections)
    assert not set(siblings["entity_id"]) & set(found.listed)


def test_old_records_are_said_to_be_old(county: Served, tmp_path: Path) -> None:
    said = "the newest record is of 2026-06-30: who died, moved or objected since is not known"
    assert said not in scored(county, county.data, tmp_path / "a.parquet", today=dt.date(2026, 7, 31)).called.said
    assert said in scored(county, county.data, tmp_path / "b.parquet", today=dt.date(2026, 8, 1)).called.said
