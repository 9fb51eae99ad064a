"""The card's figures as pictures, drawn from the figure's own table and nothing else.

``DRAWINGS`` is the table of them, by the figure's id. To add one, write its function, add its row, and add the figure
to `riskmodels.cards.figures`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from riskmodels.reports.audit_charts import draw_ratios
from riskmodels.reports.drawing import Content, draw
from riskmodels.reports.group_charts import draw_groups
from riskmodels.reports.mitigation_charts import draw_frontier
from riskmodels.reports.people_charts import draw_people, draw_units
from riskmodels.reports.risk_charts import draw_calibration, draw_net_benefit
from riskmodels.reports.sheets import TRACK, Bar, bars
from riskmodels.reports.time_charts import over_time, risk_over_time
from riskmodels.reports.use_charts import draw_capacity_sweep


def draw_figures(figures: Iterable[Content]) -> dict[str, bytes]:
    """SVG by figure id, for every figure that there is a drawing for.

    Parameters
    ----------
    figures : the card's figures as plain JSON values
    """
    return draw(figures, lambda figure: DRAWINGS.get(figure["id"]))


def _rows(figure: Content) -> list[list[Any]]:
    return [list(row) for row in figure["table"]["rows"]]


def _drivers(figure: Content) -> bytes:
    """Rows: field, parts of 100, which way it moves the risk."""
    return bars([Bar(str(row[0]), row[1], f"{row[1]:g} of 100", also=str(row[2] or "")) for row in _rows(figure)])


def _attrition(figure: Content) -> bytes:
    """Rows: step, how many are left."""
    rows, many = _rows(figure), str(figure["table"]["columns"][1]).lower()
    labels = [f"{row[1]:,}{f' {many}' if place == 0 else ''}" for place, row in enumerate(rows)]
    return bars([Bar(str(row[0]), row[1], label) for row, label in zip(rows, labels, strict=True)])


def _unknown(figure: Content) -> bytes:
    """Rows: fifth of risk, people, not known of 100."""
    lines = [Bar(str(row[0]), row[2], f"{row[2]:g} of 100") for row in _rows(figure)]
    return bars(lines, hatch="///", whole=TRACK)


def _stability(figure: Content) -> bytes:
    """Rows: what, of 100, and where nine draws of ten lie."""
    lines = [Bar(str(row[0]), row[1], f"{row[1]:g} of 100", low=row[2], high=row[3]) for row in _rows(figure)]
    return bars(lines, whole=TRACK)


DRAWINGS: dict[str, Callable[[Content], bytes]] = {
    "people_per_100": draw_people,
    "units_per_100": draw_units,
    "missed_per_100": draw_people,
    "missed_units_per_100": draw_units,
    "attrition": _attrition,
    "unknown_by_fifth": _unknown,
    "calibration": draw_calibration,
    "net_benefit": draw_net_benefit,
    "capacity_sweep": draw_capacity_sweep,
    "over_time": over_time,
    "risk_over_time": risk_over_time,
    "stability": _stability,
    "group_ratios": draw_ratios,
    "groups": draw_groups,
    "mitigation": draw_frontier,
    "drivers": _drivers,
}
