"""Who gets a place: the ranked rows go through the rules, teams and households once, and what was found is kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeVar

import numpy as np
import polars as pl

from riskmodels import storage
from riskmodels.data.service_rules import closed_households
from riskmodels.models.places import EXCLUDED, HOUSEHOLD, HOUSEHOLD_CLOSED, LISTED, NO_TEAM, NOT_REACHED, Places
from riskmodels.service.batch.ahead import ahead
from riskmodels.service.batch.ranked import Buckets, Run, order_of, together
from riskmodels.service.batch.shards import Shard, texts_of
from riskmodels.study import StudyFile
from riskmodels.study.use import ServiceRule

Name = TypeVar("Name")

BINS = 100
EDGES = np.arange(BINS) / BINS  # where each bin begins
OUTCOMES = {
    "listed": LISTED,
    "not_reached": NOT_REACHED,
    "excluded": EXCLUDED,
    "household": HOUSEHOLD,
    "household_closed": HOUSEHOLD_CLOSED,
    "no_team": NO_TEAM,
}


@dataclass(frozen=True)
class Teams:
    """One numbering of all teams, where each shard has its own: ``number[shard][code]``, -1 for none."""

    names: tuple[str, ...]
    number: tuple[np.ndarray, ...]

    @classmethod
    def of(cls, shards: Sequence[Shard]) -> Teams:
        names = tuple(sorted({team for shard in shards for team in shard.teams}))
        place = {name: number for number, name in enumerate(names)}
        # The last answers for -1.
        return cls(names, tuple(np.array([*(place[team] for team in shard.teams), -1]) for shard in shards))

    def numbers(self, runs: Sequence[Run]) -> np.ndarray:
        """int [n]: the team of each record of a bucket."""
        found = [self.number[run.number][run.records["team"]] for run in runs]
        return np.concatenate(found) if found else np.zeros(0, dtype=np.int64)

    def series(self, numbers: np.ndarray) -> pl.Series:
        """The names, null for none."""
        return taken("team", [*self.names, None], numbers)


@dataclass(frozen=True)
class Filled:
    """What became of everybody.

    Attributes
    ----------
    counts : outcome -> people, the words of `OUTCOMES`
    by_rule : for each service rule how many people it is the reason of
    histogram : int64 [100]: people by risk, in bins of 0.01
    by_team : team -> (people scored, people listed)
    by_band : band of risk -> the same
    listed : for each shard bool [rows]: who is on the list
    path : for each bucket in turn, the order of its rows (int32) and what became of them (uint8)
    """

    counts: dict[str, int]
    by_rule: tuple[int, ...]
    histogram: np.ndarray
    by_team: dict[str | None, tuple[int, int]]
    by_band: dict[str, tuple[int, int]]
    listed: list[np.ndarray]
    path: Path


def fill_places(
    buckets: Buckets, places: Places, teams: Teams, study: StudyFile, path: Path, threads: int = 1
) -> Filled:
    """Give out the places in the order of the list.

    Raises
    ------
    OutsideError
        if the disk refuses.
    """
    count, starts = _Counts(), np.array(list(study.bands.values()))
    listed = [np.zeros(shard.rows, dtype=bool) for shard in buckets.shards]
    with storage.outside_world(path), path.open("wb") as file:
        path.chmod(storage.OWNER_ONLY)
        for runs, records, order in ahead(_in_order(buckets), threads):
            ranked = records[order]
            numbers = teams.numbers(runs)[order]
            team = teams.series(numbers) if places.has_teams else None
            homes = households_of(buckets.shards, runs, records)[order] if study.list_unit == "household" else None
            became = places.take(ranked["excluded"] >= 0, team, homes)
            _write(file, order, became)
            on = became == LISTED
            count("outcome", became)
            count("rule", ranked["excluded"][became == EXCLUDED])
            count("risk", np.searchsorted(EDGES, ranked["risk"], side="right") - 1)
            for what, of in (("team", numbers % (len(teams.names) + 1)), ("band", bands_of(starts, ranked["risk"]))):
                count(what, of)
                count(f"{what} listed", of[on])
            _mark(listed, runs, order[on])
    outcomes = count.upto("outcome", len(OUTCOMES))
    return Filled(
        {word: int(outcomes[code]) for word, code in OUTCOMES.items()},
        tuple(count.upto("rule", len(study.service_rules)).tolist()),
        count.upto("risk", BINS),
        count.pairs("team", [*teams.names, None]),
        count.pairs("band", list(study.bands)),
        listed,
        path,
    )


def _in_order(buckets: Buckets) -> Iterator[tuple[list[Run], np.ndarray, np.ndarray]]:
    for runs in buckets:
        records = together(runs)
        yield runs, records, order_of(runs, records)


class _Counts:
    """How often each number came, by what it is the number of."""

    def __init__(self) -> None:
        self._of: dict[str, np.ndarray] = {}

    def __call__(self, what: str, numbers: np.ndarray) -> None:
        before = self._of.get(what, np.zeros(0, dtype=np.int64))
        now = np.bincount(numbers, minlength=len(before))
        now[: len(before)] += before
        self._of[what] = now

    def upto(self, what: str, end: int) -> np.ndarray:
        found = np.zeros(end, dtype=np.int64)
        held = self._of.get(what, found)
        found[: len(held)] = held
        return found

    def pairs(self, what: str, names: Sequence[Name]) -> dict[Name, tuple[int, int]]:
        """name -> (people scored, people listed), of whom there are any."""
        scored, listed = (self.upto(word, len(names)).tolist() for word in (what, f"{what} listed"))
        return {name: (of, on) for name, of, on in zip(names, scored, listed, strict=True) if of}


def bands_of(starts: np.ndarray, risk: np.ndarray) -> np.ndarray:
    """The place of each risk's band."""
    return np.searchsorted(starts, risk, side="right") - 1


