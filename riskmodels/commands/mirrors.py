"""MLflow, asked before a promotion and told after every change of a study's record."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from riskmodels import storage
from riskmodels.commands.sources import Progress, silent
from riskmodels.errors import GateError, OutsideError, UsageError
from riskmodels.workspace import Workspace

if TYPE_CHECKING:
    from riskmodels.governance.registry import Entry


def ask_mlflow(study: str, entry: Entry, workspace: Workspace, tracking_uri: str | None, progress: Progress) -> None:
    """See that MLflow holds this version and lets this account change the live model; nothing is recorded yet.

    Raises
    ------
    OutsideError
        if MLflow cannot be reached, or refuses.
    """
    from riskmodels import tracking
    from riskmodels.governance.chain import read_chain

    if not _has_store(workspace, tracking_uri):
        return
    from riskmodels.tracking.governing import ask_to_promote
    from riskmodels.tracking.mirror import build_mirror

    mirror = build_mirror(study, read_chain(workspace.reviews(study)))
    uri = tracking.resolve_tracking_uri(workspace, tracking_uri)
    ask_to_promote(workspace, uri, mirror, (entry.model_sha256, entry.card_sha256), progress)


def tell_mlflow(
    study: str, workspace: Workspace, tracking_uri: str | None = None, progress: Progress = silent
) -> str | None:
    """Bring MLflow's tags, aliases and history up to what the record says; a warning in words if it cannot be told.

    The record is what counts, so this comes after it and can be done again: every command that writes it does. Where
    the workspace has no store of its own and none is named, there is nobody to tell.
    """
    from riskmodels import tracking
    from riskmodels.governance.chain import read_chain

    if not _has_store(workspace, tracking_uri):
        return None
    from riskmodels.tracking.governing import tell
    from riskmodels.tracking.mirror import build_mirror

    path = workspace.reviews(study)
    try:
        # A lock of its own: a slow server must never keep a withdrawal from the record.
        with storage.locked(path.with_suffix(".mlflow")):
            mirror = build_mirror(study, read_chain(path))
            uri = tracking.resolve_tracking_uri(workspace, tracking_uri)
            return "; ".join(tell(workspace, uri, mirror, progress)) or None
    except (OutsideError, GateError) as error:
        return str(error)


def tell_record(study: str, workspace: Workspace, tracking_uri: str | None, progress: Progress = silent) -> None:
    """Tell MLflow by hand, after an outage.

    Raises
    ------
    UsageError
        if the study has no record here, or no store is there to tell.
    OutsideError
        if MLflow cannot be told all of it: what it was not.
    """
    if not workspace.reviews(study).is_file():
        raise UsageError(f"{study}: has no record in {workspace.root}; nothing was decided of it yet")
    if not _has_store(workspace, tracking_uri):
        raise UsageError("no MLflow store is there to tell; name one with --tracking-uri or MLFLOW_TRACKING_URI")
    warning = tell_mlflow(study, workspace, tracking_uri, progress)
    if warning:
        raise OutsideError(warning)


def _has_store(workspace: Workspace, tracking_uri: str | None) -> bool:
    from riskmodels.tracking import URI_VARIABLE

    return bool(tracking_uri or os.environ.get(URI_VARIABLE)) or (workspace.root / "mlflow.db").is_file()
