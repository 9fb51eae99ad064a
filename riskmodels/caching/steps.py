"""Steps that are not done twice."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from riskmodels import storage
from riskmodels.caching.ingredients import changes_of, key_of, recipe_of
from riskmodels.caching.record import Record, read_record, write_record
from riskmodels.errors import OutsideError

if TYPE_CHECKING:
    import polars as pl


# Under which name a result holds its own key.
KEY = "riskmodels.key"


def key_within(file: Path | IO[bytes]) -> str | None:
    """The key that a Parquet file holds; None if it holds none, or is no such file."""
    import polars as pl

    try:
        return pl.read_parquet_metadata(file).get(KEY)
    except (OSError, pl.exceptions.PolarsError):
        return None


@dataclass(frozen=True)
class StepLog:
    """What came of one step. ``why``: why it was made or, if it was reused, why it could be."""

    name: str
    reused: bool
    why: str


@dataclass(eq=False)
class Steps:
    """One study's view of the cache; without a folder every step is made anew, and nothing is logged."""

    folder: Path | None
    study: str
    log: list[StepLog] = field(default_factory=list, init=False)
    _refused: bool = field(default=False, init=False, repr=False)

    def frame(self, name: str, ingredients: Mapping[str, Any], make: Callable[[], pl.DataFrame]) -> pl.DataFrame:
        """The frame that ``make`` gives, made only if one of its ingredients has changed.

        Parameters
        ----------
        name : a dotted name, such as ``features.reading_now``
        ingredients : everything that the result depends on: definitions, and the digests of what it is made from

        Raises
        ------
        TypeError
            if an ingredient is not text, a finite number, a truth, a date, None, or a list or mapping of these.
        """
        return self.frames({name: ingredients}, lambda names: {name: make()})[name]

    def frames(
        self, wanted: Mapping[str, Mapping[str, Any]], make: Callable[[list[str]], Mapping[str, pl.DataFrame]]
    ) -> dict[str, pl.DataFrame]:
        """As `frame`, for several steps: ``make`` is asked once, for those alone that are not there.

        Parameters
        ----------
        wanted : step name -> ingredients

        Returns
        -------
        dict
            step name -> frame, in the order of ``wanted``.
        """
        if self.folder is None:
            made = make(list(wanted)) if wanted else {}
            return {name: made[name] for name in wanted}
        recipes = {name: recipe_of(wanted[name]) for name in wanted}
        keys = {name: key_of(name, recipe) for name, recipe in recipes.items()}
        record = read_record(self._record)
        last, known = (record or Record()).steps, record is not None
        found: dict[str, pl.DataFrame] = {}
        reasons: dict[str, str] = {}
        for name, recipe in recipes.items():
            kept, damaged = self._kept(keys[name])
            if kept is not None:
                found[name] = kept
            changes = changes_of(last[name], recipe) if name in last else None
            reasons[name] = _reason(changes, kept is not None, damaged, known)
        missing = [name for name in wanted if name not in found]
        fresh = make(missing) if missing else {}
        self.log += [StepLog(name, name in found, reasons[name]) for name in wanted]
        for name in missing:
            found[name] = fresh[name]
        self._keep({keys[name]: fresh[name] for name in missing})
        self._note(recipes)
        return {name: found[name] for name in wanted}

    def prune(self, max_bytes: int) -> int:
        """Remove the results that were used longest ago until the others take at most ``max_bytes``.

        Returns
        -------
        int
            how many results were removed. What an interrupted write left behind goes too, and is not counted.
        """
        if self.folder is None:
            return 0
        removed: list[Path] = []
        with self.writing() as allowed:
            if not allowed:
                return 0
            self._sweep()
            results = [(path.stat(), path) for path in self._results.glob("*/*.parquet")]
            size = sum(status.st_size for status, _ in results)
            for status, path in sorted(results, key=lambda result: (result[0].st_mtime_ns, result[1].name)):
                if size <= max_bytes:
                    break
                path.unlink()
                size -= status.st_size
                removed.append(path)
            record = read_record(self._record) or Record()
            if gone := {path.name.partition(".")[0] for path in removed} & record.results:
                write_record(self._record, replace(record, results=record.results - gone))
        return len(removed)

    def forget_unless(self, left_out: Mapping[str, str]) -> int:
        """Remove this study's results unless the same people are left out of them as of those to come.

        Where it is not known which results are the study's, all of them are removed.

        Parameters
        ----------
        left_out : what -> the digest of who is left out, such as of the objections

        Returns
        -------
        int
            how many results were removed.
        """
        if self.folder is None:
            return 0
        before = read_record(self._record)
        if before is not None and before.left_out == left_out:
            return 0
        removed = 0
        with self.writing() as allowed:
            if not allowed:
                return 0
            self._sweep()
            record = read_record(self._record)
            for path in self._results.glob("*/*.parquet"):
                if record is None or path.name.partition(".")[0] in record.results:
                    path.unlink()
                    removed += 1
            # Said last: where something cannot be removed, it is tried again.
            write_record(self._record, replace(record or Record(), left_out=dict(left_out), results=frozenset()))
        return removed

    def own(self, *keys: str) -> None:
        """Note that the results of these keys, whoever made them, are this study's too."""
        record = read_record(self._record)
        if record is None or set(keys) - record.results:
            with self.writing(*keys):
                pass

    @contextlib.contextmanager
    def writing(self, *keys: str) -> Iterator[bool]:
        """Hold the lock of the cache, and note the results to be written under it as this study's.

        False, then and later, if the disk refuses, or there is no cache: the run goes on without.
        """
        if self.folder is None or self._refused:
            yield False
            return
        with contextlib.ExitStack() as held:
            try:
                held.enter_context(storage.locked(self._results))
                if keys:
                    record = read_record(self._record) or Record()
                    if new := set(keys) - record.results:
                        # Before they are there: what an interrupted run leaves behind is the study's, too.
                        write_record(self._record, replace(record, results=record.results | new))
            except OutsideError as error:
                self._give_up(error)
                yield False
                return
            try:
                yield True
            except OutsideError as error:
                self._give_up(error)
            except OSError as error:
                self._give_up(OutsideError(f"{self._results}: cannot be changed ({error.strerror})"))

    # -- results

    def _sweep(self) -> None:
        """Whoever writes holds the lock, so a part that can be seen by who holds it belongs to nobody."""
        assert self.folder is not None
        for part in (*self.folder.glob(".*.part"), *self._results.glob("*/.*.part")):
            part.unlink()

    @property
    def _results(self) -> Path:
        assert self.folder is not None
        return self.folder / "results"

    def _files(self, key: str) -> list[Path]:
        shard = self._results / key[:2]
        try:
            return [shard / name for name in sorted(os.listdir(shard)) if name.startswith(f"{key}.")]
        except OSError:
            return []

    def _kept(self, key: str) -> tuple[pl.DataFrame | None, bool]:
        """The result, if there is one that can be trusted; and whether there is one that cannot."""
        import polars as pl

        damaged = False
        for path in self._files(key):
            try:
                content = storage.read_bytes(path)
                # Before it is parsed: a damaged file may do worse to a reader than fail.
                if storage.sha256(content) == path.name.split(".")[1] and key_within(io.BytesIO(content)) == key:
                    frame = pl.read_parquet(io.BytesIO(content))
                    with contextlib.suppress(OSError):
                        os.utime(path)
                    return frame, False
                damaged = True
            except (OutsideError, pl.exceptions.PolarsError):
                # Pruned by another process a moment ago, or not readable.
                damaged |= os.path.lexists(path)
        return None, damaged

    def _keep(self, frames: Mapping[str, pl.DataFrame]) -> None:
        """Put frames under their keys."""
        if not frames:
            return
        with self.writing(*frames) as allowed:
            for key, frame in frames.items() if allowed else ():
                # Another process may have been faster.
                if self._kept(key)[0] is None:
                    content = io.BytesIO()
                    # In one chunk and row groups of a stated size: else the bytes depend on how many threads there are.
                    frame.rechunk().write_parquet(
                        content, compression="zstd", row_group_size=storage.ROWS_IN_A_GROUP, metadata={KEY: key}
                    )
                    for damaged in self._files(key):
                        damaged.unlink()
                    digest = storage.sha256(content.getvalue())
                    storage.write_whole(self._results / key[:2] / f"{key}.{digest}.parquet", content.getvalue())

    def _give_up(self, error: OutsideError) -> None:
        self._refused = True
        self.log.append(StepLog("cache", False, f"results are not kept: {error}"))

    # -- what each step was last made from

    @property
    def _record(self) -> Path:
        assert self.folder is not None
        return self.folder / f"{self.study}.json"

    def _note(self, recipes: Mapping[str, Mapping[str, Any]]) -> None:
        """What these steps were made from, and that their results are the study's."""
        keys = {key_of(name, recipe) for name, recipe in recipes.items()}
        with self.writing() as allowed:
            if allowed:
                last = read_record(self._record)
                record = last or Record()
                record = replace(record, steps={**record.steps, **recipes}, results=record.results | keys)
                if record != last:
                    write_record(self._record, record)


NO_CACHE = Steps(None, "")


def _reason(changes: list[str] | None, kept: bool, damaged: bool, known: bool) -> str:
    if kept:
        return "nothing changed" if changes == [] else "made before from the same ingredients"
    if damaged:
        return "the kept result was damaged"
    if not known:
        return "what it was last made from is not known"
    if changes is None:
        return "made for the first time"
    return "; ".join(changes) or "the kept result is no longer there"
