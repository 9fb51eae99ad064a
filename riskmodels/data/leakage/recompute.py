"""Features made once more, row by row in plain Python from the source rows: slow, obvious, and nobody else's code.

The engine that makes the features is not asked. What it is compared with is written here a second time, from the words
of the study alone, so that a fault of the engine is not repeated.
"""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import narwhals as nw
import numpy as np

from riskmodels.data.tables import Tables
from riskmodels.study import OF_A_SOURCE, Condition, Fact, FeatureLine, Period, PlannedColumn, StudyFile

DAYS_IN_A_YEAR = 365.2425

ANSWERS: dict[str, Callable[[Any, Any], bool]] = {
    "at_most": lambda value, limit: bool(value <= limit),
    "at_least": lambda value, limit: bool(value >= limit),
    "below": lambda value, limit: bool(value < limit),
    "above": lambda value, limit: bool(value > limit),
    "equals": lambda value, limit: bool(value == limit),
    "one_of": lambda value, limit: value in limit,
    "none_of": lambda value, limit: value not in limit,
}

Row = Mapping[str, Any]
Value = float | str | None


@dataclass
class Sources:
    """The rows of those who were drawn: source -> id -> rows; read once each."""

    tables: Tables
    study: StudyFile
    ids: frozenset[str]
    # By the source and, where it holds ids of a household or place, our column that names them.
    _rows: dict[tuple[str, str | None], dict[str, list[Row]]] = field(default_factory=dict)
    _covers: dict[str, dict[str, list[Row]]] = field(default_factory=dict)

    def rows(self, source: str, by: str | None = None) -> dict[str, list[Row]]:
        if (source, by) not in self._rows:
            wanted = sorted(self.ids if by is None else self._named_in(by))
            found = self.tables[source].scan().filter(nw.col("entity_id").is_in(wanted)).collect().to_polars()
            by_id: dict[str, list[Row]] = {}
            for row in found.iter_rows(named=True):
                by_id.setdefault(row["entity_id"], []).append(row)
            self._rows[source, by] = by_id
        return self._rows[source, by]

    def _named_in(self, by: str) -> set[str]:
        """Every household or place that a column of ours names."""
        head, _, name = by.partition(".")
        return {str(row[name]) for rows in self.rows(head).values() for row in rows if row[name] is not None}

    def attribute(self, column: str, who: str, as_of: dt.date) -> Any:
        """As known the day before: of several rows the latest."""
        source, _, name = column.partition(".")
        return _latest_known(self.rows(source).get(who, []), name, as_of)

    def rows_by(self, line: FeatureLine, source: str, who: str, as_of: dt.date) -> list[Row] | None:
        """The rows that a line looks at for somebody; None where no household or place of theirs is known."""
        if line.by is None:
            return self.rows(source).get(who, [])
        code = self.attribute(line.by, who, as_of)
        return None if code is None else self.rows(source, line.by).get(str(code), [])

    def covers(self, source: str, who: str, as_of: dt.date) -> bool:
        covered = self.tables[source].covered
        if covered is None:
            return True
        if source not in self._covers:
            rows = covered.filter(covered["entity_id"].is_in(sorted(self.ids)))
            spans: dict[str, list[Row]] = {}
            for row in rows.iter_rows(named=True):
                spans.setdefault(row["entity_id"], []).append(row)
            self._covers[source] = spans
        spans_of = self._covers[source].get(who, [])
        return any(row["from_date"] < as_of <= (row.get("until_date") or dt.date.max) for row in spans_of)


def recompute(line: FeatureLine, column: PlannedColumn, who: str, as_of: dt.date, sources: Sources) -> Value:
    """One feature of one person on one day."""
    study = sources.study
    source = study.source_of(column.take, line.of)
    if not sources.covers(line.by.partition(".")[0] if line.by else source, who, as_of):
        return None  # not nought: the source cannot speak of them
    rows = sources.rows_by(line, source, who, as_of)
    value = None if rows is None else _taken(line, column, rows, as_of, study)
    return 0.0 if value is None and line.missing == "zero" else value


def _taken(line: FeatureLine, column: PlannedColumn, rows: list[Row], as_of: dt.date, study: StudyFile) -> Value:
    name = line.of.partition(".")[2]
    if column.take in OF_A_SOURCE:
        value = _latest_known(rows, name, as_of)
        return value if column.take != "age" or value is None else (as_of - value).days / DAYS_IN_A_YEAR
    start = column.last.before(as_of)
    facts = _facts(rows, study.facts[line.of.partition(".")[0]], column, as_of)
    within = [row for row in facts if row["event_date"] >= start]
    match column.take:
        case "ratio":
            others = _facts(rows, study.facts[str(line.over).partition(".")[0]], column, as_of)
            return _ratio(within, [row for row in others if row["event_date"] >= start], line)
        case "episodes":
            return _episodes(within, line.gap)
        case "rate_change":
            return _rate_change(facts, start, as_of, line.than)
        case "rate":
            return len(within) / _years(start, as_of)
    return TAKES[column.take](within, name, as_of)


# ---------------------------------------------------------------- which rows count


