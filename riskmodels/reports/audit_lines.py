"""The audit's pictures of lines, drawn from the figure's own table: a rate by age, and by the number of places."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from riskmodels.reports.drawing import BAND, BLUE, EDGE, INK, ORANGE, QUIET, Content, svg, wrapped
from riskmodels.reports.sheets import NORMAL, names_at_ends, two_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TALL = 3.4  # inches
# Of up to five lines: colour, pattern, mark.
LINES = (
    (BLUE, "-", "o"), (ORANGE, "--", "s"), (INK, "-.", "^"), (QUIET, ":", "D"), (BLUE, (0, (1, 1)), "v"),
)  # fmt: skip


def draw_curve(figure: Content) -> bytes:
    """A curve with its band. Rows of the table: where; of 100, at least, at most."""
    rows, columns = [list(row) for row in figure["table"]["rows"]], figure["table"]["columns"]
    picture, plot = _plot(0.16)
    banded = [row for row in rows if row[2] is not None and row[3] is not None]
    if banded:
        plot.fill_between([row[0] for row in banded], [row[2] for row in banded], [row[3] for row in banded],
                          facecolor=BAND, edgecolor=EDGE, linewidth=0.7)  # fmt: skip
    plot.plot([row[0] for row in rows], [row[1] for row in rows], color=BLUE, linewidth=2.2)
    top = max(max(row[1], row[3] or 0) for row in rows)
    plot.set_ylim(0, min(100, 1.1 * top) or 1)
    plot.set_xlim(rows[0][0], rows[-1][0])
    plot.set_xlabel(str(columns[0]), fontsize=11)
    return svg(picture)


def draw_sweep(figure: Content) -> bytes:
    """A line for each group, named at its end. Rows: group; times today's places; of 100, at least, at most."""
    from matplotlib.ticker import FixedLocator, NullLocator

    rows = [list(row) for row in figure["table"]["rows"]]
    lines = [(name, list(points)) for name, points in groupby(rows, key=lambda row: row[0])]
    picture, plot = _plot(1.4)
    shares = sorted({row[1] for row in rows})
    plot.set_xscale("log")
    plot.set_xlim(shares[0] / 1.05, shares[-1] * 1.05)
    plot.set_ylim(0, min(100, 1.1 * max(row[2] for row in rows)) or 1)
    for (_, points), (colour, pattern, mark) in zip(lines, LINES, strict=False):
        plot.plot([row[1] for row in points], [row[2] for row in points], color=colour, linestyle=pattern, marker=mark,
                  markersize=5, linewidth=1.8, clip_on=False)  # fmt: skip
    if shares[0] < 1 < shares[-1]:
        plot.axvline(1, color=INK, linewidth=0.9, linestyle=(0, (2, 2)), zorder=1)
    ends = zip(lines, LINES, strict=False)
    names_at_ends(plot, [(wrapped(str(name), 14), points[-1][2], look[0], look[2]) for (name, points), look in ends],
                  across=1.07)  # fmt: skip
    words = {0.25: "¼", 0.5: "half", 1: "today's"}
    plot.xaxis.set_major_locator(FixedLocator([share for share in shares if share in (0.25, 0.5, 1, 2, 3)] or shares))
    plot.xaxis.set_minor_locator(NullLocator())
    plot.xaxis.set_major_formatter(lambda share, _: words.get(round(share, 3), f"{share:g}×"))
    plot.set_xlabel("Places, as a multiple of today's", fontsize=11)
    return svg(picture)


def _plot(right: float) -> tuple[Figure, Axes]:
    """A picture with so many inches free at the right."""
    picture, plot = two_axes(TALL, right=right)
    plot.set_ylabel("Of 100", fontsize=NORMAL)
    return picture, plot
