"""The pictures of the data's profile, drawn from the figure's own table and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from riskmodels.reports.drawing import BLUE, INK, ORANGE, QUIET, Content, draw, few_ticks, svg, wrapped
from riskmodels.reports.group_charts import draw_named_groups
from riskmodels.reports.sheets import MARGIN, NARROW, NEXT, SMALL, Bar, bars, two_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Marks and strokes differ as well as colours; as many as there are kinds with a name of their own, and the rest.
LOOKS = (
    (BLUE, "o", "-"), (ORANGE, "s", "--"), (QUIET, "^", ":"), (INK, "D", "-."), ("#0b5563", "v", "-"),
    ("#7a3b7a", "P", "--"), ("#00573d", "X", ":"), ("#574300", "<", "-."), ("#942514", ">", "-"),
)  # fmt: skip
MOST_TICKS, FEW = 8, 24  # names along the axis; points up to which each has a mark
UNIT_LETTERS = 46


def draw_profile(figures: Iterable[Content]) -> dict[str, bytes]:
    """SVG by figure id. Each figure names its kind of picture, one of `DRAWINGS`, as ``drawing``."""
    return draw(figures, lambda figure: DRAWINGS[figure["drawing"]])


def _over_time(figure: Content) -> bytes:
    """A line for each of the first columns of the table, over its rows; what is not shown leaves a gap."""
    rows, names = figure["table"]["rows"], figure["table"]["columns"][1 : figure["lines"] + 1]
    unit = wrapped(str(figure["unit"]), UNIT_LETTERS)
    above = 0.24 + NEXT * unit.count("\n") + (0.24 * len(names) if len(names) > 1 else 0.0)
    picture, plot = two_axes(2.9 + above, left=0.66, below=0.75, above=above)
    places = range(len(rows))
    for column, (name, (colour, mark, stroke)) in enumerate(zip(names, LOOKS, strict=False), start=1):
        values = [_number(row[column]) for row in rows]
        plot.plot(
            places, values, linestyle=stroke, marker=mark if len(rows) <= FEW else "", color=colour, linewidth=1.6,
            markersize=5, markeredgecolor="white", markeredgewidth=0.5, label=wrapped(str(name), UNIT_LETTERS),
        )  # fmt: skip
    for number, place in enumerate(figure["breaks"], start=1):
        plot.axvline(place, color=INK, linewidth=1.2, linestyle=(0, (2, 2)))
        plot.annotate(f"break {number}", (place, 1), xycoords=("data", "axes fraction"), xytext=(4, -4),
                      textcoords="offset points", va="top", fontweight="bold", fontsize=SMALL)  # fmt: skip
    _label_ends(plot, [str(row[0]) for row in rows])
    plot.set_ylim(bottom=0)
    plot.yaxis.set_major_locator(few_ticks(5))
    plot.yaxis.set_major_formatter("{x:,.0f}")
    picture.text(MARGIN / NARROW, 1 - 0.05 / (2.9 + above), unit, fontsize=SMALL, va="top", linespacing=1.15)
    if len(names) > 1:
        plot.legend(
            loc="lower left", bbox_to_anchor=(-0.19, 1.0), borderaxespad=0.2, fontsize=SMALL, handlelength=2.6,
            labelspacing=0.3,
        )  # fmt: skip
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
    least = max(0.0, 10 * (min(row[4] for row in shown) // 10) - 10)
    words = wrapped(str(figure["unit"]), UNIT_LETTERS)
    return draw_named_groups([row[:7] for row in shown], banded=False, least=least, words=words)


def _bars(figure: Content) -> bytes:
    return bars([Bar(str(row[0]), row[1], f"{row[1]:,}") for row in figure["table"]["rows"]])


DRAWINGS: dict[str, Callable[[Content], bytes]] = {"over_time": _over_time, "groups": _groups, "bars": _bars}
