"""What a PDF must have to be read by everybody: the points of PDF/UA-1 that can be read from the file.

``CHECKS`` is the table: to add one, write a function that says what is wrong, and add its row. They are not a full
validator, and passing them is no claim that a file conforms.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from riskmodels.errors import OutsideError

HEADINGS = ("/H1", "/H2", "/H3", "/H4", "/H5", "/H6")
FONT_FILES = ("/FontFile", "/FontFile2", "/FontFile3")
ACTIVE = ("/JavaScript", "/Launch", "/URI", "/SubmitForm", "/GoToR")


@dataclass(frozen=True)
class Pdf:
    """A file as it was read: its catalogue, and the tags in reading order."""

    reader: Any
    root: Any
    tags: tuple[Any, ...]

    def of(self, *kinds: str) -> list[Any]:
        return [tag for tag in self.tags if tag.get("/S") in kinds]


def pdf_findings(content: bytes) -> list[str]:
    """What is wrong with a PDF, one sentence each; empty if it passes.

    Raises
    ------
    OutsideError
        if pypdf is not installed.
    """
    try:
        import pypdf
    except ImportError:
        raise OutsideError('the checks of a PDF need pypdf; run: pip install "riskmodels[pdf]"') from None
    try:
        reader = pypdf.PdfReader(io.BytesIO(content), strict=True)
        if reader.is_encrypted:
            return ["is encrypted, which can lock out a screen reader"]
        root = reader.trailer["/Root"]
        pdf = Pdf(reader, root, tuple(_tags(root.get("/StructTreeRoot"))))
        return [finding for check in CHECKS.values() for finding in check(pdf)]
    except (pypdf.errors.PyPdfError, KeyError, ValueError, TypeError, AttributeError):
        return ["cannot be read as a PDF"]


def page_count(content: bytes) -> int:
    """How many pages there are; needs pypdf, as `pdf_findings`."""
    import pypdf

    return len(pypdf.PdfReader(io.BytesIO(content)).pages)


# ---------------------------------------------------------------- reading


def _plain(value: Any) -> Any:
    return value.get_object() if hasattr(value, "get_object") else value


def _children(tag: Any) -> list[Any]:
    kids = _plain(tag.get("/K", []))
    return [_plain(kid) for kid in (kids if isinstance(kids, list) else [kids])]


def _tags(root: Any) -> Iterator[Any]:
    """Every structure element below the root, in reading order."""
    waiting = [_plain(root)] if root is not None else []
    while waiting:
        tag = waiting.pop()
        if isinstance(tag, dict):
            yield tag
            waiting.extend(reversed(_children(tag)))


def _holds_something(tag: Any) -> bool:
    """Whether any marked content of a page hangs below the tag."""
    return any(isinstance(kid, int) for inner in _tags(tag) for kid in _children(inner))


# ---------------------------------------------------------------- the checks


def _tagged(pdf: Pdf) -> list[str]:
    marked = _plain(pdf.root.get("/MarkInfo", {})).get("/Marked")
    return [] if marked and len(pdf.tags) > 1 else ["is not tagged: a screen reader cannot tell a heading from a table"]


def _language(pdf: Pdf) -> list[str]:
    return [] if pdf.root.get("/Lang") else ["does not say its language"]


def _title(pdf: Pdf) -> list[str]:
    title = (pdf.reader.metadata or {}).get("/Title")
    shown = _plain(pdf.root.get("/ViewerPreferences", {})).get("/DisplayDocTitle")
    return ([] if title else ["has no title"]) + ([] if shown else ["shows its file's name in place of its title"])


def _names_standard(pdf: Pdf) -> list[str]:
    metadata = _plain(pdf.root.get("/Metadata"))
    said = metadata.get_data() if metadata is not None else b""
    return [] if b'pdfuaid:part="1"' in said or b"<pdfuaid:part>1<" in said else ["does not say that it is PDF/UA-1"]


def _alternatives(pdf: Pdf) -> list[str]:
    bare = sum(not str(tag.get("/Alt", "")).strip() for tag in pdf.of("/Figure"))
    return [f"has {bare} pictures without a text in their place"] if bare else []


def _bookmarks(pdf: Pdf) -> list[str]:
    return [] if pdf.reader.outline else ["has no bookmarks"]


def _headings(pdf: Pdf) -> list[str]:
    """One top heading comes first, and no level is skipped."""
    levels = [HEADINGS.index(tag["/S"]) + 1 for tag in pdf.of(*HEADINGS)]
    if not levels or levels[0] != 1 or levels.count(1) != 1:
        return ["does not begin with one heading of the first level"]
    skipped = any(new > old + 1 for old, new in pairwise(levels))
    return ["skips a level of its headings"] if skipped else []


def _tables(pdf: Pdf) -> list[str]:
    """Every table has headers, and every cell that is no header names its own; an empty corner has nobody to name."""
    without = sum(not any(tag.get("/S") == "/TH" for tag in _tags(table)) for table in pdf.of("/Table"))
    cells = [cell for cell in pdf.of("/TD") if _holds_something(cell)]
    loose = sum(not _plain(_plain(cell.get("/A", {})).get("/Headers", [])) for cell in cells)
    return [
        *([f"has {without} tables without headers"] if without else []),
        *([f"has {loose} cells that name no header"] if loose else []),
    ]


def _fonts(pdf: Pdf) -> list[str]:
    named: dict[str, bool] = {}
    for page in pdf.reader.pages:
        fonts = _plain(_plain(page.get("/Resources", {})).get("/Font", {}))
        for font in map(_plain, fonts.values()):
            for part in map(_plain, _plain(font.get("/DescendantFonts", [font]))):
                descriptor = _plain(part.get("/FontDescriptor", {}))
                named[str(part.get("/BaseFont"))] = any(key in descriptor for key in FONT_FILES)
    bare = sorted(name for name, has in named.items() if not has)
    return [f"does not bring its font {bare[0]}"] if bare else []


def _links(pdf: Pdf) -> list[str]:
    """Links lead inside the document, and nothing runs."""
    notes = [_plain(note) for page in pdf.reader.pages for note in _plain(page.get("/Annots", []))]
    actions = [_plain(note.get("/A", {})) for note in notes] + [_plain(pdf.root.get("/OpenAction", {}))]
    outside = sum(isinstance(action, dict) and action.get("/S") in ACTIVE for action in actions)
    silent = sum(note.get("/Subtype") == "/Link" and not note.get("/Contents") for note in notes)
    return [
        *([f"has {outside} links or actions that leave it"] if outside else []),
        *([f"has {silent} links without a text in their place"] if silent else []),
    ]


CHECKS: dict[str, Callable[[Pdf], list[str]]] = {
    "tagged": _tagged,
    "language": _language,
    "title": _title,
    "standard": _names_standard,
    "alternatives": _alternatives,
    "bookmarks": _bookmarks,
    "headings": _headings,
    "tables": _tables,
    "fonts": _fonts,
    "links": _links,
}
