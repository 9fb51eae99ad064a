"""How often the 95% intervals hold the truth: each statistic in each world, many samples over.

The truth is what the statistic is in the whole population (`worlds.population`). Two are about *this list* instead, as
is what a service acts on: the mean true risk of those selected (precision), and their share of all true risk (recall).
The same intervals are shown against the precision and recall of the *rule* "the top 15%" as well, which lists of other
people would have; nothing is claimed there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from riskmodels.assessment.calibration_statistics import loss_difference
from riskmodels.assessment.decisions import at_capacity, net_benefit
from riskmodels.assessment.discrimination import auc_difference
from riskmodels.assessment.estimate import Estimate
from riskmodels.assessment.intervals import proportion
from riskmodels.assessment.performance import METRICS
from tests.simulations.worlds import ROWS_OF_POPULATION, WORLDS, Sample, World, population, stream

LEAST, MOST = 0.93, 0.97
LEAST_AT_THE_LIMIT = 0.90
MANY = 1000  # samples; the Monte-Carlo error of a share is then 0.7% or less
BY_CHANCE = 0.001


@dataclass(frozen=True)
class Statistic:
    """``estimate`` of a sample. ``of_list``: its truth, where that is a sample's own; else that of the population.

    ``claimed``: whether the interval is meant to cover it.
    """

    words: str
    estimate: Callable[[Sample, World], Estimate]
    of_list: Callable[[Sample], float] | None = None
    claimed: bool = True


def _metric(name: str) -> Callable[[Sample, World], Estimate]:
    return lambda sample, world: METRICS[name](sample.outcome, sample.risk, sample.units)


def _at_capacity(name: str) -> Callable[[Sample, World], Estimate]:
    def estimate(sample: Sample, world: World) -> Estimate:
        everybody = np.ones(sample.outcome.size, dtype=bool)
        found: Estimate = at_capacity(sample.outcome, everybody, sample.selected, sample.units)[name]
        return found

    return estimate


def _precision_of_list(sample: Sample) -> float:
    return float(sample.expected[sample.selected].mean())


def _recall_of_list(sample: Sample) -> float:
    return float(sample.expected[sample.selected].sum() / sample.expected.sum())


STATISTICS = {
    **{name: Statistic(name.replace("_", " "), _metric(name)) for name in METRICS},
    "auc": Statistic("AUC", _metric("auc")),
    "brier_score": Statistic("Brier score", _metric("brier_score")),
    "scaled_brier": Statistic("scaled Brier score", _metric("scaled_brier")),
    "oe_ratio": Statistic("O/E", _metric("oe_ratio")),
    "base_rate": Statistic("base rate", lambda sample, world: proportion(sample.outcome, sample.units)),
    "auc_difference": Statistic(
        "AUC, paired difference",
        lambda sample, world: auc_difference(sample.outcome, sample.risk, sample.other, sample.units),
    ),
    "loss_difference": Statistic(
        "Brier score, paired difference",
        lambda sample, world: loss_difference(sample.outcome, sample.risk, sample.other, "brier_score", sample.units),
    ),
    "net_benefit": Statistic(
        "net benefit", lambda sample, world: net_benefit(sample.outcome, sample.risk, world.threshold, sample.units)
    ),
    "precision": Statistic("precision at k, this list", _at_capacity("precision"), _precision_of_list),
    "recall": Statistic("recall at k, this list", _at_capacity("recall"), _recall_of_list),
    "precision_of_rule": Statistic("precision at k, the rule", _at_capacity("precision"), claimed=False),
    "recall_of_rule": Statistic("recall at k, the rule", _at_capacity("recall"), claimed=False),
}


@dataclass(frozen=True)
class Coverage:
    """How many of so many intervals held the truth. Where there was no interval, it did not."""

    statistic: str
    world: str
    rows: float
    clusters: float
    replicates: int
    covered: int

    @property
    def share(self) -> float:
        return self.covered / self.replicates

    @property
    def error(self) -> float:
        """Monte-Carlo standard error of the share."""
        return float(np.sqrt(self.share * (1 - self.share) / self.replicates))

    @property
    def promised(self) -> bool:
        """Whether 93-97% is claimed of this interval in this world."""
        return STATISTICS[self.statistic].claimed and not WORLDS[self.world].at_the_limit

    @property
    def holds(self) -> bool:
        """Between 93% and 97%; of fewer than 1,000 samples: near enough for chance alone to have moved it out."""
        if self.replicates >= MANY:
            return LEAST <= self.share <= MOST
        return within_chance(self.covered, self.replicates, LEAST, MOST)


def within_chance(covered: int, replicates: int, least: float, most: float) -> bool:
    """Whether so many, or fewer (more), come once in a thousand times or oftener from a coverage in [least, most]."""
    from scipy.stats import binom

    too_few = binom.cdf(covered, replicates, least) < BY_CHANCE
    too_many = binom.sf(covered - 1, replicates, most) < BY_CHANCE
    return bool(not too_few and not too_many)


@cache
def truth(statistic: str, world: str, rows: int = ROWS_OF_POPULATION) -> float:
    """The statistic of the whole population."""
    value = STATISTICS[statistic].estimate(population(world, rows), WORLDS[world]).value
    assert value is not None
    return value


def simulate(
    world: str,
    replicates: int,
    statistics: tuple[str, ...] = tuple(STATISTICS),
    rows: int = ROWS_OF_POPULATION,
    *,
    told_of_clusters: bool = True,
) -> list[Coverage]:
    """Draw so many samples of a world, and count how often each interval holds the truth."""
    of_all = {name: truth(name, world, rows) for name in statistics if STATISTICS[name].of_list is None}
    covered = dict.fromkeys(statistics, 0)
    sizes = []
    for number in range(replicates):
        sample = WORLDS[world].draw(stream(world, "sample", number))
        sizes.append((sample.outcome.size, sample.clusters))
        sample = sample if told_of_clusters else replace(sample, units=None)
        for name in statistics:
            of_list = STATISTICS[name].of_list
            right = of_all[name] if of_list is None else of_list(sample)
            found = STATISTICS[name].estimate(sample, WORLDS[world])
            covered[name] += found.low is not None and found.high is not None and found.low <= right <= found.high
    n, clusters = np.mean(sizes, axis=0)
    return [Coverage(name, world, n, clusters, replicates, count) for name, count in covered.items()]
