"""Every page as Chromium, axe-core and the Nu HTML checker find it, on a wide screen, on a phone and on paper.

``RISKMODELS_AXE`` names axe.min.js of the npm package axe-core, ``RISKMODELS_VNU`` vnu.jar of the npm package vnu-jar.
Without a tool the tests that need it are skipped, and say which. One browser looks at all pages.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from riskmodels.reports.outline import SECTIONS
from tests.browser.chromium import Chromium
from tests.browser.looks import PHONE, WIDE, dead_links, invalid, look, missing_tools
from tests.browser.made import write_pages
from tests.conftest import Demo

pytestmark = pytest.mark.slow
FAULTS = (
    '<p style="color: #bbb">Too faint</p><img src="http://127.0.0.1:9/spy.png"><div style="width: 900px">Too wide</div>'
    '<div class="scroll"><table style="width: 900px"><tr><td>No head</td></tr></table></div>'
    '<a href="#nowhere">Nowhere</a><a href="beside.html">Beside</a><a href="https://elsewhere.example">Elsewhere</a>'
    "<p><div>Not so</div></p></main>"
)


def need(*tools: str) -> None:
    lacking = missing_tools(*tools)
    if lacking:
        pytest.skip(lacking)


@pytest.fixture(scope="module")
def pages(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return write_pages(demo, tmp_path_factory.mktemp("pages"))


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    need("chromium")
    with Chromium(tmp_path_factory.mktemp("browser")) as started:
        yield started


@pytest.fixture(scope="module")
def axe() -> str:
    need("axe")
    return Path(os.environ["RISKMODELS_AXE"]).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def faulty(pages: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A good page with one fault of each kind."""
    page = tmp_path_factory.mktemp("faulty") / "faulty.html"
    text = pages["evaluation.html"].read_text(encoding="utf-8").replace("</main>", FAULTS)
    page.write_text(re.sub(r'id="glossary"', 'id="lost"', text, count=1), encoding="utf-8")
    return page


def test_every_kind_of_page_is_looked_at(pages: dict[str, Path]) -> None:
    shipped = [path for path in pages.values() if path.name in ("card.html", "card-public.html")]
    assert len([path for path in shipped if path.name == "card-public.html"]) >= 4
    assert len(shipped) >= 9
    assert {
        "audit.html",
        "batch.html",
        "change.html",
        "letter.html",
        "models.html",
        "profile.html",
        "review.html",
    } <= set(pages)
    assert len(pages) > 20


def test_axe_finds_nothing_and_nothing_is_fetched(pages: dict[str, Path], browser: Chromium, axe: str) -> None:
    for name, page in pages.items():
        found = look(browser, page, axe, WIDE)
        assert (name, found["violations"], found["contrast_unsure"], found["fetched"]) == (name, [], [], [])


def test_on_a_phone_nothing_is_cut_off(pages: dict[str, Path], browser: Chromium) -> None:
    for name, page in pages.items():
        found = look(browser, page, None, PHONE)
        assert (name, found["wide"], found["scrolls_to"]) == (name, [], PHONE)


def test_axe_finds_nothing_on_a_phone_either(pages: dict[str, Path], browser: Chromium, axe: str) -> None:
    """The smallest page of each kind: what the width changes is in the style sheet, which all of a kind share."""
    for name in ("card.html", "audit.html", "change.html", "profile.html", "letter.html", "models.html", "review.html"):
        assert (name, look(browser, pages[name], axe, PHONE)["violations"]) == (name, [])


@pytest.mark.parametrize("media", [{"prefers-contrast": "more"}, {"forced-colors": "active"}])
def test_stronger_contrast_cuts_nothing_off(pages: dict[str, Path], browser: Chromium, media: dict[str, str]) -> None:
    browser.open(pages["card.html"].absolute().as_uri(), width=PHONE, media=media)
    ((feature, value),) = media.items()
    assert browser.run(f"matchMedia('({feature}: {value})').matches")
    assert browser.run("document.documentElement.scrollWidth") == PHONE
    if feature == "prefers-contrast":
        assert browser.run("getComputedStyle(document.querySelector('.source')).color") == "rgb(11, 12, 12)"
    else:
        assert browser.run("getComputedStyle(document.querySelector('img')).backgroundColor") == "rgb(255, 255, 255)"


