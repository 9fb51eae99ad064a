"""What the files of a batch do not tell: names of columns, and what other roles and later objections make stale."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import polars as pl
import pytest

from riskmodels import commands
from riskmodels.__main__ import run
from riskmodels.commands.batch_files import files_of, older_sheets
from riskmodels.study import load_study
from riskmodels.workspace import Workspace
from tests.conftest import AS_OF, ROOT, TODAY, Demo
from tests.end_to_end.served import text_of

MODEL = "early_reading_support"
BATCH = "0123456789abcdef"


def test_each_role_has_its_own_sheets() -> None:
    study = load_study(ROOT / "experiments" / MODEL).file
    names = [files_of(Path("june.csv"), BATCH, study, {}, role)["Decisions"].name for role in (None, "lead", "team")]
    assert names == ["june.decisions-01234567", "june.decisions-01234567-for-lead", "june.decisions-01234567-for-team"]


def test_sheets_of_other_batches_of_the_same_name_are_older(tmp_path: Path) -> None:
    for name in (
        "june.decisions-01234567-for-lead",
        "june.decisions-aa",
        "june.decisions-bb-for-team",
        "may.decisions-c",
    ):
        (tmp_path / name).mkdir()
    (tmp_path / "june.decisions-file").touch()
    assert older_sheets(tmp_path / "june.csv", BATCH) == ["june.decisions-aa", "june.decisions-bb-for-team"]
    assert older_sheets(tmp_path / "none" / "june.csv", BATCH) == []


@pytest.fixture
def cohort(demo: Demo, tmp_path: Path) -> Path:
    """A cohort file with columns that nobody asked for: a plain name, a person's, and a long one."""
    frame = demo.report.run.run.dataset.features.frame
    frame = frame.filter(pl.col("as_of_date") == frame["as_of_date"].max()).drop("as_of_date").head(200)
    more = {"refuge_adress": 1, "Jane Smith 7 High St": "x", "a" * 41: "x"}
    frame.with_columns(pl.lit(value).alias(name) for name, value in more.items()).write_parquet(tmp_path / "c.parquet")
    return tmp_path / "c.parquet"


def test_names_of_columns_are_for_the_screen_and_only_where_they_look_like_names(
    workspace: Workspace, cohort: Path, tmp_path: Path
) -> None:
    out, lists = io.StringIO(), tmp_path / "lists"
    asked = ["--as-of", str(AS_OF), "--output", str(lists / "list.csv"), "--capacity", "20"]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        code = run(["score", MODEL, str(cohort), *asked, "--workspace", str(workspace.root), "--today", str(TODAY)])
    assert code == 0
    assert (
        "Note: not read: 3 columns that nobody asked for\n  their names: refuge_adress and 2 others" in out.getvalue()
    )
    assert "Jane" not in out.getvalue()
    files = [path for path in lists.rglob("*") if path.is_file()]
    assert {".xlsx", ".html", ".csv"} <= {path.suffix for path in files}
    for path in files:
        text = text_of(path)
        assert not any(name in text for name in ("refuge_adress", "Jane Smith", "a" * 41)), path.name
    assert sum("not read: 3 columns that nobody asked for" in text_of(path) for path in files) == 2


def test_sheets_from_before_an_objection_are_named(workspace: Workspace, cohort: Path, tmp_path: Path) -> None:
    output = tmp_path / "lists" / "list.csv"

    def score(**more: object) -> commands.ScoreReport:
        return commands.score(MODEL, cohort, output, workspace, TODAY, AS_OF, capacity=20, **more)  # type: ignore[arg-type]

    first = score()
    assert not any("older" in note for note in first.notes)
    listed = pl.read_csv(output, infer_schema_length=0).filter(pl.col("listed") == "true")["entity_id"]
    listed.head(1).to_frame().write_csv(tmp_path / "objected.csv")
    second = score(exclude=tmp_path / "objected.csv")
    (note,) = [note for note in second.notes if "older decision sheets" in note]
    assert first.files_by_name["Decisions"].name in note
    # One person who objected is a person: the report tells no such number, and no two from which to take it.
    report = text_of(second.files_by_name["Report"])
    assert second.rejected == {"objected": 1}
    assert "fewer than 10 could not be scored" in report
    assert not re.search(r"<td[^>]*>\s*(1|199)\s*<", report)
    assert score().batch_id == first.batch_id


def test_a_run_that_goes_on_leaves_nothing_of_another_reader(
    workspace: Workspace, cohort: Path, tmp_path: Path
) -> None:
    """What is made after scoring is made anew."""
    output = tmp_path / "lists" / "list.csv"
    stale = output.parent / ".list.csv.work" / "decisions" / "decisions-of-another.xlsx"
    stale.parent.parent.mkdir(mode=0o700, parents=True)
    stale.parent.mkdir()
    stale.touch()
    report = commands.score(MODEL, cohort, output, workspace, TODAY, AS_OF, capacity=20, resume=True)
    assert [path.name for path in report.files_by_name["Decisions"].iterdir()] == ["decisions-everybody.xlsx"]
