"""The counts that a published card tells, each as a sum of cells that no card shows: what subtraction starts from.

A cell is a group, some test dates, and what became of its people: with the outcome, without it or not known, on a
model's list or not. Dates that the same cards hold are taken together, since no card tells them apart.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from riskmodels.assessment.suppression import PROFILES, Profile, window
from riskmodels.cards.list_rates import told_by

Row = Mapping[str, Any]
Cell = tuple[str, ...]

# The kinds of people of a group, and the counts of a row that are sums of them.
WITH, WITHOUT, UNKNOWN = (("fn", "tp"), ("tn", "fp"), ("off", "on"))
SUMS = {
    "n": WITH + WITHOUT + UNKNOWN, "unknown": UNKNOWN, "positives": WITH, "selected": ("tp", "fp", "on"),
    "tp": ("tp",), "fn": ("fn",), "fp": ("fp",), "tn": ("tn",),
}  # fmt: skip
# One of the first of these that is not shown at all is small, where the metric beside it says that a number is.
BLOCKS = {
    ("n",): "selection_rate", ("positives", "selected", "without", "unlisted"): "selection_rate",
    ("tp", "fn", "fp", "tn"): "recall", ("tp", "fn"): "recall", ("fp", "tn"): "fpr",
}  # fmt: skip
NOT_A_MODEL = {"n", "unknown", "positives"}
OF_ALL = {"n": "n", "unknown": "unknown", "events": "positives"}
_DIGITS = 0.0005  # shares have three decimals
_ROUGH = 0.02  # and if they are made of rounded counts, are known no better
OWN_SMALL = "not shown (fewer than"


@dataclass(frozen=True)
class Told:
    """One count of one card. ``value``: None where it is hidden; ``low`` and ``high``: what it can be, by that card.

    ``cells``: what it is the sum of, each times its factor. ``of``: the same for the same people in every card.
    ``small``: whether the card says that this very count is small. ``block``: counts of which it says that one is.
    ``none_is_fine``: that it is none may be told.
    """

    card: int
    where: str
    of: tuple[str, ...]
    cells: tuple[Cell, ...]
    value: int | None
    low: int
    high: int | None
    profile: Profile
    small: bool = False
    block: tuple[str, ...] = ()
    factors: tuple[float, ...] = ()
    none_is_fine: bool = False

    def factor_of(self) -> Iterator[tuple[Cell, float]]:
        """Each cell with how often it counts: once, unless ``factors`` say otherwise."""
        return zip(self.cells, self.factors or (1.0,) * len(self.cells), strict=True)


def test_dates(card: Row) -> tuple[str, ...]:
    return tuple(str(row["as_of_date"]) for row in card["performance"].get("per_date") or ())


def atoms_of(cards: Sequence[Row]) -> dict[str, tuple[int, ...]]:
    """date -> the cards whose test it belongs to."""
    dates = [test_dates(card) for card in cards]
    every = sorted({date for own in dates for date in own})
    return {date: tuple(place for place, own in enumerate(dates) if date in own) for date in every}


def tells(place: int, card: Row, atoms: Mapping[str, tuple[int, ...]]) -> Iterator[Told]:
    """Every count that a card shows or hides of its groups, its dates and the steps to its cohort."""
    yield from _groups(place, card, atoms)
    yield from _dates(place, card)
    yield from _steps(place, card)


def _told(
    place: int, card: Row, where: str, of: tuple[str, ...], cells: Sequence[Cell], value: Any, **more: Any
) -> Told:
    profile = PROFILES[card["edition_profile"]["disclosure"]]
    small = bool(more.get("small"))
    if not isinstance(value, int) or isinstance(value, bool):
        low, high = more.pop("least", 0), profile.below - 1 if small else None
        return Told(place, where, of, tuple(cells), None, low, high, profile, **more)
    more.pop("least", None)
    # A count that should have been hidden is taken as it stands.
    low, high = (value, value) if value < profile.below else window(value, profile)
    return Told(place, where, of, tuple(cells), value, low, high, profile, **more)


# ---------------------------------------------------------------- groups


def _groups(place: int, card: Row, atoms: Mapping[str, tuple[int, ...]]) -> Iterator[Told]:
    audit, dates = card["audit"], test_dates(card)
    days = sorted({atoms[date] for date in dates}) if dates else [(place,)]
    model = str(card["model"]["sha256"])
    held = [" ".join(map(str, day)) for day in days]
    for attribute in dict.fromkeys(str(row["attribute"]) for row in audit["rows"]):
        rows = [row for row in audit["rows"] if row["attribute"] == attribute]
        groups = [str(row["group"]) for row in rows]

        def cells(some: Sequence[str], name: str, attribute: str = attribute) -> list[Cell]:
            return [(attribute, group, day, model, kind) for group in some for day in held for kind in SUMS[name]]

        for row in rows:
            group = str(row["group"])
            block = _small_block(row)
            for name in SUMS:
                if name not in row:
                    continue
                yield _told(
                    place, card, f"audit, {attribute}: {group}, {name}",
                    ("audit", attribute, group, *held, name, "" if name in NOT_A_MODEL else model),
                    cells([group], name), row[name],
                    # Where people stand on several dates, few of them may be many rows.
                    small=name == "n" and block == ("n",) and len(dates) == 1,
                    block=block if len(dates) == 1 or block == ("n",) else (),
                )  # fmt: skip
        at = card["performance"].get("at_capacity") or {}
        totals = {OF_ALL[name]: card["performance"].get(name) for name in OF_ALL}
        totals |= {"selected": at.get("selected"), "tp": at.get("hits")}
        for name, value in totals.items():
            if isinstance(value, int):
                own = "" if name in NOT_A_MODEL else model
                of = ("audit", attribute, "", *held, name, own)
                yield _told(place, card, f"performance, {name}", of, cells(groups, name), value)


def _small_block(row: Row) -> tuple[str, ...]:
    """The counts of which one is small, by what the row says of itself; none where it was hidden to protect others."""
    if not {"selected", "tp"} <= set(row):
        return ()
    hidden = (block for block in BLOCKS if all(row.get(name) is None for name in block))
    block = next(hidden, ())
    reason = row["metrics"][BLOCKS[block]].get("reason") if block else None
    return block if str(reason).startswith(OWN_SMALL) else ()


# ---------------------------------------------------------------- dates and steps


def _dates(place: int, card: Row) -> Iterator[Told]:
    """Each test date's counts, and those of all dates together."""
    rows = card["performance"].get("per_date") or ()
    parts = {"n": ("with", "without", "unknown"), "known": ("with", "without"), "unknown": ("unknown",)}
    parts["events"] = ("with",)
    for name, kinds in parts.items():
        whole: list[Cell] = []
        for row in rows:
            cells = [("dates", str(row["as_of_date"]), kind) for kind in kinds]
            whole += cells
            of: tuple[str, ...] = ("dates", str(row["as_of_date"]), name)
            yield _told(place, card, f"performance, {row['as_of_date']}, {name}", of, cells, row.get(name))
        if rows and isinstance(card["performance"].get(name), int):
            of = ("dates", *test_dates(card), name)
            yield _told(place, card, f"performance, {name}", of, whole, card["performance"][name])
    yield from _rates(place, card)


