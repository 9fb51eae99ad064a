"""The pages as a browser shows them: WCAG 2.2 AA by axe-core, nothing fetched, no page wider than a phone.

The slow tests drive Chromium by its command line. ``RISKMODELS_AXE`` names the file axe.min.js of the npm package
axe-core. The others read the same pages as text and need no browser.
"""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from riskmodels import commands
from riskmodels.reports.comparison_page import render_comparison
from tests.conftest import ROOT, Demo
from tests.reports.example_audit import made as audit_page
from tests.reports.example_comparison import comparison
from tests.reports.test_page import Page
from tests.reports.test_profile_page import made as profile_page

PAGES = ("card", "evaluation", "comparison", "three runs", "profile", "audit")
WIDE, PHONE = 1600, 380  # px; on the wide one nothing lies under anything else, so that every contrast can be measured
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", f"--window-size={WIDE + 100},1000",
    "--virtual-time-budget=60000", "--dump-dom",
)  # fmt: skip
POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
# The shade at a table's edge is a picture to axe, which then measures no contrast on it; it is never behind text.
LOOK = """
<style>.scroll { background: none !important; }</style>
<script>AXE</script>
<script>
window.addEventListener("load", async () => {
  document.querySelectorAll("details").forEach((fold) => { fold.open = true; });
  const inside = (part) => part.closest(".scroll, .picture, .skip, .hidden");
  const wide = [...document.body.querySelectorAll("*")].filter(
    (part) => !inside(part) && part.getBoundingClientRect().right > innerWidth + 1);
  const fetched = performance.getEntriesByType("resource").map((one) => one.name);
  const found = await axe.run(document, { runOnly: TAGS });
  const told = (rule) => rule.id + ": " + rule.nodes.slice(0, 3).map((node) => node.html.slice(0, 200)).join(" | ");
  parent.postMessage(JSON.stringify({
    violations: found.violations.map(told),
    contrast_unsure: found.incomplete.filter((rule) => rule.id === "color-contrast").map(told),
    fetched: fetched.filter((name) => !name.startsWith("data:") && !name.startsWith("blob:")),
    wide: wide.slice(0, 3).map((part) => part.outerHTML.slice(0, 200)),
    width: innerWidth, scrolls_to: document.documentElement.scrollWidth,
  }), "*");
});
</script>
"""
FRAME = """<!DOCTYPE html><script>
addEventListener("message", (message) => {
  const found = document.createElement("pre");
  found.textContent = message.data;
  document.documentElement.replaceChildren(found);
});
</script><iframe src="page.html" style="width: WIDTHpx; height: 900px; border: 0"></iframe>"""


