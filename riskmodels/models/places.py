"""Who gets a place: the ranked list after the service's rules, teams and households, in the test and in service."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from riskmodels.errors import DataError, UsageError
from riskmodels.study import Capacity, StudyFile

LISTED, EXCLUDED, HOUSEHOLD, NOT_REACHED, NO_TEAM, HOUSEHOLD_CLOSED = range(6)
NOWHERE = np.iinfo(np.int64).max  # where a household without a place stands
BLOCK = 65_536  # rows looked at together: a team that fills up costs one more look at its block only

Codes = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Texts = pl.Series | Sequence[str | None] | npt.NDArray[Any] | None


class Places:
    """Places given out in the order of the ranking, to whoever is the next that may have one.

    Of each person, the first of these that is true:

    - EXCLUDED: a rule of the service leaves them off;
    - HOUSEHOLD_CLOSED: a rule about somebody they live with leaves the whole household alone;
    - NO_TEAM: their team is not known, or has no places;
    - HOUSEHOLD: somebody of their household has a place already;
    - NOT_REACHED: their team's places are all given to people ranked above them;
    - LISTED.

    So an excluded person uses no place, and a household whose first member finds a full team may still have a place
    through the next, of another team. Called on consecutive runs of rows, best first, it says the same as in one call.

    Parameters
    ----------
    places : team -> places; ``{None: k}`` where there are no teams
    closed : households that are left alone (`riskmodels.data.service_rules.closed_households`)

    Raises
    ------
    UsageError
        if there are fewer than 0 places for a team, or None stands beside named teams.
    """

    def __init__(self, places: Mapping[str | None, int], closed: Iterable[str] = ()) -> None:
        if None in places and len(places) > 1:
            raise UsageError("places: say one number of places, or a number for each team, not both")
        if any(count < 0 for count in places.values()):
            raise UsageError("places: a number of places is below 0; give 0 or more")
        self.total = sum(places.values())
        self.has_teams = None not in places
        self._teams = [team for team, count in places.items() if count or not self.has_teams]
        self._left = np.array([places[team] for team in self._teams], dtype=np.int64)
        self._closed = pl.Series("household", sorted(set(closed)), dtype=pl.String)
        self._housed = pl.Series("household", [], dtype=pl.String)

    @property
    def left(self) -> dict[str | None, int]:
        """team -> places not given out yet."""
        return dict(zip(self._teams, self._left.tolist(), strict=True))

    @property
    def full(self) -> bool:
        """Whether every place is given out: whoever comes now is not listed."""
        return not self._left.any()

    def take(self, excluded: Any, team: Texts = None, household: Texts = None) -> Codes:
        """What becomes of the next rows of the ranking.

        Parameters
        ----------
        excluded : (n,) bool
        team : (n,) text or null; not looked at where there are no teams
        household : (n,) text, null for somebody who shares with nobody; None where people are listed, not households

        Returns
        -------
        (n,) uint8: LISTED, EXCLUDED, HOUSEHOLD, NOT_REACHED, NO_TEAM or HOUSEHOLD_CLOSED.

        Raises
        ------
        DataError
            if the lengths differ, or there are teams and none was said.
        """
        out = np.asarray(excluded, dtype=bool)
        number = self._team_numbers(team, out.size)
        homes = None if household is None else _texts("household", household, out.size)
        codes = np.full(out.size, NOT_REACHED, dtype=np.uint8)
        codes[number < 0] = NO_TEAM
        if homes is not None and self._closed.len():
            codes[_among(homes, self._closed)] = HOUSEHOLD_CLOSED
        codes[out] = EXCLUDED
        start = 0
        while start < out.size and not self.full:
            stretch = slice(start, start + BLOCK)
            self._fill(codes[stretch], number[stretch], None if homes is None else homes[stretch])
            start += BLOCK
        if homes is not None and start < out.size:
            rest = codes[start:]
            rest[(rest == NOT_REACHED) & _among(homes[start:], self._housed)] = HOUSEHOLD
        return codes

    def _fill(self, codes: Codes, team: Numbers, homes: pl.Series | None) -> None:
        """Give out places in one block, changing ``codes`` where it stands.

        Until a team fills up, whoever comes first of a household, in a team with room, has a place. So the block is
        taken up to the row that fills a team, and the rest is looked at again without that team.
        """
        home, placed_at = _homes(homes, codes.size, self._housed)
        waiting = codes == NOT_REACHED
        start = 0
        while start < codes.size and not self.full:
            room = waiting[start:] & (self._left[team[start:]] > 0) & (placed_at[home[start:]] == NOWHERE)
            rows = start + np.flatnonzero(room)
            rows = rows[np.sort(np.unique(home[rows], return_index=True)[1])]
            last = rows[_nth_of_each(team[rows]) == self._left[team[rows]]]  # the row that takes a team's last place
            start = int(last.min()) + 1 if last.size else codes.size
            rows = rows[rows < start]
            codes[rows] = LISTED
            placed_at[home[rows]] = rows
            self._left -= np.bincount(team[rows], minlength=self._left.size)
            if homes is not None:
                self._housed = self._housed.append(homes[rows].drop_nulls())
        codes[waiting & (codes != LISTED) & (placed_at[home] < np.arange(codes.size))] = HOUSEHOLD

    def _team_numbers(self, team: Texts, rows: int) -> Numbers:
        """Position of each row's team in ``_teams``; -1 where it has no places."""
        if not self.has_teams:
            return np.zeros(rows, dtype=np.int64)
        if team is None:
            raise DataError("team: is needed, since the places are by team")
        names = _texts("team", team, rows)
        numbers = {name: number for number, name in enumerate(self._teams)}
        found = names.replace_strict(numbers, default=-1, return_dtype=pl.Int64).fill_null(-1)
        return found.to_numpy()


