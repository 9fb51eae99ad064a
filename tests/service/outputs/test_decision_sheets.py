"""The sheet that a team fills in: what it says, what it leaves to people, and how it prints."""

from __future__ import annotations

import os
import stat
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest

from riskmodels.errors import OutsideError, UsageError
from riskmodels.service.outputs.decision_columns import (
    ADDED,
    BATCH,
    COLUMNS,
    DECISION,
    DECISIONS,
    EMPTY_ROWS,
    HOW,
    LISTED,
    PERSON,
    READ_FIRST,
    SHEET,
)
from riskmodels.service.outputs.decision_sheets import EXAMPLE, decision_sheets
from riskmodels.service.outputs.facts import TeamFacts
from tests.service.outputs.example_batch import BATCH as OURS
from tests.service.outputs.example_batch import facts, scored
from tests.service.outputs.test_formulas import ATTACKS


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return decision_sheets(tmp_path_factory.mktemp("sheets"), scored(), facts(warnings=("Two sources are late.",)))


@pytest.fixture(scope="module")
def north(paths: list[Path]) -> Any:
    return openpyxl.load_workbook(paths[0])


def rows(book: Any) -> list[dict[str, Any]]:
    sheet = book[SHEET]
    names = [cell.value for cell in sheet[1]]
    return [dict(zip(names, values, strict=True)) for values in sheet.iter_rows(min_row=2, values_only=True)]


def test_a_file_for_each_team_that_holds_its_people_best_first(paths: list[Path], north: Any) -> None:
    assert [path.name for path in paths] == ["decisions-north.xlsx", "decisions-south.xlsx"]
    people = scored().filter(pl.col("team") == "North")
    shown = [row for row in rows(north) if row[HOW] == LISTED]
    assert [row[PERSON] for row in shown] == people["entity_id"].to_list()
    assert [row["Risk, of 100"] for row in shown] == pytest.approx([100 * risk for risk in people["risk"]])
    assert [row["Rank of all"] for row in shown] == people["rank"].to_list()
    assert shown[0]["Reasons, strongest first"] == "\n".join(
        ("1. absent 23 days last term; typical is 4", "2. reading score 61 on 3 June; typical is 100")
    )
    assert shown[0]["What lowers it"] == people["lowers_1"][0]
    assert {row[BATCH] for row in rows(north)} == {OURS}
    # Nobody is in two sheets, and nobody is lost.
    both = [row[PERSON] for path in paths for row in rows(openpyxl.load_workbook(path)) if row[HOW] == LISTED]
    assert sorted(both) == sorted(scored()["entity_id"].to_list())


@pytest.mark.parametrize(("listed", "sheets"), [(False, 2), (True, 3)])
def test_people_without_a_team_have_a_sheet_only_if_they_are_listed(tmp_path: Path, listed: bool, sheets: int) -> None:
    teams = (TeamFacts("North", 30, 700, 30), TeamFacts("South", 20, 490, 20), TeamFacts(None, 0, 6, 0))
    team = ["North", "South", None if listed else "South"] * 10
    paths = decision_sheets(tmp_path, scored(30, team=team), facts(teams=teams))
    assert len(paths) == sheets
    assert ("decisions-everybody.xlsx" in {path.name for path in paths}) == listed


def test_people_have_room_to_decide_and_to_add(north: Any) -> None:
    for row in rows(north):
        assert not any(row[name] for name, (column, _) in COLUMNS.items() if column is None and name != HOW)
    added = [row for row in rows(north) if row[HOW] == ADDED]
    assert len(added) == EMPTY_ROWS >= 20
    assert not any(row[PERSON] for row in added)
    sheet = north[SHEET]
    (choice,) = sheet.data_validations.dataValidation
    assert choice.formula1 == f'"{",".join(DECISIONS)}"'
    letter = sheet[1][list(COLUMNS).index(DECISION)].column_letter
    assert str(choice.sqref) == f"{letter}2:{letter}{30 + EMPTY_ROWS + 1}"
    # An id that is typed keeps its noughts.
    assert sheet.cell(sheet.max_row, list(COLUMNS).index(PERSON) + 1).number_format == "@"


def test_it_prints_on_a4_with_its_headings(north: Any) -> None:
    for sheet in north.worksheets:
        assert (sheet.page_setup.orientation, int(sheet.page_setup.paperSize)) == ("landscape", 9)
        assert (sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight) == (
            None,
            0,
        ) or sheet.page_setup.fitToHeight == 0
    sheet = north[SHEET]
    assert sheet.print_title_rows == "$1:$1"
    # Without how they came here and the batch: letters of 2 mm across 277 mm, not below two thirds of their size.
    assert sheet.print_area == f"'Decisions'!$A$1:$K${sheet.max_row}"
    assert 2 * sum(sheet.column_dimensions[letter].width for letter in "ABCDEFGHIJK") < 277 * 1.5
    assert sheet.freeze_panes == "C2"
    assert all(cell.alignment.wrap_text for row in sheet.iter_rows() for cell in row)
    assert OURS in str(sheet.oddFooter.left.text)


