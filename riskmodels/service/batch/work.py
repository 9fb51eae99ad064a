"""The folder beside the output in which a batch is made: ours alone, and kept for as long as it can be gone on with."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from riskmodels import storage
from riskmodels.errors import DataError, ModelFileError, OutsideError, UsageError
from riskmodels.service.batch.publishing import StoppedError, finish, is_publishing, sweep

PLAN = "plan.json"
SHARDS = "shards"
# What the engine puts into the work folder; whatever else is there belongs to others.
OURS = (PLAN, SHARDS, "codes", "ranked", "verified")
# These are the fault of what was given, which going on would meet again.
FAULTS = (DataError, ModelFileError, UsageError)
NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
# What the plan holds, in the words of whoever is told that it is another one.
IN_WORDS = {
    "batch_id": "the options",
    "model_sha256": "the model",
    "cohort_sha256": "the cohort",
    "places": "the places",
    "explain": "--explain",
    "as_of": "the as-of date",
    "study_sha256": "the study",
    "parts": "the parts of the cohort",
    "rows_in": "the cohort",
    "made_with": "the version of Python, riskmodels or a library",
}


def folder_beside(output: Path) -> Path:
    """Where the batch of this output is made: on the same disk, so that its files take their places by a rename."""
    return output.with_name(f".{output.name}.work")


@contextmanager
def working_beside(output: Path, resume: bool, progress: Callable[[str], None]) -> Iterator[Path]:
    """The work folder of an output, ours alone, taken away at the end: empty at first, unless a run is resumed.

    It stays for ``--resume`` if the process is killed or interrupted, and after any error that comes when some are
    scored, but for one that is the cohort's or the model's fault (`FAULTS`). What an earlier run was stopped in the
    middle of publishing takes its place first: those files are whole.

    Two outputs that differ in their ending alone, as ``list.csv`` and ``list.parquet``, share their rejects, report
    and columns: one run at a time may write either.

    Raises
    ------
    OutsideError
        if another run is writing this output, or such another; if what stands in place of the work folder may not be
        ours; or if the disk refuses. The earlier output is as it was.
    StoppedError
        if the disk refuses once some files have taken their places.
    """
    output = Path(output)
    storage.refuse_unwritable(output)
    work = folder_beside(output)
    with storage.held(output, shared=output.name.removesuffix(output.suffix)):
        _make_ours(work)
        if is_publishing(work):
            progress(f"an earlier run was stopped while {output.name} took its place; finishing that first")
            finish(work)
        sweep(work)
        resumed = resume and (work / PLAN).exists()
        if not resume:
            _clear(work, [item.name for item in work.iterdir()], progress)
        try:
            yield work
        except (KeyboardInterrupt, StoppedError):
            raise
        except BaseException as error:
            # Asked to go on with what is of another plan or cohort, it leaves that alone: it may still be wanted.
            kept = resumed if isinstance(error, FAULTS) else _has_shards(work)
            if isinstance(error, OutsideError) and (kept or _is_full(error)):
                raise OutsideError(_kept_after(error, output, work)) from None
            if kept or is_publishing(work):
                progress(f"what is done is kept in {work.name}; --resume goes on with it")
            else:
                shutil.rmtree(work, ignore_errors=True)
            raise
        shutil.rmtree(work, ignore_errors=True)


def _make_ours(work: Path) -> None:
    """Make the work folder, or refuse what stands in its place unless no other user can have put anything into it."""
    with storage.outside_world(work):
        try:
            work.mkdir(mode=storage.OWNER_ONLY_FOLDER)
        except FileExistsError:
            storage.refuse_foreign(work)
            if not work.is_dir():
                raise OutsideError(f"{work}: is a file where a folder is to be made; take it away") from None


def _has_shards(work: Path) -> bool:
    return (work / SHARDS).is_dir() and any((work / SHARDS).glob("*.shard"))


def _kept_after(error: OutsideError, output: Path, work: Path) -> str:
    if _is_full(error):
        return (
            f"{output}: the disk is full; make room, then run again with --resume (what is done is kept in "
            f"{work.name}); nothing was changed"
        )
    return f"{error}; what is done is kept in {work.name}, so mend that and run again with --resume"


def _is_full(error: BaseException | None) -> bool:
    """Whether an error, or what it was made of, says that there is no space left."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in NO_SPACE:
            return True
        error = error.__cause__ or error.__context__
    return False


def prepare(work: Path, plan: Mapping[str, Any], resume: bool, progress: Callable[[str], None]) -> None:
    """Make the work folder ready for a plan: without our files, or, with ``resume``, as a run of this plan left them.

    Raises
    ------
    UsageError
        if what was left is of another plan.
    OutsideError
        if the disk refuses.
    """
    path = work / PLAN
    with storage.outside_world(work):
        work.mkdir(mode=storage.OWNER_ONLY_FOLDER, parents=True, exist_ok=True)
    if resume and path.exists():
        earlier = storage.read_json(path, OutsideError)
        if earlier == plan:
            return
        before = earlier if isinstance(earlier, dict) else {}
        # The batch's own id differs with everything else, so it is named only where nothing else does.
        changed = [name for name in (*plan, "batch_id") if before.get(name) != plan[name] and name != "batch_id"]
        what = IN_WORDS.get(changed[0], changed[0]) if changed else IN_WORDS["batch_id"]
        raise UsageError(f"--resume: {what} changed since the run that was stopped; run without --resume")
    _clear(work, [name for name in OURS if (work / name).exists()], progress)
    storage.write_whole(path, storage.canonical_json(plan))


def _clear(work: Path, names: list[str], progress: Callable[[str], None]) -> None:
    if names:
        progress("clearing what an earlier run left unfinished (--resume would have gone on with it)")
    with storage.outside_world(work):
        for item in (work / name for name in names):
            shutil.rmtree(item) if item.is_dir() and not item.is_symlink() else item.unlink()
