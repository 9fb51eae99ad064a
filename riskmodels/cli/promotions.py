"""Commands that say which model scores, and what the gate asks of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from riskmodels.cli.app import (
    WORK,
    DataOption,
    Model,
    Today,
    TrackingOption,
    WorkspaceOption,
    app,
    day_of,
    needed,
    progress,
)
from riskmodels.cli.gate_lines import gate_lines
from riskmodels.cli.withdrawal_lines import print_withdrawal
from riskmodels.errors import ExitCode
from riskmodels.workspace import Workspace

ByOption = Annotated[
    str | None, typer.Option("--by", help="The role that does it, as in 'Head of School Improvement'; never a name.")
]
ReasonOption = Annotated[str | None, typer.Option("--reason", help="Why, in a sentence; it stands in the record.")]


@app.command(epilog="Example: riskmodels gate early_reading_support/1 --for promote")
def gate(
    model: Model,
    act: Annotated[str, typer.Option("--for", help="register, promote or score.")] = "score",
    stage: Annotated[str | None, typer.Option("--stage", help="The stage to promote it for: pilot or live.")] = None,
    by: ByOption = None,
    workspace: WorkspaceOption = WORK,
    tracking_uri: TrackingOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    today: Today = None,
) -> int:
    """Each rule of the gate for a model, and whether it holds today. Exit 6 when the gate is shut."""
    from riskmodels import commands

    report = commands.gate(
        model, Workspace(workspace), day_of(today), act=act, stage=stage, by_role=by, tracking_uri=tracking_uri
    )
    if as_json:
        rules = {"model": report.name, "for": report.act, "opens": report.opens, "rules": list(report.rows)}
        print(json.dumps(rules, ensure_ascii=False, indent=1))
    else:
        print("\n".join(gate_lines(report.name, report.act, report.rows)))
    return ExitCode.DONE if report.opens else ExitCode.GATE


@app.command(epilog="Example: riskmodels promote early_reading_support/1 --by 'Head of School Improvement'")
def promote(
    model: Model,
    by: ByOption = None,
    stage: Annotated[str | None, typer.Option("--stage", help="pilot or live; as decided unless given.")] = None,
    reason: ReasonOption = None,
    workspace: WorkspaceOption = WORK,
    tracking_uri: TrackingOption = None,
    today: Today = None,
) -> int:
    """Make a model the champion: the only one that scores, until another is, or it is withdrawn."""
    from riskmodels import commands

    report = commands.promote(
        model, Workspace(workspace), day_of(today), by_role=needed(by, "--by"), stage=stage, reason=reason,
        tracking_uri=tracking_uri, progress=progress(),
    )  # fmt: skip
    _print_promotion(report)
    return ExitCode.DONE


@app.command(epilog="Example: riskmodels rollback early_reading_support --by 'Head of Service' --reason 'Drift'")
def rollback(
    study: Annotated[str, typer.Argument(help="The study, by name.")],
    by: ByOption = None,
    reason: ReasonOption = None,
    workspace: WorkspaceOption = WORK,
    tracking_uri: TrackingOption = None,
    today: Today = None,
) -> int:
    """Make the champion before this one the champion again; it has to pass the gate anew."""
    from riskmodels import commands

    report = commands.rollback(
        study, Workspace(workspace), day_of(today), by_role=needed(by, "--by"), reason=needed(reason, "--reason"),
        tracking_uri=tracking_uri, progress=progress(),
    )  # fmt: skip
    _print_promotion(report)
    return ExitCode.DONE


@app.command(epilog="Example: riskmodels withdraw early_reading_support --by 'Head of Service' --reason 'Data changed'")
def withdraw(
    model: Model,
    by: ByOption = None,
    reason: ReasonOption = None,
    instead: Annotated[
        str | None, typer.Option("--instead", help="What people are offered now; it stands in the public register.")
    ] = None,
    minute: Annotated[str | None, typer.Option("--minute", help="The minute of the meeting, by reference.")] = None,
    notice: Annotated[
        Path | None,
        typer.Option("--notice", help="The tool's folder in the public register; notice.yaml is written there."),
    ] = None,
    workspace: WorkspaceOption = WORK,
    tracking_uri: TrackingOption = None,
    today: Today = None,
) -> int:
    """Stop the use of a model at once. Cards and register say so; the batches it made are listed.

    The reason stands word for word in the public register.
    """
    from riskmodels import commands

    report = commands.withdraw(
        model, Workspace(workspace), day_of(today), by_role=needed(by, "--by"), reason=needed(reason, "--reason"),
        instead=instead, minute=minute, notice=notice, tracking_uri=tracking_uri, progress=progress(),
    )  # fmt: skip
    print_withdrawal(report, workspace)
    return ExitCode.DONE


@app.command(epilog="Example: riskmodels rebuild early_reading_support/1 --data extracts/2026-06")
def rebuild(
    model: Model,
    data: DataOption = None,
    output: Annotated[Path | None, typer.Option("--output", help="A folder for what was rebuilt.")] = None,
    workspace: WorkspaceOption = WORK,
) -> int:
    """Make a model anew from what the record kept of it and the same data: is it the same to the bit?"""
    from riskmodels import commands

    report = commands.rebuild(model, Workspace(workspace), data, output, progress())
    name = f"{report.study}/{report.version}"
    for what, same, old, new in (
        ("model", report.same_model, report.model_sha256, report.rebuilt_model_sha256),
        ("card", report.same_card, report.card_sha256, report.rebuilt_card_sha256),
    ):
        print(f"{name}: the {what} is {'the same to the bit' if same else f'NOT the same: {new}'} ({old})")
    for package, (then, now) in report.packages.items():
        print(f"  {package} was {then} then and is {now} now")
    if report.folder:
        print(f"Written to {report.folder}")
    return ExitCode.DONE if report.same_model and report.same_card else ExitCode.FILE


def _print_promotion(report: object) -> None:
    from riskmodels.commands import PromotionReport

    assert isinstance(report, PromotionReport)
    name = f"{report.study}/{report.version}"
    if report.already:
        print(f"{name} is the champion already ({report.stage}, approved until {report.until}); nothing was recorded.")
    else:
        before = f" in the place of {report.study}/{report.before}" if report.before else ""
        print(f"Champion: {name}{before}, for {report.stage}, approved until {report.until} (record {report.record}).")
        print(f"Seal, for the minutes: {report.seal}")
    for note in filter(None, (report.note, report.warning)):
        print(f"Note: {note}")
