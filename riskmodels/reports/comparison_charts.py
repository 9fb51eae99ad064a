"""The pictures of a comparison of runs, drawn from the figure's own table and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from riskmodels.reports.drawing import BLUE, INK, ORANGE, QUIET, Content, canvas, draw, svg, wrapped

# Clear changes are filled, and each way has its own mark.
LOOKS = {"better": (BLUE, "o", BLUE), "worse": (ORANGE, "s", ORANGE)}
UNCLEAR = (QUIET, "o", "white")
FREE, PER_DIGIT = 1.5, 2.0  # of 100: what a number needs of the width of its part
PARTS = ((BLUE, "", "white"), ("white", "///", INK), ("#dfe7f1", "...", INK))


def draw_comparison(figures: Iterable[Content]) -> dict[str, bytes]:
    """SVG by figure id. Each figure names its kind of picture, one of `DRAWINGS`, as ``drawing``."""
    return draw(figures, lambda figure: DRAWINGS[figure["drawing"]])


def _differences(figure: Content) -> bytes:
    """A dot with its interval for each measure, against nought; each line has a scale of its own.

    Rows of the table: measure, first, second, difference, at least, at most (as signed texts), what it means.
    """
    rows = figure["table"]["rows"]
    picture, plot = canvas(1.5 + 0.46 * len(rows))
    plot.axvline(0, color=INK, linewidth=1.2)
    for place, (_, _, _, gain, low, high, verdict) in enumerate(rows):
        colour, mark, face = LOOKS.get(verdict, UNCLEAR)
        value, ends = float(gain), [float(end) for end in (low, high) if end]
        scale = max(abs(number) for number in (value, *ends)) or 1.0
        if ends:
            plot.plot([end / scale for end in ends], [place, place], color=colour, linewidth=2, zorder=3)
        plot.plot(
            value / scale, place, marker=mark, markersize=8, color=colour, markerfacecolor=face, markeredgewidth=1.8,
            zorder=4,
        )  # fmt: skip
        plot.annotate(f"{gain}: {verdict}", (1.16, place), va="center", annotation_clip=False)
    plot.set_yticks(range(len(rows)), [wrapped(str(row[0]), 30) for row in rows])
    plot.tick_params(axis="y", length=0)
    plot.set_ylim(len(rows) - 0.4, -0.9)
    plot.set_xlim(-1.1, 2.9)
    plot.set_xticks([])
    plot.spines[["bottom", "left"]].set_visible(False)
    for words, x, side in (("worse", -0.05, "right"), ("better", 0.05, "left")):
        plot.annotate(words, (x, -0.75), ha=side, va="center", fontweight="bold")
    return svg(picture)


def _lists(figure: Content) -> bytes:
    """A bar for all dates and for each: on both lists, on the first only, on the second only.

    Rows of the table: when, on both, only on the first, only on the second.
    """
    rows = [row for row in figure["table"]["rows"] if all(isinstance(count, int) for count in row[1:4])]
    picture, plot = canvas(1.5 + 0.6 * len(rows))
    names = figure["table"]["columns"][1:4]
    for place, row in enumerate(rows):
        start, whole = 0.0, sum(row[1:4]) or 1
        for part, (count, (face, hatch, ink)) in enumerate(zip(row[1:4], PARTS, strict=True)):
            width = 100 * count / whole
            plot.barh(
                place, width, left=start, height=0.62, color=face, edgecolor=BLUE if part != 1 else ORANGE, hatch=hatch,
                linewidth=1.2, label=str(names[part]) if place == 0 else None,
            )  # fmt: skip
            text = f"{count:,}"
            if width >= FREE + PER_DIGIT * len(text):
                plot.text(
                    start + width / 2, place, text, ha="center", va="center", color=ink, zorder=5,
                    bbox=_ground(face),
                )  # fmt: skip
            start += width
    plot.set_yticks(range(len(rows)), [wrapped(str(row[0]), 24) for row in rows])
    plot.tick_params(axis="y", length=0)
    plot.invert_yaxis()
    plot.set_xlim(0, 100)
    plot.set_xlabel("Of 100 on either list")
    picture.legend(loc="outside upper left", ncols=3, handlelength=1.8, columnspacing=1.4)
    return svg(picture)


def _ground(face: str) -> dict[str, Any]:
    """A ground behind a number, so that hatching does not run through it."""
    return {"facecolor": face, "edgecolor": "none", "boxstyle": "round,pad=0.15"}


DRAWINGS: dict[str, Callable[[Content], bytes]] = {"differences": _differences, "lists": _lists}
