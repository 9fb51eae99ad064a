"""A card as a PDF, built as PDF/UA-1: one document to print, to send, and to read with a screen reader.

WeasyPrint lays the pages out. It is an extra, and needs three libraries of the system; without them there is one clear
message. Nothing is fetched: pictures stand inside the page, and the two fonts come with matplotlib, so that the same
card gives the same bytes on machines with other fonts too.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from riskmodels.errors import OutsideError, RiskModelsError
from riskmodels.reports.cells import NOT_ANSWERED, NOT_PROVIDED
from riskmodels.reports.charts import DRAWINGS
from riskmodels.reports.outline import outline
from riskmodels.reports.page import ADVICE, TEMPLATES, VERDICTS, about_public, banner, data_uri, state_class, template
from riskmodels.reports.parts import Section
from riskmodels.reports.pdf_outline import for_paper
from riskmodels.reports.states import tag

VARIANT = "pdf/ua-1"
EXTRA = 'pip install "riskmodels[pdf]"'
LIBRARIES = "apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
FONTS = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf")
FONT_SCHEME = "font:"


def render_card_pdf(
    card: Mapping[str, Any],
    *,
    status: Mapping[str, Any],
    sign_off: Sequence[Mapping[str, Any]] = (),
    figures: Mapping[str, bytes] | None = None,
    today: dt.date | None = None,
    change: Mapping[str, Any] | None = None,
    name: str = "card",
) -> bytes:
    """``card.pdf``. The same arguments give the same bytes.

    Parameters
    ----------
    card, status, sign_off, figures, today, change : as `riskmodels.reports.page.render_card`
    name : what the files beside the PDF are called, without their ending; it names them where it leaves out a table

    Raises
    ------
    OutsideError
        if WeasyPrint or a library of the system is not there.
    """
    weasyprint = load_weasyprint()
    return built(weasyprint, card_markup(card, status, sign_off, figures or {}, today, change, name))


def card_markup(
    card: Mapping[str, Any],
    status: Mapping[str, Any],
    sign_off: Sequence[Mapping[str, Any]],
    figures: Mapping[str, bytes],
    today: dt.date | None,
    change: Mapping[str, Any] | None,
    name: str,
) -> str:
    """The HTML that the pages are laid out from: ``pdf.html``, with the look of ``pdf.css``."""
    from markupsafe import Markup

    sections, left_out = for_paper(outline(card, sign_off, today, change), name)
    edition = str(card["edition_profile"]["edition"])
    running = (str(card["title"]), f"model {card['model']['version']}", f"{edition} edition", tag(status))
    text = template("pdf.html").render(
        card=card,
        title=f"{card['title']}: model card",
        running=" · ".join(running),
        name=name,
        about=about_public(card, status),
        status=banner(status),
        state_class=state_class(status),
        sections=sections,
        left_out=left_out,
        figures=_drawn(sections, figures),
        today=today,
        style=Markup((TEMPLATES / "pdf.css").read_text(encoding="utf-8")),  # noqa: S704 - our own file
        advice=ADVICE,
        verdicts=VERDICTS,
        not_provided=NOT_PROVIDED,
        not_answered=NOT_ANSWERED,
    )
    return _unfolded(text)


def _drawn(sections: Sequence[Section], figures: Mapping[str, bytes]) -> dict[str, str]:
    """The pictures as given, and those of pieces; a figure that was not drawn as a whole is not drawn in pieces."""
    parts = [part for section in sections for part in section.parts if part["kind"] == "panels"]
    extra = {
        piece["id"]: DRAWINGS[piece["drawn_as"]](piece)
        for part in parts
        for piece in part["figures"]
        if piece.get("drawn_as") in figures
    }
    return {name: data_uri(svg) for name, svg in {**figures, **extra}.items()}


def _unfolded(markup: str) -> str:
    """Nothing folds on paper. Words of the card are escaped, so that only our own tags are met."""
    markup = re.sub(r'<details(?: class="([^"]*)")?(?: open)?>', r'<div class="fold \1">', markup)
    markup = markup.replace("<summary", '<p class="fold-title"').replace("</summary>", "</p>")
    return markup.replace("</details>", "</div>")


def load_weasyprint() -> Any:
    """The library.

    Raises
    ------
    OutsideError
        naming the extra if it is not installed, or the system's libraries if those are what is missing.
    """
    try:
        # On a bare machine its import prints several lines before it fails; the message below says what matters.
        with contextlib.redirect_stdout(io.StringIO()):
            import weasyprint
    except ImportError:
        raise OutsideError(
            f"a PDF needs WeasyPrint, which is not installed; run: {EXTRA}; "
            f"on Debian or Ubuntu also: {LIBRARIES}. The other formats need neither"
        ) from None
    except OSError:
        raise OutsideError(
            f"a PDF needs libraries of the system that are not there; on Debian or Ubuntu run: {LIBRARIES} "
            f"(WeasyPrint itself, {EXTRA}, is installed). The other formats do not need them"
        ) from None
    return weasyprint


def built(weasyprint: Any, markup: str) -> bytes:
    """The PDF of a page that brings all it needs; RiskModelsError if it names anything outside, or cannot be drawn."""
    stopped = weasyprint.urls.FatalURLFetchingError
    with _failures() as failures:
        try:
            page = weasyprint.HTML(string=markup, url_fetcher=reader(weasyprint))
            content: bytes = page.write_pdf(pdf_variant=VARIANT)
        except stopped as error:
            raise RiskModelsError(f"the PDF would need something from outside its page: {str(error)[:120]}") from None
    if failures:
        raise RiskModelsError(f"a part of the PDF could not be drawn: {failures[0][:120]}")
    return content


def reader(weasyprint: Any) -> Any:
    """Reads what stands inside the page, and the two fonts; a page that names anything else stops the work."""

    class Reader(weasyprint.urls.URLFetcher):
        def fetch(self, url: str, headers: Mapping[str, str] | None = None) -> Any:
            if url.startswith(FONT_SCHEME) and url.removeprefix(FONT_SCHEME) in FONTS:
                return weasyprint.urls.URLFetcherResponse(url, _font(url.removeprefix(FONT_SCHEME)))
            return super().fetch(url, headers)

    return Reader(allowed_protocols=["data"], fail_on_errors=True)


@cache
def _font(name: str) -> bytes:
    import matplotlib

    return (Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name).read_bytes()


@contextlib.contextmanager
def _failures() -> Iterator[list[str]]:
    """What WeasyPrint logs as an error, such as a picture that it cannot draw. Its warnings go nowhere."""
    found: list[str] = []

    class Keeper(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(record.getMessage())

    logger, keeper = logging.getLogger("weasyprint"), Keeper(logging.ERROR)
    propagates, logger.propagate = logger.propagate, False
    logger.addHandler(keeper)
    try:
        yield found
    finally:
        logger.removeHandler(keeper)
        logger.propagate = propagates
