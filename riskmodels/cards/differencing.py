"""The differencing attack: what several published cards of one study, put together, give away of a hidden number.

Editions and versions of a card count the same people in other ways. A reader may subtract one from another: a version
with one test date fewer tells of that date; a version whose model lists others hides other numbers of the same groups;
a version under another disclosure profile may show what the first one hid. All that the cards tell is put together as
sums of cells that no card shows (`riskmodels.cards.published_cells`), and what each hidden number can still be is found
by linear programming over all tables of people that fit.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any

import numpy as np

from riskmodels.assessment.suppression import PROFILES, Profile, possible, strictest
from riskmodels.cards.published_cells import SUMS, UNKNOWN, WITH, WITHOUT, Cell, Told, atoms_of, tells
from riskmodels.cards.published_lists import lists

Row = Mapping[str, Any]
_HAIR = 1e-6
_NARROW = 4  # so few values may be fewer still among whole numbers
_NARROW_LIST = 12  # where they are shares, far fewer
SHOWN = "one card shows what another hides"
WORKED_OUT = "it can be worked out by putting together what the cards show"
ALONE = "it can be worked out from this card alone"


@dataclass(frozen=True)
class Recovered:
    """A number of few people that readers could find: where it stands, from which cards, and how. Never the number."""

    where: str
    cards: tuple[str, ...]
    how: str


def recovered(cards: Sequence[Row]) -> list[Recovered]:
    """Every hidden number that these cards give away together; none where disclosure control holds across them.

    The same dates are taken to be the same people, whichever extract a card was made from: so would a reader take them.
    Where that cannot be, since no table of people fits all the cards, those of one extract are put together, and at
    last each card by itself.

    Parameters
    ----------
    cards : cards of one study as plain JSON values, in either edition and of any versions; of several studies, each
        study's are put together
    """
    found: list[Recovered] = []
    for study in dict.fromkeys(str(card["study"]) for card in cards):
        own = [(place, card) for place, card in enumerate(cards) if card["study"] == study]
        names = {place: _name(place, card) for place, card in own}
        for one in _of_study([card for _, card in own]):
            places = tuple(own[place][0] for place in one[1])
            found.append(Recovered(one[0], tuple(names[place] for place in places), one[2]))
    return sorted(dict.fromkeys(found), key=lambda one: (one.cards, one.where))


def _name(place: int, card: Row) -> str:
    profile = card["edition_profile"]
    return f"card {place + 1} ({profile['edition']}, version {card['model']['version']}, {profile['disclosure']})"


Found = tuple[str, tuple[int, ...], str]


def _of_study(cards: Sequence[Row]) -> list[Found]:
    if not any(PROFILES[card["edition_profile"]["disclosure"]].below for card in cards):
        return []
    atoms = atoms_of(cards)
    told = [one for place, card in enumerate(cards) for one in (*tells(place, card, atoms), *_lists(place, card))]
    extracts = [str(card["digests"]["data"]) for card in cards]
    found = list(_shown_elsewhere(told))
    for table in dict.fromkeys(_table(one) for one in told):
        found += _of_table([one for one in told if _table(one) == table], extracts)
    return found


def _lists(place: int, card: Row) -> list[Told]:
    """Places are exact, unless that does not fit: then they are rounded."""
    told = list(lists(place, card))
    return told if not told or _fits(_system(told)) else list(lists(place, card, exact=False))


def _table(one: Told) -> str:
    """Cells of different characteristics have nothing in common but their totals."""
    return one.cells[0][0] if one.of[0] == "audit" else one.of[0]


# ---------------------------------------------------------------- shown elsewhere


def _shown_elsewhere(told: Sequence[Told]) -> Iterator[Found]:
    """Numbers that one card hides and another shows, where that tells of fewer than the first one shows."""
    for one in told:
        if one.value is not None:
            continue
        for other in told:
            if other.of == one.of and other.value is not None and other.low < one.profile.below:
                yield one.where, tuple(sorted({one.card, other.card})), SHOWN


# ---------------------------------------------------------------- put together


@dataclass(frozen=True)
class _System:
    """All sums that some cards tell, over the cells that they are made of."""

    cells: dict[Cell, int]
    facts: np.ndarray
    windows: tuple[tuple[int, int | None], ...]
    known: dict[tuple[Cell, ...], tuple[int, int | None] | None] = field(default_factory=dict)

    def range_of(self, cells: Sequence[Cell]) -> tuple[int, int | None] | None:
        """The least and the most that a sum can be; None if no table fits."""
        key = tuple(sorted(cells))
        if key not in self.known:
            self.known[key] = self._solved(key)
        return self.known[key]

    def _solved(self, cells: Sequence[Cell]) -> tuple[int, int | None] | None:
        target = np.zeros(len(self.cells))
        for cell in cells:
            target[self.cells[cell]] += 1
        found = possible(self.facts, self.windows, target)
        narrow = _NARROW_LIST if cells[0][0] == "lists" else _NARROW
        if found is not None and math.isfinite(found[1]) and found[1] - found[0] < narrow:
            found = possible(self.facts, self.windows, target, whole=True) or found
        if found is None:
            return None
        return math.ceil(found[0] - _HAIR), None if math.isinf(found[1]) else math.floor(found[1] + _HAIR)


def _of_table(told: Sequence[Told], extracts: Sequence[str]) -> list[Found]:
    places = tuple(sorted({one.card for one in told}))
    ways = [[places], [tuple(p for p in places if extracts[p] == data) for data in dict.fromkeys(extracts)]]
    ways.append([(place,) for place in places])
    for way in ways:
        systems = [(some, _system([one for one in told if one.card in some])) for some in way if some]
        if all(_fits(system) for _, system in systems):
            break
    found: list[Found] = []
    for some, system in systems:
        if _fits(system):
            found += _found_in([one for one in told if one.card in some], some, system)
    return found


def _fits(system: _System) -> bool:
    return possible(system.facts, system.windows, np.ones(len(system.cells))) is not None


def _system(told: Sequence[Told]) -> _System:
    cells = {cell: place for place, cell in enumerate(dict.fromkeys(cell for one in told for cell in one.cells))}
    facts, windows = [], []
    for one in told:
        line = np.zeros(len(cells))
        for cell, factor in one.factor_of():
            line[cells[cell]] += factor
        facts.append(line)
        windows.append((one.low, one.high))
    for same in _same_people(cells):
        facts.append(same)
        windows.append((0, 0))
    return _System(cells, np.array(facts), tuple(windows))


def _same_people(cells: Mapping[Cell, int]) -> Iterator[np.ndarray]:
    """Two models list other people of a group, but as many have the outcome, or have it not, or are not known."""
    models: dict[Cell, list[str]] = {}
    for cell in cells:
        if len(cell) == 5:
            held = models.setdefault(cell[:3], [])
            if cell[3] not in held:
                held.append(cell[3])
    for start, (first, *others) in models.items():
        for other in others:
            for kinds in (WITH, WITHOUT, UNKNOWN):
                line = np.zeros(len(cells))
                for kind in kinds:
                    line[cells[*start, first, kind]] += 1
                    line[cells[*start, other, kind]] -= 1
                yield line


def _found_in(told: Sequence[Told], some: tuple[int, ...], system: _System) -> Iterator[Found]:
    rules = strictest(one.profile.name for one in told)
    for one in _targets(told):
        if not _is_found(one, told, system, rules):
            continue
        yield one.where, *_from(one, told, some, rules)


def _from(one: Told, told: Sequence[Told], some: tuple[int, ...], rules: Profile) -> tuple[tuple[int, ...], str]:
    """The fewest cards that give it away."""
    for size in range(1, len(some)):
        for few in combinations(some, size):
            part = [other for other in told if other.card in few]
            system = _system(part)
            if set(one.cells) <= set(system.cells) and _fits(system) and _is_found(one, part, system, rules):
                return few, ALONE if size == 1 else WORKED_OUT
    return some, ALONE if len(some) == 1 else WORKED_OUT


def _targets(told: Sequence[Told]) -> Iterator[Told]:
    """What is hidden; and what is left between cards of more dates and of fewer, which no card shows or hides."""
    yield from (one for one in told if one.value is None)
    seen = {one.cells for one in told}
    for one in told:
        days = sorted({cell[2] for cell in one.cells if len(cell) == 5})
        if len(days) > 1 and one.of[2]:
            for day in days:
                cells = tuple(cell for cell in one.cells if cell[2] == day)
                if cells not in seen:
                    seen.add(cells)
                    where = f"{one.where}, on some of the test dates"
                    yield replace(one, where=where, cells=cells, value=None, small=False, block=())


def _is_found(one: Told, told: Sequence[Told], system: _System, rules: Profile) -> bool:
    """Whether too few values are left, all of them small; where the count is known to be small, of the small ones."""
    between = system.range_of(one.cells)
    if between is None:
        return False
    least, most = between
    if least >= rules.below or (one.none_is_fine and most == 0):
        return False
    if most is None or most >= rules.below:
        if not _must_be_small(one, told, system, rules):
            return False
        most = rules.below - 1
    return most - least + 1 < rules.leave


def _must_be_small(one: Told, told: Sequence[Told], system: _System, rules: Profile) -> bool:
    """Whether, of all the counts of which the card says that one is small, no other can be."""
    name = one.of[-2]
    if one.small or one.block == ("n",) == (name,):
        return True
    if name not in one.block:
        return False
    beside = {other.of[-2]: other for other in told if other.card == one.card and other.of[:-2] == one.of[:-2]}
    for other in one.block:
        cells = beside[other].cells if other in beside else _left_over(other, beside)
        between = system.range_of(cells)
        if other != name and (between is None or between[0] < rules.below):
            return False
    return True


def _left_over(name: str, beside: Mapping[str, Told]) -> tuple[Cell, ...]:
    """Those of a group without the outcome, or who are not on the list."""
    kinds = WITHOUT if name == "without" else tuple(set(SUMS["n"]) - set(SUMS["selected"]))
    return tuple(cell for cell in beside["n"].cells if cell[4] in kinds)
