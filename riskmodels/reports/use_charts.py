"""Pictures of what acting on the list does, drawn from the figure's own table and nothing else."""

from __future__ import annotations

import math
from typing import Any

from riskmodels.reports.drawing import BAND, BLUE, EDGE, INK, ORANGE, Content, svg, wrapped
from riskmodels.reports.sheets import NORMAL, SMALL, two_axes

TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 3, 5, 10, 20, 50, 100)
WORDS = {0.1: "a tenth", 0.2: "a fifth", 0.5: "half", 1: "as now", 2: "twice"}
LETTERS = 44
SAND, SAND_EDGE = "#f6e3da", "#b9704a"  # the band of the second line


def draw_capacity_sweep(figure: Content) -> bytes:
    """How right a list is and how many it finds, against its size, which is drawn to a log scale."""
    from matplotlib.ticker import FixedLocator, NullLocator

    rows, columns = [list(row) for row in figure["table"]["rows"]], figure["table"]["columns"]
    lines = sum(wrapped(str(columns[first]), LETTERS).count("\n") + 1 for first in (2, 5))
    picture, plot = two_axes(4.1 + 0.2 * lines, left=0.68, above=0.2 + 0.2 * lines)
    size = [row[1] for row in rows]
    for first, colour, mark, band, edge in ((2, BLUE, "o-", BAND, EDGE), (5, ORANGE, "s--", SAND, SAND_EDGE)):
        value, low, high = ([_number(row[first + offset]) for row in rows] for offset in range(3))
        plot.fill_between(size, low, high, facecolor=band, edgecolor=edge, linewidth=0.7, zorder=1)
        label = wrapped(str(columns[first]), LETTERS)
        plot.plot(size, value, mark, color=colour, linewidth=2, markersize=6, label=label, zorder=3)
    for row in rows:
        if row[8]:
            plot.axvline(row[1], color=INK, linewidth=1.2, linestyle=(0, (2, 2)), zorder=2)
    plot.set_xscale("log")
    least, most = min(size), max(size)
    plot.set_xlim(least / 1.15, most * 1.15)
    ticks = [tick for tick in TICKS if least / 1.15 <= tick <= most * 1.15] or [least, most]
    ticks = _apart(ticks, most * 1.3 / least)
    plot.xaxis.set_major_locator(FixedLocator(ticks))
    plot.xaxis.set_minor_locator(NullLocator())
    plot.set_xticks(ticks, [WORDS.get(tick, f"{tick:.3g} times") for tick in ticks])
    seen = [number for row in rows for number in row[2:8] if number is not None]
    plot.set_ylim(0, min(100, 10 * math.ceil(1.05 * max(seen) / 10)) or 10)
    plot.set_xlabel("Places on the list, compared with now", fontsize=NORMAL)
    plot.set_ylabel("Of 100 (shaded: 95% interval)", fontsize=NORMAL)
    plot.legend(
        loc="lower left", bbox_to_anchor=(-0.19, 1.0), borderaxespad=0.1, fontsize=SMALL, handlelength=2.4,
        labelspacing=0.3,
    )  # fmt: skip
    return svg(picture)


def _apart(ticks: list[float], span: float) -> list[float]:
    """As many marks as there is room for between their words, from "as now" outwards."""
    room = 0.17 * math.log(span)
    kept: list[float] = []
    for tick in sorted(ticks, key=lambda one: abs(math.log(one))):
        if all(abs(math.log(tick / other)) >= room for other in kept):
            kept.append(tick)
    return sorted(kept)


def _number(value: Any) -> float:
    """A gap where there is no interval."""
    return math.nan if value is None else float(value)
