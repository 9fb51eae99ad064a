"""What acting on the list does, as tables: other sizes, the cut, assumed costs and savings, the way back.

Tables of what is measured and the table of what is assumed stay apart, and the latter says so in its heading.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from riskmodels.cards.card import Cell, Table
from riskmodels.cards.cells import bounds_cell, count_cell, fine_100, of_100_cell, with_range
from riskmodels.cards.words import Language, capital, of_100
from riskmodels.study import Study

Row = Mapping[str, Any]

TIMES = {
    0.5: "Half the places", 0.75: "Three quarters of the places", 1.0: "The places there are",
    1.25: "A quarter more places", 1.5: "Half as many places again", 2.0: "Twice the places",
    3.0: "Three times the places",
}  # fmt: skip
SIGNS = {"GBP": "£", "EUR": "€", "USD": "$"}
FEWEST_SIZES = 3  # that make a figure
SIZES_LEFT_OUT = "Sizes are left out where a number, or the step from the one before, would be small."
RISK_IS_NOT_BENEFIT = "Risk is not benefit. Nothing here says who gains from help."


def use_tables(performance: Row, language: Language, study: Study) -> dict[str, Table]:
    """Tables of ``performance["use"]``; none where nothing can be said.

    Parameters
    ----------
    performance : as published, with ``use`` as `riskmodels.cards.use_published.published_use` gives it
    """
    use = performance.get("use") or {}
    if not use:
        return {}
    made = {
        "capacity_sweep": _sweep_table(performance, language),
        "marginal": _marginal_table(use["marginal"], language),
        "assumed": _assumed_table(performance, language),
        "regression_to_mean": _regression_table(use["regression_to_mean"], language),
        "interventions_avoided": _avoided_table(use["interventions_avoided"], language),
    }
    return {name: table for name, table in made.items() if table is not None and table.rows}


# ---------------------------------------------------------------- other sizes


def size_words(row: Row) -> str:
    """``{times: 2.0}`` -> "Twice the places"; ``{of_ranked: 0.05}`` -> "5 of each 100 ranked"."""
    if row.get("times") is not None:
        return TIMES.get(row["times"], f"{row['times']:g} times the places")
    return f"{of_100(row['of_ranked'])} of each 100 ranked"


def sizes_shown(use: Row) -> list[Row]:
    """The sizes of the list whose two rates can both be shown."""
    return [
        row
        for row in use.get("capacity_sweep") or []
        if all(row[name].get("value") is not None for name in ("precision", "recall"))
    ]


def _sweep_table(performance: Row, language: Language) -> Table | None:
    """What the figure of the sizes has no room for: the two extremes, or all where there is no such figure."""
    leads, rows = performance["at_capacity"].get("leads_with_bounds"), performance["use"]["capacity_sweep"]
    drawn = len(sizes_shown(performance["use"])) >= FEWEST_SIZES
    if drawn and not leads:
        return None
    listed, found = f"Of 100 on the list, {language.needed}", f"Of 100 {language.that} {language.needed}, on the list"
    columns = ["Size of the list", "Of 100 ranked, on it"]
    columns += [] if drawn else [listed, found]
    columns += [f"{listed}: the two extremes", f"{found}: the two extremes"] if leads else []
    lines: list[tuple[Cell, ...]] = []
    for row in rows:
        cells: list[Cell] = [size_words(row), of_100_cell(row["selection_rate"])]
        if not drawn:
            cells += [with_range(row[name], per_100=True) for name in ("precision", "recall")]
        if leads:
            cells += [bounds_cell(row[name]) for name in ("precision_bounds", "recall_bounds")]
        lines.append(tuple(cells))
    note = "All test dates together."
    note += "" if drawn else " In brackets: 95% intervals. Figures are for those whose outcome is known."
    note += " The extremes hold whatever became of those whose outcome is not known." if leads else ""
    return Table(
        caption="Each size of the list, whatever became of the unknown" if leads else "Each size of the list",
        columns=tuple(columns),
        rows=tuple(lines),
        source="run: performance",
        note=f"{note} {SIZES_LEFT_OUT}",
    )


# ---------------------------------------------------------------- the cut


def _marginal_table(marginal: Row, language: Language) -> Table | None:
    sides = [(marginal["inside"], "The last on the list"), (marginal["outside"], "The next below it")]
    if all(side["observed"].get("value") is None for side, _ in sides):
        return None
    return Table(
        caption="On either side of the cut",
        columns=("Who", capital(language.many), "Mean risk, of 100", f"{capital(language.needed)}, of 100"),
        rows=tuple(
            (
                words,
                count_cell(side["n"]),
                of_100_or_blank(side["mean_risk"]),
                with_range(side["observed"], per_100=True),
            )
            for side, words in sides
        ),
        source="run: performance",
        note=(
            "At least 50 on each side whose outcome is known, all test dates together. "
            f"{gap_words(marginal['difference'])}"
        ),
    )


def of_100_or_blank(share: float | None) -> Cell:
    return "" if share is None else of_100(share)


def gap_words(difference: Row) -> str:
    """Whether the two sides of the cut can be told apart."""
    if difference.get("low") is None or difference.get("high") is None:
        return "We cannot say whether the two sides differ."
    if difference["low"] > 0:
        return "The gap is more than chance."
    if difference["high"] >= 0:
        return "The gap could be chance."
    return "The gap is the wrong way round, by more than chance: the order at the cut is not right."


# ---------------------------------------------------------------- what is assumed


def _assumed_table(performance: Row, language: Language) -> Table | None:
    """Nothing where take-up and effect were not stated: a sentence says so."""
    assumed = performance["use"]["assumed"]
    if "prevented_per_100" not in assumed:
        return None
    sign = assumed["stated"].get("currency", "")
    reached = f"reached, of 100 {language.many} on the list"
    lines = [
        (capital(reached), "reached_per_100", "count"),
        (f"Cost for each {language.one} reached", "cost_per_person_reached", sign),
        (f"Cost for each one reached {language.that} {language.needed}", "cost_per_person_in_need_reached", sign),
        ("Cases prevented, by 100 places", "prevented_per_100", "count"),
        ("Saved by 100 places, less their cost", "saved_per_100", sign),
        ("Effect needed to cover the cost, cases of 100", "break_even_effect", "share"),
    ]
    with_unknown = "unknown" in assumed["prevented_per_100"]
    columns = ["Assumed", "If the list is as right as it was", "If chance misled us about that"]
    rows: list[tuple[Cell, ...]] = []
    for words, name, unit in lines:
        if name in assumed:
            found = assumed[name]
            views = ["measured", "sampling", *(["unknown"] if with_unknown else [])]
            rows.append((words, *(span(found.get(view, found), unit) for view in views)))
    if with_unknown:
        columns.append("Whatever became of those not known")
    return Table(
        caption="If help works as assumed: none of this was measured",
        columns=tuple(columns),
        rows=tuple(rows),
        source="study.yaml: help, money; run: performance",
        note=f"{_stated(assumed['stated'])} {RISK_IS_NOT_BENEFIT}",
    )


def _stated(stated: Row) -> str:
    """The assumptions themselves."""
    take_up, effect = (_ends(stated[name], of_signed_100) for name in ("take_up", "effect"))
    harm = " (below 0 it does harm)" if stated["effect"][0] < 0 else ""
    said = f"Assumed: {take_up} of 100 who are offered help take it up; it prevents {effect} of 100 cases among these"
    said += f"{harm}."
    if "place_costs" in stated:
        costs, saves = (
            _ends(stated[name], lambda end: money(end, stated["currency"])) for name in ("place_costs", "success_saves")
        )
        said += f" A place costs {costs}, also where the offer is declined. A case prevented saves {saves}."
    return said


def _ends(range_: Sequence[float], say: Callable[[float], str]) -> str:
    return " to ".join(dict.fromkeys(say(end) for end in range_))


def of_signed_100(share: float) -> str:
    return f"minus {of_100(-share)}" if share < 0 else of_100(share)


def span(found: Row, unit: str) -> str:
    """``{low, high}`` as "12 to 30"; an end without a limit in words."""
    low, high = (None if found.get(end) is None else _amount(found[end], unit) for end in ("low", "high"))
    if low is None and high is None:
        return str(found.get("reason") or "not computed")
    if high is None:
        return f"{low} or more, without a limit"
    return f"up to {high}" if low is None else (low if low == high else f"{low} to {high}")


def _amount(value: float, unit: str) -> str:
    if unit == "count":
        return f"{'minus ' if value < 0 else ''}{count_words(abs(value))}"
    if unit == "share":
        return of_100(value) if value <= 1 else "more than 100"
    return money(value, unit)


def count_words(value: float) -> str:
    """A number of cases, worked out: whole from 10, below it to two digits."""
    return f"{value:{'.0f' if value >= 9.95 else '.2g'}}"


def money(value: float, currency: str) -> str:
    """``-17500, "GBP"`` -> "minus £17,500"."""
    size = f"{abs(value):,.0f}"
    sign = SIGNS.get(currency)
    return ("minus " if value < 0 else "") + (f"{sign}{size}" if sign else f"{size} {currency}")


# ---------------------------------------------------------------- what changes by itself


def _regression_table(regression: Row, language: Language) -> Table | None:
    if regression["listed"]["change"].get("value") is None:
        return None
    many = capital(language.many)
    return Table(
        caption="Risk on the day of the list, and on the next test date",
        columns=("Who", many, "Ranked again", "Mean risk then, of 100", "Mean risk later, of 100", "Change"),
        rows=tuple(
            (
                words,
                *(count_cell(regression[who][name]) for name in ("n", "remaining")),
                *(with_range(regression[who][name], per_100=True) for name in ("then", "later")),
                _change(regression[who]["change"]),
            )
            for who, words in (("listed", "On a list"), ("everybody", "All ranked"))
        ),
        source="run: performance",
        note="Mean risks are of those who were ranked again on the next test date. In brackets: 95% intervals.",
    )


def _change(change: Row) -> Cell:
    if change.get("value") is None:
        return change.get("reason") or "not computed"
    said = points(change["value"])
    low, high = change.get("low"), change.get("high")
    return said if low is None or high is None else f"{said} ({points(low)} to {points(high)})"


def points(value: float) -> str:
    """A change of a share, in points of 100."""
    told = fine_100(value) or 0.0
    return f"minus {-told:g}" if told < 0 else f"{told:g}"


# ---------------------------------------------------------------- interventions avoided


def _avoided_table(rows: list[Row], language: Language) -> Table:
    return Table(
        caption=f"Places saved by not helping all, for 100 {language.many}",
        columns=("If help is worth it from a risk of", "Places saved (95% interval)"),
        rows=tuple(
            (of_100_cell(row["threshold"]), _change(row["avoided"]))
            for row in rows
            if row["avoided"].get("value") is not None
        ),
        source="run: performance",
        note=(
            "Fewer places than if all were helped, less what those missed would weigh (Vickers and others 2008). Below "
            "0: it would be better to help all."
        ),
    )
