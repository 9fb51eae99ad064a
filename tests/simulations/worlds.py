"""Worlds whose truth is known, from which samples are drawn: people once, the same people again, whole households.

In each the true log-odds of a row are ``base + x + z / 2``, plus a frailty that nobody sees and that lasts: ``x`` is
what both models were told, ``z`` is noise that only the first was told. Frailty and a part of ``x`` are shared by the
rows of a person, or of a household. ``expected`` is the chance of an event given all that can be seen, the frailty
averaged over; a model whose risks are ``expected`` is right.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from riskmodels.assessment.intervals import Units, clusters_of
from riskmodels.assessment.logistic import expit

ROWS_OF_POPULATION = 2_000_000
SHARE_SELECTED = 0.15
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(25)


@dataclass(frozen=True)
class Sample:
    """Arrays of shape (n,): what happened, two models' risks, the chance of it, and who is on the lists."""

    outcome: np.ndarray
    risk: np.ndarray
    other: np.ndarray
    expected: np.ndarray
    selected: np.ndarray
    units: Units

    @property
    def clusters(self) -> int:
        return self.outcome.size if self.units is None else self.units.count


@dataclass(frozen=True)
class Rows:
    """Who the rows belong to: persons within clusters, each on some dates; all count from 0."""

    cluster: np.ndarray
    person: np.ndarray
    date: np.ndarray


@dataclass(frozen=True)
class World:
    """How rows are drawn and belong together, and how much of the risk is seen, shared and lasting.

    ``in_cluster``, ``in_person``, ``in_row`` are standard deviations of the parts of x; ``frailty`` those of the unseen
    part, by cluster and by person. ``right``: whether the first model's risks are right, or too high and too flat.
    ``at_the_limit``: fewer clusters or events than the intervals are made for; reported, and not held to 93-97%.
    """

    words: str
    members: Callable[[np.random.Generator, int], Rows]
    clusters: int
    base: float
    in_row: float
    in_person: float = 0.0
    in_cluster: float = 0.0
    frailty: tuple[float, float] = (0.0, 0.0)
    right: bool = False
    share: float = SHARE_SELECTED
    threshold: float = 0.2
    at_the_limit: bool = False

    def draw(self, rng: np.random.Generator, clusters: int | None = None) -> Sample:
        """A sample of so many clusters, as many as the world has unless given."""
        count = self.clusters if clusters is None else clusters
        rows = self.members(rng, count)
        n, persons = rows.person.size, int(rows.person[-1]) + 1
        x = self.in_row * rng.standard_normal(n) + self.in_person * rng.standard_normal(persons)[rows.person]
        x += self.in_cluster * rng.standard_normal(count)[rows.cluster]
        z = rng.standard_normal(n)
        seen = self.base + x + z / 2
        of_cluster, of_person = self.frailty
        unseen = of_cluster * rng.standard_normal(count)[rows.cluster]
        unseen += of_person * rng.standard_normal(persons)[rows.person]
        expected = averaged(seen, float(np.hypot(of_cluster, of_person)))
        risk = expected if self.right else expit(0.2 + self.base + 0.95 * x + 0.35 * z)
        return Sample(
            outcome=(rng.random(n) < expit(seen + unseen)).astype(float),
            risk=risk,
            other=expit(self.base + 0.8 * x),
            expected=expected,
            selected=top_of_each(rows.date, risk, self.share),
            units=clusters_of(rows.cluster, n),
        )


def averaged(log_odds: np.ndarray, spread: float) -> np.ndarray:
    """The chance of an event, averaged over a normal frailty with this standard deviation (Gauss and Hermite)."""
    if spread == 0:
        return expit(log_odds)
    total = np.zeros(log_odds.size)
    for node, weight in zip(NODES, WEIGHTS / WEIGHTS.sum(), strict=True):
        total += weight * expit(log_odds + spread * node)
    return total


