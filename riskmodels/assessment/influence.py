"""What each row adds to the error of a statistic, so that statistics of the same people can be held against each other.

Near its true value a statistic is that value plus one small contribution from each row, its influence (Hampel 1974).
Summed per cluster these give the variance of one statistic, as everywhere here, and also the covariance of several that
share people: the same person stands on several test dates, the same household in two regions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from riskmodels.assessment.calibration_statistics import CONSTANT, SEPARATED, no_logit, separates, squared_error
from riskmodels.assessment.discrimination import placements
from riskmodels.assessment.intervals import NO_ROWS, NO_SPREAD, ONE_CLUSTER, Floats, Units, of_rows
from riskmodels.assessment.logistic import expit, fit_logistic, linear_predictor, logit
from riskmodels.assessment.ranked_rows import RankedRows

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Influence:
    """A statistic and what each row adds to its error: ``values`` of shape (n,), 0 where a row has no part in it."""

    value: float
    values: Floats


# ---------------------------------------------------------------- the statistics, of rows whose outcome is known


def of_auc(known: RankedRows) -> Influence | str:
    """AUC. An event adds (its placement - AUC)/m, a non-event the same over n; see `placements`.

    Source: DeLong et al. 1988; with clusters Obuchowski 1997.
    """
    if reason := known.too_few:
        return reason
    if known.risk.min() == known.risk.max():
        return CONSTANT
    placed = placements(known.outcome, known.risk)
    is_event = known.outcome == 1
    value = float(placed[is_event].mean())
    influence = np.empty(known.n)
    for side in (is_event, ~is_event):
        factor = _few(of_rows(known.units, side), int(side.sum()))
        if factor is None:
            return ONE_CLUSTER
        influence[side] = (placed[side] - value) * factor / side.sum()
    return _checked(value, influence)


def of_log_oe(known: RankedRows) -> Influence | str:
    """log(O/E). A row adds (y - r p)/O, with r = O/E: the linear form of a ratio of two sums (Woodruff 1971)."""
    if reason := known.too_few:
        return reason
    observed, expected = float(known.outcome.sum()), float(known.risk.sum())
    if expected == 0:
        return "every risk is 0: nothing was expected"
    ratio = observed / expected
    return _scaled(math.log(ratio), (known.outcome - ratio * known.risk) / observed, known.units)


def of_slope(known: RankedRows) -> Influence | str:
    """Calibration slope. A row adds the slope's line of (X'WX)^-1 x (y - fitted), the summand of the sandwich.

    Source: Huber 1967; Liang & Zeger 1986.
    """
    if reason := known.too_few or no_logit(known.risk):
        return reason
    if known.risk.min() == known.risk.max():
        return CONSTANT
    if separates(known.outcome, known.risk):
        return SEPARATED
    design = np.column_stack([np.ones(known.n), logit(known.risk)])
    fit = fit_logistic(design, known.outcome, None)
    if fit is None:
        return "the logistic fit did not settle"
    residual = known.outcome - expit(linear_predictor(design, fit[0]))
    return _scaled(float(fit[0][1]), linear_predictor(design, fit[1][:, 1]) * residual, known.units)


def of_brier(known: RankedRows) -> Influence | str:
    """Brier score. A row adds (its squared error - the mean)/n."""
    if known.n == 0:
        return NO_ROWS
    loss = squared_error(known.outcome, known.risk)
    value = float(loss.mean())
    return _scaled(value, (loss - value) / known.n, known.units)


def of_precision(known: RankedRows) -> Influence | str:
    """Precision of the list. A selected row adds (y - precision)/their number."""
    listed = known.of(known.selected)
    if reason := listed.too_few:
        return reason
    value = float(listed.outcome.mean())
    found = _scaled(value, (listed.outcome - value) / listed.n, listed.units)
    if isinstance(found, str):
        return found
    values = np.zeros(known.n)
    values[known.selected] = found.values
    return Influence(value, values)


INFLUENCES: dict[str, Callable[[RankedRows], Influence | str]] = {
    "auc": of_auc,
    "oe_ratio": of_log_oe,
    "calibration_slope": of_slope,
    "brier_score": of_brier,
    "precision_at_k": of_precision,
}
"""Statistic -> its influence, or why there is none. O/E is on the log scale. To add one: a function, a row, a test."""

LOGARITHMIC = ("oe_ratio",)


def _scaled(value: float, influence: Floats, units: Units) -> Influence | str:
    factor = _few(units, influence.size)
    return ONE_CLUSTER if factor is None else _checked(value, influence * factor)


def _few(units: Units, n: int) -> float | None:
    """sqrt(G/(G - 1)), which makes squares of cluster sums add up to the variance of `intervals.variance_of_sum`."""
    clusters = n if units is None else units.count
    return math.sqrt(clusters / (clusters - 1)) if clusters > 1 else None


def _checked(value: float, influence: Floats) -> Influence | str:
    return Influence(value, influence) if np.abs(influence).max() > 1e-15 else NO_SPREAD


# ---------------------------------------------------------------- several of them


def stacked(found: Sequence[Influence | str], used: Sequence[int], part: Integers) -> tuple[Floats, Floats, Integers]:
    """The values of the parts in use; each row's influence on its own part's; and that part's place among them or -1.

    Parameters
    ----------
    found : the statistic of each part, or why there is none
    part : shape (n,), the part that each row belongs to
    """
    values, influence, position = [], np.zeros(part.size), np.full(part.size, -1)
    for place, number in enumerate(used):
        one, here = found[number], part == number
        assert isinstance(one, Influence)
        values.append(one.value)
        influence[here], position[here] = one.values, place
    return np.array(values), influence, position


def joint_covariance(influence: Floats, part: Integers, parts: int, units: Units) -> Floats:
    """Covariance (D, D) of statistics of disjoint rows whose clusters may overlap.

    V[d, e] = sum over clusters of (their sum in part d)(their sum in part e). Source: Liang & Zeger 1986.

    Parameters
    ----------
    influence : shape (n,), of each row on the statistic of its own part
    part : shape (n,), from 0; -1 where a row belongs to none
    """
    inside = part >= 0
    if units is None:
        return np.diag(np.bincount(part[inside], weights=influence[inside] ** 2, minlength=parts))
    from scipy.sparse import coo_array

    cells = (influence[inside], (units.of_row[inside], part[inside]))
    sums = coo_array(cells, shape=(units.count, parts)).tocsr()
    return np.asarray((sums.T @ sums).toarray(), dtype=np.float64)


@dataclass(frozen=True)
class Homogeneity:
    """Whether statistics scatter about a model by more than chance: ``q`` is chi-squared on ``df`` when they do not."""

    q: float
    df: int
    p: float


def homogeneity(values: Floats, covariance: Floats, model: Floats) -> Homogeneity | None:
    """Test that the values lie on the columns of a model: ones for "all alike", ones and time for "a straight line".

    Q = (C v)' (C V C')^-1 (C v), where the rows of C span what the model cannot reach. With ones and a diagonal V this
    is Cochran's Q. None where nothing is left to test, or V has no inverse there. Sources: Cochran 1954; Rao 1973.

    Parameters
    ----------
    values : shape (D,)
    covariance : shape (D, D)
    model : shape (D, q), of full rank
    """
    df = values.size - model.shape[1]
    if df < 1:
        return None
    from scipy.special import chdtrc

    contrasts = np.linalg.svd(model)[0][:, model.shape[1] :].T
    within = contrasts @ covariance @ contrasts.T
    if np.linalg.eigvalsh(within).min() <= 1e-10 * np.diag(covariance).max():
        return None
    apart = contrasts @ values
    q = float(apart @ np.linalg.solve(within, apart))
    return Homogeneity(q, df, float(chdtrc(df, q)))


def two_sided_p(value: float, variance: float, units: Units) -> float:
    """How likely so large a value is by chance alone: normal, or Student's t on G - 1 where clusters repeat."""
    z = abs(value) / math.sqrt(variance)
    if units is None:
        return math.erfc(z / math.sqrt(2))
    from scipy.special import stdtr

    return float(2 * stdtr(max(units.count - 1, 1), -z))
