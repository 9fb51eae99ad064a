"""The picture of performance over time, drawn from the figure's own table and nothing else."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from riskmodels.reports.drawing import BLUE, INK, ORANGE, QUIET, RULE, WIDTH, Content, svg, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_TICKS = 8
DAYS_IN_YEAR = 365.25


def over_time(figure: Content) -> bytes:
    """Two panels over one calendar: pairs put right, and observed to expected; upright lines are breaks."""
    from matplotlib.figure import Figure

    rows = [list(row) for row in figure["table"]["rows"]]
    breaks = [list(row) for row in (figure.get("curve") or {}).get("rows") or []]
    names = figure["table"]["columns"]
    picture = Figure(figsize=(WIDTH, 5.6 + 0.25 * len(breaks)), layout="constrained")
    above, below = picture.subplots(2, 1, sharex=True)
    years = [_year(str(row[0])) for row in rows]
    _panel(above, years, [row[1:4] for row in rows], BLUE, "o")
    _panel(below, years, [row[4:7] for row in rows], ORANGE, "s")
    below.axhline(1, color=QUIET, linewidth=1.2, linestyle=(0, (4, 3)))
    below.annotate(
        "as\nforeseen",
        (1, 1),
        xycoords=("axes fraction", "data"),
        xytext=(5, 0),
        textcoords="offset points",
        va="center",
        fontsize=11,
    )
    for number, (date, _) in enumerate(breaks, start=1):
        _mark(above, below, _year(str(date)), number)
    every = -(-len(rows) // MOST_TICKS)
    below.set_xticks(years[::every], [_short(str(row[0])) for row in rows][::every])
    above.set_ylabel(wrapped(str(names[1]), 22))
    below.set_ylabel(wrapped(str(names[4]), 22))
    for plot in (above, below):
        plot.grid(axis="y", color=RULE, linewidth=0.5)
        plot.set_axisbelow(True)
        plot.margins(x=0.06, y=0.18)
    picture.align_ylabels([above, below])
    if breaks:
        said = "\n".join(wrapped(f"{n}: {what}, {date}", 84) for n, (date, what) in enumerate(breaks, start=1))
        picture.supxlabel(said, x=0.01, ha="left", fontsize=11)
    return svg(picture)


def _panel(plot: Axes, years: list[float], values: list[list[Any]], colour: str, mark: str) -> None:
    """Dots joined by a thin line, each with its interval; a date without a value leaves a gap."""
    middle = [float("nan") if value is None else value for value, _, _ in values]
    plot.plot(years, middle, color=colour, linewidth=1, marker=mark, markersize=7, markeredgecolor="white", zorder=3)
    for year, (value, low, high) in zip(years, values, strict=True):
        if value is not None and low is not None and high is not None:
            plot.plot([year, year], [low, high], color=colour, linewidth=2, zorder=2)


def _mark(above: Axes, below: Axes, year: float, number: int) -> None:
    for plot in (above, below):
        plot.axvline(year, color=INK, linewidth=1.2, linestyle=(0, (2, 2)), zorder=1)
    above.annotate(
        str(number),
        (year, 1),
        xycoords=("data", "axes fraction"),
        xytext=(4, -4),
        textcoords="offset points",
        va="top",
        fontweight="bold",
    )


def _year(date: str) -> float:
    """Where a day stands that is written as `riskmodels.cards.words.day` writes it."""
    return dt.datetime.strptime(date, "%d %B %Y").date().toordinal() / DAYS_IN_YEAR


def _short(date: str) -> str:
    """``30 June 1988`` -> "30 Jun 1988"."""
    day, month, year = date.split()
    return f"{day} {month[:3]} {year}"
