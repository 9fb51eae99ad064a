"""Spark scores the parts, and nobody can tell: the same bytes, the same rejects, the same one line where it fails."""

from __future__ import annotations

import datetime as dt
import importlib.util
import pickle
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import polars as pl
import pyarrow as pa
import pytest

from riskmodels import commands
from riskmodels.data import engines
from riskmodels.errors import ModelFileError, OutsideError, RiskModelsError
from riskmodels.models.risk_model import RiskModel
from riskmodels.service import spark
from riskmodels.service.batch import Employ, ScoredBatch, Workers, score_batch, working_beside
from riskmodels.service.batch.scoring import Scorer
from riskmodels.service.cohort import MatrixParts, open_matrix
from riskmodels.service.shapes import CohortParts
from riskmodels.service.spark import SparkWorkers, Task, spark_workers
from riskmodels.study import StudyFile
from riskmodels.workspace import Workspace
from tests.conftest import AS_OF, TODAY, Demo
from tests.models.planted import make_world
from tests.service.batch.cohorts import Approved, bytes_of, study

DAY = dt.date(2020, 1, 1)
PARTS, ROWS, OBJECTOR = 4, 90, "p17"
HERE = importlib.util.find_spec("pyspark") is not None and shutil.which("java") is not None
needs_spark = pytest.mark.skipif(not HERE, reason="pyspark or Java is not installed here")


@cache
def model(family: str) -> RiskModel:
    return RiskModel.from_files(make_world(300).model(family).to_files())


@pytest.fixture
def parts(tmp_path: Path) -> MatrixParts:
    """Four files, some rows of which are bad; every tenth id stands in the next file too."""
    folder = tmp_path / "cohort"
    folder.mkdir()
    rules = [rule.because for rule in study().service_rules]
    for number in range(PARTS):
        ids: list[str | None] = [f"p{80 * number + row}" for row in range(ROWS)]
        excluded: list[str | None] = [rules[row % 2] if row % 9 == 0 else None for row in range(ROWS)]
        ids[5], excluded[6] = None, "because"
        made = make_world(ROWS, number).frame.with_columns(
            pl.Series("entity_id", ids),
            pl.Series("excluded", excluded),
            pl.Series("household", [f"home {row // 3}" for row in range(ROWS)]),
            # Row 7 of each file is infinite.
            pl.when(pl.int_range(pl.len()) == 7).then(float("inf")).otherwise("reading").alias("reading"),
        )
        made.write_parquet(folder / f"part-{number}.parquet")
    specs = model("logistic").reasons
    return open_matrix(folder, specs, study(), DAY, frozenset({OBJECTOR}), tmp_path)


def scored(
    parts: MatrixParts, work: Path, family: str = "logistic", by: StudyFile | None = None, **options: Any
) -> ScoredBatch:
    approved = cast("Any", Approved(model(family)))
    how = {"places": {None: 40}, "progress": lambda said: None} | options
    return score_batch(approved, parts, by or study(), work=work, **how)


# ---------------------------------------------------------------- without Spark: what it is given, and what it sends


@dataclass(frozen=True)
class InProcess:
    """A session of one worker, which gets what it is to do as bytes, as a process of its own would."""

    seen: list[int] = field(default_factory=list)
    lock: Any = field(default_factory=threading.Lock)

    @property
    def sparkContext(self) -> Any:  # noqa: N802 - Spark's name
        return SimpleNamespace(broadcast=engines.Carried)

    def range(self, first: int, end: int, step: int, partitions: int) -> _Job:
        assert (end, step, partitions) == (first + 1, 1, 1)
        return _Job(self, first)


