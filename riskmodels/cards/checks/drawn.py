"""What a picture shows, read from its SVG: the colours of its text and of its marks, against what they stand on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree import ElementTree

from riskmodels.cards.checks.colours import LEAST_FOR_MARKS, LEAST_FOR_TEXT, contrast

SVG = "{http://www.w3.org/2000/svg}"
PAPER, NOTHING = "#ffffff", "none"
GRID = "#c5c9cc"  # lines of a grid are ornament
COLOUR = re.compile(r"(fill|stroke): ?(#[0-9a-f]{6}|#[0-9a-f]{3}\b|none)")


def faint(svg: str | bytes) -> list[str]:
    """Each text and each mark with too little contrast: "mark {its colours}".

    A mark may be seen by its face or by its edge. A picture without any mark shows nothing.
    """
    grounds: dict[str, str] = {}
    found, marks = [], 0
    for text, ground, colours in _shapes(svg):
        fill, stroke = colours.get("fill", "#000000"), colours.get("stroke", NOTHING)
        if text is not None and ground:
            grounds[text] = fill
        elif text is not None:
            if fill != NOTHING and contrast(fill, grounds.get(text, PAPER)) < LEAST_FOR_TEXT:
                found.append(f"text {colours}")
        elif stroke != GRID and (fill, stroke) != (PAPER, NOTHING):
            shown = [contrast(colour, PAPER) for colour in (fill, stroke) if colour != NOTHING]
            marks += bool(shown)
            if shown and max(shown) < LEAST_FOR_MARKS:
                found.append(f"mark {colours}")
    return found if marks else [*found, "no mark"]


def _shapes(svg: str | bytes) -> Iterator[tuple[str | None, bool, dict[str, str]]]:
    """Each shape as (the id of the text that it belongs to, whether it is the text's ground, its colours)."""

    def walk(
        element: ElementTree.Element, text: str | None, ground: bool
    ) -> Iterator[tuple[str | None, bool, dict[str, str]]]:
        if element.tag == f"{SVG}defs":
            return
        name = element.get("id") or ""
        inside, ground = (name, False) if name.startswith("text_") else (text, ground or name.startswith("patch_"))
        colours = dict(COLOUR.findall((element.get("style") or "").lower()))
        if element.tag in (f"{SVG}path", f"{SVG}use", f"{SVG}g") and colours:
            yield inside, ground, colours
        for child in element:
            yield from walk(child, inside, ground)

    yield from walk(ElementTree.fromstring(svg), None, False)  # noqa: S314 - a picture that we drew
