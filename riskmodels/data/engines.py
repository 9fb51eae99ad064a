"""What runs the definitions: Polars in memory, DuckDB under a memory limit, Spark beyond one machine.

Definitions are written once, in Narwhals; an engine only says how rows come to it. To add one, write how it scans and
add its row to `SCANS`.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import glob
import os
import re
import shutil
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import narwhals as nw
import polars as pl

from riskmodels import storage
from riskmodels.errors import OutsideError, UsageError


@dataclass(frozen=True)
class Engine:
    """Where facts are held and counted.

    Parameters
    ----------
    name : polars, duckdb or spark
    memory_limit : what DuckDB may hold in memory, such as ``"1GB"``; what does not fit is written to ``folder``
    folder : where an engine that spills may write; a temporary folder unless named

    Raises
    ------
    UsageError
        for a name that is none of these, or a memory limit of an engine that keeps none.
    """

    name: str
    memory_limit: str | None = None
    folder: Path | None = None

    def __post_init__(self) -> None:
        if self.name not in SCANS:
            raise UsageError(f"no engine is called {self.name!r}; choose one of {', '.join(SCANS)}")
        if self.memory_limit is not None and self.name != "duckdb":
            raise UsageError(f"the engine {self.name} keeps no memory limit; take duckdb, or leave the limit out")

    def scan(self, held: pl.DataFrame | Path) -> nw.LazyFrame[Any]:
        """Rows in memory or in a Parquet file, as a lazy frame of this engine. Nothing is read yet.

        Raises
        ------
        OutsideError
            if the engine is not installed or does not start, saying what to install.
        """
        return nw.from_native(SCANS[self.name](self, held))

    @property
    def in_memory(self) -> bool:
        """Whether it holds whatever it works on in memory."""
        return self.name == "polars"


def _polars(engine: Engine, held: pl.DataFrame | Path) -> Any:
    return held.lazy() if isinstance(held, pl.DataFrame) else pl.scan_parquet(held, glob=False)


def _duckdb(engine: Engine, held: pl.DataFrame | Path) -> Any:
    connection = _duckdb_connection(engine)
    if isinstance(held, pl.DataFrame):
        return connection.from_arrow(held.to_arrow())
    return connection.read_parquet(glob.escape(str(held)))  # the name of one file, whatever signs it holds


def _spark(engine: Engine, held: pl.DataFrame | Path) -> Any:
    session = _spark_session()
    if isinstance(held, pl.DataFrame):
        return session.createDataFrame(held.to_arrow())
    return session.read.parquet(re.sub(r"([*?{}\[\]\\])", r"\\\1", str(held)))


SCANS: dict[str, Callable[[Engine, pl.DataFrame | Path], Any]] = {
    "polars": _polars,
    "duckdb": _duckdb,
    "spark": _spark,
}
POLARS = Engine("polars")
REMOTE = "SPARK_REMOTE"  # names the server of Spark Connect


def cores() -> int:
    """How many cores this process may use, which may be fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@functools.cache
def _duckdb_connection(engine: Engine) -> Any:
    try:
        import duckdb
    except ImportError:
        raise OutsideError("the engine duckdb is not installed; run: pip install duckdb") from None
    # What is written there can hold people: the folder is ours alone, and does not outlive us.
    if engine.folder is not None:
        with storage.outside_world(engine.folder):
            engine.folder.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="riskmodels-", dir=engine.folder))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    settings: dict[str, Any] = {
        "threads": cores(),
        "temp_directory": str(folder),
        # Rows are never asked for in the order of the file, and keeping it holds whole tables in memory.
        "preserve_insertion_order": False,
    }
    if engine.memory_limit is not None:
        settings["memory_limit"] = engine.memory_limit
    try:
        return duckdb.connect(":memory:", config=settings)
    except duckdb.Error as reason:
        raise OutsideError(f"the engine duckdb does not start with these settings: {_first_line(reason)}") from None


@contextlib.contextmanager
def spark_session(threads: int = 0) -> Iterator[Any]:
    """A session of Spark, stopped at the end unless there was one before.

    It is local, with so many threads (0: all cores), unless the environment says which Spark to use.

    Raises
    ------
    OutsideError
        if Spark is not installed or does not start, saying what to install.
    """
    kept = _spark_session.cache_info().currsize > 0
    session = _spark_session(threads)
    try:
        yield session
    finally:
        if not kept:
            _spark_session.cache_clear()
            # Whatever happened, there is nothing more to be done with it.
            with contextlib.suppress(Exception):
                session.stop()


@functools.cache
def _spark_session(threads: int = 0) -> Any:
    """One session, which says nothing unless something is wrong."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from pyspark.sql import SparkSession
    except ImportError:
        raise OutsideError('the engine spark is not installed; run: pip install "riskmodels[spark]"') from None
    settings = {
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.log.level": "ERROR",
        # Tasks share out the cores, so what a task runs is to use one.
        "spark.executorEnv.POLARS_MAX_THREADS": "1",
    }
    if not _named_by_environment():
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        settings |= {
            "spark.master": f"local[{threads or cores()}]",
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.ui.enabled": "false",
            "spark.sql.shuffle.partitions": str(2 * cores()),
        }
    builder = SparkSession.builder.appName("riskmodels")
    for name, value in settings.items():
        builder = builder.config(name, value)
    try:
        with _quiet():
            session = builder.getOrCreate()
            if REMOTE not in os.environ:
                session.sparkContext.setLogLevel("ERROR")
    # Without Java the gateway ends before it answers, and pyspark has no one type for that.
    except Exception as reason:
        why = _first_line(reason)
        raise OutsideError(f"the engine spark does not start; it needs Java 17 or later ({why})") from None
    return session


def _named_by_environment() -> bool:
    """Whether the environment says which Spark to use: by Spark Connect, spark-submit, or Spark's own settings."""
    if REMOTE in os.environ or "PYSPARK_GATEWAY_PORT" in os.environ:
        return True
    if "--master" in os.environ.get("PYSPARK_SUBMIT_ARGS", ""):
        return True
    home = os.environ.get("SPARK_HOME")
    folder = os.environ.get("SPARK_CONF_DIR") or (home and str(Path(home) / "conf"))
    defaults = Path(folder) / "spark-defaults.conf" if folder else None
    if defaults is None or not defaults.is_file():
        return False
    return (
        re.search(r"^\s*spark\.(master|remote)[\s=:]", defaults.read_text(errors="replace"), re.MULTILINE) is not None
    )


def spark_slots(session: Any) -> int:
    """How many tasks a session runs at once, as far as it knows; Spark Connect does not say."""
    return cores() if REMOTE in os.environ else int(session.sparkContext.defaultParallelism)


@dataclass(frozen=True)
class Carried:
    """A value that goes with every task."""

    value: Any


def send_once(session: Any, value: Any) -> Any:
    """Something whose ``value`` tasks of this session can read; it travels to each process of theirs once.

    With Spark Connect, which knows no such thing, it goes with every task.
    """
    return Carried(value) if REMOTE in os.environ else session.sparkContext.broadcast(value)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Java writes notes to the stderr that it is started with, and pyspark warns of a pandas that it hardly uses."""
    sys.stderr.flush()
    ours, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        os.dup2(ours, 2)
        os.close(ours)
        os.close(nowhere)


def _first_line(reason: Exception) -> str:
    return next(iter(str(reason).strip().splitlines()), type(reason).__name__)
