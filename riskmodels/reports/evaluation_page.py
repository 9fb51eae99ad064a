"""An evaluation as one self-contained HTML page, with the look and the parts of the card's page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from riskmodels.reports.cells import NOT_PROVIDED
from riskmodels.reports.charts import draw_figures
from riskmodels.reports.evaluation_figures import figures_of
from riskmodels.reports.evaluation_outline import evaluation_outline
from riskmodels.reports.page import VERDICTS, data_uri, page_bytes, template


def render_evaluation(found: Mapping[str, Any]) -> bytes:
    """``evaluate --html``. The same evaluation gives the same bytes. It has exact counts and says so.

    Parameters
    ----------
    found : what ``evaluate --json`` writes; ``about`` has the file's name and those of its columns
    """
    figures = figures_of(found)
    text = template("evaluation.html").render(
        title=found["about"]["file"],
        n=found["n"],
        events=found["events"],
        unknown=found["unknown"],
        sections=evaluation_outline(found, figures),
        figures={name: data_uri(svg) for name, svg in draw_figures(figures).items()},
        verdicts=VERDICTS,
        not_provided=NOT_PROVIDED,
    )
    return page_bytes(text)
