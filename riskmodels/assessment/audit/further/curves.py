"""A rate as a smooth curve of a number such as age: bands show steps where there are none."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist
from typing import Any

import numpy as np

from riskmodels.assessment.audit.coding import Attribute
from riskmodels.assessment.audit.counting.counts import CELLS
from riskmodels.assessment.audit.metrics import PROPORTIONS, too_few
from riskmodels.assessment.audit.policy import Policy
from riskmodels.assessment.intervals import ONE_CLUSTER, Clusters, Floats, Units, cluster_sums, of_rows
from riskmodels.assessment.logistic import expit, linear_predictor
from riskmodels.models.logit import fit_logistic, gram
from riskmodels.models.splines import FEWEST_KNOTS, PLACES, restricted_cubic_basis

Row = dict[str, Any]

METRICS = {"assistive": ("recall",), "punitive": ("recall", "fpr"), "mixed": ("recall", "fpr")}
KNOTS = 4
MOST_LEVELS = 1000
MOST_POINTS = 30
NEAR = 0.05  # of the spread between the 1st and 99th percentile, to either side
NO_FIT = "the curve has no finite fit: too few events, or too few different values"
ALL_ALIKE = "no curve: the list treats everybody alike here"


def curve_rows(
    attributes: Sequence[Attribute],
    cells: np.ndarray,
    clusters: np.ndarray | None,
    purpose: str,
    policy: Policy,
    noun: str,
) -> tuple[Row, ...]:
    """Recall (and, where being listed is unwelcome, the false positive rate) by each number that bands are made of.

    Logistic regression on a restricted cubic spline with four knots, or as many fewer as the numbers carry, among those
    with (without) the outcome; the pointwise interval is symmetric on the logit scale and uses cluster sums where
    clusters repeat. Points lie on round numbers, and only where at least ``policy.floors.ratio`` people are near; of
    rows that belong together, each cluster counts once. Source: Harrell 2015.

    Parameters
    ----------
    cells : (n,) from `riskmodels.assessment.audit.counting.counts.cells_of`

    Returns
    -------
    rows {attribute, metric, points, reason}; points {at, value, low, high, n, hits}: n rows near, and how many of
    them count as a hit, which is the owner's alone
    """
    rows: list[Row] = []
    units = None if clusters is None else Clusters(clusters, int(clusters.max(initial=0)) + 1)
    for attribute in attributes:
        if attribute.numbers is None:
            continue
        for metric in METRICS[purpose]:
            rate = PROPORTIONS[metric]
            is_hit, is_base = np.zeros(CELLS, dtype=bool), np.zeros(CELLS, dtype=bool)
            is_hit[list(rate.top)], is_base[list(rate.bottom)] = True, True
            base = np.flatnonzero(is_base[cells] & ~np.isnan(attribute.numbers))
            row: Row = {"attribute": attribute.name, "metric": metric, "points": [], "reason": None}
            together = of_rows(units, base)
            # One cluster alone is another reason, which the curve gives.
            people = base.size if together is None or together.count < 2 else together.count
            if people < policy.floors.ratio:
                rows.append(row | {"reason": too_few(policy.floors.ratio, rate.of, noun)})
                continue
            points = _curve(attribute.numbers[base], is_hit[cells[base]], together, policy, noun)
            rows.append(row | ({"reason": points} if isinstance(points, str) else {"points": points}))
    return tuple(rows)


def _curve(x: Floats, hit: np.ndarray, units: Units, policy: Policy, noun: str) -> list[Row] | str:
    """The points of one curve, or why there are none."""
    hits = hit.astype(np.float64)
    if hits.min() == hits.max():
        return ALL_ALIKE
    if units is not None and units.count < 2:
        return ONE_CLUSTER
    level_of, levels, sizes = _levels(x)
    tops: Floats = np.bincount(level_of, weights=hits, minlength=levels.size).astype(np.float64)
    low, high = (_quantile(levels, sizes, share) for share in (0.01, 0.99))
    step = _round_step((high - low) / MOST_POINTS)
    grid = _near(levels, sizes, tops, low, high, step)
    people = [point["n"] for point in grid] if units is None else _people_near(grid, level_of, levels.size, units)
    grid = [point for point, near in zip(grid, people, strict=True) if near >= policy.floors.ratio]
    if not grid:
        return f"no curve: nowhere are there {policy.floors.ratio} {noun} near each other"
    for count in range(KNOTS, FEWEST_KNOTS - 2, -1):
        knots = np.unique([_quantile(levels, sizes, share) for share in PLACES.get(count, ())])
        if knots.size < len(PLACES.get(count, ())):
            continue
        design = _design(levels, knots, low, high)
        beta, _, reached = fit_logistic(design, tops, sizes)
        if reached:
            break
    else:
        return NO_FIT
    fitted = expit(linear_predictor(design, beta))
    covariance = np.linalg.inv(gram(design, design * (sizes * fitted * (1 - fitted))[:, None]))
    z = NormalDist().inv_cdf((1 + policy.level) / 2)
    if units is not None:
        from scipy.special import stdtrit

        left = hits - fitted[level_of]
        sums = np.column_stack([cluster_sums(column[level_of] * left, units) for column in design.T])
        covariance = covariance @ gram(sums, sums) @ covariance * (units.count / (units.count - 1))
        z = float(stdtrit(units.count - 1, (1 + policy.level) / 2))
    where = _design(np.array([point["at"] for point in grid]), knots, low, high)
    middle = linear_predictor(where, beta)
    half = z * np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", where, covariance, where), 0.0))
    return [
        {"at": point["at"], "value": float(expit(m)), "low": float(expit(m - h)), "high": float(expit(m + h)),
         "n": point["n"], "hits": point["hits"]}
        for point, m, h in zip(grid, middle, half, strict=True)
    ]  # fmt: skip


def _levels(x: Floats) -> tuple[np.ndarray, Floats, Floats]:
    """Numbers gathered into at most a thousand levels of equal width, each at its middle.

    Whole numbers over less than a thousand are not changed. Of others, the furthest one in a thousand on either side
    count as the next to them: one that is far off would leave the rest a single level. Returns the level of each row,
    and each level's value and how many rows it has.
    """
    low, spread = float(x.min()), float(np.ptp(x))
    whole = spread < MOST_LEVELS and bool((x == np.round(x)).all())
    if not whole:
        low, high = np.quantile(x, (0.001, 0.999)).tolist()
        x, spread = np.clip(x, low, high), high - low
    width = 1.0 if whole else spread / (MOST_LEVELS - 1) or 1.0
    place = np.floor((x - low) / width).astype(np.int64)
    sizes = np.bincount(place)
    occupied = np.flatnonzero(sizes)
    number = np.zeros(sizes.size, dtype=np.int64)
    number[occupied] = np.arange(occupied.size)
    values: Floats = np.asarray(low + occupied * width + (0.0 if whole else width / 2), dtype=np.float64)
    return number[place], values, sizes[occupied].astype(np.float64)


def _quantile(levels: Floats, sizes: Floats, share: float) -> float:
    return float(levels[np.searchsorted(np.cumsum(sizes), share * sizes.sum())])


def _round_step(width: float) -> float:
    """The smallest of 1, 2 or 5 times a power of ten that is not below the width."""
    unit = 10.0 ** np.floor(np.log10(max(width, 1e-9)))
    return float(next(unit * times for times in (1, 2, 5, 10) if unit * times >= width * (1 - 1e-9)))


def _near(levels: Floats, sizes: Floats, tops: Floats, low: float, high: float, step: float) -> list[Row]:
    """Round numbers, and who is near them: {at, n, hits}, and the levels from ``first`` to below ``last``."""
    reach = max(NEAR * (high - low), step)
    at = np.arange(np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9) + 1) * step
    rows, hits = (np.concatenate([[0.0], np.cumsum(part)]) for part in (sizes, tops))
    first, last = np.searchsorted(levels, at - reach, "left"), np.searchsorted(levels, at + reach, "right")
    n, top = rows[last] - rows[first], hits[last] - hits[first]
    return [
        {"at": float(f"{point:.10g}"), "n": int(count), "hits": int(hit), "first": start, "last": end}
        for point, count, hit, start, end in zip(
            at.tolist(), n.tolist(), top.tolist(), first.tolist(), last.tolist(), strict=True
        )
    ]


def _people_near(grid: Sequence[Row], level_of: np.ndarray, levels: int, units: Clusters) -> list[int]:
    """How many clusters have a row near each point."""
    both = np.unique(level_of * units.count + units.of_row)
    starts = np.searchsorted(both, np.arange(levels + 1) * units.count)
    of_cluster = both % units.count
    return [np.unique(of_cluster[starts[point["first"]] : starts[point["last"]]]).size for point in grid]


def _design(x: Floats, knots: Floats, low: float, high: float) -> Floats:
    """The spline's columns on the scale where ``low`` is 0 and ``high`` is 1, so that large numbers cost no digits."""
    spread = (high - low) or 1.0
    return np.column_stack([np.ones(x.size), restricted_cubic_basis((x - low) / spread, (knots - low) / spread)])
