"""What happens in the county of `riskmodels.data.synthetic`: children, their need, what could be written down of it.

That module's docstring states the process. Everything here is arrays: one entry for each child (households stand
together) or for each child and quarter; days count from `START`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from riskmodels.data.synthetic_knobs import (
    ADULT,
    BREAK_HAZARD,
    BREAK_KEEPS,
    DAYS,
    EDGES,
    ETHNICITY,
    KINDS,
    PHI,
    QUARTERS,
    SIGNALS,
    START,
    TALLY,
    WARDS,
    YEAR,
    Knobs,
    Signal,
)

# ---------------------------------------------------------------- who there is, and what they need


@dataclass(frozen=True, eq=False)
class Children:
    """Who there is. ``here_from``: the day from which a child is born and has moved in."""

    household: np.ndarray
    ward: np.ndarray
    ethnicity: np.ndarray  # position in ETHNICITY
    male: np.ndarray
    disabled: np.ndarray
    fifth: np.ndarray  # 0 most deprived
    born: np.ndarray
    here_from: np.ndarray

    @property
    def adult(self) -> np.ndarray:
        """The day of the 18th birthday."""
        return self.born + ADULT

    @property
    def eldest(self) -> np.ndarray:
        """Boolean: the first of its household."""
        return np.diff(self.household, prepend=-1) != 0

    def together(self, combine: np.ufunc, values: np.ndarray) -> np.ndarray:
        """For each child, the values of its household combined."""
        return np.asarray(combine.reduceat(values, np.flatnonzero(self.eldest))[self.household])

    def household_mean(self, values: np.ndarray) -> np.ndarray:
        sizes = self.together(np.add, np.ones(len(values)))
        return self.together(np.add, values) / sizes.reshape(-1, *[1] * (values.ndim - 1))


@dataclass(frozen=True, eq=False)
class Truth:
    """What nobody sees. Arrays of shape (children,) or (children, quarters)."""

    entity_id: np.ndarray
    children: Children
    left: np.ndarray  # day of moving away; long after the extract for those who stay
    settled: np.ndarray  # the part of need that does not change
    moving: np.ndarray  # the part of need that does
    flags: np.ndarray  # the household's conditions (children, TALLY)
    level: np.ndarray  # log hazard of the outcome per quarter, without the moving part

    @property
    def until(self) -> np.ndarray:
        """The first day on which nothing more of the child is in the extract."""
        return np.minimum(np.minimum(self.left, self.children.adult), DAYS)


def draw_truth(knobs: Knobs) -> Truth:
    n, signal = knobs.people, SIGNALS[knobs.signal]
    children = _children(knobs)
    flags = knobs.rng("flags").random((n, len(TALLY)))[children.household] < 0.3
    settled, moving = _need(children, flags, signal, knobs)
    return Truth(
        entity_id=np.array([f"P{number + 1:07d}" for number in knobs.rng("ids").permutation(n)]),
        children=children,
        left=_left(children, settled, knobs),
        settled=settled,
        moving=moving,
        flags=flags,
        level=_level(children, settled, moving, signal, knobs),
    )


def _children(knobs: Knobs) -> Children:
    rng, n = knobs.rng("children"), knobs.people
    sizes = rng.choice([1, 2, 3, 4], n, p=[0.35, 0.40, 0.18, 0.07])
    household = np.repeat(np.arange(n), sizes)[:n]
    born = rng.integers(-ADULT, DAYS, n)[household] + rng.integers(0, 5 * 365, n)
    born = np.where(born >= DAYS, 2 * (DAYS - 1) - born, born)  # nobody is born after the extract
    moved_in = np.where(rng.random(n) < 0.25, rng.integers(0, DAYS, n), 0)[household]
    ethnicity = rng.choice(len(ETHNICITY), n, p=list(ETHNICITY.values()))[household]
    ward = rng.integers(0, WARDS, n)
    # A ward leans to one end of deprivation, and each household lies around its ward.
    fifth = np.clip(np.round(ward * 5 / WARDS - 0.4 + rng.normal(0, 1.2, n)), 0, 4).astype(int)
    children = Children(
        household, ward[household], ethnicity, rng.random(n) < 0.51, rng.random(n) < 0.11, fifth[household], born, born
    )
    # Families arrive before their eldest is 16, so that everybody has some years here.
    moved_in = np.minimum(moved_in, children.together(np.minimum, born) + round(16 * YEAR))
    return replace(children, here_from=np.maximum(np.maximum(born, moved_in), 0))


def _need(children: Children, flags: np.ndarray, signal: Signal, knobs: Knobs) -> tuple[np.ndarray, np.ndarray]:
    rng, n = knobs.rng("need"), knobs.people
    settled = signal.ward * rng.standard_normal(WARDS)[children.ward]
    settled += signal.household * rng.standard_normal(n)[children.household] + signal.own * rng.standard_normal(n)
    settled += signal.traits * (0.06 * (2 - children.fifth) + 0.3 * (children.disabled - 0.11))
    settled += signal.flags * (flags.sum(axis=1) - 0.3 * len(TALLY))
    moving = np.empty((n, QUARTERS))
    moving[:, 0] = signal.moving * rng.standard_normal(n)
    for quarter in range(1, QUARTERS):
        moving[:, quarter] = PHI * moving[:, quarter - 1] + signal.news * rng.standard_normal(n)
    return settled, moving


def _left(children: Children, settled: np.ndarray, knobs: Knobs) -> np.ndarray:
    """A family moves together, after all its children have come: a wait with a hazard that grows with its need."""
    all_here = children.together(np.maximum, children.here_from)
    patience = knobs.rng("moves").exponential(size=knobs.people)[children.household]
    per_half_year = -np.log1p(-min(knobs.moved, 0.999)) * np.exp(knobs.by_need * children.household_mean(settled))
    wait = np.divide(patience, per_half_year, out=np.full(knobs.people, np.inf), where=per_half_year > 0) * YEAR / 2
    return np.minimum(all_here + 1 + wait, DAYS + ADULT).astype(int)


def _level(children: Children, settled: np.ndarray, moving: np.ndarray, signal: Signal, knobs: Knobs) -> np.ndarray:
    """The log hazard per quarter without the moving part, raised or lowered until it gives `base_rate`."""
    middle = (EDGES[:-1] + EDGES[1:]) / 2
    age = (middle[None, :] - children.born[:, None]) / YEAR
    level = (signal.hazard * settled + signal.frailty * knobs.rng("frailty").standard_normal(knobs.people))[:, None]
    level = level + signal.by_age * (0.6 * (age < 2) + 0.5 * ((age >= 12) & (age < 16)))
    drifted = knobs.drift * np.maximum(middle - (knobs.drift_from - START).days, 0) / YEAR
    level = level + (drifted + np.log(BREAK_HAZARD) * knobs.after_break)[None, :]
    here = (children.here_from[:, None] <= middle) & (middle < children.adult[:, None])
    half_year = 2 * np.exp((level + signal.hazard * moving)[here])
    low, high = -20.0, 10.0
    for _ in range(40):
        shift = (low + high) / 2
        too_many = np.mean(-np.expm1(-np.exp(shift) * half_year)) > knobs.base_rate
        low, high = (low, shift) if too_many else (shift, high)
    return np.asarray(level + shift)


# ---------------------------------------------------------------- what happens


NONE_MISSED = np.zeros(len(ETHNICITY))


@dataclass(frozen=True, eq=False)
class Facts:
    """Facts of one kind, as they happened: who (position of the child), day, value (NaN: none)."""

    kind: str
    who: np.ndarray
    day: np.ndarray
    value: np.ndarray
    lag: float  # mean days until it is known
    missed: np.ndarray  # share that nobody writes down, for each group of ETHNICITY
    agency: str = "council"


def draw_starts(truth: Truth, knobs: Knobs) -> tuple[np.ndarray, np.ndarray]:
    """Every case that starts: child, day. Exact, since the hazard is constant within a quarter."""
    rng, n = knobs.rng("starts"), knobs.people
    hazard = np.exp(truth.level + SIGNALS[knobs.signal].hazard * truth.moving)
    free_from = truth.children.here_from.astype(float)
    who, days = [], []
    for quarter in range(QUARTERS):
        begin = np.maximum(EDGES[quarter], free_from)
        day = np.floor(begin + rng.exponential(size=n) / hazard[:, quarter] * (EDGES[quarter + 1] - EDGES[quarter]))
        stays_open = rng.integers(60, 366, n)
        hit = np.flatnonzero((day < EDGES[quarter + 1]) & (day < truth.until))
        free_from[hit] = day[hit] + stays_open[hit]
        who.append(hit)
        days.append(day[hit].astype(int))
    return np.concatenate(who), np.concatenate(days)


def draw_facts(truth: Truth, knobs: Knobs) -> list[Facts]:
    """Everything that any agency could write down, of every kind."""
    starts = draw_starts(truth, knobs)
    facts = [_facts(name, truth, knobs) for name in KINDS]
    facts += [_reviews(truth, knobs), _exits(truth)]
    facts.append(_without_value("social_care_start", *starts, lag=8, missed=1 - by_group(knobs.outcome_recorded, 1.0)))
    if knobs.leak:
        facts.append(_plan_meetings(starts, truth, knobs))
    return facts


def _facts(name: str, truth: Truth, knobs: Knobs) -> Facts:
    rng, kind, signal, children = knobs.rng(name), KINDS[name], SIGNALS[knobs.signal], truth.children
    need = signal.facts * (truth.settled[:, None] + truth.moving)
    if kind.household:
        need = children.household_mean(need)
    rate = kind.per_quarter * np.exp(kind.load * need)
    if signal.flags and name in TALLY:
        rate = np.repeat(1.2 * truth.flags[:, [TALLY.index(name)]], QUARTERS, axis=1)
    rate = rate * np.where(knobs.after_break, BREAK_KEEPS.get(name, 1.0), 1.0)
    if kind.household:
        rate = rate * children.eldest[:, None]
    counts = rng.poisson(rate)
    who, quarter = np.nonzero(counts)
    who, quarter = (np.repeat(index, counts[who, quarter]) for index in (who, quarter))
    day = _day_in(quarter, rng)
    value = np.full(len(who), np.nan)
    if kind.size is not None:
        value = 1.0 + rng.poisson(kind.size * np.exp(0.4 * need[who, quarter]))
    if kind.household:
        # Drawn for the eldest, written against every child of the household.
        who, row = _everybody_at_home(who, children.household)
        day, value = day[row], value[row]
    first_day = np.maximum(children.here_from, children.born + round(kind.from_age * YEAR))
    keep = (first_day[who] <= day) & (day < truth.until[who])
    missed = by_group(knobs.under_recorded, 0.0)
    return Facts(name, who[keep], day[keep], value[keep], kind.lag, missed, kind.agency)


def _everybody_at_home(eldest: np.ndarray, household: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each row of an eldest child, repeated for its household: children, and the rows they came from."""
    size = np.bincount(household)[household[eldest]]
    row = np.repeat(np.arange(len(eldest)), size)
    place = np.arange(len(row)) - np.repeat(np.cumsum(size) - size, size)
    return eldest[row] + place, row


