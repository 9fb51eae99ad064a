"""What a workspace keeps of a study, found by what we know that we write ourselves. No link is followed.

To add an artefact: a function here and a row in `FINDERS` (see `riskmodels.governance.retention.ARTEFACTS`).
"""

from __future__ import annotations

import datetime as dt
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from riskmodels import storage
from riskmodels.caching.record import read_record
from riskmodels.commands.sources import PREPARED_BY
from riskmodels.errors import DataError, OutsideError, RiskModelsError, UsageError
from riskmodels.governance.retention import Item
from riskmodels.study import clock
from riskmodels.workspace import Workspace

if TYPE_CHECKING:
    from riskmodels.governance.chain import Record
    from riskmodels.governance.registry import Registered

STUDY = re.compile(r"[a-z][a-z0-9_]{0,79}")
RESULT = re.compile(r"([0-9a-f]{64})\.[0-9a-f]{64}\.parquet")
RUN = "run.json"
MANIFEST = "riskmodel/manifest.json"
OF_PEOPLE = ("predictions.parquet", "ranking.parquet")
EXACT = ("audit_exact.json", "audit_counts.json")
# All that stands in the folder of a run (`riskmodels.commands.runs.run_files`).
PARTS_OF_A_RUN = frozenset(
    {"study", "riskmodel", "card", "audit", "figures", "explain", "checks", RUN, *OF_PEOPLE, *EXACT}
)
A_LINK = "is a link; what it leads to is not ours"
NO_DATE = "cannot be read, so nobody can tell its age; restore it, or look at the folder and delete it by hand"


@dataclass(frozen=True)
class Kept:
    """Where to look, and what is known of one study. ``results``: the digests of the cached results that are its own.

    ``registered`` is None where the workspace has no index of models at all.
    """

    workspace: Workspace
    study: str
    registered: Registered | None
    chain: Sequence[Record]
    results: frozenset[str] = frozenset()
    has_the_rest: bool = False  # whether what no study claims is looked at with this one

    def at(self, path: Path) -> str:
        return path.relative_to(self.workspace.root).as_posix()


def studies_in(workspace: Workspace, index: Iterable[str]) -> list[str]:
    """Every study of which something is kept here."""
    found = {path.stem for path in _files(workspace.root / "governance") if path.suffix == ".jsonl"} | set(index)
    for part in ("runs", "data", "batches", "tuning"):
        found |= {path.name for path in _folders(workspace.root / part)}
    found |= {path.stem for path in _files(workspace.cache) if path.suffix == ".json"}
    return sorted(name for name in found if STUDY.fullmatch(name))


def results_of(workspace: Workspace, studies: Sequence[str]) -> dict[str, set[str]]:
    """The cached results of each study; one that several share is the first one's. ``""``: what no study claims."""
    claimed: dict[str, set[str]] = {}
    for name in studies:
        record = read_record(workspace.cache / f"{name}.json")
        mine = set() if record is None else set(record.results)
        claimed[name] = mine.difference(*claimed.values())
    others = [name for path in _files(workspace.cache) if (name := path.stem) not in studies and path.suffix == ".json"]
    records = (read_record(workspace.cache / f"{name}.json") for name in others)
    elsewhere = set().union(*(record.results for record in records if record is not None))
    there = {found[1] for path in _results(workspace) if (found := RESULT.fullmatch(path.name))}
    claimed[""] = there.difference(elsewhere, *claimed.values())
    return claimed


def find_items(kept: Kept) -> list[Item]:
    """Everything that is kept of a study and has a retention. Raises OutsideError if a folder may not be read."""
    return [item for find in FINDERS.values() for item in find(kept)]


# ---------------------------------------------------------------- the finders


def _batches(kept: Kept) -> Iterator[Item]:
    from riskmodels.service.people.record import BATCH, PEOPLE, read_batch

    folder = kept.workspace.root / "batches" / kept.study
    for path in _folders(folder, also_links=True):
        if _is_link(path):
            yield _left(kept, "batches", path, A_LINK)
            continue
        files = [name for name in (PEOPLE, BATCH) if (path / name).exists() or _is_link(path / name)]
        if not files:
            continue
        try:
            note = read_batch(path)
            named = (note.study, note.batch_id) == (kept.study, path.name)
        except RiskModelsError:
            yield _left(kept, "batches", path / BATCH, NO_DATE)
            continue
        if not named:
            yield _left(kept, "batches", path / BATCH, "is of another batch; restore it, or delete the folder by hand")
            continue
        # The one that says what the batch was goes last, so that a purge that was stopped can go on.
        yield _item(kept, "batches", path, files, note.scored_on, _strangers(path, {PEOPLE, BATCH}))


