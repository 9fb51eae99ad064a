"""Commands about reviews: the form, the record, the evidence, and whether the record is whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from riskmodels.cli.app import (
    WORK,
    Model,
    Today,
    TrackingOption,
    WorkspaceOption,
    day_of,
    needed,
    review_app,
)
from riskmodels.cli.gate_lines import rule_lines
from riskmodels.cli.review_lines import account_lines, labelled
from riskmodels.cli.review_options import typed_decision
from riskmodels.errors import ExitCode, UsageError
from riskmodels.workspace import Workspace

JsonOption = Annotated[bool, typer.Option("--json", help="As JSON.")]


@review_app.command("open", epilog="Example: riskmodels review open early_reading_support/1 --stage pilot")
def open_(
    model: Model,
    stage: Annotated[
        str | None, typer.Option("--stage", help="What the committee is asked for: explore, link, pilot or live.")
    ] = None,
    output: Annotated[Path, typer.Option("--output", help="The file to write.")] = Path("decision.yaml"),
    workspace: WorkspaceOption = WORK,
    today: Today = None,
) -> int:
    """Write the form that the committee's secretary fills in, with every verdict that has to be answered."""
    from riskmodels import commands

    report = commands.open_review(model, output, Workspace(workspace), day_of(today), stage=stage)
    print(f"A form for the decision on {report.name}: {report.path}")
    if report.to_answer:
        print(f"{report.to_answer} verdicts of the audit have to be answered by name; each stands in it.")
    where = Workspace(workspace).as_option
    print(f"When it is filled in: riskmodels review record {report.name} {report.path} --dry-run{where}")
    return ExitCode.DONE


@review_app.command("record", epilog="Example: riskmodels review record early_reading_support/1 decision.yaml")
def record(
    model: Model,
    decision: Annotated[
        Path | None, typer.Argument(help="The decision as YAML, as `review open` writes it; or use the options.")
    ] = None,
    stage: Annotated[str | None, typer.Option("--stage", help="explore, link, pilot or live.")] = None,
    advice: Annotated[
        str | None,
        typer.Option(
            "--advice", help="The committee's: proceed, proceed with conditions, more information, do not proceed."
        ),
    ] = None,
    condition: Annotated[
        list[str] | None, typer.Option("--condition", help="'TEXT | OWNER | DUE', once for each condition.")
    ] = None,
    dissent: Annotated[list[str] | None, typer.Option("--dissent", help="Who saw it otherwise, and why.")] = None,
    conflict: Annotated[list[str] | None, typer.Option("--conflict", help="A conflict of interest.")] = None,
    members: Annotated[int | None, typer.Option("--members", help="How many members were there.")] = None,
    lay: Annotated[int | None, typer.Option("--lay", help="How many of them were lay.")] = None,
    specialist: Annotated[int | None, typer.Option("--specialist", help="How many were specialists.")] = None,
    meeting: Annotated[str | None, typer.Option("--meeting", help="The day of the meeting, as in 2026-11-30.")] = None,
    minute: Annotated[str | None, typer.Option("--minute", help="The reference of its minute.")] = None,
    owner_role: Annotated[
        str | None, typer.Option("--owner-role", help="The role of the senior responsible owner.")
    ] = None,
    owner_decision: Annotated[
        str | None, typer.Option("--decision", help="What the owner decided: approve or refuse.")
    ] = None,
    reason: Annotated[
        str | None, typer.Option("--reason", help="Why; needed where it departs from the advice.")
    ] = None,
    expires: Annotated[str | None, typer.Option("--expires", help="The last day on which the approval holds.")] = None,
    answer: Annotated[
        list[str] | None, typer.Option("--answer", help="'sex: F: recall = REASON'; it holds as long as the approval.")
    ] = None,
    trained_by: Annotated[str | None, typer.Option("--trained-by", help="The role that trained the model.")] = None,
    approved_by: Annotated[str | None, typer.Option("--approved-by", help="The role that approves it.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be recorded; record nothing.")] = False,
    workspace: WorkspaceOption = WORK,
    tracking_uri: TrackingOption = None,
    today: Today = None,
) -> int:
    """Record a committee's decision. It names this model and this card by digest, and cannot be edited afterwards.

    Reasons, answers and dissent stand word for word in the public register.
    """
    from riskmodels import commands

    typed = {
        "stage": stage, "advice": advice, "conditions": condition, "dissent": dissent,
        "conflicts_of_interest": conflict, "members": members, "lay": lay, "specialist": specialist, "date": meeting,
        "minute": minute, "owner_role": owner_role, "owner_decision": owner_decision, "reason": reason,
        "expires": expires, "answers": answer, "trained_by_role": trained_by, "approved_by_role": approved_by,
    }  # fmt: skip
    is_typed = any(value not in (None, [], ()) for value in typed.values())
    if (decision is not None) == is_typed:
        both = decision is not None
        raise UsageError(
            "give the decision as a file or by options, not both"
            if both
            else "name the file of the decision (`riskmodels review open MODEL` writes one), or give it by options"
        )
    report = commands.record_review(
        model, typed_decision(typed) if decision is None else decision, Workspace(workspace), day_of(today),
        dry_run=dry_run, tracking_uri=tracking_uri,
    )  # fmt: skip
    _print_recorded(report, workspace)
    return ExitCode.DONE


