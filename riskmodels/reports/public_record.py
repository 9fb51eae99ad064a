"""The public record (ATRS) as it is read: Markdown in the order of published pages, and sheets in template order.

A field comes as plain values, as `riskmodels.cards.records.atrs.Field.to_dict` gives it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from riskmodels.reports.cells import capital
from riskmodels.reports.markdown import plain
from riskmodels.reports.workbook import Sheet

Field = Mapping[str, Any]
EMPTY = "Not provided (owner: {owner})"
STATES = {
    "confirmed": "Confirmed by a person.",
    "drafted": "Drafted from the model card. Nobody has confirmed it yet.",
    "empty": "Empty.",
}
COLUMNS = ("Field", "Name", "What it holds", "Text", "Status", "Owner", "Where from", "Digits of the draft", "Note")
WIDTHS = (9, 20, 24, 90, 11, 18, 24, 10, 24)
GAP_COLUMNS = ("Owner", "Field", "Name", "Status", "Digits of the draft", "What to write in answers.yaml")
GAP_WIDTHS = (26, 9, 34, 11, 12, 60)
HOW = (
    "Status: drafted (made from the model card), confirmed (a person said it in answers.yaml, or agreed with the draft "
    "by copying its digits), or empty."
)
LICENCE = "Field names: contains public sector information licensed under the Open Government Licence v3.0."
GAPS = "What is still to be done"


TO_DO = (
    "An empty field needs a text in answers.yaml, and its owner. A drafted one needs a person who has read it: if it "
    "is right, they copy its digits, in quotes; if not, they write a text of their own."
)


def what_to_do(field: Field) -> str:
    """What stands in ``answers.yaml`` when a field is filled or confirmed."""
    if field["status"] == "empty":
        return f"{field['key']}.text"
    return f"{field['key']}.confirms: '{field['digits']}', or {field['key']}.text"


# ---------------------------------------------------------------- Markdown


def record_markdown(record: Sequence[Field], title: str, version: str, status: str) -> bytes:
    """``atrs.md``: each field under the heading that published pages give it, and a list of the gaps.

    Parameters
    ----------
    record : the fields in the order of the template
    title : of the tool; ``version`` of the model; ``status`` : its review as it stands, in words
    """
    counts = {state: sum(field["status"] == state for field in record) for state in STATES}
    lines = [
        f"# {plain(title)}: algorithmic transparency record",
        f"**{plain(status)}**",
        "Algorithmic Transparency Recording Standard, version 4.0. "
        f"Model version {plain(version)}. Of {len(record)} fields {counts['confirmed']} are confirmed, "
        f"{counts['drafted']} drafted and {counts['empty']} empty.",
        f"{plain(HOW)} Check against the official template before publishing this record. {LICENCE}",
    ]
    part = None
    for field in record:
        if field["part"] != part:
            part = field["part"]
            lines.append(f"## {plain(part)}")
        lines += _field(field)
    gaps = [field for field in record if field["status"] != "confirmed"]
    lines += [f"## {GAPS}", *_gaps(gaps)]
    return ("\n\n".join(lines) + "\n").encode()


def _field(field: Field) -> list[str]:
    number = f"{field['number']} - " if field["number"] else ""
    about = [f"Template field {field['item']}", capital(field["holds"]), STATES[field["status"]].rstrip(".")]
    about += [f"Owner: {field['owner']}"]
    about += [f"From: {field['source']}"] if field["source"] else []
    about += [f"Digits of this draft: '{field['digits']}'"] if field["digits"] else []
    lines = [f"### {number}{plain(field['name'])}"]
    lines += [_paragraph(text) for text in (field["text"] or EMPTY.format(owner=field["owner"])).split("\n")]
    said = [*(f"{text}." for text in about), field["note"]]
    return [*lines, f"*{' '.join(plain(text) for text in said if text)}*"]


def _paragraph(text: str) -> str:
    """A paragraph that begins with a number and a full stop is not a list."""
    return re.sub(r"^(\d+)([.)])", r"\1\\\2", plain(text))


def _gaps(gaps: Sequence[Field]) -> list[str]:
    if not gaps:
        return ["Nothing: every field is confirmed."]
    lines = [TO_DO]
    for owner in dict.fromkeys(field["owner"] for field in gaps):
        lines.append(f"### {plain(owner)}")
        lines.append(
            "\n".join(
                f"- {field['item']} {plain(field['name'])} ({field['status']}): {plain(what_to_do(field))}"
                for field in gaps
                if field["owner"] == owner
            )
        )
    return lines


# ---------------------------------------------------------------- sheets


def record_sheets(record: Sequence[Field], status: str) -> tuple[Sheet, ...]:
    """A sheet for each part of the template, and one of the gaps. ``status``: the review as it stands, in words."""
    note = f"{status}\n{HOW} {LICENCE}"
    sheets = []
    for part in dict.fromkeys(field["part"] for field in record):
        rows = tuple(_row(field) for field in record if field["part"] == part)
        sheets.append(Sheet(part, note, COLUMNS, rows, WIDTHS))
    gaps = tuple(
        (
            field["owner"],
            field["item"],
            field["name"],
            field["status"],
            field["digits"] or "",
            what_to_do(field),
        )
        for field in record
        if field["status"] != "confirmed"
    )
    return (
        *sheets,
        Sheet("Gaps", f"{GAPS}: {len(gaps)} of {len(record)} fields.\n{TO_DO}", GAP_COLUMNS, gaps, GAP_WIDTHS),
    )


def _row(field: Field) -> tuple[str, ...]:
    return (
        field["item"],
        field["name"],
        field["holds"],
        field["text"] or EMPTY.format(owner=field["owner"]),
        field["status"],
        field["owner"],
        field["source"],
        field["digits"] or "",
        field["note"],
    )
