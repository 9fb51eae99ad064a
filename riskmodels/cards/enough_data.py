"""Whether there was enough data, as tables and sentences: what Riley's criteria ask for beside what there was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from riskmodels.assessment.sample_size import MARGIN, OPTIMISM, SHRINKAGE
from riskmodels.cards.card import Cell, Table
from riskmodels.cards.cells import count_cell
from riskmodels.cards.shown import Shown, counted
from riskmodels.cards.words import Language
from riskmodels.study import Study

Row = Mapping[str, Any]

# verdict -> what it says
VERDICTS = {
    "enough": "There were enough.",
    "few_people": "Counted by date there were more{entries}. But these are {people}, counted again on several dates, "
    "which tells less. So whether that was enough is not sure.",
    "lower_limit": "There were that many. But this kind of model needs more, and how much more is not known.",
}
TOO_FEW_TO_LEARN = "There were too few, so its risks may be too extreme for new {many}."
TOO_FEW_TO_TEST = "There were too few, so how well it does is known less well than it should be."
# criterion -> what it asks for
TO_LEARN = {
    "shrinkage": f"For new data, risks need to shrink by at most {100 * (1 - SHRINKAGE):.0f} of 100 (shrinkage)",
    "optimism": f"The share of variation explained (R2) seems at most {OPTIMISM:g} too high (optimism)",
    "overall_risk": f"The overall risk is known to within {100 * MARGIN:g} of 100",
}
TO_TEST = {
    "oe_ratio": "Observed to expected (O/E) is known to within about 0.1",
    "calibration_slope": "The calibration slope is known to within 0.1",
    "auc": "The AUC is known to within 0.05",
}


def published_enough(raw: Row, shown: Shown) -> dict[str, Any]:
    """The result of `riskmodels.assessment.sample_size.enough_data`, as plain values, as it may stand in a card.

    What was needed is worked out from rates and is no count of anybody.
    """
    return counted([raw], "performance.enough_data", shown)[0] if raw else {}


def enough_tables(found: Row, language: Language, study: Study) -> dict[str, Table]:
    """One table; none where nothing was worked out."""
    if not found or found.get("development") is None:
        return {}
    learn, check, outcome = found["development"], found["validation"], "the outcome"
    limit = "at least " if found["at_least"] else ""
    rows: list[tuple[Cell, ...]] = [(f"To learn: {TO_LEARN[name]}", f"{limit}{learn[name]:,}", "") for name in TO_LEARN]
    rows += _had("To learn: in all", learn, found["fit"], outcome, limit)
    rows += [(f"To test: {TO_TEST[name]}", f"{check[name]:,}", "") for name in TO_TEST]
    rows += _had("To test: in all", check, found["test"], outcome, "")
    note = (
        f"Worked out for {found['parameters']:,} columns, an AUC of {found['auc']:.2f} and an outcome in "
        f"{100 * found['prevalence']:.1f} of 100 (Riley and others 2020, 2021)."
    )
    if found["at_least"]:
        note += " The criteria are for regressions. Trees need more, up to ten times as much (van der Ploeg 2014)."
    if _repeats(found):
        note += f" Entries of the same {language.one} on several dates tell less than as many {language.many}."
    return {
        "enough_data": Table(
            caption="Was there enough data?",
            columns=("What for", "Needed", "There was"),
            rows=tuple(rows),
            source="run: performance",
            note=note,
        )
    }


def _had(what: str, size: Row, had: Row, outcome: str, limit: str) -> list[tuple[Cell, ...]]:
    """Rows and events, and how many different people these are where somebody stands there more than once."""
    return [
        (f"{what}, entries", f"{limit}{size['needed']:,}", _and_people(had["n"], had["people"]["n"])),
        (
            f"{what}, with {outcome}",
            f"{limit}{size['needed_events']:,}",
            _and_people(had["events"], had["people"]["events"]),
        ),
    ]


def _and_people(count: int | None, people: int | None) -> Cell:
    cells = [f"{cell:,}" if isinstance(cell := count_cell(number), int) else str(cell) for number in (count, people)]
    return cells[0] if cells[0] == cells[1] else f"{cells[0]} (different ones: {cells[1]})"


def _repeats(found: Row) -> bool:
    return any(found[sample]["n"] != found[sample]["people"]["n"] for sample in ("fit", "test"))


def enough_words(found: Row, language: Language, study: Study) -> tuple[str, ...]:
    """Whether there was enough to learn from and to test with, in sentences."""
    if not found:
        return ()
    if found.get("development") is None:
        return (f"Whether there was enough data could not be worked out: {found['reason']}.",)
    learn, check = found["development"], found["validation"]
    limit = "at least " if found["at_least"] else ""
    return (
        f"To learn from, a regression on all {found['parameters']:,} columns needs {limit}{_asked(learn, language)} "
        + _verdict(found["to_learn"], TOO_FEW_TO_LEARN, found["fit"], language),
        f"To be tested well, it needed {_asked(check, language)} "
        + _verdict(found["to_test"], TOO_FEW_TO_TEST, found["test"], language),
    )


def _asked(size: Row, language: Language) -> str:
    return f"{size['needed']:,} {language.many}, {size['needed_events']:,} of them with the outcome."


def _verdict(verdict: str, too_few: str, had: Row, language: Language) -> str:
    entries, people = had["n"], had["people"]["n"]
    return VERDICTS.get(verdict, too_few).format(
        many=language.many,
        entries="" if entries is None else f" ({entries:,})",
        people=f"the same {language.many}" if people is None else f"{people:,} {language.many}",
    )
