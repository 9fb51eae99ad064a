"""The profile's counts, by hand and by slow oracles."""

from __future__ import annotations

import datetime as dt
import json
import math
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from riskmodels.data.cohort import Cohort
from riskmodels.data.engines import Engine
from riskmodels.data.features import Features, build_features
from riskmodels.data.groups import build_groups
from riskmodels.data.linkage import how_linked
from riskmodels.data.outcomes import build_outcomes
from riskmodels.data.profile import Profile, build_profile, column_missing
from riskmodels.data.recording import MOST_KINDS, facts_by_month, recording_lag
from riskmodels.data.tables import MOST_KINDS_SHOWN, Table, Tables
from riskmodels.storage import canonical_json
from riskmodels.study import Register, StudyFile
from tests.data.small_study import AS_OF, on_dates, study_file

EARLIER = dt.date(2020, 1, 1)
EXTRACTED_ON = dt.date(2020, 12, 31)
ENTRY = {
    "words": "w", "owner": "o", "collected_for": "c", "how": "h", "about": "person", "lawful_basis": "l",
    "retention": "r", "extracted_on": EXTRACTED_ON, "seen_by": ["the team"], "columns": {"score": "a score"},
    "dpia": {"reference": "D1", "date": dt.date(2020, 1, 1)},
}  # fmt: skip


def study(**sections: Any) -> StudyFile:
    given: dict[str, Any] = {
        "sources": {
            "people": {"file": "people.csv", "entity": "id"},
            "records": {
                "file": "records.csv", "entity": "id", "event_date": "on", "known_date": "known", "kind": "kind",
                "link": {"flag": "people.linked"},
            },
            "equality": {"file": "equality.csv", "entity": "id", "known_date": "known", "use": "audit"},
        },
        "facts": {"visit": {"in": "records", "kind": "visit"}},
        "outcome": {
            "name": "visited", "words": "is visited", "measures": "need", "happens": {"any": "visit"},
            "known": {"any": "visit"}, "horizon": "1 month", "lag": "1 month",
        },
        "features": [
            {"name": "score_now", "take": "latest", "of": "visit.score", "words": "score"},
            {"name": "sex", "take": "count", "of": "visit", "words": "visits", "seen_by": "visitors"},
        ],
        "protected": {"sex": {"column": "equality.sex", "law": "sex", "reference": "m"}},
        "breaks": [{"date": dt.date(2020, 3, 1), "what": "a new system", "affects": ["visit"]}],
        **on_dates(EARLIER, AS_OF),
    }  # fmt: skip
    return study_file(**{**given, **sections})


def records(*rows: tuple[str, str, str, str, float | None]) -> pl.DataFrame:
    columns = ("entity_id", "event_date", "known_date", "kind", "score")
    frame = pl.DataFrame(rows, schema=dict.fromkeys(columns[:4], pl.String) | {"score": pl.Float64}, orient="row")
    return frame.with_columns(pl.col("event_date", "known_date").str.to_date())


RECORDS = records(
    ("a", "2019-05-01", "2019-05-11", "visit", 3.0),
    ("a", "2020-02-01", "2020-02-02", "call", None),
    ("b", "2020-02-10", "2020-03-01", "visit", None),
    ("c", "2020-07-10", "2020-07-12", "visit", 1.0),
    ("c", "2020-07-20", "2020-07-20", "visit", 1.0),
)
SINCE = [dt.date(1, 1, 1), dt.date(2020, 2, 1), AS_OF - dt.timedelta(1), AS_OF]
COVERED = pl.DataFrame({"entity_id": list("abcd"), "from_date": SINCE})
SEXES = pl.DataFrame(
    {
        "entity_id": ["a", "b", "b", "c"],
        "known_date": [EARLIER, dt.date(2019, 1, 1), dt.date(2020, 2, 1), dt.date(2019, 1, 1)],
        "sex": ["f", "f", "m", "m"],
    }
)
UNDATED = records(("d", "2020-02-01", "2020-02-01", "visit", None)).with_columns(
    pl.lit(None, pl.Date).alias("known_date")
)


