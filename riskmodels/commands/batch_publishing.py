"""The end of a batch: its files take their places while the record allows it, and it is written down."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from riskmodels.commands.sources import Progress
from riskmodels.errors import OutsideError
from riskmodels.workspace import Workspace

if TYPE_CHECKING:
    from riskmodels.commands.scores import ScoreReport
    from riskmodels.governance.rules import Case
    from riskmodels.service.people.record import BatchNote


def published(
    report: ScoreReport,
    note: BatchNote,
    workspace: Workspace,
    work: Path,
    finals: Mapping[str, Path],
    case: Callable[[], Case],
) -> ScoreReport:
    """Let the files take their places and write the batch into the ledger, while the record says that they may.

    Nobody can write to the record meanwhile: a withdrawal comes before, and there is no list, or after it.

    Raises
    ------
    GateError
        if the model may no longer be used; nothing has then taken its place.
    """
    from riskmodels.governance import gate
    from riskmodels.governance.chain import kept_still
    from riskmodels.service.batch import publish
    from riskmodels.service.people.ledger import append_batch

    with kept_still(workspace.reviews(report.study)):
        gate.open_for_scoring(case())
        publish(work, finals)
        try:
            append_batch(workspace, note)
        except OutsideError as error:
            # That the batch is not in the ledger must not look as if there were no list.
            return replace(report, warning=str(error))
    return report


def logged(
    report: ScoreReport, note: BatchNote, workspace: Workspace, tracking_uri: str | None, progress: Progress
) -> ScoreReport:
    """Log the batch to MLflow. The list stands by now, whatever happens here."""
    if report.warning is not None:
        return report
    try:
        _log_batch(report, note, workspace, tracking_uri, progress)
    except OutsideError as error:
        # That the batch is not logged must not look as if there were no list.
        return replace(report, warning=str(error))
    return report


def _log_batch(
    report: ScoreReport, note: BatchNote, workspace: Workspace, tracking_uri: str | None, progress: Progress
) -> None:
    from riskmodels import tracking
    from riskmodels.assessment.suppression import PROFILES, published_count

    progress("logging the batch to MLflow")
    # Rounded, and small ones left out: one person who objected is a person.
    shown = {name: published_count(count, PROFILES["sro-10"]) for name, count in report.counts.items()}
    tags = {"model.sha256": note.model_sha256, "as_of_date": note.as_of.isoformat(), "stage": note.stage}
    tracking.log_batch(
        workspace,
        tracking.resolve_tracking_uri(workspace, tracking_uri),
        report.study,
        report.batch_id,
        tags,
        {name: count for name, count in shown.items() if count is not None},
    )
