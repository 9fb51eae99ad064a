"""Restricted cubic splines: a smooth bend between knots, and a straight line beyond the outer ones (Harrell 2015)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from riskmodels.models.matrix import rounded, rounding_unit

Floats = npt.NDArray[np.float64]

# Where Harrell (2015, table 2.3) puts the knots: shares of the rows below each.
PLACES: dict[int, tuple[float, ...]] = {
    3: (0.10, 0.5, 0.90),
    4: (0.05, 0.35, 0.65, 0.95),
    5: (0.05, 0.275, 0.5, 0.725, 0.95),
    6: (0.05, 0.23, 0.41, 0.59, 0.77, 0.95),
    7: (0.025, 0.1833, 0.3417, 0.5, 0.6583, 0.8167, 0.975),
}
FEWEST_KNOTS = min(PLACES)


def restricted_cubic_basis(values: Floats, knots: Floats) -> Floats:
    """Columns of a restricted cubic spline: the value itself, then k - 2 cubic terms that are linear beyond the knots.

    With (u)+ = max(u, 0), scaled by (t_k - t_1)^2, for j = 1 .. k - 2:
    (x - t_j)+^3 - (x - t_(k-1))+^3 (t_k - t_j)/(t_k - t_(k-1)) + (x - t_k)+^3 (t_(k-1) - t_j)/(t_k - t_(k-1))

    Beyond t_k the cubes cancel, and would take all digits of a large x with them: what is left, a line of slope
    3 (t_k - t_j) (t_(k-1) - t_j), is written as such.

    Source: Harrell 2015, section 2.4.5.

    Parameters
    ----------
    values : shape (n,)
    knots : shape (k,), rising; fewer than three give the value alone

    Returns
    -------
    shape (n, k - 1), or (n, 1)
    """
    if knots.size < FEWEST_KNOTS:
        return values[:, None]
    last, before = knots[-1], knots[-2]
    inside = np.minimum(values, last)
    beyond = values - inside
    late = np.maximum(inside - before, 0.0) ** 3
    terms = [
        np.maximum(inside - knot, 0.0) ** 3
        - late * (last - knot) / (last - before)
        + beyond * 3.0 * (last - knot) * (before - knot)
        for knot in knots[:-2]
    ]
    return np.column_stack([values, *(term / (last - knots[0]) ** 2 for term in terms)])


def knots_of(recorded: Floats, count: int) -> tuple[float, ...]:
    """Where ``count`` knots go, or as many fewer as the values can carry; none where only a line is left.

    Percentiles of the values (`PLACES`). Where the lowest value is so common that these coincide (most counts are
    nought), it is itself the first knot, and the rest are percentiles of what lies above it. Rounded to three digits of
    their spread, so that a knot is never one person's value.

    Parameters
    ----------
    recorded : shape (n,), without gaps
    count : 3 to 7
    """
    if not recorded.size:
        return ()
    distinct = np.unique(recorded).size
    lowest = float(recorded.min())
    above = recorded[recorded > lowest]
    for wanted in range(count, FEWEST_KNOTS - 1, -1):
        places = PLACES[wanted]
        if distinct <= wanted:
            continue
        found = [_placed(np.quantile(recorded, places))]
        if above.size <= (1.0 - places[0]) * recorded.size:
            found.append(_placed(np.array([lowest, *np.quantile(above, places[1:])])))
        for knots in found:
            if (np.diff(knots) > 0).all():
                return knots
    return ()


def _placed(knots: Floats) -> tuple[float, ...]:
    unit = rounding_unit(float(knots[-1] - knots[0]), 3)
    return tuple(rounded(float(knot), unit) for knot in knots)
