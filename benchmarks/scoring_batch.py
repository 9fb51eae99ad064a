"""Scoring a cohort from a Parquet file to a ranked list in a Parquet file, next to LightGBM's raw scores alone.

Parts:

  listed   reasons for the 14% who are listed, against loading the same rows and `Booster.predict` on them, which writes
           nothing, ranks nobody and explains nobody
  all      the same with everybody explained
  naive    everybody explained, against a plain script with pandas and shap; on few rows, since it takes so long
  memory   the peak of a million and of ten million rows, which should be the same
  cold     CPU seconds of a fresh process until its first rows are scored, the kernel compiled before
  cores    wall time of one core over that of two

Both sides must give the same risks. CPU seconds are those after the imports, except in ``cold``. The peer's encoding of
the rows is not counted: what remains is loading and `predict`.

    python benchmarks/scoring_batch.py [--quick] [--json FILE] [--threads N] [--repeats N] [--only PART ...]
"""

from __future__ import annotations

import argparse
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
    of_steps,
    parts_asked,
    rows_of,
    run,
    side_by_side,
    spread,
)

SIDES = "benchmarks.scoring_batch_sides"
LISTED_RATIO, ALL_RATIO, MOST_MB, FLAT, COLD_CPU_S, TWO_CORES = 2.5, 1.0, 700, 1.1, 2.0, 1.7
APART = 1e-9
OURS, THEIRS = ("load", "open", "score", "write"), ("load", "predict")


@dataclass(frozen=True)
class Sizes:
    """How large everything is."""

    rows: int = 1_000_000
    naive: int = 20_000
    million: int = 1_000_000
    large: int = 10_000_000
    cold: int = 1_000
    trees: int = 400
    repeats: int = 3
    judge: bool = True


QUICK = Sizes(5_000, 500, 70_000, 200_000, 500, trees=30, repeats=1, judge=False)


@dataclass
class Bench:
    """The model, and the cohorts that were made so far."""

    folder: str
    sizes: Sizes
    threads: int

    def ours(self, rows: int, explain: str, threads: int | None = None) -> Cost:
        self.cohort(rows)
        cores = threads or self.threads
        return run(f"{SIDES}:ours", cores, folder=self.folder, rows=rows, explain=explain, cores=cores)

    def peer(self, name: str, rows: int) -> Cost:
        self.cohort(rows)
        return run(f"{SIDES}:{name}", self.threads, folder=self.folder, rows=rows, cores=self.threads)

    def cohort(self, rows: int) -> None:
        if not (Path(self.folder) / f"cohort-{rows}.parquet").exists():
            run(f"{SIDES}:make_cohort", folder=self.folder, rows=rows)


# ---------------------------------------------------------------- the parts


def listed(bench: Bench) -> Iterator[Row]:
    yield _against_lightgbm(bench, "selected", "reasons for the listed 14%", LISTED_RATIO)


def everybody(bench: Bench) -> Iterator[Row]:
    yield _against_lightgbm(bench, "all", "everybody explained", ALL_RATIO)


def _against_lightgbm(bench: Bench, explain: str, what: str, goal: float) -> Row:
    sizes = bench.sizes
    jobs = {
        "ours": partial(bench.ours, sizes.rows, explain),
        "peer": partial(bench.peer, "with_lightgbm", sizes.rows),
    }
    costs = side_by_side(jobs, sizes.repeats)
    refuse_other_risks(costs["ours"][0], costs["peer"][0], "LightGBM")
    ours, peer = of_steps(costs["ours"], *OURS), of_steps(costs["peer"], *THEIRS)
    steps = costs["ours"][0].answer["steps"]
    each = ", ".join(f"{name} {1e6 * spent / sizes.rows:.1f}" for name, spent in steps.items())
    predict = median(of_steps(costs["peer"], "predict"))
    return compared(
        f"batch, Parquet to Parquet, {what}: {sizes.rows} rows, {sizes.trees} trees of 31 leaves",
        "loading and Booster.predict (raw scores only)",
        ours,
        peer,
        goal,
        judge=sizes.judge,
        note=f"us a row: {each}; the peer's predict alone {1e6 * predict / sizes.rows:.1f}",
    )