def _of_runs(artefact: str, names: tuple[str, ...]) -> Callable[[Kept], Iterator[Item]]:
    def find(kept: Kept) -> Iterator[Item]:
        for run in _runs(kept):
            files = [name for name in names if (run / name).exists() or _is_link(run / name)]
            if not files or _is_draft(kept, run):
                continue
            made_on = _run_day(run)
            why = None if made_on is not None else f"{RUN} {NO_DATE}"
            yield _item(kept, artefact, run, files, made_on, why, run=kept.at(run))

    return find


def _drafts(kept: Kept) -> Iterator[Item]:
    for run in _folders(kept.workspace.runs(kept.study), also_links=True):
        if _is_link(run):
            yield _left(kept, "drafts", run, A_LINK)
    for run in _runs(kept):
        if not _is_draft(kept, run):
            continue
        made_on = _run_day(run)
        why = _strangers(run, PARTS_OF_A_RUN)
        if kept.registered is None:
            why = "there is no models.json to say that it was never registered; restore it"
        if made_on is None:
            why = f"{RUN} {NO_DATE}"
        files = sorted(_below(run), key=lambda name: (name == RUN, name not in OF_PEOPLE, name))
        yield _item(kept, "drafts", run, files, made_on, why, run=kept.at(run))


def _source_tables(kept: Kept) -> Iterator[Item]:
    folder = kept.workspace.data(kept.study)
    if _is_link(folder) or _is_link(folder.parent):
        yield _left(kept, "source_tables", folder, A_LINK)
    elif (folder / PREPARED_BY).is_file():
        # The stamp says that the tables are whole, so it goes before them.
        files = sorted(_below(folder), key=lambda name: (name != PREPARED_BY, name))
        yield _item(kept, "source_tables", folder, files, _written_on(folder / PREPARED_BY))


def _cache(kept: Kept) -> Iterator[Item]:
    by_day: dict[dt.date, list[Path]] = {}
    for path in _results(kept.workspace):
        found = RESULT.fullmatch(path.name)
        if found and found[1] in kept.results and not _is_link(path):
            by_day.setdefault(_written_on(path), []).append(path)
    root = kept.workspace.cache / "results"
    for day, paths in sorted(by_day.items()):
        yield _item(kept, "cache", root, [path.relative_to(root).as_posix() for path in sorted(paths)], day)


def _tuning(kept: Kept) -> Iterator[Item]:
    folder = kept.workspace.tuning(kept.study)
    for path in _files(folder):
        if path.suffix == ".journal":
            yield _item(kept, "tuning", folder, [path.name], _written_on(path))


def _leftovers(kept: Kept) -> Iterator[Item]:
    root = kept.workspace.root
    places = [kept.workspace.runs(kept.study), root / "batches" / kept.study]
    found = [path for place in places for path in _parts(place, ".")]
    found += _parts(root / "data", f".{kept.study}.")
    if kept.has_the_rest:
        found += [path for path in _folders(kept.workspace.cache / "engine") if path.name.startswith("riskmodels-")]
    for path in found:
        if _is_link(path):
            continue
        is_folder = path.is_dir()
        files = sorted(_below(path)) if is_folder else [path.name]
        if files:
            yield _item(kept, "leftovers", path if is_folder else path.parent, files, _written_on(path))


FINDERS: dict[str, Callable[[Kept], Iterator[Item]]] = {
    "batches": _batches,
    "predictions": _of_runs("predictions", OF_PEOPLE),
    "exact_counts": _of_runs("exact_counts", EXACT),
    "drafts": _drafts,
    "source_tables": _source_tables,
    "cache": _cache,
    "tuning": _tuning,
    "leftovers": _leftovers,
}


# ---------------------------------------------------------------- of runs


def _runs(kept: Kept) -> list[Path]:
    folders = _folders(kept.workspace.runs(kept.study))
    return [path for path in folders if (path / RUN).is_file() or (path / MANIFEST).is_file()]