@review_app.command(
    "met",
    epilog="Example: riskmodels review met early_reading_support --condition 2 --evidence 'Letter sent' --by 'Head'",
)
def met(
    model: Model,
    condition: Annotated[int | None, typer.Option("--condition", help="Its number, as `review show` has it.")] = None,
    evidence: Annotated[str | None, typer.Option("--evidence", help="By what it is shown, in a sentence.")] = None,
    by: Annotated[str | None, typer.Option("--by", help="The role that says so; never a name.")] = None,
    workspace: WorkspaceOption = WORK,
    tracking_uri: TrackingOption = None,
    today: Today = None,
) -> int:
    """Record that a condition of the decision in force is met, and what shows it.

    The evidence stands word for word in the public register.
    """
    from riskmodels import commands

    if condition is None:
        raise UsageError("--condition: is needed; `riskmodels review show MODEL` numbers them")
    report = commands.record_evidence(
        model, Workspace(workspace), day_of(today), condition=condition, evidence=needed(evidence, "--evidence"),
        by_role=needed(by, "--by"), tracking_uri=tracking_uri,
    )  # fmt: skip
    print(f"Recorded as number {report.record}: condition {report.condition} is met.")
    left = {0: "No condition of the decision is open now.", 1: "1 condition is still open."}
    print(left.get(report.left, f"{report.left} conditions are still open."))
    _print_seal(report.seal, report.note, report.warning)
    return ExitCode.DONE


@review_app.command("show", epilog="Example: riskmodels review show early_reading_support")
def show(
    model: Model,
    as_json: JsonOption = False,
    html: Annotated[Path | None, typer.Option("--html", help="Write it as a page.")] = None,
    workspace: WorkspaceOption = WORK,
    today: Today = None,
) -> int:
    """Show a model's state, its conditions, all that was recorded on it, and each rule of the gate."""
    from riskmodels import commands

    report = commands.show_review(model, Workspace(workspace), day_of(today), html=html)
    if as_json:
        print(json.dumps(report.account, ensure_ascii=False, indent=1))
        return ExitCode.DONE
    print(report.name)
    print("\n".join(account_lines(report.account)))
    print(f"\nThe gate to score is {'open' if report.gate_opens else 'SHUT'}")
    print("\n".join(rule_lines(report.account["gate"])))
    if report.page is not None:
        print(f"\nPage: {report.page}")
    return ExitCode.DONE


