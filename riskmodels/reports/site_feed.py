"""What happened, as an Atom feed (RFC 4287): the same events give the same bytes, and every link is relative."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from xml.sax.saxutils import escape, quoteattr

from riskmodels.reports.site_shapes import Event, Register, Tool

NEWEST = 100
# Characters that XML 1.0 does not have.
NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
NAMES = uuid.uuid5(uuid.NAMESPACE_URL, "urn:riskmodels:register")


def render_feed(register: Register) -> bytes:
    """``feed.xml``: the newest events of all tools. What has no known day is not in it."""
    found = [(event, tool) for tool in register.tools for event in tool.events]
    found.sort(key=lambda pair: (-pair[0].day.toordinal(), pair[1].name, pair[0].id))
    newest = found[0][0].day if found else register.today
    author = register.organisation or register.title
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        '<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en-GB">',
        f"<title>{_text(register.title)}</title>",
        f"<id>{_urn('feed', register.title, author)}</id>",
        f"<updated>{_time(newest)}</updated>",
        f"<author><name>{_text(author)}</name></author>",
        '<link rel="self" href="feed.xml"/>',
        '<link rel="alternate" type="text/html" href="index.html"/>',
        *(_entry(event, tool) for event, tool in found[:NEWEST]),
        "</feed>",
    ]
    return ("\n".join(lines) + "\n").encode()


def _entry(event: Event, tool: Tool) -> str:
    target = quoteattr(f"{tool.name}/changes.html#{event.id}")
    summary = " ".join([*event.paragraphs, *event.items])
    return "\n".join(
        [
            "<entry>",
            f"<title>{_text(tool.card['title'])}: {_text(event.title)}</title>",
            f"<id>{_urn(tool.name, event.id, event.seal)}</id>",
            f"<updated>{_time(event.day)}</updated>",
            f'<link rel="alternate" type="text/html" href={target}/>',
            f"<summary>{_text(summary)}</summary>",
            "</entry>",
        ]
    )


def _urn(*parts: str) -> str:
    return f"urn:uuid:{uuid.uuid5(NAMES, '/'.join(parts))}"


def _time(day: dt.date) -> str:
    return f"{day.isoformat()}T00:00:00Z"


def _text(text: str) -> str:
    return escape(NOT_XML.sub(" ", " ".join(text.split())))
