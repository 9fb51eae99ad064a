"""The command that tells how long everything is kept, and deletes what is due."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from riskmodels.cli.app import WORK, Today, WorkspaceOption, app, day_of, print_table, progress
from riskmodels.errors import ExitCode, OutsideError
from riskmodels.workspace import Workspace

if TYPE_CHECKING:
    from riskmodels.commands.purges import PurgeReport
    from riskmodels.governance.retention import Judged

COLUMNS = ("artefact", "path", "since", "kept for", "due", "files", "size")
UNITS = ("bytes", "kB", "MB", "GB")


@app.command(epilog="Example: riskmodels purge --due --by 'information governance officer'")
def purge(
    study: Annotated[str | None, typer.Argument(help="One study only, by its name.")] = None,
    due: Annotated[bool, typer.Option("--due", help="Delete what is due, and put that on the study's record.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Delete nothing; say what --due would delete.")] = False,
    by: Annotated[str | None, typer.Option("--by", help="The role that deletes, for the record.")] = None,
    workspace: WorkspaceOption = WORK,
    as_json: Annotated[bool, typer.Option("--json", help="The answer as JSON.")] = False,
    today: Today = None,
) -> int:
    """How long what is kept of people is kept, and what is due to go. Deletes nothing without --due."""
    from riskmodels import commands

    report = commands.purge(
        study, Workspace(workspace), day_of(today), due=due, dry_run=dry_run, by=by, progress=progress()
    )
    if as_json:
        print(json.dumps(report.to_dict(), ensure_ascii=False, indent=1))
    else:
        _print(report, Workspace(workspace).as_option)
    if report.stuck:
        path, why = report.stuck[0]
        raise OutsideError(
            f"{workspace / path}: could not be deleted ({why}){_more(len(report.stuck) - 1)}; it is on record: mend "
            "that, then purge again"
        )
    return ExitCode.DONE


def _print(report: PurgeReport, where: str) -> None:
    if report.done and not (report.due or report.kept or report.waiting or report.deleted or report.stuck):
        print(f"Deleted: 0 files; nothing is due.{_next_due(report)}")
        return
    print("Kept for")
    if len({line["study"] for line in report.periods}) > 1:
        print_table(report.periods, ["study", "artefact", "kept_for", "from", "said_in"])
    else:
        print_table(report.periods, ["artefact", "kept_for", "from", "said_in"])
    if report.rows:
        several = len({row["study"] for row in report.artefacts}) > 1
        print("\nWhat there was" if report.done else "\nWhat there is")
        print_table(
            ({**row, "size": _size(row["bytes"]), "first due": row["first_due"]} for row in report.artefacts),
            [*(["study"] if several else []), "artefact", "files", "size", "oldest", "first due"],
        )
    if report.due:
        print("\nDeleted, and put on record" if report.done else "\nDue")
        print_table(_rows(report.due), COLUMNS)
    if report.kept:
        print("\nKept, although its time is over or nobody can tell")
        print_table(_rows(report.kept), [*COLUMNS[:5], "why"])
    print()
    if report.waiting:
        print(f"A purge was stopped: {_files(report.waiting)} on record as deleted, and still there. --due goes on.")
    if report.done:
        earlier = f", {report.finished} of them on record since a purge that was stopped" if report.finished else ""
        print(f"Deleted: {_files(report.deleted)}, {_size(report.bytes)}{earlier}.")
    elif report.due:
        files, size = sum(len(row.item.files) for row in report.due), sum(row.item.bytes for row in report.due)
        print(f"Due: {_files(files)}, {_size(size)}. To delete: riskmodels purge --due --by ROLE{where}")
    else:
        print("Nothing is due.")
    if _next_due(report):
        print(_next_due(report).strip())
    if report.lists:
        print(
            f"Not ours to delete, wherever they were put: {', '.join(report.lists)}, with the rejects, sheets and "
            "report beside them."
        )


def _next_due(report: PurgeReport) -> str:
    waits = [(row.due, row.item.artefact) for row in report.rows if row.state == "not yet" and row.due is not None]
    if not waits:
        return ""
    first = min(day for day, _ in waits)
    names = dict.fromkeys(name for day, name in waits if day == first)
    return f" Next due: {', '.join(names)}, {first}."


def _rows(judged: Iterable[Judged]) -> list[dict[str, Any]]:
    return [
        {
            "artefact": row.item.artefact, "path": row.item.path, "since": row.item.since, "kept for": row.kept_for,
            "due": row.due, "files": len(row.item.files), "size": _size(row.item.bytes), "why": row.why,
        }
        for row in judged
    ]  # fmt: skip


def _files(count: int) -> str:
    return f"{count:,} file{'' if count == 1 else 's'}"


def _more(count: int) -> str:
    return f", nor could {count} more" if count else ""


def _size(count: int) -> str:
    power = 0
    while count >= 1000 ** (power + 1) and power < len(UNITS) - 1:
        power += 1
    return f"{count:,} {UNITS[0]}" if power == 0 else f"{count / 1000**power:.1f} {UNITS[power]}"
