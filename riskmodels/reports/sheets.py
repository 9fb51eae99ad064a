"""Pictures as wide as a phone: named lines below each other, bars, and plots with fixed margins.

Places on the page are in inches, so that a picture of many lines is as well spaced as one of few, and nothing has to
be laid out twice. Each line has its name above it rather than beside it, so that the text keeps its size.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from riskmodels.reports.drawing import BLUE, INK, QUIET, RULE, svg, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NARROW = 4.2  # inches
# Inches: at the sides, for the axis, for a line with its name, for a further line of text.
MARGIN, AXIS, LINE, NEXT = 0.16, 0.55, 0.44, 0.18
SMALL, NORMAL, STRONG = 10.5, 11.0, 13.0  # points
PER_LETTER = 0.088  # inches that a letter of the normal size takes, on average
MOST_LETTERS = 44  # of the normal size that fit beside each other
BAR, TRACK = 0.2, 100.0
MARK: dict[str, Any] = {
    "linestyle": "", "marker": "D", "color": INK, "markerfacecolor": "white", "markeredgewidth": 1.6, "markersize": 8,
}  # fmt: skip


# ---------------------------------------------------------------- sheets of lines


def sheet(height: float, *, axis: bool = True, words: str = "") -> tuple[Figure, Axes]:
    """A picture of so many inches below its margins, with y in inches downwards; ``words`` stand below its axis."""
    from matplotlib.figure import Figure as NewFigure

    below = AXIS + further_lines(words) if axis else 0.1
    whole = height + below + 0.08
    picture = NewFigure(figsize=(NARROW, whole))
    plot = picture.add_axes((MARGIN / NARROW, below / whole, 1 - 2 * MARGIN / NARROW, height / whole))
    plot.set_ylim(height, 0)
    plot.set_yticks([])
    plot.spines["left"].set_visible(False)
    if not axis:
        plot.set_xticks([])
        plot.spines["bottom"].set_visible(False)
    return picture, plot


def at_left(plot: Axes, y: float, text: str, **look: Any) -> None:
    plot.text(0, y, text, transform=plot.get_yaxis_transform(), va="center", **{"fontsize": NORMAL, **look})


def at_right(plot: Axes, y: float, text: str, **look: Any) -> None:
    plot.text(1, y, text, transform=plot.get_yaxis_transform(), va="center", ha="right", **{"fontsize": NORMAL, **look})


def further_lines(text: str) -> float:
    """Inches that wrapped text needs beyond its first line."""
    return NEXT * text.count("\n")


def of_100_axis(plot: Axes, most: float, words: str = "Of 100") -> None:
    """A scale of 100 that is no longer than needed, with round marks."""
    plot.set_xlim(0, min(100, most * 1.08) or 1)
    plot.xaxis.set_major_locator(round_ticks(5))
    plot.set_xlabel(words, fontsize=NORMAL)
    plot.tick_params(axis="x", labelsize=NORMAL)
    plot.grid(axis="x", color=RULE, linewidth=0.5)
    plot.set_axisbelow(True)


def round_ticks(most: int) -> Any:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(nbins=most, steps=[1, 2, 5, 10])


# ---------------------------------------------------------------- bars


@dataclass(frozen=True)
class Bar:
    """One bar: its name, its length, what stands at its end, and a quiet line below its name.

    ``low`` and ``high``: the ends of its interval, where it has one. ``mark``: another number to hold it against.
    """

    name: str
    value: float
    label: str
    also: str = ""
    low: float | None = None
    high: float | None = None
    mark: float | None = None


def bars(
    lines: Sequence[Bar], *, hatch: str = "", whole: float | None = None, key: tuple[str, str] | None = None
) -> bytes:
    """Bars below their names, with their numbers at the end; no axis, since each says its number.

    Parameters
    ----------
    hatch : of bars that stand for what is not known
    whole : the length that stands for all, drawn as an empty frame behind each bar
    key : what a bar is and what a mark is, where there are marks
    """
    names = [wrapped(line.name, MOST_LETTERS) for line in lines]
    tops, at = [], 0.5 if key else 0.0
    for line, name in zip(lines, names, strict=True):
        tops.append(at)
        at += 0.26 + further_lines(name) + (NEXT if line.also else 0.0) + BAR + 0.2
    picture, plot = sheet(at - 0.1, axis=False)
    room = 0.16 + PER_LETTER * max(len(line.label) for line in lines)
    longest = max(whole or 0.0, *(max(line.value, line.high or 0.0, line.mark or 0.0) for line in lines)) or 1.0
    width = NARROW - 2 * MARGIN
    plot.set_xlim(0, longest * width / (width - room))
    for line, name, top in zip(lines, names, tops, strict=True):
        more = further_lines(name)
        at_left(plot, top + 0.13 + more / 2, name, linespacing=1.15)
        if line.also:
            at_left(plot, top + 0.13 + more + NEXT, line.also, fontsize=SMALL, color=QUIET)
        middle = top + 0.26 + more + (NEXT if line.also else 0.0) + BAR / 2
        _bar(plot, line, middle, hatch, whole)
    if key:
        _bar_key(plot, key)
    return svg(picture)


def _bar_key(plot: Axes, key: tuple[str, str]) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = [Patch(color=BLUE, label=key[0]), Line2D([], [], label=key[1], **MARK)]
    plot.legend(handles=handles, loc="upper left", bbox_to_anchor=(-0.02, 1.0), borderaxespad=0.0, fontsize=SMALL)


def _bar(plot: Axes, line: Bar, y: float, hatch: str, whole: float | None) -> None:
    if whole is not None:
        plot.barh(y, whole, height=BAR, color="white", edgecolor=QUIET, linewidth=0.8)
    plot.barh(
        y,
        line.value,
        height=BAR,
        color="white" if hatch else BLUE,
        edgecolor=BLUE,
        hatch=hatch,
        linewidth=1.2,
        zorder=2,
    )
    end = max(line.value, whole or 0.0)
    if line.low is not None and line.high is not None:
        below = y + BAR / 2 + 0.07
        plot.plot([line.low, line.high], [below] * 2, color=INK, linewidth=2, marker="|", markersize=6, zorder=4)
    if line.mark is not None:
        plot.plot(line.mark, y, zorder=4, **MARK)
        end = max(end, line.mark)
    plot.annotate(
        line.label, (end, y), xytext=(6, 0), textcoords="offset points", va="center", fontsize=NORMAL,
        annotation_clip=False,
    )  # fmt: skip


# ---------------------------------------------------------------- plots with two axes


def two_axes(
    height: float, *, left: float = 0.62, right: float = 0.16, below: float = 0.55, above: float = 0.15
) -> tuple[Figure, Axes]:
    """A picture of so many inches in all, with so many free at each side."""
    from matplotlib.figure import Figure as NewFigure

    picture = NewFigure(figsize=(NARROW, height))
    return picture, add_plot(picture, height, left=left, right=right, below=below, above=above)


def add_plot(
    picture: Figure, height: float, *, left: float = 0.62, right: float = 0.16, below: float, above: float
) -> Axes:
    """A plot in a picture of so many inches, with so many free at each side."""
    plot = picture.add_axes(
        (left / NARROW, below / height, (NARROW - left - right) / NARROW, (height - below - above) / height)
    )
    plot.tick_params(labelsize=NORMAL)
    plot.grid(axis="y", color=RULE, linewidth=0.5)
    plot.set_axisbelow(True)
    return plot


def names_at_ends(
    plot: Axes, named: Sequence[tuple[str, float, str, str]], *, per_line: float = 0.165, across: float = 1.03
) -> None:
    """Names beside the ends of lines, each with its mark, moved apart where they would lie on each other.

    Parameters
    ----------
    named : name, height of its line, colour, mark
    per_line : inches for each line of a name
    across : where the marks stand, as a share of the plot's width
    """
    least, most = plot.get_ylim()
    inch = (most - least) / (plot.bbox.height / plot.figure.dpi)
    reached = -math.inf
    placed = []
    for name, value, colour, mark in sorted(named, key=lambda one: one[1]):
        half = per_line * (name.count("\n") + 1) / 2 * inch
        y = max(min(max(value, least), most), reached + half)
        placed.append((name, y, colour, mark))
        reached = y + half
    over = max(0.0, reached - most)
    sideways = plot.get_yaxis_transform()
    for name, y, colour, mark in placed:
        plot.plot(across, y - over, marker=mark, color=colour, markersize=6, transform=sideways, clip_on=False)
        plot.annotate(
            name, (across, y - over), xycoords=sideways, xytext=(8, 0), textcoords="offset points", va="center",
            fontsize=SMALL, color=INK, linespacing=1.05, annotation_clip=False,
        )  # fmt: skip
