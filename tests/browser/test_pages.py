"""The pages as text, before any browser sees them: whole, in words, and complete. `test_in_a_browser` has the rest."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

import pytest

from tests.browser.made import write_kinds
from tests.conftest import Demo
from tests.reports.test_page import Page

PAGES = ("card", "evaluation", "comparison", "three-runs", "profile", "audit", "change", "models")


@pytest.fixture(scope="module")
def pages(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    made = write_kinds(demo, tmp_path_factory.mktemp("pages"))
    return {name: made[f"{name}.html"].read_bytes() for name in PAGES}


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
