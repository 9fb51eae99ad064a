"""The pictures of an audit, drawn from the figure's own table and nothing else.

They are as wide as a phone allows: each line has its name above it rather than beside it, so that the text keeps its
size. Places on the page are in inches, so that a picture of many lines is as well spaced as one of few.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from riskmodels.assessment.audit.verdicts import FAIL, PASS
from riskmodels.reports.audit_lines import draw_curve, draw_sweep
from riskmodels.reports.audit_words import RIGHT
from riskmodels.reports.drawing import BAND, BLUE, EDGE, INK, ORANGE, QUIET, Content, draw, svg, wrapped
from riskmodels.reports.sheets import LINE, at_left, at_right, further_lines, of_100_axis, sheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

EVERYBODY_ELSE = "everybody else"
INWARDS = 1.07  # how far from the edge the mark of a ratio stands that lies beyond it, as a factor
HEAD = 0.32  # inches: for a heading
NEAR = 1.2  # a mark of the axis is near its end if the end is less than so many times further
# Half the height of the ground behind an interval: names and verdicts stand above it, on white.
HALF, ABOVE = 0.09, 0.2
# Marks by verdict: colour, mark, face, width of the line.
LOOKS = {PASS: (BLUE, "o", BLUE, 2.0), FAIL: (ORANGE, "s", ORANGE, 3.0)}
UNSURE = (QUIET, "D", "white", 1.4)
SPANS = ((2.1, (0.5, 1, 2)), (3.2, (1 / 3, 0.5, 1, 2, 3)), (5.0, (0.25, 0.5, 1, 2, 4)))
# Marks of who is ranked, in need and on the list; the first is wide and hollow, so that it shows behind the others.
COMPOSED = (
    ("o", QUIET, "white", 12, "ranked"), ("s", ORANGE, ORANGE, 7, "in need"), ("D", BLUE, BLUE, 6, "on the list"),
)  # fmt: skip


def draw_audit(figures: Iterable[Content]) -> dict[str, bytes]:
    """SVG by figure id. Each figure names its kind of picture, one of `DRAWINGS`, as ``drawing``."""
    return draw(figures, lambda figure: DRAWINGS[figure["drawing"]])


# ---------------------------------------------------------------- ratios


@dataclass(frozen=True)
class _Panel:
    """One metric of one characteristic, placed: inches from the top for its title, its lines, and each line's end."""

    title: str | None
    heading: str
    compared: str
    reading: Sequence[Any]
    rows: Sequence[Sequence[Any]]
    names: Sequence[str]
    top: float
    start: float
    ends: Sequence[float]


def draw_ratios(figure: Content) -> bytes:
    """For each characteristic and metric the ratios of its groups on a log scale, against the limits.

    Rows of the table and of the curve: see `RATIO_COLUMNS` and `READING_COLUMNS` in
    `riskmodels.reports.audit_figures`.
    """
    rows = [list(row) for row in figure["table"]["rows"]]
    reading = {row[0]: list(row[1:]) for row in figure["curve"]["rows"]}
    blocks = [(key, list(block)) for key, block in groupby(rows, key=lambda row: (row[1], row[2]))]
    several = len({title for (title, _), _ in blocks}) > 1
    panels: list[_Panel] = []
    height, before = 0.0, None
    for (title, metric), block in blocks:
        new = several and title != before
        top = height + (0.14 if panels else 0.0)
        panels.append(_placed(title if new else None, metric, reading[metric], block, top))
        height, before = panels[-1].ends[-1] + 0.19, title
    picture, plot = sheet(height)
    span, ticks = _span(rows)
    plot.set_xscale("log")
    plot.set_xlim(1 / span, span)
    for panel in panels:
        _draw_panel(plot, panel, span)
    _ratio_axis(plot, ticks)
    return svg(picture)


def _placed(
    title: str | None, metric: str, reading: Sequence[Any], rows: Sequence[Sequence[Any]], top: float
) -> _Panel:  # fmt: skip
    heading = wrapped(metric, 38)
    others = [str(row[3]) for row in rows if row[3] != EVERYBODY_ELSE] or [EVERYBODY_ELSE]
    compared = wrapped(f"Compared with {others[0]}", 48)
    names = [wrapped(_name(row), 22) for row in rows]
    at = start = top + (0.36 if title else 0.0) + HEAD + further_lines(heading) + further_lines(compared) + 0.4
    ends = []
    for name in names:
        at += LINE + further_lines(name)
        ends.append(at - 0.13)
    return _Panel(title, heading, compared, reading, rows, names, top, start, ends)


