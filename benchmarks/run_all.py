"""Run every benchmark of this folder and write ``results.md``: machine, versions, date, and a table for each.

    python benchmarks/run_all.py [--quick] [--out FILE]

A benchmark is a file with a function ``benchmark``; each runs in a process of its own.
"""

from __future__ import annotations

import argparse
import ast
import datetime as dt
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.measure import machine, versions

HERE = Path(__file__).resolve().parent
COLUMNS = {
    "work": "work", "peer": "peer", "ours_cpu_s": "ours, CPU s", "peer_cpu_s": "peer, CPU s", "ratio": "ratio",
    "goal": "goal", "holds": "holds", "peak_mb": "our peak, MB", "note": "also",
}  # fmt: skip
INTRODUCTION = """\
# Benchmarks

Written by `make bench`. Each peer runs beside us in the same run, each side in fresh processes, and must give the same
answer before its speed is shown. CPU seconds are user + system of the process with all its threads, imports included
unless a row names its steps: medians of the repeats, lowest and highest in brackets. The ratio is the peer's CPU
seconds over ours: more is better. Absolute numbers depend on the machine; the ratios are what is claimed.
"""


def benchmarks() -> list[Path]:
    """The files that have a function called benchmark, in order of name."""
    found = []
    for path in sorted(HERE.glob("*.py")):
        functions = [node.name for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)]
        if "benchmark" in functions:
            found.append(path)
    return found


def page(results: dict[str, list[dict[str, Any]] | None], today: dt.date, *, quick: bool = False) -> str:
    """The page of results: rows by benchmark, None where one failed."""
    lines = [INTRODUCTION]
    if quick:
        lines.append("**Quick run**: small sizes show that everything runs; they judge nothing.\n")
    facts = {"date": today.isoformat(), **machine(), **versions()}
    lines += ["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in facts.items()), ""]
    for name, rows in results.items():
        lines += [f"## {name}", ""]
        if rows is None:
            lines += ["It did not finish: run it alone to see why.", ""]
            continue
        lines += ["| " + " | ".join(COLUMNS.values()) + " |", "|" + "---|" * len(COLUMNS)]
        lines += ["| " + " | ".join(_cells(row)) + " |" for row in rows]
        lines.append("")
    return "\n".join(lines)


def _cells(row: dict[str, Any]) -> list[str]:
    cells = []
    for column in COLUMNS:
        value = row.get(column)
        text = {None: "", True: "yes", False: "**no**"}[value] if column == "holds" else _text(value)
        who = {"ours_cpu_s": "ours", "peer_cpu_s": "peer"}.get(column)
        if who and row.get("spread") and who in row["spread"]:
            low, high = row["spread"][who]
            text += f" ({low:.2f}-{high:.2f})"
        cells.append(text)
    return cells


def _text(value: Any) -> str:
    return "" if value is None else f"{value:.2f}" if isinstance(value, float) else str(value)


def run_all(out: Path, *, quick: bool) -> bool:
    """Run them all and write the page. Returns whether every one finished."""
    results: dict[str, list[dict[str, Any]] | None] = {}
    for path in benchmarks():
        with tempfile.TemporaryDirectory() as folder:
            rows = Path(folder) / "rows.json"
            command = [sys.executable, str(path), "--json", str(rows), *(["--quick"] if quick else [])]
            print(f"== {path.name}", flush=True)
            subprocess.run(command, check=False)
            results[path.stem] = json.loads(rows.read_text()) if rows.exists() else None
    out.write_text(page(results, dt.date.today(), quick=quick) + "\n")
    print(f"Wrote {out.name}")
    return None not in results.values()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small sizes")
    parser.add_argument("--out", type=Path, default=HERE / "results.md")
    options = parser.parse_args()
    sys.exit(not run_all(options.out, quick=options.quick))
