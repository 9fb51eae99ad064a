"""What a run is told before anybody is scored, and what it keeps when it fails after."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from riskmodels import commands
from riskmodels.service import batch
from riskmodels.service.batch import folder_beside
from riskmodels.service.outputs import lists
from riskmodels.workspace import Workspace
from tests.end_to_end.served import NAME, SCORED_ON, Called, Served, call, refused


@pytest.fixture
def workspace(county: Served, tmp_path: Path) -> Workspace:
    """The county's, with batches of its own: they may stand in the way."""
    kept = shutil.ignore_patterns("batches", "cache", "mlartifacts", "lists")
    return Workspace(Path(shutil.copytree(county.workspace.root, tmp_path / "work", ignore=kept)))


@pytest.fixture
def cohort(county: Served, tmp_path: Path) -> Path:
    county.matrix(40).write_parquet(tmp_path / "cohort.parquet")
    (tmp_path / "objected.csv").write_text("entity_id\n")
    return tmp_path / "cohort.parquet"


def score(workspace: Workspace, cohort: Path, output: Path, *more: object) -> Called:
    return call(
        workspace, "score", NAME, cohort, "--as-of", SCORED_ON, "--capacity", "north=3,south=2,east=1", "--exclude",
        cohort.with_name("objected.csv"), "--output", output, *more,
    )  # fmt: skip


def never(*_: Any, **__: Any) -> None:
    raise AssertionError("somebody was scored")


def test_a_file_of_groups_is_read_before_anybody_is_scored(
    workspace: Workspace, cohort: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "score_batch", never)
    groups = cohort.with_name("groups.csv")
    pl.DataFrame({"nope": [1]}).write_csv(groups)
    refused(score(workspace, cohort, cohort.with_name("list.csv"), "--groups", groups), 4, "no column entity_id")


def test_a_sheet_that_cannot_hold_the_cohort(
    workspace: Workspace, cohort: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "MOST_SHEET_ROWS", 40)
    assert score(workspace, cohort, cohort.with_name("list.xlsx")).code == 0
    monkeypatch.setattr(batch, "score_batch", never)
    monkeypatch.setattr(lists, "MOST_SHEET_ROWS", 39)
    refused(score(workspace, cohort, cohort.with_name("other.xlsx")), 2, "a sheet of Excel holds 39")


@pytest.mark.parametrize("name", ["list.rejects.csv", "list.report.html", "list.columns.csv"])
def test_a_folder_in_the_place_of_a_file(
    workspace: Workspace, cohort: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(batch, "score_batch", never)
    cohort.with_name(name).mkdir()
    refused(score(workspace, cohort, cohort.with_name("list.csv")), 7, f"{name}: is a folder")
    assert not folder_beside(cohort.with_name("list.csv")).exists()


def test_a_file_in_the_place_of_the_record(workspace: Workspace, cohort: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert score(workspace, cohort, cohort.with_name("first.csv")).code == 0
    (record,) = (workspace.root / "batches" / NAME).iterdir()
    assert {stat.S_IMODE(path.stat().st_mode) for path in (record, record.parent)} == {0o700}
    for path in record.iterdir():
        path.unlink()
    record.rmdir()
    record.write_text("in the way")
    monkeypatch.setattr(batch, "score_batch", never)
    refused(score(workspace, cohort, cohort.with_name("list.csv")), 7, "is a file where a folder is to be written")


def test_two_formats_of_one_name_are_told_apart(workspace: Workspace, cohort: Path) -> None:
    assert "stands beside the list" not in score(workspace, cohort, cohort.with_name("list.csv")).out
    said = score(workspace, cohort, cohort.with_name("list.parquet")).out
    assert "list.csv stands beside the list: rejects, report and columns have one name for both" in said


def interrupted(*_: Any, **__: Any) -> None:
    raise KeyboardInterrupt


def test_stopped_with_ctrl_c(workspace: Workspace, cohort: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    output = cohort.with_name("list.csv")
    monkeypatch.setattr(batch, "score_batch", interrupted)
    refused(score(workspace, cohort, output), 130, "stopped; run again with --resume to go on")
    assert folder_beside(output).exists()
    monkeypatch.undo()
    assert score(workspace, cohort, output, "--resume").code == 0
    monkeypatch.setattr(commands, "trace", interrupted)
    refused(call(workspace, "trace", "1"), 130, "stopped; nothing half-written was left behind")
