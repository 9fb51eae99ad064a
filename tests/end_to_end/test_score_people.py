"""A study with every rule of a service and restricted sources, scored through the command line for three readers.

Whom a list must not name is taken from the tables themselves, not from the rules.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from riskmodels.governance import registry
from riskmodels.models.reasons import WITHHELD
from riskmodels.models.reasons.roles import RULE_WITHHELD
from riskmodels.study import load_study
from tests.end_to_end.served import (
    HIDDEN_RULE,
    LEAD,
    NAME,
    PERSON,
    PLACES,
    RARE,
    RULES,
    SCORED_ON,
    TEAM,
    WORDS,
    Called,
    Served,
    call,
    canaries,
    list_of,
    text_of,
)

# Role -> the list's file and what is explained: each role and each format at least once.
READERS = {None: ("list.csv", "all"), TEAM: ("list.xlsx", "selected"), LEAD: ("list.parquet", "all")}
NOT_REACHED = "not reached: the places went to people with a higher risk"
RECORDED = ("people.parquet", "batch.json")


@dataclass(frozen=True)
class Batch:
    folder: Path
    called: Called
    frame: pl.DataFrame

    @property
    def listed(self) -> pl.DataFrame:
        return self.frame.filter("listed")

    @property
    def rejects(self) -> pl.DataFrame:
        return pl.read_csv(self.folder / "list.rejects.csv")

    @property
    def batch_id(self) -> str:
        return str(self.frame["batch_id"][0])


@dataclass(frozen=True)
class Made:
    """``stored``: what the workspace holds since the batches that it did not hold before, as text."""

    county: Served
    by_role: dict[str | None, Batch]
    excluded: frozenset[str]  # named with --exclude
    stored: str


def stored_in(workspace: Path) -> Iterator[str]:
    """Every row of the store, and every file but those that hold people by design, as text."""
    with sqlite3.connect(f"file:{workspace / 'mlflow.db'}?mode=ro", uri=True) as store:
        yield from store.iterdump()
    for path in sorted([*(workspace / "mlartifacts").rglob("*"), *(workspace / "batches").rglob("*.json*")]):
        if path.is_file():
            yield from text_of(path).splitlines()


@pytest.fixture(scope="module")
def made(county: Served, tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("people")
    people = pl.read_parquet(county.data / "people.parquet")
    excluded = people["child_id"].gather_every(61, 12).rename("entity_id")
    excluded.to_frame().write_csv(folder / "objected.csv")
    equality = pl.read_parquet(county.data / "equality.parquet").unique("child_id")
    equality.select(pl.col("child_id").alias("entity_id"), "sex").write_csv(folder / "groups.csv")
    before = set(stored_in(county.workspace.root))
    by_role = {}
    for role, (name, explain) in READERS.items():
        where = folder / (role or "anybody")
        where.mkdir()
        called = call(
            county.workspace, "score", NAME, county.data, "--as-of", SCORED_ON, "--output", where / name,
            "--explain", explain, "--exclude", folder / "objected.csv", "--groups", folder / "groups.csv",
            *([] if role is None else ["--role", role]),
        )  # fmt: skip
        assert called.code == 0, called
        by_role[role] = Batch(where, called, list_of(where / name))
    stored = "\n".join(line for line in stored_in(county.workspace.root) if line not in before)
    return Made(county, by_role, frozenset(excluded), stored)


@pytest.fixture(params=list(READERS), ids=lambda role: role or "anybody")
def role(request: pytest.FixtureRequest) -> str | None:
    found: str | None = request.param
    return found


@pytest.fixture
def batch(made: Made, role: str | None) -> Batch:
    return made.by_role[role]


# ---------------------------------------------------------------- who is listed


def test_everybody_is_listed_or_left_off_for_one_reason(batch: Batch, role: str | None) -> None:
    counts, frame = batch.called.counts, batch.frame
    assert counts["rows_in"] == counts["scored"] + counts["rejected"]
    assert counts["scored"] == frame.height == counts["listed"] + sum(batch.called.left_off.values())
    assert counts["listed"] == frame["listed"].sum() == batch.listed["not_listed_because"].null_count()
    assert counts["rejected"] == batch.rejects.height == sum(batch.called.rejected.values())
    assert not set(frame["entity_id"]) & set(batch.rejects["entity_id"])
    assert frame["entity_id"].is_unique().all()
    assert frame["rank"].to_list() == list(range(1, frame.height + 1))
    told = dict(frame.filter(~pl.col("listed"))["not_listed_because"].value_counts().iter_rows())
    said = {NOT_REACHED if why == "not reached" else why: n for why, n in batch.called.left_off.items() if n}
    assert told == said


def test_every_rule_leaves_somebody_off(made: Made) -> None:
    assert all(made.by_role[LEAD].called.left_off[rule["because"]] for rule in RULES)


def test_the_three_lists_are_of_the_same_people(made: Made) -> None:
    lists = [batch.listed["entity_id"].to_list() for batch in made.by_role.values()]
    assert lists[0] == lists[1] == lists[2]
    assert len({batch.batch_id for batch in made.by_role.values()}) == 2  # what is explained is a part of it


def test_who_objected_to_scoring_is_nowhere_but_among_the_rejects(made: Made, batch: Batch) -> None:
    objectors = made.county.planted.objected_to_scoring | made.excluded
    assert set(batch.rejects.filter(pl.col("code") == "objected")["entity_id"]) == objectors & (
        set(batch.frame["entity_id"]) | set(batch.rejects["entity_id"])
    )
    assert batch.rejects.height > 40
    for path in batch.folder.rglob("*"):
        if path.is_file() and path.name != "list.rejects.csv":
            text = text_of(path)
            assert not any(one in text for one in objectors), path.name
    record = made.county.workspace.batch(NAME, batch.batch_id) / RECORDED[0]
    assert not set(pl.read_parquet(record)["entity_id"]) & objectors


def test_nobody_whom_the_service_must_leave_alone_is_listed_nor_whom_they_live_with(made: Made, batch: Batch) -> None:
    planted = made.county.planted
    homes = dict(pl.read_parquet(made.county.data / "people.parquet").select("child_id", "household_id").iter_rows())
    alone = planted.died | planted.objected | planted.restricted | planted.called_lately
    closed = {homes[one] for one in batch.frame["entity_id"] if one in alone}
    assert len(closed) > 60
    assert not closed & {homes[one] for one in batch.listed["entity_id"]}
    # The cooling-off ends.
    assert set(batch.listed["entity_id"]) & planted.called_long_ago


def test_no_household_has_two_places_and_no_team_too_many(made: Made, batch: Batch) -> None:
    people = pl.read_parquet(made.county.data / "people.parquet").rename({"child_id": "entity_id"})
    listed = batch.listed.join(people.select("entity_id", "household_id", of="team"), on="entity_id")
    assert listed["household_id"].is_unique().all()
    assert listed["team"].to_list() == listed["of"].to_list()
    filled = dict(listed["team"].value_counts().iter_rows())
    assert all(count <= PLACES[team] for team, count in filled.items())
    assert sum(filled.values()) == batch.called.counts["listed"] > 40
    for team in PLACES:
        (sheet,) = batch.folder.rglob(f"decisions-{team}.xlsx")
        text = text_of(sheet)
        on_it = {one for one in batch.frame["entity_id"] if one in text}
        assert on_it == set(batch.listed.filter(pl.col("team") == team)["entity_id"])


def test_routes_reach_their_roles_and_name_no_one_who_died_or_objected(made: Made, batch: Batch) -> None:
    planted = made.county.planted
    for to in (LEAD, "school_nurse"):
        rows = pl.read_csv(batch.folder / f"list.for-{to}.csv")
        assert rows.height > 20
        assert not set(rows["entity_id"]) & (planted.died | planted.objected | planted.objected_to_scoring)
        # Whom the list leaves off is still somebody to keep safe.
        assert set(rows["entity_id"]) - set(batch.listed["entity_id"])
    assert WORDS in text_of(batch.folder / f"list.for-{LEAD}.csv")
    assert canaries(text_of(batch.folder / "list.for-school_nurse.csv")) == set()


# ---------------------------------------------------------------- who may read what


@pytest.mark.parametrize("reader", [None, TEAM])
def test_nothing_of_a_restricted_source_is_in_what_others_read(made: Made, reader: str | None) -> None:
    folder = made.by_role[reader].folder
    paths = [path for path in folder.rglob("*") if path.is_file() and path.name != f"list.for-{LEAD}.csv"]
    assert {"list.report.html", "list.columns.csv", "list.for-school_nurse.csv", "decisions-north.xlsx"} <= {
        path.name for path in paths
    }
    for path in paths:
        assert canaries(text_of(path)) == set(), path.name
    assert WITHHELD in text_of(folder / READERS[reader][0])


def test_the_role_that_may_reads_it(made: Made) -> None:
    batch = made.by_role[LEAD]
    assert batch.called.left_off[HIDDEN_RULE] == (batch.frame["not_listed_because"] == HIDDEN_RULE).sum() > 0
    for path in (batch.folder / "list.parquet", *batch.folder.rglob("decisions-north.xlsx")):
        # One of a kind is no category of the model, so that no reason names it.
        assert canaries(text_of(path)) == canaries(f"{WORDS} Stieglitz 918273645")
    # To the team only that rule is hidden; to somebody without a role that of restricted records is too.
    for reader, rules in ((TEAM, {HIDDEN_RULE}), (None, {HIDDEN_RULE, "restricted record"})):
        other = made.by_role[reader].frame
        assert (
            other["entity_id"].filter(other["not_listed_because"] == RULE_WITHHELD).to_list()
            == batch.frame["entity_id"].filter(batch.frame["not_listed_because"].is_in(list(rules))).to_list()
        )


def test_sheets_made_for_one_role_are_not_left_for_another(made: Made, tmp_path: Path) -> None:
    """The same batch in the same place, read by the lead first and by the team then."""
    county = made.county
    for reader in (LEAD, TEAM):
        called = call(
            county.workspace, "score", NAME, county.data, "--as-of", SCORED_ON, "--output", tmp_path / "list.csv",
            "--role", reader,
        )  # fmt: skip
        assert called.code == 0
        (sheets,) = [line.split(maxsplit=1)[1] for line in called.out.splitlines() if line.startswith("Decisions:")]
        assert bool(canaries(text_of(Path(sheets)))) == (reader == LEAD)


def test_no_store_ledger_or_log_holds_a_person_or_a_restricted_value(made: Made) -> None:
    assert made.by_role[None].batch_id in made.stored
    assert PERSON not in made.stored
    assert canaries(made.stored) == set()
    for batch in made.by_role.values():
        assert PERSON not in batch.called.said
        if batch is not made.by_role[LEAD]:
            assert canaries(batch.called.said) == set()
        for name in ("list.report.html", "list.columns.csv"):
            assert PERSON not in text_of(batch.folder / name)
    kept = [path.read_text() for path in (made.county.workspace.root / "runs" / NAME).rglob("riskmodel/*.json")]
    assert kept
    assert not any(RARE in text for text in kept)


# ---------------------------------------------------------------- answering a person


def someone(made: Made, kind: str) -> str:
    frame = made.by_role[LEAD].frame
    because = {"listed": None, "excluded": "already has early help", "restricted record": "restricted record",
               "hidden": HIDDEN_RULE}[kind]  # fmt: skip
    rows = frame.filter(pl.col("not_listed_because").eq_missing(pl.lit(because, dtype=pl.String)))
    return str(rows["entity_id"][0])


@pytest.mark.parametrize("kind", ["listed", "excluded", "restricted record", "hidden"])
def test_trace_and_letter(made: Made, kind: str) -> None:
    one, batch = someone(made, kind), made.by_role[LEAD].batch_id
    traced = call(made.county.workspace, "trace", one, "--batch", batch)
    assert traced.code == 0
    assert "in 1 of 1 batches searched" in traced.out
    assert one not in traced.said
    assert ("listed   yes" if kind == "listed" else "listed   no: ") in traced.out
    # As with the list: without a role, what the register keeps for some is withheld.
    assert canaries(traced.said) == set()
    assert (f"no: {RULE_WITHHELD}" in traced.out) == (kind in ("hidden", "restricted record"))
    as_lead = call(made.county.workspace, "trace", one, "--batch", batch, "--role", LEAD)
    assert (f"no: {HIDDEN_RULE}" in as_lead.out) == (kind == "hidden")
    assert RULE_WITHHELD not in as_lead.out
    misspelt = call(made.county.workspace, "trace", one, "--batch", batch, "--role", "safeguarding_leed")
    assert (misspelt.code, misspelt.out) == (2, "")
    assert LEAD in misspelt.err
    letter = call(made.county.workspace, "letter", one, "--batch", batch)
    assert letter.code == 0
    assert canaries(letter.said) == set()
    others = set(made.by_role[LEAD].frame["entity_id"]) - {one}
    assert not any(other in letter.said for other in others)


def test_who_died_is_answered_for_in_person(made: Made) -> None:
    frame = made.by_role[LEAD].frame.filter(pl.col("not_listed_because") == "has died")
    answer = call(made.county.workspace, "letter", frame["entity_id"][0], "--batch", made.by_role[LEAD].batch_id)
    assert (answer.code, answer.out) == (4, "")
    assert "has died; please answer in person" in answer.err
    assert frame["entity_id"][0] not in answer.err


def test_a_letter_names_no_source_that_is_kept_from_the_person(made: Made) -> None:
    letter = call(made.county.workspace, "letter", someone(made, "listed"), "--batch", made.by_role[LEAD].batch_id)
    said = " ".join(letter.out.split())
    folder = registry.resolve(made.county.workspace, NAME).folder
    register = load_study(folder / "study").register.sources
    kept = {name for name, entry in register.items() if entry.may_show_to is not None}
    assert kept
    for name, entry in register.items():
        if name in kept:
            assert entry.words not in said
    assert "We also used other records that we may not name in a letter." in said


def test_who_objected_to_scoring_has_no_letter(made: Made) -> None:
    one = made.by_role[LEAD].rejects["entity_id"][0]
    answer = call(made.county.workspace, "letter", one, "--batch", made.by_role[LEAD].batch_id)
    assert answer.code == 4
    assert one not in answer.said
    assert "nobody of this id stands in the record" in answer.err
