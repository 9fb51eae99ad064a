"""Section 7, closer: what stands behind the headline figures, as parts with a heading, sentences, tables and a figure.

``PARTS`` is the order of the page. To add one: publish its result in `published_detail`, write its tables and words in
a module of their own, and add its function here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from riskmodels.cards.after_rules_published import published_after_rules
from riskmodels.cards.after_rules_tables import after_rules_tables, after_rules_words
from riskmodels.cards.card import CloserPart, Table
from riskmodels.cards.cells import decimals, foreseen
from riskmodels.cards.deep_tables import deep_tables, deep_words
from riskmodels.cards.enough_data import enough_tables, enough_words, published_enough
from riskmodels.cards.list_rates import precision_of
from riskmodels.cards.over_time_tables import over_time_tables, over_time_words, published_over_time
from riskmodels.cards.selection_tables import published_selection, selection_tables, selection_words
from riskmodels.cards.shown import Shown, counted
from riskmodels.cards.slice_tables import published_slices, slice_tables, slice_words
from riskmodels.cards.tuning_tables import tuning_table, tuning_words
from riskmodels.cards.unknown_tables import published_unknown, unknown_tables, unknown_words
from riskmodels.cards.use_published import published_use
from riskmodels.cards.use_tables import use_tables
from riskmodels.cards.use_words import use_words
from riskmodels.cards.words import Language, capital, digits_of, measure_words
from riskmodels.study import Study

Row = Mapping[str, Any]
SIDES = ("before", "after")
CALIBRATORS = {
    "sigmoid": "sigmoid", "isotonic": "isotonic", "beta": "beta", "venn_abers": "Venn-Abers",
    "none": "none; the score is taken as it is",
    "auto": "the simplest that a closed test did not reject; section 15 names it",
}  # fmt: skip


@dataclass(frozen=True)
class Looked:
    """What the parts are made of, as published. ``column``: words of the one column that the simple sort uses."""

    study: Study
    language: Language
    performance: Row
    column: str | None

    @property
    def family(self) -> str:
        return str((self.performance.get("comparison") or {}).get("chosen"))


def published_detail(
    raw: Row, deep: Row | None, tuning: Row | None, families: Sequence[Row], shown: Shown
) -> dict[str, Any]:
    """`Detail.to_dict()`, the findings of a deep run and of tuning, as they may stand in a card.

    Parameters
    ----------
    deep : `Deep.to_dict()` as plain values; None where nothing was run
    tuning : `TuningResult.to_dict()`; None where nothing was tuned
    families : the published rows of the families: what they hide, no other table gives
    """
    if not raw:
        return {"deep": None, "tuning": None}
    return {
        "calibration_effect": _published_effect(raw["calibration"], shown),
        "over_time": published_over_time(raw["over_time"], shown),
        "slices": published_slices(raw["slices"], shown)["slices"],
        "unknown_outcomes": published_unknown(raw["unknown"], families, shown),
        "selection": published_selection(raw["selection"], shown) | {"handed_over": raw.get("handed_over")},
        "use": published_use(raw["use"], shown),
        **({"after_rules": published_after_rules(raw["after_rules"], shown)} if raw.get("after_rules") else {}),
        "enough_data": published_enough(raw["enough"], shown),
        "deep": _published_deep(deep, raw["unknown"]["selected"], shown) if deep else None,
        "tuning": tuning,  # settings and losses, at six digits already: no count of anybody
    }


def _published_deep(deep: Row, listed: int, shown: Shown) -> dict[str, Any]:
    """Each list without some of the data is as long as the list itself."""
    rows = [
        {**row, "precision_at_k": precision_of(row["precision_at_k"], listed, shown.profile)} if row else row
        for row in (*deep["sources"], deep["grouped"])
    ]
    return counted([{**deep, "sources": rows[:-1], "grouped": rows[-1]}], "performance.deep", shown)[0]


def _published_effect(rows: Sequence[Row], shown: Shown) -> list[dict[str, Any]]:
    """Before and after, each rounded as its measure deserves, which goes by the name it stands under."""
    where, sides = "performance.calibration_effect", ("before", "after")
    return [
        {"measure": row["measure"]}
        | {side: counted([{row["measure"]: row[side]}], where, shown)[0][row["measure"]] for side in sides}
        for row in rows
    ]


def closer_parts(looked: Looked) -> tuple[CloserPart, ...]:
    """Every part that has something to say; none for results that were assessed without detail."""
    if "over_time" not in looked.performance:
        return ()
    made = (part(looked) for part in PARTS)
    return tuple(part for part in made if part.words or part.tables)


# ---------------------------------------------------------------- the parts


def _use(looked: Looked) -> CloserPart:
    return CloserPart(
        id="use",
        heading="If the list is acted on",
        words=use_words(looked.performance, looked.language, looked.study),
        tables=use_tables(looked.performance, looked.language, looked.study),
        figures=("capacity_sweep",),
    )


def _after_rules(looked: Looked) -> CloserPart:
    return CloserPart(
        id="after_rules",
        heading="The list that the service would use",
        words=after_rules_words(looked.performance, looked.language, looked.study),
        tables=after_rules_tables(looked.performance, looked.language),
    )


def _over_time(looked: Looked) -> CloserPart:
    found = looked.performance["over_time"]
    ranked = looked.family != "base_rate"
    return CloserPart(
        id="over_time",
        heading="Does it stay as good?",
        words=over_time_words(found, looked.language) if ranked else (),
        tables=over_time_tables(found, looked.language),
        figures=("over_time",),
    )


def _slices(looked: Looked) -> CloserPart:
    found = {"slices": looked.performance["slices"]}
    return CloserPart(
        id="slices",
        heading="Is it as good for all?",
        words=slice_words(found, looked.language),
        tables=slice_tables(found, looked.language),
    )


def _unknown(looked: Looked) -> CloserPart:
    found = looked.performance["unknown_outcomes"]
    return CloserPart(
        id="unknown",
        heading="What could the unknown outcomes change?",
        words=tuple(unknown_words(found, looked.language)),
        tables=unknown_tables(found, looked.performance, looked.language, looked.column),
    )


def _selection(looked: Looked) -> CloserPart:
    found = looked.performance["selection"]
    return CloserPart(
        id="selection",
        heading="Would another way have served better?",
        words=tuple(selection_words(found, looked.family, looked.column)),
        tables=selection_tables(found, looked.column),
    )


def _enough(looked: Looked) -> CloserPart:
    found = looked.performance["enough_data"]
    return CloserPart(
        id="enough_data",
        heading="Was there enough data?",
        words=tuple(enough_words(found, looked.language, looked.study)),
        tables=enough_tables(found, looked.language, looked.study),
    )


def _deep(looked: Looked) -> CloserPart:
    found = looked.performance["deep"]
    return CloserPart(
        id="deep",
        heading="How stable is the list, and could less data be used?",
        words=deep_words(found, looked.language, looked.column),
        tables=deep_tables(found, looked.language, looked.column),
    )


def _calibration_words(rows: Sequence[Row]) -> tuple[str, ...]:
    """The level of the risks before and after, for somebody who does not read the table."""
    ratio = next((row for row in rows if row["measure"] == "oe_ratio"), None)
    values = [value for side in ("before", "after") if ratio and (value := ratio[side].get("value")) is not None]
    if len(values) < 2:
        return ()
    before, after = (foreseen(value) for value in values)
    without = "as many as without it" if before == after else f"without it {before} would have"
    return (
        "Calibration turns a score into a risk, so that risks come true on the whole. For each 100 cases foreseen, "
        f"{after} came about: {without}.",
    )


def _calibration(looked: Looked) -> CloserPart:
    rows = looked.performance["calibration_effect"]
    table = Table(
        caption="What calibration changed, on the test (for specialists)",
        columns=("Measure", "Before", "After"),
        rows=tuple(
            (
                capital(measure_words(row["measure"])),
                *(decimals(row[side], digits_of(row["measure"])) for side in SIDES),
            )
            for row in rows
        ),
        source="run: performance",
        note=f"Calibrator: {CALIBRATORS[looked.study.file.models.calibrator]}. 95% intervals.",
    )
    return CloserPart(
        id="calibration",
        heading="What calibration changed",
        words=_calibration_words(looked.performance["calibration_effect"]),
        tables={"calibration": table},
    )


def _tuning(looked: Looked) -> CloserPart:
    found = looked.performance["tuning"]
    table = tuning_table(found)
    return CloserPart(
        id="tuning",
        heading="What was tuned",
        words=tuple(tuning_words(found, looked.language)),
        tables={"tuning": table} if table else {},
    )


PARTS: tuple[Callable[[Looked], CloserPart], ...] = (
    _use,
    _after_rules,
    _over_time,
    _slices,
    _unknown,
    _selection,
    _enough,
    _deep,
    _calibration,
    _tuning,
)
