"""What is told of a batch: numbers and words, and nobody's id."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from riskmodels.assessment.told_and_happened import ToldAndHappened
from riskmodels.errors import RiskModelsError

# Where the risks of a batch and of the model's test are counted: finer where most services have their people.
RISK_EDGES = (0.0, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


@dataclass(frozen=True)
class Tally:
    """So many rows or people, and why. ``code``: of a reject; ``owner``: who answers for a rule of the service."""

    words: str
    count: int
    code: str = ""
    owner: str = ""


@dataclass(frozen=True)
class TeamFacts:
    """One team: its places, who was scored for it, who is on its list. ``team`` is None without teams."""

    team: str | None
    places: int
    scored: int
    listed: int


@dataclass(frozen=True)
class BandFacts:
    """One band of risk, from ``starts`` on."""

    band: str
    starts: float
    scored: int
    listed: int


@dataclass(frozen=True)
class GroupFacts:
    """One group as it may be shown (`riskmodels.service.outputs.composition`): rounded, or None and a ``reason``."""

    attribute: str
    group: str
    scored: int | None
    listed: int | None
    of_100_scored: float | None
    of_100_listed: float | None
    reason: str | None = None


@dataclass(frozen=True)
class BatchFacts:
    """A batch in numbers. Everybody is accounted for, or it cannot be made.

    ``rows_in`` = scored + the rejects; ``scored`` = listed + not_reached + households + no_team + the exclusions.

    Attributes
    ----------
    version : of the model in the registry; None for a model outside it
    expires, owner_role, minute : of the approval
    example : the approval is an example, so that nobody may act on the list
    not_reached : would have had a place, had there been more
    households : somebody else of the household has the place
    no_team : the team is unknown, or has no places
    risks, trained : counts of `risk_counts`, of the batch and of the model's test (none: not known)
    tested : what the model told of those on its tested lists, and what happened; ``tested_top`` the same of
        those with the highest risks; None where too few are known
    explained : how many people have reasons
    groups_file : whether a file of groups was given
    warnings : what the reader must know, a sentence each
    """

    study: str
    title: str
    question: str
    batch_id: str
    as_of: dt.date
    scored_on: dt.date
    version: int | None
    model_sha256: str
    stage: str
    expires: dt.date
    owner_role: str
    minute: str
    example: bool
    rows_in: int
    scored: int
    listed: int
    not_reached: int
    places: int
    rejected: tuple[Tally, ...] = ()
    excluded: tuple[Tally, ...] = ()
    households: int = 0
    no_team: int = 0
    teams: tuple[TeamFacts, ...] = ()
    bands: tuple[BandFacts, ...] = ()
    risks: tuple[int, ...] = ()
    trained: tuple[int, ...] = ()
    tested: ToldAndHappened | None = None
    tested_top: ToldAndHappened | None = None
    explained: int = 0
    groups_file: bool = False
    composition: tuple[GroupFacts, ...] = ()
    warnings: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        rejects, excluded = (sum(one.count for one in many) for many in (self.rejected, self.excluded))
        sums = {
            "rows in": (self.rows_in, self.scored + rejects),
            "people scored": (
                self.scored,
                self.listed + self.not_reached + self.households + self.no_team + excluded,
            ),
        }
        if self.bands:
            sums["people in the bands"] = (self.scored, sum(band.scored for band in self.bands))
        if self.risks:
            sums["risks counted"] = (self.scored, sum(self.risks))
        if self.teams:
            sums["people on the teams' lists"] = (self.listed, sum(team.listed for team in self.teams))
        for what, (whole, parts) in sums.items():
            if whole != parts:
                raise RiskModelsError(f"the batch loses somebody: {what} are {whole}, their parts {parts}")

    @property
    def model_version(self) -> str:
        """As in the column ``model_version`` of the list."""
        return "not registered" if self.version is None else str(self.version)

    @property
    def explained_share(self) -> float | None:
        """Of the people scored, the share who have reasons; None if nobody was scored."""
        return self.explained / self.scored if self.scored else None

    def to_dict(self) -> Mapping[str, Any]:
        """Plain values, dates as ISO text."""
        plain = asdict(self)
        return {
            **plain,
            **{name: plain[name].isoformat() for name in ("as_of", "scored_on", "expires")},
            "model_version": self.model_version,
            "risk_edges": list(RISK_EDGES),
        }


def risk_counts(risk: np.ndarray) -> tuple[int, ...]:
    """How many risks lie in each bin of `RISK_EDGES`; a bin holds its lower end, the last one its upper end too."""
    counts, _ = np.histogram(risk, bins=np.array(RISK_EDGES))
    return tuple(int(count) for count in counts)
