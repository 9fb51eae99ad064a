"""What a piece of work costs: CPU seconds and peak memory of a fresh process that does nothing else.

CPU seconds are user + system of the whole child process with all its threads, imports included, as the kernel counts
them (``wait4``). Wall time is not used: it says more about the neighbours than about the work. Peak memory is the
child's own high-water mark (``VmHWM``): ``ru_maxrss`` would also remember the parent that it was spawned from.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
MEBIBYTE = 2**20
THREADS = "BENCHMARK_THREADS"  # what a peer that must be told reads
LIBRARIES = ("riskmodels", "narwhals", "polars", "duckdb", "pandas", "numpy", "pyarrow", "lightgbm")


class OtherAnswerError(Exception):
    """A peer did not give our answer, so no speed is told."""


@dataclass(frozen=True)
class Cost:
    """``cpu_s``: the whole process. ``work_s``: the function alone, after the imports. ``answer``: what it returned."""

    cpu_s: float
    work_s: float
    peak_mb: float
    answer: Any


@dataclass(frozen=True)
class Row:
    """One line of a benchmark. ``ratio``: the peer's CPU seconds over ours, so more is better. ``holds`` is None where
    nothing is promised, or where the sizes are too small to judge. ``spread``: lowest and highest CPU seconds of ours
    and of the peer. ``note``: what else was measured."""

    work: str
    peer: str = ""
    ours_cpu_s: float | None = None
    peer_cpu_s: float | None = None
    ratio: float | None = None
    goal: str = ""
    holds: bool | None = None
    peak_mb: float | None = None
    spread: dict[str, tuple[float, float]] | None = None
    note: str = ""


# ---------------------------------------------------------------- the child


def run(job: str, threads: int | None = None, *, python: str = sys.executable, **arguments: Any) -> Cost:
    """Call ``module:function`` with these (JSON) arguments in a fresh process; ``python``: of another environment.

    Raises
    ------
    RuntimeError
        with the last lines of what the child said, if it failed.
    """
    environment = dict(os.environ)
    if threads:
        names = ("POLARS_MAX_THREADS", "OMP_NUM_THREADS", THREADS)
        environment |= dict.fromkeys(names, str(threads))
    with tempfile.TemporaryDirectory() as folder:
        said, report = Path(folder) / "said", Path(folder) / "report.json"
        with said.open("wb") as stream:
            command = [python, "-m", "benchmarks.measure", job, json.dumps(arguments), str(report)]
            child = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=stream, stderr=stream)
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            tail = "\n".join(said.read_text(errors="replace").splitlines()[-15:])
            raise RuntimeError(f"{job} ended with {child.returncode}:\n{tail}")
        told = json.loads(report.read_text())
    return Cost(usage.ru_utime + usage.ru_stime, told["work_s"], told["peak_mb"], told["answer"])


def _child(job: str, arguments: str, report: str) -> None:
    module, _, function = job.partition(":")
    work: Callable[..., Any] = getattr(importlib.import_module(module), function)
    before = time.process_time()
    answer = work(**json.loads(arguments))
    spent = time.process_time() - before
    Path(report).write_text(json.dumps({"work_s": spent, "peak_mb": peak_mb(), "answer": answer}))


def peak_mb() -> float:
    """The most memory that this process has held, in MB (2**20 bytes)."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024 / MEBIBYTE
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / MEBIBYTE if sys.platform == "darwin" else most * 1024 / MEBIBYTE


