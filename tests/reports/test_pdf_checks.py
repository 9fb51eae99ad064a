"""The checks of a PDF: each finds its fault in a file that has it, and not in the file without it."""

from __future__ import annotations

import io
import sys
from typing import Any

import pytest

from riskmodels.errors import OutsideError
from riskmodels.reports import pdf as module
from riskmodels.reports.pdf_checks import page_count, pdf_findings
from tests.reports.test_pdf import needs_extra

PICTURE = module.data_uri(
    b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>'
)
SOUND = (
    '<html lang="en-GB"><title>Spring reading</title><h1>Spring reading</h1><h2>List</h2>'
    f'<img alt="A square." src="{PICTURE}"><p id="here"><a href="#here">here</a></p>'
    '<table><tr><th scope="col">Who</th><th scope="col">How many</th></tr>'
    '<tr><th scope="row">Pupils</th><td>12</td></tr></table>'
)


def pdf(markup: str, variant: str | None = "pdf/ua-1") -> bytes:
    content: bytes = module.load_weasyprint().HTML(string=markup).write_pdf(pdf_variant=variant)
    return content


def changed(**changes: Any) -> bytes:
    """The sound file with keys of its catalogue, or of its encryption, changed."""
    import pypdf
    from pypdf.generic import NameObject

    writer = pypdf.PdfWriter(clone_from=io.BytesIO(pdf(SOUND)))
    for key, value in changes.items():
        if key == "password":
            writer.encrypt(value, algorithm="RC4-128")
        elif value is None:
            del writer.root_object[NameObject(f"/{key}")]
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


@needs_extra
def test_a_sound_file_has_no_findings_and_one_page() -> None:
    assert pdf_findings(pdf(SOUND)) == []
    assert page_count(pdf(SOUND)) == 1


@needs_extra
@pytest.mark.parametrize(
    ("old", "new", "finding"),
    [
        (' alt="A square."', "", "has 1 pictures without a text in their place"),
        (' lang="en-GB"', "", "does not say its language"),
        ("<title>Spring reading</title>", "", "has no title"),
        ("<h2>List</h2>", "<h3>List</h3>", "skips a level of its headings"),
        ("<h1>Spring reading</h1>", "", "does not begin with one heading of the first level"),
        ("<h1>Spring reading</h1><h2>List</h2>", "", "has no bookmarks"),
        ('<th scope="col">Who</th>', "<td>Who</td>", "has 1 cells that name no header"),
        ('<a href="#here">', '<a href="https://example.org/">', "has 1 links or actions that leave it"),
    ],
)  # fmt: skip
def test_each_fault_is_found(old: str, new: str, finding: str) -> None:
    assert old in SOUND
    assert finding in pdf_findings(pdf(SOUND.replace(old, new)))


@needs_extra
def test_an_empty_corner_and_a_cell_that_its_row_names_are_no_faults() -> None:
    assert pdf_findings(pdf(SOUND.replace('<th scope="col">Who</th>', "<td></td>"))) == []
    assert pdf_findings(pdf(SOUND.replace("<td>12</td>", "<td>12</td><td>13</td>"))) == []


@needs_extra
def test_a_table_without_headers_is_found() -> None:
    bare = SOUND.replace('<th scope="col">', "<td>").replace('<th scope="row">', "<td>").replace("</th>", "</td>")
    assert pdf_findings(pdf(bare)) == ["has 1 tables without headers", "has 4 cells that name no header"]


@needs_extra
def test_an_untagged_file_is_found() -> None:
    found = pdf_findings(pdf(SOUND, variant=None))
    assert any("not tagged" in finding for finding in found)
    assert "does not say that it is PDF/UA-1" in found
    assert "shows its file's name in place of its title" in found


@needs_extra
def test_what_the_catalogue_lacks_is_found() -> None:
    assert pdf_findings(changed()) == []
    assert pdf_findings(changed(Lang=None)) == ["does not say its language"]
    assert pdf_findings(changed(Metadata=None)) == ["does not say that it is PDF/UA-1"]
    assert pdf_findings(changed(MarkInfo=None)) == ["is not tagged: a screen reader cannot tell a heading from a table"]
    assert pdf_findings(changed(password="a")) == ["is encrypted, which can lock out a screen reader"]


@needs_extra
@pytest.mark.parametrize("content", [b"", b"no pdf", b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n"])
def test_a_file_that_is_no_pdf_is_a_finding_and_no_crash(content: bytes) -> None:
    assert pdf_findings(content) == ["cannot be read as a PDF"]
    assert pdf_findings(pdf(SOUND)[:2000]) == ["cannot be read as a PDF"]


def test_without_its_package_the_checks_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pypdf", None)
    with pytest.raises(OutsideError, match=r"riskmodels\[pdf\]"):
        pdf_findings(b"")