def _name(row: Sequence[Any]) -> str:
    return f"{row[0]}, v {EVERYBODY_ELSE}" if row[3] == EVERYBODY_ELSE else str(row[0])


def _draw_panel(plot: Axes, panel: _Panel, span: float) -> None:
    """Heading, what the sides mean, and a line for each group with its name and verdict above it."""
    y = panel.top + 0.14
    if panel.title is not None:
        at_left(plot, y, panel.title, fontsize=14, fontweight="bold")
        y += 0.36
    middle = y + further_lines(panel.heading) / 2
    at_left(plot, middle, panel.heading, fontsize=11.5, fontweight="bold", linespacing=1.15)
    low, high, left, right = panel.reading
    for end in panel.ends:
        if low is not None and high is not None:
            plot.fill_between(
                [low, high], end - HALF, end + HALF, facecolor=BAND, edgecolor=EDGE, linewidth=0.7, zorder=1
            )
        plot.plot([1, 1], [end - HALF, end + HALF], color=INK, linewidth=1, zorder=2)
    quiet = {"fontsize": 10, "color": QUIET}
    at_left(plot, panel.start - 0.38 - further_lines(panel.compared) / 2, panel.compared, **quiet)
    at_left(plot, panel.start - 0.17, f"← {left}", **quiet)
    at_right(plot, panel.start - 0.17, f"{right} →", **quiet)
    for row, name, end in zip(panel.rows, panel.names, panel.ends, strict=True):
        at_left(plot, end - ABOVE - further_lines(name) / 2, name, fontsize=11, linespacing=1.15)
        said = f"{'not shown' if row[4] is None else format(row[4], '.2f')}  {row[7]}"
        weight = "bold" if row[7] == FAIL else "normal"
        at_right(plot, end - ABOVE - further_lines(name), said, fontsize=9.5, fontweight=weight)
        _interval(plot, end, row[4:7], LOOKS.get(row[7], UNSURE), (1 / span, span))
        if row[4] is None and len(row) > 8 and row[8]:
            _edge(plot, end, LOOKS.get(row[7], UNSURE), span if row[8] == RIGHT else 1 / span)


def _interval(
    plot: Axes, y: float, numbers: Sequence[float | None], look: tuple[str, str, str, float],
    limits: tuple[float, float],
) -> None:  # fmt: skip
    """A mark with its interval; where either runs out of the picture there is an arrow."""
    value, low, high = numbers
    if value is None and low is None and high is None:
        return
    colour, mark, face, width = look
    least, most = limits
    low = least / 2 if low is None else low
    high = 2 * most if high is None else high
    plot.plot(
        [max(low, least), min(high, most)], [y, y], color=colour, linewidth=width, zorder=3, solid_capstyle="butt"
    )
    for end, edge, arrow in ((low, least, "<"), (high, most, ">")):
        if (end < least) if arrow == "<" else (end > most):
            plot.plot(edge, y, marker=arrow, color=colour, markersize=7, zorder=3, clip_on=False)
    if value is not None:
        if least <= value <= most:
            plot.plot(
                value, y, marker=mark, markersize=8, color=colour, markerfacecolor=face, markeredgewidth=1.8, zorder=4,
            )  # fmt: skip
        else:
            _edge(plot, y, look, least if value < least else most)


def _edge(plot: Axes, y: float, look: tuple[str, str, str, float], edge: float) -> None:
    """A mark at the edge with an arrow: the ratio lies further out, or may not be shown and lies on this side."""
    colour, mark, face, _ = look
    inwards = INWARDS if edge < 1 else 1 / INWARDS
    plot.plot(edge, y, marker="<" if edge < 1 else ">", color=colour, markersize=7, zorder=3, clip_on=False)
    plot.plot(edge * inwards, y, marker=mark, markersize=8, color=colour, markerfacecolor=face, markeredgewidth=1.8,
              zorder=4)  # fmt: skip


def _span(rows: Sequence[Sequence[Any]]) -> tuple[float, tuple[float, ...]]:
    """How far the axis reaches either way: as far as every ratio, and most intervals."""
    far = [max(row[4], 1 / row[4]) if row[4] else SPANS[-1][0] for row in rows]
    ends = sorted(max(1 / max(row[5] or 0.0, 1e-9), row[6] or math.inf) for row in rows)
    need = max([*far, ends[int(0.9 * (len(ends) - 1))]])
    return next(((span, ticks) for span, ticks in SPANS if span >= need), SPANS[-1])


