"""Fitting, and everything a run does beside it: what they cost, next to a plain fit and to the fits themselves.

The workload is that of ``features.py``: 20,000 people whose nine quarters are 180,000 rows of 108 columns. Parts:

  fit       encode, fit and calibrate one family at one origin, against one ``lightgbm.train`` of the same trees on all
            the rows that teach (ours holds a quarter of them out to calibrate), against the same with LightGBM left to
            choose how it adds up, and against ``CalibratedClassifierCV(cv=5)``. Their AUCs on a later date must agree.
  run       a whole run: all that comes after fitting, next to the fits of all families
  folds     the trials of a search on folds that share one binning, against binning each fold of each trial; the losses
            must agree
  figures   everything that is said of a ranking of a million rows; AUC, Brier score and O/E must be what scikit-learn
            and the formulas say

CPU seconds are those of the steps that a row names: both sides have read their rows and imported their libraries. One
thread on both sides unless ``--threads`` says otherwise, so that CPU seconds count work, not waiting for each other.

    python benchmarks/training.py [--quick] [--json FILE] [--threads N] [--repeats N] [--only PART ...]
"""

from __future__ import annotations

import argparse
import datetime as dt
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from benchmarks import training_data, workload
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
from benchmarks.training_figures import other_figures

AT_MOST_OF_A_FIT, AFTER_FITTING, FIGURES_CPU_S = 1.1, 0.20, 10.0
AUC_APART, LOSS_APART = 0.003, 1e-3


@dataclass(frozen=True)
class Sizes:
    """How large everything is."""

    people: int = workload.PEOPLE
    dates: tuple[dt.date, ...] = training_data.DATES
    trials: int = 6
    figures_rows: int = 1_000_000
    repeats: int = 5
    judge: bool = True


QUICK = Sizes(people=900, dates=training_data.DATES[-4:], trials=2, figures_rows=20_000, repeats=1, judge=False)


# ---------------------------------------------------------------- the parts


def fit(sizes: Sizes, folder: Path, threads: int) -> Iterator[Row]:
    rows, counts = _kept(sizes, folder, threads)
    jobs = {
        "ours": partial(run, "benchmarks.training_fits:ours", threads, folder=rows),
        "one lightgbm.train": partial(run, "benchmarks.training_fits:plain", threads, folder=rows, repeatable=True),
        "one lightgbm.train, its own way of adding up": partial(
            run, "benchmarks.training_fits:plain", threads, folder=rows, repeatable=False
        ),
        "CalibratedClassifierCV(cv=5)": partial(run, "benchmarks.training_fits:cross_fitted", threads, folder=rows),
    }
    costs = side_by_side(jobs, sizes.repeats)
    aucs = {name: some[0].answer["auc"] for name, some in costs.items()}
    if sizes.judge:
        refuse_other_aucs(aucs)
    whole, encoding = of_steps(costs["ours"], "matrix", "fit"), of_steps(costs["ours"], "matrix")
    work = (
        f"encode, fit, calibrate: {counts['fit']} + {counts['calibrate']} rows, {counts['columns']} columns, "
        f"{training_data.SETTINGS.trees} trees"
    )
    for name in jobs:
        if name == "ours":
            continue
        goal = round(1 / AT_MOST_OF_A_FIT, 2) if name == "one lightgbm.train" else None
        theirs = of_steps(costs[name], "fit")
        note = (
            f"ours {median(whole) / median(theirs):.2f} of the peer's CPU s; encoding {median(encoding):.2f} of ours; "
            f"AUC on a later date {aucs['ours']:.4f} and {aucs[name]:.4f}"
        )
        row = compared(work, name, whole, theirs, goal, judge=sizes.judge, note=note)
        yield replace(row, goal=f"ours <= {AT_MOST_OF_A_FIT:g}x (ratio >= {goal})") if goal else row


def refuse_other_aucs(aucs: Mapping[str, float]) -> None:
    """Raises OtherAnswerError where a peer's ranking is better or worse than ours by more than 0.003."""
    for name, auc in aucs.items():
        if abs(auc - aucs["ours"]) > AUC_APART:
            raise OtherAnswerError(f"fit: {name} has an AUC of {auc:.4f}, ours {aucs['ours']:.4f}")


def whole_run(sizes: Sizes, folder: Path, threads: int) -> Iterator[Row]:
    study, data = training_data.write_bench(folder, sizes.people, sizes.dates)
    costs = [
        run("benchmarks.training_run:whole", threads, study=str(study), data=str(data))
        for _ in range(max(1, sizes.repeats - 2))
    ]
    told = costs[0].answer
    fits, after = (
        [replace(cost, cpu_s=sum(cost.answer[part].values())) for cost in costs] for part in ("fits", "after")
    )
    share = median(after) / median(fits)
    yield Row(
        f"predict, assess, audit, explain, card: {told['rows']} rows, families {', '.join(told['families'])}",
        "the run's own fits (encode, fit, calibrate, of every family at the origin and for service)",
        round(median(after), 3),
        round(median(fits), 3),
        round(1 / share, 2),
        f"<= {AFTER_FITTING:.0%} of the fits",
        share <= AFTER_FITTING if sizes.judge else None,
        round(max(cost.peak_mb for cost in costs), 1),
        {"ours": spread(after), "peer": spread(fits)},
        f"{share:.0%} of the fits; after them: {_steps(costs, 'after')}; fits: {_steps(costs, 'fits')}; not counted: "
        f"{_steps(costs, 'before')}, imports {np.median([cost.answer['imports'] for cost in costs]):.2f}; "
        f"chose {told['model']}",
    )


