"""How the risks of a batch lie beside those of the model's test, as numbers, and the picture of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from riskmodels.reports.drawing import BLUE, INK, QUIET, RULE, Content, canvas, draw, few_ticks, svg
from riskmodels.reports.profile_tables import content

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
    """Upright bars for the batch, and a hollow mark on each for the test."""
    rows = figure["table"]["rows"]
    picture, plot = canvas(4.2)
    places = range(len(rows))
    plot.bar(places, [row[2] for row in rows], width=0.72, color=BLUE, label="this batch")
    if len(rows[0]) > 3:
        plot.plot(
            places, [row[3] for row in rows], "D", label="the model's test", color=INK, markerfacecolor="white",
            markeredgewidth=1.6, markersize=8,
        )  # fmt: skip
        picture.legend(loc="outside upper left", ncols=2)
    plot.set_xticks(places, [str(row[0]).replace(" to ", "\nto ") for row in rows])
    plot.tick_params(axis="x", length=0, labelsize=11)
    plot.yaxis.set_major_locator(few_ticks(6))
    plot.set_ylim(0, 1.1 * max(max(row[2:]) for row in rows))
    plot.set_xlabel("Risk, of 100")
    plot.set_ylabel("Of 100 people")
    plot.grid(axis="y", color=RULE, linewidth=0.5)
    plot.set_axisbelow(True)
    plot.spines["left"].set_color(QUIET)
    return svg(picture)
