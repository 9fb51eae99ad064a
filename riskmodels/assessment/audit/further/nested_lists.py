"""Rates by group on lists that hold one another: counted in one pass, with what clusters do to their variance."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from riskmodels.assessment.intervals import ONE_CLUSTER, wilson


@dataclass(frozen=True)
class Nested:
    """Of each group: n (G,) rows, hits (G, L) on each list, clusters (G,) that its rows belong to, and effect (G, L).

    ``effect`` is how many times larger clusters make the variance of the rate (Kish 1965); nan where it cannot be told:
    one cluster, or all rows alike.
    """

    n: np.ndarray
    hits: np.ndarray
    clusters: np.ndarray
    effect: np.ndarray


def count_nested(codes: np.ndarray, size: int, level: np.ndarray, lists: int, clusters: np.ndarray | None) -> Nested:
    """Count the hits of each group on every list at once.

    With h rows of a cluster on a list, of the m that it has in the group, the clustered variance needs the sums of h^2,
    h m and m^2. The rows are sorted within clusters by ``level``; then a list's sum of h^2 is that of the first odd
    numbers, 1 + 3 + 5 ..., over the rows that it holds. So no list is counted by itself.

    Parameters
    ----------
    codes : (n,) group of each row, below ``size``
    level : (n,) the first list that the row is on; ``lists`` for none. It is on all later ones.
    clusters : (n,) a number from 0 for each row, equal where rows belong together; None where each stands alone
    """
    n = np.bincount(codes, minlength=size)
    hits = _on_lists(codes, level, None, size, lists)
    if clusters is None:
        return Nested(n, hits, n, np.ones(hits.shape))
    bits = lists.bit_length()
    largest = (int(clusters.max(initial=0)) + 1) * size << bits
    key: np.ndarray = clusters.astype(np.int32 if largest < 2**31 else np.int64) * size
    key += codes
    key <<= bits
    key |= level
    key.sort()
    cell = key >> bits
    starts = np.flatnonzero(np.concatenate(([True], cell[1:] != cell[:-1]))[: len(cell)])  # none of no rows
    members = np.diff(starts, append=len(cell))
    group = cell[starts] % size
    key &= (1 << bits) - 1
    listed = np.flatnonzero(key < lists)
    at = np.repeat(np.arange(len(starts)), members)[listed]
    squares = _on_lists(group[at], key[listed], 2 * (listed - starts[at]) + 1, size, lists)
    products = _on_lists(group[at], key[listed], members[at], size, lists)
    sizes = np.bincount(group, weights=members.astype(np.float64) ** 2, minlength=size)[:, None]
    count = np.bincount(group, minlength=size)
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = hits / n[:, None]
        spread = squares - 2 * rate * products + rate**2 * sizes
        clustered = (count / (count - 1))[:, None] * spread
        plain = (n / (n - 1) * n)[:, None] * rate * (1 - rate)
        told = (clustered > 1e-9 * n[:, None]) & (plain > 0) & np.isfinite(clustered)
        effect = np.where(told, clustered / plain, np.nan)
    return Nested(n, hits, count, effect)


def _on_lists(group: np.ndarray, level: np.ndarray, weights: np.ndarray | None, size: int, lists: int) -> np.ndarray:
    """(G, L) sums over the rows that each list holds."""
    place = group.astype(np.int64) * (lists + 1) + level
    first = np.bincount(place, weights=weights, minlength=size * (lists + 1)).reshape(size, lists + 1)
    return np.cumsum(first, axis=1)[:, :lists]


def nested_estimate(counted: Nested, group: int, place: int, level: float) -> dict[str, Any]:
    """The rate of one group on one list: {value, low, high, n}, or {value, n, reason} where there is no interval.

    Wilson's interval on n / effect rows, never more than n (Korn & Graubard 1998); Student's t where clusters repeat.
    Where all rows agree, each cluster counts as one row. See `riskmodels.assessment.intervals.proportion`.
    """
    n, clusters = int(counted.n[group]), int(counted.clusters[group])
    rate, effect = float(counted.hits[group, place] / n), float(counted.effect[group, place])
    found: dict[str, Any] = {"value": rate, "n": n}
    if clusters == n:
        low, high = wilson(rate, n, NormalDist().inv_cdf((1 + level) / 2))
    elif clusters < 2:
        return found | {"reason": ONE_CLUSTER}
    else:
        from scipy.special import stdtrit

        rows = float(clusters) if np.isnan(effect) else n / max(effect, 1.0)
        low, high = wilson(rate, rows, float(stdtrit(clusters - 1, (1 + level) / 2)))
    return found | {"low": low, "high": high}
