"""The card's figures as pictures, drawn from the figure's own table and nothing else."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from riskmodels.reports.audit_charts import draw_ratios
from riskmodels.reports.drawing import (
    BAND,
    BAR,
    BLUE,
    INK,
    ORANGE,
    QUIET,
    RULE,
    WIDTH,
    Content,
    bars,
    canvas,
    draw,
    few_ticks,
    svg,
    wrapped,
)
from riskmodels.reports.mitigation_charts import draw_frontier
from riskmodels.reports.time_charts import over_time
from riskmodels.reports.use_charts import draw_capacity_sweep

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw_figures(figures: Iterable[Content]) -> dict[str, bytes]:
    """SVG by figure id, for every figure that there is a drawing for.

    Parameters
    ----------
    figures : the card's figures as plain JSON values
    """
    return draw(figures, lambda figure: DRAWINGS.get(figure["id"]))


def _rows(figure: Content) -> list[list[Any]]:
    return [list(row) for row in figure["table"]["rows"]]


# ---------------------------------------------------------------- people of 100


def _people(figure: Content) -> bytes:
    return _of_100(figure, _person)


def _units(figure: Content) -> bytes:
    return _of_100(figure, _square)


def _of_100(figure: Content, put: Callable[[Axes, float, float, Content], None]) -> bytes:
    """Five rows of twenty; each kind has its own mark as well as its own colour."""
    kinds = _rows(figure)
    looks = _people_looks(len(kinds), str(kinds[-1][0]))
    picture, plot = canvas(3.9, axes=False)
    marks = [look for look, (_, count) in zip(looks, kinds, strict=True) for _ in range(int(count))]
    for place, look in enumerate(marks):
        put(plot, place % 20, -(place // 20) * 1.35, look)
    for position, (look, (words, count)) in enumerate(zip(looks, kinds, strict=True)):
        # The legend is made of the same marks, with their number beside them.
        x, y = position * 20 / len(kinds), -7.5
        put(plot, x, y, look)
        plot.text(x + 0.55, y, f"{int(count)}", fontsize=17, fontweight="bold", va="center")
        plot.text(x + 1.95, y, wrapped(str(words), 17), fontsize=12, va="center")
    plot.set_xlim(-0.5, 19.5)
    plot.set_ylim(-8.2, 0.7)
    plot.set_aspect("equal")
    return svg(picture)


def _person(plot: Axes, x: float, y: float, look: Content) -> None:
    from matplotlib.patches import Circle, FancyBboxPatch

    drawn = {"facecolor": look["face"], "edgecolor": look["edge"], "linewidth": 1.1, "linestyle": look["line"]}
    plot.add_patch(Circle((x, y + 0.34), 0.17, **drawn))
    body = "round,pad=0.04,rounding_size=0.16"
    plot.add_patch(FancyBboxPatch((x - 0.2, y - 0.42), 0.4, 0.46, boxstyle=body, **drawn))
    if look["mark"]:
        plot.text(x, y - 0.2, look["mark"], ha="center", va="center", fontsize=9, color=look["ink"], fontweight="bold")


def _square(plot: Axes, x: float, y: float, look: Content) -> None:
    """Of households and places: no icon of a person."""
    from matplotlib.patches import Rectangle

    drawn = {"facecolor": look["face"], "edgecolor": look["edge"], "linewidth": 1.1, "linestyle": look["line"]}
    plot.add_patch(Rectangle((x - 0.32, y - 0.32), 0.64, 0.64, **drawn))
    if look["mark"]:
        plot.text(x, y, look["mark"], ha="center", va="center", fontsize=9, color=look["ink"], fontweight="bold")


def _people_looks(kinds: int, last: str) -> list[Content]:
    right: Content = {"face": BLUE, "edge": BLUE, "line": "-", "mark": "", "ink": "white"}
    wrong: Content = {"face": "white", "edge": ORANGE, "line": "-", "mark": "×", "ink": ORANGE}
    unknown: Content = {"face": "#eceef0", "edge": QUIET, "line": (0, (2, 1.5)), "mark": "?", "ink": INK}
    if kinds == 2 and "known" in last:
        return [right, unknown]
    return [right, wrong, unknown][:kinds]


# ---------------------------------------------------------------- calibration


def _calibration(figure: Content) -> bytes:
    from matplotlib.figure import Figure as NewFigure

    picture = NewFigure(figsize=(WIDTH, 6.6), layout="constrained")
    top, below = picture.subplots(2, 1, height_ratios=[4, 1], sharex=True)
    top.plot([0, 100], [0, 100], color=QUIET, linestyle=(0, (4, 3)), linewidth=1.2, label="Risks come true exactly")
    curve = (figure.get("curve") or {}).get("rows") or []
    if curve:
        risk, observed, low, high = ([row[column] for row in curve] for column in range(4))
        top.fill_between(risk, low, high, color=BAND, label="Where the curve could lie (95%)", linewidth=0)
        top.plot(risk, observed, color=BLUE, linewidth=2, label="What came about (smooth curve)")
    rows, many = _rows(figure), str(figure["table"]["columns"][2])
    x, y = [row[3] for row in rows], [row[4] for row in rows]
    for row in rows:
        if row[5] is not None and row[6] is not None:
            top.plot([row[3], row[3]], [row[5], row[6]], color=ORANGE, linewidth=1.4, zorder=3)
    top.plot(
        x,
        y,
        "o",
        color=ORANGE,
        markersize=7,
        markeredgecolor="white",
        label=f"Groups of {many.lower()}, with 95% interval",
        zorder=4,
        clip_on=False,  # a group without any event lies on the axis
    )
    top.set_ylabel("Came about, of 100")
    # No more of the axes than there is to see, and both alike, so that the diagonal stays one.
    seen = [*x, *(row[6] or 0 for row in rows), *(max(row[0], row[3] or 0) for row in curve)]
    limit = min(100, max(20, 10 * math.ceil(max(seen) / 10)))
    top.set_xlim(0, limit)
    top.set_ylim(0, limit)
    top.legend(loc="upper left", handlelength=2.2)
    for low, high, people in (row[:3] for row in rows):
        if people is not None and low < limit:
            # Groups differ in width, so their height is people for each 10 of risk: the area is people. Where all have
            # one risk, the group has no width, and is drawn as wide as a line.
            width = max(min(high, limit) - low, limit / 100)
            below.bar(low, 10 * people / width, width=width, align="edge", color=BAR, edgecolor="white", linewidth=1)
    below.set_ylabel(f"{many}\nper 10")
    below.set_xlabel("Predicted risk, of 100")
    below.yaxis.set_major_locator(few_ticks(2))
    below.yaxis.set_major_formatter("{x:,.0f}")
    for plot in (top, below):
        plot.grid(axis="y", color=RULE, linewidth=0.5)
        plot.set_axisbelow(True)
    picture.align_ylabels([top, below])
    return svg(picture)


# ---------------------------------------------------------------- groups


def _groups(figure: Content) -> bytes:
    """A dot and an interval for each group; behind each characteristic the band of its reference group."""
    rows = _rows(figure)
    blocks: dict[str, list[list[Any]]] = {}
    for row in rows:
        blocks.setdefault(str(row[0]), []).append(row)
    lines = sum(len(block) + 1 for block in blocks.values())
    picture, plot = canvas(1.7 + 0.42 * lines)
    y, ticks, names = 0.0, [], []
    most = max(max(row[5] or 0, 1.25 * row[3] if row[6] else 0) for row in rows)
    for title, block in blocks.items():
        plot.annotate(
            title,
            (0, y),
            xycoords=("axes fraction", "data"),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontweight="bold",
        )
        start = y + 0.5
        for row in block:
            y += 1
            is_reference = bool(row[6])
            plot.plot([row[4], row[5]], [y, y], color=INK if is_reference else BLUE, linewidth=2, zorder=3)
            plot.plot(
                row[3], y, marker="D" if is_reference else "o", markersize=8, color=INK if is_reference else BLUE,
                markerfacecolor="white" if is_reference else BLUE, markeredgewidth=1.8, zorder=4,
            )  # fmt: skip
            ticks.append(y)
            names.append(wrapped(str(row[1]), 26))
        for row in block:
            if row[6]:
                plot.fill_between([0.8 * row[3], 1.25 * row[3]], start, y + 0.5, color=BAND, linewidth=0, zorder=1)
                plot.plot(
                    [row[3], row[3]], [start, y + 0.5], color=QUIET, linewidth=0.8, linestyle=(0, (3, 3)), zorder=2
                )
        y += 1
    plot.set_yticks(ticks, names)
    plot.tick_params(axis="y", length=0)
    plot.set_ylim(y - 0.2, -0.7)
    plot.set_xlim(0, min(100, most * 1.08))
    plot.set_xlabel(wrapped(figure["table"]["caption"], 78))
    plot.grid(axis="x", color=RULE, linewidth=0.5)
    plot.set_axisbelow(True)
    _groups_legend(picture)
    return svg(picture)


def _groups_legend(picture: Figure) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    marks = [
        Line2D([], [], color=BLUE, marker="o", markersize=8, linewidth=2, label="Group, 95% interval"),
        Line2D(
            [],
            [],
            color=INK,
            marker="D",
            markersize=8,
            markerfacecolor="white",
            markeredgewidth=1.8,
            linewidth=2,
            label="Reference group",
        ),
        Patch(color=BAND, label="0.8 to 1.25 times the reference"),
    ]
    picture.legend(handles=marks, loc="outside upper left", ncols=3, columnspacing=1.4, handlelength=1.8)


# ---------------------------------------------------------------- net benefit


def _net_benefit(figure: Content) -> bytes:
    rows = _rows(figure)
    picture, plot = canvas(4.2)
    x = [row[0] for row in rows]
    if all(row[2] is not None and row[3] is not None for row in rows):
        plot.fill_between(x, [row[2] for row in rows], [row[3] for row in rows], color=BAND, linewidth=0)
    plot.plot(
        x, [row[1] for row in rows], "o-", color=BLUE, linewidth=2, markersize=7, label="Acting on the risks (95% band)"
    )
    plot.plot(x, [row[4] for row in rows], "s--", color=ORANGE, linewidth=1.6, markersize=6, label="Helping all")
    plot.plot(x, [row[5] for row in rows], "^:", color=QUIET, linewidth=1.6, markersize=6, label="Helping none")
    values = [row[1] for row in rows] + [row[4] for row in rows if row[4] is not None]
    top = max(*values, 1.0)
    # Helping all falls without end; the picture keeps to where the choice lies.
    plot.set_ylim(max(min(*values, 0.0), -0.6 * top) - 0.05 * top, top * 1.45)
    plot.set_xticks(x)
    plot.set_xlabel("If help is worth it from this risk, of 100")
    plot.set_ylabel("Net benefit for 100")
    plot.grid(axis="y", color=RULE, linewidth=0.5)
    plot.set_axisbelow(True)
    plot.legend(loc="upper right")
    return svg(picture)


# ---------------------------------------------------------------- bars


def _drivers(figure: Content) -> bytes:
    rows = _rows(figure)
    return bars([str(row[0]) for row in rows], [row[1] for row in rows], [str(row[1]) for row in rows], "Parts of 100")


def _attrition(figure: Content) -> bytes:
    rows = _rows(figure)
    return bars(
        [str(row[0]) for row in rows],
        [row[1] for row in rows],
        [f"{row[1]:,}" for row in rows],
        str(figure["table"]["columns"][1]),
    )


def _unknown(figure: Content) -> bytes:
    rows = _rows(figure)
    labels = [f"{row[2]:g}" for row in rows]
    return bars(
        [str(row[0]) for row in rows], [row[2] for row in rows], labels, "Outcome not known, of 100", hatch="///"
    )


DRAWINGS: dict[str, Callable[[Content], bytes]] = {
    "people_per_100": _people,
    "units_per_100": _units,
    "attrition": _attrition,
    "unknown_by_fifth": _unknown,
    "calibration": _calibration,
    "net_benefit": _net_benefit,
    "capacity_sweep": draw_capacity_sweep,
    "over_time": over_time,
    "group_ratios": draw_ratios,
    "groups": _groups,
    "mitigation": draw_frontier,
    "drivers": _drivers,
}
