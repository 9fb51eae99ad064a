"""A made-up county in whose every table stand things that nobody may ever see again, and the study of it."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import polars as pl

from riskmodels.data.synthetic import make_county, write_county
from riskmodels.storage import parse_yaml
from tests.canaries import planted
from tests.situations.county import SHIPPED, STUDY, write_study

NAME = "county_canaries"
SCORED_ON, TODAY = dt.date(2026, 7, 1), dt.date(2026, 7, 2)
PLACES = {"north": 12, "south": 8}
FEW = 4  # people who share a rare category
COMMON = "on the register"  # a category that many have, which may be named


def sections() -> dict[str, Any]:
    """What this study says in place of `tests.situations.county.STUDY`."""
    features = [
        line for line in STUDY["features"] if line["name"] in ("review", "days_absent", "exclusions", "age", "ward")
    ]
    return {
        "study": NAME,
        "cohort": STUDY["cohort"]
        | {"as_of_dates": {"first": "2023-10-01", "last": "2025-10-01", "every": "6 months"}},
        "features": [
            *features,
            {"name": "marker", "take": "attribute", "of": "people.marker", "missing": "category", "words": "marker"},
            {"name": "remark", "take": "attribute", "of": "people.remark", "missing": "category", "words": "remark"},
        ],
        "split": {"test": {"last": 2}, "calibrate": "grouped", "why_grouped": "small"},
        "models": {
            "candidates": {"logistic": {"c": 0.1}, "lightgbm": {"trees": 20, "leaves": 5, "min_rows_in_leaf": 40}},
            "calibrator": "sigmoid", "choose_by": "brier_score", "place": "ward",
        },
        "capacity": {"places": PLACES, "by": "people.team"},
        "list_unit": "household",
        "service_rules": [
            {"exclude": {"any": "early_help", "last": "3 months"}, "because": "already has early help",
             "owner": "help team", "kind": "already_known"},
        ],
        "routes": [
            {"when": {"any": "exclusion", "last": "12 months"}, "to": "school_nurse", "because": "excluded from school",
             "owner": "school nurse"},
        ],
        "accepted": dict.fromkeys(("too_few_outcomes", "id_like"), "A made-up county, for tests alone."),
        "objections": {"file": "objections.csv", "entity": "child_id", "scope": "scope"},
    }  # fmt: skip


def write_data(folder: Path, people_count: int = 1_200) -> list[str]:
    """The tables of the county, as its study reads them; everybody's id, in the order of the table of people."""
    write_county(folder, make_county(people_count, 5, base_rate=0.25), entity="child_id")
    people, events, equality = (
        pl.read_parquet(folder / f"{name}.parquet") for name in ("people", "events", "equality")
    )
    ids = {old: planted.person_id(place) for place, old in enumerate(people["child_id"])}
    people, events, equality = (
        frame.with_columns(pl.col("child_id").replace_strict(ids)) for frame in (people, events, equality)
    )
    _people(people).write_parquet(folder / "people.parquet")
    _events(events).write_parquet(folder / "events.parquet")
    _equality(equality).write_parquet(folder / "equality.parquet")
    every = list(ids.values())
    objections = [(one, "scoring", planted.full_name("objection", n)) for n, one in enumerate(every[9::97])]
    pl.DataFrame(objections, schema=["child_id", "scope", "who"], orient="row").write_csv(folder / "objections.csv")
    return every


def _unasked(frame: pl.DataFrame) -> pl.DataFrame:
    """Columns that no study names and no register describes."""
    rows = range(frame.height)
    return frame.with_columns(
        pl.Series("full_name", [planted.full_name("name", n) for n in rows]),
        pl.Series("nhs", [planted.number(n % 40_000) for n in rows]),
        pl.Series("address", [planted.street(n) for n in rows]),
        pl.Series("postcode", [planted.postcode(n) for n in rows]),
        pl.Series("birth", [planted.birth(n) for n in rows]),
        pl.Series("phone", [planted.phone(n) for n in rows]),
        pl.Series("email", [planted.email(n) for n in rows]),
        pl.Series(planted.full_name("header", 1), ["x"] * frame.height),
    )


