"""Finished trials on a disk: a search that was stopped, however roughly, goes on where it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

from riskmodels import storage
from riskmodels.errors import OutsideError
from riskmodels.models.tuning.folds import Folds
from riskmodels.models.tuning.results import Trial
from riskmodels.models.tuning.sampler import frozen, thawed
from riskmodels.models.tuning.spaces import Range
from riskmodels.study import StudyFile

if TYPE_CHECKING:
    import optuna

Progress = Callable[[str], None]

SEARCH = 1  # goes up when the same search would try other settings
KEPT_JOURNALS = 10
# Another version may propose or fit otherwise, so a search is not taken up across versions.
MADE_WITH = ("interpret-core", "lightgbm", "numpy", "optuna", "scikit-learn")


def key_of(family: str, folds: Folds, study: StudyFile, space: Mapping[str, Range]) -> str:
    """The digest of everything that a trial depends on. The budget is not: a search can be made longer."""
    ingredients = {
        "search": SEARCH,
        "family": family,
        "settings": study.models.families[family].model_dump(mode="json"),
        "space": {name: asdict(found) for name, found in space.items()},
        "seed": study.seed,
        "criterion": study.models.choose_by,
        "folds": folds.digest,
        "made_with": {name: _version(name) for name in MADE_WITH},
    }
    return storage.sha256(storage.canonical_json(ingredients))


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


class Journal:
    """``done``: the finished trials of one search. Further ones are kept only if the journal was read from a file."""

    def __init__(self, space: Mapping[str, Range], progress: Progress) -> None:
        self.done: list[Trial] = []
        self._space, self._progress = space, progress
        self._kept: optuna.Study | None = None

    def read(self, path: Path, key: str) -> None:
        """Take up what is there; what is damaged is begun anew.

        Raises
        ------
        OutsideError, OSError
            if the disk or its permissions refuse.
        """
        try:
            self._read(path, key)
        except (OutsideError, OSError):
            raise
        # Whatever a library stumbles over in a damaged file.
        except Exception:
            self._progress(f"{path}: this journal of tuning was damaged, and is begun anew")
            path.unlink()
            self._read(path, key)

    def _read(self, path: Path, key: str) -> None:
        import optuna
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend

        text = storage.read_bytes(path) if path.exists() else b""
        if not text.endswith(b"\n"):
            # A line that was cut short is a trial to make again. A file that is not there yet is made, owner-only.
            text = text[: text.rfind(b"\n") + 1]
            storage.write_whole(path, text)
        # We hold a lock that ends with its process. One of Optuna's own would outlive a process that was killed.
        no_lock = SimpleNamespace(acquire=lambda: True, release=lambda: None)
        disk = JournalStorage(JournalFileBackend(str(path), no_lock))
        if text:
            kept = optuna.load_study(study_name=key, storage=disk)
        else:
            kept = optuna.create_study(study_name=key, storage=disk, direction="minimize")
        found = enumerate(kept.get_trials(deepcopy=False))
        self.done, self._kept = [thawed(trial, number, self._space) for number, trial in found], kept

    def keep(self, trial: Trial) -> None:
        """Put a finished trial on the disk, whole."""
        if self._kept is None:
            return
        try:
            self._kept.add_trial(frozen(trial, self._space))
        except OSError as reason:
            self._kept = None
            self._progress(f"tuning goes on, but its trials are no longer kept: {reason.strerror}")


@contextmanager
def opened(
    store: Path | None, family: str, key: str, space: Mapping[str, Range], progress: Progress
) -> Iterator[Journal]:
    """The journal of one search. Whoever else tunes this family in this folder is waited for, and then gone on from."""
    journal = Journal(space, progress)
    with ExitStack() as held:
        try:
            if store is not None:
                held.enter_context(storage.locked(store / family))
                path = store / f"{family}-{key[:16]}.journal"
                journal.read(path, key)
                _prune(path, f"{family}-*.journal")
        except (OutsideError, OSError) as reason:
            progress(f"tuning goes on, but its trials are not kept: {reason}")
        yield journal


def _prune(used: Path, pattern: str) -> None:
    """Of the journals of other data and settings, remove those that were written longest ago."""
    others = (path for path in used.parent.glob(pattern) if path != used)
    for old in sorted(others, key=lambda path: path.stat().st_mtime_ns)[: 1 - KEPT_JOURNALS]:
        old.unlink()
