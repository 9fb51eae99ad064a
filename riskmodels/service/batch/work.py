"""The folder beside the output in which a batch is made, and how its files take their places at the end."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from riskmodels import storage
from riskmodels.errors import OutsideError, UsageError

PLAN = "plan.json"
PUBLISHING = "publishing.json"
# What the engine puts into the work folder; whatever else is there belongs to others.
OURS = (PLAN, "shards", "codes", "ranked", "verified")
OWNER_ONLY_FOLDER = 0o700
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
    "made_with": "the version of riskmodels or of a library",
}


class StoppedError(OutsideError):
    """The work was stopped from outside, and can go on: what is done is kept."""


def folder_beside(output: Path) -> Path:
    """Where the batch of this output is made: on the same disk, so that its files take their places by a rename."""
    return output.with_name(f".{output.name}.work")


@contextmanager
def working_beside(output: Path, resume: bool, progress: Callable[[str], None]) -> Iterator[Path]:
    """The work folder of an output, ours alone, taken away at the end: empty at first, unless a run is resumed.

    It stays for ``--resume`` if the process is killed, or interrupted (`StoppedError`), or the disk is full. What an
    earlier run was killed in the middle of publishing takes its place first: those files are whole.

    Raises
    ------
    OutsideError
        if another run is writing this output, or the disk refuses; the earlier output is as it was.
    """
    output = Path(output)
    storage.refuse_unwritable(output)
    work = folder_beside(output)
    with storage.held(output):
        if work.is_symlink():
            raise OutsideError(f"{work}: is a link, and people's records belong beside their list; take it away")
        if (work / PUBLISHING).exists():
            progress(f"an earlier run was stopped while {output.name} took its place; finishing that first")
            _finish(work)
        with storage.outside_world(output):
            work.mkdir(mode=OWNER_ONLY_FOLDER, exist_ok=True)
            work.chmod(OWNER_ONLY_FOLDER)
        if not resume:
            _clear(work, [item.name for item in work.iterdir()], progress)
        try:
            yield work
        except (KeyboardInterrupt, StoppedError):
            raise
        except OutsideError as error:
            if not _is_full(error):
                shutil.rmtree(work, ignore_errors=True)
                raise
            raise OutsideError(
                f"{output}: the disk is full; make room, then run again with --resume (what is done is kept in "
                f"{work.name}); nothing was changed"
            ) from None
        except BaseException as error:
            # Asked to go on with what is of another plan, it leaves that alone: it may still be wanted.
            if not (resume and isinstance(error, UsageError)):
                shutil.rmtree(work, ignore_errors=True)
            raise
        shutil.rmtree(work, ignore_errors=True)


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
        work.mkdir(mode=OWNER_ONLY_FOLDER, parents=True, exist_ok=True)
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


# ---------------------------------------------------------------- publishing


def publish(work: Path, files: Mapping[str, Path]) -> None:
    """Let finished files or folders of the work folder take their places, in the order given: the list itself last.

    All are on the disk before the first takes its place. A process that is killed between two of them leaves a note
    from which the next run on this output finishes.

    Parameters
    ----------
    files : name in ``work`` -> where it belongs

    Raises
    ------
    OutsideError
        if the disk refuses.
    """
    for name, final in files.items():
        with storage.outside_world(final):
            final.parent.mkdir(parents=True, exist_ok=True)
            part = work / name
            if _is_elsewhere(part, final):
                part = _brought_near(part, _near(work, final))
            for file in _files_in(part):
                with file.open("rb") as written:
                    os.fsync(written.fileno())
                file.chmod(storage.OWNER_ONLY)
    note = {name: str(final.absolute()) for name, final in files.items()}
    storage.write_whole(work / PUBLISHING, storage.canonical_json(note))
    _finish(work)


def _finish(work: Path) -> None:
    """Do what the note says and is not done yet, then take the note away."""
    for name, place in storage.read_json(work / PUBLISHING, OutsideError).items():
        part, final = work / name, Path(place)
        with storage.outside_world(final):
            near = _near(work, final)
            if near.exists():
                part = near
            if not part.exists():
                continue
            if final.is_dir():
                # A folder cannot take the place of another that holds something.
                aside = work / f"earlier {name}"
                shutil.rmtree(aside, ignore_errors=True)
                shutil.move(final, aside)
            os.replace(part, final)
    with storage.outside_world(work):
        (work / PUBLISHING).unlink()


def _near(work: Path, final: Path) -> Path:
    """Where a file waits that belongs on another disk than the work folder."""
    return final.with_name(f".{final.name}{work.name}.part")


def _is_elsewhere(part: Path, final: Path) -> bool:
    """Whether a rename might not do: anywhere but beside the work folder. Two mounts may share a disk, and yet refuse it."""
    return part.parent.parent.resolve() != final.parent.resolve()


def _brought_near(part: Path, near: Path) -> Path:
    shutil.rmtree(near, ignore_errors=True)
    near.unlink(missing_ok=True)
    shutil.move(part, near)
    return near


def _files_in(path: Path) -> list[Path]:
    return sorted(item for item in path.rglob("*") if item.is_file()) if path.is_dir() else [path]
