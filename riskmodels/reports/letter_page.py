"""A letter to one person as a page, as Markdown and as plain text: the same words in each."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from riskmodels.reports.cells import NOT_PROVIDED
from riskmodels.reports.markdown import PARTS, plain
from riskmodels.reports.page import page_bytes, template
from riskmodels.reports.parts import Section

FORMS = ("html", "md", "txt")
WIDTH = 78
# What a terminal or a printer would obey instead of showing.
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


@dataclass(frozen=True)
class Letter:
    """``sections`` hold parts of text and lists only (`riskmodels.reports.outline`)."""

    title: str
    organisation: str
    day: str
    opening: tuple[str, ...]
    sections: tuple[Section, ...]
    reference: str

    def paragraphs(self) -> list[str]:
        """Every sentence that the reader reads, without headings: what its reading grade is taken of."""
        return [*self.opening, *(text for section in self.sections for text in _texts_of(section)), self.reference]


def render_letter(letter: Letter, form: str) -> bytes:
    """The letter in one of `FORMS`. The same letter gives the same bytes."""
    return {"html": _html, "md": _markdown, "txt": _text}[form](_printable(letter))


def _printable(letter: Letter) -> Letter:
    def clean(value: Any) -> Any:
        return CONTROL.sub(" ", value) if isinstance(value, str) else [clean(item) for item in value]

    sections = tuple(
        replace(section, parts=tuple({key: clean(value) for key, value in part.items()} for part in section.parts))
        for section in letter.sections
    )
    return replace(letter, sections=sections)


def _html(letter: Letter) -> bytes:
    text = template("letter.html").render(letter=letter, sections=letter.sections, not_provided=NOT_PROVIDED)
    return page_bytes(text)


def _markdown(letter: Letter) -> bytes:
    lines = [f"# {plain(letter.title)}", plain(letter.organisation), plain(letter.day)]
    lines += [plain(text) for text in letter.opening]
    for section in letter.sections:
        lines.append(f"## {section.number}. {plain(section.title)}")
        for part in section.parts:
            lines += PARTS[part["kind"]](part)
    return ("\n\n".join([*lines, plain(letter.reference)]) + "\n").encode()


def _text(letter: Letter) -> bytes:
    blocks = [letter.title, letter.organisation, letter.day, *letter.opening]
    lines = [_wrapped(block) for block in blocks]
    for section in letter.sections:
        title = f"{section.number}. {section.title}"
        lines.append(f"{title}\n{'-' * len(title)}")
        for part in section.parts:
            if part["kind"] == "list":
                lines.append("\n".join(_wrapped(item, "- ") for item in part["items"]))
            else:
                lines.append(_wrapped(part["text"]))
    return ("\n\n".join([*lines, _wrapped(letter.reference)]) + "\n").encode()


def _wrapped(text: str, mark: str = "") -> str:
    return textwrap.fill(
        " ".join(text.split()), WIDTH, initial_indent=mark, subsequent_indent=" " * len(mark), break_long_words=False,
        break_on_hyphens=False,
    )  # fmt: skip


def _texts_of(section: Section) -> Iterator[str]:
    for part in section.parts:
        yield from part["items"] if part["kind"] == "list" else [part["text"]]
