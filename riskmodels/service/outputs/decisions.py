"""Read back what people decided, from the decision sheets that they filled in."""

from __future__ import annotations

import datetime as dt
import math
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import polars as pl

from riskmodels.errors import DataError, OutsideError
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

DECISION_SCHEMA = {
    "entity_id": pl.String,
    "batch_id": pl.String,
    "added": pl.Boolean,
    "decision": pl.String,
    "decider": pl.String,
    "decided_on": pl.Date,
    "reason": pl.String,
}
NEEDED = (PERSON, DECISION, HOW)
READ = (PERSON, DECISION, DECIDER, DECIDED_ON, WHY, HOW, BATCH)
HEADER_WITHIN = 10  # rows; people put a title above
# A day as people type it, the day before the month as in Britain.
DAYS = (
    "%Y-%m-%d", "%Y/%m/%d", "%d/%m/%Y", "%d/%m/%y", "%d.%m.%Y", "%d.%m.%y", "%d-%m-%Y", "%d-%m-%y", "%d %B %Y",
    "%d %b %Y", "%d %b %y", "%d-%b-%Y", "%d-%b-%y",
)  # fmt: skip
YEARS = range(2000, 2100)
# How a workbook writes signs that XML cannot hold, such as the line ends of text from Windows; the library leaves them.
CONTROL = re.compile("_x00([01][0-9A-Fa-f])_")


def read_decisions(path: Path, batch_id: str | None = None) -> pl.DataFrame:
    """What stands in a decision sheet: one row for each person, in the order of the sheet, columns `DECISION_SCHEMA`.

    A listed person about whom nothing is decided yet has null as ``decision``. Columns are found by their heading, in
    any order; empty rows are passed over; a day may be a date or a text, the day before the month; capitals and blanks
    around a word do not matter. ``added``: the team put the person there, not the model.

    Parameters
    ----------
    batch_id : the batch that the sheet must be of; any unless given

    Raises
    ------
    DataError
        if it is no decision sheet, is of another batch or of two, or a row cannot be read: the row is named.
    OutsideError
        if the file may not be read.
    """
    path = Path(path)
    rows, said = _cells(path)
    header, places = _header(path, rows)
    found: list[tuple[Any, ...]] = []
    seen: dict[str, int] = {}
    batches: dict[str, int] = {}
    for number, cells in enumerate(rows[header + 1 :], header + 2):
        row = {name: cells[place] if place < len(cells) else None for name, place in places.items()}
        person, word = _text(row[PERSON]), _text(row[DECISION])
        told = [_text(row.get(name)) for name in (DECIDER, WHY)]
        where = f"{path.name}: row {number}"
        added = _added(where, row[HOW])
        if person is None and added and word is None and not any(told) and _text(row.get(DECIDED_ON)) is None:
            continue
        if person is None and not added:
            raise DataError(f"{where} is of the list and has lost its id; write it in the column {PERSON} again")
        if person is None:
            raise DataError(f"{where} has a decision and nobody in the column {PERSON}; write the id of the person")
        if person in seen:
            raise DataError(f"{where} is of the person of row {seen[person]}; keep one row for each person")
        seen[person] = number
        if (batch := _text(row.get(BATCH))) is not None:
            batches.setdefault(batch, number)
        found.append(
            (
                person,
                _added(where, row[HOW]),
                _decision(where, word),
                told[0],
                _day(where, row.get(DECIDED_ON)),
                told[1],
            )
        )
    batch = _one_batch(path, batches, said, batch_id)
    return pl.DataFrame([(person, batch, *rest) for person, *rest in found], schema=DECISION_SCHEMA, orient="row")


# ---------------------------------------------------------------- the file


def _cells(path: Path) -> tuple[list[Sequence[Any]], str | None]:
    """The rows of the sheet of decisions, and the batch that the first sheet names."""
    if not path.is_file():
        raise DataError(f"{path}: no such file; name a decision sheet that was filled in")
    if path.suffix.lower() != ".xlsx":
        raise DataError(f"{path.name}: is not an .xlsx file; save it as an Excel workbook (.xlsx)")
    from openpyxl import load_workbook  # type: ignore[import-untyped]

    try:
        with warnings.catch_warnings(), path.open("rb") as file:
            warnings.simplefilter("ignore")  # it warns of what it does not read, such as drop-downs
            book = load_workbook(file, read_only=True, data_only=True)
            if SHEET not in book.sheetnames:
                raise DataError(f"{path.name}: there is no sheet {SHEET!r}; use the decision sheet as it was made")
            return _rows(book[SHEET]), _batch_of(book)
    except (DataError, MemoryError):
        raise
    except PermissionError:
        raise OutsideError(f"{path}: cannot be read (no permission)") from None
    except Exception as reason:  # whatever a damaged archive of XML makes a reader stumble over
        raise DataError(
            f"{path.name}: cannot be read as an Excel workbook ({type(reason).__name__}); it may be damaged, or locked "
            "by a password; save it again as .xlsx"
        ) from None


