"""Features as one would work them out by hand: one person, one date and one column at a time, over lists of rows.

Nothing is shared with the engine but the study's own schema. Slow and obvious on purpose.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from riskmodels.study import Condition, Fact, FeatureLine, Period, PlannedColumn, StudyFile

Row = dict[str, Any]
Sources = Mapping[str, Sequence[Row]]  # source -> rows with entity_id, event_date, known_date, kind and columns
Covered = Mapping[str, Mapping[str, dt.date]]  # source -> who is covered -> from when; a source that is not in it: all
YEAR = 365.2425


def features_of(study: StudyFile, sources: Sources, covered: Covered, who: str, as_of: dt.date) -> Row:
    """Every feature of one person on one date."""
    found = {}
    for line in study.features:
        for column in line.columns:
            found[column.name] = _one(study, sources, covered, line, column, who, as_of)
    return found


def _one(
    study: StudyFile, sources: Sources, covered: Covered, line: FeatureLine, column: PlannedColumn, who: str,
    as_of: dt.date,
) -> Any:  # fmt: skip
    head, _, of = line.of.partition(".")
    source = study.source_of(column.take, line.of)
    if line.by is not None:
        by_source, _, by_column = line.by.partition(".")
        if not _is_covered(covered, by_source, who, as_of):
            return None
        place = _known_then(sources[by_source], by_column, who, as_of)
        if place is None:
            return 0.0 if line.missing == "zero" else None
        who = place
    elif not _is_covered(covered, source, who, as_of):
        return None
    if column.take in ("attribute", "age"):
        value = _known_then(sources[source], of, who, as_of)
        if column.take == "age" and value is not None:
            value = (as_of - value).days / YEAR
    else:
        rows = _seen(sources[source], study.facts[head], who, as_of, column.each)
        others = []
        if line.over is not None:
            other = study.facts[line.over.partition(".")[0]]
            others = _seen(sources[source], other, who, as_of, column.each)
        value = _taken(column, line, rows, others, of, as_of)
    if value is None and line.missing == "zero":
        return 0.0
    return value


def _is_covered(covered: Covered, source: str, who: str, as_of: dt.date) -> bool:
    if source not in covered:
        return True
    return who in covered[source] and covered[source][who] < as_of


def _known_then(rows: Sequence[Row], column: str, who: str, as_of: dt.date) -> Any:
    """The last row known before the date; of several of one day the largest value."""
    theirs = [row for row in rows if row["entity_id"] == who and row.get("known_date", dt.date.min) < as_of]
    theirs.sort(
        key=lambda row: (
            row.get("event_date", dt.date.min),
            row.get("known_date", dt.date.min),
            row[column] is not None,
            row[column] if row[column] is not None else 0,
        )
    )
    return theirs[-1][column] if theirs else None


def _satisfies(value: Any, condition: Condition, as_of: dt.date) -> bool:
    if value is None:
        return False
    tests = {
        "at_most": lambda asked: value <= asked,
        "at_least": lambda asked: value >= asked,
        "below": lambda asked: value < asked,
        "above": lambda asked: value > asked,
        "equals": lambda asked: value == asked,
        "one_of": lambda asked: value in asked,
        "none_of": lambda asked: value not in asked,
    }
    return all(tests[word](as_of if asked == "as_of" else asked) for word, asked in condition.asked.items())


def _seen(rows: Sequence[Row], fact: Fact, who: str, as_of: dt.date, each: tuple[str, str] | None) -> list[Row]:
    """Rows of the fact that had happened and were known before the date."""
    seen = []
    for row in rows:
        if row["entity_id"] != who or row["event_date"] >= as_of or row["known_date"] >= as_of:
            continue
        if fact.kind is not None and row["kind"] not in fact.kind:
            continue
        if not all(_satisfies(row[name], condition, as_of) for name, condition in fact.where.items()):
            continue
        if each is not None and row[each[0]] != each[1]:
            continue
        seen.append(row)
    return seen


def _taken(
    column: PlannedColumn, line: FeatureLine, seen: list[Row], others: list[Row], of: str, as_of: dt.date
) -> Any:
    start = column.last.before(as_of)
    rows = [row for row in seen if row["event_date"] >= start]
    days = [row["event_date"] for row in rows]
    recorded = [row for row in rows if of and row[of] is not None]
    in_order = sorted(recorded, key=lambda row: (row["event_date"], row["known_date"], row[of]))
    values = [row[of] for row in in_order]
    match column.take:
        case "count":
            return float(len(rows))
        case "any":
            return float(len(rows) > 0)
        case "rate":
            return len(rows) / ((as_of - start).days / YEAR)
        case "rate_change":
            assert line.than is not None
            earlier = line.than.before(start)
            before = [row for row in seen if earlier <= row["event_date"] < start]
            return len(rows) / ((as_of - start).days / YEAR) - len(before) / ((start - earlier).days / YEAR)
        case "sum":
            return float(sum(map(Fraction, values)))
        case "mean":
            return float(sum(map(Fraction, values)) / len(values)) if values else None
        case "min":
            return min(values) if values else None
        case "max":
            return max(values) if values else None
        case "distinct":
            return float(len(set(values)))
        case "latest":
            return values[-1] if values else None
        case "first":
            return values[0] if values else None
        case "mode":
            return _mode(in_order, of)
        case "change":
            apart = bool(values) and in_order[-1]["event_date"] > in_order[0]["event_date"]
            return values[-1] - values[0] if apart else None
        case "trend":
            return _slope([(row["event_date"], row[of]) for row in in_order])
        case "ratio":
            assert line.over is not None
            below = [row for row in others if row["event_date"] >= start]
            other = line.over.partition(".")[2]
            if not of:
                return len(rows) / len(below) if below else None
            divisor = sum(Fraction(row[other]) for row in below if row[other] is not None)
            return float(sum(map(Fraction, values)) / divisor) if divisor else None
        case "episodes":
            assert line.gap is not None
            return float(_runs(sorted(set(days)), line.gap))
        case "days_since_first":
            return float((as_of - min(days)).days) if days else None
        case "days_since_last":
            return float((as_of - max(days)).days) if days else None
    raise AssertionError(f"the oracle does not know {column.take}")


def _mode(rows: list[Row], of: str) -> Any:
    """The most frequent value; of several the one that happened last, then the larger or alphabetically later."""
    if not rows:
        return None
    counts = Counter(row[of] for row in rows)
    last = {value: max(row["event_date"] for row in rows if row[of] == value) for value in counts}
    return max(counts, key=lambda value: (counts[value], last[value], value))


def _slope(points: list[tuple[dt.date, float]]) -> float | None:
    """Least squares, in exact fractions; a year."""
    if len({day for day, _ in points}) < 2:
        return None
    days = [Fraction(day.toordinal()) for day, _ in points]
    values = [Fraction(value) for _, value in points]
    middle, mean = sum(days) / len(days), sum(values) / len(values)
    shared = sum((day - middle) * (value - mean) for day, value in zip(days, values, strict=True))
    return float(shared / sum((day - middle) ** 2 for day in days)) * YEAR


def _runs(days: list[dt.date], gap: Period) -> int:
    """How many runs of days in which no day is more than ``gap`` after the one before."""
    runs = 0
    for place, day in enumerate(days):
        if place == 0 or day > gap.after(days[place - 1]):
            runs += 1
    return runs
