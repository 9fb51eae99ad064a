"""The fairness audit: what it costs, next to pandas and to fairlearn's MetricFrame on the same rows.

Parts:

  whole       a million rows, five attributes and all their pairs, eight metrics, calibration and AUC of every group,
              2,000 replicates, verdicts included; against a pandas groupby and against MetricFrame, which give point
              metrics only. The metrics of all three must be the same
  replicates  fairlearn's own row bootstrap, a few replicates on 100,000 rows of one attribute; what 2,000 of them would
              take for five attributes is worked out from it, and is no measurement
  sparse      nine attributes and all 36 pairs: more combinations of groups than rows
  people      a million rows of 400,000 people, who are resampled whole
  large       ten million rows

CPU seconds are those of the audit alone: the rows are made and the libraries imported before. Peak memory is that of
the whole process, rows and libraries included.

    python benchmarks/audit.py [--quick] [--json FILE] [--threads N] [--repeats N] [--only PART ...]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping
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
    rows_of,
    run,
    side_by_side,
    spread,
)

WHOLE_CPU_S, WHOLE_MB, LARGE_CPU_S = 2.0, 600, 15.0
REPLICATES = 2000
APART = 1e-9


@dataclass(frozen=True)
class Sizes:
    """How large everything is."""

    rows: int = 1_000_000
    people: int = 400_000
    large: int = 10_000_000
    bootstrap_rows: int = 100_000
    bootstrap_replicates: int = 5
    repeats: int = 5
    judge: bool = True


QUICK = Sizes(5_000, 2_000, 20_000, 2_000, 2, repeats=1, judge=False)


# ---------------------------------------------------------------- the parts


def whole(sizes: Sizes, threads: int) -> Iterator[Row]:
    jobs = {
        "ours": partial(run, "benchmarks.audit_sides:ours", threads, rows=sizes.rows, attributes=5),
        "pandas": partial(run, "benchmarks.audit_sides:with_pandas", threads, rows=sizes.rows, attributes=5),
    }
    costs = side_by_side(jobs, sizes.repeats)
    # Once: it takes a minute, and the differences are not close.
    name = "fairlearn MetricFrame"
    job = "benchmarks.audit_sides:with_fairlearn"
    costs[name] = [run(job, threads, rows=sizes.rows, attributes=5, pairs=False)]
    for peer in ("pandas", name):
        refuse_other_metrics(costs["ours"][0].answer["told"], costs[peer][0].answer["told"], peer)
    ours = of_steps(costs["ours"], "audit")
    yield _alone("5 attributes and all pairs", sizes.rows, costs["ours"], WHOLE_CPU_S, WHOLE_MB, sizes)
    what = f"whole audit against point metrics alone: {sizes.rows} rows, 5 attributes"
    said = "no interval, calibration or verdict in the peer's"
    theirs = of_steps(costs["pandas"], "metrics")
    yield compared(f"{what} and all pairs", "a pandas groupby", ours, theirs, None, judge=False, note=said)
    theirs = of_steps(costs[name], "metrics")
    yield compared(f"{what}, pairs only in ours", name, ours, theirs, None, judge=False, note=said)


def replicates(sizes: Sizes, threads: int) -> Iterator[Row]:
    job, rows, drawn = "benchmarks.audit_sides:with_fairlearn", sizes.bootstrap_rows, sizes.bootstrap_replicates
    ours = [run("benchmarks.audit_sides:ours", threads, rows=rows, attributes=5)]
    points, boot = ([run(job, threads, rows=rows, attributes=1, pairs=False, replicates=count)] for count in (0, drawn))
    each = (median(of_steps(boot, "metrics")) - median(of_steps(points, "metrics"))) / drawn
    yield compared(
        f"audit of 5 attributes and all pairs, {REPLICATES} replicates, against {drawn} replicates of one attribute of "
        f"2 groups: {rows} rows",
        "fairlearn MetricFrame, n_boot",
        of_steps(ours, "audit"),
        of_steps(boot, "metrics"),
        None,
        judge=False,
        note=f"{each:.2f} CPU s for each replicate of one attribute; extrapolated, not measured: {REPLICATES} of five "
        f"attributes would take {each * REPLICATES * 5 / 3600:.1f} CPU hours",
    )


def sparse(sizes: Sizes, threads: int) -> Iterator[Row]:
    job = partial(run, "benchmarks.audit_sides:ours", threads, rows=sizes.rows, attributes=9)
    yield _alone(
        "9 attributes, sparse codes, all 36 pairs", sizes.rows, [job() for _ in _few(sizes)], None, None, sizes
    )


def people(sizes: Sizes, threads: int) -> Iterator[Row]:
    job = partial(run, "benchmarks.audit_sides:ours", threads, rows=sizes.rows, attributes=5, people=sizes.people)
    what = f"5 attributes and all pairs, clusters of {sizes.people} people"
    yield _alone(what, sizes.rows, [job() for _ in _few(sizes)], None, None, sizes)


def large(sizes: Sizes, threads: int) -> Iterator[Row]:
    job = partial(run, "benchmarks.audit_sides:ours", threads, rows=sizes.large, attributes=5)
    costs = [job() for _ in _few(sizes)]
    yield _alone("5 attributes and all pairs", sizes.large, costs, LARGE_CPU_S, None, sizes)


def _few(sizes: Sizes) -> range:
    return range(max(1, sizes.repeats - 2))


def _alone(what: str, rows: int, costs: list[Cost], cpu_s: float | None, most_mb: int | None, sizes: Sizes) -> Row:
    """A row of ours, with its goals."""
    audit, told = of_steps(costs, "audit"), costs[0].answer
    spent, peak = median(audit), max(cost.peak_mb for cost in costs)
    goal = "" if cpu_s is None else f"<= {cpu_s:g} CPU s" + (f", peak <= {most_mb} MB" if most_mb else "")
    held = None if cpu_s is None or not sizes.judge else spent <= cpu_s and (most_mb is None or peak <= most_mb)
    return Row(
        f"audit, {REPLICATES} replicates, verdicts: {rows} rows, {what}",
        ours_cpu_s=round(spent, 3),
        goal=goal,
        holds=held,
        peak_mb=round(peak, 1),
        spread={"ours": spread(audit)},
        note=f"{told['groups']} groups, {told['intersections']} intersections, {told['contrasts']} contrasts; "
        f"{max(cost.answer['before_mb'] for cost in costs):.0f} MB of the peak before the audit; whole process with "
        f"imports and making the rows {median(costs):.2f} CPU s",
    )


def refuse_other_metrics(ours: Mapping[str, list[float]], theirs: Mapping[str, list[float]], peer: str) -> None:
    """Raises OtherAnswerError where a peer has another value of a metric in a group."""
    if set(ours) != set(theirs):
        raise OtherAnswerError(f"whole: {peer} has other groups")
    for group, values in ours.items():
        for one, other in zip(values, theirs[group], strict=True):
            if one is not None and not abs(one - other) <= APART:
                raise OtherAnswerError(f"whole: {peer} says {other} of {group}, ours {one}")


PARTS: dict[str, Callable[[Sizes, int], Iterator[Row]]] = {
    "whole": whole, "replicates": replicates, "sparse": sparse, "people": people, "large": large,
}  # fmt: skip


def benchmark(options: argparse.Namespace) -> list[Row]:
    """Every part in turn."""
    sizes = QUICK if options.quick else Sizes()
    sizes = replace(sizes, repeats=options.repeats or sizes.repeats)
    unknown = sorted(set(options.only) - set(PARTS))
    if unknown:
        raise SystemExit(f"--only: no part is called {unknown[0]!r} ({', '.join(PARTS)})")
    rows = []
    for name, part in PARTS.items():
        if options.only and name not in options.only:
            continue
        rows += rows_of(name, partial(part, sizes, options.threads or 1))
    return rows


if __name__ == "__main__":
    main(benchmark, __doc__)
