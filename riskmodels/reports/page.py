"""The card as one self-contained HTML page: no script, no network, nothing that a committee's machine must load."""

from __future__ import annotations

import base64
import datetime as dt
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskmodels.reports.cells import (
    NOT_ANSWERED,
    NOT_PROVIDED,
    cell_text,
    is_date,
    is_digest,
    is_number,
    look,
    numeric_columns,
    said_once,
)
from riskmodels.reports.outline import outline
from riskmodels.reports.states import is_stopped, is_used, tag

if TYPE_CHECKING:
    from jinja2 import Environment, Template
    from markupsafe import Markup

PUBLIC = (
    "A public record of a tool that {name} {uses}. It says what the tool is for, how often it is wrong, and "
    "who could be treated worse. A committee decides on a longer card, made from the same records."
)
PHONE_POINTS = 320.0  # at most, of a picture that is readable on a phone at its own size
WIDTH_WITHIN = 2048  # characters of base64, whole groups of four, within which an SVG states its width
RUNNING_CHARACTERS = 70  # at most, of a title at the foot of each printed page
TEMPLATES = Path(__file__).parent / "templates"
# Colours of the banner; the state itself always stands there in words.
STATES = {
    "DRAFT": "draft", "AWAITING REVIEW": "waiting", "APPROVED": "approved", "EXPIRED": "stopped",
    "WITHDRAWN": "stopped", "REFUSED": "stopped",
}  # fmt: skip
VERDICTS = {"PASS": "pass", "FAIL": "fail", "INSUFFICIENT EVIDENCE": "unsure", "NOT AUDITED": "fail"}
ADVICE = {
    "use": "Use", "use_with_conditions": "Use with conditions", "simple_rule": "Use a simple rule instead",
    "too_little_data": "Too little data", "do_not_use": "Do not use",
}  # fmt: skip


def render_card(
    card: Mapping[str, Any],
    *,
    status: Mapping[str, Any],
    sign_off: Sequence[Mapping[str, Any]] = (),
    figures: Mapping[str, bytes] | None = None,
    today: dt.date | None = None,
    change: Mapping[str, Any] | None = None,
) -> bytes:
    """``card.html``. The same arguments give the same bytes.

    Parameters
    ----------
    card : the card as plain JSON values
    status : {state, words} of the review, as it stands today
    sign_off : records of the review, first to last, as plain values
    figures : SVG by figure id (`riskmodels.reports.charts.draw_figures`); one that is missing leaves its table
    today : for agreements that are over; a page without it says nothing about today
    change : what changed since an earlier card (`riskmodels.cards.change`), as plain values
    """
    text = template("card.html").render(
        card=card,
        status=banner(status),
        state_class=state_class(status),
        sections=outline(card, sign_off, today, change),
        about=about_public(card, status),
        running=f"{card['title']} · model {card['model']['version']} · {tag(status)}",
        figures={name: data_uri(svg) for name, svg in (figures or {}).items()},
        today=today,
        advice=ADVICE,
        verdicts=VERDICTS,
        not_provided=NOT_PROVIDED,
        not_answered=NOT_ANSWERED,
    )
    return page_bytes(text)


def about_public(card: Mapping[str, Any], status: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What stands above everything on the public edition: (name, words). Nothing on the committee's."""
    if card["edition_profile"]["edition"] != "public":
        return []
    organisation, objection = card["organisation"], card["law"]["facts"].get("objection")
    owner = objection["owner"] if objection else organisation["owner"]
    said = objection["value"] if objection else None
    uses = "used, or was meant to use" if is_stopped(status) else "uses or may use"
    return [
        ("What this page is", PUBLIC.format(name=organisation["name"], uses=uses)),
        ("How to object", said or NOT_PROVIDED.format(owner=owner)),
        ("Whom to ask", organisation["contact"] or NOT_PROVIDED.format(owner=organisation["owner"])),
    ]


def page_bytes(text: str) -> bytes:
    """A rendered template without the blank lines that templates leave behind."""
    return (re.sub(r"\n\s*\n+", "\n", text).strip() + "\n").encode()


def banner(status: Mapping[str, Any]) -> dict[str, str]:
    """The status as a tag and a sentence that does not say the tag again."""
    return {"state": tag(status), "words": str(status["words"]).removeprefix(str(status["state"])).lstrip(". ")}


def state_class(status: Mapping[str, Any]) -> str:
    """The colour of the banner: that of an approval only where a real one lets a list be used."""
    if is_stopped(status):
        return "stopped"
    found = STATES.get(str(status["state"]), "draft")
    return "waiting" if found == "approved" and not is_used(status) else found


def css_string(text: str) -> Markup:
    """A text as a string of a style sheet, in which no character can end the string or the sheet."""
    from markupsafe import Markup

    short = " ".join(text.split())[:RUNNING_CHARACTERS]
    # The blank ends an escape, and is not shown.
    letters = (one if one.isascii() and (one.isalnum() or one == " ") else f"\\{ord(one):06x} " for one in short)
    return Markup('"{}"').format(Markup("".join(letters)))  # noqa: S704 - letters, digits, blanks and escapes only


def data_uri(svg: bytes) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(svg).decode()


def is_narrow_picture(uri: str) -> bool:
    """Whether a picture (a `data_uri`) is drawn as wide as a phone, by the width that its SVG states."""
    start = base64.b64decode(uri.partition(",")[2][:WIDTH_WITHIN]).decode(errors="ignore")
    stated = re.search(r'<svg[^>]*?\bwidth="([\d.]+)pt"', start, re.S)
    return stated is not None and float(stated[1]) <= PHONE_POINTS


def template(name: str) -> Template:
    return _environment().get_template(name)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    from riskmodels.reports.terms import place, with_terms

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        # A text that has links already stays as it is.
        "cell": lambda value: value if isinstance(value, Markup) else cell_text(value),
        "look": look,
        "numeric_columns": numeric_columns,
        "said_once": said_once,
        "with_terms": with_terms,
        "place": place,
        "css_string": css_string,
    }
    environment.tests |= {
        "number": is_number,
        "date": is_date,
        "digest": is_digest,
        "narrow_picture": is_narrow_picture,
    }
    environment.globals["style"] = Markup((TEMPLATES / "card.css").read_text(encoding="utf-8"))  # noqa: S704 - our own file
    return environment
