"""How an estimate will vary, and with what chance the audit's rule will then PASS or FAIL it.

All on the scale of the audit's intervals: the log of a ratio, slopes on their own.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from riskmodels.assessment.intervals import Floats
from riskmodels.assessment.logistic import expit

POINTS = 64  # of the distribution of each side's count


@dataclass(frozen=True)
class Rule:
    """When a verdict is given: an interval of ``width`` standard errors, wholly inside or outside the ``band``."""

    width: float
    band: tuple[float, float]
    smallest_gap: float


@dataclass(frozen=True)
class Sampling(ABC):
    """``level``: the rate, or the slope, that a ratio of 1 stands for."""

    level: float

    @abstractmethod
    def se(self, ratio: Floats) -> Floats:
        """Standard error of the estimate where the true ratio is this."""

    def on_scale(self, ratio: Floats) -> Floats:
        return np.asarray(np.log(ratio), dtype=np.float64)

    def possible(self, ratio: Floats) -> np.ndarray:
        """Whether there can be such a ratio: no rate is above 1."""
        return np.asarray(ratio * self.level < 1)

    def chances(self, ratio: float, rule: Rule) -> tuple[float, float]:
        """Chance of a PASS and of a FAIL where the true ratio is this, the estimate being normal."""
        from scipy.special import ndtr

        true, limits = np.array([ratio]), np.array(rule.band)
        centre, se = float(self.on_scale(true)[0]), float(self.se(true)[0])
        low, high = (float(limit) for limit in self.on_scale(limits))
        half = rule.width * se
        # The gap that a FAIL needs as well: beyond these ratios.
        least = rule.smallest_gap / self.level
        over = max(high + half, float(self.on_scale(np.array([1 + least]))[0]))
        under = min(low - half, float(self.on_scale(np.array([max(1 - least, 1e-9)]))[0]))
        passes = float(ndtr((high - half - centre) / se) - ndtr((low + half - centre) / se))
        fails = float(ndtr((under - centre) / se) + ndtr((centre - over) / se))
        return max(passes, 0.0), fails

    def smallest(self, ratios: Floats, rule: Rule, power_z: float) -> float | None:
        """The first of the ratios that would be a FAIL with the power of ``power_z``; None if none would."""
        low, high = self.on_scale(np.array(rule.band))
        at = self.on_scale(ratios)
        beyond = np.where(ratios < 1, low - at, at - high)
        enough = (beyond > (rule.width + power_z) * self.se(ratios)) & self.possible(ratios)
        enough &= np.abs(ratios - 1) * self.level > rule.smallest_gap
        return float(ratios[np.argmax(enough)]) if enough.any() else None


@dataclass(frozen=True)
class RateRatio(Sampling):
    """A rate of so many in the group against one of so many others; both are effective numbers, clusters allowed for.

    A count is taken as normal, and the audit's own standard error goes with each (`contrasts.measure`): the larger of
    the one that the counts imply and that of so many ``replicates``, which is larger by 1 / sqrt(4 pi B) on average.
    """

    own: float
    other: float
    replicates: int

    def se(self, ratio: Floats) -> Floats:
        rate = np.clip(ratio * self.level, 1e-9, 1 - 1e-9)
        variance = (1 - rate) / (self.own * rate) + (1 - self.level) / (self.other * self.level)
        return np.asarray(np.sqrt(variance))

    def chances(self, ratio: float, rule: Rule) -> tuple[float, float]:
        rate, variance = _drawn(self.own, ratio * self.level)
        other, other_variance = _drawn(self.other, self.level)
        centre = np.log(rate)[:, None] - np.log(other)
        larger = 1 + 1 / math.sqrt(4 * math.pi * self.replicates)
        half = rule.width * larger * np.sqrt(variance[:, None] + other_variance)
        low, high = centre - half, centre + half
        least, most = (math.log(limit) for limit in rule.band)
        passes = (low >= least) & (high <= most)
        fails = ((high < least) | (low > most)) & (np.abs(rate[:, None] - other) > rule.smallest_gap)
        return float(passes.mean()), float(fails.mean())


def _drawn(n: float, rate: float) -> tuple[Floats, Floats]:
    """(POINTS,) equally likely rates as they will be found, and the variance of the log of each."""
    from scipy.special import ndtri

    normal = ndtri((np.arange(POINTS) + 0.5) / POINTS)
    count = np.clip(n * rate + normal * math.sqrt(n * rate * (1 - rate)), 0, n)
    found = (count + 0.5) / (n + 1)
    return found, (1 - found) / (n * found)


@dataclass(frozen=True)
class ObservedToExpected(Sampling):
    """Observed to ``expected`` events, of a mean risk of ``level``.

    Rows being resampled, the variance of its log is (1 / ratio - s) / expected times the effect of clusters, with s the
    mean risk of those with the outcome: the risk tells a part of what will be observed.
    """

    expected: float
    risk_of_events: float
    effect: float

    def se(self, ratio: Floats) -> Floats:
        unexplained = np.maximum(1 / ratio - self.risk_of_events, 0.05 / ratio)
        return np.asarray(np.sqrt(self.effect * unexplained / self.expected))


@dataclass(frozen=True)
class Slope(Sampling):
    """A calibration slope, from the Fisher information of one row at points ``lp`` of the log odds, and their weights.

    Source: Riley et al. 2021.
    """

    rows: float
    lp: Floats
    weight: Floats

    def on_scale(self, ratio: Floats) -> Floats:
        return ratio

    def possible(self, ratio: Floats) -> np.ndarray:
        return np.ones(ratio.shape, dtype=bool)

    def se(self, ratio: Floats) -> Floats:
        risk = expit(self.lp)
        shift = np.zeros(ratio.size)
        # Where the true slope is not 1, the line is moved so that as many events come about (Newton's method).
        for _ in range(4):
            true = expit(shift[:, None] + ratio[:, None] * self.lp)
            shift += ((risk - true) @ self.weight) / ((true * (1 - true)) @ self.weight)
        true = expit(shift[:, None] + ratio[:, None] * self.lp)
        weight = self.weight * true * (1 - true)
        total, first, second = (np.asarray((weight * self.lp**power).sum(axis=1)) for power in (0, 1, 2))
        return np.asarray(np.sqrt(total / (total * second - first**2) / self.rows))


def reaches(expected: float, of: float, floor: int) -> float:
    """Chance that a binomial count of this mean reaches the floor."""
    spread = math.sqrt(max(expected * (1 - expected / of), 1e-9)) if of > 0 else 1e-5
    return NormalDist().cdf((expected - floor + 0.5) / spread)
