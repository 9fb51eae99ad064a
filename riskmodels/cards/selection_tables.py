"""Which way of choosing would have served over time, for the card."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from riskmodels.cards.card import Cell, Table
from riskmodels.cards.cells import decimals
from riskmodels.cards.shown import Shown, counted
from riskmodels.cards.words import capital, day, digits_of, family_words, listing, measure_words

Row = Mapping[str, Any]
BASE, COST_DIGITS = "base_rate", 4
# Of what the same risk for all would lose, a loss up to so much is called so.
HOW_NEAR = ((0.1, "almost as good as"), (0.5, "a little worse than"))
MUCH_WORSE = "a good deal worse than"
LOOKING_BACK = "This looks back at the test dates. The choice was made before, without them."
HANDED_OVER = (
    "This looks back at the test dates. Before them {family} was chosen. Its gain over the best simple rule did not "
    "hold up on the test, so that rule took its place, as was laid down beforehand."
)


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
            decimals({"value": row["loss"].get("value")}, digits_of(selection["criterion"])),
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
        caption="Over all test dates, from the simplest way of choosing to the most complex (for specialists)",
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
        note=f"{_looking_back(selection, column)} Ranges: 95% intervals. Risks right: observed to expected lies within "
        "the study's limits.",
    )


def _looking_back(selection: Row, column: str | None) -> str:
    before = selection.get("handed_over")
    return HANDED_OVER.format(family=family_words(before, column)) if before else LOOKING_BACK


FAILS = {"regret": "worse than the best, beyond chance", "calibration": "risks wrong at times", "fairness": "audit"}


def _met(row: Row) -> Cell:
    failed = [words for name, words in FAILS.items() if row["meets"][name] is False]
    return capital("; ".join(failed)) if failed else "Nothing"


def _cost(regret: Row) -> Cell:
    return (
        "nothing: it was the best"
        if regret.get("value") == 0 and regret.get("reason")
        else decimals(regret, COST_DIGITS)
    )


def _origins(selection: Row, column: str | None) -> Table:
    def named(family: str | None) -> str:
        return "Nothing to choose on" if family is None else capital(family_words(family, column))

    return Table(
        caption="What our rule would have picked on each test date (for specialists)",
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
        return (_looking_back(selection, column),) if selection.get("handed_over") else ()
    row = next((row for row in selection["families"] if row["model"] == chosen), None)
    words = []
    if row is not None:
        words.append(
            f"Looking back over the {count} test dates: "
            f"{_always(row, family_words(chosen, column), _scale(selection, chosen))}"
        )
        if row["beaten_by"]:
            words.append(
                f"{capital(family_words(row['beaten_by'], column))} is simpler, and was at least as good each time."
            )
    if selection.get("handed_over"):
        words.append(_looking_back(selection, column))
    return (*words, *_rule_words(selection, chosen, column))


def _always(row: Row, name: str, scale: float | None) -> str:
    worst, mean = row["worst_regret"].get("value"), row["mean_regret"].get("value")
    if worst is None or mean is None:
        return f"what {name} would have cost cannot be said."
    if worst == 0:
        return f"{name} was the best each time."
    return f"{name} was {_how_near(mean, scale)} the best way on the day. The table has the numbers."


def _how_near(cost: float, scale: float | None) -> str:
    """A loss in words, beside what giving all the same risk would have lost: the number means nothing by itself."""
    if not scale:
        return "not always"
    return next((words for most, words in HOW_NEAR if cost <= most * scale), MUCH_WORSE)


def _scale(selection: Row, chosen: str) -> float | None:
    """How much giving all the same risk would have cost."""
    row = next((row for row in selection["families"] if row["model"] == BASE), None)
    return None if row is None or chosen == BASE else row["mean_regret"].get("value")


def _rule_words(selection: Row, chosen: str, column: str | None) -> list[str]:
    """What the study's own rule would have picked on each date, knowing only what came before."""
    picked = Counter(origin["picked"] for origin in selection["origins"] if origin["picked"])
    cost = selection["rule"]["mean_regret"].get("value")
    if not picked or cost is None:
        return []
    if set(picked) == {chosen}:
        return ["Our rule for choosing would have picked the same on each of these days."]
    told = listing([f"{family_words(name, column)} on {times}" for name, times in picked.items()])
    always_best = all(origin["picked"] == origin["best"] for origin in selection["origins"])
    near = "the best each time" if always_best else f"on average {_how_near(cost, _scale(selection, chosen))} the best"
    return [f"Our rule for choosing would have picked {told} of these days: {near}."]
