"""Each check of a card's pages with its fault planted, and with none."""

import base64
import copy
import dataclasses
import functools
import re
from collections.abc import Callable

import pytest

from riskmodels.cards.checks import CHECKS, Checked, whole
from riskmodels.cards.checks.figures import contrast, faint_text
from riskmodels.cards.checks.record import read_workbook
from riskmodels.cards.reading_back import PageTable, read_html
from riskmodels.reports.workbook import Sheet, render_workbook
from tests.cards import example_card as example

Edit = Callable[[str], str]


@functools.cache
def checked() -> Checked:
    return Checked(example.card().to_dict())


def page() -> str:
    return checked().html.decode()


def changed(edit: Edit) -> Checked:
    """The card with its page as somebody changed it."""
    text = edit(page())
    assert text != page(), "the fault was not planted"
    found = Checked(checked().card)
    found.__dict__["html"] = text.encode()
    return found


def swap(old: str, new: str, count: int = 1) -> Edit:
    return lambda text: text.replace(old, new, count)


def before_the_end(markup: str) -> Edit:
    return swap("</main>", f"{markup}</main>")


SVG = "data:image/svg+xml;base64,"
FAINT = base64.b64encode(
    b'<svg xmlns="http://www.w3.org/2000/svg"><g id="text_1"><path style="fill: #000000"/></g>'
    b'<path style="fill: none; stroke: #cccccc"/></svg>'
).decode()
LEAVES_ITS_COMMENT = base64.b64encode(b"<svg><!-- a --><image href='http://a/b.png'/> --></svg>").decode()
IN_A_COMMENT = base64.b64encode(b"<svg><!-- url(http://a) href='b' --><path/></svg>").decode()
FETCHES = "PHN2Zz48aW1hZ2UgaHJlZj0iaHR0cDovL2EvYi5wbmciLz48L3N2Zz4="  # <svg><image href="http://a/b.png"/></svg>


def repainted(text: str) -> str:
    """The page with the marks of its pictures pale, and their text and axes as dark as they were."""
    return re.sub(
        f"(?<={re.escape(SVG)})[A-Za-z0-9+/=]+",
        lambda found: base64.b64encode(base64.b64decode(found[0]).replace(b"#1a4f8b", b"#e8eef5")).decode(),
        text,
    )


PAGE_FAULTS: dict[str, list[Edit]] = {
    # These have tests of their own: here below, and tests/cards/test_checks_numbers.py.
    "numbers": [],
    "record": [],
    "rendered_counts": [],
    "versions": [],
    "pdf": [],
    "structure": [
        before_the_end("<h1>Another</h1>"),
        swap("<h1>", "<h2>"),
        before_the_end("<h2>Two</h2><h4>Four</h4>"),
        swap('lang="en-GB"', 'lang="en"'),
        before_the_end(f'<img src="{SVG}{FAINT}" alt="">'),
        before_the_end("<table><tr><th scope='col'>A</th></tr></table>"),
        before_the_end("<table><caption>A table</caption><tr><th>A</th></tr></table>"),
        before_the_end("<table><caption>A table</caption><tr><td>A</td></tr></table>"),
        before_the_end('<p id="main">Twice.</p>'),
    ],
    "links": [
        before_the_end('<a href="#nowhere">Nowhere</a>'),
        before_the_end('<a href="card.json">A file beside the page</a>'),
        before_the_end('<a href="https://example.org/">Elsewhere</a>'),
        before_the_end("<a>No target</a>"),
    ],
    "no_network": [
        before_the_end("<script>1</script>"),
        before_the_end('<img src="https://example.org/a.png" alt="A picture">'),
        before_the_end('<img src="a.png" alt="A picture">'),
        before_the_end('<p onclick="1">A</p>'),
        before_the_end('<p style="background: url(a.png)">A</p>'),
        before_the_end(f'<img src="{SVG}{FETCHES}" alt="A picture">'),
        before_the_end(f'<img src="{SVG}{LEAVES_ITS_COMMENT}" alt="A picture">'),
        before_the_end('<iframe title="A"></iframe>'),
        before_the_end("<svg><path d='M0 0'/></svg>"),
        before_the_end('<a href="javascript:1">A</a>'),
        swap("</style>", "@import 'a.css';</style>"),
        swap("</style>", "p { background: u\\72l(a.png); }</style>"),
        swap("default-src 'none'", "default-src *"),
        swap("<head>", '<head><meta http-equiv="refresh" content="1">'),
        swap("<head>", '<head><link rel="stylesheet" href="a.css">'),
        swap("<head>", '<head><base href="https://example.org/">'),
    ],
    "text_contrast": [
        swap("</style>", ".quiet-words { color: #999999; }</style>"),
        swap("</style>", ".status-faint { background: #cccccc; }</style>"),
        swap("--quiet: #", "--quiet: #ccc; --was: #"),
    ],
    "mark_contrast": [before_the_end(f'<img src="{SVG}{FAINT}" alt="A picture">'), repainted],
    "same_bytes": [before_the_end("<p>Once.</p>")],
}
PLANTED = [(name, position) for name, edits in PAGE_FAULTS.items() for position in range(len(edits))]


