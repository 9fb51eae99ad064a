"""The kernel that scores and explains: what it costs next to LightGBM, shap and onnxruntime on the same rows.

Parts:

  explain   scores and contributions of every row, against ``predict(pred_contrib=True)`` and ``shap.TreeExplainer``
  score     raw scores alone, against ``Booster.predict(raw_score=True)`` and onnxruntime
  threads   two threads against one, in wall time: on a machine that others use, it says little
  growth    how the cost of explaining grows with rows, trees, leaves and features: the exponent e of cost ~ size^e

400 trees of 31 and of 63 leaves on 108 features, 8 of them categories of 20 values split as sets, one value in ten
missing, LightGBM's own defaults otherwise: no bound on depth (the row says how deep the trees are). One thread each.
Before a speed is shown, raw scores must be LightGBM's to the bit, and contributions its own to 1e-5 with the same three
features raising and the same three lowering most, on every row that is compared. What a peer takes long for is measured
on fewer rows and scaled to ours. CPU seconds are those of the step alone, the compiled loops kept from before: reading
the text and making the tables is said beside it.

onnxruntime is skipped unless installed: pip install onnxmltools onnxruntime

    python benchmarks/scoring_kernel.py [--quick] [--json FILE] [--repeats N] [--only PART ...]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np

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
)

SIDES = "benchmarks.scoring_kernel_sides"
COLUMNS = 108
# Ratios promised, by leaves.
EXPLAIN, SCORE = {31: 50.0, 63: 35.0}, {31: 8.0, 63: 4.0}
TWO_CORES = 1.7
CLOSE = 1e-5
RISK_CLOSE = 1e-3  # onnxruntime rounds numbers to float32, so that some rows turn the other way


@dataclass
class Bench:
    """How large everything is, and the boosters that were fitted so far."""

    folder: str = ""
    rows: int = 20_000
    explained: int = 300
    fit_rows: int = 20_000
    trees: int = 400
    repeats: int = 3
    judge: bool = True
    fitted: dict[str, dict[str, float]] = field(default_factory=dict)

    def booster(self, leaves: int, columns: int = COLUMNS) -> str:
        """The name of a booster, fitted when it is first asked for."""
        name = f"leaves{leaves}columns{columns}"
        if name not in self.fitted:
            sizes = {"columns": columns, "leaves": leaves, "trees": self.trees, "rows": self.fit_rows}
            self.fitted[name] = run(f"{SIDES}:fit", folder=self.folder, name=name, **sizes).answer
        return name

    def ours(self, name: str, columns: int = COLUMNS, rows: int | None = None, **more: object) -> Cost:
        return run(f"{SIDES}:ours", 1, folder=self.folder, name=name, columns=columns, rows=rows or self.rows, **more)


# ---------------------------------------------------------------- the parts


def held(bench: Bench, name: str) -> float:
    """The largest difference of a contribution from LightGBM's. Raises OtherAnswerError where more differs."""
    answer = bench.ours(name, check=True).answer
    if answer["told"]:
        raise OtherAnswerError(f"{name}: {answer['told']}")
    return float(answer["apart"])


def sides(bench: Bench, name: str) -> dict[str, list[Cost]]:
    peer = partial(
        run, f"{SIDES}:lightgbm_itself", 1, folder=bench.folder, name=name, columns=COLUMNS, rows=bench.rows,
        explained=bench.explained,
    )  # fmt: skip
    return side_by_side({"ours": partial(bench.ours, name), "LightGBM": peer}, bench.repeats)


def described(bench: Bench, leaves: int) -> str:
    depth = bench.fitted[bench.booster(leaves)]
    return (
        f"{bench.rows} rows, {bench.trees} trees of {leaves} leaves, {depth['depth']:.1f} deep on average and "
        f"{depth['deepest']} at most"
    )


def explain(bench: Bench) -> Iterator[Row]:
    for leaves, goal in EXPLAIN.items():
        name = bench.booster(leaves)
        apart, costs = held(bench, name), sides(bench, name)
        ours, work = of_steps(costs["ours"], "explain"), f"score and explain: {described(bench, leaves)}"
        each = median(ours) / bench.rows * 1e6
        build = median(of_steps(costs["ours"], "build"))
        note = f"{each:.1f} us a row; tables made in {build:.2f} CPU s; at most {apart:.0e} from the peer's"
        theirs = scaled(of_steps(costs["LightGBM"], "explain"), bench.rows / bench.explained)
        peer = f"LightGBM pred_contrib (measured on {bench.explained} rows)"
        yield compared(work, peer, ours, theirs, goal, judge=bench.judge, note=note)
        theirs = [
            run(f"{SIDES}:with_shap", 1, folder=bench.folder, name=name, columns=COLUMNS, explained=bench.explained)
        ]
        if not theirs[0].answer["apart"] <= CLOSE:
            raise OtherAnswerError(f"{name}: shap differs by {theirs[0].answer['apart']:.1e}")
        theirs = scaled(of_steps(theirs, "explain"), bench.rows / bench.explained)
        peer = f"shap.TreeExplainer (measured on {bench.explained} rows)"
        yield compared(work, peer, ours, theirs, None, judge=False)


