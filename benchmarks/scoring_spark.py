"""Scoring a cohort with `--engine spark` in local mode, next to our own engine: what Spark costs on one machine.

Parts:

  small   20,000 rows, reasons for the 14% who are listed: what starting it costs
  listed  a million rows, the same
  large   three million rows, the same: next to ``listed``, what each further million costs
  all     300,000 rows, everybody explained
  stays   CPU time of what one process does whoever scores the parts: us a row, us for each run of a part's rows in a
          bucket of the ranked list, bytes of a shard; and what follows from these for 60 million rows: extrapolated

Both engines must write the same list, byte for byte. CPU seconds are those of all processes, Java included, after
the imports of ours. Needs pyspark and Java 17, and says so where they are missing:

    python -m pip install --require-hashes -r requirements-spark.txt
    python benchmarks/scoring_spark.py [--quick] [--json FILE] [--threads N] [--repeats N] [--only PART ...]
"""

from __future__ import annotations

import argparse
import importlib.util
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.measure import (
    Cost,
    OtherAnswerError,
    Row,
    compared,
    main,
    median,
    parts_asked,
    rows_of,
    run,
    show,
    side_by_side,
)

SIDES, SPARK_SIDES = "benchmarks.scoring_batch_sides", "benchmarks.scoring_spark_sides"
SAME = ("output_sha256", "counts")
STEPS = ("copies", "places", "list")
PAPER = 60_000_000


@dataclass(frozen=True)
class Sizes:
    """How large everything is. ``parts``: the cohort of ``stays`` in few files and in many."""

    small: int = 20_000
    listed: int = 1_000_000
    large: int = 3_000_000
    all: int = 300_000
    parts: tuple[int, int] = (16, 400)
    trees: int = 400
    repeats: int = 2


QUICK = Sizes(1_000, 70_000, 140_000, 2_000, (2, 8), trees=30, repeats=1)


@dataclass
class Bench:
    """The model, and the cohorts that were made so far."""

    folder: str
    sizes: Sizes
    threads: int

    def cohort(self, rows: int) -> None:
        if not (Path(self.folder) / f"cohort-{rows}.parquet").exists():
            run(f"{SIDES}:make_cohort", folder=self.folder, rows=rows)

    def compared(self, what: str, rows: int, explain: str) -> Row:
        self.cohort(rows)
        asked = {"folder": self.folder, "rows": rows, "explain": explain, "cores": self.threads}
        jobs = {
            "spark": partial(run, f"{SPARK_SIDES}:with_spark", self.threads, **asked),
            "local": partial(run, f"{SIDES}:ours", self.threads, **asked),
        }
        costs = side_by_side(jobs, self.sizes.repeats)
        spark, local = (one.answer for one in (costs["spark"][0], costs["local"][0]))
        if any(spark[name] != local[name] for name in SAME):
            raise OtherAnswerError(f"{what}: Spark does not answer as our own engine does")
        walls = {name: min(cost.answer["wall_s"] for cost in of) for name, of in costs.items()}
        driver = ", ".join(f"{name} {1e6 * spent / rows:.1f}" for name, spent in spark["steps"].items())
        return compared(
            f"{what}: {rows} rows, {self.sizes.trees} trees of 31 leaves, {self.threads} cores",
            "our own engine",
            [replace(cost, cpu_s=cost.work_s + cost.answer["others_cpu_s"]) for cost in costs["spark"]],
            [replace(cost, cpu_s=cost.work_s) for cost in costs["local"]],
            None,
            judge=False,
            note=f"wall time {walls['spark']:.1f} s and {walls['local']:.1f} s, {walls['spark'] / walls['local']:.1f} "
            f"times, {spark['start_s']:.1f} s of it until the session stands; Java and the workers hold "
            f"{spark['others_mb']:.0f} MB at most; CPU us a row in our own process: {driver}",
        )


# ---------------------------------------------------------------- the parts


def small(bench: Bench) -> Iterator[Row]:
    yield bench.compared("spark, reasons for the listed 14%", bench.sizes.small, "selected")


def listed(bench: Bench) -> Iterator[Row]:
    yield bench.compared("spark, reasons for the listed 14%", bench.sizes.listed, "selected")


def large(bench: Bench) -> Iterator[Row]:
    yield bench.compared("spark, reasons for the listed 14%", bench.sizes.large, "selected")


def everybody(bench: Bench) -> Iterator[Row]:
    yield bench.compared("spark, everybody explained", bench.sizes.all, "all")


def stays(bench: Bench) -> Iterator[Row]:
    from riskmodels.service.batch.ranked import ROWS_IN_A_BUCKET
    from riskmodels.service.cohort.parquet import ROWS_AT_MOST

    rows, (few, many) = bench.sizes.listed, bench.sizes.parts
    bench.cohort(rows)
    found: dict[int, Cost] = {}
    for parts in (few, many):
        run(f"{SPARK_SIDES}:split", folder=bench.folder, rows=rows, parts=parts)
        found[parts] = run(
            f"{SPARK_SIDES}:what_stays", bench.threads, folder=bench.folder, rows=rows, parts=parts, cores=bench.threads
        )
    one, other = found[few].answer, found[many].answer
    a_run = {name: max(0.0, (other[name] - one[name]) / (other["runs"] - one["runs"])) for name in STEPS}
    a_row = {name: (one[name] - a_run[name] * one["runs"]) / rows for name in STEPS} | {"open": one["open"] / rows}
    runs = -(-PAPER // ROWS_AT_MOST) * (PAPER // ROWS_IN_A_BUCKET)
    minutes = (PAPER * sum(a_row.values()) + runs * sum(a_run.values())) / 60
    yield Row(
        f"spark, what stays with one process: {rows} rows in {few} parts and in {many}",
        ours_cpu_s=round(median([found[few]], "work_s"), 2),
        peak_mb=round(found[few].peak_mb, 1),
        note="CPU us a row: " + ", ".join(f"{name} {1e6 * spent:.2f}" for name, spent in a_row.items())
        + "; us a run: " + ", ".join(f"{name} {1e6 * spent:.0f}" for name, spent in a_run.items())
        + f"; {one['shard_bytes']:.0f} bytes of shard a row; extrapolated to {PAPER:,} rows ({runs:,} runs): "
        f"{minutes:.0f} CPU minutes, {one['shard_bytes'] * PAPER / 2**30:.1f} GiB of shards",
    )  # fmt: skip


PARTS: dict[str, Callable[[Bench], Iterator[Row]]] = {
    "small": small, "listed": listed, "large": large, "all": everybody, "stays": stays,
}  # fmt: skip


def benchmark(options: argparse.Namespace) -> list[Row]:
    """Every part in turn."""
    sizes = QUICK if options.quick else Sizes()
    sizes = replace(sizes, repeats=options.repeats or sizes.repeats)
    asked = parts_asked(options, PARTS)
    missing = importlib.util.find_spec("pyspark") is None or shutil.which("java") is None
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(folder, sizes, options.threads or 2)
        run(f"{SIDES}:make_model", folder=folder, trees=sizes.trees)
        for name in asked:
            if missing and name != "stays":
                rows.append(Row(f"spark, {name}", note="not measured: pyspark or Java is not installed here"))
                show(rows[-1])
                continue
            rows += rows_of(name, partial(PARTS[name], bench))
    return rows


if __name__ == "__main__":
    main(benchmark, __doc__)