@pytest.mark.parametrize(("name", "position"), PLANTED)
def test_a_planted_fault_is_found(name: str, position: int) -> None:
    passed, words = CHECKS[name](changed(PAGE_FAULTS[name][position]))
    assert not passed
    assert len(words) > 10


@pytest.mark.parametrize("name", [name for name in PAGE_FAULTS if name != "pdf"])
def test_without_a_fault_it_passes(name: str) -> None:
    passed, words = CHECKS[name](checked())
    assert passed, words


def test_what_a_picture_says_in_a_comment_reaches_nowhere() -> None:
    assert CHECKS["no_network"](changed(before_the_end(f'<img src="{SVG}{IN_A_COMMENT}" alt="A picture">')))[0]


# ---------------------------------------------------------------- what is counted, and what is said elsewhere


def test_a_small_count_on_a_page_is_found() -> None:
    written = copy.deepcopy(checked().written)
    written["md"].tables.append(PageTable("Who is counted", [["Girls", "7"]], ["Group", "Pupils"]))
    found = Checked(checked().card)
    found.__dict__["written"] = written
    passed, words = CHECKS["rendered_counts"](found)
    assert not passed
    assert "md: table 'Who is counted'" in words
    assert "7" not in words.replace("'", "").split()


def test_a_version_that_shows_what_this_one_hides_is_found() -> None:
    """A card of another profile, say: the same group of the same date, its size hidden in one, shown in the other."""
    card = checked().card
    place = next(number for number, row in enumerate(card["audit"]["rows"]) if row["n"] is None)
    other = copy.deepcopy(dict(card))
    other["audit"]["rows"][place]["n"] = 5
    assert CHECKS["versions"](Checked(card, published=(copy.deepcopy(card),)))[0]
    passed, words = CHECKS["versions"](Checked(card, published=(other,)))
    assert not passed
    assert card["audit"]["rows"][place]["group"] in words


def test_a_public_record_that_says_something_else_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from riskmodels.cards.checks import record as module

    files = module.render(checked().card, ("atrs",), checked().beside)
    wrong = {name: content.replace(b"Spring reading", b"Spring maths") for name, content in files.items()}
    monkeypatch.setattr(module, "render", lambda *given: wrong)
    passed, words = CHECKS["record"](checked())
    assert not passed
    assert "in atrs.md" in words


def test_an_answer_longer_than_a_cell_of_a_workbook_is_found_in_it() -> None:
    card = copy.deepcopy(checked().card)
    card["purpose"]["facts"]["intended_use"]["value"] = "We offer help to them. " * 2_300
    assert CHECKS["record"](Checked(card)) == (True, "the public record says what the card says")


