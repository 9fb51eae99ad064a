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
    is_number,
    look,
    numeric_columns,
)
from riskmodels.reports.outline import outline

if TYPE_CHECKING:
    from jinja2 import Environment, Template

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
        state_class=STATES.get(str(status["state"]), "draft"),
        sections=outline(card, sign_off, today, change),
        figures={name: data_uri(svg) for name, svg in (figures or {}).items()},
        today=today,
        advice=ADVICE,
        verdicts=VERDICTS,
        not_provided=NOT_PROVIDED,
        not_answered=NOT_ANSWERED,
    )
    return page_bytes(text)


def page_bytes(text: str) -> bytes:
    """A rendered template without the blank lines that templates leave behind."""
    return (re.sub(r"\n\s*\n+", "\n", text).strip() + "\n").encode()


def banner(status: Mapping[str, Any]) -> dict[str, str]:
    """The status as a tag and a sentence that does not say the tag again."""
    state, words = str(status["state"]), str(status["words"])
    return {"state": state, "words": words.removeprefix(state).lstrip(". ")}


def data_uri(svg: bytes) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(svg).decode()


def template(name: str) -> Template:
    return _environment().get_template(name)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"cell": cell_text, "look": look, "numeric_columns": numeric_columns}
    environment.tests |= {"number": is_number, "date": is_date}
    environment.globals["style"] = Markup((TEMPLATES / "card.css").read_text(encoding="utf-8"))  # noqa: S704 - our own file
    return environment