def test_the_keyboard_reaches_the_text_first_and_then_everything_that_scrolls(
    pages: dict[str, Path], browser: Chromium
) -> None:
    browser.open(pages["card.html"].absolute().as_uri(), width=PHONE)
    first = browser.run("document.querySelector('a, button, [tabindex=\"0\"]').className")
    assert first == "skip"
    assert (
        browser.run("document.querySelector('a.skip').focus(), document.activeElement.getBoundingClientRect().left")
        == 0
    )
    unnamed = "[...document.querySelectorAll('[tabindex=\"0\"]')].filter((one) => NAMELESS).length"
    nameless = "!one.ariaLabel && !one.getAttribute('aria-labelledby')"
    assert browser.run(unnamed.replace("NAMELESS", nameless)) == 0


def test_links_lead_somewhere(pages: dict[str, Path]) -> None:
    assert {name: dead_links(page) for name, page in pages.items() if dead_links(page)} == {}


def test_the_html_is_valid(pages: dict[str, Path]) -> None:
    need("java", "vnu")
    assert invalid(pages.values()) == {}


def test_planted_faults_are_seen(faulty: Path, browser: Chromium, axe: str) -> None:
    found = look(browser, faulty, axe, PHONE)
    assert {line.partition(":")[0] for line in found["violations"]} >= {"color-contrast", "image-alt"}
    assert "http://127.0.0.1:9/spy.png" in found["fetched"]
    told = " ".join(found["wide"])
    assert "Too wide" in told
    assert "No head" in told
    assert {"#glossary", "#nowhere", "beside.html", "https://elsewhere.example"} <= set(dead_links(faulty))


def test_planted_faults_of_the_html_are_seen(faulty: Path, pages: dict[str, Path]) -> None:
    need("java", "vnu")
    found = invalid([faulty, pages["letter.html"]])
    assert list(found) == ["faulty.html"]
    assert any("alt" in message for message in found["faulty.html"])
    assert any("No “p” element" in message or "“p”" in message for message in found["faulty.html"])


def printed_pages(browser: Chromium, page: Path, folder: Path) -> list[str]:
    """The text of each printed page."""
    browser.open(page.absolute().as_uri())
    (folder / "printed.pdf").write_bytes(browser.printed())
    done = subprocess.run(
        ["pdftotext", "-layout", str(folder / "printed.pdf"), "-"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.split("\f")[:-1]


def test_on_paper_page_one_stands_alone_and_sections_begin_pages(
    pages: dict[str, Path], browser: Chromium, tmp_path: Path
) -> None:
    need("pdftotext")
    shipped = [path for path in pages.values() if path.name in ("card.html", "card-public.html")]
    for page in shipped:
        sheets = printed_pages(browser, page, tmp_path)
        starts = {
            number: [
                place
                for place, text in enumerate(sheets)
                if re.search(rf"^\s*{number}\s+{re.escape(title)}\s*$", text, re.M)
            ]
            for number, (title, _) in SECTIONS.items()
        }
        assert all(len(places) == 1 for places in starts.values()), starts
        assert (starts[1], starts[2]) == ([0], [1]), page
        for number in (2, 5, 7, 8, 13, 15, 16):
            text = sheets[starts[number][0]].split()
            assert text[0] == str(number), (page, number)
        # Each sheet says what it is and which.
        assert all(f"Page {place} of {len(sheets)}" in text for place, text in enumerate(sheets, 1))
        # A heading is never the last thing on a page.
        for sheet in sheets:
            body = [line.strip() for line in sheet.splitlines() if line.strip()][:-1]
            assert not re.fullmatch(
                "|".join(rf"{n}\s+{re.escape(title)}" for n, (title, _) in SECTIONS.items()), body[-1]
            )


def test_on_paper_what_is_folded_says_where_it_stands(
    pages: dict[str, Path], browser: Chromium, tmp_path: Path
) -> None:
    need("pdftotext")
    text = " ".join(" ".join(printed_pages(browser, pages["card.html"], tmp_path)).split())
    assert "not printed here; on the web page, and in card.json." in text
    assert "Contents" not in text
