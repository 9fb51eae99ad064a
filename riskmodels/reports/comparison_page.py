"""A comparison of runs as one self-contained HTML page, with the look and the parts of the card's page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from riskmodels.reports.cells import NOT_PROVIDED
from riskmodels.reports.comparison_charts import draw_comparison
from riskmodels.reports.comparison_outline import comparison_outline
from riskmodels.reports.page import VERDICTS, data_uri, page_bytes, template


def render_comparison(comparison: Mapping[str, Any]) -> bytes:
    """``compare --html``. The same comparison gives the same bytes.

    Parameters
    ----------
    comparison : what ``compare --json`` writes; every number in it may be published
    """
    sections, figures = comparison_outline(comparison)
    text = template("comparison.html").render(
        title=comparison["title"],
        study=comparison["study"],
        below=comparison["disclosure"]["below"],
        runs=[run["name"] for run in comparison["runs"]],
        sections=sections,
        figures={name: data_uri(svg) for name, svg in draw_comparison(figures).items()},
        verdicts=VERDICTS,
        not_provided=NOT_PROVIDED,
    )
    return page_bytes(text)