@dataclass(frozen=True)
class _Job:
    session: InProcess
    number: int
    work: bytes = b""

    def mapInArrow(self, work: Any, schema: str) -> _Job:  # noqa: N802 - Spark's name
        return replace(self, work=pickle.dumps(work))

    def toArrow(self) -> pa.Table:  # noqa: N802 - Spark's name
        with self.session.lock:
            self.session.seen.append(self.number)
            batches = [pa.record_batch([pa.array([self.number])], ["id"])]
            return pa.Table.from_batches(pickle.loads(self.work)(iter(batches)))


@pytest.fixture(autouse=True)
def new_worker() -> Iterator[None]:
    spark._worker.cache_clear()
    yield
    spark._worker.cache_clear()


def employing(session: Any, **changes: Any) -> Employ:
    """Workers of a session, whose task is changed on the way."""
    return lambda scorer, parts: SparkWorkers(session, replace(Task.of(scorer, parts), **changes), 2)


@pytest.mark.parametrize("family", ["logistic", "lightgbm"])
@pytest.mark.parametrize("explain", ["selected", "all", "none"])
def test_what_travels_is_enough(parts: MatrixParts, tmp_path: Path, family: str, explain: str) -> None:
    ours = scored(parts, tmp_path / "ours", family, explain=explain)
    session = InProcess()
    theirs = scored(parts, tmp_path / "theirs", family, explain=explain, employ=employing(session))
    assert bytes_of(ours) == bytes_of(theirs)
    assert sorted(set(session.seen)) == list(range(PARTS))
    # The last ten ids of each file are the first ten of the next. Of these p85, p165 and p245 stand once after all:
    # their second row is the one without an id. That a row is infinite as well does not make it less of a copy.
    assert theirs.rejected_by_code["duplicate_id"] == 3 * (20 - 2)
    assert theirs.rejected_by_code["objected"] == 1
    assert theirs.rejected_by_code["missing_id"] == PARTS


def test_households_travel(parts: MatrixParts, tmp_path: Path) -> None:
    homes = study(
        list_unit="household",
        cohort={"as_of_dates": [dt.date(2020, 7, 1)], "steps": [], "cluster": "people.home"},
    )
    specs, folder = model("logistic").reasons, tmp_path / "cohort"
    cohort = open_matrix(folder, specs, homes, DAY, frozenset(), tmp_path)
    ours = scored(cohort, tmp_path / "ours", by=homes)
    theirs = scored(cohort, tmp_path / "theirs", by=homes, employ=employing(InProcess()))
    assert bytes_of(ours) == bytes_of(theirs)
    assert theirs.counts["household"] > 0


