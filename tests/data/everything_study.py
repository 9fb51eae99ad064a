"""A study that takes everything that may be taken, of every kind of source, and made-up facts for it.

Days, knowledge and values are few, so that ties, late facts and the borders of windows are common.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
from hypothesis import strategies as st

from riskmodels.data.cohort import Cohort
from riskmodels.data.engines import POLARS, Engine
from riskmodels.data.tables import Table, Tables
from riskmodels.study import OF_A_COLUMN, StudyFile, parse_study_file

DATES = (dt.date(2020, 1, 1), dt.date(2020, 7, 1), dt.date(2020, 7, 31))
PEOPLE = "abcd"
AREAS = "xyz"
WINDOWS = ["30 days", "6 months", "ever"]
BOUNDED = ("rate", "rate_change")
OF_FACTS = (
    "count", "any", "rate", "sum", "mean", "min", "max", "distinct", "latest", "first", "mode", "change", "trend",
    "rate_change", "ratio", "episodes", "days_since_first", "days_since_last",
)  # fmt: skip


def _line(name: str, take: str, of: str, **rest: Any) -> dict[str, Any]:
    line = {"name": name, "take": take, "of": of, "last": WINDOWS[:2] if take in BOUNDED else WINDOWS, "words": name}
    if take == "rate_change":
        line["than"] = "90 days"
    if take == "episodes":
        line["gap"] = "30 days"
    if take == "ratio":
        line["over"] = "anything.value" if "." in of else "anything"
    return {**line, **rest}


def _of(fact: str, take: str) -> str:
    return f"{fact}.value" if take in OF_A_COLUMN else fact


LINES: list[dict[str, Any]] = [
    *(_line(f"visit_{take}", take, _of("visit", take)) for take in OF_FACTS),
    *(_line(f"all_{take}", take, _of("anything", take)) for take in OF_FACTS),
    *(_line(f"high_{take}", take, _of("high", take)) for take in OF_FACTS),
    *(_line(f"due_{take}", take, _of("due", take)) for take in ("count", "latest", "episodes")),
    *(_line(f"kind_{take}", take, _of("anything", take), each={"kind": ["visit", "none such"]})
      for take in OF_FACTS if take != "ratio"),
    *(_line(f"word_{take}", take, "visit.word", missing="category") for take in ("latest", "first", "mode")),
    _line("words", "distinct", "visit.word"),
    _line("due_word", "latest", "due.word", missing="category"),
    _line("visit_of", "count", "visit", each={"kind": ["call", "test"]}),
    _line("by_word", "count", "visit", each={"word": ["low", "high"]}),
    _line("mean_by_word", "mean", "high.value", each={"word": ["low", "high"]}),
    _line("spread", "ratio", "visit.value", over="high.value"),
    _line("by_month", "episodes", "visit", gap="1 month"),
    _line("zeros", "mean", "visit.value", missing="zero"),
    *(_line(f"police_{take}", take, "police.value" if take in OF_A_COLUMN else "police") for take in OF_FACTS
      if take != "ratio"),
    _line("police_zeros", "latest", "police.value", missing="zero"),
    *(_line(f"area_{take}", take, "crime.value" if take in OF_A_COLUMN else "crime", by="homes.area")
      for take in ("count", "sum", "latest", "days_since_last", "distinct")),
    _line("area_zeros", "mean", "crime.value", by="homes.area", missing="zero"),
    {"name": "decile", "take": "attribute", "of": "places.decile", "by": "homes.area", "words": "decile"},
    {"name": "area", "take": "attribute", "of": "homes.area", "missing": "category", "words": "area"},
    {"name": "rooms", "take": "attribute", "of": "homes.rooms", "words": "rooms"},
    {"name": "value", "take": "attribute", "of": "records.value", "words": "value"},
    {"name": "age", "take": "age", "of": "people.born", "words": "age"},
    {"name": "ward", "take": "attribute", "of": "people.ward", "missing": "category", "words": "ward"},
    {"name": "ward_zero", "take": "attribute", "of": "people.rooms", "missing": "zero", "words": "rooms"},
]  # fmt: skip

EVERYTHING: StudyFile = parse_study_file(
    {
        "schema": 1,
        "study": "everything",
        "title": "Everything",
        "question": "Who?",
        "seed": 7,
        "purpose": "assistive",
        "level": "person",
        "clock": "calendar",
        "sources": {
            "people": {"file": "p.csv", "entity": "id"},
            "records": {"file": "r.csv", "entity": "id", "event_date": "event", "known_date": "known", "kind": "kind"},
            "police": {
                "file": "o.csv", "entity": "id", "event_date": "event", "known_date": "known",
                "link": {"flag": "people.linked"},
            },
            "homes": {"file": "h.csv", "entity": "id", "known_date": "known"},
            "crimes": {
                "file": "c.csv", "entity": "area", "event_date": "event", "known_date": "known", "level": "place",
            },
            "places": {"file": "a.csv", "entity": "area", "level": "place"},
        },
        "facts": {
            "visit": {"in": "records", "kind": ["visit", "call"]},
            "high": {"in": "records", "kind": "visit", "where": {"value": {"above": 0}}},
            "due": {"in": "records", "where": {"due": {"below": "as_of"}}},
            "anything": {"in": "records"},
            "police": {"in": "police"},
            "crime": {"in": "crimes"},
        },
        "cohort": {"as_of_dates": list(DATES), "steps": []},
        "outcome": {
            "name": "visited", "words": "is visited", "measures": "need", "happens": {"any": "visit"},
            "known": {"any": "anything"}, "horizon": "3 months", "lag": "1 month",
        },
        "features": LINES,
        "split": {"test": {"dates": [DATES[-1]]}, "calibrate": "grouped", "why_grouped": "small"},
        "capacity": {"places": 1},
    }
)  # fmt: skip

DATED = {"entity_id": pl.String, "event_date": pl.Date, "known_date": pl.Date}
SCHEMAS: dict[str, dict[str, Any]] = {
    "people": {"entity_id": pl.String, "born": pl.Date, "ward": pl.String, "rooms": pl.Float64},
    "records": {**DATED, "kind": pl.String, "value": pl.Float64, "word": pl.String, "due": pl.Date},
    "police": {**DATED, "value": pl.Float64},
    "homes": {"entity_id": pl.String, "known_date": pl.Date, "area": pl.String, "rooms": pl.Float64},
    "crimes": {**DATED, "value": pl.Float64},
    "places": {"entity_id": pl.String, "decile": pl.Float64},
}
Rows = dict[str, list[dict[str, Any]]]
Covered = Mapping[str, Mapping[str, dt.date]]

values = st.sampled_from([None, -2.0, -0.5, 0.0, 0.1, 0.25, 3.0])


@st.composite
def dated(draw: st.DrawFn, who: str = PEOPLE) -> dict[str, Any]:
    event = draw(st.sampled_from(DATES)) - dt.timedelta(
        draw(st.sampled_from([-1, 0, 1, 29, 30, 31, 60, 61, 120, 181, 182, 183, 400]))
    )
    known = event + dt.timedelta(draw(st.sampled_from([0, 0, 0, 1, 30, 200])))
    return {"entity_id": draw(st.sampled_from(who)), "event_date": event, "known_date": known, "value": draw(values)}


@st.composite
def record(draw: st.DrawFn) -> dict[str, Any]:
    row = draw(dated())
    row["kind"] = draw(st.sampled_from(["visit", "visit", "call", "test", None]))
    row["word"] = draw(st.sampled_from([None, "low", "high", "mid"]))
    row["due"] = draw(st.sampled_from([None, *DATES, dt.date(2020, 6, 30)]))
    return row


@st.composite
def home(draw: st.DrawFn) -> dict[str, Any]:
    known = draw(st.sampled_from(DATES)) - dt.timedelta(draw(st.sampled_from([0, 1, 90, 300])))
    area = draw(st.sampled_from([*AREAS, None, "nowhere"]))
    who = draw(st.sampled_from(PEOPLE))
    return {"entity_id": who, "known_date": known, "area": area, "rooms": draw(st.sampled_from([None, 1.0, 2.5]))}


@st.composite
def all_rows(draw: st.DrawFn, most: int = 14) -> Rows:
    return {
        "people": [
            {"entity_id": "a", "born": dt.date(2010, 7, 1), "ward": "007", "rooms": 2.0},
            {"entity_id": "b", "born": None, "ward": None, "rooms": None},
            {"entity_id": "c", "born": dt.date(2012, 2, 29), "ward": "n", "rooms": 0.0},
        ],
        "records": draw(st.lists(record(), max_size=most)),
        "police": draw(st.lists(dated(PEOPLE[:3]), max_size=most // 2)),
        "homes": draw(st.lists(home(), max_size=most // 2)),
        "crimes": draw(st.lists(dated(AREAS), max_size=most // 2)),
        "places": [{"entity_id": "x", "decile": 1.0}, {"entity_id": "y", "decile": None}],
    }


@st.composite
def coverage(draw: st.DrawFn) -> Covered:
    """Whom the police, and perhaps the register of homes, can speak of, and from when: not of d."""
    days = st.sampled_from([dt.date(1, 1, 1), dt.date(2019, 12, 31), *DATES])
    covered = {"police": draw(st.dictionaries(st.sampled_from(PEOPLE[:3]), days))}
    return covered | draw(st.sampled_from([{}, {"homes": {"a": DATES[0], "b": dt.date(1, 1, 1)}}]))


def many_rows(seed: int = 7) -> tuple[Rows, Covered]:
    """Facts of everybody, with ties, late ones, missing values and numbers that no binary fraction holds."""
    draw = random.Random(seed)

    def dated(who: str) -> dict[str, Any]:
        event = draw.choice(DATES) - dt.timedelta(draw.choice([0, 1, 29, 30, 31, 60, 61, 181, 182, 400]))
        known = event + dt.timedelta(draw.choice([0, 0, 1, 40]))
        value = draw.choice([None, 1.0, 0.25, -0.1, 7.03, -2.0])
        return {"entity_id": draw.choice(who), "event_date": event, "known_date": known, "value": value}

    def record() -> dict[str, Any]:
        words = {"word": draw.choice(["low", "high", "mid", None]), "due": draw.choice([None, *DATES])}
        return {**dated(PEOPLE), "kind": draw.choice(["visit", "call", "test", None]), **words}

    homes = [
        {"entity_id": who, "known_date": day - dt.timedelta(3), "area": draw.choice("xyz"), "rooms": 1.5}
        for who in "abc"
        for day in DATES
    ]
    rows: Rows = {
        "people": [{"entity_id": "a", "born": dt.date(2012, 2, 29), "ward": "007", "rooms": 2.0}],
        "records": [record() for _ in range(80)],
        "police": [dated(PEOPLE) for _ in range(30)],
        "homes": homes,
        "crimes": [dated("xyz") for _ in range(20)],
        "places": [{"entity_id": "x", "decile": 1.0}],
    }
    return rows, {"police": {"a": dt.date(1, 1, 1), "b": DATES[0], "c": DATES[1]}}


def everything_tables(rows: Rows, covered: Covered, engine: Engine = POLARS, folder: Path | None = None) -> Tables:
    """The tables, held by an engine; those of another engine than Polars stand as Parquet in ``folder``."""
    tables = {}
    for name, schema in SCHEMAS.items():
        frame = pl.DataFrame(rows[name], schema=schema, orient="row")
        spoken_for = covered.get(name)
        of_whom = None
        if spoken_for is not None:
            frame = frame.filter(pl.col("entity_id").is_in(list(spoken_for)))
            of_whom = pl.DataFrame(
                {"entity_id": list(spoken_for), "from_date": list(spoken_for.values())},
                schema={"entity_id": pl.String, "from_date": pl.Date},
            )
        held: dict[str, Any] = {}
        if engine.name != "polars" and folder is not None:
            frame.write_parquet(folder / f"{name}.parquet")
            held = {"engine": engine, "path": folder / f"{name}.parquet"}
        tables[name] = Table(name, EVERYTHING.sources[name], frame, covered=of_whom, **held)
    return Tables(tables)


def everybody(*dates: dt.date) -> Cohort:
    rows = [{"entity_id": who, "as_of_date": day, "cluster_id": who} for day in dates or DATES for who in "dbca"]
    return Cohort(pl.DataFrame(rows), pl.DataFrame())
