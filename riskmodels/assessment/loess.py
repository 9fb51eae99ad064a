"""Loess as R computes it, and how far risks lie from the observed rate that it finds: ICI, E50, E90 and Emax.

Written out for outcomes against one column, and equal to R's code to the last digits. That code (scikit-misc wraps it,
and the tests hold the two equal) looks for each of its cuts among equal risks one by one: a million risks from a table
of points, which share a few dozen values, take it minutes. Here rows with the same risk are one row with a count.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from riskmodels.assessment.discrimination import one_class
from riskmodels.assessment.estimate import Estimate, not_computed
from riskmodels.assessment.intervals import Floats, checked_outcome, checked_risk

SPAN = 0.75  # share of the rows that each local fit uses
LARGEST_CELL = 0.2  # share of a span that no cell holds more rows of
MARGIN = 0.005  # how far the outer vertices lie beyond the data, as a share of their range
SINGULAR = 1e-12
FURTHEST = 1e8

CONSTANT = "the risk is the same for everybody"
ONE_RISK = "three quarters of the rows share one risk: there is nothing to smooth over"
TOO_ALIKE = "a local quadratic needs three different risks near every point: there are too few, or too much alike"
FAR_OFF = "the smoother swings beyond any rate: the risks crowd together, and it must reach far to cross the gaps"
NAMES = ("ici", "e50", "e90", "emax")


def loess_errors(outcome: Any, risk: Any) -> dict[str, Estimate]:
    """Distance between risk and a smoothed observed rate: its mean (ici), median (e50), e90 and maximum (emax).

    abs(risk - loess(risk)) over the rows, with the loess of `loess`. Source: Austin & Steyerberg 2019. No interval:
    smoothing leaves these above 0 even for perfect risks, and the more so the fewer the rows. Not computed where the
    smooth lies more than 1 from a risk, which no rate can.

    Parameters
    ----------
    outcome : shape (n,), 0/1 or boolean
    risk : shape (n,), probabilities

    Raises
    ------
    DataError
        if the arrays do not match, hold gaps, or a risk is no probability.
    """
    y = checked_outcome(outcome)
    p = checked_risk(risk, y.size)
    reason = one_class(y) or (CONSTANT if p.min() == p.max() else None)
    smooth = reason or loess(p, y)
    if isinstance(smooth, str):
        return {name: not_computed(smooth, y.size) for name in NAMES}
    error = np.abs(p - smooth)
    if error.max() > 1:
        return {name: not_computed(FAR_OFF, y.size) for name in NAMES}
    values = (error.mean(), *np.quantile(error, (0.5, 0.9)), error.max())
    return {name: Estimate(float(value), n=y.size) for name, value in zip(NAMES, values, strict=True)}


def loess(x: Floats, y: Floats) -> Floats | str:
    """Fitted values of R's ``loess(y ~ x)`` (span 0.75, degree 2, gaussian, interpolated), or why there are none.

    At each vertex a quadratic is fitted to the nearest three quarters of the rows, weighted by (1 - (d/r)^3)^3 of their
    distance d, with r the largest of them. Between vertices the cubic is drawn that has their values and slopes.
    Sources: Cleveland & Devlin 1988; Cleveland & Grosse 1991.

    Parameters
    ----------
    x, y : shape (n,), finite; n at least 1

    Returns
    -------
    shape (n,); or a reason, where R would fall back on a pseudo-inverse
    """
    order = np.argsort(x, kind="stable")
    ordered = x[order]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    counts = np.diff(starts, append=x.size)
    values, means = ordered[starts], np.add.reduceat(y[order], starts) / counts
    near = min(x.size, math.floor(x.size * SPAN + 1e-5))
    if counts.max() >= max(near, 2):
        return ONE_RISK
    vertices = _vertices(ordered, starts)
    heights, slopes = np.empty(vertices.size), np.empty(vertices.size)
    for i, vertex in enumerate(vertices):
        radius = float(np.maximum(vertex - ordered[: x.size - near + 1], ordered[near - 1 :] - vertex).min())
        here = slice(*np.searchsorted(values, (vertex - radius, vertex + radius)))
        closeness = np.maximum(1 - (np.abs(values[here] - vertex) / radius) ** 3, 0.0) ** 3
        fit = _quadratic(values[here], means[here], counts[here] * closeness, float(vertex))
        if fit is None:
            return TOO_ALIKE
        heights[i], slopes[i] = fit
    smooth = np.empty(x.size)
    smooth[order] = np.repeat(_blend(values, vertices, heights, slopes), counts)
    return smooth


def _vertices(ordered: Floats, starts: Any) -> Floats:
    """Where local fits are made: just beyond both ends, and where cells of too many rows are cut.

    A cell is cut behind its middle row; among equal values at the change nearest to it, the later one of two.
    """
    n = ordered.size
    most = math.floor(n * SPAN * LARGEST_CELL)
    low, high = float(ordered[0]), float(ordered[-1])
    beyond = MARGIN * max(high - low, 1e-3 * max(abs(low), abs(high)) + 1e-30)
    changes = starts[1:]  # between row i and row i + 1, counted from 1
    found = {low - beyond, high + beyond}
    cells = [(1, n, low - beyond, high + beyond)]
    while cells:
        first, last, left, right = cells.pop()
        if last - first < most:
            continue
        middle = (first + last) // 2
        inside = changes[np.searchsorted(changes, first) : np.searchsorted(changes, last)]
        if inside.size:
            nearest = int(inside[np.lexsort((-inside, np.abs(inside - middle)))[0]])
            if abs(nearest - middle) < last - middle:
                middle = nearest
        cut = float(ordered[middle - 1])
        if cut not in (left, right):
            found.add(cut)
            cells += [(first, middle, left, cut), (middle + 1, last, cut, right)]
    return np.array(sorted(found))


def _quadratic(x: Floats, y: Floats, weights: Floats, at: float) -> tuple[float, float] | None:
    """Value and slope at a point of the weighted least-squares quadratic; None where it is not determined.

    By polynomials that are orthogonal under the weights, 1, z and z^2 - skew z - 1 of the standardised value z: sums in
    one fixed order, and no matrix to invert.
    """
    share = weights / weights.sum()
    centre = float((share * x).sum())
    spread = math.sqrt(float((share * (x - centre) ** 2).sum()))
    # Values that hardly differ say nothing of a point so many of their deviations away, and its square has no number.
    if spread == 0 or abs(at - centre) > FURTHEST * spread:
        return None
    z = (x - centre) / spread
    skew = float((share * z**3).sum())
    curved = z**2 - skew * z - 1
    length = float((share * curved**2).sum())
    if length < SINGULAR * max(1.0, float((share * z**4).sum())):
        return None
    level, tilt, bend = (float((share * each * y).sum()) for each in (1.0, z, curved))
    bend /= length
    there = (at - centre) / spread
    value = level + tilt * there + bend * (there**2 - skew * there - 1)
    return value, (tilt + bend * (2 * there - skew)) / spread


def _blend(x: Floats, vertices: Floats, heights: Floats, slopes: Floats) -> Floats:
    """The piecewise cubic with these values and slopes at the vertices (Hermite)."""
    cell = np.clip(np.searchsorted(vertices, x, side="right") - 1, 0, vertices.size - 2)
    width = np.diff(vertices)[cell]
    h = (x - vertices[cell]) / width
    smooth: Floats = (1 - h) ** 2 * ((1 + 2 * h) * heights[cell] + h * width * slopes[cell]) + h**2 * (
        (3 - 2 * h) * heights[cell + 1] - (1 - h) * width * slopes[cell + 1]
    )
    return smooth
