"""How every picture is drawn: one look, and the same bytes from the same table.

Matplotlib's SVG with a fixed salt and no date, and text as shapes, so that a page looks alike on every machine. Colour
never stands alone: marks, hatching or words say the same.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Content = Mapping[str, Any]
INK, QUIET, RULE = "#0b0c0c", "#484f56", "#c5c9cc"
BLUE, ORANGE, BAND, BAR = "#1a4f8b", "#b4460f", "#dfe7f1", "#8fa3b8"
STYLE = {
    "svg.hashsalt": "riskmodels",
    "svg.fonttype": "path",
    "font.family": "DejaVu Sans",
    "font.size": 12,
    "text.parse_math": False,
    "axes.titlesize": 12,
    "axes.labelsize": 12,
    "axes.edgecolor": QUIET,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": INK,
    "axes.labelcolor": INK,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "legend.fontsize": 11,
    "hatch.linewidth": 0.7,
}
WIDTH = 8.0  # inches; shown at the width of the text, so 12 points stay about 12 points


Drawing = Callable[[Content], bytes]


def draw(figures: Iterable[Content], drawing_of: Callable[[Content], Drawing | None]) -> dict[str, bytes]:
    """SVG by figure id, for every figure that there is a drawing for."""
    import matplotlib

    with matplotlib.rc_context(STYLE), warnings.catch_warnings():
        # A label may hold what the font lacks (an emoji): it is drawn as a box, and the data table has it.
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)
        drawings = ((figure, drawing_of(figure)) for figure in figures)
        return {figure["id"]: drawing(figure) for figure, drawing in drawings if drawing is not None}


def canvas(height: float, *, axes: bool = True) -> tuple[Figure, Axes]:
    # No pyplot: figures made here belong to nobody's global state and need no closing.
    from matplotlib.figure import Figure as NewFigure

    figure = NewFigure(figsize=(WIDTH, height), layout="constrained")
    plot = figure.add_subplot()
    if not axes:
        plot.set_axis_off()
    return figure, plot


def svg(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None}, facecolor="white")
    return buffer.getvalue()


def wrapped(text: str, width: int) -> str:
    import textwrap

    return "\n".join(textwrap.wrap(text, width)) or text


def few_ticks(most: int) -> Any:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(nbins=most, integer=True)


def bars(names: Sequence[str], values: Sequence[float], labels: Sequence[str], unit: str, hatch: str = "") -> bytes:
    """Horizontal bars with their numbers at the end."""
    picture, plot = canvas(0.9 + 0.55 * len(names))
    labelled = [wrapped(name, 30) for name in names]
    positions = range(len(names))
    plot.barh(
        positions, values, height=0.62, color=BLUE if not hatch else "white", edgecolor=BLUE, hatch=hatch, linewidth=1.2
    )
    for position, (value, text) in enumerate(zip(values, labels, strict=True)):
        plot.annotate(text, (value, position), xytext=(6, 0), textcoords="offset points", va="center")
    plot.set_yticks(positions, labelled)
    plot.tick_params(axis="y", length=0)
    plot.invert_yaxis()
    plot.set_xlim(0, max(values) * 1.22 or 1)
    plot.set_xlabel(unit)
    plot.xaxis.set_major_locator(few_ticks(5))
    plot.xaxis.set_major_formatter("{x:,.0f}")
    plot.spines["left"].set_color(QUIET)
    return svg(picture)
