"""The page: what it says is the card's, whatever people wrote stays text, and nothing leaves it."""

from __future__ import annotations

import base64
import datetime as dt
import re
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

import pytest

from riskmodels.reports.charts import draw_figures
from riskmodels.reports.outline import SECTIONS
from riskmodels.reports.page import data_uri, is_narrow_picture, render_card
from tests.cards import example_card as example

STATUS = {"state": "AWAITING REVIEW", "words": "AWAITING REVIEW. No decision names this card."}
VOID = {"meta", "img", "br", "hr", "link", "input"}
INLINE = {"a", "strong", "code", "bdi"}


class Page(HTMLParser):
    """A small reader of our own pages: elements with their attributes, text, and whether tags are balanced."""

    def __init__(self, content: bytes) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.unbalanced: list[str] = []
        self.words: list[str] = []
        self.headings: list[tuple[int, str]] = []
        self.feed(content.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if re.fullmatch("h[1-6]", tag):
            self.headings.append((int(tag[1]), ""))
        if tag not in VOID:
            self.open.append(tag)
        self._end_of_line(tag)

    def handle_endtag(self, tag: str) -> None:
        self._end_of_line(tag)
        if not self.open or self.open.pop() != tag:
            self.unbalanced.append(tag)

    def _end_of_line(self, tag: str) -> None:
        if tag not in INLINE:
            self.words.append(" ")

    def handle_data(self, data: str) -> None:
        if "style" in self.open[-1:]:
            return
        self.words.append(data)
        if self.open and re.fullmatch("h[1-6]", self.open[-1]):
            level, text = self.headings[-1]
            self.headings[-1] = (level, text + data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).split())

    def refuse_broken(self) -> None:
        """Tags that do not close, ids that stand twice, headings that skip a level, references that lead nowhere."""
        assert self.unbalanced == self.open == []
        ids = [attributes["id"] for _, attributes in self.elements if attributes.get("id")]
        assert len(ids) == len(set(ids))
        levels = [level for level, _ in self.headings]
        assert levels.count(1) == 1
        assert all(after - before <= 1 for before, after in pairwise(levels))
        assert all(text.strip() for _, text in self.headings)
        assert self.all("html")[0]["lang"] == "en-GB"
        named = {attributes["aria-labelledby"] for _, attributes in self.elements if "aria-labelledby" in attributes}
        assert named <= set(ids)
        for link in self.all("a"):
            assert str(link["href"])[1:] in ids
        assert len(self.all("caption")) == len(self.all("table"))

    def refuse_fetching(self) -> None:
        """Anything that the page would load, or run."""
        assert not {tag for tag, _ in self.elements} & {"script", "link", "iframe", "object", "embed", "form", "svg"}
        for _, attributes in self.elements:
            assert not any(name.startswith("on") or name in ("style", "srcset") for name in attributes)
        policy = next(meta for meta in self.all("meta") if meta.get("http-equiv") == "Content-Security-Policy")
        assert str(policy["content"]).startswith("default-src 'none'")


@pytest.fixture(scope="module")
def card() -> dict[str, Any]:
    return example.card().to_dict()


@pytest.fixture(scope="module")
def content(card: dict[str, Any]) -> bytes:
    return render_card(card, status=STATUS, figures=draw_figures(card["figures"]))


@pytest.fixture(scope="module")
def page(content: bytes) -> Page:
    return Page(content)


def test_same_bytes_twice(card: dict[str, Any], content: bytes) -> None:
    assert render_card(card, status=STATUS, figures=draw_figures(card["figures"])) == content


def test_sixteen_sections_in_order(page: Page) -> None:
    sections = [attributes["id"] for attributes in page.all("section")]
    assert sections == [f"section-{number}" for number in range(1, 17)]
    assert list(SECTIONS) == list(range(1, 17))
    # The status stands before everything, and is said once.
    assert page.text.count("No decision names this card.") == 1
    assert page.text.index("AWAITING REVIEW No decision") < page.text.index("Our advice")


def test_tags_are_balanced_and_ids_are_unique(page: Page) -> None:
    assert page.unbalanced == []
    assert page.open == []
    ids = [attributes["id"] for _, attributes in page.elements if attributes.get("id")]
    assert len(ids) == len(set(ids))


