"""The register's pages: what they say of a tool; what people wrote stays text, and every link leads on."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import posixpath
import xml.etree.ElementTree as ElementTree
from typing import Any

import pytest

from riskmodels.reports.site_feed import render_feed
from riskmodels.reports.site_listing import render_listing
from riskmodels.reports.site_pages import render_pages, with_trail
from riskmodels.reports.site_shapes import Download, Event, Register, TakenOut, Tool, Version
from riskmodels.reports.site_words import decision_event, replaced_event, size_words, status_rest, status_sentence
from tests.cards import example_card as example
from tests.reports.test_page import Page

TODAY = dt.date(2026, 11, 22)
WAITING = {
    "state": "AWAITING REVIEW",
    "words": "AWAITING REVIEW. No decision names this card.",
    "until": None,
    "example": False,
}
APPROVED = {
    "state": "APPROVED",
    "words": "APPROVED until 20 May 2027 (stage: pilot)",
    "until": "2027-05-20",
    "example": False,
    "stage": "pilot",
}
STOPPED = {
    "state": "WITHDRAWN",
    "words": "WITHDRAWN on 1 May 2026 by the head: Wrong.",
    "until": None,
    "example": False,
}
MEETING = Event(
    "record-1", "a" * 64, dt.date(2026, 11, 20), "Approved for a pilot", ["The committee met."], ["Condition: x"]
)
ATOM = "{http://www.w3.org/2005/Atom}"
SHARP = "\"><script>alert(1)</script>&amp;'<b>"


@pytest.fixture(scope="module")
def card() -> dict[str, Any]:
    return example.card().to_dict()


def version(number: int = 1, **changes: Any) -> Version:
    downloads = [Download("card-public.html", "public", 1200), Download("card.html", "committee", 2_500_000)]
    return dataclasses.replace(Version(number, "ab" * 6, "cd" * 32, WAITING, None, False, None, downloads), **changes)


def tool(card: dict[str, Any], name: str = "spring", **changes: Any) -> Tool:
    return dataclasses.replace(Tool(name, card, WAITING, [version()], [MEETING]), **changes)


def register(*tools: Tool) -> Register:
    return Register("Our tools", "Northby Council", TODAY, tools)


def read(pages: dict[str, bytes], name: str) -> Page:
    return Page(pages[name])


def test_a_tool_is_listed_with_what_a_resident_looks_for(card: dict[str, Any]) -> None:
    pages = render_pages(register(tool(card, status=APPROVED, versions=[version(status=APPROVED)])))
    text = read(pages, "index.html").text
    for said in (
        card["title"], card["question"], card["organisation"]["name"], card["summary"]["recommendation"]["headline"],
        "APPROVED", "Status Approved until 20 May 2027 (stage: pilot)",
        "Approved until 20 May 2027 Last changed 20 November 2026", "These are examples.",
    ):  # fmt: skip
        assert said in text, said
    targets = [one["href"] for one in Page(pages["index.html"]).all("a")]
    assert {"spring/index.html#object", "spring/card-public.html", "spring/card.html", "spring/changes.html"} <= set(
        targets
    )
    assert targets.index("spring/card-public.html") < targets.index("spring/card.html")


def test_a_real_tool_is_not_called_an_example(card: dict[str, Any]) -> None:
    real = {**card, "organisation": {**card["organisation"], "fictional": False, "name": "Northby Council"}}
    pages = render_pages(register(tool(real), tool(card, "other")))
    text = read(pages, "index.html").text
    assert "These are examples" not in text
    assert text.count("Made up: this is an example.") == 1
    assert "This is an example" not in read(pages, "spring/index.html").text
    assert "This is an example" in read(pages, "other/index.html").text


def test_tools_that_are_not_in_use_stay_under_a_heading_of_their_own(card: dict[str, Any]) -> None:
    text = read(render_pages(register(tool(card), tool(card, "old", status=STOPPED))), "index.html").text
    assert "Tools that are not in use yet (1)" in text
    assert "Tools that are over, or never began (1)" in text
    assert text.index("Tools that are over, or never began") < text.index("WITHDRAWN")


@pytest.mark.parametrize(
    ("changes", "tag", "until"),
    [
        ({"example": True}, "EXAMPLE: APPROVED", "Not approved: the decision is an example"),
        ({"stage": "explore"}, "APPROVED TO EXPLORE", "20 May 2027, only to explore the data"),
        ({"stage": "link"}, "APPROVED TO LINK", "20 May 2027, only to link the data"),
    ],
)
def test_only_a_real_pilot_or_live_use_is_in_use(
    card: dict[str, Any], changes: dict[str, Any], tag: str, until: str
) -> None:
    status = {**APPROVED, **changes}
    tried = register(tool(card, status=status, versions=[version(status=status)]))
    pages = render_pages(tried)
    text = read(pages, "index.html").text
    assert f"Approved until {until}" in text
    assert "Tools that are not in use yet (1)" in text
    assert "Tools approved for use" not in text
    assert tag in text
    for name in ("index.html", "spring/index.html", "spring/changes.html"):
        assert tag in read(pages, name).text
        assert not [one for kind, one in Page(pages[name]).elements if "pass" in str(one.get("class")).split("-")], name
    (listed,) = json.loads(render_listing(tried, {}))["tools"]
    assert (listed["in_use"], listed["stage"]) == (False, status["stage"])
    for stage in ("pilot", "live"):
        status = {**APPROVED, "stage": stage}
        real = register(tool(card, status=status, versions=[version(status=status)]))
        assert "Tools approved for use (1)" in read(render_pages(real), "index.html").text
        assert json.loads(render_listing(real, {}))["tools"][0]["in_use"]


def test_an_earlier_model_that_was_withdrawn_is_told_on_every_page_of_the_tool(card: dict[str, Any]) -> None:
    said = "An earlier model of this tool (version 1) was withdrawn on 1 May 2026 by the head: Wrong."
    pages = render_pages(register(tool(card, withdrawn=[said])))
    for name in ("index.html", "spring/index.html", "spring/changes.html"):
        assert said in read(pages, name).text, name


def test_what_was_taken_out_is_named_with_its_day(card: dict[str, Any]) -> None:
    removed = [TakenOut("old", "Old tool", "The tool", TODAY), TakenOut("spring", SHARP, "Version 1", TODAY)]
    made = dataclasses.replace(register(tool(card)), removed=removed)
    page = read(render_pages(made), "index.html")
    assert "The tool Old tool (old) was taken out of this register on 22 November 2026." in page.text
    assert f"Version 1 of {SHARP} (spring) was taken out of this register on 22 November 2026." in page.text
    assert not page.all("script")
    assert json.loads(render_listing(made, {}))["removed"][0] == {
        "name": "old", "title": "Old tool", "what": "The tool", "on": "2026-11-22"
    }  # fmt: skip
    assert "Taken out of this register" not in read(render_pages(register(tool(card))), "index.html").text


def test_a_tool_whose_newest_version_was_refused_may_still_be_in_use(card: dict[str, Any]) -> None:
    refused = {"state": "REFUSED", "words": "REFUSED (the head)", "until": None, "example": False}
    versions = [version(2, status=refused), version(1, status=APPROVED, replaced=True)]
    text = read(render_pages(register(tool(card, status=refused, versions=versions))), "index.html").text
    assert "Tools approved for use (1)" in text
    assert "Approved until 20 May 2027 (version 1)" in text
    alone = read(render_pages(register(tool(card, status=refused, versions=versions[:1]))), "index.html").text
    assert "Tools that are over, or never began (1)" in alone
    assert "Approved until Not approved" in alone


def test_an_empty_register_says_so() -> None:
    text = read(render_pages(register()), "index.html").text
    assert "There is no tool in this register today." in text
    assert "Tools that are" not in text
    assert "Tools approved" not in text


def test_a_tool_s_page_says_how_to_object_and_whom_to_ask(card: dict[str, Any]) -> None:
    law = {"objection": {"value": "Tell the school.", "source": "answers.yaml", "owner": "Information Officer"}}
    said = {**card, "law": {**card["law"], "facts": law}}
    page = read(render_pages(register(tool(said))), "spring/index.html")
    assert "How to object Tell the school." in page.text
    assert f"Whom to ask {card['organisation']['contact']}" in page.text
    assert f"mailto:{card['organisation']['contact']}" in [one["href"] for one in page.all("a")]


def test_what_nobody_said_is_not_silent(card: dict[str, Any]) -> None:
    """Neither a fact nor one of the twenty questions answers: the owner is named."""
    text = read(render_pages(register(tool(card))), "spring/index.html").text
    owner = next(one["owner"] for one in card["questions"] if one["number"] == 9)
    assert f"How to object Not provided (owner: {owner})" in text
    questions = [{**one, "answer": "By letter."} if one["number"] == 9 else one for one in card["questions"]]
    text = read(render_pages(register(tool({**card, "questions": questions}))), "spring/index.html").text
    assert "How to object By letter." in text
    nobody = {**card, "organisation": {**card["organisation"], "contact": None}}
    page = read(render_pages(register(tool(nobody))), "spring/index.html")
    assert "Whom to ask Not provided (owner: Head of Schools)" in page.text
    assert not any(str(one["href"]).startswith("mailto:") for one in page.all("a"))


@pytest.mark.parametrize("contact", ["javascript:alert(1)", "a@b.example?bcc=x@y.example", "https://elsewhere.example"])
def test_only_a_plain_address_becomes_a_link(card: dict[str, Any], contact: str) -> None:
    odd = {**card, "organisation": {**card["organisation"], "contact": contact}}
    page = read(render_pages(register(tool(odd))), "spring/index.html")
    assert contact in page.text
    assert not any("mailto" in str(one["href"]) or "elsewhere" in str(one["href"]) for one in page.all("a"))


def test_a_notice_says_since_when_why_by_whom_and_what_there_is_instead(card: dict[str, Any]) -> None:
    notice = {"state": "retired", "on": "2026-10-01", "by": "head of schools", "why": "It ended.", "instead": None}
    text = read(render_pages(register(tool(card, notice=notice))), "spring/index.html").text
    assert "It was retired on 1 October 2026" in text
    for said in ("Since 1 October 2026", "Why It ended.", "Decided by head of schools", "Whom to ask reading@northby"):
        assert said in text, said
    assert "What there is instead Not provided (owner: head of schools)" in text


def test_changes_are_told_in_words_first_and_the_newest_version_first(card: dict[str, Any]) -> None:
    table = {
        "caption": "Figures",
        "columns": ["What", "Now"],
        "rows": [["Missed", 31]],
        "source": "card.json",
        "note": None,
    }
    change = {"words": ["It now misses 31 of 100."], "substantive": ["Fields: one more."], "tables": {"figures": table}}
    versions = [version(2, change=change), version(1, replaced=True, replaced_on=dt.date(2026, 11, 21))]
    page = read(render_pages(register(tool(card, versions=versions))), "spring/changes.html")
    order = ["Version 2, today's card", "It now misses 31 of 100.", "Fields: one more.", "Figures", "Version 1",
             "It was replaced on 21 November 2026.", "This is the first version that is kept here."]  # fmt: skip
    places = [page.text.index(said) for said in order]
    assert places == sorted(places)


def test_every_page_is_whole_and_fetches_nothing_and_its_links_lead_on(card: dict[str, Any]) -> None:
    pages = render_pages(register(tool(card), tool(card, "other", status=STOPPED)))
    known = {*pages, "feed.xml", "register.json"}
    known |= {f"{name}/{one.path}" for name in ("spring", "other") for one in version().downloads}
    assert len(pages) == 7
    for name, content in pages.items():
        page = Page(content)
        assert (page.unbalanced, page.open) == ([], []), name
        levels = [level for level, _ in page.headings]
        assert levels.count(1) == 1
        assert levels[0] == 1
        page.refuse_fetching()
        ids = [one["id"] for _, one in page.elements if one.get("id")]
        assert len(ids) == len(set(ids)), name
        for link in page.all("a"):
            target, _, anchor = str(link["href"]).partition("#")
            if target.startswith("mailto:"):
                continue
            where = posixpath.normpath(posixpath.join(posixpath.dirname(name), target)) if target else name
            assert where in known, (name, target)
            if anchor and where in pages:
                assert anchor in [one.get("id") for _, one in Page(pages[where]).elements], (name, link["href"])
        if name != "index.html":
            assert page.all("nav")[0]["aria-label"] == "Breadcrumb"
        assert any("glossary.html" in str(one["href"]) for one in page.all("a"))
        assert any("accessibility.html" in str(one["href"]) for one in page.all("a"))


def test_whatever_people_wrote_stays_text(card: dict[str, Any]) -> None:
    sharp = {
        **card,
        "title": SHARP,
        "question": SHARP,
        "organisation": {**card["organisation"], "name": SHARP, "contact": SHARP, "owner": SHARP},
    }
    event = dataclasses.replace(MEETING, title=SHARP, paragraphs=[SHARP], items=[SHARP])
    notice = {"state": "withdrawn", "on": "2026-10-01", "by": SHARP, "why": SHARP, "instead": SHARP}
    status = {**WAITING, "words": SHARP}
    made = dataclasses.replace(
        register(tool(sharp, events=[event], notice=notice, status=status)), title=SHARP, organisation=SHARP
    )
    pages = render_pages(made)
    for name, content in pages.items():
        page = Page(content)
        assert not page.all("script"), name
        assert not page.all("b")
        assert (page.unbalanced, page.open) == ([], [])
    assert SHARP in Page(pages["spring/index.html"]).text
    entry = ElementTree.fromstring(render_feed(made)).find(f"{ATOM}entry")
    assert entry is not None
    assert entry.findtext(f"{ATOM}title") == f"{SHARP}: {SHARP}"


# ---------------------------------------------------------------- the way back, the feed, the listing


def test_a_card_s_page_gets_the_way_back_and_nothing_else_of_it_changes() -> None:
    page = b'<html><style>\na {}\n</style><body>\n<a class="skip" href="#main">Skip</a>\n<p>A</p></body></html>'
    made = with_trail(page, [("Our <tools>", "../index.html"), ("This card", None)])
    read = Page(made)
    assert [one["href"] for one in read.all("a")] == ["#main", "../index.html"]
    assert "Our <tools>" in read.text
    nav = made[made.index(b"<nav") : made.index(b"</nav>") + len(b"</nav>\n")]
    rest = made.replace(nav, b"")
    assert rest.startswith(page[: page.index(b"</style>")])
    assert rest.endswith(page[page.index(b"</style>") :])


def test_the_feed_is_atom_newest_first_with_links_that_stay_inside(card: dict[str, Any]) -> None:
    later = dataclasses.replace(MEETING, id="record-2", day=dt.date(2026, 11, 21), title="Later")
    made = register(tool(card, events=[later, MEETING]))
    feed = ElementTree.fromstring(render_feed(made))
    assert feed.findtext(f"{ATOM}updated") == "2026-11-21T00:00:00Z"
    entries = feed.findall(f"{ATOM}entry")
    assert [one.findtext(f"{ATOM}title") for one in entries] == [
        f"{card['title']}: Later", f"{card['title']}: Approved for a pilot"
    ]  # fmt: skip
    assert [one.attrib["href"] for one in feed.iter(f"{ATOM}link")][2:] == [
        "spring/changes.html#record-2", "spring/changes.html#record-1"
    ]  # fmt: skip
    ids = [one.text for one in feed.iter(f"{ATOM}id")]
    assert len(set(ids)) == 3
    assert render_feed(made) == render_feed(made)
    again = ElementTree.fromstring(render_feed(register(tool(card, events=[MEETING]), tool(card, "new", events=[]))))
    assert again.findtext(f"{ATOM}id") == ids[0]
    assert again.findtext(f"{ATOM}entry/{ATOM}id") == ids[2]


def test_a_feed_without_events_is_dated_today_and_characters_that_xml_lacks_are_left_out(card: dict[str, Any]) -> None:
    feed = ElementTree.fromstring(render_feed(register(tool(card, events=[]))))
    assert feed.findtext(f"{ATOM}updated") == "2026-11-22T00:00:00Z"
    event = dataclasses.replace(MEETING, title="A\x00B\x1b \ufffe🙂")
    feed = ElementTree.fromstring(render_feed(register(tool(card, events=[event]))))
    assert str(feed.findtext(f"{ATOM}entry/{ATOM}title")).endswith("A B   🙂")


def test_the_listing_names_each_file_by_its_digest(card: dict[str, Any]) -> None:
    listed = json.loads(render_listing(register(tool(card, status=APPROVED)), {"b": b"", "a": b"text"}))
    assert list(listed["files"]) == ["a", "b"]
    assert listed["files"]["b"].startswith("e3b0c442")
    (only,) = listed["tools"]
    assert (only["state"], only["until"], only["last_changed"]) == ("APPROVED", "2027-05-20", "2026-11-20")


# ---------------------------------------------------------------- words

ROW = {
    "record": 3, "recorded_on": "2026-11-22", "kind": "decision", "example": False, "stage": "pilot",
    "meeting": "2026-11-20", "minute": "DEC-4", "quorum": "9 members, 4 lay, 3 specialist",
    "advice": "do not proceed", "conditions": ["Tell parents (owner: head, due 2027-01-31, open)"], "dissent": [],
    "conflicts_of_interest": [], "owner_role": "head of schools", "owner_decision": "approve",
    "reason": "Help cannot wait.", "expires": "2027-05-20", "answers": [], "card_sha256": "a", "record_sha256": "b",
}  # fmt: skip


def test_a_decision_reads_as_sentences_with_the_advice_and_the_reason_where_they_differ() -> None:
    event = decision_event(ROW, {"a": 2})
    assert event.title == "Approved for a pilot, until 20 May 2027"
    assert list(event.paragraphs) == [
        "The committee met on 20 November 2026 (9 members, 4 lay, 3 specialist; minute DEC-4). "
        "Its advice: do not proceed.",
        "The head of schools approved it for a pilot. The reason given: Help cannot wait.",
        "It is about version 2 of the card.",
    ]
    assert list(event.items) == ["Condition: Tell parents (owner: head, due 31 January 2027, open)"]
    answered = decision_event({**ROW, "answers": ["free_lunch: Not_A b: oe_ratio: Yes. (until 2027-05-20)"]}, {})
    assert list(answered.folded) == ["free lunch: Not_A b: oe ratio: Yes. (until 20 May 2027)"]
    other = decision_event({**ROW, "owner_decision": "refuse", "expires": None, "example": True}, {})
    assert other.title == "Example: not approved for a pilot"
    assert other.paragraphs[0] == "This is an example of a decision, not a real one."
    assert other.paragraphs[-1] == "It is about a card that is not kept here."


def test_a_withdrawal_names_the_versions_that_it_stops_and_those_that_it_does_not() -> None:
    row = {
        "record": 4, "recorded_on": "2026-11-22", "kind": "withdrawal", "example": False, "owner_role": "head",
        "reason": "Wrong.", "minute": None, "card_sha256": "a", "model_sha256": "m", "record_sha256": "b",
    }  # fmt: skip
    cases = {
        (): ("The use of another model was stopped", "every card of this model. None of them is kept here."),
        ("m",): ("Its use was stopped", "every card of this model: version 1."),
        ("n",): ("The use of another model was stopped", "every card of this model. None of them is kept here."),
        ("m", "m", "m"): ("Its use was stopped", "every card of this model: versions 1, 2 and 3."),
        ("m", "n"): ("The use of an earlier model was stopped",
                     "model: version 1. It does not hold for version 2, which is of another model."),
        ("n", "m", "o"): ("The use of an earlier model was stopped",
                          "model: version 2. It does not hold for versions 1 and 3, which are of other models."),
    }  # fmt: skip
    for models, (title, held) in cases.items():
        event = decision_event(row, {"a": 1}, dict(enumerate(models, 1)))
        assert event.title == title, models
        assert event.paragraphs[-1].endswith(held), models
        assert "every version" not in " ".join(event.paragraphs)


def test_a_status_is_a_sentence_with_its_state_once() -> None:
    assert status_sentence(WAITING) == "Awaiting review. No decision names this card."
    assert status_rest(WAITING) == "No decision names this card."
    assert status_sentence(STOPPED) == "Withdrawn on 1 May 2026 by the head: Wrong."
    example = {"state": "APPROVED", "words": "EXAMPLE DECISION, NOT A REAL ONE. APPROVED until 1 May 2027"}
    assert status_sentence(example) == status_rest(example) == example["words"]


def test_a_new_version_is_told_shortly_and_leads_to_the_whole() -> None:
    event = replaced_event(2, TODAY, "a", ["One.", "Two.", "Three."])
    assert list(event.paragraphs) == ["One.", "Two."]
    assert event.more == "version-2"


def test_sizes_are_said_shortly() -> None:
    sizes = (1, 1499, 999_499, 999_500, 1_260_000)
    assert [size_words(size) for size in sizes] == ["1 KB", "1 KB", "999 KB", "1.0 MB", "1.3 MB"]
