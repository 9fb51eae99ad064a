"""How well the risk orders people within each group of an attribute, from the counts by bin of risk."""

from __future__ import annotations

import numpy as np

from riskmodels.assessment.audit.counting.coded_rows import Sorted, runs_of
from riskmodels.assessment.audit.counting.counting import outcomes
from riskmodels.assessment.audit.counting.risk_bins import RiskBins
from riskmodels.assessment.discrimination import CONSTANT
from riskmodels.assessment.estimate import Estimate, not_computed
from riskmodels.assessment.intervals import NO_ROWS, ONE_CLUSTER, Clusters, Units, wald


def group_aucs(
    codes: np.ndarray, profile: np.ndarray, bins: RiskBins, status: np.ndarray, clusters: Sorted | None
) -> list[Estimate]:
    """The AUC of each group with its interval: `riskmodels.assessment.discrimination.auc` of binned risks, at once.

    People in the same bin count as tied. Where there are no more different risks than bins, nothing is lost.

    Parameters
    ----------
    codes : (n,) group of each row
    profile : (G, 6, F) the group's people by cell and bin
    status : (n,) 0, 1, or 2 for not known
    """
    events, others = outcomes(profile)
    m, n = events.sum(axis=1), others.sum(axis=1)
    below = np.cumsum(others, axis=1) - others
    above = m[:, None] - np.cumsum(events, axis=1)
    of_event = (below + others / 2) / np.maximum(n, 1)[:, None]
    of_other = (above + events / 2) / np.maximum(m, 1)[:, None]
    value = (events * of_event).sum(axis=1) / np.maximum(m, 1)
    of_event, of_other = of_event - value[:, None], of_other - value[:, None]
    if clusters is None:
        squares = np.stack([(events * of_event**2).sum(axis=1), (others * of_other**2).sum(axis=1)])
        joint, repeated = np.zeros(len(m)), np.zeros(len(m), dtype=bool)
        units = np.stack([m, n, m + n])
    else:
        placed = np.stack([of_other, of_event], axis=1)
        squares, joint, units = _over_clusters(codes, placed, bins, status, clusters)
        repeated = units[2] < m + n
    found = []
    for group in range(len(m)):
        if reason := _one_class(int(m[group]), int(n[group])):
            found.append(not_computed(reason, int(m[group] + n[group])))
        elif np.count_nonzero(events[group] + others[group]) == 1:
            found.append(Estimate(0.5, n=int(m[group] + n[group]), reason=CONSTANT))
        else:
            together = Clusters(np.empty(0, dtype=np.int64), int(units[2, group])) if repeated[group] else None
            found.append(
                _estimate(float(value[group]), squares[:, group], float(joint[group]), units[:, group],
                          int(m[group]), int(n[group]), together)
            )  # fmt: skip
    return found


def _one_class(events: int, others: int) -> str | None:
    if events + others == 0:
        return NO_ROWS
    if events == 0:
        return "no known row has an event"
    return "every known row has an event" if others == 0 else None


def _estimate(
    value: float, squares: np.ndarray, joint: float, units: np.ndarray, m: int, n: int, together: Units
) -> Estimate:
    """DeLong's variance S10/m + S01/n, with Obuchowski's 2 S11/(mn) where clusters repeat.

    ``squares``: of the placements of events and non-events, summed within clusters; ``joint``: of their products;
    ``units``: clusters with events, with non-events, with either.
    """
    if min(m, n) < 2:
        return Estimate(value, n=m + n, reason="no interval: fewer than two events or non-events")
    if min(units[:2]) < 2:
        return Estimate(value, n=m + n, reason=f"{ONE_CLUSTER} in one of the classes")
    factors = units / np.maximum(units - 1, 1)
    variance = float(factors[0] * squares[0] / m**2 + factors[1] * squares[1] / n**2)
    if together is not None:
        variance = max(variance + 2 * float(factors[2] * joint) / (m * n), 0.0)
    return wald(value, variance, m + n, together, within=(0.0, 1.0))


def _over_clusters(
    codes: np.ndarray, placed: np.ndarray, bins: RiskBins, status: np.ndarray, clusters: Sorted
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Squares (2, G), products (G,) and numbers (3, G) of cluster sums within each group; placed: (G, 2, F)."""
    size = len(placed)
    code, outcome = codes[clusters.order], status[clusters.order]
    run, runs = runs_of(code, clusters, size)
    group = np.empty(runs, dtype=np.int64)
    group[run] = code
    sums, has = [], []
    for event in (1, 0):
        rows = np.flatnonzero(outcome == event)
        values = placed[code[rows], event, bins.of_row[clusters.order[rows]]]
        sums.append(np.bincount(run[rows], weights=values, minlength=runs))
        has.append(np.bincount(run[rows], minlength=runs) > 0)
    squares = np.stack([np.bincount(group, weights=part**2, minlength=size) for part in sums])
    joint = np.bincount(group, weights=sums[0] * sums[1], minlength=size)
    units = np.stack([np.bincount(group[mask], minlength=size) for mask in (*has, has[0] | has[1])])
    return squares, joint, units
