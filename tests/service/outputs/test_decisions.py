"""What comes back from a team is read as they meant it, or refused by its row."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from riskmodels.errors import DataError
from riskmodels.service.outputs.decision_columns import (
    ADDED,
    BATCH,
    DECIDED_ON,
    DECIDER,
    DECISION,
    DECISIONS,
    HOW,
    LISTED,
    PERSON,
    READ_FIRST,
    SHEET,
    WHY,
)
from riskmodels.service.outputs.decision_sheets import decision_sheets
from riskmodels.service.outputs.decisions import DECISION_SCHEMA, read_decisions
from tests.service.outputs.example_batch import BATCH as OURS
from tests.service.outputs.example_batch import facts, scored
from tests.service.outputs.test_formulas import ATTACKS
from tests.service.outputs.test_lists import ODD

DAY = dt.date(2026, 9, 14)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A sheet of five people, nobody decided."""
    return decision_sheets(tmp_path, scored(5, team=None), facts(teams=()))[0]


def fill(path: Path, cells: dict[tuple[int, str], Any]) -> Path:
    """Write into the sheet as Excel would: (row as it is numbered there, heading) -> value."""
    book = openpyxl.load_workbook(path)
    sheet = book[SHEET]
    place = {cell.value: cell.column for cell in sheet[1]}
    for (row, heading), value in cells.items():
        sheet.cell(row, place[heading]).value = value
    book.save(path)
    return path


def test_an_untouched_sheet_has_everybody_listed_and_nothing_decided(path: Path) -> None:
    read = read_decisions(path)
    assert dict(read.schema) == DECISION_SCHEMA
    assert read["entity_id"].to_list() == [f"{number:06d}" for number in range(5)]
    assert read["batch_id"].unique().to_list() == [OURS]
    assert not read["added"].any()
    assert read.select("decision", "decider", "decided_on", "reason").null_count().row(0) == (5, 5, 5, 5)


def test_decisions_and_added_people_come_back(path: Path) -> None:
    fill(path, {
        (2, DECISION): " Offered  help ", (2, DECIDER): "J. Low", (2, DECIDED_ON): DAY, (2, WHY): "- family asked",
        (3, DECISION): "NOT NOW", (9, PERSON): 8123, (9, DECISION): "other", (12, PERSON): " 0042 ",
    })  # fmt: skip
    read = read_decisions(path, OURS)
    assert read.rows()[0] == ("000000", OURS, False, "offered help", "J. Low", DAY, "- family asked")
    assert read["decision"].to_list() == ["offered help", "not now", None, None, None, "other", None]
    assert read["entity_id"].to_list()[5:] == ["8123", "0042"]
    assert read["added"].to_list() == [False] * 5 + [True, True]


@pytest.mark.parametrize(
    "typed",
    [
        dt.datetime(2026, 9, 14, 16, 30), DAY, "2026-09-14", "14/09/2026", "14/9/26", "14.09.2026",
        " 14 September 2026 ", "14 sep 2026", "14-Sep-26", "14 Sept 2026", 46279, 46279.4,
        "2026-09-14 00:00:00", "2026/09/14",
    ],
)  # fmt: skip
def test_a_day_is_read_however_it_was_typed(path: Path, typed: Any) -> None:
    # 46,279 days after 30 December 1899 is 14 September 2026.
    assert read_decisions(fill(path, {(4, DECIDED_ON): typed}))["decided_on"].to_list()[2] == DAY


@pytest.mark.parametrize("typed", ["soon", "31/02/2026", "09/14/2026", 3, 1e300, "2026", True, "14/09/1026"])
def test_a_day_that_is_none_is_refused_by_its_row(path: Path, typed: Any) -> None:
    with pytest.raises(DataError, match=r"row 4: the column 'Decided on' holds no day"):
        read_decisions(fill(path, {(4, DECIDED_ON): typed}))


def test_columns_may_be_moved_taken_out_and_added_and_a_title_put_above(tmp_path: Path) -> None:
    rows = [
        ["Our list, with thanks"], [],
        ["Notes", DECISION.upper(), None, f" {PERSON} ", BATCH, HOW],
        ["x", "not now", None, "b", OURS, LISTED],
        [None] * 6,
        ["only a note of ours"],
        ["y", None, None, "a", None, None],
        ["z", "wrong person", None, "c", OURS, "Added by the Team"],
    ]  # fmt: skip
    read = read_decisions(book_of(tmp_path, rows))
    assert read.select("entity_id", "added", "decision").rows() == [
        ("b", False, "not now"), ("a", True, None), ("c", True, "wrong person"),
    ]  # fmt: skip
    assert read["decided_on"].null_count() == 3


def book_of(folder: Path, rows: list[list[Any]], first: list[list[Any]] | None = None) -> Path:
    book = openpyxl.Workbook()
    book.active.title = SHEET
    for row in rows:
        book.active.append(row)
    if first is not None:
        sheet = book.create_sheet(READ_FIRST)
        for row in first:
            sheet.append(row)
    book.save(folder / "a.xlsx")
    return folder / "a.xlsx"


HEAD = [PERSON, DECISION, HOW, BATCH]


def test_the_first_sheet_says_the_batch_where_the_rows_do_not(tmp_path: Path) -> None:
    rows = [HEAD[:3], ["a", "other", LISTED]]
    assert read_decisions(book_of(tmp_path, rows, [[BATCH, OURS]]))["batch_id"].to_list() == [OURS]
    with pytest.raises(DataError, match="does not say of which batch"):
        read_decisions(book_of(tmp_path, rows))


