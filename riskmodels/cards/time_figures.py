"""The figure of performance over time: the test dates one by one, and the days on which something changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from riskmodels.cards.card import Figure, Table
from riskmodels.cards.words import day, listing, of_100

if TYPE_CHECKING:
    from riskmodels.cards.figures import Results

Row = Mapping[str, Any]
ENDS = ("value", "low", "high")


def over_time(results: Results) -> Figure | str:
    """AUC and O/E on each test date with their intervals; ``curve`` holds the breaks that lie among or after them."""
    dates = results.performance["per_date"]
    rows = tuple(_row(one) for one in dates if any((one.get(name) or {}).get("value") for name in ("auc", "oe_ratio")))
    if len(rows) < 2:
        return "there are not two test dates to compare"
    many = results.language.many
    breaks = tuple((day(one.date), one.what) for one in sorted(results.study.breaks, key=lambda one: one.date))
    return Figure(
        id="over_time",
        title="The ranking and the risks, test date by test date",
        alt=(
            f"Two rows of dots, one dot for each of {len(rows)} test dates. Above: of 100 pairs, how many "
            f"are put right{_from_to(dates, 'auc', of_100)}. Below: how many cases came about for each one foreseen"
            f"{_from_to(dates, 'oe_ratio', _ratio)}. {_said(breaks)}"
        ),
        table=Table(
            caption="The ranking and the risks on each test date",
            columns=(
                "As of",
                "Of 100 pairs, right one first",
                "at least",
                "at most",
                "Observed to expected",
                "O/E at least",
                "O/E at most",
            ),
            rows=rows,
            source="run: performance",
            note="At least and at most: 95% interval.",
        ),
        curve=Table(caption="What changed", columns=("Day", "What"), rows=breaks, source="study.yaml: breaks")
        if breaks
        else None,
        unit=f"of 100 pairs, and cases for each one foreseen, among {many} whose outcome is known",
        n=results.performance.get("known"),
    )


def _row(one: Row) -> tuple[str | float | None, ...]:
    auc, oe = one.get("auc") or {}, one.get("oe_ratio") or {}
    of_pairs = (None if auc.get(end) is None else round(100 * auc[end], 1) for end in ENDS)
    return (day(one["as_of_date"]), *of_pairs, *(oe.get(end) for end in ENDS))


def _from_to(dates: list[Row], name: str, say: Any) -> str:
    found = [(one.get(name) or {}).get("value") for one in dates]
    values = [value for value in found if value is not None]
    return f", from {say(values[0])} on the first to {say(values[-1])} on the last" if len(values) > 1 else ""


def _ratio(value: float) -> str:
    return f"{value:.2f}"


def _said(breaks: tuple[tuple[str, str], ...]) -> str:
    if not breaks:
        return "No break in the records is declared."
    marked = listing([f"{what} on {date}" for date, what in breaks])
    return f"Upright lines mark what changed: {marked}."
