"""Disclosure control, looked at once more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from riskmodels.assessment.suppression import PROFILES, Profile
from riskmodels.cards.checks.checked import Card, Checked, Verdict, some
from riskmodels.cards.differencing import recovered
from riskmodels.cards.rendered_counts import small_counts, table_counts
from riskmodels.cards.shown import COUNTS, MAY_BE_NONE


def disclosure(checked: Checked) -> Verdict:
    """No count below the profile's limit, and none that is not rounded, in any part that came from the run.

    In the tables of the data a whole number is a count, and none at all may be shown. In those of the performance and
    the audit it is one where the column counts people, by its name.
    """
    card = checked.card
    profile = PROFILES[card["edition_profile"]["disclosure"]]
    found = [path for path, key, value in _counts(card) if value is not None and not _may_show(key, value, profile)]
    found += [path for path, value in _data_counts(card) if value != 0 and not _may_show("", value, profile)]
    found += [
        f"figures.{figure['id']}.n"
        for figure in card["figures"]
        if figure["n"] is not None and not _may_show("", figure["n"], profile)
    ]
    return not found, (
        f"counts that may not be shown: {some(found)}; do not publish this card, and build it again"
        if found
        else f"no count below {profile.below}, all rounded to {profile.base}"
    )


def rendered_counts(checked: Checked) -> Verdict:
    """The same on what a reader gets: the tables and sentences of each rendering, as a stranger would read them."""
    found = [
        f"{name}: {where}" for name, written in checked.written.items() for where in small_counts(written, checked.card)
    ]
    return not found, (
        f"counts of too few people: {some(found)}; do not publish this card, and build it again"
        if found
        else "no rendering shows a count of too few people"
    )


def versions(checked: Checked) -> Verdict:
    """Nothing that is hidden can be worked out from this card beside the other edition and the version before."""
    found = [
        f"{one.where} (from {' with '.join(one.cards)}: {one.how})"
        for one in recovered([checked.card, *checked.published])
    ]
    return not found, (
        f"hidden numbers that can be found: {some(found)}; do not publish this card beside the others"
        if found
        else f"nothing hidden can be worked out from {1 + len(checked.published)} cards of this study put together"
    )


def _counts(card: Card) -> Iterator[tuple[str, str, Any]]:
    for section in ("performance", "audit"):
        yield from _counts_in(card[section], section, "")


def _data_counts(card: Card) -> Iterator[tuple[str, int]]:
    data = card["data"]
    tables = {name: data[name] for name in ("quality", "attrition", "outcome_status")} | data.get("tables", {})
    yield from ((f"data.unknown_by_fifth.rows.{line}", cell) for line, cell in table_counts(data["unknown_by_fifth"]))
    for name, table in tables.items():
        for line, row in enumerate(table["rows"]):
            for cell in row:
                if isinstance(cell, int) and not isinstance(cell, bool):
                    yield f"data.{name}.rows.{line}", cell


def _counts_in(value: Any, path: str, key: str) -> Iterator[tuple[str, str, Any]]:
    if isinstance(value, Mapping) and {"caption", "columns", "rows", "source"} <= set(value):
        yield from ((f"{path}.rows.{line}", "", count) for line, count in table_counts(value))
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _counts_in(inner, f"{path}.{name}", str(name))
    elif isinstance(value, (list, tuple)):
        for position, inner in enumerate(value):
            yield from _counts_in(inner, f"{path}.{position}", key)
    elif key in COUNTS and isinstance(value, int) and not isinstance(value, bool):
        yield path, key, value


def _may_show(key: str, value: int, profile: Profile) -> bool:
    return (value == 0 and key in MAY_BE_NONE) or (value >= profile.below and value % profile.base == 0)