class Steps:
    """CPU seconds of the steps of a child's work, by name: calling it ends a step."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = {}
        self._since = time.process_time()

    def __call__(self, name: str) -> None:
        now = time.process_time()
        self.spent[name] = self.spent.get(name, 0.0) + now - self._since
        self._since = now


# ---------------------------------------------------------------- side by side


def side_by_side(jobs: Mapping[str, Callable[[], Cost]], repeats: int) -> dict[str, list[Cost]]:
    """Every job in turn, ``repeats`` times, so that what disturbs the machine disturbs all alike."""
    costs: dict[str, list[Cost]] = {name: [] for name in jobs}
    for _ in range(repeats):
        for name, job in jobs.items():
            costs[name].append(job())
    return costs


def median(costs: list[Cost], what: str = "cpu_s") -> float:
    return float(statistics.median(getattr(cost, what) for cost in costs))


def of_steps(costs: list[Cost], *names: str) -> list[Cost]:
    """The costs of some steps alone, of jobs that answer with ``steps``."""
    spent = [sum(cost.answer["steps"][name] for name in names if name in cost.answer["steps"]) for cost in costs]
    return [replace(cost, cpu_s=seconds, work_s=seconds) for cost, seconds in zip(costs, spent, strict=True)]


def spread(costs: list[Cost]) -> tuple[float, float]:
    every = [cost.cpu_s for cost in costs]
    return round(min(every), 3), round(max(every), 3)


def compared(
    work: str, peer: str, ours: list[Cost], theirs: list[Cost], at_least: float | None, *, judge: bool, note: str = ""
) -> Row:
    """The row of one peer: medians, their ratio, and whether it reaches the goal."""
    ratio = median(theirs) / median(ours)
    return Row(
        work,
        peer,
        round(median(ours), 3),
        round(median(theirs), 3),
        round(ratio, 2),
        "" if at_least is None else f"ratio >= {at_least:g}",
        None if at_least is None or not judge else ratio >= at_least,
        round(max(cost.peak_mb for cost in ours), 1),
        {"ours": spread(ours), "peer": spread(theirs)},
        f"peer's peak {max(cost.peak_mb for cost in theirs):.0f} MB{'; ' if note else ''}{note}",
    )


def show(row: Row) -> None:
    """Print a row as it is measured."""
    verdict = {True: "holds", False: "MISSED", None: ""}[row.holds]
    parts = [row.work]
    if row.peer:
        parts.append(f"against {row.peer}")
    if row.ours_cpu_s is not None:
        parts.append(f"ours {row.ours_cpu_s:.2f} CPU s")
    if row.peer_cpu_s is not None:
        parts.append(f"peer {row.peer_cpu_s:.2f} CPU s, ratio {row.ratio:.2f}")
    if row.peak_mb is not None:
        parts.append(f"peak {row.peak_mb:.0f} MB")
    if row.spread:
        parts.append(", ".join(f"{who} {low:.2f}-{high:.2f}" for who, (low, high) in row.spread.items()))
    parts += [part for part in (row.note, f"goal {row.goal} {verdict}".strip() if row.goal else "") if part]
    print(" | ".join(parts), flush=True)


# ---------------------------------------------------------------- the command line


def parts_asked(options: argparse.Namespace, parts: Iterable[str]) -> list[str]:
    """The parts of ``--only``, in their own order; all of them unless it is given."""
    parts = list(parts)
    if unknown := sorted(set(options.only) - set(parts)):
        raise SystemExit(f"--only: no part is called {unknown[0]!r} ({', '.join(parts)})")
    return [name for name in parts if not options.only or name in options.only]


def rows_of(name: str, part: Callable[[], Iterable[Row]]) -> Iterator[Row]:
    """The rows of a part, shown as they come. One that fails says so among them: others are still worth their run."""
    try:
        for row in part():
            show(row)
            yield row
    except (RuntimeError, OtherAnswerError) as error:
        print(f"{name}: did not finish: {error}", file=sys.stderr)
        yield Row(name, goal="finishes", holds=False, note=str(error).splitlines()[0])


def main(benchmark: Callable[[argparse.Namespace], list[Row]], description: str | None) -> None:
    """``python benchmarks/NAME.py [--quick] [--json FILE] [--threads N] [--only WORD ...]``"""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small sizes: shows that it runs; judges nothing")
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    parser.add_argument("--threads", type=int, help="threads of both sides (all cores unless said)")
    parser.add_argument("--repeats", type=int, help="how often each side runs")
    parser.add_argument("--only", nargs="+", default=[], help="only these parts")
    options = parser.parse_args()
    print(", ".join(f"{name} {value}" for name, value in {**machine(), **versions()}.items()), flush=True)
    rows = benchmark(options)
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n")


def machine() -> dict[str, str]:
    """What the numbers depend on: nothing that names the machine."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "cores": str(cores),
        "memory": f"{memory:.0f} GiB",
        "processor": platform.machine(),
        "system": platform.system(),
        "python": platform.python_version(),
    }


def versions() -> dict[str, str]:
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


if __name__ == "__main__":
    _child(*sys.argv[1:4])
