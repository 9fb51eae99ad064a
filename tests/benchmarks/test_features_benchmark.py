"""The pieces of the features benchmark on a few people: the peers must be right before they may be slow."""

from __future__ import annotations

import datetime as dt
import importlib.util
import json
import math
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from benchmarks import features, features_pandas, features_polars, question, run_all, workload
from benchmarks.measure import Cost, Row, compared, run
from riskmodels.study import load_study

DATES = (dt.date(2022, 4, 1), dt.date(2023, 7, 1))
WINDOWS = ("3 months", "2 years", "ever")
PEOPLE = 40


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data as CSV and Parquet, and a study that asks for either."""
    folder = tmp_path_factory.mktemp("bench")
    people, need = workload.make_people(PEOPLE)
    events = workload.make_events(people, need, 12.0)
    (folder / "data").mkdir()
    people.write_csv(folder / "data" / "people.csv")
    events.write_csv(folder / "data" / "events.csv")
    people.write_parquet(folder / "data" / "people.parquet")
    events.write_parquet(folder / "data" / "events.parquet")
    question.write_study(folder / "study", DATES, WINDOWS)
    _oracle(people, events).write_parquet(folder / "oracle.parquet")
    return folder


def _oracle(people: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """The definition, read out loud: a loop over dates, people and columns."""
    rows = []
    of_person = {key[0]: part.to_dicts() for key, part in events.group_by("entity_id")}
    for date in question.for_peers(DATES, WINDOWS)["dates"]:
        as_of, since, until = (dt.date.fromisoformat(date[key]) for key in ("as_of", "cohort_from", "horizon_ends"))
        for person in people.iter_rows(named=True):
            past = [event for event in of_person.get(person["entity_id"], []) if event["event_date"] < as_of]
            if not any(event["event_date"] >= since for event in past):
                continue
            ahead = [e for e in of_person[person["entity_id"]] if as_of <= e["event_date"] < until]
            row: dict[str, Any] = {"entity_id": person["entity_id"], "as_of_date": as_of}
            row["outcome"] = int(any(event["event_type"] == "csc_referral" for event in ahead))
            for measure in question.measures(WINDOWS):
                row[measure.name] = _one(measure, past, person, as_of, date["starts"])
            rows.append(row)
    return pl.DataFrame(rows, infer_schema_length=None)


def _one(measure: question.Measure, past: list[Any], person: Any, as_of: dt.date, starts: dict[str, str]) -> Any:
    if measure.take == "age":
        return (as_of - person["dob"]).days / 365.2425
    if measure.take == "attribute":
        return {"F": 0.0, "M": 1.0}[person["sex"]] if measure.name == "sex" else float(person[measure.name])
    start = dt.date.fromisoformat(starts[str(measure.window)])
    inside = [event for event in past if event["event_date"] >= start]
    if measure.where:
        inside = [event for event in inside if event[measure.where] == measure.value]
    if measure.take == "count":
        return float(len(inside))
    values = [float(event[measure.column]) for event in inside if event[measure.column] is not None]
    if measure.take == "sum":
        return math.fsum(values)
    if not values:
        return None
    return max(values) if measure.take == "max" else math.fsum(values) / len(values)


def _asked() -> dict[str, Any]:
    return question.for_peers(DATES, WINDOWS)


def test_pandas_gives_the_definition(made: Path) -> None:
    features_pandas.whole(_asked(), str(made / "data"), str(made / "pandas.parquet"))
    assert features.differences(made / "oracle.parquet", made / "pandas.parquet") is None


def test_duckdb_gives_the_definition(made: Path) -> None:
    pytest.importorskip("duckdb")
    from benchmarks import features_duckdb

    features_duckdb.whole(_asked(), str(made / "data"), str(made / "duckdb.parquet"))
    assert features.differences(made / "oracle.parquet", made / "duckdb.parquet") is None


@pytest.mark.parametrize("how", list(features_polars.HOW))
def test_bare_polars_gives_the_definition(made: Path, how: str) -> None:
    out = made / f"{how}.parquet"
    features_polars.features_alone(_asked(), str(made / "data"), how, str(out))
    frame = pl.read_parquet(out).with_columns(pl.col("sex").replace_strict({"F": 0.0, "M": 1.0}))
    frame.write_parquet(out)
    pl.read_parquet(made / "oracle.parquet").drop("outcome").write_parquet(made / "features.parquet")
    assert features.differences(made / "features.parquet", out) is None


def test_ours_gives_the_definition(made: Path) -> None:
    from benchmarks import features_ours

    found = features_ours.whole(str(made / "study"), str(made / "data"), str(made / "ours.parquet"))
    assert found["columns"] == len(question.measures(WINDOWS))
    assert features.differences(made / "oracle.parquet", made / "ours.parquet") is None


def test_a_wrong_answer_is_seen(made: Path) -> None:
    right = pl.read_parquet(made / "oracle.parquet")
    for column, wrong in (
        ("all_events_ever", pl.col("all_events_ever") + 1),
        ("severity_sum_ever", pl.col("severity_sum_ever") * (1 + 1e-6)),
        ("severity_mean_3_months", pl.col("severity_mean_3_months").fill_null(0.0)),
        ("as_of_date", pl.col("as_of_date").dt.offset_by("1d")),
    ):
        right.with_columns(wrong).write_parquet(made / "wrong.parquet")
        assert features.differences(made / "oracle.parquet", made / "wrong.parquet"), column


def test_the_study_asks_for_the_same_columns(tmp_path: Path) -> None:
    study = load_study(question.write_study(tmp_path))
    names = [column.name for line in study.file.features for column in line.columns]
    assert len(names) == 108
    assert sorted(names) == sorted(measure.name for measure in question.measures())
    assert len(study.file.cohort.dates) == 12
    assert study.file.outcome.mature_on(study.file.cohort.dates[-1]) < study.extracted_on


def test_the_events_come_from_the_seed_alone() -> None:
    people, need = workload.make_people(50)
    again, same = workload.make_people(50)
    assert people.equals(again)
    events = workload.make_events(people, need)
    assert events.equals(workload.make_events(again, same))
    other, needed = workload.make_people(50, seed=8)
    assert not workload.make_events(other, needed, seed=8).equals(events)
    assert events["event_date"].is_sorted()
    assert workload.FIRST_DAY <= events["event_date"].min() <= events["event_date"].max() < workload.END  # type: ignore[operator]
    assert 0.7 < events.height / (50 * workload.EVENTS_EACH) < 1.3


def test_parquet_in_chunks_holds_everybody_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workload, "PEOPLE_IN_A_CHUNK", 20)
    count = workload.write_workload(tmp_path, 50, 5.0, suffix=".parquet")
    events = pl.read_parquet(tmp_path / "events.parquet")
    assert events.height == count == events["event_id"].n_unique()
    assert pl.read_parquet(tmp_path / "people.parquet")["entity_id"].to_list() == list(range(1, 51))
    assert set(events["event_type"]) <= set(workload.TYPES)


def test_a_child_is_measured_and_a_failing_one_is_not() -> None:
    cost = run("json:loads", s="[1, 2]")
    assert cost.answer == [1, 2]
    assert 0 < cost.work_s < cost.cpu_s
    assert 5 < cost.peak_mb < 500
    with pytest.raises(RuntimeError, match="JSONDecodeError"):
        run("json:loads", s="[1, 2")


def test_a_ratio_is_of_medians_and_is_judged_only_where_asked() -> None:
    ours = [Cost(seconds, seconds, 10.0, None) for seconds in (1.0, 2.0, 9.0)]
    theirs = [Cost(seconds, seconds, 20.0, None) for seconds in (6.0, 8.0, 8.5)]
    row = compared("work", "peer", ours, theirs, 5.0, judge=True)
    assert (row.ours_cpu_s, row.peer_cpu_s, row.ratio, row.holds) == (2.0, 8.0, 4.0, False)
    assert compared("work", "peer", ours, theirs, 4.0, judge=True).holds
    assert compared("work", "peer", ours, theirs, 4.0, judge=False).holds is None


def test_an_exponent_is_the_slope_on_log_scales() -> None:
    assert features.exponent((1, 2, 4), [3.0, 12.0, 48.0]) == pytest.approx(2.0)


def test_the_page_names_machine_and_versions_and_what_was_missed() -> None:
    rows = [json.loads(json.dumps(vars(Row("w", "p", 1.0, 2.0, 2.0, "ratio >= 3", False, 5.0, {"ours": (0.9, 1.1)}))))]
    text = run_all.page({"features": rows, "broken": None}, dt.date(2026, 1, 2))
    assert "| date | 2026-01-02 |" in text
    assert "| polars | " in text
    assert "1.00 (0.90-1.10)" in text
    assert "**no**" in text
    assert "did not finish" in text


def test_the_benchmarks_are_found() -> None:
    named = ["audit", "cards", "features", "quality", "scoring_batch", "scoring_kernel", "scoring_spark", "training"]
    assert [path.stem for path in run_all.benchmarks()] == named


def test_a_peer_that_is_not_there_is_skipped_with_a_word(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert not features.installed("duckdb")
    assert "skipped" in capsys.readouterr().out