@pytest.fixture(scope="module")
def pages(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The demo's card, the evaluation of a published file, the demo's run against itself, and three of made-up data."""
    folder = tmp_path_factory.mktemp("pages")
    evaluation, compared = folder / "evaluation.html", folder / "comparison.html"
    commands.evaluate(
        ROOT / "tests" / "reference" / "df_binary.csv", outcome="cancer", risk="cancerpredmarker",
        capacities=[50, 100], thresholds=[0.1, 0.2], at=[0.15], html=evaluation,
    )  # fmt: skip
    commands.compare(["early_reading_support/1"] * 2, demo.workspace, html=compared)
    made = (
        demo.report.card_html.read_bytes(),
        evaluation.read_bytes(),
        compared.read_bytes(),
        render_comparison(comparison(0.9, 0.2, 0.5)),
        profile_page(),
        audit_page(),
    )
    return dict(zip(PAGES, made, strict=True))


# ---------------------------------------------------------------- as text


class Said(HTMLParser):
    """What a page says in sentences and headings, table by table and figure by figure; not what cells hold."""

    SENTENCES = ("p", "li", "h2", "h3", "h4", "caption", "summary", "figcaption", "th")

    def __init__(self, content: bytes) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[tuple[str, str]] = []
        self.sentences: list[str] = []
        self.tables: list[dict[str, Any]] = []
        self.tables_of_figures: list[int] = []
        self.feed(content.decode().partition("<main")[2].partition("</main>")[0])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in ("img", "br", "meta"):
            self.sentences += [given["alt"]] if tag == "img" else []
            return
        self.open.append((tag if given.get("scope") != "row" else "td", given.get("class", "")))
        if tag in self.SENTENCES and given.get("scope") != "row":
            self.sentences.append("")
        if tag == "figure":
            self.tables_of_figures.append(0)
        if tag == "table":
            self.tables.append({"caption": "", "scopes": set(), "rows": -1})
            if "figure" in [name for name, _ in self.open]:
                self.tables_of_figures[-1] += 1
        if tag == "tr":
            self.tables[-1]["rows"] += 1
        if tag == "th":
            self.tables[-1]["scopes"].add(given.get("scope"))

    def handle_endtag(self, tag: str) -> None:
        if self.open:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        tags = [name for name, _ in self.open]
        # Where a table comes from is the name of a file or a field, underscores included.
        if "source" in " ".join(looks for _, looks in self.open).split() or not set(tags) & set(self.SENTENCES):
            return
        self.sentences[-1] += data
        if "caption" in tags:
            self.tables[-1]["caption"] += data.strip()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_whole_before_any_browser_sees_it(pages: dict[str, bytes], name: str) -> None:
    page = Page(pages[name])
    levels = [level for level, _ in page.headings]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert page.all("html")[0]["lang"] == "en-GB"
    assert (page.unbalanced, page.open) == ([], [])
    assert not any(page.all(tag) for tag in ("script", "link", "iframe", "object", "form"))
    links = [one.get("href") or one.get("src") or "" for tag in ("a", "img") for one in page.all(tag)]
    assert all(link.startswith(("#", "data:image/svg+xml;base64,")) for link in links)
    assert all(image["alt"] for image in page.all("img"))
    assert len(page.all("img")) >= 2


@pytest.mark.parametrize("name", PAGES)
def test_a_page_speaks_in_words_and_every_table_and_figure_is_complete(pages: dict[str, bytes], name: str) -> None:
    said = Said(pages[name])
    assert len(said.sentences) > 50
    odd = re.compile(r"\b(nan|NaN|None|null|undefined|inf|True|False)\b|\{\w*\}|[a-z0-9]_[a-z0-9]|  \.|\.\.(?!\.)")
    # A list may say that there is nothing: "None." alone.
    assert [text for text in said.sentences if odd.search(re.sub(r"(^|: )None\.", "", " ".join(text.split())))] == []
    assert all(table["caption"] and table["scopes"] == {"col", "row"} for table in said.tables)
    assert all(table["rows"] > 0 for table in said.tables)
    assert all(said.tables_of_figures)


# ---------------------------------------------------------------- in a browser


@pytest.fixture(scope="module")
def axe() -> str:
    """The script, or a skip that says what is missing."""
    given = os.environ.get("RISKMODELS_AXE")
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine: install Debian's chromium to look at the pages")
    if not given or not Path(given).is_file():
        pytest.skip("RISKMODELS_AXE names no file: set it to axe.min.js of the npm package axe-core")
    return Path(given).read_text(encoding="utf-8")


def look(content: bytes, axe: str, width: int, folder: Path) -> dict[str, Any]:
    """A page with everything unfolded, in a frame of this width, as Chromium and axe-core find it.

    Its content security policy, which forbids all fetching, is taken away first: what the page would fetch shows.
    """
    script = LOOK.replace("TAGS", json.dumps(TAGS)).replace("AXE", axe.replace("</script", r"<\/script"))
    text = POLICY.sub("", content.decode()).replace("</body>", script + "</body>")
    (folder / "page.html").write_text(text, encoding="utf-8")
    (folder / "frame.html").write_text(FRAME.replace("WIDTH", str(width)), encoding="utf-8")
    done = subprocess.run(
        [str(CHROMIUM), *FLAGS, f"--user-data-dir={folder / 'profile'}", (folder / "frame.html").as_uri()],
        capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip
    answer = re.search(r"<pre>(.*)</pre>", done.stdout, re.S)
    assert answer, f"the browser gave no answer: {done.stdout[-500:]} {done.stderr[-500:]}"
    found: dict[str, Any] = json.loads(html.unescape(answer[1]))
    assert found["width"] == width
    return found


@pytest.mark.slow
@pytest.mark.parametrize("width", [WIDE, PHONE])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_and_nothing_is_fetched(
    pages: dict[str, bytes], axe: str, name: str, width: int, tmp_path: Path
) -> None:
    found = look(pages[name], axe, width, tmp_path)
    assert found["violations"] == []
    assert found["fetched"] == []
    assert found["wide"] == []
    assert found["scrolls_to"] <= width
    if width == WIDE:
        assert found["contrast_unsure"] == []


@pytest.mark.slow
def test_planted_faults_are_seen(pages: dict[str, bytes], axe: str, tmp_path: Path) -> None:
    fault = (
        b'<p style="color: #bbb">Too faint</p><img src="http://127.0.0.1:9/spy.png">'
        b'<div style="width: 900px">Too wide</div></main>'
    )
    found = look(pages["evaluation"].replace(b"</main>", fault), axe, PHONE, tmp_path)
    assert {line.partition(":")[0] for line in found["violations"]} >= {"color-contrast", "image-alt"}
    assert found["fetched"] == ["http://127.0.0.1:9/spy.png"]
    assert "Too wide" in " ".join(found["wide"])
