"""Pairs of cards for the tests of change: the example card, and a copy with something planted in it."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from typing import Any

from riskmodels.cards.change import Change, compare_cards
from tests.cards import example_card as example

Card = dict[str, Any]


@functools.cache
def _original(bounds: bool) -> Card:
    """A card as it comes; with ``bounds`` one whose list leads with them, since 200 of its 500 are not known."""
    return example.card(performance=example.performance(unknown=200 if bounds else 20)).to_dict()


def original(*, bounds: bool = False) -> Card:
    return copy.deepcopy(_original(bounds))


def changed(plant: Callable[[Card], None], *, bounds: bool = False) -> Card:
    card = original(bounds=bounds)
    plant(card)
    return card


def change(plant: Callable[[Card], None], *, bounds: bool = False) -> Change:
    """From the card as it comes to a copy with something planted."""
    return compare_cards(original(bounds=bounds), changed(plant, bounds=bounds))


def put(path: str, value: Any) -> Callable[[Card], None]:
    """Plants a value at a dotted path."""

    def plant(card: Card) -> None:
        *parents, last = path.split(".")
        place: Any = card
        for part in parents:
            place = place[int(part)] if isinstance(place, list) else place[part]
        place[int(last) if isinstance(place, list) else last] = value

    return plant


def all_of(*plants: Callable[[Card], None]) -> Callable[[Card], None]:
    def plant(card: Card) -> None:
        for one in plants:
            one(card)

    return plant


def estimate(value: float, half: float) -> dict[str, Any]:
    return {"value": value, "low": round(value - half, 3), "high": round(value + half, 3), "n": 480}
