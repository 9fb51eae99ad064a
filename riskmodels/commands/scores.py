"""A cohort scored with an approved model."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskmodels import storage
from riskmodels.commands.sources import Progress, engine_named, silent
from riskmodels.errors import CardError, DataError, ModelFileError, OutsideError, UsageError
from riskmodels.study import Study, load_study
from riskmodels.workspace import Workspace

if TYPE_CHECKING:
    from riskmodels.governance.registry import ResolvedModel
    from riskmodels.service.scoring import Batch


@dataclass(frozen=True)
class ScoreReport:
    batch: Batch
    output: Path
    rejects: Path
    study: str
    version: int | None
    objections: int = 0
    objections_met: int = 0
    warning: str | None = None
    example: bool = False


def score(
    reference: str,
    cohort: Path,
    output: Path,
    workspace: Workspace,
    today: dt.date,
    as_of: dt.date | None = None,
    exclude: Path | None = None,
    capacity: int | None = None,
    explain: str = "selected",
    tracking_uri: str | None = None,
    dry_run: bool = False,
    progress: Progress = silent,
    *,
    engine: str = "polars",
    memory_limit: str | None = None,
) -> ScoreReport:
    """Score a cohort with an approved model; the list appears whole or not at all.

    Raises
    ------
    GateError
        if the model may not be used today: no approval, expired, other digests, withdrawn.
    DataError
        if a source may not be used for this, or its agreement has ended.
    """
    from riskmodels.data.coverage import read_objections
    from riskmodels.data.register import refuse_unpermitted
    from riskmodels.governance import gate, registry
    from riskmodels.service import cohort_file, scoring

    if output.suffix not in (".csv", ".parquet"):
        raise UsageError(f"{output}: write to a .csv or a .parquet file")
    if as_of is not None and as_of > today:
        raise UsageError(f"--as-of {as_of} is in the future; nobody is known as they will be")
    if capacity is not None and capacity < 1:
        raise UsageError(f"--capacity must be at least 1, got {capacity}")
    found = registry.resolve(workspace, reference)
    progress("asking the gate")
    card_bytes = storage.read_bytes(found.card_path, CardError)
    approved = gate.open_for_scoring(
        found.model_folder,
        card_bytes,
        workspace.reviews(found.study),
        registered=found.entry.model_dump(mode="json") if found.entry else None,
        today=today,
    )
    storage.refuse_unwritable(output)
    study = study_of_run(found, card_bytes)
    _refuse_more_places(capacity, card_bytes)
    refuse_unpermitted(study, ("model",), today, scoring=True)
    objectors = cohort_file.read_objectors(exclude)
    progress("reading the cohort")
    if cohort.is_dir():
        objectors |= read_objections(cohort, study, "scoring")
        people = cohort_file.cohort_from_sources(
            cohort, study, as_of, objectors, today, engine_named(engine, memory_limit, workspace)
        )
    elif cohort.exists():
        if study.file.consents is not None:
            raise UsageError(
                f"{cohort.name}: who consented stands with the study's sources; give their folder and --as-of"
            )
        if study.file.objections is not None and exclude is None:
            raise UsageError(
                f"{cohort.name}: who objected stands with the study's sources; give their folder, or name the "
                "objections with --exclude"
            )
        people = cohort_file.cohort_from_matrix(cohort, approved.model.reasons, study.file, as_of, objectors)
    else:
        raise DataError(f"{cohort}: no such file or folder")
    progress(f"scoring {people.frame.height} people")
    batch = scoring.score_cohort(approved, people, study.file, capacity=capacity, explain=explain)
    rejects = output.with_name(f"{output.stem}.rejects.csv")
    met = people.rejects.filter(people.rejects["code"] == "objected")["entity_id"].n_unique()
    report = ScoreReport(
        batch, output, rejects, found.study, approved.version, len(objectors), met, example=approved.approval.example
    )
    if dry_run:
        return report
    scored_bytes, reject_bytes = scoring.batch_files(batch, output.suffix)
    storage.write_together({rejects: reject_bytes, output: scored_bytes})
    try:
        _log_batch(report, approved, workspace, tracking_uri, today, progress)
    except OutsideError as error:
        # The list stands and is in the ledger; that the batch is not in MLflow must not look as if it did not.
        return replace(report, warning=str(error))
    return report


def _refuse_more_places(capacity: int | None, card_bytes: bytes) -> None:
    """Fewer places than were tested and audited are the service's choice; more are another list."""
    from riskmodels.cards.card import ModelCard

    tested = ModelCard.from_bytes(card_bytes).performance.at_capacity.get("places")
    if capacity is not None and isinstance(tested, int) and capacity > tested:
        raise UsageError(
            f"--capacity {capacity}: the model was tested, audited and approved for {tested} places; "
            "change the study and have it reviewed for more"
        )


def study_of_run(found: ResolvedModel, card_bytes: bytes) -> Study:
    """The study as it was approved: its definitions make the cohort, so the card names them by digest.

    Raises
    ------
    ModelFileError
        if a file of the run's ``study/`` folder is not the one that the card was built from.
    """
    from riskmodels.cards.card import ModelCard

    study = load_study(found.folder / "study")
    digests = ModelCard.from_bytes(card_bytes).digests
    if (study.digest, study.answers_digest) != (digests.study, digests.answers):
        raise ModelFileError(
            f"{study.folder}: a file of the study was changed after the card was built; restore the folder, or run the "
            "changed study and have it reviewed"
        )
    return study


def _log_batch(
    report: ScoreReport,
    approved: Any,
    workspace: Workspace,
    tracking_uri: str | None,
    today: dt.date,
    progress: Progress,
) -> None:
    import json

    from riskmodels import tracking
    from riskmodels.assessment.suppression import PROFILES, published_count

    batch = report.batch
    line = {
        "batch_id": batch.batch_id,
        "study": report.study,
        "version": report.version,
        "model_sha256": approved.model_sha256,
        "as_of_date": str(batch.scored["as_of_date"][0]),
        "scored_on": today.isoformat(),
        "stage": approved.approval.stage,
        "example": approved.approval.example,
        **batch.counts,
    }
    # The same batch run again is the same batch: one line.
    if not workspace.ledger.exists() or f'"batch_id": "{batch.batch_id}"' not in workspace.ledger.read_text():
        storage.append_line(workspace.ledger, json.dumps(line, ensure_ascii=False))
    progress("logging the batch to MLflow")
    # Rounded, and small ones left out: one person who objected is a person.
    shown = {name: published_count(count, PROFILES["sro-10"]) for name, count in batch.counts.items()}
    tags = {"model.sha256": approved.model_sha256, "as_of_date": line["as_of_date"], "stage": approved.approval.stage}
    tracking.log_batch(
        workspace,
        tracking.resolve_tracking_uri(workspace, tracking_uri),
        report.study,
        batch.batch_id,
        tags,
        {name: count for name, count in shown.items() if count is not None},
    )
