"""Markdown and HTML say the same, and neither can be written into."""

import re
from typing import Any

import pytest

from riskmodels.reports.cells import cell_text, look, numeric_columns, record_lines, said_once
from riskmodels.reports.glossary import ACCESSIBILITY, GLOSSARY
from riskmodels.reports.markdown import plain, render_card_markdown
from riskmodels.reports.page import render_card
from tests.cards import example_card as example
from tests.reports.test_page import EVIL, STATUS, Page, evil_card


@pytest.fixture(scope="module")
def card() -> dict[str, Any]:
    return example.card().to_dict()


def shown_numbers(text: str) -> set[str]:
    return {found.rstrip(".,") for found in re.findall(r"\d[\d,]*(?:\.\d+)?", text)}


def test_same_bytes_twice(card: dict[str, Any]) -> None:
    assert render_card_markdown(card, STATUS) == render_card_markdown(card, STATUS)


def test_both_renderings_show_the_same_numbers(card: dict[str, Any]) -> None:
    markdown = re.sub(r"\\(.)", r"\1", render_card_markdown(card, STATUS).decode())
    in_markdown, in_page = shown_numbers(markdown), shown_numbers(Page(render_card(card, status=STATUS)).text)
    # The curve's points stand on the page only; the page numbers its sections as the Markdown does.
    curve = next(figure["curve"] for figure in card["figures"] if figure["curve"])
    points = {cell_text(value) for row in curve["rows"] for value in row}
    assert in_page - in_markdown - points == set()
    assert in_markdown - in_page == set()


def test_every_number_shown_is_in_the_json(card: dict[str, Any]) -> None:
    def leaves(value: Any) -> list[str]:
        if isinstance(value, dict):
            return [text for inner in value.values() for text in leaves(inner)]
        if isinstance(value, list):
            return [text for inner in value for text in leaves(inner)]
        return [cell_text(value)]

    known = shown_numbers(" ".join(leaves(card)))
    fixed = shown_numbers(" ".join([*GLOSSARY, *GLOSSARY.values(), *ACCESSIBILITY, "SHA-256"]))
    sections = {str(number) for number in range(1, 17)}
    assert shown_numbers(Page(render_card(card, status=STATUS)).text) - known - fixed - sections == set()


def test_tables_are_whole(card: dict[str, Any]) -> None:
    lines = render_card_markdown(card, STATUS).decode().splitlines()
    widths = [len(re.findall(r"(?<!\\)\|", line)) for line in lines if line.startswith("|")]
    assert len(widths) > 100
    for before, after, line in zip(lines, lines[1:], lines[1:], strict=False):
        if before.startswith("|") and line.startswith("|"):
            assert len(re.findall(r"(?<!\\)\|", before)) == len(re.findall(r"(?<!\\)\|", after))


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("<script>", "&lt;script&gt;"),
        ("a & b", "a &amp; b"),
        ("*bold* _it_ `code`", r"\*bold\* \_it\_ \`code\`"),
        ("[a](javascript:b)", r"\[a\](javascript:b)"),
        ("![a](http://x)", r"!\[a\](http://x)"),
        ("# heading", r"\# heading"),
        ("- item", r"\- item"),
        ("one\n\n# two", r"one \# two"),
        ("a | b", r"a \| b"),
        ("back\\slash", "back\\\\slash"),
        (1234, "1,234"),
    ],
)
def test_what_people_write_stays_text(text: Any, written: str) -> None:
    assert plain(text) == written


def test_no_markup_from_answers() -> None:
    markdown = render_card_markdown(evil_card(), {"state": "DRAFT", "words": EVIL}).decode()
    assert "<" not in markdown
    assert not re.search(r"(?<!\\)\[", markdown)
    assert markdown.count("\n# ") == 0
    assert markdown.startswith("# ")


