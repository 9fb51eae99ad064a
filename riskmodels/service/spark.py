"""The parts of a cohort scored by the workers of Spark: the same kernel, so the same bytes.

Each part is a small job of its own: a worker reads the part from storage that it sees as we do, scores it with one
thread, and sends back the shard as one binary row, which this process writes. So a worker needs no place to write to,
no more shards are in memory than parts are under way, and a run that was stopped goes on as any other. The model
travels as its text files, and is read, checked and held to LightGBM by every worker for itself.
"""

from __future__ import annotations

import datetime as dt
import secrets
import traceback
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from riskmodels import errors
from riskmodels.data.engines import send_once, spark_session, spark_slots
from riskmodels.errors import OutsideError, RiskModelsError
from riskmodels.models.risk_model import RiskModel
from riskmodels.service.batch.memory import let_go
from riskmodels.service.batch.publishing import StoppedError
from riskmodels.service.batch.run import made_with, one_thread
from riskmodels.service.batch.scoring import Scorer
from riskmodels.service.batch.workers import Employ, Here
from riskmodels.service.shapes import CohortParts

if TYPE_CHECKING:
    import pyarrow as pa

# What a worker sends: the bytes that were asked for, or the name of an error of ours and its one line.
ANSWER = "content binary, error string, said string"
# So many parts for each that Spark works on at once: nobody waits while this process writes a shard.
ASKED_AHEAD = 2


@contextmanager
def spark_workers(threads: int = 0) -> Iterator[Employ]:
    """A session of Spark, and who scores with it (``employ`` of `riskmodels.service.batch.score_batch`).

    Parameters
    ----------
    threads : parts to work on at once; 0: as many as Spark says that it can

    Raises
    ------
    OutsideError
        if Spark is not installed or does not start, saying what to install.
    """
    with spark_session(threads) as session:
        at_once = ASKED_AHEAD * (threads or spark_slots(session))
        yield lambda scorer, parts: SparkWorkers(session, Task.of(scorer, parts), at_once)


@dataclass(frozen=True)
class Task:
    """What a worker must know, whichever part it is given; it is sent to it once.

    ``name``: of this task alone; whoever has got ready for it is ready. ``files``: the saved form of the model.
    """

    name: str
    as_of: dt.date
    seed: int
    explain: bool
    households: bool
    files: Mapping[str, bytes] = field(compare=False, repr=False)
    parts: CohortParts = field(compare=False, repr=False)
    made_with: Mapping[str, str] = field(compare=False, repr=False)

    @classmethod
    def of(cls, scorer: Scorer, parts: CohortParts) -> Task:
        return cls(
            secrets.token_hex(8), scorer.as_of, scorer.seed, scorer.explain, scorer.households,
            scorer.model.to_files(), parts, made_with(),
        )  # fmt: skip


@dataclass(frozen=True)
class SparkWorkers:
    """Asks Spark, one job a part (`riskmodels.service.batch.workers.Workers`)."""

    session: Any
    task: Task
    at_once: int
    _sent: Any = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_sent", send_once(self.session, self.task))

    def score(self, number: int) -> tuple[bytes, pl.DataFrame]:
        # Every worker has verified the model with its own rows.
        return self._asked(number, None), pl.DataFrame()

    def explain(self, number: int, wanted: np.ndarray) -> bytes:
        return self._asked(number, wanted)

    def _asked(self, number: int, wanted: np.ndarray | None) -> bytes:
        """What a worker answers about a part. Raises what it raised, in the same one line."""
        # It says so of every job, and what is used of pandas here is nothing.
        warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
        work = partial(answers, self._sent, wanted)
        try:
            rows = self.session.range(number, number + 1, 1, 1)
            answer = rows.mapInArrow(work, ANSWER).toArrow().to_pylist()[0]
        # Of whatever type: Spark has many, and their texts can be pages long.
        except Exception as reason:
            raise StoppedError(
                f"Spark lost part {number + 1} of the cohort ({_why(reason)}); its own log says more; what is done is "
                "kept, so mend that and run again with --resume"
            ) from None
        if answer["error"] is None:
            content: bytes = answer["content"]
            return content
        raise _error(answer["error"])(answer["said"])


# ---------------------------------------------------------------- in a worker


def answers(sent: Any, wanted: np.ndarray | None, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """For each number of a part a row of `ANSWER`: its shard, or the reasons of the ``wanted`` records of it.

    ``sent``: its ``value`` is the `Task`.
    """
    import pyarrow as pa

    for batch in batches:
        for number in batch.column(0).to_pylist():
            content, error, said = _answer(sent, number, wanted)
            yield pa.record_batch(
                [pa.array([content], pa.binary()), pa.array([error], pa.string()), pa.array([said], pa.string())],
                ["content", "error", "said"],
            )


def _answer(sent: Any, number: int, wanted: np.ndarray | None) -> tuple[bytes | None, str | None, str | None]:
    try:
        worker = _worker(sent.value)
        content = worker.score(number) if wanted is None else worker.here.explain(number, wanted)
        let_go()
        return content, None, None
    except RiskModelsError as error:
        return None, type(error).__name__, str(error)
    except Exception as error:
        # Its text could quote a row: where it happened says enough.
        last = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{type(error).__name__} in {Path(last.filename).name}, line {last.lineno}"
        said = f"a worker of Spark stumbled over part {number + 1} ({where}); nothing was published, please report this"
        return None, RiskModelsError.__name__, said


@lru_cache(maxsize=1)
def _worker(task: Task) -> _Worker:
    """Ready to work, once in a process of Spark's that does many tasks."""
    ours = made_with()
    for name, version in task.made_with.items():
        if ours[name] != version:
            raise OutsideError(
                f"the workers of Spark have {name} {ours[name]}, and this process has {version}; install the same"
            )
    model = one_thread(RiskModel.from_files(task.files))
    return _Worker(Here(Scorer(model, task.as_of, task.seed, task.explain, task.households), task.parts, 1))


@dataclass
class _Worker:
    here: Here
    verified: bool = False

    def score(self, number: int) -> bytes:
        """A part's shard. Of the first part some rows are scored in the slow way too, since machines differ."""
        content, some = self.here.score(number)
        if some.height and not self.verified:
            self.here.scorer.verify(some)
            self.verified = True
        return content


# ---------------------------------------------------------------- errors


def _error(name: str) -> type[RiskModelsError]:
    found = getattr(errors, name, RiskModelsError)
    return found if isinstance(found, type) and issubclass(found, RiskModelsError) else RiskModelsError


def _why(reason: Exception) -> str:
    """Why Spark gave up, without the text of an error, which could quote a row."""
    if "ModuleNotFoundError" in str(reason):
        return "its workers do not find riskmodels or a library: install the same wheel there"
    return type(reason).__name__
