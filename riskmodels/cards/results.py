"""Section 7 of the card: how well it does, as tables and sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from riskmodels.cards.card import Cell, Table
from riskmodels.cards.cells import (
    bounds_cell,
    count_cell,
    decimals,
    foreseen,
    of_100_cell,
    range_cell,
    with_range,
    with_range_foreseen,
)
from riskmodels.cards.words import (
    Language,
    capital,
    day,
    digits_of,
    family_words,
    meaning_of,
    measure_words,
    of_100,
)
from riskmodels.study import Study

Row = Mapping[str, Any]
LEAST_P, GAIN_DIGITS = 0.001, 4


def performance_tables(performance: Row, language: Language, column: str | None) -> dict[str, Table]:
    return {
        "list": _list_table(performance["at_capacity"], language),
        "families": _families_table(performance, language, column),
        "per_date": _per_date_table(performance["per_date"], language),
        "measures": Table(
            caption="Measures, for specialists",
            columns=("Measure", "Value", "95% interval", "What it means"),
            rows=tuple(
                (measure_words(name), *_value_and_interval(name, estimate), meaning_of(name, language.many))
                for name, estimate in performance["overall"].items()
            ),
            source="run: performance",
        ),
        "families_measures": _families_measures(performance, column),
    }


def _value_and_interval(name: str, estimate: Row) -> tuple[Cell, Cell]:
    value, low, high = (estimate.get(end) for end in ("value", "low", "high"))
    if value is None:
        return estimate.get("reason") or "not computed", ""
    if name == "spiegelhalter_p" and value < LEAST_P:
        return f"less than {LEAST_P}", ""
    digits = digits_of(name)
    return decimals(
        {"value": value}, digits
    ), "" if low is None or high is None else f"{low:.{digits}f} to {high:.{digits}f}"


def _list_table(at: Row, language: Language) -> Table:
    """The list per 100; where many outcomes are unknown, what must be true comes before what was seen."""
    leads, many = bool(at.get("leads_with_bounds")), language.many
    tail = " (among those whose outcome is known)" if leads else ""
    listed, found = f"On the list: {language.needed}", f"{capital(language.needed)}: on the list"
    precision, recall = at.get("precision") or {}, at.get("recall") or {}
    # The same number as in the picture, whose parts add up to 100.
    not_known = at["of_100"].get("not_known")
    rows: list[tuple[Cell, ...]] = []
    if leads:
        extremes = "the two extremes, since some outcomes are not known"
        rows += [
            (listed, bounds_cell(at.get("precision_bounds") or (None, None)), extremes),
            (found, bounds_cell(at.get("recall_bounds") or (None, None)), extremes),
        ]
    rows += [
        (f"{listed}{tail}", of_100_cell(precision.get("value"), precision), range_cell(precision)),
        (f"{found}{tail}", of_100_cell(recall.get("value"), recall), range_cell(recall)),
        (
            "On the list: outcome not known",
            f"{not_known} of 100" if not_known else of_100_cell(at.get("unknown_share")),
            "",
        ),
        ("Ranked: on the list", of_100_cell(at.get("selection_rate")), ""),
    ]
    counts = [_said(count_cell(at.get(name))) for name in ("selected", "known", "unknown")]
    return Table(
        caption=f"The list, of 100 {many} each time",
        columns=("Who", "Of 100", "Could be (95% interval)"),
        rows=tuple(rows),
        source="run: performance",
        note=(
            f"On the list: {counts[0]}. Outcome known: {counts[1]}. Not known: {counts[2]}. Intervals are of this "
            "list: another one, made by the same rule, would name others."
        ),
    )


def _said(value: Cell) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def _families_table(performance: Row, language: Language, column: str | None) -> Table:
    note = (
        "Ranges: 95% intervals. Close: how near the risks come to what happened (the Brier score, in the table below)."
    )
    if performance["at_capacity"].get("leads_with_bounds"):
        note += " All figures are for those whose outcome is known, who may differ from the rest."
    return Table(
        caption=f"Against simple rules, on the same {language.many}",
        columns=(
            "Way of choosing",
            f"Of 100 on its list, {language.needed}",
            "Of 100 pairs, put the right one first",
            "Are its risks closer than the best simple rule's?",
        ),
        rows=tuple(
            (
                _name(performance, row, column),
                with_range(row.get("precision_at_k"), per_100=True),
                with_range(row.get("auc"), per_100=True),
                _closer(row.get("difference")),
            )
            for row in performance["families"]
        ),
        source="run: performance",
        note=note,
    )


def _name(performance: Row, row: Row, column: str | None) -> str:
    chosen = row["model"] == (performance.get("comparison") or {}).get("chosen")
    return capital(family_words(row["model"], column)) + (" (chosen)" if chosen else "")


def _closer(gain: Row | None) -> Cell:
    """A gain in words: whether it is more than chance, either way."""
    if not gain:
        return "it is the rule to beat"
    if gain.get("value") is None:
        return gain.get("reason") or "not computed"
    low, high = gain.get("low"), gain.get("high")
    if low is None or high is None:
        return "it cannot be said"
    if low > 0:
        return "yes, beyond chance"
    return "no, further off, beyond chance" if high < 0 else "no clear difference"


def _families_measures(performance: Row, column: str | None) -> Table:
    criterion = measure_words((performance.get("comparison") or {}).get("criterion") or "brier_score")
    return Table(
        caption="Against simple rules, for specialists",
        columns=("Way of choosing", "AUC", "Brier score (lower is better)", f"Gain in {criterion}"),
        rows=tuple(
            (
                _name(performance, row, column),
                decimals(row.get("auc"), digits_of("auc")),
                decimals(row.get("brier_score"), digits_of("brier_score")),
                decimals(row["difference"], GAIN_DIGITS) if row.get("difference") else "the rule to beat",
            )
            for row in performance["families"]
        ),
        source="run: performance",
        note=f"Gain: how far the {criterion} is below the best simple rule's. Above 0 is better. In brackets: 95%.",
    )


def _per_date_table(dates: Sequence[Row], language: Language) -> Table:
    rows = tuple(
        (
            day(row["as_of_date"]),
            *(count_cell(row.get(name)) for name in ("n", "known", "events")),
            with_range(row.get("auc"), per_100=True),
            with_range_foreseen(row.get("oe_ratio")),
            with_range(row.get("precision_at_k"), per_100=True),
        )
        for row in dates
    )
    return Table(
        caption="Each test date",
        columns=(
            "As of",
            capital(language.many),
            "Outcome known",
            "Came about",
            "Of 100 pairs, right one first",
            "Came about, for each 100 foreseen",
            f"Of 100 on the list, {language.needed}",
        ),
        rows=rows,
        source="run: performance",
        note="All figures are for those whose outcome is known.",
    )


def performance_words(study: Study, performance: Row, language: Language) -> tuple[str, ...]:
    """What the figures say: pairs, cases, last year, neighbours, today's practice."""
    words = []
    if study.file.clock == "relative":
        words.append("Nothing here was tested on the future: the data have no calendar.")
    overall, dates = performance["overall"], performance["per_date"]
    auc, oe = (overall.get(name, {}).get("value") for name in ("auc", "oe_ratio"))
    ranked = (performance.get("comparison") or {}).get("chosen") != "base_rate"
    if not ranked:
        words.append(f"All {language.many} have the same risk, so chance alone decides which are on the list.")
    elif auc is not None:
        words.append(
            f"Take two {language.many}, {language.who} {language.needed} and {language.who} {language.not_needed}. Of "
            f"100 such pairs, the ranking puts the right one first in {of_100(auc)}. A coin would do so in 50."
        )
    if oe is not None:
        words.append(f"For each 100 cases that the risks foresee, {foreseen(oe)} came about.")
    if ranked:
        words.append(_over_time(dates))
    words.append("No neighbouring area was compared.")
    if "current_practice" not in {row["model"] for row in performance["families"]}:
        words.append("There is no record of today's choices, so the list could not be compared with them.")
    return tuple(words)


def _over_time(dates: Sequence[Row]) -> str:
    """The first test date against the last, and whether they differ by more than chance."""
    if len(dates) < 2:
        return "There is one test date, so there is no last year to compare with."
    first, last = (row.get("auc") or {} for row in (dates[0], dates[-1]))
    if first.get("value") is None or last.get("value") is None:
        return "The first and the last test date cannot be compared."
    said = (
        f"From {day(dates[0]['as_of_date'])} to {day(dates[-1]['as_of_date'])} the pairs put right went from "
        f"{of_100(first['value'])} to {of_100(last['value'])} of 100."
    )
    if any(estimate.get(end) is None for estimate in (first, last) for end in ("low", "high")):
        return f"{said} We cannot say whether this is chance."
    apart = first["high"] < last["low"] or last["high"] < first["low"]
    return f"{said} This is more than chance." if apart else f"{said} There is no clear change: this could be chance."
