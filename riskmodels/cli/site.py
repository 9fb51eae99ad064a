"""``site`` writes the public register of a folder of cards; ``publish`` puts a model's card into that folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from riskmodels.cli.app import (
    WORK,
    Model,
    Today,
    WorkspaceOption,
    app,
    day_of,
)
from riskmodels.errors import ExitCode
from riskmodels.workspace import Workspace


@app.command("site", epilog="Example: riskmodels site model_cards --output public/")
def site(
    cards: Annotated[
        Path, typer.Argument(help="A folder with a folder for each tool, as docs/public-register.md says.")
    ],
    output: Annotated[Path, typer.Option("--output", help="A new folder, or an earlier register, which is replaced.")],
    workspace: Annotated[
        Path | None, typer.Option("--workspace", help="Whose review records to use; else the copies beside the cards.")
    ] = None,
    title: Annotated[str | None, typer.Option("--title", help="The register's name.")] = None,
    organisation: Annotated[str | None, typer.Option("--organisation", help="Whose register it is.")] = None,
    remove: Annotated[
        list[str] | None,
        typer.Option("--remove", help="A tool that was taken out, whole or in part; the register says so. Repeatable."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List what would be written, and write nothing.")] = False,
    today: Today = None,
) -> int:
    """Write a public register: pages that any web server, or a memory stick, can hold."""
    from riskmodels import commands

    report = commands.site(
        cards,
        output,
        day_of(today),
        workspace=Workspace(workspace) if workspace else None,
        title=title,
        organisation=organisation,
        remove=remove or (),
        dry_run=dry_run,
    )
    if dry_run:
        for path, size in report.files.items():
            print(f"{size:>9,}  {path}")
    for name, state in report.tools:
        print(f"{state}: {name}")
    for line in report.removed:
        print(line)
    total = f"{len(report.files)} files, {sum(report.files.values()) / 1e6:.1f} MB"
    print(f"Nothing was written: {total}." if dry_run else f"Register:  {report.folder / 'index.html'} ({total})")
    return ExitCode.DONE


@app.command("publish", epilog="Example: riskmodels publish early_reading_support model_cards")
def publish(
    model: Model,
    cards: Annotated[Path, typer.Argument(help="The folder of published cards, which `riskmodels site` reads.")],
    workspace: WorkspaceOption = WORK,
    name: Annotated[
        str | None, typer.Option("--name", help="The tool's folder; the study's name unless given.")
    ] = None,
    today: Today = None,
) -> int:
    """Put a model's card and its review record among the published ones; the card before is kept."""
    from riskmodels import commands

    report = commands.publish(model, cards, Workspace(workspace), day_of(today), name=name)
    print(report.status)
    if report.kept is not None:
        print(f"Kept:  {report.kept}")
    print(f"Card:  {report.folder / 'card.json'}")
    return ExitCode.DONE
