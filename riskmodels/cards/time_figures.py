"""The figures of performance over time: the test dates one by one, and the days on which something changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from riskmodels.cards.card import Figure, Table
from riskmodels.cards.cells import fine_100, whole_100
from riskmodels.cards.words import day, listing, of_100

if TYPE_CHECKING:
    from riskmodels.cards.figures import Results

Row = Mapping[str, Any]
ENDS = ("value", "low", "high")
ONE_DATE = "there are not two test dates to compare"
INTERVAL = "At least and at most: 95% interval."
EACH_DATE = "Each dot is a test date; its line is the 95% interval. Where two lines overlap, the change may be chance."


def over_time(results: Results) -> Figure | str:
    """Whom the list holds and how the ranking does on each test date; ``curve`` holds the breaks."""
    dates = [one for one in results.performance["per_date"] if _value(one, "auc") or _value(one, "precision_at_k")]
    if len(dates) < 2:
        return ONE_DATE
    language, breaks = results.language, _breaks(results)
    listed, pairs = f"Of 100 on the list, {language.needed}", "Of 100 pairs, right one first"
    ends = ("at least", "at most")
    rows = tuple(
        (
            day(one["as_of_date"]),
            *(whole_100(_value(one, name, end)) for name in ("precision_at_k", "auc") for end in ENDS),
        )
        for one in dates
    )
    return Figure(
        id="over_time",
        title=_title(dates, language.needed),
        reading=EACH_DATE,
        alt=(
            f"Two rows of dots, one dot for each of {len(rows)} test dates. Above: of 100 on the list, how many "
            f"{language.needed}{_from_to(dates, 'precision_at_k')}. Below: of 100 pairs, how many are put right"
            f"{_from_to(dates, 'auc')}. {_said(breaks)}"
        ),
        table=Table(
            caption="The list and the ranking on each test date",
            columns=("As of", listed, *ends, pairs, *(f"pairs, {end}" for end in ends)),
            rows=rows,
            source="run: performance",
            note=INTERVAL,
        ),
        curve=_curve(breaks),
        unit=f"of 100 on the list, and of 100 pairs, among {language.many} whose outcome is known",
        n=results.performance.get("known"),
        narrow=True,
    )


def risk_over_time(results: Results) -> Figure | str:
    """How many were foreseen and how many came about on each test date; ``curve`` holds the breaks."""
    tested = results.performance["per_date"]
    dates = [one for one in tested if _value(one, "oe_ratio") and _value(one, "base_rate") is not None]
    if len(dates) < 2:
        return ONE_DATE
    language, breaks = results.language, _breaks(results)
    rows = tuple(
        (
            day(one["as_of_date"]),
            fine_100(_foreseen(one)),
            *(fine_100(_value(one, "base_rate", end)) for end in ENDS),
            *(_of_100_foreseen(_value(one, "oe_ratio", end)) for end in ENDS),
        )
        for one in dates
    )
    first, last = dates[0], dates[-1]
    return Figure(
        id="risk_over_time",
        title=(
            f"Of 100 {language.many} on {rows[-1][0]}, {of_100(_foreseen(last))} were foreseen and "
            f"{of_100(last['base_rate']['value'])} {language.needed}"
        ),
        reading=(
            "A hollow mark is how many the risks foresaw, a dot how many came about. Where the dot's line does not "
            "reach the hollow mark, the risks were wrong by more than chance."
        ),
        alt=(
            f"Dots and hollow marks for {len(rows)} test dates. On the first, of 100 {language.many} "
            f"{of_100(_foreseen(first))} were foreseen and {of_100(first['base_rate']['value'])} came about; on the "
            f"last, {of_100(_foreseen(last))} and {of_100(last['base_rate']['value'])}. {_said(breaks)}"
        ),
        table=Table(
            caption="Foreseen and come about, on each test date",
            columns=(
                "As of",
                f"Foreseen, of 100 {language.many}",
                "Came about, of 100",
                "at least",
                "at most",
                "Came about, for each 100 foreseen",
                "for each 100, at least",
                "for each 100, at most",
            ),
            rows=rows,
            source="run: performance",
            note=INTERVAL,
        ),
        curve=_curve(breaks),
        unit=f"of 100 {language.many} whose outcome is known",
        n=results.performance.get("known"),
        narrow=True,
    )


def _value(one: Row, name: str, end: str = "value") -> float | None:
    return (one.get(name) or {}).get(end)


def _foreseen(one: Row) -> float:
    """The mean risk: what came about, over what came about for each one foreseen."""
    return float(one["base_rate"]["value"] / one["oe_ratio"]["value"])


def _of_100_foreseen(ratio: float | None) -> float | None:
    return None if ratio is None else round(100 * ratio)


def _title(dates: Sequence[Row], needed: str) -> str:
    for name, of_whom, what in (("precision_at_k", "on the list", needed), ("auc", "pairs", "were put right")):
        found = [value for one in dates if (value := _value(one, name)) is not None]
        if len(found) > 1:
            low, high = of_100(min(found)), of_100(max(found))
            if low == high:
                return f"On each of {len(found)} test dates, {low} of 100 {of_whom} {what}"
            return f"On {len(found)} test dates, between {low} and {high} of 100 {of_whom} {what}"
    return "The list and the ranking, test date by test date"


def _from_to(dates: Sequence[Row], name: str) -> str:
    values = [value for one in dates if (value := _value(one, name)) is not None]
    return f", from {of_100(values[0])} on the first to {of_100(values[-1])} on the last" if len(values) > 1 else ""


def _breaks(results: Results) -> tuple[tuple[str, str], ...]:
    return tuple((day(one.date), one.what) for one in sorted(results.study.breaks, key=lambda one: one.date))


def _curve(breaks: tuple[tuple[str, str], ...]) -> Table | None:
    if not breaks:
        return None
    return Table(caption="What changed", columns=("Day", "What"), rows=breaks, source="study.yaml: breaks")


def _said(breaks: tuple[tuple[str, str], ...]) -> str:
    if not breaks:
        return "No break in the records is declared."
    marked = listing([f"{what} on {date}" for date, what in breaks])
    return f"Upright lines mark what changed: {marked}."
