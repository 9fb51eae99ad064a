"""The pictures of a change between two cards, drawn from the figure's own table and nothing else.

They are as wide as a phone: each figure has its name above it, and two lines below, last time's above today's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from riskmodels.reports.drawing import BLUE, ORANGE, QUIET, Content, draw, svg, wrapped
from riskmodels.reports.sheets import at_left, at_right, further_lines, of_100_axis, sheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Inches: for the legend, for a figure with its name, and how far below its name each of its two lines lies.
LEGEND, LINE, THEN, NOW = 0.4, 0.72, 0.22, 0.39
CLEAR = "more than chance"
NAME_WIDTH = 44  # characters


def draw_change(figures: Iterable[Content]) -> dict[str, bytes]:
    """SVG by figure id. Every figure is drawn alike.

    Rows of the table: words; of 100 last time, at least, at most; the same now; whether it is a change.
    """
    return draw(figures, lambda figure: _then_and_now)


def _then_and_now(figure: Content) -> bytes:
    rows = figure["table"]["rows"]
    names = [wrapped(str(row[0]), NAME_WIDTH) for row in rows]
    picture, plot = sheet(LEGEND + sum(LINE + further_lines(name) for name in names))
    of_100_axis(plot, max(value for row in rows for value in row[1:7] if value is not None))
    _legend(plot)
    y = LEGEND + 0.1
    for name, row in zip(names, rows, strict=True):
        at_left(plot, y + further_lines(name) / 2, name, fontsize=11, linespacing=1.15, bbox=GROUND)
        y += further_lines(name)
        is_clear = row[7] == CLEAR
        _estimate(plot, y + THEN, row[1:4], QUIET, "D", "white")
        _estimate(plot, y + NOW, row[4:7], *((ORANGE, "s", ORANGE) if is_clear else (BLUE, "o", BLUE)))
        if is_clear:
            at_right(plot, y, CLEAR, fontsize=10, fontweight="bold", color=ORANGE, bbox=GROUND)
        y += LINE
    return svg(picture)


GROUND = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}  # so that no line of the grid runs through a word


def _estimate(plot: Axes, y: float, ends: Sequence[Any], colour: str, mark: str, face: str) -> None:
    value, low, high = ends
    if low is not None and high is not None:
        plot.plot([low, high], [y, y], color=colour, linewidth=2, zorder=3)
    plot.plot(
        value, y, marker=mark, markersize=7, color=colour, markerfacecolor=face, markeredgewidth=1.6, zorder=4,
        clip_on=False,
    )  # fmt: skip


def _legend(plot: Axes) -> None:
    from matplotlib.lines import Line2D

    marks = [
        Line2D([], [], color=QUIET, marker="D", markersize=7, markerfacecolor="white", linewidth=2, label="last time"),
        Line2D([], [], color=BLUE, marker="o", markersize=7, linewidth=2, label="now"),
    ]
    plot.legend(
        handles=marks, loc="upper left", bbox_to_anchor=(0, 1.0), borderaxespad=0, borderpad=0, ncols=2, fontsize=11,
        handlelength=1.8, columnspacing=1.4,
    )  # fmt: skip
