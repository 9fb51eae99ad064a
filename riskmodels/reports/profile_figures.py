"""The figures of the data's profile as numbers: each with its alternative text, data table, unit and n."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from riskmodels.reports.cells import day_text, label
from riskmodels.reports.profile_tables import NOUNS, Row, per_100

MOST_MONTHS = 120
Figure = dict[str, Any]


def figures_of(profile: Row) -> list[Figure]:
    """Every figure of a published profile that has something to show."""
    sources = list(dict.fromkeys(row["source"] for row in profile["recording_lag"]))
    made = [_attrition(profile), *(_lag(profile, source) for source in sources)]
    made += [_months(profile, source) for source in sources]
    made += [_linkage(profile, source) for source in dict.fromkeys(row["source"] for row in profile["linkage"])]
    return [figure for figure in made if figure is not None]


def _figure(
    id_: str, drawing: str, title: str, alt: str, unit: str, n: int | None, table: Figure, **more: Any
) -> Figure:
    table = {"caption": title, "note": None, **table}
    return {
        "id": id_, "drawing": drawing, "title": title, "alt": alt, "unit": unit, "n": n, "table": table, "curve": None,
        **more,
    }  # fmt: skip


def _attrition(profile: Row) -> Figure | None:
    """From everybody in the data to the cohort, on the latest as-of date."""
    last = max((str(row["as_of_date"]) for row in profile["attrition"]), default=None)
    steps = [row for row in profile["attrition"] if str(row["as_of_date"]) == last and row["remaining"] is not None]
    if last is None or not steps:
        return None
    rows = [[label(row["step"]), row["remaining"]] for row in steps]
    said = ", ".join(f"{name}: {count:,}" for name, count in rows)
    return _figure(
        "attrition", "bars", f"Who is left after each step, {day_text(last)}", f"Bars, one for each step. {said}.",
        "left after each step", rows[0][1],
        {"columns": ["Step", "Left"], "rows": rows, "source": "run: cohort attrition"},
    )  # fmt: skip


def _lag(profile: Row, source: str) -> Figure | None:
    """How many days pass until a fact is known, by the quarter in which it happened."""
    rows = [
        [row["quarter"], row["median"], row["most"], row["n"]]
        for row in profile["recording_lag"]
        if row["source"] == source and row["quarter"] is not None
    ]
    shown = [row for row in rows if row[1] is not None]
    if len(shown) < 2:
        return None
    return _figure(
        f"lag-{source}", "over_time", f"Days until a fact is known: {source}",
        f"Two lines over {len(rows)} quarters. Half of the facts were known within {shown[0][1]} days in {shown[0][0]} "
        f"and within {shown[-1][1]} in {shown[-1][0]}; 95 of 100 within {shown[0][2]} and {shown[-1][2]} days.",
        "days from the event until it was known", _total(row[3] for row in shown),
        {
            "columns": ["Quarter of the event", "Half are known within", "95 of 100 are known within", "Facts"],
            "rows": rows, "source": "run: recording lag",
        },
        breaks=[], lines=2,
    )  # fmt: skip


def _months(profile: Row, source: str) -> Figure | None:
    """How many facts of each kind happened in each month, and where the study says that the records changed."""
    found = [row for row in profile["facts_by_month"] if row["source"] == source]
    if not found:
        return None
    kinds = list(dict.fromkeys(row["kind"] for row in found))
    counts = {(row["kind"], row["month"]): row["facts"] for row in found}
    months = _from_to(min(row["month"] for row in found), max(row["month"] for row in found))
    cut, months = len(months) > MOST_MONTHS, months[-MOST_MONTHS:]
    # A month without a row has no facts at all, which tells of nobody and is what a break looks like.
    rows = [[month, *(counts.get((kind, month), 0) for kind in kinds)] for month in months]
    breaks = [row for row in profile["breaks"] if not row["sources"] or source in row["sources"]]
    places = [months.index(str(row["date"])[:7]) for row in breaks if str(row["date"])[:7] in months]
    said = [f"break {number} is {row['what']} ({day_text(str(row['date']))})" for number, row in enumerate(breaks, 1)]
    below = profile["disclosure"]["below"]
    note = f"Only months in which the facts are of {below} people or more are shown. " if below else ""
    note += f"Declared: {'; '.join(said)}." if said else "No break is declared."
    names = [label(str(kind)) if kind is not None else "Facts" for kind in kinds]
    return _figure(
        f"months-{source}", "over_time", f"Facts in each month: {source}",
        f"Lines over {len(months)} months, one for each kind of fact: {', '.join(names)}. "
        f"{'; '.join(said).capitalize() or 'No break is declared'}.",
        "facts in a month", _total(count for row in rows for count in row[1:]),
        {
            "columns": ["Month", *names], "rows": rows, "source": "run: facts of each month",
            "note": f"The last {MOST_MONTHS} months. {note}" if cut else note,
        },
        breaks=places, lines=len(kinds),
    )  # fmt: skip


def _from_to(first: str, last: str) -> list[str]:
    """All months between two, as ``2020-01``."""
    start, end = (dt.date.fromisoformat(f"{month}-01") for month in (first, last))
    numbers = range(12 * start.year + start.month - 1, 12 * end.year + end.month)
    return [f"{number // 12:04d}-{number % 12 + 1:02d}" for number in numbers]


def _linkage(profile: Row, source: str) -> Figure | None:
    """Of 100 of each group, of how many a source can speak."""
    found = [row for row in profile["linkage"] if row["source"] == source]
    rows = [
        [
            label(row["attribute"]) if row["attribute"] else "All", row["group"] or "All", row["n"],
            *(per_100(row[end]) for end in ("share", "low", "high")), "reference" if row["reference"] else "",
        ]
        for row in found
    ]  # fmt: skip
    shown = [row for row in rows if row[3] is not None]
    if not shown:
        return None
    lowest, many = min(shown, key=lambda row: row[3]), label(NOUNS[profile["level"]])
    return _figure(
        f"linkage-{source}", "groups", f"Who could be linked: {source}",
        f"A dot with its interval for each group: of 100, how many {source} can speak of. The lowest is {lowest[1]}, "
        f"with {lowest[3]:g}.",
        f"of 100, how many {source} can speak of", next((row[2] for row in rows if row[0] == "All"), None),
        {
            "columns": ["Characteristic", "Group", many, "Of 100", "at least", "at most", "Role"],
            "rows": rows, "source": "run: linkage",
        },
    )  # fmt: skip


def _total(counts: Any) -> int | None:
    """The sum of what is shown; None if nothing is."""
    shown: Sequence[int] = [count for count in counts if count is not None]
    return sum(shown) if shown else None
