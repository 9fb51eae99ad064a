"""For whom it works, for the card: one table for each way of slicing, and whether the slices differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from riskmodels.assessment.suppression import hidden_rows
from riskmodels.cards.card import Table
from riskmodels.cards.cells import count_cell, with_range
from riskmodels.cards.shown import Shown, counted
from riskmodels.cards.words import Language, capital, of_100

Row = Mapping[str, Any]
MOST_ROWS = 40
COMPARED = ("auc", "oe_ratio", "calibration_slope", "brier_score")
LISTED = ("precision", "recall")
# What a way of slicing is called in a caption, and its labels where "yes" and "no" say too little.
NAMES = {"seen": "whether the model had learned from them before"}
LABELS = {("seen", "yes"): "Taught the model before", ("seen", "no"): "New to the model"}


def published_slices(raw: Row, shown: Shown) -> dict[str, Any]:
    """`Slices.to_dict()` as it may stand in a card.

    A slice of few people, events or others has its counts and rates hidden; one with few on its list, right or wrong,
    has those of the list hidden; and so has another slice where subtraction would give them away.
    """
    safe = counted(raw["slices"], "performance.slices", shown)
    for given, one in zip(raw["slices"], safe, strict=True):
        rows = given["rows"]
        whole = [[row["n"], row["events"], row["known"] - row["events"]] for row in rows]
        hidden, _ = hidden_rows(np.array(whole, dtype=np.int64).reshape(-1, 3), shown.profile)
        found = [
            (row["hits"], (row["precision"].get("n") or 0) - row["hits"], row["events"] - row["hits"]) for row in rows
        ]
        few, _ = hidden_rows(np.array(found, dtype=np.int64).reshape(-1, 3), shown.profile, hidden)
        for row, no_counts, no_list in zip(one["rows"], hidden, few, strict=True):
            where = f"performance.slices.{one['name']}, {row['label']}"
            if no_counts:
                shown.note(where, "counts and rates")
                row |= dict.fromkeys(("n", "known", "unknown", "events"))
                row |= {name: {"value": None, "reason": shown.hidden} for name in COMPARED}
            if no_list:
                shown.note(where, "what is made of the list")
                row |= dict.fromkeys(("selected", "hits"))
                row |= {name: {"value": None, "reason": shown.hidden} for name in LISTED}
            # Bounds say how many are not known; the card gives those of the whole list only.
            for name in ("precision_bounds", "recall_bounds"):
                row.pop(name)
    return {"slices": safe}


def slice_tables(slices: Row, language: Language) -> dict[str, Table]:
    """A table for each way of slicing, keyed ``slice_<name>``; of many slices the largest."""
    return {f"slice_{one['name']}": _table(one, language) for one in slices["slices"]}


def _table(one: Row, language: Language) -> Table:
    rows = one["rows"]
    note = "All figures are for those whose outcome is known."
    if len(rows) > MOST_ROWS:
        rows = sorted(rows, key=lambda row: -(row["n"] or 0))[:MOST_ROWS]
        note += f" The largest {MOST_ROWS} of {len(one['rows'])} are shown."
    return Table(
        caption=f"By {_name(one)}",
        columns=(
            capital(_name(one)) if one["name"] not in NAMES else "Who",
            capital(language.many),
            "Came about",
            "Of 100 pairs, right one first",
            "Observed to expected",
            "Calibration slope",
            "Brier score",
            f"Of 100 on the list, {language.needed}",
            f"Of 100 {language.that} {language.needed}, on the list",
        ),
        rows=tuple(
            (
                _label(one, row),
                *(count_cell(row[key]) for key in ("n", "events")),
                *(with_range(row[name], per_100=name == "auc") for name in COMPARED),
                *(with_range(row[name], per_100=True) for name in LISTED),
            )
            for row in rows
        ),
        source="run: performance",
        note=note,
    )


def _name(one: Row) -> str:
    """``people.home_region`` -> "home region"."""
    return NAMES.get(one["name"]) or str(one["name"]).rpartition(".")[2].replace("_", " ")


def _label(one: Row, row: Row) -> str:
    return LABELS.get((one["name"], row["label"]), capital(row["label"]))


def slice_words(slices: Row) -> tuple[str, ...]:
    """Whether slices differ by more than chance, and what to expect of another one."""
    return tuple(_spread_words(one) for one in slices["slices"])


def _spread_words(one: Row) -> str:
    ranking, risks = one["spread"]["auc"], one["spread"]["oe_ratio"]
    name = _name(one)
    if ranking["verdict"] == "not computed":
        return f"By {name}: there are too few cases to compare."
    apart = ranking["verdict"] == "more than chance"
    said = f"By {name}: how well the ranking works differs by {ranking['verdict']}."
    if apart and ranking["range"]:
        low, high = (of_100(end) for end in ranking["range"])
        said += f" In another such part, expect between {low} and {high} of 100 pairs put right."
    shown = [row for row in one["rows"] if row["oe_ratio"].get("value") is not None]
    if risks["verdict"] == "more than chance" and len(shown) > 1:
        low, high = (end(shown, key=lambda row: row["oe_ratio"]["value"]) for end in (min, max))
        ends = [f"{100 * row['oe_ratio']['value']:.0f} ({_label(one, row).lower()})" for row in (low, high)]
        said += f" How far the risks come true differs by more than chance: for each 100 cases foreseen, {ends[0]} to "
        said += f"{ends[1]} came about."
    return said
