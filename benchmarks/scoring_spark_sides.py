"""What ``scoring_spark.py`` measures: the batch of ``scoring_batch_sides.py`` with its parts scored by Spark, and what
stays with one process whoever scores them."""

from __future__ import annotations

import os
import time
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl

from benchmarks import scoring_batch_sides as sides
from benchmarks.measure import peak_mb

TICK = os.sysconf("SC_CLK_TCK")


def with_spark(folder: str, rows: int, explain: str, cores: int) -> dict[str, Any]:
    """A session of Spark on this machine, which scores a cohort; with the CPU seconds of Java and of the workers."""
    from riskmodels.service.spark import spark_workers

    began = time.monotonic()
    with spark_workers(cores) as employ:
        started = time.monotonic() - began
        answer = sides.ours(folder, rows, explain, cores, employ)
        java_and_workers, most = _descendants()
    return answer | {
        "others_cpu_s": java_and_workers, "others_mb": most, "start_s": started, "wall_s": time.monotonic() - began,
    }  # fmt: skip


def _descendants() -> tuple[float, float]:
    """CPU seconds that all processes below this one have used so far, and the sum of the most memory of each, in MB."""
    parents, spent, most = {}, {}, {}
    for path in Path("/proc").iterdir():
        if not path.name.isdigit():
            continue
        try:
            # After the name, which may hold anything: state, parent, ..., 12th to 15th the times, of children too.
            fields = (path / "stat").read_text().rpartition(")")[2].split()
            said = (path / "status").read_text()
        except OSError:
            continue  # it has ended
        process = int(path.name)
        parents[process], spent[process] = int(fields[1]), sum(map(int, fields[11:15])) / TICK
        high = [line for line in said.splitlines() if line.startswith("VmHWM")]
        most[process] = int(high[0].split()[1]) / 1024 if high else 0.0
    ours, new = set[int](), {os.getpid()}
    while new:
        new = {process for process, parent in parents.items() if parent in new} - ours
        ours |= new
    return sum(spent[process] for process in ours), sum(most[process] for process in ours)


def split(folder: str, rows: int, parts: int) -> None:
    """The cohort of so many rows in a folder of so many files."""
    whole = pl.read_parquet(Path(folder) / f"cohort-{rows}.parquet")
    target = Path(folder) / f"cohort-{rows}-in-{parts}"
    target.mkdir()
    edges = [rows * number // parts for number in range(parts + 1)]
    for number, (start, stop) in enumerate(pairwise(edges)):
        whole[start:stop].write_parquet(target / f"{number:05d}.parquet")


def what_stays(folder: str, rows: int, parts: int, cores: int) -> dict[str, Any]:
    """CPU seconds of what one process does, whoever scores the parts: look at the files, find the copies, fill the
    places, write the list."""
    from riskmodels.models.risk_model import RiskModel, read_model_folder
    from riskmodels.service.batch import score_batch
    from riskmodels.service.batch.ranked import ROWS_IN_A_BUCKET
    from riskmodels.service.cohort import open_matrix
    from riskmodels.service.outputs.lists import open_list
    from riskmodels.service.shapes import SCORED_SCHEMA, WORDS
    from riskmodels.study import parse_study_file

    heard: dict[str, float] = {}

    def progress(said: str) -> None:
        heard[said.split()[0].rstrip(":")] = time.process_time()

    model = RiskModel.from_files(read_model_folder(Path(folder) / "model"))
    approved: Any = SimpleNamespace(model=model, version=1, model_sha256=model.model_sha256)
    study = parse_study_file(sides.STUDY)
    work = Path(folder) / f"work-{parts}"
    work.mkdir()
    began = time.process_time()
    cohort = open_matrix(
        Path(folder) / f"cohort-{rows}-in-{parts}", model.reasons, study, sides.AS_OF, frozenset(), work
    )
    assert cohort.count == parts
    opened = time.process_time()
    batch = score_batch(
        approved, cohort, study, places={None: round(sides.SHARE_LISTED * rows)}, explain="none", threads=cores,
        work=work, progress=progress,
    )  # fmt: skip
    filled = time.process_time()
    nothing = [pl.lit(None, pl.String).alias(name) for name in WORDS]
    with open_list(work / "list", "parquet") as written:
        for piece in batch.slices():
            written.write(piece.frame.with_columns(nothing).select(list(SCORED_SCHEMA)))
    ended = time.process_time()
    return {
        "open": opened - began, "copies": heard["filling"] - heard["scored"], "places": filled - heard["filling"],
        "list": ended - filled, "runs": parts * (rows // ROWS_IN_A_BUCKET), "peak_mb": peak_mb(),
        "shard_bytes": sum(path.stat().st_size for path in (work / "shards").iterdir()) / rows,
    }  # fmt: skip
