"""Where a study's sources stand, and what counts them."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from riskmodels import storage
from riskmodels.errors import DataError, RiskModelsError, StudyError, UsageError
from riskmodels.study import Study
from riskmodels.workspace import Workspace

if TYPE_CHECKING:
    from riskmodels.caching import Steps
    from riskmodels.data.engines import Engine

Progress = Callable[[str], None]
PREPARED_BY = ".prepared"
ENGINES = ("polars", "duckdb", "spark")
DEFAULT_MEMORY_LIMIT = "2GB"


def silent(message: str) -> None:
    """What a verb says its progress to, where nobody listens."""


def version_of(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def engine_named(name: str, memory_limit: str | None, workspace: Workspace) -> Engine:
    """The engine of ``--engine`` and ``--memory-limit``. Raises UsageError."""
    from riskmodels.data.engines import Engine

    if name not in ENGINES:
        raise UsageError(f"--engine is {', '.join(ENGINES[:-1])} or {ENGINES[-1]}, got {name!r}")
    if memory_limit is not None and name != "duckdb":
        raise UsageError(f"--memory-limit belongs to --engine duckdb, not to {name}")
    if memory_limit is not None and not re.fullmatch(r"\d+(\.\d+)?\s*(MB|GB|MiB|GiB)", memory_limit):
        raise UsageError(f"--memory-limit reads like 1GB or 500MB, got {memory_limit!r}")
    if memory_limit is not None and float(re.match(r"[\d.]+", memory_limit)[0]) == 0:  # type: ignore[index]
        raise UsageError("--memory-limit 0 leaves nothing to work in; it reads like 1GB or 500MB")
    limit = (memory_limit or DEFAULT_MEMORY_LIMIT) if name == "duckdb" else None
    return Engine(name, limit, workspace.cache / "engine")


def steps_of(study: Study, workspace: Workspace, keep: bool) -> Steps:
    """The study's kept results; none with ``--no-cache``. A workspace that is not there is made for its owner alone."""
    from riskmodels.caching import Steps

    with storage.outside_world(workspace.root):
        storage.make_private(workspace.root)
    return Steps(workspace.cache if keep else None, study.name)


def data_folder(study: Study, workspace: Workspace, data: Path | None, progress: Progress = silent) -> Path:
    """Where the sources stand: the folder that was named, or the one that the study's prepare.py fills.

    Raises
    ------
    StudyError
        if no folder is named and the study has no prepare.py.
    """
    if data is not None:
        if not data.is_dir():
            raise DataError(f"{data}: no such folder of data")
        return data
    folder = workspace.data(study.name)
    script = study.folder / "prepare.py"
    if not script.is_file():
        raise StudyError(f"{study.folder}: has no prepare.py; name the folder of its sources with --data")
    # Prepared anew when the script or the package changed, and never left half prepared.
    made_by = f"{storage.sha256(storage.read_bytes(script))} {version_of('riskmodels')}"
    stamp = folder / PREPARED_BY
    if stamp.is_file() and stamp.read_text() == made_by:
        return folder
    progress(f"preparing the data with {script.name}")
    with storage.outside_world(folder), storage.folder_made_whole(folder) as new:
        _prepare(script, new)
        _close(new)
        (new / PREPARED_BY).write_text(made_by)
    return folder


def _close(folder: Path) -> None:
    """Whatever a study's own script wrote may hold people, with permissions that it did not think of."""
    for path in [folder, *folder.rglob("*")]:
        if not path.is_symlink():
            path.chmod(storage.OWNER_ONLY_FOLDER if path.is_dir() else storage.OWNER_ONLY)


def _prepare(script: Path, folder: Path) -> None:
    """Run a study's prepare.py. An error in it is named by its line, without what it may hold."""
    spec = importlib.util.spec_from_file_location("prepare", script)
    if spec is None or spec.loader is None:
        raise StudyError(f"{script}: cannot be read as Python")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        module.prepare(folder)
    except (RiskModelsError, OSError):
        raise
    except Exception as error:
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(script)]
        where = f", line {lines[-1]}" if lines else ""
        raise StudyError(
            f"{script}{where}: failed with {type(error).__name__}; mend the script, or use --data"
        ) from None