@review_app.command("verify", epilog="Example: riskmodels review verify --workspace work")
def verify(
    study: Annotated[str | None, typer.Argument(help="One study, by name; all of them unless given.")] = None,
    seal: Annotated[
        list[str] | None, typer.Option("--seal", help="A seal as it was noted elsewhere; it has to be on a record.")
    ] = None,
    workspace: WorkspaceOption = WORK,
    as_json: JsonOption = False,
) -> int:
    """Look for any change to the records and to what was kept with them. Exit 6 when something is wrong."""
    from riskmodels import commands

    report = commands.verify_reviews(Workspace(workspace), study, seals=seal or ())
    if as_json:
        print(json.dumps(report.to_dict(), ensure_ascii=False, indent=1))
        return ExitCode.DONE if report.sound else ExitCode.GATE
    for one in report.studies:
        for problem in one.problems:
            print(f"{one.study}: WRONG: {problem}")
        for note in one.notes:
            print(f"{one.study}: note: {note}")
        if not one.problems:
            records = "no record yet" if not one.records else f"{one.records} record{'' if one.records == 1 else 's'}"
            print(f"{one.study}: whole ({records})" + (f"; newest seal {one.seal}" if one.seal else ""))
    for problem in report.problems:
        print(f"WRONG: {problem}")
    if not report.studies and not report.problems:
        print(f"No record in {workspace}.")
    elif report.sound and any(one.seal for one in report.studies):
        print("Note the newest seal elsewhere, such as in the minutes: --seal then finds a record that was made anew.")
    return ExitCode.DONE if report.sound else ExitCode.GATE


@review_app.command("export", epilog="Example: riskmodels review export early_reading_support --output archive/")
def export(
    study: Annotated[str, typer.Argument(help="The study, by name.")],
    output: Annotated[Path | None, typer.Option("--output", help="A new folder.")] = None,
    formats: Annotated[
        str, typer.Option("--format", help="One or several of html, md, json, csv, with commas between.")
    ] = "html,md,json,csv",
    workspace: WorkspaceOption = WORK,
    today: Today = None,
) -> int:
    """Write the whole record for an archive or an audit, with how to check it without this software."""
    from riskmodels import commands

    if output is None:
        raise UsageError("--output: is needed; name a new folder")
    names = [name for name in (part.strip() for part in formats.split(",")) if name]
    report = commands.export_review(study, output, Workspace(workspace), day_of(today), formats=names)
    print(f"Record: {report.folder} ({report.records} record{'' if report.records == 1 else 's'})")
    for name in report.files:
        print(f"  {name}")
    print(f"Newest seal: {report.seal}")
    return ExitCode.DONE


# ---------------------------------------------------------------- how they print


def _print_recorded(report: Any, workspace: Path) -> None:
    from riskmodels.cli.withdrawal_lines import print_withdrawal
    from riskmodels.reports.review_words import said

    if report.withdrawal is not None:
        print_withdrawal(report.withdrawal, workspace)
        return
    row = {"kind": report.act.kind, "act": report.act.model_dump(mode="json"), "example": report.act.example,
           "departs_from_advice": getattr(report.act, "departs_from_advice", False)}  # fmt: skip
    words = said(row)
    if report.seal is None:
        print(f"Nothing was recorded. It would be number {report.record} on {report.name}: {words.title}")
        for name, texts in words.lines:
            print("\n".join(labelled(name, texts)))
        return
    print(f"Recorded as number {report.record} on {report.name}: {words.title}")
    still_open = report.open_conditions
    if still_open:
        print(f"Outstanding ({len(still_open)}):")
        for number, condition in still_open:
            due = f"by {condition.due}" if condition.due else "no day"
            print("\n".join(labelled(f"{number}", (f"{condition.text} ({condition.owner}, {due})",))))
        where = Workspace(workspace).as_option
        print(f"As each is met: riskmodels review met {report.name} --condition N --evidence TEXT --by ROLE{where}")
    print(_next(report, Workspace(workspace).as_option))
    _print_seal(report.seal, report.warning)


def _next(report: Any, where: str) -> str:
    if report.approval is None:
        return "It may not be used."
    if report.approval.stage in ("explore", "link"):
        return "This stage scores nobody; a pilot is decided on its own."
    if report.in_use:
        return f"It is champion for {report.approval.stage} already, and may be used under this decision."
    ends = f"This ends the {report.ends} use until it is promoted: nobody is scored.\n" if report.ends else ""
    return f"{ends}Next, to have it used: riskmodels promote {report.name} --by '{report.act.approved_by_role}'{where}"


def _print_seal(seal: str, *notes: str | None) -> None:
    print(f"Seal, for the minutes: {seal}")
    for note in filter(None, notes):
        print(f"Note: {note}")
