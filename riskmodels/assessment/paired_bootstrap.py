"""The paired cluster bootstrap: two lists judged again and again on the same people, drawn with replacement.

Whole clusters are drawn, so that all rows of a person come or stay away together, and both runs are judged on the same
draw. A draw is a weight for each cluster, and every measure here is made of weighted sums, so that a replicate costs a
handful of sums and never a sort.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from riskmodels.assessment.estimate import Estimate
from riskmodels.assessment.intervals import NO_SPREAD, ONE_CLUSTER, Floats, Units

REPLICATES = 2_000
MOST_GROUPS = 4_096
FEWEST_CLUSTERS = 8
UNDEFINED_AT_MOST = 0.05
IN_A_BLOCK = 250

TOO_FEW_CLUSTERS = f"no interval: fewer than {FEWEST_CLUSTERS} clusters, too few to draw from"
OFTEN_UNDEFINED = "no interval: in many of the resamples it cannot be computed"


@dataclass(frozen=True)
class Groups:
    """What is drawn: the clusters, or random groups of whole clusters where there are very many of them.

    ``of_row`` of shape (n,) counts groups from 0. ``limit``: why no interval can be made of so few, or None.
    """

    of_row: npt.NDArray[np.int64]
    count: int

    @property
    def limit(self) -> str | None:
        if self.count < 2:
            return ONE_CLUSTER
        return TOO_FEW_CLUSTERS if self.count < FEWEST_CLUSTERS else None

    def sums(self, values: Floats) -> Floats:
        """The values summed within each group, shape (count,)."""
        return np.asarray(np.bincount(self.of_row, weights=values, minlength=self.count), dtype=np.float64)


def groups_of(units: Units, rows: int, rng: np.random.Generator, most: int = MOST_GROUPS) -> Groups:
    """Each cluster by itself, or, above ``most`` clusters, that many random groups of equally many clusters.

    Clusters are exchangeable, so the sums of random groups of them are as good a sample as the clusters' own: their
    variance is right on average, and known to sqrt(2/groups): 2% with 4,096. Source: Wolter 2007, chapter 2 (the
    method of random groups).
    """
    count = rows if units is None else units.count
    label = np.arange(count) if count <= most else rng.permutation(count) % most
    return Groups(label if units is None else label[units.of_row], min(count, most))


def resample(sums: Mapping[str, Floats], rng: np.random.Generator, replicates: int = REPLICATES) -> dict[str, Floats]:
    """Each sum in each replicate: groups are drawn with replacement, as many as there are, and their sums added.

    The weights of a replicate are multinomial. Sums are taken without BLAS, whose last bit depends on the threads.

    Parameters
    ----------
    sums : name -> sums per group, all of shape (groups,)

    Returns
    -------
    name -> shape (replicates,). Source: Efron 1979; of whole clusters, Field & Welsh 2007.
    """
    names = list(sums)
    table = np.stack([sums[name] for name in names])
    groups = table.shape[1]
    drawn = np.empty((len(names), replicates))
    for start in range(0, replicates, IN_A_BLOCK):
        block = min(IN_A_BLOCK, replicates - start)
        picks = rng.integers(0, groups, size=(block, groups)) + groups * np.arange(block)[:, None]
        weights = np.bincount(picks.ravel(), minlength=block * groups).reshape(block, groups).astype(np.float64)
        drawn[:, start : start + block] = np.einsum("sg,bg->sb", table, weights)
    return dict(zip(names, drawn, strict=True))


def percentile_interval(value: float, replicates: Floats, groups: Groups, n: int) -> Estimate:
    """A value with its 95% percentile interval, widened for few clusters.

    The ends are the replicates' quantiles at a and 1 - a with a = Phi(-t sqrt(G/(G - 1))), where t is the 97.5% point
    of Student's distribution on G - 1: 2.5% for many clusters, less for few. Source: Hesterberg 2015 (the expanded
    percentile interval). Replicates in which the measure is undefined are left out, and there is no interval where
    they are more than 5%.
    """
    if groups.limit:
        return Estimate(value, n=n, reason=groups.limit)
    defined = replicates[np.isfinite(replicates)]
    if defined.size < (1 - UNDEFINED_AT_MOST) * replicates.size:
        return Estimate(value, n=n, reason=OFTEN_UNDEFINED)
    if np.ptp(defined) <= 1e-12 * max(1.0, abs(value)):
        return Estimate(value, n=n, reason=NO_SPREAD)
    low, high = np.quantile(defined, [tail := tail_of(groups.count), 1 - tail])
    return Estimate(value, float(low), float(high), n)


def tail_of(groups: int) -> float:
    """The share of replicates below a 95% interval: see `percentile_interval`."""
    from scipy.special import ndtr, stdtrit

    return float(ndtr(-stdtrit(groups - 1, 0.975) * np.sqrt(groups / (groups - 1))))
