"""What a published card tells of its lists, whose length everybody knows, as facts for `riskmodels.cards.differencing`.

A list is made of those who are right on it, those who are not, and those whose outcome is not known. All three together
are the places. Bounds say how many are right at least and at most; a precision, with its decimals, how the right ones
stand to those whose outcome is known; lists of other sizes hold one another. The number that must not be found is that
of the unknown. Recall tells more, which is not used here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from riskmodels.assessment.suppression import PROFILES, Profile, rounded, window
from riskmodels.cards.list_rates import told_by
from riskmodels.cards.published_cells import Cell, Told, test_dates

Row = Mapping[str, Any]
Window = tuple[float, float | None]
KINDS = ("right", "others", "unknown")
OWN = "own"
_HAIR = 1e-9


def lists(place: int, card: Row, *, exact: bool = True) -> Iterator[Told]:
    """Every fact of each date's list, of all of them, and of lists of other sizes; and how many are unknown on each.

    ``exact``: whether the places are as they are given; where they are a share of the people, they are rounded.
    """
    performance, dates = card["performance"], test_dates(card)
    at = performance.get("at_capacity") or {}
    each = at.get("places_each") or {}
    if not dates or any(not each.get(date) for date in dates):
        return
    card_of = place, PROFILES[card["edition_profile"]["disclosure"]], str(card["model"]["sha256"])
    long = {date: (each[date],) * 2 if exact else window(each[date], card_of[1]) for date in dates}
    for row in performance.get("per_date") or ():
        date = str(row["as_of_date"])
        own = _List(*card_of, (date,), f"performance, {date}")
        yield from own.facts(row, row.get("precision_at_k") or {}, long[date])
    places = sum(low for low, _ in long.values()), sum(high for _, high in long.values())
    whole = _List(*card_of, dates, "performance, the list")
    yield from whole.facts(at, at.get("precision") or {}, places)
    yield from whole.counts(at)
    yield from _sizes(card_of, (performance.get("use") or {}).get("capacity_sweep") or (), dates, each if exact else {})


def _sizes(
    card_of: tuple[int, Profile, str], rows: Sequence[Row], dates: Sequence[str], each: Mapping[str, int]
) -> Iterator[Told]:
    """Lists of other sizes: each is the one before and a ring of people more, up to the list itself, the dates'."""
    own = next((number for number, row in enumerate(rows) if row["own"]), None)
    if own is None:
        return
    inside = tuple(f"size {number}" for number in range(own + 1))
    for number, row in enumerate(rows):
        if number == own:
            continue
        times, profile = row.get("times"), card_of[1]
        exact = None if times is None or not each else sum(math.floor(times * each[date] + 0.5) for date in dates)
        length = window(row["selected"], profile) if exact is None else (exact, exact)
        beyond = tuple(f"size {one}" for one in range(own + 1, number + 1))
        held = inside[: number + 1] if number < own else (*dates, *beyond)
        size = _List(*card_of, held, f"performance.use.capacity_sweep.{number}")
        yield from size.facts(row, row.get("precision") or {}, length)
        yield from size.counts(row)
    # Between two sizes; the first is a ring of its own.
    for number in range(1, len(rows)):
        where = f"performance.use.capacity_sweep.{number}, less the size before"
        yield from _List(*card_of, (f"size {number}",), where).targets()
    for kind in KINDS:
        both = [((*inside,), 1.0), (tuple(dates), -1.0)]
        cells = tuple((("lists", part, kind, card_of[2]), sign) for parts, sign in both for part in parts)
        yield _List(*card_of, inside, "performance, the list").told(f"{kind}, as its dates", cells, (0, 0))


@dataclass(frozen=True)
class _List:
    """A list made of parts: the lists of some dates, or rings between two sizes."""

    place: int
    profile: Profile
    model: str
    parts: tuple[str, ...]
    where: str

    def told(self, what: str, cells: Sequence[tuple[Cell, float]], between: Window) -> Told:
        least, most = math.ceil(between[0] - _HAIR), None if between[1] is None else math.floor(between[1] + _HAIR)
        of = ("lists", *self.parts, f"{what}, card {self.place}", self.model)
        found, factors = zip(*cells, strict=True)
        return Told(self.place, f"{self.where}, {what}", of, found, 0, least, most, self.profile, factors=factors)

    def fact(self, what: str, kinds: Mapping[str, float], between: Window) -> Told:
        """A sum of kinds, each times its factor, lies between two numbers."""
        cells = [(("lists", part, kind, self.model), times) for kind, times in kinds.items() for part in self.parts]
        return self.told(what, cells, between)

    def facts(self, row: Row, precision: Row, length: Window) -> Iterator[Told]:
        yield self.fact("places", dict.fromkeys(KINDS, 1.0), length)
        yield from self._share(row, precision)
        ends = row.get("precision_bounds") or (None, None)
        for end, kinds in zip(ends, (("right",), ("right", "unknown")), strict=True):
            if end is not None and length[1] is not None:
                yield self.fact(f"bound of {len(kinds)}", dict.fromkeys(kinds, 1.0), self._stands_for(end, length))
        yield from self.targets()

    def targets(self) -> Iterator[Told]:
        """How many are unknown, which must not be found where it is few."""
        cells = tuple(("lists", part, "unknown", self.model) for part in self.parts)
        of, where = ("lists", *self.parts, "unknown", self.model), f"{self.where}: on it, unknown"
        yield Told(self.place, where, of, cells, None, 0, None, self.profile, none_is_fine=True)

    def counts(self, row: Row) -> Iterator[Told]:
        """The counts that stand beside a list."""
        for name, kind in (("hits", "right"), ("unknown", "unknown")):
            count = row.get(name)
            if count is not None:
                between = (count, count) if count < self.profile.below else window(count, self.profile)
                yield self.fact(name, {kind: 1.0}, between)

    def _stands_for(self, end: float, length: Window) -> Window:
        """How many people the end of a range is."""
        low, high = length[0], length[1] or 0.0
        if self.profile.rounded_rates:
            return window(round(end * rounded(round(high), self.profile)), self.profile)
        return (end - 0.0005) * low, (end + 0.0005) * high

    def _share(self, row: Row, precision: Row) -> Iterator[Told]:
        """How the right ones stand to those who are known: to within the decimals, or as rounded counts do."""
        found = told_by(row, precision, self.profile)
        if found is None:
            return
        yield self.fact("known", {"right": 1.0, "others": 1.0}, found.known)
        if found.half is None:
            yield self.fact("right", {"right": 1.0}, found.right)
            return
        value = precision["value"]
        for sign, limit in ((1.0, value - found.half), (-1.0, value + found.half)):
            yield self.fact(f"share, {sign:g}", {"right": sign * (1 - limit), "others": -sign * limit}, (0, None))
