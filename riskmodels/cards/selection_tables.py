"""Which way of choosing would have served over time, for the card."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from riskmodels.cards.card import Cell, Table
from riskmodels.cards.cells import plain, with_range
from riskmodels.cards.shown import Shown, counted
from riskmodels.cards.words import capital, day, family_words, listing, measure_words

Row = Mapping[str, Any]
LOOKING_BACK = "This looks back at the test dates. The choice was made before, without them."


def published_selection(raw: Row, shown: Shown) -> dict[str, Any]:
    """`SelectionOverTime.to_dict()` as it may stand in a card. It holds no count of few people."""
    (safe,) = counted([raw], "performance.selection", shown)
    return safe


def selection_tables(selection: Row, column: str | None) -> dict[str, Table]:
    """A row for each family, and a row for each test date.

    Parameters
    ----------
    column : words of the column that the single best column sorts by
    """
    if not selection["origins"]:
        return {}
    return {"selection": _families(selection, column), "origins": _origins(selection, column)}


def _families(selection: Row, column: str | None) -> Table:
    criterion, count = measure_words(selection["criterion"]), len(selection["origins"])
    rows = tuple(
        (
            capital(family_words(row["model"], column)),
            plain(row["loss"].get("value")),
            _cost(row["mean_regret"]),
            _cost(row["worst_regret"]),
            f"{row['best_at']} of {count}",
            f"{row['picked_at']} of {count}",
            f"{row['inside_floors']} of {row['of_origins']}" if row["of_origins"] else "not computed",
            row["verdict"] or "not audited",
            _met(row),
        )
        for row in selection["families"]
    )
    return Table(
        caption="Over all test dates, from the simplest way of choosing to the most complex",
        columns=(
            "Way of choosing",
            f"{criterion} (lower is better)",
            "More than the best each time, on average",
            "At worst",
            "Best on",
            "Our rule would have picked it on",
            "Risks right on",
            "Fairness audit",
            "What it fails",
        ),
        rows=rows,
        source="run: performance",
        note=f"{LOOKING_BACK} Ranges: 95% intervals. Risks right: observed to expected lies within the study's limits.",
    )


FAILS = {"regret": "worse than the best, beyond chance", "calibration": "risks wrong at times", "fairness": "audit"}


def _met(row: Row) -> Cell:
    failed = [words for name, words in FAILS.items() if row["meets"][name] is False]
    return capital("; ".join(failed)) if failed else "Nothing"


def _cost(regret: Row) -> Cell:
    return "nothing: it was the best" if regret.get("value") == 0 and regret.get("reason") else with_range(regret)


def _origins(selection: Row, column: str | None) -> Table:
    def named(family: str | None) -> str:
        return "Nothing to choose on" if family is None else capital(family_words(family, column))

    return Table(
        caption="What our rule would have picked on each test date",
        columns=("As of", "It would have picked", "The best turned out to be", "It cost more than the best"),
        rows=tuple(
            (day(row["as_of_date"]), named(row["picked"]), named(row["best"]), _cost(row["regret"]))
            for row in selection["origins"]
        ),
        source="run: performance",
        note=f"Cost: {measure_words(selection['criterion'])} above that of the best, with its 95% interval.",
    )


def selection_words(selection: Row, chosen: str, column: str | None) -> tuple[str, ...]:
    """What always taking the chosen family would have cost, what the rule would have, and what beats it if anything.

    Parameters
    ----------
    chosen : the family of the card
    """
    count = len(selection["origins"])
    if count < 2:
        return ()
    dates, measure = f"Over the {count} test dates", measure_words(selection["criterion"])
    row = next((row for row in selection["families"] if row["model"] == chosen), None)
    words = []
    if row is not None:
        words.append(f"{dates}, {_always(row, family_words(chosen, column), measure)}")
        if row["beaten_by"]:
            words.append(
                f"{capital(family_words(row['beaten_by'], column))} is simpler, and was at least as good each time."
            )
    picked = Counter(origin["picked"] for origin in selection["origins"] if origin["picked"])
    if picked and selection["rule"]["mean_regret"].get("value") is not None:
        names = [f"{family_words(name, column)} (on {times})" for name, times in picked.items()]
        cost = selection["rule"]["mean_regret"]["value"]
        what = "the best each time" if cost == 0 else f"on average {plain(cost)} more than the best each time"
        joined = listing(names) if len(names) > 1 else f"{family_words(next(iter(picked)), column)} each time"
        words.append(f"On each of those days our rule would have picked {joined}: {what}.")
    return tuple(words)


def _always(row: Row, name: str, measure: str) -> str:
    worst, mean = row["worst_regret"].get("value"), row["mean_regret"].get("value")
    if worst == 0:
        return f"{name} was the best each time."
    return (
        f"always taking {name} would have cost at most {plain(worst)} ({measure}), and on average {plain(mean)}, more "
        "than the best each time."
    )
