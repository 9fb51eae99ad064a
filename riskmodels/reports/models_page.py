"""Where every model stands as one self-contained HTML page, with the look and the parts of the card's page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from riskmodels.reports.cells import NOT_PROVIDED
from riskmodels.reports.models_figures import draw_timelines, figures_of
from riskmodels.reports.models_outline import models_outline, state_of, title_of
from riskmodels.reports.page import STATES, VERDICTS, data_uri, page_bytes, template

# How a state looks as a tag; the state itself stands in it in words, and each look has an edge of its own.
LOOKS = {"approved": "pass", "stopped": "fail", "waiting": "unsure", "draft": "unsure"}


def render_models(found: Mapping[str, Any]) -> bytes:
    """``models --html``. The same state on the same day gives the same bytes.

    Parameters
    ----------
    found : `riskmodels.commands.ModelsReport.found`, as plain values
    """
    figures = figures_of(found)
    text = template("models.html").render(
        today=found["today"],
        shut=[title_of(row) for row in found["in_use"] if row["stopped"]],
        sections=models_outline(found, figures),
        figures={name: data_uri(svg) for name, svg in draw_timelines(figures).items()},
        verdicts=VERDICTS | {state_of(row): _look(row) for row in found["versions"]},
        not_provided=NOT_PROVIDED,
    )
    return page_bytes(text)


def _look(row: Mapping[str, Any]) -> str:
    found = LOOKS[STATES.get(str(row["state"]), "stopped")]
    return "unsure" if found == "pass" and state_of(row) != row["state"] else found
