"""Both cards field by field: every number that both show with one meaning.

Numbers in a list are paired by what they are of (`IDENTITY`), never by their place. What a list is keyed by that stands
not there is not paired; that it differs is said with the parts (`riskmodels.cards.change.parts`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from riskmodels.assessment.suppression import PROFILES
from riskmodels.cards.card import Cell, Table
from riskmodels.cards.change.estimates import (
    ABSENT,
    ENDS,
    HIDDEN,
    HIDDEN_ON_ONE,
    ONE_CARD,
    both_bounds,
    both_cells,
    is_hidden,
    says_hidden,
    unit,
)
from riskmodels.cards.change.headline import METHOD, Two
from riskmodels.cards.change.speech import NOW, THEN, table
from riskmodels.cards.words import at, capital, day, label, measure_words

Row = Mapping[str, Any]
Path = tuple[str, ...]
NOT_LISTED = "What is not listed is the same on both cards."
NO_COUNTS = "Counts of people are not set side by side: what lies between two of them could be a few people."
UNSAID = ("overall", "metrics", "rows")  # names of levels that say nothing to a reader
COLUMNS = ("What", THEN, NOW, "Is it a change?")

# list -> the keys that say what each of its items is of; the first that an item has are taken.
IDENTITY: dict[str, tuple[tuple[str, ...], ...]] = {
    "per_date": (("as_of_date",),),
    "net_benefit": (("threshold",),),
    "interventions_avoided": (("threshold",),),
    "unknown_by_fifth": (("fifth",),),
    "families": (("model",),),
    "calibration_effect": (("measure",),),
    "slices": (("name",),),
    "rows": (("attribute", "group"), ("label",)),
    "tipping": (("against",),),
    "origins": (("as_of_date",),),
    "capacity_sweep": (("times", "of_ranked"),),
    "trends": (("metric",),),
    "composition": (("attribute", "group"),),
    "missing": (("attribute",),),
}


# ---------------------------------------------------------------- numbers


def number_tables(two: Two) -> dict[str, Table]:
    """A table for each section that holds results: the numbers that are not the same, with what may be said of them."""
    titles = {"performance": "How well it works", "audit": "Fairness audit", "data": "Data"}
    found = {
        "performance": _number_rows(two, "performance"),
        "audit": _number_rows(two, "audit"),
        "data": list(_table_rows(two, "data")),
    }
    note = f"{NOT_LISTED} {NO_COUNTS if _hides(two) else ''} {METHOD}".replace("  ", " ")
    return {
        section: table(f"{titles[section]}: every number that is not the same", COLUMNS, rows, note)
        for section, rows in found.items()
    }


def _number_rows(two: Two, section: str) -> list[tuple[Cell, ...]]:
    before, after = (dict(_leaves(at(card, section) or {})) for card in (two.old, two.new))
    hides = _hides(two)
    rows: list[tuple[Cell, ...]] = []
    for path in dict.fromkeys((*before, *after)):
        first, second = before.get(path), after.get(path)
        # A hole on one card alone is no number; that the part differs is said with the parts.
        if _shown(first) == _shown(second) or {HIDDEN, ABSENT} == {_shown(first), _shown(second)}:
            continue
        if not (hides and any(_is_count(path, side) for side in (first, second))):
            rows.append((_path_words(path), *_cells(two, path, first, second)))
    return rows


def _hides(two: Two) -> bool:
    """Whether either card hides small counts: those of places are no counts of people.

    The one count less the other is a count of people too, which neither card has checked. So no two are shown
    together; each stands in its own card.
    """
    return any(
        PROFILES[name].below > 0 if name in PROFILES else True for name in two.pair("edition_profile.disclosure")
    )


def _shown(value: Any) -> Any:
    """What the table tells of a value: of an estimate its number and interval."""
    if value is None:
        return ABSENT
    if isinstance(value, Mapping):
        return tuple(value.get(end) for end in ENDS)
    return tuple(value) if isinstance(value, list) else value


def _cells(two: Two, path: Path, first: Any, second: Any) -> tuple[Cell, Cell, str]:
    name = path[-1]
    if first is None or second is None:
        there, is_first = (second, False) if first is None else (first, True)
        cell = _one(path, there)
        return (cell, ABSENT, ONE_CARD) if is_first else (ABSENT, cell, ONE_CARD)
    if name.endswith("bounds"):
        return (*both_bounds(first, second), "")
    before, after = (_estimate(side) for side in (first, second))
    verdict = two.verdict(before, after)
    if any(_is_whole(side) for side in (first, second)):
        verdict = HIDDEN_ON_ONE if is_hidden(before) or is_hidden(after) else ""
        cells = (HIDDEN, HIDDEN) if verdict else (first, second)
        return (*cells, verdict)
    return (*both_cells(before, after, name), verdict)


def _one(path: Path, value: Any) -> Cell:
    if path[-1].endswith("bounds"):
        return both_bounds(value, value)[0]
    return value if _is_whole(value) else both_cells(_estimate(value), _estimate(value), path[-1])[0]


def _estimate(value: Any) -> Row:
    """A bare number as an estimate without an interval; a hole is a number that is not shown."""
    return value if isinstance(value, Mapping) else {"value": None if value == HIDDEN else value}


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_count(path: Path, value: Any) -> bool:
    """Whether a number counts people; parts of 100 are whole numbers too."""
    return _is_whole(value) and "of_100" not in path


def _leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Estimates, counts and bounds by their path; a hole is `HIDDEN`."""
    if isinstance(value, Mapping):
        if "value" in value:
            yield path, dict(value)
            return
        for key, inner in value.items():
            name = str(key)
            if name.endswith("bounds") and _is_pair(inner):
                yield (*path, name), list(inner)
            elif isinstance(inner, (Mapping, list)):
                yield from _leaves(inner, (*path, name))
            elif isinstance(inner, (int, float)) and not isinstance(inner, bool):
                yield (*path, name), inner
            elif inner is None:
                yield (*path, name), HIDDEN
    elif isinstance(value, list) and path:
        yield from _paired(value, path)


