"""A rate of each group with its interval, drawn from the figure's own table and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from riskmodels.reports.drawing import BAND, BLUE, EDGE, INK, Content, svg, wrapped
from riskmodels.reports.sheets import (
    LINE,
    SMALL,
    STRONG,
    at_left,
    at_right,
    further_lines,
    of_100_axis,
    sheet,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HEAD, KEY, HALF = 0.42, 0.23, 0.09  # inches: a heading, a line of the key, half the height of a shaded ground
NAME_LETTERS = 26


def draw_groups(figure: Content) -> bytes:
    """For each characteristic its groups: name and number above, dot and interval below, on its reference's ground.

    Rows of the table: characteristic; group; people; of 100, at least, at most; role ("reference" or nothing).
    """
    return draw_named_groups(figure["table"]["rows"])


def draw_named_groups(
    rows: Sequence[Sequence[Any]], *, banded: bool = True, least: float = 0.0, words: str = "Of 100"
) -> bytes:
    """As `draw_groups`.

    Parameters
    ----------
    banded : whether a ground shows 0.8 to 1.25 times the number of the reference
    least : where the scale begins
    words : what stands below the scale
    """
    blocks: dict[str, list[Sequence[Any]]] = {}
    for row in rows:
        blocks.setdefault(str(row[0]), []).append(row)
    referred = any(row[6] for row in rows)
    at, heads, places = KEY * (1 + referred + (referred and banded)), {}, {}
    for title, block in blocks.items():
        heads[title] = at + 0.2
        at += HEAD
        for position, row in enumerate(block):
            name = wrapped(str(row[1]), NAME_LETTERS)
            at += LINE + further_lines(name)
            places[title, position] = (name, at - 0.12)
        at += 0.12
    picture, plot = sheet(at, words=words)
    most = max(max(row[5] or row[3], 1.25 * row[3] if row[6] and banded else 0) for row in rows)
    of_100_axis(plot, most, words)
    plot.set_xlim(left=least)
    _key(plot, referred=referred, banded=referred and banded)
    for title, block in blocks.items():
        at_left(plot, heads[title], title, fontsize=STRONG, fontweight="bold")
        reference = next((row[3] for row in block if row[6] and banded), None)
        for position, row in enumerate(block):
            name, y = places[title, position]
            _line(plot, row, name, y, reference)
    return svg(picture)


def _line(plot: Axes, row: Sequence[Any], name: str, y: float, reference: float | None) -> None:
    value, low, high, role = row[3], row[4], row[5], bool(row[6])
    if reference is not None:
        ground = [0.8 * reference, 1.25 * reference]
        plot.fill_between(ground, y - HALF, y + HALF, facecolor=BAND, edgecolor=EDGE, linewidth=0.7, zorder=1)
    at_left(plot, y - 0.2 - further_lines(name) / 2, name, linespacing=1.15)
    said = f"{value:g}" if low is None or high is None else f"{value:g} ({low:g} to {high:g})"
    at_right(plot, y - 0.2 - further_lines(name), said)
    colour = INK if role else BLUE
    if low is not None and high is not None:
        plot.plot([low, high], [y, y], color=colour, linewidth=2, zorder=3, solid_capstyle="butt")
    plot.plot(
        value, y, marker="D" if role else "o", markersize=8, color=colour, markeredgewidth=1.8, zorder=4,
        markerfacecolor="white" if role else colour,
    )  # fmt: skip


def _key(plot: Axes, *, referred: bool, banded: bool) -> None:
    """What each mark is, above the lines."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    marks: list[Any] = [
        Line2D([], [], color=BLUE, marker="o", markersize=8, linewidth=2, label="Group, with 95% interval"),
    ]
    if referred:
        marks.append(
            Line2D([], [], color=INK, marker="D", markersize=7, markerfacecolor="white", markeredgewidth=1.8,
                   linewidth=2, label="The one compared with")
        )  # fmt: skip
    if banded:
        marks.append(Patch(facecolor=BAND, edgecolor=EDGE, linewidth=0.7, label="0.8 to 1.25 times its number"))
    plot.legend(
        handles=marks, loc="upper left", bbox_to_anchor=(-0.02, 1.0), borderaxespad=0.0, fontsize=SMALL,
        handletextpad=0.6, handlelength=2.0, labelspacing=0.3,
    )  # fmt: skip