def test_a_number_of_the_public_record_that_is_not_the_cards_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from riskmodels.cards.checks import record as module

    fields = module.build_record(checked().card)
    strange = (dataclasses.replace(fields[0], text="It looked at 98,765 pupils."), *fields[1:])
    monkeypatch.setattr(module, "build_record", lambda *given: strange)
    assert f"{fields[0].item} (98,765)" in CHECKS["record"](checked())[1]


def test_a_pdf_that_is_none_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pypdf", reason="the checks of a PDF need pypdf")
    monkeypatch.setattr(whole, "render", lambda *given: {"card.pdf": b"not a PDF"})
    assert CHECKS["pdf"](checked()) == (
        False, "the PDF cannot be read as a PDF; report it to those who keep this package",
    )  # fmt: skip


def test_a_pdf_in_which_nothing_is_wrong_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    """`tests/reports/test_pdf.py` makes real ones; here it is what the check makes of them."""
    monkeypatch.setattr(whole, "render", lambda card, formats, beside: {f"card.{formats[0]}": b"a PDF"})
    monkeypatch.setattr(whole, "pdf_findings", lambda content: [] if content == b"a PDF" else ["is none"])
    assert CHECKS["pdf"](checked())[0]


def test_a_workbook_is_read_cell_by_cell() -> None:
    content = render_workbook((Sheet("One", "A note", ("Name", "Text"), ((" a ", "x < y & z"),), (10, 10)),), "A title")
    assert read_workbook(content) == ["A note", "Name", "Text", "a", "x < y & z"]


# ---------------------------------------------------------------- how a page is read


def test_a_page_is_read_as_blocks_and_tables() -> None:
    read = read_html(
        b"<main><h2>A <span>title</span></h2><p>One <strong>two</strong><br>three &amp; four.</p>"
        b"<dl><div><dt>Places</dt><dd>500 <span class='source'>Source: study.yaml</span></dd></div></dl>"
        b"<table><caption>Counts</caption><thead><tr><th scope='col'>Who</th><th scope='col'>n</th></tr></thead>"
        b"<tbody><tr><th scope='row'>All</th><td>3,100</td></tr></tbody></table></main>"
    )
    said = [(block.tag, block.text, block.label) for block in read.written.blocks]
    assert said == [
        ("h2", "A title", ""),
        ("p", "One two", ""),
        ("p", "three & four.", ""),
        ("dt", "Places", ""),
        ("dd", "500", "Places"),
        ("span", "Source: study.yaml", ""),
    ]
    (table,) = read.written.tables
    assert (table.caption, table.head, table.rows) == ("Counts", ["Who", "n"], [["All", "3,100"]])
    assert table.scopes == ["col", "col", "row"]
    assert read.headings == [(2, "A title")]


# ---------------------------------------------------------------- contrast


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [("#000000", "#ffffff", 21.0), ("#fff", "#ffffff", 1.0), ("#767676", "#ffffff", 4.54), ("#0000ff", "#fff", 8.59)],
)
def test_contrast_is_that_of_wcag(one: str, other: str, ratio: float) -> None:
    """Published pairs: #767676 is the lightest grey that passes on white."""
    assert contrast(one, other) == contrast(other, one) == pytest.approx(ratio, abs=0.005)


STYLE = ":root { --ink: #000000; --paper: #ffffff; } "


@pytest.mark.parametrize(
    ("rules", "faint"),
    [
        ("p { color: #767676; }", []),
        ("p { color: #777777; }", ["p"]),
        ("p, .q { color: var(--paper); }", ["p", ".q"]),
        (".a { color: #ffffff; } .a-b { background: #000080; }", []),
        (".a { color: #ffffff; } .a-b { background: #cccccc; }", [".a", ".a-b"]),
        (".a-b { background: #333333; }", [".a-b"]),
        ("@media print { .a { color: #999999; } }", [".a"]),
        (".a { border-color: #eeeeee; }", []),
    ],
)
def test_faint_text_of_a_style_sheet(rules: str, faint: list[str]) -> None:
    assert [found.partition(" ")[0] for found in faint_text(STYLE + rules)] == faint