def _steps(costs: list[Cost], part: str) -> str:
    """Medians of the steps of a part, the dearest first; those below a hundredth of a second together."""
    names = sorted({name for cost in costs for name in cost.answer[part]})
    spent = {name: float(np.median([cost.answer[part].get(name, 0.0) for cost in costs])) for name in names}
    large = {name: seconds for name, seconds in spent.items() if seconds >= 0.01}
    words = [f"{name} {seconds:.2f}" for name, seconds in sorted(large.items(), key=lambda item: -item[1])]
    return ", ".join([*words, f"the rest {sum(spent.values()) - sum(large.values()):.2f}"])


def folds(sizes: Sizes, folder: Path, threads: int) -> Iterator[Row]:
    rows, _ = _kept(sizes, folder, threads)
    name = "each fold of each trial binned by itself"
    jobs = {
        "ours": partial(run, "benchmarks.training_folds:shared", threads, folder=rows, trials=sizes.trials),
        name: partial(run, "benchmarks.training_folds:anew", threads, folder=rows, trials=sizes.trials),
    }
    costs = side_by_side(jobs, max(1, sizes.repeats - 2))
    ours, theirs = (np.array(costs[side][0].answer["losses"]) for side in jobs)
    apart = float(np.abs(ours - theirs).max())
    if sizes.judge and apart > LOSS_APART:  # on few rows, a fold's own bins are others
        raise OtherAnswerError(f"folds: losses differ by up to {apart:.2g}")
    told = costs["ours"][0].answer
    yield compared(
        f"{len(ours)} trials on {ours.shape[1]} folds ({told['how']}) of {told['rows']} rows",
        name,
        of_steps(costs["ours"], "binning", "trials"),
        of_steps(costs[name], "trials"),
        1.0,
        judge=sizes.judge,
        note=f"binning {median(of_steps(costs['ours'], 'binning')):.2f} of ours; losses differ by at most {apart:.1g}",
    )


def figures(sizes: Sizes, folder: Path, threads: int) -> Iterator[Row]:
    study, _ = training_data.write_bench(folder, QUICK.people, QUICK.dates)
    rows = sizes.figures_rows
    plainly = run("benchmarks.training_figures:said_plainly", threads, rows=rows).answer["told"]
    jobs = {
        "evaluate": partial(run, "benchmarks.training_figures:evaluated", threads, rows=rows),
        "assess": partial(run, "benchmarks.training_figures:assessed", threads, rows=rows, study=str(study)),
    }
    costs = side_by_side(jobs, max(1, sizes.repeats - 2))
    for name, some in costs.items():
        wrong = other_figures(some[0].answer["told"], plainly)
        if wrong:
            raise OtherAnswerError(f"figures: {name} has another {wrong[0]} than its formula")
    yield _figures_row("all figures of evaluate", rows, of_steps(costs["evaluate"], "evaluate"), FIGURES_CPU_S, sizes)
    assessed = of_steps(costs["assess"], "rank", "assess_performance")
    yield _figures_row("ranking and performance of a run, four families", rows, assessed, FIGURES_CPU_S, sizes)
    detail = of_steps(costs["assess"], "assess_detail")
    yield _figures_row("what stands behind them: over time, by group, unknown, use", rows, detail, None, sizes)


def _figures_row(what: str, rows: int, costs: list[Cost], most: float | None, sizes: Sizes) -> Row:
    return Row(
        f"{what}: {rows} rows of {rows // 10} people on 10 dates",
        ours_cpu_s=round(median(costs), 3),
        goal=f"<= {most:g} CPU s" if most else "",
        holds=median(costs) <= most if most and sizes.judge else None,
        peak_mb=round(max(cost.peak_mb for cost in costs), 1),
        spread={"ours": spread(costs)},
        note="; ".join(f"{step} {median(of_steps(costs, step)):.2f}" for step in costs[0].answer["steps"]),
    )


def _kept(sizes: Sizes, folder: Path, threads: int) -> tuple[str, dict[str, int]]:
    """The folder of the rows, prepared once, and how many there are."""
    study, data = training_data.write_bench(folder, sizes.people, sizes.dates)
    out = str(folder / "kept")
    kept = run("benchmarks.training_data:keep", threads, study=str(study), data=str(data), out=out)
    return out, kept.answer


PARTS = {"fit": fit, "run": whole_run, "folds": folds, "figures": figures}


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
            rows += rows_of(name, partial(part, sizes, Path(folder), options.threads or 1))
    return rows


if __name__ == "__main__":
    main(benchmark, __doc__)
