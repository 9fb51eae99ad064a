"""Excel workbooks that hold no formula, no link and no clock."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl

from riskmodels.errors import UsageError

MOST_CELL_LETTERS = 32_767


def workbook(path: Path, **options: Any) -> Any:
    """An xlsx workbook in which text is text, with no clock in it: the same cells give the same bytes."""
    import xlsxwriter  # type: ignore[import-untyped]

    texts = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(str(path), {**texts, **options})
    book.set_properties({"created": dt.datetime(2000, 1, 1)})
    return book


def close_workbook(book: Any) -> None:
    """Close it, with a full disk as the OSError that it is."""
    from xlsxwriter.exceptions import FileCreateError  # type: ignore[import-untyped]

    try:
        book.close()
    except FileCreateError as reason:
        inner = reason.args[0] if reason.args else None
        raise inner if isinstance(inner, OSError) else OSError(str(reason)) from None


def refuse_long_texts(name: str, frame: pl.DataFrame, instead: str) -> None:
    """A cell would lose the rest of a longer text without a word.

    Raises
    ------
    UsageError
        if a text is longer than a cell holds; it says what to do ``instead``.
    """
    longest = frame.select(pl.col(pl.String).str.len_chars().max()).row(0)
    if max((length or 0 for length in longest), default=0) > MOST_CELL_LETTERS:
        raise UsageError(
            f"{name}: a text of the list is longer than a cell of Excel holds ({MOST_CELL_LETTERS:,} letters); "
            f"{instead}"
        )