def test_the_first_sheet_says_what_a_tired_manager_must_know(north: Any) -> None:
    assert north.sheetnames == [READ_FIRST, SHEET]
    said = " ".join(str(value) for row in north[READ_FIRST].iter_rows(values_only=True) for value in row if value)
    for words in (
        "Reading support", "Who should be offered reading help?", "A list of 30 people for North", "You decide",
        "not a cause", "20 empty rows", "1 September 2026", "version 3", "ab" * 32, OURS, "31 March 2027",
        "Head of Reading", "12/2026", "pilot", "Two sources are late.", *DECISIONS,
    ):  # fmt: skip
        assert words in said, words
    assert EXAMPLE not in said


def test_an_example_says_so_first(tmp_path: Path) -> None:
    book = openpyxl.load_workbook(decision_sheets(tmp_path, scored(), facts(example=True))[0])
    assert book[READ_FIRST]["A1"].value == EXAMPLE
    assert "EXAMPLE ONLY" in book[SHEET].oddFooter.left.text


def test_without_teams_there_is_one_sheet_for_everybody(tmp_path: Path) -> None:
    (path,) = decision_sheets(tmp_path, scored(3, team=None), facts(teams=()))
    assert path.name == "decisions-everybody.xlsx"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    (path,) = decision_sheets(tmp_path, scored(0), facts(teams=(), listed=0, not_reached=1190, explained=0))
    assert len(rows(openpyxl.load_workbook(path))) == EMPTY_ROWS


def test_a_team_with_nobody_on_its_list_may_still_add_people(tmp_path: Path) -> None:
    teams = (TeamFacts("North", 50, 700, 50), TeamFacts("West", 4, 0, 0))
    names = [path.name for path in decision_sheets(tmp_path, scored(team="North"), facts(teams=teams))]
    assert names == ["decisions-north.xlsx", "decisions-west.xlsx"]


def test_teams_whose_names_no_disk_takes_have_files_of_their_own(tmp_path: Path) -> None:
    teams = ["../../etc", "CON", "North/East", "north east", "\u5317", "\u00c9cole", "a" * 300, "everybody", "team 2"]
    paths = decision_sheets(tmp_path, scored(9, team=teams), facts(teams=()))
    assert len({path.name.lower() for path in paths}) == 9
    assert sorted(os.listdir(tmp_path)) == sorted(path.name for path in paths)
    for path in paths:
        assert path.parent == tmp_path
        assert path.name.removeprefix("decisions-").removesuffix(".xlsx").replace("-", "").isascii()
        assert len(rows(openpyxl.load_workbook(path))) == 1 + EMPTY_ROWS


def test_same_people_same_bytes(tmp_path: Path, paths: list[Path]) -> None:
    again = decision_sheets(tmp_path, scored(), facts(warnings=("Two sources are late.",)))
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in paths]


LONG = "x" * 32_768  # a cell holds a letter less


@pytest.mark.parametrize(
    "texts",
    [{"entity_id": LONG}, {"caveats": LONG}, {"reason_1": LONG[:20_000], "reason_2": LONG[:20_000]}],
    ids=["an id", "a caveat", "reasons in one cell"],
)
def test_a_text_that_no_cell_holds_is_refused_as_in_a_list(tmp_path: Path, texts: dict[str, str]) -> None:
    with pytest.raises(UsageError, match=r"longer than a cell of Excel holds .*; shorten the text") as refusal:
        decision_sheets(tmp_path, scored(1, **texts), facts())
    assert "xx" not in str(refusal.value)
    assert os.listdir(tmp_path) == []
    (north, _) = decision_sheets(tmp_path, scored(1, entity_id=LONG[1:], team="North"), facts())
    assert rows(openpyxl.load_workbook(north))[0][PERSON] == LONG[1:]


def test_nothing_in_it_runs(tmp_path: Path) -> None:
    people = scored(len(ATTACKS), entity_id=list(ATTACKS), reason_1=list(ATTACKS), team=None)
    evil = facts(teams=(), title="=1+1 & co", question="@SUM(1)", warnings=("-1+1",), owner_role="=x")
    (path,) = decision_sheets(tmp_path, people, evil)
    book = openpyxl.load_workbook(path)
    for sheet in book.worksheets:
        assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n", "inlineStr"}
    cells = book[SHEET]
    assert all(cells.cell(row, 2).quotePrefix for row in range(2, len(ATTACKS) + 2))
    with zipfile.ZipFile(path) as files:
        assert not any("<f>" in files.read(name).decode() for name in files.namelist() if name.endswith(".xml"))
        assert not any("vba" in name.lower() for name in files.namelist())


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutsideError, match="cannot be written"):
        decision_sheets(tmp_path / "file", scored(), facts())
