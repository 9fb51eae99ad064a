"""Pictures of what acting on the list does, drawn from the figure's own table and nothing else."""

from __future__ import annotations

import math
from typing import Any

from riskmodels.reports.drawing import BAND, BLUE, INK, ORANGE, QUIET, RULE, Content, canvas, svg, wrapped

TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 3, 5, 10, 20, 50, 100)
SAND, HATCH = "#f6e3da", "#e3b79f"  # the band of the second line is dotted as well


def draw_capacity_sweep(figure: Content) -> bytes:
    """How right a list is and how many it finds, against its size, which is drawn to a log scale."""
    from matplotlib.ticker import FixedLocator, NullLocator

    rows, columns = [list(row) for row in figure["table"]["rows"]], figure["table"]["columns"]
    picture, plot = canvas(5.0)
    size = [row[1] for row in rows]
    looks = ((2, BLUE, "o-", BAND, ""), (5, ORANGE, "s--", SAND, "..."))
    for first, colour, mark, band, hatch in looks:
        value, low, high = ([_number(row[first + offset]) for row in rows] for offset in range(3))
        plot.fill_between(size, low, high, facecolor=band, edgecolor=HATCH, hatch=hatch, linewidth=0, zorder=1)
        label = f"{wrapped(columns[first], 40)}\n(95% band)"
        plot.plot(size, value, mark, color=colour, linewidth=2, markersize=6, label=label, zorder=3)
    for row in rows:
        if row[8]:
            plot.axvline(row[1], color=INK, linewidth=1.2, linestyle=(0, (2, 2)), zorder=2)
            plot.annotate(
                str(row[8]), (row[1], 100), xytext=(5, -2), textcoords="offset points", va="top", color=INK, fontsize=11
            )
    plot.set_xscale("log")
    least, most = min(size), max(size)
    plot.set_xlim(least / 1.15, most * 1.15)
    ticks = [tick for tick in TICKS if least / 1.15 <= tick <= most * 1.15] or [least, most]
    plot.xaxis.set_major_locator(FixedLocator(ticks))
    plot.xaxis.set_minor_locator(NullLocator())
    plot.xaxis.set_major_formatter("{x:g}")
    plot.set_ylim(0, 100)
    plot.set_xlabel(f"{columns[1]} (1)")
    plot.set_ylabel("Of 100")
    plot.grid(axis="y", color=RULE, linewidth=0.5)
    plot.set_axisbelow(True)
    plot.tick_params(color=QUIET)
    picture.legend(loc="outside upper left", ncols=2, columnspacing=1.4, handlelength=2.4)
    return svg(picture)


def _number(value: Any) -> float:
    """A gap where there is no interval."""
    return math.nan if value is None else float(value)
