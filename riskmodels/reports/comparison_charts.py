"""The pictures of a comparison of runs, drawn from the figure's own table and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from riskmodels.reports.drawing import BLUE, INK, ORANGE, QUIET, Content, draw, svg, wrapped
from riskmodels.reports.sheets import LINE, NORMAL, SMALL, at_left, at_right, further_lines, round_ticks, sheet

# Clear changes are filled, and each way has its own mark.
LOOKS = {"better": (BLUE, "o", BLUE), "worse": (ORANGE, "s", ORANGE)}
UNCLEAR = (QUIET, "o", "white")
FREE, PER_DIGIT = 3.0, 3.2  # of 100: what a number needs of the width of its part
NAME_LETTERS, KEY_LETTERS, BAR_LINE = 22, 44, 0.62  # letters; inches for a bar with its name
PARTS = ((BLUE, "", "white"), ("white", "///", INK), ("#dfe7f1", "...", INK))


def draw_comparison(figures: Iterable[Content]) -> dict[str, bytes]:
    """SVG by figure id. Each figure names its kind of picture, one of `DRAWINGS`, as ``drawing``."""
    return draw(figures, lambda figure: DRAWINGS[figure["drawing"]])


def _differences(figure: Content) -> bytes:
    """A dot with its interval for each measure, against nought; each line has a scale of its own.

    Rows of the table: measure, first, second, difference, at least, at most (as signed texts), what it means.
    """
    rows = figure["table"]["rows"]
    names = [wrapped(str(row[0]), NAME_LETTERS) for row in rows]
    at, places = 0.36, []
    for name in names:
        at += LINE + further_lines(name)
        places.append(at - 0.12)
    picture, plot = sheet(at, axis=False)
    plot.set_xlim(-1.1, 1.1)
    plot.plot([0, 0], [0.3, at - 0.02], color=INK, linewidth=1.2, zorder=1)
    for y, name, (_, _, _, gain, low, high, verdict) in zip(places, names, rows, strict=True):
        colour, mark, face = LOOKS.get(verdict, UNCLEAR)
        value, ends = float(gain), [float(end) for end in (low, high) if end]
        scale = max(abs(number) for number in (value, *ends)) or 1.0
        if ends:
            plot.plot([end / scale for end in ends], [y, y], color=colour, linewidth=2, zorder=3)
        plot.plot(
            value / scale, y, marker=mark, markersize=8, color=colour, markerfacecolor=face, markeredgewidth=1.8,
            zorder=4,
        )  # fmt: skip
        ground = _ground("white")
        at_left(plot, y - 0.2 - further_lines(name) / 2, name, linespacing=1.15, bbox=ground)
        at_right(plot, y - 0.2 - further_lines(name), f"{gain}: {verdict}", bbox=ground)
    for words, x, side in (("← worse", -0.05, "right"), ("better →", 0.05, "left")):
        plot.text(x, 0.14, words, ha=side, va="center", fontweight="bold", fontsize=NORMAL)
    return svg(picture)


def _lists(figure: Content) -> bytes:
    """A bar for all dates and for each: on both lists, on the first only, on the second only.

    Rows of the table: when, on both, only on the first, only on the second.
    """
    rows = [row for row in figure["table"]["rows"] if all(isinstance(count, int) for count in row[1:4])]
    names = [wrapped(str(name), KEY_LETTERS) for name in figure["table"]["columns"][1:4]]
    top = 0.1 + sum(0.22 + further_lines(name) for name in names)
    picture, plot = sheet(top + BAR_LINE * len(rows))
    for place, row in enumerate(rows):
        y = top + BAR_LINE * place + 0.4
        at_left(plot, y - 0.26, str(row[0]))
        start, whole = 0.0, sum(row[1:4]) or 1
        for part, (count, (face, hatch, ink)) in enumerate(zip(row[1:4], PARTS, strict=True)):
            width = 100 * count / whole
            plot.barh(
                y, width, left=start, height=0.26, color=face, edgecolor=BLUE if part != 1 else ORANGE, hatch=hatch,
                linewidth=1.2, label=names[part] if place == 0 else None,
            )  # fmt: skip
            text = f"{count:,}"
            if width >= FREE + PER_DIGIT * len(text):
                plot.text(
                    start + width / 2, y, text, ha="center", va="center", color=ink, zorder=5, bbox=_ground(face),
                    fontsize=SMALL,
                )  # fmt: skip
            start += width
    plot.set_xlim(0, 100)
    plot.xaxis.set_major_locator(round_ticks(5))
    plot.set_xlabel("Of 100 on either list", fontsize=NORMAL)
    plot.tick_params(axis="x", labelsize=NORMAL)
    plot.legend(
        loc="upper left", bbox_to_anchor=(-0.02, 1.0), borderaxespad=0.0, fontsize=SMALL, handlelength=1.8,
        labelspacing=0.35,
    )  # fmt: skip
    return svg(picture)


def _ground(face: str) -> dict[str, Any]:
    """A ground behind a number, so that hatching does not run through it."""
    return {"facecolor": face, "edgecolor": "none", "boxstyle": "round,pad=0.15"}


DRAWINGS: dict[str, Callable[[Content], bytes]] = {"differences": _differences, "lists": _lists}
