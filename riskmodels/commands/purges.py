"""What is due to go, and its going: first the record says what goes, then it is deleted.

So nothing is ever deleted that is not on record. A purge that is stopped between the two leaves files that are on
record as deleted; the next one deletes those first.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskmodels import storage
from riskmodels.commands.in_use import purging
from riskmodels.commands.purge_deletion import Going, digest_of, inside
from riskmodels.commands.purge_items import Kept, champions_of, find_items, results_of, studies_in
from riskmodels.commands.sources import Progress, silent
from riskmodels.errors import GateError, OutsideError, UsageError
from riskmodels.workspace import Workspace

if TYPE_CHECKING:
    from riskmodels.governance.acts import PurgedFile
    from riskmodels.governance.retention import Judged, Policy

RETENTION = "retention.yaml"


@dataclass(frozen=True)
class PurgeReport:
    """``rows``: all that is kept, judged before any of it went. ``done``: whether anything was to be deleted at all.

    ``deleted`` and ``bytes``: the files that went, and their size. ``finished``: those of them that an earlier purge
    had on record; ``waiting``: how many such there are, where nothing was to be deleted. ``stuck``: what could not be
    deleted, and why. ``lists``: the file names of lists, written where somebody said, whose batches are due or went.
    """

    rows: tuple[Judged, ...]
    periods: tuple[dict[str, str], ...]
    done: bool
    deleted: int = 0
    bytes: int = 0
    finished: int = 0
    waiting: int = 0
    stuck: tuple[tuple[str, str], ...] = ()
    lists: tuple[str, ...] = ()

    @property
    def due(self) -> list[Judged]:
        return [row for row in self.rows if row.state == "due"]

    @property
    def kept(self) -> list[Judged]:
        return [row for row in self.rows if row.state == "kept"]

    @property
    def artefacts(self) -> list[dict[str, Any]]:
        """What there is of each kind: how many files, their size, the oldest, and the first day on which any is due."""
        found: dict[tuple[str, str], list[Judged]] = {}
        for row in self.rows:
            found.setdefault((row.item.study, row.item.artefact), []).append(row)
        return [
            {
                "study": study, "artefact": artefact, "files": sum(len(row.item.files) for row in rows),
                "bytes": sum(row.item.bytes for row in rows),
                "oldest": min((row.item.since for row in rows if row.item.since is not None), default=None),
                "first_due": min((row.due for row in rows if row.due is not None), default=None),
            }
            for (study, artefact), rows in found.items()
        ]  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON: what there is and what became of it; nobody's id."""
        rows = [
            {
                "study": row.item.study, "artefact": row.item.artefact, "path": row.item.path,
                "since": _text(row.item.since), "kept_for": str(row.kept_for), "said_in": row.said_in,
                "due": _text(row.due), "files": len(row.item.files), "bytes": row.item.bytes, "state": row.state,
                "why": row.why,
            }
            for row in self.rows
        ]  # fmt: skip
        return {
            "deleted_now": self.done, "files_deleted": self.deleted, "bytes_deleted": self.bytes,
            "finished": self.finished, "waiting": self.waiting,
            "not_deleted": [{"path": path, "why": why} for path, why in self.stuck], "lists": list(self.lists),
            "periods": list(self.periods), "rows": rows,
        }  # fmt: skip


def purge(
    study: str | None,
    workspace: Workspace,
    today: dt.date,
    *,
    due: bool = False,
    dry_run: bool = False,
    by: str | None = None,
    progress: Progress = silent,
) -> PurgeReport:
    """Tell what a workspace keeps of people, and how long; with ``due`` delete what is due, and put that on record.

    Parameters
    ----------
    study : one study only; all of them unless given
    dry_run : tell only, whatever ``due`` says
    by : the role that deletes, for the record

    Raises
    ------
    UsageError
        if there is no such workspace or study, or a role is missing or is a person.
    StudyError
        if ``retention.yaml`` is wrong.
    GateError
        if a record is broken, or was written on a later day than today.
    OutsideError
        if another command works in the workspace, or the disk refuses; nothing was deleted then.
    """
    act = due and not dry_run
    if not workspace.root.is_dir():
        raise UsageError(f"{workspace.root}: no such workspace; name one with --workspace")
    workspace = Workspace(workspace.root.resolve())  # the workspace may be reached by a link; what is in it may not
    role = _role(by) if act else None
    with purging(workspace) if act else nullcontext():
        policy = read_policy(workspace)
        places = _places(workspace, study, policy)
        for kept in places:
            _refuse_earlier(kept, today)
        waiting = {kept.study: _unfinished(kept) for kept in places}
        if act:
            _refuse_undeletable(workspace, [name for files in waiting.values() for name in files])
            _refuse_undeletable(workspace, [name for row in _judged(places, policy, today) for name in row.item.files])
        going = Going(workspace, today, role)
        for kept in places if act else ():
            going.finish(kept.study, waiting[kept.study])
        rows = _judged(places, policy, today)
        due_rows = [row for row in rows if row.state == "due"]
        lists = _lists(workspace, due_rows)
        for row in due_rows if act else ():
            progress(f"deleting {row.item.artefact} of {row.item.study}: {row.item.path}")
            going.delete(row)
    report = PurgeReport(tuple(rows), tuple(_periods(places, policy)), act, lists=lists)
    if not act:
        return replace(report, waiting=sum(map(len, waiting.values())))
    return replace(
        report, deleted=going.deleted, bytes=going.bytes, finished=going.finished, stuck=tuple(going.stuck.items())
    )