def households_of(shards: Sequence[Shard], runs: Sequence[Run], records: np.ndarray) -> pl.Series:
    """The household of each record of a bucket; null for none."""
    content = b"".join(shards[run.number].text("household", run.records) for run in runs)
    homes = texts_of(content, records["household_bytes"])
    return homes.set(homes == "", None)


def closed_in(shards: Sequence[Shard], rules: Sequence[ServiceRule]) -> set[str]:
    """Households that are left alone because of one of them, in whatever part, copies and other rejects included."""
    closed: set[str] = set()
    for number, shard in enumerate(shards):
        records = shard.records()
        homes = households_of(shards, [Run(number, 0, len(records), records, None)], records)
        closed |= closed_households(pl.Series(records["excluded"]), homes, rules)
        closed.update(shard.closed())
    return closed


def _mark(listed: list[np.ndarray], runs: Sequence[Run], rows: np.ndarray) -> None:
    """Tell each shard which of its records are on the list; ``rows`` are positions in the bucket."""
    here = np.zeros(sum(len(run.records) for run in runs), dtype=bool)
    here[rows] = True
    first = 0
    for run in runs:
        listed[run.number][run.start : run.stop] = here[first : first + len(run.records)]
        first += len(run.records)


# ---------------------------------------------------------------- what was found, kept on the disk

ORDER, BECAME = np.dtype("<i4"), np.dtype("u1")


def _write(file: BinaryIO, order: np.ndarray, became: np.ndarray) -> None:
    file.write(len(order).to_bytes(8, "little"))
    file.write(order.astype(ORDER).tobytes())
    file.write(became.tobytes())


def read_next(file: BinaryIO) -> tuple[np.ndarray, np.ndarray]:
    """The order of the next bucket's rows, and what became of them."""
    count = int.from_bytes(file.read(8), "little")
    order = np.frombuffer(file.read(count * ORDER.itemsize), dtype=ORDER)
    return order, np.frombuffer(file.read(count), dtype=BECAME)


def taken(name: str, texts: Sequence[str | None], numbers: np.ndarray) -> pl.Series:
    """``texts[number]`` for each number; -1 takes the last."""
    table = pl.Series(name, texts, dtype=pl.String)
    return table.gather(np.where(numbers < 0, len(texts) - 1, numbers))
