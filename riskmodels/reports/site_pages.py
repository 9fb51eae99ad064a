"""The pages of a public register: a list of tools, a page and a history for each, and what the words mean.

Each is self-contained, as a card is: no script, no network. A card's own page gets the way back to the register.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from riskmodels.reports import site_words as words
from riskmodels.reports.cells import NOT_PROVIDED
from riskmodels.reports.glossary import ACCESSIBILITY, GLOSSARY
from riskmodels.reports.page import ADVICE, VERDICTS, page_bytes, template
from riskmodels.reports.site_shapes import Register, Tool, Version
from riskmodels.reports.states import TRIED_OUT, is_stopped, is_used, tag

Trail = list[tuple[str, str | None]]
MAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
# What a resident reads of page one; what a committee is asked is the committee's.
BLOCKS = ("what", "right", "missed", "simple", "worse", "cannot_see")
ABOUT_EDITIONS = {
    "public": "Made to be read by anybody. Start here.",
    "committee": "What the committee reads. It is the one that decisions name.",
}


def render_pages(register: Register) -> dict[str, bytes]:
    """Every page of the register but the cards themselves, by its path."""
    pages = {
        "index.html": _index(register),
        "glossary.html": _glossary(register),
        "accessibility.html": _accessibility(register),
    }
    for tool in register.tools:
        pages |= {
            f"{tool.name}/index.html": _tool(register, tool),
            f"{tool.name}/changes.html": _changes(register, tool),
        }
    return pages


def with_trail(page: bytes, trail: Trail) -> bytes:
    """A card's page with the way back to the register above it. What it shows is not touched.

    Parameters
    ----------
    trail : (name, target) of each page above this one and of this one, whose target is None
    """
    css, links = (template(name).render(trail=trail).encode() for name in ("site_trail.css", "site_trail.html"))
    head, style, body = page.partition(b"</style>")
    before, skip, after = body.partition(b'<a class="skip"')
    link, end, rest = after.partition(b"</a>\n")
    assert all((style, skip, end)), "a card's page has a style and a skip link"
    return b"".join([head, css, b"\n", style, before, skip, link, end, links.strip(), b"\n", rest])


def _page(name: str, register: Register, title: str, trail: Trail, root: str = "", **given: Any) -> bytes:
    text = template(name).render(
        register=register,
        title=title,
        trail=trail,
        root=root,
        editions=words.EDITIONS,
        advice=ADVICE,
        verdicts=VERDICTS,
        not_provided=NOT_PROVIDED,
        figures={},
        **ASKED,
        **given,
    )
    return page_bytes(text)


def _index(register: Register) -> bytes:
    used = [tool for tool in register.tools if tool.in_use]
    stopped = [tool for tool in register.tools if tool.stopped]
    others = [tool for tool in register.tools if not tool.in_use and not tool.stopped]
    fictional = [bool(tool.card["organisation"]["fictional"]) for tool in register.tools]
    groups = [
        ("Tools approved for use", "Somebody decided that their lists may be used, in a pilot or live.", used),
        (
            "Tools that are not in use yet",
            "No real decision lets their lists be used. Some wait for one, some are only tried out on data.",
            others,
        ),
        (
            "Tools that are over, or never began",
            "They stay here, so that people can see what was tried and why it stopped.",
            stopped,
        ),
    ]
    return _page(
        "site_index.html",
        register,
        register.title,
        [(register.title, None)],
        groups=groups,
        lead=words.LEAD,
        made_up="all" if fictional and all(fictional) else "",
    )


def _tool(register: Register, tool: Tool) -> bytes:
    card, notice = tool.card, tool.notice
    contact = card["organisation"]["contact"]
    return _page(
        "site_tool.html",
        register,
        card["title"],
        [(register.title, "../index.html"), (card["title"], None)],
        root="../",
        tool=tool,
        notice_title=f"{words.FOR_WHAT[notice['state']]} on {words.dated(notice['on'])}" if notice else "",
        notice_facts=list(_notice_facts(tool)),
        purpose=_purpose(tool),
        blocks=[block for block in card["summary"]["blocks"] if block["id"] in BLOCKS],
        objecting=_objecting(card),
        mail=contact if contact and MAIL.fullmatch(contact) else None,
        editions_of=[
            (edition, ABOUT_EDITIONS[edition], [one for one in tool.versions[0].downloads if one.edition == edition])
            for edition in words.EDITIONS
        ],
    )


def _changes(register: Register, tool: Tool) -> bytes:
    title = f"{tool.card['title']}: what changed when"
    trail: Trail = [
        (register.title, "../index.html"),
        (tool.card["title"], "index.html"),
        ("What changed when", None),
    ]
    return _page("site_changes.html", register, title, trail, root="../", tool=tool)


def _glossary(register: Register) -> bytes:
    title = "What the words mean"
    return _page(
        "site_glossary.html",
        register,
        title,
        [(register.title, "index.html"), (title, None)],
        states=[_fact(state, said) for state, said in (*words.STATES.items(), ("EXAMPLE", words.EXAMPLE))],
        words=[_fact(term, said) for term, said in GLOSSARY.items()],
    )


def _accessibility(register: Register) -> bytes:
    title = "Accessibility statement"
    return _page(
        "site_accessibility.html",
        register,
        title,
        [(register.title, "index.html"), (title, None)],
        words=[text.replace("This page", "Each page") for text in ACCESSIBILITY],
        asks=[
            _fact(tool.card["title"], tool.card["organisation"]["contact"], tool.card["organisation"]["owner"])
            for tool in register.tools
        ],
    )


# ---------------------------------------------------------------- facts of a tool's page


def _fact(label: str, value: str | None, owner: str = "") -> dict[str, Any]:
    return {"label": label, "value": value, "owner": owner}


def _purpose(tool: Tool) -> list[dict[str, Any]]:
    card = tool.card
    return [
        _said(
            card,
            "What it was for, before it stopped" if tool.stopped else "What it is used for",
            "purpose",
            "intended_use",
            1,
        ),
        _said(card, "What it is never used for", "purpose", "never_used_for"),
        _said(card, "Who decides", "people_process", "who_decides", 14),
        _said(card, "Which records it uses", "", "", 8),
    ]


def _objecting(card: Mapping[str, Any]) -> list[dict[str, Any]]:
    organisation = card["organisation"]
    return [
        _said(card, "How to object", "law", "objection", 9),
        _said(card, "How a mistake is put right", "people_process", "putting_mistakes_right", 15),
        _fact("Who answers for it", organisation["owner"]),
        _fact("Whom to ask", organisation["contact"], organisation["owner"]),
    ]


def _said(card: Mapping[str, Any], label: str, section: str, key: str, number: int | None = None) -> dict[str, Any]:
    """What people say in a section, or in their answer to one of the twenty questions, or nothing yet."""
    fact = card[section]["facts"].get(key) if section else None
    question = next((one for one in card["questions"] if one["number"] == number), None)
    if (fact is None or fact["value"] is None) and question is not None:
        return _fact(label, question["answer"], question["owner"])
    return _fact(label, fact["value"], fact["owner"]) if fact else _fact(label, None, card["organisation"]["owner"])


def _notice_facts(tool: Tool) -> Iterator[dict[str, Any]]:
    if tool.notice is None:
        return
    organisation = tool.card["organisation"]
    yield _fact("Since", words.dated(tool.notice["on"]))
    yield _fact("Why", tool.notice["why"])
    yield _fact("Decided by", tool.notice["by"])
    yield _fact("What there is instead", tool.notice["instead"], tool.notice["by"])
    yield _fact("Whom to ask", organisation["contact"], organisation["owner"])


# ---------------------------------------------------------------- what the templates ask for


def _until(tool: Tool) -> str:
    """Until when a version of it is approved, or was."""
    approved, until = tool.approved, tool.status["until"]
    if approved is not None:
        stage = str(approved.status.get("stage"))
        only = f", only {words.STAGES[stage]}" if stage in TRIED_OUT else ""
        older = "" if approved is tool.versions[0] else f" (version {approved.number})"
        return f"{words.dated(approved.status['until'])}{only}{older}"
    if tool.status.get("example"):
        return "Not approved: the decision is an example"
    return f"{words.dated(until)} (over)" if until else "Not approved"


def _changed(tool: Tool) -> str:
    return words.day_words(tool.last_changed) if tool.last_changed else "No change has a date yet"


def _pages(tool: Tool) -> list[tuple[str, str]]:
    """(edition, page) of the newest card, the public's first."""
    version: Version = tool.versions[0]
    found = {one.edition: one.path for one in version.downloads if one.path.endswith(".html")}
    return [(edition, found[edition]) for edition in words.EDITIONS if edition in found]


def _look(status: Mapping[str, Any]) -> str:
    """The colour of a state; its words always stand there too."""
    return "pass" if is_used(status) else "stopped" if is_stopped(status) else "waits"


ASKED: dict[str, Callable[[Any], Any]] = {
    "day": words.day_words,
    "state_look": _look,
    "state_tag": tag,
    "status_rest": words.status_rest,
    "status_sentence": words.status_sentence,
    "size_words": words.size_words,
    "download_words": words.download_words,
    "until_words": _until,
    "removed_words": words.removed_words,
    "changed_words": _changed,
    "pages": _pages,
}
