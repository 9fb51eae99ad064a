"""The pictures of the data's profile, drawn from the figure's own table and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from riskmodels.reports.drawing import (
    BLUE,
    INK,
    ORANGE,
    QUIET,
    RULE,
    Content,
    bars,
    canvas,
    draw,
    few_ticks,
    svg,
    wrapped,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Marks and strokes differ as well as colours; as many as there are kinds with a name of their own, and the rest.
LOOKS = (
    (BLUE, "o", "-"), (ORANGE, "s", "--"), (QUIET, "^", ":"), (INK, "D", "-."), ("#0b5563", "v", "-"),
    ("#7a3b7a", "P", "--"), ("#00573d", "X", ":"), ("#574300", "<", "-."), ("#942514", ">", "-"),
)  # fmt: skip
MOST_TICKS = 12


def draw_profile(figures: Iterable[Content]) -> dict[str, bytes]:
    """SVG by figure id. Each figure names its kind of picture, one of `DRAWINGS`, as ``drawing``."""
    return draw(figures, lambda figure: DRAWINGS[figure["drawing"]])


def _over_time(figure: Content) -> bytes:
    """A line for each of the first columns of the table, over its rows; what is not shown leaves a gap."""
    rows, names = figure["table"]["rows"], figure["table"]["columns"][1 : figure["lines"] + 1]
    picture, plot = canvas(3.6 + 0.28 * ((len(names) + 1) // 2))
    places = range(len(rows))
    for column, (name, (colour, mark, stroke)) in enumerate(zip(names, LOOKS, strict=False), start=1):
        values = [_number(row[column]) for row in rows]
        plot.plot(
            places, values, linestyle=stroke, marker=mark, color=colour, linewidth=1.6, markersize=5,
            markeredgecolor="white", markeredgewidth=0.5, label=wrapped(str(name), 40),
        )  # fmt: skip
    for number, place in enumerate(figure["breaks"], start=1):
        plot.axvline(place, color=INK, linewidth=1.2, linestyle=(0, (2, 2)))
        plot.annotate(f"break {number}", (place, 1), xycoords=("data", "axes fraction"), xytext=(4, -4),
                      textcoords="offset points", va="top", fontweight="bold")  # fmt: skip
    _label_ends(plot, [str(row[0]) for row in rows])
    plot.set_ylim(bottom=0)
    plot.set_ylabel(wrapped(figure["unit"], 26))
    plot.yaxis.set_major_locator(few_ticks(5))
    plot.yaxis.set_major_formatter("{x:,.0f}")
    plot.grid(axis="y", color=RULE, linewidth=0.5)
    plot.set_axisbelow(True)
    if len(names) > 1:
        picture.legend(loc="outside upper left", ncols=2, handlelength=2.6)
    return svg(picture)


def _label_ends(plot: Axes, names: Sequence[str]) -> None:
    """As many names along the axis as there is room for, at even steps."""
    step = -(-len(names) // MOST_TICKS)
    plot.set_xticks(range(0, len(names), step), names[::step], rotation=45, ha="right", rotation_mode="anchor")


def _number(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) else float("nan")


def _groups(figure: Content) -> bytes:
    """A dot with its interval for each group of each characteristic; the reference has a mark of its own."""
    shown = [row for row in figure["table"]["rows"] if isinstance(row[3], (int, float))]
    blocks = list(dict.fromkeys(str(row[0]) for row in shown))
    picture, plot = canvas(1.4 + 0.4 * (len(shown) + len(blocks)))
    y, ticks, names = 0.0, [], []
    for title in blocks:
        plot.annotate(title, (0, y), xycoords=("axes fraction", "data"), xytext=(4, 0), textcoords="offset points",
                      va="center", fontweight="bold")  # fmt: skip
        for _, name, _, share, low, high, role in (row[:7] for row in shown if str(row[0]) == title):
            y += 1
            colour = INK if role else BLUE
            plot.plot([low, high], [y, y], color=colour, linewidth=2, zorder=3)
            plot.plot(
                share, y, marker="D" if role else "o", markersize=8, color=colour, markeredgewidth=1.8, zorder=4,
                markerfacecolor="white" if role else colour,
            )  # fmt: skip
            ticks.append(y)
            names.append(wrapped(str(name), 26))
        y += 1
    plot.set_yticks(ticks, names)
    plot.tick_params(axis="y", length=0)
    plot.set_ylim(y - 0.2, -0.7)
    plot.set_xlim(max(0, 10 * (min(row[4] for row in shown) // 10) - 10), 102)
    plot.set_xlabel(wrapped(f"{figure['unit']}, with 95% interval; a hollow diamond is the reference group", 60))
    plot.grid(axis="x", color=RULE, linewidth=0.5)
    plot.set_axisbelow(True)
    return svg(picture)


def _bars(figure: Content) -> bytes:
    rows = figure["table"]["rows"]
    values = [row[1] for row in rows]
    return bars([str(row[0]) for row in rows], values, [f"{value:,}" for value in values], figure["unit"])


DRAWINGS: dict[str, Callable[[Content], bytes]] = {"over_time": _over_time, "groups": _groups, "bars": _bars}
