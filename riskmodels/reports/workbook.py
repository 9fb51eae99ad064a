"""Tables as an Excel workbook to read, print and copy from: text only, no formula, no link, no clock.

The same sheets give the same bytes. What a spreadsheet would take for a formula stays text, in the cell and when it is
edited (`quote_prefix`). A text that is longer than a cell holds goes on in the rows below it.
"""

from __future__ import annotations

import datetime as dt
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

# Excel counts a letter outside the basic plane, such as an emoji, as two.
MOST_CELL_UNITS = 32_767
LONGEST_SHEET_NAME = 31
GOES_ON = " (goes on below)"
MADE = dt.datetime(2000, 1, 1)
# What XML cannot hold or nobody can see: control signs but for the line break, lone surrogates, and non-characters.
UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
NOT_IN_A_NAME = re.compile(r"[\[\]:*?/\\]")
A4, BLUE, GREY = 9, "#1d3c6e", "#8a8a8a"


@dataclass(frozen=True)
class Sheet:
    """A table: a ``note`` above it, then ``columns``, then ``rows`` of texts. ``widths`` are in letters."""

    name: str
    note: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[int, ...]


def render_workbook(sheets: Sequence[Sheet], title: str) -> bytes:
    """The workbook: each sheet wraps its texts, keeps its heading in sight, and prints on pages of its own width."""
    import xlsxwriter  # type: ignore[import-untyped]

    content = io.BytesIO()
    texts = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True}
    book = xlsxwriter.Workbook(content, texts)
    book.set_properties({"title": clean(title)[:255], "created": MADE})
    cell = book.add_format(
        {"text_wrap": True, "valign": "top", "border": 1, "border_color": GREY, "quote_prefix": True}
    )
    head = book.add_format(
        {
            "bold": True,
            "text_wrap": True,
            "valign": "top",
            "font_color": "white",
            "bg_color": BLUE,
            "quote_prefix": True,
        }
    )
    note = book.add_format({"text_wrap": True, "valign": "top", "quote_prefix": True})
    for sheet in sheets:
        _write(book.add_worksheet(sheet_name(sheet.name)), sheet, cell, head, note)
    book.close()
    return content.getvalue()


def _write(page: Any, sheet: Sheet, cell: Any, head: Any, note: Any) -> None:
    for place, width in enumerate(sheet.widths):
        page.set_column(place, place, width)
    page.merge_range(0, 0, 0, len(sheet.columns) - 1, "", note)
    page.write_string(0, 0, pieces(sheet.note)[0], note)
    page.set_row(0, 45)
    for place, name in enumerate(sheet.columns):
        page.write_string(1, place, clean(name), head)
    line = 2
    for row in sheet.rows:
        cut = [pieces(text) for text in row]
        for more in range(max(len(one) for one in cut)):
            for place, one in enumerate(cut):
                page.write_string(line, place, one[more] if more < len(one) else "", cell)
            line += 1
    page.freeze_panes(2, 0)
    page.repeat_rows(1)
    page.set_landscape()
    page.set_paper(A4)
    page.fit_to_pages(1, 0)
    page.set_margins(left=0.4, right=0.4)
    page.set_footer("&L&A&RPage &P of &N")


def clean(text: str) -> str:
    """A text that a cell can hold: without control signs, its line breaks as one sign."""
    return UNSEEN.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " "))


def pieces(text: str) -> list[str]:
    """A text as what fits in one cell each. Put together, without the words that say so, they are the text."""
    text, found = clean(text), []
    while _units(text) > MOST_CELL_UNITS:
        fits = _fitting(text, MOST_CELL_UNITS - len(GOES_ON))
        cut = text.rfind(" ", fits // 2, fits) + 1 or fits
        found.append(text[:cut] + GOES_ON)
        text = text[cut:]
    return [*found, text]


def _units(text: str) -> int:
    return len(text) + sum(letter > "\uffff" for letter in text)


def _fitting(text: str, units: int) -> int:
    """How many letters of a text fit in so many units."""
    used = 0
    for place, letter in enumerate(text):
        used += 2 if letter > "\uffff" else 1
        if used > units:
            return place
    return len(text)


def sheet_name(name: str) -> str:
    """A name that Excel takes: at most 31 letters, and none of ``[ ] : * ? / \\``."""
    return " ".join(NOT_IN_A_NAME.sub(" ", clean(name)).split())[:LONGEST_SHEET_NAME].strip().strip("'") or "Sheet"
