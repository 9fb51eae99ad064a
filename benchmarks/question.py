"""What is asked of the bench workload: as a study folder, and as plain JSON for the peers.

Cohort: an event in the last two years. Outcome: a ``csc_referral`` within six months. Columns: counts of each event
type, in total and by place, and sum, mean and max of severity and duration, each over five windows; age, deprivation,
sex.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.workload import LOCATIONS, TYPES
from riskmodels.storage import write_yaml
from riskmodels.study import Period

WINDOWS = ("3 months", "6 months", "1 year", "2 years", "ever")
OF_VALUES = ("sum", "mean", "max")
HORIZON, LOOKBACK = "6 months", "2 years"
EXTRACTED_ON = dt.date(2024, 1, 2)


def quarters(first: dt.date, last: dt.date) -> tuple[dt.date, ...]:
    """The first day of every quarter from first to last."""
    count = (last.year - first.year) * 4 + (last.month - first.month) // 3 + 1
    return tuple(Period(3 * number, "month").after(first) for number in range(count))


# The last twelve quarters whose outcome is over before the extract.
DATES = quarters(dt.date(2020, 10, 1), dt.date(2023, 7, 1))


@dataclass(frozen=True)
class Measure:
    """One column: ``take`` of ``column`` over the ``window``, of the rows where ``where`` is ``value``."""

    name: str
    take: str
    column: str | None = None
    window: str | None = None
    where: str | None = None
    value: str | None = None


def measures(windows: tuple[str, ...] = WINDOWS) -> tuple[Measure, ...]:
    """Counts of every type, in total and by place; sum, mean and max of severity and duration; age, deprivation, sex.

    Over all five windows that makes 9 x 5 + 6 x 5 + 2 x 3 x 5 + 3 = 108 columns.
    """
    made = []
    several = len(windows) > 1
    ends = {window: f"_{window.replace(' ', '_')}" if several else "" for window in windows}
    for window in windows:
        made += [Measure(f"events{ends[window]}_{k}", "count", None, window, "event_type", k) for k in TYPES]
    made += [Measure(f"all_events{ends[window]}", "count", None, window) for window in windows]
    for window in windows:
        made += [Measure(f"at{ends[window]}_{place}", "count", None, window, "location", place) for place in LOCATIONS]
    for column in ("severity", "duration_days"):
        for take in OF_VALUES:
            made += [Measure(f"{column}_{take}{ends[window]}", take, column, window) for window in windows]
    return (*made, Measure("age", "age"), Measure("imd_decile", "attribute"), Measure("sex", "attribute"))


def for_peers(dates: tuple[dt.date, ...] = DATES, windows: tuple[str, ...] = WINDOWS) -> dict[str, Any]:
    """What a peer is told, as JSON: every date with its window starts, and the columns in their order."""
    of_dates = [
        {
            "as_of": day.isoformat(),
            "starts": {window: Period.parse(window).before(day).isoformat() for window in windows},
            "cohort_from": Period.parse(LOOKBACK).before(day).isoformat(),
            "horizon_ends": Period.parse(HORIZON).after(day).isoformat(),
        }
        for day in dates
    ]
    return {"dates": of_dates, "windows": list(windows), "measures": [vars(m) for m in measures(windows)]}


def write_study(
    folder: Path, dates: tuple[dt.date, ...] = DATES, windows: tuple[str, ...] = WINDOWS, *, suffix: str = ".csv"
) -> Path:
    """A study folder that asks the same question of us."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, section in (
        ("study", _study(dates, windows, suffix)),
        ("register", _register()),
        ("answers", _answers()),
    ):
        (folder / f"{name}.yaml").write_bytes(write_yaml(section))
    return folder


def _study(dates: tuple[dt.date, ...], windows: tuple[str, ...], suffix: str) -> dict[str, Any]:
    last = list(windows)
    events = {"file": f"events{suffix}", "entity": "entity_id", "event_date": "event_date", "kind": "event_type"}
    return {
        "schema": 1,
        "study": "bench",
        "title": "The bench workload",
        "question": "Who may be referred to social care within six months?",
        "seed": 7,
        "purpose": "assistive",
        "level": "person",
        "clock": "calendar",
        "sources": {
            "people": {"file": f"people{suffix}", "entity": "entity_id", "known_date": "known_from"},
            "events": events,
        },
        "facts": {"event": {"in": "events"}, "referral": {"in": "events", "kind": "csc_referral"}},
        "cohort": {
            "as_of_dates": list(dates),
            "steps": [{"step": "an event in the last two years", "keep": {"any": "event", "last": LOOKBACK}}],
        },
        "outcome": {
            "name": "csc_referral",
            "words": "is referred to social care within six months",
            "measures": "service",
            "happens": {"any": "referral"},
            "known": {"attribute": "people.imd_decile", "at_least": 1},  # everybody is followed to the end
            "horizon": HORIZON,
            "lag": "0 days",
        },
        "features": [
            {"name": "events", "take": "count", "of": "event", "last": last, "each": {"kind": list(TYPES)},
             "words": "events of a type"},
            {"name": "all_events", "take": "count", "of": "event", "last": last, "words": "events of any type"},
            {"name": "at", "take": "count", "of": "event", "last": last, "each": {"location": list(LOCATIONS)},
             "words": "events at a place"},
            {"name": "severity", "take": list(OF_VALUES), "of": "event.severity", "last": last, "words": "severity"},
            {"name": "duration_days", "take": list(OF_VALUES), "of": "event.duration_days", "last": last,
             "words": "days it lasted"},
            {"name": "age", "take": "age", "of": "people.dob", "words": "age"},
            {"name": "imd_decile", "take": "attribute", "of": "people.imd_decile", "words": "deprivation decile"},
            {"name": "sex", "take": "attribute", "of": "people.sex", "words": "sex"},
        ],
        "split": {"test": {"dates": [dates[-1]]}, "calibrate": "grouped", "why_grouped": "a benchmark"},
        "models": {"candidates": {"lightgbm": {"trees": 100, "leaves": 15}}},
        "capacity": {"share": 0.05},
        "protected": {
            "ethnicity": {"column": "people.ethnicity", "law": "race"},
            "sex": {"column": "people.sex", "law": "sex", "also_feature": "The workload's definition has it."},
        },
    }  # fmt: skip


def _register() -> dict[str, Any]:
    entry = {
        "owner": "Fictional", "collected_for": "a benchmark", "how": "drawn by a program from a seed",
        "about": "person", "lawful_basis": "none needed: nobody is real", "permitted_purposes": ["a benchmark"],
        "retention": "until the benchmark ends", "extracted_on": EXTRACTED_ON,
    }  # fmt: skip
    columns = {
        "people": ("entity_id", "dob", "sex", "ethnicity", "imd_decile", "ward", "known_from"),
        "events": ("event_id", "entity_id", "event_date", "event_type", "severity", "location", "duration_days"),
    }
    sources = {
        name: {**entry, "words": f"made-up {name}", "columns": dict.fromkeys(held, "made up")}
        for name, held in columns.items()
    }
    return {"purpose": "a benchmark", "audit_purpose": "a benchmark", "sources": sources}


def _answers() -> dict[str, Any]:
    nobody = {"owner": "Fictional"}
    return {
        "organisation": "A fictional council", "fictional": True, "owner_role": "Fictional", "ask": nobody,
        "cannot_see": nobody,
    }  # fmt: skip
