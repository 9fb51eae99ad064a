"""A county that does not exist: dated records of children with a risk that is known exactly.

Everything here is drawn from a seed. No real person, place or record went into it. It serves two ends: an example that
can be shown to anybody, and tests that know the right answer.

**The process.** Time runs in quarters from `START` to `EXTRACTED_ON`. Each child has a *need* in each quarter, on a
scale where 1 is about one standard deviation across children::

    need = ward + household + own + deprivation and disability    (do not change)
         + moving part, AR(1) from quarter to quarter with correlation `PHI`

- Agencies record *facts*: of each kind Poisson, ``per_quarter * exp(load * need)`` for a child and quarter (`KINDS`).
  Rent arrears belong to a household and stand against each of its children.
- A *review* gives a concern score from 0 to 10: ``4 + 1.5 * need + noise``.
- The *outcome*, a start with a social worker, has the hazard ``exp(level + hazard * need + frailty + age)`` per quarter.
  Frailty is the child's own, lasts, and shows in nothing else. A case stays open 60 to 365 days; no other starts then.
- Families move away, and children miss reviews, more often where need is high: their outcomes can be unknown.
- A fact happens on one day and is *known* some days later (exponential; 4% of facts are 30 to 150 days later still).
  What was not known by the extract is not in the tables.

Ethnic group and sex change neither need nor hazard: a gap between such groups comes from how facts were recorded.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from riskmodels import storage
from riskmodels.errors import DataError, UsageError
from riskmodels.study import Period

START = dt.date(2018, 10, 1)
EXTRACTED_ON = dt.date(2026, 6, 30)
QUARTER_STARTS = tuple(
    Period(3 * quarter, "month").after(START) for quarter in range(32)
)  # the last one closes the 31st
EDGES = np.array([(day - START).days for day in QUARTER_STARTS])
DAYS = int(EDGES[-1])
QUARTERS = len(EDGES) - 1
YEAR = 365.25
ADULT = round(18 * YEAR)  # days
PHI = 0.8

ETHNICITY = {
    "White British": 0.66, "Asian": 0.13, "White other": 0.09, "Black": 0.06, "Mixed": 0.05, "Any other": 0.01,
}  # fmt: skip
FIFTHS = ("most deprived fifth", "second fifth", "third fifth", "fourth fifth", "least deprived fifth")
WARDS = 24
LATE_SHARE = 0.04


@dataclass(frozen=True)
class Kind:
    """One kind of fact: how often it happens at need 0, how it grows with need, and how it reaches us."""

    agency: str
    per_quarter: float  # facts for each child (or household) in a quarter, at need 0
    load: float  # log rate ratio for one more unit of need
    lag: float  # mean days from happening to being known
    from_age: int = 0  # years
    size: float | None = None  # value = 1 + Poisson(size * exp(0.4 need)): days or weeks; None: no value
    household: bool = False


KINDS = {
    "school_absence": Kind("school", 0.8, 0.55, lag=4, from_age=5, size=1.5),  # value: days missed
    "exclusion": Kind("school", 0.025, 0.9, lag=4, from_age=5, size=1.0),  # value: days excluded
    "police_contact": Kind("police", 0.06, 0.8, lag=10),
    "housing_arrears": Kind("housing", 0.08, 0.6, lag=14, size=3.0, household=True),  # value: weeks of rent owed
    "ae_attendance": Kind("health", 0.12, 0.45, lag=7),
    "early_help": Kind("council", 0.03, 0.7, lag=5),
}
LINKED_AGENCIES = ("police", "housing", "health")  # those whose records have to be matched to the council's
TALLY = ("police_contact", "housing_arrears", "ae_attendance", "early_help")
BREAK_KEEPS = {"school_absence": 0.4, "police_contact": 0.4}  # share of facts still recorded after a break
BREAK_HAZARD = 1.5


@dataclass(frozen=True)
class Signal:
    """Where the risk comes from. The first four are standard deviations of the parts of need."""

    ward: float = 0.0
    household: float = 0.0
    own: float = 0.0
    moving: float = 0.0
    traits: float = 0.0  # 1: deprivation (0.15 a fifth) and disability (0.3) add to need
    flags: float = 0.0  # need added by each of four conditions that a household has or has not
    hazard: float = 0.0  # log hazard ratio for one more unit of need
    frailty: float = 0.0  # standard deviation of the unseen part of the log hazard
    by_age: bool = False
    facts: float = 1.0  # multiplies the loads of all facts
    score_noise: float = 1.5  # standard deviation of a review's score around the need it measures


MANY = Signal(ward=0.3, household=0.5, own=0.3, moving=0.7, traits=1.0, hazard=1.1, frailty=0.4, by_age=True)
SIGNALS = {
    "many": MANY,
    # Need shows in the review score alone, without noise, and does not change: nothing can beat sorting by it.
    "one_column": Signal(household=0.6, own=0.7, hazard=1.1, facts=0.0, score_noise=0.0),
    # Four yes-or-no conditions of equal weight, each plainly recorded: counting them is all there is to know.
    "tally": Signal(flags=0.7, hazard=1.1, facts=0.0, score_noise=8.0),
    "place": Signal(ward=0.9, hazard=1.1),
    "none": Signal(ward=0.3, household=0.5, own=0.3, moving=0.7, traits=1.0),
}


@dataclass(frozen=True)
class Knobs:
    """What can be set about a county. Shares lie between 0 and 1.

    Parameters
    ----------
    signal : one of `SIGNALS`
    base_rate : share of children for whom a case starts in half a year, were none open
    under_recorded : ethnic group -> share of its facts that no agency wrote down (outcomes and reviews are kept)
    outcome_recorded : ethnic group -> share of its outcomes that were written down; 1 where not named
    unlinked : share of children whose records at an agency could not be matched, for each of `LINKED_AGENCIES`
    moved : share of families that move away in half a year, at need 0
    unseen : share of children without a review in half a year, at need 0
    by_need : how both grow with need: log hazard ratio, log odds ratio for one more unit of need
    drift : change of the log hazard in a year
    leak : adds the kind ``plan_meeting``: written after a start, under a date six months before it
    break_on : from the first quarter that begins on or after it, fewer facts are written down (`BREAK_KEEPS`) and
        cases start more readily (`BREAK_HAZARD`)
    """

    people: int = 6000
    seed: int = 1
    signal: str = "many"
    base_rate: float = 0.08
    under_recorded: Mapping[str, float] = field(default_factory=dict)
    outcome_recorded: Mapping[str, float] = field(default_factory=dict)
    unlinked: float = 0.0
    moved: float = 0.02
    unseen: float = 0.15
    by_need: float = 0.4
    drift: float = 0.0
    leak: bool = False
    break_on: dt.date | None = None

    def __post_init__(self) -> None:
        if self.people < 1:
            raise UsageError(f"make_county: people must be at least 1, got {self.people}")
        if self.signal not in SIGNALS:
            raise UsageError(f"make_county: signal is one of {', '.join(SIGNALS)}; got {self.signal!r}")
        shares = {name: getattr(self, name) for name in ("base_rate", "unlinked", "moved", "unseen")}
        for name in ("under_recorded", "outcome_recorded"):
            for group, share in getattr(self, name).items():
                if group not in ETHNICITY:
                    raise UsageError(f"make_county: {name} names {group!r}; the groups are {', '.join(ETHNICITY)}")
                shares[f"{name}[{group!r}]"] = share
        for name, share in shares.items():
            if not 0 <= share <= 1 or (name in ("base_rate", "unseen") and share in (0, 1)):
                raise UsageError(f"make_county: {name} is a share between 0 and 1, got {share}")

    def rng(self, part: str) -> np.random.Generator:
        """A stream of its own for each part, so that one knob never moves what another part draws."""
        return np.random.default_rng([self.seed, *part.encode()])


@dataclass(frozen=True, eq=False)
class Children:
    """Who there is: arrays of one entry for each child; households stand together. Days count from `START`."""

    household: np.ndarray
    ward: np.ndarray
    ethnicity: np.ndarray  # position in ETHNICITY
    male: np.ndarray
    disabled: np.ndarray
    fifth: np.ndarray  # 0 most deprived
    born: np.ndarray
    here_from: np.ndarray  # born, and moved in

    @property
    def adult(self) -> np.ndarray:
        """The day of the 18th birthday."""
        return self.born + ADULT


@dataclass(frozen=True, eq=False)
class Truth:
    """What nobody sees. Arrays (children,) or (children, quarters)."""

    entity_id: np.ndarray
    children: Children
    left: np.ndarray  # day of moving away; beyond the last day for those who stay
    moving: np.ndarray  # the AR(1) part of need
    fixed: np.ndarray  # log hazard per quarter without the moving part


@dataclass(frozen=True, eq=False)
class County:
    """The tables a council would extract, and the truth behind them.

    ``people``: entity_id, born_on, household_id, ward, followed_until, police_linked, housing_linked, health_linked.
    ``events``: entity_id, happened_on, known_on, kind, value.
    ``equality``: entity_id, known_on, sex, ethnicity, disability, deprivation, age: a return each March and September.
    """

    people: pl.DataFrame
    events: pl.DataFrame
    equality: pl.DataFrame
    knobs: Knobs
    truth: Truth


def make_county(people: int = 6000, seed: int = 1, **knobs: Any) -> County:
    """A county of so many children, the same for the same arguments. See `Knobs` for what can be set.

    Raises
    ------
    UsageError
        if a knob is out of range or names an unknown group or signal.
    """
    set_to = Knobs(people, seed, **knobs)
    signal = SIGNALS[set_to.signal]
    children = _children(set_to)
    flags = set_to.rng("flags").random((people, len(TALLY)))[children.household] < 0.3
    settled, moving = _need(children, flags, signal, set_to)
    need = settled[:, None] + moving
    left = _left(children, settled, set_to)
    fixed = _log_hazard(children, settled, moving, signal, set_to)

    number = set_to.rng("ids").permutation(people) + 1  # so that the order of ids tells nothing
    entity_id = np.array([f"P{n:07d}" for n in number])
    truth = Truth(entity_id, children, left, moving, fixed)

    starts = _starts(truth, signal.hazard, set_to)
    facts = [_facts(name, truth, need, flags, signal, set_to) for name in KINDS]
    facts += [_reviews(truth, need, signal, set_to), _exits(truth, set_to), _recorded_starts(starts, children, set_to)]
    if set_to.leak:
        facts.append(_plan_meetings(starts, children, set_to))
    linked = _linked(set_to)
    return County(
        _people(truth, linked), _events(facts, truth, linked, set_to), _equality(truth, set_to), set_to, truth
    )


def write_county(folder: Path, county: County) -> None:
    """Write ``people.parquet``, ``events.parquet`` and ``equality.parquet``. Raises OutsideError."""
    for name in ("people", "events", "equality"):
        storage.write_whole(Path(folder) / f"{name}.parquet", storage.table_bytes(getattr(county, name), ".parquet"))


def true_risk(county: County, dates: Iterable[dt.date], horizon: Period) -> pl.DataFrame:
    """The probability that a case starts in [as_of, as_of + horizon), for each child here and under 18 on the day.

    It is the risk of somebody with no open case who stays: 1 - E[exp(-sum of hazards)], given all that is true of the
    child the day before, averaged over the need still to come (128 draws, shared by all). No model can rank better.

    Returns
    -------
    frame with entity_id, as_of_date, true_risk

    Raises
    ------
    DataError
        if a date and its horizon are not inside the county's years.
    """
    truth, signal = county.truth, SIGNALS[county.knobs.signal]
    half = np.random.default_rng(0).standard_normal((64, QUARTERS))
    draws = np.concatenate([half, -half])
    frames = []
    for as_of in dates:
        first, last = (as_of - START).days, (horizon.after(as_of) - START).days
        if first < 1 or last > DAYS:
            raise DataError(f"true_risk: {as_of} with a horizon of {horizon} is not between {START} and {EXTRACTED_ON}")
        here = (truth.children.here_from <= first) & (first < np.minimum(truth.left, truth.children.adult))
        now = int(np.searchsorted(EDGES, first - 1, side="right")) - 1
        ends = np.minimum(last, truth.children.adult[here])
        survival = np.zeros(int(here.sum()))
        for draw in draws:
            moving, total = truth.moving[here, now], np.zeros(len(survival))
            for quarter in range(now, QUARTERS):
                if EDGES[quarter] >= last:
                    break
                if quarter > now:
                    moving = PHI * moving + _innovation(signal) * draw[quarter]
                days = np.minimum(ends, EDGES[quarter + 1]) - max(first, EDGES[quarter])
                share = np.maximum(days, 0) / (EDGES[quarter + 1] - EDGES[quarter])
                total += share * np.exp(truth.fixed[here, quarter] + signal.hazard * moving)
            survival += np.exp(-total) / len(draws)
        frame = pl.DataFrame({"entity_id": truth.entity_id[here], "true_risk": 1 - survival})
        frames.append(frame.select("entity_id", pl.lit(as_of).alias("as_of_date"), "true_risk").sort("entity_id"))
    return pl.concat(frames)


# ---------------------------------------------------------------- who there is, and what they need


def _children(knobs: Knobs) -> Children:
    rng, n = knobs.rng("children"), knobs.people
    sizes = rng.choice([1, 2, 3, 4], n, p=[0.35, 0.40, 0.18, 0.07])
    household = np.repeat(np.arange(n), sizes)[:n]
    born = rng.integers(-ADULT, DAYS, n)[household] + rng.integers(0, 5 * 365, n)
    born = np.where(born >= DAYS, 2 * (DAYS - 1) - born, born)  # nobody is born after the extract
    moved_in = np.where(rng.random(n) < 0.25, rng.integers(0, DAYS, n), 0)[household]
    moved_in = np.minimum(moved_in, _of_household(np.minimum, born, household) + 16 * 365)
    ethnicity = rng.choice(len(ETHNICITY), n, p=list(ETHNICITY.values()))[household]
    ward = rng.integers(0, WARDS, n)
    # A ward leans to one end of deprivation, and each household lies around its ward.
    fifth = np.clip(np.round(ward * 5 / WARDS - 0.4 + rng.normal(0, 1.2, n)), 0, 4).astype(int)
    return Children(
        household=household,
        ward=ward[household],
        ethnicity=ethnicity,
        male=rng.random(n) < 0.51,
        disabled=rng.random(n) < 0.11,
        fifth=fifth[household],
        born=born,
        here_from=np.maximum(np.maximum(born, moved_in), 0),
    )


def _of_household(combine: np.ufunc, values: np.ndarray, household: np.ndarray) -> np.ndarray:
    """For each child, its household's values combined (households stand together)."""
    firsts = np.flatnonzero(np.diff(household, prepend=-1))
    return combine.reduceat(values, firsts)[household]