def read_policy(workspace: Workspace) -> Policy:
    """``retention.yaml`` of a workspace, or the defaults where there is none. Raises StudyError."""
    from riskmodels.governance.retention import Policy, parse_policy

    path = workspace.root / RETENTION
    return parse_policy(storage.read_yaml(path), str(path)) if os.path.lexists(path) else Policy()


def why_gone(workspace: Workspace, study: str, path: Path) -> str | None:
    """That a file of a study was deleted by a purge, and when, in half a sentence; None where no record says so."""
    from riskmodels.governance.chain import read_chain
    from riskmodels.governance.retention import said_of_deleted

    try:
        return said_of_deleted(
            read_chain(workspace.reviews(study)), path.resolve().relative_to(workspace.root.resolve()).as_posix()
        )
    except (GateError, ValueError):  # what is asked for is missing, whatever the record says
        return None


# ---------------------------------------------------------------- before


def _role(by: str | None) -> str:
    from pydantic import TypeAdapter, ValidationError

    from riskmodels.governance.written import Role

    if by is None:
        raise UsageError("--by: say in which role you delete, as in --by 'information governance officer'")
    try:
        return str(TypeAdapter(Role).validate_python(by))
    except ValidationError as error:
        raise UsageError(f"--by: {error.errors()[0]['msg'].removeprefix('Value error, ')}") from None


def _places(workspace: Workspace, study: str | None, policy: Policy) -> list[Kept]:
    from riskmodels.governance import registry
    from riskmodels.governance.chain import read_chain

    index = registry.read_index(workspace)
    known = studies_in(workspace, index)
    unknown = sorted(set(policy.studies) - set(known))
    if unknown:
        raise UsageError(
            f"{workspace.root / RETENTION}: studies.{unknown[0]}: nothing is kept of such a study; {_known(known)}"
        )
    if study is not None and study not in known:
        raise UsageError(f"purge: nothing is kept here of a study of that name; {_known(known)}")
    wanted = known if study is None else [study]
    results = results_of(workspace, wanted)
    has_index = workspace.models_index.exists()
    return [
        Kept(
            workspace,
            name,
            index.get(name, registry.Registered()) if has_index else None,
            read_chain(workspace.reviews(name)),
            frozenset(results[name] | (results[""] if place == 0 else set())),
            place == 0,
        )
        for place, name in enumerate(wanted)
    ]


def _known(studies: Sequence[str]) -> str:
    return f"there is {', '.join(studies)}" if studies else "the workspace is empty"


def _refuse_earlier(kept: Kept, today: dt.date) -> None:
    from riskmodels.service.people.ledger import last_scored_on

    recorded = kept.chain[-1].recorded_on if kept.chain else today
    scored = last_scored_on(kept.workspace, kept.study) or today
    if today < max(recorded, scored):
        raise GateError(
            f"today is {today}, but something was recorded of {kept.study} on {max(recorded, scored)}; correct the "
            "clock"
        )


def _judged(places: Sequence[Kept], policy: Policy, today: dt.date) -> list[Judged]:
    from riskmodels.governance.retention import judge

    return [row for kept in places for row in judge(find_items(kept), policy, today, champions_of(kept, today))]


def _unfinished(kept: Kept) -> dict[str, PurgedFile]:
    """What is on record as deleted and is still there, byte for byte."""
    from riskmodels.governance.retention import unfinished

    found = {file.path: file for file in unfinished(kept.chain, find_items(kept))}
    return {path: file for path, file in found.items() if _is_still(kept.workspace.root, file)}


def _is_still(root: Path, file: PurgedFile) -> bool:
    path = inside(root, file.path)
    return path is not None and path.is_file() and path.lstat().st_size == file.bytes and digest_of(path) == file.sha256


def _refuse_undeletable(workspace: Workspace, files: Sequence[str]) -> None:
    """Raises OutsideError before anything is deleted, where the system would refuse it half-way."""
    for folder in sorted({(workspace.root / name).parent for name in files}):
        if not os.access(folder, os.W_OK | os.X_OK):
            raise OutsideError(f"{folder}: cannot be deleted from (no permission); nothing was deleted")


# ---------------------------------------------------------------- what is told


def _periods(places: Sequence[Kept], policy: Policy) -> Iterator[dict[str, str]]:
    from riskmodels.governance.retention import ARTEFACTS

    for kept in places:
        for name, artefact in ARTEFACTS.items():
            period, said_in = policy.period(kept.study, name)
            yield {
                "study": kept.study, "artefact": name, "kept_for": str(period), "from": artefact.since,
                "said_in": said_in, "what": artefact.words,
            }  # fmt: skip


def _lists(workspace: Workspace, due: Sequence[Judged]) -> tuple[str, ...]:
    from riskmodels.service.people.record import read_batch

    folders = [(workspace.root / row.item.files[-1]).parent for row in due if row.item.artefact == "batches"]
    return tuple(dict.fromkeys(read_batch(folder).output for folder in folders))


def _text(day: dt.date | None) -> str | None:
    return None if day is None else day.isoformat()
