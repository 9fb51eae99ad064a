"""A cohort scored with an approved model."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from riskmodels import storage
from riskmodels.commands.in_use import works_in_workspace
from riskmodels.commands.score_options import LOCAL, SPARK, Asked, last_tested, refuse_unknown_role
from riskmodels.commands.sources import Progress, engine_named, silent
from riskmodels.errors import UsageError
from riskmodels.study import Study, StudyFile, clock
from riskmodels.workspace import Workspace

if TYPE_CHECKING:
    from riskmodels.governance.gate import ApprovedModel
    from riskmodels.governance.registry import ResolvedModel
    from riskmodels.models.places import Share
    from riskmodels.service.batch import Employ, ScoredBatch
    from riskmodels.service.cohort import MatrixParts, SourceParts
    from riskmodels.service.outputs.lists import Format
    from riskmodels.service.shapes import Explain


@dataclass(frozen=True)
class ScoreReport:
    """What became of everybody, and where it is written.

    ``counts``: as `riskmodels.service.batch.ScoredBatch` has them. ``left_off``: why people are not listed -> how many.
    ``files_by_name``: what was written, or would be. ``notes``: what to know of it, in the files too. ``ignored``: the
    names of columns that were not read, for the screen alone: a name may be somebody's. ``warning``: the list stands,
    but something after it failed.
    """

    batch_id: str
    counts: dict[str, int]
    rejected: dict[str, int]
    left_off: dict[str, int]
    output: Path
    files_by_name: dict[str, Path]
    study: str
    version: int | None
    objections: int = 0
    notes: tuple[str, ...] = ()
    warning: str | None = None
    example: bool = False
    ignored: tuple[str, ...] = ()

    @property
    def objections_met(self) -> int:
        return self.rejected.get("objected", 0)

    @property
    def files(self) -> list[Path]:
        return list(self.files_by_name.values())

    @property
    def rejects(self) -> Path:
        return self.files_by_name["Rejects"]


@works_in_workspace
def score(
    reference: str,
    cohort: str | Path,
    output: Path,
    workspace: Workspace,
    today: dt.date,
    as_of: dt.date | None = None,
    exclude: Path | None = None,
    capacity: str | int | None = None,
    explain: str = "selected",
    tracking_uri: str | None = None,
    dry_run: bool = False,
    progress: Progress = silent,
    *,
    engine: str = LOCAL,
    memory_limit: str | None = None,
    format: str | None = None,
    groups: Path | None = None,
    role: str | None = None,
    resume: bool = False,
    threads: int = 0,
) -> ScoreReport:
    """Score a cohort with an approved model; the list and what goes with it appear whole or not at all.

    Parameters
    ----------
    cohort : a folder of the study's sources (then with ``as_of``), or a file, folder or pattern of feature matrices
    capacity : places, or places by team as in ``north=20,south=10``; never more than were tested
    role : who will read the list; what the register does not show to that role is withheld
    groups : a file of groups, for counts in the batch report alone
    resume : go on with a run of the same batch that was stopped

    Raises
    ------
    GateError
        if the model may not be used today: no approval, expired, other digests, withdrawn.
    DataError
        if a source may not be used for this, its agreement has ended, or the cohort does not fit the model.
    OutsideError
        if the output or the workspace cannot be written, or another run is writing the output.
    UsageError
        if the output would take the place of what is read, or of what the workspace keeps.
    """
    from riskmodels.commands.fetched_models import resolve_model
    from riskmodels.commands.gates import case_of
    from riskmodels.commands.safe_outputs import refuse_too_many, refuse_unsafe_output, refuse_unwritable_files
    from riskmodels.governance import gate
    from riskmodels.models.places import places_asked
    from riskmodels.service.batch import batch_id
    from riskmodels.service.outputs.composition import read_groups

    began = clock.today()

    def day_now() -> dt.date:
        return today + (clock.today() - began)

    # Whatever was typed: `Asked` refuses what is none of these words.
    written_as = cast("Format", format or output.suffix.removeprefix("."))
    asked = Asked(
        output, written_as, today, None if capacity is None else str(capacity), cast("Explain", explain),
        groups, exclude, role, engine, threads,
    )  # fmt: skip
    if as_of is not None and as_of > today:
        raise UsageError(f"--as-of {as_of} is in the future; nobody is known as they will be")
    refuse_unsafe_output(output, cohort, (exclude, groups), workspace)
    found = resolve_model(reference, workspace, tracking_uri, progress)
    progress("asking the gate")
    approved = gate.open_for_scoring(case_of(found, workspace, today))
    storage.refuse_unwritable(output)
    if not dry_run:
        storage.refuse_unwritable(workspace.ledger)
    study = approved.study
    refuse_unknown_role(role, study)
    grouped = None if groups is None else read_groups(groups, study.file)
    with _workplace(output, dry_run, resume, progress) as work:
        progress("reading the cohort")
        parts, objections = _open(cohort, approved, study, asked, as_of, memory_limit, workspace, work)
        if parts.as_of > today:
            raise UsageError(f"the cohort is of {parts.as_of}, which is in the future; nobody is known as they will be")
        refuse_too_many(asked, parts.rows_in)
        places = places_asked(asked.capacity, study.file, parts.rows_in)
        if not dry_run:
            refuse_unwritable_files(
                asked, batch_id(approved, parts, study.file, places, explain), parts, study.file, found, workspace
            )
        batch = _scored(approved, parts, study.file, places, asked, work, resume, progress)
        report = _report_of(batch, parts, study, asked, found, approved, objections)
        if dry_run:
            return report
        from riskmodels.commands.batch_files import write_files
        from riskmodels.commands.batch_publishing import logged, published

        # A long batch may outlive its model: nothing is written of one that was withdrawn while it ran, or whose
        # approval ended at a midnight that it ran over.
        gate.open_for_scoring(case_of(found, workspace, day_now()))
        report, note, finals = write_files(
            report, batch, parts, approved, study, found, asked, grouped, workspace, work, progress
        )
        report = published(report, note, workspace, work, finals, lambda: case_of(found, workspace, day_now()))
    return logged(report, note, workspace, tracking_uri, progress)


# ---------------------------------------------------------------- the steps


@contextmanager
def _workplace(output: Path, dry_run: bool, resume: bool, progress: Progress) -> Iterator[Path]:
    """Where the batch is made: beside the output, or, where nothing is to be written, in a folder that goes again."""
    from riskmodels.service.batch import working_beside

    if not dry_run:
        with working_beside(output, resume, progress) as work:
            yield work
        return
    with storage.outside_world(Path(tempfile.gettempdir())), tempfile.TemporaryDirectory(prefix="riskmodels-") as work:
        yield Path(work)


def _open(
    cohort: str | Path,
    approved: ApprovedModel,
    study: Study,
    asked: Asked,
    as_of: dt.date | None,
    memory_limit: str | None,
    workspace: Workspace,
    work: Path,
) -> tuple[SourceParts | MatrixParts, int]:
    """The cohort in parts, and how many objections there are."""
    from riskmodels.data.coverage import read_objections
    from riskmodels.service.cohort import is_sources, open_matrix, open_sources, read_objectors

    objectors = read_objectors(asked.exclude)
    not_before = last_tested(study.file)
    folder = Path(cohort)
    if is_sources(folder, study.file):
        objectors |= read_objections(folder, study, "scoring")
        counted_by = engine_named("polars" if asked.engine == LOCAL else asked.engine, memory_limit, workspace)
        parts: SourceParts | MatrixParts = open_sources(
            folder, study, as_of, objectors, asked.today, counted_by, not_before=not_before
        )
        return parts, len(objectors)
    if memory_limit is not None:
        raise UsageError(
            "--memory-limit is for counting the facts of sources; a file of features is read in small parts"
        )
    if asked.engine not in (LOCAL, SPARK):
        raise UsageError(
            f"--engine {asked.engine} counts the facts of sources; a file of features has {LOCAL} or {SPARK}"
        )
    if study.file.consents is not None:
        raise UsageError(f"{folder.name}: who consented stands with the study's sources; give their folder and --as-of")
    if study.file.objections is not None and asked.exclude is None:
        raise UsageError(
            f"{folder.name}: who objected stands with the study's sources; give their folder, or name the objections "
            "with --exclude"
        )
    specs = approved.model.reasons
    return open_matrix(cohort, specs, study.file, as_of, objectors, work, not_before=not_before), len(objectors)


def _scored(
    approved: ApprovedModel,
    parts: SourceParts | MatrixParts,
    study: StudyFile,
    places: dict[str | None, int] | Share,
    asked: Asked,
    work: Path,
    resume: bool,
    progress: Progress,
) -> ScoredBatch:
    from riskmodels.data.engines import cores
    from riskmodels.service.batch import score_batch

    progress(f"scoring {parts.rows_in:,} people")
    with _employed(parts, asked, progress) as employ:
        return score_batch(
            approved,
            parts,
            study,
            places=places,
            explain=asked.explain,
            threads=asked.threads or cores(),
            work=work,
            resume=resume,
            progress=progress,
            employ=employ,
        )


@contextmanager
def _employed(parts: SourceParts | MatrixParts, asked: Asked, progress: Progress) -> Iterator[Employ | None]:
    """Who scores the parts: Spark, where it is asked to and they are files, or else (None) this process."""
    from riskmodels.service.cohort import MatrixParts

    if asked.engine != SPARK or not isinstance(parts, MatrixParts):
        yield None
        return
    from riskmodels.service.spark import spark_workers

    progress("starting Spark")
    with spark_workers(asked.threads) as employ:
        yield employ


def _report_of(
    batch: ScoredBatch,
    parts: SourceParts | MatrixParts,
    study: Study,
    asked: Asked,
    found: ResolvedModel,
    approved: ApprovedModel,
    objections: int,
) -> ScoreReport:
    from riskmodels.commands.batch_files import files_of
    from riskmodels.service.outputs.reader import Reader

    reader = Reader(approved.model, study, asked.role)
    notes = list(reader.notes(parts.notes))
    if count := len(parts.ignored):
        notes.append(f"not read: {count} {'column' if count == 1 else 'columns'} that nobody asked for")
    if study.file.routes and not parts.routed:
        notes.append("safeguarding flags were not looked for: they are told from the study's sources, not from a file")
    because = getattr(approved.model.fitted, "not_fast_because", None)
    if because:
        notes.append(f"scored by LightGBM itself, not by the fast kernel: {because}")
    return ScoreReport(
        batch.batch_id, dict(batch.counts), dict(batch.rejected_by_code), reader.left_off(batch),
        asked.output, files_of(asked.output, batch.batch_id, study.file, parts.routed, asked.role), found.study,
        approved.version, objections, tuple(notes), None, approved.approval.example, parts.ignored,
    )  # fmt: skip
