"""Commands about a card: ``card MODEL`` writes it; check, diff, missing and schema are about it."""

from __future__ import annotations

import datetime as dt
import json
import textwrap
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from riskmodels.cli.app import (
    WORK,
    Today,
    WorkspaceOption,
    app,
    day_of,
)
from riskmodels.errors import ExitCode, UsageError
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
        str, typer.Option("--format", help="One or several of html, pdf, md, json, atrs, with commas between.")
    ] = "html,md,json",
    output: Annotated[
        Path | None, typer.Option("--output", help="A folder to write to; the run's own unless given.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", help="The earlier card to compare with, or none; else the last one decided on."),
    ] = None,
    check: Annotated[
        bool,
        typer.Option("--check", help="Print each check of the card; exit 5 if one fails. Writes only to --output."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the checks as JSON.")] = False,
    today: Today = None,
) -> int:
    """Write a model's card as it stands today."""
    from riskmodels import commands

    day = day_of(today)
    if as_json and not check:
        raise UsageError("--json: belongs to --check; a card as JSON is --format json")
    if check:
        return _check(model, Workspace(workspace), output, day, edition, _names(formats), since, as_json)
    report = commands.card(
        model, Workspace(workspace), output, day, edition=edition, formats=_names(formats), since=since
    )
    _print_report(report)
    return ExitCode.DONE


def _check(
    model: str,
    workspace: Workspace,
    output: Path | None,
    day: dt.date,
    edition: str,
    formats: list[str],
    since: str | None,
    as_json: bool,
) -> int:
    from riskmodels import commands
    from riskmodels.reports.visible import visible_text

    if output is not None:
        report = commands.card(model, workspace, output, day, edition=edition, formats=formats, since=since)
        if not as_json:
            _print_report(report)
    checked = commands.check_model_card(model, workspace, day, edition=edition, since=since, formats=formats)
    if as_json:
        print(json.dumps(checked.to_dict(), indent=1, ensure_ascii=False))
    else:
        width = max(len(row["check"]) for row in checked.rows)
        for row in checked.rows:
            held_up = f" [holds up {' and '.join(row['blocks'])}]" if row["result"] == "FAIL" else ""
            print(f"{row['result']:<7}  {row['check']:<{width}}  {visible_text(row['words'])}{held_up}")
        print(checked.not_checked)
    return ExitCode.DONE if checked.passed else ExitCode.FILE


@card_app.command("schema", epilog="Example: riskmodels card schema --output model_cards/schema.json")
def schema(
    output: Annotated[Path | None, typer.Option("--output", help="A file to write; printed unless given.")] = None,
) -> int:
    """The JSON Schema (2020-12) that every card.json has."""
    from riskmodels import commands, storage

    content = commands.card_schema_file()
    if output is None:
        print(content.decode(), end="")
        return ExitCode.DONE
    storage.refuse_unwritable(output)
    storage.write_whole(output, content, 0o644)
    print(f"Schema: {output}")
    return ExitCode.DONE


@card_app.command("diff", epilog="Example: riskmodels card diff early_reading_support/1 early_reading_support/2")
def diff(
    old: Annotated[str, typer.Argument(help="The earlier card: a model, a run's folder, or a file card.json.")],
    new: Annotated[str, typer.Argument(help="The later card.")],
    workspace: WorkspaceOption = WORK,
    html: Annotated[Path | None, typer.Option("--html", help="Write what changed as a page.")] = None,
    md: Annotated[Path | None, typer.Option("--md", help="Write it as Markdown.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write it whole, as JSON.")] = None,
    across: Annotated[bool, typer.Option("--across", help="The two cards may be of different studies.")] = False,
    today: Today = None,
) -> int:
    """What changed from one card to another, in words first."""
    from riskmodels import commands
    from riskmodels.reports.visible import visible_text

    day = day_of(today)
    report = commands.card_diff(
        old, new, Workspace(workspace), html=html, md=md, json=json_file, across=across, today=day
    )
    for words in report.change.words:
        print(textwrap.fill(visible_text(words), 100, initial_indent="- ", subsequent_indent="  "))
    for words in report.change.substantive:
        print(textwrap.fill(visible_text(words), 100, initial_indent="  * ", subsequent_indent="    "))
    for path in report.paths:
        print(f"Written: {path}")
    return ExitCode.DONE


@card_app.command("missing", epilog="Example: riskmodels card missing early_reading_support --owner 'Equality Adviser'")
def missing(
    model: CardModel,
    workspace: WorkspaceOption = WORK,
    owner: Annotated[str | None, typer.Option("--owner", help="Only what this role is to provide.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the gaps as JSON.")] = False,
    as_yaml: Annotated[
        bool, typer.Option("--yaml", help="Print them as lines for answers.yaml, to paste and fill.")
    ] = False,
    today: Today = None,
) -> int:
    """List what a card does not say: who owns it, where in answers.yaml it goes, and what it holds up."""
    from riskmodels import commands
    from riskmodels.cli.missing_lines import missing_lines

    if as_json and as_yaml:
        raise UsageError("--json and --yaml: choose one of the two")
    day = day_of(today)
    report = commands.card_missing(model, Workspace(workspace), day, owner=owner)
    if as_json:
        print(json.dumps(report.to_dict(), indent=1, ensure_ascii=False))
    elif as_yaml:
        print(report.to_yaml(), end="")
    else:
        print("\n".join(missing_lines(report)))
    return ExitCode.DONE


def _names(text: str) -> list[str]:
    return [name for name in (part.strip() for part in text.split(",")) if name]


def _print_report(report: Any) -> None:
    print(report.status["words"])
    for path in report.paths:
        print(f"Card:  {path}")
