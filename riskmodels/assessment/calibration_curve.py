"""Observed rate against risk: a spline with its band, and bins for the eye."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from riskmodels.assessment.calibration_statistics import CONSTANT, SEPARATED, no_logit, separates
from riskmodels.assessment.discrimination import one_class
from riskmodels.assessment.intervals import (
    ONE_CLUSTER,
    Floats,
    checked_outcome,
    checked_risk,
    clusters_of,
    critical_value,
    of_rows,
    proportion,
)
from riskmodels.assessment.logistic import expit, fit_logistic, logit
from riskmodels.models.splines import restricted_cubic_basis

KNOTS: tuple[tuple[float, ...], ...] = ((0.05, 0.275, 0.5, 0.725, 0.95), (0.1, 0.5, 0.9), ())
FEWEST_IN_BIN = 30
POINTS = 41


def spline_curve(
    outcome: Any, risk: Any, clusters: Any = None, at: Any = None
) -> tuple[tuple[dict[str, float], ...], str | None]:
    """Observed rate as a smooth function of risk, with a pointwise 95% band.

    Logistic regression of the outcome on a restricted cubic spline of logit(risk) with five knots at its 5th, 27.5th,
    50th, 72.5th and 95th percentiles; the band is symmetric on the logit scale and uses cluster sums where clusters
    repeat. Where few distinct risks or few events cannot carry five knots, three (10th, 50th and 90th percentile) or a
    line are fitted. Sources: Harrell 2015; Austin & Steyerberg 2014.

    Parameters
    ----------
    outcome : shape (n,), 0/1 or boolean
    risk : shape (n,), probabilities
    clusters : shape (n,), ids of rows that belong together
    at : risks to read the curve at; by default 41 points between the 1st and 99th percentile, even on the logit scale

    Returns
    -------
    rows of {risk, observed, low, high}, and None; or no rows, and the reason.

    Raises
    ------
    DataError
        if the arrays do not match, hold gaps, or a risk is no probability.
    """
    y = checked_outcome(outcome)
    p = checked_risk(risk, y.size)
    reason = one_class(y) or no_logit(p)
    if reason is None and p.min() == p.max():
        reason = CONSTANT
    if reason is None and separates(y, p):
        reason = SEPARATED
    units = clusters_of(clusters, y.size)
    if reason is None and units is not None and units.count < 2:
        reason = ONE_CLUSTER
    if reason:
        return (), reason
    x = logit(p)
    for quantiles in KNOTS:
        knots = np.unique(np.quantile(x, quantiles))
        fit = fit_logistic(_design(x, knots), y, units, stop="lrm")
        if fit is not None:
            break
    else:
        return (), "the curve has no finite fit: too few events, or too few distinct risks"
    if at is None:
        points = np.linspace(float(np.quantile(x, 0.01)), float(np.quantile(x, 0.99)), POINTS)
    else:
        points = logit(np.asarray(at, dtype=np.float64))
    where = _design(points, knots)
    middle = where @ fit[0]
    half = critical_value(units) * np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", where, fit[1], where), 0.0))
    columns = [expit(each).tolist() for each in (points, middle, middle - half, middle + half)]
    return tuple(
        dict(zip(("risk", "observed", "low", "high"), row, strict=True)) for row in zip(*columns, strict=True)
    ), None


def _design(values: Floats, knots: Floats) -> Floats:
    return np.column_stack([np.ones(values.size), restricted_cubic_basis(values, knots)])


def calibration_bins(
    outcome: Any, risk: Any, clusters: Any = None, *, bins: int = 10, fewest: int = FEWEST_IN_BIN
) -> tuple[dict[str, Any], ...]:
    """Observed rate with Wilson's interval in bins of about equally many rows, from low to high risk.

    Equal risks share a bin, and a bin of fewer than ``fewest`` rows joins its neighbour, so there may be fewer bins.
    The edges lie halfway between neighbouring risks, and the outer ones at 0 and 1: none is a person's own risk.

    Returns
    -------
    rows of {low, high, n, mean_risk, observed: Estimate}; none where no outcome is known.
    """
    y = checked_outcome(outcome)
    p = checked_risk(risk, y.size)
    if y.size == 0:
        return ()
    units = clusters_of(clusters, y.size)
    order = np.argsort(p, kind="stable")
    ordered = p[order]
    targets = ordered[np.ceil(np.arange(1, bins) * y.size / bins).astype(int) - 1]
    cuts = _merged(np.unique(np.searchsorted(ordered, targets, side="right")), y.size, fewest)
    edges = [0.0, *((ordered[cut - 1] + ordered[cut]) / 2 for cut in cuts[1:-1]), 1.0]
    rows = []
    for i, (start, stop) in enumerate(pairwise(cuts)):
        inside = order[start:stop]
        rows.append(
            {
                "low": float(edges[i]),
                "high": float(edges[i + 1]),
                "n": stop - start,
                "mean_risk": float(p[inside].mean()),
                "observed": proportion(y[inside], of_rows(units, inside)),
            }
        )
    return tuple(rows)


def _merged(cuts: npt.NDArray[np.intp], rows: int, fewest: int) -> list[int]:
    """Positions at which bins end, dropping those that would leave fewer than ``fewest`` rows on either side."""
    kept = [0]
    for cut in cuts.tolist():
        if cut - kept[-1] >= fewest and rows - cut >= fewest:
            kept.append(cut)
    return [*kept, rows]
