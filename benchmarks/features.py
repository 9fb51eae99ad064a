"""Cohort, outcomes, features and matrices: what they cost, beside the peers a careful person would write.

The workload (``workload.py``, ``question.py``): 20,000 people, about 993,000 events, 12 quarterly as-of dates, 108
columns. Parts:

  bench     everything from CSV to the matrix, against DuckDB (one query of conditional aggregates for each date) and
            pandas (one groupby for each date and window). Both must give our very matrix before a speed is printed.
            The goals are for what the queries do: cohort, outcomes and features. The whole is printed beside them,
            where reading, matrix and imports, which nobody does in SQL, thin the ratio.
  source    one source of 2.5 million events of 100,000 people in Parquet, against the bare Polars query
  limit     10 million events with DuckDB under a memory limit
  growth    CPU seconds against events, as-of dates and windows, as exponents
  model     what LightGBM makes of that matrix at six rolling test dates

CPU seconds are those of a whole fresh process, imports included. All peers are installed with the package except
DuckDB (``pip install duckdb``); without it its parts are skipped.

    python benchmarks/features.py [--quick] [--json FILE] [--threads N] [--repeats N] [--only PART ...]
"""

from __future__ import annotations

import argparse
import datetime as dt
import importlib.util
import math
import statistics
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import polars as pl

from benchmarks import question, workload
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

OURS = "benchmarks.features_ours:whole"
CPU_SECONDS, PEAK_MB = 4.0, 600.0
CHEAPER_THAN_SQL, CHEAPER_THAN_PANDAS, WITHIN_POLARS = 6.0, 2.0, 1.3
LIMIT, PEAK_UNDER_LIMIT_MB = "1GB", 2048.0
AUC, PRECISION = 0.79, 0.46
TESTS = tuple(dt.date(year, month, 1) for year in (2021, 2022, 2023) for month in (1, 7))
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Sizes:
    """How large everything is."""

    people: int = workload.PEOPLE
    dates: tuple[dt.date, ...] = question.DATES
    source_people: int = 100_000
    source_events_each: float = 25.0
    limit_people: int = 200_000
    limit_events_each: float = 50.1
    limit_dates: int = 2
    growth_people: tuple[int, ...] = (5_000, 10_000, 20_000, 40_000)
    growth_dates: tuple[int, ...] = (3, 6, 12, 20)
    growth_windows: tuple[int, ...] = (1, 2, 4, 8)
    repeats: int = 5
    judge: bool = True


QUICK = Sizes(
    people=600,
    dates=question.DATES[-3:],
    source_people=2_000,
    limit_people=4_000,
    growth_people=(300, 600, 1_200),
    growth_dates=(1, 2, 4),
    growth_windows=(1, 2, 4),
    repeats=1,
    judge=False,
)
MORE_WINDOWS = ("3 months", "6 months", "1 year", "18 months", "2 years", "30 months", "3 years", "ever")


# ---------------------------------------------------------------- the same answer


def differences(ours: Path, theirs: Path) -> str | None:
    """What differs between two Parquet files of rows keyed by entity and date, or None: counts, dates, categories and
    outcomes exactly, sums and means to 1e-9."""
    keys = ["entity_id", "as_of_date"]
    left, right = (pl.read_parquet(path).with_columns(pl.col("entity_id").cast(pl.Int64)) for path in (ours, theirs))
    left, right = left.sort(keys), right.sort(keys)
    if left.height != right.height or not left.select(keys).equals(right.select(keys)):
        return f"other rows: {left.height} and {right.height}"
    if set(left.columns) != set(right.columns):
        return f"other columns: {sorted(set(left.columns) ^ set(right.columns))[:5]}"
    for name in left.columns:
        if name in keys:
            continue
        a, b = (_plain(frame[name]) for frame in (left, right))
        if not a.is_null().equals(b.is_null()):
            return f"{name}: missing in other rows"
        exact = not any(word in name for word in ("_sum", "_mean", "age"))
        same = (a == b) if exact or a.dtype == pl.String else (a - b).abs() <= TOLERANCE * (1 + b.abs())
        if not same.drop_nulls().all():
            return f"{name}: other values in {same.len() - same.sum()} rows"
    return None


def _plain(column: pl.Series) -> pl.Series:
    return column if column.dtype == pl.String else column.cast(pl.Float64).fill_nan(None)


def refuse_other_answers(work: str, jobs: dict[str, partial[Cost]], ours: str, folder: Path) -> None:
    """Run each side once and compare. Raises OtherAnswerError: a speed of another answer is no speed."""
    paths = {name: folder / f"answer_{place}.parquet" for place, name in enumerate(jobs)}
    for name, job in jobs.items():
        job(out=str(paths[name]))
    for name in jobs:
        found = differences(paths[ours], paths[name])
        if found:
            raise OtherAnswerError(f"{work}: {name} gives another answer: {found}")
    rows = pl.scan_parquet(paths[ours]).select(pl.len()).collect().item()
    for path in paths.values():
        path.unlink()
    print(f"{work}: {', '.join(name for name in jobs if name != ours)} give our very answer in {rows} rows", flush=True)