def _latest_known(rows: Iterable[Row], name: str, as_of: dt.date) -> Any:
    seen = [row for row in rows if "known_date" not in row or row["known_date"] < as_of]
    dates = [key for key in ("event_date", "known_date") if seen and key in seen[0]]
    seen.sort(key=lambda row: (*(row[key] for key in dates), row[name] is not None, row[name] or _least(row[name])))
    return seen[-1][name] if seen else None


def _least(value: Any) -> Any:
    return value if value is not None else 0


def _facts(rows: Iterable[Row], fact: Fact, column: PlannedColumn, as_of: dt.date) -> list[Row]:
    """Rows of a word that had happened, and were known, before the day."""
    found = []
    for row in rows:
        if row["event_date"] >= as_of or row["known_date"] >= as_of:
            continue
        if fact.kind is not None and row["kind"] not in fact.kind:
            continue
        if column.each is not None and not _is(row[column.each[0]], column.each[1]):
            continue
        if all(_meets(row[name], condition, as_of) for name, condition in fact.where.items()):
            found.append(row)
    return found


def _is(value: Any, word: str) -> bool:
    if isinstance(value, float):
        try:
            return value == float(word)
        except ValueError:
            return False
    return value is not None and str(value) == word


def _meets(value: Any, condition: Condition, as_of: dt.date) -> bool:
    if value is None:
        return False
    return all(ANSWERS[word](value, as_of if asked == "as_of" else asked) for word, asked in condition.asked.items())


# ---------------------------------------------------------------- what is taken of them


def _in_order(facts: list[Row], name: str) -> list[Row]:
    return sorted(
        (row for row in facts if row[name] is not None),
        key=lambda row: (row["event_date"], row["known_date"], row[name]),
    )


def _recorded(facts: list[Row], name: str) -> list[Any]:
    return [row[name] for row in facts if row[name] is not None]


def _end(facts: list[Row], name: str, place: int) -> Any:
    ordered = _in_order(facts, name)
    return ordered[place][name] if ordered else None


def _change(facts: list[Row], name: str, as_of: dt.date) -> Value:
    ordered = _in_order(facts, name)
    if not ordered or ordered[0]["event_date"] == ordered[-1]["event_date"]:
        return None
    return float(ordered[-1][name] - ordered[0][name])


def _trend(facts: list[Row], name: str, as_of: dt.date) -> Value:
    ordered = _in_order(facts, name)
    years = np.array([-(as_of - row["event_date"]).days / DAYS_IN_A_YEAR for row in ordered])
    if len(set(years)) < 2:
        return None
    return float(np.polyfit(years - years.mean(), [row[name] for row in ordered], 1)[0])


def _mode(facts: list[Row], name: str, as_of: dt.date) -> Any:
    """The most frequent; of equals the one seen latest, then the larger."""
    counts = Counter(_recorded(facts, name))
    seen: dict[Any, dt.date] = {}
    for row in _in_order(facts, name):
        seen[row[name]] = row["event_date"]
    return max(counts, key=lambda value: (counts[value], seen[value], value)) if counts else None


def _days(facts: list[Row], as_of: dt.date, choose: Callable[[Iterable[dt.date]], dt.date]) -> Value:
    return float((as_of - choose(row["event_date"] for row in facts)).days) if facts else None


TAKES: dict[str, Callable[[list[Row], str, dt.date], Value]] = {
    "count": lambda facts, name, as_of: float(len(facts)),
    "any": lambda facts, name, as_of: float(bool(facts)),
    "sum": lambda facts, name, as_of: math.fsum(_recorded(facts, name)),
    "mean": lambda facts, name, as_of: float(np.mean(found)) if (found := _recorded(facts, name)) else None,
    "min": lambda facts, name, as_of: min(_recorded(facts, name), default=None),
    "max": lambda facts, name, as_of: max(_recorded(facts, name), default=None),
    "distinct": lambda facts, name, as_of: float(len(set(_recorded(facts, name)))),
    "latest": lambda facts, name, as_of: _end(facts, name, -1),
    "first": lambda facts, name, as_of: _end(facts, name, 0),
    "mode": _mode,
    "change": _change,
    "trend": _trend,
    "days_since_first": lambda facts, name, as_of: _days(facts, as_of, min),
    "days_since_last": lambda facts, name, as_of: _days(facts, as_of, max),
}


def _years(start: dt.date, end: dt.date) -> float:
    return (end - start).days / DAYS_IN_A_YEAR


def _ratio(above: list[Row], below: list[Row], line: FeatureLine) -> Value:
    name, other = line.of.partition(".")[2], str(line.over).partition(".")[2]
    divisor = math.fsum(_recorded(below, other)) if other else len(below)
    return (math.fsum(_recorded(above, name)) if name else len(above)) / divisor if divisor else None


def _episodes(facts: list[Row], gap: Period | None) -> Value:
    days = sorted({row["event_date"] for row in facts})
    starts = [day for before, day in pairwise(days) if gap is None or day > gap.after(before)]
    return float(len(starts) + bool(days))


def _rate_change(facts: list[Row], start: dt.date, as_of: dt.date, than: Period | None) -> Value:
    earlier = than.before(start) if than else start
    now = sum(row["event_date"] >= start for row in facts)
    then = sum(earlier <= row["event_date"] < start for row in facts)
    return now / _years(start, as_of) - then / _years(earlier, start)