def _reviews(truth: Truth, knobs: Knobs) -> Facts:
    rng, need = knobs.rng("reviews"), truth.settled[:, None] + truth.moving
    odds = knobs.unseen / (1 - knobs.unseen) * np.exp(knobs.by_need * need)
    in_a_quarter = 1 - np.sqrt(odds / (1 + odds))  # missed in two quarters: unseen in half a year
    who, quarter = np.nonzero(rng.random(need.shape) < in_a_quarter)
    day = _day_in(quarter, rng)
    shown = need[who, quarter] + SIGNALS[knobs.signal].score_noise * rng.standard_normal(len(who))
    keep = (truth.children.here_from[who] <= day) & (day < truth.until[who])
    score = np.clip(np.round(4 + 1.5 * shown, 1), 0, 10)
    return Facts("review", who[keep], day[keep], score[keep], lag=6, missed=NONE_MISSED)


def _exits(truth: Truth) -> Facts:
    gone = np.flatnonzero(truth.left < np.minimum(truth.children.adult, DAYS))
    return _without_value("moved_away", gone, truth.left[gone], lag=30)


def _plan_meetings(starts: tuple[np.ndarray, np.ndarray], truth: Truth, knobs: Knobs) -> Facts:
    """The leak: a note made once a case has started, under the date of the first concern, as if known on that day."""
    who, day = starts
    day = np.maximum(day - knobs.rng("leak").integers(184, 200, len(who)), truth.children.here_from[who])
    return _without_value("plan_meeting", who, day, lag=0)


def _without_value(kind: str, who: np.ndarray, day: np.ndarray, lag: float, missed: np.ndarray = NONE_MISSED) -> Facts:
    return Facts(kind, who, day, np.full(len(who), np.nan), lag, missed)


def _day_in(quarter: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return EDGES[quarter] + (rng.random(len(quarter)) * (EDGES[quarter + 1] - EDGES[quarter])).astype(int)


def by_group(shares: Mapping[str, float], otherwise: float) -> np.ndarray:
    """One number for each group of `ETHNICITY`, in its order."""
    return np.array([shares.get(group, otherwise) for group in ETHNICITY])
