"""Workbooks hold text only, whatever the text; the same sheets give the same bytes."""

from __future__ import annotations

import io
import zipfile

import openpyxl
import pytest

from riskmodels.reports.workbook import GOES_ON, MOST_CELL_UNITS, Sheet, pieces, render_workbook, sheet_name


def sheet(*texts: str, name: str = "One") -> Sheet:
    return Sheet(name, "A note.", ("Name", "Text"), tuple((f"row {n}", text) for n, text in enumerate(texts)), (10, 60))


def cells(made: bytes, column: int = 2) -> list[str]:
    page = openpyxl.load_workbook(io.BytesIO(made)).worksheets[0]
    return [str(page.cell(row, column).value or "") for row in range(3, page.max_row + 1)]


def test_the_same_sheets_give_the_same_bytes() -> None:
    assert render_workbook([sheet("a")], "T") == render_workbook([sheet("a")], "T")
    assert render_workbook([sheet("a")], "T") != render_workbook([sheet("b")], "T")


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "=HYPERLINK(1)", "https://example.org", "007"]
)
def test_text_stays_text(text: str) -> None:
    made = render_workbook([sheet(text)], "T")
    page = openpyxl.load_workbook(io.BytesIO(made)).worksheets[0]
    cell = page.cell(3, 2)
    assert cell.data_type == "s"
    assert cell.hyperlink is None
    assert cell.quotePrefix
    assert cell.value.strip() == text.strip()
    content = zipfile.ZipFile(io.BytesIO(made))
    assert not any(b"<f>" in content.read(name) for name in content.namelist())


def test_control_signs_and_halves_of_letters_do_no_harm() -> None:
    made = render_workbook([sheet("a\x00b\x07c\ud800d\uffffe\r\nf _x0041_")], "T\x00")
    assert cells(made) == ["a b c d e\nf _x0041_"]


@pytest.mark.parametrize("letter", ["x", "\U0001f600", "word "])
def test_a_text_longer_than_a_cell_goes_on_below_and_nothing_is_lost(letter: str) -> None:
    text = letter * 50_000
    parts = pieces(text)
    assert "".join(part.removesuffix(GOES_ON) for part in parts) == text
    assert all(len(part.encode("utf-16-le")) // 2 <= MOST_CELL_UNITS for part in parts)
    assert cells(render_workbook([sheet(text)], "T")) == parts


def test_a_text_that_just_fits_is_one_piece() -> None:
    assert len(pieces("x" * MOST_CELL_UNITS)) == 1
    assert len(pieces("x" * (MOST_CELL_UNITS + 1))) == 2


def test_the_page_is_ready_to_print_and_its_heading_stays() -> None:
    page = openpyxl.load_workbook(io.BytesIO(render_workbook([sheet("a")], "T"))).worksheets[0]
    assert page.freeze_panes == "A3"
    assert page.print_title_rows == "$2:$2"
    assert page.page_setup.orientation == "landscape"
    assert page.cell(3, 2).alignment.wrap_text


@pytest.mark.parametrize(
    ("name", "taken"),
    [("Tier 1: summary", "Tier 1 summary"), ("a/b\\c[d]*?", "a b c d"), ("x" * 40, "x" * 31), ("", "Sheet")],
)
def test_names_of_sheets(name: str, taken: str) -> None:
    assert sheet_name(name) == taken
    render_workbook([sheet("a", name=name)], "T")
