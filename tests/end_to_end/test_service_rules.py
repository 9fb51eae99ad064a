"""The study of docs/service-rules.md, run whole on a made-up county where all whom it must not list are known."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections import Counter
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from riskmodels.data.synthetic import make_county, write_county
from riskmodels.models.places import EXCLUDED, HOUSEHOLD, HOUSEHOLD_CLOSED, LISTED, NO_TEAM, NOT_REACHED
from riskmodels.pipeline import StudyRun, as_served, run_study
from riskmodels.storage import parse_yaml
from riskmodels.study import load_study
from tests.conftest import ROOT
from tests.situations.county import STUDY, write_study

PAGE = ROOT / "docs" / "service-rules.md"
CLOSING = ("has died", "objected to being contacted", "restricted record", "reviewed last month")


def shown_study() -> dict[str, object]:
    """The sections that the page shows."""
    (text,) = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
    found = parse_yaml(text.encode(), PAGE)
    assert isinstance(found, dict)
    return found


def made(folder: Path) -> None:
    """A county with a team for most children, restricted records, and children known to have died or objected."""
    county = make_county(3_000, 1)
    write_county(folder, county, entity="child_id")
    people = pl.read_parquet(folder / "people.parquet")
    ward = people["ward"].str.slice(1).cast(pl.Int64, strict=False)
    people = people.with_columns(
        pl.Series("restricted", np.arange(people.height) % 23 == 0),
        pl.when(ward <= 10).then(pl.lit("north")).when(ward <= 16).then(pl.lit("south")).when(ward <= 21).then(
            pl.lit("east")
        ).alias("team"),
    )  # fmt: skip
    people.write_parquet(folder / "people.parquet")
    events = pl.read_parquet(folder / "events.parquet")
    before = dt.date(2024, 1, 1)
    more = [
        pl.DataFrame({"child_id": people["child_id"].gather_every(step, offset=3), "kind": kind})
        for step, kind in ((29, "death"), (31, "objection"))
    ]
    dated = pl.concat(more).with_columns(pl.lit(before).alias("happened_on"), pl.lit(before).alias("known_on"))
    pl.concat([events, dated], how="diagonal_relaxed").write_parquet(folder / "events.parquet")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> StudyRun:
    folder = tmp_path_factory.mktemp("service_rules")
    made(folder / "data")
    facts = STUDY["facts"] | {word: {"in": "events", "kind": word} for word in ("death", "objection")}
    write_study(folder / "plain")
    register = parse_yaml((folder / "plain" / "register.yaml").read_bytes(), PAGE)
    register["sources"]["people"]["columns"] |= {"restricted": "a restricted record", "team": "the team"}
    where = folder / "study"
    where.mkdir()
    (where / "study.yaml").write_text(json.dumps({**STUDY, "facts": facts, **shown_study()}))
    (where / "register.yaml").write_text(json.dumps(register, default=str))
    (where / "answers.yaml").write_bytes((folder / "plain" / "answers.yaml").read_bytes())
    return run_study(load_study(where), folder / "data")


@pytest.fixture(scope="module")
def served(run: StudyRun) -> pl.DataFrame:
    found = as_served(run.ranking, run.prepared)
    assert found is not None
    return found.with_columns(run.ranking.frame["rank"], run.ranking.frame["cluster_id"], run.ranking.frame["outcome"])


def test_everybody_is_counted_once(run: StudyRun, served: pl.DataFrame) -> None:
    after = run.detail.after_rules
    assert after is not None
    assert sum(row["n"] for row in after.fates) == after.ranked == run.ranking.frame.height
    found = Counter(served["fate"])
    assert set(found) == {LISTED, EXCLUDED, HOUSEHOLD, NOT_REACHED, NO_TEAM, HOUSEHOLD_CLOSED}
    named = {row["fate"]: row["n"] for row in after.fates if row["fate"] != "excluded"}
    assert (named["listed"], named["household"], named["no_team"]) == (found[LISTED], found[HOUSEHOLD], found[NO_TEAM])
    rules = {row["rule"]: row["n"] for row in after.fates if row["fate"] == "excluded"}
    assert sum(rules.values()) == found[EXCLUDED]
    assert all(rules.values())


def test_nobody_who_died_objected_or_is_restricted_is_listed_nor_anybody_they_live_with(
    run: StudyRun, served: pl.DataFrame
) -> None:
    """Held against the tables themselves, not against the rules."""
    people, events = (run.tables[name].frame for name in ("people", "events"))
    alone = set(people.filter(pl.col("restricted") == 1)["entity_id"])
    alone |= set(events.filter(pl.col("kind").is_in(["death", "objection"]))["entity_id"])
    assert len(alone) > 200
    in_cohort = served.filter(pl.col("entity_id").is_in(alone))
    # Whoever is not in the cohort counts, too.
    outside = people.filter(pl.col("entity_id").is_in(alone - set(in_cohort["entity_id"])))
    assert outside.height > 100
    homes = set(people.filter(pl.col("entity_id").is_in(alone))["household_id"].drop_nulls())
    listed = served.filter(pl.col("fate") == LISTED)
    assert listed.height > 100
    assert not homes & set(listed["cluster_id"])
    assert set(in_cohort["fate"]) <= {EXCLUDED}


def test_one_place_for_a_household_and_no_team_over_its_places(served: pl.DataFrame) -> None:
    listed = served.filter(pl.col("fate") == LISTED)
    assert not listed.select("as_of_date", "cluster_id").is_duplicated().any()
    filled = listed.group_by("as_of_date", "team").len()
    assert all(count <= {"north": 40, "south": 30, "east": 30}[team] for _, team, count in filled.rows())
    assert served.filter(pl.col("team").is_null() & pl.col("fate").is_in([LISTED, NOT_REACHED])).is_empty()


def test_the_rules_are_applied_in_rank_order(run: StudyRun, served: pl.DataFrame) -> None:
    """Whoever was not reached stands below everybody listed of the same team."""
    for _, team in served.group_by("as_of_date", "team"):
        last = team.filter(pl.col("fate") == LISTED)["rank"].max()
        below = team.filter(pl.col("fate") == NOT_REACHED)["rank"].min()
        assert last is None or below is None or last < below


def test_performance_and_audit_are_of_that_list(run: StudyRun, served: pl.DataFrame) -> None:
    listed = served.filter((pl.col("fate") == LISTED) & pl.col("outcome").is_not_null())
    after = run.detail.after_rules
    assert after is not None
    assert after.service_list["hits"] == listed["outcome"].sum()
    assert after.service_list["precision"].value == pytest.approx(listed["outcome"].mean())
    assert after.model_list == {key: run.performance.at_capacity[key] for key in after.model_list}
    audited = run.audit.to_dict()["after_exclusions"]
    counts = [row for row in audited["counts"] if row["attribute"] == "sex"]
    assert sum(row["selected"] for row in counts) == after.service_list["selected"]
    assert sum(row["tp"] for row in counts) == after.service_list["hits"]
    out = sum(row["excluded"] for row in audited["excluded"] if row["attribute"] == "sex")
    assert out == sum(served["fate"].is_in([EXCLUDED, HOUSEHOLD_CLOSED]))


def test_the_card_says_so(run: StudyRun) -> None:
    parts = {part.id: part for part in run.card.performance.closer}
    part = parts["after_rules"]
    assert "gives each team its own places and gives a household one place" in part.words[0]
    said = [str(row[0]) for row in part.tables["fates"].rows]
    assert [line for line in said if line.startswith("Left off: ")][:5] == [
        f"Left off: {rule['because']}" for rule in shown_study()["service_rules"]  # type: ignore[attr-defined]
    ]  # fmt: skip
    assert [row[:2] for row in part.tables["teams"].rows] == [("north", 120), ("south", 90), ("east", 90)]
    assert "after_exclusions" in {part.id for part in run.card.audit.closer}
    assert next(check for check in run.checks if check.check == "empty_teams").result == "pass"


def test_kinds_that_close_a_household_are_those_the_page_names() -> None:
    from riskmodels.data.service_rules import CLOSE_THE_HOUSEHOLD

    kinds = {rule["because"]: rule["kind"] for rule in shown_study()["service_rules"]}  # type: ignore[attr-defined]
    assert {kinds[because] for because in CLOSING} == set(CLOSE_THE_HOUSEHOLD)
    row = next(line for line in PAGE.read_text().splitlines() if "the whole household is left alone" in line)
    assert all(f"`{kind}`" in row for kind in CLOSE_THE_HOUSEHOLD)
