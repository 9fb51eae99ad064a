"""A made-up county whose model is approved, with everything in its data that a list must not show.

Everybody's id begins with `PERSON`. What comes from a restricted source holds `WORDS`, `CATEGORY`, `RARE` or `VALUE`.
"""

from __future__ import annotations

import datetime as dt
import html
import io
import json
import re
import zipfile
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from riskmodels import commands
from riskmodels.__main__ import run
from riskmodels.commands.demonstration import example_decision
from riskmodels.data.synthetic import make_county, write_county
from riskmodels.storage import parse_yaml
from riskmodels.workspace import Workspace
from tests.situations.county import SHIPPED, STUDY, write_study

NAME = "county_served"
SCORED_ON, TODAY = dt.date(2026, 7, 1), dt.date(2026, 7, 2)
PERSON, WORDS, CATEGORY, RARE, VALUE = "Kanari-", "Zeisig", "Stieglitz", "Girlitz", 918273645.0
LEAD = "safeguarding_lead"  # the one role that the restricted sources may be shown to
TEAM = "help_team"
PLACES = {"north": 25, "south": 15, "east": 10}
HIDDEN_RULE = f"{WORDS} case is open"

RULES: list[dict[str, Any]] = [
    {"exclude": {"any": "early_help", "last": "3 months"}, "because": "already has early help", "owner": "help team",
     "kind": "already_known"},
    {"exclude": {"any": "death"}, "because": "has died", "owner": "records team", "kind": "died"},
    {"exclude": {"any": "moving"}, "because": "is moving away", "owner": "records team", "kind": "moved"},
    {"exclude": {"any": "objection"}, "because": "objected to being contacted", "owner": "data protection officer",
     "kind": "objected"},
    {"exclude": {"attribute": "flags.restricted", "equals": True}, "because": "restricted record",
     "owner": "records team", "kind": "restricted"},
    {"exclude": {"any": "grave", "last": "6 months"}, "because": HIDDEN_RULE, "owner": "safeguarding lead",
     "kind": "other"},
    {"exclude": {"any": "contacted", "last": "1 month"}, "because": "was called last month", "owner": "help team",
     "kind": "contacted"},
]  # fmt: skip
ROUTES = [
    {"when": {"any": "police_contact", "last": "3 months"}, "to": LEAD, "because": f"{WORDS} contact of late",
     "owner": "safeguarding lead"},
    {"when": {"any": "exclusion", "last": "12 months"}, "to": "school_nurse", "because": "excluded from school",
     "owner": "school nurse"},
]  # fmt: skip


def sections() -> dict[str, Any]:
    """What this study says in place of `tests.situations.county.STUDY`."""
    kinds = {"death": "death", "moving": "moving", "objection": "objection", "contacted": "contacted"}
    facts = STUDY["facts"] | {word: {"in": "events", "kind": kind} for word, kind in kinds.items()}
    facts |= {word: {"in": "secure", "kind": kind} for word, kind in
              {"police_contact": "police_contact", "grave": "grave", "weighed": "weighed"}.items()}  # fmt: skip
    dated = {"event_date": "happened_on", "known_date": "known_on", "kind": "kind"}
    features = [line for line in STUDY["features"] if line["name"] not in ("police_contacts", "age")] + [
        {"name": "police_contacts", "take": "count", "of": "police_contact", "last": "24 months",
         "words": f"{WORDS} contacts"},
        {"name": "weight", "take": "latest", "of": "weighed.value", "last": "ever", "missing": "keep",
         "words": f"{WORDS} weight"},
        {"name": "marker", "take": "attribute", "of": "markers.marker", "missing": "category", "words": WORDS},
    ]  # fmt: skip
    return {
        "study": NAME,
        "sources": STUDY["sources"] | {
            "secure": {"file": "secure.parquet", "entity": "child_id", **dated},
            "markers": {"file": "markers.parquet", "entity": "child_id"},
            "flags": {"file": "flags.parquet", "entity": "child_id"},
        },
        "facts": facts,
        "cohort": STUDY["cohort"]
        | {"as_of_dates": {"first": "2022-10-01", "last": "2025-10-01", "every": "6 months"}},
        "features": features,
        "split": {"test": {"last": 2}, "calibrate": "grouped", "why_grouped": "small"},
        "models": {
            "candidates": {"logistic": {"c": 0.1}, "lightgbm": {"trees": 60, "leaves": 7, "min_rows_in_leaf": 40}},
            "calibrator": "sigmoid", "choose_by": "brier_score",
        },
        "capacity": {"places": PLACES, "by": "people.team"},
        "list_unit": "household",
        "service_rules": RULES,
        "routes": ROUTES,
        "accepted": {"too_few_outcomes": "A made-up county, for tests alone."},
        "objections": {"file": "objections.csv", "entity": "child_id", "scope": "scope"},
    }  # fmt: skip


