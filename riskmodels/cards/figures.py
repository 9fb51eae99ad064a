"""The card's figures as numbers: each with its alternative text, data table, unit and n.

The drawing (`riskmodels.reports.charts`) takes these tables and nothing else, so a picture cannot say what the card
does not. A title says what is to be seen, ``reading`` how to read it. ``FIGURES`` is the table of them: to add one,
write its function, add its row here, and draw it there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from riskmodels.cards.card import Figure
from riskmodels.cards.group_figures import drivers, group_ratios, groups
from riskmodels.cards.list_figures import attrition, missed_per_100, people_per_100, stability, unknown_by_fifth
from riskmodels.cards.mitigation_figures import mitigation
from riskmodels.cards.risk_figures import calibration, net_benefit
from riskmodels.cards.time_figures import over_time, risk_over_time
from riskmodels.cards.use_figures import capacity_sweep
from riskmodels.cards.words import Language
from riskmodels.study import StudyFile

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Results:
    """What the figures are made from, as published."""

    study: StudyFile
    language: Language
    performance: Row
    audit: Row
    explanation: Row
    attrition: tuple[Row, ...]
    test_dates: tuple[str, ...]


def build_figures(results: Results) -> tuple[tuple[Figure, ...], dict[str, str]]:
    """Every figure that can be shown, and why the others cannot."""
    made = {name: build(results) for name, build in FIGURES.items()}
    figures = tuple(figure for figure in made.values() if isinstance(figure, Figure))
    return figures, {f"figures.{name}": reason for name, reason in made.items() if isinstance(reason, str)}


FIGURES: dict[str, Callable[[Results], Figure | str]] = {
    "people_per_100": people_per_100,
    "missed_per_100": missed_per_100,
    "attrition": attrition,
    "unknown_by_fifth": unknown_by_fifth,
    "calibration": calibration,
    "net_benefit": net_benefit,
    "capacity_sweep": capacity_sweep,
    "over_time": over_time,
    "risk_over_time": risk_over_time,
    "stability": stability,
    "group_ratios": group_ratios,
    "groups": groups,
    "mitigation": mitigation,
    "drivers": drivers,
}
