"""The card of a large study: what building it, drawing its figures and rendering it cost.

Parts:

  card  the county's study with so many children that 200,000 rows are tested: from its results to the card, its figures
        and its files (HTML, Markdown and JSON); and the figures alone against a plain pyplot script that draws the same
        tables, one figure each

The study is run once, and its results are kept; each side then starts from them in a fresh process. CPU seconds are
those of the steps named, imports left out; the whole process stands beside them.

    python benchmarks/cards.py [--quick] [--json FILE] [--threads N] [--repeats N]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.measure import (
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

CARD_CPU_S = 5.0
STEPS = ("build", "draw and render")


@dataclass(frozen=True)
class Sizes:
    """``people``: children in the county's extract; about 1.2 rows are tested for each."""

    people: int = 166_000
    repeats: int = 5
    judge: bool = True


QUICK = Sizes(2_000, repeats=1, judge=False)


def card(sizes: Sizes, folder: Path, threads: int) -> Iterator[Row]:
    kept = str(folder / "results.pickle")
    rows = run("benchmarks.cards_sides:keep", threads, people=sizes.people, folder=str(folder), out=kept).answer["rows"]
    jobs = {
        "ours": partial(run, "benchmarks.cards_sides:ours", threads, kept=kept),
        "pyplot": partial(run, "benchmarks.cards_sides:with_pyplot", threads, kept=kept),
    }
    costs = side_by_side(jobs, sizes.repeats)
    told, theirs = costs["ours"][0].answer, costs["pyplot"][0].answer
    if told["figures"] != theirs["figures"]:
        raise OtherAnswerError("card: pyplot has drawn other figures")
    spent = of_steps(costs["ours"], *STEPS)
    steps = ", ".join(f"{name} {median(of_steps(costs['ours'], name)):.2f}" for name in STEPS)
    yield Row(
        f"card, from results to its files: {rows} rows tested",
        ours_cpu_s=round(median(spent), 3),
        goal=f"<= {CARD_CPU_S:g} CPU s",
        holds=median(spent) <= CARD_CPU_S if sizes.judge else None,
        peak_mb=round(max(cost.peak_mb for cost in costs["ours"]), 1),
        spread={"ours": spread(spent)},
        note=f"{steps}; {len(told['figures'])} figures; card.html {told['html_kb']} kB, card.json {told['json_kb']} "
        f"kB; whole process with imports {median(costs['ours']):.2f} CPU s",
    )
    yield compared(
        f"the card's figures alone: {len(told['figures'])} pictures",
        "a plain pyplot script of the same tables",
        of_steps(costs["ours"], "draw"),
        of_steps(costs["pyplot"], "draw"),
        None,
        judge=False,
        note="the peer's have no words of their own, no bands and no names at their lines",
    )


PARTS = {"card": card}


def benchmark(options: argparse.Namespace) -> list[Row]:
    """Every part in turn."""
    sizes = QUICK if options.quick else Sizes()
    sizes = replace(sizes, repeats=options.repeats or sizes.repeats)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name in parts_asked(options, PARTS):
            rows += rows_of(name, partial(PARTS[name], sizes, Path(folder), options.threads or 1))
    return rows


if __name__ == "__main__":
    main(benchmark, __doc__)
