"""The public record: what its files say is what the card says."""

from __future__ import annotations

import html
import io
import re
import zipfile
from collections.abc import Iterator
from typing import Any

from riskmodels.cards.checks.checked import Checked, Verdict, some
from riskmodels.cards.checks.numbers import numerals
from riskmodels.cards.reading_back import read_markdown
from riskmodels.cards.records.atrs import PHASE, build_record
from riskmodels.cards.renderings import render
from riskmodels.reports.cells import cell_text
from riskmodels.reports.visible import visible
from riskmodels.reports.workbook import pieces

CELL = re.compile(r"<(si|is)>(.*?)</\1>", re.S)
TEXT = re.compile(r"<t(?: [^>]*)?>(.*?)</t>", re.S)


def record_agrees(checked: Checked) -> Verdict:
    """Every number of a field is one of the card's, and each file of the record says each field as it was made.

    A field is made of many parts of the card, so a number counts wherever in the card it stands.
    """
    card = visible(checked.card)
    fields = build_record(card, checked.beside.status, checked.beside.sign_off)
    known = {numeral for text in _all_of(card) for numeral in numerals(text)}
    # The phase is made from the review, which stands outside the card.
    drafted = [one for one in fields if one.item != PHASE]
    wrong = [f"{one.item} ({number})" for one in drafted for number in numerals(one.text or "") if number not in known]
    for name, said in _said(render(checked.card, ("atrs",), checked.beside)).items():
        whole = "\n".join(said)
        for one in fields:
            text = one.text or ""
            # A cell holds so much: what is longer goes on in the next one.
            parts = pieces(text) if name.endswith(".xlsx") else [text]
            lines = [line for part in parts for line in map(_plain, part.splitlines()) if line]
            wrong += [f"{one.item} in {name}" for line in lines if line not in whole]
    wrong = list(dict.fromkeys(wrong))
    return not wrong, (
        f"the public record says what the card does not: {some(wrong)}; make it again"
        if wrong
        else "the public record says what the card says"
    )


def _said(files: dict[str, bytes]) -> dict[str, list[str]]:
    """Each file of the record as its texts."""
    return {
        name: read_workbook(content) if name.endswith(".xlsx") else [one.text for one in read_markdown(content).blocks]
        for name, content in files.items()
    }


def read_workbook(content: bytes) -> list[str]:
    """The text of every cell of a workbook, in the order it is kept."""
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        parts = [book.read(name).decode() for name in sorted(book.namelist()) if name.endswith(".xml")]
    cells = (found[2] for part in parts for found in CELL.finditer(part))
    return [_plain(html.unescape("".join(TEXT.findall(cell)))) for cell in cells]


def _plain(text: str) -> str:
    return " ".join(text.split())


def _all_of(value: Any) -> Iterator[str]:
    """Every value of a card as it is written, its keys included."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from _all_of(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _all_of(inner)
    elif value is not None:
        yield cell_text(value)
