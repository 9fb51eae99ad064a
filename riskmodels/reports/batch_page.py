"""The report of a batch as one self-contained HTML page, with the look and the parts of the card's page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from riskmodels.reports.batch_figures import draw_batch, figures_of
from riskmodels.reports.batch_outline import batch_outline
from riskmodels.reports.cells import NOT_PROVIDED
from riskmodels.reports.page import VERDICTS, data_uri, page_bytes, template


def render_batch(found: Mapping[str, Any]) -> bytes:
    """What became of a batch, in numbers alone. The same facts give the same bytes.

    Parameters
    ----------
    found : `riskmodels.service.outputs.published_batch.published_batch`
    """
    figures = figures_of(found)
    said = ("title", "question", "study", "as_of", "scored_on", "batch_id", "model_sha256", "example")
    text = template("batch.html").render(
        **{name: found[name] for name in said},
        sections=batch_outline(found, figures),
        figures={name: data_uri(svg) for name, svg in draw_batch(figures).items()},
        verdicts=VERDICTS,
        not_provided=NOT_PROVIDED,
    )
    return page_bytes(text)