@pytest.mark.parametrize("family", ["logistic", "lightgbm"])
def test_a_worker_gets_ready_once_and_verifies_the_model(
    parts: MatrixParts, tmp_path: Path, family: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified: list[int] = []
    monkeypatch.setattr(Scorer, "verify", lambda scorer, frame: verified.append(frame.height))
    session = InProcess()
    scored(parts, tmp_path / "work", family, employ=employing(session))
    assert (spark._worker.cache_info().misses, len(session.seen)) == (1, 2 * PARTS)
    # Once by the worker; and once by us, who have had no rows to verify with from it.
    assert len(verified) == 2


FAULTS: dict[str, tuple[dict[str, Any], type[RiskModelsError], str]] = {
    "model": ({"files": {"manifest.json": b"{}"}}, ModelFileError, "manifest.json"),
    "versions": ({"made_with": {"numpy": "0.1"}}, OutsideError, "the workers of Spark have numpy .*; install the same"),
    "bug": (
        {"parts": None},
        RiskModelsError,
        r"a worker of Spark stumbled over part \d \(AttributeError in workers.py, line \d+\); .* report this",
    ),
}


@pytest.mark.parametrize(("changes", "error", "words"), FAULTS.values(), ids=FAULTS)
def test_what_a_worker_finds_wrong_is_our_one_line(
    parts: MatrixParts, tmp_path: Path, changes: dict[str, Any], error: type[RiskModelsError], words: str
) -> None:
    with pytest.raises(error, match=words) as refused:
        scored(parts, tmp_path / "work", employ=employing(InProcess(), **changes))
    assert type(refused.value) is error
    assert "\n" not in str(refused.value)


def test_a_cohort_that_changes_meanwhile_is_refused(parts: MatrixParts, tmp_path: Path) -> None:
    path = tmp_path / "cohort" / "part-2.parquet"
    path.write_bytes(path.read_bytes())
    with pytest.raises(OutsideError, match=r"part-2.parquet: was changed while it was read"):
        scored(parts, tmp_path / "work", employ=employing(InProcess()))


@dataclass(frozen=True)
class Dying(InProcess):
    """Gives up after so many parts, as Spark does: with pages of text that could quote a row."""

    parts: int = 2
    said: str = "Job aborted due to stage failure:\n ExecutorLostFailure 'p3'\n  at org.apache.spark"

    def range(self, first: int, end: int, step: int, partitions: int) -> _Job:
        if len(self.seen) >= self.parts:
            raise RuntimeError(self.said)
        return super().range(first, end, step, partitions)


@pytest.mark.parametrize(
    ("said", "why"),
    [(Dying.said, r"\(RuntimeError\)"), ("ModuleNotFoundError: No module named 'x'", "install the same wheel there")],
)
def test_when_spark_gives_up_what_is_done_is_kept(parts: MatrixParts, tmp_path: Path, said: str, why: str) -> None:
    expected = bytes_of(scored(parts, tmp_path / "expected"))
    output, words = tmp_path / "list.parquet", list[str]()
    one_by_one = {"places": {None: 40}, "threads": 1}
    with (
        pytest.raises(OutsideError, match=rf"Spark lost part \d of the cohort .*{why}.*--resume") as lost,
        working_beside(output, False, words.append) as work,
    ):
        scored(parts, work, employ=employing(Dying(said=said)), **one_by_one)
    assert "\n" not in str(lost.value)
    assert "p3" not in str(lost.value)
    session = InProcess()
    with working_beside(output, True, words.append) as work:
        assert len(list((work / "shards").iterdir())) == 2
        batch = scored(parts, work, employ=employing(session), resume=True, progress=words.append)
        assert bytes_of(batch) == expected
    assert any(line.startswith("going on: ") for line in words)
    # Two parts to score, and reasons for all four.
    assert len(session.seen) == 2 + PARTS


def test_spark_that_is_not_installed_is_one_line(
    parts: MatrixParts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyspark.sql", None)
    engines._spark_session.cache_clear()
    with pytest.raises(OutsideError, match=r'pip install "riskmodels\[spark\]"'), spark_workers(2):
        pass


# ---------------------------------------------------------------- with Spark


@pytest.fixture(scope="module")
def employ() -> Iterator[Employ]:
    with spark_workers(2) as employ:
        yield employ


@pytest.mark.slow
@needs_spark
@pytest.mark.parametrize(
    ("family", "explain"), [("lightgbm", "selected"), ("logistic", "selected"), ("lightgbm", "all")]
)
def test_spark_gives_the_same_bytes(
    employ: Employ, parts: MatrixParts, tmp_path: Path, family: str, explain: str
) -> None:
    ours = scored(parts, tmp_path / "ours", family, explain=explain)
    theirs = scored(parts, tmp_path / "theirs", family, explain=explain, employ=employ)
    assert bytes_of(ours) == bytes_of(theirs)
    assert (ours.batch_id, ours.counts) == (theirs.batch_id, theirs.counts)
    assert theirs.counts["rejected"] > PARTS


@pytest.mark.slow
@needs_spark
@pytest.mark.parametrize(("changes", "error", "words"), FAULTS.values(), ids=FAULTS)
def test_what_a_worker_of_spark_finds_wrong_is_our_one_line(
    employ: Employ,
    parts: MatrixParts,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    changes: dict[str, Any],
    error: type[RiskModelsError],
    words: str,
) -> None:
    def changed(scorer: Scorer, parts: CohortParts) -> Workers:
        workers = cast("SparkWorkers", employ(scorer, parts))
        return replace(workers, task=replace(workers.task, **changes))

    with pytest.raises(error, match=words) as refused:
        scored(parts, tmp_path / "work", employ=changed)
    assert type(refused.value) is error
    assert "\n" not in str(refused.value)
    assert "".join(capfd.readouterr()) == ""


@dataclass(frozen=True)
class StoppedAfter:
    """Ctrl-C when so many parts are done."""

    workers: Workers
    parts: int
    done: list[int] = field(default_factory=list)
    at_once: int = 1

    def score(self, number: int) -> tuple[bytes, pl.DataFrame]:
        if len(self.done) == self.parts:
            raise KeyboardInterrupt
        self.done.append(number)
        return self.workers.score(number)

    def explain(self, number: int, wanted: Any) -> bytes:
        return self.workers.explain(number, wanted)


@pytest.mark.slow
@needs_spark
@pytest.mark.parametrize("then", ["spark", "local"])
def test_what_spark_left_goes_on_anywhere(employ: Employ, parts: MatrixParts, tmp_path: Path, then: str) -> None:
    expected = bytes_of(scored(parts, tmp_path / "expected", "lightgbm"))
    with pytest.raises(KeyboardInterrupt):
        scored(parts, tmp_path / "work", "lightgbm", employ=lambda *told: StoppedAfter(employ(*told), 3))
    assert len(list((tmp_path / "work" / "shards").iterdir())) == 3
    rest = employ if then == "spark" else None
    assert bytes_of(scored(parts, tmp_path / "work", "lightgbm", employ=rest, resume=True)) == expected


@pytest.mark.slow
@needs_spark
def test_the_command_writes_the_same_files(demo: Demo, workspace: Workspace, tmp_path: Path) -> None:
    frame = demo.report.run.run.dataset.features.frame
    rows = frame.filter(pl.col("as_of_date") == frame["as_of_date"].max()).drop("as_of_date").head(300)
    folder = tmp_path / "cohort"
    folder.mkdir()
    for number in range(3):
        # The last row of each part is the first of the next.
        rows[100 * number : 100 * (number + 1) + 1].write_parquet(folder / f"{number}.parquet")

    def run(engine: str, said: Callable[[str], None]) -> tuple[commands.ScoreReport, dict[str, bytes]]:
        report = commands.score(
            "early_reading_support", folder, tmp_path / engine / "list.csv", workspace, TODAY, AS_OF, capacity=20,
            engine=engine, threads=2, progress=said,
        )  # fmt: skip
        record = workspace.root / "batches" / "early_reading_support" / report.batch_id / "people.parquet"
        files = {path.name: path for path in report.files if path.is_file()}
        return report, {name: path.read_bytes() for name, path in files.items()} | {"record": record.read_bytes()}

    (tmp_path / "local").mkdir()
    (tmp_path / "spark").mkdir()
    words: list[str] = []
    ours, files = run("local", lambda said: None)
    theirs, others = run("spark", words.append)
    assert (theirs.batch_id, theirs.counts, theirs.rejected) == (ours.batch_id, ours.counts, ours.rejected)
    assert ours.rejected == {"duplicate_id": 4}
    assert {"list.csv", "list.rejects.csv", "record"} <= set(files)
    assert files == others
    assert "starting Spark" in words
    assert any(said.startswith("scored: 302 of 302 rows") for said in words)


@pytest.mark.slow
@needs_spark
def test_its_session_ends_with_it_unless_there_was_one_before() -> None:
    engines._spark_session.cache_clear()
    with spark_workers(1) as employ:
        assert employ
        with spark_workers(1):
            session = engines._spark_session(1)
        assert session.range(3).count() == 3
    assert engines._spark_session.cache_info().currsize == 0
    assert session.sparkContext._jsc is None
