"""What a list is written over, told before any work: never what it is made from, nor what the workspace keeps."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from riskmodels import storage
from riskmodels.errors import UsageError
from riskmodels.study import StudyFile
from riskmodels.workspace import Workspace

if TYPE_CHECKING:
    from riskmodels.commands.score_options import Asked
    from riskmodels.governance.registry import ResolvedModel
    from riskmodels.service.cohort import MatrixParts, SourceParts

# What stands in a workspace beside the lists that somebody may keep there (`riskmodels.workspace`).
KEPT = ("batches", "cache", "data", "governance", "mlartifacts", "runs", "tuning")
KEPT_FILES = ("mlflow.db", "models.json", "retention.yaml")


def refuse_unsafe_output(output: Path, cohort: str | Path, others: Iterable[Path | None], workspace: Workspace) -> None:
    """Raises UsageError if the list, or a file beside it, would take the place of what is read or kept.

    Parameters
    ----------
    others : further files that the run reads
    """
    from riskmodels.commands.batch_files import BESIDE

    stem = output.name.removesuffix(output.suffix)
    written = [output, *(output.with_name(f"{stem}{ending}") for ending in BESIDE.values())]
    folder = Path(cohort)
    if folder.is_dir() and output.resolve().is_relative_to(folder.resolve()):
        raise UsageError(f"--output {output}: lies in the folder of the cohort, which is read; write it elsewhere")
    for path in _read(cohort, others):
        if any(_same(one, path) for one in written):
            raise UsageError(
                f"--output {output}: would take the place of {path.name}, which is read; write it elsewhere"
            )
    root = workspace.root.resolve()
    for one in written:
        inside = one.resolve()
        if inside.parent == root and inside.name.startswith(KEPT_FILES):
            raise UsageError(f"--output {output}: is a file of the workspace; write the list elsewhere")
        if any(inside.is_relative_to(root / name) for name in KEPT):
            raise UsageError(f"--output {output}: lies where the workspace keeps its own; write the list elsewhere")


def refuse_too_many(asked: Asked, rows: int) -> None:
    """Raises UsageError if the cohort has more rows than the format holds."""
    from riskmodels.service.outputs.lists import MOST_SHEET_ROWS

    if asked.format == "xlsx" and rows > MOST_SHEET_ROWS:
        raise UsageError(
            f"{asked.output.name}: the cohort has {rows:,} rows, and a sheet of Excel holds {MOST_SHEET_ROWS:,}; "
            "use --format parquet or csv"
        )


def refuse_unwritable_files(
    asked: Asked,
    batch_id: str,
    parts: SourceParts | MatrixParts,
    study: StudyFile,
    found: ResolvedModel,
    workspace: Workspace,
) -> None:
    """Raises OutsideError if anything that the batch will leave cannot take its place."""
    from riskmodels.commands.batch_files import files_of

    for name, path in files_of(asked.output, batch_id, study, parts.routed, asked.role).items():
        storage.refuse_unwritable(path, folder=name == "Decisions")
    storage.refuse_unwritable(workspace.batch(found.study, batch_id), folder=True)


def _read(cohort: str | Path, others: Iterable[Path | None]) -> Iterator[Path]:
    path = Path(cohort)
    yield path
    if not path.exists() and glob.has_magic(str(cohort)):
        yield from map(Path, glob.glob(str(cohort)))
    yield from (other for other in others if other is not None)


def _same(one: Path, other: Path) -> bool:
    if one.exists() and other.exists():
        return one.samefile(other)
    return one.resolve() == other.resolve()