def installed(library: str) -> bool:
    """Whether a peer is there; if not, says that it is skipped."""
    if importlib.util.find_spec(library):
        return True
    print(f"{library} is not installed: its part is skipped (pip install {library})")
    return False


# ---------------------------------------------------------------- the parts


def bench(sizes: Sizes, folder: Path, threads: int | None) -> Iterator[Row]:
    events = workload.write_workload(folder / "data", sizes.people)
    study = question.write_study(folder / "study", sizes.dates)
    asked, data = question.for_peers(sizes.dates), str(folder / "data")
    work = f"CSV to matrix: {sizes.people} people, {events} events, {len(sizes.dates)} dates"
    jobs = {"ours": partial(run, OURS, threads, study=str(study), data=data)}
    if installed("duckdb"):
        jobs["DuckDB, one query a date"] = partial(
            run, "benchmarks.features_duckdb:whole", threads, asked=asked, data=data
        )
    if installed("pandas"):
        jobs["careful pandas"] = partial(run, "benchmarks.features_pandas:whole", threads, asked=asked, data=data)
    refuse_other_answers(work, jobs, "ours", folder)
    costs = side_by_side(jobs, sizes.repeats)
    ours = costs["ours"]
    peak = max(cost.peak_mb for cost in ours)
    yield Row(
        f"{work}, {ours[0].answer['columns']} columns",
        ours_cpu_s=round(median(ours), 3),
        goal=f"<= {CPU_SECONDS:g} CPU s, peak < {PEAK_MB:g} MB",
        holds=median(ours) <= CPU_SECONDS and peak < PEAK_MB if sizes.judge else None,
        peak_mb=round(peak, 1),
        spread={"ours": spread(ours)},
        note="; ".join(
            f"{step} {median(of_steps(ours, step)):.2f}"
            for step in ("reading", "cohort", "outcomes", "features", "matrix")
        )
        + f"; imports {median(ours) - median(ours, 'work_s'):.2f}",
    )
    goals = {"DuckDB, one query a date": CHEAPER_THAN_SQL, "careful pandas": CHEAPER_THAN_PANDAS}
    for name in jobs:
        if name == "ours":
            continue
        some, theirs = (of_steps(costs[who], "cohort", "outcomes", "features") for who in ("ours", name))
        asked_of_both = (
            f"cohort, outcomes and features: {sizes.people} people, {events} events, {len(sizes.dates)} dates"
        )
        yield compared(asked_of_both, name, some, theirs, goals[name], judge=sizes.judge)
        yield compared(f"{work}, imports included", name, ours, costs[name], None, judge=sizes.judge)


def source(sizes: Sizes, folder: Path, threads: int | None) -> Iterator[Row]:
    events = workload.write_workload(folder / "data", sizes.source_people, sizes.source_events_each, suffix=".parquet")
    study = str(question.write_study(folder / "study", sizes.dates, suffix=".parquet"))
    asked, data = question.for_peers(sizes.dates), str(folder / "data")
    work = f"Parquet to features: {sizes.source_people} people, {events} events, {len(sizes.dates)} dates"
    bare = partial(run, "benchmarks.features_polars:features_alone", threads, asked=asked, data=data)
    jobs = {
        "ours": partial(run, "benchmarks.features_ours:features_alone", threads, study=study, data=data),
        "bare Polars, one group_by a window": partial(bare, how="windows"),
        "bare Polars, conditional aggregates": partial(bare, how="conditional"),
    }
    refuse_other_answers(work, jobs, "ours", folder)
    costs = side_by_side(jobs, max(1, sizes.repeats - 2))
    peers = sorted((name for name in jobs if name != "ours"), key=lambda name: median(costs[name]))
    for place, name in enumerate(peers):
        # Judged against the cheaper of the two.
        at_least = round(1 / WITHIN_POLARS, 2) if place == 0 else None
        row = compared(work, name, costs["ours"], costs[name], at_least, judge=sizes.judge)
        yield replace(row, goal=f"ratio >= {at_least} (within {WITHIN_POLARS}x)") if at_least else row