def tables(file: StudyFile, **frames: Any) -> Tables:
    held = {"people": pl.DataFrame({"entity_id": list("abcd")}), "records": RECORDS, "equality": SEXES, **frames}
    more = {"records": {"undated": UNDATED, "covered": COVERED}}
    return Tables(
        {name: Table(name, file.sources[name], held[name], **more.get(name, {})) for name in file.sources},
        ({"source": "records", "rows": 5, "entities": 3, "missing": {"score": 0.4}},),
    )


def cohort_of(who: str = "abcd") -> Cohort:
    rows = [{"entity_id": i, "as_of_date": day, "cluster_id": i} for day in (EARLIER, AS_OF) for i in who]
    attrition = [{"as_of_date": AS_OF, "step": "in the extract", "dropped": 0, "remaining": 4}]
    return Cohort(pl.DataFrame(rows), pl.DataFrame(attrition))


@pytest.fixture(scope="module")
def profile() -> Profile:
    file, cohort = study(), cohort_of()
    held = tables(file)
    return build_profile(
        held,
        cohort,
        build_outcomes(cohort, held, file, EXTRACTED_ON),
        build_features(cohort, held, file),
        build_groups(cohort.rows, held, file),
        file,
        Register.model_validate({"purpose": "p", "sources": dict.fromkeys(file.sources, ENTRY)}),
    )


def test_it_is_plain_and_the_same_twice(profile: Profile) -> None:
    plain = json.loads(canonical_json(profile.to_dict()))
    assert plain == profile.to_dict()
    assert plain["register"][0]["dpia"] == {"reference": "D1", "date": "2020-01-01"}
    assert plain["breaks"] == [{"date": "2020-03-01", "what": "a new system", "sources": ["records"]}]
    assert {row["use"] for row in plain["register"]} == {"model", "audit"}
    assert all("columns" not in row for row in plain["register"])


# ---------------------------------------------------------------- missing


def test_missing_of_each_feature_overall_and_on_each_date(profile: Profile) -> None:
    found = {(row["feature"], row["as_of_date"]): (row["missing"], row["n"]) for row in profile.feature_missing}
    # Scores: a's from 2019 on. Where the source does not speak of somebody yet, even the count is not known.
    assert found["score_now", None] == (6, 8)
    assert found["score_now", EARLIER] == (3, 4)
    assert found["score_now", AS_OF] == (3, 4)
    everything = found["sex", None]
    assert everything == (sum(found["sex", day][0] for day in (EARLIER, AS_OF)), 8)


def test_missing_by_group_is_of_the_latest_date_and_adds_up_to_it(profile: Profile) -> None:
    rows = [row for row in profile.feature_missing_by_group if row["feature"] == "score_now"]
    # On the later date: a is f, b has become m, c is m, nothing is known of d; a alone has a score.
    assert [(row["group"], row["n"], row["missing"], row["reference"]) for row in rows] == [
        ("f", 1, 0, False), ("m", 2, 2, True), ("Not recorded", 1, 1, False),
    ]  # fmt: skip
    assert {row["as_of_date"] for row in rows} == {AS_OF}
    (overall,) = (row for row in profile.feature_missing if (row["feature"], row["as_of_date"]) == ("score_now", AS_OF))
    assert (sum(row["n"] for row in rows), sum(row["missing"] for row in rows)) == (overall["n"], overall["missing"])


def test_a_feature_may_be_called_as_a_characteristic(profile: Profile) -> None:
    rows = [row for row in profile.feature_missing_by_group if row["feature"] == "sex"]
    assert [row["group"] for row in rows] == ["f", "m", "Not recorded"]


def test_missing_of_each_column_of_a_source(profile: Profile) -> None:
    found = {(row["source"], row["column"]): (row["missing"], row["n"]) for row in profile.column_missing}
    assert found == {("records", "score"): (2, 5), ("equality", "sex"): (0, 4)}


# ---------------------------------------------------------------- time


def test_facts_by_month_and_people(profile: Profile) -> None:
    found = {(row["kind"], row["month"]): (row["facts"], row["people"]) for row in profile.facts_by_month}
    assert found == {
        ("visit", "2019-05"): (1, 1), ("call", "2020-02"): (1, 1), ("visit", "2020-02"): (1, 1),
        ("visit", "2020-07"): (2, 1),
    }  # fmt: skip