def _people(people: pl.DataFrame) -> pl.DataFrame:
    rows = range(people.height)
    marker = [planted.full_name("rare", n // 150) if n % 150 < FEW else COMMON if n % 3 else None for n in rows]
    ward = people["ward"].to_list()
    team = ["south" if n % 2 else "north" for n in rows]
    for n in rows:
        if n % 400 == 7:
            ward[n] = planted.full_name("ward", n)
        if n % 300 == 11:
            team[n] = planted.full_name("team", n)
    homes = ("Home of " + planted.WORDS["home"].capitalize() + " " + people["household_id"]).alias("household_id")
    return _unasked(
        people.with_columns(
            homes, pl.Series("ward", ward), pl.Series("team", team), pl.Series("marker", marker),
            pl.Series("remark", [f"Rang {planted.full_name('note', n)} again" if n % 5 == 0 else None for n in rows]),
        )
    )  # fmt: skip


def _events(events: pl.DataFrame) -> pl.DataFrame:
    rows = range(events.height)
    kind = [
        planted.full_name("kind", n) if n % 9_000 == 17 else said for n, said in zip(rows, events["kind"], strict=True)
    ]
    return _unasked(events.with_columns(pl.Series("kind", kind)))


def _equality(equality: pl.DataFrame) -> pl.DataFrame:
    ethnicity = [planted.full_name("group", n) if n % 40 == 3 else said for n, said in enumerate(equality["ethnicity"])]
    return _unasked(equality.with_columns(pl.Series("ethnicity", ethnicity)))


def write_registered_study(folder: Path, **more: Any) -> None:
    """The study folder, with its register: of what nobody asked for neither says a word."""
    write_study(folder / "plain")
    register = parse_yaml((folder / "plain" / "register.yaml").read_bytes(), folder)
    register["sources"]["people"]["columns"] |= {
        "team": "the team", "marker": "a marker", "remark": "what a worker wrote",
    }  # fmt: skip
    (folder / "study.yaml").write_text(json.dumps({**STUDY, **sections(), **more}), encoding="utf-8")
    (folder / "register.yaml").write_text(json.dumps(register, default=str))
    for name in ("answers.yaml", "example_decision.yaml"):
        (folder / name).write_bytes((SHIPPED / name).read_bytes())


def write_given(folder: Path, ids: list[str]) -> None:
    """What people hand in beside the study: features, objections, groups, a vendor's predictions, a decision."""
    rows = range(len(ids))
    matrix = pl.DataFrame(
        {
            "entity_id": ids,
            "review_latest": [None if n % 4 == 0 else float(n % 9) for n in rows],
            "review_mean": [None if n % 4 == 0 else float(n % 9) for n in rows],
            "days_absent": [float(n % 7) for n in rows], "exclusions": [float(n % 2) for n in rows],
            "age": [5.0 + n % 12 for n in rows], "ward": [f"W{n % 24 + 1:02d}" for n in rows],
            "marker": [planted.full_name("rare", n) if n % 50 == 0 else COMMON for n in rows],
            "remark": [f"Rang {planted.full_name('note', n)} again" for n in rows],
            "excluded": ["already has early help" if n % 9 == 0 else None for n in rows],
            "team": [planted.full_name("team", n) if n % 90 == 0 else "north" if n % 2 else "south" for n in rows],
            "household": [f"Home of {planted.WORDS['home'].capitalize()} {n // 2}" for n in rows],
            "full_name": [planted.full_name("name", n) for n in rows],
        }
    )  # fmt: skip
    cohort = folder / f"cohort {planted.full_name('file name', 1)}.parquet"
    matrix.with_columns(
        pl.Series("postcode", [planted.postcode(n) for n in rows]),
        pl.Series("nhs", [int(planted.number(n)) for n in rows]),
    ).write_parquet(cohort)
    # What should be a number is a name in some rows: a CSV has no types that would tell before.
    strange = [planted.sentence("cell", n) if n % 40 == 3 else str(float(n % 9)) for n in rows]
    matrix.with_columns(pl.Series("review_latest", strange)).write_csv(folder / "matrix.csv")
    who = [planted.full_name("objection", n) for n in range(len(ids[5::61]))]
    pl.DataFrame({"entity_id": ids[5::61], "who": who}).write_csv(folder / "objected.csv")
    groups = {"sex": ["female" if n % 2 else "male" for n in rows], "club": _club(len(ids))}
    pl.DataFrame({"entity_id": ids, **groups}).write_csv(folder / "groups.csv")
    pl.DataFrame(
        {
            "who": ids, "y": [int(n % 5 == 0) for n in rows], "p": [(n % 50) / 60 for n in rows],
            "sex": ["female" if n % 2 else "male" for n in rows],
            "ethnicity": [
                planted.full_name("prediction", n // 400) if n % 80 == 1 else "one" if n % 3 else "two" for n in rows
            ],
            "name": [planted.full_name("name", n) for n in rows],
        }
    ).write_csv(folder / "vendor.csv")  # fmt: skip
    (folder / "decision.yaml").write_text(json.dumps(decision(), default=str))


def _club(count: int) -> list[str]:
    return [planted.full_name("groups file", n) if n % 60 == 0 else "chess" if n % 2 else "choir" for n in range(count)]


def decision() -> dict[str, Any]:
    """An EXAMPLE decision that answers what this study's audit cannot judge."""
    found: dict[str, Any] = parse_yaml((SHIPPED / "example_decision.yaml").read_bytes(), SHIPPED)
    later = TODAY + dt.timedelta(days=120)
    answers = {name: {"reason": "A made-up county.", "expires": later} for name in ("sex", "ethnicity")}
    conditions = [{**one, "due": later} for one in found["conditions"]]
    meeting = {**found["meeting"], "date": TODAY}
    return found | {"answers": answers, "conditions": conditions, "meeting": meeting, "expires": later}
