"""What the unknown outcomes could change, for the card: bounds, weighted figures, and when the list would not pay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from riskmodels.cards.card import Cell, Table
from riskmodels.cards.cells import bounds_cell, decimals, foreseen, of_100_cell, with_range, with_range_foreseen
from riskmodels.cards.list_rates import precision_of
from riskmodels.cards.shown import Shown, counted
from riskmodels.cards.words import Language, capital, digits_of, family_words, of_100

Row = Mapping[str, Any]
ASSUMED = (
    "The weighted figures assume that those whose outcome is not known are like those with the same risk on the same "
    "date whose outcome is. If the outcome itself is why somebody is not known, they are wrong. The last column holds "
    "in any case."
)


def published_unknown(raw: Row, families: Sequence[Row], shown: Shown) -> dict[str, Any]:
    """`UnknownOutcomes.to_dict()` as it may stand in a card.

    Bounds are hidden where a handful are unknown, since their width says how many. Those of precision and recall are
    left to ``at_capacity``, which gives them. How many are unknown on the list is left to it too. A rule whose own list
    is hidden in the table of families is not held against ours here.

    Parameters
    ----------
    families : the published rows of that table
    """
    found = raw["weighted"].get("precision")
    if found:
        # The weights are near one where few are unknown, so that its digits say as much as the plain one's.
        found = precision_of(found, raw["selected"], shown.profile)
        raw = {**raw, "weighted": {**raw["weighted"], "precision": found}}
    (safe,) = counted([raw], "performance.unknown_outcomes", shown)
    # As the table of families says it, with no more digits.
    said = {row["model"]: (row.get("precision_at_k") or {}).get("value") for row in families}
    safe["tipping"] = [
        {**row, "precision": said.get(row["against"], row["precision"])}
        for row in safe["tipping"]
        if said.get(row["against"], row["precision"]) is not None
    ]
    few = raw["unknown"] > 0 and shown.is_small(raw["unknown"])
    if few:
        shown.note("performance.unknown_outcomes.bounds", "bounds")
    safe["bounds"] = {
        name: [None, None] if few else safe["bounds"][name] for name in ("auc", "oe_ratio", "brier_score")
    }
    known_wrong = raw["selected"] - raw["unknown_selected"] - raw["hits"]
    handful = any(shown.is_small(count) for count in (raw["unknown_selected"], raw["hits"], known_wrong))
    for row in safe["tipping"] if handful else ():
        row |= {"needed": None, "verdict": None if row["verdict"] == "depends on them" else row["verdict"]}
    weights = safe["weights"]
    if "effective" in weights:
        weights["effective"] = shown.count(round(raw["weights"]["effective"]))
        weights["left_out"] = shown.count(raw["weights"]["left_out"], none_is_fine=True)
        if shown.is_handful(raw["weights"]["cut"], raw["known"]):
            weights["cut"] = None
    del safe["unknown_selected"]
    return safe


def unknown_tables(unknown: Row, performance: Row, language: Language, column: str | None) -> dict[str, Table]:
    """The figures three ways, and the tipping points.

    Parameters
    ----------
    unknown : as `published_unknown` gives it
    performance : the published performance, for the plain figures and the bounds of the list
    column : words of the column that the single best column sorts by
    """
    if unknown["unknown"] == 0:
        return {}
    tables = {"unknown_outcomes": _figures(unknown, performance, language)}
    chosen = (performance.get("comparison") or {}).get("chosen")
    # A list is not held against itself.
    others = [row for row in unknown["tipping"] if row["against"] != chosen]
    if others:
        tables["tipping"] = _tipping(others, language, column)
    return tables


def _figures(unknown: Row, performance: Row, language: Language) -> Table:
    overall, at = performance["overall"], performance["at_capacity"]
    lines: tuple[tuple[str, str, Row, Any], ...] = (
        (f"Of 100 on the list, {language.needed}", "precision", at.get("precision"), at.get("precision_bounds")),
        (
            f"Of 100 {language.that} {language.needed}, on the list",
            "recall",
            at.get("recall"),
            at.get("recall_bounds"),
        ),
        ("Of 100 pairs, right one first", "auc", overall.get("auc"), unknown["bounds"]["auc"]),
        ("Came about, for each 100 foreseen", "oe_ratio", overall.get("oe_ratio"), unknown["bounds"]["oe_ratio"]),
        ("Brier score (for specialists)", "brier_score", overall.get("brier_score"), unknown["bounds"]["brier_score"]),
    )
    rows = [
        (
            words,
            _figure(name, plain_figure),
            _figure(name, unknown["weighted"][name]),
            _between(name, bounds or (None, None)),
        )
        for words, name, plain_figure, bounds in lines
    ]
    weights = unknown["weights"]
    note = ASSUMED
    if weights.get("made_of"):
        note += f" The weights are made of {weights['made_of']}."
        if weights["effective"] is not None:
            note += f" The rows weigh as much as {weights['effective']:,} equal ones would."
        if weights["left_out"]:
            note += f" {weights['left_out']:,} {language.many} on dates without any known outcome have no part in them."
    return Table(
        caption="If the unknown outcomes were known",
        columns=("What", "Among those known", "Weighted for the unknown", "Whatever became of the unknown"),
        rows=tuple(rows),
        source="run: performance",
        note=note,
    )


def _figure(name: str, estimate: Row | None) -> Cell:
    if name == "oe_ratio":
        return with_range_foreseen(estimate)
    return decimals(estimate, digits_of(name)) if name == "brier_score" else with_range(estimate, per_100=True)


def _between(name: str, bounds: Sequence[float | None]) -> Cell:
    if name not in ("oe_ratio", "brier_score"):
        return bounds_cell(bounds)
    low, high = bounds
    if low is None or high is None:
        return "not shown"
    digits = digits_of(name)
    return (
        f"between {foreseen(low)} and {foreseen(high)}"
        if name == "oe_ratio"
        else f"between {low:.{digits}f} and {high:.{digits}f}"
    )


def _tipping(rows: list[Row], language: Language, column: str | None) -> Table:
    return Table(
        caption="How many of the unknown on the list must be cases, for it to be better than a simple rule",
        columns=("Compared with", f"Of 100 on its list, {language.needed}", "Of 100 unknown on our list, at least"),
        rows=tuple(
            (capital(family_words(row["against"], column)), of_100_cell(row["precision"]), _needed(row)) for row in rows
        ),
        source="run: performance",
        note="With fewer, our list would be no better than that rule's. The rule's own figure is of those known.",
    )


def _needed(row: Row) -> Cell:
    if row["needed"] is not None:
        return of_100_cell(row["needed"])
    if row["verdict"] is None:
        return "not shown"
    return "none: it is better in any case" if row["verdict"].startswith("above") else "even 100 are too few"


def unknown_words(unknown: Row, language: Language) -> tuple[str, ...]:
    """What the list's precision rests on, where outcomes are unknown."""
    precision = unknown["weighted"].get("precision") or {}
    if precision.get("value") is None:
        return ()
    return (
        f"If those whose outcome is not known are like those with the same risk whose outcome is, "
        f"{of_100(precision['value'])} of 100 on the list {language.needed}. Nobody can check whether they are.",
    )
