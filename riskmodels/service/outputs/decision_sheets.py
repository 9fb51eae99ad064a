"""A decision sheet for each team: whom the model lists and why, room for decisions, and rows for whom it cannot see.

What comes back is read by `riskmodels.service.outputs.decisions`.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import asdict
from functools import partial
from itertools import count, islice
from pathlib import Path
from typing import Any

import polars as pl

from riskmodels import storage
from riskmodels.models.reasons import CLOSE_CALL_MEANS
from riskmodels.reports.cells import day_text
from riskmodels.reports.how_right import how_right
from riskmodels.service.outputs.decision_columns import (
    ADDED,
    BATCH,
    COLUMNS,
    DECIDED_ON,
    DECISION,
    DECISIONS,
    EMPTY_ROWS,
    HOW,
    LISTED,
    PERSON,
    PRINTED,
    READ_FIRST,
    REASONS,
    SHEET,
)
from riskmodels.service.outputs.facts import BatchFacts
from riskmodels.service.outputs.formulas import is_risky
from riskmodels.service.outputs.workbooks import close_workbook, refuse_long_texts, workbook

EVERYBODY = "everybody"
A4 = 9
EXAMPLE = "EXAMPLE ONLY. The approval of this model is an example. Do not act on this list."


def decision_sheets(folder: Path, listed: pl.DataFrame, facts: BatchFacts) -> list[Path]:
    """Write one workbook for each team, or one for everybody where there are no teams.

    A team that has places and nobody listed gets one too: it may add people. People without a team have one if they are
    listed.

    Parameters
    ----------
    folder : exists; the files are for their owner only
    listed : columns of `SCORED_SCHEMA`, the listed alone, best first

    Raises
    ------
    UsageError
        if a cell of Excel does not hold a text of the list.
    OutsideError
        if the disk refuses.
    """
    shown = listed.with_columns(_reasons(listed)).select(name for name, _ in COLUMNS.values() if name is not None)
    refuse_long_texts(Path(folder).name, shown, "shorten the text in the cohort")
    named = [team.team for team in facts.teams]
    of_listed = set(listed["team"].unique().to_list())
    teams = sorted({*named, *of_listed} - ({None} - of_listed) or {None}, key=lambda team: (team is None, team or ""))
    paths = []
    for team, name in zip(teams, _file_names(teams), strict=True):
        path = Path(folder) / name
        rows = listed.filter(pl.col("team").eq_missing(pl.lit(team, dtype=pl.String)))
        storage.write_whole_with(path, partial(_write, listed=rows, team=team, facts=facts))
        paths.append(path)
    return paths


def _file_names(teams: list[str | None]) -> list[str]:
    """``decisions-north-team.xlsx``: letters that every disk takes; teams that would be alike are numbered."""
    names: list[str] = []
    for team in teams:
        plain = unicodedata.normalize("NFKD", team or EVERYBODY).encode("ascii", "ignore").decode().lower()
        stem = f"decisions-{re.sub('[^a-z0-9]+', '-', plain).strip('-')[:60] or 'team'}"
        numbers = (f"{stem}-{number}.xlsx" for number in count(2))
        names.append(next(name for name in (f"{stem}.xlsx", *islice(numbers, len(names))) if name not in names))
    return names


def _write(path: Path, listed: pl.DataFrame, team: str | None, facts: BatchFacts) -> None:
    book = workbook(path, in_memory=True)
    looks = {
        "title": book.add_format({"bold": True, "font_size": 16, "text_wrap": True}),
        "alarm": book.add_format(
            {"bold": True, "font_size": 14, "text_wrap": True, "font_color": "#942514", "border": 2, "valign": "top"}
        ),
        "head": book.add_format({"bold": True, "text_wrap": True, "valign": "top"}),
        "text": book.add_format({"text_wrap": True, "valign": "top"}),
        "quoted": book.add_format({"text_wrap": True, "valign": "top", "quote_prefix": True}),
    }
    _read_first(book, looks, team, facts, listed.height)
    _decisions(book, looks, listed, facts)
    close_workbook(book)


def _put(sheet: Any, row: int, column: int, text: str, looks: dict[str, Any], look: str = "text") -> None:
    """A text as a text, whatever it begins with."""
    sheet.write_string(row, column, text, looks["quoted"] if look == "text" and is_risky(text) else looks[look])


# ---------------------------------------------------------------- what to read first


def _read_first(book: Any, looks: dict[str, Any], team: str | None, facts: BatchFacts, people: int) -> None:
    sheet = book.add_worksheet(READ_FIRST)
    sheet.set_column(0, 0, 26)
    sheet.set_column(1, 1, 92)
    _paper(sheet, facts)
    row = 0
    if facts.example:
        sheet.merge_range(row, 0, row, 1, "", looks["alarm"])
        sheet.write_string(row, 0, EXAMPLE, looks["alarm"])
        sheet.set_row(row, 40)
        row += 1
    sheet.merge_range(row, 0, row, 1, "", looks["title"])
    sheet.write_string(row, 0, facts.title, looks["title"])
    sheet.set_row(row, 24 * (1 + len(facts.title) // 75))
    for label, text in words_first(team, facts, people):
        row += 1
        _put(sheet, row, 0, label, looks, "head")
        _put(sheet, row, 1, text, looks)


def _how_right(facts: BatchFacts) -> str:
    tested, top = (None if one is None else asdict(one) for one in (facts.tested, facts.tested_top))
    return how_right(tested, top)


def words_first(team: str | None, facts: BatchFacts, people: int) -> list[tuple[str, str]]:
    """What stands on the first sheet, label and text."""
    of = f" for {team}" if team is not None else ""
    return [
        (
            "What this is",
            f"A list of {people:,} {'person' if people == 1 else 'people'}{of}, the highest risk first, made by a "
            "computer model from records. It is there to help you see who may need help. It answers the question: "
            f"{facts.question}",
        ),
        (
            "People decide",
            "You decide about every person, with what you know of them. The list decides nothing, and nobody may be "
            "turned down because of it. Nobody is owed help, or blamed, because of a number.",
        ),
        (
            "How to read the risk",
            "A risk of 30 of 100 means: of 100 people with records like these, about 30 would have the outcome, and "
            "about 70 would not. So some of those listed need no help, and some who need it are not listed.",
        ),
        ("How right it was", _how_right(facts)),
        (
            "What reasons are",
            "A reason says what in the records moved this number up, against other people. It is not a cause, and "
            "nobody is to blame for it. What lowers it moved the number down. Records can be wrong or old: check them "
            f"before you act. {CLOSE_CALL_MEANS}",
        ),
        (
            "Take care",
            "This column says where the number is less sure: a key fact is missing or old, or the person is unlike "
            "those the model learned from. Then trust it less.",
        ),
        (
            "What to fill in",
            f"On the sheet {SHEET!r}, in each row: choose the decision from the drop-down ({', '.join(DECISIONS)}), "
            "who decided, on which day, and why in a few words. Leave a row empty until it is decided.",
        ),
        (
            "How to add people",
            f"The model cannot see everybody. Below the list are {EMPTY_ROWS} empty rows: write the id of somebody you "
            "worry about, with the decision, as for the others. For more, copy an empty row. It counts as much as a "
            "row of the list, and shows what the model misses.",
        ),
        (
            "What to leave as it is",
            f"The headings, and the columns {PERSON!r} (of the list), {HOW!r} and {BATCH!r}: by them the sheet is read "
            "back. You may sort, filter and move columns.",
        ),
        ("As of", f"{day_text(facts.as_of.isoformat())}. What became known later is not in it."),
        ("Made on", day_text(facts.scored_on.isoformat())),
        (
            "Model",
            f"{facts.study}, version {facts.model_version}, {facts.model_sha256}. Approved ({facts.stage}) until "
            f"{day_text(facts.expires.isoformat())} by the {facts.owner_role}, minute {facts.minute}.",
        ),
        (BATCH, facts.batch_id),
        *(("Please note", warning) for warning in facts.warnings),
        ("Whom it is for", "It holds facts about people: keep it as you keep a case file, and delete it as you would."),
    ]


# ---------------------------------------------------------------- the decisions


def _decisions(book: Any, looks: dict[str, Any], listed: pl.DataFrame, facts: BatchFacts) -> None:
    sheet = book.add_worksheet(SHEET)
    cell = {"text_wrap": True, "valign": "top", "border": 1, "border_color": "#b1b4b6"}
    filled = {**cell, "bg_color": "#fdf6e0"}  # what people fill in
    style = {
        "head": book.add_format({**cell, "bold": True, "bg_color": "#dfe7f1"}),
        "text": book.add_format(cell),
        "quoted": book.add_format({**cell, "quote_prefix": True}),
        "rank": book.add_format({**cell, "num_format": "0"}),
        "risk": book.add_format({**cell, "num_format": "0.0"}),
        "typed": book.add_format({**filled, "num_format": "@"}),  # an id keeps its noughts, a reason its first sign
        "day": book.add_format({**filled, "num_format": "yyyy-mm-dd"}),
    }
    headings = list(COLUMNS)
    for place, (heading, (_, width)) in enumerate(COLUMNS.items()):
        sheet.set_column(place, place, width)
        sheet.write_string(0, place, heading, style["head"])
    rows = listed.with_columns(_reasons(listed)).select(name for name, _ in COLUMNS.values() if name is not None)
    for row, person in enumerate(rows.iter_rows(named=True), 1):
        for place, (heading, (name, _)) in enumerate(COLUMNS.items()):
            if name is None:
                _to_fill_in(sheet, row, place, heading, LISTED, style)
            elif person[name] is None:
                sheet.write_blank(row, place, None, style["text"])
            elif name == "risk":
                sheet.write_number(row, place, 100 * person[name], style["risk"])
            elif name == "rank":
                sheet.write_number(row, place, person[name], style["rank"])
            else:
                _put(sheet, row, place, person[name], style)
    last = listed.height + EMPTY_ROWS
    for row in range(listed.height + 1, last + 1):
        for place, (heading, (name, _)) in enumerate(COLUMNS.items()):
            if heading == BATCH:
                _put(sheet, row, place, facts.batch_id, style)
            elif name is None or heading == PERSON:
                _to_fill_in(sheet, row, place, heading, ADDED, style)
            else:
                sheet.write_blank(row, place, None, style["text"])
    place = headings.index(DECISION)
    sheet.data_validation(
        1, place, last, place,
        {
            "validate": "list", "source": list(DECISIONS), "error_title": "A decision",
            "error_message": f"Choose one of: {', '.join(DECISIONS)}.",
        },
    )  # fmt: skip
    sheet.freeze_panes(1, headings.index(PERSON) + 1)
    sheet.autofilter(0, 0, last, len(headings) - 1)
    sheet.repeat_rows(0)
    sheet.print_area(0, 0, last, PRINTED - 1)
    _paper(sheet, facts)


def _reasons(listed: pl.DataFrame) -> pl.Series:
    """The reasons of each person as numbered lines of one cell; null where there are none."""
    three = listed.select("reason_1", "reason_2", "reason_3").iter_rows()
    lines = [[f"{number}. {reason}" for number, reason in enumerate(reasons, 1) if reason] for reasons in three]
    return pl.Series(REASONS, ["\n".join(each) or None for each in lines], dtype=pl.String)


def _to_fill_in(sheet: Any, row: int, place: int, heading: str, how: str, style: dict[str, Any]) -> None:
    """An empty cell for people, but for the column that says how somebody came here."""
    if heading == HOW:
        sheet.write_string(row, place, how, style["text"])
    else:
        sheet.write_blank(row, place, None, style["day" if heading == DECIDED_ON else "typed"])


def _paper(sheet: Any, facts: BatchFacts) -> None:
    sheet.set_landscape()
    sheet.set_paper(A4)
    sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
    sheet.fit_to_pages(1, 0)
    # "&" begins a code in a footer.
    said = f"{facts.title[:80]}. Batch {facts.batch_id}. People decide.".replace("&", "&&")
    sheet.set_footer(f"&L&8{'EXAMPLE ONLY. ' if facts.example else ''} {said}&R&8Page &P of &N")
