"""Worlds in which it is known who is treated worse, and what the audit says of them, many samples over.

Everybody has the outcome or not; the log odds are normal in either case (an AUC of 0.75), so that the risks are right.
The highest risks of each date are on the list. Harm is then done to one group: some of those with the outcome are taken
off the list, or others put on it, or the group's risks are made wrong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from riskmodels.assessment.audit import FAIL, PASS, audit_predictions
from riskmodels.assessment.audit.contrasts import Comparison, measure
from riskmodels.assessment.audit.counting.counts import Replicates
from riskmodels.assessment.audit.counting.people import presence_of_rows
from riskmodels.assessment.audit.forecasting.expected_groups import ExpectedCohort, ExpectedGroup, Repeats
from riskmodels.assessment.audit.forecasting.forecast import Forecast, at_capacity, forecast
from riskmodels.assessment.audit.policy import Policy, load_policy
from riskmodels.assessment.audit.verdicts import QUESTIONS, verdict_of
from riskmodels.assessment.intervals import Floats
from riskmodels.assessment.logistic import expit
from riskmodels.study import PROTECTED_BY_LAW
from tests.simulations.coverage import within_chance
from tests.simulations.worlds import stream, top_of_each

MOST_ALARMS, NEAR, NEAR_AGAIN = 0.05, 0.05, 0.10
AUC, BASE_RATE = 0.75, 0.2
CAPACITY = 0.171  # a recall of 0.40, as in the policy's table
SEPARATION = 0.9539  # sqrt(2) probit(AUC)
KEPT, LASTING = 0.6, 0.7  # who keeps what they had on the first date; correlation of the log odds over dates
EXCUSED = dict.fromkeys(PROTECTED_BY_LAW, "Not in this world.")
Key = tuple[str, str, str]  # attribute, group, metric


@dataclass(frozen=True)
class AuditWorld:
    """``positives``: for each attribute the people of each group that have the outcome, the reference first; people are
    put into the groups of further attributes at random, in the same proportions."""

    words: str
    positives: tuple[tuple[int, ...], ...]
    purpose: str = "assistive"
    dates: int = 1

    @property
    def people(self) -> int:
        return round(sum(self.positives[0]) / BASE_RATE / self.dates)

    def sizes(self, attribute: int) -> np.ndarray:
        """People in each group."""
        shares = np.array(self.positives[attribute]) / sum(self.positives[attribute])
        sizes = np.floor(shares * self.people).astype(int)
        sizes[0] += self.people - sizes.sum()
        return sizes

    def expected(self) -> ExpectedCohort:
        """What somebody who knows the world would expect of it before there is a model."""
        groups = tuple(
            ExpectedGroup(name(attribute), str(group), str(group), int(size) * self.dates, 1.0, BASE_RATE,
                          reference=group == 0)
            for attribute in range(len(self.positives))
            for group, size in enumerate(self.sizes(attribute))
        )  # fmt: skip
        again = KEPT**2 + (1 - KEPT**2) * BASE_RATE
        return ExpectedCohort(groups, BASE_RATE, Repeats(float(self.dates), again))

    def forecast(self) -> Forecast:
        return forecast(self.expected(), CAPACITY, self.purpose, load_policy(), auc=AUC)


def foretold(world: str, metric: str, verdict: str, samples: int) -> Foretold:
    """A forecast for the second group of the first attribute, and what the audit said."""
    key = name(0), "1", metric
    row = next(row for row in WORLDS[world].forecast().rows if (row["attribute"], row["group"], row["metric"]) == key)
    if verdict == PASS:
        return Foretold(
            world, metric, PASS, row["expected"], row["clears"], samples, said(world, None, samples).passed[key]
        )
    found = said(world, Harm(metric, row["ratio"]), samples)
    return Foretold(world, metric, FAIL, row["expected"], row["catches"], samples, found.failed[key])


def name(attribute: int) -> str:
    return f"attribute {attribute}"


UNEVEN = (2000, 600, 300, 150, 60, 20)
WORLDS = {
    "two": AuditWorld("2 groups: 2,000 and 500", ((2000, 500),)),
    "six": AuditWorld("6 uneven groups: 2,000, 600, 300, 150, 60 and 20", (UNEVEN,)),
    "several": AuditWorld(
        "3 attributes, of 6 uneven groups, 2 and 4", (UNEVEN, (1600, 1530), (1500, 900, 500, 230)),
    ),
    "mixed": AuditWorld("6 uneven groups; recall, FPR and FDR judged", (UNEVEN,), "mixed"),
    "dates": AuditWorld("3 uneven groups of people on 3 dates: 2,000, 700 and 300", ((2000, 700, 300),), dates=3),
    "six of 500": AuditWorld("6 groups: 2,000 and five of 500", ((2000, 500, 500, 500, 500, 500),)),
    "six of 600": AuditWorld("6 groups: 2,000 and five of 600", ((2000, 600, 600, 600, 600, 600),)),
    "few": AuditWorld("2 groups: 2,000 and 150", ((2000, 150),)),
    "too few": AuditWorld("2 groups: 2,000 and 60", ((2000, 60),)),
}  # fmt: skip


@dataclass(frozen=True)
class Harm:
    """``metric`` of the second group of the first attribute is ``ratio`` times what it should be."""

    metric: str
    ratio: float


@dataclass(frozen=True)
class Drawn:
    outcome: np.ndarray
    risk: Floats
    selected: np.ndarray
    groups: Mapping[str, np.ndarray]
    clusters: np.ndarray | None


def draw(world: AuditWorld, rng: np.random.Generator, harm: Harm | None = None) -> Drawn:
    people, dates = world.people, world.dates
    person, date = np.tile(np.arange(people), dates), np.repeat(np.arange(dates), people)
    codes = [np.repeat(np.arange(len(sizes)), sizes) for sizes in map(world.sizes, range(len(world.positives)))]
    groups = {
        name(place): (code if place == 0 else rng.permutation(code))[person].astype(str)
        for place, code in enumerate(codes)
    }
    kept = rng.random(people * dates) < KEPT
    event = np.where(kept, rng.random(people)[person], rng.random(people * dates)) < BASE_RATE
    noise = np.sqrt(LASTING) * rng.standard_normal(people)[person]
    noise += np.sqrt(1 - LASTING) * rng.standard_normal(people * dates)
    level = np.log(BASE_RATE / (1 - BASE_RATE)) - SEPARATION**2 / 2
    log_odds = level + SEPARATION * (SEPARATION * event + noise)
    risk, hurt = expit(log_odds), groups[name(0)] == "1"
    selected = top_of_each(date, risk, CAPACITY)
    outcome = event.copy()
    if harm is not None:
        chance = np.where(kept, rng.random(people)[person], rng.random(people * dates))
        _, fpr = at_capacity(AUC, BASE_RATE, CAPACITY)
        if harm.metric == "recall":
            selected &= ~(hurt & event & (chance >= harm.ratio))
        elif harm.metric == "fpr":
            selected |= hurt & ~event & (chance < (harm.ratio - 1) * fpr / (1 - fpr))
        else:
            true = harm.ratio * risk if harm.metric == "oe_ratio" else flatter(log_odds, harm.ratio)
            outcome = np.where(hurt, chance < true, event)
    return Drawn(outcome.astype(int), risk, selected, groups, person if dates > 1 else None)


def flatter(log_odds: Floats, slope: float) -> Floats:
    """True risks of which the log odds have this slope, with as many events as before."""
    shift = 0.0
    for _ in range(8):
        true = expit(shift + slope * log_odds)
        shift += (BASE_RATE - true.mean()) / (true * (1 - true)).mean()
    return expit(shift + slope * log_odds)


# ---------------------------------------------------------------- what the audit says


@dataclass
class Said:
    """Of so many samples of a world: verdicts by comparison, samples with any FAIL of a group treated alike, and those
    in which all intervals of a family held the truth."""

    world: str
    harm: Harm | None
    samples: int
    judged: Counter[Key] = field(default_factory=Counter)
    passed: Counter[Key] = field(default_factory=Counter)
    failed: Counter[Key] = field(default_factory=Counter)
    alarms: int = 0
    held: Counter[str] = field(default_factory=Counter)

    @property
    def holds(self) -> bool:
        """A FAIL as seldom as it must be, or so little oftener that chance brings it once in a thousand times."""
        return within_chance(self.samples - self.alarms, self.samples, 1 - MOST_ALARMS, 1.0)


@dataclass(frozen=True)
class Foretold:
    """The chance of a verdict on the second group that was forecast, and how often it was given."""

    world: str
    metric: str
    verdict: str
    rests_on: float
    chance: float
    samples: int
    count: int

    @property
    def holds(self) -> bool:
        """Within 5 points, or 10 where people come again; of few samples, as chance allows."""
        near = NEAR if WORLDS[self.world].dates == 1 else NEAR_AGAIN
        return within_chance(self.count, self.samples, max(self.chance - near, 0.0), min(self.chance + near, 1.0))


@dataclass(frozen=True)
class Tabled:
    """A row of the policy's table, and what was published."""

    positives: int
    samples: int
    outside: float
    passed: float
    published: tuple[float, float]