def _need(children: Children, flags: np.ndarray, signal: Signal, knobs: Knobs) -> tuple[np.ndarray, np.ndarray]:
    rng, n = knobs.rng("need"), knobs.people
    settled = signal.ward * rng.standard_normal(WARDS)[children.ward]
    settled += signal.household * rng.standard_normal(n)[children.household] + signal.own * rng.standard_normal(n)
    settled += signal.traits * (0.15 * (2 - children.fifth) + 0.3 * (children.disabled - 0.11))
    settled += signal.flags * (flags.sum(axis=1) - 0.3 * len(TALLY))
    moving = np.empty((n, QUARTERS))
    moving[:, 0] = signal.moving * rng.standard_normal(n)
    for quarter in range(1, QUARTERS):
        moving[:, quarter] = PHI * moving[:, quarter - 1] + _innovation(signal) * rng.standard_normal(n)
    return settled, moving


def _innovation(signal: Signal) -> float:
    """Standard deviation of each quarter's news, so that the AR(1) part keeps its spread."""
    return signal.moving * float(np.sqrt(1 - PHI**2))


def _left(children: Children, settled: np.ndarray, knobs: Knobs) -> np.ndarray:
    """A family moves together, after all its children have come; a wait with a hazard that grows with its need."""
    all_here = _of_household(np.maximum, children.here_from, children.household)
    members = _of_household(np.add, np.ones(knobs.people), children.household)
    need = _of_household(np.add, settled, children.household) / members
    per_day = -np.log1p(-min(knobs.moved, 0.999)) * 2 / YEAR * np.exp(knobs.by_need * need)
    patience = knobs.rng("moves").exponential(size=knobs.people)[children.household]
    wait = np.divide(patience, per_day, out=np.full(knobs.people, np.inf), where=per_day > 0)
    return np.minimum(all_here + 1 + wait, DAYS + ADULT).astype(int)


