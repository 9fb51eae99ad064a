"""How performance moves, for the card: the trend over the test dates, what breaks did, and whether risks went stale."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from riskmodels.assessment.suppression import behind_rates, hidden_rows
from riskmodels.cards.card import Cell, Table
from riskmodels.cards.cells import count_cell, decimals, foreseen, with_range, with_range_foreseen
from riskmodels.cards.shown import Shown, counted
from riskmodels.cards.words import Language, capital, day, digits_of, listing, measure_words, of_100

Row = Mapping[str, Any]
PER_100 = ("auc", "precision_at_k", "oe_ratio")  # whose change is said of 100
MEASURES = {
    "auc": "Of 100 pairs, right one first (AUC)",
    "precision_at_k": "Of 100 on the list, rightly there",
    "oe_ratio": "Came about, for each 100 foreseen",
}
RATES = ("auc", "oe_ratio", "calibration_slope", "precision_at_k")
WHEN = {"before": "Before", "across": "Reaching over it", "after": "After"}
EVERY_TWENTIETH = (
    "A change is more than chance where its 95% interval leaves out no change at all. Of twenty measures that stay the "
    "same, one will seem to move. The Brier score also moves with how common the outcome is."
)
PAIRS, CASES = "pairs put right", "cases that came about for each 100 foreseen"


def published_over_time(raw: Row, shown: Shown) -> dict[str, Any]:
    """`OverTime.to_dict()` as it may stand in a card: parts of few cases are hidden, with what would give them away."""
    (safe,) = counted([raw], "performance.over_time", shown)
    for given, one in zip(raw["breaks"], safe["breaks"], strict=True):
        cells = [[row["n"], row["events"], row["known"] - row["events"]] for row in given["parts"]]
        hidden, _ = hidden_rows(np.array(cells, dtype=np.int64).reshape(-1, 3), behind_rates(shown.profile))
        for row, hide in zip(one["parts"], hidden, strict=True):
            if hide:
                shown.note(f"performance.over_time.breaks, {one['date']}, {row['when']}", "counts and rates")
                row |= dict.fromkeys(("n", "known", "unknown", "events"))
                row |= {name: {"value": None, "reason": shown.hidden} for name in RATES}
        if any(hidden):  # one side and the change give the other
            one["change"] = {name: {"value": None, "reason": shown.hidden} for name in one["change"]}
    return safe


# ---------------------------------------------------------------- tables


def over_time_tables(over_time: Row, language: Language) -> dict[str, Table]:
    """The trend, and the parts of each break where one is declared."""
    tables = {
        "trend": Table(
            caption="Change over the test dates",
            columns=("Measure", "Change", "Could be (95% interval)", "More than chance?"),
            rows=tuple(_trend_row(row) for row in over_time["trends"]),
            source="run: performance",
            note=EVERY_TWENTIETH,
        )
    }
    if over_time["breaks"]:
        tables["breaks"] = _breaks_table(over_time["breaks"], language)
    return tables


def _trend_row(row: Row) -> tuple[Cell, ...]:
    change, name = row["change"], _name(row["metric"])
    if change.get("value") is None:
        return name, "not computed", "", change.get("reason") or ""
    if change.get("low") is None:
        return name, _moved(row, change["value"]), "", change.get("reason") or ""
    return name, _moved(row, change["value"]), _interval(row), capital(_verdict(row))


def _name(metric: str) -> str:
    return MEASURES[metric] if metric in MEASURES else f"{measure_words(metric)} (for specialists)"


def _moved(row: Row, value: float) -> str:
    """A change as it is said: "+1.2 of 100 a year"."""
    each = " a year" if row["per"] == "year" else ""
    return f"{_size(row, value)}{' of 100' if row['metric'] in PER_100 else ''}{each}"


def _size(row: Row, value: float) -> str:
    if row["metric"] not in PER_100:
        return f"{value:+.{digits_of(row['metric'])}f}"
    return f"{100 * (value - 1 if row['scale'] == 'factor' else value):+.1f}"


def _interval(row: Row) -> str:
    return " to ".join(_size(row, row["change"][end]) for end in ("low", "high"))


def _verdict(row: Row) -> str:
    if row["verdict"] == "no clear change":
        return "no clear change"
    unsteady = row["scatter_p"] is not None and row["scatter_p"] < 0.05
    return f"yes, it {row['verdict']}{', but not steadily' if unsteady else ''}"


def _breaks_table(breaks: list[Row], language: Language) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for one in breaks:
        name = f"{capital(one['what'])}, {day(one['date'])}"
        for part in one["parts"]:
            rates = (_rate(part, rate) for rate in RATES)
            dates = listing([day(date) for date in part["dates"]])
            rows.append((name, WHEN[part["when"]], dates, *(count_cell(part[key]) for key in ("n", "events")), *rates))
    return Table(
        caption="Before and after what changed",
        columns=(
            "What changed",
            "Test dates",
            "As of",
            capital(language.many),
            "Came about",
            "Of 100 pairs, right one first",
            "Came about, for each 100 foreseen",
            "Calibration slope (for specialists)",
            f"Of 100 on the list, {language.needed}",
        ),
        rows=tuple(rows),
        source="run: performance; study.yaml: breaks",
        note=(
            "Before: facts and outcome end before the change. After: both begin when it was made or later. Reaching "
            "over it: some of what the test date looks back on, or ahead to, lies on the other side."
        ),
    )


def _rate(part: Row, name: str) -> Cell:
    if name == "oe_ratio":
        return with_range_foreseen(part[name])
    return (
        decimals(part[name], digits_of(name)) if name == "calibration_slope" else with_range(part[name], per_100=True)
    )


# ---------------------------------------------------------------- words


def over_time_words(over_time: Row, language: Language) -> tuple[str, ...]:
    """The trend of the ranking and of the risks, each break, and decay."""
    trends = {row["metric"]: row for row in over_time["trends"]}
    decay = _decay_words(over_time["decay"])
    if not decay and trends["auc"]["verdict"] == trends["oe_ratio"]["verdict"] == "no clear change":
        words = [_trend_words(trends["auc"], f"{PAIRS}, nor in the {CASES}")]
    else:
        words = [_trend_words(trends["auc"], PAIRS), decay or _trend_words(trends["oe_ratio"], CASES)]
    words += [_break_words(one, language) for one in over_time["breaks"]]
    if over_time["present"]["wholly"] is False:
        words.append(_present_words(over_time))
    return tuple(words)


def _trend_words(row: Row, what: str) -> str:
    dates = row["dates"]
    if len(dates) < 2:
        return f"Whether the {what} change over time cannot be said: there are not two test dates to compare."
    span = f"From {day(dates[0])} to {day(dates[-1])}"
    if row["verdict"] == "not computed":
        return f"{span}, whether the {what} changed cannot be said."
    if row["verdict"] == "no clear change":
        return f"{span} there is no clear change in the {what}: what there is could be chance."
    way = "rose" if row["verdict"] == "rises" else "fell"
    by = _moved(row, row["change"]["value"]).lstrip("+-")
    unsteady = " The change is not steady." if _verdict(row).endswith("steadily") else ""
    return f"{span} the {what} {way} by {by}. This is more than chance.{unsteady}"


def _decay_words(decay: Row) -> str | None:
    if not decay["decays"]:
        return None
    first, last = decay["first"], decay["last"]
    return (
        f"On {day(first['date'])}, for each 100 cases foreseen, {foreseen(first['oe_ratio']['value'])} came about; on "
        f"{day(last['date'])}, {foreseen(last['oe_ratio']['value'])}. The risks have become {decay['risks']}, by more "
        "than chance: they must be set anew before use."
    )


def _break_words(one: Row, language: Language) -> str:
    parts = {part["when"]: part["auc"].get("value") for part in one["parts"]}
    name = f"{capital(one['what'])} ({day(one['date'])})"
    if not {"before", "after"} <= set(parts):
        return f"{name}: there are not test dates wholly before it and wholly after, so the two cannot be compared."
    if parts["before"] is None or parts["after"] is None:
        return f"{name}: too few cases can be shown to compare before and after."
    change = one["change"].get("auc") or {}
    said = (
        f"{name}: of 100 pairs of {language.many}, {of_100(parts['before'])} were put right before, and "
        f"{of_100(parts['after'])} after."
    )
    if change.get("low") is None:
        return f"{said} Whether this is chance cannot be said."
    if change["low"] <= 0 <= change["high"]:
        return f"{said} This could be chance."
    return f"{said} This is more than chance."


def _present_words(over_time: Row) -> str:
    last, since = over_time["breaks"][-1], over_time["present"]["since"]
    change = f"the last change ({last['what']}, {day(last['date'])})"
    if not since:
        return f"Never tested on the present: no test date comes after {change}."
    return f"Tested since {change}, but every test date since then still looks back over it."
