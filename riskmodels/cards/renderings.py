"""A card in every format, each a rendering of ``card.json`` and of what stands outside it on a day.

``RENDERINGS`` is the table: a format, and what makes its files. To add one, write its function and add its row. The
same card and the same `Beside` give the same bytes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from riskmodels import storage
from riskmodels.cards.records.atrs import build_record
from riskmodels.reports.charts import draw_figures
from riskmodels.reports.markdown import render_card_markdown
from riskmodels.reports.page import render_card
from riskmodels.reports.pdf import render_card_pdf
from riskmodels.reports.public_record import record_markdown, record_sheets
from riskmodels.reports.visible import visible
from riskmodels.reports.workbook import render_workbook

Card = Mapping[str, Any]
Files = dict[str, bytes]


@dataclass(frozen=True)
class Beside:
    """What a page shows that no card holds: its review as it stands ``today``, and what changed since the last card.

    ``status``: {state, words, until, example} of `riskmodels.governance.review.status_banner`; ``sign_off``: its
    records; ``change``: `riskmodels.cards.change.compare_cards`, as plain values.
    """

    status: Mapping[str, Any]
    sign_off: Sequence[Mapping[str, Any]] = ()
    change: Mapping[str, Any] | None = None
    today: dt.date | None = None


def render(card: Card, formats: Iterable[str], beside: Beside) -> Files:
    """The files of these formats, by name: ``card.html`` and so on, ``card-public.html`` of the public edition.

    Parameters
    ----------
    card : a card of either edition, as plain JSON values
    formats : keys of `RENDERINGS`
    """
    made: Files = {}
    # What nobody can see may stand in card.json, which is the truth, but on no page that people read.
    seen, seen_beside = visible(card), visible(beside)
    for name in dict.fromkeys(formats):
        made |= RENDERINGS[name](card, beside) if name == "json" else RENDERINGS[name](seen, seen_beside)
    return made


def stem(card: Card) -> str:
    """What the files of this edition are called."""
    return "card" if card["edition_profile"]["edition"] == "committee" else "card-public"


def _json(card: Card, beside: Beside) -> Files:
    return {f"{stem(card)}.json": storage.canonical_json(dict(card))}


def _html(card: Card, beside: Beside) -> Files:
    # Drawn from the card alone, so that no picture can show what the card does not hold.
    figures = draw_figures(card["figures"])
    page = render_card(
        card,
        status=beside.status,
        sign_off=beside.sign_off,
        figures=figures,
        today=beside.today,
        change=beside.change,
    )
    return {f"{stem(card)}.html": page}


def _markdown(card: Card, beside: Beside) -> Files:
    text = render_card_markdown(card, beside.status, sign_off=beside.sign_off, today=beside.today, change=beside.change)
    return {f"{stem(card)}.md": text}


def _atrs(card: Card, beside: Beside) -> Files:
    """The public record of the Algorithmic Transparency Recording Standard, to read and as a workbook."""
    name = stem(card).replace("card", "atrs")
    record = [field.to_dict() for field in build_record(card, beside.status, beside.sign_off)]
    status = str(beside.status["words"])
    sheets = record_sheets(record, status)
    return {
        f"{name}.md": record_markdown(record, card["title"], card["model"]["version"], status),
        f"{name}.xlsx": render_workbook(sheets, f"{card['title']}: algorithmic transparency record"),
    }


def _pdf(card: Card, beside: Beside) -> Files:
    name = stem(card)
    content = render_card_pdf(
        card,
        status=beside.status,
        sign_off=beside.sign_off,
        figures=draw_figures(card["figures"]),
        today=beside.today,
        change=beside.change,
        name=name,
    )
    return {f"{name}.pdf": content}


RENDERINGS: dict[str, Callable[[Card, Beside], Files]] = {
    "html": _html,
    "md": _markdown,
    "json": _json,
    "atrs": _atrs,
    "pdf": _pdf,
}
