"""Commands that answer the person: trace, letter. An id on a command line stays in the shell's history, so ``-`` reads
it from standard input."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from riskmodels.cli.app import (
    WORK,
    Today,
    WorkspaceOption,
    app,
    day_of,
    print_table,
    progress,
)
from riskmodels.errors import ExitCode, UsageError
from riskmodels.workspace import Workspace

if TYPE_CHECKING:
    from riskmodels.service.people.trace import Seen, Trace

# What the parser cannot place may be an id, and its own complaint would repeat it.
QUIET = {"allow_extra_args": True, "ignore_unknown_options": True}
EXACT = "Ids are compared as they are written: mind capitals, and noughts at the front."
REJECTED = "Who was rejected or objected is in no record; the batch's file of rejects says so."


@app.command(context_settings=QUIET, epilog="Example: riskmodels trace - --study early_reading_support")
def trace(
    context: typer.Context,
    entity: Annotated[
        str | None,
        typer.Argument(help="The person's id, or - to read it from standard input. Without one: the batches."),
    ] = None,
    workspace: WorkspaceOption = WORK,
    study: Annotated[str | None, typer.Option("--study", help="Batches of this study only.")] = None,
    batch: Annotated[str | None, typer.Option("--batch", help="This batch only.")] = None,
    model: Annotated[str | None, typer.Option("--model", help="Batches of this model only, such as STUDY/3.")] = None,
    ids: Annotated[Path | None, typer.Option("--ids", help="A text file with one id on each line.")] = None,
    role: Annotated[
        str | None,
        typer.Option(
            "--role", help="Who reads it, as in score: a rule over what the register hides from them is withheld."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The answer as JSON.")] = False,
    today: Today = None,
) -> int:
    """Which batches somebody was in: day, model, risk, listed or not. Without an id: what the batches were."""
    from riskmodels import commands

    _refuse_extra(context)
    wanted = _ids(entity, ids)
    day = day_of(today)
    narrowed: dict[str, Any] = {"study": study, "batch": batch, "model": model, "progress": progress()}
    if wanted is None:
        rows = commands.batches(Workspace(workspace), day, **narrowed)
        if as_json:
            print(json.dumps({"batches": rows}, ensure_ascii=False, indent=1))
        else:
            _print_batches(rows, alone=batch is not None)
        return ExitCode.DONE
    found = commands.trace(wanted, Workspace(workspace), day, role=role, **narrowed)
    if as_json:
        people = [
            {"place": place, "batches": [seen.row() for seen in one]} for place, one in enumerate(found.people, 1)
        ]
        rest = {"searched": found.searched, "record_gone": found.gone, "record_damaged": found.unreadable}
        print(json.dumps({"people": people, **rest}, ensure_ascii=False, indent=1))
    else:
        _print_trace(found)
    return ExitCode.DONE


@app.command(
    context_settings=QUIET, epilog="Example: riskmodels letter - --batch 0123456789abcdef --output letter.html"
)
def letter(
    context: typer.Context,
    entity: Annotated[str, typer.Argument(help="The person's id, or - to read it from standard input.")],
    batch: Annotated[str, typer.Option("--batch", help="The batch, as `riskmodels trace` names it.")],
    workspace: WorkspaceOption = WORK,
    output: Annotated[Path | None, typer.Option("--output", help="A file to write to; printed unless given.")] = None,
    form: Annotated[
        str | None, typer.Option("--format", help="html, md or txt; by the output's ending unless given.")
    ] = None,
    decisions: Annotated[
        Path | None, typer.Option("--decisions", help="The team's decision sheet (.xlsx), to say what was decided.")
    ] = None,
    today: Today = None,
) -> int:
    """Write to the person: what was used, what it meant, what was decided, how to object. Names nobody."""
    from riskmodels import commands

    _refuse_extra(context)
    wanted = _ids(entity, None)
    if wanted is None or len(wanted) != 1:
        raise UsageError("letter: one person, one letter; give one id")
    report = commands.letter(
        wanted[0], batch, Workspace(workspace), day_of(today), output, form, decisions,
        progress(),
    )  # fmt: skip
    if report.hard is not None:
        print(f"riskmodels: note: {report.hard}", file=sys.stderr)
    if report.output is None:
        print(report.content.decode(), end="")
    else:
        print(f"Letter: {report.output}\nRead it before you send it. It names nobody: put the address on it yourself.")
    return ExitCode.DONE


def _refuse_extra(context: typer.Context) -> None:
    if context.args:
        raise UsageError(
            f"{context.info_name}: there is an option that it does not know, or more than one id; see --help"
        )


def _ids(entity: str | None, file: Path | None) -> list[str] | None:
    """The ids asked for; None where nobody is."""
    from riskmodels import storage
    from riskmodels.errors import DataError

    if entity is not None and file is not None:
        raise UsageError("--ids: give an id, or a file of ids, not both")
    if entity is None and file is None:
        return None
    if file is not None:
        try:
            text = storage.read_bytes(file, DataError).decode("utf-8-sig")
        except UnicodeDecodeError:
            raise DataError(f"{file}: is not UTF-8 text; save it as UTF-8, one id on each line") from None
    else:
        text = sys.stdin.read() if entity == "-" else str(entity)
    wanted = [line.strip() for line in text.splitlines() if line.strip()]
    if not wanted:
        raise UsageError("no id was given; put one on each line")
    return wanted


def _print_trace(found: Trace) -> None:
    for place, seen in enumerate(found.people, 1):
        whom = f"Person {place} of {len(found.people)}: " if len(found.people) > 1 else ""
        if not seen:
            print(f"{whom}not in any batch ({found.searched} searched). {EXACT} {REJECTED}")
            continue
        print(f"{whom}in {len(seen)} of {found.searched} batches searched.")
        for one in seen:
            _print_seen(one)
    for lines, why in ((found.gone, "deleted, or never kept"), (found.unreadable, "damaged")):
        for line in lines:
            print(
                f"The record of batch {line['batch_id']} ({line['study']}, {line['as_of_date']}) is {why}: "
                "it cannot say who was in it."
            )


def _print_seen(seen: Seen) -> None:
    row = seen.row()
    example = " EXAMPLE approval: not for use." if row["example"] else ""
    listed = "yes" if row["listed"] else f"no: {row['not_listed_because']}"
    lines = {
        "batch": f"{row['batch_id']}, {row['study']}.{example}",
        "days": f"as of {row['as_of_date']}, scored on {row['scored_on']}",
        "model": f"version {row['model_version']} ({row['model_sha256'][:12]}), today {row['model_state_today']}",
        "risk": f"{row['risk']:.4f} ({row['band']}), rank {row['rank']:,} of {row['of']:,}",
        "listed": listed,
        "team": row["team"],
        "reasons": "kept: riskmodels letter" if row["has_reasons"] else "none were made",
    }
    print()
    for name, value in lines.items():
        if value is not None:
            print(f"  {name:<8} {value}")


def _print_batches(rows: list[dict[str, Any]], alone: bool) -> None:
    if not rows:
        print("No batch.")
    elif alone:
        for row in rows:
            print("\n".join(f"{name}: {_plain(value)}" for name, value in row.items()))
    else:
        columns = (
            "batch_id", "study", "version", "as_of_date", "scored_on", "scored", "listed", "model_state_today",
            "record",
        )  # fmt: skip
        print_table(rows, columns)


def _plain(value: Any) -> Any:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else value
