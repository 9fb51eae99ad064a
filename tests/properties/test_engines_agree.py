"""The same definitions give the same features, whichever engine holds the facts."""

from __future__ import annotations

import datetime as dt
import importlib.util
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from polars.testing import assert_frame_equal

from riskmodels.data import members
from riskmodels.data.engines import POLARS, Engine
from riskmodels.data.features import Features, build_features
from riskmodels.study import StudyFile
from tests.data.everything_study import (
    EVERYTHING,
    Covered,
    Rows,
    all_rows,
    coverage,
    everybody,
    everything_tables,
    many_rows,
)

DUCKDB = Engine("duckdb", memory_limit="200MB")


def features_on(engine: Engine, rows: Rows, covered: Covered, study: StudyFile = EVERYTHING) -> Features:
    with tempfile.TemporaryDirectory() as folder:
        return build_features(everybody(), everything_tables(rows, covered, engine, Path(folder)), study)


@settings(max_examples=4, deadline=None)
@given(rows=all_rows(), covered=coverage())
def test_duckdb_gives_the_same_bytes_as_polars(rows: Rows, covered: Covered) -> None:
    ours, theirs = features_on(POLARS, rows, covered), features_on(DUCKDB, rows, covered)
    assert ours.specs == theirs.specs
    assert_frame_equal(ours.frame, theirs.frame, check_exact=True)


def test_first_and_latest_words_are_each_their_own() -> None:
    """Only the first rows leave DuckDB for one, only the latest for the other: the words that come are not the same."""
    rows, covered = many_rows()
    one = {"entity_id": "a", "value": None, "kind": "visit", "due": None}
    days = {"low": dt.date(2019, 11, 1), "mid": dt.date(2019, 12, 1)}
    said = [{**one, "event_date": day, "known_date": day, "word": word} for word, day in days.items()]
    ours, theirs = (features_on(engine, {**rows, "records": said}, covered) for engine in (POLARS, DUCKDB))
    assert_frame_equal(ours.frame, theirs.frame, check_exact=True)
    found = {name for name in ours.frame.columns if set(days) & set(ours.frame[name].cast(str).to_list())}
    assert len(found) > 1


@pytest.mark.parametrize("engine", [POLARS, DUCKDB], ids=lambda engine: engine.name)
def test_it_does_not_matter_how_many_are_worked_out_at_a_time(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    rows, covered = many_rows()
    whole = features_on(POLARS, rows, covered)
    monkeypatch.setattr(members, "BLOCK", 3)
    assert_frame_equal(whole.frame, features_on(engine, rows, covered).frame, check_exact=True)


@pytest.mark.slow
def test_spark_gives_the_same_features_as_polars() -> None:
    if importlib.util.find_spec("pyspark") is None or shutil.which("java") is None:
        pytest.skip("pyspark or Java is not installed here")
    rows, covered = many_rows()
    # Each query is a job of a second or so: everything is taken once, and every kind of source is asked.
    names = ("visit_", "kind_count", "word_mode", "by_word", "due_count", "police_count", "area_", "decile", "rooms")
    lines = tuple(line for line in EVERYTHING.features if line.name.startswith(names))
    study = EVERYTHING.model_copy(update={"features": lines})
    ours, theirs = (features_on(engine, rows, covered, study) for engine in (POLARS, Engine("spark")))
    assert_frame_equal(ours.frame, theirs.frame, rel_tol=1e-9, abs_tol=1e-9)