def _is_pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(end is None or _number(end) for end in value)


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _paired(items: Sequence[Any], path: Path) -> Iterator[tuple[Path, Any]]:
    keys = IDENTITY.get(path[-1], ())
    named: dict[str, Row] = {}
    for item in items:
        names = next((found for found in keys if isinstance(item, Mapping) and set(found) <= set(item)), None)
        if names is None:
            return
        named[", ".join(_name_of(name, item[name]) for name in names if item[name] is not None)] = {
            key: inner for key, inner in item.items() if key not in names
        }
    if len(named) == len(items):  # otherwise two would have one name
        for name, item in named.items():
            yield from _leaves(item, (*path, name))


def _name_of(key: str, value: Any) -> str:
    if key in ("threshold", "fifth", "times", "of_ranked"):
        return f"{label(key).lower()} {value}"
    return day(value)


def _path_words(path: Path) -> str:
    """``("per_date", "30 June 1988", "auc")`` -> "Per date, 30 June 1988: AUC, of 100"."""
    last = path[-1]
    where = ", ".join(part.replace("_", " ") for part in path[:-1] if part not in UNSAID)
    what = f"{measure_words(last)}{unit(last)}"
    return f"{capital(where)}: {what}" if where else capital(what)


# ---------------------------------------------------------------- numbers that stand in tables only


def _table_rows(two: Two, section: str) -> Iterator[tuple[Cell, ...]]:
    """Cells of a section's tables that hold a number on both cards, by the words of their row and column."""
    before, after = (dict(_tables(at(card, section) or {})) for card in (two.old, two.new))
    hides = _hides(two)
    for name, content in after.items():
        if name not in before:
            continue
        first, second = (_cells_of(each) for each in (before[name], content))
        for key, value in second.items():
            if key in first and first[key] != value and not (hides and any(map(_is_whole, (first[key], value)))):
                cells = (HIDDEN, HIDDEN) if _is_held(first[key]) or _is_held(value) else (first[key], value)
                verdict = HIDDEN_ON_ONE if cells[0] == HIDDEN else ""
                yield f"{content['caption']}. {key}", *cells, verdict


def _is_held(cell: Cell) -> bool:
    return cell is None or (isinstance(cell, str) and says_hidden(cell))


def _tables(section: Row) -> Iterator[tuple[str, Row]]:
    for name, part in section.items():
        if name in ("register", "columns"):
            continue
        if isinstance(part, Mapping) and "columns" in part:
            yield name, part
        elif name == "tables":
            yield from part.items()


def _cells_of(content: Row) -> dict[str, Cell]:
    """The cells right of the words that name each row, by row and column; empty where two rows have one name."""
    columns, rows = content["columns"], content["rows"]
    if not rows:
        return {}
    words = next(
        (place for place in range(len(columns)) if any(_number(row[place]) for row in rows)), 1
    )  # the first column of numbers ends the name
    words = max(words, 1)
    cells: dict[str, Cell] = {}
    for row in rows:
        name = ", ".join(str(cell) for cell in row[:words])
        for column, cell in zip(columns[words:], row[words:], strict=True):
            key = f"{name}: {column}"
            if key in cells:
                return {}
            cells[key] = cell
    return cells