def test_recording_lag_overall_and_by_quarter(profile: Profile) -> None:
    found = {row["quarter"]: (row["n"], row["median"], row["most"]) for row in profile.recording_lag}
    # lags in order: 0, 1, 2, 10, 20 days
    assert found == {None: (5, 2, 20), "2019 Q2": (1, 10, 10), "2020 Q1": (2, 1, 20), "2020 Q3": (2, 0, 2)}
    assert [row["undated"] for row in profile.recording_lag] == [1, None, None, None]


def test_percentiles_are_nearest_ranks_as_an_oracle_has_them() -> None:
    lags = [(7 * k * k) % 97 for k in range(1, 60)]
    start = dt.date(2020, 1, 1)
    frame = pl.DataFrame(
        {"entity_id": [str(k) for k in range(59)], "event_date": [start] * 59,
         "known_date": [start + dt.timedelta(lag) for lag in lags], "kind": ["visit"] * 59}
    )  # fmt: skip
    table = Table("records", study().sources["records"], frame)
    overall = next(iter(recording_lag(table, list(facts_by_month(table)))))
    assert overall["median"] == sorted(lags)[math.ceil(59 * 0.5) - 1]
    assert overall["most"] == sorted(lags)[math.ceil(59 * 0.95) - 1]
    assert overall["people"] == 59


def test_without_a_knowledge_date_the_lag_is_unknown_not_nought() -> None:
    source = study().sources["records"].model_copy(update={"known_date": None})
    table = Table("records", source, RECORDS.with_columns(pl.col("event_date").alias("known_date")))
    rows = list(recording_lag(table, list(facts_by_month(table))))
    assert [(row["quarter"], row["median"], row["most"]) for row in rows] == [(None, None, None)]


@pytest.mark.parametrize(("kinds", "named"), [(MOST_KINDS + 2, MOST_KINDS), (MOST_KINDS_SHOWN + 1, 0)])
def test_rare_kinds_are_one_and_very_many_are_not_named(kinds: int, named: int) -> None:
    rows = [("a", "2020-01-05", "2020-01-06", f"kind{k:02d}", None) for k in range(kinds) for _ in range(kinds - k)]
    table = Table("records", study().sources["records"], records(*rows))
    found = list(facts_by_month(table))
    assert len({row["kind"] for row in found} - {"other kinds"}) == named
    assert sum(row["facts"] for row in found) == len(rows)


# ---------------------------------------------------------------- links


def test_linkage_of_people_as_they_last_stood(profile: Profile) -> None:
    found = {row["group"]: (row["covered"], row["n"]) for row in profile.linkage}
    # On AS_OF a and b are covered, and c since the day before; d is only from that day on.
    assert found == {None: (3, 4), "f": (1, 1), "m": (2, 2), "Not recorded": (0, 1)}
    assert [row["group"] for row in profile.linkage if row["reference"]] == ["m"]
    assert {row["how"] for row in profile.linkage} == {"matched where people.linked says so"}


def test_linkage_on_each_date(profile: Profile) -> None:
    found = {row["as_of_date"]: (row["covered"], row["n"]) for row in profile.linkage_by_date}
    assert found == {EARLIER: (1, 4), AS_OF: (3, 4)}


def test_how_a_source_was_linked() -> None:
    source = study().sources["records"]
    through = {"through": "matches", "id": "their_id", "status": "status", "accept": ["sure", "likely"],
               "confidence": "share", "at_least": 0.9}  # fmt: skip
    made = study_file(
        sources={
            "people": {"file": "p.csv", "entity": "id"},
            "matches": {"file": "m.csv", "entity": "id"},
            "records": {**source.model_dump(exclude_none=True, exclude={"link"}), "link": through},
        }
    )
    said = "matched through matches (status: sure or likely; share: 0.9 or more)"
    assert how_linked(made.sources["records"]) == said
    assert how_linked(made.sources["records"].model_copy(update={"consented": True})) == f"{said}, with consent"


# ---------------------------------------------------------------- outcomes and features