def _is_draft(kept: Kept, run: Path) -> bool:
    """Whether no version, no decision and no promotion was ever of this run, or of a copy of it."""
    entries = () if kept.registered is None else kept.registered.versions
    if kept.at(run) in {entry.folder for entry in entries}:
        return False
    manifest = run / MANIFEST
    if not manifest.is_file():
        return True
    model = storage.sha256(storage.read_bytes(manifest))
    return model not in {entry.model_sha256 for entry in entries} | {line.model_sha256 for line in kept.chain}


def _run_day(run: Path) -> dt.date | None:
    try:
        started = storage.read_json(run / RUN)["started"]
        return dt.datetime.fromisoformat(started).astimezone(_zone()).date()
    except (DataError, OutsideError, KeyError, TypeError, ValueError):
        return None


def champions_of(kept: Kept, today: dt.date) -> Mapping[str, str]:
    """The folder of the champion's run -> its name; nothing if it may not be used any more."""
    from riskmodels.governance.champions import champion
    from riskmodels.governance.review import current_approval

    reign = champion(kept.chain)
    if reign is not None and current_approval(kept.chain, *reign.digests, today) is None:
        reign = None
    entries = () if reign is None or kept.registered is None else kept.registered.versions
    return {
        entry.folder: f"{kept.study}/{entry.version}"
        for entry in entries
        if reign is not None and (entry.model_sha256, entry.card_sha256) == reign.digests
    }


# ---------------------------------------------------------------- of folders


def _item(
    kept: Kept,
    artefact: str,
    folder: Path,
    files: Sequence[str],
    since: dt.date | None,
    why: str | None = None,
    run: str | None = None,
) -> Item:
    """``files`` are below ``folder``. A link among them has us leave them all."""
    if any(_is_link(folder / name) for name in files):
        why = "holds a link; what it leads to is not ours"
    size = sum(os.lstat(folder / name).st_size for name in files)
    path = kept.at(folder / files[0]) if len(files) == 1 else kept.at(folder)
    return Item(artefact, kept.study, path, since, tuple(kept.at(folder / name) for name in files), size, run, why)


def _left(kept: Kept, artefact: str, path: Path, why: str) -> Item:
    return Item(artefact, kept.study, kept.at(path), None, (), 0, left_because=why)


def _strangers(folder: Path, ours: Iterable[str]) -> str | None:
    count = sum(name not in ours for name in _names(folder))
    return f"holds {count} that riskmodels did not write; move it away" if count else None


def _parts(folder: Path, start: str) -> list[Path]:
    return [folder / name for name in _names(folder) if name.startswith(start) and name.endswith(".part")]


def _results(workspace: Workspace) -> list[Path]:
    return [path for shard in _folders(workspace.cache / "results") for path in _files(shard)]


def _folders(folder: Path, also_links: bool = False) -> list[Path]:
    paths = (folder / name for name in _names(folder) if not name.startswith("."))
    return [path for path in paths if path.is_dir() and (also_links or not _is_link(path))]


def _files(folder: Path) -> list[Path]:
    paths = (folder / name for name in _names(folder) if not name.startswith("."))
    return [path for path in paths if path.is_file() and not _is_link(path)]


def _names(folder: Path) -> list[str]:
    """What stands in a folder, in order; nothing where it is none, or is a link."""
    if _is_link(folder) or _is_link(folder.parent) or not folder.is_dir():
        return []
    try:
        return sorted(os.listdir(folder))
    except OSError as reason:
        raise OutsideError(f"{folder}: cannot be read ({reason.strerror}); nothing was deleted") from None


def _below(folder: Path) -> Iterator[str]:
    """Every file and link below, relative to ``folder``. A link to a folder counts as one, and is not entered."""
    for here, folders, files in os.walk(folder, followlinks=False):
        links = [name for name in folders if _is_link(Path(here) / name)]
        for name in (*files, *links):
            yield (Path(here) / name).relative_to(folder).as_posix()


def _is_link(path: Path) -> bool:
    try:
        return stat.S_ISLNK(os.lstat(path).st_mode)
    except OSError:
        return False


def _written_on(path: Path) -> dt.date:
    return dt.datetime.fromtimestamp(os.lstat(path).st_mtime, _zone()).date()


def _zone() -> ZoneInfo:
    name = os.environ.get(clock.VARIABLE) or clock.ZONE
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise UsageError(f"{clock.VARIABLE}: there is no time zone {name!r}; name one such as {clock.ZONE}") from None
