"""Commands about a model: card, score, models, and the reviews."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path
from typing import Annotated

import typer

from riskmodels.cli.app import (
    WORK,
    EngineOption,
    MemoryOption,
    Model,
    Today,
    TrackingOption,
    WorkspaceOption,
    app,
    print_table,
    progress,
    read_day,
    review_app,
)
from riskmodels.errors import ExitCode, UsageError
from riskmodels.workspace import Workspace


@app.command(epilog="Example: riskmodels card early_reading_support --output card/")
def card(
    model: Model,
    workspace: WorkspaceOption = WORK,
    output: Annotated[
        Path | None, typer.Option("--output", help="A folder to write to; the run's own unless given.")
    ] = None,
    today: Today = None,
) -> int:
    """Write a model's card as it stands today: card.html, card.md, card.json."""
    from riskmodels import commands

    path, status = commands.card(model, Workspace(workspace), output, read_day(today, "--today") or dt.date.today())
    print(f"{status['words']}\nCard:  {path}")
    return ExitCode.DONE


@app.command(
    epilog="Example: riskmodels score early_reading_support work/data/early_reading_support --as-of 1989-06-30 "
    "--output list.csv"
)
def score(
    model: Model,
    cohort: Annotated[
        Path, typer.Argument(help="A folder of sources (with --as-of), or a file with the model's features.")
    ],
    output: Annotated[Path, typer.Option("--output", help="The list to write: .csv or .parquet.")],
    workspace: WorkspaceOption = WORK,
    as_of: Annotated[str | None, typer.Option("--as-of", help="The day to stand on, YYYY-MM-DD.")] = None,
    exclude: Annotated[
        Path | None, typer.Option("--exclude", help="People who objected: a file with a column entity_id.")
    ] = None,
    capacity: Annotated[int | None, typer.Option("--capacity", help="Places; the study's own unless given.")] = None,
    explain: Annotated[str, typer.Option("--explain", help="Reasons for: selected, all or none.")] = "selected",
    tracking_uri: TrackingOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be written, and write nothing.")] = False,
    engine: EngineOption = "polars",
    memory_limit: MemoryOption = None,
    today: Today = None,
) -> int:
    """Score a cohort with an approved model. Refused, with exit 6, without an approval in date."""
    from riskmodels import commands

    if explain not in ("selected", "all", "none"):
        raise UsageError(f"--explain is selected, all or none, got {explain!r}")
    report = commands.score(
        model, cohort, output, Workspace(workspace), read_day(today, "--today") or dt.date.today(),
        read_day(as_of, "--as-of"), exclude, capacity, explain, tracking_uri, dry_run, progress(),
        engine=engine, memory_limit=memory_limit,
    )  # fmt: skip
    counts = report.batch.counts
    print(f"{counts['rows_in']} people in = {counts['scored']} scored + {counts['rejected']} rejected")
    for code, count in sorted(report.batch.rejects["code"].value_counts().iter_rows()):
        print(f"  rejected: {count} {code}")
    print(
        f"{counts['listed']} listed for {counts['places']} places; {counts['excluded']} kept off by the service's rules"
    )
    if exclude is not None:
        print(f"{report.objections_met} of {report.objections} objections are of people in this cohort")
    if report.warning:
        print(f"riskmodels: the list is written, but: {report.warning}", file=sys.stderr)
    print("Nothing was written (--dry-run)." if dry_run else f"List:    {report.output}\nRejects: {report.rejects}")
    if report.example:
        print("The approval is an EXAMPLE, not a real one: this list may not be used.")
    print("The list is advice. People decide.")
    return ExitCode.DONE


@app.command(epilog="Example: riskmodels models --workspace work")
def models(workspace: WorkspaceOption = WORK, today: Today = None) -> int:
    """What models exist, and in which state each stands today."""
    from riskmodels import commands

    rows = commands.models(Workspace(workspace), read_day(today, "--today") or dt.date.today())
    if not rows:
        print(f"No models in {workspace}; make one with: riskmodels run STUDY --workspace {workspace}")
        return ExitCode.DONE
    print_table(rows, [name for name in rows[0] if name not in ("words", "folder", "model_sha256", "card_sha256")])
    return ExitCode.DONE


@review_app.command("record", epilog="Example: riskmodels review record early_reading_support/1 decision.yaml")
def review_record(
    model: Model,
    decision: Annotated[
        Path, typer.Argument(help="The decision as YAML; experiments/*/example_decision.yaml shows its shape.")
    ],
    workspace: WorkspaceOption = WORK,
    today: Today = None,
) -> int:
    """Record a committee's decision. It names this model and this card by digest, and cannot be edited afterwards."""
    from riskmodels import commands

    approval = commands.record_review(
        model, decision, Workspace(workspace), read_day(today, "--today") or dt.date.today()
    )
    print("Recorded." if approval is None else f"Recorded: approved for {approval.stage} until {approval.expires}.")
    return ExitCode.DONE


@review_app.command("show", epilog="Example: riskmodels review show early_reading_support")
def review_show(model: Model, workspace: WorkspaceOption = WORK, today: Today = None) -> int:
    """Show a model's state, its recorded decisions, and each rule of the gate."""
    from riskmodels import commands

    status, records, rules = commands.show_review(
        model, Workspace(workspace), read_day(today, "--today") or dt.date.today()
    )
    print(status["words"])
    for record in records:
        print("\n" + "\n".join(f"{name}: {value}" for name, value in record.items() if value not in (None, "", [])))
    print("\nThe gate")
    print_table([{**rule, "holds": "yes" if rule["holds"] else "NO"} for rule in rules], ["holds", "rule", "words"])
    return ExitCode.DONE
