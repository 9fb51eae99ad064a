"""Pages read back: a rendering as blocks of text and tables, and the structure that a browser sees."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser

# What stands within a line; every other tag begins and ends a block of text.
INLINE = {
    "a", "abbr", "b", "bdi", "cite", "code", "dfn", "em", "i", "mark", "q", "s", "small", "span", "strong", "sub",
    "sup", "time", "u", "wbr",
}  # fmt: skip
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
SVG_URI = "data:image/svg+xml;base64,"


@dataclass(frozen=True)
class Block:
    """A paragraph, a heading, an item or the like. ``label``: of a fact, what it is; ``figure``: whose title it has."""

    text: str
    tag: str = "p"
    label: str = ""
    figure: str = ""


@dataclass
class PageTable:
    caption: str = ""
    rows: list[list[str]] = field(default_factory=list)
    head: list[str] = field(default_factory=list)
    scopes: list[str | None] = field(default_factory=list)  # of every header cell


@dataclass
class Written:
    """What a rendering says, in the order it says it."""

    blocks: list[Block] = field(default_factory=list)
    tables: list[PageTable] = field(default_factory=list)


@dataclass
class Page:
    """An HTML page: what it says, and every tag with its attributes."""

    written: Written
    tags: list[tuple[str, Mapping[str, str]]]
    headings: list[tuple[int, str]]
    style: str

    def all(self, tag: str) -> list[Mapping[str, str]]:
        return [given for name, given in self.tags if name == tag]

    @property
    def pictures(self) -> list[str]:
        """The SVG of every picture that is embedded as one."""
        sources = [given.get("src", "") for given in self.all("img")]
        found = [source.removeprefix(SVG_URI) for source in sources if source.startswith(SVG_URI)]
        return [base64.b64decode(text).decode() for text in found]


def read_html(content: bytes) -> Page:
    reader = _Reader()
    reader.feed(content.decode())
    reader.close()
    reader.end_block()
    return Page(reader.written, reader.tags, reader.headings, "".join(reader.styles))


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.written = Written()
        self.tags: list[tuple[str, Mapping[str, str]]] = []
        self.headings: list[tuple[int, str]] = []
        self.styles: list[str] = []
        self.open: list[tuple[str, bool]] = []  # each with whether it began a block
        self.text: list[str] = []
        self.label = self.figure = ""
        self.table: PageTable | None = None
        self.cell: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.tags.append((tag, given))
        # Where something comes from is small print of its own, beside what it is about.
        begins = tag not in INLINE or "source" in given.get("class", "").split()
        if begins:
            self.end_block()
        if tag in VOID:
            return
        self.open.append((tag, begins))
        if tag == "table":
            self.table = PageTable()
            self.written.tables.append(self.table)
        elif tag == "tr" and self.table is not None:
            self.table.rows.append([])
        elif tag in ("th", "td") and self.table is not None:
            self.cell = []
            if tag == "th":
                self.table.scopes.append(given.get("scope"))

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID or tag not in [name for name, _ in self.open]:
            return
        while True:
            name, begins = self.open[-1]
            if begins:
                self.end_block()
            self.open.pop()
            self._closed(name)
            if name == tag:
                return

    def _closed(self, tag: str) -> None:
        if tag == "figure":
            self.figure = ""
        elif tag == "table":
            self.table = None
        elif tag in ("th", "td") and self.table is not None and self.cell is not None and self.table.rows:
            self.table.rows[-1].append(" ".join(self.cell))
            self.cell = None
        elif tag == "thead" and self.table is not None and self.table.rows:
            self.table.head = self.table.rows.pop()

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1][0] in ("style", "script"):
            self.styles.append(data if self.open[-1][0] == "style" else "")
        else:
            self.text.append(data)

    def end_block(self) -> None:
        text, self.text = " ".join("".join(self.text).split()), []
        if not text:
            return
        tag = next((name for name, begins in reversed(self.open) if begins), "")
        if self.cell is not None:
            self.cell.append(text)
        elif tag == "caption" or (self.table is not None and "caption" in [name for name, _ in self.open]):
            assert self.table is not None
            self.table.caption = f"{self.table.caption} {text}".strip()
        else:
            if tag == "dt":
                self.label = text
            if tag == "figcaption":
                self.figure = self.figure or text
            if re.fullmatch("h[1-6]", tag):
                self.headings.append((int(tag[1]), text))
            self.written.blocks.append(Block(text, tag, self.label if tag == "dd" else "", self.figure))


# ---------------------------------------------------------------- Markdown

HEADING = re.compile(r"#{1,6} ")
LABELLED = re.compile(r"- \*\*(.+?)\*\*: (.*?)(?: \(source: [^()]*(?:\([^()]*\)[^()]*)*\))?$")
CELL_END = re.compile(r"(?<!\\)\|")


def read_markdown(content: bytes) -> Written:
    """The blocks and tables of a card's Markdown; a line is a block."""
    written = Written()
    caption = figure = ""
    for paragraph in content.decode().split("\n\n"):
        lines = paragraph.splitlines()
        if lines and lines[0].startswith("| "):
            rows = [[_said(cell) for cell in CELL_END.split(line)[1:-1]] for line in lines]
            written.tables.append(PageTable(caption, rows[2:], rows[0]))
            continue
        for line in lines:
            text = _said(HEADING.sub("", line))
            bold = re.fullmatch(r"\*\*(.*)\*\*", line)
            titled = re.match(r"\*\*(.*?)\.?\*\* ", line)
            caption = _said(bold[1]) if bold else caption
            figure = _said(titled[1]).rstrip(".") if titled else figure
            labelled = LABELLED.match(line)
            if labelled:
                written.blocks.append(Block(_said(labelled[2]), "dd", _said(labelled[1])))
            else:
                tag = "h2" if HEADING.match(line) else "li" if line.startswith("- ") else "p"
                written.blocks.append(Block(text, tag, figure=figure if titled else ""))
    return written


def _said(line: str) -> str:
    """Markdown as what a reader sees: marks of emphasis, lists and escapes taken away."""
    text = re.sub(r"^- ", "", line.strip())
    text = re.sub(r"(?<!\\)\*\*", "", text)
    text = re.sub(r"\\([\\`*_\[\]|~#.)+=-])", r"\1", text)
    return " ".join(html.unescape(text).split())
