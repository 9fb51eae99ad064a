"""Score a whole cohort in parts, in flat memory, so that nothing is lost and a killed run goes on where it was."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing
from copy import copy
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

import riskmodels
from riskmodels import storage
from riskmodels.errors import DataError, RiskModelsError, UsageError
from riskmodels.governance.gate import ApprovedModel
from riskmodels.models.places import Places, Share
from riskmodels.models.risk_model import RiskModel
from riskmodels.service.batch.ahead import ahead
from riskmodels.service.batch.duplicates import Copies, find_copies, rejects_of
from riskmodels.service.batch.explaining import Explained, codes_path
from riskmodels.service.batch.listing import Teams, closed_in, fill_places
from riskmodels.service.batch.memory import let_go
from riskmodels.service.batch.pace import Pace
from riskmodels.service.batch.ranked import Buckets
from riskmodels.service.batch.scoring import Scorer, some_of
from riskmodels.service.batch.shards import Shard, open_shard, write_shard
from riskmodels.service.batch.slices import Listing
from riskmodels.service.batch.work import prepare
from riskmodels.service.batch.workers import Employ, Here, Workers
from riskmodels.service.shapes import EXPLAIN, CohortParts, Explain, Slice
from riskmodels.study import StudyFile

Progress = Callable[[str], None]
LIBRARIES = ("lightgbm", "numba", "numpy", "polars", "pyarrow")


@dataclass(frozen=True)
class ScoredBatch:
    """A scored cohort, to be read as often as is wanted while its work folder stands.

    Attributes
    ----------
    places : team -> places, or ``{None: k}``
    counts : rows_in = scored + rejected; scored = listed + not_reached + excluded + household + household_closed +
        no_team; and ``places``
    excluded_by_rule : for each of the study's service rules the people whom it, first of all, leaves off
    rejected_by_code : code -> rows
    by_team : team -> (people scored, people listed); None for those without
    by_band : band -> the same
    histogram : int64 [100]: everybody scored, by risk, in bins of 0.01
    """

    batch_id: str
    places: dict[str | None, int]
    counts: dict[str, int]
    excluded_by_rule: tuple[int, ...]
    rejected_by_code: dict[str, int]
    by_team: dict[str | None, tuple[int, int]]
    by_band: dict[str, tuple[int, int]]
    histogram: np.ndarray
    _listing: Listing
    _copies: Copies
    _rules: tuple[str, ...]
    _threads: int

    def slices(self, rules: Iterable[str] | None = None) -> Iterator[Slice]:
        """The scored file, best first, `ROWS_IN_A_SLICE` rows at a time.

        Parameters
        ----------
        rules : what is said of each service rule; its ``because`` unless given
        """
        return ahead(self._listing.slices(self._rules if rules is None else tuple(rules)), self._threads)

    def rejects(self) -> Iterator[pl.DataFrame]:
        """What could not be scored, in the order of the rows: a frame of `REJECT_SCHEMA` for each part."""
        for number, shard in enumerate(self._listing.buckets.shards):
            yield rejects_of(shard, self._copies.scored[number], self._copies.rejected[number])


def score_batch(
    approved: ApprovedModel,
    parts: CohortParts,
    study: StudyFile,
    *,
    places: Mapping[str | None, int] | Share,
    explain: Explain = "selected",
    threads: int = 1,
    work: Path,
    resume: bool = False,
    progress: Progress,
    employ: Employ | None = None,
) -> ScoredBatch:
    """Score everybody, rank them, fill the places, and find the reasons.

    The result is the same bytes for any number of threads, and however often the run was killed and resumed.

    Parameters
    ----------
    places : team -> places, or ``{None: k}``; or a `Share`, counted of those who are scored
    explain : ``selected`` (those listed), ``all`` or ``none``
    work : a folder of its own on the disk of the output (`riskmodels.service.batch.working_beside`)
    resume : go on with what an earlier run of the same plan left in ``work``
    employ : who scores and explains the parts; as many threads of this process as ``threads`` says, unless given

    Raises
    ------
    DataError
        if nobody is left to score, or the cohort changes meanwhile.
    ModelFileError
        if the model's fast scores are not its own.
    UsageError
        if ``resume`` meets the work of another plan, or more places are asked for than a share gives.
    OutsideError
        if the disk refuses; what is done stays for another ``resume``.
    """
    if explain not in EXPLAIN:
        raise UsageError(f"--explain is {', '.join(EXPLAIN[:-1])} or {EXPLAIN[-1]}, got {explain!r}")
    plan = plan_of(approved, parts, study, places, explain)
    prepare(work, plan, resume, progress)
    households = study.list_unit == "household"
    scorer = Scorer(one_thread(approved.model), parts.as_of, study.seed, explain == "all", households)
    threads = max(1, threads)
    workers = Here(scorer, parts, threads) if employ is None else employ(scorer, parts)
    engine = _Engine(scorer, parts, workers, work, progress)

    shards = engine.score()
    copies = find_copies(shards)
    rejected = _codes(shards, copies)
    scored = sum(shard.rows for shard in shards) - copies.count
    if not scored:
        why = ", ".join(f"{count} {code}" for code, count in rejected.items())
        raise DataError(f"nobody of {parts.rows_in} can be scored: {why or 'the cohort is empty'}; mend the rows")
    teams, buckets = Teams.of(shards), Buckets(shards, copies)
    progress(f"filling the places of {scored:,} people")
    given = places.of(scored) if isinstance(places, Share) else dict(places)
    filling = Places(given, parts.closed | closed_in(shards, study.service_rules) if households else ())
    filled = fill_places(buckets, filling, teams, study, work / "ranked", threads)
    explained = Explained(shards, None, None)
    if explain == "selected":
        engine.explain(shards, filled.listed)
        explained = Explained(shards, filled.listed, engine.codes)
    counts = {"rows_in": parts.rows_in, "scored": scored, "rejected": sum(rejected.values()), **filled.counts}
    _nobody_is_lost(counts, shards, filled.counts)
    listing = Listing(
        buckets, filled, teams, explained, parts.as_of, study.bands, filling.total,
        "not registered" if approved.version is None else str(approved.version),
        approved.model_sha256, plan["batch_id"],
    )  # fmt: skip
    rules = tuple(rule.because for rule in study.service_rules)
    counts["places"] = filling.total
    return ScoredBatch(
        plan["batch_id"], given, counts, filled.by_rule, rejected, filled.by_team, filled.by_band,
        filled.histogram, listing, copies, rules, threads,
    )  # fmt: skip


def plan_of(
    approved: ApprovedModel,
    parts: CohortParts,
    study: StudyFile,
    places: Mapping[str | None, int] | Share,
    explain: str,
) -> dict[str, Any]:
    """What a run would do, as JSON: two runs of the same plan leave the same files in their work folders."""
    decides = {
        "model_sha256": approved.model_sha256,
        "cohort_sha256": parts.sha256,
        "as_of": parts.as_of.isoformat(),
        "places": _asked(places),
        "explain": explain,
        "study_sha256": storage.sha256(storage.canonical_json(study.model_dump(mode="json", by_alias=True))),
    }
    return {
        "batch_id": storage.sha256(storage.canonical_json(decides))[:16],
        **decides,
        "parts": parts.count,
        "rows_in": parts.rows_in,
        "made_with": made_with(),
    }


def _asked(places: Mapping[str | None, int] | Share) -> Any:
    """What was asked for, as JSON: how many places a share gives is known only once everybody is scored."""
    if isinstance(places, Share):
        return asdict(places)
    return [[team, places[team]] for team in sorted(places, key=lambda team: (team is not None, team))]


def made_with() -> dict[str, str]:
    """The versions that decide the bytes of a shard; "none" for a library that is not there."""
    made = {"Python": platform.python_version(), "riskmodels": riskmodels.__version__}
    for name in LIBRARIES:
        try:
            made[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            made[name] = "none"
    return made


def batch_id(
    approved: ApprovedModel,
    parts: CohortParts,
    study: StudyFile,
    places: Mapping[str | None, int] | Share,
    explain: str,
) -> str:
    """The same model, cohort, study and options are the same batch: 16 hex digits, known before anybody is scored."""
    return str(plan_of(approved, parts, study, places, explain)["batch_id"])


# ---------------------------------------------------------------- the passes


@dataclass(frozen=True)
class _Engine:
    """Does something with every part, a few at a time."""

    scorer: Scorer
    parts: CohortParts
    workers: Workers
    work: Path
    progress: Progress

    @property
    def verified(self) -> Path:
        return self.work / "verified"

    @property
    def codes(self) -> Path:
        return self.work / "codes"

    def score(self) -> list[Shard]:
        """The shards of all parts: those that are there already, and the others made now."""
        folder = self.work / "shards"
        paths = [folder / f"{number:05d}.shard" for number in range(self.parts.count)]
        shards = {number: shard for number, path in enumerate(paths) if (shard := open_shard(path))}
        pace = Pace("scored", self.parts.rows_in, self.progress)
        if shards:
            done = sum(shard.rows_in for shard in shards.values())
            pace.keep(done)
            self.progress(f"going on: {done:,} of {self.parts.rows_in:,} rows are scored already")

        def one(number: int) -> tuple[Shard, pl.DataFrame]:
            content, some = self.workers.score(number)
            shard = write_shard(paths[number], content)
            del content
            let_go()
            return shard, some

        with closing(self._each([number for number in range(len(paths)) if number not in shards], one)) as made:
            for number, (shard, some) in made:
                shards[number] = shard
                pace.add(shard.rows_in)
                if some.height and not self.verified.exists():
                    self._verify(some)
        ordered = [shards[number] for number in range(len(paths))]
        if not self.verified.exists():
            # The run that made the shards was stopped before it came to this.
            for number in [number for number, shard in enumerate(ordered) if shard.rows][:1]:
                self._verify(some_of(self.parts.read(number).frame))
        return ordered

    def explain(self, shards: list[Shard], listed: list[np.ndarray]) -> None:
        """Write the reasons of everybody listed."""
        concerned = [number for number, mask in enumerate(listed) if mask.any()]
        pace = Pace("explained", int(sum(listed[number].sum() for number in concerned)), self.progress)

        def one(number: int) -> int:
            path = codes_path(self.codes, number)
            if not path.exists():
                wanted = shards[number].records()[listed[number]]
                storage.write_whole(path, self.workers.explain(number, wanted))
                let_go()
            return int(listed[number].sum())

        with closing(self._each(concerned, one)) as made:
            for _, count in made:
                pace.add(count)

    def _verify(self, some: pl.DataFrame) -> None:
        """Hold a sample against the slow way; once in a batch, and noted, so that a resumed run knows."""
        self.scorer.verify(some)
        storage.write_whole(self.verified, b"")

    def _each(self, numbers: list[int], work: Callable[[int], Any]) -> Generator[tuple[int, Any]]:
        """What a piece of work gives for each part, as it is ready; as many parts at once as there are workers."""
        todo, running = iter(numbers), dict[Future[Any], int]()
        pool = ThreadPoolExecutor(self.workers.at_once)
        try:
            for number in todo:
                running[pool.submit(work, number)] = number
                if len(running) < self.workers.at_once + 1:
                    continue
                yield from _ready(running)
            while running:
                yield from _ready(running)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _ready(running: dict[Future[Any], int]) -> Iterator[tuple[int, Any]]:
    done, _ = wait(running, return_when=FIRST_COMPLETED)
    for future in sorted(done, key=running.__getitem__):
        yield running.pop(future), future.result()


def one_thread(model: RiskModel) -> RiskModel:
    """The parts share out the threads, so the family itself is to use one. What it has built is used by both."""
    fitted: Any = model.fitted
    getattr(fitted, "fast", None)  # builds it, where there is such a thing, and before several threads ask for it
    if getattr(fitted, "threads", 1) == 1:
        return model
    one = copy(fitted)
    object.__setattr__(one, "threads", 1)
    return replace(model, fitted=one)


def _codes(shards: list[Shard], copies: Copies) -> dict[str, int]:
    """How many rows each code rejects, the copies included."""
    counts: dict[str, int] = {}
    for number, shard in enumerate(shards):
        if len(shard.reject_hashes()) or copies.scored[number] is not None:
            rejects = rejects_of(shard, copies.scored[number], copies.rejected[number])
            for code, count in rejects["code"].value_counts().iter_rows():
                counts[code] = counts.get(code, 0) + count
    return dict(sorted(counts.items()))


def _nobody_is_lost(counts: Mapping[str, int], shards: list[Shard], outcomes: Mapping[str, int]) -> None:
    """Raises RiskModelsError, since it is our bug, if the counts do not add up."""
    whole = counts["rows_in"] == counts["scored"] + counts["rejected"] == sum(shard.rows_in for shard in shards)
    if not whole or counts["scored"] != sum(outcomes.values()):
        raise RiskModelsError(
            f"{counts['rows_in']} rows came in, {counts['scored']} were scored and {counts['rejected']} rejected, of "
            f"whom {sum(outcomes.values())} have an outcome; nothing was published, please report this"
        )