@cache
def said(world: str, harm: Harm | None, samples: int, replicates: int = 2000) -> Said:
    """Draw so many samples, and audit each."""
    policy = load_policy().model_copy(update={"replicates": replicates})
    found = Said(world, harm, samples)
    for number in range(samples):
        _add(found, _audit(draw(WORLDS[world], stream(world, str(harm), number), harm), WORLDS[world], policy, number))
    return found


def _audit(drawn: Drawn, world: AuditWorld, policy: Policy, seed: int) -> tuple[dict[str, Any], ...]:
    found = audit_predictions(
        drawn.outcome, drawn.risk, drawn.selected, drawn.groups, purpose=world.purpose, seed=seed,
        clusters=drawn.clusters, policy=policy, excused=EXCUSED,
    )  # fmt: skip
    return found.contrasts


def _add(found: Said, contrasts: tuple[dict[str, Any], ...]) -> None:
    judged = [row for row in contrasts if row["family"] != "exploratory"]
    found.alarms += any(row["verdict"] == FAIL for row in judged)
    for question in QUESTIONS:
        own = [row for row in judged if (row["against"] == "prediction") == (question == "meaning")]
        # Fewer than the floor are given the width of the others; nothing is claimed of them.
        own = [row for row in own if not (row["reason"] or "").startswith("too few")]
        found.held[question] += all(row["low"] <= 1 <= (row["high"] or np.inf) for row in own)
    for row in judged:
        if row["family"] == "primary":
            key = row["attribute"], row["group"], row["metric"]
            found.judged[key] += not (row["reason"] or "").startswith("too few")
            found.passed[key] += row["verdict"] == PASS
            found.failed[key] += row["verdict"] == FAIL