def naive(bench: Bench) -> Iterator[Row]:
    rows = bench.sizes.naive
    ours, peer = bench.ours(rows, "all"), bench.peer("with_pandas_and_shap", rows)
    refuse_other_risks(ours, peer, "pandas and shap")
    yield compared(
        f"batch, everybody explained: {rows} rows, {bench.sizes.trees} trees of 31 leaves",
        "a plain script with pandas and shap",
        of_steps([ours], *OURS),
        of_steps([peer], "all"),
        None,
        judge=False,
        note=f"the peer takes {1e6 * peer.answer['steps']['all'] / rows:.0f} us a row",
    )


def memory(bench: Bench) -> Iterator[Row]:
    sizes = bench.sizes
    small, large = (bench.ours(rows, "selected") for rows in (sizes.million, sizes.large))
    grown = large.peak_mb / small.peak_mb
    held = grown <= FLAT and large.peak_mb < MOST_MB
    spent = of_steps([large], *OURS)
    each = ", ".join(f"{name} {1e6 * spent / sizes.large:.1f}" for name, spent in large.answer["steps"].items())
    yield Row(
        f"batch, reasons for the listed 14%: peak memory of {sizes.large} rows next to {sizes.million}",
        ours_cpu_s=round(median(spent), 2),
        goal=f"<= {FLAT:g} times, < {MOST_MB} MB",
        holds=held if sizes.judge else None,
        peak_mb=round(large.peak_mb, 1),
        note=f"{grown:.2f} times the {small.peak_mb:.0f} MB of {sizes.million} rows; us a row: {each}",
    )


def cold(bench: Bench) -> Iterator[Row]:
    sizes = bench.sizes
    bench.ours(sizes.cold, "selected")  # compiles the kernel, if nobody has
    costs = [bench.ours(sizes.cold, "selected") for _ in range(sizes.repeats)]
    first = [replace(cost, cpu_s=cost.answer["first_cpu_s"]) for cost in costs]
    spent = median(first)
    yield Row(
        f"batch, a fresh process until its first rows are scored: {sizes.cold} rows",
        ours_cpu_s=round(spent, 3),
        goal=f"< {COLD_CPU_S:g} CPU s",
        holds=spent < COLD_CPU_S if sizes.judge else None,
        peak_mb=round(max(cost.peak_mb for cost in costs), 1),
        spread={"ours": spread(first)},
        note=f"whole process, with the check against LightGBM and its import, {median(costs):.2f} CPU s",
    )


def cores(bench: Bench) -> Iterator[Row]:
    sizes = bench.sizes
    for explain in ("selected", "all"):
        jobs = {str(threads): partial(bench.ours, sizes.rows, explain, threads) for threads in (1, 2)}
        costs = side_by_side(jobs, sizes.repeats)
        refuse_other_risks(costs["1"][0], costs["2"][0], "the other number of threads")
        one, two = (min(cost.answer["wall_s"] for cost in costs[name]) for name in ("1", "2"))
        yield Row(
            f"batch, {explain} explained, two cores next to one: {sizes.rows} rows",
            ratio=round(one / two, 2),
            goal=f"ratio >= {TWO_CORES:g}",
            holds=one / two >= TWO_CORES if sizes.judge else None,
            note=f"wall time {one:.1f} s and {two:.1f} s, the best of {sizes.repeats}; CPU {median(costs['1']):.1f} "
            f"and {median(costs['2']):.1f} s",
        )


def refuse_other_risks(ours: Cost, theirs: Cost, peer: str) -> None:
    """Raises OtherAnswerError where the peer has other risks, in sum or at the top."""
    one, other = ours.answer, theirs.answer
    same = one["rows"] == other["rows"] and abs(one["sum"] - other["sum"]) <= APART * one["rows"]
    if not same or max(abs(a - b) for a, b in zip(one["top"], other["top"], strict=True)) > APART:
        raise OtherAnswerError(f"{peer} has other risks: {other['sum']} over {other['rows']} rows, ours {one['sum']}")


PARTS: dict[str, Callable[[Bench], Iterator[Row]]] = {
    "listed": listed, "all": everybody, "naive": naive, "cold": cold, "cores": cores, "memory": memory,
}  # fmt: skip


def benchmark(options: argparse.Namespace) -> list[Row]:
    """Every part in turn."""
    sizes = QUICK if options.quick else Sizes()
    sizes = replace(sizes, repeats=options.repeats or sizes.repeats)
    asked = parts_asked(options, PARTS)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(folder, sizes, options.threads or 1)
        run(f"{SIDES}:make_model", folder=folder, trees=sizes.trees)
        for name in asked:
            rows += rows_of(name, partial(PARTS[name], bench))
    return rows


if __name__ == "__main__":
    main(benchmark, __doc__)