def _rows(sheet: Any) -> list[Sequence[Any]]:
    # What a sheet says of its own size is not always true.
    sheet.reset_dimensions()
    rows: list[Sequence[Any]] = list(sheet.iter_rows(values_only=True))
    return rows


def _batch_of(book: Any) -> str | None:
    if READ_FIRST not in book.sheetnames:
        return None
    for cells in _rows(book[READ_FIRST]):
        if len(cells) > 1 and _text(cells[0]) == BATCH:
            return _text(cells[1])
    return None


def _header(path: Path, rows: list[Sequence[Any]]) -> tuple[int, dict[str, int]]:
    """The row of the headings, and where each column stands."""
    known = {name.casefold(): name for name in READ}
    for number, cells in enumerate(rows[:HEADER_WITHIN]):
        names = [known.get((_text(cell) or "").casefold()) for cell in cells]
        if PERSON not in names:
            continue
        twice = next((name for name in READ if names.count(name) > 1), None)
        missing = next((name for name in NEEDED if name not in names), None)
        if twice:
            raise DataError(f"{path.name}: two columns are called {twice!r}; take one out")
        if missing:
            raise DataError(f"{path.name}: there is no column {missing!r}; use the decision sheet as it was made")
        return number, {name: place for place, name in enumerate(names) if name is not None}
    raise DataError(
        f"{path.name}: the sheet {SHEET!r} has no row of headings with {PERSON!r} in it; put the headings back"
    )


def _one_batch(path: Path, rows: dict[str, int], said: str | None, wanted: str | None) -> str:
    """The batch that all rows and the first sheet agree on."""
    found = list(rows) or ([said] if said else [])
    if not found:
        raise DataError(f"{path.name}: does not say of which batch it is; use the decision sheet as it was made")
    if len(found) > 1:
        raise DataError(
            f"{path.name}: row {rows[found[1]]} is of another batch than row {rows[found[0]]}; keep batches in their "
            "own sheets"
        )
    if said is not None and said != found[0]:
        raise DataError(f"{path.name}: its rows are of another batch than its first sheet says; use it as it was made")
    if wanted is not None and wanted != found[0]:
        raise DataError(f"{path.name}: is a sheet of another batch ({found[0][:16]}), not of {wanted}")
    return found[0]


# ---------------------------------------------------------------- cells


def _text(value: Any) -> str | None:
    """A cell as text without blanks around it; an id typed as a number is that number."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if value is None:
        return None
    text = CONTROL.sub(lambda found: chr(int(found[1], 16)), str(value)).strip()
    return text or None


def _added(where: str, value: Any) -> bool:
    """A row that somebody typed by hand, without a word on how it came there, was added."""
    word = (_text(value) or ADDED).casefold()
    if word not in (LISTED, ADDED):
        raise DataError(f"{where}: the column {HOW!r} must say {LISTED!r} or {ADDED!r}")
    return word == ADDED


def _decision(where: str, word: str | None) -> str | None:
    if word is None:
        return None
    plain = " ".join(word.casefold().split())
    if plain not in DECISIONS:
        raise DataError(f"{where}: the decision is not one of {', '.join(DECISIONS)}; choose one of them")
    return plain


def _day(where: str, value: Any) -> dt.date | None:
    for day in _days(value):
        if day is not None and day.year in YEARS:
            return day
    if _text(value) is None:
        return None
    raise DataError(f"{where}: the column {DECIDED_ON!r} holds no day; write it as 2026-01-31 or 31/01/2026")


def _days(value: Any) -> Iterator[dt.date | None]:
    """What day a cell may mean: a date, the number by which Excel counts days, or a text."""
    if isinstance(value, dt.datetime):
        yield value.date()
    elif isinstance(value, dt.date):
        yield value
    elif isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
        with suppress(OverflowError):
            yield dt.date(1899, 12, 30) + dt.timedelta(days=int(value))
    elif (text := _text(value)) is not None:
        plain = " ".join(text.replace(" 00:00:00", "").replace("Sept ", "Sep ").split())
        for form in DAYS:
            with suppress(ValueError):
                yield dt.datetime.strptime(plain, form).date()