@pytest.mark.parametrize(
    ("rows", "first", "match"),
    [
        ([[]], None, "no row of headings"),
        ([["a", "other"]], None, "no row of headings"),
        ([[PERSON, BATCH, HOW]], None, "no column 'Decision'"),
        ([[PERSON, DECISION, BATCH]], None, "no column 'How they came here'"),
        ([[*HEAD, DECISION]], None, "two columns are called 'Decision'"),
        ([HEAD, ["a", "offred help", LISTED, OURS]], None, "row 2: the decision is not one of offered help"),
        ([HEAD, ["a", None, LISTED, OURS], [None, "other", ADDED, OURS]], None, "row 3 has a decision and nobody"),
        ([HEAD, [None, None, LISTED, OURS]], None, "row 2 is of the list and has lost its id"),
        ([HEAD, ["a", None, "maybe", OURS]], None, "row 2: the column 'How they came here' must say"),
        ([HEAD, ["a", None, LISTED, OURS], ["a", "other", ADDED, OURS]], None, "row 3 is of the person of row 2"),
        ([HEAD, ["a", None, LISTED, OURS], ["b", None, LISTED, "x"]], None, "row 3 is of another batch than row 2"),
        ([HEAD, ["a", None, LISTED, OURS]], [[BATCH, "x"]], "another batch than its first sheet"),
        ([HEAD, ["a", None, LISTED, "x"]], None, "a sheet of another batch"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_line(
    tmp_path: Path, rows: list[list[Any]], first: list[list[Any]] | None, match: str
) -> None:
    with pytest.raises(DataError, match=match) as refusal:
        read_decisions(book_of(tmp_path, rows, first), OURS)
    assert "\n" not in str(refusal.value)
    assert "a.xlsx" in str(refusal.value)


def test_a_refusal_repeats_nothing_that_somebody_wrote(tmp_path: Path) -> None:
    secret = "Zebedee"
    for row in ([secret, secret, LISTED, OURS], [secret, None, secret, OURS], [None, secret, ADDED, OURS]):
        with pytest.raises(DataError) as refusal:
            read_decisions(book_of(tmp_path, [HEAD, row]))
        assert secret not in str(refusal.value)


def test_files_that_are_no_decision_sheet(tmp_path: Path, path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        read_decisions(tmp_path / "none.xlsx")
    (tmp_path / "a.csv").write_text("Person\n")
    with pytest.raises(DataError, match="save it as an Excel workbook"):
        read_decisions(tmp_path / "a.csv")
    other = openpyxl.Workbook()
    other.save(tmp_path / "b.xlsx")
    with pytest.raises(DataError, match="no sheet 'Decisions'"):
        read_decisions(tmp_path / "b.xlsx")
    whole = path.read_bytes()
    for content in (b"", b"PK", whole[: len(whole) // 2], b"\xd0\xcf\x11\xe0" + bytes(600)):
        (tmp_path / "c.xlsx").write_bytes(content)
        with pytest.raises(DataError, match="cannot be read as an Excel workbook"):
            read_decisions(tmp_path / "c.xlsx")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 10**6), value=st.integers(0, 255))
def test_a_damaged_file_is_read_or_refused_and_never_shows_a_traceback(path: Path, place: int, value: int) -> None:
    content = bytearray(path.read_bytes())
    content[place % len(content)] = value
    broken = path.with_name("broken.xlsx")
    broken.write_bytes(content)
    with suppress(DataError):  # anything else fails
        assert read_decisions(broken)["entity_id"].n_unique() == 5


def test_odd_ids_and_formulas_come_back_as_they_were(tmp_path: Path) -> None:
    ids = [text for text in (*ODD, *ATTACKS) if text == text.strip() and text]
    (path,) = decision_sheets(tmp_path, scored(len(ids), entity_id=ids, team=None), facts(teams=()))
    assert read_decisions(path)["entity_id"].to_list() == ids


decisions = st.tuples(
    st.sampled_from([None, *DECISIONS]), st.sampled_from([None, "A. B."]),
    st.none() | st.dates(DAY, dt.date(2030, 1, 1)),
    st.none() | st.text(st.characters(codec="ascii", min_codepoint=33), min_size=1, max_size=8),
)  # fmt: skip


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(made=st.lists(decisions, min_size=5, max_size=5), order=st.permutations(range(25)))
def test_whatever_is_decided_and_however_the_rows_are_sorted_it_comes_back(
    tmp_path: Path, made: list[tuple[Any, ...]], order: list[int]
) -> None:
    (path,) = decision_sheets(tmp_path, scored(5, team=None), facts(teams=()))
    fill(path, {(row, name): value for row, values in enumerate(made, 2)
                for name, value in zip((DECISION, DECIDER, DECIDED_ON, WHY), values, strict=True)})  # fmt: skip
    book = openpyxl.load_workbook(path)
    sheet = book[SHEET]
    values = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)]
    for row, place in enumerate(order, 2):
        for column, value in enumerate(values[place], 1):
            cell = sheet.cell(row, column)
            cell.value = value
            if isinstance(value, str):
                cell.data_type = "s"  # "=1" is typed as text
    book.save(path)
    read = read_decisions(path, OURS).sort("entity_id")
    assert read.select("decision", "decider", "decided_on", "reason").rows() == made
    assert read["added"].any() is False
