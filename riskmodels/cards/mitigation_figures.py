"""The frontier of benefit against gap, as numbers. Drawn by `riskmodels.reports.mitigation_charts`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from riskmodels.cards.card import Figure, Table
from riskmodels.cards.mitigation_tables import FRONTIER_COLUMNS, frontier_in_words, frontier_rows
from riskmodels.cards.words import attribute_words, capital

if TYPE_CHECKING:
    from riskmodels.cards.figures import Results


def mitigation(results: Results) -> Figure | str:
    """For each characteristic what was tried: how many of 100 places reach those in need, against the largest gap."""
    published, language = results.audit.get("mitigation"), results.language
    if published is None:
        return "not run (run --mitigate)"
    rows = frontier_rows(published, lambda name: capital(attribute_words(results.study, name)))
    if len(rows) < 2:
        return "too little of what was tried can be shown"
    return Figure(
        id="mitigation",
        title="What would it take: people reached against the gap",
        reading=(
            "Further left, groups are treated more alike; further up, more places reach those in need. The best of "
            "what could be done lies on the line. Hollow marks are simulations, which nobody may use."
        ),
        alt=(
            "Marks for what was tried: the further left, the smaller the gap between groups; the higher, the more "
            f"places reach those in need. Hollow marks are simulations. {frontier_in_words(rows)}"
        ),
        table=Table(
            caption="What was tried",
            columns=FRONTIER_COLUMNS,
            rows=rows,
            source="run --mitigate",
            note=(
                "Hollow: a simulation, which nobody may use. Small: another number of places. The line joins what "
                "could be done where nothing else reaches as many with as small a gap. Lots: places drawn by chance."
            ),
        ),
        unit=f"of 100, among {language.many} whose outcome is known",
        n=results.performance.get("known"),
        narrow=True,
    )
