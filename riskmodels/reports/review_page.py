"""The record of a study's reviews as one self-contained HTML page, and as Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from riskmodels.reports.cells import NOT_PROVIDED, day_text
from riskmodels.reports.markdown import PARTS, plain
from riskmodels.reports.page import VERDICTS, page_bytes, state_class, template
from riskmodels.reports.review_outline import review_outline, state_of

Row = Mapping[str, Any]


def render_review(found: Row, title: str) -> bytes:
    """The page. The same account gives the same bytes; what people wrote stays text.

    Parameters
    ----------
    found : `riskmodels.governance.account.account`
    title : what the record is of: a study's name, or a model's
    """
    text = template("review.html").render(
        title=title,
        study=found["study"],
        today=day_text(found["today"]),
        state=state_of(found),
        state_class=_colour(found),
        seal=found["seal"],
        sections=review_outline(found),
        figures={},
        verdicts=VERDICTS,
        not_provided=NOT_PROVIDED,
    )
    return page_bytes(text)


def render_review_markdown(found: Row, title: str) -> bytes:
    """The same sections as Markdown; what people wrote cannot become markup."""
    lines = [f"# {plain(title)}: review record", f"As it stood on {plain(found['today'])}."]
    for section in review_outline(found):
        lines.append(f"## {section.number}. {plain(section.title)}")
        for part in section.parts:
            lines += PARTS[part["kind"]](part)
    return ("\n\n".join(lines) + "\n").encode()


def _colour(found: Row) -> str:
    shown = [one for one in found["versions"] if one["champion_since"]] or list(found["versions"])[-1:]
    return state_class(shown[0]["status"]) if shown else "draft"
