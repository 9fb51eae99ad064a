"""The command that tells MLflow what the record says."""

from __future__ import annotations

from typing import Annotated

import typer

from riskmodels.cli.app import WORK, TrackingOption, WorkspaceOption, app, progress
from riskmodels.errors import ExitCode
from riskmodels.workspace import Workspace


@app.command("tell-mlflow", epilog="Example: riskmodels tell-mlflow early_reading_support")
def tell_mlflow(
    study: Annotated[str, typer.Argument(help="The study, by name.")],
    workspace: WorkspaceOption = WORK,
    tracking_uri: TrackingOption = None,
) -> int:
    """Bring MLflow's tags, aliases and history up to what a study's record says: after an outage, say."""
    from riskmodels import commands

    commands.tell_record(study, Workspace(workspace), tracking_uri, progress())
    print(f"MLflow shows what the record of {study} says.")
    return ExitCode.DONE
