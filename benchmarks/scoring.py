"""Scoring, whole: the kernel that scores and explains trees, then the batch from a file to a list.

Each is a benchmark of its own (`scoring_kernel.py`, `scoring_batch.py`), which says what its parts compare; Spark has
another (`scoring_spark.py`). ``--only`` names parts of either.

    python benchmarks/scoring.py [--quick] [--json FILE] [--threads N] [--repeats N] [--only PART ...]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import scoring_batch, scoring_kernel
from benchmarks.measure import Row, main, parts_asked


def both(options: argparse.Namespace) -> list[Row]:
    """The rows of the kernel and of the batch, as far as parts of them are asked for."""
    rows = []
    asked = parts_asked(options, [*scoring_kernel.PARTS, *scoring_batch.PARTS])
    for module in (scoring_kernel, scoring_batch):
        if only := [part for part in asked if part in module.PARTS]:
            rows += module.benchmark(argparse.Namespace(**{**vars(options), "only": only}))
    return rows


if __name__ == "__main__":
    main(both, __doc__)