def top_of_each(date: np.ndarray, risk: np.ndarray, share: float) -> np.ndarray:
    """The highest risks of each date, as many as its share."""
    selected = np.zeros(risk.size, dtype=bool)
    for day in range(int(date.max()) + 1):
        today = np.flatnonzero(date == day)
        places = round(share * today.size)
        selected[today[np.argsort(-risk[today], kind="stable")[:places]]] = True
    return selected


# ---------------------------------------------------------------- who belongs together


def once(rng: np.random.Generator, clusters: int) -> Rows:
    """Everybody once, alone."""
    alone = np.arange(clusters)
    return Rows(alone, alone, np.zeros(clusters, dtype=int))


def repeated(most: int) -> Callable[[np.random.Generator, int], Rows]:
    """The same people again, on one to so many dates."""

    def members(rng: np.random.Generator, clusters: int) -> Rows:
        return _dated(np.arange(clusters), rng.integers(1, most + 1, clusters))

    return members


def on_both_dates(rng: np.random.Generator, clusters: int) -> Rows:
    return _dated(np.arange(clusters), np.full(clusters, 2))


def at_home(rng: np.random.Generator, clusters: int) -> Rows:
    """Households of one to ten children, each child on one to four dates."""
    children = rng.choice([1, 2, 3, 4, 6, 10], clusters, p=[0.45, 0.25, 0.15, 0.08, 0.05, 0.02])
    return _dated(np.repeat(np.arange(clusters), children), rng.integers(1, 5, int(children.sum())))


def in_schools(rng: np.random.Generator, clusters: int) -> Rows:
    """Schools of 40 to 160 pupils, each pupil once."""
    pupils = rng.integers(40, 161, clusters)
    return _dated(np.repeat(np.arange(clusters), pupils), np.ones(int(pupils.sum()), dtype=int))


def _dated(cluster_of_person: np.ndarray, dates: np.ndarray) -> Rows:
    person = np.repeat(np.arange(dates.size), dates)
    date = np.arange(person.size) - np.repeat(np.cumsum(dates) - dates, dates)
    return Rows(cluster_of_person[person], person, date)


WORLDS = {
    "independent": World("1,000 people once; right risks", once, 1000, base=-1.5, in_row=1.0, right=True),
    "sharp": World("1,000 people once; an AUC of 0.87, risks too high", once, 1000, base=-2.0, in_row=2.0),
    "people": World(
        "400 people on one to four dates, with a lasting frailty; right risks", repeated(4), 400,
        base=-1.6, in_row=0.6, in_person=0.8, frailty=(0.0, 1.0), right=True,
    ),
    "households": World(
        "300 households of one to ten children on one to four dates, with frailties; risks too high", at_home, 300,
        base=-1.6, in_row=0.5, in_person=0.5, in_cluster=0.6, frailty=(0.7, 0.7),
    ),
    "rare": World(
        "1,200 people on two dates, about 80 events; risks too high", on_both_dates, 1200,
        base=-4.2, in_row=0.6, in_person=0.8, frailty=(0.0, 0.8), share=0.05, threshold=0.05, at_the_limit=True,
    ),
    "schools": World(
        "6 schools of 40 to 160 pupils, with a frailty; risks too high", in_schools, 6,
        base=-1.5, in_row=1.0, in_cluster=0.3, frailty=(0.4, 0.0), at_the_limit=True,
    ),
}  # fmt: skip


@lru_cache(maxsize=2)
def population(name: str, rows: int = ROWS_OF_POPULATION) -> Sample:
    """One very large draw of a world, whose figures are the truth: their error is a fiftieth of a sample's, or less."""
    world = WORLDS[name]
    each = world.draw(stream(name, "size"), 1000).outcome.size / 1000
    return world.draw(stream(name, "population"), round(rows / each))


def stream(*parts: str | int) -> np.random.Generator:
    """Random numbers of their own for each purpose, the same every time."""
    return np.random.default_rng(list("/".join(map(str, parts)).encode()))
