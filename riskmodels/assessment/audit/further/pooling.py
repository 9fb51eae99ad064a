"""Partially pooled rates: what a small group's rate probably is, given its own people and how much groups differ.

Secondary evidence. A group with few people borrows from the others as much as its own evidence is weak; a rate so drawn
towards the mean is closer to the truth on average, and for that very reason carries no verdict.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from riskmodels.assessment.audit.coding import Attribute
from riskmodels.assessment.audit.counting.counts import CELLS
from riskmodels.assessment.audit.further.nested_lists import count_nested
from riskmodels.assessment.audit.metrics import PROPORTIONS, too_few
from riskmodels.assessment.audit.policy import Policy
from riskmodels.assessment.intervals import Floats
from riskmodels.assessment.logistic import expit

Row = dict[str, Any]

FEWEST_GROUPS = 3
TOO_FEW_GROUPS = "not pooled (fewer than three groups cannot tell how much groups differ)"


@dataclass(frozen=True)
class Pooled:
    """On the scale of ``y``: centre, se, weight of the own evidence, each (K,); the mean, and the variance between."""

    centre: Floats
    se: Floats
    weight: Floats
    mean: float
    between: float


def between_variance(y: Floats, v: Floats) -> float:
    """Variance between groups by the method of moments: the t >= 0 with sum (y - mean_t)^2 / (v + t) = K - 1.

    ``mean_t`` is weighted by 1 / (v + t). The sum falls as t grows, so the answer is found by halving. 0 where the
    groups differ no more than chance would make them. Sources: Fay & Herriot 1979; Paule & Mandel 1982.
    """

    def excess(t: float) -> float:
        w = 1 / (v + t)
        return float((w * (y - (w * y).sum() / w.sum()) ** 2).sum() - (y.size - 1))

    if excess(0.0) <= 0:
        return 0.0
    low, high = 0.0, float(np.ptp(y) ** 2)
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if excess(middle) > 0 else (low, middle)
    return (low + high) / 2


def partially_pooled(y: Floats, v: Floats) -> Pooled:
    """Normal estimates with known variances, each drawn towards their common mean.

    centre = w y + (1 - w) mean with w = t / (t + v). Its mean squared error is w v, plus (1 - w)^2 var(mean) for the
    mean, plus 2 v^2 / (v + t)^3 var(t) for the variance between, var(t) = 2 K / (sum 1 / (v + t))^2. So where groups
    seem to be alike the interval still says how little that may mean.
    Sources: Prasad & Rao 1990; Datta, Rao & Smith 2005.

    Parameters
    ----------
    y, v : (K,) estimates and their variances, K at least 2
    """
    between = between_variance(y, v)
    precision = 1 / (v + between)
    mean = float((precision * y).sum() / precision.sum())
    weight = between * precision
    of_mean = (1 - weight) ** 2 / precision.sum()
    of_between = v**2 * precision**3 * 2 * y.size / precision.sum() ** 2
    return Pooled(
        weight * y + (1 - weight) * mean, np.sqrt(weight * v + of_mean + 2 * of_between), weight, mean, between
    )


def pooled_rows(
    attributes: Sequence[Attribute],
    cells: np.ndarray,
    clusters: np.ndarray | None,
    metrics: Sequence[str],
    policy: Policy,
    noun: str,
) -> tuple[Row, ...]:
    """Every group's partially pooled rate, for each rate that carries a verdict.

    Groups too small to be shown are in the pool, and their rows say why they hold no number.

    Parameters
    ----------
    cells : (n,) from `riskmodels.assessment.audit.counting.counts.cells_of`

    Returns
    -------
    rows as `pool_groups` makes them
    """
    rows: list[Row] = []
    for metric in (metric for metric in metrics if metric in PROPORTIONS):
        rate = PROPORTIONS[metric]
        is_hit, is_base = np.zeros(CELLS, dtype=bool), np.zeros(CELLS, dtype=bool)
        is_hit[list(rate.top)], is_base[list(rate.bottom)] = True, True
        base = np.flatnonzero(is_base[cells])
        misses = (~is_hit[cells[base]]).astype(np.int64)
        together = None if clusters is None else clusters[base]
        for attribute in attributes:
            found = count_nested(attribute.codes[base], len(attribute.groups), misses, 1, together)
            named = [
                {"attribute": attribute.name, "group": group, "label": label, "metric": metric}
                for group, label in zip(attribute.groups, attribute.labels, strict=True)
            ]
            # Where it cannot be told, each cluster counts as one row.
            effect = np.where(
                np.isnan(found.effect[:, 0]), found.n / np.maximum(found.clusters, 1), np.maximum(found.effect[:, 0], 1)
            )
            small = f"not shown ({too_few(policy.floors.show, rate.of, noun)})"
            hidden = [small if n < policy.floors.show else None for n in found.n.tolist()]
            rows += pool_groups(named, found.hits[:, 0], found.n, effect, hidden, attribute.reference, policy.level)
    return tuple(rows)


def pool_groups(
    named: Sequence[Row],
    tops: np.ndarray,
    bottoms: np.ndarray,
    effects: np.ndarray,
    hidden: Sequence[str | None],
    reference: int | None,
    level: float,
) -> list[Row]:
    """The groups of one attribute and one rate, pooled on the logit scale.

    A rate x / n counts as logit((x + 1/2) / (n + 1)) with the variance (1 / (x + 1/2) + 1 / (n - x + 1/2)) times its
    design effect. The ratio is to the reference's pooled rate, as if the two were independent, which is cautious: the
    mean that they share makes them alike.

    Parameters
    ----------
    named : (K,) what each row says first: attribute, group, label, metric
    tops, bottoms, effects : (K,)
    hidden : (K,) why a row shows no number; None where it may
    reference : position of the group that the ratios are to; None where it is not among them

    Returns
    -------
    rows {..., own, value, low, high, weight, ratio, ratio_low, ratio_high, effect, level, is_reference, reason}
    """
    numbers = ("own", "value", "low", "high", "weight", "ratio", "ratio_low", "ratio_high")
    rows: list[Row] = [
        {**name, **dict.fromkeys(numbers), "effect": None, "level": level, "is_reference": place == reference,
         "reason": reason}
        for place, (name, reason) in enumerate(zip(named, hidden, strict=True))
    ]  # fmt: skip
    inside = np.flatnonzero(bottoms > 0)
    if inside.size < FEWEST_GROUPS:
        return [row | {"reason": row["reason"] or TOO_FEW_GROUPS} for row in rows]
    x, n, effect = tops[inside], bottoms[inside], effects[inside]
    pooled = partially_pooled(
        np.log((x + 0.5) / (n - x + 0.5)), np.asarray((1 / (x + 0.5) + 1 / (n - x + 0.5)) * effect, dtype=np.float64)
    )
    z = NormalDist().inv_cdf((1 + level) / 2)
    rates, lows, highs = (expit(pooled.centre + side * z * pooled.se) for side in (0, -1, 1))
    log_se = (1 - rates) * pooled.se
    against = next((at for at, place in enumerate(inside.tolist()) if place == reference), None)
    for at, place in enumerate(inside.tolist()):
        row = rows[place]
        if row["reason"] is not None:
            continue
        row |= {
            "own": float(x[at] / n[at]), "value": float(rates[at]), "low": float(lows[at]), "high": float(highs[at]),
            "weight": float(pooled.weight[at]), "effect": float(effect[at]),
        }  # fmt: skip
        if against is not None and against != at and hidden[inside[against]] is None:
            ratio = float(rates[at] / rates[against])
            half = math.exp(z * math.hypot(log_se[at], log_se[against]))
            row |= {"ratio": ratio, "ratio_low": ratio / half, "ratio_high": ratio * half}
    return rows
