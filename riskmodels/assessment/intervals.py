"""The ground every statistic stands on: checked arrays, clusters, and 95% intervals.

Rows that share a cluster (the same person on several dates, a household, a class) are not independent. One rule holds
throughout: every interval is the textbook one with its variance replaced by the variance of *cluster sums*. Where each
cluster has a single row that is the textbook interval again, to the last digit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from riskmodels.assessment.estimate import Estimate, not_computed
from riskmodels.errors import DataError

Floats = npt.NDArray[np.float64]

Z = 1.959963984540054  # 97.5% point of the standard normal distribution

NO_ROWS = "no row has a known outcome"
ONE_CLUSTER = "no interval: all rows belong to one cluster"
NO_SPREAD = "no interval: every row contributes the same, so the sample shows no spread"


# ---------------------------------------------------------------- arrays


def checked_outcome(outcome: Any) -> Floats:
    """Outcomes as 0.0 and 1.0, from booleans, integers or floats. Raises DataError for anything else."""
    try:
        values = np.asarray(outcome, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError("outcome: holds something other than 0 and 1; leave out the rows that are not known") from None
    wrong = int(np.count_nonzero((values != 0) & (values != 1)))
    if values.ndim != 1 or wrong:
        raise DataError(
            f"outcome: {wrong} rows hold something other than 0 and 1; leave out the rows that are not known"
        )
    return values


def checked_risk(risk: Any, rows: int, *, probability: bool = True) -> Floats:
    """Risks as floats, one for each outcome. Raises DataError for gaps, other lengths, or values outside [0, 1]."""
    try:
        values = np.asarray(risk, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError("risk: holds something that is not a number; a risk is needed for every row") from None
    if values.shape != (rows,):
        raise DataError(f"risk: {values.size} values for {rows} outcomes; there must be one for each")
    wrong = int(np.count_nonzero(~np.isfinite(values)))
    if probability:
        wrong = int(np.count_nonzero(~((values >= 0) & (values <= 1))))
    if wrong:
        raise DataError(f"risk: {wrong} rows hold no {'probability' if probability else 'number'}; score every row")
    return values


@dataclass(frozen=True)
class Clusters:
    """Which rows belong together: ``of_row`` of shape (n,) counts clusters from 0, and there are ``count`` of them."""

    of_row: npt.NDArray[np.int64]
    count: int


Units = Clusters | None  # None: every row is a cluster of its own


def clusters_of(ids: Any, rows: int) -> Units:
    """Number the clusters; None where every row is its own.

    Parameters
    ----------
    ids : shape (rows,), or None, or the answer of an earlier call

    Raises
    ------
    DataError
        if a row has no cluster, or there are fewer or more than ``rows``.
    """
    if ids is None or isinstance(ids, Clusters):
        if ids is not None and ids.of_row.size != rows:
            raise DataError(f"cluster_id: {ids.of_row.size} values for {rows} outcomes; there must be one for each")
        return ids
    series = ids if isinstance(ids, pl.Series) else pl.Series(np.asarray(ids))
    if series.len() != rows:
        raise DataError(f"cluster_id: {series.len()} values for {rows} outcomes; there must be one for each")
    if series.null_count():
        raise DataError(f"cluster_id: {series.null_count()} rows have none; use the entity_id where there is none")
    numbered = pl.DataFrame({"id": series, "row": np.arange(rows, dtype=np.int64)})
    first = numbered.select(pl.col("row").min().over("id")).to_series().to_numpy()
    return _numbered(first, rows)


def of_rows(units: Units, rows: npt.NDArray[Any]) -> Units:
    """The clusters of some rows (a mask or positions); None where no cluster repeats among them."""
    if units is None:
        return None
    return _numbered(units.of_row[rows], units.count)


def _numbered(labels: npt.NDArray[np.int64], limit: int) -> Units:
    """Clusters from whole-number labels below ``limit``, renumbered without gaps."""
    sizes = np.bincount(labels, minlength=limit)
    if sizes.size == 0 or sizes.max() <= 1:
        return None
    number = np.cumsum(sizes > 0) - 1
    return Clusters(number[labels], int(number[-1]) + 1)


# ---------------------------------------------------------------- variance over clusters


def cluster_sums(values: Floats, units: Units) -> Floats:
    """The values summed within each cluster."""
    if units is None:
        return values
    return np.asarray(np.bincount(units.of_row, weights=values, minlength=units.count), dtype=np.float64)


def variance_of_sum(residuals: Floats, units: Units) -> float | None:
    """Variance of a sum of residuals that add to zero: G / (G - 1) * sum over clusters of (their sum)^2.

    None for fewer than two clusters. Source: Liang & Zeger 1986; with single-row clusters it is n times the sample
    variance.
    """
    sums = cluster_sums(residuals, units)
    if sums.size < 2:
        return None
    # Not a dot product: that one adds in an order that depends on the number of threads.
    return float(sums.size / (sums.size - 1) * np.square(sums).sum())


def design_effect(residuals: Floats, units: Units) -> float | None:
    """How many times larger clusters make a variance: 1 where no cluster repeats. Source: Kish 1965.

    None if it cannot be told: one cluster, or residuals (or their sums) that are all zero.
    """
    if units is None:
        return 1.0
    clustered, plain = variance_of_sum(residuals, units), variance_of_sum(residuals, None)
    return clustered / plain if clustered and plain else None


def no_effect(units: Units) -> str:
    """Why `design_effect` could not be told."""
    return ONE_CLUSTER if units is not None and units.count < 2 else NO_SPREAD


def critical_value(units: Units) -> float:
    """Half-width of a 95% interval in standard errors: 1.96, or Student's t on G - 1 where clusters repeat.

    Few clusters (eight schools) make the sandwich too narrow; t mends the most of it. Source: Cameron & Miller 2015.
    """
    if units is None:
        return Z
    from scipy.special import stdtrit

    return float(stdtrit(max(units.count - 1, 1), 0.975))


# ---------------------------------------------------------------- intervals


def wald(
    value: float, variance: float | None, n: int, units: Units, within: tuple[float, float] = (-math.inf, math.inf)
) -> Estimate:
    """value -+ 1.96 standard errors, cut at the limits of what the quantity can be.

    A variance of None (one cluster) or 0 (no spread) gives no interval, with the reason: the sample then says nothing
    about its own uncertainty, and [value, value] would claim certainty.
    """
    if variance is None:
        return Estimate(float(value), n=n, reason=ONE_CLUSTER)
    if variance <= 1e-24 * max(1.0, value * value):
        return Estimate(float(value), n=n, reason=NO_SPREAD)
    half = critical_value(units) * math.sqrt(variance)
    return Estimate(float(value), float(max(value - half, within[0])), float(min(value + half, within[1])), n)


def mean(values: Floats, units: Units) -> Estimate:
    """The mean with its interval; its variance is that of cluster sums over n^2."""
    n = values.size
    if n == 0:
        return not_computed(NO_ROWS, 0)
    value = float(values.mean())
    variance = variance_of_sum(values - value, units)
    return wald(value, None if variance is None else variance / n**2, n, units)


def wilson(share: float, n: float, z: float = Z) -> tuple[float, float]:
    """Score interval of a proportion. Source: Wilson 1927.

    (p + z^2/2n -+ z sqrt(p(1 - p)/n + z^2/4n^2)) / (1 + z^2/n)
    """
    centre = share + z * z / (2 * n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    low, high = (centre - half) / (1 + z * z / n), (centre + half) / (1 + z * z / n)
    return (0.0 if share == 0 else max(low, 0.0), 1.0 if share == 1 else min(high, 1.0))


def proportion(hits: Floats, units: Units, none: str = NO_ROWS) -> Estimate:
    """A share of ones with Wilson's interval on the effective number of rows.

    The effective number is n / design effect, never above n (Korn & Graubard 1998). Where all rows agree the design
    effect cannot be told and the number of clusters is used: as if all rows of a cluster were one.
    """
    n = hits.size
    if n == 0:
        return not_computed(none, 0)
    share = float(hits.mean())
    if units is None:
        low, high = wilson(share, n)
        return Estimate(share, low, high, n)
    if units.count < 2:
        return Estimate(share, n=n, reason=ONE_CLUSTER)
    effect = design_effect(hits - share, units)
    effective = float(units.count) if effect is None else n / max(effect, 1.0)
    low, high = wilson(share, effective, critical_value(units))
    return Estimate(share, low, high, n)


def difference_of_independent(
    first: tuple[float, float, float], second: tuple[float, float, float]
) -> tuple[float, float]:
    """The interval of second - first, from (value, low, high) of two estimates of different people.

    With v1 (l1, u1) and v2 (l2, u2), and d = v2 - v1, it reaches from d - sqrt((v2 - l2)^2 + (u1 - v1)^2) to
    d + sqrt((u2 - v2)^2 + (v1 - l1)^2). Source: Newcombe 1998, method 10; Zou & Donner 2008 for estimates in general.
    """
    (v1, l1, u1), (v2, l2, u2) = first, second
    gap = v2 - v1
    return gap - math.hypot(v2 - l2, u1 - v1), gap + math.hypot(u2 - v2, v1 - l1)