@dataclass(frozen=True)
class Planted:
    """Whom the tables name as what; ids."""

    died: frozenset[str]
    objected: frozenset[str]  # to being contacted
    restricted: frozenset[str]
    called_lately: frozenset[str]
    called_long_ago: frozenset[str]
    objected_to_scoring: frozenset[str]  # in the study's own file of objections


def write_data(folder: Path, people_count: int = 3_000) -> Planted:
    """The tables of the county, as its study reads them."""
    write_county(folder, make_county(people_count, 5, base_rate=0.25), entity="child_id")
    tables = {name: pl.read_parquet(folder / f"{name}.parquet") for name in ("people", "events", "equality")}
    named = (pl.lit(PERSON) + pl.col("child_id")).alias("child_id")
    tables = {name: frame.with_columns(named) for name, frame in tables.items()}
    people, events = tables["people"], tables["events"]
    ward = people["ward"].str.slice(1).cast(pl.Int64, strict=False)
    place = np.arange(people.height)
    flags = people.select("child_id", pl.Series("restricted", place % 23 == 0))
    people = people.with_columns(
        pl.when(ward <= 10).then(pl.lit("north")).when(ward <= 16).then(pl.lit("south")).when(ward <= 21).then(
            pl.lit("east")
        ).alias("team"),
    )  # fmt: skip
    ids = people["child_id"]

    def every(step: int, offset: int, kind: str, day: dt.date) -> pl.DataFrame:
        return pl.DataFrame({"child_id": ids.gather_every(step, offset), "kind": kind}).with_columns(
            pl.lit(day).alias("happened_on"), pl.lit(day).alias("known_on")
        )

    long_ago, lately = dt.date(2024, 1, 10), dt.date(2026, 6, 20)
    more = [
        every(29, 3, "death", long_ago), every(31, 4, "objection", long_ago), every(37, 5, "moving", long_ago),
        every(19, 6, "contacted", lately), every(17, 7, "contacted", dt.date(2026, 3, 1)),
    ]  # fmt: skip
    # What the restricted sources hold tells the most, so that it would stand among the reasons of nearly everybody.
    starts = (pl.col("kind") == "social_care_start") & (pl.col("happened_on") >= dt.date(2022, 10, 1))
    high = set(events.filter(starts)["child_id"])
    draw = np.random.default_rng(1)

    def told(half: int) -> list[bool]:
        """Who is at risk, as far as one source knows: half of them, and some who are not."""
        return [(one in high and n % 2 == half) or draw.random() < 0.05 for n, one in enumerate(ids)]

    police = events.filter(pl.col("kind") == "police_contact")
    weighed = every(1, 0, "weighed", long_ago.replace(year=2021)).with_columns(
        value=pl.Series(np.where(told(0), VALUE, 3.0))
    )
    grave = every(41, 8, "grave", dt.date(2026, 5, 1)).with_columns(value=pl.lit(VALUE))
    marker = [f"{RARE}{n}" if n % 97 == 0 else CATEGORY if is_high else "none" for n, is_high in
              enumerate(told(1))]  # fmt: skip
    pl.concat([events.filter(pl.col("kind") != "police_contact"), *more], how="diagonal_relaxed").write_parquet(
        folder / "events.parquet"
    )
    pl.concat([police, weighed, grave], how="diagonal_relaxed").write_parquet(folder / "secure.parquet")
    pl.DataFrame({"child_id": ids, "marker": marker}).write_parquet(folder / "markers.parquet")
    people.write_parquet(folder / "people.parquet")
    flags.write_parquet(folder / "flags.parquet")
    tables["equality"].write_parquet(folder / "equality.parquet")
    scoring, all_of_it, training = (ids.gather_every(43, offset) for offset in (9, 10, 11))
    objections = [(one, scope) for scope, some in
                  (("scoring", scoring), ("all", all_of_it), ("training", training)) for one in some]  # fmt: skip
    pl.DataFrame(objections, schema=["child_id", "scope"], orient="row").write_csv(folder / "objections.csv")
    return Planted(
        frozenset(more[0]["child_id"]), frozenset(more[1]["child_id"]), frozenset(ids.filter(flags["restricted"])),
        frozenset(more[3]["child_id"]), frozenset(more[4]["child_id"]), frozenset(scoring) | frozenset(all_of_it),
    )  # fmt: skip


