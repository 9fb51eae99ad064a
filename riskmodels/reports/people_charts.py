"""One hundred people (or squares, of households and places), ten to a row, drawn from the figure's own table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from riskmodels.reports.drawing import BLUE, INK, ORANGE, QUIET, Content, svg, wrapped
from riskmodels.reports.sheets import NARROW

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.path import Path

IN_A_ROW, PERSON, SQUARE = 10, 1.22, 1.0  # how far rows stand apart, where marks stand 1 apart
KEY_LETTERS = 34
WIDTH = IN_A_ROW + 0.2
POINTS = 72 * NARROW / WIDTH  # for 1
Place = tuple[float, float]


@dataclass(frozen=True)
class Look:
    """How one kind is drawn: never by its colour alone."""

    face: str
    edge: str
    line: Any
    mark: str


FULL = Look(BLUE, BLUE, "-", "")
CROSSED = Look("white", ORANGE, "-", "x")
ASKED = Look("#eceef0", QUIET, (0, (2, 1.5)), "?")


def draw_people(figure: Content) -> bytes:
    return _of_100(figure, people=True)


def draw_units(figure: Content) -> bytes:
    return _of_100(figure, people=False)


def _of_100(figure: Content, *, people: bool) -> bytes:
    """Rows of the table: words, and how many of 100. The key is made of the same marks, with their number beside."""
    from matplotlib.figure import Figure as NewFigure

    kinds = [list(row) for row in figure["table"]["rows"]]
    looks = looks_of([str(words) for words, _ in kinds])
    names = [wrapped(str(words), KEY_LETTERS) for words, _ in kinds]
    high = PERSON if people else SQUARE
    depth = high * 100 / IN_A_ROW
    key, at = [], depth + 0.45
    for name in names:
        key.append(at)
        at += high + 0.12 + 0.5 * name.count("\n")
    picture = NewFigure(figsize=(NARROW, NARROW * at / WIDTH))
    plot = picture.add_axes((0, 0, 1, 1))
    plot.set_axis_off()
    plot.set_xlim(-0.6, WIDTH - 0.6)
    plot.set_ylim(at - high / 2, -high / 2)
    start = 0
    for look, name, y, (_, count) in zip(looks, names, key, kinds, strict=True):
        end = start + int(count)
        places = [(float(place % IN_A_ROW), high * (place // IN_A_ROW)) for place in range(start, end)]
        _put(plot, [*places, (0.0, y)], look, people=people)
        plot.text(0.55, y, f"{int(count)}", fontsize=16, fontweight="bold", va="center")
        plot.text(1.9, y, name, fontsize=12, va="center", linespacing=1.15)
        start = end
    return svg(picture)


def looks_of(words: Sequence[str]) -> list[Look]:
    """The first kind is full, what is not known is asked, and the rest is crossed."""
    asked = [position > 0 and "not known" in name.lower() for position, name in enumerate(words)]
    return [FULL, *(ASKED if unsure else CROSSED for unsure in asked[1:])]


def _put(plot: Axes, places: Sequence[Place], look: Look, *, people: bool) -> None:
    """All of one kind, each the same shape at a place of its own, and their marks."""
    shape, middle = (_person(), 0.2) if people else (_square(), 0.0)
    _repeat(plot, shape, places, facecolors=look.face, edgecolors=look.edge, linewidths=1.1, linestyles=look.line)
    centres = [(x, y + middle) for x, y in places]
    if look.mark == "x":
        _repeat(plot, _cross(), centres, facecolors="none", edgecolors=look.edge, linewidths=1.4)
    elif look.mark:
        _repeat(plot, _letter(look.mark), centres, facecolors=INK, edgecolors="none", linewidths=0)


def _repeat(plot: Axes, shape: Path, places: Sequence[Place], **look: Any) -> None:
    import numpy as np
    from matplotlib.collections import PathCollection
    from matplotlib.path import Path as NewPath
    from matplotlib.transforms import IdentityTransform

    corners = np.asarray(shape.vertices, dtype=float) * (POINTS, -POINTS)
    repeated = PathCollection(
        [NewPath(corners, shape.codes)], sizes=[1.0], offsets=places, offset_transform=plot.transData, **look
    )
    repeated.set_transform(IdentityTransform())  # a shape's corners are points of the page, whatever the axes
    plot.add_collection(repeated, autolim=False)


def _person() -> Path:
    """Head and shoulders, about 0.4 wide and 1 high; y runs downwards."""
    from matplotlib.patches import BoxStyle
    from matplotlib.path import Path as NewPath

    body = BoxStyle.Round(pad=0.04, rounding_size=0.16)(-0.21, -0.06, 0.42, 0.5, 1.0)
    return NewPath.make_compound_path(NewPath.circle((0.0, -0.34), 0.18), body)


def _square() -> Path:
    from matplotlib.path import Path as NewPath

    return NewPath.make_compound_path(
        NewPath([(-0.33, -0.33), (0.33, -0.33), (0.33, 0.33), (-0.33, 0.33), (-0.33, -0.33)], closed=True)
    )


def _cross() -> Path:
    from matplotlib.path import Path as NewPath

    arm = 0.1
    ends = [(-arm, -arm), (arm, arm), (-arm, arm), (arm, -arm)]
    return NewPath(ends, [NewPath.MOVETO, NewPath.LINETO, NewPath.MOVETO, NewPath.LINETO])


def _letter(mark: str) -> Path:
    """A letter as a shape, 0.3 high, around its own middle; y runs downwards."""
    import numpy as np
    from matplotlib.font_manager import FontProperties
    from matplotlib.path import Path as NewPath
    from matplotlib.textpath import TextPath

    drawn = TextPath((0, 0), mark, size=0.42, prop=FontProperties(family="DejaVu Sans", weight="bold"))
    corners = np.asarray(drawn.vertices, dtype=float)
    middle = (corners.min(axis=0) + corners.max(axis=0)) / 2
    return NewPath((corners - middle) * (1.0, -1.0), drawn.codes)
