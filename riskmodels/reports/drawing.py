"""How every picture is drawn: one look, and the same bytes from the same table.

Matplotlib's SVG with a fixed salt and no date, and text as shapes, so that a page looks alike on every machine. Colour
never stands alone: marks, hatching or words say the same.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Content = Mapping[str, Any]
INK, QUIET, RULE = "#0b0c0c", "#484f56", "#c5c9cc"
BLUE, ORANGE, BAND, BAR = "#1a4f8b", "#b4460f", "#dfe7f1", "#6f8299"
EDGE = "#6f8299"  # around what is shaded lightly, so that its end can be seen
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


Drawing = Callable[[Content], bytes]


def draw(figures: Iterable[Content], drawing_of: Callable[[Content], Drawing | None]) -> dict[str, bytes]:
    """SVG by figure id, for every figure that there is a drawing for."""
    import matplotlib

    with matplotlib.rc_context(STYLE), warnings.catch_warnings():
        # A label may hold what the font lacks (an emoji): it is drawn as a box, and the data table has it.
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)
        drawings = ((figure, drawing_of(figure)) for figure in figures)
        return {figure["id"]: drawing(figure) for figure, drawing in drawings if drawing is not None}


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
