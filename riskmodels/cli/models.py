"""Which models there are, and where each stands."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from riskmodels.cli.app import (
    WORK,
    Today,
    WorkspaceOption,
    app,
    day_of,
    read_day,
)
from riskmodels.cli.standing_lines import champion_lines, history_lines, standing_lines
from riskmodels.errors import ExitCode, UsageError
from riskmodels.workspace import Workspace


@app.command(epilog="Example: riskmodels models --html models.html")
def models(
    study: Annotated[str | None, typer.Argument(help="One study, by name; all of them unless given.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, with everything that is known.")] = False,
    html: Annotated[Path | None, typer.Option("--html", help="Write it all as a page, with pictures.")] = None,
    on: Annotated[str | None, typer.Option("--on", help="Who was champion on that day, such as 2026-03-01.")] = None,
    history: Annotated[bool, typer.Option("--history", help="Every champion there was, and what ended it.")] = False,
    drafts: Annotated[bool, typer.Option("--drafts", help="List the runs that are not registered.")] = False,
    workspace: WorkspaceOption = WORK,
    today: Today = None,
) -> int:
    """Where everything stands: what is in use, what is about to end, and what waits for whom."""
    from riskmodels import commands

    asked = [name for name, given in (("--on", on), ("--history", history), ("--html", html)) if given]
    if len(asked) > 1:
        raise UsageError(f"{' and '.join(asked)}: are asked one at a time; the page has the history in it")
    place, day = Workspace(workspace), day_of(today)
    if on is not None:
        past = read_day(on, "--on") or day
        champions = commands.champions(place, day, past, study=study)
        if not champions and not as_json:
            return _nothing(workspace)
        _print({"on": past.isoformat(), "champions": champions}, champion_lines(champions, past), as_json)
        return ExitCode.DONE
    if history:
        reigns = commands.history(place, day, study=study, progress=_note)
        _print({"today": day.isoformat(), "history": reigns}, history_lines(reigns), as_json)
        return ExitCode.DONE
    report = commands.models(place, day, study=study, html=html, progress=_note)
    if not as_json and not report.found["in_use"] and not report.found["drafts"]:
        return _nothing(workspace)
    _print(report.found, standing_lines(report.found, drafts=drafts), as_json)
    if report.html is not None and not as_json:
        print(f"\nPage:  {report.html}")
    return ExitCode.DONE


def _print(found: Mapping[str, Any], lines: Iterable[str], as_json: bool) -> None:
    print(json.dumps(found, ensure_ascii=False, indent=1) if as_json else "\n".join(lines))


def _note(message: str) -> None:
    print(f"Note: {message}", file=sys.stderr)


def _nothing(workspace: Path) -> int:
    print(f"No models in {workspace}; make one with: riskmodels run STUDY --workspace {workspace}")
    return ExitCode.DONE
