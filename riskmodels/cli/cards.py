"""Commands about a card: ``card MODEL`` writes it; check, diff, missing and schema are about it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from riskmodels.cli.app import WORK, Today, WorkspaceOption, app, read_day
from riskmodels.errors import ExitCode
from riskmodels.workspace import Workspace


class _WriteUnlessNamed(TyperGroup):
    """A group whose first command is meant where none is named: ``card MODEL`` is ``card write MODEL``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] != "--help":
            args = ["write", *args]
        return super().parse_args(ctx, args)


card_app = typer.Typer(
    cls=_WriteUnlessNamed,
    no_args_is_help=True,
    rich_markup_mode=None,
    help="A model's card. `riskmodels card MODEL` writes it as it stands today; its options: riskmodels card write "
    "--help.",
)
app.add_typer(card_app, name="card")

CardModel = Annotated[
    str, typer.Argument(help="A model: STUDY, STUDY/3, STUDY@candidate, a run's folder, or a file card.json.")
]


@card_app.command("write", epilog="Example: riskmodels card early_reading_support --edition public --output card/")
def write(
    model: CardModel,
    workspace: WorkspaceOption = WORK,
    edition: Annotated[str, typer.Option("--edition", help="Whom it is for: committee or public.")] = "committee",
    formats: Annotated[
        str, typer.Option("--format", help="One or several of html, md, json, with commas between.")
    ] = "html,md,json",
    output: Annotated[
        Path | None, typer.Option("--output", help="A folder to write to; the run's own unless given.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", help="The earlier card to compare with, or none; else the last one decided on."),
    ] = None,
    today: Today = None,
) -> int:
    """Write a model's card as it stands today."""
    from riskmodels import commands

    day = read_day(today, "--today") or dt.date.today()
    report = commands.card(
        model, Workspace(workspace), output, day, edition=edition, formats=_names(formats), since=since
    )
    _print_report(report)
    return ExitCode.DONE


def _names(text: str) -> list[str]:
    return [name for name in (part.strip() for part in text.split(",")) if name]


def _print_report(report: Any) -> None:
    print(report.status["words"])
    for path in report.paths:
        print(f"Card:  {path}")
