"""The pictures of performance over time, drawn from the figure's own table and nothing else."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from riskmodels.reports.drawing import BLUE, INK, ORANGE, Content, svg, wrapped
from riskmodels.reports.sheets import MARGIN, NARROW, NEXT, NORMAL, SMALL, add_plot, round_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_TICKS, DAYS_IN_YEAR = 4, 365.25
PANEL, TITLE, GAP = 1.5, 0.3, 0.12  # inches
BREAK_LETTERS = 48
FORESEEN = (0, (4, 3))


def over_time(figure: Content) -> bytes:
    """A panel for each measure over one calendar, with its name above; upright lines are breaks.

    Rows of the table: as of; then value, at least, at most of each measure, whose name is the column of its value.
    """
    names = [str(name) for name in figure["table"]["columns"][1::3]]
    rows = [list(row) for row in figure["table"]["rows"]]
    picture, panels, years = _panels(figure, names, rows)
    for place, (plot, (colour, mark)) in enumerate(zip(panels, ((BLUE, "o"), (ORANGE, "s")), strict=False)):
        _dots(plot, years, [row[1 + 3 * place : 4 + 3 * place] for row in rows], colour, mark)
        plot.margins(x=0.06, y=0.18)
        _whole_scale(plot)
    return svg(picture)


def risk_over_time(figure: Content) -> bytes:
    """On each test date, how many were foreseen and how many came about.

    Rows of the table: as of; foreseen; came about, at least, at most; and what follows is not drawn.
    """
    from matplotlib.lines import Line2D

    rows = [list(row) for row in figure["table"]["rows"]]
    picture, (plot,), years = _panels(figure, [""], rows, height=2.6)
    _dots(plot, years, [row[2:5] for row in rows], BLUE, "o")
    foreseen = [float("nan") if row[1] is None else row[1] for row in rows]
    plot.plot(years, foreseen, color=ORANGE, linestyle=FORESEEN, linewidth=1.2, marker="D", markersize=9,
              markerfacecolor="none", markeredgewidth=1.8, zorder=4)  # fmt: skip
    plot.margins(x=0.06, y=0.12)
    plot.set_ylim(bottom=0)
    plot.yaxis.set_major_locator(round_ticks(5))
    plot.set_ylabel("Of 100", fontsize=NORMAL)
    marks = [
        Line2D([], [], color=BLUE, marker="o", markersize=7, linewidth=2, label="Came about (95% interval)"),
        Line2D([], [], color=ORANGE, marker="D", markersize=8, markerfacecolor="none", markeredgewidth=1.8,
               linestyle=FORESEEN, label="Foreseen"),
    ]  # fmt: skip
    plot.legend(
        handles=marks, loc="lower left", bbox_to_anchor=(-0.17, 1.0), borderaxespad=0.1, ncols=2, fontsize=SMALL,
        columnspacing=1.0, handlelength=1.8,
    )  # fmt: skip
    return svg(picture)


def _panels(
    figure: Content, names: Sequence[str], rows: list[list[Any]], height: float = PANEL
) -> tuple[Figure, list[Axes], list[float]]:
    """Plots below each other with one calendar at the bottom, and below it what each break is."""
    from matplotlib.figure import Figure as NewFigure

    breaks = [list(row) for row in (figure.get("curve") or {}).get("rows") or []]
    said = [wrapped(f"{n}: {what}, {date}", BREAK_LETTERS) for n, (date, what) in enumerate(breaks, start=1)]
    foot = 0.52 + NEXT * sum(words.count("\n") + 1 for words in said)
    whole = foot + len(names) * (height + TITLE) + (len(names) - 1) * GAP
    picture = NewFigure(figsize=(NARROW, whole))
    years = [_year(str(row[0])) for row in rows]
    every = -(-len(rows) // MOST_TICKS)
    panels = []
    for place, name in enumerate(names):
        above = TITLE + place * (height + TITLE + GAP)
        plot = add_plot(picture, whole, left=0.56, below=whole - above - height, above=above)
        plot.set_xticks(years[::every], [_short(str(row[0])) for row in rows][::every])
        plot.tick_params(axis="x", labelbottom=place == len(names) - 1)
        plot.set_title(name, loc="left", x=-0.12, fontsize=NORMAL, fontweight="bold", pad=7)
        panels.append(plot)
    for number, (date, _) in enumerate(breaks, start=1):
        for plot in panels:
            plot.axvline(_year(str(date)), color=INK, linewidth=1.2, linestyle=(0, (2, 2)), zorder=1)
        panels[0].annotate(
            str(number), (_year(str(date)), 1), xycoords=("data", "axes fraction"), xytext=(4, -4),
            textcoords="offset points", va="top", fontweight="bold", fontsize=NORMAL,
        )  # fmt: skip
    picture.text(MARGIN / NARROW, 0.08 / whole, "\n".join(said), fontsize=SMALL, va="bottom", linespacing=1.2)
    return picture, panels, years


def _whole_scale(plot: Axes) -> None:
    """At least ten of 100 from bottom to top: what is drawn larger looks like more than it is."""
    low, high = plot.get_ylim()
    short = max(0.0, 10 - (high - low)) / 2
    plot.set_ylim(max(0.0, low - short), min(100.0, high + short))
    plot.yaxis.set_major_locator(round_ticks(4))


def _dots(plot: Axes, years: list[float], values: list[list[Any]], colour: str, mark: str) -> None:
    """Dots joined by a thin line, each with its interval; a date without a value leaves a gap."""
    middle = [float("nan") if value is None else value for value, _, _ in values]
    plot.plot(years, middle, color=colour, linewidth=1, marker=mark, markersize=7, markeredgecolor="white", zorder=3)
    for year, (value, low, high) in zip(years, values, strict=True):
        if value is not None and low is not None and high is not None:
            plot.plot([year, year], [low, high], color=colour, linewidth=2, zorder=2)


def _year(date: str) -> float:
    """Where a day stands that is written as `riskmodels.cards.words.day` writes it."""
    return dt.datetime.strptime(date, "%d %B %Y").date().toordinal() / DAYS_IN_YEAR


def _short(date: str) -> str:
    """``30 June 1988`` -> "Jun 1988", on two lines."""
    _, month, year = date.split()
    return f"{month[:3]}\n{year}"
