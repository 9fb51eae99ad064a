"""Words of the glossary as links: the first use in each section leads to its meaning, and the meaning leads back.

Only pages that explain words have such links. What people wrote stays theirs: in it only short forms such as DPIA are
links, since an everyday word in an answer need not be the word that is explained.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence, Set
from dataclasses import replace
from typing import Any

from markupsafe import Markup, escape

from riskmodels.reports.cells import cell_text, said_once
from riskmodels.reports.glossary import pattern, term_of
from riskmodels.reports.parts import Part, Section

# Where our own words name a section; an answer may name a section of an Act.
SECTION = re.compile(r"[Ss]ection (\d+)(?! of)")
MORE = re.compile(r"(?<=\(More in )section (\d+)(?=\.\))")
WHERE = "Where"  # the column of an index that says where the card answers an item
TO_SECTION = Markup('<a href="#section-{number}">{words}</a>')
LINK = Markup('<a class="term" href="#{place}"{mark}>{words}</a>')


def with_terms(sections: Sequence[Section]) -> tuple[Section, ...]:
    """The sections with their first uses of explained words as links, everything around them escaped.

    Unchanged if none of them has a part of kind ``glossary``. Its part then says in ``uses`` where each word is linked.
    """
    known = {term for section in sections for part in section.parts for term, _ in part.get("terms", ())}
    if not known:
        return tuple(sections)
    uses: dict[str, list[tuple[int, str]]] = {}
    made = []
    for section in sections:
        links = _Links(section, known, {section.number for section in sections})
        made.append(replace(section, parts=tuple(links.part(part) for part in section.parts)))
        for term in links.marked:
            uses.setdefault(term, []).append((section.number, place_of_use(section.number, term)))
    return tuple(replace(section, parts=tuple(_told(part, uses) for part in section.parts)) for section in made)


def place(term: str) -> str:
    """The fragment at which a page explains a term."""
    return f"word-{_slug(term)}"


def place_of_use(section: int, term: str) -> str:
    """The fragment of the first use of a term in a section."""
    return f"use-{section}-{_slug(term)}"


def _slug(term: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", term.lower()).strip("-")


def _told(part: Part, uses: Mapping[str, list[tuple[int, str]]]) -> Part:
    return {**part, "uses": uses} if part["kind"] == "glossary" else part


class _Links:
    """The first uses of one section. A folded table counts for itself, as nobody need have read what it hides."""

    def __init__(self, section: Section, known: Collection[str], numbers: Set[int]) -> None:
        self.section, self.known, self.numbers = section, known, numbers
        self.seen: set[str] = set()
        self.marked: dict[str, None] = {}

    def part(self, part: Part) -> Part:
        change = PARTS.get(part["kind"])
        return part if change is None else change(self, part)

    def link(self, text: Any, seen: set[str] | None = None, *, short_forms_only: bool = False) -> Any:
        """The text with first uses, and sections that it names, as links; what is no text, or has none, as it is."""
        if not isinstance(text, str):
            return text
        seen = self.seen if seen is None else seen
        pieces, at = [], 0
        named = (MORE if short_forms_only else SECTION).finditer(text)
        for match in sorted([*pattern(short_forms_only).finditer(text), *named], key=lambda found: found.start()):
            link = self._to_section(match) if match.re in (MORE, SECTION) else self._to_term(match, seen)
            if link is not None:
                pieces += [escape(text[at : match.start()]), link]
                at = match.end()
        return Markup("").join([*pieces, escape(text[at:])]) if pieces else text

    def _to_section(self, match: re.Match[str]) -> Markup | None:
        number = int(match[1])
        return (
            TO_SECTION.format(number=number, words=match[0]) if number in self.numbers - {self.section.number} else None
        )

    def _to_term(self, match: re.Match[str], seen: set[str]) -> Markup | None:
        term = term_of(match)
        if term in seen or term not in self.known:
            return None
        seen.add(term)
        return LINK.format(place=place(term), mark=self._mark(term), words=match[0])

    def _mark(self, term: str) -> Markup:
        """The first link to a term in the section has a name, which the meaning leads back to."""
        if term in self.marked:
            return Markup("")
        self.marked[term] = None
        return Markup(' id="{}"').format(place_of_use(self.section.number, term))

    def table(self, given: Mapping[str, Any], seen: set[str] | None = None) -> dict[str, Any]:
        """The heads of the columns that are shown, and the note."""
        table = said_once(given)
        columns = [self.link(column, seen) for column in table["columns"]] if table["rows"] else table["columns"]
        rows = [
            [self._places(cell) if name == WHERE else cell for name, cell in zip(table["columns"], row, strict=True)]
            for row in table["rows"]
        ]
        return {**table, "columns": columns, "rows": rows, "note": self.link(table.get("note"), seen)}

    def _places(self, text: Any) -> Any:
        """The sections that an index names, as links."""
        pieces, at = [], 0
        for match in SECTION.finditer(text) if isinstance(text, str) else ():
            if (link := self._to_section(match)) is not None:
                pieces += [escape(text[at : match.start()]), link]
                at = match.end()
        return Markup("").join([*pieces, escape(text[at:])]) if pieces else text


def _text(links: _Links, part: Part) -> Part:
    return {**part, "text": links.link(part["text"])}


def _list(links: _Links, part: Part) -> Part:
    seen = set[str]() if "fold" in part else None
    return {**part, "items": [links.link(item, seen) for item in part["items"]]}


def _facts(links: _Links, part: Part) -> Part:
    def value(fact: Mapping[str, Any]) -> Any:
        said = fact["value"]
        return links.link(cell_text(said), short_forms_only=True) if isinstance(said, str) else said

    return {**part, "facts": [{**fact, "value": value(fact)} for fact in part["facts"]]}


def _table(links: _Links, part: Part) -> Part:
    return {**part, "table": links.table(part["table"], set[str]() if part.get("fold") else None)}


def _figure(links: _Links, part: Part) -> Part:
    """How to read a figure, and the note of its table, stand open beside it."""
    figure = part["figure"]
    reading, note = links.link(figure.get("reading")), links.link(figure["table"].get("note"))
    table = {**links.table(figure["table"], set[str]()), "note": note}
    return {**part, "figure": {**figure, "reading": reading, "table": table}}


def _panels(links: _Links, part: Part) -> Part:
    return {**part, "figures": [_figure(links, {"figure": figure})["figure"] for figure in part["figures"]]}


def _questions(links: _Links, part: Part) -> Part:
    return {
        **part,
        "questions": [
            {**question, "answer": links.link(question["answer"], short_forms_only=question["source"] != "run")}
            for question in part["questions"]
        ],
    }


def _page_one(links: _Links, part: Part) -> Part:
    summary = part["summary"]
    blocks = [
        {**block, "text": links.link(block["text"], short_forms_only=block["source"] != "run")}
        for block in summary["blocks"]
    ]
    return {**part, "summary": {**summary, "blocks": blocks}}


PARTS: dict[str, Callable[[_Links, Part], Part]] = {
    "text": _text,
    "says": _text,
    "list": _list,
    "facts": _facts,
    "table": _table,
    "heat": _table,
    "figure": _figure,
    "panels": _panels,
    "questions": _questions,
    "page_one": _page_one,
}