def _log_hazard(
    children: Children, settled: np.ndarray, moving: np.ndarray, signal: Signal, knobs: Knobs
) -> np.ndarray:
    """Log hazard per quarter without the moving part, at the level that gives `base_rate`."""
    middle = (EDGES[:-1] + EDGES[1:]) / 2
    age = (middle[None, :] - children.born[:, None]) / YEAR
    fixed = (signal.hazard * settled + signal.frailty * knobs.rng("frailty").standard_normal(knobs.people))[:, None]
    fixed = fixed + signal.by_age * (0.6 * (age < 2) + 0.5 * ((age >= 12) & (age < 16)))
    fixed = fixed + knobs.drift * (middle / YEAR)[None, :] + np.log(BREAK_HAZARD) * _after_break(knobs)[None, :]
    here = (children.here_from[:, None] <= middle) & (middle < children.adult[:, None])
    hazards = 2 * np.exp((fixed + signal.hazard * moving)[here])
    low, high = -20.0, 10.0
    for _ in range(40):
        level = (low + high) / 2
        enough = np.mean(-np.expm1(-np.exp(level) * hazards)) > knobs.base_rate
        low, high = (low, level) if enough else (level, high)
    return np.asarray(fixed + level)


def _after_break(knobs: Knobs) -> np.ndarray:
    return np.array([knobs.break_on is not None and day >= knobs.break_on for day in QUARTER_STARTS[:-1]])


