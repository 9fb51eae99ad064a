"""Whether risks come true and whether acting on them pays, drawn from the figure's own table and nothing else."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from riskmodels.reports.drawing import BAND, BAR, BLUE, EDGE, INK, ORANGE, QUIET, Content, svg, wrapped
from riskmodels.reports.sheets import NARROW, NORMAL, SMALL, add_plot, names_at_ends, round_ticks, two_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TALL, LOW = 5.7, 1.25  # inches: the picture, and where the people stand below it
KEY = 0.78


def draw_calibration(figure: Content) -> bytes:
    """Dots, a curve with its band and the line on which risks come true; below, where the people are.

    Rows of the table: risk from, to, people, predicted, came about, at least, at most. Of the curve: predicted, came
    about, at least, at most. A row without people (the public edition) leaves the lower part out.
    """
    from matplotlib.figure import Figure as NewFigure

    rows = [list(row) for row in figure["table"]["rows"]]
    curve = [list(row) for row in (figure.get("curve") or {}).get("rows") or []]
    many = str(figure["table"]["columns"][2])
    picture = NewFigure(figsize=(NARROW, TALL))
    top = add_plot(picture, TALL, below=LOW + 0.36, above=KEY)
    below = add_plot(picture, TALL, below=0.55, above=TALL - LOW)
    # No more of the axes than there is to see, and both alike, so that the diagonal stays one.
    seen = [value for row in rows for value in (row[3], row[4], row[6]) if value is not None]
    seen += [max(row[0], row[3] or 0) for row in curve]
    limit = min(100, max(20, 10 * math.ceil(max(seen) / 10)))
    for plot in (top, below):
        plot.set_xlim(0, limit)
        plot.xaxis.set_major_locator(round_ticks(6))
    top.set_ylim(0, limit)
    top.yaxis.set_major_locator(round_ticks(6))
    top.tick_params(axis="x", labelbottom=False)
    _come_true(top, limit)
    if curve:
        _band(top, [row[0] for row in curve], [row[2] for row in curve], [row[3] for row in curve])
        top.plot([row[0] for row in curve], [row[1] for row in curve], color=BLUE, linewidth=2, zorder=3)
    for row in rows:
        if row[5] is not None and row[6] is not None:
            top.plot([row[3], row[3]], [row[5], row[6]], color=ORANGE, linewidth=1.6, zorder=4)
    # A group without any event lies on the axis, so nothing is cut off there.
    top.plot(
        [row[3] for row in rows], [row[4] for row in rows], "o", color=ORANGE, markersize=7, markeredgecolor="white",
        zorder=5, clip_on=False,
    )  # fmt: skip
    top.set_ylabel("Came about, of 100", fontsize=NORMAL)
    _people(below, rows, limit, many)
    below.set_xlabel("Risk that was given, of 100", fontsize=NORMAL)
    _key(top, many.lower(), bool(curve))
    return svg(picture)


def _come_true(plot: Axes, limit: float) -> None:
    """The diagonal, and what it means to lie on either side of it."""
    plot.plot([0, limit], [0, limit], color=QUIET, linestyle=(0, (4, 3)), linewidth=1.2, zorder=2)
    quiet: dict[str, Any] = {"fontsize": SMALL, "color": QUIET, "transform": plot.transAxes}
    plot.text(0.03, 0.96, "More came about\nthan the risks said", va="top", linespacing=1.15, **quiet)
    plot.text(0.97, 0.04, "Fewer came about\nthan the risks said", va="bottom", ha="right", linespacing=1.15, **quiet)


def _band(plot: Axes, x: list[float], low: list[float | None], high: list[float | None]) -> None:
    """An interval along a line: shaded, with edges that can be told from the page."""
    ends = [(at, least, most) for at, least, most in zip(x, low, high, strict=True) if None not in (least, most)]
    if len(ends) < 2:
        return
    places, least, most = (list(values) for values in zip(*ends, strict=True))
    plot.fill_between(places, least, most, facecolor=BAND, edgecolor=EDGE, linewidth=0.7, zorder=1)


def _people(plot: Axes, rows: list[list[Any]], limit: float, many: str) -> None:
    """Groups differ in width, so their height is people for each step of risk: the area is people."""
    for low, high, people in (row[:3] for row in rows):
        if people is not None and low < limit:
            # Where all have one risk, the group has no width, and is drawn as wide as a line.
            width = max(min(high, limit) - low, limit / 100)
            plot.bar(low, people / width, width=width, align="edge", color=BAR, edgecolor="white", linewidth=0.6)
    plot.set_yticks([])
    plot.spines["left"].set_visible(False)
    said = f"How many {many.lower()} had such a risk"
    plot.text(1, 1.06, said, transform=plot.transAxes, fontsize=SMALL, ha="right", va="bottom", color=INK)


def _key(plot: Axes, many: str, with_curve: bool) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    marks: list[Any] = [
        Line2D([], [], color=ORANGE, marker="o", markersize=7, markeredgecolor="white", linewidth=1.6,
               label=f"Groups of {many}, with 95% interval"),
        Line2D([], [], color=QUIET, linestyle=(0, (4, 3)), linewidth=1.2, label="Here the risks come true"),
    ]  # fmt: skip
    if with_curve:
        marks.insert(1, (Patch(facecolor=BAND, edgecolor=EDGE), Line2D([], [], color=BLUE, linewidth=2)))
    words = [mark[1].get_label() if isinstance(mark, tuple) else mark.get_label() for mark in marks]
    if with_curve:
        words[1] = "The same as a smooth line, with 95% band"
    plot.legend(
        handles=marks, labels=words, loc="lower left", bbox_to_anchor=(-0.17, 1.0), borderaxespad=0.1, fontsize=SMALL,
        handlelength=2.2, labelspacing=0.3,
    )  # fmt: skip


# ---------------------------------------------------------------- net benefit


def draw_net_benefit(figure: Content) -> bytes:
    """Three lines named at their ends. Rows: threshold; acting, at least, at most; helping all; helping none."""
    rows = [list(row) for row in figure["table"]["rows"]]
    picture, plot = two_axes(4.0, left=0.68, right=1.22, below=0.72)
    x = [row[0] for row in rows]
    _band(plot, x, [row[2] for row in rows], [row[3] for row in rows])
    few = len(rows) <= 12
    lines = (
        ("Acting on\nthe risks", 1, BLUE, "o", "-"),
        ("Helping all", 4, ORANGE, "s", "--"),
        ("Helping none", 5, QUIET, "^", ":"),
    )
    for _, column, colour, mark, stroke in lines:
        plot.plot(
            x, [row[column] for row in rows], color=colour, linestyle=stroke, marker=mark if few else "",
            linewidth=2 if column == 1 else 1.6, markersize=6.5 if column == 1 else 5.5, zorder=3,
        )  # fmt: skip
    values = [row[1] for row in rows] + [row[4] for row in rows if row[4] is not None]
    highest = [row[3] for row in rows if row[3] is not None]
    top = max(*values, *highest, 1.0)
    # Helping all falls without end; the picture keeps to where the choice lies.
    plot.set_ylim(max(min(*values, 0.0), -0.45 * top) - 0.05 * top, top * 1.1)
    plot.yaxis.set_major_locator(round_ticks(6))
    if few:
        plot.set_xticks(x, [f"{value:g}" for value in x])
    plot.set_xlabel(wrapped("Help is worth it from this risk, of 100", 30), fontsize=NORMAL)
    plot.set_ylabel("Net benefit for 100", fontsize=NORMAL)
    names_at_ends(plot, [(name, rows[-1][column], colour, mark) for name, column, colour, mark, _ in lines
                         if rows[-1][column] is not None])  # fmt: skip
    return svg(picture)
