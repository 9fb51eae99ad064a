"""Steps that are not done twice."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskmodels import storage
from riskmodels.caching.ingredients import FORMAT, changes_of, key_of, recipe_of
from riskmodels.errors import DataError, OutsideError

if TYPE_CHECKING:
    import polars as pl


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
        last, known = self._last_made()
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
            self._keep(keys[name], fresh[name])
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
        removed = 0
        with self._writing() as allowed:
            if not allowed:
                return 0
            # Whoever writes holds the lock, so a part that can be seen now belongs to nobody.
            for part in (*self.folder.glob(".*.part"), *self._results.glob("*/.*.part")):
                part.unlink()
            results = [(path.stat(), path) for path in self._results.glob("*/*.parquet")]
            size = sum(status.st_size for status, _ in results)
            for status, path in sorted(results, key=lambda result: (result[0].st_mtime_ns, result[1].name)):
                if size <= max_bytes:
                    break
                path.unlink()
                size -= status.st_size
                removed += 1
        return removed

    # -- results

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
                if storage.sha256(content) == path.name.split(".")[1]:
                    frame = pl.read_parquet(io.BytesIO(content))
                    with contextlib.suppress(OSError):
                        os.utime(path)
                    return frame, False
                damaged = True
            except (OutsideError, pl.exceptions.PolarsError):
                # Pruned by another process a moment ago, or not readable.
                damaged |= os.path.lexists(path)
        return None, damaged

    def _keep(self, key: str, frame: pl.DataFrame) -> None:
        if self._refused:
            return
        content = storage.table_bytes(frame, ".parquet")
        with self._writing() as allowed:
            # Another process may have been faster.
            if not allowed or self._kept(key)[0] is not None:
                return
            for damaged in self._files(key):
                damaged.unlink()
            storage.write_whole(self._results / key[:2] / f"{key}.{storage.sha256(content)}.parquet", content)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[bool]:
        """Hold the lock of the cache. False, then and later, if the disk refuses: the run goes on without."""
        if self._refused:
            yield False
            return
        with contextlib.ExitStack() as held:
            try:
                held.enter_context(storage.locked(self._results))
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

    def _give_up(self, error: OutsideError) -> None:
        self._refused = True
        self.log.append(StepLog("cache", False, f"results are not kept: {error}"))

    # -- what each step was last made from

    @property
    def _record(self) -> Path:
        assert self.folder is not None
        return self.folder / f"{self.study}.json"

    def _last_made(self) -> tuple[dict[str, dict[str, Any]], bool]:
        """Step name -> made_by and ingredients; and whether that could be read, if there is anything to read."""
        try:
            record = storage.read_json(self._record)
        except DataError:
            return {}, not os.path.lexists(self._record)
        steps = record.get("steps") if isinstance(record, dict) and record.get("format") == FORMAT else None
        whole = isinstance(steps, dict) and all(
            isinstance(step, dict) and all(isinstance(step.get(part), dict) for part in ("made_by", "ingredients"))
            for step in steps.values()
        )
        return (steps, True) if whole and steps is not None else ({}, False)

    def _note(self, recipes: Mapping[str, Mapping[str, Any]]) -> None:
        if self._refused:
            return
        with self._writing() as allowed:
            if allowed:
                last, readable = self._last_made()
                if not readable or any(last.get(name) != recipe for name, recipe in recipes.items()):
                    steps = dict(sorted({**last, **recipes}.items()))
                    storage.write_whole(self._record, storage.canonical_json({"format": FORMAT, "steps": steps}))


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
