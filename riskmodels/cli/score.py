"""The command that scores a cohort: asks the gate, makes the list, and says what became of every row."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from riskmodels.cli.app import (
    WORK,
    MemoryOption,
    Model,
    Today,
    TrackingOption,
    WorkspaceOption,
    app,
    day_of,
    progress,
    read_day,
)
from riskmodels.errors import ExitCode
from riskmodels.workspace import Workspace

if TYPE_CHECKING:
    from riskmodels.commands import ScoreReport

PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}")
MOST_NAMES = 5


@app.command(
    epilog="Example: riskmodels score early_reading_support work/data/early_reading_support --as-of 1989-06-30 "
    "--output list.csv"
)
def score(
    model: Model,
    cohort: Annotated[
        str,
        typer.Argument(
            help="A folder of the study's sources (with --as-of), a file with the model's features, or a folder or "
            "pattern of such files, as in 'parts/*.parquet'."
        ),
    ],
    output: Annotated[Path, typer.Option("--output", help="The list to write: .parquet, .csv or .xlsx.")],
    workspace: WorkspaceOption = WORK,
    as_of: Annotated[str | None, typer.Option("--as-of", help="The day to stand on, YYYY-MM-DD.")] = None,
    format: Annotated[
        str | None, typer.Option("--format", help="parquet, csv or xlsx; by the output's ending unless given.")
    ] = None,
    explain: Annotated[str, typer.Option("--explain", help="Reasons for: selected, all or none.")] = "selected",
    capacity: Annotated[
        str | None,
        typer.Option("--capacity", help="Places, or places by team as in north=20,south=10; the study's unless given."),
    ] = None,
    groups: Annotated[
        Path | None,
        typer.Option("--groups", help="A file with entity_id and groups, for the batch report's counts and no more."),
    ] = None,
    exclude: Annotated[
        Path | None, typer.Option("--exclude", help="People who objected: a file with a column entity_id.")
    ] = None,
    role: Annotated[
        str | None, typer.Option("--role", help="Who will read the list; what this role may not see is left out.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a run that was stopped.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be written, and write nothing.")] = False,
    engine: Annotated[
        str, typer.Option("--engine", help="local or spark; for sources also what counts the facts: polars, duckdb.")
    ] = "local",
    memory_limit: MemoryOption = None,
    threads: Annotated[int, typer.Option("--threads", help="0: as many as there are cores.")] = 0,
    tracking_uri: TrackingOption = None,
    today: Today = None,
) -> int:
    """Score a cohort with an approved model. Refused, with exit 6, without an approval in date."""
    from riskmodels import commands

    report = commands.score(
        model, cohort, output, Workspace(workspace), day_of(today),
        read_day(as_of, "--as-of"), exclude, capacity, explain, tracking_uri, dry_run, progress(),
        engine=engine, memory_limit=memory_limit, format=format, groups=groups, role=role, resume=resume,
        threads=threads,
    )  # fmt: skip
    _print_counts(report, exclude is not None)
    if report.warning:
        print(f"riskmodels: the list is written, but: {report.warning}", file=sys.stderr)
    if dry_run:
        print("Nothing was written (--dry-run). A run would write: " + ", ".join(path.name for path in report.files))
    else:
        for what, path in report.files_by_name.items():
            print(f"{what + ':':<10} {path}")
    if report.example:
        print("The approval is an EXAMPLE, not a real one: this list may not be used.")
    print("The list is advice. People decide.")
    return ExitCode.DONE


def _print_counts(report: ScoreReport, objections_given: bool) -> None:
    counts = report.counts
    print(f"{counts['rows_in']} people in = {counts['scored']} scored + {counts['rejected']} rejected")
    for code, count in sorted(report.rejected.items()):
        print(f"  rejected: {count} {code}")
    print(f"{counts['scored']} scored = {counts['listed']} listed for {counts['places']} places")
    for why, count in report.left_off.items():
        print(f"  + {count} {why}")
    if objections_given:
        print(f"{report.objections_met} of {report.objections} objections are of people in this cohort")
    for words in report.notes:
        print(f"Note: {words}")
    if report.ignored:
        print(f"  their names: {_names_of_columns(report.ignored)}")


def _names_of_columns(names: Sequence[str]) -> str:
    """Names as people give them to columns. Another may be a value, where a file has lost its header."""
    plain = [name for name in names if PLAIN_NAME.fullmatch(name)][:MOST_NAMES]
    others = len(names) - len(plain)
    said = [*plain, *([f"{others} {'other' if others == 1 else 'others'}"] if others else [])]
    return " and ".join([", ".join(said[:-1]), said[-1]] if len(said) > 1 else said)
