"""What every reader of a card takes for granted of the parts that its schema leaves open.

A section that mirrors a result of `riskmodels.assessment` may carry more than the card knows by name, and a table may
have any columns. What readers reach for in them is named here, so that a damaged file is refused in one line when it is
read. To add one: a row of a table below.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from riskmodels.assessment.suppression import PROFILES
from riskmodels.errors import CardError

Card = Mapping[str, Any]
Fault = tuple[str, str]  # where, and what is wrong there

# list -> what each of its items must name, as words; an item is told from the others by these.
NAMED: dict[str, tuple[str, ...]] = {
    "performance.per_date": ("as_of_date",),
    "performance.families": ("model",),
    "audit.rows": ("attribute", "group", "label"),
    "audit.contrasts": ("attribute", "group", "label", "metric", "verdict"),
    "audit.not_audited": ("attribute", "reason"),
}
# mapping -> which of its keys hold an estimate, where they are there; of those of None, all.
ESTIMATES: dict[str, tuple[str, ...] | None] = {
    "performance.overall": None,
    "performance.at_capacity": ("precision", "recall"),
    "performance.per_date.*": (
        "auc", "base_rate", "brier_score", "calibration_slope", "oe_ratio", "precision_at_k", "recall_at_k",
    ),
    "audit.rows.*.metrics": None,
}  # fmt: skip
# mapping -> which of its keys hold a number or nothing, where they are there; of those of None, all.
NUMBERS: dict[str, tuple[str, ...] | None] = {
    "audit.tally": None,
    "performance": ("known", "unknown"),
    "performance.at_capacity": (
        "hits", "known", "places", "selected", "selection_rate", "unknown", "unknown_share",
    ),
    "performance.use.capacity_sweep.*": ("of_ranked", "selected", "times", "unknown"),
}  # fmt: skip
# mapping -> which of its keys hold a text or nothing, where they are there; of those of None, all.
TEXTS: dict[str, tuple[str, ...] | None] = {
    "annex.atrs_answers.*": ("value",),
    "annex.tripod_answers.*": ("value",),
    "audit.titles": None,
}
# table -> the columns that readers take by name.
COLUMNS: dict[str, tuple[str, ...]] = {
    "annex.checks": ("Check", "Result"),
    "annex.splits": ("Tested on",),
    "audit.tables.also_features": ("Characteristic", "Reason"),
    "audit.tables.groups": ("Group",),
    "data.attrition": ("As of", "Remaining"),
    "data.columns": ("Source", "Column"),
    "data.missing": ("Source", "Column", "Missing, of 100 rows"),
    "data.outcome_status": ("As of", "Known", "Of these, came about"),
    "data.quality": ("Source", "Rows", "Different ids"),
    "data.register": ("Source", "What it is", "Owner", "Agreement expires"),
    "explanation.drivers": ("Field", "Parts of 100"),
    "how_it_works.features": ("Field", "If missing"),
    "performance.tables.families": ("Way of choosing",),
    "risks.tables.accepted": ("Check", "Why it was accepted"),
}  # fmt: skip
EITHER = "selection_rate"  # an estimate in some cards, a number in others
ENDS, BOUNDS = ("value", "low", "high", "n"), ("precision_bounds", "recall_bounds")
NO_ESTIMATE = "is not a number with its interval, nor a reason why there is none"
NO_NAMES = "is missing, or is not a set of named values"


def refuse_misshapen(card: Card) -> None:
    """Raises CardError for the first part of a card, as plain values, that no reader could make sense of."""
    for where, what in _faults(card):
        raise CardError(f"card.json, {where}: {what}; restore it from the run it came from, or build the card again")


def _faults(card: Card) -> Iterator[Fault]:
    if card["edition_profile"]["disclosure"] not in PROFILES:
        yield "edition_profile.disclosure", f"is one of {', '.join(PROFILES)}"
    yield from _rows(card)
    yield from _estimates(card)
    yield from _plain(card, NUMBERS, _is_plain_number, "is not a number")
    yield from _plain(card, TEXTS, lambda _, value: isinstance(value, str), "is not text")
    for section in ("performance", "audit"):
        yield from _valued(section, card[section])
    yield from _tables(card)


def _plain(
    card: Card,
    named: Mapping[str, tuple[str, ...] | None],
    fits: Callable[[str, Any], bool],
    what: str,
) -> Iterator[Fault]:
    for path, names in named.items():
        for where, found in _places(card, path):
            if found is not None and not isinstance(found, Mapping):
                yield where, NO_NAMES
                continue
            for name in found or () if names is None else names:
                value = (found or {}).get(name)
                if value is not None and not fits(name, value):
                    yield f"{where}.{name}", what


def _is_plain_number(name: str, value: Any) -> bool:
    return _is_number(value) or (name == EITHER and _is_estimate(value))


def _rows(card: Card) -> Iterator[Fault]:
    for path, names in NAMED.items():
        for where, items in _places(card, path):
            if items is not None and not isinstance(items, list):
                yield where, "is not a list"
                continue
            for place, item in enumerate(items or ()):
                if not isinstance(item, Mapping):
                    yield f"{where}.{place}", NO_NAMES
                    continue
                for name in names:
                    if not isinstance(item.get(name), str):
                        yield f"{where}.{place}.{name}", "is missing, or is not text"


def _estimates(card: Card) -> Iterator[Fault]:
    for path, names in ESTIMATES.items():
        for where, found in _places(card, path):
            if not isinstance(found, Mapping):
                yield where, NO_NAMES
                continue
            for name in found if names is None else names:
                if name in found and not _is_estimate(found[name]):
                    yield f"{where}.{name}", NO_ESTIMATE
            for name, pair in found.items():
                if name in BOUNDS and not _is_pair(pair):
                    yield f"{where}.{name}", "is not two numbers, the least and the most"


def _valued(where: str, found: Any) -> Iterator[Fault]:
    """Whatever in a section has a value is an estimate; tables and words have none."""
    if isinstance(found, Mapping):
        if "value" in found and not _is_estimate(found):
            yield where, NO_ESTIMATE
        for name, inner in found.items():
            yield from _valued(f"{where}.{name}", inner)
    elif isinstance(found, list):
        for place, inner in enumerate(found):
            yield from _valued(f"{where}.{place}", inner)


def _places(card: Card, path: str) -> Iterator[tuple[str, Any]]:
    """Each place that a path means: one, or one for each item of a list where it has a star. None if nothing is."""
    found: list[tuple[str, Any]] = [("", card)]
    for part in path.split("."):
        inner: list[tuple[str, Any]] = []
        for where, value in found:
            if part == "*":
                items = value.items() if isinstance(value, Mapping) else enumerate(_listed(value))
                inner += [(f"{where}.{place}", item) for place, item in items]
            else:
                inner.append((f"{where}.{part}", value.get(part) if isinstance(value, Mapping) else None))
        found = inner
    for where, value in found:
        yield where.removeprefix("."), value


def _listed(value: Any) -> list[Any]:
    """The items of a list; of what should be one and is not, itself, so that it is found to be no item."""
    return value if isinstance(value, list) else [] if value is None else [value]


def _is_estimate(found: Any) -> bool:
    if not isinstance(found, Mapping):
        return False
    numbers = all(found.get(end) is None or _is_number(found[end]) for end in ENDS)
    return numbers and "value" in found and isinstance(found.get("reason"), (str, type(None)))


def _is_pair(found: Any) -> bool:
    if found is None:
        return True
    return isinstance(found, list) and len(found) == 2 and all(end is None or _is_number(end) for end in found)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _tables(card: Card) -> Iterator[Fault]:
    for path, names in COLUMNS.items():
        for where, found in _places(card, path):
            missing = [name for name in names if found and found["rows"] and name not in found["columns"]]
            if missing:
                yield where, f"has no column {missing[0]!a}"
