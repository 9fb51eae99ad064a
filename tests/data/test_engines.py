"""Engines hand over the same rows, and what is missing or wrong is one line."""

from __future__ import annotations

import datetime as dt
import os
import sys
import types
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from riskmodels.data import engines
from riskmodels.data.engines import POLARS, SCANS, Engine
from riskmodels.errors import OutsideError, UsageError

ROWS = pl.DataFrame(
    {
        "entity_id": ["b", "a", None],
        "day": [dt.date(2020, 1, 31), None, dt.date(1899, 12, 31)],
        "value": [0.5, None, -1.0],
    }
)
IN_PROCESS = ("polars", "duckdb")


@pytest.mark.parametrize("name", IN_PROCESS)
def test_rows_in_memory_and_in_a_file_come_back_as_they_were(name: str, tmp_path: Path) -> None:
    # The name of a file may hold what other programs take for a pattern.
    path = tmp_path / "rows [1] of *.parquet"
    ROWS.write_parquet(path)
    (tmp_path / "rows 1 of x.parquet").write_bytes(b"another file")
    for held in (ROWS, path):
        found = Engine(name).scan(held).collect().to_polars()
        assert_frame_equal(found.sort("value"), ROWS.sort("value"))


def test_polars_is_the_one_that_works_in_memory() -> None:
    assert Engine("polars") == POLARS
    assert [Engine(name).in_memory for name in SCANS] == [True, False, False]


def test_a_memory_limit_is_kept_and_spills_into_the_folder(tmp_path: Path) -> None:
    engine = Engine("duckdb", memory_limit="100MB", folder=tmp_path)
    connection = engines._duckdb_connection(engine)
    said = "select current_setting('memory_limit'), current_setting('temp_directory'), current_setting('threads')"
    limit, folder, threads = connection.execute(said).fetchall()[0]
    assert limit.startswith("95.")  # MiB
    assert Path(folder).parent == tmp_path
    assert threads == engines.cores()
    assert engines._duckdb_connection(Engine("duckdb", memory_limit="100MB", folder=tmp_path)) is connection


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"name": "pandas"}, "no engine is called 'pandas'; choose one of polars, duckdb, spark"),
        ({"name": "polars", "memory_limit": "1GB"}, "the engine polars keeps no memory limit; take duckdb, or leave"),
        ({"name": "spark", "memory_limit": "1GB"}, "the engine spark keeps no memory limit"),
    ],
)
def test_what_no_engine_does_is_refused(words: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Engine(**words)  # type: ignore[arg-type]


def test_a_limit_that_is_none_is_one_line() -> None:
    with pytest.raises(OutsideError, match="the engine duckdb does not start with these settings") as refused:
        Engine("duckdb", memory_limit="plenty").scan(ROWS)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "module", "advice"),
    [("duckdb", "duckdb", "pip install duckdb"), ("spark", "pyspark.sql", r'pip install "riskmodels\[spark\]"')],
)
def test_an_engine_that_is_not_installed_says_what_to_install(
    name: str, module: str, advice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    start = {"duckdb": engines._duckdb_connection, "spark": engines._spark_session}[name]
    arguments = (Engine(name),) if name == "duckdb" else ()
    with pytest.raises(OutsideError, match=f"the engine {name} is not installed; run: {advice}"):
        start.__wrapped__(*arguments)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("said", "settings", "named"),
    [
        ({}, None, False),
        ({"SPARK_REMOTE": "sc://there"}, None, True),
        ({"PYSPARK_GATEWAY_PORT": "1"}, None, True),
        ({"PYSPARK_SUBMIT_ARGS": "--master yarn pyspark-shell"}, None, True),
        ({"PYSPARK_SUBMIT_ARGS": "--conf x=y pyspark-shell"}, None, False),
        ({}, "# spark.master yarn\nspark.master.rest.enabled true\nspark.driver.memory 2g\n", False),
        ({}, "spark.driver.memory 2g\n  spark.master   yarn\n", True),
        ({}, "spark.remote=sc://there", True),
    ],
)
@pytest.mark.parametrize("folder", ["SPARK_CONF_DIR", "SPARK_HOME"])
def test_an_environment_that_names_a_spark_is_left_to_it(
    said: dict[str, str],
    settings: str | None,
    named: bool,
    folder: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("SPARK_REMOTE", "PYSPARK_GATEWAY_PORT", "PYSPARK_SUBMIT_ARGS", "SPARK_CONF_DIR", "SPARK_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    if settings is not None:
        (tmp_path / "conf").mkdir()
        (tmp_path / "conf" / "spark-defaults.conf").write_text(settings)
        monkeypatch.setenv(folder, str(tmp_path / "conf" if folder == "SPARK_CONF_DIR" else tmp_path))
    assert engines._named_by_environment() is named


def test_spark_without_java_is_one_line(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    class Builder:
        def __getattr__(self, name: str) -> object:
            return lambda *words: self

        def getOrCreate(self) -> None:  # noqa: N802 - pyspark's name
            os.write(2, b"a note of Java")
            raise RuntimeError("Java gateway process exited before sending its port number.\nmore of it")

    fake = types.ModuleType("pyspark.sql")
    fake.SparkSession = types.SimpleNamespace(builder=Builder())  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pyspark", types.ModuleType("pyspark"))
    monkeypatch.setitem(sys.modules, "pyspark.sql", fake)
    with pytest.raises(
        OutsideError, match=r"the engine spark does not start; it needs Java 17 or later \(Java gateway"
    ):
        engines._spark_session.__wrapped__()
    assert capfd.readouterr().err == ""