def limit(sizes: Sizes, folder: Path, threads: int | None) -> Iterator[Row]:
    if not installed("duckdb"):
        return
    events = workload.write_workload(folder / "data", sizes.limit_people, sizes.limit_events_each, suffix=".parquet")
    dates = sizes.dates[-sizes.limit_dates :]
    study = str(question.write_study(folder / "study", dates, suffix=".parquet"))
    facts = pl.scan_parquet(folder / "data" / "events.parquet")
    there = sum(facts.filter(pl.col("event_date") < day).select(pl.len()).collect().item() for day in dates)
    (folder / "spill").mkdir()
    cost = run(
        "benchmarks.features_ours:with_duckdb", threads, study=study, data=str(folder / "data"), memory_limit=LIMIT,
        folder=str(folder / "spill"),
    )  # fmt: skip
    if abs(there - cost.answer["counted"]) > there * 0.01:
        raise OtherAnswerError(f"limit: {there} events before the dates, {cost.answer['counted']:.0f} counted")
    yield Row(
        f"Parquet to features with DuckDB at {LIMIT}: {events} events, {sizes.limit_people} people, {len(dates)} dates",
        ours_cpu_s=round(cost.cpu_s, 2),
        goal=f"completes, peak < {PEAK_UNDER_LIMIT_MB:g} MB",
        holds=cost.peak_mb < PEAK_UNDER_LIMIT_MB if sizes.judge else None,
        peak_mb=round(cost.peak_mb, 1),
        note=f"{cost.answer['rows']} rows of {cost.answer['columns']} columns",
    )


def growth(sizes: Sizes, folder: Path, threads: int | None) -> Iterator[Row]:
    every = question.quarters(dt.date(2018, 10, 1), question.DATES[-1])
    usual = {"people": sizes.growth_people[1], "dates": len(sizes.dates), "windows": 5}
    for what, tried in (
        ("people", sizes.growth_people), ("dates", sizes.growth_dates), ("windows", sizes.growth_windows)
    ):  # fmt: skip
        spent = []
        for number in tried:
            size = {**usual, what: number}
            place = folder / f"{size['people']}"
            if not place.exists():
                workload.write_workload(place, size["people"], suffix=".parquet")
            windows = question.WINDOWS if what != "windows" else MORE_WINDOWS[-number:]
            study = question.write_study(
                folder / f"study_{what}_{number}", every[-size["dates"] :], windows, suffix=".parquet"
            )
            costs = [run(OURS, threads, study=str(study), data=str(place)) for _ in range(min(3, sizes.repeats))]
            spent.append(median(costs, "work_s"))
        words = "events" if what == "people" else what
        steps = ", ".join(f"{number}: {seconds:.2f}" for number, seconds in zip(tried, spent, strict=True))
        slope = exponent(tried, spent)
        yield Row(
            f"growth with {words}",
            goal="",
            note=f"CPU s without imports ~ {words}^{slope:.2f} ({what} {steps})",
        )


def exponent(sizes: tuple[int, ...], seconds: list[float]) -> float:
    """The slope of log seconds on log size: 1 is in proportion."""
    found = statistics.linear_regression([math.log(size) for size in sizes], [math.log(spent) for spent in seconds])
    return found.slope


def model(sizes: Sizes, folder: Path, threads: int | None) -> Iterator[Row]:
    workload.write_workload(folder / "data", sizes.people)
    tests = TESTS if sizes.judge else TESTS[-1:]
    every = question.quarters(dt.date(2018, 10, 1) if sizes.judge else dt.date(2022, 1, 1), TESTS[-1])
    study = str(question.write_study(folder / "study", every))
    arguments: dict[str, Any] = {"study": study, "data": str(folder / "data"), "tests": [d.isoformat() for d in tests]}
    found = run("benchmarks.features_model:rolling", threads, **arguments).answer
    auc, precision = [part["auc"] for part in found], [part["precision"] for part in found]
    shared = "shared" if workload.SHARED.exists() else "own"
    yield Row(
        f"LightGBM on that matrix, {len(tests)} rolling test dates ({shared} events)",
        goal=f"AUC >= {AUC}, precision at 5% >= {PRECISION}",
        holds=statistics.mean(auc) >= AUC and statistics.mean(precision) >= PRECISION if sizes.judge else None,
        note=f"mean AUC {statistics.mean(auc):.3f} ({min(auc):.3f}-{max(auc):.3f}), "
        f"mean precision {statistics.mean(precision):.3f} ({min(precision):.3f}-{max(precision):.3f})",
    )


PARTS = {"bench": bench, "source": source, "limit": limit, "growth": growth, "model": model}


def benchmark(options: argparse.Namespace) -> list[Row]:
    """Every part in turn, in temporary folders."""
    sizes = QUICK if options.quick else Sizes()
    sizes = replace(sizes, repeats=options.repeats or sizes.repeats)
    unknown = sorted(set(options.only) - set(PARTS))
    if unknown:
        raise SystemExit(f"--only: no part is called {unknown[0]!r} ({', '.join(PARTS)})")
    rows = []
    for name, part in PARTS.items():
        if options.only and name not in options.only:
            continue
        with tempfile.TemporaryDirectory() as folder:
            rows += rows_of(name, partial(part, sizes, Path(folder), options.threads))
    return rows


if __name__ == "__main__":
    main(benchmark, __doc__)