def _texts(name: str, values: Texts, rows: int) -> pl.Series:
    series = values if isinstance(values, pl.Series) else pl.Series(name, np.asarray(values, dtype=object).tolist())
    if series.len() != rows:
        raise DataError(f"{name}: {series.len()} values for {rows} rows; there must be one for each")
    return series.cast(pl.String)


def _among(homes: pl.Series, some: pl.Series) -> Mask:
    return homes.is_in(some.implode()).fill_null(False).to_numpy()


def _homes(homes: pl.Series | None, rows: int, housed: pl.Series) -> tuple[Numbers, Numbers]:
    """The first row of each row's household in the block; and, at that row, where in the block it has its place.

    That is -1 where an earlier block gave it one, and `NOWHERE` where it has none. Whoever shares with nobody is a
    household of one.
    """
    own = np.arange(rows)
    placed_at = np.full(rows, NOWHERE)
    if homes is None:
        return own, placed_at
    frame = pl.DataFrame({"home": homes, "row": own})
    first = frame.select(pl.when(pl.col("home").is_null()).then("row").otherwise(pl.col("row").min().over("home")))
    placed_at[_among(homes, housed)] = -1
    return first.to_series().to_numpy(), placed_at


def _nth_of_each(values: Numbers) -> Numbers:
    """[3, 5, 3, 3] -> [1, 1, 2, 3]: which of its kind each is."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1]))[: values.size])
    nth = np.empty(values.size, dtype=np.int64)
    nth[order] = np.arange(values.size) - np.repeat(starts, np.diff(starts, append=values.size)) + 1
    return nth


@dataclass(frozen=True)
class Share:
    """Places that depend on how many people are ranked: a share of them; or ``asked``, if that is no more."""

    share: float
    asked: int | None = None

    def of(self, ranked: int) -> dict[str | None, int]:
        """Places of a list drawn from so many people. Raises UsageError if more were asked for."""
        own = places_of(Capacity(share=self.share), ranked)
        return own if self.asked is None else within({None: self.asked}, own)


def places_of(capacity: Capacity, cohort_size: int) -> dict[str | None, int]:
    """Places of a list drawn from a cohort of this size: by team, or ``{None: k}``.

    Raises StudyError if there are more places than people.
    """
    total = capacity.of(cohort_size)
    return dict(capacity.places.items()) if isinstance(capacity.places, dict) else {None: total}


def places_asked(text: str | None, study: StudyFile, rows_in: int) -> dict[str | None, int] | Share:
    """The places of a list to be made: what ``--capacity`` says, or the study's own.

    A share is counted of those who are scored, as the tested list's is of its cohort, so it stays one; more than it
    gives of all who come in is refused at once.

    Raises
    ------
    StudyError
        if there are more places than people.
    UsageError
        as `parse_capacity` does.
    """
    asked = None if text is None else parse_capacity(text, study)
    if study.capacity.share is None:
        return places_of(study.capacity, rows_in) if asked is None else asked
    share = Share(study.capacity.share, None if asked is None else asked[None])
    share.of(rows_in)
    return share


def parse_capacity(text: str, study: StudyFile) -> dict[str | None, int]:
    """What ``--capacity`` says: ``20``, or ``north=20,south=10`` where the study has teams.

    A service may fill fewer places than the study's own; teams that are left out get none. Where the study says a
    share, its places depend on the cohort: `within` holds that once the cohort is known.

    Raises
    ------
    UsageError
        if it cannot be read, names a team the study does not, or asks for more places than the study's own.
    """
    own = study.capacity.places
    if not isinstance(own, dict) and "=" in text:
        raise UsageError(f"--capacity {text}: this study has no teams; say one number of places")
    if not isinstance(own, dict):
        asked: dict[str | None, int] = {None: _count(text, text)}
        return asked if own is None else within(asked, {None: own})
    found: dict[str | None, int] = {}
    for part in text.split(","):
        team, equals, count = (word.strip() for word in part.partition("="))
        if not equals:
            raise UsageError(
                f"--capacity {text}: this study has teams: say TEAM=PLACES for each, such as {_example(own)}"
            )
        if team not in own:
            raise UsageError(f"--capacity {text}: no team is called {team!r}; the study's teams are {', '.join(own)}")
        if team in found:
            raise UsageError(f"--capacity {text}: {team!r} stands there twice; say it once")
        found[team] = _count(count, text)
    return within(found, dict(own.items()))


def within(asked: Mapping[str | None, int], own: Mapping[str | None, int]) -> dict[str | None, int]:
    """``asked``, if no team has more places than the study's ``own``. Raises UsageError: the list was not tested so."""
    for team, count in asked.items():
        if count > own.get(team, 0):
            where = "" if team is None else f" for {team}"
            raise UsageError(
                f"--capacity: {count} places{where} are more than the study's {own.get(team, 0)}, with which the list "
                "was tested; ask for fewer, or change the study and test it again"
            )
    return dict(asked)


def _count(word: str, text: str) -> int:
    if not (word.isascii() and word.isdigit()) or int(word) < 1:
        raise UsageError(
            f"--capacity {text}: {word or 'nothing'!r} is not a number of places; give whole numbers from 1"
        )
    return int(word)


def _example(own: Mapping[str, int]) -> str:
    return ",".join(f"{team}={count}" for team, count in list(own.items())[:2])
