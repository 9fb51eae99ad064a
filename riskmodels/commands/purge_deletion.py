"""How what is due goes: it is put on record first, then deleted, file by file. No link is followed."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
from collections.abc import Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from riskmodels import storage
from riskmodels.errors import OutsideError
from riskmodels.workspace import Workspace

if TYPE_CHECKING:
    from riskmodels.governance.acts import PurgedFile
    from riskmodels.governance.retention import Item, Judged

BLOCK = 1 << 20


@dataclass
class Going:
    """Deletes, and counts what went. ``stuck``: what could not be deleted -> why."""

    workspace: Workspace
    today: dt.date
    role: str | None
    deleted: int = 0
    bytes: int = 0
    finished: int = 0
    stuck: dict[str, str] = field(default_factory=dict)

    def finish(self, study: str, files: Mapping[str, PurgedFile]) -> None:
        """Delete what an earlier purge has on record."""
        before = self.deleted
        self._delete_files(study, {path: file.bytes for path, file in files.items()})
        self.finished += self.deleted - before

    def delete(self, row: Judged) -> None:
        """Put one item on record, then delete it."""
        from riskmodels.governance.acts import Purge, PurgedFile
        from riskmodels.governance.chain import Digests, writing

        item, root = row.item, self.workspace.root
        assert row.due is not None
        if item.artefact == "batches":
            _have_in_ledger(self.workspace, item)
        sizes = {name: os.lstat(root / name).st_size for name in item.files}
        files = tuple(PurgedFile(path=name, sha256=digest_of(root / name), bytes=sizes[name]) for name in item.files)
        said = Purge(artefact=item.artefact, kept_for=str(row.kept_for), due=row.due, files=files, by_role=self.role)
        with writing(self.workspace.reviews(item.study), self.today) as pen:
            pen.append(said, Digests())
        self._delete_files(item.study, sizes)

    def _delete_files(self, study: str, sizes: Mapping[str, int]) -> None:
        from riskmodels.caching import Steps

        cached = [name for name in sizes if name.startswith("cache/results/")]
        with Steps(self.workspace.cache, study).writing() if cached else nullcontext(True) as allowed:
            for name, size in sizes.items():
                if name in cached and not allowed:
                    self.stuck[name] = "the cache cannot be locked"
                    continue
                path = inside(self.workspace.root, name)
                if path is None:
                    self.stuck[name] = "is a link, or lies behind one"
                    continue
                try:
                    _unlink(path)
                except FileNotFoundError:
                    continue
                except OSError as reason:
                    self.stuck[name] = reason.strerror or type(reason).__name__
                    continue
                self.deleted, self.bytes = self.deleted + 1, self.bytes + size
                _remove_empty(self.workspace.root, PurePosixPath(name))
            if allowed and cached:
                _forget_results(self.workspace, study, cached)


def _unlink(path: Path) -> None:
    path.unlink()


def _forget_results(workspace: Workspace, study: str, files: Sequence[str]) -> None:
    """Take deleted results off the study's own list. The lock of the cache is held."""
    from riskmodels.caching.record import read_record, write_record

    path = workspace.cache / f"{study}.json"
    record = read_record(path)
    if record is not None and path.exists():
        gone = {PurePosixPath(name).name.partition(".")[0] for name in files}
        write_record(path, replace(record, results=record.results - gone))


def _have_in_ledger(workspace: Workspace, item: Item) -> None:
    """After a crash a batch has a record and no line: when the record goes, its line must stay."""
    from riskmodels.service.people.ledger import append_batch
    from riskmodels.service.people.record import read_batch

    append_batch(workspace, read_batch((workspace.root / item.files[-1]).parent))


def inside(root: Path, name: str) -> Path | None:
    """The path of a file in the workspace; None if a link stands on the way to it, or is it."""
    path = root
    for part in PurePosixPath(name).parts:
        if part == ".." or part.startswith("/"):
            return None
        path = path / part
        if path.is_symlink():
            return None
    return path


def _remove_empty(root: Path, name: PurePosixPath) -> None:
    """Remove the folders that a file was in, if nothing else is in them; never those of the workspace itself."""
    for folder in name.parents:
        fewest = 2 if folder.parts[:1] in (("data",), ("tuning",)) else 3
        if len(folder.parts) < fewest:
            return
        with suppress(OSError):
            (root / folder).rmdir()


def digest_of(path: Path) -> str:
    try:
        digest = hashlib.sha256()
        with storage.open_plain_file(path) as file:
            while block := file.read(BLOCK):
                digest.update(block)
        return digest.hexdigest()
    except OSError as reason:
        raise OutsideError(f"{path}: cannot be read ({reason.strerror}); it was not deleted") from None
