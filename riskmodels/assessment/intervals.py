"""The ground every statistic stands on: checked arrays, clusters, and 95% intervals.

Rows that share a cluster (the same person on several dates, a household, a class) are not independent. One rule holds
throughout: every interval is the textbook one with its variance replaced by the variance of *cluster sums*. Where each
cluster has a single row that is the textbook interval again, to the last digit.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from riskmodels.assessment.estimate import Estimate, not_computed
from riskmodels.errors import DataError

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64] | None

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


def cluster_codes(clusters: Any, rows: int) -> Codes:
    """One whole number per row, equal where the cluster is; None where every row is its own cluster.

    Parameters
    ----------
    clusters : ids of shape (rows,), or None

    Raises
    ------
    DataError
        if a row has no cluster, or there are fewer or more than ``rows``.
    """
    if clusters is None:
        return None
    ids = clusters if isinstance(clusters, pl.Series) else pl.Series(np.asarray(clusters))
    if ids.len() != rows:
        raise DataError(f"cluster_id: {ids.len()} values for {rows} outcomes; there must be one for each")
    if ids.null_count():
        raise DataError(f"cluster_id: {ids.null_count()} rows have none; use the entity_id where there is no cluster")
    first = pl.int_range(pl.len(), dtype=pl.Int64).first().over("id")
    codes = pl.DataFrame({"id": ids}).select(first).to_series().to_numpy()
    return None if np.array_equal(codes, np.arange(rows)) else codes


def of_rows(codes: Codes, rows: npt.NDArray[Any]) -> Codes:
    """The codes of some rows; None where no cluster repeats among them."""
    if codes is None:
        return None
    kept = codes[rows]
    return kept if kept.size and np.bincount(kept).max() > 1 else None


# ---------------------------------------------------------------- variance over clusters


def cluster_sums(values: Floats, codes: Codes) -> Floats:
    """The values summed within each cluster that has rows."""
    if codes is None:
        return values
    sums = np.bincount(codes, weights=values)
    return np.asarray(sums[np.bincount(codes) > 0], dtype=np.float64)


def variance_of_sum(residuals: Floats, codes: Codes) -> float | None:
    """Variance of a sum of residuals that add to zero: G / (G - 1) * sum over clusters of (their sum)^2.

    None for fewer than two clusters. Source: Liang & Zeger 1986; with single-row clusters it is n times the sample
    variance.
    """
    sums = cluster_sums(residuals, codes)
    if sums.size < 2:
        return None
    return float(sums.size / (sums.size - 1) * np.dot(sums, sums))


def design_effect(residuals: Floats, codes: Codes) -> float | None:
    """How many times larger clusters make a variance: 1 where no cluster repeats. Source: Kish 1965.

    None if it cannot be told: one cluster, or residuals that are all zero.
    """
    if codes is None:
        return 1.0
    clustered, plain = variance_of_sum(residuals, codes), variance_of_sum(residuals, None)
    return clustered / plain if clustered is not None and plain else None


def critical_value(codes: Codes) -> float:
    """Half-width of a 95% interval in standard errors: 1.96, or Student's t on G - 1 where clusters repeat.

    Few clusters (eight schools) make the sandwich too narrow; t mends the most of it. Source: Cameron & Miller 2015.
    """
    if codes is None:
        return Z
    from scipy.special import stdtrit

    return float(stdtrit(max(np.unique(codes).size - 1, 1), 0.975))


# ---------------------------------------------------------------- intervals


def wald(
    value: float, variance: float | None, n: int, codes: Codes, within: tuple[float, float] = (-math.inf, math.inf)
) -> Estimate:
    """value -+ 1.96 standard errors, cut at the limits of what the quantity can be.

    A variance of None (one cluster) or 0 (no spread) gives no interval, with the reason: the sample then says nothing
    about its own uncertainty, and [value, value] would claim certainty.
    """
    if variance is None:
        return Estimate(float(value), n=n, reason=ONE_CLUSTER)
    if variance <= 1e-24 * max(1.0, value * value):
        return Estimate(float(value), n=n, reason=NO_SPREAD)
    half = critical_value(codes) * math.sqrt(variance)
    return Estimate(float(value), float(max(value - half, within[0])), float(min(value + half, within[1])), n)


def mean(values: Floats, codes: Codes) -> Estimate:
    """The mean with its interval; its variance is that of cluster sums over n^2."""
    n = values.size
    if n == 0:
        return not_computed(NO_ROWS, 0)
    value = float(values.mean())
    variance = variance_of_sum(values - value, codes)
    return wald(value, None if variance is None else variance / n**2, n, codes)


def wilson(share: float, n: float, z: float = Z) -> tuple[float, float]:
    """Score interval of a proportion. Source: Wilson 1927.

    (p + z^2/2n -+ z sqrt(p(1 - p)/n + z^2/4n^2)) / (1 + z^2/n)
    """
    centre = share + z * z / (2 * n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    low, high = (centre - half) / (1 + z * z / n), (centre + half) / (1 + z * z / n)
    return (0.0 if share == 0 else max(low, 0.0), 1.0 if share == 1 else min(high, 1.0))


def proportion(hits: Floats, codes: Codes, none: str = NO_ROWS) -> Estimate:
    """A share of ones with Wilson's interval on the effective number of rows.

    The effective number is n / design effect, never above n (Korn & Graubard 1998). Where all rows agree the design
    effect cannot be told and the number of clusters is used: as if all rows of a cluster were one.
    """
    n = hits.size
    if n == 0:
        return not_computed(none, 0)
    share = float(hits.mean())
    if codes is None:
        low, high = wilson(share, n)
        return Estimate(share, low, high, n)
    clusters = int(np.unique(codes).size)
    if clusters < 2:
        return Estimate(share, n=n, reason=ONE_CLUSTER)
    effect = design_effect(hits - share, codes)
    effective = float(clusters) if effect is None else n / max(effect, 1.0)
    low, high = wilson(share, effective, critical_value(codes))
    return Estimate(share, low, high, n)
