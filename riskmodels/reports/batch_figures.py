"""How the risks of a batch lie beside those of the model's test, as numbers, and the picture of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from riskmodels.reports.drawing import Content, draw
from riskmodels.reports.profile_tables import content
from riskmodels.reports.sheets import Bar, bars

Row = Mapping[str, Any]
Figure = dict[str, Any]
RISKS = "risks"


def figures_of(found: Row) -> list[Figure]:
    """The one figure of the page, if the batch's risks were counted and enough people have them."""
    bins = found["risk_bins"]
    if not bins:
        return []
    names = [f"{100 * row['low']:g} to {100 * row['high']:g}" for row in bins]
    both = bins[0]["of_100_before"] is not None
    most = max(range(len(bins)), key=lambda place: bins[place]["of_100"])
    columns = [
        "Risk, of 100",
        "People",
        "Of 100 people in this batch",
        *(["Of 100 in the model's test"] if both else []),
    ]
    rows = [
        [name, row["n"], row["of_100"], *([row["of_100_before"]] if both else [])]
        for name, row in zip(names, bins, strict=True)
    ]
    beside = f" In the model's test it was {bins[most]['of_100_before']:g} of 100." if both else ""
    return [
        {
            "id": RISKS,
            "title": "How high the risks are" + (", beside the model's test" if both else ""),
            "alt": f"Bars for {len(names)} ranges of risk. Most people, {bins[most]['of_100']:g} of 100, have a risk "
            f"of {names[most]} of 100.{beside}",
            "unit": "of 100 people",
            "n": found["scored"],
            "table": content(
                "People by risk", columns, rows, "this batch" + (" and the model's test" if both else ""),
                "A risk on the edge of two ranges is counted in the higher. The ranges are not equally wide: each "
                "holds enough people to be shown.",
            ),
            "curve": None,
        }
    ]  # fmt: skip


def draw_batch(figures: Iterable[Content]) -> dict[str, bytes]:
    """SVG by figure id."""
    return draw(figures, lambda figure: _risks)


def _risks(figure: Content) -> bytes:
    """A bar for each range of risk in this batch, and a hollow mark on each for the model's test."""
    rows = figure["table"]["rows"]
    both = len(rows[0]) > 3
    lines = [
        Bar(f"Risk of {row[0]} of 100", row[2], f"{row[2]:g} of 100", mark=row[3] if both else None) for row in rows
    ]
    return bars(lines, key=("this batch", "the model's test") if both else None)
