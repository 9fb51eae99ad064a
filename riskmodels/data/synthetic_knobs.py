"""What can be set about the county of `riskmodels.data.synthetic`: its years, groups, kinds of facts and knobs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from riskmodels.errors import UsageError
from riskmodels.study import Period

START = dt.date(2018, 10, 1)
EXTRACTED_ON = dt.date(2026, 6, 30)
QUARTERS = 31
QUARTER_STARTS = tuple(Period(3 * quarter, "month").after(START) for quarter in range(QUARTERS))
EDGES = np.array([(day - START).days for day in QUARTER_STARTS] + [(EXTRACTED_ON - START).days + 1])
DAYS = int(EDGES[-1])
YEAR = 365.25
ADULT = round(18 * YEAR)  # days
PHI = 0.9

ETHNICITY = {
    "White British": 0.66, "Asian": 0.13, "White other": 0.09, "Black": 0.06, "Mixed": 0.05, "Any other": 0.01,
}  # fmt: skip
WARDS = 24


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
    "school_absence": Kind("school", 0.9, 0.6, lag=4, from_age=5, size=1.5),  # value: days missed
    "exclusion": Kind("school", 0.04, 1.0, lag=4, from_age=5, size=1.0),  # value: days excluded
    "police_contact": Kind("police", 0.10, 0.9, lag=10),
    "housing_arrears": Kind("housing", 0.12, 0.8, lag=14, size=3.0, household=True),  # value: weeks of rent owed
    "ae_attendance": Kind("health", 0.20, 0.6, lag=7),
    "early_help": Kind("council", 0.06, 0.9, lag=5),
}
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
    traits: float = 0.0  # 1: deprivation (0.06 a fifth) and disability (0.3) add to need
    flags: float = 0.0  # need added by each of four conditions that a household has or has not
    hazard: float = 0.0  # log hazard ratio for one more unit of need
    frailty: float = 0.0  # standard deviation of the unseen part of the log hazard
    by_age: bool = False
    facts: float = 1.0  # multiplies the loads of all facts
    score_noise: float = 1.0  # standard deviation of a review's error, on the scale of need

    @property
    def news(self) -> float:
        """Standard deviation of what each quarter adds, so that the moving part keeps its spread."""
        return self.moving * float(np.sqrt(1 - PHI**2))


SIGNALS = {
    "many": Signal(
        ward=0.25, household=0.6, own=0.3, moving=0.7, traits=1.0, hazard=1.5, frailty=0.3, by_age=True, score_noise=2.5
    ),
    # Need shows in the review score alone, without error, and does not change: nothing can beat sorting by it.
    "one_column": Signal(household=0.6, own=0.7, hazard=1.1, facts=0.0, score_noise=0.0),
    # Four yes-or-no conditions of equal weight, each plainly recorded: counting them is all there is to know.
    "tally": Signal(flags=0.7, hazard=1.1, facts=0.0, score_noise=5.0),
    "place": Signal(ward=0.9, hazard=1.1),
    "none": Signal(ward=0.3, household=0.5, own=0.3, moving=0.7, traits=1.0),
}


@dataclass(frozen=True)
class Knobs:
    """What can be set about a county. Shares lie between 0 and 1.

    Parameters
    ----------
    people : number of children in the tables; a little over half of them are here and under 18 on any one day
    signal : one of `SIGNALS`
    base_rate : share of children for whom a case starts in half a year, were none open
    under_recorded : ethnic group -> share of its facts that no agency wrote down (outcomes and reviews are kept)
    outcome_recorded : ethnic group -> share of its outcomes that were written down; 1 where not named
    unlinked : share of children whose records could not be matched, at each of the police, housing and health
    moved : share of families that move away in half a year, at need 0
    unseen : share of children without a review in half a year, at need 0
    by_need : how both grow with need: log hazard ratio, log odds ratio for one more unit of need
    drift : change of the log hazard in a year
    drift_from : the day from which it changes; from the first unless given
    leak : adds the kind ``plan_meeting``: written after a start, under a date six months before it
    break_on : from the first quarter that begins on or after it, fewer facts are written down (`BREAK_KEEPS`) and
        cases start more readily (`BREAK_HAZARD`)
    """

    people: int = 6000
    seed: int = 1
    signal: str = "many"
    base_rate: float = 0.12
    under_recorded: Mapping[str, float] = field(default_factory=dict)
    outcome_recorded: Mapping[str, float] = field(default_factory=dict)
    unlinked: float = 0.0
    moved: float = 0.02
    unseen: float = 0.15
    by_need: float = 0.4
    drift: float = 0.0
    drift_from: dt.date = START
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
            inside = 0 < share < 1 if name in ("base_rate", "unseen") else 0 <= share <= 1
            if not inside:
                raise UsageError(f"make_county: {name} is a share between 0 and 1, got {share}")

    def rng(self, part: str) -> np.random.Generator:
        """A stream of its own for each part, so that one knob never moves what another part draws."""
        return np.random.default_rng([self.seed, *part.encode()])

    @property
    def after_break(self) -> np.ndarray:
        """Boolean, one for each quarter."""
        return np.array([self.break_on is not None and day >= self.break_on for day in QUARTER_STARTS])
