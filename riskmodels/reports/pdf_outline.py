"""Which parts of a card a printed copy shows: all that a committee reads, and of the long tables where they stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from riskmodels.reports.cells import cell_text
from riskmodels.reports.parts import Part, Section, table

# A table that the page folds away is printed up to this many rows: about half a page.
ROWS_PRINTED = 24
# A picture with a line for each group, which many groups make taller than a page, and the column that splits it.
IN_PIECES = {"group_ratios": "Characteristic"}


@dataclass(frozen=True)
class LeftOut:
    """A table that a printed copy names and does not show. ``section``: the id of the section that names it."""

    section: str
    number: int
    caption: str
    rows: int


def for_paper(sections: Sequence[Section], name: str) -> tuple[tuple[Section, ...], tuple[LeftOut, ...]]:
    """The sections with all that was folded opened, and what is named only, in order.

    A folded table of more than ``ROWS_PRINTED`` rows, and the points of a drawn curve beyond that, are named, with
    their number of rows and the file that shows them. What stands open on the page is always printed.

    Parameters
    ----------
    name : what the files beside the PDF are called, without their ending
    """
    left_out: list[LeftOut] = []

    def opened(section: Section) -> Section:
        parts = tuple(new for part in section.parts for new in _opened(part, section, name, left_out))
        return replace(section, parts=parts)

    made = tuple(opened(section) for section in sections)
    return made, tuple(left_out)


def _opened(part: Part, section: Section, name: str, left_out: list[LeftOut]) -> list[Part]:
    if part["kind"] in ("table", "heat"):
        content = part["table"]
        if part["fold"] and len(content["rows"]) > ROWS_PRINTED:
            return [_named(content, section, name, left_out)]
        return [{**part, "fold": False}]
    if part["kind"] == "list" and "fold" in part:
        unfolded = {key: value for key, value in part.items() if key != "fold"}
        return [{"kind": "heading", "text": part["fold"]}, unfolded]
    if part["kind"] == "figure":
        return _opened_figure(part, section, name, left_out)
    return [part]


def _opened_figure(part: Part, section: Section, name: str, left_out: list[LeftOut]) -> list[Part]:
    """The figure; a curve of too many points is named below it, and a picture too tall for a page comes in pieces."""
    figure: Mapping[str, Any] = part["figure"]
    curve = figure.get("curve")
    if figure["id"] in IN_PIECES:
        panels: Part = {"kind": "panels", "figures": pieces(figure)}
        return [panels, table(figure["table"]), *([table(curve)] if curve else [])]
    if not curve or len(curve["rows"]) <= ROWS_PRINTED:
        return [part]
    return [{**part, "figure": {**figure, "curve": None}}, _named(curve, section, name, left_out)]


def pieces(figure: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One figure for each value of the column that splits it, in order; its rows in all stand in a table below."""
    content = figure["table"]
    place = content["columns"].index(IN_PIECES[figure["id"]])
    made = []
    for value in dict.fromkeys(row[place] for row in content["rows"]):
        rows = [row for row in content["rows"] if row[place] == value]
        alt = f"{value}: marks with intervals against shaded limits around 1. The numbers stand in the table below."
        made.append({
            **figure, "id": f"{figure['id']} {value}", "drawn_as": figure["id"], "title": value, "alt": alt, "n": None,
            "reading": None, "table": {**content, "rows": rows, "note": None},
        })  # fmt: skip
    return made


def _named(content: Mapping[str, Any], section: Section, name: str, left_out: list[LeftOut]) -> Part:
    line = LeftOut(section.id, section.number, content["caption"], len(content["rows"]))
    left_out.append(line)
    where = f"It stands in {name}.html, section {section.number}, and in {name}.json."
    return {"kind": "text", "text": f"Not printed: {line.caption}, {cell_text(line.rows)} rows. {where}"}
