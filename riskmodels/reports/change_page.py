"""What changed between two cards as one self-contained HTML page, and as Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from riskmodels.reports.cells import NOT_PROVIDED
from riskmodels.reports.change_charts import draw_change
from riskmodels.reports.change_outline import change_outline
from riskmodels.reports.markdown import PARTS, plain
from riskmodels.reports.page import VERDICTS, data_uri, page_bytes, template

Row = Mapping[str, Any]


def render_change(change: Row) -> bytes:
    """``card diff --html``. The same change gives the same bytes.

    Parameters
    ----------
    change : `riskmodels.cards.change.Change.to_dict`; every number in it stands in one of the two cards,
        or counts what they hold
    """
    text = template("change.html").render(
        title=change["card"]["title"],
        study=change["card"]["study"],
        now=change["card"]["version"],
        then=change["against"]["version"],
        resets=change["resets_approval"],
        sections=change_outline(change),
        figures={name: data_uri(svg) for name, svg in draw_change(change["figures"]).items()},
        verdicts=VERDICTS,
        not_provided=NOT_PROVIDED,
    )
    return page_bytes(text)


def render_change_markdown(change: Row) -> bytes:
    """``card diff --md``: the same sections as the page. What people wrote cannot become markup."""
    lines = [f"# {plain(change['card']['title'])}: what changed"]
    for section in change_outline(change):
        lines.append(f"## {section.number}. {plain(section.title)}")
        for part in section.parts:
            lines += PARTS[part["kind"]](part)
    return ("\n\n".join(lines) + "\n").encode()