# ---------------------------------------------------------------- what happened, and what was written down


@dataclass(frozen=True, eq=False)
class _Facts:
    """Facts of one kind: who (position of the child), day, value (NaN: none)."""

    kind: str
    who: np.ndarray
    day: np.ndarray
    value: np.ndarray
    lag: float
    agency: str = "council"
    every_one_kept: bool = True  # false where under-recording applies


def _facts(name: str, truth: Truth, need: np.ndarray, flags: np.ndarray, signal: Signal, knobs: Knobs) -> _Facts:
    rng, kind, children = knobs.rng(name), KINDS[name], truth.children
    seen_need = signal.facts * need
    if kind.household:
        seen_need = _of_household(np.add, seen_need, children.household)
        seen_need = seen_need / _of_household(np.add, np.ones(len(need)), children.household)[:, None]
    rate = kind.per_quarter * np.exp(kind.load * seen_need)
    if signal.flags and name in TALLY:
        rate = np.repeat(1.2 * flags[:, [TALLY.index(name)]], QUARTERS, axis=1)
    rate = rate * np.where(_after_break(knobs), BREAK_KEEPS.get(name, 1.0), 1.0)
    if kind.household:
        # Drawn for the first child of each household, then written against every child of it.
        rate = rate * (np.diff(children.household, prepend=-1) != 0)[:, None]
    counts = rng.poisson(rate)
    who, quarter = np.nonzero(counts)
    who, quarter = np.repeat(who, counts[who, quarter]), np.repeat(quarter, counts[who, quarter])
    day = _day_in(quarter, rng)
    value = np.full(len(who), np.nan)
    if kind.size is not None:
        value = 1.0 + rng.poisson(kind.size * np.exp(0.4 * seen_need[who, quarter]))
    if kind.household:
        who, again = _everybody_at_home(who, children.household)
        day, value = day[again], value[again]
    born = children.born[who] + round(kind.from_age * YEAR)
    keep = (np.maximum(children.here_from[who], born) <= day) & (day < _until(truth)[who])
    return _Facts(name, who[keep], day[keep], value[keep], kind.lag, kind.agency, every_one_kept=False)