def write_registered_study(folder: Path) -> None:
    """The study folder; its register has the restricted sources, shown to one role alone."""
    write_study(folder / "plain")
    register = parse_yaml((folder / "plain" / "register.yaml").read_bytes(), folder)
    found = register["sources"]
    found["people"]["columns"] |= {"team": "the team"}
    kept = {name: found["events"]["columns"][name] for name in ("child_id", "happened_on", "known_on", "kind", "value")}
    closed = {"sensitivity": "restricted", "may_show_to": [LEAD]}
    found["secure"] = found["events"] | closed | {"columns": kept}
    found["markers"] = found["people"] | closed | {"columns": {"child_id": "the child", "marker": "a marker"}}
    found["flags"] = found["people"] | {
        "may_show_to": [LEAD, TEAM], "columns": {"child_id": "the child", "restricted": "a restricted record"},
    }  # fmt: skip
    (folder / "study.yaml").write_text(json.dumps({**STUDY, **sections()}), encoding="utf-8")
    (folder / "register.yaml").write_text(json.dumps(register, default=str))
    for name in ("answers.yaml", "example_decision.yaml"):
        (folder / name).write_bytes((SHIPPED / name).read_bytes())


@dataclass(frozen=True)
class Served:
    """An approved model, and the data to score with it."""

    workspace: Workspace
    data: Path
    planted: Planted
    report: commands.RunReport

    def matrix(self, rows: int) -> pl.DataFrame:
        """Some people as a file of features brings them: with the rule that leaves each off, team and household."""
        frame = self.report.run.dataset.features.frame
        newest = frame.filter(pl.col("as_of_date") == frame["as_of_date"].max()).sort("entity_id").head(rows)
        place = pl.int_range(pl.len())
        return newest.drop("as_of_date").with_columns(
            pl.col(pl.Float64).round(3),
            pl.when(place % 7 == 0).then(pl.lit(RULES[0]["because"])).alias("excluded"),
            pl.when(place % 5 < 2).then(pl.lit("north")).when(place % 5 < 4).then(pl.lit("south")).alias("team"),
            (pl.lit("home ") + (place // 2).cast(pl.String)).alias("household"),
        )


def make_served(folder: Path) -> Served:
    """Run the study, and have an EXAMPLE committee approve it."""
    planted = write_data(folder / "data")
    write_registered_study(folder / "study")
    workspace = Workspace(folder / "work")
    found = commands.run(folder / "study", workspace, folder / "data", today=TODAY)
    decision = example_decision(folder / "study" / "example_decision.yaml", found, TODAY)
    commands.record_review(f"{NAME}/{found.version}", decision, workspace, TODAY)
    commands.promote(f"{NAME}/{found.version}", workspace, TODAY, by_role=decision["approved_by_role"])
    return Served(workspace, folder / "data", planted, found)


def canaries(text: str) -> set[str]:
    """What of the restricted sources stands in a text."""
    found = {word for word in (WORDS, CATEGORY, RARE) if word.lower() in text.lower()}
    return found | ({"value"} if re.search(r"9\W?1\W?8\W?2\W?7\W?3\W?6\W?4|9\.18\d*e\+?0?8", text) else set())


@dataclass(frozen=True)
class Called:
    """What a command ended in."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        return self.out + self.err

    @property
    def counts(self) -> dict[str, int]:
        """Of the lines that say what became of everybody: what is counted -> how many."""
        (whole,) = re.findall(r"^(\d+) people in = (\d+) scored \+ (\d+) rejected$", self.out, flags=re.MULTILINE)
        (listed,) = re.findall(r"^(\d+) scored = (\d+) listed for (\d+) places$", self.out, flags=re.MULTILINE)
        found = dict(zip(("rows_in", "scored", "rejected"), map(int, whole), strict=True))
        assert int(listed[0]) == found["scored"]
        return found | {"listed": int(listed[1]), "places": int(listed[2])}

    @property
    def left_off(self) -> dict[str, int]:
        return {why: int(n) for n, why in re.findall(r"^  \+ (\d+) (.+)$", self.out, flags=re.MULTILINE)}

    @property
    def rejected(self) -> dict[str, int]:
        return {code: int(n) for n, code in re.findall(r"^  rejected: (\d+) (\w+)$", self.out, flags=re.MULTILINE)}


def call(workspace: Workspace, *arguments: object, today: dt.date = TODAY) -> Called:
    """The command line, in this process."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = run([*map(str, arguments), "--workspace", str(workspace.root), "--today", today.isoformat()])
    return Called(code, out.getvalue(), err.getvalue())


def refused(called: Called, code: int, *words: str) -> None:
    """One line, this exit code, and the words in it."""
    assert called.code == code, called
    lines = [line for line in called.err.splitlines() if not re.match(r"\[ *[\d.]+ s\] ", line)]
    assert len(lines) == 1, called
    assert called.out == "", called
    assert lines[0].startswith("riskmodels: "), called
    for word in words:
        assert word in lines[0], called


def text_of(path: Path) -> str:
    """Everything that a file or folder holds, as text: tables decoded, workbooks unzipped."""
    if path.is_dir():
        return "\n".join(f"{one.name}\n{text_of(one)}" for one in sorted(path.rglob("*")) if one.is_file())
    if path.suffix == ".parquet":
        return pl.read_parquet(path).with_columns(pl.all().cast(pl.String)).write_csv() + path.read_bytes().decode(
            "latin-1"
        )
    if path.suffix == ".xlsx":
        with zipfile.ZipFile(path) as book:
            return html.unescape("\n".join(book.read(name).decode() for name in book.namelist()))
    return html.unescape(path.read_bytes().decode("utf-8", "replace"))


def list_of(path: Path) -> pl.DataFrame:
    """A scored list in any of its formats, as Polars reads it."""
    if path.suffix == ".parquet":
        return pl.read_parquet(path)
    if path.suffix == ".csv":
        return pl.read_csv(path, infer_schema_length=None, schema_overrides={"entity_id": pl.String})
    import openpyxl

    with path.open("rb") as file:
        names, *rows = openpyxl.load_workbook(file).worksheets[0].iter_rows(values_only=True)
    return pl.DataFrame(rows, schema=[str(name) for name in names], orient="row", infer_schema_length=None)