def test_one_h1_and_headings_in_order(page: Page) -> None:
    levels = [level for level, _ in page.headings]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert all(text.strip() for _, text in page.headings)


def test_language_title_and_skip_link(page: Page) -> None:
    assert page.all("html")[0]["lang"] == "en-GB"
    assert page.all("main")[0]["id"] == "main"
    assert page.all("a")[0]["href"] == "#main"


def test_links_resolve(page: Page) -> None:
    ids = {attributes.get("id") for _, attributes in page.elements}
    for link in page.all("a"):
        assert str(link["href"]).startswith("#")
        assert str(link["href"])[1:] in ids


def test_every_reference_of_aria_resolves(page: Page) -> None:
    ids = {attributes.get("id") for _, attributes in page.elements}
    named = [attributes["aria-labelledby"] for _, attributes in page.elements if "aria-labelledby" in attributes]
    assert named
    assert set(named) <= ids


def test_nothing_is_fetched_and_nothing_runs(page: Page, content: bytes) -> None:
    tags = {tag for tag, _ in page.elements}
    assert not tags & {"script", "link", "iframe", "object", "embed", "form", "video", "audio", "svg"}
    for _, attributes in page.elements:
        assert not any(name.startswith("on") for name in attributes)
        assert str(attributes.get("src", "data:")).startswith("data:image/svg+xml;base64,") or "src" not in attributes
        assert "srcset" not in attributes
        assert "style" not in attributes
    styles = re.findall(rb"<style>(.*?)</style>", content, re.S)
    assert len(styles) == 1
    assert b"url(" not in styles[0]
    assert b"@import" not in styles[0]
    policy = next(meta for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy")
    assert str(policy["content"]).startswith("default-src 'none'")


def test_pictures_have_alternatives_and_hold_no_address(page: Page, card: dict[str, Any]) -> None:
    pictures = page.all("img")
    assert len(pictures) == len(card["figures"])
    assert [picture["alt"] for picture in pictures] != []
    assert {picture["alt"] for picture in pictures} == {figure["alt"] for figure in card["figures"]}
    for picture in pictures:
        svg = base64.b64decode(str(picture["src"]).partition(",")[2])
        assert not re.search(rb"(?:xlink:href|href)=\"(?!#)", svg)


def test_tables_have_captions_and_scroll_by_keyboard(page: Page) -> None:
    assert len(page.all("caption")) == len(page.all("table")) > 15
    regions = [attributes for attributes in page.all("div") if attributes.get("class") == "scroll"]
    assert len(regions) == len(page.all("table"))
    assert all(region["role"] == "group" and region["tabindex"] == "0" for region in regions)
    assert {header.get("scope") for header in page.all("th")} == {"col", "row"}


def test_every_table_and_fact_of_the_card_stands_on_the_page(page: Page, card: dict[str, Any]) -> None:
    def captions(value: Any) -> list[str]:
        if isinstance(value, dict):
            own = [value["caption"]] if {"caption", "rows"} <= set(value) else []
            return own + [caption for inner in value.values() for caption in captions(inner)]
        return [caption for inner in value for caption in captions(inner)] if isinstance(value, list) else []

    # What stands there in another form, or has nothing to say.
    left_out = {
        "Data register", "Protected characteristics that the model was offered", "Outcome not known, by fifth of risk",
        "Verdicts: each group against everybody else",
    }  # fmt: skip
    for caption in set(captions(card)) - left_out:
        if not caption.startswith("Gaps that stand out"):
            assert caption in page.text
    for section in ("purpose", "people_process", "risks", "law", "monitoring"):
        for fact in card[section]["facts"].values():
            assert (fact["value"] or f"Not provided (owner: {fact['owner']})") in page.text


def test_numbers_of_page_one_are_on_the_page(page: Page, card: dict[str, Any]) -> None:
    for block in card["summary"]["blocks"]:
        assert " ".join(block["text"].split()) in page.text
    assert card["summary"]["recommendation"]["headline"] in page.text


def test_gaps_are_said_with_their_owner(page: Page) -> None:
    assert "Not provided (owner: Information Officer)" in page.text
    assert "Not answered (owner: Head of Finance)" in page.text
    assert "None.None" not in page.text
    assert not re.search(r"\b(?:None|nan|null|undefined)\b(?!\.| stated)", page.text)


def test_small_groups_are_nowhere_on_the_page(page: Page, content: bytes) -> None:
    # Eight pupils of one group: neither their number nor their line's numbers.
    assert "American Indian" in page.text
    groups = content.decode().partition("Each group")[2]
    line = re.search(r"Ethnicity: [^<]*American Indian[^<]*</th>(.*?)</tr>", groups, re.S)
    assert line is not None
    cells = re.findall(r"<td[^>]*>(.*?)</td>", line[1], re.S)
    assert cells
    assert all(cell.startswith("not shown") for cell in cells)


EVIL = (
    '<script>alert("x")</script><img src=http://evil.example/x.png onerror=alert(1)> {{ 7*7 }} '
    "\u202e\U0001f600 [a](javascript:b)"
)


def evil_card() -> dict[str, Any]:
    text = {"owner": f"Head {EVIL}", "text": EVIL}
    answers = {
        "organisation": f"Council {EVIL}", "owner_role": EVIL, "contact": EVIL, "ask": text, "cannot_see": text,
        "purpose": {"intended_use": text}, "questions": {1: text, 19: {"owner": EVIL}},
    }  # fmt: skip
    made = example.study({"title": EVIL, "question": EVIL, "not_audited": {"age": EVIL}}, answers)
    return example.card(made).to_dict()


def test_what_people_write_stays_text() -> None:
    card = evil_card()
    status = {"state": "DRAFT", "words": EVIL}
    content = render_card(
        card, status=status, sign_off=[{"advice": EVIL, EVIL: [EVIL, EVIL]}], figures=draw_figures(card["figures"])
    )
    page = Page(content)
    assert not {tag for tag, _ in page.elements} & {"script"}
    assert all(str(picture["src"]).startswith("data:image/svg+xml;base64,") for picture in page.all("img"))
    assert page.unbalanced == []
    assert EVIL in page.text
    assert "49" not in re.sub(r"\d{3,}", "", page.text.partition("{{ 7*7 }}")[0])


def test_an_unknown_state_and_a_hostile_one_are_drafts() -> None:
    card = example.card().to_dict()
    content = render_card(card, status={"state": '"><b>', "words": ""}).decode()
    assert 'class="status status-draft"' in content


def test_without_pictures_the_page_says_them_in_words(card: dict[str, Any]) -> None:
    page = Page(render_card(card, status=STATUS))
    assert page.all("img") == []
    for figure in card["figures"]:
        assert figure["alt"] in page.text


def test_today_is_an_argument(card: dict[str, Any], content: bytes) -> None:
    assert b"Page made on" not in content
    over = Page(render_card(card, status=STATUS, today=dt.date(1991, 1, 1)))
    assert "EXPIRED: the agreement for pupils ended on 31 August 1990" in over.text
    assert "Page made on 1 January 1991" in over.text
    assert "EXPIRED" not in Page(render_card(card, status=STATUS, today=dt.date(1990, 8, 31))).text


def test_sign_off_records_are_shown_line_by_line(card: dict[str, Any]) -> None:
    record = {
        "record": 1,
        "stage": "pilot",
        "meeting": "2026-10-01",
        "conditions": ["one", "two"],
        "dissent": [],
        "reason": None,
    }
    page = Page(
        render_card(card, status={"state": "APPROVED", "words": "APPROVED until 1 March 2027"}, sign_off=[record])
    )
    assert "Record 1" in page.text
    assert "1 October 2026" in page.text
    assert "Dissent none" in page.text
    assert "Reason" not in page.text.partition("Sign-off")[2].partition("Technical annex")[0].partition("Record 1")[2]
    assert "APPROVED until 1 March 2027" in page.text


# ---------------------------------------------------------------- contrast


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """WCAG 2.2 contrast ratio."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_text_contrast_is_at_least_4_5(content: bytes) -> None:
    style = content.decode().partition("<style>")[2].partition("</style>")[0]
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    names = dict(re.findall(r"--([a-z]+): (#[0-9a-f]{6});", style))
    for name in ("ink", "quiet", "link"):
        assert contrast(names[name], "#ffffff") >= 4.5
        assert contrast(names[name], names["wash"]) >= 4.5
    # White text on banner and advice; coloured text on its own wash in the tags.
    for colour in re.findall(r"\.(?:status|advice)-[a-z_]+ \{ background: (#[0-9a-f]{6})", style):
        assert contrast(colour, "#ffffff") >= 4.5
    tags = re.findall(r"\.tag-[a-z]+ \{ color: (#[0-9a-f]{6}); background: (#[0-9a-f]{6})", style)
    assert len(tags) == 3
    assert all(contrast(text, wash) >= 4.5 for text, wash in tags)


# ---------------------------------------------------------------- editions, glossary, print


def public(card: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {**card, "edition_profile": {**card["edition_profile"], "edition": "public", "of": "0" * 64}, **changes}


def test_the_public_edition_says_what_it_is_how_to_object_and_whom_to_ask(card: dict[str, Any], page: Page) -> None:
    said = "Parents may object at any time."
    objection = {"value": said, "source": "answers.yaml: law.objection", "owner": "Officer"}
    law = {**card["law"], "facts": {**card["law"]["facts"], "objection": objection}}
    shown = Page(render_card(public(card, law=law), status=STATUS))
    top = shown.text.partition("1 Summary")[0]
    assert "What this page is A public record" in top
    assert f"How to object {said}" in top
    assert f"Whom to ask {card['organisation']['contact']}" in top
    assert "What this page is" not in page.text
    law["facts"]["objection"] = {**objection, "value": None}
    gap = Page(render_card(public(card, law=law), status=STATUS)).text
    assert "How to object Not provided (owner: Officer)" in gap


def test_every_word_that_is_explained_has_a_place_and_leads_back(page: Page) -> None:
    links = [str(link["href"]) for link in page.all("a")]
    places = {str(attributes["id"]) for _, attributes in page.elements if str(attributes.get("id")).startswith("word-")}
    linked = {link[1:] for link in links if link.startswith("#word-")}
    assert linked
    assert linked <= places
    back = {link[1:] for link in links if link.startswith("#use-")}
    assert back == {
        str(attributes["id"])
        for attributes in page.all("a")
        if attributes.get("class") == "term" and "id" in attributes
    }
    # At hand in the contents, at the top, and in each section but page one.
    assert links.count("#glossary") == 2 + 15


def test_each_section_but_page_one_opens_with_what_it_tells(page: Page) -> None:
    says = [attributes for _, attributes in page.elements if attributes.get("class") == "says"]
    assert len(says) == 15


@pytest.mark.parametrize(
    "title", ["Reading", 'a"}</style><script>', "\\22 ; } body { display: none", "Ü 😀", "x" * 500]
)
def test_a_title_cannot_leave_the_foot_of_a_printed_page(card: dict[str, Any], title: str) -> None:
    content = render_card({**card, "title": title}, status=STATUS).decode()
    style = content.partition("<style>")[2].partition("</style>")[0]
    foot = re.search(r"@bottom-left \{ content: (\"[^\"]*\"); \} @bottom-right", style)
    assert foot is not None
    assert re.fullmatch(r'"(?:[A-Za-z0-9 ]|\\[0-9a-f]{6} )*"', foot[1])
    read = re.sub(r"\\([0-9a-f]{6}) ", lambda found: chr(int(found[1], 16)), foot[1][1:-1])
    assert read.startswith(title[:70])


def test_long_folded_tables_say_how_many_rows_they_have(page: Page) -> None:
    counted = [attributes["data-rows"] for attributes in page.all("summary") if "data-rows" in attributes]
    assert counted
    assert all(int(str(rows)) > 24 for rows in counted)
    assert len([one for one in page.all("details") if one.get("class") == "unprinted"]) >= len(counted)


def test_a_picture_is_narrow_by_the_width_that_it_states() -> None:
    for width, narrow in ((302.4, True), (600, False)):
        assert is_narrow_picture(data_uri(f'<svg height="9pt" width="{width}pt">'.encode())) is narrow
    assert not is_narrow_picture(data_uri(b"<svg>"))