def test_outcomes_of_each_group_leave_out_those_it_is_too_early_for(profile: Profile) -> None:
    found = {row["group"]: (row["unobserved"], row["n"]) for row in profile.outcome_by_group}
    # c was visited after AS_OF; of the others nothing says whether they were.
    assert found == {"f": (1, 1), "m": (1, 2), "Not recorded": (1, 1)}
    file, cohort = study(), cohort_of()
    held = tables(file)
    early = build_outcomes(cohort, held, file, dt.date(2020, 4, 1))  # by then the later date is immature
    made = build_profile(
        held, cohort, early, build_features(cohort, held, file), build_groups(cohort.rows, held, file), file,
        Register.model_validate({"purpose": "p", "sources": dict.fromkeys(file.sources, ENTRY)}),
    )  # fmt: skip
    # As of EARLIER nothing was known of a yet, and b was f.
    assert {row["group"]: row["n"] for row in made.outcome_by_group} == {"f": 1, "m": 1, "Not recorded": 2}
    assert {row["as_of_date"] for row in made.outcome_by_group} == {EARLIER}


def test_outcomes_of_the_groups_add_up_to_those_of_their_date() -> None:
    """Who has left by then is not in it, although their last row has no outcome."""
    file, held = study(), tables(study())
    both = cohort_of("ab")
    left = pl.DataFrame([{"entity_id": who, "as_of_date": EARLIER, "cluster_id": who} for who in "cd"])
    cohort = Cohort(pl.concat([left, both.rows]).sort("as_of_date", maintain_order=True), both.attrition)
    outcomes = build_outcomes(cohort, held, file, EXTRACTED_ON)
    made = build_profile(
        held, cohort, outcomes, build_features(cohort, held, file), build_groups(cohort.rows, held, file), file,
        Register.model_validate({"purpose": "p", "sources": dict.fromkeys(file.sources, ENTRY)}),
    )  # fmt: skip
    (whole,) = (row for row in made.outcome_status if row["as_of_date"] == AS_OF)
    assert {row["as_of_date"] for row in made.outcome_by_group} == {AS_OF}
    assert sum(row["n"] for row in made.outcome_by_group) == whole["known"] + whole["unobserved"] == 2
    assert sum(row["unobserved"] for row in made.outcome_by_group) == whole["unobserved"]


def test_where_every_date_is_too_early_no_group_is_compared() -> None:
    file, cohort = study(), cohort_of()
    held = tables(file)
    early = build_outcomes(cohort, held, file, EARLIER + dt.timedelta(1))
    made = build_profile(
        held, cohort, early, build_features(cohort, held, file), build_groups(cohort.rows, held, file), file,
        Register.model_validate({"purpose": "p", "sources": dict.fromkeys(file.sources, ENTRY)}),
    )  # fmt: skip
    assert made.outcome_by_group == ()


def test_whether_there_is_enough(profile: Profile) -> None:
    assert profile.enough == {"rows": 1, "events": 1, "people": 1, "columns": 2, "floor": 10}


def test_each_feature_says_whom_it_is_about_and_who_sees_it(profile: Profile) -> None:
    assert [(row["feature"], row["source"], row["about"], row["seen_by"]) for row in profile.features] == [
        ("score_now", "records", "person", ["the team"]), ("sex", "records", "person", ["visitors"]),
    ]  # fmt: skip


def test_without_groups_nothing_is_said_of_groups() -> None:
    file, cohort = study(), cohort_of()
    held = tables(file)
    features = Features(cohort.rows.select("entity_id", "as_of_date", pl.lit(1.0).alias("one")), ())
    made = build_profile(
        held, cohort, build_outcomes(cohort, held, file, EXTRACTED_ON), features, None, file,
        Register.model_validate({"purpose": "p", "sources": dict.fromkeys(file.sources, ENTRY)}),
    )  # fmt: skip
    assert made.feature_missing_by_group == ()
    assert made.outcome_by_group == ()
    assert [row["group"] for row in made.linkage] == [None]


# ---------------------------------------------------------------- engines


@pytest.mark.parametrize("name", ["duckdb", pytest.param("spark", marks=pytest.mark.slow)])
def test_every_engine_counts_alike(name: str, tmp_path: Path) -> None:
    RECORDS.write_parquet(tmp_path / "records.parquet")
    source = study().sources["records"]
    held = Table("records", source, RECORDS)
    other = Table("records", source, None, path=tmp_path / "records.parquet", engine=Engine(name, folder=tmp_path))

    def counted(table: Table) -> list[Any]:
        months = list(facts_by_month(table))
        return [months, list(recording_lag(table, months)), list(column_missing(table))]

    assert counted(other) == counted(held)