def _rates(place: int, card: Row) -> Iterator[Told]:
    """How many a share of a date's list, or of its people, stands for; and those of all dates."""
    rows, performance = card["performance"].get("per_date") or (), card["performance"]
    whole = {
        "precision_at_k": (performance.get("at_capacity") or {}).get("precision"),
        "base_rate": performance["overall"].get("base_rate"),
    }
    for name, model in (("precision_at_k", str(card["model"]["sha256"])), ("base_rate", "")):
        at = performance.get("at_capacity") or {}
        for dates, share, beside in (
            *(((str(row["as_of_date"]),), row.get(name), row) for row in rows), (test_dates(card), whole[name], at),
        ):  # fmt: skip
            said = f"performance, {dates[0]}, {name}" if len(dates) == 1 else f"performance, {name}"
            for kind, part in _parts(share or {}, name, card, beside if model else None):
                cells = tuple(("dates", date, f"{name} {kind}", model) for date in dates)
                of, where = ("dates", *dates, kind, f"{name} {model}"), f"{said}, {kind}"
                profile = PROFILES[card["edition_profile"]["disclosure"]]
                if part is not None:
                    yield Told(place, where, of, cells, part[0], *part[1:], profile)
                elif len(dates) == 1:
                    block = ("right", "others") if str((share or {})["reason"]).startswith(OWN_SMALL) else ()
                    yield Told(place, where, of, cells, None, 0, None, profile, block=block)


def _parts(share: Row, name: str, card: Row, row: Row | None) -> Iterator[tuple[str, tuple[int, int, int] | None]]:
    """Those that a share counts and the others: about how many, and between how many; None where it is not shown."""
    value, n, reason = share.get("value"), share.get("n"), str(share.get("reason"))
    for kind in ("right", "others"):
        if value is None and reason.startswith("not shown"):
            yield kind, None
        elif value is not None and n:
            profile = PROFILES[card["edition_profile"]["disclosure"]]
            own = value if kind == "right" else 1 - value
            least, most = window(n, profile)
            half = _DIGITS
            if row is not None:  # of a list, whose rates may be coarse
                found = told_by(row, share, profile)
                (least, most), half = (found.known, found.half or _ROUGH) if found else ((least, most), half)
            between = (own - half) * least, (own + half) * most
            if profile.rounded_rates:
                between = window(round(own * n), profile)
            yield kind, (round(own * n), max(math.ceil(between[0]), 0), math.floor(between[1]))


def _steps(place: int, card: Row) -> Iterator[Told]:
    """How many each step leaves out and leaves: those who remain are the last ones and all who leave later."""
    table = card["data"]["attrition"]
    for date in dict.fromkeys(str(row[0]) for row in table["rows"]):
        rows = [row for row in table["rows"] if str(row[0]) == date]
        steps = [str(row[1]) for row in rows]
        for number, row in enumerate(rows):
            left = [("steps", date, step, "left") for step in steps[number + 1 :]]
            of = ("steps", date, steps[number])
            where = f"data, {date}, {steps[number]}"
            # That nobody is left out is shown, so that a hidden number is one at least.
            own = [("steps", date, steps[number], "left")]
            yield _told(place, card, f"{where}, left out", (*of, "left"), own, row[2], small=True, least=1)
            remain = [*left, ("steps", date, "", "last")]
            yield _told(place, card, f"{where}, remaining", (*of, "remain"), remain, row[3], small=True)