def score(bench: Bench) -> Iterator[Row]:
    for leaves, goal in SCORE.items():
        name = bench.booster(leaves)
        held(bench, name)
        costs = sides(bench, name)
        ours, theirs = (of_steps(costs[who], "score") for who in ("ours", "LightGBM"))
        work = f"raw scores alone: {described(bench, leaves)}"
        note = f"{median(ours) / bench.rows * 1e6:.2f} us a row, to the bit the peer's"
        yield compared(work, "LightGBM predict", ours, theirs, goal, judge=bench.judge, note=note)
        cost = run(f"{SIDES}:with_onnx", 1, folder=bench.folder, name=name, columns=COLUMNS, rows=bench.rows)
        if "missing" in cost.answer:
            print(f"onnxruntime skipped: {cost.answer['missing']}", file=sys.stderr)
            continue
        note = f"risks at most {cost.answer['apart']:.0e} from LightGBM's"
        if not cost.answer["apart"] <= RISK_CLOSE:
            note += ": not the same answers, so the ratio compares unlike with unlike"
        yield compared(work, "onnxruntime", ours, of_steps([cost], "score"), None, judge=False, note=note)


def threads(bench: Bench) -> Iterator[Row]:
    for leaves in EXPLAIN:
        name = bench.booster(leaves)
        sizes = {"columns": COLUMNS, "rows": 2 * bench.rows, "times": 2 * bench.repeats + 1}
        answer = run(f"{SIDES}:one_and_two", folder=bench.folder, name=name, **sizes).answer
        if not answer["same"]:
            raise OtherAnswerError(f"{name}: two threads give other bits than one")
        ratio = answer["one"] / answer["two"]
        yield Row(
            f"two threads against one, explaining: {2 * bench.rows} rows, {leaves} leaves",
            ratio=round(ratio, 2),
            goal=f"ratio >= {TWO_CORES}",
            holds=ratio >= TWO_CORES if bench.judge else None,
            note=f"wall seconds, least of {sizes['times']}: {answer['one']:.2f} and {answer['two']:.2f}; same bits; "
            f"ratio {ratio:.2f}",
        )


def growth(bench: Bench) -> Iterator[Row]:
    base = bench.booster(31)
    quarter = [1, 2, 4]
    ways: dict[str, dict[int, Callable[[], Cost]]] = {
        "rows": {bench.rows * by: partial(bench.ours, base, rows=bench.rows * by) for by in quarter},
        "trees": {bench.trees * by // 4: partial(bench.ours, base, trees=bench.trees * by // 4) for by in quarter},
        "leaves": {leaves: partial(bench.ours, bench.booster(leaves)) for leaves in (15, 31, 63)},
        "features": {
            columns: partial(bench.ours, bench.booster(31, columns), columns=columns) for columns in (27, 54, COLUMNS)
        },
    }
    for what, jobs in ways.items():
        costs = side_by_side({str(size): job for size, job in jobs.items()}, bench.repeats)
        said = []
        for step in ("explain", "score"):
            spent = [median(of_steps(costs[str(size)], step)) for size in jobs]
            exponent = np.polyfit(np.log(list(jobs)), np.log(spent), 1)[0]
            shown = ", ".join(f"{seconds:.3f}" for seconds in spent)
            said.append(f"{step} {exponent:.2f} ({shown} CPU s)")
        sizes = ", ".join(map(str, jobs))
        yield Row(f"growth with {what} ({sizes})", note="exponents: " + "; ".join(said))


def scaled(costs: list[Cost], by: float) -> list[Cost]:
    return [replace(cost, cpu_s=cost.cpu_s * by, work_s=cost.work_s * by) for cost in costs]


PARTS: dict[str, Callable[[Bench], Iterator[Row]]] = {
    "explain": explain, "score": score, "threads": threads, "growth": growth,
}  # fmt: skip


def benchmark(options: argparse.Namespace) -> list[Row]:
    """Every part in turn."""
    bench = Bench()
    if options.quick:
        bench = Bench(rows=500, explained=20, fit_rows=2_000, trees=8, repeats=1, judge=False)
    bench.repeats = options.repeats or bench.repeats
    asked = parts_asked(options, PARTS)
    rows = []
    with tempfile.TemporaryDirectory() as bench.folder:
        for name in asked:
            rows += rows_of(name, partial(PARTS[name], bench))
    return rows


if __name__ == "__main__":
    main(benchmark, __doc__)