# ---------------------------------------------------------------- the policy's table


def tabled(positives: int, published: tuple[float, float], samples: int, replicates: int = 400) -> Tabled:
    """Of fair groups with so many positives: the share whose plain ratio is outside the band, and that which the
    interval rule would PASS. True recall 0.40, the reference has 2,000 positives; one comparison."""
    policy, rng = load_policy(), stream("policy behaviour", positives)
    sizes, naive, passed = np.array([positives, 2000]), 0, 0
    for _ in range(samples):
        hits = rng.binomial(sizes, 0.4)
        again = rng.binomial(sizes, hits / sizes, (replicates, 2))
        counts, drawn = np.zeros((2, 6), dtype=np.int64), np.zeros((replicates, 2, 6))
        counts[:, 3], counts[:, 2] = hits, sizes - hits
        drawn[:, :, 3], drawn[:, :, 2] = again, sizes - again
        zero = np.zeros((replicates, 2))
        found = Replicates(
            counts=counts, resampled=drawn, everybody=counts.sum(axis=0), resampled_everybody=drawn.sum(axis=1),
            expected=zero[0], resampled_expected=zero, slope_shift=zero, units=int(sizes.sum()),
            presence=presence_of_rows(counts), everybody_present=presence_of_rows(counts).sum(axis=0),
        )  # fmt: skip
        row = measure(Comparison(0, 1, "recall", "primary", "reference"), found, np.ones(2))
        assert None not in (row.centre, row.se, row.ratio, row.gap)
        low, high = np.exp(row.centre - 1.96 * row.se), np.exp(row.centre + 1.96 * row.se)
        naive += not policy.ratio_band[0] <= row.ratio <= policy.ratio_band[1]
        passed += verdict_of(low, high, row.gap, policy.ratio_band, policy.smallest_gap) == PASS
    return Tabled(positives, samples, naive / samples, passed / samples, published)