def _everybody_at_home(first: np.ndarray, household: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each row of a first child, repeated for its brothers and sisters: children, and the rows they came from."""
    size = np.bincount(household)[household[first]]
    row = np.repeat(np.arange(len(first)), size)
    place = np.arange(len(row)) - np.repeat(np.cumsum(size) - size, size)
    return first[row] + place, row


def _reviews(truth: Truth, need: np.ndarray, signal: Signal, knobs: Knobs) -> _Facts:
    rng = knobs.rng("reviews")
    odds = knobs.unseen / (1 - knobs.unseen) * np.exp(knobs.by_need * need)
    seen = 1 - np.sqrt(odds / (1 + odds))  # in one of two quarters
    who, quarter = np.nonzero(rng.random(need.shape) < seen)
    day = _day_in(quarter, rng)
    shown = need[who, quarter] + signal.score_noise / 1.5 * rng.standard_normal(len(who))
    keep = (truth.children.here_from[who] <= day) & (day < _until(truth)[who])
    score = np.clip(np.round(4 + 1.5 * shown, 1), 0, 10)
    return _Facts("review", who[keep], day[keep], score[keep], lag=6)


def _exits(truth: Truth, knobs: Knobs) -> _Facts:
    gone = np.flatnonzero(truth.left < np.minimum(truth.children.adult, DAYS))
    return _Facts("moved_away", gone, truth.left[gone], np.full(len(gone), np.nan), lag=30)


def _starts(truth: Truth, hazard: float, knobs: Knobs) -> tuple[np.ndarray, np.ndarray]:
    """Every start that happened: child, day. Exact for a hazard that is constant within a quarter."""
    rng, n = knobs.rng("starts"), knobs.people
    rates = np.exp(truth.fixed + hazard * truth.moving)
    free_from, until = truth.children.here_from.astype(float), _until(truth)
    who, days = [], []
    for quarter in range(QUARTERS):
        begin = np.maximum(EDGES[quarter], free_from)
        day = np.floor(begin + rng.exponential(size=n) / rates[:, quarter] * (EDGES[quarter + 1] - EDGES[quarter]))
        stays_open = rng.integers(60, 366, n)
        hit = np.flatnonzero((day < EDGES[quarter + 1]) & (day < until))
        free_from[hit] = day[hit] + stays_open[hit]
        who.append(hit)
        days.append(day[hit].astype(int))
    return np.concatenate(who), np.concatenate(days)


def _recorded_starts(starts: tuple[np.ndarray, np.ndarray], children: Children, knobs: Knobs) -> _Facts:
    who, day = starts
    keep = knobs.rng("outcomes").random(len(who)) < _by_group(knobs.outcome_recorded, 1.0)[children.ethnicity[who]]
    return _Facts("social_care_start", who[keep], day[keep], np.full(int(keep.sum()), np.nan), lag=8)


def _plan_meetings(starts: tuple[np.ndarray, np.ndarray], children: Children, knobs: Knobs) -> _Facts:
    """The leak: a note made once a case has started, under the date of the first concern, as if known on that day."""
    who, day = starts
    day = day - knobs.rng("leak").integers(184, 200, len(who))
    keep = day >= children.here_from[who]
    return _Facts("plan_meeting", who[keep], day[keep], np.full(int(keep.sum()), np.nan), lag=0)


def _until(truth: Truth) -> np.ndarray:
    return np.minimum(np.minimum(truth.left, truth.children.adult), DAYS)


def _day_in(quarter: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return EDGES[quarter] + (rng.random(len(quarter)) * (EDGES[quarter + 1] - EDGES[quarter])).astype(int)


def _by_group(shares: Mapping[str, float], otherwise: float) -> np.ndarray:
    return np.array([shares.get(group, otherwise) for group in ETHNICITY])


# ---------------------------------------------------------------- the tables


def _linked(knobs: Knobs) -> dict[str, np.ndarray]:
    return {agency: knobs.rng(f"link {agency}").random(knobs.people) >= knobs.unlinked for agency in LINKED_AGENCIES}


def _people(truth: Truth, linked: Mapping[str, np.ndarray]) -> pl.DataFrame:
    children = truth.children
    return pl.DataFrame(
        {
            "entity_id": truth.entity_id,
            "born_on": _dates(children.born),
            "household_id": [f"H{number + 1:06d}" for number in children.household],
            "ward": [f"W{number + 1:02d}" for number in children.ward],
            "followed_until": _dates(np.minimum(truth.left, DAYS - 1)),
            **{f"{agency}_linked": mask for agency, mask in linked.items()},
        }
    ).sort("entity_id")


def _events(facts: list[_Facts], truth: Truth, linked: Mapping[str, np.ndarray], knobs: Knobs) -> pl.DataFrame:
    never_written = _by_group(knobs.under_recorded, 0.0)[truth.children.ethnicity]
    frames = []
    for fact in facts:
        rng = knobs.rng(f"known {fact.kind}")
        lag = rng.exponential(fact.lag, len(fact.who)) if fact.lag else np.zeros(len(fact.who))
        late = (rng.random(len(fact.who)) < LATE_SHARE) & (fact.lag > 0)
        known = fact.day + lag.astype(int) + late * rng.integers(30, 151, len(fact.who))
        written = fact.every_one_kept | (rng.random(len(fact.who)) >= never_written[fact.who])
        written &= (known < DAYS) & (fact.day >= 0)
        if fact.agency in linked:
            written &= linked[fact.agency][fact.who]
        frame = pl.DataFrame(
            {
                "entity_id": truth.entity_id[fact.who[written]],
                "happened_on": _dates(fact.day[written]),
                "known_on": _dates(known[written]),
                "kind": np.full(int(written.sum()), fact.kind),
                "value": fact.value[written],
            }
        )
        frames.append(frame.with_columns(pl.col("value").fill_nan(None)))
    return pl.concat(frames).sort("happened_on", "entity_id", "kind", "known_on", "value")


def _equality(truth: Truth, knobs: Knobs) -> pl.DataFrame:
    """A row for each child here at each return. Ethnic group is never given by 2%, disability by 6%."""
    children, rng = truth.children, knobs.rng("equality")
    silent = {"ethnicity": rng.random(knobs.people) < 0.02, "disability": rng.random(knobs.people) < 0.06}
    words = pl.DataFrame(
        {
            "entity_id": truth.entity_id,
            "sex": np.where(children.male, "male", "female"),
            "ethnicity": np.array(list(ETHNICITY))[children.ethnicity],
            "disability": np.where(children.disabled, "disabled", "not disabled"),
            "deprivation": np.array(FIFTHS)[children.fifth],
        }
    ).with_columns(pl.when(~pl.Series(mask)).then(pl.col(name)).alias(name) for name, mask in silent.items())
    frames = []
    for year in range(START.year, EXTRACTED_ON.year + 1):
        for returned_on in (dt.date(year, 3, 15), dt.date(year, 9, 15)):
            day = (returned_on - START).days
            here = (children.here_from <= day) & (day < _until(truth))
            age = ((day - children.born) / YEAR).astype(int)
            frame = words.with_columns(pl.Series("age", age)).filter(pl.Series(here))
            frames.append(frame.select("entity_id", pl.lit(returned_on).alias("known_on"), pl.exclude("entity_id")))
    return pl.concat(frames).sort("known_on", "entity_id")


def _dates(days: np.ndarray) -> pl.Series:
    since_1970 = (START - dt.date(1970, 1, 1)).days
    return pl.Series(days + since_1970).cast(pl.Int32).cast(pl.Date)