def test_gaps_are_said(card: dict[str, Any]) -> None:
    markdown = render_card_markdown(card, STATUS).decode()
    assert "Not provided (owner: Information Officer)" in markdown
    assert "Not answered (owner: Head of Finance)" in markdown


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "not shown"),
        (True, "yes"),
        (False, "no"),
        (0, "0"),
        (12345, "12,345"),
        (0.5, "0.5"),
        (0.1235, "0.1235"),
        (-0.00001, "0"),
        (1234.5, "1,234.5"),
        (2.0, "2"),
        ("x", "x"),
        ("1989-07-01", "1 July 1989"),
        ("1989-13-01", "1989-13-01"),
        ("on 1989-07-01, and again", "on 1 July 1989, and again"),
        ("minute 2027-05-22/4, file a-2027-05-22", "minute 2027-05-22/4, file a-2027-05-22"),
    ],
)
def test_cells(value: Any, text: str) -> None:
    assert cell_text(value) == text


def test_an_answer_to_a_verdict_names_its_field_and_its_day_in_words() -> None:
    answer = "free_lunch: We accept 2_000: for now.\nLook again. (until 2027-05-22)"
    said = "Free lunch: We accept 2_000: for now.\nLook again. (until 22 May 2027)"
    assert record_lines({"answers": [answer, "minute 2027-05-22/4"]}) == [("Answers", [said, "minute 2027-05-22/4"])]


@pytest.mark.parametrize(
    ("rows", "numeric"),
    [
        ([], []),
        ([[5, 1, "a"], [6, "not shown", "b"]], [False, True, False]),
        ([["x", "not shown", None], ["y", 3, True]], [False, True, False]),
    ],
)
def test_a_column_is_of_numbers_where_any_cell_is_and_the_first_never(rows: list[Any], numeric: list[bool]) -> None:
    assert numeric_columns(rows) == numeric


@pytest.mark.parametrize(
    ("value", "numeric", "classes"),
    [("a", False, ""), (None, True, "right quiet"), ("not shown", False, "quiet"), ("word " * 9, False, "long")],
)
def test_how_a_cell_of_words_looks(value: Any, numeric: bool, classes: str) -> None:
    assert look(value, numeric) == classes


def test_what_only_begins_like_a_missing_value_looks_as_any_other() -> None:
    assert look("not disabled", False) == ""
    assert look("not known", False) == "quiet"


def table(column: list[Any], note: str | None = "A note.") -> dict[str, Any]:
    rows = [[f"row {place}", value, place] for place, value in enumerate(column)]
    return {"caption": "A", "columns": ["Who", "Seen by", "n"], "rows": rows, "source": "run", "note": note}


@pytest.mark.parametrize(
    ("column", "said"),
    [
        (["the team of the list"] * 3, ["Seen by, in every row: the team of the list."]),
        ([""] * 3, ["Seen by, in every row: nothing."]),
        (["the team of the list"] * 2, []),
        (["the team of the list"] * 2 + ["another team than that"], []),
        (["person"] * 3, []),
        (["INSUFFICIENT EVIDENCE"] * 3, []),
        (["between 34 and 95 of 100"] * 3, []),
        ([7] * 3, []),
    ],
)
def test_what_stands_in_every_row_is_said_once(column: list[Any], said: list[str]) -> None:
    found = said_once(table(column))
    assert found["said"] == said
    assert found["columns"] == (["Who", "n"] if said else ["Who", "Seen by", "n"])
    assert all(len(row) == len(found["columns"]) for row in found["rows"])
    assert said_once(found) == found


def test_records_leave_out_what_was_left_open_and_say_none_of_empty_lists() -> None:
    record = {"stage": "pilot", "reason": None, "dissent": [], "conditions": ["a", {"text": "b", "due": "2026-01-02"}]}
    assert record_lines(record) == [
        ("Stage", ["pilot"]),
        ("Dissent", ["none"]),
        ("Conditions", ["a", "text: b; due: 2 January 2026"]),
    ]
