"""For whom it works, for the card: one table for each way of slicing, and whether the slices differ."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from riskmodels.assessment.suppression import hidden_rows
from riskmodels.cards.card import Table
from riskmodels.cards.cells import count_cell, decimals, foreseen, with_range, with_range_foreseen
from riskmodels.cards.shown import Shown, counted
from riskmodels.cards.words import Language, capital, digits_of, listing, of_100

Row = Mapping[str, Any]
MOST_ROWS = 40
COMPARED = ("auc", "oe_ratio", "calibration_slope", "brier_score")
LISTED = ("precision", "recall")
SPECIAL = ("auc", "calibration_slope", "brier_score")
KNOWN = "All figures are for those whose outcome is known."
SEEN, SOURCE = "seen", "source "
# The labels of a slice where "yes" and "no" say too little.
LABELS = {(SEEN, "yes"): "Learned from before", (SEEN, "no"): "New to the model"}
ELSEWHERE = "Protected groups are compared in section 8."


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
            # Said of 100: with more digits, the whole list less the slices that are shown would be a hidden count.
            row |= {name: _coarse(row[name]) for name in LISTED}
            # Bounds say how many are not known; the card gives those of the whole list only.
            for name in ("precision_bounds", "recall_bounds"):
                row.pop(name, None)
    return {"slices": safe}


def _coarse(estimate: Row) -> dict[str, Any]:
    ends = {end: estimate.get(end) for end in ("value", "low", "high")}
    # What is nearly none or nearly all stays, so that it is not said to be none or all.
    coarse = {
        end: math.floor(100 * share + 0.5) / 100 for end, share in ends.items() if share and 0.005 <= share < 0.995
    }
    return {**estimate, **coarse}


def slice_tables(slices: Row, language: Language) -> dict[str, Table]:
    """A table for each way of slicing, keyed ``slice_<name>``; of many slices the largest."""
    found = slices["slices"]
    tables = {f"slice_{one['name']}": _table(one, language) for one in found}
    return tables | ({"slices_measures": _measures(found, language)} if found else {})


def _table(one: Row, language: Language) -> Table:
    rows, name = _largest(one), str(one["name"])
    note = KNOWN
    if len(rows) < len(one["rows"]):
        note += f" The largest {MOST_ROWS} of {len(one['rows'])} are shown."
    return Table(
        caption=f"By {_name(one, language)}",
        columns=(
            "Who" if name == SEEN or name.startswith(SOURCE) else capital(_name(one, language)),
            capital(language.many),
            "Came about",
            "Of 100 pairs, right one first",
            "Came about, for each 100 foreseen",
            f"Of 100 on the list, {language.needed}",
            f"Of 100 {language.that} {language.needed}, on the list",
        ),
        rows=tuple(
            (
                _label(one, row),
                *(count_cell(row[key]) for key in ("n", "events")),
                with_range(row["auc"], per_100=True),
                with_range_foreseen(row["oe_ratio"]),
                *(with_range(row[name], per_100=True) for name in LISTED),
            )
            for row in rows
        ),
        source="run: performance",
        note=note,
    )


def _largest(one: Row) -> list[Row]:
    rows: list[Row] = one["rows"]
    return rows if len(rows) <= MOST_ROWS else sorted(rows, key=lambda row: -(row["n"] or 0))[:MOST_ROWS]


def _measures(slices: Sequence[Row], language: Language) -> Table:
    return Table(
        caption="The same parts, for specialists",
        columns=("By", "Who", "AUC", "Calibration slope", "Brier score"),
        rows=tuple(
            (
                capital(_name(one, language)),
                _label(one, row),
                *(decimals(row[name], digits_of(name)) for name in SPECIAL),
            )
            for one in slices
            for row in _largest(one)
        ),
        source="run: performance",
        note=KNOWN,
    )


def _name(one: Row, language: Language) -> str:
    """By what it is told apart: ``people.home_region`` -> "home region"."""
    name = str(one["name"])
    if name == SEEN:
        return f"whether the {language.one} was new to the model"
    if name.startswith(SOURCE):
        return _matched([name.removeprefix(SOURCE)])
    return name.rpartition(".")[2].replace("_", " ")


def _matched(sources: Sequence[str]) -> str:
    return f"whether {listing([source.replace('_', ' ') for source in sources], 'or')} records could be matched"


def _label(one: Row, row: Row) -> str:
    return LABELS.get((one["name"], row["label"]), capital(row["label"]))


# ---------------------------------------------------------------- words


def slice_words(slices: Row, language: Language) -> tuple[str, ...]:
    """Between which slices the ranking and the risks differ by more than chance, and between which they do not."""
    found = slices["slices"]
    if not found:
        return ()
    by_verdict = {
        verdict: [one for one in found if one["spread"]["auc"]["verdict"] == verdict]
        for verdict in ("more than chance", "no more than chance", "not computed")
    }
    words = [_ranking_words(one, language) for one in by_verdict["more than chance"]]
    if alike := _names(by_verdict["no more than chance"], language):
        words.append(f"We see no difference beyond chance in how well the ranking works {listing(alike, 'or')}.")
    if few := _names(by_verdict["not computed"], language):
        words.append(f"There are too few cases to compare {listing(few, 'or')}.")
    words += [said for one in found if (said := _risk_words(one, language))]
    words += [said for one in found if (said := _new_words(one, language))]
    return (*words, ELSEWHERE)


def _names(slices: Sequence[Row], language: Language) -> list[str]:
    """Ways of slicing, each with its "by"; the matched sources are told in one."""
    sources = [name.removeprefix(SOURCE) for one in slices if (name := str(one["name"])).startswith(SOURCE)]
    others = [_name(one, language) for one in slices if not str(one["name"]).startswith(SOURCE)]
    return [f"by {name}" for name in (*([_matched(sources)] if sources else []), *others)]


def _ranking_words(one: Row, language: Language) -> str:
    said = f"How well the ranking works differs by {_name(one, language)}, beyond chance{_ends(one, 'auc', of_100)}."
    ranking = one["spread"]["auc"]
    if ranking["range"] and one["name"] != SEEN:
        low, high = (of_100(end) for end in ranking["range"])
        said += f" In another such part, expect between {low} and {high} of 100 pairs put right."
    return said


def _risk_words(one: Row, language: Language) -> str | None:
    if one["spread"]["oe_ratio"]["verdict"] != "more than chance" or len(_shown(one, "oe_ratio")) < 2:
        return None
    ends = _ends(one, "oe_ratio", foreseen)
    return (
        f"How far the risks come true differs by {_name(one, language)}, beyond chance{ends}. Above 100 the risks were "
        "too low, below it too high."
    )


def _new_words(one: Row, language: Language) -> str | None:
    """That the risks of those whom the model never saw before are wrong, where that is more than chance."""
    rows = [row for row in _shown(one, "oe_ratio") if (one["name"], row["label"]) == (SEEN, "no")]
    for low, high in ((row["oe_ratio"].get("low"), row["oe_ratio"].get("high")) for row in rows):
        if low is not None and high is not None and not low <= 1 <= high:
            way = "low" if low > 1 else "high"
            return f"So for {language.many} who are new to the model, the risks were too {way}, by more than chance."
    return None


def _shown(one: Row, measure: str) -> list[Row]:
    return [row for row in one["rows"] if row[measure].get("value") is not None]


def _ends(one: Row, measure: str, say: Callable[[float], str]) -> str:
    """The lowest and the highest slice, as the end of a sentence; nothing where fewer than two can be shown."""
    shown = _shown(one, measure)
    if len(shown) < 2:
        return ""
    low, high = (end(shown, key=lambda row: row[measure]["value"]) for end in (min, max))
    first, last = (f"{say(row[measure]['value'])} ({_in_sentence(one, row)})" for row in (low, high))
    both = f"{first} and {last}" if len(shown) == 2 else f"from {first} to {last}"
    if measure == "auc":
        return f": of 100 pairs, {both} are put right"
    return f": for each 100 cases foreseen, {both} came about"


def _in_sentence(one: Row, row: Row) -> str:
    """A label of ours begins small inside a sentence; one of the study's stays as it is."""
    ours = one["name"] == SEEN or str(one["name"]).startswith(SOURCE)
    return _label(one, row).lower() if ours else str(row["label"])
