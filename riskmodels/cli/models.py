"""Commands about models: which there are, and their reviews."""

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
    print_table,
    review_app,
)
from riskmodels.errors import ExitCode
from riskmodels.workspace import Workspace


@app.command(epilog="Example: riskmodels models --workspace work")
def models(workspace: WorkspaceOption = WORK, today: Today = None) -> int:
    """What models exist, and in which state each stands today."""
    from riskmodels import commands

    rows = commands.models(Workspace(workspace), day_of(today))
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

    approval = commands.record_review(model, decision, Workspace(workspace), day_of(today))
    print("Recorded." if approval is None else f"Recorded: approved for {approval.stage} until {approval.expires}.")
    return ExitCode.DONE


@review_app.command("show", epilog="Example: riskmodels review show early_reading_support")
def review_show(model: Model, workspace: WorkspaceOption = WORK, today: Today = None) -> int:
    """Show a model's state, its recorded decisions, and each rule of the gate."""
    from riskmodels import commands

    status, records, rules = commands.show_review(model, Workspace(workspace), day_of(today))
    print(status["words"])
    for record in records:
        print("\n" + "\n".join(f"{name}: {value}" for name, value in record.items() if value not in (None, "", [])))
    print("\nThe gate")
    print_table([{**rule, "holds": "yes" if rule["holds"] else "NO"} for rule in rules], ["holds", "rule", "words"])
    return ExitCode.DONE
