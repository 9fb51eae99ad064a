"""The picture of what it would take, drawn from the figure's own table and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from riskmodels.reports.drawing import BLUE, INK, QUIET, RULE, Content, few_ticks, svg, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NARROW = 4.2  # inches: as wide as a phone
PANEL, LABEL = 2.9, 0.062  # height of a panel in inches, and of a label as a share of it
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
    picture = Figure(figsize=(NARROW, PANEL * len(titles) + 0.3), layout="constrained")
    panels = picture.subplots(len(titles), 1, squeeze=False)[:, 0]
    for plot, title in zip(panels, titles, strict=True):
        _panel(plot, title, [row for row in rows if row[0] == title])
    panels[-1].set_xlabel(f"Largest gap between groups, of 100\n{KEY}", fontsize=10)
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
    plot.set_title(wrapped(title, 34), loc="left", fontweight="bold")
    plot.set_ylabel("Reached, of 100 places", fontsize=10)
    plot.grid(axis="both", color=RULE, linewidth=0.5)
    plot.set_axisbelow(True)
    plot.yaxis.set_major_locator(few_ticks(5))
    plot.xaxis.set_major_locator(few_ticks(5))


def _names(plot: Axes, rows: Sequence[Sequence[Any]]) -> None:
    """The names at the right of the panel, in the order of the marks' height, each led to its mark by a thin line."""
    bottom, top = plot.get_ylim()
    ordered = sorted(rows, key=lambda row: (row[5], -row[4], row[2]))
    places = spread([(row[5] - bottom) / (top - bottom) for row in ordered], LABEL)
    for row, place in zip(ordered, places, strict=True):
        plot.annotate(
            str(row[2]), xy=(row[4], row[5]), xycoords="data", xytext=(1.04, place), textcoords="axes fraction",
            fontsize=9.5, va="center", color=INK if row[3] == COULD else QUIET,
            fontstyle="normal" if row[3] == COULD else "italic", annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": QUIET, "linewidth": 0.5, "shrinkA": 1, "shrinkB": 4},
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