def _ratio_axis(plot: Axes, ticks: Sequence[float]) -> None:
    from matplotlib.ticker import FixedLocator, NullLocator

    words = {0.25: "a quarter", 1 / 3: "a third", 0.5: "half", 1: "equal", 2: "twice", 3: "3 times", 4: "4 times"}
    plot.xaxis.set_major_locator(FixedLocator(list(ticks)))
    plot.xaxis.set_minor_locator(NullLocator())
    plot.set_xticklabels([words.get(tick, f"{tick:g}") for tick in ticks], fontsize=11)
    if plot.get_xlim()[1] < NEAR * ticks[-1]:  # words so near the ends would run off the page
        plot.get_xticklabels()[0].set_horizontalalignment("left")
        plot.get_xticklabels()[-1].set_horizontalalignment("right")
    plot.set_xlabel("Ratio, on a log scale", fontsize=11)


# ---------------------------------------------------------------- shares and rates of 100


def draw_composition(figure: Content) -> bytes:
    """Three marks for each group. Rows of the table: group; of 100 ranked, in need, on the list."""
    rows = [row for row in figure["table"]["rows"] if None not in row]
    picture, plot, places = _named_lines([str(row[0]) for row in rows], max(max(row[1:4]) for row in rows))
    _key(plot, COMPOSED)
    for row, y in zip(rows, places, strict=True):
        plot.plot([min(row[1:4]), max(row[1:4])], [y, y], color=QUIET, linewidth=1.2, zorder=2)
        for value, (mark, colour, face, size, _) in zip(row[1:4], COMPOSED, strict=True):
            plot.plot(
                value, y, marker=mark, color=colour, markerfacecolor=face, markersize=size, markeredgewidth=1.6,
                zorder=3, clip_on=False,
            )  # fmt: skip
    return svg(picture)


def draw_pooled(figure: Content) -> bytes:
    """Own rate and pooled rate of each group. Rows: group; own, pooled, at least, at most of 100; weight."""
    rows = figure["table"]["rows"]
    most = max(value for row in rows for value in (row[1], row[2], row[4]) if value is not None)
    picture, plot, places = _named_lines([str(row[0]) for row in rows], most)
    _key(plot, [("o", QUIET, "white", 10, "its own rate"), ("D", BLUE, BLUE, 6, "pooled, 95% interval")])
    for (_, own, value, low, high, _), y in zip(rows, places, strict=True):
        if low is not None and high is not None:
            plot.plot([low, high], [y, y], color=BLUE, linewidth=2, zorder=2)
        if own is not None:
            plot.plot(own, y, "o", color=QUIET, markerfacecolor="white", markersize=10, markeredgewidth=1.6, zorder=3)
        plot.plot(value, y, "D", color=BLUE, markersize=6, zorder=4)
    return svg(picture)


def _named_lines(names: Sequence[str], most: float) -> tuple[Figure, Axes, list[float]]:
    """A picture with a name above each line, on a scale of 100 that is no longer than needed."""
    labelled = [wrapped(name, 40) for name in names]
    at, places = 0.36, []
    for name in labelled:
        at += LINE + further_lines(name)
        places.append(at - 0.11)
    picture, plot = sheet(at + 0.06)
    for name, y in zip(labelled, places, strict=True):
        at_left(plot, y - 0.19 - further_lines(name) / 2, name, fontsize=11, linespacing=1.15)
    of_100_axis(plot, most)
    return picture, plot, places


def _key(plot: Axes, marks: Sequence[tuple[str, str, str, int, str]]) -> None:
    """What each mark is, above the lines."""
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], linestyle="", marker=mark, color=colour, markerfacecolor=face, markersize=size,
               markeredgewidth=1.6, label=words)
        for mark, colour, face, size, words in marks
    ]  # fmt: skip
    plot.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(-0.03, 1.0), borderaxespad=0.0, ncols=3, fontsize=10.5,
        handletextpad=0.15, columnspacing=1.0,
    )  # fmt: skip


DRAWINGS: dict[str, Callable[[Content], bytes]] = {
    "ratios": draw_ratios,
    "composition": draw_composition,
    "pooled": draw_pooled,
    "curve": draw_curve,
    "sweep": draw_sweep,
}
