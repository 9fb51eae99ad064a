"""The picture of what it would take, drawn from the figure's own table and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from riskmodels.reports.drawing import BLUE, INK, QUIET, RULE, Content, few_ticks, svg, wrapped
from riskmodels.reports.sheets import MARGIN, NARROW, NORMAL, SMALL, add_plot

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PANEL, FOOT, NAMES, LABEL = 2.9, 0.6, 1.42, 0.068  # inches; and the height of a label as a share of a panel
COULD = "could be done"
KEY = "Full: could be done. Hollow: a simulation.\nLine: the best of what could be done."


def draw_frontier(figure: Content) -> bytes:
    """A panel for each characteristic: the gap to the right, people reached upwards, each mark with its name.

    Rows of the table: `riskmodels.cards.mitigation_tables.FRONTIER_COLUMNS`. Full: could be done; hollow: a simulation;
    small: another number of places. A line joins what could be done where nothing else reaches as many with as small
    a gap.
    """
    from matplotlib.figure import Figure

    rows = [list(row) for row in figure["table"]["rows"]]
    titles = list(dict.fromkeys(str(row[0]) for row in rows))
    whole = PANEL * len(titles) + FOOT
    picture = Figure(figsize=(NARROW, whole))
    for place, title in enumerate(titles):
        above = 0.34 + PANEL * place
        plot = add_plot(picture, whole, left=0.6, right=NAMES, below=whole - above - PANEL + 0.68, above=above)
        _panel(plot, title, [row for row in rows if row[0] == title])
    picture.text(MARGIN / NARROW, 0.1 / whole, f"Across: largest gap between groups, of 100.\n{KEY}", fontsize=SMALL,
                 va="bottom", linespacing=1.2)  # fmt: skip
    return svg(picture)


def _panel(plot: Axes, title: str, rows: Sequence[Sequence[Any]]) -> None:
    line = sorted((row[4], row[5]) for row in rows if row[6] == "yes" and row[3] == COULD)
    plot.step([x for x, _ in line], [y for _, y in line], where="post", color=BLUE, linewidth=1.8, alpha=0.55, zorder=1)
    for row in rows:
        full, other_size = row[3] == COULD, row[6] == ""
        today = row[2] == "today"
        plot.plot(
            row[4], row[5], "D" if today else "o" if full else "s", color=INK if today else BLUE,
            markersize=5 if other_size else 9 if today else 8, markeredgewidth=1.6,
            markerfacecolor=(INK if today else BLUE) if full else "white", zorder=3, clip_on=False,
        )  # fmt: skip
    most = max(row[4] for row in rows)
    plot.set_xlim(0, 1.05 * most if most else 1)
    low, high = min(row[5] for row in rows), max(row[5] for row in rows)
    room = max(high - low, 4) * 0.12
    plot.set_ylim(max(0, low - room), high + room)
    _names(plot, rows)
    plot.set_title(wrapped(title, 34), loc="left", fontweight="bold", fontsize=NORMAL)
    plot.set_ylabel("Reached, of 100 places", fontsize=SMALL)
    plot.grid(axis="both", color=RULE, linewidth=0.5)
    plot.yaxis.set_major_locator(few_ticks(5))
    plot.xaxis.set_major_locator(few_ticks(5))


def _names(plot: Axes, rows: Sequence[Sequence[Any]]) -> None:
    """The names at the right of the panel, in the order of the marks' height, each led to its mark by a thin line."""
    bottom, top = plot.get_ylim()
    most = plot.get_xlim()[1]
    ordered = sorted(rows, key=lambda row: (row[5], -row[4], row[2]))
    heights = [(row[5] - bottom) / (top - bottom) for row in ordered]
    for row, height, place in zip(ordered, heights, spread(heights, LABEL), strict=True):
        plot.plot(
            [row[4] / most + 0.02, 1.02], [height, place], color=QUIET, linewidth=0.5, transform=plot.transAxes,
            clip_on=False, zorder=2,
        )  # fmt: skip
        plot.text(
            1.04, place, str(row[2]), transform=plot.transAxes, fontsize=SMALL, va="center",
            color=INK if row[3] == COULD else QUIET, fontstyle="normal" if row[3] == COULD else "italic",
        )  # fmt: skip


def spread(places: Sequence[float], least: float) -> list[float]:
    """Rising heights in [0, 1], moved to stand ``least`` apart: from the bottom up, then down from the top."""
    moved: list[float] = []
    for place in places:
        moved.append(max(place, moved[-1] + least) if moved else place)
    over = moved[-1] - 1.0 if moved else 0.0
    if over > 0:
        moved[-1] = 1.0
        for position in range(len(moved) - 2, -1, -1):
            moved[position] = min(moved[position], moved[position + 1] - least)
    return moved
