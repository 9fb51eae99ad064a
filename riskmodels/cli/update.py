"""``riskmodels update``: is the model still right?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from riskmodels.cli.app import (
    WORK,
    EngineOption,
    MemoryOption,
    Model,
    WorkspaceOption,
    app,
    print_table,
    progress,
    read_day,
)
from riskmodels.errors import ExitCode
from riskmodels.workspace import Workspace


@app.command(
    epilog="Example: riskmodels update early_help extracts/2027-01 --as-of 2026-04-01 --extracted-on 2027-01-10"
)
def update(
    model: Model,
    data: Annotated[Path, typer.Argument(help="The folder of the study's sources, extracted anew.")],
    as_of: Annotated[
        list[str], typer.Option("--as-of", help="A day whose outcome is known by now, YYYY-MM-DD; repeat for more.")
    ],
    extracted_on: Annotated[
        str, typer.Option("--extracted-on", help="The day of the newer extract: what came later is not in it.")
    ],
    workspace: WorkspaceOption = WORK,
    json: Annotated[Path | None, typer.Option("--json", help="Write what was found to this file.")] = None,
    engine: EngineOption = "polars",
    memory_limit: MemoryOption = None,
) -> int:
    """Hold a model against newer outcomes: keep it, re-calibrate it or fit it again. Nothing is changed."""
    from riskmodels import commands
    from riskmodels.service.updating import NEXT

    days = [day for text in as_of if (day := read_day(text, "--as-of")) is not None]
    extract = read_day(extracted_on, "--extracted-on")
    assert extract is not None
    report = commands.update(
        model, data, Workspace(workspace), days, extract, json, progress(), engine=engine, memory_limit=memory_limit
    )
    found = report.findings
    print(f"{found.words}\n")
    print(
        f"{found.n} people on {len(found.dates)} days; {found.known} with a known outcome, {found.events} with a case"
    )
    rows = []
    for name, before in found.before.items():
        after = found.after[name] if found.after else None
        rows.append({"measure": name, "as it is": _said(before), "corrected": _said(after) if after else ""})
    print_table(rows, rows[0])
    if found.update.tests:
        print("\nClosed test (Vergouwe et al. 2017), simplest first")
        tests = [
            {
                "held": test.against, "against": test.within, "statistic": f"{test.statistic:.2f}",
                "degrees": test.degrees, "p": f"{test.p:.4f}",
            }
            for test in found.update.tests
        ]  # fmt: skip
        print_table(tests, tests[0])
    if found.update.reason and found.update.method:
        print(f"Note: {found.update.reason}.")
    if report.output is not None:
        print(f"JSON:  {report.output}")
    print(f"\n{NEXT}")
    return ExitCode.DONE


def _said(estimate: object) -> str:
    value, low, high = (getattr(estimate, name) for name in ("value", "low", "high"))
    if value is None:
        return str(getattr(estimate, "reason", "not computed"))
    return f"{value:.3f}" if low is None or high is None else f"{value:.3f} ({low:.3f} to {high:.3f})"
